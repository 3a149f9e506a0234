//! Answers kept so that a call that is sent twice has its effect once (the `Idempotency-Key` header,
//! draft-ietf-httpapi-idempotency-key-header).

use super::{Error, Tx, sql};
use crate::base::{TenantId, Timestamp};
use crate::on;

/// Which call: who made it, where, under which key. The key is hashed: callers put odd things into it.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The caller, as an id.
    pub caller: &'a str,
    /// Method and route template.
    pub route: &'a str,
    /// SHA-256 of the key.
    pub key_hash: &'a [u8],
}

/// What is known of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The first time it is seen; it is now marked as running.
    New,
    /// Running at this moment.
    Running,
    /// The key was used for another request.
    Different,
    /// Answered: status and (sealed) body.
    Answered(u16, Vec<u8>),
}

type AnswerRow = (Vec<u8>, String, Option<i64>, Option<Vec<u8>>);

/// Looks a call up and marks it as running when it is new.
pub async fn begin(
    tx: &mut Tx,
    call: &Call<'_>,
    request_hash: &[u8],
    now: Timestamp,
) -> Result<Found, Error> {
    let inserted = on!(tx, |c| sqlx::query(sql::IDEM_BEGIN)
        .bind(call.tenant.as_str())
        .bind(call.caller)
        .bind(call.route)
        .bind(call.key_hash)
        .bind(request_hash)
        .bind(now.micros())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    if inserted == 1 {
        return Ok(Found::New);
    }

    let row: Option<AnswerRow> = on!(tx, |c| sqlx::query_as(sql::IDEM_FIND)
        .bind(call.tenant.as_str())
        .bind(call.caller)
        .bind(call.route)
        .bind(call.key_hash)
        .fetch_optional(c)
        .await)?;
    let Some((hash, _, status, body)) = row else { return Err(Error::Busy) };
    if hash != request_hash {
        return Ok(Found::Different);
    }
    match (status, body) {
        (Some(status), Some(body)) => {
            let status = u16::try_from(status).map_err(|_| Error::inconsistent("idempotency", "status"))?;
            Ok(Found::Answered(status, body))
        }
        _ => Ok(Found::Running),
    }
}

/// Keeps the answer.
pub async fn finish(tx: &mut Tx, call: &Call<'_>, status: u16, body: &[u8]) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(sql::IDEM_FINISH)
        .bind(i64::from(status))
        .bind(body)
        .bind(call.tenant.as_str())
        .bind(call.caller)
        .bind(call.route)
        .bind(call.key_hash)
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// Forgets a call that failed before it had an effect, so that it can be tried again.
pub async fn abandon(tx: &mut Tx, call: &Call<'_>) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(sql::IDEM_ABANDON)
        .bind(call.tenant.as_str())
        .bind(call.caller)
        .bind(call.route)
        .bind(call.key_hash)
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// Forgets answers kept since before `limit`.
pub async fn expire(tx: &mut Tx, limit: Timestamp) -> Result<u64, Error> {
    Ok(on!(tx, |c| sqlx::query(sql::IDEM_EXPIRE)
        .bind(limit.micros())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?)
}

/// Forgets every answer given to a caller: part of erasing a person.
pub async fn forget(tx: &mut Tx, tenant: &TenantId, caller: &str) -> Result<u64, Error> {
    Ok(on!(tx, |c| sqlx::query(sql::IDEM_FORGET)
        .bind(tenant.as_str())
        .bind(caller)
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?)
}
