//! The calls that the Stripe stand-in knows, and what the real one would refuse of them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::state::Inner;
use super::{Call, FakeStripe, Refusal, Shared, missing, redaction, refuse};

/// Lists by customer: the path below `/v1`, and what lies in it.
const LISTS: [(&str, &str); 9] = [
    ("charges", "charge"),
    ("payment_intents", "payment_intent"),
    ("setup_intents", "setup_intent"),
    ("invoices", "invoice"),
    ("invoiceitems", "invoiceitem"),
    ("subscriptions", "subscription"),
    ("credit_notes", "credit_note"),
    ("quotes", "quote"),
    ("checkout/sessions", "checkout.session"),
];

const BELOW: [(&str, &str); 4] = [
    ("payment_methods", "payment_method"),
    ("sources", "source"),
    ("tax_ids", "tax_id"),
    ("balance_transactions", "customer_balance_transaction"),
];

const CHANGEABLE: [&str; 7] = ["email", "name", "phone", "description", "address", "shipping", "metadata"];

pub(super) fn answer(fake: &FakeStripe, call: &Call) -> Response {
    fake.with(|inner, shared| {
        if call.method != "GET" {
            inner.changes.push(format!("{} /{}", call.method, call.path.join("/")));
        }
        if call.method == "POST" { once(inner, shared, call) } else { run(inner, shared, call) }
    })
}

