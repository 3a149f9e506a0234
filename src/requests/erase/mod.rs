//! Erasing a person: a fence, a list, one write that makes everything unreadable, the clearing away, a second look by
//! another way, and only then the word "erased".
//!
//! What a law makes us keep is parted from the person first: reduced, and moved into a holder's name under keys of its
//! own (see the vault). The erasure is then one in part, and says what stays, by which law and until when.
//!
//! Each step is its own, written down before the next begins, and harmless when it is done again: a process that dies
//! between two leaves a row that says where to go on.

mod again;
pub(super) mod last;
mod look;
mod steps;

pub use again::ErasedAgain;
pub use last::LastLetter;

use super::model::words;
use super::{Error, Request, Requests, State, sql};
use crate::base::{EntryId, ReceiptId, RequestId, SubjectId, TenantId, Timestamp};
use crate::ledger::{Entry, EntryKind};
use crate::policy::Role;
use crate::speech::key;
use crate::vault::{Actor, KeptRecords, Owner, Vault};

/// Why somebody is not erased while a legal hold concerns them.
const HELD: &str = key("a legal hold keeps these data; they are erased when it is lifted");

words!(
    /// Where an erasure stands.
    ErasureState {
        /// Nothing of the person is read or written any more.
        Fenced = "fenced",
        /// What must be gone at the end is listed.
        Listed = "listed",
        /// Their key is destroyed: nothing opens any more.
        Destroyed = "destroyed",
        /// Rows and bytes are cleared away; not looked at again yet.
        Cleared = "cleared",
        /// A second look found something. Never called done: cleared and looked at again until nothing is found.
        Failed = "failed",
        /// A second look found nothing, and the ledger says so.
        Verified = "verified",
        /// The last thing that led to the person is gone.
        Closed = "closed",
    }
);

/// An erasure: ids, counts and a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Its id.
    pub id: String,
    /// The tenant.
    pub tenant: TenantId,
    /// Who; nobody once it is closed.
    pub subject: Option<SubjectId>,
    /// The request it answers, if one does.
    pub request: Option<RequestId>,
    /// Who asked for it.
    pub actor: Role,
    /// Where it stands.
    pub state: ErasureState,
    /// The blobs that must be gone.
    pub manifest: Vec<String>,
    /// Pictures that were there.
    pub images: i64,
    /// Records that were there.
    pub records: i64,
    /// The fingerprint of the destroyed key.
    pub key: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When the key was destroyed.
    pub destroyed_at: Option<Timestamp>,
    /// When the second look found nothing.
    pub verified_at: Option<Timestamp>,
    /// Each place looked through and what was found there, a line each: `session=0`.
    pub findings: Option<String>,
    /// Its receipt.
    pub receipt: Option<ReceiptId>,
    /// How often its present step failed.
    pub tries: i64,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
    /// In whose name the law keeps what stays; nobody's once it is closed.
    pub holder: Option<SubjectId>,
    /// What a law makes us keep, if anything.
    pub stays: Option<StaysByLaw>,
    /// Copies at providers that had not been seen to be gone when it was verified: they are looked for until they are.
    pub open_copies: i64,
}

/// What stays of somebody who was erased, told to them and in no way about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaysByLaw {
    /// How many records.
    pub records: i64,
    /// What they are, in words: `Payments and invoices`.
    pub what: String,
    /// The law, as people cite it.
    pub law: String,
    /// When the last of them goes.
    pub until: Timestamp,
}

impl StaysByLaw {
    fn of(kept: &[KeptRecords]) -> Option<Self> {
        let until = kept.iter().map(|k| k.until).max()?;
        let names = |of: fn(&KeptRecords) -> &str| {
            let mut names: Vec<&str> = kept.iter().map(of).filter(|n| !n.is_empty()).collect();
            names.dedup();
            names.join("; ")
        };
        Some(Self {
            records: kept.iter().map(|k| k.records).sum(),
            what: names(|k| &k.title),
            law: names(|k| &k.law),
            until,
        })
    }
}

