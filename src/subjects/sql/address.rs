use crate::base::{AddressId, RequestId, SubjectId, TenantId, Timestamp};
use crate::store::{Error, Tx};
use crate::vault::Owner;
use crate::{change, on};

const ASKED_SINCE: &str = "SELECT COUNT(*) FROM address_move WHERE tenant = $1 AND subject = $2 \
    AND (posted_at IS NOT NULL OR told_at IS NOT NULL OR tell_tried_at IS NOT NULL OR post_tried_at IS NOT NULL) \
    AND asked_at > $3";
const POSTED_SINCE: &str = "SELECT COUNT(*) FROM address_move WHERE tenant = $1 AND to_index = $2 AND id <> $3 \
    AND (posted_at > $4 OR post_tried_at > $4)";
const SUPERSEDE: &str = "UPDATE address_move SET state = 'over', sealed = NULL, from_index = NULL, confirm_hash = NULL, \
    undo_hash = NULL, ends_at = $1 WHERE tenant = $2 AND subject = $3 AND state = 'asked' AND ends_at > $1";
const STOP: &str = "UPDATE address_move SET state = 'over', sealed = NULL, from_index = NULL, confirm_hash = NULL, \
    undo_hash = NULL, ends_at = $1 WHERE tenant = $2 AND subject = $3 AND request = $4 AND state = 'asked' AND ends_at > $1";
const INSERT: &str = "INSERT INTO address_move (id, tenant, subject, request, state, from_index, to_index, sealed, asked_at, \
    ends_at) VALUES ($1, $2, $3, $4, 'asked', $5, $6, $7, $8, $9)";
const OF_REQUEST: &str = "SELECT state, to_index, asked_at, ends_at FROM address_move WHERE tenant = $1 AND subject = $2 AND request = $3 \
    ORDER BY asked_at DESC, id DESC LIMIT 1";
const OWED: &str = "SELECT id, subject, request, state, sealed, asked_at, told_at, posted_at, ends_at FROM address_move \
    WHERE tenant = $1 AND ends_at > $2 AND sealed IS NOT NULL AND ((state = 'asked' AND (told_at IS NULL \
    OR posted_at IS NULL)) OR (state = 'moved' AND told_at IS NULL)) AND id > $3 ORDER BY id LIMIT 100";
const BY_CONFIRM: &str = "SELECT id, subject, request, state, sealed, asked_at, told_at, posted_at, ends_at FROM address_move \
    WHERE tenant = $1 AND confirm_hash = $2 AND state = 'asked' AND ends_at > $3";
const BY_UNDO: &str = "SELECT id, subject, request, state, sealed, asked_at, told_at, posted_at, ends_at FROM address_move \
    WHERE tenant = $1 AND undo_hash = $2 AND state IN ('asked', 'moved') AND ends_at > $3";
const HELD_OF: &str = "SELECT id, subject, request, state, sealed, asked_at, told_at, posted_at, ends_at FROM address_move \
    WHERE tenant = $1 AND subject = $2 AND state = 'moved' AND ends_at > $3 ORDER BY id LIMIT 20";
const TELLING: &str = "UPDATE address_move SET tell_tried_at = $1, undo_hash = $2 WHERE tenant = $3 AND id = $4 \
    AND told_at IS NULL AND (tell_tried_at IS NULL OR tell_tried_at <= $5) AND state <> 'over'";
const TOLD: &str = "UPDATE address_move SET told_at = $1 WHERE tenant = $2 AND id = $3";
const NOT_TOLD: &str =
    "UPDATE address_move SET tell_tried_at = NULL WHERE tenant = $1 AND id = $2 AND told_at IS NULL";
const POSTING: &str = "UPDATE address_move SET post_tried_at = $1, confirm_hash = $2 WHERE tenant = $3 AND id = $4 \
    AND posted_at IS NULL AND (post_tried_at IS NULL OR post_tried_at <= $5) AND state = 'asked'";
const POSTED: &str = "UPDATE address_move SET posted_at = $1 WHERE tenant = $2 AND id = $3";
const NOT_POSTED: &str =
    "UPDATE address_move SET post_tried_at = NULL WHERE tenant = $1 AND id = $2 AND posted_at IS NULL";
const MOVED: &str = "UPDATE address_move SET state = 'moved', confirm_hash = NULL, ends_at = $1 WHERE tenant = $2 AND id = $3 \
    AND state = 'asked' AND ends_at > $4";
const UNDONE: &str = "UPDATE address_move SET state = 'over', sealed = NULL, from_index = NULL, confirm_hash = NULL, \
    undo_hash = NULL, ends_at = $1 WHERE tenant = $2 AND id = $3 AND state = $4 AND ends_at > $1";
