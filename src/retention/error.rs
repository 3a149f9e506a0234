use crate::base::Kind;
use crate::{ledger, store, vault};

/// What can go wrong with retention.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such hold in this tenant, or it was lifted.
    #[error("there is no such hold")]
    NoHold,
    /// Whoever placed a hold cannot be the second person who answers for it.
    #[error("somebody else than who placed the hold must answer for it")]
    SamePerson,
    /// A hold needs a named matter, a reason, and a review within 90 days.
    #[error("a hold needs {0}")]
    BadHold(&'static str),
    /// Nothing of somebody whose erasure has begun can be held any more.
    #[error("this person is being erased: nothing of theirs can be held any more")]
    Leaving,
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
            Self::NoHold => Kind::NotFound,
            Self::SamePerson | Self::Leaving => Kind::Conflict,
            Self::BadHold(_) => Kind::Invalid,
            Self::Vault(e) => e.kind(),
            Self::Ledger(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }
}
