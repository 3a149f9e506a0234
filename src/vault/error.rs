use crate::base::Kind;
use crate::policy::Refusal;
use crate::{blobs, crypto, keystore, ledger, store};

/// What can go wrong at the door.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there, it is somebody else's, or it was erased: the caller cannot tell which.
    #[error("there is no such thing")]
    NotFound,
    /// The document does not allow it.
    #[error("{0}")]
    Refused(Refusal),
    /// The document declares the category, but not this field of it.
    #[error("the policy does not declare a field {field} of {category}, so it may not be stored")]
    Undeclared {
        /// The category.
        category: String,
        /// The field.
        field: String,
    },
    /// The purpose needs a consent that was not given, or was objected to.
    #[error("the person has not agreed to the purpose {purpose}")]
    NoConsent {
        /// The purpose.
        purpose: String,
    },
    /// The person asked that their data only be kept.
    #[error("processing of this person's data is restricted")]
    Restricted,
    /// The person is being erased.
    #[error("the person is being erased")]
    Erasing,
    /// A legal hold keeps it.
    #[error("a legal hold keeps this; it goes when the hold is lifted")]
    Held,
    /// More bytes than allowed.
    #[error("more than {0} bytes")]
    TooLarge(u64),
    /// What was stored does not open, or is not what was stored.
    #[error("stored data does not open")]
    Damaged,
    /// Keys, blobs or the ledger.
    #[error(transparent)]
    Keys(keystore::Error),
    /// Where ciphertext lies.
    #[error(transparent)]
    Blobs(blobs::Error),
    /// The database or the ledger.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The ledger did not take an entry, so nothing was done.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound | Self::Erasing => Kind::NotFound,
            Self::Refused(_) | Self::Undeclared { .. } | Self::NoConsent { .. } | Self::Restricted => {
                Kind::Forbidden
            }
            Self::Held => Kind::Conflict,
            Self::TooLarge(_) => Kind::TooLarge,
            Self::Damaged => Kind::Internal,
            Self::Keys(e) => e.kind(),
            Self::Blobs(e) => e.kind(),
            Self::Store(e) => e.kind(),
            Self::Ledger(e) => e.kind(),
        }
    }
}

impl From<keystore::Error> for Error {
    fn from(e: keystore::Error) -> Self {
        match e {
            keystore::Error::NoKey | keystore::Error::Fenced => Self::NotFound,
            keystore::Error::Note => Self::Damaged,
            other => Self::Keys(other),
        }
    }
}

impl From<blobs::Error> for Error {
    fn from(e: blobs::Error) -> Self {
        Self::Blobs(e)
    }
}

impl From<crypto::Error> for Error {
    fn from(_: crypto::Error) -> Self {
        Self::Damaged
    }
}

impl From<Refusal> for Error {
    fn from(r: Refusal) -> Self {
        Self::Refused(r)
    }
}

impl From<sqlx::Error> for Error {
    fn from(e: sqlx::Error) -> Self {
        Self::Store(e.into())
    }
}
