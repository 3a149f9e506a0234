//! People and staff: accounts, sign-in links, sessions, API keys, restriction.
//!
//! Promises: what is said of a person lies in the vault; here are ids, times and keyed indexes. Tokens are 256 random
//! bits of which only a hash is kept. Whether an address is known cannot be told from any answer. Of a device only
//! families and a network are kept. A code is taken once. Must never: decide what a role may read; that is the document's.

mod account;
mod address;
mod address_letters;
mod again;
mod api_keys;
mod asked;
mod correcting;
mod device;
mod email;
mod error;
mod factor;
mod links;
mod model;
mod sessions;
mod sql;
mod staff;
mod totp;

pub use account::{NewAccount, Profile};
pub use address::{ADDRESS_HOLD, ADDRESS_LINK, AskedMove, Moved, OpenMove, OwedMove, Turn};
pub use api_keys::{ApiKey, MintedKey, Scope};
pub use asked::{AskedLink, LETTER, LinkWish};
pub use correcting::Correcting;
pub use device::Device;
pub use email::Email;
pub use error::Error;
pub use factor::{Enrolled, FACTOR_FRESH, FACTOR_HOLD, Factor};
pub use links::{LIFE as LINK_LIFE, Link, LinkFor, Redeemed};
pub use model::{Session, SignedIn, StaffMember, Subject};
pub use sessions::{PROVED_FRESH, STAFF_IDLE, SUBJECT_IDLE};
pub use totp::Enrolment;

use crate::base::{Clock, Entropy};
use crate::keystore::Keystore;
use crate::ledger::Ledger;
use crate::store::Db;
use crate::vault::Vault;

/// People and staff. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Subjects {
    db: Db,
    keys: Keystore,
    vault: Vault,
    ledger: Ledger,
    clock: Clock,
    entropy: Entropy,
}

impl Subjects {
    /// Over its parts.
    pub fn new(db: Db, keys: Keystore, vault: Vault, ledger: Ledger, clock: Clock, entropy: Entropy) -> Self {
        Self { db, keys, vault, ledger, clock, entropy }
    }
}
