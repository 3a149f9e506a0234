//! The only door to personal data.
//!
//! Promises: nothing is stored whose category the document in force does not declare; nothing is read without a purpose
//! that the document, the person's consent and their restrictions allow; every staff read and every refusal is on the
//! ledger; what is stored has its erasure time computed before it is acknowledged; bytes are never orphaned and never
//! lost. Must never: hand out a key, or decide by itself what the document should say.

mod again;
mod amend;
mod arrive;
mod blob_stream;
mod compare;
mod counts;
mod door;
mod erase;
mod error;
mod graves;
mod kept;
mod leaving;
mod looks;
mod model;
mod objects;
mod orphans;
mod owed;
mod person;
mod reckon;
mod records;
mod reduce;
mod rows;
mod sql;
mod standing;
mod stock;
mod turns;
mod whole;

pub use again::{Again, Strangers};
pub use arrive::StagedObject;
pub use blob_stream::PlainStream;
pub use compare::Compared;
pub use counts::{FEWEST, MonthCount};
pub use erase::{Doomed, ItemKind};
pub use error::Error;
pub use kept::KeptRecords;
pub use looks::{WaitingLook, Wanted};
pub use model::{
    Access, Actor, Item, Limits, NewObject, NewRecord, ObjectMeta, OpenObject, Record, SealedRecord,
    StoredObject,
};
pub use person::{Holdings, Residue, RuleCount};
pub use reckon::{HeldItem, Reckoned, Shape};
pub use reduce::Reduced;
pub use standing::Standing;
pub use stock::{ItemId, Reach, StockWalk, Stocked, Trace};

use crate::base::{Clock, Entropy, SubjectId, TenantId};
use crate::blobs::Blobs;
use crate::keystore::{self, Keystore};
use crate::ledger::{Ledger, SubjectRef};
use crate::policy::Library;
use crate::store::Db;

/// The vault. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Vault {
    db: Db,
    keys: Keystore,
    blobs: Blobs,
    ledger: Ledger,
    library: Library,
    clock: Clock,
    entropy: Entropy,
}

/// What a vault is made of.
#[derive(Debug)]
pub struct Parts {
    /// The main database.
    pub db: Db,
    /// The keys.
    pub keys: Keystore,
    /// Where ciphertext lies.
    pub blobs: Blobs,
    /// Where what happened is written down.
    pub ledger: Ledger,
    /// The documents.
    pub library: Library,
    /// What time it is.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

/// Whose data: a person of a tenant. Every query of the vault is within one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The tenant.
    pub tenant: TenantId,
    /// The person.
    pub subject: SubjectId,
}

impl Owner {
    /// A person of a tenant.
    pub fn new(tenant: &TenantId, subject: SubjectId) -> Self {
        Self { tenant: tenant.clone(), subject }
    }

    fn key(&self) -> keystore::Owner<'_> {
        keystore::Owner { tenant: &self.tenant, subject: self.subject }
    }
}

impl Vault {
    /// A vault over its parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { db, keys, blobs, ledger, library, clock, entropy } = parts;
        Self { db, keys, blobs, ledger, library, clock, entropy }
    }

    /// The reference under which the ledger speaks of a person. [`Error::NotFound`] once their keys are gone.
    pub async fn subject_ref(&self, owner: &Owner) -> Result<SubjectRef, Error> {
        let text = self.keys.subject_ref(owner.key()).await?;
        Ok(text.parse()?)
    }
}
