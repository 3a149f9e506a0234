//! What publishing would do, before anything is done.

use std::sync::Arc;

use super::model::{add, earliest, told};
use super::{Error, Obstacle, Outlook, Publications, Told, Verdict, sql};
use crate::base::{TenantId, Timestamp};
use crate::policy::Policy;
use crate::policy::diff::diff;
use crate::policy::plan::{Held, Plan, plan};
use crate::vault::Shape;

/// Things looked at in one go.
const PAGE: i64 = 2_000;

impl Publications {
    /// Looks at everything that publishing a document now would do. Changes nothing.
    pub async fn examine(&self, policy: &Policy) -> Result<Outlook, Error> {
        self.refresh().await?;
        let (tenant, now) = (policy.tenant(), self.clock.now());
        let known = self.library.version(tenant, policy.version());
        let last = self.library.versions(tenant).into_iter().rfind(|p| p.version() != policy.version());
        let people = {
            let mut tx = self.db.read().await?;
            sql::people(&mut tx, tenant).await?
        };
        let difference = last.as_deref().map(|last| diff(last, policy));
        let told = match (self.library.in_force(tenant, now), &last, &difference) {
            (Some(in_force), Some(last), Some(difference)) => told(&[&in_force, last], difference),
            _ => Told { by: std::collections::BTreeSet::new(), only_affected: false, ahead: None },
        };
        let verdict = match (&known, &last) {
            (Some(known), _) if known.hash() == policy.hash() => Verdict::Known,
            (None, None) => Verdict::First,
            _ => Verdict::New,
        };
        let mut outlook = Outlook {
            tenant: tenant.clone(),
            version: policy.version().to_owned(),
            effective: policy.starts(),
            verdict,
            difference,
            people,
            told,
            plan: nothing(policy, now),
            obstacles: Vec::new(),
        };
        if verdict == Verdict::New {
            outlook.obstacles = obstacles(policy, known.as_deref(), last.as_deref(), &outlook, now);
            outlook.plan = self.foresee(policy, now).await?;
        }
        Ok(outlook)
    }

    /// What the document would erase on its first day that would otherwise still be there.
    async fn foresee(&self, policy: &Policy, now: Timestamp) -> Result<Plan, Error> {
        let mut sum = nothing(policy, policy.starts().max(now));
        for shape in [Shape::Object, Shape::Record] {
            let mut after = String::new();
            loop {
                let page = {
                    let mut tx = self.db.read().await?;
                    self.vault.held(&mut tx, policy.tenant(), shape, (&after, PAGE)).await?
                };
                let Some(last) = page.last() else { break };
                after.clone_from(&last.id);
                let staying: Vec<Held> = page
                    .into_iter()
                    .filter(|item| item.due_at.is_none_or(|due| due > sum.at))
                    .map(|i| Held {
                        category: i.category,
                        facts: i.facts,
                        done: i.done,
                        count: 1,
                        on_hold: i.on_hold,
                    })
                    .collect();
                let gone = |h: &&Held| policy.category(&h.category).is_none() && !h.on_hold;
                let gone = staying.iter().filter(gone).count() as u64;
                let mut page = plan(policy, &staying, sum.at);
                page.going += gone;
                add(&mut sum, page);
            }
        }
        Ok(sum)
    }

    /// The version that people were told by, for one that is published: the one before it.
    pub(super) fn before(&self, tenant: &TenantId, version: &str) -> Option<(Arc<Policy>, Arc<Policy>)> {
        let all = self.library.versions(tenant);
        let at = all.iter().position(|p| p.version() == version)?;
        Some((all.get(at.checked_sub(1)?)?.clone(), all.get(at)?.clone()))
    }
}

fn nothing(policy: &Policy, at: Timestamp) -> Plan {
    plan(policy, std::iter::empty(), at)
}

fn obstacles(
    policy: &Policy,
    known: Option<&Policy>,
    last: Option<&Policy>,
    outlook: &Outlook,
    now: Timestamp,
) -> Vec<Obstacle> {
    let mut found = Vec::new();
    if known.is_some() {
        found.push(Obstacle::OtherText { version: policy.version().to_owned() });
    }
    if let Some(last) = last.filter(|last| known.is_none() && policy.effective() <= last.effective()) {
        found.push(Obstacle::NotNewer {
            effective: policy.effective().to_string(),
            last: last.version().to_owned(),
            last_effective: last.effective().to_string(),
        });
    }
    if let Some(ahead) = outlook.told.ahead.filter(|_| outlook.people > 0) {
        let earliest = earliest(ahead, now);
        if policy.effective() < earliest {
            found.push(Obstacle::TooSoon {
                ahead,
                effective: policy.effective().to_string(),
                earliest: earliest.to_string(),
            });
        }
    }
    found
}
