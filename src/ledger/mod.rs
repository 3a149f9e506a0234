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

mod bundle;
mod canonical;
mod checkpoint;
mod entry;
mod error;
mod folder;
mod key;
mod kind;
mod opening;
mod proof;
mod receipt;
mod resource;
mod sentence;
mod state;
mod tree;
pub mod witness;

pub use checkpoint::Checkpoint;
pub use entry::{Entry, Fact, Leaf, SubjectRef};
pub use error::{Error, Forgery};
pub use folder::{Fault, Report, consistency_of_folder, verify, verify_folder};
pub use key::{SignerKey, Use, VerifierKey};
pub use kind::EntryKind;
pub use opening::{Commitment, Opening};
pub use proof::{ConsistencyProof, InclusionProof, leaf_hash};
pub use receipt::{LONGEST_RECEIPT, Receipt, Verified};
pub use resource::{FULL, Resource};
pub use sentence::{ReceiptKind, sentence};
pub use tlog_tiles::Hash;
pub use tree::TileId;

#[cfg(test)]
mod tests;
