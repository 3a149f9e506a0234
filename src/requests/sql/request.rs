use crate::base::{RequestId, TenantId, Timestamp};
use crate::on;
use crate::policy::Right;
use crate::requests::model::{Alarm, Due, Event, Prepared, Request, State};
use crate::store::{Error, Tx};
use crate::vault::Owner;

const INSERT: &str = "INSERT INTO request (id, reference, tenant, subject, asked, about, channel, received_at, promise_due, \
    internal_due, legal_due, extended_due, state, detail, alarm, tries, revision) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, 0)";
const UPDATE: &str = "UPDATE request SET state = $1, detail = $2, grace_until = $3, extended_at = $4, answered_at = $5, \
    closed_at = $6, purge_at = $7, outcome = $8, receipt = $9, made_at = $10, archive_len = $11, archive_sha256 = $12, \
    available_until = $13, delivered_at = $14, alarm = $15, tries = $16, problem = $17, next_at = $18, \
    promise_due = $19, internal_due = $20, legal_due = $21, extended_due = $22, proved_at = $23, reopened_at = $24, \
    round = $25, first_answered_at = $26, first_promise_due = $27, \
    revision = revision + 1 WHERE tenant = $28 AND id = $29 AND revision = $30";
const GET: &str = "SELECT * FROM request WHERE tenant = $1 AND id = $2";
const BY_REFERENCE: &str = "SELECT * FROM request WHERE tenant = $1 AND reference = $2";
const OPEN_ALIKE: &str = "SELECT * FROM request WHERE tenant = $1 AND subject = $2 AND asked = $3 \
    AND COALESCE(about, '') = $4 AND state IN ('received', 'acknowledged', 'identity-pending', 'grace', 'working') \
    ORDER BY received_at DESC, id DESC LIMIT 1";
/// Filed, or shown to be theirs, since then; and the one that is named.
const ASKED_SINCE: &str = "SELECT r.* FROM request r WHERE r.tenant = $1 AND r.subject = $2 \
    AND r.asked IN ('erasure', 'rectification') AND r.state IN ('received', 'acknowledged', 'identity-pending', 'grace', 'working') \
    AND (r.id = $3 OR EXISTS (SELECT 1 FROM request_event e WHERE e.tenant = r.tenant AND e.request = r.id \
    AND e.kind IN ('filed', 'identity-shown') AND e.at >= $4)) ORDER BY r.id";
const OF: &str = "SELECT * FROM request WHERE tenant = $1 AND subject = $2 AND (CAST($3 AS TEXT) IS NULL OR id < $3) \
    ORDER BY id DESC LIMIT $4";
const QUEUE: &str = "SELECT * FROM request WHERE tenant = $1 AND (promise_due > $2 OR (promise_due = $2 AND id > $3)) \
    AND state IN ('received', 'acknowledged', 'identity-pending', 'grace', 'working') ORDER BY promise_due, id LIMIT $4";
const LATE: &str = "SELECT * FROM request WHERE tenant = $1 AND (promise_due > $2 OR (promise_due = $2 AND id > $3)) \
    AND answered_at IS NULL AND closed_at IS NULL AND state <> 'identity-pending' AND promise_due < $5 ORDER BY promise_due, id LIMIT $4";
const EVERY: &str = "SELECT * FROM request WHERE tenant = $1 AND (CAST($2 AS TEXT) IS NULL OR id < $2) \
    ORDER BY id DESC LIMIT $3";
const DUE: &str = "SELECT * FROM request WHERE next_at <= $1 ORDER BY next_at LIMIT 100";
const UNANSWERED: &str = "SELECT * FROM request WHERE answered_at IS NULL AND closed_at IS NULL AND state <> 'identity-pending' \
    AND promise_due <= $1 AND (promise_due > $2 OR (promise_due = $2 AND id > $3)) ORDER BY promise_due, id LIMIT $4";
const COUNTS: &str = "SELECT asked, state, COUNT(*) FROM request WHERE tenant = $1 GROUP BY asked, state ORDER BY asked, state";
const PURGEABLE: &str = "SELECT tenant, id FROM request WHERE purge_at <= $1 LIMIT 500";
const PURGE_TASKS: &str = "DELETE FROM request_task WHERE tenant = $1 AND request = $2";
const PURGE_EVENTS: &str = "DELETE FROM request_event WHERE tenant = $1 AND request = $2";
const PURGE: &str = "DELETE FROM request WHERE tenant = $1 AND id = $2";

