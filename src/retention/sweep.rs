use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::TimeDelta;

use super::{Error, Retention, sql};
use crate::base::{TenantId, Timestamp};
use crate::ledger::{Entry, EntryKind};
use crate::policy::{Action, Policy, Role};
use crate::vault::{Doomed, Reduced};

/// Things erased between two looks at whether to stop.
const BATCH: i64 = 250;

/// What one run did for one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// The tenant.
    pub tenant: TenantId,
    /// The rule.
    pub rule: String,
    /// The category.
    pub category: String,
    /// How many things went.
    pub erased: u64,
    /// How many were reduced to what must stay.
    pub reduced: u64,
    /// How late the latest was.
    pub lateness: TimeDelta,
}

type Tally = BTreeMap<(String, String, Action), (u64, TimeDelta)>;

/// What is due, by what its rule does.
#[derive(Default)]
struct Sorted {
    erase: Vec<Doomed>,
    count: Vec<Doomed>,
    reduce: Vec<Doomed>,
    /// Its person was not told in time, as the rule promises.
    unwarned: usize,
}

impl Retention {
    /// Carries out every rule that is due in every tenant. `stop` is asked between batches.
    pub async fn sweep(&self, stop: &(dyn Fn() -> bool + Sync)) -> Result<Vec<Swept>, Error> {
        let mut all = Vec::new();
        for tenant in self.library.tenants() {
            all.extend(self.sweep_tenant(&tenant, stop).await?);
        }
        Ok(all)
    }