/// A POST under a name is done once; the same name with something else in it is a mistake.
fn once(inner: &mut Inner, shared: &Shared, call: &Call) -> Response {
    let key = call.header("idempotency-key").to_owned();
    if key.is_empty() || key.len() > 255 {
        inner.complaints.push("a change without an idempotency key".to_owned());
        return run(inner, shared, call);
    }
    let asked = format!("{:?} {:?}", call.path, call.form);
    if let Some((before, status, body)) = inner.once.get(&key) {
        if *before != asked {
            inner.complaints.push("an idempotency key was used for something else".to_owned());
            return refuse(StatusCode::BAD_REQUEST, "idempotency_error", "another request had this key")
                .into_response();
        }
        let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::OK);
        return (status, Json(body.clone())).into_response();
    }
    match act(inner, shared, call) {
        Ok(body) => {
            inner.once.insert(key, (asked, 200, body.clone()));
            Json(body).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

fn run(inner: &mut Inner, shared: &Shared, call: &Call) -> Response {
    match act(inner, shared, call) {
        Ok(body) => Json(body).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn act(inner: &mut Inner, shared: &Shared, call: &Call) -> Result<Value, Refusal> {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    let Some(("v1", rest)) = path.split_first().map(|(first, rest)| (*first, rest)) else {
        inner.complaints.push(format!("no such path: /{}", call.path.join("/")));
        return Err(missing());
    };
    match (call.method.as_str(), rest) {
        (_, ["privacy", "redaction_jobs", ..]) => redaction::act(inner, shared, call, rest),
        ("GET", ["customers", id]) => {
            let found = inner.find("customer", id).cloned().ok_or_else(missing)?;
            Ok(if found["deleted"] == true { gone(id) } else { found })
        }
        ("POST", ["customers", id]) => change(inner, id, call),
        ("DELETE", ["customers", id]) => delete(inner, id),
        ("GET", ["customers", id, list]) => below(inner, id, list, call),
        ("DELETE", ["subscriptions", id]) => set(inner, ("subscription", id), "status", "canceled"),
        ("POST", ["payment_methods", id, "detach"]) => {
            let method = inner.find("payment_method", id).ok_or_else(missing)?;
            method["customer"] = Value::Null;
            Ok(method.clone())
        }
        ("POST", ["invoices", id, "void"]) => {
            let stands = inner.find("invoice", id).ok_or_else(missing)?["status"].clone();
            if stands != "open" && stands != "uncollectible" {
                inner.complaints.push(format!("an invoice that is {stands} cannot be voided"));
                return Err(refuse(StatusCode::BAD_REQUEST, "invalid_request_error", "not open"));
            }
            set(inner, ("invoice", id), "status", "void")
        }
        ("DELETE", ["invoices", id]) => {
            if inner.find("invoice", id).ok_or_else(missing)?["status"] != "draft" {
                inner.complaints.push("only a draft can be deleted".to_owned());
                return Err(refuse(StatusCode::BAD_REQUEST, "invalid_request_error", "not a draft"));
            }
            inner.things.retain(|t| t["id"] != *id);
            Ok(json!({ "id": id, "object": "invoice", "deleted": true }))
        }
        ("GET", ["invoices", id, "lines"]) => {
            let lines = inner.find("invoice", id).ok_or_else(missing)?["all_lines"].clone();
            page(inner, lines.as_array().map(Vec::as_slice).unwrap_or_default(), call)
        }
        ("POST", ["payment_intents", id, "cancel"]) => cancel(inner, "payment_intent", id),
        ("POST", ["setup_intents", id, "cancel"]) => cancel(inner, "setup_intent", id),
        ("GET", ["refunds"]) => by(inner, "refund", "charge", call),
        ("GET", ["disputes"]) => by(inner, "dispute", "charge", call),
        ("GET", list) => match LISTS.iter().find(|(path, _)| *path == list.join("/")) {
            Some((_, kind)) => by(inner, kind, "customer", call),
            None => Err(unknown(inner, call)),
        },
        _ => Err(unknown(inner, call)),
    }
}

fn unknown(inner: &mut Inner, call: &Call) -> Refusal {
    inner.complaints.push(format!("no such call: {} /{}", call.method, call.path.join("/")));
    missing()
}

fn gone(id: &str) -> Value {
    json!({ "id": id, "object": "customer", "deleted": true })
}

fn set(inner: &mut Inner, (kind, id): (&str, &str), field: &str, value: &str) -> Result<Value, Refusal> {
    let thing = inner.find(kind, id).ok_or_else(missing)?;
    thing[field] = json!(value);
    Ok(thing.clone())
}

fn cancel(inner: &mut Inner, kind: &str, id: &str) -> Result<Value, Refusal> {
    let stands = inner.find(kind, id).ok_or_else(missing)?["status"].clone();
    if stands == "succeeded" || stands == "canceled" {
        inner.complaints.push(format!("a {kind} that is {stands} cannot be cancelled"));
        return Err(refuse(StatusCode::BAD_REQUEST, "invalid_request_error", "too late"));
    }
    set(inner, (kind, id), "status", "canceled")
}

fn change(inner: &mut Inner, id: &str, call: &Call) -> Result<Value, Refusal> {
    if let Some((odd, _)) = call.form.iter().find(|(name, _)| !CHANGEABLE.contains(&name.as_str())) {
        inner.complaints.push(format!("a customer has no field {odd}"));
        return Err(refuse(StatusCode::BAD_REQUEST, "invalid_request_error", "unknown parameter"));
    }
    let customer = inner.find("customer", id).ok_or_else(missing)?;
    if customer["deleted"] == true {
        return Err(missing());
    }
    for (name, value) in &call.form {
        customer[name.as_str()] = match (name.as_str(), value.as_str()) {
            ("metadata", "") => json!({}),
            (_, "") => Value::Null,
            (_, value) => json!(value),
        };
    }
    Ok(customer.clone())
}

/// Deleting cancels subscriptions and lets payment methods go; charges and invoices stay as they are.
fn delete(inner: &mut Inner, id: &str) -> Result<Value, Refusal> {
    let customer = inner.find("customer", id).ok_or_else(missing)?;
    if customer["deleted"] == true {
        return Err(missing());
    }
    customer["deleted"] = json!(true);
    for thing in inner.things.iter_mut().filter(|t| t["customer"] == id) {
        match thing["object"].as_str() {
            Some("subscription") => thing["status"] = json!("canceled"),
            Some("payment_method") => thing["customer"] = Value::Null,
            _ => {}
        }
    }
    Ok(gone(id))
}

fn below(inner: &mut Inner, id: &str, list: &str, call: &Call) -> Result<Value, Refusal> {
    if inner.find("customer", id).ok_or_else(missing)?["deleted"] == true {
        inner.complaints.push("a deleted customer was asked for what belongs to it".to_owned());
        return Err(missing());
    }
    let Some((_, kind)) = BELOW.iter().find(|(name, _)| *name == list) else {
        return Err(unknown(inner, call));
    };
    let all = inner.of(kind, "customer", id);
    page(inner, &all, call)
}

fn by(inner: &mut Inner, kind: &str, field: &str, call: &Call) -> Result<Value, Refusal> {
    let Some(value) = call.asked(field).map(ToOwned::to_owned) else {
        inner.complaints.push(format!("a list of every {kind} was asked for"));
        return Err(refuse(StatusCode::BAD_REQUEST, "invalid_request_error", "say of whom"));
    };
    let mut all = inner.of(kind, field, &value);
    if kind == "subscription" && call.asked("status") != Some("all") {
        all.retain(|s| s["status"] != "canceled");
    }
    page(inner, &all, call)
}

/// A page: a hundred at most, after the last one seen.
pub(super) fn page(inner: &mut Inner, all: &[Value], call: &Call) -> Result<Value, Refusal> {
    let limit: usize = call.asked("limit").and_then(|l| l.parse().ok()).unwrap_or(10);
    if limit == 0 || limit > 100 {
        inner.complaints.push("a page has a hundred at most".to_owned());
        return Err(refuse(StatusCode::BAD_REQUEST, "invalid_request_error", "limit"));
    }
    let from = match call.asked("starting_after") {
        None => 0,
        Some(after) => match all.iter().position(|t| t["id"] == after) {
            Some(at) => at + 1,
            None => return Err(missing()),
        },
    };
    let rest = all.get(from..).unwrap_or_default();
    let data: Vec<Value> = rest.iter().take(limit).cloned().map(shown).collect();
    Ok(json!({ "object": "list", "has_more": rest.len() > limit, "url": "/v1", "data": data }))
}

/// An invoice shows its first ten lines.
fn shown(mut thing: Value) -> Value {
    let all = thing.as_object_mut().and_then(|t: &mut Map<String, Value>| t.remove("all_lines"));
    if let Some(Value::Array(lines)) = all {
        let first: Vec<Value> = lines.iter().take(10).cloned().collect();
        thing["lines"] = json!({ "object": "list", "has_more": lines.len() > 10, "data": first });
    }
    thing
}
