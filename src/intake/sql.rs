use super::model::{Dkim, Found, Proof};
use crate::base::{MailId, RequestId, SubjectId, TenantId, Timestamp};
use crate::policy::Right;
use crate::store::{Error, Tx};
use crate::{change, on};

const COLUMNS_OF: &str = "SELECT id, subject, asked, dkim, dmarc, spf, state, sealed, again, received_at, expires_at, posted_at \
    FROM mail WHERE tenant = $1 AND id = $2";
const BY_MESSAGE: &str = "SELECT id, subject, asked, dkim, dmarc, spf, state, sealed, again, received_at, expires_at, posted_at \
    FROM mail WHERE tenant = $1 AND message_index = $2";
const BY_TOKEN: &str = "SELECT id, subject, asked, dkim, dmarc, spf, state, sealed, again, received_at, expires_at, posted_at \
    FROM mail WHERE tenant = $1 AND token_hash = $2 AND state = 'waiting' AND expires_at > $3";
const WAITING: &str = "SELECT id, subject, asked, dkim, dmarc, spf, state, sealed, again, received_at, expires_at, posted_at \
    FROM mail WHERE tenant = $1 AND state = 'waiting' AND expires_at > $2 ORDER BY received_at, id LIMIT 200";
const OF_ADDRESS: &str =
    "SELECT COUNT(*) FROM mail WHERE tenant = $1 AND address_index = $2 AND received_at > $3";
const OF_TENANT: &str = "SELECT COUNT(*) FROM mail WHERE tenant = $1 AND received_at > $2";
const INSERT: &str = "INSERT INTO mail (id, tenant, subject, message_index, address_index, asked, dkim, dmarc, spf, state, \
    sealed, token_hash, again, received_at, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', $10, $11, 0, $12, $13)";
const RENEW: &str = "UPDATE mail SET token_hash = $1 WHERE tenant = $2 AND id = $3";
const AGAIN: &str = "UPDATE mail SET again = again + 1 WHERE tenant = $1 AND id = $2";
const AGAIN_OF_ADDRESS: &str = "UPDATE mail SET again = again + 1 WHERE tenant = $1 AND id = (SELECT id FROM mail \
    WHERE tenant = $1 AND address_index = $2 ORDER BY received_at DESC, id DESC LIMIT 1)";
const POSTED: &str = "UPDATE mail SET posted_at = $1 WHERE tenant = $2 AND id = $3";
const STEP: &str = "UPDATE mail SET state = $1 WHERE tenant = $2 AND id = $3 AND state = $4";
const BEGIN: &str = "UPDATE mail SET state = 'filing', stepped_at = $1, request = COALESCE(request, $2) \
    WHERE tenant = $3 AND id = $4 AND state = 'waiting' RETURNING request";
/// With a day more for its writer, since it was no fault of theirs.
const TAKE_UP: &str = "UPDATE mail SET state = 'waiting', expires_at = CASE WHEN expires_at < $1 THEN $1 ELSE expires_at END \
    WHERE tenant = $2 AND state = 'filing' AND COALESCE(stepped_at, 0) <= $3";
const FINISH: &str = "UPDATE mail SET state = $1, request = $2, sealed = NULL, token_hash = NULL, expires_at = $3 \
    WHERE tenant = $4 AND id = $5 AND state = 'filing'";
/// That a letter came and was not confirmed: no word of it, and not whose it was.
const LAPSED: &str = "INSERT INTO lapsed_letter (id, tenant, asked, received_at, lapsed_at) \
    SELECT id, tenant, asked, received_at, $1 FROM mail WHERE expires_at <= $1 AND state = 'waiting'";
const EXPIRE: &str = "DELETE FROM mail WHERE expires_at <= $1 AND state <> 'filing'";
const FORGET_LAPSED: &str = "DELETE FROM lapsed_letter WHERE lapsed_at <= $1";

/// How long it is remembered that a letter was used, so that the same one is known again.
const REMEMBERED: chrono::TimeDelta = chrono::TimeDelta::days(30);

/// How long it is remembered that a letter came which nobody confirmed: as long as an authority may ask.
const ANSWERED_FOR: chrono::TimeDelta = chrono::TimeDelta::days(3 * 365 + 1);

