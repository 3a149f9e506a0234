//! Last letters, by the erasure that they tell of.

use crate::base::{TenantId, Timestamp};
use crate::store::{Error, Tx};
use crate::vault::Owner;
use crate::{change, on};

const INSERT: &str = "INSERT INTO last_letter (erasure, tenant, sealed, at) VALUES ($1, $2, $3, $4)";
const OWED: &str = "SELECT l.erasure, l.sealed FROM last_letter l JOIN erasure e ON e.tenant = l.tenant AND e.id = l.erasure \
    WHERE l.tenant = $1 AND (e.state IN ('verified', 'closed') OR l.at <= $3) AND (l.tried_at IS NULL OR l.tried_at <= $2) \
    ORDER BY l.at, l.erasure LIMIT 100";
const ALL: &str = "SELECT erasure FROM last_letter WHERE tenant = $1";
const TRY: &str = "UPDATE last_letter SET tried_at = $1 WHERE tenant = $2 AND erasure = $3 \
    AND (tried_at IS NULL OR tried_at <= $4)";
const GONE: &str = "DELETE FROM last_letter WHERE tenant = $1 AND erasure = $2";
const OF_PERSON: &str = "DELETE FROM last_letter WHERE tenant = $1 AND erasure IN \
    (SELECT id FROM erasure WHERE tenant = $1 AND subject = $2)";
const EXPIRE: &str = "DELETE FROM last_letter WHERE at <= $1";

pub(in crate::requests) async fn insert(
    tx: &mut Tx,
    (tenant, erasure): (&TenantId, &str),
    sealed: &[u8],
    at: Timestamp,
) -> Result<(), Error> {
    change!(tx, INSERT, erasure, tenant.as_str(), sealed, at.micros())?;
    Ok(())
}

/// Those of finished erasures, and of any that began before `late`, that nobody has tried to send since `tried`.
pub(in crate::requests) async fn owed(
    tx: &mut Tx,
    tenant: &TenantId,
    (tried, late): (Timestamp, Timestamp),
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(OWED)
        .bind(tenant.as_str())
        .bind(tried.micros())
        .bind(late.micros())
        .fetch_all(c)
        .await)?)
}

/// The erasures of all that are there.
pub(in crate::requests) async fn all(tx: &mut Tx, tenant: &TenantId) -> Result<Vec<String>, Error> {
    let rows: Vec<(String,)> = on!(tx, |c| sqlx::query_as(ALL).bind(tenant.as_str()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(erasure,)| erasure).collect())
}

/// `false` when it went, or another has tried since `tried`.
pub(in crate::requests) async fn try_now(
    tx: &mut Tx,
    (tenant, erasure): (&TenantId, &str),
    (now, tried): (Timestamp, Timestamp),
) -> Result<bool, Error> {
    Ok(change!(tx, TRY, now.micros(), tenant.as_str(), erasure, tried.micros())? == 1)
}

pub(in crate::requests) async fn gone(tx: &mut Tx, tenant: &TenantId, erasure: &str) -> Result<(), Error> {
    change!(tx, GONE, tenant.as_str(), erasure)?;
    Ok(())
}

/// Removes that of a person whom a backup brought back: they had theirs, or its time is over.
pub(in crate::requests) async fn of_person(tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
    change!(tx, OF_PERSON, owner.tenant.as_str(), owner.subject.to_string())?;
    Ok(())
}

pub(in crate::requests) async fn expire(tx: &mut Tx, before: Timestamp) -> Result<(), Error> {
    change!(tx, EXPIRE, before.micros())?;
    Ok(())
}
