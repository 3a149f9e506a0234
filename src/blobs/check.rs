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
    found.push(refused(&again));
    match blobs.delete(&key).await {
        Ok(deleted) => found.push(Finding::when(deleted.was_there, Level::Error, "delete", || {
            "what had been written was not there to delete".to_owned()
        })),
        Err(e) => found.push(failed("delete", &e)),
    }
    found
}

/// Whether a second write to a key was refused, as it must be.
fn refused(again: &Result<u64, Error>) -> Finding {
    let text = match again {
        Err(Error::Exists) => return Finding::good("no-overwrite"),
        Err(e) => e.to_string(),
        Ok(_) => "a second write to the same key was not refused: the store does not heed If-None-Match; use one that does, \
                  or a newer version of it"
            .to_owned(),
    };
    Finding { level: Level::Error, about: "no-overwrite", text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_overwrites_is_told_what_it_lacks() {
        assert_eq!(refused(&Err(Error::Exists)).level, Level::Good);
        let heedless = refused(&Ok(64));
        assert!(heedless.level == Level::Error && heedless.text.contains("If-None-Match"), "{heedless:?}");
        let silent = refused(&Err(Error::Unavailable("write a blob".to_owned())));
        assert!(silent.level == Level::Error && !silent.text.contains("not refused"), "{silent:?}");
    }
}
