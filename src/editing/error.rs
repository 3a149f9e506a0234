use crate::base::Kind;
use crate::editing::EditState;
use crate::imaging::Refused;
use crate::providers::ProviderError;
use crate::{billing, disclosure, keystore, store, vault};

/// What can go wrong with an edit.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such edit of this person.
    #[error("there is no such edit")]
    NotFound,
    /// The file is not a picture we take. The reason is for its owner.
    #[error("{0}")]
    Picture(#[from] Refused),
    /// A value is out of its range, or too long.
    #[error("{0} is not a value we can use")]
    BadValue(&'static str),
    /// The edit has ended.
    #[error("the edit has ended: {}", .0.as_str())]
    Over(EditState),
    /// The edit has not ended.
    #[error("the edit has not ended yet; cancel it first")]
    NotOver,
    /// A provider.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Credits.
    #[error(transparent)]
    Credits(#[from] billing::Error),
    /// The register of what leaves.
    #[error(transparent)]
    Disclosure(#[from] disclosure::Error),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Picture(e) => e.kind(),
            Self::BadValue(_) => Kind::Invalid,
            Self::Over(_) | Self::NotOver => Kind::Conflict,
            Self::Provider(e) => e.kind(),
            Self::Credits(e) => e.kind(),
            Self::Disclosure(e) => e.kind(),
            Self::Vault(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }
}

impl From<keystore::Error> for Error {
    fn from(e: keystore::Error) -> Self {
        Self::Vault(e.into())
    }
}
