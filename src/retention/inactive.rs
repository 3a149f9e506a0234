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

impl Rule {
    /// Until when a person who was warned then still has time: the shortest that the document promises.
    fn notice_ends(&self, warned_at: Option<Timestamp>) -> Option<Timestamp> {
        match self.warn.last() {
            Some(shortest) => warned_at.map(|at| shortest.after(at)),
            None => Some(Timestamp::from_micros(i64::MIN)),
        }
    }
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
        self.longest_unused(tenant, &mut |person| {
            let Some((due_at, _)) = self.due(person, &rule)? else { return Ok(false) };
            // Nobody is let go unwarned: an outage of the mail delays the end, it does not hide it.
            let told = usize::try_from(person.warnings).unwrap_or(0) >= rule.warn.len();
            if due_at <= now && told && rule.notice_ends(person.warned_at).is_some_and(|end| end <= now) {
                gone.push(Inactive { owner: person.owner.clone(), rule: rule.id.clone(), due_at });
            }
            Ok(due_at <= now)
        })
        .await?;
        Ok(gone)
    }

    /// People whose next warning is due. [`Retention::warned`] notes that it was sent.
    pub async fn warnings(&self, tenant: &TenantId) -> Result<Vec<Warning>, Error> {
        let Some(rule) = self.inactivity(tenant)? else { return Ok(Vec::new()) };
        let now = self.clock.now();
        let mut due = Vec::new();
        self.longest_unused(tenant, &mut |person| {
            let Some((goes_at, moments)) = self.due(person, &rule)? else { return Ok(false) };
            let reached = moments.iter().filter(|at| **at <= now).count();
            let reached = i64::try_from(reached).unwrap_or(i64::MAX);
            if reached > person.warnings {
                // A letter that comes late puts the end off: it still leaves the time that the document promises.
                let goes_at = rule.notice_ends(Some(now)).map_or(goes_at, |end| goes_at.max(end));
                due.push(Warning { owner: person.owner.clone(), goes_at, number: reached });
            }
            Ok(reached > 0)
        })
        .await?;
        Ok(due)
    }

    /// Notes that a person was warned.
    pub async fn warned(&self, warning: &Warning) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        sql::warned(&mut tx, &warning.owner, warning.number, self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    fn due(&self, person: &sql::Unused, rule: &Rule) -> Result<Option<(Timestamp, Vec<Timestamp>)>, Error> {
        let policy = self.vault.policy(&person.owner.tenant)?;
        let due = policy.due(&rule.category, &Facts::new().with(Fact::LastActive, person.last_active));
        let moments = policy.warnings_before(&due).into_iter().map(|(at, _)| at).collect();
        Ok(match due {
            Due::At { at, rule: by, .. } if by == rule.id => Some((at, moments)),
            _ => None,
        })
    }

    /// Shows a tenant's people, those first who were away the longest, until one is of no interest any more.
    async fn longest_unused(
        &self,
        tenant: &TenantId,
        see: &mut (dyn FnMut(&sql::Unused) -> Result<bool, Error> + Send),
    ) -> Result<(), Error> {
        let mut last: Option<sql::Unused> = None;
        loop {
            let page = {
                let mut tx = self.db.read().await?;
                sql::longest_unused(&mut tx, tenant, last.as_ref(), BATCH).await?
            };
            for person in &page {
                if !see(person)? {
                    return Ok(());
                }
            }
            match page.into_iter().next_back() {
                Some(person) => last = Some(person),
                None => return Ok(()),
            }
        }
    }
}
