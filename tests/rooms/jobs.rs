//! The queue's worker, as it runs by itself.

use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use vouchsafe::base::Secret;
use vouchsafe::config::FalAi;
use vouchsafe::jobs::Jobs;
use vouchsafe::speech::Tongue;
use vouchsafe::subjects::{LinkFor, LinkWish};

use crate::support::Backend;
use crate::support::app::{Person, TestApp};

/// How long anything may take on a busy machine.
const ANY_TIME: Duration = Duration::from_secs(120);
/// More edits than there are places in the worker.
const MANY: u64 = 70;

/// Waits until something is so.
async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let wait = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(ANY_TIME, wait).await.is_ok(), "it never came about: {what}");
}

async fn running(app: &TestApp, ada: &Person) -> usize {
    let list = app.get("/v1/edits?state=running&limit=200").by(ada).send().await.json();
    list["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_letter_does_not_wait_behind_slow_edits() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        // A provider that takes a call and never answers.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", silent.local_addr().unwrap());
        let fal = FalAi {
            key: Secret::new("id:secret".to_owned()),
            admin_key: Secret::new("id:admin".to_owned()),
            user_id: None,
            base: Some(base),
        };
        let opened = TestApp::open_with(backend, |config| {
            config.providers.fal = Some(fal);
            config.providers.at_once = 100;
        });
        let Some(app) = opened.await else { continue };
        let ada = app.person("ada@example.org").await;
        for seed in 0..MANY {
            let image = app.upload(&ada, seed).await;
            let asked = json!({ "inputs": [image], "prompt": "make it rain", "provider": "fal-ai" });
            assert_eq!(app.post("/v1/edits").by(&ada).json(&asked).send().await.status, 201);
        }
        let background = Jobs::new(app.app.clone()).start().await.unwrap();
        until("every place is taken", || async { running(&app, &ada).await == 64 }).await;
        let email = "ada@example.org".parse().unwrap();
        let wish = LinkWish {
            whom: LinkFor::Subject,
            email: &email,
            browser: "a browser",
            tells_code: false,
            opens: None,
            path: "/sign-in/confirm?until=1",
            tongue: Tongue::English,
        };
        app.app.subjects.ask_link(&ada.owner.tenant, &wish).await.unwrap();
        until("the letter goes", || async { app.mails().iter().any(|sent| sent.to == "ada@example.org") })
            .await;
        assert_eq!(running(&app, &ada).await, 64, "and the edits had no less room for it");
        drop(silent);
        background.stop().await;
        app.leave_the_queue();
    }
}
