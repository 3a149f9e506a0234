use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;

use super::{Error, Retention, sql};
use crate::base::{TenantId, Timestamp};
use crate::ledger::{Entry, EntryKind};
use crate::policy::{Action, Policy, Role};
use crate::vault::Doomed;

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
    /// How late the latest was.
    pub lateness: TimeDelta,
}

type Tally = BTreeMap<(String, String), (u64, TimeDelta)>;

impl Retention {
    /// Erases everything that is due in every tenant. `stop` is asked between batches.
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
        done.map(|()| runs)
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
            let due = self.vault.due_items(tenant, now, BATCH.saturating_add(left)).await?;
            let (erase, other): (Vec<_>, Vec<_>) = due.into_iter().partition(|d| erases(&versions, d));
            left = i64::try_from(other.len()).unwrap_or(i64::MAX);
            if erase.is_empty() {
                break;
            }
            for d in self.vault.erase_each(tenant, &erase, Role::Service).await? {
                // What was kept beside a picture went with it, by no rule of its own.
                if d.due_at.is_none_or(|due| due > now) {
                    continue;
                }
                let rule = d.rule.clone().unwrap_or_default();
                let late = now.since(d.due_at.unwrap_or(now));
                let (n, latest) = tally.entry((rule, d.category.clone())).or_insert((0, TimeDelta::zero()));
                *n += 1;
                *latest = late.max(*latest);
            }
        }
        if left > 0 {
            tracing::error!(count = left, "due by a rule whose action is not erasing; left as they are");
        }
        Ok(())
    }

    async fn record(&self, tenant: &TenantId, tally: Tally, now: Timestamp) -> Result<Vec<Swept>, Error> {
        if tally.is_empty() {
            return Ok(Vec::new());
        }
        let mut runs = Vec::with_capacity(tally.len());
        let mut tx = self.db.begin().await?;
        for ((rule, category), (erased, lateness)) in tally {
            let mut entry = Entry::new(EntryKind::RETENTION_SWEPT, now, tenant, Role::Service.as_str())
                .fact("category", category.as_str())
                .fact("erased", i64::try_from(erased).unwrap_or(i64::MAX));
            // An erasure that somebody asked for and that was cut short is finished here, by no rule.
            if !rule.is_empty() {
                entry = entry.fact("rule", rule.as_str());
            }
            let appended = self.ledger.append(&mut tx, entry).await?;
            let run = Swept { tenant: tenant.clone(), rule, category, erased, lateness };
            sql::insert_sweep(&mut tx, &run, now, &appended.id.to_string()).await?;
            runs.push(run);
        }
        tx.commit().await?;
        Ok(runs)
    }
}

/// Whether the rule that makes a thing due says that it is erased, not made anonymous or smaller. The rule is the newest
/// version's that has it: it may be one that only an earlier version had.
fn erases(versions: &[Arc<Policy>], d: &Doomed) -> bool {
    let Some(rule) = d.rule.as_deref() else { return true };
    let found = versions.iter().rev().find_map(|p| p.retention(rule));
    found.is_none_or(|r| r.action == Action::Erase)
}
