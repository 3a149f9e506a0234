//! Holds.

use crate::base::{HoldId, StaffId, TenantId, Timestamp};
use crate::retention::Hold;
use crate::store::{Error, Tx};
use crate::vault::Owner;
use crate::{change, on};

const INSERT_HOLD: &str = "INSERT INTO hold (id, tenant, subject, category, matter, reason, placed_by, placed_at, review_at, \
    untold) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const HOLDS: &str = "SELECT id, subject, category, matter, reason, placed_by, placed_at, review_at, released_at, approved_by, \
    approved_at, untold, told_at FROM hold WHERE tenant = $1 ORDER BY id DESC LIMIT 500";
const HOLD: &str = "SELECT id, subject, category, matter, reason, placed_by, placed_at, review_at, released_at, approved_by, \
    approved_at, untold, told_at FROM hold WHERE tenant = $1 AND id = $2";
const UNTOLD_HOLDS: &str = "SELECT id, subject, category, matter, reason, placed_by, placed_at, review_at, released_at, \
    approved_by, approved_at, untold, told_at FROM hold WHERE tenant = $1 AND subject IS NOT NULL AND released_at IS NULL \
    AND untold IS NULL AND told_at IS NULL AND (tried_at IS NULL OR tried_at <= $2) ORDER BY id LIMIT 100";
const TRY_TO_TELL: &str = "UPDATE hold SET tried_at = $1 WHERE tenant = $2 AND id = $3 AND told_at IS NULL \
    AND (tried_at IS NULL OR tried_at <= $4)";
const HOLDS_OF: &str = "SELECT id, subject, category, matter, reason, placed_by, placed_at, review_at, released_at, \
    approved_by, approved_at, untold, told_at FROM hold WHERE tenant = $1 AND (subject IS NULL OR subject = $2) \
    AND released_at IS NULL AND untold IS NULL ORDER BY id LIMIT 100";
const APPROVE_HOLD: &str = "UPDATE hold SET approved_by = $1, approved_at = $2 WHERE tenant = $3 AND id = $4 \
    AND released_at IS NULL AND approved_at IS NULL AND placed_by <> $1";
const REVIEW_HOLD: &str =
    "UPDATE hold SET review_at = $1 WHERE tenant = $2 AND id = $3 AND released_at IS NULL";
const HOLD_TOLD: &str = "UPDATE hold SET told_at = $1 WHERE tenant = $2 AND id = $3 AND told_at IS NULL";
const RELEASE_HOLD: &str = "UPDATE hold SET released_by = $1, released_at = $2 WHERE tenant = $3 AND id = $4 AND released_at IS NULL";
const RELEASE_AGAIN: &str = "UPDATE hold SET released_by = 'ledger', released_at = $1 WHERE tenant = $2 AND id = $3 \
    AND released_at IS NULL";

pub(in crate::retention) async fn insert_hold(
    tx: &mut Tx,
    tenant: &TenantId,
    hold: &Hold,
) -> Result<(), Error> {
    change!(
        tx,
        INSERT_HOLD,
        hold.id.to_string(),
        tenant.as_str(),
        hold.subject.map(|id| id.to_string()),
        &hold.category,
        &hold.matter,
        &hold.reason,
        &hold.placed_by,
        hold.placed_at.micros(),
        hold.review_at.micros(),
        &hold.untold
    )?;
    Ok(())
}

type HoldRow = (
    String,
    Option<String>,
    Option<String>,
    String,
    String,
    String,
    i64,
    i64,
    Option<i64>,
    Option<String>,
    Option<i64>,
    Option<String>,
    Option<i64>,
);

pub(in crate::retention) async fn holds(tx: &mut Tx, tenant: &TenantId) -> Result<Vec<Hold>, Error> {
    let rows: Vec<HoldRow> = on!(tx, |c| sqlx::query_as(HOLDS).bind(tenant.as_str()).fetch_all(c).await)?;
    rows.into_iter().map(hold_of).collect()
}

