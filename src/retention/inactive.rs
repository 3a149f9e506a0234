//! People who have not been here for long: told in time, then let go.

use super::{Error, Retention, sql};
use crate::base::{Period, TenantId, Timestamp};
use crate::policy::{self, Due, Fact, Facts, Policy};
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

/// What a version says of an account that was last used at a moment.
struct Clock {
    rule: String,
    /// When it goes.
    at: Timestamp,
    /// When its owner is warned, the earliest first.
    moments: Vec<Timestamp>,
    /// How long before it goes they are warned, longest first, as the document gives them.
    warn: Vec<Period>,
}

impl Clock {
    /// Until when a person who was warned then still has time: the shortest that the document promises.
    fn notice_ends(&self, warned_at: Option<Timestamp>) -> Option<Timestamp> {
        match self.warn.last() {
            Some(shortest) => warned_at.map(|at| shortest.after(at)),
            None => Some(Timestamp::from_micros(i64::MIN)),
        }
    }

    /// The earliest moment at which anything is to be done.
    fn begins(&self) -> Timestamp {
        self.moments.iter().copied().fold(self.at, Timestamp::min)
    }
}

/// The clock of one version. `from`: its day, for who came before it; it makes nothing due before that.
fn clock(policy: &Policy, last_active: Timestamp, from: Option<Timestamp>) -> Option<Clock> {
    let runs = |r: &&policy::Retention| r.at_most.iter().any(|a| a.fact == Fact::LastActive);
    let rule = policy.retention_rules().find(runs)?;
    let due = policy.due(rule.categories.first()?, &Facts::new().with(Fact::LastActive, last_active));
    match due {
        Due::At { at, rule: by, because } if by == rule.id => {
            let at = from.map_or(at, |from| at.max(from));
            let due = Due::At { at, rule: by.clone(), because };
            let moments = policy.warnings_before(&due).into_iter().map(|(at, _)| at).collect();
            Some(Clock { rule: by, at, moments, warn: rule.warn.clone() })
        }
        _ => None,
    }
}

impl Retention {
    /// Accounts that were unused for as long as the document allows, and whose owners were warned as it says.
    pub async fn inactive(&self, tenant: &TenantId) -> Result<Vec<Inactive>, Error> {
        let now = self.clock.now();
        let mut gone = Vec::new();
        self.longest_unused(tenant, &mut |person, strictest| {
            let Some(clock) = self.strictest_of(person) else { return true };
            // Nobody is let go unwarned: an outage of the mail delays the end, it does not hide it.
            let told = usize::try_from(person.warnings).unwrap_or(0) >= clock.warn.len();
            if clock.at <= now && told && clock.notice_ends(person.warned_at).is_some_and(|end| end <= now) {
                gone.push(Inactive { owner: person.owner.clone(), rule: clock.rule, due_at: clock.at });
            }
            strictest.begins() <= now
        })
        .await?;
        Ok(gone)
    }

    /// People whose next warning is due. [`Retention::warned`] notes that it was sent.
    pub async fn warnings(&self, tenant: &TenantId) -> Result<Vec<Warning>, Error> {
        let now = self.clock.now();
        let mut due = Vec::new();
        self.longest_unused(tenant, &mut |person, strictest| {
            let Some(clock) = self.strictest_of(person) else { return true };
            let reached = clock.moments.iter().filter(|at| **at <= now).count();
            let reached = i64::try_from(reached).unwrap_or(i64::MAX);
            if reached > person.warnings {
                // A letter that comes late puts the end off: it still leaves the time that the document promises.
                let goes_at = clock.notice_ends(Some(now)).map_or(clock.at, |end| clock.at.max(end));
                due.push(Warning { owner: person.owner.clone(), goes_at, number: reached });
            }
            strictest.begins() <= now
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

    /// What ends a person's account: the strictest version of those that were in force since they came.
    fn strictest_of(&self, person: &sql::Unused) -> Option<Clock> {
        let now = self.clock.now();
        let versions = self.library.since(&person.owner.tenant, &person.policy_version, now);
        let clocks = versions
            .iter()
            .enumerate()
            .filter_map(|(n, policy)| clock(policy, person.last_active, (n > 0).then(|| policy.starts())));
        clocks.min_by_key(|clock| clock.at)
    }

    /// The strictest clock that any version would have for an account last used at a moment: nobody who was here since
    /// is of interest any more.
    fn strictest(&self, tenant: &TenantId, last_active: Timestamp) -> Option<Clock> {
        let now = self.clock.now();
        let versions = self.library.versions(tenant);
        let in_force = versions.iter().enumerate().filter(|(n, policy)| *n == 0 || policy.starts() <= now);
        in_force.filter_map(|(_, policy)| clock(policy, last_active, None)).min_by_key(Clock::begins)
    }

    /// Shows a tenant's people, those first who were away the longest, each with the strictest clock there is, until one
    /// is of no interest any more.
    async fn longest_unused(
        &self,
        tenant: &TenantId,
        see: &mut (dyn FnMut(&sql::Unused, &Clock) -> bool + Send),
    ) -> Result<(), Error> {
        let mut last: Option<sql::Unused> = None;
        loop {
            let page = {
                let mut tx = self.db.read().await?;
                sql::longest_unused(&mut tx, tenant, last.as_ref(), BATCH).await?
            };
            for person in &page {
                let strictest = self.strictest(tenant, person.last_active);
                if !strictest.is_some_and(|strictest| see(person, &strictest)) {
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
