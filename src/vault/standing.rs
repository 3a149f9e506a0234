use super::{Error, Owner, Vault, rows};
use crate::base::Timestamp;
use crate::policy::Policy;
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
}

impl Vault {
    /// How a person stands. [`Error::NotFound`] for nobody.
    pub async fn standing(&self, tx: &mut Tx, owner: &Owner) -> Result<Standing, Error> {
        rows::standing(tx, owner).await?.ok_or(Error::NotFound)
    }

    /// The same, inside a transaction that writes: a fence that begins meanwhile waits until this one is through, so that
    /// nothing is committed behind it. (SQLite has one writer anyway.)
    pub async fn standing_kept(&self, tx: &mut Tx, owner: &Owner) -> Result<Standing, Error> {
        rows::standing_kept(tx, owner).await?.ok_or(Error::NotFound)
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
        Ok(rule.allowed(word.map(|w| w == "given")))
    }
}
