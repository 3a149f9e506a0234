//! People who have not been here for long: told in time, then let go.

use super::notices::Window;
use super::{Error, Retention, sql};
use crate::base::{Period, TenantId, Timestamp};
use crate::policy::{Due, Fact, Facts};
use crate::vault::Owner;

/// Rows looked at in one go.
const BATCH: i64 = 500;

/// The category of the record without which there is no account.
const ACCOUNT: &str = "account";

/// A person of whom something must go for want of use.
#[derive(Debug, Clone)]
pub struct Inactive {
    /// Who.
    pub owner: Owner,
    /// The rule.
    pub rule: String,
    /// Since when it is due.
    pub due_at: Timestamp,
    /// What goes: these categories, or the whole person if it is none.
    pub only: Vec<String>,
}

/// A person who must be told.
#[derive(Debug, Clone)]
pub struct Warning {
    /// Who.
    pub owner: Owner,
    /// The rule.
    pub rule: String,
    /// When it goes.
    pub goes_at: Timestamp,
    /// How many warnings this makes.
    pub number: i64,
    /// Whether no further one follows.
    pub last: bool,
    /// What goes: these categories, or the whole person if it is none.
    pub only: Vec<String>,
    /// When they were last here.
    last_active: Timestamp,
}

struct Rule {
    id: String,
    category: String,
    /// Longest first, as the document gives them.
    warn: Vec<Period>,
    /// Empty if the account goes, and all that is theirs with it.
    only: Vec<String>,
}

/// What a person was told.
#[derive(Clone, Copy, Default)]
struct Told {
    warnings: i64,
    at: Option<Timestamp>,
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
    /// The rules of a tenant's document that end what nobody uses. No thing's row knows when its owner was last here:
    /// that is one number a person, and the rules are held against it, so that coming back moves all of it at once.
    fn inactivity(&self, tenant: &TenantId) -> Result<Vec<Rule>, Error> {
        let policy = self.vault.policy(tenant)?;
        let unused = |r: &&crate::policy::Retention| r.at_most.iter().any(|a| a.fact == Fact::LastActive);
        Ok(policy
            .retention_rules()
            .filter(unused)
            .filter_map(|r| {
                let account = r.categories.iter().find(|c| *c == ACCOUNT);
                Some(Rule {
                    id: r.id.clone(),
                    category: account.or(r.categories.first())?.clone(),
                    warn: r.warn.clone(),
                    only: if account.is_some() { Vec::new() } else { r.categories.clone() },
                })
            })
            .collect())
    }

    /// What was unused for as long as the document allows, and whose owners were warned as it says.
    pub async fn inactive(&self, tenant: &TenantId) -> Result<Vec<Inactive>, Error> {
        let now = self.clock.now();
        let mut gone = Vec::new();
        for rule in self.inactivity(tenant)? {
            for person in self.unused(tenant, &rule, is_due).await? {
                let Some((due_at, _)) = self.due(&person, &rule)? else { continue };
                let told = self.told_of(&person, &rule).await?;
                // Nobody is let go unwarned: an outage of the mail delays the end, it does not hide it.
                let all = usize::try_from(told.warnings).unwrap_or(0) >= rule.warn.len();
                if due_at <= now && all && rule.notice_ends(told.at).is_some_and(|end| end <= now) {
                    let (rule, only) = (rule.id.clone(), rule.only.clone());
                    gone.push(Inactive { owner: person.owner.clone(), rule, due_at, only });
                }
            }
        }
        Ok(gone)
    }

    /// People whose next warning is due. [`Retention::warned`] notes that it was sent.
    pub async fn warnings(&self, tenant: &TenantId) -> Result<Vec<Warning>, Error> {
        let now = self.clock.now();
        let mut due = Vec::new();
        for rule in self.inactivity(tenant)? {
            for person in self.unused(tenant, &rule, is_warned).await? {
                let Some((goes_at, moments)) = self.due(&person, &rule)? else { continue };
                let reached = moments.iter().filter(|at| **at <= now).count();
                let number = i64::try_from(reached).unwrap_or(i64::MAX);
                if number <= self.told_of(&person, &rule).await?.warnings {
                    continue;
                }
                // A letter that comes late puts the end off: it still leaves the time that the document promises.
                let goes_at = rule.notice_ends(Some(now)).map_or(goes_at, |end| goes_at.max(end));
                due.push(Warning {
                    owner: person.owner.clone(),
                    rule: rule.id.clone(),
                    goes_at,
                    number,
                    last: reached >= rule.warn.len(),
                    only: rule.only.clone(),
                    last_active: person.last_active,
                });
            }
        }
        Ok(due)
    }

    /// Notes that a person was warned.
    pub async fn warned(&self, warning: &Warning) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if warning.only.is_empty() {
            sql::warned(&mut tx, &warning.owner, warning.number, now).await?;
        } else {
            // Kept under when they were last here: once they come back, what they were told is of another time.
            let window = Window {
                after: warning.last_active,
                until: warning.goes_at,
                goes_at: warning.goes_at,
                number: warning.number,
                told_at: now,
            };
            sql::told(&mut tx, &warning.owner, &warning.rule, &window).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn told_of(&self, person: &sql::Unused, rule: &Rule) -> Result<Told, Error> {
        if rule.only.is_empty() {
            return Ok(Told { warnings: person.warnings, at: person.warned_at });
        }
        let mut tx = self.db.read().await?;
        let windows = sql::windows(&mut tx, &person.owner, &rule.id).await?;
        let told = windows.iter().find(|w| w.after == person.last_active);
        Ok(told.map_or_else(Told::default, |w| Told { warnings: w.number, at: Some(w.told_at) }))
    }

    /// The people who were away for so long that a rule is due, or a warning before it.
    async fn unused(
        &self,
        tenant: &TenantId,
        rule: &Rule,
        far_enough: fn(&(Timestamp, Vec<Timestamp>), Timestamp) -> bool,
    ) -> Result<Vec<sql::Unused>, Error> {
        let now = self.clock.now();
        let mut found = Vec::new();
        self.longest_unused(tenant, &mut |person| {
            let far = self.due(person, rule)?.is_some_and(|due| far_enough(&due, now));
            if far {
                found.push(person.clone());
            }
            Ok(far)
        })
        .await?;
        Ok(found)
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

fn is_due((at, _): &(Timestamp, Vec<Timestamp>), now: Timestamp) -> bool {
    *at <= now
}

fn is_warned((_, moments): &(Timestamp, Vec<Timestamp>), now: Timestamp) -> bool {
    moments.iter().any(|at| *at <= now)
}
