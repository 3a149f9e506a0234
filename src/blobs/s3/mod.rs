//! Blobs in a bucket. Speaks only what R2, Supabase Storage and S3 have in common; see `Vendor` for the differences.

mod client;
mod fault;
mod inspect;
mod list;
mod parts;
mod probe;
mod put;

use std::fmt;
use std::ops::Range;
use std::sync::atomic::AtomicBool;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt, stream};

use super::error::Error;
use super::key::{BlobKey, KeyPrefix};
use super::model::{Body, Deleted, DeletedMany, Head, Listed, Source, cut};
use super::settings::{S3Settings, Vendor};
use crate::base::{Entropy, Timestamp};
use fault::translate;

/// Deletions at once, where a vendor wants them one by one.
const LANES: usize = 16;

/// Keys a `DeleteObjects` may name.
const BULK: usize = 1000;

/// The metadata that carries an upload's mark: a random word by which an upload with no answer finds out whether what
/// lies there is its own.
const MARK: &str = "vouchsafe-upload";

/// A handle on the bucket.
pub struct S3 {
    client: Client,
    vendor: Vendor,
    host: String,
    bucket: String,
    prefix: String,
    part_bytes: usize,
    entropy: Entropy,
    /// Whether unfinished uploads are listed by their whole names alone (`MinIO` does so); [`S3::check`] finds out.
    whole_names: AtomicBool,
}

/// What HEAD says.
struct Seen {
    head: Head,
    mark: Option<String>,
    etag: Option<String>,
}

fn timestamp(t: Option<&DateTime>) -> Timestamp {
    let micros = t.map_or(0, |t| i64::try_from(t.as_nanos() / 1000).unwrap_or(i64::MAX));
    Timestamp::from_micros(micros)
}

fn length(len: Option<i64>) -> Result<u64, Error> {
    len.and_then(|len| u64::try_from(len).ok()).ok_or(Error::Mismatch("it did not say the length"))
}

fn unbuilt(e: &BuildError) -> Error {
    Error::Internal(format!("the request could not be made: {e}"))
}

impl S3 {
    pub(super) fn open(settings: S3Settings, entropy: Entropy) -> Result<Self, Error> {
        settings.validate()?;
        let client = client::client(&settings)?;
        let host = settings.host().to_owned();
        let S3Settings { vendor, bucket, prefix, part_bytes, .. } = settings;
        let whole_names = AtomicBool::new(false);
        Ok(Self { client, vendor, host, bucket, prefix, part_bytes, entropy, whole_names })
    }

    fn name(&self, key: &BlobKey) -> String {
        format!("{}{}", self.prefix, key.path())
    }

    fn key(&self, name: &str) -> Option<BlobKey> {
        BlobKey::from_path(name.strip_prefix(&self.prefix)?)
    }

    async fn see(&self, key: &BlobKey) -> Result<Seen, Error> {
        let asked = self.client.head_object().bucket(&self.bucket).key(self.name(key)).send().await;
        let answer = asked.map_err(|e| translate("look at a blob", &e))?;
        let mark = answer.metadata().and_then(|meta| meta.get(MARK)).cloned();
        let head =
            Head { len: length(answer.content_length())?, modified: timestamp(answer.last_modified()) };
        Ok(Seen { head, mark, etag: answer.e_tag().map(str::to_owned) })
    }

    pub(super) async fn head(&self, key: &BlobKey) -> Result<Head, Error> {
        Ok(self.see(key).await?.head)
    }

    pub(super) async fn put(&self, key: &BlobKey, body: Source<'_>) -> Result<u64, Error> {
        put::put(self, key, body, self.part_bytes).await
    }

    pub(super) async fn get(&self, key: &BlobKey, range: Option<Range<u64>>) -> Result<Body, Error> {
        let header = match &range {
            Some(range) if range.is_empty() => return Err(Error::OutOfRange),
            // Stores count in signed numbers.
            Some(range) if i64::try_from(range.end).is_err() => Some(format!("bytes={}-", range.start)),
            Some(range) => Some(format!("bytes={}-{}", range.start, range.end - 1)),
            None => None,
        };
        let asked = self.client.get_object().bucket(&self.bucket).key(self.name(key)).set_range(header);
        let answer = asked.send().await.map_err(|e| translate("read a blob", &e))?;
        let len = length(answer.content_length())?;
        let total = match (&range, answer.content_range()) {
            (None, _) => len,
            (Some(range), Some(said)) => {
                let total = said.rsplit_once('/').and_then(|(_, total)| total.parse().ok());
                let total = total.ok_or(Error::Mismatch("it did not say the whole length"))?;
                if cut(Some(range), total)?.1 != len {
                    return Err(Error::Mismatch("it sent another range than was asked for"));
                }
                total
            }
            (Some(_), None) => return Err(Error::Mismatch("it ignored the range")),
        };
        Ok(Body::new(len, total, chunks(answer.body).boxed()))
    }