/// A letter to be kept.
pub(super) struct NewMail<'m> {
    pub(super) id: MailId,
    pub(super) subject: Option<SubjectId>,
    pub(super) message_index: &'m [u8],
    pub(super) address_index: &'m [u8],
    pub(super) right: Option<Right>,
    pub(super) proof: Proof,
    pub(super) sealed: Vec<u8>,
    pub(super) token_hash: Vec<u8>,
    pub(super) received_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

/// A letter that is kept.
pub(super) struct Mail {
    pub(super) id: MailId,
    pub(super) subject: Option<SubjectId>,
    pub(super) right: Option<Right>,
    pub(super) proof: Proof,
    pub(super) waits: bool,
    pub(super) sealed: Option<Vec<u8>>,
    pub(super) again: i64,
    pub(super) received_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) posted_at: Option<Timestamp>,
}

type Row = (
    String,
    Option<String>,
    Option<String>,
    String,
    String,
    String,
    String,
    Option<Vec<u8>>,
    i64,
    i64,
    i64,
    Option<i64>,
);

fn bad(column: &'static str) -> Error {
    Error::inconsistent("mail", column)
}

fn mail(row: Row) -> Result<Mail, Error> {
    let (id, subject, asked, dkim, dmarc, spf, state, sealed, again, received, expires, posted) = row;
    Ok(Mail {
        id: id.parse().map_err(|_| bad("id"))?,
        subject: subject.map(|s| s.parse().map_err(|_| bad("subject"))).transpose()?,
        right: asked.map(|r| r.parse().map_err(|_| bad("asked"))).transpose()?,
        proof: Proof {
            dkim: Dkim::parse(&dkim).ok_or(bad("dkim"))?,
            dmarc: Found::parse(&dmarc).ok_or(bad("dmarc"))?,
            spf: Found::parse(&spf).ok_or(bad("spf"))?,
        },
        waits: state == "waiting",
        sealed,
        again,
        received_at: Timestamp::from_micros(received),
        expires_at: Timestamp::from_micros(expires),
        posted_at: posted.map(Timestamp::from_micros),
    })
}

pub(super) async fn get(tx: &mut Tx, tenant: &TenantId, id: MailId) -> Result<Option<Mail>, Error> {
    let row: Option<Row> = on!(tx, |c| sqlx::query_as(COLUMNS_OF)
        .bind(tenant.as_str())
        .bind(id.to_string())
        .fetch_optional(c)
        .await)?;
    row.map(mail).transpose()
}

pub(super) async fn by_message(tx: &mut Tx, tenant: &TenantId, index: &[u8]) -> Result<Option<Mail>, Error> {
    let row: Option<Row> =
        on!(tx, |c| sqlx::query_as(BY_MESSAGE).bind(tenant.as_str()).bind(index).fetch_optional(c).await)?;
    row.map(mail).transpose()
}

/// The letter that a link belongs to, while it can be confirmed.
pub(super) async fn by_token(
    tx: &mut Tx,
    tenant: &TenantId,
    hash: &[u8],
    now: Timestamp,
) -> Result<Option<Mail>, Error> {
    let row: Option<Row> = on!(tx, |c| sqlx::query_as(BY_TOKEN)
        .bind(tenant.as_str())
        .bind(hash)
        .bind(now.micros())
        .fetch_optional(c)
        .await)?;
    row.map(mail).transpose()
}

pub(super) async fn waiting(tx: &mut Tx, tenant: &TenantId, now: Timestamp) -> Result<Vec<Mail>, Error> {
    let rows: Vec<Row> =
        on!(tx, |c| sqlx::query_as(WAITING).bind(tenant.as_str()).bind(now.micros()).fetch_all(c).await)?;
    rows.into_iter().map(mail).collect()
}

/// How many letters of one address came since.
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

/// How many letters of a tenant came since.
pub(super) async fn of_tenant(tx: &mut Tx, tenant: &TenantId, since: Timestamp) -> Result<i64, Error> {
    let (n,): (i64,) =
        on!(tx, |c| sqlx::query_as(OF_TENANT).bind(tenant.as_str()).bind(since.micros()).fetch_one(c).await)?;
    Ok(n)
}

