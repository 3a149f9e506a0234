//! What a check finds, and what becomes of that: pure types.

use serde::{Deserialize, Serialize};

use crate::base::{EntryId, StaffId, Timestamp};
use crate::policy::RuleKind;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It looked, and found nothing against the promise.
    Passed,
    /// It looked, and found something.
    Failed,
    /// It could not look. Never counts as kept.
    CannotRun,
}

impl Verdict {
    /// As stored and as shown in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::CannotRun => "cannot-run",
        }
    }

    /// From its text.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Passed, Self::Failed, Self::CannotRun].into_iter().find(|v| v.as_str() == text)
    }
}

/// How a promise stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The last check found that it is not kept.
    Broken,
    /// Somebody should have vouched for it by now and has not.
    Overdue,
    /// Kept, but a limit is near or the check is late.
    AtRisk,
    /// Nothing has checked it, or the check could not run: nothing is claimed.
    Waiting,
    /// Somebody vouched for it, and that is fresh.
    Attested,
    /// The last check found nothing against it.
    Kept,
}

impl State {
    /// Worst first, as they are ordered.
    pub const ALL: [Self; 6] =
        [Self::Broken, Self::Overdue, Self::AtRisk, Self::Waiting, Self::Attested, Self::Kept];

    /// As shown in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Overdue => "overdue",
            Self::AtRisk => "at-risk",
            Self::Waiting => "waiting",
            Self::Attested => "attested",
            Self::Kept => "kept",
        }
    }
}

/// What a check found of one rule of the document, where it looks at several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The rule's full name: `retention.input-image`.
    pub rule: String,
    /// How it stands.
    pub state: State,
    /// The figure behind that.
    pub figure: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// What it counted, in a sentence, or why it could not run. Holds no personal data.
    pub figure: String,
    /// How many things it looked at.
    pub checked: u64,
    /// How many of them spoke against the promise.
    pub found: u64,
    /// By rule, where it looks at several.
    pub parts: Vec<Part>,
}

impl Outcome {
    /// It looked at `checked` things and `found` of them spoke against the promise: passed if none did.
    pub fn counted(checked: u64, found: u64, figure: impl Into<String>) -> Self {
        let verdict = if found == 0 { Verdict::Passed } else { Verdict::Failed };
        Self { verdict, figure: figure.into(), checked, found, parts: Vec::new() }
    }

    /// It could not look.
    pub fn cannot_run(why: impl Into<String>) -> Self {
        Self { verdict: Verdict::CannotRun, figure: why.into(), checked: 0, found: 0, parts: Vec::new() }
    }

    /// The same, with what was found by rule.
    #[must_use]
    pub fn with(mut self, parts: Vec<Part>) -> Self {
        self.parts = parts;
        self
    }
}

/// The last run of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, one of [`crate::policy::spec::PROBES`].
    pub probe: String,
    /// What it found.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// When it ran.
    pub at: Timestamp,
    /// Since when it has ended like this.
    pub since: Timestamp,
    /// The ledger entry that says so: written when the state changed, and each day.
    pub entry: Option<EntryId>,
    /// When that entry was written.
    pub recorded_at: Option<Timestamp>,
}

/// A run that stands on the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The ledger entry.
    pub entry: EntryId,
    /// The check.
    pub probe: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What it counted.
    pub figure: String,
    /// How many things it looked at.
    pub checked: u64,
    /// How many of them spoke against the promise.
    pub found: u64,
    /// When.
    pub at: Timestamp,
    /// The entry's number in the ledger, once it is in the tree.
    pub place: Option<u64>,
}

/// How one rule of the document stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleState {
    /// Its full name: `retention.input-image`.
    pub rule: String,
    /// Its kind.
    pub kind: RuleKind,
    /// The clause that declares it: the anchor of its heading.
    pub clause: String,
    /// The check that it stands on; `None` for what people vouch for.
    pub probe: Option<String>,
    /// What it promises, in a few words.
    pub promise: String,
    /// How it stands.
    pub state: State,
    /// The figure behind that: `0 of 48,210 past their time`.
    pub figure: String,
    /// When it was last checked; `None` when nothing has looked yet.
    pub checked: Option<Timestamp>,
    /// The newest ledger entry that shows it.
    pub entry: Option<EntryId>,
    /// That entry's number in the ledger, once it is in the tree.
    pub place: Option<u64>,
}

/// How one clause of the document stands: as badly as the worst of its rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClauseState {
    /// The anchor of its heading.
    pub clause: String,
    /// Its heading.
    pub title: String,
    /// The level of its heading.
    pub level: u8,
    /// How it stands; `None` for a clause that promises nothing.
    pub state: Option<State>,
    /// The figure of the rule that decides.
    pub figure: Option<String>,
    /// When that was last checked.
    pub checked: Option<Timestamp>,
    /// The ledger entry that shows it.
    pub entry: Option<EntryId>,
    /// That entry's number in the ledger, once it is in the tree.
    pub place: Option<u64>,
    /// Every rule that was considered, worst first.
    pub rules: Vec<RuleState>,
}

/// How an attestation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Vouching {
    /// Its name in the document.
    pub attestation: String,
    /// What people do.
    pub what: String,
    /// Who answers for it.
    pub owner: String,
    /// What must be shown.
    pub wanted: String,
    /// When somebody last vouched for it.
    pub made: Option<Timestamp>,
    /// Who: a member of staff.
    pub by: Option<StaffId>,
    /// The ledger entry of that.
    pub entry: Option<EntryId>,
    /// By when it must be done again, or first.
    pub due: Timestamp,
    /// How it stands.
    pub state: State,
}

/// A word that somebody gave for an attestation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Vouched {
    /// The ledger entry.
    pub entry: EntryId,
    /// The attestation.
    pub attestation: String,
    /// Who.
    pub staff: StaffId,
    /// When.
    pub at: Timestamp,
    /// Whether a file was shown with it.
    pub file: bool,
    /// The entry's number in the ledger, once it is in the tree.
    pub place: Option<u64>,
}

/// A file that was shown for an attestation. `Debug` shows no byte of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Attached {
    /// Its name, without folders.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Attached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Attached({:?}, {} bytes)", self.name, self.bytes.len())
    }
}

/// A number as people write it: `48,210`.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number and its noun: `1 picture`, `48,210 pictures`.
pub(super) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// A count of the database, which is never negative.
pub(super) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (n, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (48_210, "48,210"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(n), text);
        }
        assert_eq!(count(1, "picture", "pictures"), "1 picture");
    }

    #[test]
    fn one_thing_found_is_enough_to_fail_and_a_check_that_could_not_look_never_passes() {
        assert_eq!(Outcome::counted(10, 0, "").verdict, Verdict::Passed);
        assert_eq!(Outcome::counted(10, 1, "").verdict, Verdict::Failed);
        assert_eq!(Outcome::cannot_run("no").verdict, Verdict::CannotRun);
    }

    #[test]
    fn states_are_ordered_worst_first() {
        assert!(State::ALL.is_sorted());
        assert_eq!(State::ALL.into_iter().min(), Some(State::Broken));
    }
}
