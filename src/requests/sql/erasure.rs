use crate::base::{RequestId, TenantId, Timestamp};
use crate::on;
use crate::requests::erase::{Erasure, ErasureState, StaysByLaw};
use crate::store::{Error, Tx};
use crate::vault::Owner;

const INSERT: &str = "INSERT INTO erasure (id, tenant, subject, request, actor, state, manifest, images, records, started_at, \
    tries, next_at) VALUES ($1, $2, $3, $4, $5, $6, '', 0, 0, $7, 0, $7)";
const UPDATE: &str = "UPDATE erasure SET subject = $1, state = $2, manifest = $3, images = $4, records = $5, key = $6, \
    destroyed_at = $7, verified_at = $8, findings = $9, receipt = $10, tries = $11, next_at = $12, \
    holder = $13, kept = $14, kept_until = $15, kept_what = $16, kept_law = $17, \
    open_copies = $18 WHERE tenant = $19 AND id = $20 AND state = $21";
const OF_SUBJECT: &str = "SELECT id, tenant, subject, request, actor, state, manifest, images, records, key, started_at, \
    destroyed_at, verified_at, findings, receipt, tries, next_at, holder, kept, kept_until, kept_what, \
    kept_law, open_copies FROM erasure WHERE tenant = $1 AND subject = $2";
const GET: &str = "SELECT id, tenant, subject, request, actor, state, manifest, images, records, key, started_at, \
    destroyed_at, verified_at, findings, receipt, tries, next_at, holder, kept, kept_until, kept_what, \
    kept_law, open_copies FROM erasure WHERE tenant = $1 AND id = $2";
const OF_REQUEST: &str = "SELECT id, tenant, subject, request, actor, state, manifest, images, records, key, started_at, \
    destroyed_at, verified_at, findings, receipt, tries, next_at, holder, kept, kept_until, kept_what, \
    kept_law, open_copies FROM erasure WHERE tenant = $1 AND request = $2";
const DUE: &str = "SELECT id, tenant, subject, request, actor, state, manifest, images, records, key, started_at, \
    destroyed_at, verified_at, findings, receipt, tries, next_at, holder, kept, kept_until, kept_what, \
    kept_law, open_copies FROM erasure WHERE next_at <= $1 ORDER BY next_at LIMIT 100";
const LIST: &str = "SELECT id, tenant, subject, request, actor, state, manifest, images, records, key, started_at, \
    destroyed_at, verified_at, findings, receipt, tries, next_at, holder, kept, kept_until, kept_what, \
    kept_law, open_copies FROM erasure WHERE tenant = $1 ORDER BY id DESC LIMIT $2";

const BLANK: &str = "UPDATE erasure SET subject = NULL, state = 'closed', manifest = '', next_at = NULL, tries = 0, \
    destroyed_at = COALESCE(destroyed_at, $3), verified_at = COALESCE(verified_at, $3) WHERE tenant = $1 AND subject = $2";
const HOLDS: &str = "DELETE FROM hold WHERE tenant = $1 AND subject = $2";

macro_rules! erasure {
    ($row:expr) => {{
        let row = $row;
        macro_rules! get {
            ($column:literal, $type:ty) => {
                sqlx::Row::try_get::<$type, _>(&row, $column)?
            };
        }
        Ok::<Erasure, Error>(Erasure {
            id: get!("id", String),
            tenant: get!("tenant", String).parse().map_err(|_| bad("tenant"))?,
            subject: parse(get!("subject", Option<String>), "subject")?,
            request: parse(get!("request", Option<String>), "request")?,
            actor: get!("actor", String).parse().map_err(|_| bad("actor"))?,
            state: ErasureState::parse(&get!("state", String)).ok_or(bad("state"))?,
            manifest: get!("manifest", String).split_whitespace().map(ToOwned::to_owned).collect(),
            images: get!("images", i64),
            records: get!("records", i64),
            key: get!("key", Option<String>),
            started_at: Timestamp::from_micros(get!("started_at", i64)),
            destroyed_at: get!("destroyed_at", Option<i64>).map(Timestamp::from_micros),
            verified_at: get!("verified_at", Option<i64>).map(Timestamp::from_micros),
            findings: get!("findings", Option<String>),
            receipt: parse(get!("receipt", Option<String>), "receipt")?,
            tries: get!("tries", i64),
            next_at: get!("next_at", Option<i64>).map(Timestamp::from_micros),
            holder: parse(get!("holder", Option<String>), "holder")?,
            stays: stays(
                get!("kept", i64),
                get!("kept_until", Option<i64>),
                get!("kept_what", Option<String>),
                get!("kept_law", Option<String>),
            ),
            open_copies: get!("open_copies", i64),
        })
    }};
}

