//! The last letter to somebody who asked to be erased: that it is done, and how they can check it. Their address is sealed
//! under a key of the service before the fence is up, leads to nobody from any other row, and goes when the letter went.

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
    /// The erasure it tells of, finished.
    pub erasure: Erasure,
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

/// The service's key under which a tenant's last letters lie.
fn key(tenant: &TenantId) -> String {
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
        Ok(self.keys.seal_note(&key(&owner.tenant), &place, &kept).await?)
    }

    /// The last letters that are owed to people of a tenant: their erasure is done and was looked at again. One that cannot
    /// be read keeps no other.
    pub async fn last_letters(&self, tenant: &TenantId) -> Result<Vec<LastLetter>, Error> {
        let tried = self.clock.now().plus(-AGAIN);
        let mut tx = self.db.read().await?;
        let mut owed = Vec::new();
        for (id, sealed) in sql::last::owed(&mut tx, tenant, tried).await? {
            let Some(erasure) = sql::erasure::get(&mut tx, tenant, &id).await? else { continue };
            owed.push((erasure, sealed));
        }
        drop(tx);
        let mut letters = Vec::new();
        for (erasure, sealed) in owed {
            if !matches!(erasure.state, ErasureState::Verified | ErasureState::Closed) {
                continue;
            }
            let place = place(tenant, &erasure.id);
            let kept: Kept = match self.keys.open_note(&key(tenant), &place, &sealed).await {
                Ok(kept) => kept,
                Err(e) if e.kind().is_of_a_store() => return Err(e.into()),
                Err(_) => {
                    self.unreadable(tenant, &erasure.id).await?;
                    continue;
                }
            };
            letters.push(LastLetter {
                erasure,
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
        let mut tx = self.db.begin().await?;
        sql::last::gone(&mut tx, &letter.erasure.tenant, &letter.erasure.id).await?;
        tx.commit().await?;
        Ok(())
    }
}
