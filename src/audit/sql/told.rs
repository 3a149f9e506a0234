//! What had to be told, and the record of what was sent.

use crate::audit::model::unsigned;
use crate::base::{TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};

const ACKNOWLEDGED: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(untold), 0) AS BIGINT) FROM (SELECT CASE WHEN EXISTS \
    (SELECT 1 FROM letter l WHERE l.tenant = r.tenant AND l.request = r.id AND l.kind IN ('acknowledged', 'answered') \
    AND l.sent_at IS NOT NULL) THEN 0 ELSE 1 END AS untold FROM request r WHERE r.tenant = $1 AND r.subject IS NOT NULL \
    AND r.received_at > $2 AND r.received_at < $3) AS owed";
const ANSWERED: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(untold), 0) AS BIGINT) FROM (SELECT CASE WHEN EXISTS \
    (SELECT 1 FROM letter l WHERE l.tenant = r.tenant AND l.request = r.id AND l.kind = 'answered' \
    AND l.round = r.round AND l.sent_at IS NOT NULL) THEN 0 ELSE 1 END AS untold FROM request r WHERE r.tenant = $1 \
    AND r.subject IS NOT NULL AND r.answered_at > $2 AND r.answered_at < $3) AS owed";
const SCHEDULED: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(untold), 0) AS BIGINT) FROM (SELECT CASE WHEN EXISTS \
    (SELECT 1 FROM letter l WHERE l.tenant = r.tenant AND l.request = r.id AND l.kind = 'scheduled' \
    AND l.sent_at IS NOT NULL) THEN 0 ELSE 1 END AS untold FROM request r WHERE r.tenant = $1 AND r.subject IS NOT NULL \
    AND r.state = 'grace' AND r.received_at > $2 AND COALESCE(r.proved_at, r.received_at) < $3) AS owed";
const EXTENDED: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(untold), 0) AS BIGINT) FROM (SELECT CASE WHEN EXISTS \
    (SELECT 1 FROM letter l WHERE l.tenant = r.tenant AND l.request = r.id AND l.kind = 'extended' \
    AND l.round = r.round AND l.sent_at IS NOT NULL) THEN 0 ELSE 1 END AS untold FROM request r WHERE r.tenant = $1 \
    AND r.subject IS NOT NULL AND r.answered_at IS NULL AND r.closed_at IS NULL AND r.extended_at > $2 \
    AND r.extended_at < $3) AS owed";
const NEAR_THEIR_END: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN warnings < $3 THEN 1 ELSE 0 END), 0) AS BIGINT) \
    FROM subject WHERE tenant = $1 AND state = 'active' AND restricted_at IS NULL AND last_active_at < $2";
const ERASED_BY_RULE: &str =
    "SELECT CAST(COALESCE(SUM(erased), 0) AS BIGINT) FROM sweep WHERE tenant = $1 AND at >= $2";

/// What had to be told and what of it was not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::audit) struct Owed {
    pub(in crate::audit) occasions: u64,
    pub(in crate::audit) untold: u64,
}

impl std::ops::Add for Owed {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { occasions: self.occasions + other.occasions, untold: self.untold + other.untold }
    }
}

/// A step of a request that its owner hears of by letter.
#[derive(Debug, Clone, Copy)]
pub(in crate::audit) enum Step {
    /// It arrived. One that was answered at once gets the answer alone.
    Arrived,
    /// It was answered.
    Answered,
    /// The law's time was extended.
    Extended,
    /// An erasure was set for a day, and can be taken back until then.
    Set,
}

/// The steps between two moments of requests whose owner is still here, and those without a letter that was taken.
pub(in crate::audit) async fn steps(
    tx: &mut Tx,
    tenant: &TenantId,
    step: Step,
    (since, until): (Timestamp, Timestamp),
) -> Result<Owed, Error> {
    let statement = match step {
        Step::Arrived => ACKNOWLEDGED,
        Step::Answered => ANSWERED,
        Step::Extended => EXTENDED,
        Step::Set => SCHEDULED,
    };
    let (all, untold): (i64, i64) = on!(tx, |c| sqlx::query_as(statement)
        .bind(tenant.as_str())
        .bind(since.micros())
        .bind(until.micros())
        .fetch_one(c)
        .await)?;
    Ok(Owed { occasions: unsigned(all), untold: unsigned(untold) })
}

/// Accounts under no restriction that were last used before a moment, and those that got fewer warnings than they should have by then.
pub(in crate::audit) async fn near_their_end(
    tx: &mut Tx,
    tenant: &TenantId,
    unused_since: Timestamp,
    warnings: i64,
) -> Result<Owed, Error> {
    let (all, untold): (i64, i64) = on!(tx, |c| sqlx::query_as(NEAR_THEIR_END)
        .bind(tenant.as_str())
        .bind(unused_since.micros())
        .bind(warnings)
        .fetch_one(c)
        .await)?;
    Ok(Owed { occasions: unsigned(all), untold: unsigned(untold) })
}

/// How many things rules have erased since a moment.
pub(in crate::audit) async fn erased_by_rule(
    tx: &mut Tx,
    tenant: &TenantId,
    since: Timestamp,
) -> Result<u64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(ERASED_BY_RULE)
        .bind(tenant.as_str())
        .bind(since.micros())
        .fetch_one(c)
        .await)?;
    Ok(unsigned(n))
}
