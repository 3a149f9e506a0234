use crate::base::Kind;
use crate::{keystore, store};

/// What can go wrong with a webhook.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there, or another tenant's.
    #[error("no such webhook")]
    NotFound,
    /// A value that cannot be used, and why.
    #[error("{0}")]
    BadValue(&'static str),
    /// A tenant has as many as it may have.
    #[error("a tenant has at most {0} webhooks; delete one first")]
    TooMany(usize),
    /// What it told of is gone, so that it cannot be told again.
    #[error("what this told of was blanked when it was told")]
    Blanked,
    /// What is sealed does not open.
    #[error("a webhook's secret does not open")]
    Sealed,
    /// The guarded way out could not be set up.
    #[error("the way out could not be set up")]
    Egress,
    /// The keys.
    #[error(transparent)]
    Keys(#[from] keystore::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::BadValue(_) => Kind::Invalid,
            Self::TooMany(_) | Self::Blanked => Kind::Conflict,
            Self::Sealed | Self::Egress => Kind::Internal,
            Self::Keys(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }
}
