//! Doing what was asked, and closing it with proof.

use serde_json::Value;

use super::model::UNDONE;
use super::receipts::IssuedKind;
use super::{Below, Error, Lapsed, Request, Requests, State, owner_of, sql};
use crate::base::{EntryId, Kind, ReceiptId};
use crate::elsewhere;
use crate::ledger::EntryKind;
use crate::policy::{Fact, OnWithdrawal, Right, Role};
use crate::speech::key;
use crate::store::Tx;
use crate::vault::{Actor, Owner};

/// The purpose for which requests are worked on.
pub const PURPOSE: &str = "rights";

impl Requests {
    /// Takes a request as far as it can go now. A step that fails is written into the request with its cause and the
    /// time of the next try; only a database that cannot even take that makes this an error.
    pub(super) async fn carry_out(&self, request: Request) -> Result<Request, Error> {
        let request = match request.state {
            State::Grace if request.grace_until.is_some_and(|t| t <= self.clock.now()) => {
                // An address that was changed since it was set: looked at again here, whichever way it came.
                if let Some(waits) = self.held_back(&request).await? {
                    return Ok(waits);
                }
                let mut tx = self.db.begin().await?;
                let saved = self.save(&mut tx, request.start(self.clock.now())?).await?;
                self.note(&mut tx, &saved, ("service", "started"), None, None).await?;
                tx.commit().await?;
                saved
            }
            // Without a next step of ours it waits for staff.
            State::Working if request.next_at.is_some() => match self.held_back(&request).await? {
                Some(waits) => return Ok(waits),
                None => request,
            },
            _ => return Ok(request),
        };
        // Boxed: an erasure is a long way, and every caller would carry it.
        match Box::pin(self.work(&request)).await {
            Ok(done) => Ok(done),
            Err(Error::Raced) => self.find(&request.tenant, request.id).await,
            Err(why) => self.stuck(&request, &why).await,
        }
    }

    async fn work(&self, request: &Request) -> Result<Request, Error> {
        let owner = match owner_of(request) {
            Ok(owner) => owner,
            // The person is erased already, all but the last lines of it.
            Err(_) if request.right == Right::Erasure => return self.erasure_of(request).await,
            Err(e) => return Err(e),
        };
        match request.right {
            Right::Access | Right::Portability => self.prepare(&owner, request).await,
            Right::Rectification => self.rectify_as_filed(&owner, request).await,
            Right::Restriction => self.restrict(&owner, request).await,
            Right::Objection | Right::Withdrawal => self.stop_purpose(&owner, request).await,
            Right::Erasure => self.erase_as_filed(&owner, request).await,
        }
    }

    /// Writes down why a step failed, from the request as it now stands.
    pub(super) async fn stuck(&self, request: &Request, why: &Error) -> Result<Request, Error> {
        let phrase = phrase(why);
        tracing::warn!(request = %request.id, right = %request.right, cause = phrase, "a request is stuck");
        let mut tx = self.db.begin().await?;
        let now = sql::request::get(&mut tx, &request.tenant, request.id).await?.ok_or(Error::NotFound)?;
        if !now.state.is_open() {
            return Ok(now);
        }
        let fresh = now.problem.as_deref() != Some(phrase);
        let saved = self.save(&mut tx, now.stuck(phrase, self.clock.now())).await?;
        if fresh {
            self.note(&mut tx, &saved, ("service", "problem"), Some(phrase), None).await?;
        }
        tx.commit().await?;
        Ok(saved)
    }

    async fn restrict(&self, owner: &Owner, request: &Request) -> Result<Request, Error> {
        let on = request.about.as_deref() != Some("off");
        self.subjects.restrict(owner, on, &Actor::Subject(owner.subject)).await?;
        let answered = request.clone().answer(State::Fulfilled, "fulfilled", self.clock.now())?;
        self.shut(owner, answered, &Actor::Service, Some((IssuedKind::Request, None))).await
    }

    /// Objection and withdrawal: the purpose is off from this second, and what was held for it alone goes when the
    /// document says so.
    async fn stop_purpose(&self, owner: &Owner, request: &Request) -> Result<Request, Error> {
        let purpose = request.about.as_deref().ok_or(Error::NotFound)?;
        let entry = self.consents.set(owner, purpose, false, "request").await?;
        let policy = self.vault.policy(&owner.tenant)?;
        if policy.purpose(purpose).is_some_and(|p| p.on_withdrawal == OnWithdrawal::Erase)
            && !self.held(owner).await?
        {
            let alone = policy.categories().filter(|c| c.purposes.iter().all(|p| p == purpose));
            for category in alone.filter(|c| !c.purposes.is_empty()) {
                self.vault.erase_category(owner, &category.id, Role::Service).await?;
            }
        }
        let answered = request.clone().answer(State::Fulfilled, "fulfilled", self.clock.now())?;
        self.shut(owner, answered, &Actor::Service, Some((IssuedKind::Consent, Some(entry)))).await
    }

