//! What Stripe's answers look like. Only the fields that decide something are read by name.

use serde_json::Value;
use url::form_urlencoded;

use crate::base::Timestamp;

/// A body as Stripe takes it.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

pub(super) fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field)?.as_str()
}

pub(super) fn is_deleted(value: &Value) -> bool {
    value.get("deleted") == Some(&Value::Bool(true))
}

/// When something was made.
pub(super) fn created(value: &Value) -> Option<Timestamp> {
    seconds(value.get("created")?)
}

pub(super) fn seconds(value: &Value) -> Option<Timestamp> {
    Some(Timestamp::from_micros(value.as_i64()?.checked_mul(1_000_000)?))
}

/// What of a customer is personal and can be emptied.
pub(super) const PERSONAL: [&str; 7] =
    ["email", "name", "phone", "description", "address", "shipping", "metadata"];

fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(s)) => s.is_empty(),
        Some(Value::Object(map)) => map.values().all(|v| is_empty(Some(v))),
        Some(Value::Array(all)) => all.is_empty(),
        Some(_) => false,
    }
}

/// Whether nothing personal stands in a customer.
pub(super) fn is_blank(customer: &Value) -> bool {
    PERSONAL.iter().all(|field| is_empty(customer.get(*field)))
}

/// Whether a customer was redacted: it says so, and no personal field holds anything but the mark.
pub(super) fn is_redacted(customer: &Value) -> bool {
    let marked = |field: &str| match customer.get(field) {
        Some(Value::String(s)) => s.is_empty() || s == "[redacted]",
        other => is_empty(other) || all_marked(other),
    };
    let says = customer.get("redaction").is_some_and(|r| !r.is_null())
        || PERSONAL.iter().any(|f| text(customer, f) == Some("[redacted]"));
    says && PERSONAL.iter().all(|f| marked(f))
}

fn all_marked(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Object(map)) => map.values().all(|v| is_empty(Some(v)) || v == "[redacted]"),
        _ => false,
    }
}

/// Removes what would open a door: client secrets, wherever they stand.
pub(super) fn without_secrets(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| !matches!(key.as_str(), "client_secret" | "secret"));
            map.values_mut().for_each(without_secrets);
        }
        Value::Array(all) => all.iter_mut().for_each(without_secrets),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_customer_is_blank_when_nothing_personal_is_left() {
        assert!(is_blank(&json!({"id": "cus_1", "email": null, "name": "", "metadata": {}, "created": 1})));
        for field in PERSONAL {
            assert!(!is_blank(&json!({ field: "x" })), "{field}");
        }
        assert!(!is_blank(&json!({"address": {"line1": "12 Row", "city": null}})));
    }

    #[test]
    fn a_customer_is_redacted_when_it_says_so_and_shows_nothing() {
        assert!(is_redacted(&json!({"redaction": {"job": "j"}, "email": "[redacted]", "name": null})));
        assert!(is_redacted(&json!({"email": "[redacted]", "address": {"line1": "[redacted]"}})));
        assert!(!is_redacted(&json!({"redaction": {"job": "j"}, "email": "ada@example.org"})));
        assert!(!is_redacted(&json!({"email": null})), "an empty one says nothing of a redaction");
    }

    #[test]
    fn secrets_go_wherever_they_stand() {
        let mut value = json!({"a": [{"client_secret": "pi_x_secret_y", "id": "pi_x"}]});
        without_secrets(&mut value);
        assert_eq!(value, json!({"a": [{"id": "pi_x"}]}));
    }
}
