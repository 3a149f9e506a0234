//! The end of an edit that succeeded: its pictures are sealed, and one transaction gives them to their owner.

use bytes::Bytes;
use serde_json::json;

use super::{Edit, EditState, Editing, Error, ModelChoice, ProviderChoice, sql};
use crate::base::Timestamp;
use crate::imaging::Format;
use crate::policy::{Fact, Facts, Role};
use crate::providers::Model;
use crate::providers::studio::Edited;
use crate::vault::{self, NewObject, NewRecord, SealedRecord, StagedObject};
use crate::webhooks::Event;

/// A result, ready to be stored: pixels and mark.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) bytes: Vec<u8>,
    pub(super) format: Format,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl From<Edited> for Made {
    fn from(edited: Edited) -> Self {
        let Edited { bytes, format, width, height, .. } = edited;
        Self { bytes, format, width, height }
    }
}

/// What lies ready and has no row yet.
#[derive(Default)]
struct Ready {
    staged: Vec<StagedObject>,
    sealed: Vec<SealedRecord>,
    /// The last record is one of use.
    has_usage: bool,
}

impl Editing {
    /// Key and bytes of the results, then one transaction that closes the edit, gives the results to their owner and
    /// starts the clocks; what the document says must go with success goes at once. For pictures that were asked for and
    /// not made, credits are given back.
    pub(super) async fn succeed(&self, edit: &Edit, made: Vec<Made>) -> Result<(), Error> {
        let mut ready = Ready::default();
        match self.get_ready_and_land(edit, made, &mut ready).await {
            Ok(Some(ended)) => {
                // Whoever waits for the result hears of it before anything is tidied up.
                self.progress.tell(&ended);
                self.webhooks.nudge().notify_one();
                self.erase_due(&ended).await
            }
            // Cancelled or erased while it ran: the results go, nothing else happens.
            other => {
                for staged in ready.staged {
                    self.vault.abandon_object(&edit.owner, staged).await;
                }
                self.vault.discard(&edit.owner, &ready.sealed).await;
                other.map(|_| ())
            }
        }
    }

    /// `None`, and nothing is written, when the edit was over before.
    async fn get_ready_and_land(
        &self,
        edit: &Edit,
        made: Vec<Made>,
        ready: &mut Ready,
    ) -> Result<Option<Edit>, Error> {
        let now = self.clock.now();
        let mut records = Vec::with_capacity(made.len() + 2);
        for one in made {
            let (staged, details) = self.stage(edit, one).await?;
            ready.staged.push(staged);
            records.push(details);
        }
        let mut outputs = ready.staged.iter().map(StagedObject::id);
        let ended = Edit {
            output: outputs.next(),
            more_outputs: outputs.collect(),
            cost: price_of(edit, ready.staged.len()),
            ..edit.ended(EditState::Succeeded, None, now)
        };
        records.push(self.history(&ended, "succeeded", now));
        let usage = self.usage(&ended).await?;
        ready.has_usage = usage.is_some();
        records.extend(usage);
        ready.sealed = self.vault.seal_records(&edit.owner, records).await?;
        Ok(self.land(edit, &ended, ready).await?.then_some(ended))
    }

    /// Seals one picture's bytes, and says what is kept beside it.
    async fn stage(&self, edit: &Edit, made: Made) -> Result<(StagedObject, NewRecord<'static>), Error> {
        let Made { bytes, format, width, height } = made;
        let new = NewObject {
            category: "output-image",
            media_type: format.media_type(),
            parent: Some(edit.id.to_string()),
            facts: Facts::new(),
            size: Some((width, height)),
            most_bytes: 1 << 30,
        };
        let bytes = Bytes::from(bytes);
        let value =
            json!({ "format": format.name(), "width": width, "height": height, "bytes": bytes.len() });
        let body = futures_util::stream::iter([Ok::<_, vault::Error>(bytes)]);
        let staged = self.vault.stage_object(&edit.owner, new, body).await?;
        let details = NewRecord {
            category: "image-metadata",
            name: "output",
            value,
            parent: Some(staged.id().to_string()),
            facts: Facts::new(),
        };
        Ok((staged, details))
    }

