//! From the database to an app's server: what is due is sent, signed, and what became of it written down.

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};

use super::model::{self, Message, Webhook};
use super::sign::{self, Signing};
use super::sql;
use super::sql::delivery::{Due, Tried};
use super::{Error, KEY, RECIPIENT, Webhooks, Why, message_place};
use crate::crypto;
use crate::egress::{Call, CallLog, Method, Url};
use crate::store::aside::{Unread, set_aside};

/// Webhooks looked after at once.
const AT_ONCE: usize = 16;
/// Webhooks of one round.
const AT_MOST: i64 = 1_000;
/// Messages sent to one of them before the others have their turn.
const IN_A_ROW: i64 = 20;
/// How long a receiver may take to answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// One that takes this long waits for the others before it has its next.
const SLOW: TimeDelta = TimeDelta::seconds(2);
/// How long a delivery is another's while it is tried.
const HOLD: TimeDelta = TimeDelta::minutes(1);
/// A webhook to which nothing got through for as long is stopped with the next message that is given up.
const LONG: TimeDelta = TimeDelta::days(3);
/// How long the log is kept.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How long a message is kept that says, sealed, who was erased, if it cannot be delivered.
const KEPT_SEALED: TimeDelta = TimeDelta::days(7);

/// How a try ended.
struct Outcome {
    tried: Tried,
    /// Why it came to nothing: a fixed word.
    failure: Option<&'static str>,
    /// How long the receiver asks us to wait.
    asked: Option<TimeDelta>,
}

impl Webhooks {
    /// Sends what is due, until nothing is. Gives how many messages were delivered. A receiver that fails or dawdles costs
    /// the others at most the time of one call.
    pub async fn deliver(&self, stop: &(dyn Fn() -> bool + Sync)) -> Result<u64, Error> {
        let mut delivered = 0;
        while !stop() {
            let due = {
                let mut tx = self.db.read().await?;
                sql::webhook::due_webhooks(&mut tx, self.clock.now(), AT_MOST).await?
            };
            if due.is_empty() {
                break;
            }
            let each: Vec<BoxFuture<'_, _>> =
                due.iter().map(|webhook| self.look_after(webhook, stop).boxed()).collect();
            let went: Vec<u64> = stream::iter(each).buffer_unordered(AT_ONCE).try_collect().await?;
            delivered += went.iter().sum::<u64>();
        }
        Ok(delivered)
    }