const RESERVED: &str = "SELECT COUNT(*) FROM address_move WHERE tenant = $1 AND from_index = $2 AND state = 'moved' \
    AND ends_at > $3 AND subject <> $4";
const SET_EMAIL: &str = "UPDATE subject SET email_index = $1, address_changed_at = COALESCE($2, address_changed_at), \
    address_confirmed = $3 WHERE tenant = $4 AND id = $5 AND state = 'active'";
const MANDATES: &str = "UPDATE mandate SET token_hash = NULL WHERE tenant = $1 AND subject = $2 AND state IN ('asked', 'deciding')";
/// Nothing is filed under one whose last day is over; the record of its end follows.
const END_MANDATES: &str = "UPDATE mandate SET until_at = $1 WHERE tenant = $2 AND subject = $3 \
    AND state IN ('deciding', 'confirmed') AND until_at > $1 AND COALESCE(stepped_at, asked_at) >= $4";
const END_OTHER_SESSIONS: &str = "DELETE FROM session WHERE tenant = $1 AND subject = $2 AND id <> $3";
const BLANK: &str = "UPDATE address_move SET state = 'over', sealed = NULL, from_index = NULL, to_index = NULL, \
    confirm_hash = NULL, undo_hash = NULL WHERE ends_at <= $1 AND (state <> 'over' OR (to_index IS NOT NULL AND asked_at <= $2))";
const SEALED: &str = "SELECT id FROM address_move WHERE tenant = $1 AND sealed IS NOT NULL";
const FORGET: &str = "DELETE FROM address_move WHERE state = 'over' AND ends_at <= $1";

/// A move as its row has it.
pub(in crate::subjects) struct Row {
    pub(in crate::subjects) id: AddressId,
    pub(in crate::subjects) subject: SubjectId,
    pub(in crate::subjects) request: Option<RequestId>,
    pub(in crate::subjects) moved: bool,
    pub(in crate::subjects) sealed: Vec<u8>,
    pub(in crate::subjects) asked_at: Timestamp,
    pub(in crate::subjects) told: bool,
    pub(in crate::subjects) posted: bool,
    pub(in crate::subjects) ends_at: Timestamp,
}

type Columns = (String, String, Option<String>, String, Option<Vec<u8>>, i64, Option<i64>, Option<i64>, i64);

fn bad(column: &'static str) -> Error {
    Error::inconsistent("address_move", column)
}

fn row(columns: Columns) -> Result<Row, Error> {
    let (id, subject, request, state, sealed, asked, told, posted, ends) = columns;
    Ok(Row {
        id: id.parse().map_err(|_| bad("id"))?,
        subject: subject.parse().map_err(|_| bad("subject"))?,
        request: request.map(|r| r.parse()).transpose().map_err(|_| bad("request"))?,
        moved: state == "moved",
        sealed: sealed.ok_or(bad("sealed"))?,
        asked_at: Timestamp::from_micros(asked),
        told: told.is_some(),
        posted: posted.is_some(),
        ends_at: Timestamp::from_micros(ends),
    })
}

/// Runs a statement with these values bound, and gives the moves it finds.
macro_rules! moves {
    ($tx:expr, $statement:expr $(, $bind:expr)*) => {{
        let found: Vec<Columns> =
            on!($tx, |c| sqlx::query_as($statement)$(.bind($bind))*.fetch_all(c).await)?;
        found.into_iter().map(row).collect::<Result<Vec<Row>, Error>>()
    }};
}

/// How many moves a person asked for since of which letters went.
pub(in crate::subjects) async fn asked_since(
    tx: &mut Tx,
    owner: &Owner,
    since: Timestamp,
) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(ASKED_SINCE)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(since.micros())
        .fetch_one(c)
        .await)?;
    Ok(n)
}

/// How many letters an address had since, or may have had, of other moves than this one, whoever wanted to move to it.
pub(in crate::subjects) async fn posted_since(
    tx: &mut Tx,
    (tenant, id): (&TenantId, AddressId),
    to: &[u8],
    since: Timestamp,
) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(POSTED_SINCE)
        .bind(tenant.as_str())
        .bind(to)
        .bind(id.to_string())
        .bind(since.micros())
        .fetch_one(c)
        .await)?;
    Ok(n)
}

/// A move to be.
pub(in crate::subjects) struct New<'a> {
    pub(in crate::subjects) id: AddressId,
    pub(in crate::subjects) request: Option<RequestId>,
    pub(in crate::subjects) from: &'a [u8],
    pub(in crate::subjects) to: &'a [u8],
    pub(in crate::subjects) sealed: &'a [u8],
    pub(in crate::subjects) asked_at: Timestamp,
    pub(in crate::subjects) ends_at: Timestamp,
}

