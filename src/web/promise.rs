//! How each promise of a document stands now, computed from what the rooms found.
//!
//! Promises: pure; a promise is called kept only when something was looked at and nothing was found against it. What no
//! check has looked at yet is waiting, never green. Must never: round a broken promise up, or ask a room by itself.

mod line;
mod proofs;
#[cfg(test)]
mod tests;

pub use proofs::{Attested, Proofs};

use chrono::TimeDelta;

use crate::base::Timestamp;
use crate::policy::{Policy, Right, RuleKind};
use crate::retention::BoardRow;
use crate::web::view::{State, Tally};

/// A sweep runs every few seconds; what is past its time for longer than this was not erased in time.
pub const SWEEP_GRACE: TimeDelta = TimeDelta::minutes(10);

/// What was found, to compute from. Everything in it was read at [`Evidence::at`].
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The document.
    pub policy: &'a Policy,
    /// When the finding was made.
    pub at: Timestamp,
    /// The retention board.
    pub board: &'a [BoardRow],
    /// How many copies at each recipient are past the day they had to be gone.
    pub overdue_copies: &'a [(String, i64)],
    /// How the requests of each right stand.
    pub requests: &'a [RightLine],
    /// How the probes that ran ended.
    pub probes: &'a [Probed],
    /// What the ledger proves.
    pub proofs: &'a Proofs,
}

/// How the requests of a right stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RightLine {
    /// The right.
    pub right: Right,
    /// Unanswered.
    pub open: u64,
    /// Of them, less than 18 hours from the promised time.
    pub near: u64,
    /// Of them, past it.
    pub late: u64,
    /// Answered.
    pub answered: u64,
}

/// How a probe ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// Its name, one of [`crate::policy::spec::PROBES`].
    pub probe: String,
    /// Whether it found nothing against the promise.
    pub sound: bool,
    /// What it counted, in words.
    pub figure: String,
    /// When it ran.
    pub at: Timestamp,
}

/// How one promise stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The clause that promises it: the anchor of its heading.
    pub clause: String,
    /// The kind of its rule.
    pub kind: RuleKind,
    /// The rule's full name: `retention.input-image`.
    pub rule: String,
    /// What is promised, in a few words.
    pub promise: String,
    /// How it stands.
    pub state: State,
    /// The figure behind that: `0 of 48,210 past their time`.
    pub figure: String,
    /// When it was last checked; `None` when nothing has checked it.
    pub checked: Option<Timestamp>,
    /// The number of the newest ledger entry that shows it.
    pub proof: Option<u64>,
}

/// Every promise of the document, in its order of kinds: when data go, who else has them, what people may ask, what the
/// program checks, what people vouch for, when people are told.
pub fn standings(found: &Evidence<'_>) -> Vec<Standing> {
    let policy = found.policy;
    let mut all: Vec<Standing> = policy.retention_rules().map(|r| line::retention(found, r)).collect();
    all.extend(policy.processors().filter(|p| p.is_recipient()).map(|p| line::processor(found, p)));
    all.extend(policy.rights().map(|r| line::right(found, r)));
    all.extend(policy.safeguards().map(|s| line::safeguard(found, s)));
    all.extend(policy.attestations().map(|a| line::attestation(found, a)));
    all.extend(policy.notices().map(line::notice));
    all
}

/// The standings that belong beside a clause: those of its own rules and of those it points at.
pub fn of_clause<'a>(
    all: &'a [Standing],
    clause: &'a crate::policy::Clause,
) -> impl Iterator<Item = &'a Standing> {
    all.iter().filter(|s| clause.rules.contains(&s.rule))
}

/// Worst first.
pub const WORST_FIRST: [State; 6] =
    [State::Broken, State::Overdue, State::AtRisk, State::Waiting, State::Attested, State::Kept];

/// How bad a state is: 0 is the worst.
pub fn rank(state: State) -> usize {
    WORST_FIRST.iter().position(|s| *s == state).unwrap_or(WORST_FIRST.len())
}

/// How many promises stand how, worst first; states with none are left out.
pub fn tally(all: &[Standing]) -> Vec<Tally> {
    let count = |state: State| all.iter().filter(|s| s.state == state).count();
    WORST_FIRST
        .into_iter()
        .map(|state| Tally { state, count: (count(state) as u64).into() })
        .filter(|part| !part.count.none())
        .collect()
}

/// The kinds of entry that [`Proofs`] is made from.
pub const PROVING_KINDS: [&str; 4] = ["retention.swept", "request.closed", "disclosure.made", Attested::KIND];
