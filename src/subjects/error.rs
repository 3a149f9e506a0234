use crate::base::{Kind, Timestamp};
use crate::{keystore, ledger, store, vault};

/// What can go wrong with accounts and sign-in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody by that id in this tenant.
    #[error("there is no such account")]
    NotFound,
    /// The address is not one.
    #[error("not an e-mail address we can use: {0}")]
    BadEmail(&'static str),
    /// A name is empty, too long, or holds control characters.
    #[error("{field}: {why}")]
    BadName {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There is an account with this address already.
    #[error("there is an account with this address already")]
    Taken,
    /// The token, key or session is unknown, used, expired, revoked, or was asked for by another browser.
    #[error("the proof of who is calling does not hold")]
    BadProof,
    /// Too many links for one address.
    #[error("too many sign-in links for one address")]
    TooMany,
    /// The code is not right, or was used.
    #[error("the code is not right, or was used")]
    BadCode,
    /// Too many codes were not right: no other is looked at until then.
    #[error("too many codes were not right: the next is looked at from {} on", .0.in_words())]
    Wait(Timestamp),
    /// The last proof by a second factor is not fresh enough.
    #[error("this needs a fresh proof by the second factor")]
    Stale,
    /// The second factor was set up in place of another, not long ago.
    #[error("your second factor is in place of another: this waits until {}", .0.in_words())]
    Held(Timestamp),
    /// The address by which they sign in was changed not long ago.
    #[error("the address of this account was changed: until {} nothing leaves it and nothing is erased at once", .0.in_words())]
    AddressHeld(Timestamp),
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
            Self::NotFound => Kind::NotFound,
            Self::BadEmail(_) | Self::BadName { .. } => Kind::Invalid,
            Self::Taken | Self::AddressHeld(_) => Kind::Conflict,
            Self::BadProof | Self::BadCode => Kind::Unauthenticated,
            Self::TooMany | Self::Wait(_) => Kind::TooMany,
            Self::Stale => Kind::StepUp,
            Self::Held(_) => Kind::Forbidden,
            Self::Vault(e) => e.kind(),
            Self::Keys(e) => e.kind(),
            Self::Ledger(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }
}
