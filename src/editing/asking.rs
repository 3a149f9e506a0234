//! Asking for edits: everything is looked at first, then all of it is written in one transaction, or nothing is.

use super::{
    Edit, EditState, Editing, Error, NewBatch, NewEdit, PURPOSE, ProviderChoice, jobs, outside, sql,
};
use crate::base::{BatchId, EditId, ObjectId};
use crate::disclosure::Sending;
use crate::imaging::Format;
use crate::policy::{Facts, Policy};
use crate::store::Tx;
use crate::store::idempotency::Closing;
use crate::vault::{Access, Actor, NewRecord, Owner, SealedRecord, Vault};

/// An edit that can be written.
struct Asked {
    edit: Edit,
    /// The uploads that go with it, each with the edit it belonged to before.
    uploads: Vec<(ObjectId, Option<String>)>,
    sealed: Vec<SealedRecord>,
}

/// A picture that an edit is to be made of.
struct Input {
    id: ObjectId,
    /// Whether it is an upload, which then goes with the edit.
    is_upload: bool,
    /// What it belonged to before, if to anything.
    parent: Option<String>,
    format: Option<Format>,
    bytes: u64,
}

impl Editing {
    /// Asks for an edit: checked against document, restriction, credits and what its provider takes; paid; queued.
    /// Nothing is changed when it is refused.
    pub async fn create(&self, owner: &Owner, actor: &Actor, new: NewEdit) -> Result<Edit, Error> {
        self.create_once(owner, actor, new, &Closing::none()).await
    }

    /// The same for a call that shall have its effect once: its answer is kept in the transaction that queues the edit.
    pub async fn create_once(
        &self,
        owner: &Owner,
        actor: &Actor,
        new: NewEdit,
        closing: &Closing<Edit>,
    ) -> Result<Edit, Error> {
        let asked = self.ask_all(owner, actor, (vec![new], None)).await?;
        let edit = asked.first().map(|one| one.edit.clone()).ok_or(Error::NotFound)?;
        self.queue_or_discard(owner, asked, (closing, &edit)).await?;
        Ok(edit)
    }

    /// Asks for the same edit of each of several pictures: all of them are taken, or none is.
    pub async fn create_batch(
        &self,
        owner: &Owner,
        actor: &Actor,
        new: NewBatch,
        closing: &Closing<(BatchId, Vec<Edit>)>,
    ) -> Result<(BatchId, Vec<Edit>), Error> {
        let batch = BatchId::new(&self.clock, &self.entropy);
        let asked = self.ask_all(owner, actor, (new.each()?, Some(batch))).await?;
        let made = (batch, asked.iter().map(|one| one.edit.clone()).collect());
        self.queue_or_discard(owner, asked, (closing, &made)).await?;
        Ok(made)
    }

    /// Looks at every wish, and seals what it says; at none, if one of them cannot be.
    async fn ask_all(
        &self,
        owner: &Owner,
        actor: &Actor,
        (all, batch): (Vec<NewEdit>, Option<BatchId>),
    ) -> Result<Vec<Asked>, Error> {
        let mut asked = Vec::with_capacity(all.len());
        for new in all {
            match self.ask(owner, actor, new, batch).await {
                Ok(one) => asked.push(one),
                Err(e) => {
                    self.discard(owner, asked).await;
                    return Err(e);
                }
            }
        }
        Ok(asked)
    }

    async fn discard(&self, owner: &Owner, asked: Vec<Asked>) {
        for one in asked {
            self.vault.discard(owner, &one.sealed).await;
        }
    }

    async fn queue_or_discard<T>(
        &self,
        owner: &Owner,
        asked: Vec<Asked>,
        closing: (&Closing<T>, &T),
    ) -> Result<(), Error> {
        match self.queue(owner, &asked, closing).await {
            Ok(()) => {
                self.nudge.notify_one();
                Ok(())
            }
            Err(e) => {
                self.discard(owner, asked).await;
                Err(e)
            }
        }
    }

