//! Who changes the epochs now: one process at a time, for as long as it keeps saying so. What must not go wrong when two
//! think it is their turn is held by the floor and by each statement itself; the lease keeps them from doing the work twice.

use chrono::TimeDelta;

use super::sql::epochs as sql;
use super::{Error, Keystore};
use crate::store::Tx;

/// At what the database has turns taken: those who write keys share it, whoever raises the floor takes it.
pub(super) const TURN: &str = "keystore epochs";

/// How long a turn lasts after the last word of whoever has it.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// A turn at changing the epochs.
pub(super) struct Lead<'k> {
    keys: &'k Keystore,
    holder: String,
}

impl Keystore {
    /// Takes the turn, or [`Error::Taken`].
    pub(super) async fn lead(&self) -> Result<Lead<'_>, Error> {
        let holder = hex::encode(self.entropy.bytes::<16>());
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let taken = sql::take_lease(&mut tx, &holder, now.plus(LEASE), now).await?;
        tx.commit().await?;
        if taken { Ok(Lead { keys: self, holder }) } else { Err(Error::Taken) }
    }
}

impl Lead<'_> {
    /// Keeps the turn; in the transaction of a change, the change happens only in this turn.
    pub(super) async fn keep(&self, tx: &mut Tx) -> Result<(), Error> {
        let until = self.keys.clock.now().plus(LEASE);
        if sql::keep_lease(tx, &self.holder, until).await? { Ok(()) } else { Err(Error::Taken) }
    }

    /// Keeps the turn before something is done outside the database.
    pub(super) async fn still(&self) -> Result<(), Error> {
        let mut tx = self.keys.db.begin().await?;
        self.keep(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// Gives the turn back.
    pub(super) async fn release(self) -> Result<(), Error> {
        let mut tx = self.keys.db.begin().await?;
        sql::release_lease(&mut tx, &self.holder).await?;
        Ok(tx.commit().await?)
    }
}
