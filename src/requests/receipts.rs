//! Receipts: proof of one ledger entry each, for whoever has the receipt's id. The id is 74 random bits, told to the
//! owner alone; what it opens names nobody.

use super::model::words;
use super::{Error, Requests, sql};
use crate::base::{EntryId, ReceiptId, TenantId, Timestamp};
use crate::ledger::{EntryKind, Receipt};
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
        let logged = match self.ledger.entry(entry).await {
            Err(crate::ledger::Error::Pending) => {
                self.ledger.sequence().await?;
                self.ledger.entry(entry).await?
            }
            other => other?,
        };
        if logged.leaf.kind != EntryKind::POLICY_PUBLISHED || logged.leaf.tenant.as_ref() != Some(tenant) {
            return Err(Error::NotFound);
        }
        self.issued_for(tenant, None, IssuedKind::Publication, entry).await
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
