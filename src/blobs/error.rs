//! What can go wrong with a blob.

use std::io;

use crate::base::Kind;

/// Whatever the caller's own body stream failed with.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// Why a verb of this room failed. Texts name operations and codes of the store, never a key, a person or a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No blob has this key.
    #[error("the blob is not there")]
    NotFound,
    /// A blob has this key already; keys are never reused, so nothing was overwritten.
    #[error("a blob of this key exists already")]
    Exists,
    /// The disk, the quota or the reserve of the store is used up. Nothing is left behind.
    #[error("the store of blobs is full")]
    Full,
    /// The store cannot be reached or cannot answer now. After a `put` the outcome is *unknown*: the bytes may still
    /// land, so the intent must live on until the key has been deleted.
    #[error("the store of blobs does not answer: {0}")]
    Unavailable(String),
    /// What the store holds, or sent, is not what was written.
    #[error("the store of blobs is not faithful: {0}")]
    Mismatch(&'static str),
    /// The range is empty or begins behind the end of the blob.
    #[error("the range lies outside the blob")]
    OutOfRange,
    /// The body that was to be stored broke off on the caller's side. Nothing is left behind.
    #[error("the body broke off before its end")]
    Body(#[source] BodyError),
    /// The store refuses: wrong credentials, no such bucket, a bucket lock.
    #[error("the store of blobs refuses: {0}")]
    Refused(String),
    /// The store has no such operation, or no such setting.
    #[error("the store of blobs cannot do this: {0}")]
    Unsupported(String),
    /// The settings cannot work; says which and why.
    #[error("blob settings: {0}")]
    Settings(String),
    /// Anything else.
    #[error("the store of blobs failed: {0}")]
    Internal(String),
}

impl Error {
    /// What sort of error this is, for the edge.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Exists => Kind::Conflict,
            Self::Full => Kind::Full,
            Self::Unavailable(_) => Kind::Unavailable,
            Self::OutOfRange => Kind::Invalid,
            Self::Body(_) => Kind::Malformed,
            Self::Refused(_) | Self::Unsupported(_) => Kind::Upstream,
            Self::Mismatch(_) | Self::Settings(_) | Self::Internal(_) => Kind::Internal,
        }
    }

    /// From an operation on the folder. `doing` says which, without a path.
    pub(super) fn io(doing: &'static str, e: &io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::AlreadyExists => Self::Exists,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::Interrupted | io::ErrorKind::TimedOut | io::ErrorKind::StaleNetworkFileHandle => {
                Self::Unavailable(format!("{doing}: {}", e.kind()))
            }
            kind => Self::Internal(format!("{doing}: {kind}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_said_to_be_full_and_nothing_else() {
        // 28 is ENOSPC, 122 EDQUOT, 5 EIO on Linux.
        assert_eq!(Error::io("write", &io::Error::from_raw_os_error(28)).kind(), Kind::Full);
        assert_eq!(Error::io("write", &io::Error::from_raw_os_error(122)).kind(), Kind::Full);
        assert_eq!(Error::io("write", &io::Error::from_raw_os_error(5)).kind(), Kind::Internal);
    }
}
