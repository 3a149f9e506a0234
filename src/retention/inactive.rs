//! People who have not been here for long: told in time, then let go.

use super::{Error, Retention, sql};
use crate::base::{Period, TenantId, Timestamp};
use crate::policy::{Due, Fact, Facts};
use crate::vault::Owner;

/// Rows looked at in one go.
const BATCH: i64 = 500;

/// A person whose account must go for want of use.
#[derive(Debug, Clone)]
pub struct Inactive {
    /// Who.
    pub owner: Owner,
    /// The rule.
    pub rule: String,
    /// Since when it is due.
    pub due_at: Timestamp,
}

/// A person who must be told.
#[derive(Debug, Clone)]
pub struct Warning {
    /// Who.
    pub owner: Owner,
    /// When their account goes.
    pub goes_at: Timestamp,
    /// How many warnings this makes.
    pub number: i64,
}

struct Rule {
    id: String,
    category: String,
    /// Longest first, as the document gives them.
    warn: Vec<Period>,
}

impl Retention {
    /// The rule of a tenant's document that ends unused accounts.
    fn inactivity(&self, tenant: &TenantId) -> Result<Option<Rule>, Error> {
        let policy = self.vault.policy(tenant)?;
        Ok(policy.retention_rules().find(|r| r.at_most.iter().any(|a| a.fact == Fact::LastActive)).and_then(
            |r| {
                let category = r.categories.first()?.clone();
                Some(Rule { id: r.id.clone(), category, warn: r.warn.clone() })
            },
        ))
    }

    /// Accounts that were unused for as long as the document allows, and whose owners were warned as it says.
    pub async fn inactive(&self, tenant: &TenantId) -> Result<Vec<Inactive>, Error> {
        let Some(rule) = self.inactivity(tenant)? else { return Ok(Vec::new()) };
        let now = self.clock.now();
        let mut gone = Vec::new();
        for (owner, last_active, warnings) in self.longest_unused(tenant).await? {
            let Some((due_at, _)) = self.due(&owner, &rule, last_active)? else { continue };
            // Nobody is let go unwarned: an outage of the mail delays the end, it does not hide it.
            let told = usize::try_from(warnings).unwrap_or(0) >= rule.warn.len();
            if due_at <= now && told {
                gone.push(Inactive { owner, rule: rule.id.clone(), due_at });
            }
        }
        Ok(gone)
    }

    /// People whose next warning is due. [`Retention::warned`] notes that it was sent.
    pub async fn warnings(&self, tenant: &TenantId) -> Result<Vec<Warning>, Error> {
        let Some(rule) = self.inactivity(tenant)? else { return Ok(Vec::new()) };
        let now = self.clock.now();
        let mut due = Vec::new();
        for (owner, last_active, warnings) in self.longest_unused(tenant).await? {
            let Some((goes_at, moments)) = self.due(&owner, &rule, last_active)? else { continue };
            let reached = moments.iter().filter(|at| **at <= now).count();
            let reached = i64::try_from(reached).unwrap_or(i64::MAX);
            if reached > warnings {
                due.push(Warning { owner, goes_at, number: reached });
            }
        }
        Ok(due)
    }

    /// Notes that a person was warned.
    pub async fn warned(&self, warning: &Warning) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        sql::warned(&mut tx, &warning.owner, warning.number, self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    fn due(
        &self,
        owner: &Owner,
        rule: &Rule,
        last_active: Timestamp,
    ) -> Result<Option<(Timestamp, Vec<Timestamp>)>, Error> {
        let policy = self.vault.policy(&owner.tenant)?;
        let due = policy.due(&rule.category, &Facts::new().with(Fact::LastActive, last_active));
        let moments = policy.warnings_before(&due).into_iter().map(|(at, _)| at).collect();
        Ok(match due {
            Due::At { at, rule: by, .. } if by == rule.id => Some((at, moments)),
            _ => None,
        })
    }

    async fn longest_unused(&self, tenant: &TenantId) -> Result<Vec<(Owner, Timestamp, i64)>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::longest_unused(&mut tx, tenant, BATCH).await?)
    }
}
