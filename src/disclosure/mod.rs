//! The register of what left the house: to whom, for what, how much, and whether it is known to be gone there.
//!
//! Promises: nothing is sent to anyone whom the document does not name for it; the row is written before the first byte
//! leaves; a copy at a processor is owed until its deletion is proved. Must never: hold what was sent.

mod error;
mod handover;
mod sql;

pub use error::Error;
pub use handover::{Ground, Handover, NewHandover};
pub use sql::Disclosed;

use crate::base::{Clock, EditId, Entropy, EntryId, TenantId, Timestamp};
use crate::ledger::{Entry, EntryKind, Ledger};
use crate::policy::{Life, Processor};
use crate::store::{Db, Tx};
use crate::vault::{Owner, Vault};

/// The register. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Disclosures {
    db: Db,
    vault: Vault,
    ledger: Ledger,
    clock: Clock,
    entropy: Entropy,
}

/// What is about to leave.
#[derive(Debug)]
pub struct Sending<'a> {
    /// To whom: a processor of the document.
    pub processor: &'a str,
    /// What for.
    pub purpose: &'a str,
    /// What of.
    pub categories: &'a [&'a str],
    /// For which edit.
    pub edit: Option<EditId>,
    /// How many bytes.
    pub bytes: u64,
}

impl Disclosures {
    /// Over its parts.
    pub fn new(db: Db, vault: Vault, ledger: Ledger, clock: Clock, entropy: Entropy) -> Self {
        Self { db, vault, ledger, clock, entropy }
    }

    /// Whether the document lets all of this go to this processor for this purpose.
    pub fn check(&self, tenant: &TenantId, sending: &Sending<'_>) -> Result<(), Error> {
        let policy = self.vault.policy(tenant)?;
        for category in sending.categories {
            policy.may_send(category, sending.processor, sending.purpose)?;
        }
        Ok(())
    }

    /// Writes down, in the caller's transaction, that something is about to leave. Gives the row's id, by which its
    /// deletion there is tracked. What stays in the house is no disclosure: `None`.
    pub async fn record(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        sending: &Sending<'_>,
    ) -> Result<Option<String>, Error> {
        self.check(&owner.tenant, sending)?;
        let policy = self.vault.policy(&owner.tenant)?;
        let Some(processor) = policy.processor(sending.processor).filter(|p| p.is_recipient()) else {
            return Ok(None);
        };
        let now = self.clock.now();
        let delete_due = due(processor, now);
        let entry = Entry::new(EntryKind::DISCLOSURE_MADE, now, &owner.tenant, "service")
            .about(self.vault.subject_ref(owner).await?)
            .fact("recipient", sending.processor)
            .fact("purpose", sending.purpose)
            .fact("category", sending.categories.join("+").as_str());
        let appended = self.ledger.append(tx, entry).await?;
        let row = Disclosed {
            id: EntryId::new(&self.clock, &self.entropy).to_string(),
            processor: sending.processor.to_owned(),
            purpose: sending.purpose.to_owned(),
            categories: sending.categories.join(" "),
            edit: sending.edit.map(|id| id.to_string()),
            bytes: i64::try_from(sending.bytes).unwrap_or(i64::MAX),
            sent_at: now,
            delete_due,
            deleted_at: None,
            proof: None,
        };
        sql::insert(tx, owner, &row, &appended.id.to_string()).await?;
        Ok(Some(row.id))
    }

    /// Writes down, in the caller's transaction, that what a row tells of was not taken when it was sent, and is about to be
    /// sent once more: its time is that of this sending. Nobody else is told of anything by it, so nothing new is recorded.
    pub async fn once_more(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        id: &str,
        sending: &Sending<'_>,
    ) -> Result<(), Error> {
        self.check(tenant, sending)?;
        let now = self.clock.now();
        let policy = self.vault.policy(tenant)?;
        let delete_due = policy.processor(sending.processor).and_then(|p| due(p, now));
        let bytes = i64::try_from(sending.bytes).unwrap_or(i64::MAX);
        Ok(sql::once_more(tx, (tenant, id), bytes, (now, delete_due)).await?)
    }

    /// Writes down that a processor's copy is gone, and how that is known.
    pub async fn gone(&self, tx: &mut Tx, tenant: &TenantId, id: &str, proof: &str) -> Result<(), Error> {
        Ok(sql::gone(tx, tenant, id, self.clock.now(), proof).await?)
    }

    /// Sets by when what a processor holds of a person must be gone: from when they are to be erased. What was sent for an
    /// edit has its own time.
    pub async fn falls_due(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        processor: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        Ok(sql::falls_due(tx, owner, processor, at).await?)
    }

    /// Sets until when a processor's copy stays there for a reason that was told.
    pub async fn stays_until(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        id: &str,
        until: Timestamp,
    ) -> Result<(), Error> {
        Ok(sql::stays_until(tx, tenant, id, until).await?)
    }

    /// What was sent of a person, newest first.
    pub async fn of(&self, owner: &Owner) -> Result<Vec<Disclosed>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::of(&mut tx, owner).await?)
    }

    /// A tenant's register, newest first.
    pub async fn register(&self, tenant: &TenantId, most: i64) -> Result<Vec<Disclosed>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::register(&mut tx, tenant, most).await?)
    }

    /// Copies whose deletion is overdue: how many, per processor.
    pub async fn overdue(&self, tenant: &TenantId, now: Timestamp) -> Result<Vec<(String, i64)>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::overdue(&mut tx, tenant, now).await?)
    }

    /// Copies that lie at a processor and are not known to be gone: how many, and of how many people, per processor.
    pub async fn outstanding(&self, tenant: &TenantId) -> Result<Vec<(String, i64, i64)>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::outstanding(&mut tx, tenant).await?)
    }

    /// What was sent for one edit, in the order of sending.
    pub async fn of_edit(&self, tenant: &TenantId, edit: &str) -> Result<Vec<Disclosed>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::of_edit(&mut tx, tenant, edit).await?)
    }

    /// Forgets whose the rows were: part of erasing a person. The register itself, who got what kind of thing when,
    /// stays.
    pub async fn forget(&self, tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
        sql::handover::forget(tx, owner).await?;
        Ok(sql::forget(tx, owner).await?)
    }
}

/// By when what is sent now must be gone there.
fn due(processor: &Processor, now: Timestamp) -> Option<Timestamp> {
    match processor.longest_life {
        Life::AtMost(period) => Some(period.after(now)),
        Life::AsOurs => None,
    }
}
