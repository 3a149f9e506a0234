use crate::base::{StaffId, TenantId, Timestamp};
use crate::store::{Error, Tx};
use crate::{change, on};

const FACTOR: &str = "SELECT sealed, made_at, confirmed_at, last_step, failures, wait_until, reset_at, held_until \
    FROM staff_factor WHERE tenant = $1 AND staff = $2";
const LAY: &str = "INSERT INTO staff_factor (tenant, staff, sealed, made_at, failures) VALUES ($1, $2, $3, $4, 0) \
    ON CONFLICT (tenant, staff) DO UPDATE SET sealed = excluded.sealed, made_at = excluded.made_at";
const CONFIRM: &str = "UPDATE staff_factor SET confirmed_at = $1, last_step = $2, failures = 0, wait_until = NULL, \
    held_until = $3 WHERE tenant = $4 AND staff = $5 AND confirmed_at IS NULL";
const PASS: &str = "UPDATE staff_factor SET last_step = COALESCE($1, last_step), failures = 0, wait_until = NULL \
    WHERE tenant = $2 AND staff = $3";
const REFUSE: &str =
    "UPDATE staff_factor SET failures = $1, wait_until = $2 WHERE tenant = $3 AND staff = $4";
const RESET: &str = "UPDATE staff_factor SET sealed = NULL, confirmed_at = NULL, last_step = NULL, failures = 0, \
    wait_until = NULL, reset_at = $1 WHERE tenant = $2 AND staff = $3 AND sealed IS NOT NULL";
const KEEP_CODE: &str = "INSERT INTO staff_recovery (tenant, staff, code_hash) VALUES ($1, $2, $3)";
const USE_CODE: &str = "UPDATE staff_recovery SET used_at = $1 WHERE tenant = $2 AND staff = $3 AND code_hash = $4 \
    AND used_at IS NULL";
const CODES_LEFT: &str =
    "SELECT COUNT(*) FROM staff_recovery WHERE tenant = $1 AND staff = $2 AND used_at IS NULL";
const FORGET_CODES: &str = "DELETE FROM staff_recovery WHERE tenant = $1 AND staff = $2";

/// Whose factor a statement is about.
pub(in crate::subjects) type Whose<'a> = (&'a TenantId, StaffId);

/// A second factor as it is stored.
pub(in crate::subjects) struct Row {
    pub(in crate::subjects) sealed: Option<Vec<u8>>,
    pub(in crate::subjects) made_at: Timestamp,
    pub(in crate::subjects) confirmed_at: Option<Timestamp>,
    pub(in crate::subjects) last_step: Option<i64>,
    pub(in crate::subjects) failures: i64,
    pub(in crate::subjects) wait_until: Option<Timestamp>,
    pub(in crate::subjects) reset_at: Option<Timestamp>,
    pub(in crate::subjects) held_until: Option<Timestamp>,
}

type Columns = (Option<Vec<u8>>, i64, Option<i64>, Option<i64>, i64, Option<i64>, Option<i64>, Option<i64>);

pub(in crate::subjects) async fn factor(
    tx: &mut Tx,
    (tenant, staff): Whose<'_>,
) -> Result<Option<Row>, Error> {
    let row: Option<Columns> = on!(tx, |c| sqlx::query_as(FACTOR)
        .bind(tenant.as_str())
        .bind(staff.to_string())
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(sealed, made, confirmed, last_step, failures, wait, reset, held)| Row {
        sealed,
        made_at: Timestamp::from_micros(made),
        confirmed_at: confirmed.map(Timestamp::from_micros),
        last_step,
        failures,
        wait_until: wait.map(Timestamp::from_micros),
        reset_at: reset.map(Timestamp::from_micros),
        held_until: held.map(Timestamp::from_micros),
    }))
}

/// A secret that waits for its first code.
pub(in crate::subjects) async fn lay(
    tx: &mut Tx,
    (tenant, staff): Whose<'_>,
    sealed: &[u8],
    now: Timestamp,
) -> Result<(), Error> {
    change!(tx, LAY, tenant.as_str(), staff.to_string(), sealed, now.micros())?;
    Ok(())
}

pub(in crate::subjects) async fn confirm(
    tx: &mut Tx,
    (tenant, staff): Whose<'_>,
    (step, now, held_until): (i64, Timestamp, Option<Timestamp>),
) -> Result<(), Error> {
    change!(
        tx,
        CONFIRM,
        now.micros(),
        step,
        held_until.map(Timestamp::micros),
        tenant.as_str(),
        staff.to_string()
    )?;
    Ok(())
}

/// A code was right: `step` is the one it was of, unless it was a recovery code.
pub(in crate::subjects) async fn pass(
    tx: &mut Tx,
    (tenant, staff): Whose<'_>,
    step: Option<i64>,
) -> Result<(), Error> {
    change!(tx, PASS, step, tenant.as_str(), staff.to_string())?;
    Ok(())
}

pub(in crate::subjects) async fn refuse(
    tx: &mut Tx,
    (tenant, staff): Whose<'_>,
    failures: i64,
    wait_until: Option<Timestamp>,
) -> Result<(), Error> {
    change!(tx, REFUSE, failures, wait_until.map(Timestamp::micros), tenant.as_str(), staff.to_string())?;
    Ok(())
}

/// Blanks the secret and forgets the codes. `false` when there was no secret.
pub(in crate::subjects) async fn reset(
    tx: &mut Tx,
    (tenant, staff): Whose<'_>,
    now: Timestamp,
) -> Result<bool, Error> {
    let n = change!(tx, RESET, now.micros(), tenant.as_str(), staff.to_string())?;
    forget_codes(tx, (tenant, staff)).await?;
    Ok(n == 1)
}

/// Forgets the codes of a member, used or not.
pub(in crate::subjects) async fn forget_codes(tx: &mut Tx, (tenant, staff): Whose<'_>) -> Result<(), Error> {
    change!(tx, FORGET_CODES, tenant.as_str(), staff.to_string())?;
    Ok(())
}

pub(in crate::subjects) async fn keep_code(
    tx: &mut Tx,
    (tenant, staff): Whose<'_>,
    hash: &[u8],
) -> Result<(), Error> {
    change!(tx, KEEP_CODE, tenant.as_str(), staff.to_string(), hash)?;
    Ok(())
}

/// Uses a recovery code up. `false` when there is none such, or it was used.
pub(in crate::subjects) async fn use_code(
    tx: &mut Tx,
    (tenant, staff): Whose<'_>,
    hash: &[u8],
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(change!(tx, USE_CODE, now.micros(), tenant.as_str(), staff.to_string(), hash)? == 1)
}

pub(in crate::subjects) async fn codes_left(tx: &mut Tx, (tenant, staff): Whose<'_>) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(CODES_LEFT)
        .bind(tenant.as_str())
        .bind(staff.to_string())
        .fetch_one(c)
        .await)?;
    Ok(n)
}
