use crate::base::{StaffId, SubjectId, TenantId, Timestamp};
use crate::store::{Error, Tx};
use crate::{change, on};

const SEAL: &str = "UPDATE sign_in SET sealed = $1 WHERE tenant = $2 AND token_hash = $3";
const WAITING: &str = "SELECT sealed, expires_at, opened FROM sign_in WHERE tenant = $1 AND token_hash = $2 AND sealed IS NOT NULL \
    AND used_at IS NULL AND expires_at > $3";
const ENDS: &str = "SELECT expires_at FROM sign_in WHERE tenant = $1 AND token_hash = $2 AND used_at IS NULL AND expires_at > $3";
const SETTLE: &str =
    "UPDATE sign_in SET subject = $1, staff = $2 WHERE tenant = $3 AND token_hash = $4 AND used_at IS NULL";
const OPENED: &str = "UPDATE sign_in SET opened = 1 WHERE tenant = $1 AND token_hash = $2";
const BLANK: &str = "UPDATE sign_in SET sealed = NULL WHERE tenant = $1 AND token_hash = $2";

/// What the letter of a link is to say.
pub(in crate::subjects) async fn seal(
    tx: &mut Tx,
    tenant: &TenantId,
    hash: &[u8],
    sealed: &[u8],
) -> Result<(), Error> {
    change!(tx, SEAL, sealed, tenant.as_str(), hash)?;
    Ok(())
}

/// What a letter that was not sent is to say, until when its link works, and whether an account was opened for it.
pub(in crate::subjects) async fn waiting(
    tx: &mut Tx,
    tenant: &TenantId,
    hash: &[u8],
    now: Timestamp,
) -> Result<Option<(Vec<u8>, Timestamp, bool)>, Error> {
    let row: Option<(Vec<u8>, i64, i64)> = on!(tx, |c| sqlx::query_as(WAITING)
        .bind(tenant.as_str())
        .bind(hash)
        .bind(now.micros())
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(sealed, expires, opened)| (sealed, Timestamp::from_micros(expires), opened == 1)))
}

/// Until when a link works, if it does.
pub(in crate::subjects) async fn ends(
    tx: &mut Tx,
    tenant: &TenantId,
    hash: &[u8],
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(ENDS)
        .bind(tenant.as_str())
        .bind(hash)
        .bind(now.micros())
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(expires,)| Timestamp::from_micros(expires)))
}

/// Whose a link is.
pub(in crate::subjects) async fn settle(
    tx: &mut Tx,
    tenant: &TenantId,
    hash: &[u8],
    (subject, staff): (Option<SubjectId>, Option<StaffId>),
) -> Result<(), Error> {
    change!(
        tx,
        SETTLE,
        subject.map(|id| id.to_string()),
        staff.map(|id| id.to_string()),
        tenant.as_str(),
        hash
    )?;
    Ok(())
}

/// An account was opened for it.
pub(in crate::subjects) async fn opened(tx: &mut Tx, tenant: &TenantId, hash: &[u8]) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(OPENED).bind(tenant.as_str()).bind(hash).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// The letter went.
pub(in crate::subjects) async fn blank(tx: &mut Tx, tenant: &TenantId, hash: &[u8]) -> Result<(), Error> {
    change!(tx, BLANK, tenant.as_str(), hash)?;
    Ok(())
}
