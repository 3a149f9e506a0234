//! Erasing once more a person whom a backup brought back.

use super::super::{Error, Requests, sql};
use crate::vault::{self, Owner};

/// What was found of a person who had been erased, and went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErasedAgain {
    /// Images.
    pub images: u64,
    /// Records.
    pub records: u64,
}

impl Requests {
    /// Erases a person who was erased before: key, rows and bytes, whatever hold there is, for it has happened. Looked at
    /// again by another way than it was cleared; [`Error::Invalid`] when anything is left, and then they are still among
    /// [`people`](crate::subjects::Subjects::people). Writes nothing on the ledger, which has it already. Again is
    /// harmless. Whoever has erased the last of them calls [`Requests::cut_log`].
    pub async fn erase_again(&self, owner: &Owner) -> Result<ErasedAgain, Error> {
        match self.vault.destroy_key(owner).await {
            // Never made, or gone without a fence: nothing opens either way.
            Ok(_) | Err(vault::Error::NotFound) => {}
            Err(e) => return Err(e.into()),
        }
        let manifest = self.vault.blob_keys(owner).await?;
        self.fence_again(owner).await?;
        let (images, records) = self.vault.clear(owner).await?;
        let now = self.clock.now();
        let purge_at = self.purge_at(&owner.tenant, now)?;
        let tasks = self.elsewhere.to_be_erased_again(owner).await?;
        let mut tx = self.db.begin().await?;
        self.elsewhere.erase_again(&mut tx, owner, &tasks).await?;
        self.forget(&mut tx, owner, None, (now, purge_at)).await?;
        self.editing.forget_errands(&mut tx, owner).await?;
        sql::last::of_person(&mut tx, owner).await?;
        sql::erasure::blank(&mut tx, owner, now).await?;
        tx.commit().await?;
        self.vault.destroy_proof_key(owner).await?;
        let residue = self.vault.residue(owner, &manifest).await?;
        let rows: i64 = self.look_everywhere(owner, &["subject"]).await?.iter().map(|(_, n)| n).sum();
        if !residue.is_none() || rows > 0 {
            tracing::error!(?residue, rows, "something of an erased person is still there");
            return Err(Error::Invalid("something was still found after the erasure; it is not called done"));
        }
        // Their last row is what a next try finds them by, so it goes when nothing else is left.
        let mut tx = self.db.begin().await?;
        sql::forget::subject(&mut tx, owner).await?;
        tx.commit().await?;
        Ok(ErasedAgain { images, records })
    }

    async fn fence_again(&self, owner: &Owner) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        sql::forget::fence(&mut tx, owner).await?;
        Ok(tx.commit().await?)
    }
}