    /// All that a success writes. `false`, and nothing is written, when the edit was over before.
    async fn land(&self, edit: &Edit, ended: &Edit, ready: &Ready) -> Result<bool, Error> {
        let owner = &ended.owner;
        let now = ended.ended_at.unwrap_or_else(|| self.clock.now());
        let policy = self.vault.policy(&owner.tenant)?;
        let mut tx = self.db.begin().await?;
        // What was taken back while it was made ends the edit at its next turn.
        self.willing(&mut tx, owner, &policy).await?;
        if !sql::update(&mut tx, ended).await? {
            return Ok(false);
        }
        self.recall(&mut tx, ended, now).await?;
        for staged in &ready.staged {
            self.vault.land_object(&mut tx, owner, staged).await?;
        }
        let back = edit.cost - ended.cost;
        if back > 0 {
            self.credits.change(&mut tx, owner, back, "fewer pictures", Some(ended.id)).await?;
        }
        // The record of use comes last, and is left out without the person's word for it at this moment.
        let taken_back =
            ready.has_usage && !self.vault.agreed(&mut tx, owner, &policy, "improvement").await?;
        let (kept, dropped) = ready.sealed.split_at(ready.sealed.len() - usize::from(taken_back));
        self.vault.insert(&mut tx, owner, kept).await?;
        self.started(&mut tx, ended, &[(Fact::EditSucceeded, now), (Fact::EditEnded, now)]).await?;
        self.webhooks.edit_ended(&mut tx, owner, (ended.id, Event::EditSucceeded)).await?;
        tx.commit().await?;
        self.vault.discard(owner, dropped).await;
        Ok(true)
    }

    /// Erases at once what became due by this edit's end. What fails here is found by the sweep.
    async fn erase_due(&self, edit: &Edit) -> Result<(), Error> {
        let due = self.vault.due_belongings(&edit.owner, &edit.id.to_string(), self.clock.now()).await?;
        self.vault.erase(edit.tenant(), &due, Role::Service).await?;
        Ok(())
    }

    /// A record of use, if the person agreed that we learn from use.
    async fn usage(&self, edit: &Edit) -> Result<Option<NewRecord<'static>>, Error> {
        let policy = self.vault.policy(edit.tenant())?;
        if policy.category("usage").is_none() {
            return Ok(None);
        }
        let mut tx = self.db.read().await?;
        if !self.vault.agreed(&mut tx, &edit.owner, &policy, "improvement").await? {
            return Ok(None);
        }
        let value = json!({
            "feature": "edit", "at": self.clock.now().rfc3339(), "credits": edit.cost, "model": edit.model,
        });
        Ok(Some(NewRecord { category: "usage", name: "event", value, parent: None, facts: Facts::new() }))
    }

    /// What is kept of how an edit went.
    pub(super) fn history(&self, edit: &Edit, outcome: &str, now: Timestamp) -> NewRecord<'static> {
        NewRecord {
            category: "edit-history",
            name: "history",
            value: json!({
                "model": edit.model,
                "model-version": self.version_of(edit),
                "provider": edit.provider,
                "started": edit.started_at.map(Timestamp::rfc3339),
                "ended": now.rfc3339(),
                "outcome": outcome,
                "cost": edit.cost,
            }),
            parent: Some(edit.id.to_string()),
            facts: Facts::new(),
        }
    }

    /// Which model it was exactly, in the words of whoever did the edit.
    fn version_of(&self, edit: &Edit) -> String {
        let choice = ProviderChoice::of(&edit.provider);
        match self.outside.provider(choice) {
            Some(provider) => provider.endpoint(model_of(edit), edit.inputs.len()).to_owned(),
            None if choice == ProviderChoice::Studio => {
                concat!("studio ", env!("CARGO_PKG_VERSION")).to_owned()
            }
            None => "not known".to_owned(),
        }
    }
}

/// The model of an edit, as providers know it.
pub(super) fn model_of(edit: &Edit) -> Model {
    if edit.model == ModelChoice::Max.as_str() { Model::Max } else { Model::Pro }
}

/// What so many of the pictures that were paid for cost.
fn price_of(edit: &Edit, made: usize) -> i64 {
    let asked = edit.images.max(1);
    let made = i64::try_from(made).unwrap_or(asked).clamp(0, asked);
    edit.cost / asked * made
}
