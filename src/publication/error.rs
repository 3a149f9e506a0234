use crate::base::{Kind, TenantId};
use crate::{consent, ledger, policy, store, subjects, vault};

/// What can go wrong with versions of documents.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such version or proposal, or it was decided already.
    #[error("there is no such version, or nothing waits to be decided about it")]
    NotFound,
    /// Somebody else published, or came, between the look and the writing.
    #[error("something else happened at the same moment; nothing was published, look again")]
    Overtaken,
    /// Whoever decides may not: another tenant's, another role, or the one who proposed it.
    #[error("{0}")]
    NotYours(&'static str),
    /// Something that must be said is missing.
    #[error("{0}")]
    Missing(&'static str),
    /// A published document in the database is not what the program can use.
    #[error("version {version} of the policy of {tenant} stands in the database and {what}")]
    Stored {
        /// The tenant.
        tenant: TenantId,
        /// The version.
        version: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A published version is another text now.
    #[error(transparent)]
    Changed(#[from] policy::Changed),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// People, staff, and their words.
    #[error(transparent)]
    People(#[from] subjects::Error),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<consent::Error> for Error {
    fn from(e: consent::Error) -> Self {
        match e {
            consent::Error::Vault(e) => Self::Vault(e),
            consent::Error::Ledger(e) => Self::Ledger(e),
            consent::Error::Store(e) => Self::Store(e),
            consent::Error::NoSuchPurpose | consent::Error::NoSay => Self::NotFound,
        }
    }
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Overtaken | Self::Changed(_) => Kind::Conflict,
            Self::NotYours(_) => Kind::Forbidden,
            Self::Missing(_) => Kind::Invalid,
            Self::Stored { .. } => Kind::Internal,
            Self::Vault(e) => e.kind(),
            Self::People(e) => e.kind(),
            Self::Ledger(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }
}
