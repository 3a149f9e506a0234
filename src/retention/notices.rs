//! Telling people before a rule fires that promises to. A notice is about a window of time: everything of theirs that
//! is due under the rule within it. So there is one letter a warning, however many things go, and nothing goes without.

use std::collections::{HashMap, HashSet};

use super::{Error, Retention, sql};
use crate::base::{Period, SubjectId, TenantId, Timestamp};
use crate::policy::{Due, Fact, Policy, Retention as Rule};
use crate::vault::{Doomed, Owner};

/// What a person must be told.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Who.
    pub owner: Owner,
    /// The rule that is going to fire.
    pub rule: String,
    /// How many things go, in the first of the window.
    pub things: i64,
    /// When the first of them goes. Late letters put it off.
    pub goes_at: Timestamp,
    /// How many warnings of this window this makes.
    pub number: i64,
    /// Whether no further one follows.
    pub last: bool,
    /// The window: what is due after this…
    after: Timestamp,
    /// … and up to this.
    until: Timestamp,
}

/// A window that was told of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) after: Timestamp,
    pub(super) until: Timestamp,
    pub(super) goes_at: Timestamp,
    pub(super) number: i64,
    pub(super) told_at: Timestamp,
}

/// Who was told of what.
pub(super) struct Told {
    warned_rules: HashMap<String, Vec<Period>>,
    windows: HashMap<(SubjectId, String), Vec<Window>>,
    now: Timestamp,
}

impl Told {
    /// Whether this may go now as far as warnings are concerned.
    pub(super) fn covers(&self, d: &Doomed) -> bool {
        let Some(rule) = d.rule.as_deref() else { return true };
        let Some(warn) = self.warned_rules.get(rule) else { return true };
        let windows = self.windows.get(&(d.subject, rule.to_owned()));
        let all = i64::try_from(warn.len()).unwrap_or(i64::MAX);
        d.due_at.is_none_or(|due| {
            windows.into_iter().flatten().any(|w| {
                let within = w.after < due && due <= w.until;
                let waited = warn.last().is_none_or(|shortest| shortest.after(w.told_at) <= self.now);
                within && w.number >= all && waited && w.goes_at <= self.now
            })
        })
    }
}

/// The rules that warn before things go one by one. Those that end what nobody used go by the person, not by the thing.
fn warning(policy: &Policy) -> impl Iterator<Item = &Rule> {
    policy
        .retention_rules()
        .filter(|r| !r.warn.is_empty() && r.at_most.iter().any(|after| after.fact != Fact::LastActive))
}

/// How many of a rule's warnings are due by `now` before something that goes `at`.
fn reached(policy: &Policy, rule: &Rule, at: Timestamp, now: Timestamp) -> i64 {
    let due = Due::At { at, rule: rule.id.clone(), because: String::new() };
    let n = policy.warnings_before(&due).iter().filter(|(moment, _)| *moment <= now).count();
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Retention {
    /// What people of a tenant must be told now. [`Retention::noticed`] notes that it was sent.
    pub async fn notices(&self, tenant: &TenantId) -> Result<Vec<Notice>, Error> {
        let policy = self.vault.policy(tenant)?;
        let mut all = Vec::new();
        for rule in warning(&policy) {
            all.extend(self.first_notices(tenant, &policy, rule).await?);
            all.extend(self.further_notices(tenant, &policy, rule).await?);
        }
        Ok(all)
    }

    /// Of what nobody was told yet.
    async fn first_notices(
        &self,
        tenant: &TenantId,
        policy: &Policy,
        rule: &Rule,
    ) -> Result<Vec<Notice>, Error> {
        let (Some(longest), Some(shortest)) = (rule.warn.first(), rule.warn.last()) else {
            return Ok(Vec::new());
        };
        let now = self.clock.now();
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let page = {
                let mut tx = self.db.read().await?;
                sql::untold(&mut tx, (tenant, &rule.id), longest.after(now), &after).await?
            };
            let Some((last, ..)) = page.last() else { return Ok(all) };
            after = last.to_string();
            for (subject, first, things) in page {
                let number = reached(policy, rule, first, now);
                if number == 0 {
                    continue;
                }
                let goes_at = first.max(shortest.after(now));
                all.push(Notice {
                    owner: Owner::new(tenant, subject),
                    rule: rule.id.clone(),
                    things,
                    goes_at,
                    number,
                    last: usize::try_from(number).unwrap_or(0) >= rule.warn.len(),
                    after: Timestamp::from_micros(first.micros().saturating_sub(1)),
                    until: longest.after(goes_at),
                });
            }
        }
    }

    /// Of what they were told of, and must be told again.
    async fn further_notices(
        &self,
        tenant: &TenantId,
        policy: &Policy,
        rule: &Rule,
    ) -> Result<Vec<Notice>, Error> {
        let now = self.clock.now();
        let enough = i64::try_from(rule.warn.len()).unwrap_or(i64::MAX);
        let open = {
            let mut tx = self.db.read().await?;
            sql::unfinished_notices(&mut tx, (tenant, &rule.id), enough).await?
        };
        let mut all = Vec::new();
        for (subject, window, things) in open {
            let number = reached(policy, rule, window.goes_at, now);
            if number <= window.number || things == 0 {
                continue;
            }
            let ends = rule.warn.last().map_or(now, |shortest| shortest.after(now));
            all.push(Notice {
                owner: Owner::new(tenant, subject),
                rule: rule.id.clone(),
                things,
                goes_at: window.goes_at.max(ends),
                number,
                last: number >= enough,
                after: window.after,
                until: window.until,
            });
        }
        Ok(all)
    }

    /// Notes that a person was told. What would go before the time that the letter leaves them is put off.
    pub async fn noticed(&self, notice: &Notice) -> Result<(), Error> {
        let window = Window {
            after: notice.after,
            until: notice.until,
            goes_at: notice.goes_at,
            number: notice.number,
            told_at: self.clock.now(),
        };
        let mut tx = self.db.begin().await?;
        sql::told(&mut tx, &notice.owner, &notice.rule, &window).await?;
        sql::put_off(&mut tx, &notice.owner, &notice.rule, &window).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Who was told of what among these.
    pub(super) async fn told(&self, tenant: &TenantId, due: &[Doomed]) -> Result<Told, Error> {
        let policy = self.vault.policy(tenant)?;
        let warned_rules: HashMap<String, Vec<Period>> =
            warning(&policy).map(|r| (r.id.clone(), r.warn.clone())).collect();
        let mut told = Told { warned_rules, windows: HashMap::new(), now: self.clock.now() };
        if told.warned_rules.is_empty() {
            return Ok(told);
        }
        let people: HashSet<(SubjectId, String)> = due
            .iter()
            .filter_map(|d| Some((d.subject, d.rule.clone()?)))
            .filter(|(_, rule)| told.warned_rules.contains_key(rule))
            .collect();
        let mut tx = self.db.read().await?;
        for (subject, rule) in people {
            let windows = sql::windows(&mut tx, &Owner::new(tenant, subject), &rule).await?;
            told.windows.insert((subject, rule), windows);
        }
        Ok(told)
    }

    /// Forgets what people were told long ago. Gives how many rows went.
    pub async fn forget_notices(&self) -> Result<u64, Error> {
        let mut tx = self.db.begin().await?;
        let n = sql::expire_notices(&mut tx, self.clock.now().plus(-KEPT)).await?;
        tx.commit().await?;
        Ok(n)
    }
}

/// Notices are forgotten so long after what they told of.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(90);
