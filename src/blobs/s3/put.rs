//! One upload into a bucket: a single request if it fits, else a multipart upload of equal parts.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::abort_multipart_upload::builders::AbortMultipartUploadFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;

use super::fault::translate;
use super::parts::{Part, Parts};
use super::{MARK, S3, Seen};
use crate::blobs::error::Error;
use crate::blobs::key::BlobKey;
use crate::blobs::model::Source;

/// The most parts S3 takes.
const MAX_PARTS: i32 = 10_000;

pub(super) const CONTENT_TYPE: &str = "application/octet-stream";

/// Stores the body; see `Blobs::put`. What is longer than `part_bytes` goes in parts of that length.
pub(super) async fn put(s3: &S3, key: &BlobKey, body: Source<'_>, part_bytes: usize) -> Result<u64, Error> {
    if !s3.vendor.conditional_writes() {
        match s3.see(key).await {
            Ok(_) => return Err(Error::Exists),
            Err(Error::NotFound) => {}
            Err(e) => return Err(e),
        }
    }
    let upload = Upload { s3, key, name: s3.name(key), mark: hex::encode(s3.entropy.bytes::<16>()) };
    let mut parts = Parts::new(body, part_bytes);
    let first = parts.next().await?;
    if first.last {
        let len = parts.len();
        let sent = upload.single(first.bytes).await;
        return upload.settle(sent, len).await;
    }
    let id = upload.create().await?;
    let begun = upload.begun(&id);
    let stored = match upload.send(&id, &mut parts, first).await {
        Ok(sent) => upload.settle(sent, parts.len()).await,
        Err(e) => Err(e),
    };
    if stored.is_ok() {
        begun.over();
    } else {
        begun.abort().await;
    }
    stored
}

/// The entity tag, or why there is none.
type Sent = Result<Option<String>, Error>;

struct Upload<'a> {
    s3: &'a S3,
    key: &'a BlobKey,
    name: String,
    mark: String,
}

impl Upload<'_> {
    /// `If-None-Match: *`, where it is honoured.
    fn only_if_free(&self) -> Option<String> {
        self.s3.vendor.conditional_writes().then(|| "*".to_owned())
    }

    async fn single(&self, bytes: Bytes) -> Sent {
        let put = self.s3.client.put_object().bucket(&self.s3.bucket).key(&self.name);
        let put = put.content_type(CONTENT_TYPE).metadata(MARK, &self.mark);
        let sent = put.set_if_none_match(self.only_if_free()).body(ByteStream::from(bytes)).send().await;
        sent.map(|answer| answer.e_tag).map_err(|e| translate("write a blob", &e))
    }

    async fn create(&self) -> Result<String, Error> {
        let create = self.s3.client.create_multipart_upload().bucket(&self.s3.bucket).key(&self.name);
        let made = create.content_type(CONTENT_TYPE).metadata(MARK, &self.mark).send().await;
        let made = made.map_err(|e| match translate("begin an upload", &e) {
            Error::NotFound => Error::Unavailable("begin an upload: 404".to_owned()),
            e => e,
        })?;
        made.upload_id.ok_or(Error::Mismatch("it began an upload without a name"))
    }

    fn begun(&self, id: &str) -> Begun {
        let (client, bucket) = (self.s3.client.clone(), self.s3.bucket.clone());
        Begun { client, bucket, name: self.name.clone(), id: Some(id.to_owned()) }
    }

    /// Sends every part, one after the other, so that one part is all the memory it takes; then asks to complete.
    async fn send(&self, id: &str, parts: &mut Parts<'_>, first: Part) -> Result<Sent, Error> {
        let mut done = CompletedMultipartUpload::builder();
        let mut part = first;
        for number in 1..=MAX_PARTS {
            let last = part.last;
            let etag = self.part(id, number, part.bytes).await?;
            done = done.parts(CompletedPart::builder().part_number(number).set_e_tag(etag).build());
            if last {
                return Ok(self.complete(id, done.build()).await);
            }
            part = parts.next().await?;
        }
        Err(Error::Full)
    }

    async fn part(&self, id: &str, number: i32, bytes: Bytes) -> Sent {
        let part = self.s3.client.upload_part().bucket(&self.s3.bucket).key(&self.name).upload_id(id);
        let sent = part.part_number(number).body(ByteStream::from(bytes)).send().await;
        // A vanished upload is not a missing blob.
        sent.map(|answer| answer.e_tag).map_err(|e| match translate("write a part", &e) {
            Error::NotFound => Error::Unavailable("write a part: the upload was aborted".to_owned()),
            e => e,
        })
    }

    async fn complete(&self, id: &str, parts: CompletedMultipartUpload) -> Sent {
        let done = self.s3.client.complete_multipart_upload().bucket(&self.s3.bucket).key(&self.name);
        let done = done.upload_id(id).multipart_upload(parts).set_if_none_match(self.only_if_free());
        done.send().await.map(|answer| answer.e_tag).map_err(|e| translate("complete an upload", &e))
    }

    /// Reads back. An answer is not believed before the store shows the right length, mark and tag; and where no good
    /// answer came, the mark tells whether the blob there is ours after all (a retry that met its own first attempt).
    async fn settle(&self, sent: Sent, len: u64) -> Result<u64, Error> {
        let ours = |seen: &Seen| seen.mark.as_deref() == Some(self.mark.as_str());
        let found = self.s3.see(self.key).await;
        let (etag, seen) = match (sent, found) {
            (Ok(etag), Ok(seen)) => (etag, seen),
            (Ok(_), Err(Error::NotFound)) => {
                self.take_back().await;
                return Err(Error::Mismatch("it acknowledged a blob and has none"));
            }
            (Ok(_), Err(e)) => return Err(e),
            (Err(_), Ok(seen)) if ours(&seen) => (None, seen),
            (Err(Error::Exists), Ok(_)) => return Err(Error::Exists),
            (Err(e), _) => return Err(unknown(e)),
        };
        let wrong = if seen.mark.as_deref().is_some_and(|mark| mark != self.mark) {
            Some("another upload lies under the key")
        } else if seen.head.len != len {
            Some("the blob is not as long as what was sent")
        } else if differ(etag.as_deref(), seen.etag.as_deref()) {
            Some("the blob is not the one it acknowledged")
        } else {
            None
        };
        let Some(wrong) = wrong else { return Ok(len) };
        if ours(&seen) {
            self.take_back().await;
        }
        Err(Error::Mismatch(wrong))
    }

    /// Deletes what this upload stored and nobody may rely on.
    async fn take_back(&self) {
        if let Err(e) = self.s3.delete_unseen(self.key).await {
            tracing::warn!(error = %e, "a wrongly stored blob stays until its intent is swept");
        }
    }
}

