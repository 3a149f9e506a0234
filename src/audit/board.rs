//! The promise board: every clause of the document in force, as all who show it show it.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{Audit, ClauseState, Error, RuleState, State};
use crate::base::{EntryId, TenantId, Timestamp};

/// How a document's promises stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// Whose document.
    pub tenant: TenantId,
    /// Its version.
    pub version: String,
    /// Since when it is in force.
    pub effective: NaiveDate,
    /// When the board was put together.
    pub at: Timestamp,
    /// When the newest of the checks behind it was made; `None` when none was.
    pub checked: Option<Timestamp>,
    /// Its clauses, in the document's order.
    pub clauses: Vec<ClauseState>,
}

impl Board {
    /// Every rule once, worst first, those that stand alike in the document's order.
    pub fn rules(&self) -> Vec<&RuleState> {
        let mut seen = BTreeSet::new();
        let mut all: Vec<&RuleState> =
            self.clauses.iter().flat_map(|c| &c.rules).filter(|r| seen.insert(r.rule.as_str())).collect();
        all.sort_by_key(|r| r.state);
        all
    }

    /// One rule, by its full name.
    pub fn rule(&self, name: &str) -> Option<&RuleState> {
        self.clauses.iter().flat_map(|c| &c.rules).find(|r| r.rule == name)
    }

    /// How many rules stand how, worst first; states with none are left out.
    pub fn tally(&self) -> Vec<(State, usize)> {
        let rules = self.rules();
        let count = |state| rules.iter().filter(|r| r.state == state).count();
        State::ALL.into_iter().map(|state| (state, count(state))).filter(|(_, n)| *n > 0).collect()
    }

    /// How many rules stand like this.
    pub fn count(&self, state: State) -> usize {
        self.tally().into_iter().find(|(s, _)| *s == state).map_or(0, |(_, n)| n)
    }

    /// Whether nothing is broken and nothing overdue.
    pub fn is_well(&self) -> bool {
        self.count(State::Broken) == 0 && self.count(State::Overdue) == 0
    }
}

impl Audit {
    /// Notes of each clause and rule where its entry stands in the ledger.
    pub(super) async fn place(&self, clauses: &mut [ClauseState]) -> Result<(), Error> {
        let rules = clauses.iter().flat_map(|c| &c.rules);
        let ids: BTreeSet<EntryId> = rules.filter_map(|r| r.entry).collect();
        let places = self.ledger.places(&ids.into_iter().collect::<Vec<_>>()).await?;
        let place = |entry: Option<EntryId>| entry.and_then(|id| places.get(&id).copied());
        for clause in clauses {
            clause.place = place(clause.entry);
            for rule in &mut clause.rules {
                rule.place = place(rule.entry);
            }
        }
        Ok(())
    }
}
