//! People who have not been here for long: told in time, then let go.

use super::notices::Window;
use super::{Error, Retention, sql};
use crate::base::{Period, TenantId, Timestamp};
use crate::policy::{self, Due, Fact, Facts, Policy};
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
    /// When they were last here: somebody who has been here since is not meant.
    pub last_active: Timestamp,
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

/// What a version says of an account that was last used at a moment.
struct Clock {
    rule: String,
    /// When it goes.
    at: Timestamp,
    /// When its owner is warned, the earliest first.
    moments: Vec<Timestamp>,
    /// How long before it goes they are warned, longest first, as the document gives them.
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

impl Clock {
    /// Until when a person who was warned then still has time: the shortest that the document promises.
    fn notice_ends(&self, warned_at: Option<Timestamp>) -> Option<Timestamp> {
        match self.warn.last() {
            Some(shortest) => warned_at.map(|at| shortest.after(at)),
            None => Some(Timestamp::from_micros(i64::MIN)),
        }
    }

    /// Whether it is over for a person who was told so. Nobody is let go unwarned: an outage of the mail delays the end, it
    /// does not hide it.
    fn is_over(&self, told: Told, now: Timestamp) -> bool {
        let all = usize::try_from(told.warnings).unwrap_or(0) >= self.warn.len();
        self.at <= now && all && self.notice_ends(told.at).is_some_and(|end| end <= now)
    }

    /// The warning that is owed to a person who was told so, if one is.
    fn warning(&self, person: &sql::Unused, told: Told, now: Timestamp) -> Option<Warning> {
        let reached = self.moments.iter().filter(|at| **at <= now).count();
        let number = i64::try_from(reached).unwrap_or(i64::MAX);
        // A letter that comes late puts the end off: it still leaves the time that the document promises.
        let goes_at = self.notice_ends(Some(now)).map_or(self.at, |end| self.at.max(end));
        (number > told.warnings).then(|| Warning {
            owner: person.owner.clone(),
            rule: self.rule.clone(),
            goes_at,
            number,
            last: reached >= self.warn.len(),
            only: self.only.clone(),
            last_active: person.last_active,
        })
    }

    /// The earliest moment at which anything is to be done.
    fn begins(&self) -> Timestamp {
        self.moments.iter().copied().fold(self.at, Timestamp::min)
    }
}

/// Whether a rule counts from when somebody was last here.
fn by_use(rule: &policy::Retention) -> bool {
    rule.at_most.iter().any(|after| after.fact == Fact::LastActive)
}

/// Whether a rule takes the account, and all that is theirs with it.
fn ends_account(rule: &policy::Retention) -> bool {
    rule.categories.iter().any(|category| category == ACCOUNT)
}

/// What one version says of an account. `from`: its day, for who came before it; it makes nothing due before that.
fn clock(policy: &Policy, last_active: Timestamp, from: Option<Timestamp>) -> Option<Clock> {
    let rule = policy.retention_rules().find(|r| by_use(r) && ends_account(r))?;
    clock_of(policy, rule, last_active, from)
}

fn clock_of(
    policy: &Policy,
    rule: &policy::Retention,
    last_active: Timestamp,
    from: Option<Timestamp>,
) -> Option<Clock> {
    let whole = ends_account(rule);
    let category = if whole { ACCOUNT } else { rule.categories.first()? };
    match policy.due(category, &Facts::new().with(Fact::LastActive, last_active)) {
        Due::At { at, rule: by, because } if by == rule.id => {
            let at = from.map_or(at, |from| at.max(from));
            let due = Due::At { at, rule: by.clone(), because };
            let moments = policy.warnings_before(&due).into_iter().map(|(at, _)| at).collect();
            let only = if whole { Vec::new() } else { rule.categories.clone() };
            Some(Clock { rule: by, at, moments, warn: rule.warn.clone(), only })
        }
        _ => None,
    }
}

impl Retention {
    /// Accounts and single categories that were unused for as long as the document allows, and whose owners were warned
    /// as it says.
    pub async fn inactive(&self, tenant: &TenantId) -> Result<Vec<Inactive>, Error> {
        let now = self.clock.now();
        let mut gone = Vec::new();
        self.longest_unused(tenant, &mut |person| {
            let Some(strictest) = self.strictest(tenant, person.last_active) else { return false };
            let Some(clock) = self.strictest_of(person) else { return true };
            let told = Told { warnings: person.warnings, at: person.warned_at };
            if clock.is_over(told, now) {
                gone.push(Inactive {
                    owner: person.owner.clone(),
                    rule: clock.rule,
                    due_at: clock.at,
                    only: clock.only,
                    last_active: person.last_active,
                });
            }
            strictest.begins() <= now
        })
        .await?;
        for (person, clock) in self.parts_unused(tenant).await? {
            if clock.is_over(self.told_of(&person, &clock.rule).await?, now) {
                let Clock { rule, at, only, .. } = clock;
                let last_active = person.last_active;
                gone.push(Inactive { owner: person.owner, rule, due_at: at, only, last_active });
            }
        }
        Ok(gone)
    }

