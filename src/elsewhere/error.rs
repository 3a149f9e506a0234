use crate::base::Kind;
use crate::recipients::RecipientError;
use crate::{billing, disclosure, keystore, ledger, store, vault};

/// What can go wrong with accounts elsewhere.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such account or task.
    #[error("there is no such account elsewhere")]
    NotFound,
    /// The recipient is not set up for this tenant.
    #[error("this recipient is not set up here")]
    NotSetUp,
    /// No account there is called that.
    #[error("no account there can be called that")]
    BadName,
    /// It is somebody else's.
    #[error("this account elsewhere is another person's")]
    Taken,
    /// The message is not the recipient's.
    #[error("the message is not the recipient's")]
    Forged,
    /// A recipient, by its name in the documents.
    #[error("{0}: {1}")]
    Recipient(&'static str, #[source] RecipientError),
    /// The register of what leaves.
    #[error(transparent)]
    Disclosure(#[from] disclosure::Error),
    /// Invoices.
    #[error(transparent)]
    Invoices(#[from] billing::Error),
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
            Self::NotFound | Self::NotSetUp => Kind::NotFound,
            Self::BadName => Kind::Invalid,
            Self::Taken => Kind::Conflict,
            Self::Forged => Kind::Unauthenticated,
            Self::Recipient(_, e) => e.kind(),
            Self::Disclosure(e) => e.kind(),
            Self::Invoices(e) => e.kind(),
            Self::Vault(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }
}

impl From<ledger::Error> for Error {
    fn from(e: ledger::Error) -> Self {
        Self::Vault(e.into())
    }
}

impl From<keystore::Error> for Error {
    fn from(e: keystore::Error) -> Self {
        Self::Vault(e.into())
    }
}
