//! What can go wrong between us and a provider.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Kind, Timestamp};

/// Why a provider verb gave nothing. Holds no text of the provider's: its errors may echo what the user sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The job cannot be put to this provider; the sentence says which parameter. Nothing was sent.
    #[error("{0}")]
    Invalid(&'static str),
    /// The provider understood and said no, or the edit failed there. Final.
    #[error("the provider refused or failed: {}", .0.word())]
    Refused(Failure),
    /// It was called off before it was put; what was uploaded for it is gone.
    #[error("it was called off")]
    CalledOff,
    /// Whether it still goes could not be found out, so it was not put; what was uploaded for it is gone.
    #[error("it cannot be found out whether it still goes")]
    Unasked,
    /// Our key was not accepted.
    #[error("the provider does not accept our key")]
    Unauthorised,
    /// Too many calls; it was not taken. Try again later.
    #[error("the provider is busy")]
    Busy {
        /// How long to wait at least, if the provider says so.
        after: Option<Duration>,
    },
    /// The circuit breaker is open: nothing was sent.
    #[error("the provider is being left to recover")]
    Resting {
        /// When the next call may go out.
        until: Timestamp,
    },
    /// No answer could be had, and the call had no effect, or may be repeated safely.
    #[error("the provider cannot be reached")]
    Unavailable,
    /// The call may have taken effect. Never send it again: reconcile.
    #[error("it is not known whether the provider took the call")]
    Unknown,
    /// An answer that is not what the protocol says; the word says where.
    #[error("the provider's answer makes no sense: {0}")]
    Garbled(&'static str),
    /// The request or its result is no longer there.
    #[error("the provider no longer has it")]
    Gone,
    /// A webhook that is not shown to be the provider's.
    #[error("the webhook is not proven: {}", .0.word())]
    Forged(Forgery),
}

/// What is wrong with a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// A header or the body is missing or unreadable.
    Malformed,
    /// Its time is more than five minutes from ours.
    Stale,
    /// No signature matches.
    Signature,
}

impl Forgery {
    fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Stale => "stale",
            Self::Signature => "signature",
        }
    }
}

/// Why an edit came to nothing at the provider, in words that hold for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The provider's content rules.
    ContentPolicy,
    /// A parameter or the request's form.
    BadInput,
    /// The input picture is too large.
    InputTooLarge,
    /// The provider could not fetch or read the input picture.
    InputUnreadable,
    /// It took too long there, or did not start in time.
    TimedOut,
    /// Our account there has no credit.
    NoCredit,
    /// Cancelled.
    Cancelled,
    /// A fault of the provider's.
    Fault,
}

impl Failure {
    /// A fixed word.
    pub fn word(self) -> &'static str {
        match self {
            Self::ContentPolicy => "content-policy",
            Self::BadInput => "bad-input",
            Self::InputTooLarge => "input-too-large",
            Self::InputUnreadable => "input-unreadable",
            Self::TimedOut => "timed-out",
            Self::NoCredit => "no-credit",
            Self::Cancelled => "cancelled",
            Self::Fault => "fault",
        }
    }
}

impl ProviderError {
    /// Of a failed `submit`: true when the provider certainly did not take the job, so that it may be put again (or
    /// elsewhere) without a second charge.
    pub fn not_taken(&self) -> bool {
        !matches!(self, Self::Unknown | Self::Garbled(_))
    }

    /// True when the same call may succeed later without anything being changed.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Resting { .. } | Self::Unavailable | Self::Unasked)
    }

    /// What sort of thing it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) => Kind::Invalid,
            Self::Refused(Failure::ContentPolicy | Failure::BadInput | Failure::InputUnreadable) => {
                Kind::Invalid
            }
            Self::Refused(Failure::InputTooLarge) => Kind::TooLarge,
            Self::Refused(_) | Self::Unauthorised | Self::Garbled(_) | Self::Unknown => Kind::Upstream,
            Self::Busy { .. } | Self::Resting { .. } | Self::Unavailable | Self::Unasked => Kind::Unavailable,
            Self::CalledOff => Kind::Conflict,
            Self::Gone => Kind::NotFound,
            Self::Forged(Forgery::Malformed) => Kind::Malformed,
            Self::Forged(_) => Kind::Unauthenticated,
        }
    }
}