    /// Whether somebody has still not been here since they were found to be away for too long.
    pub async fn is_still_away(&self, gone: &Inactive) -> Result<bool, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::last_active(&mut tx, &gone.owner).await? == Some(gone.last_active))
    }

    /// People whose next warning is due. [`Retention::warned`] notes that it was sent.
    pub async fn warnings(&self, tenant: &TenantId) -> Result<Vec<Warning>, Error> {
        let now = self.clock.now();
        let mut due = Vec::new();
        self.longest_unused(tenant, &mut |person| {
            let Some(strictest) = self.strictest(tenant, person.last_active) else { return false };
            let Some(clock) = self.strictest_of(person) else { return true };
            let told = Told { warnings: person.warnings, at: person.warned_at };
            due.extend(clock.warning(person, told, now));
            strictest.begins() <= now
        })
        .await?;
        for (person, clock) in self.parts_unused(tenant).await? {
            let told = self.told_of(&person, &clock.rule).await?;
            due.extend(clock.warning(&person, told, now));
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

    /// What a person was told before a rule takes a part of what is theirs, since they were last here.
    async fn told_of(&self, person: &sql::Unused, rule: &str) -> Result<Told, Error> {
        let mut tx = self.db.read().await?;
        let windows = sql::windows(&mut tx, &person.owner, rule).await?;
        let told = windows.iter().find(|w| w.after == person.last_active);
        Ok(told.map_or_else(Told::default, |w| Told { warnings: w.number, at: Some(w.told_at) }))
    }

    /// The people who were away for so long that a rule of the document in force which takes a part of what is theirs
    /// is due, or a warning before it. No thing's row knows when its owner was last here: that is one number a person,
    /// and the rules are held against it, so that coming back moves all of it at once.
    async fn parts_unused(&self, tenant: &TenantId) -> Result<Vec<(sql::Unused, Clock)>, Error> {
        let now = self.clock.now();
        let policy = self.vault.policy(tenant)?;
        let mut found = Vec::new();
        for rule in policy.retention_rules().filter(|r| by_use(r) && !ends_account(r)) {
            self.longest_unused(tenant, &mut |person| {
                let clock = clock_of(&policy, rule, person.last_active, None);
                let far = clock.filter(|clock| clock.begins() <= now);
                let goes_on = far.is_some();
                found.extend(far.map(|clock| (person.clone(), clock)));
                goes_on
            })
            .await?;
        }
        Ok(found)
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

    /// Shows a tenant's people, those first who were away the longest, until one is of no interest any more.
    async fn longest_unused(
        &self,
        tenant: &TenantId,
        see: &mut (dyn FnMut(&sql::Unused) -> bool + Send),
    ) -> Result<(), Error> {
        let mut last: Option<sql::Unused> = None;
        loop {
            let page = {
                let mut tx = self.db.read().await?;
                sql::longest_unused(&mut tx, tenant, last.as_ref(), BATCH).await?
            };
            for person in &page {
                if !see(person) {
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
