//! The store of blobs and the rows beside it, compared both ways: bytes that no row knows, rows whose bytes are not there.
//! Both counts ought to be nought; what they find came about outside this program, or by a fault of it.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use futures_util::TryStreamExt as _;

use super::{Error, Vault, sql};
use crate::base::Timestamp;
use crate::blobs::{self, BlobKey, KeyPrefix, Listed};
use crate::on;
use crate::store;

/// Bytes without a row that are younger may belong to an upload under way whose row this process has not seen yet.
const YOUNG: TimeDelta = TimeDelta::hours(48);

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Blobs in the store.
    pub listed: u64,
    /// Images that should have their bytes there.
    pub rows: u64,
    /// Blobs that no row knew, and that were deleted.
    pub orphans: u64,
    /// Images whose bytes are not in the store.
    pub missing: u64,
    /// Images whose bytes have another length than was written.
    pub altered: u64,
}

impl Compared {
    /// Whether the two agree.
    pub fn agree(&self) -> bool {
        (self.orphans, self.missing, self.altered) == (0, 0, 0)
    }
}

/// Rows of a shard: the live ones with the length of their bytes, and every key that is known, for whatever reason.
struct Rows {
    live: HashMap<BlobKey, i64>,
    known: HashSet<BlobKey>,
}

impl Vault {
    /// Compares everything, a 256th of it at a time, so that memory stays flat. Deletes bytes that no row knows once they
    /// are two days old; only tells of images whose bytes are missing or of another length. `stop` is asked in between.
    pub async fn compare(&self, stop: &(dyn Fn() -> bool + Sync)) -> Result<Compared, Error> {
        let mut found = Compared::default();
        for shard in 0..=u8::MAX {
            if stop() {
                break;
            }
            self.compare_shard(shard, &mut found).await?;
        }
        Ok(found)
    }

    async fn compare_shard(&self, shard: u8, found: &mut Compared) -> Result<(), Error> {
        // The store first, the rows after: an upload has its row before it has bytes, so what is listed is known, unless
        // nothing knows it.
        let listed: Vec<Listed> = self.blobs.list(KeyPrefix::shard(shard), None).try_collect().await?;
        let rows = self.rows_of_shard(shard).await?;
        found.listed += listed.len() as u64;
        found.rows += rows.live.len() as u64;
        let old = self.clock.now().plus(-YOUNG);
        let orphans: Vec<BlobKey> = listed
            .iter()
            .filter(|l| !rows.known.contains(&l.key) && l.modified < old)
            .map(|l| l.key)
            .collect();
        if !orphans.is_empty() {
            tracing::error!(count = orphans.len(), "bytes that no row knows are deleted");
            let deleted = self.blobs.delete_many(&orphans).await;
            found.orphans += deleted.gone as u64;
        }
        let there: HashMap<BlobKey, u64> = listed.iter().map(|l| (l.key, l.len)).collect();
        for (key, len) in &rows.live {
            match there.get(key) {
                Some(n) if i64::try_from(*n).is_ok_and(|n| n == *len) => {}
                Some(_) => found.altered += u64::from(self.is_live(key).await?),
                None => found.missing += u64::from(self.is_missing(key).await?),
            }
        }
        Ok(())
    }

    async fn rows_of_shard(&self, shard: u8) -> Result<Rows, Error> {
        let (from, to) = bounds(shard);
        let mut tx = self.db.read().await?;
        let objects: Vec<(String, Option<i64>, String)> =
            on!(tx, |c| sqlx::query_as(sql::BLOBS_BETWEEN).bind(&from).bind(&to).fetch_all(c).await)?;
        let graves: Vec<(String,)> =
            on!(tx, |c| sqlx::query_as(sql::GRAVES_BETWEEN).bind(&from).bind(&to).fetch_all(c).await)?;
        drop(tx);
        let key = |text: &str| text.parse().map_err(|_| store::Error::inconsistent("object", "blob_key"));
        let mut rows = Rows { live: HashMap::new(), known: HashSet::new() };
        for (text, len, state) in &objects {
            let key = key(text)?;
            rows.known.insert(key);
            if state == "live" {
                rows.live.insert(key, len.unwrap_or(-1));
            }
        }
        for (text,) in &graves {
            rows.known.insert(key(text)?);
        }
        Ok(rows)
    }

    /// Whether bytes are really not there, and their image still is: both may have changed since they were listed.
    async fn is_missing(&self, key: &BlobKey) -> Result<bool, Error> {
        match self.blobs.head(key).await {
            Ok(_) => Ok(false),
            Err(blobs::Error::NotFound) => self.is_live(key).await,
            Err(e) => Err(e.into()),
        }
    }

    async fn is_live(&self, key: &BlobKey) -> Result<bool, Error> {
        let mut tx = self.db.read().await?;
        let (n,): (i64,) =
            on!(tx, |c| sqlx::query_as(sql::BLOB_LIVES).bind(key.to_string()).fetch_one(c).await)?;
        Ok(n > 0)
    }

    /// Ends what uploads in parts left unfinished that began before `before`. Gives how many.
    pub async fn end_stale_uploads(&self, before: Timestamp) -> Result<usize, Error> {
        Ok(self.blobs.abort_stale_uploads(before).await?)
    }
}

/// The first text of a shard's keys, and the first after them. Keys are hexadecimal in small letters, and digits come
/// before letters in every order of a database.
fn bounds(shard: u8) -> (String, String) {
    let next = shard.checked_add(1).map_or_else(|| "g".to_owned(), |next| hex::encode([next]));
    (hex::encode([shard]), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_one_shard() {
        for key in ["00", "0f1", "9fffff", "a0", "ab3", "ff", "ffffffffff"] {
            let within = |shard: &u8| {
                let (from, to) = bounds(*shard);
                from.as_str() <= key && key < to.as_str()
            };
            assert_eq!((0..=u8::MAX).filter(within).count(), 1, "{key}");
        }
    }
}
