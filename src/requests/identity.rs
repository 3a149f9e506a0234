//! Who asks: shown, or not in time; and what an erasure waits for, so that whoever got at a session or at an agent cannot
//! have somebody erased before that person hears of it.

use chrono::TimeDelta;

use super::filing::NOT_OFFERED;
use super::{Due, Error, Lapsed, Request, Requests, State, owner_of, sql};
use crate::base::{RequestId, Timestamp};
use crate::policy::{Policy, Right};
use crate::vault::{Actor, Owner};

/// How long it may take to show who asks.
pub const TO_SHOW: TimeDelta = TimeDelta::days(30);
/// An erasure with a time of grace is done so long before the promised time ends.
const MARGIN: TimeDelta = TimeDelta::hours(1);

/// The clocks of an answer to what reached us at `at`.
pub(super) fn clocks(policy: &Policy, right: Right, at: Timestamp) -> Result<Due, Error> {
    let clocks = policy.clocks(right, at, &[]).ok_or(NOT_OFFERED)?;
    let promise = clocks.promise;
    Ok(clocks.legal.map_or(Due { promise, internal: promise, legal: promise, extended: promise }, |law| {
        Due { promise, internal: law.internal, legal: law.due, extended: law.extended }
    }))
}

impl Requests {
    /// Until when an erasure that its person asks for now can be taken back: for the whole time of grace, or for what the
    /// promise leaves of it. `held` is until when nothing is erased since their address is new.
    pub fn could_be_taken_back(&self, policy: &Policy, held: Option<Timestamp>) -> Result<Timestamp, Error> {
        let now = self.clock.now();
        let promise = clocks(policy, Right::Erasure, now)?.promise;
        let until = now.plus(self.settings.grace).min(promise.plus(-MARGIN)).max(now);
        Ok(held.map_or(until, |end| end.max(until)))
    }

    /// An erasure that its person asked for is set for later: the whole time of grace counts from now, when it is known
    /// that they ask, and with it the promise. `held` is until when nothing is erased since their address is new.
    pub(super) fn set_for_later(
        &self,
        request: Request,
        policy: &Policy,
        held: Option<Timestamp>,
    ) -> Result<Request, Error> {
        let promise = clocks(policy, request.right, self.clock.now())?.promise;
        let until = self.could_be_taken_back(policy, None)?;
        let due = Due { promise, ..request.due };
        let request = Request { due, ..request };
        match held.filter(|end| *end > until) {
            Some(end) => Ok(put_off(request.cool_off(end)?, end)),
            None => Ok(request.cool_off(until)?),
        }
    }

    /// The person has shown that it is they who ask. [`Error::BadStep`] for a request that does not wait for that.
    pub async fn identity_shown(&self, owner: &Owner, id: RequestId) -> Result<Request, Error> {
        let request = self.get(owner, id).await?;
        let now = self.clock.now();
        let policy = self.vault.policy(&owner.tenant)?;
        let due = clocks(&policy, request.right, now)?;
        let proved = request.prove(now, due)?;
        let next = if proved.right == Right::Erasure {
            let held = self.subjects.address_held(owner).await?;
            self.set_for_later(proved, &policy, held)?
        } else {
            proved.start(now)?
        };
        let mut tx = self.db.begin().await?;
        let saved = self.save(&mut tx, next).await?;
        self.note(&mut tx, &saved, ("subject", "identity-shown"), None, None).await?;
        if saved.state == State::Grace {
            self.note(&mut tx, &saved, ("service", saved.state.as_str()), None, None).await?;
        }
        tx.commit().await?;
        self.carry_out(saved).await
    }

    /// A request of an agent that may ask no more, and of which nobody showed that it is theirs: it ends, and nothing was done.
    /// Again is harmless.
    pub async fn agent_removed(&self, owner: &Owner, id: RequestId) -> Result<(), Error> {
        let request = self.get(owner, id).await?;
        if request.state == State::IdentityPending {
            self.lapse(request, Lapsed::AgentRemoved).await?;
        }
        Ok(())
    }

    pub(super) async fn lapse(&self, request: Request, why: Lapsed) -> Result<Request, Error> {
        let owner = owner_of(&request)?;
        let purge_at = self.purge_at(&owner.tenant, request.received_at)?;
        let next = request.lapse(why, self.clock.now(), purge_at)?;
        self.shut(&owner, next, &Actor::Service, None).await
    }

    /// An erasure that could begin now and must not yet, since the person's address has been changed lately: put off until
    /// whoever had the old one has had time to act. `None` when nothing stands against it, or when it has begun.
    pub(super) async fn held_back(&self, request: &Request) -> Result<Option<Request>, Error> {
        let Some(owner) = owner_of(request).ok().filter(|_| request.right == Right::Erasure) else {
            return Ok(None);
        };
        let begun = {
            let mut tx = self.db.read().await?;
            sql::erasure::of(&mut tx, &owner).await?.is_some()
        };
        if begun {
            return Ok(None);
        }
        let Some(end) = self.subjects.address_held(&owner).await? else { return Ok(None) };
        let mut tx = self.db.begin().await?;
        let saved = self.save(&mut tx, put_off(request.clone(), end)).await?;
        self.note(&mut tx, &saved, ("service", "held"), None, None).await?;
        tx.commit().await?;
        Ok(Some(saved))
    }
}

/// An erasure that waits until `end`. What protects the person breaks no promise to them.
fn put_off(request: Request, end: Timestamp) -> Request {
    let due = Due { promise: request.due.promise.max(end.plus(MARGIN)), ..request.due };
    let grace_until = request.grace_until.map(|_| end);
    Request { due, grace_until, next_at: Some(end), ..request }
}
