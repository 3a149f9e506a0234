//! A version that comes into force is applied to what is already held: what must go sooner now goes sooner. Nothing
//! ever goes later.

use chrono::TimeDelta;

use super::{Error, Retention, sql};
use crate::base::TenantId;
use crate::ledger::{Entry, EntryKind};
use crate::policy::{Policy, Role};
use crate::vault::Shape;

/// Things looked at in one transaction.
const PAGE: i64 = 500;
/// Everything is looked at once more this long after the first pass: for what was written meanwhile by somebody who did
/// not know of the version yet.
const AGAIN: TimeDelta = TimeDelta::hours(1);
const PASSES: i64 = 2;

/// How far one pass over a tenant's things has come.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    pub(super) tenant: TenantId,
    pub(super) version: String,
    pub(super) number: i64,
    pub(super) shape: Shape,
    pub(super) reached: String,
    pub(super) looked: i64,
    pub(super) moved: i64,
    pub(super) finished: Option<crate::base::Timestamp>,
}

impl Pass {
    fn first(tenant: &TenantId, version: &str, number: i64) -> Self {
        Self {
            tenant: tenant.clone(),
            version: version.to_owned(),
            number,
            shape: Shape::Object,
            reached: String::new(),
            looked: 0,
            moved: 0,
            finished: None,
        }
    }
}

impl Retention {
    /// Applies versions that have come into force to what was held before, a page at a time; what a stop or a crash
    /// cut short goes on where it was. Gives how many things go sooner.
    pub async fn reckon(&self, stop: &(dyn Fn() -> bool + Sync)) -> Result<u64, Error> {
        let mut moved = 0;
        for tenant in self.library.tenants() {
            let policy = self.vault.policy(&tenant)?;
            let first = self.library.versions(&tenant).first().map(|p| p.version() == policy.version());
            // What was collected under a tenant's first version has only ever had that one.
            if first == Some(true) {
                continue;
            }
            for number in 1..=PASSES {
                if !self.due_for(&policy, number).await? {
                    break;
                }
                while !stop() {
                    let (n, done) = self.reckon_page(&policy, number).await?;
                    moved += n;
                    if done {
                        break;
                    }
                }
            }
        }
        Ok(moved)
    }

    /// Whether a pass must be begun or gone on with.
    async fn due_for(&self, policy: &Policy, number: i64) -> Result<bool, Error> {
        let mut tx = self.db.read().await?;
        let pass = sql::pass(&mut tx, policy.tenant(), policy.version(), number).await?;
        if number == 1 || pass.is_some() {
            return Ok(number == 1 || pass.is_some_and(|p| p.finished.is_none()));
        }
        let before = sql::pass(&mut tx, policy.tenant(), policy.version(), number - 1).await?;
        let finished = before.and_then(|p| p.finished);
        Ok(finished.is_some_and(|at| at.plus(AGAIN) <= self.clock.now()))
    }

    /// One page of a pass. Gives how many things go sooner, and whether the pass is at its end.
    async fn reckon_page(&self, policy: &Policy, number: i64) -> Result<(u64, bool), Error> {
        let (tenant, version, now) = (policy.tenant(), policy.version(), self.clock.now());
        let mut tx = self.db.begin().await?;
        // Two replicas take turns, and each goes on from where the other was.
        tx.take_turn(&format!("reckon/{tenant}")).await?;
        let known = sql::pass(&mut tx, tenant, version, number).await?;
        let mut pass = known.clone().unwrap_or_else(|| Pass::first(tenant, version, number));
        if pass.finished.is_some() {
            return Ok((0, true));
        }
        let from = (pass.reached.as_str(), PAGE);
        let page = self.vault.reckon(&mut tx, tenant, version, pass.shape, from).await?;
        pass.looked += i64::try_from(page.looked).unwrap_or(i64::MAX);
        pass.moved += i64::try_from(page.moved).unwrap_or(i64::MAX);
        match (page.reached, pass.shape) {
            (Some(reached), _) => pass.reached = reached,
            (None, Shape::Object) => (pass.shape, pass.reached) = (Shape::Record, String::new()),
            (None, Shape::Record) => pass.finished = Some(now),
        }
        if pass.finished.is_some() && number == 1 {
            let entry = Entry::new(EntryKind::POLICY_APPLIED, now, tenant, Role::Service.as_str())
                .fact("version", version)
                .fact("looked", pass.looked)
                .fact("moved", pass.moved);
            self.ledger.append(&mut tx, entry).await?;
        }
        sql::note_pass(&mut tx, &pass, known.is_none(), now).await?;
        tx.commit().await?;
        Ok((page.moved, pass.finished.is_some()))
    }
}
