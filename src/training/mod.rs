//! Collections that models learn from: only what people who agree to it now have given, and the proof that it was so.
//!
//! Promises: each person's word, restriction and account are looked at before their things are read, by the vault for
//! each thing, and once more when the collection is closed, so that a no counts in the same second; every person who is
//! read is on the ledger; the manifest says under whose word each part stands, and names whoever has left since an
//! earlier collection; pictures carry nothing but the picture. Must never: take what a document does not give to the
//! purpose, or leave half a collection behind.

mod error;
mod export;
mod folder;
mod manifest;
mod sql;

pub use error::Error;
pub use export::Made;
pub use folder::{MANIFEST, SAMPLES, SIGNATURE};
pub use manifest::{Left, Manifest, Member, Sample};

use crate::archive::Signer;
use crate::base::{Clock, Entropy};
use crate::consent::Consents;
use crate::ledger::Ledger;
use crate::store::Db;
use crate::vault::Vault;

/// Collections for training. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Training {
    db: Db,
    vault: Vault,
    consents: Consents,
    ledger: Ledger,
    signer: Signer,
    clock: Clock,
    entropy: Entropy,
}

/// What the room is made of.
#[derive(Debug)]
pub struct Parts {
    /// The main database.
    pub db: Db,
    /// The door to personal data.
    pub vault: Vault,
    /// People's words.
    pub consents: Consents,
    /// Where what happened is written down.
    pub ledger: Ledger,
    /// Signs manifests.
    pub signer: Signer,
    /// What time it is.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

impl Training {
    /// Over its parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { db, vault, consents, ledger, signer, clock, entropy } = parts;
        Self { db, vault, consents, ledger, signer, clock, entropy }
    }
}