/// Writes a move down, in place of one that waits.
pub(in crate::subjects) async fn ask(tx: &mut Tx, owner: &Owner, new: &New<'_>) -> Result<(), Error> {
    supersede(tx, owner, new.asked_at).await?;
    on!(tx, |c| sqlx::query(INSERT)
        .bind(new.id.to_string())
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(new.request.map(|r| r.to_string()))
        .bind(new.from)
        .bind(new.to)
        .bind(new.sealed)
        .bind(new.asked_at.micros())
        .bind(new.ends_at.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// What waits for its link is over.
pub(in crate::subjects) async fn supersede(tx: &mut Tx, owner: &Owner, now: Timestamp) -> Result<(), Error> {
    change!(tx, SUPERSEDE, now.micros(), owner.tenant.as_str(), owner.subject.to_string())?;
    Ok(())
}

/// What waits for its link for a request is over.
pub(in crate::subjects) async fn stop(
    tx: &mut Tx,
    owner: &Owner,
    (request, now): (RequestId, Timestamp),
) -> Result<(), Error> {
    let (tenant, subject) = (owner.tenant.as_str(), owner.subject.to_string());
    change!(tx, STOP, now.micros(), tenant, subject, request.to_string())?;
    Ok(())
}

/// A move that was asked for in a request.
pub(in crate::subjects) struct OfRequest {
    pub(in crate::subjects) state: String,
    pub(in crate::subjects) to: Option<Vec<u8>>,
    pub(in crate::subjects) at: Timestamp,
    pub(in crate::subjects) ends_at: Timestamp,
}

/// The newest move of a request.
pub(in crate::subjects) async fn of_request(
    tx: &mut Tx,
    owner: &Owner,
    request: RequestId,
) -> Result<Option<OfRequest>, Error> {
    let row: Option<(String, Option<Vec<u8>>, i64, i64)> = on!(tx, |c| sqlx::query_as(OF_REQUEST)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(request.to_string())
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(state, to, at, ends)| OfRequest {
        state,
        to,
        at: Timestamp::from_micros(at),
        ends_at: Timestamp::from_micros(ends),
    }))
}

/// Those behind this id of which a letter was not sent yet, a hundred at most.
pub(in crate::subjects) async fn owed(
    tx: &mut Tx,
    tenant: &TenantId,
    (now, after): (Timestamp, &str),
) -> Result<Vec<Row>, Error> {
    moves!(tx, OWED, tenant.as_str(), now.micros(), after)
}

/// The one that a link in the new mailbox is for.
pub(in crate::subjects) async fn by_confirm(
    tx: &mut Tx,
    tenant: &TenantId,
    hash: &[u8],
    now: Timestamp,
) -> Result<Option<Row>, Error> {
    Ok(moves!(tx, BY_CONFIRM, tenant.as_str(), hash, now.micros())?.pop())
}

/// The one that a link in the old mailbox is for.
pub(in crate::subjects) async fn by_undo(
    tx: &mut Tx,
    tenant: &TenantId,
    hash: &[u8],
    now: Timestamp,
) -> Result<Option<Row>, Error> {
    Ok(moves!(tx, BY_UNDO, tenant.as_str(), hash, now.micros())?.pop())
}

/// Those of a person that can still be undone, oldest first.
pub(in crate::subjects) async fn held_of(
    tx: &mut Tx,
    owner: &Owner,
    now: Timestamp,
) -> Result<Vec<Row>, Error> {
    moves!(tx, HELD_OF, owner.tenant.as_str(), owner.subject.to_string(), now.micros())
}

/// The letter to the old address is about to go, with this link. `false` when it went, or somebody has tried since `tried`.
pub(in crate::subjects) async fn telling(
    tx: &mut Tx,
    tenant: &TenantId,
    id: AddressId,
    (hash, now, tried): (&[u8], Timestamp, Timestamp),
) -> Result<bool, Error> {
    let (now, tried) = (now.micros(), tried.micros());
    Ok(change!(tx, TELLING, now, hash, tenant.as_str(), id.to_string(), tried)? == 1)
}

/// It was taken.
pub(in crate::subjects) async fn told(
    tx: &mut Tx,
    tenant: &TenantId,
    id: AddressId,
    now: Timestamp,
) -> Result<(), Error> {
    change!(tx, TOLD, now.micros(), tenant.as_str(), id.to_string())?;
    Ok(())
}

/// It was not taken, and is tried again with the next round.
pub(in crate::subjects) async fn not_told(
    tx: &mut Tx,
    tenant: &TenantId,
    id: AddressId,
) -> Result<(), Error> {
    change!(tx, NOT_TOLD, tenant.as_str(), id.to_string())?;
    Ok(())
}

/// The letter to the new address is about to go, with this link. `false` when it went, or somebody has tried since `tried`.
pub(in crate::subjects) async fn posting(
    tx: &mut Tx,
    tenant: &TenantId,
    id: AddressId,
    (hash, now, tried): (&[u8], Timestamp, Timestamp),
) -> Result<bool, Error> {
    let (now, tried) = (now.micros(), tried.micros());
    Ok(change!(tx, POSTING, now, hash, tenant.as_str(), id.to_string(), tried)? == 1)
}

/// It was taken.
pub(in crate::subjects) async fn posted(
    tx: &mut Tx,
    tenant: &TenantId,
    id: AddressId,
    now: Timestamp,
) -> Result<(), Error> {
    change!(tx, POSTED, now.micros(), tenant.as_str(), id.to_string())?;
    Ok(())
}

/// It was not taken, and is tried again with the next round.
pub(in crate::subjects) async fn not_posted(
    tx: &mut Tx,
    tenant: &TenantId,
    id: AddressId,
) -> Result<(), Error> {
    change!(tx, NOT_POSTED, tenant.as_str(), id.to_string())?;
    Ok(())
}

/// The link was opened: it can be undone until then. `false` when it was opened before, or is over.
pub(in crate::subjects) async fn moved(
    tx: &mut Tx,
    tenant: &TenantId,
    id: AddressId,
    (until, now): (Timestamp, Timestamp),
) -> Result<bool, Error> {
    Ok(change!(tx, MOVED, until.micros(), tenant.as_str(), id.to_string(), now.micros())? == 1)
}

/// It was stopped, or undone. `false` when it stands otherwise by now.
pub(in crate::subjects) async fn undone(
    tx: &mut Tx,
    (tenant, id): (&TenantId, AddressId),
    moved: bool,
    now: Timestamp,
) -> Result<bool, Error> {
    let from = if moved { "moved" } else { "asked" };
    Ok(change!(tx, UNDONE, now.micros(), tenant.as_str(), id.to_string(), from)? == 1)
}

/// What was allowed in a person's name since then is allowed no longer.
pub(in crate::subjects) async fn end_mandates(
    tx: &mut Tx,
    owner: &Owner,
    (since, now): (Timestamp, Timestamp),
) -> Result<(), Error> {
    let (tenant, subject) = (owner.tenant.as_str(), owner.subject.to_string());
    change!(tx, END_MANDATES, now.micros(), tenant, subject, since.micros())?;
    Ok(())
}

/// Whether an address is kept free, because somebody moved away from it who can still come back.
pub(in crate::subjects) async fn is_reserved(
    tx: &mut Tx,
    owner: &Owner,
    index: &[u8],
    now: Timestamp,
) -> Result<bool, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(RESERVED)
        .bind(owner.tenant.as_str())
        .bind(index)
        .bind(now.micros())
        .bind(owner.subject.to_string())
        .fetch_one(c)
        .await)?;
    Ok(n > 0)
}

