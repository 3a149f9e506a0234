use chrono::TimeDelta;

use crate::base::Kind;
use crate::{requests, store, subjects};

/// What can go wrong with an agent's message. None says whether a person is known here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such agent, or nothing of this person's to confirm.
    #[error("there is no such thing")]
    NotFound,
    /// The token is none that an agent of this business holds.
    #[error("the token is not one that was given to an agent")]
    NotPaired,
    /// It is another agent's, or nobody's.
    #[error("there is no such request of this agent")]
    NotYours,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    BadSignature,
    /// A field is missing, twice there, or not what it should be.
    #[error("the message cannot be used: {0}")]
    Malformed(&'static str),
    /// The message is for another agent or business, or of another time.
    #[error("the message is not valid here and now: {0}")]
    NotForUs(&'static str),
    /// The message was taken before.
    #[error("the message was taken before")]
    Replayed,
    /// The agent has asked for as much as is taken of one agent within an hour; in so long there is room again.
    #[error("this agent has asked for as much as is taken of one agent within an hour")]
    TooMany(TimeDelta),
    /// The request has ended.
    #[error("the request has ended")]
    Over,
    /// An agent's key, name or id cannot be used.
    #[error("an agent's {0} cannot be used")]
    BadAgent(&'static str),
    /// The way out cannot be built.
    #[error("the way out to agents cannot be built")]
    Egress,
    /// The workflow.
    #[error(transparent)]
    Requests(#[from] requests::Error),
    /// Accounts.
    #[error(transparent)]
    Subjects(#[from] subjects::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::NotPaired => Kind::Unauthenticated,
            Self::NotYours | Self::BadSignature | Self::NotForUs(_) => Kind::Forbidden,
            Self::Malformed(_) => Kind::Malformed,
            Self::Replayed | Self::Over => Kind::Conflict,
            Self::TooMany(_) => Kind::TooMany,
            Self::BadAgent(_) => Kind::Invalid,
            Self::Egress => Kind::Internal,
            Self::Requests(e) => e.kind(),
            Self::Subjects(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }
}
