use crate::base::Kind;
use crate::policy::Refusal;
use crate::{ledger, store, vault};

/// What can go wrong with a disclosure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The document does not name this recipient for this.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// What was handed over is written down by the person who handed it over, and they are staff.
    #[error("only a person of staff writes down what was handed over")]
    NotStaff,
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
            Self::Refused(_) | Self::NotStaff => Kind::Forbidden,
            Self::Vault(e) => e.kind(),
            Self::Ledger(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }
}
