use super::{Error, Retention, sql};
use crate::base::{TenantId, Timestamp};
use chrono::TimeDelta;

/// How one rule of one category stands.
#[derive(Debug, Clone)]
pub struct BoardRow {
    /// The category.
    pub category: String,
    /// Its name for people.
    pub title: String,
    /// The rule; empty when none ends it yet.
    pub rule: String,
    /// The rule in words.
    pub period: String,
    /// Things alive.
    pub live: i64,
    /// Of them, past their time. Zero is a kept promise.
    pub overdue: i64,
    /// Of them, past their time and kept by a legal hold: not overdue.
    pub held: i64,
    /// How long the longest overdue is.
    pub latest: Option<TimeDelta>,
    /// When the next goes.
    pub next_due: Option<Timestamp>,
    /// When the oldest was stored.
    pub oldest: Option<Timestamp>,
    /// Erased in the last day.
    pub erased_day: i64,
    /// Erased in the last thirty days.
    pub erased_month: i64,
}

impl Retention {
    /// How every rule of a tenant stands now: one row for each category and rule that has anything, or had in the last
    /// thirty days, and one for each declared category that has nothing.
    pub async fn board(&self, tenant: &TenantId) -> Result<Vec<BoardRow>, Error> {
        let now = self.clock.now();
        let policy = self.vault.policy(tenant)?;
        let counts = self.vault.counts(tenant, now).await?;
        let (beside, day, month) = {
            let mut tx = self.db.read().await?;
            (
                sql::beside::counts(&mut tx, tenant).await?,
                sql::erased_since(&mut tx, tenant, now.plus(TimeDelta::days(-1))).await?,
                sql::erased_since(&mut tx, tenant, now.plus(TimeDelta::days(-30))).await?,
            )
        };
        let erased = |of: &[(String, String, i64)], category: &str, rule: &str| {
            of.iter().filter(|(r, c, _)| r == rule && c == category).map(|(.., n)| n).sum()
        };
        let mut rows = Vec::new();
        for category in policy.categories() {
            let rules: Vec<_> = policy.retention_of(&category.id).collect();
            let mut names: Vec<String> = rules.iter().map(|r| r.id.clone()).collect();
            names.extend(counts.iter().filter(|c| c.category == category.id).map(|c| c.rule.clone()));
            // What lies in a table beside the vault has no day of its own: it goes with what it belongs to.
            let own = beside.iter().find(|(of, ..)| *of == category.id);
            names.extend(own.map(|_| String::new()));
            names.sort();
            names.dedup();
            for rule in names {
                let found = counts.iter().find(|c| c.category == category.id && c.rule == rule);
                let own = own.filter(|_| rule.is_empty());
                rows.push(BoardRow {
                    category: category.id.clone(),
                    title: category.title.clone(),
                    period: rules.iter().find(|r| r.id == rule).map(|r| words(r)).unwrap_or_default(),
                    live: found.map_or(0, |c| c.live) + own.map_or(0, |(_, n, _)| *n),
                    overdue: found.map_or(0, |c| c.due),
                    held: found.map_or(0, |c| c.held),
                    latest: found.filter(|c| c.due > 0).and_then(|c| c.next_due).map(|due| now.since(due)),
                    next_due: found.and_then(|c| c.next_due),
                    oldest: [found.and_then(|c| c.oldest), own.and_then(|(.., at)| *at)]
                        .into_iter()
                        .flatten()
                        .min(),
                    erased_day: erased(&day, &category.id, &rule),
                    erased_month: erased(&month, &category.id, &rule),
                    rule,
                });
            }
        }
        Ok(rows)
    }
}

/// A rule in words: `when the edit succeeded, at most 48 hours after it was uploaded`.
fn words(rule: &crate::policy::Retention) -> String {
    let mut parts: Vec<String> =
        rule.erase_when.iter().map(|fact| format!("when {}", fact.in_words())).collect();
    parts.extend(rule.at_most.iter().map(|after| format!("at most {after}")));
    parts.extend(rule.keep.iter().map(|after| format!("not before {after}")));
    parts.join(", ")
}
