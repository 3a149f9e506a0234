//! Sending webhooks out, with the retries that the providers make.

use std::time::Duration;

use reqwest::Client;

/// A webhook to be sent.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Where to.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// How often one is tried.
const TRIES: u32 = 8;

pub(super) struct Post(Option<Client>);

impl Post {
    #[expect(
        clippy::disallowed_methods,
        reason = "the stand-in is the outside world; it must not share our client"
    )]
    pub(super) fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let none = reqwest::redirect::Policy::none();
        let client = Client::builder().no_proxy().redirect(none).timeout(Duration::from_secs(15));
        Self(client.build().ok())
    }

    /// Sends each until it is answered with 2xx, or is refused for good with a redirect.
    pub(super) async fn send(&self, deliveries: Vec<Delivery>) {
        for delivery in deliveries {
            for turn in 0..TRIES {
                if self.once(&delivery).await {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100 << turn)).await;
            }
        }
    }

    async fn once(&self, delivery: &Delivery) -> bool {
        let Some(client) = &self.0 else { return true };
        let mut request = client.post(&delivery.url).body(delivery.body.clone());
        request = request.header("content-type", "application/json");
        for (name, value) in &delivery.headers {
            request = request.header(*name, value);
        }
        match request.send().await {
            Ok(answer) => answer.status().is_success() || answer.status().is_redirection(),
            Err(_) => false,
        }
    }

    /// Fetches an input picture by link.
    pub(super) async fn fetch(&self, url: &str) -> Option<Vec<u8>> {
        let answer = self.0.as_ref()?.get(url).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        answer.bytes().await.ok().map(|b| b.to_vec())
    }
}
