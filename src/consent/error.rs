use crate::base::Kind;
use crate::{ledger, store, vault};

/// What can go wrong with a person's word.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The document in force has no such purpose.
    #[error("the policy has no such purpose")]
    NoSuchPurpose,
    /// The purpose does not rest on the person's word: a contract or a law demands it.
    #[error("this purpose does not rest on consent and cannot be objected to")]
    NoSay,
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
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
            Self::NoSuchPurpose => Kind::NotFound,
            Self::NoSay => Kind::Conflict,
            Self::Vault(e) => e.kind(),
            Self::Ledger(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }
}