    /// Looks, deletes, and looks again: a store may answer a deletion and keep the object, under a lock for example.
    pub(super) async fn delete(&self, key: &BlobKey) -> Result<Deleted, Error> {
        let was_there = match self.see(key).await {
            Ok(_) => true,
            Err(Error::NotFound) => false,
            Err(e) => return Err(e),
        };
        self.delete_unseen(key).await?;
        match self.see(key).await {
            Err(Error::NotFound) => Ok(Deleted { was_there }),
            Ok(_) => Err(Error::Unavailable("delete a blob: it is still there".to_owned())),
            Err(e) => Err(e),
        }
    }

    async fn delete_unseen(&self, key: &BlobKey) -> Result<(), Error> {
        let asked = self.client.delete_object().bucket(&self.bucket).key(self.name(key)).send().await;
        match asked.map_err(|e| translate("delete a blob", &e)) {
            Ok(_) | Err(Error::NotFound) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// Deletes by the store's word alone; who needs evidence asks [`S3::head`] afterwards.
    pub(super) async fn delete_many(&self, keys: &[BlobKey]) -> DeletedMany {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        keys.dedup();
        let mut sum = DeletedMany::default();
        if self.vendor.bulk_delete() {
            for some in keys.chunks(BULK) {
                if let Err(e) = self.delete_bulk(some, &mut sum).await {
                    let text = e.to_string();
                    sum.failed.extend(some.iter().map(|key| (*key, Error::Unavailable(text.clone()))));
                }
            }
            return sum;
        }
        // Boxed by hand: a closure that returns a borrowing future would keep callers from being spawned.
        let mut lanes: Vec<BoxFuture<'_, (BlobKey, Result<(), Error>)>> = Vec::with_capacity(keys.len());
        for key in &keys {
            lanes.push(async move { (*key, self.delete_unseen(key).await) }.boxed());
        }
        let mut answers = stream::iter(lanes).buffer_unordered(LANES);
        while let Some((key, answer)) = answers.next().await {
            match answer {
                Ok(()) => sum.gone += 1,
                Err(e) => sum.failed.push((key, e)),
            }
        }
        sum
    }

    /// One `DeleteObjects`. Its 200 may hold errors, and a key that it does not name is not gone.
    async fn delete_bulk(&self, keys: &[BlobKey], sum: &mut DeletedMany) -> Result<(), Error> {
        let mut delete = Delete::builder().quiet(false);
        for key in keys {
            let name = ObjectIdentifier::builder().key(self.name(key)).build().map_err(|e| unbuilt(&e))?;
            delete = delete.objects(name);
        }
        let delete = delete.build().map_err(|e| unbuilt(&e))?;
        let asked = self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await;
        let answer = asked.map_err(|e| translate("delete blobs", &e))?;
        let mut gone: Vec<BlobKey> =
            answer.deleted().iter().filter_map(|d| d.key()).filter_map(|name| self.key(name)).collect();
        gone.sort_unstable();
        for key in keys {
            if gone.binary_search(key).is_ok() {
                sum.gone += 1;
                continue;
            }
            let name = self.name(key);
            let code = answer.errors().iter().find(|e| e.key() == Some(&name)).and_then(|e| e.code());
            let why = Error::Refused(format!("delete blobs: {}", code.unwrap_or("not answered for")));
            sum.failed.push((*key, why));
        }
        Ok(())
    }

    pub(super) async fn page(
        &self,
        prefix: &KeyPrefix,
        after: &str,
        limit: usize,
    ) -> Result<(Vec<Listed>, Option<String>), Error> {
        list::page(self, prefix, after, limit).await
    }

    pub(super) async fn abort_stale(&self, before: Timestamp) -> Result<usize, Error> {
        list::abort_stale(self, before).await
    }

    pub(super) async fn uploads_of(&self, keys: &[BlobKey]) -> Result<usize, Error> {
        Ok(self.unfinished_of(keys).await?.len())
    }

    pub(super) async fn end_uploads(&self, keys: &[BlobKey]) -> Result<usize, Error> {
        list::abort_all(self, &self.unfinished_of(keys).await?).await
    }

    /// None where the store cannot tell, of which [`S3::check`] warns.
    async fn unfinished_of(&self, keys: &[BlobKey]) -> Result<Vec<list::Unfinished>, Error> {
        match list::unfinished_of(self, keys).await {
            Err(Error::Unsupported(_)) => Ok(Vec::new()),
            Err(Error::Refused(_)) if !self.vendor.has_bucket_settings() => Ok(Vec::new()),
            found => found,
        }
    }

    pub(super) fn describe(&self) -> String {
        let below = if self.prefix.is_empty() { String::new() } else { format!(", below {}", self.prefix) };
        format!("{}: bucket {} at {}{below}", self.vendor, self.bucket, self.host)
    }
}

fn chunks(body: ByteStream) -> impl stream::Stream<Item = Result<bytes::Bytes, Error>> {
    stream::unfold(Some(body), |body| async move {
        let mut body = body?;
        match body.next().await? {
            Ok(chunk) => Some((Ok(chunk), Some(body))),
            Err(_) => Some((Err(Error::Unavailable("read a blob: the answer broke off".to_owned())), None)),
        }
    })
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}
