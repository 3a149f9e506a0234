use super::{App, Error};
use crate::ledger::{Entry, EntryKind};

impl App {
    /// Writes down that a key epoch was destroyed: from here on no older copy of the keystore opens anything.
    pub async fn note_epoch_destroyed(&self, epoch: i64) -> Result<(), Error> {
        let entry =
            Entry::house(EntryKind::EPOCH_DESTROYED, self.clock.now(), "service").fact("epoch", epoch);
        let mut tx = self.db.begin().await?;
        self.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(())
    }
}
