//! One document after another: which version's rule ends a thing, and which yes still stands.

use std::collections::BTreeSet;
use std::ops::Deref;

use chrono::NaiveTime;

use super::model::Purpose;
use super::{Due, Facts, Policy};
use crate::base::Timestamp;

/// The rule that ends what no document declares any more. No document can write it: a rule's name has no dot.
pub const GONE: &str = "category.gone";

/// Which version's rule ends a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Governed {
    /// The version.
    pub version: String,
    /// When, and by which of its rules.
    pub due: Due,
}

impl Policy {
    /// When it comes into force: its day begins, UTC.
    pub fn starts(&self) -> Timestamp {
        Timestamp::from_utc(self.effective().and_time(NaiveTime::MIN).and_utc())
    }
}

/// When a thing must go that was collected under the first of `versions`, the others having come into force since, in
/// this order: the earliest that any of them says. So a stricter promise is kept for what was collected or held under
/// it, whatever came after. A later version makes nothing due before the day on which it came into force, and what it
/// no longer declares is due on that day, unless an earlier version keeps it because a law demands it.
pub fn governing<P: Deref<Target = Policy>>(versions: &[P], category: &str, facts: &Facts) -> Governed {
    governing_after(versions, category, facts, &[])
}

/// As [`governing`], leaving out the rules that were carried out already, by whichever version: a thing that was reduced
/// lives on until its next rule.
pub fn governing_after<P: Deref<Target = Policy>>(
    versions: &[P],
    category: &str,
    facts: &Facts,
    done: &[&str],
) -> Governed {
    let says = versions.iter().enumerate().map(|(n, policy)| {
        let due = match n {
            0 => policy.due_after(category, facts, done),
            _ => later(policy, versions.get(..n).unwrap_or_default(), category, (facts, done)),
        };
        Governed { version: policy.version().to_owned(), due }
    });
    // Of two that say the same, the earlier version's rule was there first.
    says.min_by_key(|said| rank(&said.due)).unwrap_or_else(|| Governed {
        version: String::new(),
        due: Due::Never { why: "there is no document".to_owned() },
    })
}

/// What a later version says of a thing that was there before it.
fn later<P: Deref<Target = Policy>>(
    policy: &Policy,
    earlier: &[P],
    category: &str,
    (facts, done): (&Facts, &[&str]),
) -> Due {
    if policy.category(category).is_none() {
        let declared = earlier.iter().any(|p| p.category(category).is_some());
        let kept = earlier.iter().any(|p| p.retention_of(category).any(|rule| rule.keep.is_some()));
        return if declared && !kept {
            let because = "the policy no longer declares this category".to_owned();
            Due::At { at: policy.starts(), rule: GONE.to_owned(), because }
        } else {
            policy.due_after(category, facts, done)
        };
    }
    match policy.due_after(category, facts, done) {
        Due::At { at, rule, because } => Due::At { at: at.max(policy.starts()), rule, because },
        other => other,
    }
}

fn rank(due: &Due) -> (u8, i64) {
    match due {
        Due::At { at, .. } => (0, at.micros()),
        Due::Waiting { .. } => (1, 0),
        Due::Never { .. } => (2, 0),
    }
}

/// Whether a yes to `purpose` that was given under `old` covers what `new` says of it. It does not when what is done is
/// described anew, when models begin to learn from it, when it takes in data that were there before for other ends, when
/// somebody new receives data for it, or when an explicit yes is wanted and was not asked for.
pub fn consent_carries(old: &Policy, new: &Policy, purpose: &str) -> bool {
    let (Some(was), Some(is)) = (old.purpose(purpose), new.purpose(purpose)) else { return false };
    if !is.needs_consent() {
        return true;
    }
    let same_words = was.needs_consent() && was.means == is.means && (was.explicit || !is.explicit);
    let learns = is.trains_models && !was.trains_models;
    same_words && !learns && takes_in(old, new, is) && recipients(new, is).is_subset(&recipients(old, was))
}

/// Whether the purpose uses nothing that the old version held without using it for this.
fn takes_in(old: &Policy, new: &Policy, purpose: &Purpose) -> bool {
    let uses = |c: &super::Category| c.purposes.contains(&purpose.id);
    new.categories().filter(|c| uses(c)).all(|c| old.category(&c.id).is_none_or(uses))
}

fn recipients<'a>(policy: &'a Policy, purpose: &Purpose) -> BTreeSet<&'a str> {
    let all = policy.processors().filter(|p| p.is_recipient() && p.purposes.contains(&purpose.id));
    all.map(|p| p.id.as_str()).collect()
}
