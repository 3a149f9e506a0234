use super::SealFault;
use crate::base::Kind;
use crate::{crypto, store};

/// What can go wrong with keys.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such key: never made, or destroyed.
    #[error("there is no such key")]
    NoKey,
    /// The person's keys were destroyed; there will be no new ones.
    #[error("the person's keys were destroyed")]
    Fenced,
    /// A wrapped key does not open under its epoch: a tampered row, or another seal key.
    #[error("a wrapped key does not open")]
    Damaged,
    /// A note does not open: its row was changed, or the key of the service that it lies under is lost.
    #[error("what lies under a key of the service does not open")]
    Note,
    /// The key is there, and the epoch it lies under is not seen here, though nobody wrote down that it was destroyed:
    /// another replica has begun it a moment ago, or its file is away.
    #[error("the epoch that a key lies under is not to be seen here now")]
    EpochAway,
    /// The seal key is missing, of the wrong length, or readable by others.
    #[error("seal key {path}: {why}")]
    SealKey {
        /// Its file.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A seal did not wrap or unwrap an epoch key.
    #[error("the seal {seal} {fault}")]
    Seal {
        /// Which, by the name it has in the epoch files.
        seal: String,
        /// Why.
        fault: SealFault,
    },
    /// The epochs in the folder are not those that this keystore's keys lie under.
    #[error("the epoch store is another keystore's, or not mounted: {0}")]
    OtherEpochs(&'static str),
    /// Another process is changing the epochs.
    #[error("another process is changing the key epochs; try again when it is done")]
    Taken,
    /// The epoch store cannot be read or written.
    #[error("epoch store: {0}")]
    Epochs(#[source] std::io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoKey | Self::Fenced => Kind::NotFound,
            Self::EpochAway | Self::Seal { .. } | Self::Epochs(_) => Kind::Unavailable,
            Self::Taken => Kind::Conflict,
            Self::Damaged | Self::Note | Self::SealKey { .. } | Self::OtherEpochs(_) => Kind::Internal,
            Self::Store(e) => e.kind(),
        }
    }
}

impl From<crypto::Error> for Error {
    fn from(_: crypto::Error) -> Self {
        Self::Damaged
    }
}
