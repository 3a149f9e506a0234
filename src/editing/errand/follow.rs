//! Under way: asking how the job stands, looking for one whose answer was lost, and fetching the result.

use chrono::TimeDelta;

use super::send::{phrase, refused};
use super::{Errand, Note, Turn};
use crate::editing::landing::Made;
use crate::editing::{Edit, Editing, Error};
use crate::egress::CallLog;
use crate::providers::{Failure, Output, Provider, ProviderError, Reconciled, State};

/// An edit that is not done at the provider by then is given up, and its credits are given back.
const TOO_LONG: TimeDelta = TimeDelta::minutes(15);
/// How long after it was put a job that its provider does not know may still turn up.
const SETTLED: TimeDelta = TimeDelta::seconds(20);
/// Until when all pictures of a result are waited for, if some of them can be had.
const WHOLE: TimeDelta = TimeDelta::minutes(3);
/// When to try a call again that may well succeed later.
const NEXT_TRY: TimeDelta = TimeDelta::seconds(5);

impl Editing {
    /// Looks for a job whose answer was lost, or that was being put when the process died. It is never put again before
    /// it is certain that it is not there.
    pub(super) async fn look_for(&self, edit: &Edit, errand: Errand) -> Result<Turn, Error> {
        let Some(provider) = self.outside.provider(errand.provider).cloned() else {
            return self.ends(edit, "this provider is not set up here").await;
        };
        let now = self.clock.now();
        let note = self.open_note(&errand).await?;
        match self.find(&errand, &note.intent, &provider).await? {
            Ok(Reconciled::Found(handle)) => {
                self.keep(&errand, &Note { handle: Some(*handle), ..note }).await?;
                Ok(Turn::Again(now))
            }
            Ok(Reconciled::Absent) => {
                self.done_there(&errand, "not-taken").await?;
                Ok(Turn::Again(now))
            }
            Ok(Reconciled::Unclear) | Err(_) if now.since(errand.made_at) > TOO_LONG => {
                // The reconciler goes on looking; should it turn up, it is erased there.
                self.ends(edit, "it is not known whether the provider took the edit").await
            }
            Ok(Reconciled::Unclear) | Err(_) => Ok(Turn::Again(now.plus(NEXT_TRY))),
        }
    }

    /// Asks how a job stands, and fetches its result when there is one. The person's word is looked up each time: what
    /// was taken back meanwhile ends the edit.
    pub(super) async fn follow(&self, edit: &Edit, errand: Errand) -> Result<Turn, Error> {
        let Some(provider) = self.outside.provider(errand.provider).cloned() else {
            return self.ends(edit, "this provider is not set up here").await;
        };
        if let Err(why) = self.still_willing(edit).await {
            self.fail(edit, &why).await?;
            self.clear_up_after(edit).await;
            return Ok(Turn::Done);
        }
        let note = self.open_note(&errand).await?;
        let Some(handle) = &note.handle else { return self.look_for(edit, errand).await };
        let now = self.clock.now();
        let age = now.since(errand.made_at);
        match provider.poll(handle, &CallLog::new()).await {
            Ok(State::Done) => self.fetch(edit, &errand, note, &provider).await,
            Ok(State::Failed(failure)) => self.ends(edit, refused(failure)).await,
            // A queue may not know at once what it has just taken.
            Ok(State::Gone) if age < SETTLED => Ok(Turn::Again(now.plus(pause(age)))),
            Ok(State::Gone) => self.ends(edit, phrase(&ProviderError::Gone)).await,
            _ if age > TOO_LONG => self.ends(edit, "the provider took too long").await,
            Ok(state) => {
                self.gets_on(edit, state).await?;
                Ok(Turn::Again(now.plus(pause(age))))
            }
            Err(ProviderError::Unauthorised) => self.ends(edit, phrase(&ProviderError::Unauthorised)).await,
            Err(_) => Ok(Turn::Again(now.plus(NEXT_TRY))),
        }
    }

    pub(super) async fn still_willing(&self, edit: &Edit) -> Result<(), Error> {
        let policy = self.vault.policy(edit.tenant())?;
        let mut tx = self.db.read().await?;
        self.willing(&mut tx, &edit.owner, &policy).await
    }

