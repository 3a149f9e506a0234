//! The last letter to somebody who asked to be erased: that it is done, and how they can check it. Their address is sealed
//! under a key of its own before the fence is up, leads to nobody from any other row, and goes when the letter went, the
//! key with it: a copy of the row from before then opens for nobody.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::super::fulfil::PURPOSE;
use super::super::{Error, Requests, sql};
use super::{Erasure, ErasureState};
use crate::base::{RequestId, Secret, TenantId};
use crate::crypto::{self, Place};
use crate::speech::Tongue;
use crate::vault::{self, Access, Actor, Owner};

/// A letter that did not go is tried again after this.
const AGAIN: TimeDelta = TimeDelta::minutes(10);
/// And not at all any more after this: an address is not kept for longer, whatever became of the letter.
pub(in crate::requests) const AT_MOST: TimeDelta = TimeDelta::days(30);
/// Longer than it takes from the making of a key to the row that it is for.
const UNUSED: TimeDelta = TimeDelta::hours(1);

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
        let plain = serde_json::to_vec(&kept).map_err(|_| super::super::filing::UNREADABLE)?;
        let plain = zeroize::Zeroizing::new(plain);
        let key = self.keys.once(&kind(&owner.tenant), erasure).await.map_err(vault::Error::from)?;
        Ok(crypto::seal(&key, &place(&owner.tenant, erasure), &plain, &self.entropy))
    }

    /// The last letters that are owed to people of a tenant: their erasure is done and was looked at again.
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
            let key = self.keys.once_known(&kind(tenant), &erasure.id).await.map_err(vault::Error::from)?;
            let Some(key) = key else {
                // A backup brought the row back: the letter went, or its time is over.
                self.last_letter_gone(tenant, &erasure.id).await?;
                continue;
            };
            let plain = crypto::open(&key, &place(tenant, &erasure.id), &sealed)
                .map_err(|_| vault::Error::Damaged)?;
            let kept: Kept = serde_json::from_slice(&plain).map_err(|_| vault::Error::Damaged)?;
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

    /// Notes that a last letter is about to go. `false` when another sends it.
    pub async fn try_last_letter(&self, letter: &LastLetter) -> Result<bool, Error> {
        let now = self.clock.now();
        let erasure = (&letter.erasure.tenant, letter.erasure.id.as_str());
        let mut tx = self.db.begin().await?;
        let ours = sql::last::try_now(&mut tx, erasure, (now, now.plus(-AGAIN))).await?;
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
        Ok(self.keys.end_once(&kind(tenant), erasure).await.map_err(vault::Error::from)?)
    }

    /// Destroys the keys of last letters that are no longer there, however they went. Gives how many.
    pub async fn end_letter_keys(&self, tenant: &TenantId) -> Result<u64, Error> {
        let before = self.clock.now().plus(-UNUSED);
        let there = sql::last::all(&mut self.db.read().await?, tenant).await?;
        Ok(self.keys.end_once_but(&kind(tenant), &there, before).await.map_err(vault::Error::from)?)
    }
}
