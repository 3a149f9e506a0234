//! Running checks when they are due, and writing down how they ended.

use chrono::TimeDelta;
use serde::Serialize;

use super::probes::{self, Look, Round};
use super::sql::results;
use super::{Audit, Check, Error, Evidence, Outcome, Verdict};
use crate::base::{Period, StaffId, TenantId, Timestamp};
use crate::ledger::{Entry, EntryKind};
use crate::policy::{Policy, Role, spec};

/// A check that did not pass is made again after this long, if its own period is longer.
const AGAIN: TimeDelta = TimeDelta::minutes(10);
/// How long a state may stand without an entry that says so again.
const CONFIRM: TimeDelta = TimeDelta::hours(24);

/// Checks on which rules of other kinds stand: made for every document, whether or not a safeguard names them.
const ALWAYS: [(&str, Period); 9] = [
    ("retention-kept", Period::hours(1)),
    ("deadlines-kept", Period::hours(1)),
    ("provider-copies-removed", Period::hours(1)),
    ("nothing-undeclared", Period::days(1)),
    ("consent-gates", Period::days(1)),
    ("no-training-unconsented", Period::days(1)),
    ("staff-reads-recorded", Period::days(1)),
    ("notices-sent", Period::hours(1)),
    ("ledger-consistent", Period::days(1)),
];

/// The check that looks at the others, and therefore comes last.
pub(super) const SELF_AUDIT: &str = "self-audit";

/// A check that a document has made, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// Its name, one of [`spec::PROBES`].
    pub probe: &'static str,
    /// How often.
    pub every: Period,
    /// What it looks at, and how far, in words.
    pub looks_at: &'static str,
}

/// The checks of a document: those its safeguards name, at the shortest period that any asks for, and [`ALWAYS`].
pub(super) fn watches(policy: &Policy) -> Vec<Watch> {
    let mut all: Vec<Watch> = Vec::new();
    for (probe, _) in spec::PROBES {
        let named = policy.safeguards().filter(|s| s.probe == *probe).map(|s| s.every);
        let always = ALWAYS.iter().filter(|(p, _)| p == probe).map(|(_, every)| *every);
        let every = named.min_by_key(|e| e.rough_seconds()).or_else(|| always.into_iter().next());
        all.extend(every.map(|every| Watch { probe, every, looks_at: probes::looks_at(probe) }));
    }
    all.sort_by_key(|w| w.probe == SELF_AUDIT);
    all
}

/// How often a document has a check made.
pub(super) fn period_of(policy: &Policy, probe: &str) -> Option<Period> {
    watches(policy).into_iter().find(|w| w.probe == probe).map(|w| w.every)
}

/// Whether a check is due: a tenth before its time, so that it is never late; sooner if it did not pass.
fn is_due(last: Option<&Check>, every: Period, now: Timestamp) -> bool {
    let Some(last) = last else { return true };
    let early = TimeDelta::seconds(i64::try_from(every.rough_seconds() / 10).unwrap_or(0));
    let next = every.after(last.at).plus(-early);
    let next = if last.outcome.verdict == Verdict::Passed { next } else { next.min(last.at.plus(AGAIN)) };
    next <= now
}

/// A check that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ran {
    /// Whose document.
    pub tenant: TenantId,
    /// What was found.
    #[serde(flatten)]
    pub check: Check,
    /// Whether the verdict is another than before.
    pub changed: bool,
}

impl Audit {
    /// Makes every check that is due in any tenant's document; `stop` is asked between two. Each reads the whole state,
    /// so a missed call loses nothing and two at once do no harm.
    pub async fn run_due(&self, now: Timestamp, stop: &(dyn Fn() -> bool + Sync)) -> Result<Vec<Ran>, Error> {
        let round = Round::default();
        let mut ran = Vec::new();
        for tenant in self.library.tenants() {
            let policy = self.library.in_force(&tenant, now).ok_or(Error::Missing("tenant"))?;
            let last = self.latest(&tenant).await?;
            for watch in watches(&policy) {
                let known = last.iter().find(|c| c.probe == watch.probe);
                if stop() {
                    return Ok(ran);
                }
                if is_due(known, watch.every, now) {
                    ran.push(self.check(&tenant, &policy, watch.probe, now, &round).await?);
                }
            }
        }
        Ok(ran)
    }

    /// Makes every check of a tenant's document now and writes nothing down: for whoever looks from outside the service,
    /// and sees neither its log nor its pages. The audit as a whole is left out; it judges what was written down.
    pub async fn look(&self, tenant: &TenantId) -> Result<Vec<(Watch, Outcome)>, Error> {
        let (round, now) = (Round::default(), self.clock.now());
        let policy = self.in_force(tenant)?;
        let look = Look { audit: self, tenant, policy: &policy, now, round: &round };
        let mut seen = Vec::new();
        for watch in watches(&policy).into_iter().filter(|w| w.probe != SELF_AUDIT) {
            seen.push((watch, probes::run(&look, watch.probe).await));
        }
        Ok(seen)
    }