    /// Ends a request that was answered or taken back: ledger entry, receipt, the clock of its own records, history, in
    /// one transaction. `receipt`: its kind, and the entry it proves if that is not the closing itself.
    pub(super) async fn shut(
        &self,
        owner: &Owner,
        request: Request,
        by: &Actor,
        receipt: Option<(IssuedKind, Option<EntryId>)>,
    ) -> Result<Request, Error> {
        let mut tx = self.db.begin().await?;
        let saved = self.shut_in(&mut tx, owner, request, by, receipt).await?;
        tx.commit().await?;
        Ok(saved)
    }

    /// The same, in the caller's transaction. The link that a correction waits for opens nothing from here on.
    pub(super) async fn shut_in(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        request: Request,
        by: &Actor,
        receipt: Option<(IssuedKind, Option<EntryId>)>,
    ) -> Result<Request, Error> {
        let now = self.clock.now();
        let purge_at = self.purge_at(&owner.tenant, request.received_at)?;
        let answered = request.state.is_answer().then_some(request.state);
        let mut closed = if request.state.is_over() { request } else { request.close(now, purge_at)? };
        // What recipients handed over for an archive, and what was taken down for it, goes when it can no longer be had:
        // at once, where there is none.
        let gathers = matches!(closed.right, Right::Access | Right::Portability);
        closed.next_at = gathers.then(|| closed.archive.map_or(now, |a| a.until.max(now)));
        let ends = match &closed {
            closed if closed.was_undone() => UNDONE,
            closed => closed.lapsed().map_or(closed.state.as_str(), Lapsed::as_str),
        };
        let role = by.role().as_str();
        let outcome = closed.outcome.clone().unwrap_or_else(|| "closed".to_owned());
        let entry = self.entry(EntryKind::REQUEST_CLOSED, owner, role, &closed).await?;
        let known = sql::request::get(tx, &owner.tenant, closed.id).await?.ok_or(Error::NotFound)?;
        let entry = self.ledger.append(tx, entry.fact("outcome", outcome)).await?.id;
        if let Some((kind, proves)) = receipt {
            closed.receipt = Some(self.issue(tx, owner, kind, proves.unwrap_or(entry)).await?);
        }
        let parent = closed.id.to_string();
        self.vault.happened(tx, owner, &parent, &[(Fact::RequestClosed, now)]).await?;
        if closed.right == Right::Rectification {
            self.subjects.stop_asking(tx, owner, closed.id).await?;
        }
        let saved = self.save(tx, closed).await?;
        // Answered now, and not before: an archive is told of when it is ready, not when it was fetched.
        if let Some(state) = answered.filter(|_| known.answered_at.is_none()) {
            self.note(tx, &saved, (role, state.as_str()), None, None).await?;
            self.webhooks.request_answered(tx, owner, saved.id).await?;
        }
        self.note(tx, &saved, (role, ends), None, Some(entry)).await?;
        Ok(saved)
    }

    /// A receipt row for an entry, whose owner can find it until they are erased.
    pub(super) async fn issue(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        kind: IssuedKind,
        entry: EntryId,
    ) -> Result<ReceiptId, Error> {
        let receipt = self.fresh_receipt(&owner.tenant, kind, entry);
        sql::receipt::insert(tx, &receipt, Some(owner)).await?;
        Ok(receipt.id)
    }

    /// Whether a legal hold concerns a person.
    pub(super) async fn held(&self, owner: &Owner) -> Result<bool, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::forget::live_holds(&mut tx, owner).await? > 0)
    }
}

/// Why a step failed, in words that hold nothing of the person.
fn phrase(why: &Error) -> &'static str {
    match why {
        Error::Invalid(text) => text,
        Error::Subjects(crate::subjects::Error::AddressHeld(_)) => {
            key("the address was changed not long ago, and stays for now")
        }
        Error::Subjects(crate::subjects::Error::TooMany) => key("too many letters went about a new address"),
        Error::Subjects(crate::subjects::Error::BadEmail(_)) => key("the new address is not one we can use"),
        Error::Subjects(crate::subjects::Error::BadName { .. }) => key("a new name is not one we can use"),
        Error::Below(Below::Elsewhere(elsewhere::Error::Recipient("stripe", _))) => {
            key("Stripe has not given what it holds yet")
        }
        Error::Below(Below::Elsewhere(elsewhere::Error::Recipient("supabase", _))) => {
            key("Supabase has not given what it holds yet")
        }
        other => match other.kind() {
            Kind::Unavailable => key("something it needs cannot be reached"),
            Kind::Full => key("there is no room to write"),
            Kind::Upstream => key("a recipient did not answer as it should"),
            Kind::Forbidden => key("the policy does not allow a step it needs"),
            Kind::NotFound => key("something it needs is no longer there"),
            _ => key("a fault of ours"),
        },
    }
}

/// A JSON object as it goes into a record; anything else under `value`.
pub(super) fn object(value: Value) -> serde_json::Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => std::iter::once(("value".to_owned(), other)).collect(),
    }
}
