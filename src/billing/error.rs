use crate::base::Kind;
use crate::{store, vault};

/// What can go wrong with credits.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There are not enough.
    #[error("not enough credits: {balance} left")]
    Overdrawn {
        /// What is left.
        balance: i64,
    },
    /// What the service lets a whole app have in a day is used up.
    #[error("no more edits can be made today; try again tomorrow")]
    UsedUp,
    /// Nobody by that id in this tenant.
    #[error("there is no such account")]
    NotFound,
    /// An invoice says when it was made out, as `2026-11-22`.
    #[error("an invoice needs its date")]
    NoDate,
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
            Self::Overdrawn { .. } | Self::UsedUp => Kind::TooMany,
            Self::NotFound => Kind::NotFound,
            Self::NoDate => Kind::Invalid,
            Self::Vault(e) => e.kind(),
            Self::Store(store::Error::Duplicate) => Kind::Unavailable,
            Self::Store(e) => e.kind(),
        }
    }
}
