//! Setting out: the job is put together, the errand and the disclosure are written down, and only then is it sent.

use chrono::TimeDelta;
use futures_util::FutureExt as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Errand, ErrandState, Note, Turn, sql};
use crate::base::{ErrandId, Kind, Secret};
use crate::disclosure::Sending;
use crate::editing::landing::model_of;
use crate::editing::outside::SENT;
use crate::editing::{Edit, Editing, Error, PURPOSE, ProviderChoice, Settings};
use crate::egress::CallLog;
use crate::providers::{Failure, Go, Input, Job, Provider, ProviderError, Pseudonym, Submitted, Unanswered};
use crate::vault::{Access, Actor};

/// How often an edit sets out, each time that it is certain that the last job was not taken.
const MOST_TRIES: i64 = 5;
/// How long an edit waits for a provider that has no time. Waiting for a place in the line does not count.
const NO_TIME: TimeDelta = TimeDelta::hours(1);
/// When to ask again for a place, when a tenant has as many edits at a provider as it may.
const FULL: TimeDelta = TimeDelta::seconds(2);
/// When to put a job again that could not be put.
const UNREACHED: TimeDelta = TimeDelta::seconds(4);
/// When to look for a job whose answer was lost.
pub(super) const LOST: TimeDelta = TimeDelta::seconds(3);
/// When to ask for the first time how a job stands.
pub(super) const FIRST_LOOK: TimeDelta = TimeDelta::milliseconds(500);

/// A job that is ready to go.
struct Load {
    job: Job,
    /// How much of a person's leaves with it, along with it or by link.
    bytes: u64,
    /// SHA-256 of the token in its links.
    link: Option<Vec<u8>>,
}

/// What came of writing an errand down.
enum Written {
    Down(Box<Errand>),
    /// The tenant has as many edits at the provider as it may.
    Full,
    /// The edit is over.
    Over,
}

impl Editing {
    /// The first step: everything that the person asked for, put to the provider once. `refused` is the errand of an earlier
    /// time when the provider had none.
    pub(super) async fn set_out(&self, edit: &Edit, refused: Option<Errand>) -> Result<Turn, Error> {
        let choice = ProviderChoice::of(&edit.provider);
        let Some(provider) = self.outside.provider(choice).cloned() else {
            return self.ends(edit, "this provider is not set up here").await;
        };
        if edit.put_off_since.is_some_and(|at| self.clock.now().since(at) > NO_TIME) {
            return self.ends(edit, "the provider had no time for this edit").await;
        }
        // While it is left alone, nothing is written down that would not be sent.
        if let Some(until) = provider.rests_until() {
            self.put_off(edit).await?;
            return Ok(Turn::Again(self.not_before(until)));
        }
        let (tried, under_way) = {
            let mut tx = self.db.read().await?;
            let tried = sql::tried(&mut tx, edit.tenant(), edit.id).await?;
            // Looked at once more when it is written down; here it saves the work.
            (tried, sql::under_way(&mut tx, edit.tenant(), choice).await?)
        };
        if tried >= MOST_TRIES {
            return self.ends(edit, "the provider could not be reached").await;
        }
        if under_way >= self.outside.at_once {
            return self.waits_in_line(edit).await;
        }
        let name = match &refused {
            Some(errand) => self.open_note(errand).await?.intent.pseudonym,
            None => Pseudonym::new(&self.entropy),
        };
        let load = match self.job(edit, name, provider.inline_input()).await {
            Ok(load) => load,
            Err(why) => return self.fails(edit, &why).await,
        };
        let intent = match provider.prepare(&load.job) {
            Ok(intent) => intent,
            Err(e) => return self.ends(edit, phrase(&e)).await,
        };
        let note = Note { intent, handle: None };
        match self.write_down(edit, &load, &note, refused).await {
            Ok(Written::Down(errand)) => self.send(edit, *errand, note, (&*provider, &load.job)).await,
            Ok(Written::Full) => self.waits_in_line(edit).await,
            // In the moment between.
            Ok(Written::Over) => Ok(Turn::Done),
            Err(why) => self.fails(edit, &why).await,
        }
    }

    async fn waits_in_line(&self, edit: &Edit) -> Result<Turn, Error> {
        self.not_put_off(edit).await?;
        Ok(Turn::Again(self.clock.now().plus(FULL)))
    }

    /// Closes an edit for what is in the way of it here, and what was written down for it.
    async fn fails(&self, edit: &Edit, why: &Error) -> Result<Turn, Error> {
        self.fail(edit, why).await?;
        self.clear_up_after(edit).await;
        Ok(Turn::Done)
    }

    /// What the person asked for, read back from the vault. The pictures are without metadata; the job's name is used for
    /// nothing else.
    async fn job(&self, edit: &Edit, pseudonym: Pseudonym, inline: usize) -> Result<Load, Error> {
        let choice = ProviderChoice::of(&edit.provider);
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let (prompt, settings) = self.asked(edit, &access).await?;
        let token = self.entropy.token();
        let (mut inputs, mut first) = (Vec::with_capacity(edit.inputs.len()), None);
        let (mut room, mut bytes, mut linked) = (inline, prompt.len() as u64, false);
        for (n, id) in edit.inputs.iter().enumerate() {
            let (format, picture) = self.bare_input(&edit.owner, *id).await?;
            first = first.or(Some(format));
            bytes += picture.len() as u64;
            let link = self.outside.link(choice, &token, n, format).filter(|_| picture.len() > room);
            inputs.push(if let Some(link) = link {
                linked = true;
                Input::Link(link)
            } else {
                room = room.saturating_sub(picture.len());
                Input::Bytes { format, bytes: picture }
            });
        }
        let job = Job {
            model: model_of(edit),
            prompt: words(&prompt, &settings),
            inputs,
            params: settings.params(first),
            webhook: self.outside.hook(choice, pseudonym.as_str()),
            pseudonym,
            go: Some(self.go(edit)),
        };
        Ok(Load { job, bytes, link: linked.then(|| Sha256::digest(&token).to_vec()) })
    }

