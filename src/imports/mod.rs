//! An archive that a person took home from one installation, brought into another: portability as somebody who moves
//! knows it.
//!
//! Promises: an archive is believed in nothing; all of it is read and checked before the first thing is taken, so that a
//! refusal changes nothing; whose key signed it is told, and whether that is ours; pictures come in by the door by which
//! every picture comes in; what is here already is not taken twice, so that a second import adds nothing, says so, and one
//! that broke off goes on where it was, whichever replicas are asked, and be it at once. Must never: take over a consent, a credit or a request, or write an archive to a disk
//! in clear.

mod error;
mod reading;
mod spool;
mod take;

pub use error::Error;
pub use reading::From;
pub use spool::Spool;
pub use take::{Brought, Tally};

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::archive::VerifyingKey;
use crate::base::{Clock, Entropy};
use crate::editing::Editing;
use crate::ledger::Ledger;
use crate::store::Db;
use crate::vault::Vault;

/// Bringing archives in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Imports {
    db: Db,
    vault: Vault,
    editing: Editing,
    ledger: Ledger,
    own_key: VerifyingKey,
    folder: PathBuf,
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
    /// One archive is taken at a time: two copies of one must not both find that nothing is here yet, and what is kept of the
    /// database while one is taken is kept once in a process.
    turn: Arc<Semaphore>,
}

/// How much of a stranger's archive is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Bytes of the archive.
    pub most_bytes: u64,
    /// Files in it.
    pub most_files: u64,
    /// Bytes of its manifest, and of each of its documents.
    pub most_document: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { most_bytes: 2 << 30, most_files: 20_000, most_document: 8 << 20 }
    }
}

/// What the room is made of.
#[derive(Debug)]
pub struct Parts {
    /// The main database.
    pub db: Db,
    /// The door to personal data.
    pub vault: Vault,
    /// The door for pictures.
    pub editing: Editing,
    /// Where what happened is written down.
    pub ledger: Ledger,
    /// The key that signs archives here.
    pub own_key: VerifyingKey,
    /// Where an archive lies, sealed, while it is looked at.
    pub folder: PathBuf,
    /// How much is looked at.
    pub settings: Settings,
    /// What time it is.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

impl Imports {
    /// Over its parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { db, vault, editing, ledger, own_key, folder, settings, clock, entropy } = parts;
        let turn = Arc::new(Semaphore::new(1));
        Self { db, vault, editing, ledger, own_key, folder, settings, clock, entropy, turn }
    }

    /// How much is looked at.
    pub fn settings(&self) -> Settings {
        self.settings
    }
}