    async fn sweep_tenant(
        &self,
        tenant: &TenantId,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Swept>, Error> {
        let now = self.clock.now();
        let mut tally = Tally::new();
        // What is in force now is what this run goes by to its end, whatever comes into force meanwhile: a version makes
        // nothing due before its own day, and that lies after `now`.
        let versions = self.library.versions(tenant).into_iter().filter(|p| p.starts() <= now).collect();
        let done = self.sweep_batches(tenant, (now, versions), stop, &mut tally).await;
        // What went before something failed is told as well.
        let runs = self.record(tenant, tally, now).await?;
        done?;
        self.vault.close_holders(tenant).await?;
        Ok(runs)
    }

    async fn sweep_batches(
        &self,
        tenant: &TenantId,
        (now, versions): (Timestamp, Vec<Arc<Policy>>),
        stop: &(dyn Fn() -> bool + Sync),
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let mut left = 0;
        while !stop() {
            // What is left where it is stands before the rest, and must not hide it.
            let asked = BATCH.saturating_add(left);
            let due = self.vault.due_items(tenant, now, asked).await?;
            // Either kind of thing may have filled its part of the page.
            let more = i64::try_from(due.len()).unwrap_or(i64::MAX) >= asked;
            let Sorted { erase, count, reduce, unwarned } = self.sorted(tenant, due, &versions).await?;
            if !count.is_empty() {
                self.vault.count_months(tenant, &count).await?;
            }
            let mut kept = 0;
            let mut went = false;
            for (some, action) in [(&erase, Action::Erase), (&count, Action::Anonymise)] {
                let gone = self.vault.erase_each(tenant, some, Role::Service).await?;
                add(tally, &gone, action, now);
                (kept, went) = (kept + stayed(some, &gone), went || !gone.is_empty());
            }
            let Reduced { reduced, unreadable } =
                self.vault.reduce_each(tenant, &reduce, Role::Service).await?;
            add(tally, &reduced, Action::Reduce, now);
            let gone = self.vault.erase_each(tenant, &unreadable, Role::Service).await?;
            add(tally, &gone, Action::Erase, now);
            (kept, went) = (kept + stayed(&unreadable, &gone), went || !gone.is_empty());
            let unreduced = reduce.len().saturating_sub(reduced.len() + unreadable.len());
            let before = left;
            left = i64::try_from(unwarned + unreduced + kept).unwrap_or(i64::MAX);
            // A page that was full of what is left where it is may have more behind it.
            if !(went || !reduced.is_empty() || (more && left > before)) {
                break;
            }
        }
        if left > 0 {
            tracing::warn!(
                count = left,
                "due, and left until their people were told, they can be reduced, or a hold is lifted"
            );
        }
        Ok(())
    }

    /// Sorts what is due by what its rule says is done with it.
    async fn sorted(
        &self,
        tenant: &TenantId,
        due: Vec<Doomed>,
        versions: &[Arc<Policy>],
    ) -> Result<Sorted, Error> {
        let told = self.told(tenant, &due).await?;
        let mut actions: HashMap<(String, String), Action> = HashMap::new();
        let mut sorted = Sorted::default();
        for d in due {
            if !told.covers(&d) {
                sorted.unwarned += 1;
                continue;
            }
            let key = (d.category.clone(), d.rule.clone().unwrap_or_default());
            match *actions.entry(key).or_insert_with(|| action(versions, &d)) {
                Action::Erase => sorted.erase.push(d),
                Action::Anonymise => sorted.count.push(d),
                Action::Reduce => sorted.reduce.push(d),
            }
        }
        Ok(sorted)
    }

    async fn record(&self, tenant: &TenantId, tally: Tally, now: Timestamp) -> Result<Vec<Swept>, Error> {
        if tally.is_empty() {
            return Ok(Vec::new());
        }
        let mut runs = Vec::with_capacity(tally.len());
        let mut tx = self.db.begin().await?;
        for ((rule, category, action), (n, lateness)) in tally {
            let (kind, what) = match action {
                Action::Erase => (EntryKind::RETENTION_SWEPT, "erased"),
                Action::Anonymise => (EntryKind::RETENTION_ANONYMISED, "erased"),
                Action::Reduce => (EntryKind::RETENTION_SWEPT, "reduced"),
            };
            let mut entry = Entry::new(kind, now, tenant, Role::Service.as_str())
                .fact("category", category.as_str())
                .fact(what, i64::try_from(n).unwrap_or(i64::MAX));
            // An erasure that somebody asked for and that was cut short is finished here, by no rule.
            if !rule.is_empty() {
                entry = entry.fact("rule", rule.as_str());
            }
            let appended = self.ledger.append(&mut tx, entry).await?;
            let (erased, reduced) = if action == Action::Reduce { (0, n) } else { (n, 0) };
            let run = Swept { tenant: tenant.clone(), rule, category, erased, reduced, lateness };
            // What was reduced is still there: it counts as nothing that went.
            if erased > 0 {
                sql::insert_sweep(&mut tx, &run, now, &appended.id.to_string()).await?;
            }
            runs.push(run);
        }
        tx.commit().await?;
        Ok(runs)
    }
}

/// How many of these did not go: a hold keeps them, or another erased them at the same moment.
fn stayed(asked: &[Doomed], gone: &[Doomed]) -> usize {
    let gone: HashSet<&str> = gone.iter().map(|d| d.id.as_str()).collect();
    asked.iter().filter(|d| !gone.contains(d.id.as_str())).count()
}

fn add(tally: &mut Tally, done: &[Doomed], action: Action, now: Timestamp) {
    for d in done {
        // What was kept beside a picture went with it, by no rule of its own.
        let Some(due) = d.due_at.filter(|due| *due <= now) else { continue };
        let key = (d.rule.clone().unwrap_or_default(), d.category.clone(), action);
        let (n, latest) = tally.entry(key).or_insert((0, TimeDelta::zero()));
        *n += 1;
        *latest = now.since(due).max(*latest);
    }
}

/// What the rule that makes a thing due does with it. The rule is the newest version's that has it for this category: it
/// may be one that only an earlier version had.
fn action(versions: &[Arc<Policy>], d: &Doomed) -> Action {
    let of = |p: &Policy, rule: &str| {
        p.retention(rule).filter(|rule| rule.categories.contains(&d.category)).map(|rule| rule.action)
    };
    let named = d.rule.as_deref();
    let found = named.and_then(|rule| versions.iter().rev().find_map(|p| of(p, rule)));
    found.unwrap_or(Action::Erase)
}
