use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::Timestamp;

/// What a recipient holds of one account, as it told it, a table for each kind of thing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Export {
    /// The tables, in a fixed order; none that is empty.
    pub tables: Vec<Table>,
}

/// Things of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// `customer`, `invoices`, `identities`, …
    pub name: String,
    /// Each as the recipient wrote it, without what would open a door (client secrets).
    pub rows: Vec<Value>,
}

impl Export {
    /// Adds a table, unless there is nothing in it.
    pub(super) fn add(&mut self, name: &str, rows: Vec<Value>) {
        if !rows.is_empty() {
            self.tables.push(Table { name: name.to_owned(), rows });
        }
    }
}

/// What a person is called from now on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they are called in the app.
    pub username: String,
    /// Whether they opened a link that was sent to this address.
    #[serde(skip)]
    pub confirmed: bool,
}

impl std::fmt::Debug for Correction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Correction(…)")
    }
}

/// What has to be remembered of an erasure or a correction between two turns. Sealed where it is kept.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Memory {
    /// The job that redacts.
    pub job: Option<String>,
    /// The address that logs there speak of.
    pub email: Option<String>,
    /// What is in the names of calls that must not be done twice; one more when such a name is spoiled.
    pub round: u32,
    /// A word of this piece of work's own, for those names.
    pub task: String,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory(…)")
    }
}

/// How far an erasure has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erased {
    /// Nothing is left there, and this is how that is known.
    Proven(Vec<Proof>),
    /// Not yet; to be looked at again, not before this.
    Waiting {
        /// When.
        until: Timestamp,
        /// Why, in a few words.
        why: &'static str,
    },
    /// Whatever may go is gone, as the proofs say; payments stay there.
    Stays(Stay, Vec<Proof>),
}

/// What stays at a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// How many payments and invoices.
    pub records: u64,
    /// When the last of them was made.
    pub last: Timestamp,
    /// When the recipient lets them be redacted; never, where it is not set up to.
    pub again: Option<Timestamp>,
}

/// How something is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// It says that there is no such account.
    Unknown,
    /// Read back as deleted.
    Deleted,
    /// Read back with every personal field empty.
    Blanked,
    /// Read back as redacted.
    Redacted,
    /// No payment method is left.
    Detached,
    /// No file is left.
    FilesGone,
    /// No line of its log names the person.
    LogClean,
    /// Read back with the new values.
    Corrected,
}

impl Proof {
    /// As the register and the ledger write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "not-there",
            Self::Deleted => "read-back-deleted",
            Self::Blanked => "read-back-blank",
            Self::Redacted => "read-back-redacted",
            Self::Detached => "methods-detached",
            Self::FilesGone => "files-gone",
            Self::LogClean => "log-clean",
            Self::Corrected => "read-back-corrected",
        }
    }
}
