//! Ciphertext by key: put, get, delete, list, on a folder, on S3 (Cloudflare R2, Supabase Storage, any other) or, for
//! tests, in memory.
//!
//! Promises: a blob is either wholly there under its key or not there; an acknowledged one survives a power cut; nothing
//! is ever overwritten; bodies stream, so memory does not grow with them; a blob cut short never reads as a whole one.
//! Must never: see plaintext or a key of encryption; know whose a blob is; put anything but random digits into a name.
//!
//! An upload whose outcome is unknown ([`Error::Unavailable`]) may still land later. Whoever wrote an intent beforehand
//! keeps it, deletes the key, and deletes it again later.

mod check;
mod error;
mod folder;
mod key;
mod memory;
mod model;
mod s3;
mod settings;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use crate::base::{Clock, Entropy, Timestamp};

pub use check::{Finding, Level};
pub use error::{BodyError, Error};
pub use folder::{Folder, free_space};
pub use key::{BlobKey, KeyPrefix};
pub use memory::{Fault, Memory};
pub use model::{Body, Deleted, DeletedMany, Head, Listed};
pub use s3::S3;
pub use settings::{FolderSettings, KEEP_FREE, Patience, S3Settings, Settings, Vendor};

/// Rows asked for at once when listing.
const PAGE: usize = 1000;

/// The store. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Blobs {
    /// A folder of this machine.
    Folder(Folder),
    /// A bucket.
    S3(Arc<S3>),
    /// Memory, for tests.
    Memory(Memory),
}

impl Blobs {
    /// Opens the store. A folder is made if it is missing; a bucket is not contacted yet ([`Blobs::check`] does that).
    pub fn open(settings: Settings, clock: &Clock, entropy: &Entropy) -> Result<Self, Error> {
        Ok(match settings {
            Settings::Folder(settings) => Self::Folder(Folder::open(settings)?),
            Settings::S3(settings) => Self::S3(Arc::new(S3::open(*settings, entropy.clone())?)),
            Settings::Memory => Self::Memory(Memory::new(clock.clone())),
        })
    }

    /// Stores `body` under a fresh key and says how many bytes it had. Returns once the bytes are durable and
    /// the store has confirmed their length.
    ///
    /// [`Error::Exists`] if the key is taken; [`Error::Body`] if the body failed, [`Error::Full`] if there was no room:
    /// then nothing is left behind. After [`Error::Unavailable`] the outcome is unknown, and after
    /// [`Error::Mismatch`] something useless may lie there: delete the key. The outcome of a
    /// call dropped half-way is unknown too; it may leave an unfinished upload to [`Blobs::end_uploads`].
    pub async fn put<S, E>(&self, key: &BlobKey, body: S) -> Result<u64, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BodyError>,
    {
        let body = body.map_err(|e| Error::Body(e.into())).boxed();
        match self {
            Self::Folder(folder) => folder.put(key, body).await,
            Self::S3(s3) => s3.put(key, body).await,
            Self::Memory(memory) => memory.put(key, body).await,
        }
    }

    /// The bytes of a blob, or those of a range cut to its end; [`Error::OutOfRange`] if that leaves none.
    pub async fn get(&self, key: &BlobKey, range: Option<Range<u64>>) -> Result<Body, Error> {
        match self {
            Self::Folder(folder) => folder.get(key, range).await,
            Self::S3(s3) => s3.get(key, range).await,
            Self::Memory(memory) => memory.get(key, range.as_ref()),
        }
    }

    /// Length and age of a blob; [`Error::NotFound`] is the evidence that it is gone.
    pub async fn head(&self, key: &BlobKey) -> Result<Head, Error> {
        match self {
            Self::Folder(folder) => folder.head(key).await,
            Self::S3(s3) => s3.head(key).await,
            Self::Memory(memory) => memory.head(key),
        }
    }

    /// Deletes a blob and makes sure of it. Deleting what is not there succeeds, and says so.
    pub async fn delete(&self, key: &BlobKey) -> Result<Deleted, Error> {
        match self {
            Self::Folder(folder) => folder.delete(key).await,
            Self::S3(s3) => s3.delete(key).await,
            Self::Memory(memory) => memory.delete(key),
        }
    }

