use std::collections::BTreeSet;

use super::{Account, Stays, Task, TaskKind, TaskState};
use crate::base::{RequestId, SubjectId, TenantId, Timestamp};
use crate::store::{Error, Tx};
use crate::vault::Owner;
use crate::{change, on};

const LINK: &str = "INSERT INTO elsewhere (id, tenant, subject, processor, name_index, sealed, linked_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const ACCOUNTS: &str = "SELECT id, processor, sealed, linked_at FROM elsewhere WHERE tenant = $1 AND subject = $2 \
    AND gone_at IS NULL ORDER BY id";
const BY_NAME: &str =
    "SELECT subject FROM elsewhere WHERE tenant = $1 AND processor = $2 AND name_index = $3";
const ACCOUNT_GONE: &str =
    "UPDATE elsewhere SET name_index = NULL, sealed = NULL, gone_at = $1 WHERE tenant = $2 AND id = $3";
const FORGET_ACCOUNTS: &str = "UPDATE elsewhere SET subject = NULL WHERE tenant = $1 AND subject = $2";
const LET_GO: &str = "UPDATE elsewhere SET subject = NULL, name_index = NULL, sealed = NULL, \
    gone_at = COALESCE(gone_at, $1) WHERE tenant = $2 AND subject = $3";
const EXPIRE_ACCOUNTS: &str = "DELETE FROM elsewhere WHERE gone_at < $1";

const CONFIRMED: &str =
    "SELECT COUNT(*) FROM subject WHERE tenant = $1 AND id = $2 AND address_confirmed = 1";

const UNDOABLE: &str = "SELECT MAX(ends_at) FROM address_move WHERE tenant = $1 AND subject = $2 AND state = 'moved' \
    AND ends_at > $3";

const INSERT: &str = "INSERT INTO elsewhere_task (id, tenant, account, subject, processor, kind, request, erasure, state, sealed, \
    stay_count, asked_at, due_at, next_at, tries) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, 0, $10, $11, $10, 0)";
const UPDATE: &str = "UPDATE elsewhere_task SET state = $1, sealed = $2, proof = $3, problem = $4, stay_count = $5, \
    stay_until = $6, stay_why = $7, next_at = $8, tries = $9, done_at = $10 WHERE tenant = $11 AND id = $12 AND state <> 'done'";
const DUE: &str = "SELECT id, tenant, account, subject, processor, kind, request, erasure, state, sealed, proof, problem, \
    stay_count, stay_until, stay_why, asked_at, due_at, next_at, tries, done_at FROM elsewhere_task \
    WHERE next_at <= $1 ORDER BY next_at, id LIMIT $2";
const CLAIM: &str = "UPDATE elsewhere_task SET next_at = $1 WHERE tenant = $2 AND id = $3 AND next_at = $4";
const OF_REQUEST: &str = "SELECT id, tenant, account, subject, processor, kind, request, erasure, state, sealed, proof, problem, \
    stay_count, stay_until, stay_why, asked_at, due_at, next_at, tries, done_at FROM elsewhere_task \
    WHERE tenant = $1 AND request = $2 ORDER BY id";
const OF_ERASURE: &str = "SELECT id, tenant, account, subject, processor, kind, request, erasure, state, sealed, proof, problem, \
    stay_count, stay_until, stay_why, asked_at, due_at, next_at, tries, done_at FROM elsewhere_task \
    WHERE tenant = $1 AND erasure = $2 ORDER BY id";
const OF_SUBJECT: &str = "SELECT id, tenant, account, subject, processor, kind, request, erasure, state, sealed, proof, problem, \
    stay_count, stay_until, stay_why, asked_at, due_at, next_at, tries, done_at FROM elsewhere_task \
    WHERE tenant = $1 AND subject = $2 ORDER BY id";