impl Erasure {
    /// Each place that the second look went through, and how much was found there.
    pub fn looked_through(&self) -> Vec<(&str, i64)> {
        let lines = self.findings.as_deref().unwrap_or_default().lines();
        lines.filter_map(|line| line.split_once('=').and_then(|(p, n)| Some((p, n.parse().ok()?)))).collect()
    }
}

impl Requests {
    /// Erases a person without a request of theirs: for accounts that a rule of the document ends. What is left of it
    /// when this fails is taken up by [`Requests::tick`]. `None`, and nothing done, while a legal hold keeps their data.
    pub async fn erase(&self, owner: &Owner, by: Role) -> Result<Option<Erasure>, Error> {
        if self.keeps(owner).await?.is_some() {
            return Ok(None);
        }
        let begun = self.begun(owner, (None, None), by).await?;
        self.go_on(begun).await.map(Some)
    }

    /// As [`Requests::erase`], of somebody who has not been here since `last_active`: `None`, and nothing done, as well
    /// when they came back.
    pub async fn erase_unused(
        &self,
        owner: &Owner,
        last_active: Timestamp,
        by: Role,
    ) -> Result<Option<Erasure>, Error> {
        if self.keeps(owner).await?.is_some() {
            return Ok(None);
        }
        match self.begun(owner, (None, Some(last_active)), by).await {
            Ok(begun) => self.go_on(begun).await.map(Some),
            Err(Error::NotFound) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// A tenant's erasures, newest first.
    pub async fn erasures(&self, tenant: &TenantId, most: i64) -> Result<Vec<Erasure>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::erasure::list(&mut tx, tenant, most).await?)
    }