    /// Tells whoever watches how far it is.
    async fn gets_on(&self, edit: &Edit, state: State) -> Result<(), Error> {
        let progress = if matches!(state, State::Running) { 60 } else { 20 };
        if edit.progress >= progress {
            return Ok(());
        }
        let edit = Edit { progress, ..edit.clone() };
        let mut tx = self.db.begin().await?;
        if crate::editing::sql::update(&mut tx, &edit).await? {
            tx.commit().await?;
            self.progress.tell(&edit);
        }
        Ok(())
    }

    /// Fetches the result at once, since it cannot be had for long; looks at it as at any stranger's file; and gives it
    /// to its owner.
    async fn fetch(
        &self,
        edit: &Edit,
        errand: &Errand,
        note: Note,
        provider: &Provider,
    ) -> Result<Turn, Error> {
        let Note { intent, handle } = note;
        let Some(mut handle) = handle else { return Ok(Turn::Done) };
        let age = self.clock.now().since(errand.made_at);
        let asked = usize::try_from(edit.images).unwrap_or(1).max(1);
        // Held until the pictures are sealed, for so long they are in memory; so only some are at a time.
        let turn = self.fetches.acquire().await.map_err(|_| crate::store::Error::Unavailable)?;
        let fetched = provider.result(&mut handle, asked, &CallLog::new()).await;
        // Where the results lie is kept whatever came of it: they must be seen to go.
        self.keep(errand, &Note { intent, handle: Some(handle) }).await?;
        let output = match fetched {
            // Some of them may be had in a moment; those that are there are not let go for it.
            Ok(Output { missing: Some(e), .. }) if e.is_passing() && age < WHOLE => {
                return Ok(Turn::Again(self.clock.now().plus(NEXT_TRY)));
            }
            Ok(output) => output,
            Err(ProviderError::Refused(failure)) => return self.ends(edit, refused(failure)).await,
            Err(e @ (ProviderError::Gone | ProviderError::Garbled(_) | ProviderError::Unauthorised)) => {
                return self.ends(edit, phrase(&e)).await;
            }
            Err(_) if age > TOO_LONG => return self.ends(edit, "the provider took too long").await,
            Err(_) => return Ok(Turn::Again(self.clock.now().plus(NEXT_TRY))),
        };
        match self.usable(edit, output).await? {
            Ok(made) => self.succeed(edit, made).await?,
            Err(why) => return self.ends(edit, why).await,
        }
        drop(turn);
        self.clear_up_after(edit).await;
        Ok(Turn::Done)
    }

    /// Those of the pictures that can be given to their owner: as many as were paid for at most, none that the provider
    /// itself marked as against its rules, each made anew. The inner error says why there is none.
    async fn usable(&self, edit: &Edit, output: Output) -> Result<Result<Vec<Made>, &'static str>, Error> {
        let asked = usize::try_from(edit.images).unwrap_or(1).max(1);
        let mut made = Vec::new();
        let mut why = phrase(&ProviderError::Garbled("result"));
        for picture in output.pictures {
            if made.len() == asked {
                break;
            }
            if picture.flagged {
                why = refused(Failure::ContentPolicy);
                continue;
            }
            match self.made_of(picture.bytes).await {
                Ok(one) => made.push(one),
                Err(Error::Picture(_) | Error::BadValue(_)) => {
                    why = "what the provider sent is not a picture we can use";
                }
                Err(e) => return Err(e),
            }
        }
        Ok(if made.is_empty() { Err(why) } else { Ok(made) })
    }

    /// Has what is left at the provider erased at once, if it can be; the reconciler goes on with what cannot.
    pub(in crate::editing) async fn clear_up_after(&self, edit: &Edit) {
        if let Err(e) = self.clear_copies_of(edit).await {
            tracing::warn!(provider = edit.provider, error = %e, "a copy at a provider waits for the reconciler");
        }
    }
}

/// How long to wait before asking again: most edits take some seconds.
fn pause(age: TimeDelta) -> TimeDelta {
    match age.num_seconds() {
        // As often as the providers' own clients ask.
        ..20 => TimeDelta::milliseconds(500),
        20..60 => TimeDelta::seconds(1),
        _ => TimeDelta::seconds(5),
    }
}