const NOT_DONE: &str = "SELECT id, tenant, account, subject, processor, kind, request, erasure, state, sealed, proof, problem, \
    stay_count, stay_until, stay_why, asked_at, due_at, next_at, tries, done_at FROM elsewhere_task \
    WHERE tenant = $1 AND state <> 'done' AND next_at IS NOT NULL ORDER BY due_at, id LIMIT 500";
const HURRY: &str =
    "UPDATE elsewhere_task SET next_at = $1 WHERE tenant = $2 AND request = $3 AND state = 'open'";
const NO_CORRECTION: &str =
    "DELETE FROM elsewhere_task WHERE tenant = $1 AND subject = $2 AND kind = 'correct' AND state = 'open'";
const ERASED_ALREADY: &str =
    "SELECT COUNT(*) FROM elsewhere_task WHERE tenant = $1 AND account = $2 AND kind = 'erase'";
const FORGET_TASKS: &str = "UPDATE elsewhere_task SET subject = NULL WHERE tenant = $1 AND subject = $2";
const EXPIRE_TASKS: &str = "DELETE FROM elsewhere_task WHERE (state = 'done' AND done_at < $1) \
    OR (state = 'stays' AND next_at IS NULL AND stay_until < $1)";

const RECORDS: &str = "SELECT id FROM record WHERE tenant = $1 AND subject = $2 AND category = $3";

const TOLD: &str =
    "INSERT INTO told (tenant, processor, message, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const EXPIRE_TOLD: &str = "DELETE FROM told WHERE at < $1";

/// A row to be.
pub(super) struct NewAccount<'a> {
    pub(super) id: &'a str,
    pub(super) processor: &'a str,
    pub(super) index: &'a [u8],
    pub(super) sealed: &'a [u8],
    pub(super) at: Timestamp,
}

pub(super) async fn link(tx: &mut Tx, owner: &Owner, row: &NewAccount<'_>) -> Result<(), Error> {
    change!(
        tx,
        LINK,
        row.id,
        owner.tenant.as_str(),
        owner.subject.to_string(),
        row.processor,
        row.index,
        row.sealed,
        row.at.micros()
    )?;
    Ok(())
}

pub(super) async fn accounts(tx: &mut Tx, owner: &Owner) -> Result<Vec<Account>, Error> {
    let rows: Vec<(String, String, Option<Vec<u8>>, i64)> = on!(tx, |c| sqlx::query_as(ACCOUNTS)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_all(c)
        .await)?;
    let account = |(id, processor, sealed, at)| Account {
        id,
        processor,
        sealed,
        linked_at: Timestamp::from_micros(at),
    };
    Ok(rows.into_iter().map(account).collect())
}

pub(super) async fn by_name(
    tx: &mut Tx,
    tenant: &TenantId,
    processor: &str,
    index: &[u8],
) -> Result<Option<SubjectId>, Error> {
    let row: Option<(Option<String>,)> = on!(tx, |c| sqlx::query_as(BY_NAME)
        .bind(tenant.as_str())
        .bind(processor)
        .bind(index)
        .fetch_optional(c)
        .await)?;
    row.and_then(|(s,)| s)
        .map(|s| s.parse().map_err(|_| Error::inconsistent("elsewhere", "subject")))
        .transpose()
}

pub(super) async fn account_gone(
    tx: &mut Tx,
    tenant: &TenantId,
    id: &str,
    now: Timestamp,
) -> Result<(), Error> {
    change!(tx, ACCOUNT_GONE, now.micros(), tenant.as_str(), id)?;
    Ok(())
}

pub(super) async fn insert(tx: &mut Tx, task: &Task) -> Result<(), Error> {
    change!(
        tx,
        INSERT,
        &task.id,
        task.tenant.as_str(),
        &task.account,
        task.subject.map(|s| s.to_string()),
        &task.processor,
        task.kind.as_str(),
        task.request.map(|r| r.to_string()),
        &task.erasure,
        task.sealed.as_deref(),
        task.asked_at.micros(),
        task.due_at.micros()
    )?;
    Ok(())
}

