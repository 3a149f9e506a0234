use super::{event, parse};
use crate::base::{TenantId, Timestamp, WebhookId};
use crate::store::{Error, Tx};
use crate::webhooks::model::{Event, State, Webhook};
use crate::{change, on};

const INSERT: &str = "INSERT INTO webhook (id, tenant, url, events, label, state, why, secret, made_at, failures) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)";
const GET: &str = "SELECT id, tenant, url, events, label, state, why, made_at, old_until, failing_since, failures \
    FROM webhook WHERE tenant = $1 AND id = $2";
const LIST: &str = "SELECT id, tenant, url, events, label, state, why, made_at, old_until, failing_since, failures \
    FROM webhook WHERE tenant = $1 ORDER BY id";
const CHANGE: &str = "UPDATE webhook SET url = $1, events = $2, label = $3, state = $4, why = $5, failing_since = $6, \
    failures = $7, quiet_until = NULL WHERE tenant = $8 AND id = $9";
const ROTATE: &str =
    "UPDATE webhook SET old_secret = secret, old_until = $1, secret = $2 WHERE tenant = $3 AND id = $4";
const SECRETS: &str = "SELECT secret, old_secret, old_until FROM webhook WHERE tenant = $1 AND id = $2";
const DELETE: &str = "DELETE FROM webhook WHERE tenant = $1 AND id = $2";
const DELETE_LOG: &str = "DELETE FROM webhook_delivery WHERE tenant = $1 AND webhook = $2";
const COUNT_STOPPED: &str = "SELECT COUNT(*) FROM webhook WHERE tenant = $1 AND state = 'stopped'";
const DUE_WEBHOOKS: &str = "SELECT w.id, w.tenant, w.url, w.events, w.label, w.state, w.why, w.made_at, w.old_until, \
    w.failing_since, w.failures FROM webhook w WHERE w.state = 'on' AND (w.quiet_until IS NULL OR w.quiet_until <= $1) \
    AND EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.webhook = w.id AND d.next_at <= $1) ORDER BY w.id LIMIT $2";
const WELL: &str =
    "UPDATE webhook SET failures = 0, failing_since = NULL, quiet_until = NULL WHERE tenant = $1 AND id = $2";
const ILL: &str = "UPDATE webhook SET failures = failures + 1, failing_since = COALESCE(failing_since, $1), \
    quiet_until = $2 WHERE tenant = $3 AND id = $4";
const STOP: &str =
    "UPDATE webhook SET state = 'stopped', why = $1 WHERE tenant = $2 AND id = $3 AND state = 'on'";

fn words(events: &[Event]) -> String {
    events.iter().map(|e| e.as_str()).collect::<Vec<_>>().join(" ")
}

macro_rules! webhook {
    ($row:expr) => {{
        let row = $row;
        macro_rules! get {
            ($column:literal) => {
                sqlx::Row::try_get(&row, $column)?
            };
        }
        let (id, tenant, state): (String, String, String) = (get!("id"), get!("tenant"), get!("state"));
        let (events, why): (String, Option<String>) = (get!("events"), get!("why"));
        let times: (i64, Option<i64>, Option<i64>) =
            (get!("made_at"), get!("old_until"), get!("failing_since"));
        Ok::<Webhook, Error>(Webhook {
            id: parse(&id, "id")?,
            tenant: parse(&tenant, "tenant")?,
            url: get!("url"),
            events: events.split_whitespace().map(event).collect::<Result<_, _>>()?,
            label: get!("label"),
            state: State::of(&state, why.as_deref()).ok_or(Error::inconsistent("webhook", "state"))?,
            made_at: Timestamp::from_micros(times.0),
            old_until: times.1.map(Timestamp::from_micros),
            failing_since: times.2.map(Timestamp::from_micros),
            failures: get!("failures"),
        })
    }};
}

pub(in crate::webhooks) async fn insert(tx: &mut Tx, webhook: &Webhook, secret: &[u8]) -> Result<(), Error> {
    let (state, why) = webhook.state.columns();
    change!(
        tx,
        INSERT,
        webhook.id.to_string(),
        webhook.tenant.as_str(),
        &webhook.url,
        words(&webhook.events),
        &webhook.label,
        state,
        why,
        secret,
        webhook.made_at.micros()
    )?;
    Ok(())
}

