use super::{Error, Owner, Vault, rows};
use crate::base::Timestamp;
use crate::policy::{Policy, consent_carries};
use crate::store::Tx;

/// How a person stands at this moment. Looked up afresh for every use, so that a withdrawal counts within the second.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Rises with each fence: what was begun under a lower one must not be committed.
    pub generation: i64,
    /// Being erased.
    pub erasing: bool,
    /// Their data may only be kept, since then (Art. 18 GDPR).
    pub restricted_at: Option<Timestamp>,
    /// Since when their account is closed: nothing new is taken in.
    pub closed_at: Option<Timestamp>,
}

impl Vault {
    /// How a person stands. [`Error::NotFound`] for nobody.
    pub async fn standing(&self, tx: &mut Tx, owner: &Owner) -> Result<Standing, Error> {
        match rows::standing(tx, owner).await? {
            Some(standing) => Ok(standing),
            // In whose name a law keeps records: restricted from the first day to the last.
            None => rows::holder(tx, owner).await?.ok_or(Error::NotFound),
        }
    }

    /// How a person stands, for a transaction that writes something of theirs: it stays so until that transaction ends,
    /// so what is written beside a fence is either seen by the erasure or refused. [`Error::Erasing`] behind a fence.
    pub async fn standing_to_write(&self, tx: &mut Tx, owner: &Owner) -> Result<Standing, Error> {
        let standing = rows::standing_held(tx, owner).await?.ok_or(Error::NotFound)?;
        if standing.erasing { Err(Error::Erasing) } else { Ok(standing) }
    }

    /// Whether a person's word allows `purpose` now: given where it needs consent, not objected to where one may.
    /// A purpose that the document does not have is never allowed.
    pub async fn agreed(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        policy: &Policy,
        purpose: &str,
    ) -> Result<bool, Error> {
        let Some(rule) = policy.purpose(purpose) else { return Ok(false) };
        let word = rows::consent(tx, owner, purpose).await?;
        let now = self.clock.now();
        // A consent that the document bounds in time is no word any more when that time is over, nor is one that was
        // given to something else than what is done now.
        let in_time = |at: Timestamp| rule.valid_for.is_none_or(|period| now < period.after(at));
        let stands = |at: Timestamp, version: &str| in_time(at) && self.carries(owner, version, purpose, now);
        let word = word.filter(|(state, at, version)| state != "given" || stands(*at, version));
        Ok(rule.allowed(word.map(|(state, ..)| state == "given")))
    }

    /// Whether a yes that was given under `version` covers what each version that came into force by `at` made of it.
    pub fn carries(&self, owner: &Owner, version: &str, purpose: &str, at: Timestamp) -> bool {
        let versions = self.library.since(&owner.tenant, version, at);
        versions.windows(2).all(|pair| match pair {
            [old, new] => consent_carries(old, new, purpose),
            _ => true,
        })
    }
}
