//! What is held of payments.

use serde_json::Value;

use super::Look;
use crate::audit::model::{count, grouped};
use crate::audit::sql::look as sql;
use crate::audit::{Error, Outcome};
use crate::base::{RecordId, SubjectId};
use crate::policy::{Category, Role};
use crate::vault::{Access, Actor, Owner};
use crate::{ledger, vault};

/// The category that both shipped documents keep payments in.
const CATEGORY: &str = "billing";
/// What the program looks for here is what the document calls safety.
const PURPOSE: &str = "security";
const MOST: i64 = 64;

/// Names of fields that would hold what only the payment processor may hold.
const FORBIDDEN: [&str; 8] = ["card-number", "pan", "cvc", "cvv", "card", "expiry", "iban", "account-number"];

/// Opens the newest records of payments, where the document lets the service look, and searches them for card numbers;
/// always looks whether the document declares a field for one.
pub(super) async fn outside(look: &Look<'_>) -> Result<Outcome, Error> {
    let Some(category) = look.policy.category(CATEGORY) else {
        return Ok(Outcome::counted(0, 0, "nothing is held of payments"));
    };
    let bad = category.fields.iter().filter(|f| FORBIDDEN.contains(&f.as_str())).count() as u64;
    if look.policy.may_read(CATEGORY, Role::Service, PURPOSE).is_err() {
        return Ok(by_document(category, bad));
    }
    let rows = {
        let mut tx = look.audit.db.read().await?;
        sql::newest_of(&mut tx, look.tenant, CATEGORY, MOST).await?
    };
    let (mut opened, mut found) = (0, bad);
    for (id, subject) in rows {
        if let Some(value) = open(look, &id, &subject).await? {
            opened += 1;
            found += u64::from(holds_a_card(&value) || has_strange_field(category, &value));
        }
    }
    let figure =
        format!("{} of {} opened hold a card number", grouped(found), count(opened, "record", "records"));
    Ok(Outcome::counted(opened + 1, found, figure))
}

fn by_document(category: &Category, bad: u64) -> Outcome {
    if category.fields.is_empty() {
        return Outcome::cannot_run(
            "the document neither bounds the fields of payments nor lets the program look",
        );
    }
    let fields = category.fields.len() as u64;
    let figure = format!(
        "{} of {} that may be stored could hold a card number",
        grouped(bad),
        count(fields, "field", "fields")
    );
    Outcome::counted(fields, bad, figure)
}

/// A record's value; `None` if it is gone, or restricted.
async fn open(look: &Look<'_>, id: &str, subject: &str) -> Result<Option<Value>, Error> {
    let (Ok(id), Ok(subject)) = (id.parse::<RecordId>(), subject.parse::<SubjectId>()) else {
        return Ok(None);
    };
    let access = Access { actor: &Actor::Service, purpose: PURPOSE };
    match look.audit.vault.record(&Owner::new(look.tenant, subject), &access, id).await {
        Ok(record) => Ok(Some(record.value)),
        Err(
            vault::Error::NotFound
            | vault::Error::Restricted
            | vault::Error::Erasing
            | vault::Error::NoConsent { .. }
            | vault::Error::Ledger(ledger::Error::NotFound),
        ) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

fn has_strange_field(category: &Category, value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.keys().any(|field| !category.has_field(field)))
}

/// Whether a value holds a run of 13 to 19 digits, spaces and dashes aside, that checks out as a card number
/// (ISO/IEC 7812-1).
fn holds_a_card(value: &Value) -> bool {
    match value {
        Value::String(text) => text_holds_a_card(text),
        Value::Number(n) => text_holds_a_card(&n.to_string()),
        Value::Array(all) => all.iter().any(holds_a_card),
        Value::Object(map) => map.values().any(holds_a_card),
        Value::Null | Value::Bool(_) => false,
    }
}

fn text_holds_a_card(text: &str) -> bool {
    let joined: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    joined.split(|c: char| !c.is_ascii_digit()).any(|run| (13..=19).contains(&run.len()) && checks_out(run))
}

/// The check digit by Luhn's formula. All zeroes check out too, and are no card.
fn checks_out(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, b)| {
            let digit = u32::from(b - b'0');
            if i % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    sum > 0 && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn card_numbers_are_found_however_they_are_written() {
        for card in ["4111111111111111", "4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005"] {
            assert!(holds_a_card(&json!({"items": [{"note": format!("paid with {card}")}]})), "{card}");
        }
        assert!(holds_a_card(&json!({"n": 4_111_111_111_111_111_u64})));
        for other in ["4111111111111112", "cus_9s6XKzkNRiz8i3", "in_1MtHbELkdIwHu7ixl4OzzPMv", "2026-11-22"] {
            assert!(!holds_a_card(&json!({"method": other})), "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let _ = text_holds_a_card(&text);
        }
    }
}