    /// Removes what the log has kept for long enough. Gives how many messages went.
    pub async fn expire(&self) -> Result<u64, Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let n = sql::delivery::expire(&mut tx, now, (now.plus(-KEPT), now.plus(-KEPT_SEALED))).await?;
        tx.commit().await?;
        Ok(n)
    }

    /// One that is damaged must not keep the others: it is left alone for a while, loudly.
    async fn look_after(&self, webhook: &Webhook, stop: &(dyn Fn() -> bool + Sync)) -> Result<u64, Error> {
        match self.deliver_to(webhook, stop).await {
            Err(e @ (Error::Sealed | Error::BadValue(_))) => {
                tracing::error!(webhook = %webhook.id, error = %e, "a webhook cannot be told of anything");
                let now = self.clock.now();
                let mut tx = self.db.begin().await?;
                let quiet = now.plus(model::quiet(i64::MAX));
                sql::webhook::ill(&mut tx, webhook, (now, quiet)).await?;
                tx.commit().await?;
                let why = "a webhook cannot be read: its app is told of nothing";
                let id = webhook.id.to_string();
                let row = Unread { tenant: &webhook.tenant, table: "webhook", id: &id, why };
                set_aside(&self.db, &self.clock, &self.entropy, row).await?;
                Ok(0)
            }
            // Removed at this moment.
            Err(Error::NotFound) => Ok(0),
            other => other,
        }
    }

    /// In the order in which things happened, and no further than the first that does not get through.
    async fn deliver_to(&self, webhook: &Webhook, stop: &(dyn Fn() -> bool + Sync)) -> Result<u64, Error> {
        let live = self.live(webhook).await?;
        let all = {
            let mut tx = self.db.read().await?;
            sql::delivery::due(&mut tx, webhook, self.clock.now(), IN_A_ROW).await?
        };
        let mut delivered = 0;
        for due in all {
            if stop() {
                break;
            }
            if !self.take(&due).await? {
                continue;
            }
            let message = match self.opened(&due).await {
                Ok(message) => message,
                Err(Error::Sealed) => {
                    self.unreadable(&due).await?;
                    continue;
                }
                Err(e) => return Err(e),
            };
            let outcome = self.send(webhook, &message, &live).await?;
            self.note(webhook, &due, &outcome).await?;
            if outcome.failure.is_some() {
                break;
            }
            delivered += 1;
            if outcome.tried.millis > SLOW.num_milliseconds() {
                break;
            }
        }
        Ok(delivered)
    }

    async fn take(&self, due: &Due) -> Result<bool, Error> {
        let mut tx = self.db.begin().await?;
        let ours = sql::delivery::claim(&mut tx, due, self.clock.now().plus(HOLD)).await?;
        tx.commit().await?;
        Ok(ours)
    }

    /// The message with whom it is about, where that is sealed.
    async fn opened(&self, due: &Due) -> Result<Message, Error> {
        let Some(sealed) = &due.sealed else { return Ok(due.message.clone()) };
        let key = self.keys.system(KEY).await?;
        let place = message_place(&due.message.tenant, due.message.id);
        let plain = crypto::open(&key, &place, sealed).map_err(|_| Error::Sealed)?;
        let subject = std::str::from_utf8(&plain).ok().and_then(|text| text.parse().ok());
        Ok(Message { subject: Some(subject.ok_or(Error::Sealed)?), ..due.message.clone() })
    }

    /// Gives a message up of which nobody can read whom it is about: those behind it would wait for it for days.
    async fn unreadable(&self, due: &Due) -> Result<(), Error> {
        let tried = Tried { at: self.clock.now(), status: None, millis: 0 };
        let mut tx = self.db.begin().await?;
        sql::delivery::missed(&mut tx, due, &tried, ("unreadable", None)).await?;
        tx.commit().await?;
        let why = "a message cannot be read: an app is not told who was erased";
        let id = due.message.id.to_string();
        let row = Unread { tenant: &due.message.tenant, table: "webhook_message", id: &id, why };
        Ok(set_aside(&self.db, &self.clock, &self.entropy, row).await?)
    }

    async fn send(&self, webhook: &Webhook, message: &Message, live: &[Signing]) -> Result<Outcome, Error> {
        let (body, at) = (message.body(), self.clock.now());
        let seconds = sign::seconds(at);
        let url = Url::parse(&webhook.url).map_err(|_| Error::BadValue("url"))?;
        let call = Call::new(RECIPIENT, Method::POST, url, "/webhook")
            .header("webhook-id", &message.id.to_string())
            .header("webhook-timestamp", &seconds.to_string())
            .header("webhook-signature", &sign::signature(live, message.id, seconds, &body))
            .body("application/json", body)
            .within(PATIENCE)
            // The answer's head says all that counts; its body is not read.
            .at_most(u64::MAX);
        let answer = self.egress.open(call, &CallLog::new()).await;
        let now = self.clock.now();
        let tried = |status| Tried { at, status, millis: now.since(at).num_milliseconds() };
        Ok(match answer {
            Ok(answer) => {
                let status = answer.status();
                let header = answer.headers().get("retry-after").and_then(|v| v.to_str().ok());
                let asks = matches!(status, 429 | 503);
                let asked = header.filter(|_| asks).and_then(|text| model::retry_after(text, now));
                Outcome { tried: tried(Some(status.into())), failure: refusal(status), asked }
            }
            Err(e) => Outcome { tried: tried(None), failure: Some(e.word()), asked: None },
        })
    }

    /// Writes down how a try went, and stops a webhook that wants no more or lets nothing through.
    async fn note(&self, webhook: &Webhook, due: &Due, outcome: &Outcome) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let Some(failure) = outcome.failure else {
            sql::delivery::delivered(&mut tx, due, &outcome.tried).await?;
            sql::webhook::well(&mut tx, webhook).await?;
            if due.sealed.is_some() {
                sql::delivery::blank(&mut tx, &webhook.tenant, due.message.id).await?;
            }
            return Ok(tx.commit().await?);
        };
        let next = model::pause(due.tries + 1, outcome.asked, &self.entropy).map(|pause| now.plus(pause));
        sql::delivery::missed(&mut tx, due, &outcome.tried, (failure, next)).await?;
        let quiet = model::quiet(webhook.failures + 1).max(outcome.asked.unwrap_or_default());
        sql::webhook::ill(&mut tx, webhook, (now, now.plus(quiet.min(TimeDelta::hours(24))))).await?;
        let long = webhook.failing_since.is_some_and(|since| now.since(since) >= LONG);
        let why = match (outcome.tried.status, next) {
            (Some(410), _) => Some(Why::Gone),
            (_, None) if long => Some(Why::Failing),
            _ => None,
        };
        if let Some(why) = why {
            self.stop(&mut tx, webhook, why).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// What is wrong with an answer of this status, if anything: no redirect is followed.
fn refusal(status: u16) -> Option<&'static str> {
    match status {
        200..300 => None,
        300..400 => Some("redirect"),
        410 => Some("gone"),
        429 => Some("too-many"),
        _ => Some("refused"),
    }
}