pub(super) async fn insert(tx: &mut Tx, tenant: &TenantId, m: &NewMail<'_>) -> Result<(), Error> {
    change!(
        tx,
        INSERT,
        m.id.to_string(),
        tenant.as_str(),
        m.subject.map(|s| s.to_string()),
        m.message_index,
        m.address_index,
        m.right.map(Right::as_str),
        m.proof.dkim.as_str(),
        m.proof.dmarc.as_str(),
        m.proof.spf.as_str(),
        &m.sealed,
        &m.token_hash,
        m.received_at.micros(),
        m.expires_at.micros()
    )?;
    Ok(())
}

/// Gives a letter another link; the old one opens nothing any more.
pub(super) async fn renew(tx: &mut Tx, tenant: &TenantId, id: MailId, hash: &[u8]) -> Result<(), Error> {
    change!(tx, RENEW, hash, tenant.as_str(), id.to_string())?;
    Ok(())
}

/// The same letter came again.
pub(super) async fn again(tx: &mut Tx, tenant: &TenantId, id: MailId) -> Result<(), Error> {
    change!(tx, AGAIN, tenant.as_str(), id.to_string())?;
    Ok(())
}

/// Another letter of an address that has enough waiting.
pub(super) async fn again_of_address(tx: &mut Tx, tenant: &TenantId, address: &[u8]) -> Result<(), Error> {
    change!(tx, AGAIN_OF_ADDRESS, tenant.as_str(), address)?;
    Ok(())
}

/// Our letter to its writer went.
pub(super) async fn posted(tx: &mut Tx, tenant: &TenantId, id: MailId, at: Timestamp) -> Result<(), Error> {
    change!(tx, POSTED, at.micros(), tenant.as_str(), id.to_string())?;
    Ok(())
}

/// Takes a letter from one state to the next. `false` when somebody else did.
pub(super) async fn step(
    tx: &mut Tx,
    tenant: &TenantId,
    id: MailId,
    (from, to): (&str, &str),
) -> Result<bool, Error> {
    Ok(change!(tx, STEP, to, tenant.as_str(), id.to_string(), from)? == 1)
}

/// A letter was used: nothing of what it said is kept here any more. `false` when it is not being filed any more.
pub(super) async fn finish(
    tx: &mut Tx,
    tenant: &TenantId,
    id: MailId,
    (state, request, now): (&str, Option<String>, Timestamp),
) -> Result<bool, Error> {
    Ok(change!(tx, FINISH, state, &request, now.plus(REMEMBERED).micros(), tenant.as_str(), id.to_string())?
        == 1)
}

/// Begins to file what a letter asks for, under the id that is given, or under that of a try before. `None` when somebody
/// else has begun.
pub(super) async fn begin(
    tx: &mut Tx,
    tenant: &TenantId,
    id: MailId,
    (request, now): (RequestId, Timestamp),
) -> Result<Option<RequestId>, Error> {
    let row: Option<(Option<String>,)> = on!(tx, |c| sqlx::query_as(BEGIN)
        .bind(now.micros())
        .bind(request.to_string())
        .bind(tenant.as_str())
        .bind(id.to_string())
        .fetch_optional(c)
        .await)?;
    row.and_then(|(id,)| id).map(|id| id.parse().map_err(|_| bad("request"))).transpose()
}

/// Letters whose filing was begun by `stale` and never ended wait again, until `until` at the least. Gives how many.
pub(super) async fn take_up(
    tx: &mut Tx,
    tenant: &TenantId,
    (until, stale): (Timestamp, Timestamp),
) -> Result<u64, Error> {
    Ok(change!(tx, TAKE_UP, until.micros(), tenant.as_str(), stale.micros())?)
}

/// Forgets letters whose time is over; of those that nobody confirmed it stays that there was one.
pub(super) async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    change!(tx, LAPSED, now.micros())?;
    let before = now.plus(-ANSWERED_FOR).micros();
    change!(tx, FORGET_LAPSED, before)?;
    Ok(change!(tx, EXPIRE, now.micros())?)
}
