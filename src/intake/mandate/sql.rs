use super::decide::rights_text;
use super::model::{MandateState, Row};
use crate::base::{MandateId, RecordId, RequestId, TenantId, Timestamp};
use crate::store::{Error, Tx};
use crate::vault::Owner;
use crate::{change, on};

const GET: &str = "SELECT * FROM mandate WHERE tenant = $1 AND id = $2";
const BY_TOKEN: &str =
    "SELECT * FROM mandate WHERE tenant = $1 AND token_hash = $2 AND state = 'asked' AND answer_until > $3";
const OF_PERSON: &str = "SELECT * FROM mandate WHERE tenant = $1 AND subject = $2 AND state IN ('confirmed', 'ended') \
    ORDER BY id DESC LIMIT 100";
/// Those that hold first: `confirmed` stands before `ended`.
const OF_TENANT: &str = "SELECT * FROM mandate WHERE tenant = $1 AND subject IS NOT NULL AND state IN ('confirmed', 'ended') \
    ORDER BY state, id DESC LIMIT $2";
const UNPOSTED: &str = "SELECT * FROM mandate WHERE tenant = $1 AND state = 'asked' AND posted_at IS NULL \
    AND subject IS NOT NULL AND answer_until > $2 AND id > $3 ORDER BY id LIMIT 100";
const OVER: &str =
    "SELECT * FROM mandate WHERE state = 'confirmed' AND until_at <= $1 ORDER BY until_at LIMIT 200";
const OF_ADDRESS: &str =
    "SELECT COUNT(*) FROM mandate WHERE tenant = $1 AND address_index = $2 AND asked_at > $3";
const INSERT: &str = "INSERT INTO mandate (id, tenant, subject, key_id, address_index, state, rights, tells, sealed, requests, \
    asked_at, answer_until, until_at) VALUES ($1, $2, $3, $4, $5, 'asked', $6, $7, $8, '', $9, $10, $11)";
const STEP: &str = "UPDATE mandate SET state = $1, sealed = CASE WHEN $1 = 'declined' THEN NULL ELSE sealed END \
    WHERE tenant = $2 AND id = $3 AND state = $4";
const BEGIN: &str = "UPDATE mandate SET state = 'deciding', stepped_at = $1, filing = COALESCE(filing, $2) \
    WHERE tenant = $3 AND id = $4 AND state = 'asked' RETURNING filing";
/// With a day more for the person, since it was no fault of theirs.
const TAKE_UP: &str = "UPDATE mandate SET state = 'asked', answer_until = CASE WHEN answer_until < $1 THEN $1 \
    ELSE answer_until END WHERE tenant = $2 AND state = 'deciding' AND COALESCE(stepped_at, 0) <= $3";
const GIVEN: &str = "UPDATE mandate SET state = 'confirmed', sealed = NULL, token_hash = NULL, record = $1, tells = $2, \
    requests = $3 WHERE tenant = $4 AND id = $5 AND state = 'deciding'";
const ADD_REQUEST: &str = "UPDATE mandate SET requests = requests || ' ' || $1 WHERE tenant = $2 AND id = $3 AND requests NOT LIKE $4";
const END: &str =
    "UPDATE mandate SET state = 'ended', ended_at = $1 WHERE tenant = $2 AND id = $3 AND state = 'confirmed'";
const POSTING: &str = "UPDATE mandate SET posted_at = $1, token_hash = $2 WHERE tenant = $3 AND id = $4 \
    AND posted_at IS NULL AND state = 'asked'";
const NOT_POSTED: &str =
    "UPDATE mandate SET posted_at = NULL WHERE tenant = $1 AND id = $2 AND state = 'asked'";
const FORGET_UNANSWERED: &str = "UPDATE mandate SET sealed = NULL, token_hash = NULL WHERE answer_until <= $1 \
    AND sealed IS NOT NULL AND state = 'asked'";
const FORGET_ROWS: &str = "DELETE FROM mandate WHERE (state IN ('asked', 'declined') AND answer_until <= $1) \
    OR (state = 'ended' AND ended_at <= $1)";

/// How long the row of a mandate stays that was not given, or ended.
const REMEMBERED: chrono::TimeDelta = chrono::TimeDelta::days(30);

fn bad(column: &'static str) -> Error {
    Error::inconsistent("mandate", column)
}

