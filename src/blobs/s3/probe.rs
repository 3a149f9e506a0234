//! What a bucket shows when something is written into it and deleted again.

use std::sync::atomic::Ordering;

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::S3;
use super::fault::translate;
use super::list::{Unfinished, abort, unfinished};
use super::put::{CONTENT_TYPE, put};
use crate::blobs::check::{Finding, Level};
use crate::blobs::error::Error;
use crate::blobs::key::BlobKey;
use crate::blobs::settings::MIN_PART;

/// What a bucket without old versions calls the version of an object, if it calls it anything.
const NO_VERSION: &str = "null";

/// What the store said beside the answers to a small write, a look at it and its deletion.
struct Traces {
    /// Whether what was deleted is still there, under another name.
    lives_on: bool,
    /// Whether a rule of the bucket deletes it by age.
    expires: bool,
}

/// How unfinished uploads can be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// All at once.
    Together,
    /// Each by its whole name.
    ByName,
    Never,
}

impl S3 {
    /// Whether an erasure is one here, by what the bucket does and not by what it says of itself: whoever may not ask it for
    /// its settings, or cannot, sees it all the same.
    pub(super) async fn traces(&self) -> Result<Vec<Finding>, Error> {
        let traces = match self.left_by_a_deletion().await {
            Ok(traces) => traces,
            Err(Error::Unavailable(said)) => return Err(Error::Unavailable(said)),
            Err(e) => return Ok(vec![Finding { level: Level::Error, about: "write", text: e.to_string() }]),
        };
        Ok(vec![
            Finding::when(!traces.lives_on, Level::Error, "old-versions", || {
                "a deleted blob lives on as an old version; use a bucket without versioning".to_owned()
            }),
            Finding::when(!traces.expires, Level::Error, "expiry", || {
                "a rule of the bucket deletes objects by age; only the policy may decide when a blob goes"
                    .to_owned()
            }),
        ])
    }

    async fn left_by_a_deletion(&self) -> Result<Traces, Error> {
        let name = self.name(&BlobKey::new(&self.entropy));
        let bytes = ByteStream::from(self.entropy.bytes::<64>().to_vec());
        let put = self.client.put_object().bucket(&self.bucket).key(&name).content_type(CONTENT_TYPE);
        let put = put.body(bytes).send().await.map_err(|e| translate("write a blob", &e))?;
        let seen = self.client.head_object().bucket(&self.bucket).key(&name).send().await;
        let seen = seen.map_err(|e| translate("look at a blob", &e))?;
        let gone = self.client.delete_object().bucket(&self.bucket).key(&name).send().await;
        let gone = gone.map_err(|e| translate("delete a blob", &e))?;
        let marked = gone.delete_marker() == Some(true) && gone.version_id() != Some(NO_VERSION);
        let version = put.version_id().filter(|id| *id != NO_VERSION);
        let version = version.or_else(|| seen.version_id().filter(|id| *id != NO_VERSION));
        let lives_on = match version {
            Some(version) if !marked => self.has_version(&name, version).await?,
            _ => marked,
        };
        Ok(Traces { lives_on, expires: put.expiration().is_some() || seen.expiration().is_some() })
    }

    /// Whether a version can still be read. Some stores (R2, Garage) give versions names and keep none; they say that it is
    /// not there, or that they know of no such question. Who may not look cannot know.
    async fn has_version(&self, name: &str, version: &str) -> Result<bool, Error> {
        let look = self.client.head_object().bucket(&self.bucket).key(name).version_id(version);
        match look.send().await.map_err(|e| translate("look for an old version", &e)) {
            Ok(_) | Err(Error::Refused(_)) => Ok(true),
            Err(Error::Unavailable(said)) => Err(Error::Unavailable(said)),
            Err(_) => Ok(false),
        }
    }

    /// Writes and deletes a blob in two parts, the first as short as S3 lets it be whatever the settings say: a small blob
    /// would not show that large ones are refused.
    pub(super) async fn in_parts(&self) -> Finding {
        let key = BlobKey::new(&self.entropy);
        let piece = Bytes::copy_from_slice(&self.entropy.bytes::<1024>());
        let pieces = (0..=MIN_PART / piece.len()).map(move |_| Ok::<_, Error>(piece.clone()));
        let stored = match put(self, &key, stream::iter(pieces).boxed(), MIN_PART).await {
            Ok(_) => self.delete(&key).await.map(|_| ()),
            Err(e) => Err(e),
        };
        let unwritten = |e: Error| Finding {
            level: Level::Error,
            about: "parts",
            text: format!("a blob in two parts could not be stored: {e}"),
        };
        stored.map_or_else(unwritten, |()| Finding::good("parts"))
    }

    /// Begins an upload, looks whether it is listed, and ends it: what a broken upload leaves must be found by whoever
    /// erases its person.
    pub(super) async fn uploads(&self) -> Result<Finding, Error> {
        let key = BlobKey::new(&self.entropy);
        let name = self.name(&key);
        let begin = self.client.create_multipart_upload().bucket(&self.bucket).key(&name);
        let begun = begin.content_type(CONTENT_TYPE).send().await;
        let begun = begun.map_err(|e| translate("begin an upload", &e))?;
        let id = begun.upload_id.ok_or(Error::Mismatch("it began an upload without a name"))?;
        let upload = Unfinished { key, id, begun: None };
        let seen = self.seen(&upload, &name).await;
        let ended = abort(self, &upload).await;
        let (level, text) = match (seen, ended) {
            (Err(Error::Unavailable(said)), _) | (_, Err(Error::Unavailable(said))) => {
                return Err(Error::Unavailable(said));
            }
            (Err(Error::Refused(said)), _) if self.vendor.has_bucket_settings() => (
                Level::Error,
                format!(
                    "unfinished uploads may not be listed ({said}); give the access key the right \
                     s3:ListBucketMultipartUploads"
                ),
            ),
            (Err(e), _) => (Level::Warning, unseen(&e.to_string())),
            (Ok(Shown::Never), _) => (Level::Warning, unseen("one that was begun is not in the list")),
            (Ok(_), Err(e)) => (
                Level::Error,
                format!(
                    "an unfinished upload could not be ended ({e}); the access key needs the right \
                     s3:AbortMultipartUpload"
                ),
            ),
            (Ok(Shown::ByName), Ok(_)) => {
                self.whole_names.store(true, Ordering::Relaxed);
                let text = "unfinished uploads are listed by their whole names alone: an erasure finds those of its \
                            person, the weekly look finds none, so give the bucket a rule that aborts them";
                (Level::Warning, text.to_owned())
            }
            (Ok(Shown::Together), Ok(_)) => return Ok(Finding::good("uploads")),
        };
        Ok(Finding { level, about: "uploads", text })
    }

    async fn seen(&self, upload: &Unfinished, name: &str) -> Result<Shown, Error> {
        for (prefix, seen) in [(self.prefix.as_str(), Shown::Together), (name, Shown::ByName)] {
            if unfinished(self, prefix).await?.iter().any(|other| other.id == upload.id) {
                return Ok(seen);
            }
        }
        Ok(Shown::Never)
    }
}

fn unseen(why: &str) -> String {
    format!(
        "unfinished uploads cannot be seen ({why}): the parts of a broken upload stay until the store's own rule ends them"
    )
}