    /// Makes one check of a tenant's document now, because a member of staff asks. Always stands on the ledger, with who
    /// asked.
    pub async fn ask(&self, tenant: &TenantId, probe: &str, by: StaffId) -> Result<Ran, Error> {
        let policy = self.in_force(tenant)?;
        period_of(&policy, probe).ok_or(Error::Missing("check"))?;
        let role = {
            let mut tx = self.db.read().await?;
            results::staff_role(&mut tx, tenant, by).await?.ok_or(Error::NotStaff)?
        };
        let (now, round) = (self.clock.now(), Round::default());
        let look = Look { audit: self, tenant, policy: &policy, now, round: &round };
        let outcome = probes::run(&look, probe).await;
        self.record(tenant, probe, outcome, now, Some((by, &role))).await
    }

    /// The checks of a tenant's document in force.
    pub fn watches(&self, tenant: &TenantId) -> Result<Vec<Watch>, Error> {
        Ok(watches(&*self.in_force(tenant)?))
    }

    /// Makes every check of a tenant's document now, due or not.
    pub async fn run_all(&self, tenant: &TenantId) -> Result<Vec<Ran>, Error> {
        let (round, now) = (Round::default(), self.clock.now());
        let policy = self.in_force(tenant)?;
        let mut ran = Vec::new();
        for watch in watches(&policy) {
            ran.push(self.check(tenant, &policy, watch.probe, now, &round).await?);
        }
        Ok(ran)
    }

    /// Makes one check of [`spec::PROBES`] now, whether or not the document names it.
    pub async fn run(&self, tenant: &TenantId, probe: &str) -> Result<Ran, Error> {
        let policy = self.in_force(tenant)?;
        self.check(tenant, &policy, probe, self.clock.now(), &Round::default()).await
    }

    /// The last run of every check of a tenant.
    pub async fn latest(&self, tenant: &TenantId) -> Result<Vec<Check>, Error> {
        let mut tx = self.db.read().await?;
        Ok(results::states(&mut tx, tenant).await?)
    }

    /// The runs of a check that stand on the ledger, newest first.
    pub async fn history(&self, tenant: &TenantId, probe: &str, most: u16) -> Result<Vec<Evidence>, Error> {
        let mut tx = self.db.read().await?;
        let mut runs = results::runs(&mut tx, tenant, probe, i64::from(most)).await?;
        drop(tx);
        let places = self.ledger.places(&runs.iter().map(|r| r.entry).collect::<Vec<_>>()).await?;
        for run in &mut runs {
            run.place = places.get(&run.entry).copied();
        }
        Ok(runs)
    }

    async fn check(
        &self,
        tenant: &TenantId,
        policy: &Policy,
        probe: &str,
        now: Timestamp,
        round: &Round,
    ) -> Result<Ran, Error> {
        let look = Look { audit: self, tenant, policy, now, round };
        let outcome = probes::run(&look, probe).await;
        self.record(tenant, probe, outcome, now, None).await
    }

    /// Writes a run down: always as the check's state; on the ledger when the verdict changed, a day has passed, or
    /// somebody asked for it.
    async fn record(
        &self,
        tenant: &TenantId,
        probe: &str,
        outcome: Outcome,
        now: Timestamp,
        asked: Option<(StaffId, &str)>,
    ) -> Result<Ran, Error> {
        let mut tx = self.db.begin().await?;
        let last = results::state(&mut tx, tenant, probe).await?;
        let changed = last.as_ref().is_none_or(|l| l.outcome.verdict != outcome.verdict);
        let confirmed = last.as_ref().and_then(|l| l.recorded_at);
        let mut check = Check {
            probe: probe.to_owned(),
            since: last.as_ref().filter(|_| !changed).map_or(now, |l| l.since),
            entry: last.as_ref().and_then(|l| l.entry),
            recorded_at: confirmed,
            outcome,
            at: now,
        };
        if changed || asked.is_some() || confirmed.is_none_or(|at| now.since(at) >= CONFIRM) {
            let entry = entry_of(tenant, &check, asked);
            let id = self.ledger.append(&mut tx, entry).await?.id;
            check.entry = Some(id);
            check.recorded_at = Some(now);
            results::insert_run(&mut tx, tenant, id, &check).await?;
        }
        results::set_state(&mut tx, tenant, &check).await?;
        tx.commit().await?;
        if changed && check.outcome.verdict == Verdict::Failed {
            tracing::error!(%tenant, probe, found = check.outcome.found, "a promise is not kept");
        }
        Ok(Ran { tenant: tenant.clone(), check, changed })
    }
}

/// What the ledger says of a run.
fn entry_of(tenant: &TenantId, check: &Check, asked: Option<(StaffId, &str)>) -> Entry {
    let actor = asked.map_or(Role::Service.as_str(), |(_, role)| role);
    let Outcome { verdict, checked, found, .. } = &check.outcome;
    let entry = Entry::new(EntryKind::PROBE_RECORDED, check.at, tenant, actor)
        .fact("probe", check.probe.as_str())
        .fact("verdict", verdict.as_str())
        .fact("checked", i64::try_from(*checked).unwrap_or(i64::MAX))
        .fact("found", i64::try_from(*found).unwrap_or(i64::MAX));
    match asked {
        Some((staff, _)) => entry.fact("staff", staff.to_string().as_str()),
        None => entry,
    }
}
