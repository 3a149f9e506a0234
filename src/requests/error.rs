use crate::base::Kind;
use crate::{
    archive, billing, consent, disclosure, editing, elsewhere, keystore, ledger, store, subjects, vault,
};

use super::BadStep;

/// What can go wrong with a request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such request, receipt or archive, or it is somebody else's.
    #[error("there is no such request")]
    NotFound,
    /// What was asked cannot be done as it was asked: says what is wrong, for the person.
    #[error("{0}")]
    Invalid(&'static str),
    /// The request is not at a point where this can be done.
    #[error(transparent)]
    BadStep(#[from] BadStep),
    /// Somebody else changed the request in the meantime; the same call may succeed now.
    #[error("the request was changed in the meantime")]
    Raced,
    /// The archive could be had until a day that is over.
    #[error("the archive can no longer be had; ask for a new one")]
    Over,
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The account.
    #[error(transparent)]
    Subjects(#[from] subjects::Error),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Another room below.
    #[error(transparent)]
    Below(#[from] Below),
}

/// What the other rooms say.
#[derive(Debug, thiserror::Error)]
pub enum Below {
    /// The archive.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// Consent.
    #[error(transparent)]
    Consent(#[from] consent::Error),
    /// Credits.
    #[error(transparent)]
    Credits(#[from] billing::Error),
    /// The register of what left.
    #[error(transparent)]
    Disclosure(#[from] disclosure::Error),
    /// Edits.
    #[error(transparent)]
    Editing(#[from] editing::Error),
    /// Accounts elsewhere.
    #[error(transparent)]
    Elsewhere(#[from] elsewhere::Error),
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Invalid(_) => Kind::Invalid,
            Self::BadStep(_) | Self::Raced => Kind::Conflict,
            Self::Over => Kind::Gone,
            Self::Vault(e) => e.kind(),
            Self::Subjects(e) => e.kind(),
            Self::Ledger(e) => e.kind(),
            Self::Store(e) => e.kind(),
            Self::Below(e) => e.kind(),
        }
    }
}

impl Below {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Archive(e) => e.kind(),
            Self::Consent(e) => e.kind(),
            Self::Credits(e) => e.kind(),
            Self::Disclosure(e) => e.kind(),
            Self::Editing(e) => e.kind(),
            Self::Elsewhere(e) => e.kind(),
        }
    }
}

impl From<keystore::Error> for Error {
    fn from(e: keystore::Error) -> Self {
        Self::Vault(e.into())
    }
}

macro_rules! below {
    ($($error:ty),+) => {$(
        impl From<$error> for Error {
            fn from(e: $error) -> Self {
                Self::Below(e.into())
            }
        }
    )+};
}

below!(archive::Error, consent::Error, billing::Error, disclosure::Error, editing::Error, elsewhere::Error);
