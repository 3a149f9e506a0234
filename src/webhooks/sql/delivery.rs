use super::{event, parse};
use crate::base::{DeliveryId, MessageId, TenantId, Timestamp, WebhookId};
use crate::store::{Error, Tx};
use crate::vault::Owner;
use crate::webhooks::model::{Delivery, DeliveryState, Message, Webhook};
use crate::{change, on};

const DROP_OLD: &str =
    "UPDATE webhook SET old_secret = NULL, old_until = NULL WHERE old_until IS NOT NULL AND old_until <= $1";
const INSERT_MESSAGE: &str = "INSERT INTO webhook_message (id, tenant, kind, subject, about, sealed, at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const INSERT_DELIVERY: &str = "INSERT INTO webhook_delivery (id, tenant, webhook, message, state, tries, made_at, next_at) \
    VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $5)";
const LOG: &str = "SELECT d.id, d.message, m.kind, m.at, d.state, d.tries, d.next_at, d.tried_at, d.status, d.failure, \
    d.millis FROM webhook_delivery d JOIN webhook_message m ON m.id = d.message \
    WHERE d.tenant = $1 AND d.webhook = $2 AND (CAST($3 AS TEXT) IS NULL OR d.id < $3) ORDER BY d.id DESC LIMIT $4";
const ONE: &str = "SELECT d.id, d.message, m.kind, m.at, d.state, d.tries, d.next_at, d.tried_at, d.status, d.failure, \
    d.millis FROM webhook_delivery d JOIN webhook_message m ON m.id = d.message WHERE d.tenant = $1 AND d.id = $2";
const AGAIN: &str = "UPDATE webhook_delivery SET state = 'waiting', tries = 0, next_at = $1 WHERE tenant = $2 AND id = $3 \
    AND NOT EXISTS (SELECT 1 FROM webhook_message m WHERE m.id = webhook_delivery.message AND m.kind = 'account.erased' \
    AND m.sealed IS NULL)";
const HASTEN: &str = "UPDATE webhook SET quiet_until = NULL WHERE id = (SELECT d.webhook FROM webhook_delivery d \
    WHERE d.tenant = $1 AND d.id = $2)";

const DUE: &str = "SELECT d.id, d.tries, d.next_at, m.id AS message, m.tenant, m.kind, m.subject, m.about, m.sealed, m.at \
    FROM webhook_delivery d JOIN webhook_message m ON m.id = d.message \
    WHERE d.tenant = $1 AND d.webhook = $2 AND d.next_at <= $3 ORDER BY d.next_at, d.id LIMIT $4";
const CLAIM: &str = "UPDATE webhook_delivery SET next_at = $1 WHERE tenant = $2 AND id = $3 AND next_at = $4 AND state = 'waiting'";
const DELIVERED: &str = "UPDATE webhook_delivery SET state = 'delivered', tries = $1, next_at = NULL, tried_at = $2, \
    status = $3, failure = NULL, millis = $4 WHERE tenant = $5 AND id = $6";
const MISSED: &str = "UPDATE webhook_delivery SET state = $1, tries = $2, next_at = $3, tried_at = $4, status = $5, \
    failure = $6, millis = $7 WHERE tenant = $8 AND id = $9";
const BLANK: &str = "UPDATE webhook_message SET sealed = NULL WHERE tenant = $1 AND id = $2 AND NOT EXISTS \
    (SELECT 1 FROM webhook_delivery d WHERE d.message = $2 AND d.state <> 'delivered')";

const FORGET_DELIVERIES: &str = "DELETE FROM webhook_delivery WHERE tenant = $1 AND message IN \
    (SELECT m.id FROM webhook_message m WHERE m.tenant = $1 AND m.subject = $2)";
const FORGET_MESSAGES: &str = "DELETE FROM webhook_message WHERE tenant = $1 AND subject = $2";
const EXPIRE_DELIVERIES: &str = "DELETE FROM webhook_delivery WHERE message IN \
    (SELECT m.id FROM webhook_message m WHERE m.at < $1 OR (m.sealed IS NOT NULL AND m.at < $2))";