/// Moves an account to another address: `changed_at` is noted unless it is nothing; `confirmed` says whether its owner
/// opened a link that was sent there.
pub(in crate::subjects) async fn set_email(
    tx: &mut Tx,
    owner: &Owner,
    index: &[u8],
    (changed_at, confirmed): (Option<Timestamp>, bool),
) -> Result<bool, Error> {
    let (changed_at, confirmed) = (changed_at.map(Timestamp::micros), i64::from(confirmed));
    let (tenant, subject) = (owner.tenant.as_str(), owner.subject.to_string());
    Ok(change!(tx, SET_EMAIL, index, changed_at, confirmed, tenant, subject)? == 1)
}

/// What was sent to the old address and is not answered opens nothing any more, but for the session that is named.
pub(in crate::subjects) async fn cut_off(tx: &mut Tx, owner: &Owner, but: &str) -> Result<(), Error> {
    let (tenant, subject) = (owner.tenant.as_str(), owner.subject.to_string());
    change!(tx, MANDATES, tenant, &subject)?;
    change!(tx, END_OTHER_SESSIONS, tenant, &subject, but)?;
    super::end_links(tx, owner).await
}

/// Those that still have their addresses.
pub(in crate::subjects) async fn sealed(tx: &mut Tx, tenant: &TenantId) -> Result<Vec<String>, Error> {
    let rows: Vec<(String,)> = on!(tx, |c| sqlx::query_as(SEALED).bind(tenant.as_str()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Blanks what is over, and forgets rows that nobody needs any more.
pub(in crate::subjects) async fn expire(
    tx: &mut Tx,
    (now, forgotten): (Timestamp, Timestamp),
    counted: Timestamp,
) -> Result<u64, Error> {
    let blanked = change!(tx, BLANK, now.micros(), counted.micros())?;
    Ok(blanked + change!(tx, FORGET, forgotten.micros())?)
}