/// Holds of which somebody must be told and was not, and that was not tried since `tried`.
pub(in crate::retention) async fn untold_holds(
    tx: &mut Tx,
    tenant: &TenantId,
    tried: Timestamp,
) -> Result<Vec<Hold>, Error> {
    let rows: Vec<HoldRow> = on!(tx, |c| sqlx::query_as(UNTOLD_HOLDS)
        .bind(tenant.as_str())
        .bind(tried.micros())
        .fetch_all(c)
        .await)?;
    rows.into_iter().map(hold_of).collect()
}

pub(in crate::retention) async fn holds_of(tx: &mut Tx, owner: &Owner) -> Result<Vec<Hold>, Error> {
    let rows: Vec<HoldRow> = on!(tx, |c| sqlx::query_as(HOLDS_OF)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_all(c)
        .await)?;
    rows.into_iter().map(hold_of).collect()
}

pub(in crate::retention) async fn hold(
    tx: &mut Tx,
    tenant: &TenantId,
    id: HoldId,
) -> Result<Option<Hold>, Error> {
    let row: Option<HoldRow> =
        on!(tx, |c| sqlx::query_as(HOLD).bind(tenant.as_str()).bind(id.to_string()).fetch_optional(c).await)?;
    row.map(hold_of).transpose()
}

fn hold_of(row: HoldRow) -> Result<Hold, Error> {
    let (
        id,
        subject,
        category,
        matter,
        reason,
        placed_by,
        placed,
        review,
        released,
        by,
        approved,
        untold,
        told,
    ) = row;
    let subject = subject.map(|s| s.parse()).transpose();
    Ok(Hold {
        id: id.parse().map_err(|_| Error::inconsistent("hold", "id"))?,
        subject: subject.map_err(|_| Error::inconsistent("hold", "subject"))?,
        category,
        matter,
        reason,
        placed_by,
        placed_at: Timestamp::from_micros(placed),
        review_at: Timestamp::from_micros(review),
        released_at: released.map(Timestamp::from_micros),
        approved_by: by,
        approved_at: approved.map(Timestamp::from_micros),
        untold,
        told_at: told.map(Timestamp::from_micros),
    })
}

pub(in crate::retention) async fn release_again(
    tx: &mut Tx,
    tenant: &TenantId,
    id: HoldId,
    at: Timestamp,
) -> Result<bool, Error> {
    Ok(change!(tx, RELEASE_AGAIN, at.micros(), tenant.as_str(), id.to_string())? == 1)
}

/// What becomes of a hold that is in force.
#[derive(Debug, Clone, Copy)]
pub(in crate::retention) enum Becomes {
    /// A second person answers for it.
    Approved(StaffId),
    /// It is looked at again then.
    Reviewed(Timestamp),
    /// It is lifted.
    Released(StaffId),
}

/// `false` when it was lifted meanwhile, or somebody else was quicker.
pub(in crate::retention) async fn becomes(
    tx: &mut Tx,
    (tenant, id): (&TenantId, HoldId),
    what: Becomes,
    now: Timestamp,
) -> Result<bool, Error> {
    let (tenant, id, now) = (tenant.as_str(), id.to_string(), now.micros());
    let n = match what {
        Becomes::Approved(by) => change!(tx, APPROVE_HOLD, by.to_string(), now, tenant, &id),
        Becomes::Reviewed(next) => change!(tx, REVIEW_HOLD, next.micros(), tenant, &id),
        Becomes::Released(by) => change!(tx, RELEASE_HOLD, by.to_string(), now, tenant, &id),
    };
    Ok(n? == 1)
}

/// Notes that it is tried now to tell somebody of a hold. `false` when another has, or tried since `tried`.
pub(in crate::retention) async fn try_to_tell(
    tx: &mut Tx,
    tenant: &TenantId,
    id: HoldId,
    (now, tried): (Timestamp, Timestamp),
) -> Result<bool, Error> {
    Ok(change!(tx, TRY_TO_TELL, now.micros(), tenant.as_str(), id.to_string(), tried.micros())? == 1)
}

pub(in crate::retention) async fn hold_told(
    tx: &mut Tx,
    tenant: &TenantId,
    id: HoldId,
    now: Timestamp,
) -> Result<(), Error> {
    change!(tx, HOLD_TOLD, now.micros(), tenant.as_str(), id.to_string())?;
    Ok(())
}
