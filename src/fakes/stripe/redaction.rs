//! Redaction jobs, as the public preview has them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::state::Inner;
use super::{Call, Refusal, Shared, api, missing, refuse};

/// Stripe redacts what is this old, in seconds.
const OLD_ENOUGH: i64 = 90 * 86_400;

pub(super) fn act(inner: &mut Inner, shared: &Shared, call: &Call, rest: &[&str]) -> Result<Value, Refusal> {
    if !call.header("stripe-version").ends_with(".preview") {
        inner.complaints.push("redaction is known to preview versions only".to_owned());
        return Err(refuse(StatusCode::BAD_REQUEST, "invalid_request_error", "unrecognized request URL"));
    }
    if inner.no_redaction {
        return Err(refuse(StatusCode::FORBIDDEN, "invalid_request_error", "not enabled for this account"));
    }
    let kind = "privacy.redaction_job";
    match (call.method.as_str(), rest) {
        ("GET", [_, _]) => {
            let all = inner.of(kind, "", "");
            api::page(inner, &all, call)
        }
        ("POST", [_, _]) => create(inner, shared, call),
        ("GET", [_, _, id]) => {
            let job = inner.find(kind, id).ok_or_else(missing)?;
            let shown = job.clone();
            // Each look finds it one step further.
            match job["status"].as_str() {
                Some("created") => job["status"] = json!("validating"),
                Some("validating") => job["status"] = json!("ready"),
                Some("redacting") => {
                    job["status"] = json!("succeeded");
                    let customers = job["objects"]["customers"].as_array().cloned().unwrap_or_default();
                    let id = id.to_string();
                    customers.iter().filter_map(Value::as_str).for_each(|c| redact(inner, c, &id));
                }
                _ => {}
            }
            Ok(shown)
        }
        ("POST", [_, _, id, "run"]) => {
            let job = inner.find(kind, id).ok_or_else(missing)?;
            if job["status"] != "ready" {
                inner.complaints.push("a redaction was run before it was ready".to_owned());
                return Err(refuse(StatusCode::BAD_REQUEST, "invalid_request_error", "not ready"));
            }
            job["status"] = json!("redacting");
            Ok(job.clone())
        }
        ("POST", [_, _, id, "validate"]) => {
            let job = inner.find(kind, id).ok_or_else(missing)?;
            job["status"] = json!("validating");
            Ok(job.clone())
        }
        _ => {
            inner.complaints.push(format!("no such call: {} /{}", call.method, call.path.join("/")));
            Err(missing())
        }
    }
}

fn create(inner: &mut Inner, shared: &Shared, call: &Call) -> Result<Value, Refusal> {
    let customers: Vec<&str> =
        call.form.iter().filter(|(n, _)| n == "objects[customers][]").map(|(_, v)| v.as_str()).collect();
    if customers.is_empty() || customers.len() > 10 {
        inner.complaints.push("a redaction takes one to ten objects".to_owned());
        return Err(refuse(StatusCode::BAD_REQUEST, "invalid_request_error", "too_many_objects"));
    }
    let now = shared.options.clock.now().micros() / 1_000_000;
    let young = |t: &&Value| {
        matches!(t["object"].as_str(), Some("charge" | "invoice"))
            && customers.iter().any(|c| t["customer"] == *c)
            && now - t["created"].as_i64().unwrap_or(now) < OLD_ENOUGH
    };
    let running = |t: &&Value| {
        t["object"] == "subscription"
            && customers.iter().any(|c| t["customer"] == *c)
            && t["status"] != "canceled"
    };
    let bad = inner.things.iter().any(|t| young(&t) || running(&t));
    if bad {
        inner.complaints.push("a redaction was asked for before its time".to_owned());
    }
    let fields = json!({
        "objects": { "customers": customers }, "status": if bad { "failed" } else { "created" },
    });
    let id = inner.add("prj", "privacy.redaction_job", None, &fields, shared);
    inner.find("privacy.redaction_job", &id).cloned().ok_or_else(missing)
}

/// The customer, and what the job reaches from there.
fn redact(inner: &mut Inner, customer: &str, job: &str) {
    const PERSONAL: [&str; 9] = [
        "email",
        "name",
        "phone",
        "description",
        "receipt_email",
        "customer_email",
        "customer_name",
        "billing_details",
        "customer_address",
    ];
    for thing in &mut inner.things {
        if thing["id"] != customer && thing["customer"] != customer {
            continue;
        }
        for field in PERSONAL {
            if !thing[field].is_null() {
                thing[field] = json!("[redacted]");
            }
        }
        if thing["id"] == customer {
            thing["redaction"] = json!({ "status": "redacted", "job": job });
            thing["metadata"] = json!({});
            thing["deleted"] = json!(false);
        }
    }
}