pub(in crate::webhooks) async fn get(
    tx: &mut Tx,
    tenant: &TenantId,
    id: WebhookId,
) -> Result<Option<Webhook>, Error> {
    on!(tx, |c| sqlx::query(GET)
        .bind(tenant.as_str())
        .bind(id.to_string())
        .fetch_optional(c)
        .await?
        .map(|r| webhook!(r))
        .transpose())
}

pub(in crate::webhooks) async fn list(tx: &mut Tx, tenant: &TenantId) -> Result<Vec<Webhook>, Error> {
    on!(tx, |c| sqlx::query(LIST)
        .bind(tenant.as_str())
        .fetch_all(c)
        .await?
        .into_iter()
        .map(|r| webhook!(r))
        .collect())
}

pub(in crate::webhooks) async fn change(tx: &mut Tx, webhook: &Webhook) -> Result<(), Error> {
    let (state, why) = webhook.state.columns();
    change!(
        tx,
        CHANGE,
        &webhook.url,
        words(&webhook.events),
        &webhook.label,
        state,
        why,
        webhook.failing_since.map(Timestamp::micros),
        webhook.failures,
        webhook.tenant.as_str(),
        webhook.id.to_string()
    )?;
    Ok(())
}

pub(in crate::webhooks) async fn rotate(
    tx: &mut Tx,
    (tenant, id): (&TenantId, WebhookId),
    secret: &[u8],
    until: Timestamp,
) -> Result<bool, Error> {
    Ok(change!(tx, ROTATE, until.micros(), secret, tenant.as_str(), id.to_string())? == 1)
}

/// The sealed secret, and the one before it with the end of its time.
pub(in crate::webhooks) type Sealed = (Vec<u8>, Option<Vec<u8>>, Option<i64>);

pub(in crate::webhooks) async fn secrets(
    tx: &mut Tx,
    tenant: &TenantId,
    id: WebhookId,
) -> Result<Option<Sealed>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(SECRETS)
        .bind(tenant.as_str())
        .bind(id.to_string())
        .fetch_optional(c)
        .await)?)
}

/// Removes a webhook and its log.
pub(in crate::webhooks) async fn delete(
    tx: &mut Tx,
    tenant: &TenantId,
    id: WebhookId,
) -> Result<bool, Error> {
    let mut n = 0;
    for statement in [DELETE_LOG, DELETE] {
        n = change!(tx, statement, tenant.as_str(), id.to_string())?;
    }
    Ok(n == 1)
}

pub(in crate::webhooks) async fn count_stopped(tx: &mut Tx, tenant: &TenantId) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(COUNT_STOPPED).bind(tenant.as_str()).fetch_one(c).await)?;
    Ok(n)
}

/// Webhooks for which something is due and which are not left alone at the moment.
pub(in crate::webhooks) async fn due_webhooks(
    tx: &mut Tx,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Webhook>, Error> {
    on!(tx, |c| sqlx::query(DUE_WEBHOOKS)
        .bind(now.micros())
        .bind(most)
        .fetch_all(c)
        .await?
        .into_iter()
        .map(|r| webhook!(r))
        .collect())
}

pub(in crate::webhooks) async fn well(tx: &mut Tx, webhook: &Webhook) -> Result<(), Error> {
    change!(tx, WELL, webhook.tenant.as_str(), webhook.id.to_string())?;
    Ok(())
}

pub(in crate::webhooks) async fn ill(
    tx: &mut Tx,
    webhook: &Webhook,
    (now, quiet_until): (Timestamp, Timestamp),
) -> Result<(), Error> {
    change!(tx, ILL, now.micros(), quiet_until.micros(), webhook.tenant.as_str(), webhook.id.to_string())?;
    Ok(())
}

pub(in crate::webhooks) async fn stop(tx: &mut Tx, webhook: &Webhook, why: &str) -> Result<bool, Error> {
    Ok(change!(tx, STOP, why, webhook.tenant.as_str(), webhook.id.to_string())? == 1)
}