    /// Looks at one wish, and seals what it says.
    async fn ask(
        &self,
        owner: &Owner,
        actor: &Actor,
        new: NewEdit,
        batch: Option<BatchId>,
    ) -> Result<Asked, Error> {
        let new = new.checked()?;
        let (model, provider) = self.chosen(owner, actor, &new).await?;
        self.allowed(owner, provider).await?;
        let inputs = self.inputs(owner, actor, &new).await?;
        let sizes: Vec<_> = inputs.iter().map(|input| (input.format, input.bytes)).collect();
        self.outside.check(provider, &new.settings, &sizes)?;
        let id = EditId::new(&self.clock, &self.entropy);
        let sealed = seal(&self.vault, owner, id, &new).await?;
        let edit = Edit::queued(id, owner, (&new, model, provider), batch, self.clock.now(), &sealed);
        let uploads =
            inputs.into_iter().filter(|input| input.is_upload).map(|input| (input.id, input.parent));
        Ok(Asked { edit, uploads: uploads.collect(), sealed })
    }

    /// The pictures of a wish, each seen to be there and the person's own.
    async fn inputs(&self, owner: &Owner, actor: &Actor, new: &NewEdit) -> Result<Vec<Input>, Error> {
        let mut inputs = Vec::with_capacity(new.inputs.len());
        for id in &new.inputs {
            let access = Access { actor, purpose: PURPOSE };
            let object = self.vault.object(owner, &access, *id).await?;
            let is_upload = match object.category.as_str() {
                "input-image" => {
                    if let Some(parent) = &object.item.parent {
                        self.let_go(owner, parent).await?;
                    }
                    true
                }
                // A result may be the start of another edit, and stays what it was.
                "output-image" => false,
                _ => return Err(crate::vault::Error::NotFound.into()),
            };
            inputs.push(Input {
                id: *id,
                is_upload,
                parent: object.item.parent,
                format: Format::parse(&object.meta.media_type),
                bytes: object.meta.len,
            });
        }
        Ok(inputs)
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

    /// The edits, what was asked, their price, their jobs and what is answered: all or nothing.
    async fn queue<T>(
        &self,
        owner: &Owner,
        asked: &[Asked],
        (closing, made): (&Closing<T>, &T),
    ) -> Result<(), Error> {
        let policy = self.vault.policy(&owner.tenant)?;
        let mut tx = self.db.begin().await?;
        self.willing(&mut tx, owner, &policy).await?;
        // All of them go to the same provider: they are one wish.
        if let Some(Asked { edit, .. }) = asked.first() {
            let choice = ProviderChoice::of(&edit.provider);
            self.has_allowance(&mut tx, &owner.tenant, (choice, asked.len())).await?;
        }
        for Asked { edit, uploads, sealed } in asked {
            let id = edit.id.to_string();
            self.vault.insert(&mut tx, owner, sealed).await?;
            self.credits.change(&mut tx, owner, -edit.cost, "edit", Some(edit.id)).await?;
            for (input, from) in uploads {
                self.vault.move_parent(&mut tx, owner, *input, (from.as_deref(), &id)).await?;
            }
            sql::insert(&mut tx, edit).await?;
            jobs::enqueue(&mut tx, &self.clock, &self.entropy, edit).await?;
        }
        closing.close(&mut tx, made).await?;
        Ok(tx.commit().await?)
    }

    /// Whether the person's word and restrictions allow edits, from here to the end of a transaction.
    pub(super) async fn willing(&self, tx: &mut Tx, owner: &Owner, policy: &Policy) -> Result<(), Error> {
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
}

/// Prompt and settings, sealed under the person's key.
async fn seal(vault: &Vault, owner: &Owner, edit: EditId, new: &NewEdit) -> Result<Vec<SealedRecord>, Error> {
    let record = |category, name, value| NewRecord {
        category,
        name,
        value,
        parent: Some(edit.to_string()),
        facts: Facts::new(),
    };
    let settings = serde_json::to_value(&new.settings).map_err(|_| Error::BadValue("settings"))?;
    let prompt = record("prompt", "prompt", serde_json::json!({ "text": new.prompt }));
    Ok(vault.seal_records(owner, vec![prompt, record("edit-parameters", "settings", settings)]).await?)
}
