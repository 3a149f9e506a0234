//! Whether each promise of a document is kept now, and the proof.
//!
//! Promises: every check looks at what is really there, by a way of its own, past the rooms that should have kept the
//! promise; a check that cannot look says so and never counts as kept; each change of a check's verdict, and one run a
//! day, stand on the ledger; what people must vouch for goes red when it is late. Must never: change what it looks at,
//! open a picture unless the document lets it, or put anybody's data into a figure.

mod attest;
mod board;
mod error;
mod logs;
mod model;
mod pages;
mod probes;
mod promises;
mod run;
mod sql;

pub use attest::{Exhibit, LARGEST_FILE};
pub use board::Board;
pub use error::Error;
pub use logs::{LogWatch, Tee, Tell};
pub use model::{
    Attached, Check, ClauseState, Evidence, Outcome, Part, RuleState, State, Verdict, Vouched, Vouching,
};
pub use pages::{PageView, Pages};
pub use probes::SWEEP;
pub use run::{Ran, Watch};

use std::path::PathBuf;
use std::sync::{Arc, OnceLock, Weak};

use chrono::TimeDelta;

use crate::base::{Clock, Entropy, TenantId};
use crate::blobs::Blobs;
use crate::config::Config;
use crate::disclosure::Disclosures;
use crate::keystore::{EPOCH_LASTS, Keystore};
use crate::ledger::Ledger;
use crate::policy::{Library, Policy};
use crate::store::Db;
use crate::vault::Vault;

/// What an auditor is made of.
#[derive(Debug)]
pub struct Parts {
    /// The main database.
    pub db: Db,
    /// The door to personal data: asked only where the document lets the service read.
    pub vault: Vault,
    /// The keys.
    pub keys: Keystore,
    /// Where ciphertext lies.
    pub blobs: Blobs,
    /// Where what happened is written down.
    pub ledger: Ledger,
    /// The documents.
    pub library: Library,
    /// The register.
    pub disclosures: Disclosures,
    /// The configuration the service runs by.
    pub config: Config,
    /// What else it needs to know.
    pub settings: Settings,
    /// What time it is.
    pub clock: Clock,
    /// Randomness, for samples.
    pub entropy: Entropy,
}

/// What else an auditor needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a key epoch lasts; the newest must be younger than two.
    pub epoch: TimeDelta,
    /// Folders in which nothing may grow older than a day: where uploads land before they are whole.
    pub temporary: Vec<PathBuf>,
    /// The log, as it is written; without it, nobody can tell what is in it.
    pub logs: Option<LogWatch>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { epoch: EPOCH_LASTS, temporary: Vec::new(), logs: None }
    }
}

/// The auditor. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Audit(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: Parts,
    pages: OnceLock<Weak<dyn Pages>>,
}

impl std::ops::Deref for Audit {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

impl Audit {
    /// Over its parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner { parts, pages: OnceLock::new() }))
    }

    /// Lets it see the pages that are served here, for as long as the caller keeps them. The first call stands.
    pub fn see_pages(&self, pages: &Arc<dyn Pages>) {
        // A second set of pages would be another service's.
        let _ = self.0.pages.set(Arc::downgrade(pages));
    }

    /// The pages, if they are still served.
    fn pages(&self) -> Option<Arc<dyn Pages>> {
        self.0.pages.get()?.upgrade()
    }

    fn in_force(&self, tenant: &TenantId) -> Result<Arc<Policy>, Error> {
        self.library.in_force(tenant, self.clock.now()).ok_or(Error::Missing("tenant"))
    }
}
