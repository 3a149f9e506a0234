use crate::base::Kind;
use crate::{blobs, disclosure, keystore, ledger, store, vault};

/// What can go wrong with the audit itself. A check that could not be made is no error: it is an
/// [`super::Outcome`] that says so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tenant, the attestation, the check or the file is not there.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// Whoever asks or vouches is not of the tenant's staff, or no longer.
    #[error("only a member of staff can do this")]
    NotStaff,
    /// The evidence is missing or too large.
    #[error("{0}")]
    Evidence(&'static str),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] keystore::Error),
    /// The blobs.
    #[error(transparent)]
    Blobs(#[from] blobs::Error),
    /// The register.
    #[error(transparent)]
    Disclosure(#[from] disclosure::Error),
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
            Self::Missing(_) => Kind::NotFound,
            Self::NotStaff => Kind::Forbidden,
            Self::Evidence(_) => Kind::Invalid,
            Self::Vault(e) => e.kind(),
            Self::Keys(e) => e.kind(),
            Self::Blobs(e) => e.kind(),
            Self::Disclosure(e) => e.kind(),
            Self::Ledger(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }
}
