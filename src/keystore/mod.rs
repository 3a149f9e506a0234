//! Keys, in a database of their own: seal key → epoch key → subject key → item key.
//!
//! Promises: a key is durable before anything sealed under it is acknowledged; destroying a person's key is one write
//! and makes everything of theirs unreadable, here and in every copy whose epoch has passed; a person whose key was
//! destroyed never gets another. Must never: keep a subject key or item key in memory between two calls, or let an
//! unwrapped key near a disk. What a key is for is the vault's business.

mod again;
mod aside;
mod copy;
mod epoch_file;
mod epochs;
mod error;
mod items;
mod key_file;
mod laid;
mod lead;
mod model;
mod moving;
mod note;
mod once;
mod rewrap;
mod rotation;
mod seal;
mod seals;
mod soundness;
mod sql;
mod subjects;
mod system;

pub use again::Again;
pub use aside::Aside;
pub use epochs::{Epoch, Epochs, Steps};
pub use error::Error;
pub use items::NewItem;
pub use key_file::{make_folder, write_new};
pub use laid::Keyed;
pub use model::{Class, Destroyed, DestroyedKey, ItemKey, Owner, Status};
pub use moving::Moved;
pub use rotation::{EPOCH_LASTS, Rotation};
pub use seal::SealKey;
pub use seals::{Binding, Seal, SealFault, SealKind, SealService, Seals};
pub use soundness::Soundness;

use std::path::Path;

use crate::base::{Clock, Entropy};
use crate::store::{self, Db, Tx};
use epochs::EpochKey;

/// What a keystore is opened from.
#[derive(Debug)]
pub struct Opening<'a> {
    /// Its own database, never the main one.
    pub db: Db,
    /// Where the epochs lie: shared by all replicas, in no backup.
    pub folder: &'a Path,
    /// The seals at hand.
    pub seals: Seals,
    /// What the installation is called to a seal.
    pub installation: &'a str,
    /// What time it is.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

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

    /// Opens the keystore of an installation: its database, and the epochs in their folder, begun when there are none.
    /// Refuses a folder that is not the one this database was used with: two replicas that do not share their epochs
    /// could not read each other's keys.
    pub async fn open(opening: Opening<'_>) -> Result<Self, Error> {
        let Opening { db, folder, seals, installation, clock, entropy } = opening;
        if Epochs::are_none_in(folder)? && sql::epochs::any_key(&mut db.read().await?).await? {
            return Err(Error::OtherEpochs("it is empty, though there are keys in the database"));
        }
        let epochs = Epochs::open_with(folder, seals, installation, clock.now(), &entropy).await?;
        let keys = Self { db, epochs, clock, entropy };
        keys.register().await?;
        Ok(keys)
    }

    /// Writes down which epochs there are. [`Error::OtherEpochs`] when one of them is not the one of that number that is
    /// written down already.
    async fn register(&self) -> Result<(), Error> {
        let now = self.clock.now();
        for epoch in self.epochs.alive() {
            let key = self.epochs.get(epoch.number, now).await?;
            let mut tx = self.db.begin().await?;
            let written = sql::epochs::register(&mut tx, epoch.number, key.known_by, epoch.since).await?;
            tx.commit().await?;
            if written != key.known_by {
                return Err(Error::OtherEpochs("one of its epochs is not the one this database knows"));
            }
        }
        Ok(())
    }

    /// The epoch that a row lies under; of one that is set aside [`Error::Damaged`]. [`Error::NoKey`] only when it is
    /// written down as destroyed: a folder that does not show it yet, as one on a network may for a while, says nothing
    /// about the key. Asked in the transaction in which the row was read: whoever holds one must not wait for another.
    async fn epoch(&self, tx: &mut Tx, number: i64) -> Result<EpochKey, Error> {
        if number == aside::NOWHERE {
            return Err(Error::Damaged);
        }
        match self.epochs.get(number, self.clock.now()).await {
            Err(Error::EpochAway) if sql::epochs::is_destroyed(tx, number).await? => Err(Error::NoKey),
            found => found,
        }
    }

    /// A transaction that writes keys, and the epoch to write them under: one that will not be destroyed before what is
    /// written in it has been wrapped anew.
    async fn writing(&self) -> Result<(Tx, EpochKey), Error> {
        let epoch = self.epochs.current(self.clock.now()).await?;
        let mut tx = self.db.begin().await?;
        if sql::epochs::floor(&mut tx).await? <= epoch.number {
            return Ok((tx, epoch));
        }
        drop(tx);
        // Another process has begun an epoch since, and is about to end the one we know.
        self.epochs.look(self.clock.now()).await?;
        let epoch = self.epochs.current(self.clock.now()).await?;
        let mut tx = self.db.begin().await?;
        if sql::epochs::floor(&mut tx).await? <= epoch.number {
            return Ok((tx, epoch));
        }
        Err(Error::OtherEpochs("its newest epoch is older than what the database allows"))
    }

    /// How many keys there are, under which epochs.
    pub async fn status(&self) -> Result<Status, Error> {
        let mut tx = self.db.read().await?;
        let (subjects, items, system, fences) = sql::counts(&mut tx).await?;
        let newest = self.epochs.alive().last().map_or(0, |e| e.number);
        let stale = sql::epochs::keys_below(&mut tx, newest).await?;
        let aside = sql::aside::count(&mut tx).await?;
        Ok(Status { subjects, items, system, fences, stale, aside, epochs: self.epochs.alive() })
    }

    /// The epochs alive, oldest first, as last seen.
    pub fn epochs(&self) -> Vec<Epoch> {
        self.epochs.alive()
    }

    /// The number of the newest epoch there is, looked up now: no row of this moment lies under a later one.
    pub async fn newest_epoch(&self) -> Result<i64, Error> {
        self.epochs.look(self.clock.now()).await?;
        Ok(self.epochs.current(self.clock.now()).await?.number)
    }

    /// The seals that are configured.
    pub fn seals(&self) -> &Seals {
        self.epochs.seals()
    }

    /// Whether keys can be read: the database answers, and the epochs are at hand.
    pub async fn ready(&self) -> Result<(), Error> {
        self.ping().await?;
        self.epochs.current(self.clock.now()).await.map(|_| ())
    }

    /// Epochs that were destroyed and that nobody has been told of yet.
    pub async fn untold(&self) -> Result<Vec<Destroyed>, Error> {
        Ok(sql::epochs::unnoted(&mut self.db.read().await?).await?)
    }

    /// Remembers that it was told that an epoch was destroyed.
    pub async fn told(&self, epoch: i64) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        sql::epochs::noted(&mut tx, epoch, self.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Cuts the write-ahead log, so that a destroyed row is not in it either.
    pub async fn truncate_log(&self) -> Result<(), Error> {
        Ok(self.db.truncate_log().await?)
    }

    /// As [`Keystore::truncate_log`], for whoever need not wait: a log that is in use is cut when the epochs are next seen
    /// to, which is every few seconds.
    pub async fn cut_log(&self) {
        match self.db.truncate_log().await {
            Ok(()) => {}
            Err(store::Error::Busy) => tracing::info!("the log of the keystore is in use and is cut later"),
            Err(e) => tracing::warn!(error = %e, "the log of the keystore could not be cut"),
        }
    }

    /// How many writers may share one sync of the disk: [`Db::share_commits`].
    pub fn share_commits(&self, most: usize) {
        self.db.share_commits(most);
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
