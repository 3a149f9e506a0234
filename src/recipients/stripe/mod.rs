//! Stripe: what it holds of a customer, and how that is corrected and let go.
//!
//! Deleting a customer there is not erasing them: charges and invoices keep name and address. So a customer without
//! payments is blanked and deleted; one with payments is blanked at once, and redacted ninety days after the last
//! payment, before which Stripe does not do it.

mod erase;
mod export;
mod hook;
mod redact;
mod wire;

pub use hook::{Event, Forged, PaidInvoice, read_event};

use std::time::Duration;

use serde_json::Value;

use super::line::{Line, join, read};
use super::{Correction, Memory, Proof, RecipientError};
use crate::base::{Clock, Secret, Timestamp};
use crate::egress::{Call, CallLog, Egress, EgressError, Method, Recipient, Reply, Url};
use wire::form;

/// How old a webhook may be.
const TOLERANCE: i64 = 300;

/// Where Stripe is and how it is to be used.
#[derive(Debug, Clone)]
pub struct StripeConfig {
    /// The key, best a restricted one (`rk_live_…`).
    pub key: Secret<String>,
    /// The API.
    pub api: Url,
    /// The version whose shapes we know.
    pub version: String,
    /// The version that knows redaction jobs (a public preview).
    pub preview: String,
    /// Whether this account may redact. Where it may not, customers are deleted and their payments stay.
    pub redaction: bool,
    /// The webhook secrets (`whsec_…`): the present one, and the last one while they overlap.
    pub webhook_secrets: Vec<Secret<String>>,
    /// The wait before the first repetition of a read.
    pub pause: Duration,
}

impl StripeConfig {
    /// The real service.
    pub fn live(key: Secret<String>, webhook_secrets: Vec<Secret<String>>) -> Result<Self, EgressError> {
        Ok(Self {
            key,
            api: Url::parse("https://api.stripe.com").map_err(|_| EgressError::BadUrl)?,
            version: "2026-07-29.dahlia".to_owned(),
            preview: "2026-07-29.preview".to_owned(),
            redaction: true,
            webhook_secrets,
            pause: Duration::from_millis(200),
        })
    }

    /// The places that the egress client must allow.
    pub fn recipient(&self) -> Result<Recipient, EgressError> {
        Recipient::named(Stripe::NAME).base(&self.api)
    }
}

/// Stripe.
#[derive(Debug)]
pub struct Stripe {
    config: StripeConfig,
    line: Line,
    clock: Clock,
}

/// Whether Stripe could call a customer this.
pub(super) fn is_customer(id: &str) -> bool {
    id.strip_prefix("cus_").is_some_and(is_word) && id.len() <= 255
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl Stripe {
    /// Its name in the documents.
    pub const NAME: &str = "stripe";

    /// A client over `egress`, which must allow [`StripeConfig::recipient`].
    pub fn new(config: StripeConfig, egress: Egress, clock: Clock) -> Self {
        let line = Line::new(egress, Self::NAME, config.pause);
        Self { config, line, clock }
    }

    /// Shows that a webhook is Stripe's and not old, and reads what it says.
    pub fn verify(&self, signature: &str, body: &[u8]) -> Result<Event, Forged> {
        let seconds = self.clock.now().micros() / 1_000_000;
        hook::verify(&self.config.webhook_secrets, signature, body, (seconds, TOLERANCE))?;
        read_event(body)
    }

    pub(super) async fn correct(
        &self,
        id: &str,
        new: &Correction,
        memory: &mut Memory,
        log: &CallLog,
    ) -> Result<Option<Proof>, RecipientError> {
        let Some(customer) = self.customer(id, log).await? else { return Ok(None) };
        if wire::is_deleted(&customer) {
            return Ok(None);
        }
        let agrees = |c: &Value| {
            wire::text(c, "email") == Some(&new.email) && wire::text(c, "name") == Some(&new.name)
        };
        if !agrees(&customer) {
            let fields = [("email", new.email.as_str()), ("name", new.name.as_str())];
            self.change(&["customers", id], &fields, "correct", memory, log).await?;
        }
        match self.customer(id, log).await? {
            Some(customer) if agrees(&customer) => Ok(Some(Proof::Corrected)),
            _ => Err(RecipientError::Garbled("customer after its correction")),
        }
    }

    /// A customer; `None` if Stripe does not know it.
    async fn customer(&self, id: &str, log: &CallLog) -> Result<Option<Value>, RecipientError> {
        if !is_customer(id) {
            return Err(RecipientError::Refused("not a customer id"));
        }
        let customer = self.get(&["customers", id], &[], "/v1/customers/{id}", log).await?;
        match &customer {
            Some(c) if wire::text(c, "id") != Some(id) => Err(RecipientError::Garbled("customer")),
            _ => Ok(customer),
        }
    }

    /// One thing; `None` for 404.
    async fn get(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        pattern: &'static str,
        log: &CallLog,
    ) -> Result<Option<Value>, RecipientError> {
        let url = self.at(path, query);
        let reply = self.line.look(|| self.keyed(Method::GET, url.clone(), pattern), log).await?;
        match reply.status {
            200 => Ok(Some(read(&reply, "a thing")?)),
            404 => Ok(None),
            _ => Err(refused(&reply)),
        }
    }

    /// A change, under a name that Stripe does not carry out twice. After a failure of Stripe's own the name is spoiled:
    /// it would repeat the failure for a day.
    async fn change(
        &self,
        path: &[&str],
        fields: &[(&str, &str)],
        step: &str,
        memory: &mut Memory,
        log: &CallLog,
    ) -> Result<Value, RecipientError> {
        let call = self.keyed(Method::POST, self.at(path, &[]), "/v1/{change}");
        let key = format!("{}/{step}/{}", memory.task, memory.round);
        let call =
            call.header("idempotency-key", &key).body("application/x-www-form-urlencoded", form(fields));
        self.changed(call, memory, log).await
    }

    async fn delete(&self, path: &[&str], memory: &mut Memory, log: &CallLog) -> Result<(), RecipientError> {
        let call = self.keyed(Method::DELETE, self.at(path, &[]), "/v1/{delete}");
        self.changed(call, memory, log).await.map(|_| ())
    }

    async fn changed(&self, call: Call, memory: &mut Memory, log: &CallLog) -> Result<Value, RecipientError> {
        match self.line.once(call, log).await {
            Ok(reply) if reply.is_success() => read(&reply, "a change"),
            Ok(reply) => {
                memory.round += 1;
                Err(refused(&reply))
            }
            Err(e) => {
                if e == RecipientError::Unavailable {
                    memory.round += 1;
                }
                Err(e)
            }
        }
    }

    fn at(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = join(&self.config.api, &[&["v1"], path].concat());
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    fn keyed(&self, method: Method, url: Url, pattern: &'static str) -> Call {
        let preview = url.path().contains("/privacy/");
        let version = if preview { &self.config.preview } else { &self.config.version };
        self.line
            .call(method, url, pattern)
            .authorization("Bearer", &self.config.key)
            .header("stripe-version", version)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// What a refusal means. Its message may repeat what was sent, so it is not kept.
fn refused(reply: &Reply) -> RecipientError {
    match reply.status {
        403 => RecipientError::Unauthorised,
        404 => RecipientError::Refused("it does not know what was asked for"),
        409 => RecipientError::Unavailable,
        _ => RecipientError::Refused("a step that it does not take"),
    }
}