    /// Deletes many, several at once. Every key is answered for: gone, or failed with its reason.
    pub async fn delete_many(&self, keys: &[BlobKey]) -> DeletedMany {
        match self {
            Self::Folder(folder) => folder.delete_many(keys).await,
            Self::S3(s3) => s3.delete_many(keys).await,
            Self::Memory(memory) => {
                let mut sum = DeletedMany::default();
                for key in keys {
                    match memory.delete(key) {
                        Ok(_) => sum.gone += 1,
                        Err(e) => sum.failed.push((*key, e)),
                    }
                }
                sum
            }
        }
    }

    /// All blobs whose keys begin with `prefix` and come after `after`, in the order of their keys, fetched page by
    /// page. Names that are not keys are passed over. A blob written or deleted meanwhile may or may not appear.
    pub fn list(
        &self,
        prefix: KeyPrefix,
        after: Option<BlobKey>,
    ) -> impl Stream<Item = Result<Listed, Error>> + Send + use<> {
        let start = Some(after.map_or_else(String::new, |key| key.path()));
        let blobs = self.clone();
        stream::try_unfold(start, move |cursor| {
            let (blobs, prefix) = (blobs.clone(), prefix.clone());
            async move {
                let Some(after) = cursor else { return Ok::<_, Error>(None) };
                let (rows, next) = blobs.page(&prefix, &after).await?;
                Ok(Some((stream::iter(rows.into_iter().map(Ok)), next)))
            }
        })
        .try_flatten()
    }

    async fn page(&self, prefix: &KeyPrefix, after: &str) -> Result<(Vec<Listed>, Option<String>), Error> {
        match self {
            Self::Folder(folder) => folder.page(prefix, after, PAGE).await,
            Self::S3(s3) => s3.page(prefix, after, PAGE).await,
            Self::Memory(memory) => {
                let rows = memory.page(prefix, after, PAGE);
                let next = if rows.len() == PAGE { rows.last().map(|row| row.key.path()) } else { None };
                Ok((rows, next))
            }
        }
    }

    /// Removes what uploads begun before `before` left unfinished; says how many there were. `before` must lie further
    /// back than the longest upload takes.
    pub async fn abort_stale_uploads(&self, before: Timestamp) -> Result<usize, Error> {
        match self {
            Self::Folder(folder) => folder.abort_stale(before).await,
            Self::S3(s3) => s3.abort_stale(before).await,
            Self::Memory(_) => Ok(0),
        }
    }

    /// How many of these blobs' uploads are begun and not finished: bytes without a name, which [`Blobs::head`] does not
    /// show. None where the store cannot tell, of which [`Blobs::check`] warns.
    pub async fn uploads_of(&self, keys: &[BlobKey]) -> Result<usize, Error> {
        match self {
            Self::Folder(folder) => folder.uploads_of(keys).await,
            Self::S3(s3) => s3.uploads_of(keys).await,
            Self::Memory(_) => Ok(0),
        }
    }

    /// Ends the unfinished uploads of these blobs, those under way as well: none of them lands any more. Says how many
    /// there were.
    pub async fn end_uploads(&self, keys: &[BlobKey]) -> Result<usize, Error> {
        match self {
            Self::Folder(folder) => folder.end_uploads(keys).await,
            Self::S3(s3) => s3.end_uploads(keys).await,
            Self::Memory(_) => Ok(0),
        }
    }

    /// Looks whether the store can keep the promises above, by its settings and, if nothing speaks against it, by writing,
    /// reading, overwriting and deleting a probe. `Err` only if it could not be asked at all.
    pub async fn check(&self, entropy: &Entropy) -> Result<Vec<Finding>, Error> {
        let mut found = match self {
            Self::Folder(folder) => folder.check().await?,
            Self::S3(s3) => s3.check().await?,
            Self::Memory(_) => {
                vec![Finding::when(false, Level::Warning, "durable", || {
                    "blobs live in memory only".to_owned()
                })]
            }
        };
        if check::fit(&found) {
            found.extend(check::probe(self, entropy).await);
        }
        Ok(found)
    }

    /// Where blobs live, for people: no secrets.
    pub fn describe(&self) -> String {
        match self {
            Self::Folder(folder) => folder.describe(),
            Self::S3(s3) => s3.describe(),
            Self::Memory(_) => "memory".to_owned(),
        }
    }
}
