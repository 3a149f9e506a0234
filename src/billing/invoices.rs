//! Invoices: what a person paid for, sealed like everything of theirs, with the clock of tax law started.

use chrono::NaiveDate;
use serde_json::Value;

use super::Error;
use crate::base::RecordId;
use crate::policy::{Fact, Facts};
use crate::vault::{NewRecord, Owner, SealedRecord, Vault};

/// The category under which invoices lie in the vault, and the field that says when one was made out.
const CATEGORY: &str = "billing";
const DATE: &str = "invoice-date";

/// People's invoices. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Invoices {
    vault: Vault,
}

impl Invoices {
    /// Over the vault.
    pub fn new(vault: Vault) -> Self {
        Self { vault }
    }

    /// Keeps an invoice: fields that the document declares, among them `invoice-date` as `2026-11-22`. Tax law counts
    /// from the end of that date's year where the controller is established. [`Error::NoDate`] without one.
    pub async fn add(&self, owner: &Owner, invoice: Value) -> Result<RecordId, Error> {
        let new = self.dated(owner, invoice)?;
        Ok(self.vault.add_record(owner, new).await?)
    }

    /// The same, sealed for [`Vault::insert`] to write with the change it belongs to.
    pub async fn sealed(&self, owner: &Owner, invoice: Value) -> Result<Vec<SealedRecord>, Error> {
        let new = self.dated(owner, invoice)?;
        Ok(self.vault.seal_records(owner, vec![new]).await?)
    }

    fn dated(&self, owner: &Owner, invoice: Value) -> Result<NewRecord<'static>, Error> {
        let text = invoice.get(DATE).and_then(Value::as_str).ok_or(Error::NoDate)?;
        let day: NaiveDate = text.parse().map_err(|_| Error::NoDate)?;
        let policy = self.vault.policy(&owner.tenant)?;
        let facts = Facts::new().with(Fact::InvoiceYearEnd, policy.place().year_end(day));
        Ok(NewRecord { category: CATEGORY, name: "invoice", value: invoice, parent: None, facts })
    }
}
