//! Stripe's webhooks: what the signature must be, and the few things that are read from an event.

use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::wire::{seconds, text};
use super::{is_customer, is_word};
use crate::base::Secret;

/// The webhook is not Stripe's, is too old, or cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is not one of Stripe's")]
pub struct Forged;

/// What a webhook says, as far as it concerns us.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id: the same one means the same message.
    pub id: String,
    /// What happened, in Stripe's words.
    pub kind: String,
    /// Whose customer it is about.
    pub customer: Option<String>,
    /// The account with us that the app wrote into the customer's metadata, or gave a checkout as its reference.
    pub account: Option<String>,
    /// The invoice, of an invoice that is final.
    pub invoice: Option<PaidInvoice>,
}

/// An invoice in the words of the documents.
#[derive(Clone, PartialEq)]
pub struct PaidInvoice {
    /// Its number.
    pub number: String,
    /// Its fields by their names in the documents.
    pub fields: Value,
}

impl std::fmt::Debug for PaidInvoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PaidInvoice(…)")
    }
}

/// The key under which an app writes an account of ours into a customer's metadata.
const METADATA: &str = "vouchsafe_subject";
/// What is told of an invoice that will not change any more.
const FINAL: [&str; 3] = ["invoice.finalized", "invoice.paid", "invoice.payment_succeeded"];

/// Checks a `Stripe-Signature` (`t=…,v1=…[,v1=…]`) over the raw body: HMAC-SHA256 under the whole text of any secret, and
/// a time that is near ours.
pub(super) fn verify(
    secrets: &[Secret<String>],
    header: &str,
    body: &[u8],
    (now, tolerance): (i64, i64),
) -> Result<(), Forged> {
    let mut at = None;
    let mut given: Vec<Vec<u8>> = Vec::new();
    for (name, value) in header.split(',').filter_map(|part| part.trim().split_once('=')) {
        match name {
            "t" if at.is_none() => at = Some(value),
            "t" => return Err(Forged),
            // Both are sent while a secret is being replaced.
            "v1" if given.len() < 8 => given.extend(hex::decode(value).ok()),
            _ => {}
        }
    }
    let at = at.ok_or(Forged)?;
    let seconds: i64 = at.parse().map_err(|_| Forged)?;
    if (i128::from(now) - i128::from(seconds)).abs() > i128::from(tolerance) {
        return Err(Forged);
    }
    let right = secrets.iter().any(|secret| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return false };
        mac.update(at.as_bytes());
        mac.update(b".");
        mac.update(body);
        given.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    });
    if right { Ok(()) } else { Err(Forged) }
}

/// Reads an event whose signature was checked.
pub fn read_event(body: &[u8]) -> Result<Event, Forged> {
    let event: Value = serde_json::from_slice(body).map_err(|_| Forged)?;
    let (id, kind) = (text(&event, "id"), text(&event, "type"));
    let (Some(id), Some(kind)) = (id.filter(|i| is_word(i) && i.len() <= 255), kind) else {
        return Err(Forged);
    };
    let none = Value::Null;
    let object = event.pointer("/data/object").unwrap_or(&none);
    let is_itself = text(object, "object") == Some("customer");
    let customer = if is_itself { text(object, "id") } else { text(object, "customer") };
    let metadata = object.get("metadata").and_then(|m| text(m, METADATA));
    Ok(Event {
        id: id.to_owned(),
        kind: kind.to_owned(),
        customer: customer.filter(|c| is_customer(c)).map(ToOwned::to_owned),
        account: metadata.or_else(|| text(object, "client_reference_id")).map(ToOwned::to_owned),
        invoice: if FINAL.contains(&kind) { PaidInvoice::of(object) } else { None },
    })
}

