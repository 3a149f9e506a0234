//! Letting a customer go: what still runs is stopped, payment methods are detached, the customer is blanked; then it is
//! deleted, or redacted when Stripe lets it.

use chrono::TimeDelta;
use serde_json::Value;

use super::wire::{self, PERSONAL};
use super::{Stripe, is_word};
use crate::base::Timestamp;
use crate::egress::CallLog;
use crate::recipients::{Erased, Memory, Proof, RecipientError, Stay};

/// Stripe redacts a customer this long after their last payment, and not before.
const REDACTED_AFTER: TimeDelta = TimeDelta::days(90);

impl Stripe {
    pub(in crate::recipients) async fn erase(
        &self,
        id: &str,
        memory: &mut Memory,
        log: &CallLog,
    ) -> Result<Erased, RecipientError> {
        let Some(customer) = self.customer(id, log).await? else {
            return Ok(Erased::Proven(vec![Proof::Unknown]));
        };
        if wire::is_redacted(&customer) {
            return Ok(Erased::Proven(vec![Proof::Redacted]));
        }
        if let Some(job) = memory.job.clone() {
            return self.follow(id, &job, memory, log).await;
        }
        let mut proofs = Vec::new();
        if !wire::is_deleted(&customer) {
            self.stop_what_runs(id, memory, log).await?;
            self.detach(id, memory, log).await?;
            proofs.push(Proof::Detached);
            if !wire::is_blank(&customer) {
                let blank: Vec<(&str, &str)> = PERSONAL.iter().map(|f| (*f, "")).collect();
                self.change(&["customers", id], &blank, "blank", memory, log).await?;
            }
            match self.customer(id, log).await? {
                Some(read) if wire::is_blank(&read) => proofs.push(Proof::Blanked),
                Some(_) => return Err(RecipientError::Refused("the customer was not blanked")),
                None => return Ok(Erased::Proven(vec![Proof::Unknown])),
            }
        }
        let (records, last) = self.payments(id, log).await?;
        let Some(last) = last else { return self.delete_customer(id, proofs, memory, log).await };
        let stay = Stay { records, last, again: None };
        if !self.config.redaction {
            let done = self.delete_customer(id, proofs, memory, log).await?;
            return Ok(match done {
                Erased::Proven(proofs) => Erased::Stays(stay, proofs),
                other => other,
            });
        }
        let may = last.plus(REDACTED_AFTER);
        if self.now() < may {
            return Ok(Erased::Stays(Stay { again: Some(may), ..stay }, proofs));
        }
        self.redact(id, memory, log).await
    }

    /// Subscriptions are cancelled, open invoices voided, drafts deleted, intents that wait for a payment cancelled:
    /// nothing is charged to somebody who left, and nothing of it stands in a redaction's way.
    async fn stop_what_runs(
        &self,
        id: &str,
        memory: &mut Memory,
        log: &CallLog,
    ) -> Result<(), RecipientError> {
        let of = [("customer", id)];
        for running in self.all(&["subscriptions"], &[("customer", id), ("status", "all")], log).await? {
            let ended = matches!(wire::text(&running, "status"), Some("canceled" | "incomplete_expired"));
            if let (false, Some(name)) = (ended, name(&running)) {
                self.delete(&["subscriptions", name], memory, log).await?;
            }
        }
        for invoice in self.all(&["invoices"], &of, log).await? {
            let Some(name) = name(&invoice) else { continue };
            match wire::text(&invoice, "status") {
                Some("draft") => self.delete(&["invoices", name], memory, log).await?,
                Some("open" | "uncollectible") => {
                    let step = format!("void/{name}");
                    self.change(&["invoices", name, "void"], &[], &step, memory, log).await?;
                }
                _ => {}
            }
        }
        for kind in ["payment_intents", "setup_intents"] {
            for intent in self.all(&[kind], &of, log).await? {
                let ended = matches!(wire::text(&intent, "status"), Some("succeeded" | "canceled"));
                if let (false, Some(name)) = (ended, name(&intent)) {
                    let step = format!("cancel/{name}");
                    self.change(&[kind, name, "cancel"], &[], &step, memory, log).await?;
                }
            }
        }
        Ok(())
    }

    async fn detach(&self, id: &str, memory: &mut Memory, log: &CallLog) -> Result<(), RecipientError> {
        let list = ["customers", id, "payment_methods"];
        for method in self.all(&list, &[], log).await? {
            if let Some(name) = name(&method) {
                let step = format!("detach/{name}");
                self.change(&["payment_methods", name, "detach"], &[], &step, memory, log).await?;
            }
        }
        if self.all(&list, &[], log).await?.is_empty() {
            return Ok(());
        }
        Err(RecipientError::Refused("a payment method was not detached"))
    }

    /// How many payments and invoices there are, and when the last was made.
    async fn payments(&self, id: &str, log: &CallLog) -> Result<(u64, Option<Timestamp>), RecipientError> {
        let of = [("customer", id)];
        let mut found = self.all(&["charges"], &of, log).await?;
        let invoices = self.all(&["invoices"], &of, log).await?;
        found.extend(invoices.into_iter().filter(|i| wire::text(i, "status") != Some("draft")));
        let last = found.iter().filter_map(wire::created).max();
        if last.is_none() && !found.is_empty() {
            return Err(RecipientError::Garbled("when a payment was made"));
        }
        Ok((found.len() as u64, last))
    }

    async fn delete_customer(
        &self,
        id: &str,
        mut proofs: Vec<Proof>,
        memory: &mut Memory,
        log: &CallLog,
    ) -> Result<Erased, RecipientError> {
        let gone = |c: &Option<Value>| c.as_ref().is_none_or(wire::is_deleted);
        if !gone(&self.customer(id, log).await?) {
            self.delete(&["customers", id], memory, log).await?;
            if !gone(&self.customer(id, log).await?) {
                return Err(RecipientError::Refused("the customer was not deleted"));
            }
        }
        proofs.push(Proof::Deleted);
        Ok(Erased::Proven(proofs))
    }
}

/// A thing's id, as far as it can go into a path.
fn name(thing: &Value) -> Option<&str> {
    wire::text(thing, "id").filter(|id| is_word(id))
}
