//! An auditor's look at the keys: counts only, nothing unwrapped.

use chrono::TimeDelta;

use super::{Epoch, Error, Keystore, sql};

/// How long clearing away after a person's key may take.
const CLEARING: TimeDelta = TimeDelta::hours(1);

/// What must hold of the keys, and in how many rows it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Soundness {
    /// The epochs alive, oldest first; more than two is a fault.
    pub epochs: Vec<Epoch>,
    /// Rows wrapped under an epoch that is not alive. Zero, or a key was lost or brought back from a copy.
    pub outside: i64,
    /// People whose keys were destroyed.
    pub fences: i64,
    /// Of them, those who have a key again, or keys of items an hour later. Zero, or an erasure was undone.
    pub undone: i64,
}

impl Keystore {
    /// Counts what must not be there: keys under dead epochs, keys of people whose keys were destroyed.
    pub async fn soundness(&self) -> Result<Soundness, Error> {
        let epochs = self.epochs.alive();
        let oldest = epochs.first().map_or(0, |e| e.number);
        let newest = epochs.last().map_or(0, |e| e.number);
        let mut tx = self.db.read().await?;
        let (subjects, items, system) = sql::outside_epochs(&mut tx, oldest, newest).await?;
        let (people, left) = sql::fenced_with_keys(&mut tx, self.clock.now().plus(-CLEARING)).await?;
        let (_, _, _, fences) = sql::counts(&mut tx).await?;
        Ok(Soundness { epochs, outside: subjects + items + system, fences, undone: people.max(left) })
    }
}
