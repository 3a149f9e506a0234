//! What lies in a bucket: objects, and uploads that nobody finished.

use super::fault::translate;
use super::{S3, timestamp};
use crate::base::Timestamp;
use crate::blobs::error::Error;
use crate::blobs::key::KeyPrefix;
use crate::blobs::model::Listed;

/// One page of objects after the path `after`. Resumes by name, not by the store's token, so that a page can be asked for
/// again at any time.
pub(super) async fn page(
    s3: &S3,
    prefix: &KeyPrefix,
    after: &str,
    limit: usize,
) -> Result<(Vec<Listed>, Option<String>), Error> {
    let list = s3.client.list_objects_v2().bucket(&s3.bucket);
    let list =
        list.prefix(format!("{}{}", s3.prefix, prefix.path())).max_keys(i32::try_from(limit).unwrap_or(1000));
    let start = (!after.is_empty()).then(|| format!("{}{after}", s3.prefix));
    let answer = list.set_start_after(start).send().await.map_err(|e| translate("list blobs", &e))?;
    let mut rows = Vec::new();
    for object in answer.contents() {
        // A store that ignores where to begin would otherwise be listed for ever.
        let key = object.key().and_then(|name| s3.key(name)).filter(|key| key.path().as_str() > after);
        let (Some(key), Some(len)) = (key, object.size().and_then(|len| u64::try_from(len).ok())) else {
            continue;
        };
        rows.push(Listed { key, len, modified: timestamp(object.last_modified()) });
    }
    let end = answer.contents().last().and_then(|object| object.key()?.strip_prefix(&s3.prefix));
    let next = match (answer.is_truncated(), end) {
        (Some(true), Some(end)) if end > after => Some(end.to_owned()),
        (Some(true), _) => return Err(Error::Mismatch("its listing does not move on")),
        _ => None,
    };
    Ok((rows, next))
}

/// Aborts the uploads begun before `before`; a blob of ours that no one finished has parts, but no name.
pub(super) async fn abort_stale(s3: &S3, before: Timestamp) -> Result<usize, Error> {
    let (mut gone, mut key_marker, mut id_marker) = (0, None, None);
    loop {
        let list = s3.client.list_multipart_uploads().bucket(&s3.bucket).prefix(&s3.prefix);
        let list = list.set_key_marker(key_marker.take()).set_upload_id_marker(id_marker.take());
        let answer = list.send().await.map_err(|e| translate("list uploads", &e))?;
        for upload in answer.uploads() {
            let (Some(name), Some(id)) = (upload.key(), upload.upload_id()) else { continue };
            let ours = s3.key(name).is_some();
            if !ours || upload.initiated().is_none_or(|t| timestamp(Some(t)) >= before) {
                continue;
            }
            let abort =
                s3.client.abort_multipart_upload().bucket(&s3.bucket).key(name).upload_id(id).send().await;
            match abort.map_err(|e| translate("abort an upload", &e)) {
                Ok(_) => gone += 1,
                Err(Error::NotFound) => {}
                Err(e) => return Err(e),
            }
        }
        if answer.is_truncated() != Some(true) || answer.next_key_marker().is_none() {
            return Ok(gone);
        }
        (key_marker, id_marker) = (answer.next_key_marker, answer.next_upload_id_marker);
    }
}
