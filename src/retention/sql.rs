pub(super) mod beside;
pub(super) mod holds;

use super::Swept;
use super::notices::Window;
use super::reckon::Pass;
use crate::base::{SubjectId, TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};
use crate::vault::{Owner, Shape};

const INSERT_SWEEP: &str = "INSERT INTO sweep (id, tenant, rule, category, at, erased, lateness, entry) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const ERASED_SINCE: &str = "SELECT rule, category, CAST(SUM(erased) AS BIGINT) FROM sweep \
    WHERE tenant = $1 AND at >= $2 GROUP BY rule, category";
const LONGEST_UNUSED: &str = "SELECT id, last_active_at, warnings, warned_at, policy_version FROM subject WHERE tenant = $1 \
    AND state = 'active' AND (last_active_at > $2 OR (last_active_at = $2 AND id > $3)) ORDER BY last_active_at, id LIMIT $4";
const LAST_ACTIVE: &str =
    "SELECT last_active_at FROM subject WHERE tenant = $1 AND id = $2 AND state = 'active'";
const WARNED: &str =
    "UPDATE subject SET warnings = $1, warned_at = $2 WHERE tenant = $3 AND id = $4 AND state = 'active'";

/// The first that is due under a rule of each person who was not told of it.
const UNTOLD: &str = "SELECT d.subject, MIN(d.due_at), COUNT(*) FROM (SELECT subject, due_at FROM object \
    WHERE tenant = $1 AND due_at <= $3 AND rule = $2 AND state = 'live' UNION ALL SELECT subject, due_at FROM record \
    WHERE tenant = $1 AND due_at <= $3 AND rule = $2) d JOIN subject s ON s.tenant = $1 AND s.id = d.subject \
    AND s.state = 'active' WHERE d.subject > $4 AND NOT EXISTS (SELECT 1 FROM notice n WHERE n.tenant = $1 \
    AND n.subject = d.subject AND n.rule = $2 AND n.after_at < d.due_at AND d.due_at <= n.until_at) \
    GROUP BY d.subject ORDER BY d.subject LIMIT 500";
const UNFINISHED: &str = "SELECT n.subject, n.after_at, n.until_at, n.goes_at, n.number, n.told_at, \
    (SELECT COUNT(*) FROM object o WHERE o.tenant = n.tenant AND o.subject = n.subject AND o.rule = n.rule \
    AND o.state = 'live' AND o.due_at > n.after_at AND o.due_at <= n.until_at) + \
    (SELECT COUNT(*) FROM record r WHERE r.tenant = n.tenant AND r.subject = n.subject AND r.rule = n.rule \
    AND r.due_at > n.after_at AND r.due_at <= n.until_at) FROM notice n WHERE n.tenant = $1 AND n.rule = $2 \
    AND n.number < $3 ORDER BY n.subject, n.after_at LIMIT 10000";
const WINDOWS: &str = "SELECT after_at, until_at, goes_at, number, told_at FROM notice \
    WHERE tenant = $1 AND subject = $2 AND rule = $3";
const TOLD: &str = "INSERT INTO notice (tenant, subject, rule, after_at, until_at, goes_at, number, told_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant, subject, rule, after_at) DO UPDATE SET \
    until_at = excluded.until_at, goes_at = excluded.goes_at, number = excluded.number, told_at = excluded.told_at";
const PUT_OFF_OBJECTS: &str = "UPDATE object SET due_at = $1 WHERE tenant = $2 AND subject = $3 AND rule = $4 \
    AND due_at > $5 AND due_at < $1";
const PUT_OFF_RECORDS: &str = "UPDATE record SET due_at = $1 WHERE tenant = $2 AND subject = $3 AND rule = $4 \
    AND due_at > $5 AND due_at < $1";
const EXPIRE_NOTICES: &str = "DELETE FROM notice WHERE until_at < $1";

/// Of each person after `after` who was not told of what is due under a rule by `by`: who, the first moment, how many.
pub(super) async fn untold(
    tx: &mut Tx,
    (tenant, rule): (&TenantId, &str),
    by: Timestamp,
    after: &str,
) -> Result<Vec<(SubjectId, Timestamp, i64)>, Error> {
    let rows: Vec<(String, i64, i64)> = on!(tx, |c| sqlx::query_as(UNTOLD)
        .bind(tenant.as_str())
        .bind(rule)
        .bind(by.micros())
        .bind(after)
        .fetch_all(c)
        .await)?;
    rows.into_iter()
        .map(|(id, first, n)| {
            let id = id.parse().map_err(|_| Error::inconsistent("record", "subject"))?;
            Ok((id, Timestamp::from_micros(first), n))
        })
        .collect()
}

/// Windows of which people were told fewer than `enough` times, and how many things are in each.
pub(super) async fn unfinished_notices(
    tx: &mut Tx,
    (tenant, rule): (&TenantId, &str),
    enough: i64,
) -> Result<Vec<(SubjectId, Window, i64)>, Error> {
    type Row = (String, i64, i64, i64, i64, i64, i64);
    let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(UNFINISHED)
        .bind(tenant.as_str())
        .bind(rule)
        .bind(enough)
        .fetch_all(c)
        .await)?;
    rows.into_iter()
        .map(|(id, after, until, goes, number, told, things)| {
            let id = id.parse().map_err(|_| Error::inconsistent("notice", "subject"))?;
            Ok((id, window((after, until, goes, number, told)), things))
        })
        .collect()
}

fn window((after, until, goes, number, told): (i64, i64, i64, i64, i64)) -> Window {
    Window {
        after: Timestamp::from_micros(after),
        until: Timestamp::from_micros(until),
        goes_at: Timestamp::from_micros(goes),
        number,
        told_at: Timestamp::from_micros(told),
    }
}

pub(super) async fn windows(tx: &mut Tx, owner: &Owner, rule: &str) -> Result<Vec<Window>, Error> {
    let rows: Vec<(i64, i64, i64, i64, i64)> = on!(tx, |c| sqlx::query_as(WINDOWS)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(rule)
        .fetch_all(c)
        .await)?;
    Ok(rows.into_iter().map(window).collect())
}

pub(super) async fn told(tx: &mut Tx, owner: &Owner, rule: &str, w: &Window) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(TOLD)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(rule)
        .bind(w.after.micros())
        .bind(w.until.micros())
        .bind(w.goes_at.micros())
        .bind(w.number)
        .bind(w.told_at.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// Moves what would go before the window's time to it.
pub(super) async fn put_off(tx: &mut Tx, owner: &Owner, rule: &str, w: &Window) -> Result<(), Error> {
    for statement in [PUT_OFF_OBJECTS, PUT_OFF_RECORDS] {
        on!(tx, |c| sqlx::query(statement)
            .bind(w.goes_at.micros())
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .bind(rule)
            .bind(w.after.micros())
            .execute(c)
            .await
            .map(|_| ()))?;
    }
    Ok(())
}

pub(super) async fn expire_notices(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    Ok(on!(tx, |c| sqlx::query(EXPIRE_NOTICES)
        .bind(before.micros())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?)
}
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

/// When a person was last here; none of somebody who is not there, or on their way out.
pub(super) async fn last_active(tx: &mut Tx, owner: &Owner) -> Result<Option<Timestamp>, Error> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(LAST_ACTIVE)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(at,)| Timestamp::from_micros(at)))
}

/// A person who may have been away for long.
#[derive(Clone)]
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