/// Writes how a task stands. `false` when it was done meanwhile.
pub(super) async fn update(tx: &mut Tx, task: &Task) -> Result<bool, Error> {
    let stays = task.stays.as_ref();
    Ok(change!(
        tx,
        UPDATE,
        task.state.as_str(),
        task.sealed.as_deref(),
        &task.proof,
        &task.problem,
        stays.map_or(0, |s| s.records),
        stays.and_then(|s| s.until).map(Timestamp::micros),
        stays.map(|s| s.why.as_str()),
        task.next_at.map(Timestamp::micros),
        task.tries,
        task.done_at.map(Timestamp::micros),
        task.tenant.as_str(),
        &task.id
    )? == 1)
}

fn bad(column: &'static str) -> Error {
    Error::inconsistent("elsewhere_task", column)
}

macro_rules! task {
    ($row:expr) => {{
        let row = $row;
        macro_rules! get {
            ($column:literal, $type:ty) => {
                sqlx::Row::try_get::<$type, _>(&row, $column)?
            };
        }
        macro_rules! time {
            ($column:literal) => {
                get!($column, Option<i64>).map(Timestamp::from_micros)
            };
        }
        let (kind, state) = (get!("kind", String), get!("state", String));
        let why = get!("stay_why", Option<String>);
        Ok::<Task, Error>(Task {
            id: get!("id", String),
            tenant: get!("tenant", String).parse().map_err(|_| bad("tenant"))?,
            account: get!("account", String),
            subject: get!("subject", Option<String>)
                .map(|s| s.parse().map_err(|_| bad("subject")))
                .transpose()?,
            processor: get!("processor", String),
            kind: TaskKind::ALL.into_iter().find(|k| k.as_str() == kind).ok_or(bad("kind"))?,
            request: get!("request", Option<String>)
                .map(|r| r.parse().map_err(|_| bad("request")))
                .transpose()?,
            erasure: get!("erasure", Option<String>),
            state: TaskState::ALL.into_iter().find(|s| s.as_str() == state).ok_or(bad("state"))?,
            sealed: get!("sealed", Option<Vec<u8>>),
            proof: get!("proof", Option<String>),
            problem: get!("problem", Option<String>),
            stays: match why {
                Some(why) => {
                    Some(Stays { records: get!("stay_count", i64), why, until: time!("stay_until") })
                }
                None => None,
            },
            asked_at: Timestamp::from_micros(get!("asked_at", i64)),
            due_at: Timestamp::from_micros(get!("due_at", i64)),
            next_at: time!("next_at"),
            tries: get!("tries", i64),
            done_at: time!("done_at"),
        })
    }};
}

/// Runs a statement with these values bound and gives the tasks it finds.
macro_rules! tasks {
    ($tx:expr, $statement:expr $(, $bind:expr)*) => {{
        let found: Result<Vec<Task>, Error> = on!($tx, |c| sqlx::query($statement)
            $(.bind($bind))*
            .fetch_all(c)
            .await?
            .into_iter()
            .map(|row| task!(row))
            .collect());
        found
    }};
}

pub(super) async fn due(tx: &mut Tx, now: Timestamp, most: i64) -> Result<Vec<Task>, Error> {
    tasks!(tx, DUE, now.micros(), most)
}

/// Takes a task for a while. `false` when another process has it.
pub(super) async fn claim(tx: &mut Tx, task: &Task, until: Timestamp) -> Result<bool, Error> {
    Ok(change!(
        tx,
        CLAIM,
        until.micros(),
        task.tenant.as_str(),
        &task.id,
        task.next_at.map(Timestamp::micros)
    )? == 1)
}

pub(super) async fn of_request(tx: &mut Tx, tenant: &TenantId, id: RequestId) -> Result<Vec<Task>, Error> {
    tasks!(tx, OF_REQUEST, tenant.as_str(), id.to_string())
}

