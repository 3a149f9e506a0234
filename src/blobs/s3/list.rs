//! What lies in a bucket: objects, and uploads that nobody finished.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use super::fault::{translate, translate_list};
use super::{S3, timestamp};
use crate::base::Timestamp;
use crate::blobs::error::Error;
use crate::blobs::key::{BlobKey, KeyPrefix};
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
    let asked = list.set_start_after(start).send().await;
    let answer = asked.map_err(|e| translate_list("list blobs", &e).unwrap_or(Error::NotFound))?;
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

/// An upload of ours in parts that nobody has finished: it has bytes, and no name yet.
pub(super) struct Unfinished {
    pub(super) key: BlobKey,
    pub(super) id: String,
    pub(super) begun: Option<Timestamp>,
}

/// All unfinished uploads whose names begin with `prefix`. A stranger's are passed over.
pub(super) async fn unfinished(s3: &S3, prefix: &str) -> Result<Vec<Unfinished>, Error> {
    let mut found = Vec::new();
    let (mut key_marker, mut id_marker) = (None, None);
    loop {
        let list = s3.client.list_multipart_uploads().bucket(&s3.bucket).prefix(prefix);
        let list = list.set_key_marker(key_marker.clone()).set_upload_id_marker(id_marker.clone());
        let answer = match list.send().await {
            Ok(answer) => answer,
            Err(e) => return translate_list("list uploads", &e).map_or(Ok(found), Err),
        };
        for upload in answer.uploads() {
            let key = upload.key().and_then(|name| s3.key(name));
            let (Some(key), Some(id)) = (key, upload.upload_id()) else { continue };
            let begun = upload.initiated().map(|t| timestamp(Some(t)));
            found.push(Unfinished { key, id: id.to_owned(), begun });
        }
        if answer.is_truncated() != Some(true) || answer.next_key_marker().is_none() {
            return Ok(found);
        }
        let next = (answer.next_key_marker, answer.next_upload_id_marker);
        if next == (key_marker, id_marker) {
            return Err(Error::Mismatch("its listing of uploads does not move on"));
        }
        (key_marker, id_marker) = next;
    }
}

/// The unfinished uploads of these blobs: a single one by its whole name, many with one listing where the store gives it.
pub(super) async fn unfinished_of(s3: &S3, keys: &[BlobKey]) -> Result<Vec<Unfinished>, Error> {
    let wanted: HashSet<BlobKey> = keys.iter().copied().collect();
    let mut found = Vec::new();
    if wanted.len() > 1 && !s3.whole_names.load(Ordering::Relaxed) {
        found = unfinished(s3, &s3.prefix).await?;
    } else {
        for key in &wanted {
            found.extend(unfinished(s3, &s3.name(key)).await?);
        }
    }
    found.retain(|upload| wanted.contains(&upload.key));
    Ok(found)
}

/// Aborts an upload; `false` if it is over already.
pub(super) async fn abort(s3: &S3, upload: &Unfinished) -> Result<bool, Error> {
    let abort = s3.client.abort_multipart_upload().bucket(&s3.bucket).key(s3.name(&upload.key));
    match abort.upload_id(&upload.id).send().await.map_err(|e| translate("abort an upload", &e)) {
        Ok(_) => Ok(true),
        Err(Error::NotFound) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Aborts these uploads. Gives how many there were.
pub(super) async fn abort_all(s3: &S3, uploads: &[Unfinished]) -> Result<usize, Error> {
    let mut gone = 0;
    for upload in uploads {
        gone += usize::from(abort(s3, upload).await?);
    }
    Ok(gone)
}

/// Aborts the uploads begun before `before`.
pub(super) async fn abort_stale(s3: &S3, before: Timestamp) -> Result<usize, Error> {
    let mut stale = unfinished(s3, &s3.prefix).await?;
    stale.retain(|upload| upload.begun.is_some_and(|begun| begun < before));
    abort_all(s3, &stale).await
}
