use crate::base::{StaffId, SubjectId, TenantId, Timestamp};
use crate::policy::Role;
use crate::store::{Error, Tx};
use crate::{change, on};

const END_ALL_SESSIONS: &str = "DELETE FROM session WHERE token_hash IS NOT NULL";
const END_ALL_LINKS: &str = "DELETE FROM sign_in WHERE token_hash IS NOT NULL";
const VOID_CODES: &str = "DELETE FROM staff_recovery WHERE code_hash IS NOT NULL";
const SUBJECTS: &str = "SELECT tenant, id FROM subject WHERE id > $1 ORDER BY id LIMIT 500";
const DISABLE_STAFF: &str =
    "UPDATE staff SET disabled_at = $1 WHERE tenant = $2 AND id = $3 AND disabled_at IS NULL";
const SET_ROLE: &str = "UPDATE staff SET role = $1 WHERE tenant = $2 AND id = $3 AND role <> $1";

/// Sessions that ended; links go with them.
pub(in crate::subjects) async fn end_all(tx: &mut Tx) -> Result<u64, Error> {
    let ended = change!(tx, END_ALL_SESSIONS)?;
    change!(tx, END_ALL_LINKS)?;
    Ok(ended)
}

/// Forgets every recovery code of every member of staff.
pub(in crate::subjects) async fn void_codes(tx: &mut Tx) -> Result<u64, Error> {
    Ok(change!(tx, VOID_CODES)?)
}

/// People of all tenants, in the order of their ids.
pub(in crate::subjects) async fn people(
    tx: &mut Tx,
    after: &str,
) -> Result<Vec<(TenantId, SubjectId)>, Error> {
    let rows: Vec<(String, String)> = on!(tx, |c| sqlx::query_as(SUBJECTS).bind(after).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(tenant, id)| {
            let tenant = tenant.parse().map_err(|_| Error::inconsistent("subject", "tenant"))?;
            Ok((tenant, id.parse().map_err(|_| Error::inconsistent("subject", "id"))?))
        })
        .collect()
}

pub(in crate::subjects) async fn disable_staff(
    tx: &mut Tx,
    tenant: &TenantId,
    id: StaffId,
    at: Timestamp,
) -> Result<bool, Error> {
    Ok(change!(tx, DISABLE_STAFF, at.micros(), tenant.as_str(), id.to_string())? == 1)
}

pub(in crate::subjects) async fn set_role(
    tx: &mut Tx,
    tenant: &TenantId,
    id: StaffId,
    role: Role,
) -> Result<bool, Error> {
    Ok(change!(tx, SET_ROLE, role.as_str(), tenant.as_str(), id.to_string())? == 1)
}
