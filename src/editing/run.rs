//! Running an edit in the house.

use bytes::Bytes;
use serde_json::json;
use zeroize::Zeroizing;

use super::errand::Turn;
use super::{Edit, EditState, Editing, Error, PURPOSE, ProviderChoice, Settings, sql};
use crate::base::EditId;
use crate::imaging::Format;
use crate::policy::{Fact, Facts, Role};
use crate::providers::studio::{self, AspectRatio, EditSpec, Edited, Model};
use crate::store::Tx;
use crate::vault::{self, Access, Actor, NewObject, NewRecord, Owner, SealedRecord, StagedObject};

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

impl Editing {
    /// Runs an edit that is queued, or was left running by a process that died: the studio's edits can be made again at
    /// no cost. An edit that is over, or whose owner is being erased, is left alone. `Ok` also when the edit itself
    /// failed: it is then closed as such. An edit that a provider does takes several turns: each says when the next is due.
    pub async fn run(&self, owner: &Owner, id: EditId) -> Result<Turn, Error> {
        let Some(edit) = self.begin(owner, id).await? else { return Ok(Turn::Done) };
        let done = if ProviderChoice::of(&edit.provider) == ProviderChoice::Studio {
            match self.make(&edit).await {
                Ok(made) => Box::pin(self.succeed(&edit, made.into())).await,
                Err(why) => self.fail(&edit, &why).await,
            }
            .map(|()| Turn::Done)
        } else {
            Box::pin(self.outside_turn(&edit)).await
        };
        match done {
            // The erasure stops the edits of whom it is about.
            Err(Error::Vault(vault::Error::Erasing | vault::Error::NotFound))
                if self.is_leaving(owner).await? =>
            {
                Ok(Turn::Done)
            }
            other => other,
        }
    }

    async fn is_leaving(&self, owner: &Owner) -> Result<bool, Error> {
        let mut tx = self.db.read().await?;
        match self.vault.standing(&mut tx, owner).await {
            Ok(standing) => Ok(standing.erasing),
            Err(vault::Error::NotFound) => Ok(true),
            Err(e) => Err(e.into()),
        }
    }