impl PaidInvoice {
    /// An invoice of Stripe's in the words of the documents. None, if it has no number yet: then it is a draft.
    pub fn of(invoice: &Value) -> Option<Self> {
        let number = text(invoice, "number").filter(|n| !n.is_empty() && n.len() <= 64)?;
        let made = invoice.pointer("/status_transitions/finalized_at").and_then(seconds);
        let made = made.or_else(|| seconds(invoice.get("created")?))?;
        let mut fields = json!({
            "invoice-number": number,
            "invoice-date": made.to_utc().format("%Y-%m-%d").to_string(),
        });
        let lines = invoice.pointer("/lines/data").and_then(Value::as_array).map(Vec::as_slice);
        let items: Vec<&str> =
            lines.unwrap_or_default().iter().filter_map(|l| text(l, "description")).collect();
        let more = [
            ("amount", invoice.get("total").filter(|v| v.is_i64()).cloned()),
            ("currency", text(invoice, "currency").map(|c| c.to_uppercase().into())),
            ("country", invoice.pointer("/customer_address/country").filter(|v| v.is_string()).cloned()),
            (
                "tax-rate",
                invoice.pointer("/default_tax_rates/0/percentage").filter(|v| v.is_number()).cloned(),
            ),
            ("name", text(invoice, "customer_name").map(Into::into)),
            ("email", text(invoice, "customer_email").map(Into::into)),
            ("items", (!items.is_empty()).then(|| items.join("; ").into())),
            ("stripe-customer", text(invoice, "customer").map(Into::into)),
            ("stripe-payment", text(invoice, "payment_intent").or(text(invoice, "id")).map(Into::into)),
        ];
        if let Value::Object(map) = &mut fields {
            map.extend(more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        Some(Self { number: number.to_owned(), fields })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1","type":"customer.deleted"}"#;
    const RIGHT: &str = "ae837921e1607bc4302c61dfa885965782bf74a1ce8caec5a034619cb69300b3";
    const AT: i64 = 1_700_000_000;

    fn secrets(all: &[&str]) -> Vec<Secret<String>> {
        all.iter().map(|s| Secret::new((*s).to_owned())).collect()
    }

    fn check(all: &[&str], header: &str, now: i64) -> Result<(), Forged> {
        verify(&secrets(all), header, BODY, (now, 300))
    }

    #[test]
    fn the_vector_holds_and_nothing_near_it_does() {
        let ours = ["whsec_test_abc123"];
        assert_eq!(check(&ours, &format!("t={AT},v1={RIGHT}"), AT), Ok(()));
        assert_eq!(check(&ours, &format!("t={AT},v0=aa,v1={RIGHT}"), AT + 300), Ok(()));
        for header in [
            format!("t={AT},v0={RIGHT}"),
            format!("t={},v1={RIGHT}", AT + 1),
            format!("v1={RIGHT}"),
            format!("t={AT},t={AT},v1={RIGHT}"),
            format!("t={AT},v1={}", &RIGHT[2..]),
            String::new(),
        ] {
            assert_eq!(check(&ours, &header, AT), Err(Forged), "{header}");
        }
        assert_eq!(check(&ours, &format!("t={AT},v1={RIGHT}"), AT + 301), Err(Forged), "too old");
        assert_eq!(check(&ours, &format!("t={AT},v1={RIGHT}"), AT - 301), Err(Forged), "of the future");
        assert_eq!(check(&["whsec_other"], &format!("t={AT},v1={RIGHT}"), AT), Err(Forged));
        assert_eq!(check(&[], &format!("t={AT},v1={RIGHT}"), AT), Err(Forged), "no secret lets nobody in");
    }

    #[test]
    fn while_a_secret_is_replaced_either_signature_will_do() {
        let other = "00".repeat(32);
        for header in [format!("t={AT},v1={RIGHT},v1={other}"), format!("t={AT},v1={other},v1={RIGHT}")] {
            assert_eq!(check(&["whsec_new", "whsec_test_abc123"], &header, AT), Ok(()));
        }
    }

    #[test]
    fn an_invoice_is_read_in_the_documents_words() {
        let body = json!({"id": "evt_2", "type": "invoice.paid", "data": {"object": {
            "object": "invoice", "id": "in_1", "number": "A-7", "customer": "cus_1", "total": 1900, "currency": "eur",
            "created": AT, "customer_name": "Ada", "customer_address": {"country": "DE"},
            "lines": {"data": [{"description": "100 credits"}]},
        }}});
        let event = read_event(body.to_string().as_bytes()).unwrap();
        assert_eq!(event.customer.as_deref(), Some("cus_1"));
        let fields = event.invoice.unwrap().fields;
        assert_eq!(fields["invoice-date"], "2023-11-14");
        assert_eq!((&fields["amount"], &fields["currency"]), (&json!(1900), &json!("EUR")));
    }

    #[test]
    fn an_invoice_of_any_shape_is_read_or_left_and_says_nothing_that_is_not_in_it() {
        let whole = json!({
            "number": "A-7", "total": 1900, "currency": "eur", "created": AT, "customer": "cus_1",
            "customer_name": "Ada", "customer_address": {"country": "DE"}, "lines": {"data": [{"description": "x"}]},
            "status_transitions": {"finalized_at": AT}, "default_tax_rates": [{"percentage": 19.0}],
        });
        let strange = [
            json!(null),
            json!([]),
            json!({}),
            json!(""),
            json!(-1),
            json!(i64::MAX),
            json!("x".repeat(9999)),
        ];
        for field in whole.as_object().unwrap().keys() {
            for value in &strange {
                let mut changed = whole.clone();
                changed[field.as_str()] = value.clone();
                let Some(read) = PaidInvoice::of(&changed) else { continue };
                let fields = read.fields.as_object().unwrap();
                assert!(
                    fields["invoice-number"].is_string() && fields["invoice-date"].is_string(),
                    "{field} {value}"
                );
                assert!(
                    fields.values().all(|v| !v.is_null() && !v.is_object()),
                    "{field} {value}: {fields:?}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn no_header_and_no_body_makes_it_panic(header in "\\PC{0,200}", body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = verify(&secrets(&["whsec_x"]), &header, &body, (AT, 300));
            let _ = read_event(&body);
        }

        #[test]
        fn no_time_makes_it_overflow(at: i64, now: i64) {
            let _ = check(&["whsec_x"], &format!("t={at},v1={RIGHT}"), now);
        }
    }
}