fn parse<T: std::str::FromStr>(text: &str, column: &'static str) -> Result<T, Error> {
    text.parse().map_err(|_| bad(column))
}

fn list<T: std::str::FromStr>(text: &str, column: &'static str) -> Result<Vec<T>, Error> {
    text.split_whitespace().map(|word| parse(word, column)).collect()
}

macro_rules! row {
    ($row:expr) => {{
        let row = $row;
        macro_rules! get {
            ($column:literal, $type:ty) => {
                sqlx::Row::try_get::<$type, _>(&row, $column)?
            };
        }
        let subject = get!("subject", Option<String>);
        let record = get!("record", Option<String>);
        let found = Row {
            id: parse(&get!("id", String), "id")?,
            subject: subject.map(|s| parse(&s, "subject")).transpose()?,
            key_id: get!("key_id", Option<String>),
            state: MandateState::parse(&get!("state", String)).ok_or(bad("state"))?,
            rights: list(&get!("rights", String), "rights")?,
            tells: get!("tells", i64) == 1,
            sealed: get!("sealed", Option<Vec<u8>>),
            record: record.map(|r| parse(&r, "record")).transpose()?,
            requests: list(&get!("requests", String), "requests")?,
            asked_at: Timestamp::from_micros(get!("asked_at", i64)),
            decided_at: get!("stepped_at", Option<i64>).map(Timestamp::from_micros),
            answer_until: Timestamp::from_micros(get!("answer_until", i64)),
            until: Timestamp::from_micros(get!("until_at", i64)),
            ended_at: get!("ended_at", Option<i64>).map(Timestamp::from_micros),
        };
        Ok::<(TenantId, Row), Error>((parse(&get!("tenant", String), "tenant")?, found))
    }};
}

/// Runs a statement with these values bound and gives the mandates it finds, each with its tenant.
macro_rules! mandates {
    ($tx:expr, $statement:expr $(, $bind:expr)*) => {{
        let found: Result<Vec<(TenantId, Row)>, Error> = on!($tx, |c| sqlx::query($statement)
            $(.bind($bind))*
            .fetch_all(c)
            .await?
            .into_iter()
            .map(|row| row!(row))
            .collect());
        found
    }};
}

pub(super) async fn get(tx: &mut Tx, tenant: &TenantId, id: MandateId) -> Result<Option<Row>, Error> {
    Ok(mandates!(tx, GET, tenant.as_str(), id.to_string())?.pop().map(|(_, row)| row))
}

/// The mandate that a link belongs to, while it can be answered.
pub(super) async fn by_token(
    tx: &mut Tx,
    tenant: &TenantId,
    hash: &[u8],
    now: Timestamp,
) -> Result<Option<Row>, Error> {
    Ok(mandates!(tx, BY_TOKEN, tenant.as_str(), hash, now.micros())?.pop().map(|(_, row)| row))
}

/// Mandates that a person gave, newest first.
pub(super) async fn of_person(tx: &mut Tx, owner: &Owner) -> Result<Vec<Row>, Error> {
    let found = mandates!(tx, OF_PERSON, owner.tenant.as_str(), owner.subject.to_string())?;
    Ok(found.into_iter().map(|(_, row)| row).collect())
}

/// Mandates that a tenant's people gave, those that hold first, then newest first.
pub(super) async fn of_tenant(tx: &mut Tx, tenant: &TenantId, most: i64) -> Result<Vec<Row>, Error> {
    let found = mandates!(tx, OF_TENANT, tenant.as_str(), most)?;
    Ok(found.into_iter().map(|(_, row)| row).collect())
}

/// Those behind this id whose person is known and was not written to, a hundred at most.
pub(super) async fn unposted(
    tx: &mut Tx,
    tenant: &TenantId,
    (now, after): (Timestamp, &str),
) -> Result<Vec<Row>, Error> {
    let found = mandates!(tx, UNPOSTED, tenant.as_str(), now.micros(), after)?;
    Ok(found.into_iter().map(|(_, row)| row).collect())
}

/// Those of all tenants whose last day is over.
pub(super) async fn over(tx: &mut Tx, now: Timestamp) -> Result<Vec<(TenantId, Row)>, Error> {
    mandates!(tx, OVER, now.micros())
}

