//! What must go, and when it went.
//!
//! Promises: everything whose time has come is dealt with as its rule says (erased, reduced, made a count), the longest
//! overdue first, in batches that a stop may come between; a run that was missed loses nothing, since each reads the
//! whole state; what is under a legal hold stays, and goes when the hold is lifted; nothing goes unwarned where the
//! rule promises a warning; each run is on the ledger. Must never: compute a due time of its own; the documents do.

mod board;
mod error;
mod holds;
mod inactive;
mod notices;
mod reckon;
mod sql;
mod survey;
mod sweep;

pub use board::BoardRow;
pub use error::Error;
pub use holds::{HeldAgain, Hold, NewHold};
pub use inactive::{Inactive, Warning};
pub use notices::Notice;
pub use survey::{Survey, Trial};
pub use sweep::Swept;

use crate::base::{Clock, Entropy};
use crate::ledger::Ledger;
use crate::policy::Library;
use crate::store::Db;
use crate::vault::Vault;

/// The reconciler. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Retention {
    db: Db,
    vault: Vault,
    ledger: Ledger,
    library: Library,
    clock: Clock,
    entropy: Entropy,
}

impl Retention {
    /// Over its parts.
    pub fn new(
        db: Db,
        vault: Vault,
        ledger: Ledger,
        library: Library,
        clock: Clock,
        entropy: Entropy,
    ) -> Self {
        Self { db, vault, ledger, library, clock, entropy }
    }
}
