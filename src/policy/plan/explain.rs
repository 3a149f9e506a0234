//! What the rules say of one thing.

use serde::Serialize;

use crate::base::Timestamp;
use crate::policy::model::Retention;
use crate::policy::{Facts, Policy};

/// What one rule says of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// The rule's name.
    pub rule: String,
    /// The clause that promises it.
    pub clause: String,
    /// What it does when it fires; `keep` while it only forbids.
    pub action: String,
    /// What it says: `48 hours after it was uploaded`.
    pub says: String,
    /// When that is, if its clock runs.
    pub at: Option<Timestamp>,
}

/// Why a thing with these facts is still here, or why it went: what each rule of its category says, the earliest first,
/// those whose clock has not started last.
pub fn explain(policy: &Policy, category: &str, facts: &Facts) -> Vec<Said> {
    let mut all: Vec<Said> = policy.retention_of(category).flat_map(|rule| of_rule(rule, facts)).collect();
    all.sort_by_key(|said| said.at.map_or(i64::MAX, Timestamp::micros));
    all
}

fn of_rule<'a>(rule: &'a Retention, facts: &'a Facts) -> impl Iterator<Item = Said> + 'a {
    let said = |action: String, says: String, at: Option<Timestamp>| Said {
        rule: rule.id.clone(),
        clause: rule.clause.clone(),
        action,
        says,
        at,
    };
    let at_once = rule.erase_when.iter().map(move |fact| {
        said(rule.action.to_string(), format!("as soon as {}", fact.in_words()), facts.get(*fact))
    });
    let later = rule.at_most.iter().map(move |after| {
        let at = facts.get(after.fact).map(|start| after.period.after(start));
        said(rule.action.to_string(), format!("at most {after}"), at)
    });
    let keep = rule.keep.iter().map(move |keep| {
        let at = facts.get(keep.fact).map(|start| keep.period.after(start));
        said("keep".to_owned(), format!("not before {keep}"), at)
    });
    at_once.chain(later).chain(keep)
}
