//! Versions of the documents: how one is published, who is told of it, and what each person had in force when.
//!
//! Promises: a published version never changes, and its source outlives the folder it came from; nothing is published
//! that comes into force before the people it is about have been told in time, as the version in force promises; what
//! would destroy more than one in a hundred of the things held waits for a second person; at most one letter a person
//! a version. Must never: take silence for a yes, or keep an address.

mod error;
mod examine;
mod history;
mod load;
mod model;
mod publish;
mod second;
mod sql;
mod tell;

pub use error::Error;
pub use history::{Era, News};
pub use model::{Obstacle, Outcome, Outlook, Proposal, Told, Verdict};
pub use tell::{Letter, Tally, Telling};

use crate::base::{Clock, Entropy};
use crate::consent::Consents;
use crate::ledger::Ledger;
use crate::policy::Library;
use crate::store::Db;
use crate::subjects::Subjects;
use crate::vault::Vault;

/// The versions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Publications {
    db: Db,
    vault: Vault,
    subjects: Subjects,
    consents: Consents,
    ledger: Ledger,
    library: Library,
    clock: Clock,
    entropy: Entropy,
}

/// What it is made of.
#[derive(Debug)]
pub struct Parts {
    /// The main database.
    pub db: Db,
    /// The door to personal data.
    pub vault: Vault,
    /// People and staff.
    pub subjects: Subjects,
    /// People's words.
    pub consents: Consents,
    /// Where what happened is written down.
    pub ledger: Ledger,
    /// The documents.
    pub library: Library,
    /// What time it is.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

impl Publications {
    /// Over its parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { db, vault, subjects, consents, ledger, library, clock, entropy } = parts;
        Self { db, vault, subjects, consents, ledger, library, clock, entropy }
    }
}
