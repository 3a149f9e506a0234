//! One edit's way to a provider and back.
//!
//! Promises: it is written down before anything is sent; a lost answer is looked for and never answered by a second
//! submit; consent and restriction are looked up in the transaction that lets the data go, and again each time the errand
//! is looked after; an errand ends only when it was seen that nothing of it is left at the provider; one that a provider has no time for is
//! written down once, however often it is put. Must never: give a
//! provider anything that says whose the picture is.

mod clear;
mod delay;
mod follow;
mod hook;
mod link;
mod redraw;
mod send;
mod sql;

pub use link::Fetched;
pub use redraw::redraw;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Edit, Editing, Error, ProviderChoice};
use crate::base::{EditId, ErrandId, TenantId, Timestamp};
use crate::crypto::Place;
use crate::egress::CallLog;
use crate::providers::{Handle, Intent, Known, Provider, ProviderError, Reconciled};
use crate::store::Tx;
use crate::vault::Owner;

/// The service's key under which notes are sealed.
const KEY: &str = "errands";
/// The time for which a tenant's allowance counts.
const DAY: TimeDelta = TimeDelta::hours(24);
/// How far from an errand others may lie whose jobs could be listed beside its own.
const AROUND: TimeDelta = TimeDelta::minutes(30);

/// How an errand stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrandState {
    /// Written down. Whether the provider has it is not known.
    Intended,
    /// The provider has it.
    Taken,
    /// Its edit is over; what is left at the provider must go.
    Leaving,
    /// Nothing of it is left there.
    Gone,
}

impl ErrandState {
    pub(super) const ALL: [Self; 4] = [Self::Intended, Self::Taken, Self::Leaving, Self::Gone];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Taken => "taken",
            Self::Leaving => "leaving",
            Self::Gone => "gone",
        }
    }
}

/// What must be known to follow a job, fetch its result and have it erased. Sealed: its links show the pictures.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) intent: Intent,
    pub(super) handle: Option<Handle>,
}

/// An errand.
#[derive(Debug, Clone)]
pub(super) struct Errand {
    pub(super) id: ErrandId,
    pub(super) tenant: TenantId,
    /// None once the person is being erased: the errand then still has to end.
    pub(super) edit: Option<EditId>,
    pub(super) provider: ProviderChoice,
    pub(super) state: ErrandState,
    /// SHA-256 of what stands at the end of the address of its webhook.
    pub(super) hook: Vec<u8>,
    /// The note, sealed; none when it is gone.
    pub(super) sealed: Option<Vec<u8>>,
    /// SHA-256 of what stands at the end of the address of its pictures; none when they were sent along.
    pub(super) link: Option<Vec<u8>>,
    /// Its row in the register.
    pub(super) disclosure: Option<String>,
    pub(super) made_at: Timestamp,
    /// When the reconciler looks after it.
    pub(super) next_at: Option<Timestamp>,
    pub(super) tries: i64,
    /// When its provider had no time for it: it was not taken, and may be put again.
    pub(super) refused_at: Option<Timestamp>,
}

/// What comes of looking after an edit once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It is over.
    Done,
    /// To be looked after again, not before this.
    Again(Timestamp),
}

fn place(id: ErrandId, tenant: &TenantId) -> Place {
    Place::new("errand").with(id.as_bytes()).with(tenant.as_str())
}

impl Editing {
    async fn seal_note(&self, id: ErrandId, tenant: &TenantId, note: &Note) -> Result<Vec<u8>, Error> {
        Ok(self.keys.seal_note(KEY, &place(id, tenant), note).await?)
    }

    async fn open_note(&self, errand: &Errand) -> Result<Note, Error> {
        let sealed = errand.sealed.as_ref().ok_or(Error::NotFound)?;
        Ok(self.keys.open_note(KEY, &place(errand.id, &errand.tenant), sealed).await?)
    }

    /// Writes down that the provider has it, and under which name.
    async fn keep(&self, errand: &Errand, note: &Note) -> Result<(), Error> {
        let sealed = self.seal_note(errand.id, &errand.tenant, note).await?;
        let mut tx = self.db.begin().await?;
        let job = note.handle.as_ref().map(|handle| Known::hash(&handle.id));
        sql::keep(&mut tx, errand, (&sealed, job.as_ref().map(<[u8; 32]>::as_slice))).await?;
        Ok(tx.commit().await?)
    }

    /// Looks for a job at its provider, past those of other errands of about the same time.
    async fn find(
        &self,
        errand: &Errand,
        intent: &Intent,
        provider: &Provider,
    ) -> Result<Result<Reconciled, ProviderError>, Error> {
        let about = (errand.made_at.plus(-AROUND), errand.made_at.plus(AROUND));
        let (hashes, others_look) = {
            let mut tx = self.db.read().await?;
            let hashes = sql::known(&mut tx, errand.provider, about).await?;
            (hashes, sql::others_look(&mut tx, errand, about).await?)
        };
        let known: Known = hashes.into_iter().filter_map(|hash| hash.try_into().ok()).collect();
        let known = known.while_others_look(others_look);
        Ok(provider.reconcile(intent, &known, &CallLog::new()).await)
    }

    /// Looks after an edit that somebody else does: the next step, whatever it is. Again is harmless.
    pub(super) async fn outside_turn(&self, edit: &Edit) -> Result<Turn, Error> {
        let errand = {
            let mut tx = self.db.read().await?;
            sql::open_of(&mut tx, edit.tenant(), edit.id).await?
        };
        match errand {
            None => self.set_out(edit, None).await,
            Some(errand) if errand.refused_at.is_some() => self.set_out(edit, Some(errand)).await,
            Some(errand) if errand.state == ErrandState::Intended => self.look_for(edit, errand).await,
            Some(errand) if errand.state == ErrandState::Taken => self.follow(edit, errand).await,
            Some(_) => Ok(Turn::Done),
        }
    }

    /// What an edit that is over leaves at a provider must go from now on. In the transaction that ends the edit.
    pub(super) async fn recall(&self, tx: &mut Tx, edit: &Edit, now: Timestamp) -> Result<(), Error> {
        Ok(sql::recall(tx, edit.tenant(), edit.id, now).await?)
    }

    /// Sends all errands of a person on their way out: part of erasing them.
    pub(super) async fn recall_all(&self, tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
        Ok(sql::part(tx, owner, self.clock.now()).await?)
    }

    /// Whether so many more edits of a tenant may go to a provider today, those that wait counted. Others that ask at the
    /// same moment are counted one after another.
    pub(super) async fn has_allowance(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        (choice, more): (ProviderChoice, usize),
    ) -> Result<(), Error> {
        let Some(most) = self.outside.a_day.filter(|_| choice != ProviderChoice::Studio) else {
            return Ok(());
        };
        tx.take_turn(&format!("allowance/{tenant}/{}", choice.as_str())).await?;
        let sent = sql::sent_since(tx, tenant, choice, self.clock.now().plus(-DAY)).await?;
        let waiting = super::sql::waiting(tx, tenant, choice).await?;
        let more = i64::try_from(more).unwrap_or(i64::MAX);
        if sent.saturating_add(waiting).saturating_add(more) > most {
            return Err(crate::billing::Error::UsedUp.into());
        }
        Ok(())
    }

    /// How many errands of a person have not ended: as long as there is one, a provider may have something of theirs.
    pub async fn copies_of(&self, owner: &Owner) -> Result<i64, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::of(&mut tx, owner).await?)
    }

    /// Forgets whose errands were, once all of them have ended: part of erasing a person.
    pub async fn forget_errands(&self, tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
        Ok(sql::forget(tx, owner).await?)
    }
}
