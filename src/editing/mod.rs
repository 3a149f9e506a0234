//! An edit, from the upload to the result, and to the end of the upload.
//!
//! Promises: nothing is edited that the person did not ask for, now, under the document in force and their own word;
//! what arrives is checked by content and stripped before it is stored or sent; the upload is gone when the edit has
//! succeeded; credits are spent once. Must never: put a prompt, a file name or a byte of a picture into a log line.

mod errand;
mod error;
mod jobs;
mod listing;
mod model;
mod outside;
mod progress;
mod run;
mod sql;
mod upload;

pub use errand::{Turn, redraw};
pub use error::Error;
pub use jobs::RUN;
pub use model::{Edit, EditState, MAX_PROMPT, ModelChoice, NewEdit, ProviderChoice, Settings, Uploaded};
pub use outside::Outside;
pub use progress::{Progress, Step};

use crate::base::{Clock, EditId, Entropy, ObjectId};
use crate::billing::Credits;
use crate::disclosure::{Disclosures, Sending};
use crate::imaging::Limits;
use crate::keystore::Keystore;
use crate::ledger::Ledger;
use crate::policy::{Facts, Policy};
use crate::store::{Db, Tx};
use crate::vault::{Actor, NewRecord, Owner, SealedRecord, Vault};

/// The purpose under which all of this happens.
pub const PURPOSE: &str = "provide-edits";

/// The pipeline. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Editing {
    db: Db,
    keys: Keystore,
    ledger: Ledger,
    vault: Vault,
    credits: Credits,
    disclosures: Disclosures,
    outside: Outside,
    limits: Limits,
    progress: Progress,
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
        let Parts { db, keys, ledger, vault, credits, disclosures, outside, limits, clock, entropy } = parts;
        let progress = Progress::new();
        Self { db, keys, ledger, vault, credits, disclosures, outside, limits, progress, clock, entropy }
    }

    /// The bounds on pictures.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Who is told how an edit gets on.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Asks for an edit: checked against document, restriction and credits; paid; queued. Nothing is changed when it is
    /// refused.
    pub async fn create(&self, owner: &Owner, actor: &Actor, new: NewEdit) -> Result<Edit, Error> {
        let new = new.checked()?;
        let provider = match new.provider {
            Some(named) => named,
            None => self.outside.usual(&*self.vault.policy(&owner.tenant)?),
        };
        self.allowed(owner, provider).await?;
        let id = EditId::new(&self.clock, &self.entropy);
        let parent = Some(id.to_string());
        let now = self.clock.now();
        let prompt = NewRecord {
            category: "prompt",
            name: "prompt",
            value: serde_json::json!({ "text": new.prompt }),
            parent: parent.clone(),
            facts: Facts::new(),
        };
        let settings = NewRecord {
            category: "edit-parameters",
            name: "settings",
            value: serde_json::to_value(&new.settings).map_err(|_| Error::BadValue("settings"))?,
            parent,
            facts: Facts::new(),
        };
        let uploads = self.uploads(owner, actor, &new).await?;
        let sealed = self.vault.seal_records(owner, vec![prompt, settings]).await?;
        let edit = Edit::queued(id, owner, (&new, provider), new.model.cost(), now, &sealed);
        if let Err(e) = self.queue(&edit, &uploads, &sealed).await {
            self.vault.discard(owner, &sealed).await;
            return Err(e);
        }
        Ok(edit)
    }

    /// The inputs that go with this edit, each with the edit it belonged to before.
    async fn uploads(
        &self,
        owner: &Owner,
        actor: &Actor,
        new: &NewEdit,
    ) -> Result<Vec<(ObjectId, Option<String>)>, Error> {
        let mut uploads = Vec::new();
        for input in &new.inputs {
            let access = crate::vault::Access { actor, purpose: PURPOSE };
            let object = self.vault.object(owner, &access, *input).await?;
            match object.category.as_str() {
                "input-image" => {
                    if let Some(parent) = &object.item.parent {
                        self.let_go(owner, parent).await?;
                    }
                    uploads.push((*input, object.item.parent));
                }
                // A result may be the start of another edit, and stays what it was.
                "output-image" => {}
                _ => return Err(crate::vault::Error::NotFound.into()),
            }
        }
        Ok(uploads)
    }

    /// Whether the edit that an upload belongs to has no use for it any more: it failed, was stopped or deleted.
    async fn let_go(&self, owner: &Owner, edit: &str) -> Result<(), Error> {
        let id: EditId = edit.parse().map_err(|_| Error::NotFound)?;
        match self.get(owner, id).await {
            Ok(edit) if matches!(edit.state, EditState::Failed | EditState::Cancelled) => Ok(()),
            Ok(_) => Err(Error::BadValue("inputs (one of them is in another edit)")),
            Err(Error::NotFound) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// The edit, what was asked, its price and its job: all or nothing.
    async fn queue(
        &self,
        edit: &Edit,
        uploads: &[(ObjectId, Option<String>)],
        sealed: &[SealedRecord],
    ) -> Result<(), Error> {
        let (owner, id) = (&edit.owner, edit.id.to_string());
        let policy = self.vault.policy(&owner.tenant)?;
        let mut tx = self.db.begin().await?;
        self.willing(&mut tx, owner, &policy).await?;
        self.vault.insert(&mut tx, owner, sealed).await?;
        self.credits.change(&mut tx, owner, -edit.cost, "edit", Some(edit.id)).await?;
        for (input, from) in uploads {
            self.vault.move_parent(&mut tx, owner, *input, (from.as_deref(), &id)).await?;
        }
        sql::insert(&mut tx, edit).await?;
        jobs::enqueue(&mut tx, &self.clock, &self.entropy, edit).await?;
        Ok(tx.commit().await?)
    }

    /// Whether the person's word and restrictions allow edits, from here to the end of a transaction.
    async fn willing(&self, tx: &mut Tx, owner: &Owner, policy: &Policy) -> Result<(), Error> {
        let standing = self.vault.standing_to_write(tx, owner).await?;
        if standing.restricted_at.is_some() {
            return Err(crate::vault::Error::Restricted.into());
        }
        if !self.vault.agreed(tx, owner, policy, PURPOSE).await? {
            return Err(crate::vault::Error::NoConsent { purpose: PURPOSE.to_owned() }.into());
        }
        Ok(())
    }

    /// Whether this edit may be made at all, at this moment.
    async fn allowed(&self, owner: &Owner, provider: ProviderChoice) -> Result<(), Error> {
        if provider != ProviderChoice::Studio && self.outside.provider(provider).is_none() {
            return Err(Error::BadValue("provider (it is not set up here)"));
        }
        let sending = Sending {
            processor: provider.as_str(),
            purpose: PURPOSE,
            categories: &outside::SENT,
            edit: None,
            bytes: 0,
        };
        self.disclosures.check(&owner.tenant, &sending)?;
        let policy = self.vault.policy(&owner.tenant)?;
        let mut tx = self.db.read().await?;
        self.willing(&mut tx, owner, &policy).await
    }

    /// Stops an edit that has not ended, and gives its credits back. Its inputs go by their own rule.
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
        tx.commit().await?;
        self.progress.tell(&ended);
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
