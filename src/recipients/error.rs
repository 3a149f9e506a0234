use std::time::Duration;

use crate::base::Kind;
use crate::egress::EgressError;

/// Why a recipient did not do what it was asked. Holds no value of anybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// It cannot be reached, or says that something is wrong with it. Nothing is known to have happened.
    #[error("it cannot be reached")]
    Unavailable,
    /// It was reached and its answer was lost: whether it did what was asked, only another look can tell.
    #[error("its answer was lost")]
    Lost,
    /// Too many calls; after this long it may be asked again.
    #[error("it asks us to wait")]
    Busy {
        /// How long.
        after: Duration,
    },
    /// It does not accept our key, or the key may not do this.
    #[error("it does not accept our key")]
    Unauthorised,
    /// It refuses a step; which, in a few words.
    #[error("it refuses: {0}")]
    Refused(&'static str),
    /// It answers in a way that cannot be understood; where, in a word.
    #[error("its answer cannot be read: {0}")]
    Garbled(&'static str),
}

impl RecipientError {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Unavailable | Self::Lost | Self::Busy { .. } => Kind::Unavailable,
            Self::Unauthorised | Self::Refused(_) | Self::Garbled(_) => Kind::Upstream,
        }
    }
}

impl From<EgressError> for RecipientError {
    fn from(e: EgressError) -> Self {
        match e {
            EgressError::TimedOut | EgressError::Interrupted => Self::Lost,
            EgressError::TooLarge => Self::Garbled("size"),
            EgressError::NoConnection => Self::Unavailable,
            EgressError::Build => Self::Refused("the request cannot be put together"),
            EgressError::UnknownRecipient
            | EgressError::BadUrl
            | EgressError::NotAllowed
            | EgressError::PrivateAddress => Self::Refused("its address may not be called"),
        }
    }
}
