use crate::base::Kind;
use crate::{keystore, ledger, mail, requests, store, subjects, vault};

/// Why a letter cannot be read. Says nothing of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// More bytes than a letter may have.
    #[error("the letter is larger than 5 MiB")]
    TooLarge,
    /// There is no header.
    #[error("this is not a letter: it has no header")]
    NoHeader,
    /// It is broken.
    #[error("the letter cannot be read")]
    Malformed,
    /// It is made of more parts than a person's letter.
    #[error("the letter has more than 100 parts")]
    TooManyParts,
    /// It says it is from nobody, from several, or from an address that cannot be written to.
    #[error("the letter does not say from which one address it is")]
    NoSender,
}

/// What can go wrong with what comes in from outside.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The letter cannot be read; nothing was changed.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// More letters came to this tenant today than are answered.
    #[error("more letters came in today than are taken; this one can be handed over again later")]
    TooMany,
    /// Enough mandates were asked of this address today.
    #[error("enough was asked of this address today")]
    TooManyMandates,
    /// What is proposed cannot be: says why.
    #[error("{0}")]
    Invalid(&'static str),
    /// There is no such mandate, or it is somebody else's.
    #[error("there is no such mandate")]
    NoMandate,
    /// The mandate was not confirmed, or is over.
    #[error("the mandate does not hold")]
    NotGiven,
    /// The link is unknown, used, or over. Which of these is not told.
    #[error("the link does not open anything")]
    BadLink,
    /// What is kept of a letter cannot be opened.
    #[error("what is kept of a letter cannot be read")]
    Damaged,
    /// A letter of ours could not be put together.
    #[error("a letter could not be written")]
    Unwritable,
    /// Our letter did not go.
    #[error(transparent)]
    Mail(#[from] mail::Error),
    /// Filing.
    #[error(transparent)]
    Requests(#[from] requests::Error),
    /// Accounts.
    #[error(transparent)]
    Subjects(#[from] subjects::Error),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The keystore.
    #[error(transparent)]
    Keys(#[from] keystore::Error),
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
            Self::Unreadable(Unreadable::TooLarge) => Kind::TooLarge,
            Self::Unreadable(_) | Self::Invalid(_) => Kind::Invalid,
            Self::TooMany | Self::TooManyMandates => Kind::TooMany,
            Self::BadLink | Self::NoMandate => Kind::NotFound,
            Self::NotGiven => Kind::Conflict,
            Self::Damaged | Self::Unwritable => Kind::Internal,
            Self::Mail(e) => e.kind(),
            Self::Requests(e) => e.kind(),
            Self::Subjects(e) => e.kind(),
            Self::Vault(e) => e.kind(),
            Self::Keys(e) => e.kind(),
            Self::Ledger(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }
}
