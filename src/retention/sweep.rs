use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::{Error, Retention, sql};
use crate::base::{TenantId, Timestamp};
use crate::ledger::{Entry, EntryKind};
use crate::policy::{Action, Role};
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
        let done = self.sweep_batches(tenant, now, stop, &mut tally).await;
        // What went before something failed is told as well.
        let runs = self.record(tenant, tally, now).await?;
        done.map(|()| runs)
    }

    async fn sweep_batches(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        stop: &(dyn Fn() -> bool + Sync),
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let mut left = 0;
        while !stop() {
            // What is left where it is stands before the rest, and must not hide it.
            let due = self.vault.due_items(tenant, now, BATCH.saturating_add(left)).await?;
            let (erase, other): (Vec<_>, Vec<_>) = due.into_iter().partition(|d| self.erases(tenant, d));
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

    /// Whether the rule that makes a thing due says that it is erased, not made anonymous or smaller.
    fn erases(&self, tenant: &TenantId, d: &Doomed) -> bool {
        let Some(rule) = d.rule.as_deref() else { return true };
        let policy = self.library.in_force(tenant, self.clock.now());
        policy.and_then(|p| p.retention(rule).map(|r| r.action)).is_none_or(|a| a == Action::Erase)
    }

    async fn record(&self, tenant: &TenantId, tally: Tally, now: Timestamp) -> Result<Vec<Swept>, Error> {
        if tally.is_empty() {
            return Ok(Vec::new());
        }
        let mut runs = Vec::with_capacity(tally.len());
        let mut tx = self.db.begin().await?;
        for ((rule, category), (erased, lateness)) in tally {
            let entry = Entry::new(EntryKind::RETENTION_SWEPT, now, tenant, Role::Service.as_str())
                .fact("rule", rule.as_str())
                .fact("category", category.as_str())
                .fact("erased", i64::try_from(erased).unwrap_or(i64::MAX));
            let appended = self.ledger.append(&mut tx, entry).await?;
            let run = Swept { tenant: tenant.clone(), rule, category, erased, lateness };
            sql::insert_sweep(&mut tx, &run, now, &appended.id.to_string()).await?;
            runs.push(run);
        }
        tx.commit().await?;
        Ok(runs)
    }
}
