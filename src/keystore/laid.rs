//! How keys lie in the database: for whoever looks for what should not be there. Nothing is unwrapped here.

use super::{Error, Keystore, Owner, sql};
use crate::base::{SubjectId, TenantId};

/// An item that has a key, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    /// The tenant.
    pub tenant: TenantId,
    /// The person.
    pub subject: SubjectId,
    /// The item.
    pub item: String,
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