/// How many were asked of an address since.
pub(super) async fn of_address(
    tx: &mut Tx,
    tenant: &TenantId,
    address: &[u8],
    since: Timestamp,
) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(OF_ADDRESS)
        .bind(tenant.as_str())
        .bind(address)
        .bind(since.micros())
        .fetch_one(c)
        .await)?;
    Ok(n)
}

pub(super) async fn insert(tx: &mut Tx, tenant: &TenantId, row: &Row, address: &[u8]) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(row.id.to_string())
        .bind(tenant.as_str())
        .bind(row.subject.map(|s| s.to_string()))
        .bind(&row.key_id)
        .bind(address)
        .bind(rights_text(&row.rights))
        .bind(i64::from(row.tells))
        .bind(&row.sealed)
        .bind(row.asked_at.micros())
        .bind(row.answer_until.micros())
        .bind(row.until.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// Takes a mandate from one state to the next. `false` when somebody else did.
pub(super) async fn step(
    tx: &mut Tx,
    tenant: &TenantId,
    id: MandateId,
    (from, to): (MandateState, MandateState),
) -> Result<bool, Error> {
    Ok(change!(tx, STEP, to.as_str(), tenant.as_str(), id.to_string(), from.as_str())? == 1)
}

/// Begins to carry out a person's yes, filing under the id that is given, or under that of a try before. `None` when somebody
/// else has begun.
pub(super) async fn begin(
    tx: &mut Tx,
    tenant: &TenantId,
    id: MandateId,
    (request, now): (RequestId, Timestamp),
) -> Result<Option<RequestId>, Error> {
    let row: Option<(Option<String>,)> = on!(tx, |c| sqlx::query_as(BEGIN)
        .bind(now.micros())
        .bind(request.to_string())
        .bind(tenant.as_str())
        .bind(id.to_string())
        .fetch_optional(c)
        .await)?;
    row.and_then(|(id,)| id).map(|id| parse(&id, "filing")).transpose()
}

/// Mandates whose answer was begun to be carried out by `stale`, and never was, can be answered again, until `until` at the
/// least. Gives how many.
pub(in crate::intake) async fn take_up(
    tx: &mut Tx,
    tenant: &TenantId,
    (until, stale): (Timestamp, Timestamp),
) -> Result<u64, Error> {
    Ok(change!(tx, TAKE_UP, until.micros(), tenant.as_str(), stale.micros())?)
}

/// The person said yes. `false` when it is not being decided any more.
pub(super) async fn given(
    tx: &mut Tx,
    tenant: &TenantId,
    id: MandateId,
    (record, tells, request): (RecordId, bool, RequestId),
) -> Result<bool, Error> {
    let (record, request) = (record.to_string(), request.to_string());
    Ok(change!(tx, GIVEN, &record, i64::from(tells), &request, tenant.as_str(), id.to_string())? == 1)
}

/// One more request under a mandate.
pub(super) async fn add_request(
    tx: &mut Tx,
    tenant: &TenantId,
    id: MandateId,
    request: RequestId,
) -> Result<(), Error> {
    let like = format!("%{request}%");
    change!(tx, ADD_REQUEST, request.to_string(), tenant.as_str(), id.to_string(), &like)?;
    Ok(())
}

/// `false` when it had ended before.
pub(super) async fn end(
    tx: &mut Tx,
    tenant: &TenantId,
    id: MandateId,
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(change!(tx, END, now.micros(), tenant.as_str(), id.to_string())? == 1)
}

/// The letter is about to go, with this link. `false` when somebody else sends it.
pub(super) async fn posting(
    tx: &mut Tx,
    tenant: &TenantId,
    id: MandateId,
    (hash, now): (&[u8], Timestamp),
) -> Result<bool, Error> {
    Ok(change!(tx, POSTING, now.micros(), hash, tenant.as_str(), id.to_string())? == 1)
}

/// The letter did not go.
pub(super) async fn not_posted(tx: &mut Tx, tenant: &TenantId, id: MandateId) -> Result<(), Error> {
    change!(tx, NOT_POSTED, tenant.as_str(), id.to_string())?;
    Ok(())
}

/// Forgets what was not answered in its time, and rows that nobody needs any more.
pub(super) async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    let forgotten = change!(tx, FORGET_UNANSWERED, now.micros())?;
    Ok(forgotten + change!(tx, FORGET_ROWS, now.plus(-REMEMBERED).micros())?)
}
