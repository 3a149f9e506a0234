//! What reaches us from somebody who is not signed in: letters that are requests, and agents who ask for others.
//!
//! Promises: a letter to the document's address with its subject line is a request whose clocks count from its arrival;
//! every writer gets the same answer, whether we know them or not; what is kept of a letter lies sealed, until it is
//! confirmed or its link is over; an agent asks in somebody's name only under a mandate that this person confirmed, and learns
//! nothing that the person did not let them be told. Must never: release or change anything on an address alone, answer a machine, or look at
//! an attachment.

mod confirm;
mod error;
mod letter;
mod mandate;
mod model;
mod proof;
mod sql;
mod take;
mod wish;

pub use error::{Error, Unreadable};
pub use letter::{Letter, MOST_BYTES, message_of, read};
pub use mandate::{
    A_PERSON, Asked, ByAgent, DeskMandate, LONGEST_NAME, MOST_MANDATES, Mandate, MandateOpened, MandateState,
    Proposal, Standing, Wanted,
};
pub use model::{Automatic, Confirmed, Dkim, Envelope, Found, Opened, Outcome, Proof, Waiting};
pub use proof::{Dns, NameServer, Verifier};
pub use take::{A_DAY, AN_ADDRESS};
pub use wish::{is_subject, right_in};

use crate::base::{Clock, Entropy};
use crate::keystore::Keystore;
use crate::ledger::Ledger;
use crate::mail::Post;
use crate::requests::Requests;
use crate::store::Db;
use crate::subjects::Subjects;
use crate::vault::Vault;

/// What comes in from outside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Intake(Parts);

/// What the room is made of.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The main database.
    pub db: Db,
    /// The keys.
    pub keys: Keystore,
    /// The door to personal data.
    pub vault: Vault,
    /// Accounts.
    pub subjects: Subjects,
    /// Every right.
    pub requests: Requests,
    /// Where what happened is written down.
    pub ledger: Ledger,
    /// Letters of ours.
    pub post: Post,
    /// Looks where letters come from.
    pub verifier: Verifier,
    /// How the house is reached and called.
    pub house: House,
    /// What time it is.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

/// How the house is reached and called.
#[derive(Clone, Debug)]
pub struct House {
    /// What every link begins with.
    pub public_url: String,
    /// The address our letters are from.
    pub from: String,
    /// Whether this is a development installation.
    pub development: bool,
}

impl House {
    /// The domain under which our letters are named.
    fn domain(&self) -> &str {
        self.from.rsplit('@').next().unwrap_or_default()
    }
}

impl Intake {
    /// Over its parts.
    pub fn new(parts: Parts) -> Self {
        Self(parts)
    }

    /// How the name server stands that is asked where letters come from. It is asked for what our own domain says.
    pub async fn name_server(&self) -> NameServer {
        self.0.verifier.name_server(self.0.house.domain()).await
    }
}
