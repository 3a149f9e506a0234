use std::io;
use std::path::PathBuf;

use crate::base::Kind;
use crate::{archive, consent, ledger, store, vault};

/// Why a collection was not made. Nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The document in force has no such purpose, or none that teaches models.
    #[error("the privacy policy in force names no purpose for which models may learn")]
    NoPurpose,
    /// The purpose is there, and is not one that teaches models with people's consent.
    #[error("the purpose {0} is not one for which models learn with people's consent")]
    NotTraining(String),
    /// More than one purpose would do.
    #[error("the privacy policy names more than one purpose for which models may learn; say which")]
    WhichPurpose,
    /// The folder is there and holds something.
    #[error("{0} is not empty")]
    NotEmpty(PathBuf),
    /// The folder cannot be written.
    #[error("{0}: {1}")]
    Folder(PathBuf, #[source] io::Error),
    /// The manifest cannot be written or signed.
    #[error(transparent)]
    Manifest(#[from] archive::Error),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// People's words.
    #[error(transparent)]
    Consent(#[from] consent::Error),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoPurpose | Self::NotTraining(_) => Kind::Forbidden,
            Self::WhichPurpose => Kind::Invalid,
            Self::NotEmpty(_) => Kind::Conflict,
            Self::Folder(..) => Kind::Internal,
            Self::Manifest(e) => e.kind(),
            Self::Vault(e) => e.kind(),
            Self::Consent(e) => e.kind(),
            Self::Ledger(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }

    /// Whether this person is not, or no longer, to be read: they said no, asked that their data only be kept, or went.
    pub(super) fn is_a_no(&self) -> bool {
        use vault::Error as V;
        matches!(
            self,
            Self::Vault(V::NoConsent { .. } | V::Restricted | V::Erasing | V::NotFound | V::Refused(_))
        )
    }
}
