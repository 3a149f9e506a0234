use super::{App, Error};
use crate::ledger::{Entry, EntryKind};

impl App {
    /// Writes down which key epochs were destroyed since this was last called, whoever destroyed them. Gives how many. Cut
    /// short, one may be written down twice; never not at all.
    pub async fn note_destroyed_epochs(&self) -> Result<usize, Error> {
        let destroyed = self.keys.untold().await?;
        for epoch in &destroyed {
            self.note_epoch_destroyed(epoch.epoch).await?;
            self.keys.told(epoch.epoch).await?;
        }
        Ok(destroyed.len())
    }

    /// Writes down that a key epoch was destroyed: from here on no older copy of the keystore opens anything.
    async fn note_epoch_destroyed(&self, epoch: i64) -> Result<(), Error> {
        let entry =
            Entry::house(EntryKind::EPOCH_DESTROYED, self.clock.now(), "service").fact("epoch", epoch);
        let mut tx = self.db.begin().await?;
        self.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(())
    }
}