    /// The erasure that answers a request, once it has begun.
    pub async fn erasure_that_answers(
        &self,
        tenant: &TenantId,
        request: RequestId,
    ) -> Result<Option<Erasure>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::erasure::of_request(&mut tx, tenant, request).await?)
    }

    /// Does the next single step of an erasure, as staff may when one is stuck. Gives how it then stands.
    pub async fn erasure_step(&self, tenant: &TenantId, id: &str) -> Result<Erasure, Error> {
        let erasure = {
            let mut tx = self.db.read().await?;
            sql::erasure::get(&mut tx, tenant, id).await?.ok_or(Error::NotFound)?
        };
        self.step(erasure).await
    }

    /// Puts a person behind the fence and does nothing more yet: the first step of an erasure.
    pub async fn erasure_begin(&self, owner: &Owner, request: Option<RequestId>) -> Result<Erasure, Error> {
        self.begun(owner, (request, None), Role::Subject).await
    }

    pub(super) async fn erase_as_filed(&self, owner: &Owner, request: &Request) -> Result<Request, Error> {
        let begun = self.begun(owner, (Some(request.id), None), Role::Subject).await?;
        self.go_on(begun).await?;
        self.find(&request.tenant, request.id).await
    }

    /// The request of an erasure whose person is no longer named in it.
    pub(super) async fn erasure_of(&self, request: &Request) -> Result<Request, Error> {
        let open = {
            let mut tx = self.db.read().await?;
            sql::erasure::of_request(&mut tx, &request.tenant, request.id).await?
        };
        if let Some(erasure) = open {
            self.go_on(erasure).await?;
        }
        self.find(&request.tenant, request.id).await
    }

    /// The erasure of a person that is under way, or begins now; `unused`: only if they have not been here since.
    async fn begun(
        &self,
        owner: &Owner,
        (request, unused): (Option<RequestId>, Option<Timestamp>),
        by: Role,
    ) -> Result<Erasure, Error> {
        let open = {
            let mut tx = self.db.read().await?;
            sql::erasure::of(&mut tx, owner).await?
        };
        match open {
            Some(open) => Ok(open),
            None => self.fence(owner, (request, unused), by).await,
        }
    }

    /// What cannot go yet is kept and used for nothing (Art. 18(1)(c) GDPR).
    async fn may_go(&self, owner: &Owner) -> Result<(), Error> {
        let Some(why) = self.keeps(owner).await? else { return Ok(()) };
        if self.subjects.get(owner).await?.restricted_at.is_none() {
            self.subjects.restrict(owner, true, &Actor::Service).await?;
        }
        Err(Error::Invalid(why))
    }

    async fn fence(
        &self,
        owner: &Owner,
        (request, unused): (Option<RequestId>, Option<Timestamp>),
        by: Role,
    ) -> Result<Erasure, Error> {
        self.may_go(owner).await?;
        // The books must be whole before their owner goes; then nothing has to stay elsewhere for their sake.
        self.elsewhere.complete_books(owner).await?;
        let tasks = self.elsewhere.to_be_erased(owner).await?;
        let now = self.clock.now();
        let erasure = Erasure {
            id: EntryId::new(&self.clock, &self.entropy).to_string(),
            tenant: owner.tenant.clone(),
            subject: Some(owner.subject),
            request,
            actor: by,
            state: ErasureState::Fenced,
            manifest: Vec::new(),
            images: 0,
            records: 0,
            key: None,
            started_at: now,
            destroyed_at: None,
            verified_at: None,
            findings: None,
            receipt: None,
            tries: 0,
            next_at: Some(now),
            holder: None,
            stays: None,
            open_copies: 0,
        };
        let mut entry = Entry::new(EntryKind::ERASURE_REQUESTED, now, &owner.tenant, by.as_str())
            .about(self.vault.subject_ref(owner).await?)
            .fact("key", self.vault.fingerprint(owner).await?.to_string());
        if let Some(request) = request {
            entry = entry.fact("request", request.to_string());
        }
        let last = match request {
            Some(request) => self.last_words(owner, &erasure.id, request).await,
            None => None,
        };
        let mut tx = self.db.begin().await?;
        // A hold is seen here, or comes too late and is refused.
        Vault::letting_go(&mut tx, &owner.tenant).await?;
        if sql::forget::live_holds(&mut tx, owner).await? > 0 {
            return Err(Error::Invalid(HELD));
        }
        let fenced = match unused {
            Some(since) => sql::forget::fence_unused(&mut tx, owner, since).await?,
            None => sql::forget::fence(&mut tx, owner).await?,
        };
        if !fenced {
            return Err(Error::NotFound);
        }
        self.subjects.end_sessions(&mut tx, owner).await?;
        sql::erasure::insert(&mut tx, &erasure).await?;
        if let Some(sealed) = last {
            sql::last::insert(&mut tx, (&owner.tenant, &erasure.id), &sealed, now).await?;
        }
        self.elsewhere.ask_erasure(&mut tx, owner, (&erasure.id, request), tasks).await?;
        let entry = self.ledger.append(&mut tx, entry).await?.id;
        if let Some(request) = request {
            let request = sql::request::get(&mut tx, &owner.tenant, request).await?.ok_or(Error::NotFound)?;
            // Without a hurry of its own: the erasure's row is what is taken up again.
            let request = match request.state {
                State::Working => Request { next_at: None, ..request },
                _ => Request { next_at: None, ..request.start(now)? },
            };
            let request = self.save(&mut tx, request).await?;
            self.note(&mut tx, &request, ("service", "erasing"), None, Some(entry)).await?;
        }
        tx.commit().await?;
        Ok(erasure)
    }

    /// Why a person cannot be erased now, if something stands against it.
    async fn keeps(&self, owner: &Owner) -> Result<Option<&'static str>, Error> {
        if self.held(owner).await? {
            return Ok(Some(HELD));
        }
        Ok(None)
    }

    /// Takes an erasure as far as it can go. [`Error::Invalid`] when a second look found something.
    pub(super) async fn go_on(&self, mut erasure: Erasure) -> Result<Erasure, Error> {
        while erasure.state != ErasureState::Closed {
            erasure = self.step(erasure).await?;
            if erasure.state == ErasureState::Cleared && erasure.next_at > Some(self.clock.now()) {
                // Somebody else has not let go yet. The next tick looks again.
                return Ok(erasure);
            }
            if erasure.state == ErasureState::Failed {
                return Err(Error::Invalid(key(
                    "something was still found after the erasure; it is not called done",
                )));
            }
        }
        Ok(erasure)
    }
}
