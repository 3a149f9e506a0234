//! Setting out: the job is put together, the errand and the disclosure are written down, and only then is it sent.

use bytes::Bytes;
use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Errand, ErrandState, Note, Turn, sql};
use crate::base::{ErrandId, Secret};
use crate::disclosure::Sending;
use crate::editing::outside::SENT;
use crate::editing::{Edit, Editing, Error, PURPOSE, ProviderChoice, Settings};
use crate::egress::CallLog;
use crate::imaging::{self, Format};
use crate::providers::{
    Aspect, Failure, Input, Job, Model, Params, Provider, ProviderError, Pseudonym, Submitted,
};
use crate::vault::{Access, Actor};

/// How often an edit sets out, each time that it is certain that the last job was not taken.
const MOST_TRIES: i64 = 5;
/// When to ask again for a place, when a tenant has as many edits at a provider as it may.
const FULL: TimeDelta = TimeDelta::seconds(2);
/// When to look for a job whose answer was lost.
pub(super) const LOST: TimeDelta = TimeDelta::seconds(3);
/// When to ask for the first time how a job stands.
pub(super) const FIRST_LOOK: TimeDelta = TimeDelta::milliseconds(500);

impl Editing {
    /// The first step: everything that the person asked for, put to the provider once.
    pub(super) async fn set_out(&self, edit: &Edit) -> Result<Turn, Error> {
        let choice = ProviderChoice::of(&edit.provider);
        let Some(provider) = self.outside.provider(choice).cloned() else {
            return self.ends(edit, "this provider is not set up here").await;
        };
        {
            let mut tx = self.db.read().await?;
            if sql::tried(&mut tx, edit.tenant(), edit.id).await? >= MOST_TRIES {
                return self.ends(edit, "the provider could not be reached").await;
            }
            if sql::under_way(&mut tx, edit.tenant(), choice).await? >= self.outside.at_once {
                return Ok(Turn::Again(self.clock.now().plus(FULL)));
            }
        }
        let job = match self.job(edit, choice).await {
            Ok(job) => job,
            Err(why) => return self.fail(edit, &why).await.map(|()| Turn::Done),
        };
        let intent = match provider.prepare(&job) {
            Ok(intent) => intent,
            Err(e) => return self.ends(edit, phrase(&e)).await,
        };
        let note = Note { intent, handle: None };
        match self.write_down(edit, choice, &job, &note).await {
            Ok(Some(errand)) => self.send(edit, errand, note, (&*provider, &job)).await,
            // Over in the moment between.
            Ok(None) => Ok(Turn::Done),
            Err(why) => self.fail(edit, &why).await.map(|()| Turn::Done),
        }
    }

    /// What the person asked for, read back from the vault. The pictures are without metadata, the job has a name that
    /// is used for nothing else.
    async fn job(&self, edit: &Edit, choice: ProviderChoice) -> Result<Job, Error> {
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let (prompt, settings) = self.asked(edit, &access).await?;
        let mut inputs = Vec::with_capacity(edit.inputs.len());
        let mut first = None;
        for id in &edit.inputs {
            let open = self.vault.open_object(&edit.owner, &access, *id, None).await?;
            let picture = open.read(self.limits.max_bytes as u64).await?;
            let limits = self.limits;
            let (format, bytes) = tokio::task::spawn_blocking(move || bare(picture.expose(), &limits))
                .await
                .map_err(|_| Error::BadValue("the picture"))??;
            first = first.or(Some(format));
            inputs.push(Input::Bytes { format, bytes });
        }
        let pseudonym = Pseudonym::new(&self.entropy);
        Ok(Job {
            model: if edit.model == "max" { Model::Max } else { Model::Pro },
            prompt: words(&prompt, &settings),
            inputs,
            params: params(&settings, first),
            webhook: self.outside.hook(choice, pseudonym.as_str()),
            pseudonym,
        })
    }

