//! Putting right what a person told us: what they filed is done once, a new address counts by its link, and whoever else
//! holds the old value is told.

use serde_json::json;

use super::filing::{CATEGORY, UNREADABLE};
use super::fulfil::PURPOSE;
use super::receipts::IssuedKind;
use super::{Error, Request, Requests, State};
use crate::base::Timestamp;
use crate::policy::{Facts, Right};
use crate::subjects::{AskedMove, Email, Profile};
use crate::vault::{Access, Actor, NewRecord, Owner, SealedRecord};

/// The record of what a correction changed.
const CORRECTION: &str = "correction";
/// The answers: all of it, all but an address whose link was not opened, all but one that another change took the place of.
const DONE: (State, &str) = (State::Fulfilled, "fulfilled");
const UNCONFIRMED: (State, &str) = (State::PartlyFulfilled, "address-not-confirmed");
const REPLACED: (State, &str) = (State::PartlyFulfilled, "address-replaced");

impl Requests {
    pub(super) async fn rectify_as_filed(&self, owner: &Owner, request: &Request) -> Result<Request, Error> {
        let actor = Actor::Subject(owner.subject);
        let detail = request.detail.ok_or(Error::NotFound)?;
        let filed = self.vault.record(owner, &Access { actor: &actor, purpose: PURPOSE }, detail).await?;
        // What was filed was answered in the first round; a later one is what people make of it.
        let Some(new) = filed.value.get("correction").filter(|_| request.round == 0).cloned() else {
            // One that a person of staff made of the words, and whose new address waits for its link.
            let asked = (request.id, request.reopened_at);
            return match self.subjects.address_asked(owner, asked, None).await? {
                Some((AskedMove::Waits(until), _)) => self.wait_for_address(request, until).await,
                Some((AskedMove::Done, _)) => self.corrected(owner, request, &Actor::Service, DONE).await,
                Some((AskedMove::Over | AskedMove::Ended, _)) | None => self.leave_to_staff(request).await,
            };
        };
        let new: Profile = serde_json::from_value(new).map_err(|_| UNREADABLE)?;
        self.rectify(owner, request, &actor, &new).await
    }

    /// A correction that only words describe: nothing is tried until somebody has read them.
    async fn leave_to_staff(&self, request: &Request) -> Result<Request, Error> {
        let mut tx = self.db.begin().await?;
        let waiting = Request { next_at: None, problem: None, ..request.clone() };
        let saved = self.save(&mut tx, waiting).await?;
        tx.commit().await?;
        Ok(saved)
    }

    /// Corrects what the person told us, and closes the request: old and new value stay sealed in it as its evidence.
    /// Staff call it with what the person wrote. [`Error::Subjects`] when a value is no name or address: the request then
    /// stays open. It also stays open until a new address was confirmed by the link that is sent to it.
    pub async fn rectify(
        &self,
        owner: &Owner,
        request: &Request,
        by: &Actor,
        new: &Profile,
    ) -> Result<Request, Error> {
        if request.state != State::Working || request.right != Right::Rectification {
            return Err(super::BadStep { from: request.state, to: State::Fulfilled }.into());
        }
        let access = Access { actor: by, purpose: PURPOSE };
        let old = self.subjects.profile(owner, &access).await?;
        let to: Email = new.email.parse()?;
        self.call_anew(owner, request, by, (&old, new)).await?;
        if old.email == to.expose() {
            return self.corrected(owner, request, by, DONE).await;
        }
        // A person of the staff who names another address, or asks once more, means it; a pass over what is due does not.
        let means_it = matches!(by, Actor::Staff(..));
        let asked = (request.id, request.reopened_at);
        let answer = match self.subjects.address_asked(owner, asked, Some(&to)).await? {
            Some((AskedMove::Waits(until), same)) if same || !means_it => {
                return self.wait_for_address(request, until).await;
            }
            Some((AskedMove::Done, _)) if !means_it => DONE,
            Some((AskedMove::Over, _)) if !means_it => UNCONFIRMED,
            Some((AskedMove::Ended, _)) if !means_it => REPLACED,
            _ => {
                let until = self.subjects.ask_address(owner, &to, Some(request.id)).await?;
                return self.wait_for_address(request, until).await;
            }
        };
        self.corrected(owner, request, by, answer).await
    }

