//! The last letter to somebody who asked to be erased: that it is done, and how they can check it. Their address is sealed
//! under a key of its own before the fence is up, leads to nobody from any other row, and goes when the letter went, the
//! key with it: a copy of the row from before then opens for nobody.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::super::fulfil::PURPOSE;
use super::super::{Error, Requests, sql};
use super::{Erasure, ErasureState};
use crate::base::{RequestId, Secret, TenantId};
use crate::crypto::Place;
use crate::speech::Tongue;
use crate::store::aside::{Unread, set_aside};
use crate::vault::{Access, Actor, Owner};

/// A letter that did not go is tried again after this.
const AGAIN: TimeDelta = TimeDelta::minutes(10);
/// And not at all any more after this: an address is not kept for longer, whatever became of the letter.
pub(in crate::requests) const AT_MOST: TimeDelta = TimeDelta::days(30);
/// Longer than it takes from the making of a key to the row that it is for.
const UNUSED: TimeDelta = TimeDelta::hours(1);

/// An erasure that is not finished by then is told of as it stands, and the address goes with that letter. Counting the thirty
/// days from the end instead would keep the address for as long as a recipient likes to hold an erasure up, and it is of no
/// other use; the page of the erasure tells its end to whoever kept the link.
const LATE: TimeDelta = TimeDelta::days(27);

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    to: String,
    of: String,
    tongue: String,
    reference: String,
    request: RequestId,
}

/// A last letter that is owed.
#[derive(Debug)]
pub struct LastLetter {
    /// The erasure it tells of.
    pub erasure: Erasure,
    /// Whether that is done and was looked at again.
    pub done: bool,
    /// The request that asked for it.
    pub request: RequestId,
    /// That one's number.
    pub reference: String,
    /// To which address.
    pub to: Secret<String>,
    /// Under which id an outbox keeps their letters, until it is cleared.
    pub of: String,
    /// In which language.
    pub tongue: Tongue,
}

fn place(tenant: &TenantId, erasure: &str) -> Place {
    Place::new("last-letter").with(tenant.as_str()).with(erasure)
}

/// Whose keys these are, in the keystore.
fn kind(tenant: &TenantId) -> String {
    format!("last-letter/{tenant}")
}

impl Requests {
    /// What the last letter needs, sealed, while it can still be read. `None` when it cannot: nobody stays unerased for want
    /// of a letter.
    pub(super) async fn last_words(
        &self,
        owner: &Owner,
        erasure: &str,
        request: RequestId,
    ) -> Option<Vec<u8>> {
        match self.seal_last(owner, erasure, request).await {
            Ok(sealed) => Some(sealed),
            Err(e) => {
                tracing::warn!(kind = ?e.kind(), "somebody will be erased without a letter");
                None
            }
        }
    }

    async fn seal_last(&self, owner: &Owner, erasure: &str, request: RequestId) -> Result<Vec<u8>, Error> {
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let kept = Kept {
            to: self.subjects.profile(owner, &access).await?.email,
            of: owner.subject.to_string(),
            tongue: self.subjects.get(owner).await?.tongue.tag().to_owned(),
            reference: self.find(&owner.tenant, request).await?.reference,
            request,
        };
        let place = place(&owner.tenant, erasure);
        Ok(self.keys.seal_once(&kind(&owner.tenant), erasure, &place, &kept).await?)
    }

    /// The last letters that are owed to people of a tenant: their erasure is done and was looked at again, or will not be
    /// before their address must go. One that cannot be read keeps no other.
    pub async fn last_letters(&self, tenant: &TenantId) -> Result<Vec<LastLetter>, Error> {
        let now = self.clock.now();
        let (tried, late) = (now.plus(-AGAIN), now.plus(-LATE));
        let mut tx = self.db.read().await?;
        let mut owed = Vec::new();
        for (id, sealed) in sql::last::owed(&mut tx, tenant, (tried, late)).await? {
            let Some(erasure) = sql::erasure::get(&mut tx, tenant, &id).await? else { continue };
            owed.push((erasure, sealed));
        }
        drop(tx);
        let mut letters = Vec::new();
        for (erasure, sealed) in owed {
            let place = place(tenant, &erasure.id);
            let kept: Kept = match self.keys.open_once(&kind(tenant), &erasure.id, &place, &sealed).await {
                Ok(Some(kept)) => kept,
                Ok(None) => {
                    // A backup brought the row back: the letter went, or its time is over.
                    self.last_letter_gone(tenant, &erasure.id).await?;
                    continue;
                }
                Err(e) if e.kind().is_of_a_store() => return Err(e.into()),
                Err(_) => {
                    self.unreadable(tenant, &erasure.id).await?;
                    continue;
                }
            };
            let done = matches!(erasure.state, ErasureState::Verified | ErasureState::Closed);
            letters.push(LastLetter {
                erasure,
                done,
                request: kept.request,
                reference: kept.reference,
                to: Secret::new(kept.to),
                of: kept.of,
                tongue: Tongue::of_tag(&kept.tongue).unwrap_or_default(),
            });
        }
        Ok(letters)
    }

    /// Says where people look that somebody who was erased is not told. It counts as tried, or a hundred such would stand
    /// before all others for ever.
    async fn unreadable(&self, tenant: &TenantId, erasure: &str) -> Result<(), Error> {
        self.tried(tenant, erasure).await?;
        let why = "a last letter cannot be read: somebody who was erased is not told";
        let row = Unread { tenant, table: "last_letter", id: erasure, why };
        Ok(set_aside(&self.db, &self.clock, &self.entropy, row).await?)
    }

    /// Notes that a last letter is about to go. `false` when another sends it.
    pub async fn try_last_letter(&self, letter: &LastLetter) -> Result<bool, Error> {
        self.tried(&letter.erasure.tenant, &letter.erasure.id).await
    }

    async fn tried(&self, tenant: &TenantId, erasure: &str) -> Result<bool, Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let ours = sql::last::try_now(&mut tx, (tenant, erasure), (now, now.plus(-AGAIN))).await?;
        tx.commit().await?;
        Ok(ours)
    }

    /// A last letter went: the address goes as well.
    pub async fn last_letter_sent(&self, letter: &LastLetter) -> Result<(), Error> {
        self.last_letter_gone(&letter.erasure.tenant, &letter.erasure.id).await
    }

    async fn last_letter_gone(&self, tenant: &TenantId, erasure: &str) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        sql::last::gone(&mut tx, tenant, erasure).await?;
        tx.commit().await?;
        Ok(self.keys.end_once(&kind(tenant), erasure).await?)
    }

    /// Destroys the keys of last letters that are no longer there, however they went. Gives how many.
    pub async fn end_letter_keys(&self, tenant: &TenantId) -> Result<u64, Error> {
        let before = self.clock.now().plus(-UNUSED);
        let there = sql::last::all(&mut self.db.read().await?, tenant).await?;
        Ok(self.keys.end_once_but(&kind(tenant), &there, before).await?)
    }
}
