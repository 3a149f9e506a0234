//! Keys, in a database of their own: seal key → epoch key → subject key → item key.
//!
//! Promises: a key is durable before anything sealed under it is acknowledged; destroying a person's key is one write
//! and makes everything of theirs unreadable, here and in every copy whose epoch has passed; a person whose key was
//! destroyed never gets another. Must never: keep a subject key or item key in memory between two calls, or let an
//! unwrapped key near a disk. What a key is for is the vault's business.

mod epochs;
mod error;
mod items;
mod model;
mod rotation;
mod seal;
mod soundness;
mod sql;
mod subjects;
mod system;

pub use epochs::{Epoch, Epochs};
pub use error::Error;
pub use items::NewItem;
pub use model::{Class, DestroyedKey, ItemKey, Owner, Status};
pub use rotation::Rotation;
pub use seal::SealKey;
pub use soundness::Soundness;

use chrono::TimeDelta;

use crate::base::{Clock, Entropy};
use crate::store::Db;

/// How long an epoch lasts before the next one begins.
pub const EPOCH: TimeDelta = TimeDelta::days(7);

/// The keystore. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keystore {
    db: Db,
    epochs: Epochs,
    clock: Clock,
    entropy: Entropy,
}

impl Keystore {
    /// A keystore over its own database, and never the main one: the two are backed up apart.
    pub fn new(db: Db, epochs: Epochs, clock: Clock, entropy: Entropy) -> Self {
        Self { db, epochs, clock, entropy }
    }

    /// How many keys there are, under which epochs.
    pub async fn status(&self) -> Result<Status, Error> {
        let mut tx = self.db.read().await?;
        let (subjects, items, system, fences) = sql::counts(&mut tx).await?;
        Ok(Status { subjects, items, system, fences, epochs: self.epochs.alive() })
    }

    /// Cuts the write-ahead log, so that a destroyed row is not in it either.
    pub async fn truncate_log(&self) -> Result<(), Error> {
        Ok(self.db.truncate_log().await?)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.db.ping().await?)
    }

    /// Closes the database.
    pub async fn close(&self) {
        self.db.close().await;
    }
}
