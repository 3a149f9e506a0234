//! What the Stripe stand-in remembers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Shared;
use crate::fakes::script::Script;

#[derive(Default)]
pub(super) struct Inner {
    pub(super) things: Vec<Value>,
    pub(super) complaints: Vec<String>,
    pub(super) changes: Vec<String>,
    pub(super) script: Script,
    pub(super) no_redaction: bool,
    /// Idempotency keys with what was asked under them and what was answered.
    pub(super) once: BTreeMap<String, (String, u16, Value)>,
    count: u64,
}

/// What ids of a kind begin with.
pub(super) fn prefix(kind: &str) -> &'static str {
    match kind {
        "customer" => "cus",
        "charge" => "ch",
        "invoice" => "in",
        "invoiceitem" => "ii",
        "subscription" => "sub",
        "payment_method" => "pm",
        "payment_intent" => "pi",
        "setup_intent" => "seti",
        "credit_note" => "cn",
        "refund" => "re",
        "dispute" => "dp",
        "tax_id" => "txi",
        "customer_balance_transaction" => "cbtxn",
        "checkout.session" => "cs",
        "quote" => "qt",
        "privacy.redaction_job" => "prj",
        _ => "obj",
    }
}

impl Inner {
    pub(super) fn next(&mut self, prefix: &str) -> String {
        self.count += 1;
        format!("{prefix}_fake{:06}", self.count)
    }

    pub(super) fn add(
        &mut self,
        prefix: &str,
        kind: &str,
        customer: Option<&str>,
        fields: &Value,
        shared: &Shared,
    ) -> String {
        let id = self.next(prefix);
        let created = shared.options.clock.now().micros() / 1_000_000;
        let mut thing =
            json!({ "id": id, "object": kind, "created": created, "livemode": false, "metadata": {} });
        if let (Value::Object(map), Some(more)) = (&mut thing, fields.as_object()) {
            if let Some(customer) = customer {
                map.insert("customer".to_owned(), json!(customer));
            }
            map.extend(more.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        self.things.push(thing);
        id
    }

    pub(super) fn find(&mut self, kind: &str, id: &str) -> Option<&mut Value> {
        self.things.iter_mut().find(|t| t["object"] == kind && t["id"] == id)
    }

    /// Things of a kind whose field is this, the newest first, as every list of Stripe's is.
    pub(super) fn of(&self, kind: &str, field: &str, value: &str) -> Vec<Value> {
        let mine = |t: &&Value| t["object"] == kind && (field.is_empty() || t[field] == value);
        self.things.iter().rev().filter(mine).cloned().collect()
    }
}
