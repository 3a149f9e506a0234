//! How keys lie in the database: for whoever looks for what should not be there. Nothing is unwrapped here.

use super::{Error, Keystore, Owner, sql};
use crate::base::{SubjectId, TenantId, Timestamp};

/// An item that has a key, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    /// The tenant.
    pub tenant: TenantId,
    /// The person.
    pub subject: SubjectId,
    /// The item.
    pub item: String,
    /// When the key was made.
    pub made: Timestamp,
}

impl Keystore {
    /// The wrapped keys of a person and of what is theirs, byte for byte as they lie in the file: whoever finds them
    /// somewhere after an erasure has found a trace.
    pub async fn wrapped_of(&self, owner: Owner<'_>) -> Result<Vec<Vec<u8>>, Error> {
        Ok(sql::again::wrapped_of(&mut self.db.read().await?, owner).await?)
    }

    /// Everything that has a key, 1,000 at a time, after the item that the last page ended with.
    pub async fn keyed(&self, after: Option<&str>) -> Result<Vec<Keyed>, Error> {
        Ok(sql::again::keyed(&mut self.db.read().await?, after.unwrap_or_default()).await?)
    }

    /// How many keys were ever destroyed here. It never shrinks, but in a copy from before.
    pub async fn destroyed(&self) -> Result<i64, Error> {
        Ok(sql::destroyed(&mut self.db.read().await?).await?)
    }

    /// Lets the count of destroyed keys go on from where it once stood, after all of them were destroyed again.
    pub async fn raise_destroyed(&self, to: i64) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        sql::raise_destroyed(&mut tx, to).await?;
        Ok(tx.commit().await?)
    }

    /// Whether every epoch that the folder has is opened: then a key that does not open is itself at fault.
    pub async fn opens_all_epochs(&self) -> Result<bool, Error> {
        self.epochs.are_all_open(self.clock.now()).await
    }

    /// Whether it holds nobody's key and remembers nobody's: it was never used, or it was lost.
    pub async fn is_new(&self) -> Result<bool, Error> {
        Ok(sql::again::people_known(&mut self.db.read().await?).await? == 0)
    }

    /// How many of these items have a key, of whosever.
    pub async fn keyed_among(&self, items: &[String]) -> Result<i64, Error> {
        let (mut found, mut tx) = (0, self.db.read().await?);
        for some in items.chunks(sql::MOST_IN) {
            found += sql::again::count_named(&mut tx, some).await?;
        }
        Ok(found)
    }
}
