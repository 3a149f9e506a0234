//! Everything that Stripe holds of a customer: every list to its end.

use serde_json::Value;

use super::{PaidInvoice, Stripe, is_customer, is_word, wire};
use crate::egress::CallLog;
use crate::recipients::{Export, RecipientError};

/// The most things of one kind that are read: beyond it something is wrong with the paging.
const MOST: usize = 200_000;

/// A list: the table, the path, what more is asked.
type List = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

/// Lists that are asked for by customer.
const LISTS: [List; 9] = [
    ("charges", &["charges"], &[]),
    ("payment-intents", &["payment_intents"], &[]),
    ("setup-intents", &["setup_intents"], &[]),
    ("invoices", &["invoices"], &[]),
    ("invoice-items", &["invoiceitems"], &[]),
    ("subscriptions", &["subscriptions"], &[("status", "all")]),
    ("credit-notes", &["credit_notes"], &[]),
    ("quotes", &["quotes"], &[]),
    ("checkout-sessions", &["checkout", "sessions"], &[]),
];

/// Lists that stand below the customer.
const BELOW: [(&str, &str); 4] = [
    ("payment-methods", "payment_methods"),
    ("sources", "sources"),
    ("tax-ids", "tax_ids"),
    ("balance-transactions", "balance_transactions"),
];

impl Stripe {
    pub(in crate::recipients) async fn export(
        &self,
        id: &str,
        log: &CallLog,
    ) -> Result<Export, RecipientError> {
        let mut export = Export::default();
        let Some(customer) = self.customer(id, log).await? else { return Ok(export) };
        let deleted = wire::is_deleted(&customer);
        export.add("customer", vec![customer]);
        for (table, list) in BELOW {
            // A deleted customer has nothing below it, and Stripe refuses to be asked.
            if !deleted {
                export.add(table, self.all(&["customers", id, list], &[], log).await?);
            }
        }
        for (table, path, more) in LISTS {
            let query = [&[("customer", id)], more].concat();
            let mut rows = self.all(path, &query, log).await?;
            match table {
                "charges" => self.add_of_charges(&rows, &mut export, log).await?,
                "invoices" => self.whole_invoices(&mut rows, log).await?,
                _ => {}
            }
            export.add(table, rows);
        }
        for table in &mut export.tables {
            table.rows.iter_mut().for_each(wire::without_secrets);
        }
        Ok(export)
    }

    /// The final invoices of a customer, in the words of the documents.
    pub async fn invoices(&self, id: &str, log: &CallLog) -> Result<Vec<PaidInvoice>, RecipientError> {
        if !is_customer(id) {
            return Err(RecipientError::Refused("not a customer id"));
        }
        let mut found = self.all(&["invoices"], &[("customer", id)], log).await?;
        found.retain(|i| !matches!(wire::text(i, "status"), Some("draft" | "void")));
        self.whole_invoices(&mut found, log).await?;
        Ok(found.iter().filter_map(PaidInvoice::of).collect())
    }

    /// Refunds and disputes cannot be asked for by customer, only charge by charge.
    async fn add_of_charges(
        &self,
        charges: &[Value],
        export: &mut Export,
        log: &CallLog,
    ) -> Result<(), RecipientError> {
        let (mut refunds, mut disputes) = (Vec::new(), Vec::new());
        for charge in charges {
            let Some(id) = wire::text(charge, "id").filter(|id| is_word(id)) else { continue };
            if charge.get("amount_refunded").and_then(Value::as_i64).unwrap_or(0) > 0 {
                refunds.extend(self.all(&["refunds"], &[("charge", id)], log).await?);
            }
            if charge.get("disputed") == Some(&Value::Bool(true)) {
                disputes.extend(self.all(&["disputes"], &[("charge", id)], log).await?);
            }
        }
        export.add("refunds", refunds);
        export.add("disputes", disputes);
        Ok(())
    }

    /// An invoice shows its first ten lines; the others are fetched.
    async fn whole_invoices(&self, invoices: &mut [Value], log: &CallLog) -> Result<(), RecipientError> {
        for invoice in invoices {
            let more = invoice.pointer("/lines/has_more") == Some(&Value::Bool(true));
            let id = wire::text(invoice, "id").filter(|id| is_word(id)).map(ToOwned::to_owned);
            let (true, Some(id)) = (more, id) else { continue };
            let lines = self.all(&["invoices", &id, "lines"], &[], log).await?;
            if let Some(place) = invoice.pointer_mut("/lines/data") {
                *place = Value::Array(lines);
            }
            if let Some(place) = invoice.pointer_mut("/lines/has_more") {
                *place = Value::Bool(false);
            }
        }
        Ok(())
    }

    /// A list to its end.
    pub(super) async fn all(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        log: &CallLog,
    ) -> Result<Vec<Value>, RecipientError> {
        let mut rows: Vec<Value> = Vec::new();
        loop {
            let after = rows.last().and_then(|r| wire::text(r, "id")).map(ToOwned::to_owned);
            let mut asked = query.to_vec();
            asked.push(("limit", "100"));
            if let Some(after) = &after {
                asked.push(("starting_after", after));
            }
            let page = self.get(path, &asked, "/v1/{list}", log).await?;
            // The legacy list of sources is not there for every account.
            let Some(page) = page else { return Ok(rows) };
            let Some(data) = page.get("data").and_then(Value::as_array) else {
                return Err(RecipientError::Garbled("list"));
            };
            rows.extend(data.iter().cloned());
            if page.get("has_more") != Some(&Value::Bool(true)) {
                return Ok(rows);
            }
            let advanced = rows.last().and_then(|r| wire::text(r, "id")) != after.as_deref();
            if data.is_empty() || !advanced || rows.len() > MOST {
                return Err(RecipientError::Garbled("paging"));
            }
        }
    }
}