const INSERT_EVENT: &str = "INSERT INTO request_event (id, tenant, request, seq, at, role, kind, note, entry) \
    VALUES ($1, $2, $3, (SELECT COUNT(*) FROM request_event WHERE tenant = $2 AND request = $3), $4, $5, $6, $7, $8)";
const EVENTS: &str = "SELECT at, role, kind, note, entry FROM request_event WHERE tenant = $1 AND request = $2 \
    ORDER BY seq, at LIMIT 1000";

fn bad(column: &'static str) -> Error {
    Error::inconsistent("request", column)
}

fn parse<T: std::str::FromStr>(text: &str, column: &'static str) -> Result<T, Error> {
    text.parse().map_err(|_| bad(column))
}

fn maybe<T: std::str::FromStr>(text: Option<String>, column: &'static str) -> Result<Option<T>, Error> {
    text.map(|t| parse(&t, column)).transpose()
}

macro_rules! request {
    ($row:expr) => {{
        let row = $row;
        macro_rules! get {
            ($column:literal, $type:ty) => {
                sqlx::Row::try_get::<$type, _>(&row, $column)?
            };
        }
        macro_rules! at {
            ($column:literal) => {
                get!($column, Option<i64>).map(Timestamp::from_micros)
            };
        }
        macro_rules! must {
            ($column:literal) => {
                Timestamp::from_micros(get!($column, i64))
            };
        }
        let archive = prepared(
            at!("made_at"),
            get!("archive_len", Option<i64>),
            get!("archive_sha256", Option<Vec<u8>>),
            at!("available_until"),
            at!("delivered_at"),
        )?;
        Ok::<Request, Error>(Request {
            id: parse(&get!("id", String), "id")?,
            reference: get!("reference", String),
            tenant: parse(&get!("tenant", String), "tenant")?,
            subject: maybe(get!("subject", Option<String>), "subject")?,
            right: parse(&get!("asked", String), "asked")?,
            about: get!("about", Option<String>),
            state: State::parse(&get!("state", String)).ok_or(bad("state"))?,
            channel: parse(&get!("channel", String), "channel")?,
            detail: maybe(get!("detail", Option<String>), "detail")?,
            received_at: must!("received_at"),
            due: Due {
                promise: must!("promise_due"),
                internal: must!("internal_due"),
                legal: must!("legal_due"),
                extended: must!("extended_due"),
            },
            grace_until: at!("grace_until"),
            extended_at: at!("extended_at"),
            answered_at: at!("answered_at"),
            closed_at: at!("closed_at"),
            purge_at: at!("purge_at"),
            outcome: get!("outcome", Option<String>),
            receipt: maybe(get!("receipt", Option<String>), "receipt")?,
            archive,
            alarm: alarm(get!("alarm", i64))?,
            tries: get!("tries", i64),
            problem: get!("problem", Option<String>),
            next_at: at!("next_at"),
            proved_at: at!("proved_at"),
            reopened_at: at!("reopened_at"),
            round: get!("round", i64),
            before: at!("first_answered_at").zip(at!("first_promise_due")),
            revision: get!("revision", i64),
        })
    }};
}

fn alarm(n: i64) -> Result<Alarm, Error> {
    usize::try_from(n).ok().and_then(|n| Alarm::ALL.get(n)).copied().ok_or(bad("alarm"))
}

fn alarm_number(alarm: Alarm) -> i64 {
    Alarm::ALL.iter().position(|a| *a == alarm).and_then(|n| i64::try_from(n).ok()).unwrap_or(0)
}

fn prepared(
    made_at: Option<Timestamp>,
    len: Option<i64>,
    sha256: Option<Vec<u8>>,
    until: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
) -> Result<Option<Prepared>, Error> {
    let (Some(made_at), Some(len), Some(sha256), Some(until)) = (made_at, len, sha256, until) else {
        return Ok(None);
    };
    Ok(Some(Prepared {
        made_at,
        len: u64::try_from(len).map_err(|_| bad("archive_len"))?,
        sha256: sha256.try_into().map_err(|_| bad("archive_sha256"))?,
        until,
        delivered_at,
    }))
}

