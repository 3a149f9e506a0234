use super::reckon::Pass;
use super::{Hold, Swept};
use crate::base::{HoldId, StaffId, TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};
use crate::vault::{Owner, Shape};

const INSERT_SWEEP: &str = "INSERT INTO sweep (id, tenant, rule, category, at, erased, lateness, entry) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const ERASED_SINCE: &str = "SELECT rule, category, CAST(SUM(erased) AS BIGINT) FROM sweep \
    WHERE tenant = $1 AND at >= $2 GROUP BY rule, category";
const INSERT_HOLD: &str = "INSERT INTO hold (id, tenant, subject, category, matter, reason, placed_by, placed_at, review_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const HOLDS: &str = "SELECT id, subject, category, matter, reason, placed_by, placed_at, review_at, released_at FROM hold \
    WHERE tenant = $1 ORDER BY id DESC LIMIT 500";
const HOLD: &str = "SELECT id, subject, category, matter, reason, placed_by, placed_at, review_at, released_at FROM hold \
    WHERE tenant = $1 AND id = $2";
const RELEASE_HOLD: &str = "UPDATE hold SET released_by = $1, released_at = $2 WHERE tenant = $3 AND id = $4 AND released_at IS NULL";
const LONGEST_UNUSED: &str = "SELECT id, last_active_at, warnings, warned_at, policy_version FROM subject WHERE tenant = $1 \
    AND state = 'active' AND (last_active_at > $2 OR (last_active_at = $2 AND id > $3)) ORDER BY last_active_at, id LIMIT $4";
const WARNED: &str =
    "UPDATE subject SET warnings = $1, warned_at = $2 WHERE tenant = $3 AND id = $4 AND state = 'active'";

const PASS: &str = "SELECT kind, reached, looked, moved, finished_at FROM policy_reckoning \
    WHERE tenant = $1 AND version = $2 AND pass = $3";
const BEGIN_PASS: &str = "INSERT INTO policy_reckoning (kind, reached, looked, moved, finished_at, tenant, version, pass, \
    started_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const NOTE_PASS: &str = "UPDATE policy_reckoning SET kind = $1, reached = $2, looked = $3, moved = $4, finished_at = $5 \
    WHERE tenant = $6 AND version = $7 AND pass = $8";

pub(super) async fn insert_sweep(tx: &mut Tx, run: &Swept, now: Timestamp, entry: &str) -> Result<(), Error> {
    // A run's id is its ledger entry's: one to one.
    on!(tx, |c| sqlx::query(INSERT_SWEEP)
        .bind(entry)
        .bind(run.tenant.as_str())
        .bind(&run.rule)
        .bind(&run.category)
        .bind(now.micros())
        .bind(i64::try_from(run.erased).unwrap_or(i64::MAX))
        .bind(run.lateness.num_microseconds().unwrap_or(i64::MAX))
        .bind(entry)
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

pub(super) async fn erased_since(
    tx: &mut Tx,
    tenant: &TenantId,
    since: Timestamp,
) -> Result<Vec<(String, String, i64)>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(ERASED_SINCE)
        .bind(tenant.as_str())
        .bind(since.micros())
        .fetch_all(c)
        .await)?)
}

pub(super) async fn insert_hold(tx: &mut Tx, tenant: &TenantId, hold: &Hold) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT_HOLD)
        .bind(hold.id.to_string())
        .bind(tenant.as_str())
        .bind(hold.subject.map(|id| id.to_string()))
        .bind(&hold.category)
        .bind(&hold.matter)
        .bind(&hold.reason)
        .bind(&hold.placed_by)
        .bind(hold.placed_at.micros())
        .bind(hold.review_at.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

type HoldRow = (String, Option<String>, Option<String>, String, String, String, i64, i64, Option<i64>);

pub(super) async fn holds(tx: &mut Tx, tenant: &TenantId) -> Result<Vec<Hold>, Error> {
    let rows: Vec<HoldRow> = on!(tx, |c| sqlx::query_as(HOLDS).bind(tenant.as_str()).fetch_all(c).await)?;
    rows.into_iter().map(hold_of).collect()
}

pub(super) async fn hold(tx: &mut Tx, tenant: &TenantId, id: HoldId) -> Result<Option<Hold>, Error> {
    let row: Option<HoldRow> =
        on!(tx, |c| sqlx::query_as(HOLD).bind(tenant.as_str()).bind(id.to_string()).fetch_optional(c).await)?;
    row.map(hold_of).transpose()
}

fn hold_of(row: HoldRow) -> Result<Hold, Error> {
    let (id, subject, category, matter, reason, placed_by, placed, review, released) = row;
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
    })
}

