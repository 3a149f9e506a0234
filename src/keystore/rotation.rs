//! Moving to a new epoch: a new epoch key, every living row wrapped anew under it, and, a whole epoch later, the old
//! one destroyed. From then on no old copy of the keystore opens anything.
//!
//! It is done while any number of processes use the keystore. Each writes under the newest epoch it has seen; before an
//! epoch is destroyed the floor is raised above it, which waits for whoever is still writing under it and turns away
//! whoever comes after; then what lies below is wrapped anew, and only then the key goes.

use chrono::TimeDelta;

use super::lead::Lead;
use super::{Error, Keystore, sql};
use crate::base::Timestamp;
use crate::store::Tx;

/// How long an epoch lasts before the next one begins by itself.
pub const EPOCH_LASTS: TimeDelta = TimeDelta::days(7);

/// What a rotation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rotation {
    /// The epoch now current.
    pub epoch: i64,
    /// Subject keys wrapped anew.
    pub subjects: u64,
    /// Item keys wrapped anew.
    pub items: u64,
    /// Keys of the service wrapped anew.
    pub system: u64,
    /// The epoch destroyed, when one was old enough.
    pub destroyed: Option<i64>,
}

/// The epochs whose rows are wrapped anew: from the oldest alive to the one before `to`. What lies under a dead epoch
/// opens for nobody and is left to the auditor.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Keystore {
    /// Begins a new epoch and wraps every living key under it. The epoch before the one just left is destroyed first,
    /// so at most two are alive. May run beside any number of processes that use the keystore; [`Error::Taken`] when one
    /// of them is at it. Cut short, it goes on where it stopped when called through [`Keystore::rewrap`] or anew.
    pub async fn rotate(&self) -> Result<Rotation, Error> {
        let lead = self.lead().await?;
        let done = self.rotate_led(&lead).await;
        lead.release().await?;
        done
    }

    /// Wraps every living key that is not under the current epoch under it. Idempotent.
    pub async fn rewrap(&self) -> Result<Rotation, Error> {
        let lead = self.lead().await?;
        let done = self.rewrap_led(&lead).await;
        lead.release().await?;
        done
    }

    /// Finishes what a rotation left undone when it was cut short, and what other processes wrote under the older epoch
    /// since; sees what others changed. Cheap when there is nothing to do. Gives how many keys were wrapped anew.
    /// [`Error::EpochAway`] when an older epoch is not to be seen, though nobody began to destroy it.
    pub async fn finish(&self) -> Result<u64, Error> {
        self.epochs.look(self.clock.now()).await?;
        let span = self.span().await?;
        let (stale, remains) = {
            let mut tx = self.db.read().await?;
            let stale = sql::epochs::any_stale(&mut tx, span.from, span.to).await?;
            (stale, Self::half_destroyed(&mut tx, span).await?)
        };
        if !stale && remains.is_empty() {
            return Ok(0);
        }
        let lead = match self.lead().await {
            Err(Error::Taken) => return Ok(0),
            lead => lead?,
        };
        let done = async {
            for epoch in remains {
                self.destroy_epoch(&lead, epoch).await?;
            }
            self.rewrap_led(&lead).await
        };
        let done = done.await;
        lead.release().await?;
        done.map(|r| r.items + r.subjects + r.system)
    }

    /// Leaves every epoch up to this number: begins a later one if there is none, wraps all living keys under it, and
    /// destroys the others. Gives those destroyed; none when none was alive. For whoever knows that they were destroyed
    /// before: one that is not to be seen is taken for destroyed from here on, and not for away.
    pub async fn leave_epochs(&self, last: i64) -> Result<Vec<i64>, Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        sql::epochs::ended_up_to(&mut tx, last, now).await?;
        tx.commit().await?;
        self.epochs.look(now).await?;
        let mut old: Vec<i64> = self.epochs.alive().iter().map(|e| e.number).collect();
        old.retain(|n| *n <= last);
        if old.is_empty() {
            return Ok(old);
        }
        let lead = self.lead().await?;
        let left = self.leave_led(&lead, last).await;
        lead.release().await?;
        left.map(|()| old)
    }

    async fn leave_led(&self, lead: &Lead<'_>, last: i64) -> Result<(), Error> {
        while self.epochs.alive().last().is_none_or(|e| e.number <= last) {
            lead.still().await?;
            self.epochs.begin(self.clock.now(), &self.entropy).await?;
        }
        self.register().await?;
        self.retire_before(lead, last + 1).await?;
        Ok(())
    }

    /// When the next epoch begins by itself.
    pub fn next_rotation(&self) -> Option<Timestamp> {
        self.epochs.alive().last().map(|e| e.since.plus(EPOCH_LASTS))
    }

    async fn rotate_led(&self, lead: &Lead<'_>) -> Result<Rotation, Error> {
        self.epochs.look(self.clock.now()).await?;
        self.epochs.sweep()?;
        self.register().await?;
        let newest = self.epochs.current(self.clock.now()).await?.number;
        let destroyed = self.retire_before(lead, newest).await?;
        lead.still().await?;
        self.epochs.begin(self.clock.now(), &self.entropy).await?;
        self.register().await?;
        Ok(Rotation { destroyed, ..self.rewrap_led(lead).await? })
    }

    /// Destroys every epoch before one, once nothing lies under them and nothing can come to.
    async fn retire_before(&self, lead: &Lead<'_>, newest: i64) -> Result<Option<i64>, Error> {
        let span = self.span().await?;
        let gone = Self::half_destroyed(&mut self.db.read().await?, span).await?;
        let mut old: Vec<i64> = self.epochs.alive().iter().map(|e| e.number).collect();
        old.retain(|n| *n < newest);
        if !old.is_empty() {
            let mut tx = self.db.begin().await?;
            lead.keep(&mut tx).await?;
            sql::epochs::raise_floor(&mut tx, newest).await?;
            tx.commit().await?;
            self.rewrap_led(lead).await?;
            let mut tx = self.db.read().await?;
            if sql::epochs::any_stale(&mut tx, span.from, newest).await? {
                return Err(Error::Damaged);
            }
        }
        old.extend(gone);
        old.sort_unstable();
        for epoch in &old {
            self.destroy_epoch(lead, *epoch).await?;
        }
        Ok(old.last().copied())
    }

    async fn destroy_epoch(&self, lead: &Lead<'_>, epoch: i64) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        lead.keep(&mut tx).await?;
        // Before the file goes: of one that is not to be seen, and of which this is not said, nobody knows where it is.
        sql::epochs::ending(&mut tx, epoch, now).await?;
        tx.commit().await?;
        self.epochs.destroy(epoch, now).await?;
        let mut tx = self.db.begin().await?;
        sql::epochs::destroyed(&mut tx, epoch, now).await?;
        Ok(tx.commit().await?)
    }

    /// Epochs that are not to be seen any more and are not written down as destroyed, though they are, or are about to be:
    /// their end was written down, or one after the next was begun, which is only done when they have ended. Any other is
    /// [`Error::EpochAway`]: its file was moved, or a network does not show it.
    async fn half_destroyed(tx: &mut Tx, span: Span) -> Result<Vec<i64>, Error> {
        let mut gone = Vec::new();
        for (epoch, ending) in sql::epochs::undestroyed(tx, span.from).await? {
            if !ending && epoch + 2 > span.to {
                return Err(Error::EpochAway);
            }
            gone.push(epoch);
        }
        Ok(gone)
    }

    pub(super) async fn span(&self) -> Result<Span, Error> {
        let to = self.epochs.current(self.clock.now()).await?.number;
        Ok(Span { from: self.epochs.alive().first().map_or(to, |e| e.number), to })
    }
}
