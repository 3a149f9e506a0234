//! Whether the store can be trusted with what is to come, as data: for the start, for `doctor`, for the console.

use bytes::Bytes;
use futures_util::stream;

use super::error::Error;
use super::{BlobKey, Blobs};
use crate::base::Entropy;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Good,
    /// Works, but someone should look.
    Warning,
    /// A promise could not be kept with this: the program must not start.
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub level: Level,
    /// What was looked at: a short fixed word.
    pub about: &'static str,
    /// What is wrong and what to do, in a sentence; empty when good.
    pub text: String,
}

impl Finding {
    pub(super) fn good(about: &'static str) -> Self {
        Self { level: Level::Good, about, text: String::new() }
    }

    /// Good if `fine`; otherwise `level` with a text.
    pub(super) fn when(fine: bool, level: Level, about: &'static str, text: impl FnOnce() -> String) -> Self {
        if fine { Self::good(about) } else { Self { level, about, text: text() } }
    }
}

/// Whether nothing speaks against the store so far.
pub(super) fn fit(found: &[Finding]) -> bool {
    found.iter().all(|f| f.level < Level::Error)
}

/// Writes, reads, tries to overwrite and deletes a small blob, as the real ones will be.
pub(super) async fn probe(blobs: &Blobs, entropy: &Entropy) -> Vec<Finding> {
    let key = BlobKey::new(entropy);
    let bytes = Bytes::from(entropy.bytes::<64>().to_vec());
    let body = |bytes: &Bytes| stream::iter([Ok::<_, Error>(bytes.clone())]);
    let failed = |about, e: &Error| Finding { level: Level::Error, about, text: e.to_string() };

    if let Err(e) = blobs.put(&key, body(&bytes)).await {
        return vec![failed("write", &e)];
    }
    let mut found = vec![Finding::good("write")];
    let back = match blobs.get(&key, None).await {
        Ok(back) => back.collect(bytes.len()).await,
        Err(e) => Err(e),
    };
    found.push(match back {
        Ok(back) => Finding::when(back == bytes, Level::Error, "read", || {
            "other bytes came back than were written".to_owned()
        }),
        Err(e) => failed("read", &e),
    });
    let again = blobs.put(&key, body(&bytes)).await;
    found.push(match again {
        Err(Error::Exists) => Finding::good("no-overwrite"),
        Err(e) => failed("no-overwrite", &e),
        Ok(_) => Finding::when(false, Level::Error, "no-overwrite", || {
            "a second write to the same key was not refused, so it does not heed If-None-Match; use a store that does, or a \
             newer version of this one"
                .to_owned()
        }),
    });
    match blobs.delete(&key).await {
        Ok(deleted) => found.push(Finding::when(deleted.was_there, Level::Error, "delete", || {
            "what had been written was not there to delete".to_owned()
        })),
        Err(e) => found.push(failed("delete", &e)),
    }
    found
}
