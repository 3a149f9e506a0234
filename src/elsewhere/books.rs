//! The books: every final invoice of Stripe's is ours too, once.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Elsewhere, Error, sql};
use crate::base::PageSize;
use crate::egress::CallLog;
use crate::policy::Category;
use crate::recipients::{PaidInvoice, Recipient};
use crate::vault::{Access, Actor, Owner, SealedRecord};

const CATEGORY: &str = "billing";
/// Without these an invoice can neither be told from another nor have its clock.
const NEEDED: [&str; 2] = ["invoice-number", "invoice-date"];
/// Under which it is looked up: a pause of all other use must not lose an invoice.
const PURPOSE: &str = "rights";

/// What came of writing an invoice down.
enum Entered {
    /// It is kept, or was known and the message is noted.
    Done,
    /// The message was taken before.
    Heard,
    /// Another invoice came in since it was looked what is there: it may be this one.
    Overtaken,
}

impl Elsewhere {
    /// Takes in what Stripe has invoiced a person and we do not know of: a message may have been lost, and whoever is about
    /// to be erased leaves the books complete, so that nothing needs to stay at Stripe for their sake. Gives how many.
    pub async fn complete_books(&self, owner: &Owner) -> Result<u64, Error> {
        let mut added = 0;
        for account in self.accounts(owner).await? {
            let found = self.recipient(&owner.tenant, &account.processor);
            let Some(recipient @ Recipient::Stripe(stripe)) = found else { continue };
            let name = self.name(&owner.tenant, &account).await?;
            let invoices = stripe.invoices(&name, &CallLog::new()).await;
            for invoice in invoices.map_err(|why| Error::Recipient(recipient.name(), why))? {
                added += u64::from(self.keep_invoice(owner, &invoice, None).await?);
            }
        }
        Ok(added)
    }

    /// Keeps an invoice that is not known yet, and with it, in one transaction, the word that a message was taken.
    /// `false` when either was known.
    pub(super) async fn keep_invoice(
        &self,
        owner: &Owner,
        invoice: &PaidInvoice,
        message: Option<&str>,
    ) -> Result<bool, Error> {
        let policy = self.vault.policy(&owner.tenant)?;
        // A document that names no numbered and dated invoices has no books to complete.
        let named = |c: &&Category| NEEDED.iter().all(|field| c.has_field(field));
        let Some(category) = policy.category(CATEGORY).filter(named) else { return Ok(false) };
        let mut fields = invoice.fields.clone();
        // What the document does not name is not kept.
        if let Value::Object(map) = &mut fields {
            map.retain(|field, _| category.has_field(field));
        }
        loop {
            // Whatever takes a connection of its own comes before the transaction: as many messages at once as there are
            // connections would each hold one and wait for another's. What is there is listed before it is read, so that
            // nothing on the list goes unread.
            let listed = {
                let mut tx = self.db.read().await?;
                sql::records(&mut tx, owner, CATEGORY).await?
            };
            let fresh = !self.numbers(owner).await?.contains(&invoice.number);
            let sealed = if fresh { self.invoices.sealed(owner, fields.clone()).await? } else { Vec::new() };
            let entered = self.enter(owner, message, &listed, &sealed).await;
            if !matches!(entered, Ok(Entered::Done)) {
                self.vault.discard(owner, &sealed).await;
            }
            match entered? {
                Entered::Done => return Ok(fresh),
                Entered::Heard => return Ok(false),
                // Each round that is lost is one in which another invoice came in, so there is an end to them.
                Entered::Overtaken => {}
            }
        }
    }

    /// Writes an invoice that was not among `listed`, if there is one, and that a message was taken.
    async fn enter(
        &self,
        owner: &Owner,
        message: Option<&str>,
        listed: &BTreeSet<String>,
        sealed: &[SealedRecord],
    ) -> Result<Entered, Error> {
        let mut tx = self.db.begin().await?;
        // Two messages of one invoice take turns.
        tx.take_turn(&format!("invoices/{}/{}", owner.tenant, owner.subject)).await?;
        if let Some(message) = message
            && !self.first_time(&mut tx, &owner.tenant, message).await?
        {
            return Ok(Entered::Heard);
        }
        if !sealed.is_empty() {
            if !sql::records(&mut tx, owner, CATEGORY).await?.is_subset(listed) {
                return Ok(Entered::Overtaken);
            }
            self.vault.insert(&mut tx, owner, sealed).await?;
        }
        tx.commit().await?;
        Ok(Entered::Done)
    }

    async fn numbers(&self, owner: &Owner) -> Result<BTreeSet<String>, Error> {
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let size = PageSize::new(200).unwrap_or_default();
        let (mut numbers, mut after) = (BTreeSet::new(), None::<String>);
        loop {
            let page = self.vault.records(owner, &access, CATEGORY, (after.as_deref(), size)).await?;
            let number = |v: &Value| v.get("invoice-number")?.as_str().map(ToOwned::to_owned);
            numbers.extend(page.items.iter().filter_map(|r| number(&r.value)));
            after = page.next;
            if after.is_none() {
                return Ok(numbers);
            }
        }
    }
}