pub(in crate::requests) async fn insert(tx: &mut Tx, r: &Request) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(r.id.to_string())
        .bind(&r.reference)
        .bind(r.tenant.as_str())
        .bind(r.subject.map(|s| s.to_string()))
        .bind(r.right.as_str())
        .bind(&r.about)
        .bind(r.channel.as_str())
        .bind(r.received_at.micros())
        .bind(r.due.promise.micros())
        .bind(r.due.internal.micros())
        .bind(r.due.legal.micros())
        .bind(r.due.extended.micros())
        .bind(r.state.as_str())
        .bind(r.detail.map(|d| d.to_string()))
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// Writes a request as it now is, if nobody else has changed it. `false` if somebody has.
pub(in crate::requests) async fn update(tx: &mut Tx, r: &Request) -> Result<bool, Error> {
    let archive = r.archive.as_ref();
    let len = archive.map(|a| i64::try_from(a.len).unwrap_or(i64::MAX));
    let n = on!(tx, |c| sqlx::query(UPDATE)
        .bind(r.state.as_str())
        .bind(r.detail.map(|d| d.to_string()))
        .bind(r.grace_until.map(Timestamp::micros))
        .bind(r.extended_at.map(Timestamp::micros))
        .bind(r.answered_at.map(Timestamp::micros))
        .bind(r.closed_at.map(Timestamp::micros))
        .bind(r.purge_at.map(Timestamp::micros))
        .bind(&r.outcome)
        .bind(r.receipt.map(|id| id.to_string()))
        .bind(archive.map(|a| a.made_at.micros()))
        .bind(len)
        .bind(archive.map(|a| a.sha256.to_vec()))
        .bind(archive.map(|a| a.until.micros()))
        .bind(archive.and_then(|a| a.delivered_at).map(Timestamp::micros))
        .bind(alarm_number(r.alarm))
        .bind(r.tries)
        .bind(&r.problem)
        .bind(r.next_at.map(Timestamp::micros))
        .bind(r.due.promise.micros())
        .bind(r.due.internal.micros())
        .bind(r.due.legal.micros())
        .bind(r.due.extended.micros())
        .bind(r.proved_at.map(Timestamp::micros))
        .bind(r.reopened_at.map(Timestamp::micros))
        .bind(r.round)
        .bind(r.before.map(|(at, _)| at.micros()))
        .bind(r.before.map(|(_, promise)| promise.micros()))
        .bind(r.tenant.as_str())
        .bind(r.id.to_string())
        .bind(r.revision)
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// Runs a statement with these values bound and gives the requests it finds.
macro_rules! requests {
    ($tx:expr, $statement:expr $(, $bind:expr)*) => {{
        let found: Result<Vec<Request>, Error> = on!($tx, |c| sqlx::query($statement)
            $(.bind($bind))*
            .fetch_all(c)
            .await?
            .into_iter()
            .map(|row| request!(row))
            .collect());
        found
    }};
}

pub(in crate::requests) async fn get(
    tx: &mut Tx,
    tenant: &TenantId,
    id: RequestId,
) -> Result<Option<Request>, Error> {
    Ok(requests!(tx, GET, tenant.as_str(), id.to_string())?.pop())
}

pub(in crate::requests) async fn by_reference(
    tx: &mut Tx,
    tenant: &TenantId,
    reference: &str,
) -> Result<Option<Request>, Error> {
    Ok(requests!(tx, BY_REFERENCE, tenant.as_str(), reference)?.pop())
}

/// The newest open request of the same person for the same thing.
pub(in crate::requests) async fn open_alike(
    tx: &mut Tx,
    owner: &Owner,
    right: Right,
    about: Option<&str>,
) -> Result<Option<Request>, Error> {
    let (tenant, subject) = (owner.tenant.as_str(), owner.subject.to_string());
    Ok(requests!(tx, OPEN_ALIKE, tenant, &subject, right.as_str(), about.unwrap_or(""))?.pop())
}

/// What somebody asked for since: their open erasures and corrections, and one that is named.
pub(in crate::requests) async fn asked_since(
    tx: &mut Tx,
    owner: &Owner,
    (since, named): (Timestamp, Option<RequestId>),
) -> Result<Vec<Request>, Error> {
    let (tenant, subject) = (owner.tenant.as_str(), owner.subject.to_string());
    requests!(tx, ASKED_SINCE, tenant, &subject, named.map(|id| id.to_string()), since.micros())
}

pub(in crate::requests) async fn of(
    tx: &mut Tx,
    owner: &Owner,
    before: Option<&str>,
    most: i64,
) -> Result<Vec<Request>, Error> {
    requests!(tx, OF, owner.tenant.as_str(), owner.subject.to_string(), before, most)
}

pub(in crate::requests) async fn queue(
    tx: &mut Tx,
    tenant: &TenantId,
    (due, id): (i64, &str),
    most: i64,
) -> Result<Vec<Request>, Error> {
    requests!(tx, QUEUE, tenant.as_str(), due, id, most)
}

/// Unanswered requests whose promised time was over at `before`, the longest first.
pub(in crate::requests) async fn late(
    tx: &mut Tx,
    tenant: &TenantId,
    (due, id): (i64, &str),
    most: i64,
    before: Timestamp,
) -> Result<Vec<Request>, Error> {
    requests!(tx, LATE, tenant.as_str(), due, id, most, before.micros())
}

pub(in crate::requests) async fn every(
    tx: &mut Tx,
    tenant: &TenantId,
    before: Option<&str>,
    most: i64,
) -> Result<Vec<Request>, Error> {
    requests!(tx, EVERY, tenant.as_str(), before, most)
}

/// Requests of all tenants whose next step is due.
pub(in crate::requests) async fn due(tx: &mut Tx, now: Timestamp) -> Result<Vec<Request>, Error> {
    requests!(tx, DUE, now.micros())
}

/// Unanswered requests of all tenants whose promised time ends by `by`, a page of them: those after a promise and an id.
/// Not those whose clocks stand still until it is known who asks.
pub(in crate::requests) async fn unanswered(
    tx: &mut Tx,
    by: Timestamp,
    (due, id): (i64, &str),
    most: i64,
) -> Result<Vec<Request>, Error> {
    requests!(tx, UNANSWERED, by.micros(), due, id, most)
}

pub(in crate::requests) async fn counts(
    tx: &mut Tx,
    tenant: &TenantId,
) -> Result<Vec<(Right, State, i64)>, Error> {
    let rows: Vec<(String, String, i64)> =
        on!(tx, |c| sqlx::query_as(COUNTS).bind(tenant.as_str()).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(right, state, n)| Ok((parse(&right, "asked")?, State::parse(&state).ok_or(bad("state"))?, n)))
        .collect()
}

/// Removes the requests whose rows have outlived their rule, with their events. Gives how many.
pub(in crate::requests) async fn purge(tx: &mut Tx, now: Timestamp) -> Result<usize, Error> {
    let rows: Vec<(String, String)> =
        on!(tx, |c| sqlx::query_as(PURGEABLE).bind(now.micros()).fetch_all(c).await)?;
    for (tenant, id) in &rows {
        for statement in [PURGE_TASKS, PURGE_EVENTS, PURGE] {
            on!(tx, |c| sqlx::query(statement).bind(tenant).bind(id).execute(c).await.map(|_| ()))?;
        }
    }
    Ok(rows.len())
}

pub(in crate::requests) async fn insert_event(
    tx: &mut Tx,
    id: &str,
    (tenant, request): (&TenantId, RequestId),
    event: &Event,
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT_EVENT)
        .bind(id)
        .bind(tenant.as_str())
        .bind(request.to_string())
        .bind(event.at.micros())
        .bind(&event.role)
        .bind(&event.kind)
        .bind(&event.note)
        .bind(&event.entry)
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

type EventRow = (i64, String, String, Option<String>, Option<String>);

pub(in crate::requests) async fn events(
    tx: &mut Tx,
    tenant: &TenantId,
    request: RequestId,
) -> Result<Vec<Event>, Error> {
    let rows: Vec<EventRow> = on!(tx, |c| sqlx::query_as(EVENTS)
        .bind(tenant.as_str())
        .bind(request.to_string())
        .fetch_all(c)
        .await)?;
    let event = |(at, role, kind, note, entry): EventRow| Event {
        at: Timestamp::from_micros(at),
        role,
        kind,
        note,
        entry,
    };
    Ok(rows.into_iter().map(event).collect())
}
