//! An edit, from the upload to the result, and to the end of the upload.
//!
//! Promises: nothing is edited that the person did not ask for, now, under the document in force and their own word;
//! what arrives is checked by content and stripped before it is stored or sent; the upload is gone when the edit has
//! succeeded; credits are spent once. Must never: put a prompt, a file name or a byte of a picture into a log line.

mod asking;
mod errand;
mod error;
mod jobs;
mod landing;
mod listing;
mod model;
mod outside;
mod preference;
mod progress;
mod run;
mod settings;
mod sql;
mod upload;

pub use errand::{Fetched, Turn, redraw};
pub use error::Error;
pub use jobs::RUN;
pub use model::{
    Edit, EditState, Filter, MAX_PROMPT, ModelChoice, NewBatch, NewEdit, ProviderChoice, Uploaded,
};
pub use outside::{Outside, Way};
pub use preference::Preference;
pub use progress::{Progress, Step};
pub use settings::Settings;
pub use upload::Cleaned;

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};

use crate::base::{Clock, EditId, Entropy};
use crate::billing::Credits;
use crate::disclosure::Disclosures;
use crate::imaging::Limits;
use crate::keystore::Keystore;
use crate::ledger::Ledger;
use crate::store::Db;
use crate::vault::{Actor, Owner, Vault};
use crate::webhooks::Webhooks;

/// The purpose under which all of this happens.
pub const PURPOSE: &str = "provide-edits";
/// Pictures that are decoded at the same time.
const PIXELS: usize = 3;
/// Results that are fetched, and not sealed yet, at the same time.
const FETCHES: usize = 16;

/// The pipeline. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Editing {
    db: Db,
    keys: Keystore,
    ledger: Ledger,
    vault: Vault,
    credits: Credits,
    disclosures: Disclosures,
    webhooks: Webhooks,
    outside: Outside,
    limits: Limits,
    progress: Progress,
    nudge: Arc<Notify>,
    /// Turns for work on pixels, so that many edits at once do not fill the memory.
    pixels: Arc<Semaphore>,
    /// Turns for results, from the fetch until they are sealed.
    fetches: Arc<Semaphore>,
    clock: Clock,
    entropy: Entropy,
}

/// What the pipeline is made of.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The keys: one of the service's own seals what providers tell.
    pub keys: Keystore,
    /// Where what happened is written down.
    pub ledger: Ledger,
    /// The door to personal data.
    pub vault: Vault,
    /// Credits.
    pub credits: Credits,
    /// The register of what leaves.
    pub disclosures: Disclosures,
    /// What the app's server is told.
    pub webhooks: Webhooks,
    /// The providers that are set up.
    pub outside: Outside,
    /// Bounds on pictures.
    pub limits: Limits,
    /// What time it is.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

impl Editing {
    /// Over its parts.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            db,
            keys,
            ledger,
            vault,
            credits,
            disclosures,
            webhooks,
            outside,
            limits,
            clock,
            entropy,
        } = parts;
        Self {
            db,
            keys,
            ledger,
            vault,
            credits,
            disclosures,
            webhooks,
            outside,
            limits,
            progress: Progress::new(),
            nudge: Arc::default(),
            pixels: Arc::new(Semaphore::new(PIXELS)),
            fetches: Arc::new(Semaphore::new(FETCHES)),
            clock,
            entropy,
        }
    }

    /// The bounds on pictures.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Who is told how an edit gets on.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Is notified when there is work in the queue that need not wait for the next look at it.
    pub fn nudge(&self) -> &Notify {
        &self.nudge
    }

    /// Stops an edit that has not ended, and gives its credits back. Its inputs go by their own rule. A provider that has
    /// it is asked to stop by the edit's next turn, which is due at once.
    pub async fn cancel(&self, owner: &Owner, id: EditId) -> Result<Edit, Error> {
        let mut tx = self.db.begin().await?;
        let edit = sql::get(&mut tx, owner, id).await?.ok_or(Error::NotFound)?;
        if edit.state.is_over() {
            return Err(Error::Over(edit.state));
        }
        let ended = edit.ended(EditState::Cancelled, None, self.clock.now());
        if !self.close(&mut tx, owner, &ended).await? {
            // It ended in the moment between.
            drop(tx);
            return Err(Error::Over(self.get(owner, id).await?.state));
        }
        jobs::wake(&mut tx, &self.clock, id).await?;
        tx.commit().await?;
        self.progress.tell(&ended);
        self.nudge.notify_one();
        self.webhooks.nudge().notify_one();
        Ok(ended)
    }

    /// Deletes an edit that is over, and everything that was kept for it: prompt, settings, history, result.
    pub async fn delete(&self, owner: &Owner, id: EditId, by: &Actor) -> Result<(), Error> {
        let edit = self.get(owner, id).await?;
        if !edit.state.is_over() {
            return Err(Error::NotOver);
        }
        self.vault.erase_belongings(owner, &id.to_string(), by.role()).await?;
        let mut tx = self.db.begin().await?;
        sql::delete(&mut tx, owner, id).await?;
        tx.commit().await?;
        Ok(())
    }
}
