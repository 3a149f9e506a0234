//! The facts of a thing, and when it must go.

use std::fmt;

use crate::base::Timestamp;

use super::words::Fact;

/// When each fact of one thing happened. Small and copied freely; a fact that is not there has not happened.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts([Option<Timestamp>; Fact::ALL.len()]);

impl Facts {
    /// Nothing has happened yet.
    pub const fn new() -> Self {
        Self([None; Fact::ALL.len()])
    }

    /// These facts and `fact` at `at`. A fact set twice keeps the later call, as `last-active` must.
    #[must_use]
    pub fn with(mut self, fact: Fact, at: Timestamp) -> Self {
        if let Some(slot) = self.0.get_mut(fact as usize) {
            *slot = Some(at);
        }
        self
    }

    /// These facts and `fact`, if it has happened.
    #[must_use]
    pub fn with_maybe(self, fact: Fact, at: Option<Timestamp>) -> Self {
        at.map_or(self, |at| self.with(fact, at))
    }

    /// When `fact` happened.
    pub fn get(&self, fact: Fact) -> Option<Timestamp> {
        self.0.get(fact as usize).copied().flatten()
    }

    /// The facts that have happened, in the order of the vocabulary.
    pub fn iter(&self) -> impl Iterator<Item = (Fact, Timestamp)> + '_ {
        Fact::ALL.iter().filter_map(|&f| self.get(f).map(|at| (f, at)))
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(fact, at)| (fact.as_str(), at))).finish()
    }
}

impl FromIterator<(Fact, Timestamp)> for Facts {
    fn from_iter<I: IntoIterator<Item = (Fact, Timestamp)>>(facts: I) -> Self {
        facts.into_iter().fold(Self::new(), |all, (fact, at)| all.with(fact, at))
    }
}

/// When a thing must go. `rule` names a retention rule, so `Policy::retention` tells what then happens to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// The earliest moment at which a rule says that it must go; it may lie in the past.
    At {
        /// The moment.
        at: Timestamp,
        /// The retention rule that says so.
        rule: String,
        /// Why, for people: `48 hours after it was uploaded`.
        because: String,
    },
    /// No clock runs yet: the first rule waits for a fact.
    Waiting {
        /// The retention rule that waits.
        rule: String,
        /// The fact it waits for.
        for_fact: Fact,
    },
    /// No rule will ever make it go.
    Never {
        /// Why not.
        why: String,
    },
}

impl Due {
    /// The moment, if a clock runs.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::At { at, .. } => Some(*at),
            Self::Waiting { .. } | Self::Never { .. } => None,
        }
    }

    /// The rule that says so, if any.
    pub fn rule(&self) -> Option<&str> {
        match self {
            Self::At { rule, .. } | Self::Waiting { rule, .. } => Some(rule),
            Self::Never { .. } => None,
        }
    }
}