    /// Closes an edit whose job was tried too often: it failed, and its credits are given back.
    pub async fn give_up(&self, owner: &Owner, id: EditId) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        let Some(edit) = sql::get(&mut tx, owner, id).await?.filter(|e| !e.state.is_over()) else {
            return Ok(());
        };
        let ended = edit.ended(EditState::Failed, Some("the edit could not be made"), self.clock.now());
        if self.close(&mut tx, owner, &ended).await? {
            tx.commit().await?;
            self.progress.tell(&ended);
        }
        Ok(())
    }

    async fn begin(&self, owner: &Owner, id: EditId) -> Result<Option<Edit>, Error> {
        let mut tx = self.db.begin().await?;
        let Some(edit) = sql::get(&mut tx, owner, id).await?.filter(|e| !e.state.is_over()) else {
            return Ok(None);
        };
        if edit.state == EditState::Running {
            // A later turn of it, or the one after a crash.
            return Ok(Some(edit));
        }
        let now = self.clock.now();
        let edit = Edit { state: EditState::Running, progress: 10, started_at: Some(now), ..edit };
        if !sql::update(&mut tx, &edit).await? {
            return Ok(None);
        }
        tx.commit().await?;
        self.progress.tell(&edit);
        Ok(Some(edit))
    }

    /// What the person asked for, read back from the vault, and the picture; then the work.
    async fn make(&self, edit: &Edit) -> Result<Edited, Error> {
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let input = edit.inputs.first().ok_or(Error::NotFound)?;
        let open = self.vault.open_object(&edit.owner, &access, *input, None).await?;
        let format = Format::parse(open.object.meta.media_type.trim_start_matches("image/"));
        let picture = open.read(self.limits.max_bytes as u64).await?;
        let mut spec = self.spec(edit, &access, format.unwrap_or(Format::Jpeg)).await?;
        spec.earlier_mark = crate::imaging::read_mark(picture.expose());
        tokio::task::spawn_blocking(move || studio::edit(picture.expose(), &spec))
            .await
            .map_err(|_| Error::BadValue("the picture"))?
            .map_err(|_| Error::BadValue("the picture"))
    }

    /// What the person asked for: their words and settings.
    pub(super) async fn asked(
        &self,
        edit: &Edit,
        access: &Access<'_>,
    ) -> Result<(Zeroizing<String>, Settings), Error> {
        let mut prompt = Zeroizing::new(String::new());
        let mut settings = Settings::default();
        for record in self.vault.records_of(&edit.owner, access, &edit.id.to_string()).await? {
            match record.category.as_str() {
                "prompt" => {
                    let text = record.value.get("text").and_then(serde_json::Value::as_str);
                    text.unwrap_or_default().clone_into(&mut prompt);
                }
                "edit-parameters" => {
                    settings =
                        serde_json::from_value(record.value).map_err(|_| Error::BadValue("settings"))?;
                }
                _ => {}
            }
        }
        Ok((prompt, settings))
    }

    async fn spec(&self, edit: &Edit, access: &Access<'_>, format: Format) -> Result<EditSpec, Error> {
        let (prompt, settings) = self.asked(edit, access).await?;
        let default = EditSpec::default();
        Ok(EditSpec {
            prompt: prompt.to_string(),
            model: if edit.model == "max" { Model::Max } else { Model::Pro },
            style: settings.style,
            guidance: settings.guidance.unwrap_or(default.guidance),
            seed: settings.seed.map_or(default.seed, u64::from),
            output_format: settings.output_format.as_deref().and_then(Format::parse).unwrap_or(format),
            aspect_ratio: settings.aspect_ratio.as_deref().and_then(AspectRatio::parse),
            earlier_mark: None,
        })
    }

    /// Key and bytes of the result, then one transaction that closes the edit, gives the result to its owner and starts
    /// the clocks; what the document says must go with success goes at once.
    pub(super) async fn succeed(&self, edit: &Edit, made: Made) -> Result<(), Error> {
        let owner = &edit.owner;
        let new = NewObject {
            category: "output-image",
            media_type: made.format.media_type(),
            parent: Some(edit.id.to_string()),
            facts: Facts::new(),
            size: Some((made.width, made.height)),
            most_bytes: 1 << 30,
        };
        let (format, width, height) = (made.format.name(), made.width, made.height);
        let bytes = Bytes::from(made.bytes);
        let len = bytes.len();
        let body = futures_util::stream::iter([Ok::<_, vault::Error>(bytes)]);
        let staged = self.vault.stage_object(owner, new, body).await?;
        let now = self.clock.now();
        let details = NewRecord {
            category: "image-metadata",
            name: "output",
            value: json!({ "format": format, "width": width, "height": height, "bytes": len }),
            parent: Some(staged.id().to_string()),
            facts: Facts::new(),
        };
        let ended = Edit { output: Some(staged.id()), ..edit.ended(EditState::Succeeded, None, now) };
        let mut records = vec![details, history(edit, "succeeded", now)];
        let usage = self.usage(edit).await?;
        let has_usage = usage.is_some();
        records.extend(usage);
        let mut sealed = Vec::new();
        let landed = async {
            sealed = self.vault.seal_records(owner, records).await?;
            self.land(&ended, &staged, (&sealed, has_usage)).await
        };
        match landed.await {
            Ok(true) => {
                self.erase_due(&ended).await?;
                self.progress.tell(&ended);
                Ok(())
            }
            // Cancelled or erased while it ran: the result goes, nothing else happens.
            Ok(false) => {
                self.vault.abandon_object(owner, staged).await;
                self.vault.discard(owner, &sealed).await;
                Ok(())
            }
            Err(e) => {
                self.vault.abandon_object(owner, staged).await;
                self.vault.discard(owner, &sealed).await;
                Err(e)
            }
        }
    }

    /// All that a success writes. `false`, and nothing is written, when the edit was over before.
    async fn land(
        &self,
        ended: &Edit,
        staged: &StagedObject,
        (sealed, has_usage): (&[SealedRecord], bool),
    ) -> Result<bool, Error> {
        let owner = &ended.owner;
        let now = ended.ended_at.unwrap_or_else(|| self.clock.now());
        let policy = self.vault.policy(&owner.tenant)?;
        let mut tx = self.db.begin().await?;
        self.vault.standing_to_write(&mut tx, owner).await?;
        if !sql::update(&mut tx, ended).await? {
            return Ok(false);
        }
        self.recall(&mut tx, ended, now).await?;
        self.vault.land_object(&mut tx, owner, staged).await?;
        // The record of use comes last, and is left out without the person's word for it at this moment.
        let taken_back = has_usage && !self.vault.agreed(&mut tx, owner, &policy, "improvement").await?;
        let (kept, dropped) = sealed.split_at(sealed.len() - usize::from(taken_back));
        self.vault.insert(&mut tx, owner, kept).await?;
        self.started(&mut tx, ended, &[(Fact::EditSucceeded, now), (Fact::EditEnded, now)]).await?;
        tx.commit().await?;
        self.vault.discard(owner, dropped).await;
        Ok(true)
    }

    pub(super) async fn fail(&self, edit: &Edit, why: &Error) -> Result<(), Error> {
        // A store that is down is not the edit's failure: the job is tried again.
        if matches!(why.kind(), crate::base::Kind::Unavailable | crate::base::Kind::Full) {
            return Err(Error::Store(crate::store::Error::Unavailable));
        }
        self.fail_as(edit, phrase(why)).await
    }

    /// Closes an edit without a result. `why` is a fixed phrase for the person.
    pub(super) async fn fail_as(&self, edit: &Edit, why: &str) -> Result<(), Error> {
        let now = self.clock.now();
        let ended = edit.ended(EditState::Failed, Some(why), now);
        let sealed: Vec<SealedRecord> =
            self.vault.seal_records(&edit.owner, vec![history(edit, "failed", now)]).await?;
        let closed = async {
            let mut tx = self.db.begin().await?;
            self.vault.insert(&mut tx, &edit.owner, &sealed).await?;
            let closed = self.close(&mut tx, &edit.owner, &ended).await?;
            if closed {
                tx.commit().await?;
            }
            Ok(closed)
        };
        let closed: Result<bool, Error> = closed.await;
        match closed {
            Ok(true) => self.progress.tell(&ended),
            _ => self.vault.discard(&edit.owner, &sealed).await,
        }
        closed.map(|_| ())
    }

    /// Closes an edit without a result: credits back, clocks started. `false`, and nothing is written, when it was over
    /// before: its credits are given back once.
    pub(super) async fn close(&self, tx: &mut Tx, owner: &Owner, ended: &Edit) -> Result<bool, Error> {
        if !sql::update(tx, ended).await? {
            return Ok(false);
        }
        let now = ended.ended_at.unwrap_or_else(|| self.clock.now());
        self.recall(tx, ended, now).await?;
        self.started(tx, ended, &[(Fact::EditEnded, now)]).await?;
        let reason = if ended.state == EditState::Cancelled { "edit cancelled" } else { "edit failed" };
        self.credits.change(tx, owner, ended.cost, reason, Some(ended.id)).await?;
        Ok(true)
    }

    async fn started(
        &self,
        tx: &mut Tx,
        edit: &Edit,
        facts: &[(Fact, crate::base::Timestamp)],
    ) -> Result<(), Error> {
        Ok(self.vault.happened(tx, &edit.owner, &edit.id.to_string(), facts).await?)
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
}

fn history(edit: &Edit, outcome: &str, now: crate::base::Timestamp) -> NewRecord<'static> {
    NewRecord {
        category: "edit-history",
        name: "history",
        value: json!({
            "model": edit.model,
            "model-version": concat!("studio ", env!("CARGO_PKG_VERSION")),
            "provider": edit.provider,
            "started": edit.started_at.map(crate::base::Timestamp::rfc3339),
            "ended": now.rfc3339(),
            "outcome": outcome,
            "cost": edit.cost,
        }),
        parent: Some(edit.id.to_string()),
        facts: Facts::new(),
    }
}

/// A fixed phrase for the person: nothing of the picture, the prompt or the machine.
fn phrase(why: &Error) -> &'static str {
    match why {
        Error::Vault(vault::Error::Restricted) => "processing of your data is restricted",
        Error::Vault(vault::Error::NoConsent { .. }) => "your consent was withdrawn",
        Error::Vault(_) | Error::NotFound => "the picture was no longer there",
        Error::BadValue(_) | Error::Picture(_) => "the picture could not be edited",
        _ => "the edit could not be made",
    }
}
