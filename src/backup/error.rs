use std::path::PathBuf;

use crate::base::Kind;
use crate::{app, blobs, consent, keystore, ledger, requests, retention, store, subjects, vault};

/// Why a restored installation cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger that was published does not reach as far as what was signed.
    #[error(
        "{known} ledger entries were signed for, and the published ledger in {folder} cannot supply those after {held}: \
         {why}. The service stays shut: bring the newest copy of that folder"
    )]
    Missing {
        /// Entries in the newest head that is known.
        known: u64,
        /// Entries in the database.
        held: u64,
        /// Where the others were looked for.
        folder: PathBuf,
        /// What is wrong with them.
        why: ledger::Error,
    },
    /// After everything was done again, something of what was erased is still there.
    #[error("{0} things that were erased are still there; the service stays shut")]
    StillThere(i64),
    /// A backup that is not whole, not ours, or cannot be opened. Nothing was changed.
    #[error("this backup cannot be used: {0}")]
    Unsound(&'static str),
    /// What was asked for would lose something, or cannot be. Nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// A file cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, #[source] std::io::Error),
    /// A room below.
    #[error(transparent)]
    App(#[from] app::Error),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// A database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Any other room.
    #[error(transparent)]
    Below(Box<dyn std::error::Error + Send + Sync>),
}

macro_rules! below {
    ($($error:ty),+) => {$(
        impl From<$error> for Error {
            fn from(e: $error) -> Self {
                Self::Below(Box::new(e))
            }
        }
    )+};
}
below!(keystore::Error, blobs::Error, consent::Error, subjects::Error, requests::Error, retention::Error);

impl Error {
    /// For what another library says.
    pub(super) fn below(e: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Below(Box::new(e))
    }

    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Missing { .. } | Self::StillThere(_) => Kind::Unavailable,
            Self::Unsound(_) => Kind::Invalid,
            Self::Refused(_) => Kind::Conflict,
            _ => Kind::Internal,
        }
    }
}
