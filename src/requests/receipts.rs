//! Receipts: proof of one ledger entry each, for whoever has the receipt's id. The id is 74 random bits, told to the
//! owner alone; what it opens names nobody.

use super::model::words;
use super::{Error, Requests, sql};
use crate::base::{EntryId, PageSize, ReceiptId, TenantId, Timestamp};
use crate::ledger::{EntryKind, Fact, Filter, Logged, Receipt, SubjectRef};
use crate::vault::Owner;

words!(
    /// What a receipt proves.
    IssuedKind {
        /// A person's data were erased.
        Erasure = "erasure",
        /// A consent given or taken back, an objection.
        Consent = "consent",
        /// A copy was handed over.
        Export = "export",
        /// A policy came into force.
        Publication = "publication",
        /// A request was answered.
        Request = "request",
    }
);

/// A receipt that can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Its id: whoever has it may have the receipt.
    pub id: ReceiptId,
    /// The tenant.
    pub tenant: TenantId,
    /// What it proves.
    pub kind: IssuedKind,
    /// The ledger entry it is for.
    pub entry: EntryId,
    /// When it was issued.
    pub at: Timestamp,
}

/// The four entries that together prove an erasure. Each verifies offline by a receipt of its own; the first three speak
/// of the same person by the same reference, the second and third of the same destroyed key.
#[derive(Debug, Clone, PartialEq)]
pub struct ErasureProofs {
    /// It began: nothing of theirs is read or written from here on.
    pub requested: Option<Logged>,
    /// Their key is destroyed: nothing opens any more.
    pub unreadable: Option<Logged>,
    /// A second look found nothing.
    pub completed: Logged,
    /// The epoch of keys of that time is destroyed: what a backup held opens for nobody either. `None` until it is.
    pub beyond_backups: Option<Logged>,
}

/// Epochs that are looked through for the end of one: at one a week, many years.
const MOST_EPOCHS: u32 = 2_000;

impl Requests {
    pub(super) fn fresh_receipt(&self, tenant: &TenantId, kind: IssuedKind, entry: EntryId) -> Issued {
        Issued {
            id: ReceiptId::new(&self.clock, &self.entropy),
            tenant: tenant.clone(),
            kind,
            entry,
            at: self.clock.now(),
        }
    }

    /// A receipt by its id, as it verifies offline, and what is known of it here. Takes its entry into the tree first if
    /// it still waits. Public, and as good after an erasure as before.
    pub async fn receipt(&self, id: ReceiptId) -> Result<(Issued, Receipt), Error> {
        let issued = {
            let mut tx = self.db.read().await?;
            sql::receipt::get(&mut tx, id).await?.ok_or(Error::NotFound)?
        };
        let receipt = self.ledger.receipt(issued.entry, None).await?;
        Ok((issued, receipt))
    }

    /// A person's receipts, newest first.
    pub async fn receipts(&self, owner: &Owner) -> Result<Vec<Issued>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::receipt::of(&mut tx, owner).await?)
    }

    /// Turns a purpose on or off on the person's own word, and gives the receipt of it: both are there, or neither.
    pub async fn say(
        &self,
        owner: &Owner,
        purpose: &str,
        on: bool,
        method: &str,
    ) -> Result<ReceiptId, Error> {
        let mut tx = self.db.begin().await?;
        let entry = self.consents.set_in(&mut tx, owner, (purpose, on), method).await?;
        let receipt = self.fresh_receipt(&owner.tenant, IssuedKind::Consent, entry);
        sql::receipt::insert(&mut tx, &receipt, Some(owner)).await?;
        tx.commit().await?;
        Ok(receipt.id)
    }

    /// The receipt of a consent given or taken back, by the entry that `consents.set` gave or the history names. Issued
    /// with the first asking. [`Error::NotFound`] for an entry that is not one of this person's words.
    pub async fn consent_receipt(&self, owner: &Owner, entry: EntryId) -> Result<ReceiptId, Error> {
        let words = self.consents.history(owner).await?;
        if !words.iter().any(|(_, word)| word.entry == Some(entry)) {
            return Err(Error::NotFound);
        }
        self.issued_for(&owner.tenant, Some(owner), IssuedKind::Consent, entry).await
    }

    /// The receipt of a policy's publication, for anybody. [`Error::NotFound`] for an entry that is not one.
    pub async fn publication_receipt(&self, tenant: &TenantId, entry: EntryId) -> Result<ReceiptId, Error> {
        let logged = self.logged(entry).await?;
        if logged.leaf.kind != EntryKind::POLICY_PUBLISHED || logged.leaf.tenant.as_ref() != Some(tenant) {
            return Err(Error::NotFound);
        }
        self.issued_for(tenant, None, IssuedKind::Publication, entry).await
    }

    /// The entries that prove the erasure of this receipt. [`Error::NotFound`] for a receipt of anything else.
    pub async fn erasure_proofs(&self, id: ReceiptId) -> Result<ErasureProofs, Error> {
        let issued = {
            let mut tx = self.db.read().await?;
            sql::receipt::get(&mut tx, id).await?.ok_or(Error::NotFound)?
        };
        if issued.kind != IssuedKind::Erasure {
            return Err(Error::NotFound);
        }
        let completed = self.logged(issued.entry).await?;
        let subject = completed.leaf.subject.clone().ok_or(Error::NotFound)?;
        let requested = self.newest_of(&issued.tenant, EntryKind::ERASURE_REQUESTED, &subject).await?;
        let unreadable = self.newest_of(&issued.tenant, EntryKind::ERASURE_UNREADABLE, &subject).await?;
        let beyond_backups = match unreadable.as_ref().and_then(epoch_of) {
            Some(epoch) => {
                let ended = self.ledger.of_house(&EntryKind::EPOCH_DESTROYED, MOST_EPOCHS).await?;
                // Epochs end in their order, so the oldest entry of this one or a later one is the first.
                ended.into_iter().rfind(|e| epoch_of(e).is_some_and(|n| n >= epoch))
            }
            None => None,
        };
        Ok(ErasureProofs { requested, unreadable, completed, beyond_backups })
    }

    /// An entry, taken into the tree first if it still waits.
    async fn logged(&self, entry: EntryId) -> Result<Logged, Error> {
        match self.ledger.entry(entry).await {
            Err(crate::ledger::Error::Pending) => {
                self.ledger.sequence().await?;
                Ok(self.ledger.entry(entry).await?)
            }
            other => Ok(other?),
        }
    }

    async fn newest_of(
        &self,
        tenant: &TenantId,
        kind: EntryKind,
        subject: &SubjectRef,
    ) -> Result<Option<Logged>, Error> {
        let filter = Filter { kind: Some(kind), subject: Some(subject.clone()) };
        let one = PageSize::new(1).unwrap_or_default();
        Ok(self.ledger.list(tenant, &filter, one, None).await?.items.into_iter().next())
    }

    async fn issued_for(
        &self,
        tenant: &TenantId,
        owner: Option<&Owner>,
        kind: IssuedKind,
        entry: EntryId,
    ) -> Result<ReceiptId, Error> {
        let mut tx = self.db.begin().await?;
        if let Some(known) = sql::receipt::of_entry(&mut tx, tenant, entry).await? {
            return Ok(known.id);
        }
        let fresh = self.fresh_receipt(tenant, kind, entry);
        sql::receipt::insert(&mut tx, &fresh, owner).await?;
        tx.commit().await?;
        Ok(fresh.id)
    }
}

fn epoch_of(entry: &Logged) -> Option<i64> {
    match entry.leaf.facts.get("epoch") {
        Some(Fact::Number(n)) => Some(*n),
        _ => None,
    }
}
