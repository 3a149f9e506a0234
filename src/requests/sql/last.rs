//! Last letters, by the erasure that they tell of.

use crate::base::{TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};
use crate::vault::Owner;

const INSERT: &str = "INSERT INTO last_letter (erasure, tenant, sealed, at) VALUES ($1, $2, $3, $4)";
const OWED: &str = "SELECT l.erasure, l.sealed FROM last_letter l JOIN erasure e ON e.tenant = l.tenant AND e.id = l.erasure \
    WHERE l.tenant = $1 AND e.state IN ('verified', 'closed') AND (l.tried_at IS NULL OR l.tried_at <= $2) \
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
    on!(tx, |c| sqlx::query(INSERT)
        .bind(erasure)
        .bind(tenant.as_str())
        .bind(sealed)
        .bind(at.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// Those of finished erasures that nobody has tried to send since `tried`.
pub(in crate::requests) async fn owed(
    tx: &mut Tx,
    tenant: &TenantId,
    tried: Timestamp,
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(OWED).bind(tenant.as_str()).bind(tried.micros()).fetch_all(c).await)?)
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
    let n = on!(tx, |c| sqlx::query(TRY)
        .bind(now.micros())
        .bind(tenant.as_str())
        .bind(erasure)
        .bind(tried.micros())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(in crate::requests) async fn gone(tx: &mut Tx, tenant: &TenantId, erasure: &str) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(GONE).bind(tenant.as_str()).bind(erasure).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Removes that of a person whom a backup brought back: they had theirs, or its time is over.
pub(in crate::requests) async fn of_person(tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(OF_PERSON)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

pub(in crate::requests) async fn expire(tx: &mut Tx, before: Timestamp) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(EXPIRE).bind(before.micros()).execute(c).await.map(|_| ()))?;
    Ok(())
}