/// Ends an erasure that a backup brought back half-done, and the holds over somebody who is no more.
pub(in crate::requests) async fn blank(tx: &mut Tx, owner: &Owner, now: Timestamp) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(BLANK)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(now.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    on!(tx, |c| sqlx::query(HOLDS)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

fn stays(records: i64, until: Option<i64>, what: Option<String>, law: Option<String>) -> Option<StaysByLaw> {
    let until = Timestamp::from_micros(until?);
    Some(StaysByLaw { records, what: what?, law: law?, until })
}

fn bad(column: &'static str) -> Error {
    Error::inconsistent("erasure", column)
}

fn parse<T: std::str::FromStr>(text: Option<String>, column: &'static str) -> Result<Option<T>, Error> {
    text.map(|t| t.parse().map_err(|_| bad(column))).transpose()
}

pub(in crate::requests) async fn insert(tx: &mut Tx, e: &Erasure) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(&e.id)
        .bind(e.tenant.as_str())
        .bind(e.subject.map(|s| s.to_string()))
        .bind(e.request.map(|r| r.to_string()))
        .bind(e.actor.as_str())
        .bind(e.state.as_str())
        .bind(e.started_at.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// Writes an erasure that stood at `from`. `false` when another process has taken it further.
pub(in crate::requests) async fn update(tx: &mut Tx, from: ErasureState, e: &Erasure) -> Result<bool, Error> {
    let n = on!(tx, |c| sqlx::query(UPDATE)
        .bind(e.subject.map(|s| s.to_string()))
        .bind(e.state.as_str())
        .bind(e.manifest.join("\n"))
        .bind(e.images)
        .bind(e.records)
        .bind(&e.key)
        .bind(e.destroyed_at.map(Timestamp::micros))
        .bind(e.verified_at.map(Timestamp::micros))
        .bind(&e.findings)
        .bind(e.receipt.map(|r| r.to_string()))
        .bind(e.tries)
        .bind(e.next_at.map(Timestamp::micros))
        .bind(e.holder.map(|h| h.to_string()))
        .bind(e.stays.as_ref().map_or(0, |s| s.records))
        .bind(e.stays.as_ref().map(|s| s.until.micros()))
        .bind(e.stays.as_ref().map(|s| s.what.as_str()))
        .bind(e.stays.as_ref().map(|s| s.law.as_str()))
        .bind(e.open_copies)
        .bind(e.tenant.as_str())
        .bind(&e.id)
        .bind(from.as_str())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// Runs a statement with these values bound and gives the erasures it finds.
macro_rules! erasures {
    ($tx:expr, $statement:expr $(, $bind:expr)*) => {{
        let found: Result<Vec<Erasure>, Error> = on!($tx, |c| sqlx::query($statement)
            $(.bind($bind))*
            .fetch_all(c)
            .await?
            .into_iter()
            .map(|row| erasure!(row))
            .collect());
        found
    }};
}

/// The erasure of a person that is not closed yet.
pub(in crate::requests) async fn of(tx: &mut Tx, owner: &Owner) -> Result<Option<Erasure>, Error> {
    Ok(erasures!(tx, OF_SUBJECT, owner.tenant.as_str(), owner.subject.to_string())?.pop())
}

pub(in crate::requests) async fn of_request(
    tx: &mut Tx,
    tenant: &TenantId,
    request: RequestId,
) -> Result<Option<Erasure>, Error> {
    Ok(erasures!(tx, OF_REQUEST, tenant.as_str(), request.to_string())?.pop())
}

pub(in crate::requests) async fn get(
    tx: &mut Tx,
    tenant: &TenantId,
    id: &str,
) -> Result<Option<Erasure>, Error> {
    Ok(erasures!(tx, GET, tenant.as_str(), id)?.pop())
}

pub(in crate::requests) async fn due(tx: &mut Tx, now: Timestamp) -> Result<Vec<Erasure>, Error> {
    erasures!(tx, DUE, now.micros())
}

pub(in crate::requests) async fn list(
    tx: &mut Tx,
    tenant: &TenantId,
    most: i64,
) -> Result<Vec<Erasure>, Error> {
    erasures!(tx, LIST, tenant.as_str(), most)
}