const EXPIRE_MESSAGES: &str = "DELETE FROM webhook_message WHERE at < $1 OR (sealed IS NOT NULL AND at < $2) \
    OR NOT EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.message = webhook_message.id)";

macro_rules! delivery {
    ($row:expr) => {{
        let row = $row;
        macro_rules! get {
            ($column:literal) => {
                sqlx::Row::try_get(&row, $column)?
            };
        }
        let (id, message): (String, String) = (get!("id"), get!("message"));
        let (kind, state): (String, String) = (get!("kind"), get!("state"));
        let times: (i64, Option<i64>, Option<i64>) = (get!("at"), get!("next_at"), get!("tried_at"));
        Ok::<Delivery, Error>(Delivery {
            id: parse(&id, "delivery")?,
            message: parse(&message, "message")?,
            event: event(&kind)?,
            at: Timestamp::from_micros(times.0),
            state: DeliveryState::ALL
                .into_iter()
                .find(|s| s.as_str() == state)
                .ok_or(Error::inconsistent("webhook_delivery", "state"))?,
            tries: get!("tries"),
            next_at: times.1.map(Timestamp::from_micros),
            tried_at: times.2.map(Timestamp::from_micros),
            status: get!("status"),
            failure: get!("failure"),
            millis: get!("millis"),
        })
    }};
}

pub(in crate::webhooks) async fn insert_message(
    tx: &mut Tx,
    message: &Message,
    sealed: Option<&[u8]>,
) -> Result<(), Error> {
    change!(
        tx,
        INSERT_MESSAGE,
        message.id.to_string(),
        message.tenant.as_str(),
        message.event.as_str(),
        message.subject.filter(|_| sealed.is_none()).map(|s| s.to_string()),
        &message.about,
        sealed,
        message.at.micros()
    )?;
    Ok(())
}

pub(in crate::webhooks) async fn insert_delivery(
    tx: &mut Tx,
    id: DeliveryId,
    webhook: WebhookId,
    message: &Message,
) -> Result<(), Error> {
    change!(
        tx,
        INSERT_DELIVERY,
        id.to_string(),
        message.tenant.as_str(),
        webhook.to_string(),
        message.id.to_string(),
        message.at.micros()
    )?;
    Ok(())
}

pub(in crate::webhooks) async fn log(
    tx: &mut Tx,
    (tenant, webhook): (&TenantId, WebhookId),
    before: Option<&str>,
    most: i64,
) -> Result<Vec<Delivery>, Error> {
    on!(tx, |c| sqlx::query(LOG)
        .bind(tenant.as_str())
        .bind(webhook.to_string())
        .bind(before)
        .bind(most)
        .fetch_all(c)
        .await?
        .into_iter()
        .map(|r| delivery!(r))
        .collect())
}

pub(in crate::webhooks) async fn one(
    tx: &mut Tx,
    tenant: &TenantId,
    id: DeliveryId,
) -> Result<Option<Delivery>, Error> {
    on!(tx, |c| sqlx::query(ONE)
        .bind(tenant.as_str())
        .bind(id.to_string())
        .fetch_optional(c)
        .await?
        .map(|r| delivery!(r))
        .transpose())
}

/// Lets a delivery begin anew, now. `false` when what it told of is blanked.
pub(in crate::webhooks) async fn again(
    tx: &mut Tx,
    tenant: &TenantId,
    id: DeliveryId,
    now: Timestamp,
) -> Result<bool, Error> {
    let n = change!(tx, AGAIN, now.micros(), tenant.as_str(), id.to_string())?;
    change!(tx, HASTEN, tenant.as_str(), id.to_string())?;
    Ok(n == 1)
}

/// A delivery that is due.
#[derive(Debug)]
pub(in crate::webhooks) struct Due {
    pub(in crate::webhooks) id: DeliveryId,
    pub(in crate::webhooks) tries: i64,
    pub(in crate::webhooks) next_at: i64,
    pub(in crate::webhooks) message: Message,
    pub(in crate::webhooks) sealed: Option<Vec<u8>>,
}

