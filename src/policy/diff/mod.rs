//! What a new version means: not which lines moved, but what was tightened, what was loosened, who must be told, and who
//! must be asked again.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Policy;

mod clocks;
mod keys;
mod people;
mod rules;

/// Which way a change goes, seen from the people whose data it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Better for people: shorter, fewer, more choice.
    Tightened,
    /// Worse for people: longer, more, less choice.
    Loosened,
    /// Neither, or both at once.
    Changed,
}

/// What a change is, in law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// Something new is held.
    NewCategory,
    /// Something is no longer held.
    CategoryGone,
    /// Data are used for something new.
    NewPurpose,
    /// A use ends.
    PurposeGone,
    /// A use rests on another basis.
    BasisChanged,
    /// Somebody new receives data.
    NewRecipient,
    /// Somebody receives none any more.
    RecipientGone,
    /// A recipient gets more or less, for other things, in another place, or keeps it for another time.
    RecipientChanged,
    /// Data go sooner or later.
    DeadlineMoved,
    /// More or fewer people of the house may read.
    AccessChanged,
    /// A right is answered sooner or later, or used in another way.
    RightChanged,
    /// A check, an attestation or a notice came, went or changed.
    ProofChanged,
    /// The controller, a contact or the law changed.
    PartiesChanged,
    /// Only words.
    Wording,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it is.
    pub meaning: Meaning,
    /// Which way it goes.
    pub direction: Direction,
    /// The rule it is about, by its full name; or the clause: `#changes`.
    pub rule: String,
    /// The categories whose data it touches.
    pub categories: BTreeSet<String>,
    /// What it says, in one sentence for people.
    pub says: String,
    /// Whether people must be told before it takes effect.
    pub must_tell: bool,
    /// Whether people must be asked again: what they had agreed to is no longer what happens.
    pub must_ask: bool,
}

/// All that a new version means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Of whose document.
    pub tenant: String,
    /// The versions: old, new.
    pub versions: (String, String),
    /// The changes, loosened first.
    pub changes: Vec<Change>,
    /// What makes the new version impossible to publish after the old one.
    pub conflicts: Vec<String>,
}

impl Difference {
    /// Whether any change obliges us to tell people.
    pub fn must_tell(&self) -> bool {
        self.changes.iter().any(|change| change.must_tell)
    }

    /// The purposes for which people must be asked again.
    pub fn must_ask(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.must_ask)
    }

    /// Whether only words changed: nothing that the program does is another for it.
    pub fn is_wording_only(&self) -> bool {
        !self.changes.is_empty() && self.changes.iter().all(|change| change.meaning == Meaning::Wording)
    }

    /// The categories whose data the changes touch; with them a caller counts objects and people.
    pub fn categories(&self) -> BTreeSet<&str> {
        self.changes.iter().flat_map(|change| change.categories.iter().map(String::as_str)).collect()
    }
}

/// What `new` means after `old`.
pub fn diff(old: &Policy, new: &Policy) -> Difference {
    let mut changes = Vec::new();
    rules::categories(old, new, &mut changes);
    rules::purposes(old, new, &mut changes);
    rules::processors(old, new, &mut changes);
    clocks::retention(old, new, &mut changes);
    people::access(old, new, &mut changes);
    people::rights(old, new, &mut changes);
    people::proofs(old, new, &mut changes);
    people::parties(old, new, &mut changes);
    keys::rest(old, new, &mut changes);
    people::wording(old, new, &mut changes);
    let order = |direction| match direction {
        Direction::Loosened => 0,
        Direction::Changed => 1,
        Direction::Tightened => 2,
    };
    changes.sort_by_key(|change| (order(change.direction), change.meaning));
    Difference {
        tenant: new.tenant().to_string(),
        versions: (old.version().to_owned(), new.version().to_owned()),
        changes,
        conflicts: conflicts(old, new),
    }
}

fn conflicts(old: &Policy, new: &Policy) -> Vec<String> {
    let mut found = Vec::new();
    if old.tenant() != new.tenant() {
        found.push(format!("the documents are of two tenants, {} and {}", old.tenant(), new.tenant()));
    }
    if old.version() == new.version() && old.hash() != new.hash() {
        found.push(format!(
            "both are version {}, but their text differs: a published version never changes",
            new.version()
        ));
    }
    if new.effective() < old.effective() {
        found.push(format!(
            "the new one is in force from {}, before the old one of {}",
            new.effective(),
            old.effective()
        ));
    }
    found
}