pub(super) async fn of_erasure(tx: &mut Tx, tenant: &TenantId, id: &str) -> Result<Vec<Task>, Error> {
    tasks!(tx, OF_ERASURE, tenant.as_str(), id)
}

pub(super) async fn of_subject(tx: &mut Tx, owner: &Owner) -> Result<Vec<Task>, Error> {
    tasks!(tx, OF_SUBJECT, owner.tenant.as_str(), owner.subject.to_string())
}

/// A tenant's tasks that something is still to come of, the most pressing first.
pub(super) async fn not_done(tx: &mut Tx, tenant: &TenantId) -> Result<Vec<Task>, Error> {
    tasks!(tx, NOT_DONE, tenant.as_str())
}

pub(super) async fn hurry(
    tx: &mut Tx,
    tenant: &TenantId,
    id: RequestId,
    now: Timestamp,
) -> Result<u64, Error> {
    Ok(change!(tx, HURRY, now.micros(), tenant.as_str(), id.to_string())?)
}

/// Whether an account is being erased, or was.
pub(super) async fn is_erased(tx: &mut Tx, tenant: &TenantId, account: &str) -> Result<bool, Error> {
    let (n,): (i64,) =
        on!(tx, |c| sqlx::query_as(ERASED_ALREADY).bind(tenant.as_str()).bind(account).fetch_one(c).await)?;
    Ok(n > 0)
}

/// What would be corrected of somebody who is erased needs no correction.
pub(super) async fn no_correction(tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
    run(tx, NO_CORRECTION, owner).await
}

pub(super) async fn forget(tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
    run(tx, FORGET_ACCOUNTS, owner).await?;
    run(tx, FORGET_TASKS, owner).await
}

/// As [`forget`], with what each account was called. What is still to be done there remembers that by itself.
pub(super) async fn let_go(tx: &mut Tx, owner: &Owner, now: Timestamp) -> Result<(), Error> {
    change!(tx, LET_GO, now.micros(), owner.tenant.as_str(), owner.subject.to_string())?;
    run(tx, FORGET_TASKS, owner).await
}

async fn run(tx: &mut Tx, statement: &'static str, owner: &Owner) -> Result<(), Error> {
    change!(tx, statement, owner.tenant.as_str(), owner.subject.to_string())?;
    Ok(())
}

/// Removes what ended before this, and messages that came before that.
pub(super) async fn expire(tx: &mut Tx, before: Timestamp, told: Timestamp) -> Result<(), Error> {
    for (statement, before) in [(EXPIRE_ACCOUNTS, before), (EXPIRE_TASKS, before), (EXPIRE_TOLD, told)] {
        change!(tx, statement, before.micros())?;
    }
    Ok(())
}

/// Notes that a message was taken. `false` when it was before.
pub(super) async fn told(
    tx: &mut Tx,
    (tenant, processor): (&TenantId, &str),
    message: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(change!(tx, TOLD, tenant.as_str(), processor, message, now.micros())? == 1)
}

/// The ids of a person's records of one category.
pub(super) async fn records(tx: &mut Tx, owner: &Owner, category: &str) -> Result<BTreeSet<String>, Error> {
    let rows: Vec<(String,)> = on!(tx, |c| sqlx::query_as(RECORDS)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(category)
        .fetch_all(c)
        .await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Whether a person opened a link that was sent to the address they changed to.
pub(super) async fn is_confirmed(tx: &mut Tx, owner: &Owner) -> Result<bool, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(CONFIRMED)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_one(c)
        .await)?;
    Ok(n == 1)
}

/// Until when a change of a person's address can be undone, if it can.
pub(super) async fn undoable(tx: &mut Tx, owner: &Owner, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    let (until,): (Option<i64>,) = on!(tx, |c| sqlx::query_as(UNDOABLE)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(now.micros())
        .fetch_one(c)
        .await)?;
    Ok(until.map(Timestamp::from_micros))
}