    /// Errand, disclosure and the edit's word that it went out, in one transaction, in which the person's consent and
    /// restrictions are looked up as they are at this moment.
    async fn write_down(
        &self,
        edit: &Edit,
        choice: ProviderChoice,
        job: &Job,
        note: &Note,
    ) -> Result<Option<Errand>, Error> {
        let id = ErrandId::new(&self.clock, &self.entropy);
        let sealed = self.seal_note(id, edit.tenant(), note).await?;
        let bytes: usize =
            job.inputs.iter().map(|i| if let Input::Bytes { bytes, .. } = i { bytes.len() } else { 0 }).sum();
        let sending = Sending {
            processor: choice.as_str(),
            purpose: PURPOSE,
            categories: &SENT,
            edit: Some(edit.id),
            bytes: (bytes + job.prompt.expose().len()) as u64,
        };
        let policy = self.vault.policy(edit.tenant())?;
        let mut tx = self.db.begin().await?;
        self.willing(&mut tx, &edit.owner, &policy).await?;
        let errand = Errand {
            id,
            tenant: edit.tenant().clone(),
            edit: Some(edit.id),
            provider: choice,
            state: ErrandState::Intended,
            hook: Sha256::digest(job.pseudonym.as_str()).to_vec(),
            sealed: Some(sealed),
            disclosure: self.disclosures.record(&mut tx, &edit.owner, &sending).await?,
            made_at: self.clock.now(),
            next_at: None,
            tries: 0,
        };
        if !sql::insert(&mut tx, &edit.owner, &errand).await? {
            return Ok(None);
        }
        tx.commit().await?;
        Ok(Some(errand))
    }

    async fn send(
        &self,
        edit: &Edit,
        errand: Errand,
        note: Note,
        (provider, job): (&Provider, &Job),
    ) -> Result<Turn, Error> {
        let now = self.clock.now();
        match provider.submit(&note.intent, job, &CallLog::new()).await {
            Ok(Submitted { handle, state }) => {
                self.keep(&errand, &Note { handle: Some(handle), ..note }).await?;
                Ok(Turn::Again(if state.is_final() { now } else { now.plus(FIRST_LOOK) }))
            }
            Err(e) if !e.not_taken() => Ok(Turn::Again(now.plus(LOST))),
            Err(e) => {
                // Certain not to be there: nothing to erase, and nothing to look for.
                self.done_there(&errand, "not-taken").await?;
                match e {
                    ProviderError::Busy { after } => {
                        let pause = TimeDelta::from_std(after).unwrap_or(FULL).max(FULL);
                        Ok(Turn::Again(now.plus(pause)))
                    }
                    ProviderError::Resting { until } => Ok(Turn::Again(until)),
                    ProviderError::Unavailable => Ok(Turn::Again(now.plus(FULL * 2))),
                    e => self.ends(edit, phrase(&e)).await,
                }
            }
        }
    }

    /// Closes an edit without a result, for a reason that its owner may read.
    pub(super) async fn ends(&self, edit: &Edit, why: &'static str) -> Result<Turn, Error> {
        self.fail_as(edit, why).await?;
        Ok(Turn::Done)
    }
}

/// The picture and nothing else: a result that goes out again loses its mark on the way, as an upload lost its EXIF.
fn bare(bytes: &[u8], limits: &imaging::Limits) -> Result<(Format, Bytes), Error> {
    let inspected = imaging::inspect(bytes, limits)?;
    Ok((inspected.format, imaging::strip(bytes, &inspected)?.into()))
}

/// The prompt; a style that was chosen is said in words, since the models know no other way.
fn words(prompt: &Zeroizing<String>, settings: &Settings) -> Secret<String> {
    Secret::new(match &settings.style {
        Some(style) if prompt.is_empty() => format!("Redraw this picture in the style: {style}"),
        Some(style) => format!("{}\n\nStyle: {style}", prompt.as_str()),
        None => prompt.to_string(),
    })
}

fn params(settings: &Settings, input: Option<Format>) -> Params {
    let asked = settings.output_format.as_deref().and_then(Format::parse);
    Params {
        seed: settings.seed,
        aspect: settings.aspect_ratio.as_deref().and_then(Aspect::parse).unwrap_or(Aspect::MATCH),
        format: if asked.or(input) == Some(Format::Png) { Format::Png } else { Format::Jpeg },
        guidance: settings.guidance,
        ..Params::default()
    }
}

/// What the person is told. The provider's own words may repeat what was sent, and are never used.
pub(super) fn phrase(e: &ProviderError) -> &'static str {
    match e {
        ProviderError::Invalid(why) => why,
        ProviderError::Refused(failure) => refused(*failure),
        ProviderError::Unauthorised => "the provider does not let this service in",
        ProviderError::Gone => "the provider no longer had the result",
        ProviderError::Garbled(_) => "the provider's answer could not be used",
        _ => "the provider could not be reached",
    }
}

pub(super) fn refused(failure: Failure) -> &'static str {
    match failure {
        Failure::ContentPolicy => "the provider's content rules do not allow this edit",
        Failure::BadInput => "the provider does not take these settings",
        Failure::InputTooLarge => "the picture is too large for this provider",
        Failure::InputUnreadable => "the provider could not read the picture",
        Failure::TimedOut => "the provider took too long",
        Failure::NoCredit => "the service has no credit with this provider",
        Failure::Cancelled => "the edit was stopped at the provider",
        Failure::Fault => "the provider failed",
    }
}
