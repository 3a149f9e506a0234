//! Running an edit in the house.

use zeroize::Zeroizing;

use super::errand::Turn;
use super::landing::Made;
use super::{Edit, EditState, Editing, Error, PURPOSE, ProviderChoice, Settings, sql};
use crate::base::EditId;
use crate::imaging::Format;
use crate::policy::Fact;
use crate::providers::studio::{self, AspectRatio, EditSpec, Edited, Model};
use crate::store::Tx;
use crate::vault::{self, Access, Actor, Owner, SealedRecord};
use crate::webhooks::Event;

/// What a turn finds.
enum Begun {
    /// Something to be done.
    UnderWay(Edit),
    /// It has ended.
    Over(Edit),
    /// It is not there any more.
    Gone,
}

impl Editing {
    /// Runs an edit that is queued, or was left running by a process that died: the studio's edits can be made again at
    /// no cost. An edit that is over, or whose owner is being erased, is left alone. `Ok` also when the edit itself
    /// failed: it is then closed as such. An edit that a provider does takes several turns: each says when the next is due.
    pub async fn run(&self, owner: &Owner, id: EditId) -> Result<Turn, Error> {
        let edit = match self.begin(owner, id).await? {
            Begun::UnderWay(edit) => edit,
            // Stopped, perhaps, while a provider had it: it is asked to stop, and what it has goes.
            Begun::Over(edit) => return self.clear_copies_of(&edit).await.map(|()| Turn::Done),
            Begun::Gone => return Ok(Turn::Done),
        };
        let done = if ProviderChoice::of(&edit.provider) == ProviderChoice::Studio {
            match self.make(&edit).await {
                Ok(made) => Box::pin(self.succeed(&edit, vec![Made::from(made)])).await,
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
            self.webhooks.nudge().notify_one();
            self.clear_up_after(&ended).await;
        }
        Ok(())
    }

    async fn begin(&self, owner: &Owner, id: EditId) -> Result<Begun, Error> {
        let found = {
            let mut tx = self.db.read().await?;
            sql::get(&mut tx, owner, id).await?
        };
        let edit = match found {
            None => return Ok(Begun::Gone),
            Some(edit) if edit.state.is_over() => return Ok(Begun::Over(edit)),
            // A later turn of it, or the one after a crash.
            Some(edit) if edit.state == EditState::Running => return Ok(Begun::UnderWay(edit)),
            Some(edit) => edit,
        };
        let mut tx = self.db.begin().await?;
        let now = self.clock.now();
        let edit = Edit { state: EditState::Running, progress: 10, started_at: Some(now), ..edit };
        if !sql::update(&mut tx, &edit).await? {
            return Ok(Begun::Over(edit));
        }
        tx.commit().await?;
        self.progress.tell(&edit);
        Ok(Begun::UnderWay(edit))
    }

    /// What the person asked for, read back from the vault, and the picture; then the work.
    async fn make(&self, edit: &Edit) -> Result<Edited, Error> {
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let input = edit.inputs.first().ok_or(Error::NotFound)?;
        // The turn comes before the picture is read, so that no more of them are in memory than are worked on.
        let _turn = self.pixels.acquire().await.map_err(|_| crate::store::Error::Unavailable)?;
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
            self.vault.seal_records(&edit.owner, vec![self.history(edit, "failed", now)]).await?;
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
            Ok(true) => {
                self.progress.tell(&ended);
                self.webhooks.nudge().notify_one();
            }
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
        let (reason, event) = match ended.state {
            EditState::Cancelled => ("edit cancelled", Event::EditCancelled),
            _ => ("edit failed", Event::EditFailed),
        };
        self.credits.change(tx, owner, ended.cost, reason, Some(ended.id)).await?;
        self.webhooks.edit_ended(tx, owner, (ended.id, event)).await?;
        Ok(true)
    }

    pub(super) async fn started(
        &self,
        tx: &mut Tx,
        edit: &Edit,
        facts: &[(Fact, crate::base::Timestamp)],
    ) -> Result<(), Error> {
        Ok(self.vault.happened(tx, &edit.owner, &edit.id.to_string(), facts).await?)
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