/// An upload in parts on its way. Whoever drops it half-way, as happens when a caller hangs up, leaves nobody to wait for
/// its end: it is aborted beside them then.
struct Begun {
    client: Client,
    bucket: String,
    name: String,
    /// None once it is over.
    id: Option<String>,
}

impl Begun {
    /// It became a blob.
    fn over(mut self) {
        self.id = None;
    }

    /// Forgets the parts.
    async fn abort(mut self) {
        if let Some(id) = &self.id {
            forget(self.request(id)).await;
        }
        self.id = None;
    }

    fn request(&self, id: &str) -> AbortMultipartUploadFluentBuilder {
        self.client.abort_multipart_upload().bucket(&self.bucket).key(&self.name).upload_id(id)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(forget(self.request(&id)));
        }
    }
}

/// If it fails, what is left of the upload goes with the grave of its blob.
async fn forget(abort: AbortMultipartUploadFluentBuilder) {
    if let Err(e) = abort.send().await {
        match translate("abort an upload", &e) {
            Error::NotFound => {}
            e => tracing::warn!(error = %e, "an unfinished upload stays until the sweep"),
        }
    }
}

/// An upload that vanished or met nobody: the outcome is open.
fn unknown(e: Error) -> Error {
    match e {
        Error::NotFound | Error::Exists => {
            Error::Unavailable("write a blob: the outcome is not known".to_owned())
        }
        e => e,
    }
}

/// Whether two entity tags name different bytes. A tag that is not told says nothing.
fn differ(one: Option<&str>, other: Option<&str>) -> bool {
    matches!((one.and_then(tag), other.and_then(tag)), (Some(one), Some(other)) if one != other)
}

/// What an entity tag says, without its dress: some stores leave the quotes off in the answer to a multipart upload and
/// put them into the header of a look, and a proxy on the way may call a tag weak.
fn tag(text: &str) -> Option<&str> {
    let text = text.trim();
    let text = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_are_told_apart_by_what_they_say_and_not_by_their_dress() {
        let same = ["\"0a1b-2\"", "0a1b-2", "W/\"0a1b-2\"", " \"0a1b-2\""];
        for one in same {
            for other in same {
                assert!(!differ(Some(one), Some(other)), "{one} and {other}");
            }
            for other in ["\"0a1b-3\"", "0a1b", "W/\"0a1b-20\"", "\"0A1B-2\""] {
                assert!(differ(Some(one), Some(other)), "{one} and {other}");
            }
            assert!(!differ(Some(one), None) && !differ(Some(one), Some("\"\"")), "nothing is said");
        }
    }
}