    /// Corrects how the person is called, with the evidence of it and the word to whoever else holds the old value, in one
    /// transaction. What was filed is done once: a pass that finds its evidence writes over nothing that was corrected
    /// since.
    async fn call_anew(
        &self,
        owner: &Owner,
        request: &Request,
        by: &Actor,
        (old, new): (&Profile, &Profile),
    ) -> Result<(), Error> {
        let known = self.is_evident(owner, request, new).await?;
        let renamed = (&old.name, &old.username) != (&new.name, &new.username);
        let anew = renamed && matches!(by, Actor::Staff(..));
        if old == new || (known && !anew) {
            return Ok(());
        }
        let (mut correcting, mut tasks) = (None, Vec::new());
        if renamed {
            let called = (new.name.as_str(), new.username.as_str());
            correcting = Some(self.subjects.to_correct(owner, by, called, None).await?);
            tasks = self.elsewhere.to_be_corrected(owner, Some(request.id)).await?;
        }
        let sealed = self.evidence(owner, request, (old, new)).await?;
        let written = async {
            let mut tx = self.db.begin().await?;
            self.vault.insert(&mut tx, owner, &sealed).await?;
            if let Some(correcting) = &correcting {
                self.subjects.correct_in(&mut tx, owner, correcting).await?;
            }
            self.elsewhere.ask_correction(&mut tx, &tasks).await?;
            Ok::<_, Error>(tx.commit().await?)
        };
        if let Err(e) = written.await {
            self.vault.discard(owner, &sealed).await;
            return Err(e);
        }
        if let Some(correcting) = &correcting {
            self.subjects.corrected(owner, correcting).await?;
        }
        Ok(())
    }

    /// A correction is done: whoever holds the old value as well is told (Art. 19 GDPR), if nobody was, and it closes.
    async fn corrected(
        &self,
        owner: &Owner,
        request: &Request,
        by: &Actor,
        (with, outcome): (State, &str),
    ) -> Result<Request, Error> {
        let tasks = if self.elsewhere.of_request(&owner.tenant, request.id).await?.is_empty() {
            self.elsewhere.to_be_corrected(owner, Some(request.id)).await?
        } else {
            Vec::new()
        };
        let answered = request.clone().answer(with, outcome, self.clock.now())?;
        let mut tx = self.db.begin().await?;
        self.elsewhere.ask_correction(&mut tx, &tasks).await?;
        let shut = self.shut_in(&mut tx, owner, answered, by, Some((IssuedKind::Request, None))).await?;
        tx.commit().await?;
        Ok(shut)
    }

    /// A new address counts once the link in the letter to it was opened; the request is answered then, or when that is
    /// over.
    async fn wait_for_address(&self, request: &Request, until: Timestamp) -> Result<Request, Error> {
        let mut tx = self.db.begin().await?;
        let first = request.next_at != Some(until);
        let waiting = Request { next_at: Some(until), problem: None, ..request.clone() };
        let saved = self.save(&mut tx, waiting).await?;
        if first {
            self.note(&mut tx, &saved, ("service", "address-asked"), None, None).await?;
        }
        tx.commit().await?;
        Ok(saved)
    }

    /// Whether these values were corrected in this request before.
    async fn is_evident(&self, owner: &Owner, request: &Request, new: &Profile) -> Result<bool, Error> {
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let known = self.vault.records_of(owner, &access, &request.id.to_string()).await?;
        let wanted = serde_json::to_value(new).map_err(|_| UNREADABLE)?;
        Ok(known.iter().any(|r| r.name == CORRECTION && r.value.get("new") == Some(&wanted)))
    }

    async fn evidence(
        &self,
        owner: &Owner,
        request: &Request,
        (old, new): (&Profile, &Profile),
    ) -> Result<Vec<SealedRecord>, Error> {
        let value = |p: &Profile| serde_json::to_value(p).map_err(|_| UNREADABLE);
        let record = NewRecord {
            category: CATEGORY,
            name: CORRECTION,
            value: json!({ "old": value(old)?, "new": value(new)? }),
            parent: Some(request.id.to_string()),
            facts: Facts::new(),
        };
        Ok(self.vault.seal_records(owner, vec![record]).await?)
    }
}
