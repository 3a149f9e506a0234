//! The service put together: one handle of each room, built once.
//!
//! Promises: the real service, a test and a demonstration differ only in what they hand to [`App::open`]. Must never:
//! do anything itself.

mod copies;
mod error;
mod gate;
mod keys;
mod notes;
mod open;
mod outside;
mod policies;
mod sql;
mod standby;

pub use copies::COPY;
pub use error::Error;
pub use gate::{Gate, Shut};
pub use open::Setup;
pub use policies::{Unpublished, load_documents};
pub use standby::Standby;

use std::sync::{Arc, OnceLock};

use crate::audit::Audit;
use crate::base::{Clock, Entropy};
use crate::billing::{Credits, Invoices};
use crate::blobs::Blobs;
use crate::config::Config;
use crate::consent::Consents;
use crate::disclosure::Disclosures;
use crate::drp::Drp;
use crate::editing::Editing;
use crate::elsewhere::Elsewhere;
use crate::imports::Imports;
use crate::intake::Intake;
use crate::keystore::Keystore;
use crate::ledger::{Ledger, Witnesses};
use crate::mail::Post;
use crate::policy::{Library, Policy};
use crate::publication::Publications;
use crate::requests::Requests;
use crate::retention::Retention;
use crate::store::Db;
use crate::subjects::Subjects;
use crate::training::Training;
use crate::vault::Vault;
use crate::webhooks::Webhooks;

/// The service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App(Arc<Rooms>);

/// One handle of each room.
#[derive(Debug)]
pub struct Rooms {
    /// The configuration it was built from.
    pub config: Config,
    /// What time it is.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// The main database.
    pub db: Db,
    /// The keys.
    pub keys: Keystore,
    /// Where ciphertext lies.
    pub blobs: Blobs,
    /// Where what happened is written down.
    pub ledger: Ledger,
    /// Those who watch the ledger.
    pub witnesses: Witnesses,
    /// The documents.
    pub library: Library,
    /// The door to personal data.
    pub vault: Vault,
    /// People and staff.
    pub subjects: Subjects,
    /// People's words.
    pub consents: Consents,
    /// Credits.
    pub credits: Credits,
    /// Invoices.
    pub invoices: Invoices,
    /// The register of what left.
    pub disclosures: Disclosures,
    /// What apps' servers are told.
    pub webhooks: Webhooks,
    /// The pipeline.
    pub editing: Editing,
    /// People's accounts elsewhere.
    pub elsewhere: Elsewhere,
    /// What must go.
    pub retention: Retention,
    /// Versions of the documents: published, told of, remembered.
    pub publications: Publications,
    /// The documents of the folder, as they were when the service was put together.
    pub documents: Vec<Policy>,
    /// Documents of the folder that are not published, and are not used.
    pub unpublished: OnceLock<Vec<Unpublished>>,
    /// Every right.
    pub requests: Requests,
    /// What comes in from outside: letters.
    pub intake: Intake,
    /// Agents that ask in people's names.
    pub drp: Drp,
    /// Archives that people bring from elsewhere.
    pub imports: Imports,
    /// Collections that models learn from.
    pub training: Training,
    /// Whether each promise is kept.
    pub audit: Audit,
    /// Letters.
    pub post: Post,
    /// Whether the service may be used.
    pub gate: Gate,
}

impl std::ops::Deref for App {
    type Target = Rooms;
    fn deref(&self) -> &Rooms {
        &self.0
    }
}
