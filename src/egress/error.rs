//! What can go wrong with an outbound call.

use crate::base::Kind;

/// Why an outbound call did not give an answer. Carries no URL, header, body or cause: any of them may hold a secret or
/// personal data. What matters to a caller is [`EgressError::never_sent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The recipient is not one that was registered.
    #[error("no such recipient")]
    UnknownRecipient,
    /// The URL is not one that may be called at all: scheme, user info, no host.
    #[error("the address to call is not acceptable")]
    BadUrl,
    /// The host is not on the recipient's list.
    #[error("the host is not on the recipient's list")]
    NotAllowed,
    /// The host is, or resolves to, an address that is not public.
    #[error("the host leads to an address that is not public")]
    PrivateAddress,
    /// No connection came about; nothing was sent.
    #[error("no connection")]
    NoConnection,
    /// Time ran out after the connection was there; the request may have arrived.
    #[error("no answer in time")]
    TimedOut,
    /// The connection broke after it was there; the request may have arrived.
    #[error("the connection broke")]
    Interrupted,
    /// The answer has more bytes than the call allows.
    #[error("the answer is larger than allowed")]
    TooLarge,
    /// The request could not be put together (a header with a line break, TLS set-up).
    #[error("the request could not be built")]
    Build,
}

impl EgressError {
    /// True when it is certain that no byte of the request reached the recipient, so that sending again is safe.
    pub fn never_sent(self) -> bool {
        match self {
            Self::UnknownRecipient
            | Self::BadUrl
            | Self::NotAllowed
            | Self::PrivateAddress
            | Self::NoConnection
            | Self::Build => true,
            Self::TimedOut | Self::Interrupted | Self::TooLarge => false,
        }
    }

    /// A fixed word for records and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::UnknownRecipient => "unknown-recipient",
            Self::BadUrl => "bad-url",
            Self::NotAllowed => "not-allowed",
            Self::PrivateAddress => "private-address",
            Self::NoConnection => "no-connection",
            Self::TimedOut => "timed-out",
            Self::Interrupted => "interrupted",
            Self::TooLarge => "too-large",
            Self::Build => "build",
        }
    }

    /// What sort of thing it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::UnknownRecipient | Self::NotAllowed | Self::PrivateAddress => Kind::Forbidden,
            Self::BadUrl => Kind::Invalid,
            Self::NoConnection | Self::TimedOut | Self::Interrupted => Kind::Unavailable,
            Self::TooLarge => Kind::Upstream,
            Self::Build => Kind::Internal,
        }
    }
}
