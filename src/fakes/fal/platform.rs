//! The platform API: deletion of payloads, and the history.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::queue::keeps_file;
use super::state::{Job, Phase};
use super::{FakeFal, is_keyed};
use crate::base::Timestamp;
use crate::fakes::At;

pub(super) async fn delete_payloads(
    State(fake): State<FakeFal>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !is_keyed(&fake, &headers, &[FakeFal::ADMIN_KEY]) {
        return error(StatusCode::FORBIDDEN, "authorization_error");
    }
    fake.with(|inner, shared| {
        if let Some(fault) = inner.script.take(At::Delete) {
            return fault.answer();
        }
        let base = shared.base.clone();
        let Some(job) = inner.job(&id) else { return error(StatusCode::NOT_FOUND, "not_found") };
        if !matches!(job.phase, Phase::Ended { .. }) {
            inner.complaints.push("deletion before the end".to_owned());
            return error(StatusCode::BAD_REQUEST, "validation_error");
        }
        let keeps = keeps_file(job);
        job.stores = false;
        job.erased = true;
        let results: Vec<Value> = inner
            .files
            .iter()
            .filter(|f| f.job == id)
            .map(|f| {
                let exception = keeps.then_some("storage backend said no");
                json!({ "link": format!("{base}/files/{}", f.name), "exception": exception })
            })
            .collect();
        if !keeps {
            inner.files.retain(|f| f.job != id);
        }
        Json(json!({ "cdn_delete_results": results })).into_response()
    })
}

#[derive(Deserialize)]
pub(super) struct Asked {
    endpoint_id: Option<String>,
    request_id: Option<String>,
    start: Option<String>,
    end: Option<String>,
    expand: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn history(
    State(fake): State<FakeFal>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    if !is_keyed(&fake, &headers, &[FakeFal::KEY, FakeFal::ADMIN_KEY]) {
        return error(StatusCode::UNAUTHORIZED, "authorization_error");
    }
    let Some(endpoint) = asked.endpoint_id else { return error(StatusCode::BAD_REQUEST, "validation_error") };
    if asked.limit.is_some_and(|n| n == 0 || n > 100) {
        return error(StatusCode::BAD_REQUEST, "validation_error");
    }
    let time = |text: &Option<String>| text.as_deref().and_then(Timestamp::parse_rfc3339);
    let (start, end) = (time(&asked.start), time(&asked.end));
    let payloads = asked.expand.as_deref() == Some("payloads");
    fake.with(|inner, _| {
        let wanted = |j: &&Job| {
            j.endpoint == endpoint
                && asked.request_id.as_ref().is_none_or(|id| *id == j.id)
                && start.is_none_or(|t| j.put >= t)
                && end.is_none_or(|t| j.put <= t)
        };
        let items: Vec<Value> = inner.jobs.iter().filter(wanted).map(|j| item(j, payloads)).collect();
        Json(json!({ "items": items, "has_more": false, "next_cursor": null })).into_response()
    })
}

fn item(job: &Job, payloads: bool) -> Value {
    let mut item = json!({
        "request_id": job.id, "endpoint_id": job.endpoint, "sent_at": job.put.rfc3339(),
    });
    if let Phase::Ended { status, body, .. } = &job.phase {
        item["status_code"] = json!(status);
        if payloads && job.stores {
            item["json_input"] = job.input.clone();
            item["json_output"] = body.clone();
        }
    }
    item
}

fn error(status: StatusCode, kind: &str) -> Response {
    (status, Json(json!({ "error": { "type": kind, "message": "no" } }))).into_response()
}
