//! The ledger: what was done to whose data, in the order in which it was done, so that nobody can change it unseen.
//!
//! An append-only Merkle tree (RFC 6962) with Ed25519 signed checkpoints, tiles, entry bundles and proofs in the forms of
//! C2SP (tlog-tiles, tlog-checkpoint, signed-note, tlog-proof, tlog-witness, tlog-cosignature), which tools that we did
//! not write can verify.
//!
//! Promises: an entry is written in the transaction of what it records, or neither is. Two heads that this ledger signed
//! never contradict each other: before each signature the new tree is proved to contain the last signed one, held in
//! the database and in a file beside it. Everything it hands out verifies with no database and no network.
//! Must never: hold personal data, sign while it may be behind, or change an entry.

mod ask;
mod bundle;
mod canonical;
mod checkpoint;
mod entry;
mod error;
mod fact;
mod folder;
mod fsck;
mod key;
mod kind;
mod opening;
mod proof;
mod publish;
mod read;
mod receipt;
mod replay;
mod resource;
mod sentence;
mod sequence;
mod sql;
mod state;
mod tree;
pub mod witness;

pub use ask::{Asked, Unlike, Watching, Witnesses};
pub use checkpoint::Checkpoint;
pub use entry::{Entry, Leaf};
pub use error::{Error, Forgery};
pub use fact::{Fact, SubjectRef};
pub use folder::{Fault, Report, consistency_of_folder, verify, verify_folder};
pub use key::{SignerKey, Use, VerifierKey};
pub use kind::EntryKind;
pub use opening::{Commitment, Opening};
pub use proof::{ConsistencyProof, InclusionProof, leaf_hash};
pub use publish::{Mended, Published};
pub use read::{Filter, Logged};
pub use receipt::{LONGEST_RECEIPT, Receipt, Verified};
pub use resource::{FULL, Resource};
pub use sentence::{ReceiptKind, clauses, sentence};
pub use sequence::BATCH;
pub use tlog_tiles::Hash;
pub use tree::TileId;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Mutex;

use crate::base::{Clock, Entropy, EntryId};
use crate::store::{Db, Tx};

/// The ledger of an installation. Cheap to clone.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    db: Db,
    key: SignerKey,
    clock: Clock,
    entropy: Entropy,
    /// Where the newest head that left the house is remembered, outside the database and its backups.
    file: PathBuf,
    /// Where the whole ledger lies once more, as files, and heads that others keep.
    published: Option<Published>,
    known: Arc<Mutex<Option<Checkpoint>>>,
    /// One sequencing at a time in this process; between processes the head's row decides.
    turn: Mutex<()>,
    arrival: AtomicI64,
}

/// An entry that is written, and what only the caller now has.
#[derive(Debug, Clone, PartialEq)]
pub struct Appended {
    /// The entry's id.
    pub id: EntryId,
    /// Salt and details: to be put into a receipt or sealed under the person's key. The ledger keeps neither.
    pub opening: Option<Opening>,
}

impl Ledger {
    /// Opens the ledger of a database. `file` remembers the newest signed head: it must survive the database's being
    /// restored, so it lies beside the database, never in its backup, and no two processes share one. Fails when the
    /// file's head is not by this key.
    pub async fn open(
        db: Db,
        key: SignerKey,
        clock: Clock,
        entropy: Entropy,
        file: PathBuf,
    ) -> Result<Self, Error> {
        Self::open_published(db, key, clock, entropy, file, None).await
    }

    /// As [`Ledger::open`]; every head is published in a folder before it is shown to anybody, so that the ledger is to be
    /// had when the database is lost. A head that is known there, or to somebody else, counts as known here.
    pub async fn open_published(
        db: Db,
        key: SignerKey,
        clock: Clock,
        entropy: Entropy,
        file: PathBuf,
        published: Option<Published>,
    ) -> Result<Self, Error> {
        let (known, turn, arrival) = (Arc::default(), Mutex::new(()), AtomicI64::new(0));
        let ledger = Self(Arc::new(Inner { db, key, clock, entropy, file, published, known, turn, arrival }));
        ledger.begin().await?;
        Ok(ledger)
    }

    /// The key that verifies this ledger, to be published.
    pub fn verifier(&self) -> &VerifierKey {
        self.0.key.verifier()
    }

    /// Writes an entry in the transaction of what it records: both are there after the commit, or neither. It enters the
    /// tree with the next [`Ledger::sequence`], in the order of the calls made here.
    pub async fn append(&self, tx: &mut Tx, entry: Entry) -> Result<Appended, Error> {
        let (leaf, opening) = entry.seal(&self.0.clock, &self.0.entropy)?;
        sql::append(tx, &leaf, &leaf.encode()?, self.arrival()).await?;
        Ok(Appended { id: leaf.id, opening })
    }

    /// The clock's microsecond, made to grow with each call.
    fn arrival(&self) -> i64 {
        let now = self.0.clock.now().micros();
        let next = |last: i64| now.max(last.saturating_add(1));
        match self.0.arrival.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last))) {
            Ok(last) | Err(last) => next(last),
        }
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ledger({})", self.verifier())
    }
}

#[cfg(test)]
mod tests;