    /// Whether the person still wants it, asked in the last moment before it is put. A store that is down says nothing of
    /// that: it is put later.
    fn go(&self, edit: &Edit) -> Go {
        let (editing, edit) = (self.clone(), edit.clone());
        Go::new(move || {
            let (editing, edit) = (editing.clone(), edit.clone());
            async move {
                match editing.still_willing(&edit).await {
                    Ok(()) => Ok(true),
                    Err(why) if matches!(why.kind(), Kind::Unavailable | Kind::Full) => Err(Unanswered),
                    Err(_) => Ok(false),
                }
            }
            .boxed()
        })
    }

    /// Errand, disclosure and the edit's word that it went out, in one transaction, in which the person's consent and
    /// restrictions are looked up as they are at this moment. An errand that was refused is taken up again, and so is its
    /// disclosure.
    async fn write_down(
        &self,
        edit: &Edit,
        load: &Load,
        note: &Note,
        refused: Option<Errand>,
    ) -> Result<Written, Error> {
        let choice = ProviderChoice::of(&edit.provider);
        let id =
            refused.as_ref().map_or_else(|| ErrandId::new(&self.clock, &self.entropy), |errand| errand.id);
        let sealed = self.seal_note(id, edit.tenant(), note).await?;
        let sending = Sending {
            processor: choice.as_str(),
            purpose: PURPOSE,
            categories: &SENT,
            edit: Some(edit.id),
            bytes: load.bytes,
        };
        let policy = self.vault.policy(edit.tenant())?;
        let mut tx = self.db.begin().await?;
        // One after another, so that two that set out in the same moment do not both take the last place.
        tx.take_turn(&format!("errands/{}/{}", edit.tenant(), choice.as_str())).await?;
        if sql::under_way(&mut tx, edit.tenant(), choice).await? >= self.outside.at_once {
            return Ok(Written::Full);
        }
        self.willing(&mut tx, &edit.owner, &policy).await?;
        let known = refused.as_ref().and_then(|errand| errand.disclosure.clone());
        let disclosure = if let Some(row) = known {
            self.disclosures.once_more(&mut tx, edit.tenant(), &row, &sending).await?;
            Some(row)
        } else {
            self.disclosures.record(&mut tx, &edit.owner, &sending).await?
        };
        let errand = Errand {
            id,
            tenant: edit.tenant().clone(),
            edit: Some(edit.id),
            provider: choice,
            state: ErrandState::Intended,
            hook: Sha256::digest(load.job.pseudonym.as_str()).to_vec(),
            sealed: Some(sealed),
            link: load.link.clone(),
            disclosure,
            made_at: self.clock.now(),
            next_at: None,
            tries: 0,
            refused_at: None,
        };
        let written = match refused {
            Some(_) => sql::again(&mut tx, &errand).await?,
            None => sql::insert(&mut tx, &edit.owner, &errand).await?,
        };
        if !written {
            return Ok(Written::Over);
        }
        tx.commit().await?;
        Ok(Written::Down(Box::new(errand)))
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
                self.not_put_off(edit).await?;
                Ok(Turn::Again(if state.is_final() { now } else { now.plus(FIRST_LOOK) }))
            }
            Err(e) if !e.not_taken() => Ok(Turn::Again(now.plus(LOST))),
            Err(
                e @ (ProviderError::Busy { .. } | ProviderError::Resting { .. } | ProviderError::Unasked),
            ) => {
                self.refused(edit, &errand).await?;
                let until = match e {
                    ProviderError::Resting { until } => Some(until),
                    _ => provider.rests_until(),
                };
                Ok(Turn::Again(self.not_before(until.unwrap_or_else(|| now.plus(FULL)))))
            }
            Err(e) => {
                // Certain not to be there: nothing to erase, and nothing to look for.
                self.done_there(&errand, "not-taken").await?;
                match e {
                    ProviderError::Unavailable => Ok(Turn::Again(now.plus(UNREACHED))),
                    // Whatever called it off ends it at its next turn, or is over by then.
                    ProviderError::CalledOff => Ok(Turn::Again(now)),
                    e => self.ends(edit, phrase(&e)).await,
                }
            }
        }
    }

    /// Closes an edit without a result, for a reason that its owner may read. What the provider has of it is stopped and
    /// erased at once.
    pub(super) async fn ends(&self, edit: &Edit, why: &'static str) -> Result<Turn, Error> {
        self.fail_as(edit, why).await?;
        self.clear_up_after(edit).await;
        Ok(Turn::Done)
    }
}

/// The prompt; a style that was chosen is said in words, since the models know no other way.
fn words(prompt: &Zeroizing<String>, settings: &Settings) -> Secret<String> {
    Secret::new(match &settings.style {
        Some(style) if prompt.is_empty() => format!("Redraw this picture in the style: {style}"),
        Some(style) => format!("{}\n\nStyle: {style}", prompt.as_str()),
        None => prompt.to_string(),
    })
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
