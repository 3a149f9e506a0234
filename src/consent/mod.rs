//! What people agreed to, refused, took back or objected to, one word a purpose, each word kept.
//!
//! Promises: the newest word counts from the second it was given; nothing is on that nobody turned on; every word names
//! the exact text it was given to, and has a receipt on the ledger. Must never: infer a word from silence.

mod again;
mod error;
mod model;
mod sql;

pub use again::Heard;
pub use error::Error;
pub use model::{Choice, State, Word};

use chrono::TimeDelta;

use crate::base::{Clock, Entropy, EntryId, SubjectId, TenantId};
use crate::crypto;
use crate::ledger::{Entry, EntryKind, Ledger};
use crate::policy::{Fact, Policy};
use crate::store::{Db, Tx};
use crate::vault::{Actor, Owner, Vault};

/// People's words. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Consents {
    db: Db,
    vault: Vault,
    ledger: Ledger,
    clock: Clock,
    entropy: Entropy,
}

impl Consents {
    /// Over its parts.
    pub fn new(db: Db, vault: Vault, ledger: Ledger, clock: Clock, entropy: Entropy) -> Self {
        Self { db, vault, ledger, clock, entropy }
    }

    /// How a person stands to each purpose they have a say in, in the document's order.
    pub async fn choices(&self, owner: &Owner) -> Result<Vec<Choice>, Error> {
        let policy = self.vault.policy(&owner.tenant)?;
        let mut tx = self.db.read().await?;
        let mut choices = Vec::new();
        for purpose in policy.purposes().filter(|p| p.is_choice()) {
            let on = self.vault.agreed(&mut tx, owner, &policy, &purpose.id).await?;
            let last = sql::latest(&mut tx, owner, &purpose.id).await?;
            choices.push(Choice {
                purpose: purpose.id.clone(),
                label: purpose.title.clone(),
                text: purpose.means.clone(),
                needs_consent: purpose.needs_consent(),
                on,
                last,
            });
        }
        Ok(choices)
    }

    /// Turns a purpose on or off for a person, on their own word. Gives the ledger entry that proves it. Turning off
    /// what is off is recorded as well: it is a word.
    pub async fn set(&self, owner: &Owner, purpose: &str, on: bool, method: &str) -> Result<EntryId, Error> {
        let mut tx = self.db.begin().await?;
        let entry = self.set_in(&mut tx, owner, (purpose, on), method).await?;
        tx.commit().await?;
        Ok(entry)
    }

    /// The same in the caller's transaction, so that what follows from the word is done with it or not at all.
    pub async fn set_in(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        (purpose, on): (&str, bool),
        method: &str,
    ) -> Result<EntryId, Error> {
        let policy = self.vault.policy(&owner.tenant)?;
        let rule = policy.purpose(purpose).ok_or(Error::NoSuchPurpose)?;
        let (kind, state) = match (rule.needs_consent(), rule.objectable, on) {
            (true, _, true) => (EntryKind::CONSENT_GIVEN, State::Given),
            (true, _, false) => (EntryKind::CONSENT_WITHDRAWN, State::Withdrawn),
            (false, true, true) => ("objection.lifted".parse()?, State::Given),
            (false, true, false) => (EntryKind::OBJECTION_MADE, State::Objected),
            (false, false, _) => return Err(Error::NoSay),
        };
        let now = self.clock.now();
        let notice = notice_hash(&policy, purpose);
        let entry = Entry::new(kind, now, &owner.tenant, Actor::Subject(owner.subject).role().as_str())
            .about(self.vault.subject_ref(owner).await?)
            .fact("purpose", purpose)
            .fact("version", policy.version())
            .fact("notice", hex::encode(notice).as_str());
        self.vault.standing_to_write(tx, owner).await?;
        tx.take_turn(&format!("consent/{}/{}/{purpose}", owner.tenant, owner.subject)).await?;
        // The newest word counts even if the clock was set back since the last one.
        let last = sql::latest(tx, owner, purpose).await?.map(|w| w.at.plus(TimeDelta::microseconds(1)));
        let word = Word {
            state,
            at: last.map_or(now, |last| last.max(now)),
            method: method.chars().take(40).collect(),
            policy_version: policy.version().to_owned(),
            entry: None,
        };
        let appended = self.ledger.append(tx, entry).await?;
        let id = EntryId::new(&self.clock, &self.entropy);
        let word = Word { entry: Some(appended.id), ..word };
        sql::insert(tx, owner, purpose, id, &word, &notice).await?;
        if !on {
            for category in categories_resting_on(&policy, purpose) {
                self.vault.happened_to_category(tx, owner, &category, &[(Fact::Withdrawn, now)]).await?;
            }
        }
        Ok(appended.id)
    }

    /// A person's newest word on a purpose.
    pub async fn word(&self, owner: &Owner, purpose: &str) -> Result<Option<Word>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::latest(&mut tx, owner, purpose).await?)
    }

    /// People who ever said yes to a purpose, `most` of them after `after`, in the order of their ids. Whether the yes
    /// still stands, [`Vault::agreed`] says.
    pub async fn givers(
        &self,
        tenant: &TenantId,
        purpose: &str,
        after: Option<SubjectId>,
        most: i64,
    ) -> Result<Vec<SubjectId>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::givers(&mut tx, tenant, purpose, after, most).await?)
    }

    /// Every word a person gave, newest first.
    pub async fn history(&self, owner: &Owner) -> Result<Vec<(String, Word)>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::history(&mut tx, owner).await?)
    }

    /// Whether a purpose was on for a person at a past moment.
    pub async fn was_on(
        &self,
        owner: &Owner,
        purpose: &str,
        at: crate::base::Timestamp,
    ) -> Result<bool, Error> {
        let policy = self.vault.policy(&owner.tenant)?;
        let rule = policy.purpose(purpose).ok_or(Error::NoSuchPurpose)?;
        let mut tx = self.db.read().await?;
        let word = sql::at(&mut tx, owner, purpose, at).await?;
        Ok(match word {
            Some(Word { state: State::Given, at: given, policy_version, .. }) => {
                rule.valid_for.is_none_or(|period| at < period.after(given))
                    && self.vault.carries(owner, &policy_version, purpose, at)
            }
            Some(_) => false,
            None => rule.allowed(None),
        })
    }
}

/// SHA-256 of the words a person was shown for a purpose: its label and text, and the document they stand in.
pub fn notice_hash(policy: &Policy, purpose: &str) -> [u8; 32] {
    let (label, text) = policy.purpose(purpose).map_or(("", ""), |p| (p.title.as_str(), p.means.as_str()));
    let mut shown = policy.hash().to_vec();
    for part in [purpose, label, text] {
        shown.push(0);
        shown.extend_from_slice(part.as_bytes());
    }
    crypto::sha256(&shown)
}

/// The categories that are held for nothing but this purpose: what its withdrawal leaves without a reason.
fn categories_resting_on(policy: &Policy, purpose: &str) -> Vec<String> {
    policy
        .categories()
        .filter(|c| !c.purposes.is_empty() && c.purposes.iter().all(|p| p == purpose))
        .map(|c| c.id.clone())
        .collect()
}