macro_rules! due {
    ($row:expr) => {{
        let row = $row;
        macro_rules! get {
            ($column:literal) => {
                sqlx::Row::try_get(&row, $column)?
            };
        }
        let (id, message): (String, String) = (get!("id"), get!("message"));
        let (tenant, kind): (String, String) = (get!("tenant"), get!("kind"));
        let (subject, at): (Option<String>, i64) = (get!("subject"), get!("at"));
        Ok::<Due, Error>(Due {
            id: parse(&id, "delivery")?,
            tries: get!("tries"),
            next_at: get!("next_at"),
            message: Message {
                id: parse(&message, "message")?,
                tenant: parse(&tenant, "tenant")?,
                event: event(&kind)?,
                subject: subject.map(|s| parse(&s, "subject")).transpose()?,
                about: get!("about"),
                at: Timestamp::from_micros(at),
            },
            sealed: get!("sealed"),
        })
    }};
}

pub(in crate::webhooks) async fn due(
    tx: &mut Tx,
    webhook: &Webhook,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Due>, Error> {
    on!(tx, |c| sqlx::query(DUE)
        .bind(webhook.tenant.as_str())
        .bind(webhook.id.to_string())
        .bind(now.micros())
        .bind(most)
        .fetch_all(c)
        .await?
        .into_iter()
        .map(|r| due!(r))
        .collect())
}

/// Takes a delivery until `until`; another that read it at the same moment does not get it.
pub(in crate::webhooks) async fn claim(tx: &mut Tx, due: &Due, until: Timestamp) -> Result<bool, Error> {
    Ok(change!(tx, CLAIM, until.micros(), due.message.tenant.as_str(), due.id.to_string(), due.next_at)? == 1)
}

/// How a try went.
#[derive(Debug)]
pub(in crate::webhooks) struct Tried {
    pub(in crate::webhooks) at: Timestamp,
    pub(in crate::webhooks) status: Option<i64>,
    pub(in crate::webhooks) millis: i64,
}

pub(in crate::webhooks) async fn delivered(tx: &mut Tx, due: &Due, tried: &Tried) -> Result<(), Error> {
    change!(
        tx,
        DELIVERED,
        due.tries + 1,
        tried.at.micros(),
        tried.status,
        tried.millis,
        due.message.tenant.as_str(),
        due.id.to_string()
    )?;
    Ok(())
}

/// A try that came to nothing; the last one, if there is no next.
pub(in crate::webhooks) async fn missed(
    tx: &mut Tx,
    due: &Due,
    tried: &Tried,
    (failure, next_at): (&str, Option<Timestamp>),
) -> Result<(), Error> {
    let state = if next_at.is_some() { DeliveryState::Waiting } else { DeliveryState::Failed };
    change!(
        tx,
        MISSED,
        state.as_str(),
        due.tries + 1,
        next_at.map(Timestamp::micros),
        tried.at.micros(),
        tried.status,
        failure,
        tried.millis,
        due.message.tenant.as_str(),
        due.id.to_string()
    )?;
    Ok(())
}

/// Blanks what is sealed in a message once it was delivered everywhere.
pub(in crate::webhooks) async fn blank(
    tx: &mut Tx,
    tenant: &TenantId,
    message: MessageId,
) -> Result<(), Error> {
    change!(tx, BLANK, tenant.as_str(), message.to_string())?;
    Ok(())
}

/// Removes what tells of a person, delivered or not.
pub(in crate::webhooks) async fn forget(tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
    for statement in [FORGET_DELIVERIES, FORGET_MESSAGES] {
        change!(tx, statement, owner.tenant.as_str(), owner.subject.to_string())?;
    }
    Ok(())
}

/// Removes secrets whose time is over, messages older than `before`, those with something sealed older than `sealed`, and
/// those that nobody is told of any more. Gives how many messages went.
pub(in crate::webhooks) async fn expire(
    tx: &mut Tx,
    now: Timestamp,
    (before, sealed): (Timestamp, Timestamp),
) -> Result<u64, Error> {
    change!(tx, DROP_OLD, now.micros())?;
    let mut n = 0;
    for statement in [EXPIRE_DELIVERIES, EXPIRE_MESSAGES] {
        n = change!(tx, statement, before.micros(), sealed.micros())?;
    }
    Ok(n)
}
