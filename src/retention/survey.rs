//! What would go, read from what is held: by the moments that the sweep obeys, and by a document that is only proposed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Error, Retention};
use crate::base::{TenantId, Timestamp};
use crate::policy::plan::{Beside, Comparer, Comparison, Fate, Held, Pace, Plan, Planner, Stage, TooSlow};
use crate::policy::{Action, Due, Policy};
use crate::vault::Stocked;

/// What goes, and what the moments in the vault say against the documents.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The plan.
    pub plan: Plan,
    /// Things whose moment in the vault is later than their documents say, or missing: each is a promise that will be
    /// kept late.
    pub late: u64,
}

/// A candidate held against what is there.
#[derive(Debug)]
pub struct Trial {
    /// What differs.
    pub comparison: Comparison,
    /// By which stages it could come into force.
    pub stages: Result<Vec<Stage>, TooSlow>,
}

/// The versions of a tenant, looked up once.
struct Versions<'a> {
    retention: &'a Retention,
    tenant: &'a TenantId,
    known: BTreeMap<String, Option<Arc<Policy>>>,
}

impl Versions<'_> {
    fn get(&mut self, version: &str) -> Option<Arc<Policy>> {
        let Self { retention, tenant, known } = self;
        let found = known.entry(version.to_owned());
        found.or_insert_with(|| retention.library.version(tenant, version)).clone()
    }
}

impl Retention {
    /// What goes in a tenant by `at`, and day by day until `until`: as the vault has it, which is what the sweep obeys.
    pub async fn survey(
        &self,
        tenant: &TenantId,
        at: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<Survey, Error> {
        let in_force = self.vault.policy(tenant)?;
        let mut planner = Planner::new(in_force.version(), at, until);
        let mut late = 0;
        self.each(tenant, &in_force, |seen| {
            if in_force.category(&seen.thing.category).is_none() {
                planner.undeclared(seen.thing);
            }
            late += u64::from(seen.is_late);
            planner.add(seen.thing, seen.today);
        })
        .await?;
        Ok(Survey { plan: planner.finish(), late })
    }

    /// What a document that is only proposed would do to what a tenant holds, from `at` on.
    pub async fn trial(
        &self,
        tenant: &TenantId,
        candidate: &Policy,
        (at, until): (Timestamp, Option<Timestamp>),
        pace: Pace,
    ) -> Result<Trial, Error> {
        let in_force = self.vault.policy(tenant)?;
        let mut comparer = Comparer::new(candidate, in_force.version(), at, until);
        self.each(tenant, &in_force, |seen| {
            comparer.add(seen.thing, seen.today, seen.collected, seen.beside);
        })
        .await?;
        let stages = comparer.stages(pace);
        Ok(Trial { comparison: comparer.finish(), stages })
    }

    /// Calls `take` for each thing with what becomes of it. What its documents say is what the version says under which it
    /// was collected, or the one in force, whichever is the stricter.
    async fn each(
        &self,
        tenant: &TenantId,
        in_force: &Policy,
        mut take: impl FnMut(&Seen<'_>),
    ) -> Result<(), Error> {
        let mut versions = Versions { retention: self, tenant, known: BTreeMap::new() };
        let mut walk = self.vault.stock(tenant);
        while let Some(batch) = walk.batch().await? {
            for stocked in batch {
                let collected = versions.get(&stocked.policy_version);
                let documents = by_documents(&stocked, collected.as_deref(), in_force);
                let mut today = as_reckoned(&stocked, &documents);
                // What is kept beside a picture goes with it, unless a hold keeps the one or the other.
                let picture = stocked.beside.as_deref().filter(|p| !p.on_hold && !stocked.on_hold);
                let its_version = picture.and_then(|picture| versions.get(&picture.policy_version));
                if let Some(picture) = picture {
                    let documents = by_documents(picture, its_version.as_deref(), in_force);
                    today = today.or_with(as_reckoned(picture, &documents));
                }
                let picture = picture.map(held);
                take(&Seen {
                    thing: &held(&stocked),
                    today: &today,
                    collected: collected.as_deref(),
                    beside: picture.as_ref().map(|thing| Beside { thing, collected: its_version.as_deref() }),
                    is_late: is_late(&stocked, &documents),
                });
            }
        }
        Ok(())
    }
}

/// One thing as it is walked past.
struct Seen<'a> {
    thing: &'a Held,
    today: &'a Fate,
    collected: Option<&'a Policy>,
    beside: Option<Beside<'a>>,
    is_late: bool,
}

fn held(stocked: &Stocked) -> Held {
    let Stocked { category, facts, done, on_hold, .. } = stocked;
    Held { category: category.clone(), facts: *facts, done: done.clone(), count: 1, on_hold: *on_hold }
}

fn by_documents(stocked: &Stocked, collected: Option<&Policy>, in_force: &Policy) -> Fate {
    let both: Vec<&Policy> = collected.into_iter().chain([in_force]).collect();
    Fate::under(&both, &held(stocked))
}

/// What becomes of a thing by the moment in the vault.
fn as_reckoned(stocked: &Stocked, documents: &Fate) -> Fate {
    let Some(at) = stocked.due_at else {
        // No clock runs: the documents say what it waits for.
        let due = match &documents.due {
            Due::At { rule, .. } => Due::Never { why: format!("its clock by the rule {rule} was not set") },
            other => other.clone(),
        };
        return Fate { due, ..documents.clone() };
    };
    match (&documents.due, &stocked.rule) {
        (Due::At { rule, because, .. }, Some(reckoned)) if rule == reckoned => {
            let due = Due::At { at, rule: rule.clone(), because: because.clone() };
            Fate { due, ..documents.clone() }
        }
        (_, Some(reckoned)) => {
            let because = "as it was reckoned when it was stored".to_owned();
            let due = Due::At { at, rule: reckoned.clone(), because };
            Fate { due, version: stocked.policy_version.clone(), action: documents.action.clone() }
        }
        (_, None) => {
            let because = "somebody asked for it".to_owned();
            let due = Due::At { at, rule: String::new(), because };
            Fate { due, version: String::new(), action: Action::Erase.to_string() }
        }
    }
}

fn is_late(stocked: &Stocked, documents: &Fate) -> bool {
    documents.due.at().is_some_and(|promised| stocked.due_at.is_none_or(|at| at > promised))
}