pub(super) async fn release_hold(
    tx: &mut Tx,
    tenant: &TenantId,
    id: HoldId,
    by: StaffId,
    now: Timestamp,
) -> Result<bool, Error> {
    let n = on!(tx, |c| sqlx::query(RELEASE_HOLD)
        .bind(by.to_string())
        .bind(now.micros())
        .bind(tenant.as_str())
        .bind(id.to_string())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// A person who may have been away for long.
pub(super) struct Unused {
    pub(super) owner: Owner,
    pub(super) last_active: Timestamp,
    pub(super) warnings: i64,
    pub(super) warned_at: Option<Timestamp>,
    /// The version that was in force when they came.
    pub(super) policy_version: String,
}

/// A page of a tenant's people, those first who were away the longest; `after` is the last of the page before.
pub(super) async fn longest_unused(
    tx: &mut Tx,
    tenant: &TenantId,
    after: Option<&Unused>,
    most: i64,
) -> Result<Vec<Unused>, Error> {
    let from =
        after.map_or((i64::MIN, String::new()), |u| (u.last_active.micros(), u.owner.subject.to_string()));
    let rows: Vec<(String, i64, i64, Option<i64>, String)> = on!(tx, |c| sqlx::query_as(LONGEST_UNUSED)
        .bind(tenant.as_str())
        .bind(from.0)
        .bind(&from.1)
        .bind(most)
        .fetch_all(c)
        .await)?;
    rows.into_iter()
        .map(|(id, at, warnings, warned, policy_version)| {
            let subject = id.parse().map_err(|_| Error::inconsistent("subject", "id"))?;
            Ok(Unused {
                owner: Owner::new(tenant, subject),
                last_active: Timestamp::from_micros(at),
                warnings,
                warned_at: warned.map(Timestamp::from_micros),
                policy_version,
            })
        })
        .collect()
}

pub(super) async fn warned(tx: &mut Tx, owner: &Owner, number: i64, now: Timestamp) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(WARNED)
        .bind(number)
        .bind(now.micros())
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// How far a pass has come, if it was begun.
pub(super) async fn pass(
    tx: &mut Tx,
    tenant: &TenantId,
    version: &str,
    number: i64,
) -> Result<Option<Pass>, Error> {
    let row: Option<(String, String, i64, i64, Option<i64>)> = on!(tx, |c| sqlx::query_as(PASS)
        .bind(tenant.as_str())
        .bind(version)
        .bind(number)
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(kind, reached, looked, moved, finished)| Pass {
        tenant: tenant.clone(),
        version: version.to_owned(),
        number,
        shape: if kind == "object" { Shape::Object } else { Shape::Record },
        reached,
        looked,
        moved,
        finished: finished.map(Timestamp::from_micros),
    }))
}

pub(super) async fn note_pass(tx: &mut Tx, pass: &Pass, fresh: bool, now: Timestamp) -> Result<(), Error> {
    let kind = match pass.shape {
        Shape::Object => "object",
        Shape::Record => "record",
    };
    let statement = if fresh { BEGIN_PASS } else { NOTE_PASS };
    on!(tx, |c| {
        let query = sqlx::query(statement)
            .bind(kind)
            .bind(&pass.reached)
            .bind(pass.looked)
            .bind(pass.moved)
            .bind(pass.finished.map(Timestamp::micros))
            .bind(pass.tenant.as_str())
            .bind(&pass.version)
            .bind(pass.number);
        let query = if fresh { query.bind(now.micros()) } else { query };
        query.execute(c).await.map(|_| ())
    })?;
    Ok(())
}
