//! The queue and the files.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Job, Phase, Picture};
use super::{FakeFal, check, fetcher, is_keyed};
use crate::fakes::{At, Fault, Plan, edit};

#[derive(Deserialize)]
pub(super) struct Asked {
    fal_webhook: Option<String>,
}

pub(super) async fn submit(
    State(fake): State<FakeFal>,
    uri: Uri,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    raw: Bytes,
) -> Response {
    if !is_keyed(&fake, &headers, &[FakeFal::KEY]) {
        return unauthorised();
    }
    let fault = fake.with(|inner, _| inner.script.take(At::Submit));
    if let Some(fault) = fault.as_ref().filter(|f| !f.takes_effect()) {
        return fault.answer();
    }
    let endpoint = uri.path().trim_start_matches('/').to_owned();
    let body: Value = serde_json::from_slice(&raw).unwrap_or_default();
    if let Err(field) = check::input(&body, endpoint.ends_with("/multi")) {
        fake.with(|inner, _| inner.complaints.push(format!("input field refused: {field}")));
        let detail =
            json!([{ "loc": ["body", field], "msg": "invalid", "type": "value_error", "input": body }]);
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "detail": detail }))).into_response();
    }
    if let Some(wrong) = check::weight(&body).or_else(|| check::webhook(asked.fal_webhook.as_deref())) {
        fake.with(|inner, _| inner.complaints.push(wrong.to_owned()));
        let detail = json!([{ "loc": ["body"], "msg": wrong, "type": "value_error" }]);
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "detail": detail }))).into_response();
    }
    fake.with(|inner, _| inner.links.extend(check::links(&body)));
    let pictures = pictures(&body).await;
    let id = uuid_like(&fake);
    fake.with(|inner, shared| {
        inner.complaints.extend(check::privacy(&headers));
        let plan = inner.script.next_plan();
        inner.jobs.push(Job {
            id: id.clone(),
            endpoint,
            input: body,
            webhook: asked.fal_webhook,
            stores: headers.get("x-fal-store-io").is_none_or(|v| v != "0"),
            lifetime: check::lifetime(&headers),
            plan,
            put: shared.options.clock.now(),
            polls: 0,
            phase: Phase::Queued,
            cancelled: false,
            erased: false,
            pictures,
        });
    });
    let base = match &fault {
        Some(Fault::ForeignLinks(base)) => base.clone(),
        Some(fault) => return fault.answer(),
        None => fake.base().to_owned(),
    };
    let links = format!("{base}/fal-ai/flux-pro/requests/{id}");
    Json(json!({
        "status": "IN_QUEUE", "request_id": id, "response_url": links, "status_url": format!("{links}/status"),
        "cancel_url": format!("{links}/cancel"), "queue_position": 0,
    }))
    .into_response()
}

pub(super) async fn status(
    State(fake): State<FakeFal>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !is_keyed(&fake, &headers, &[FakeFal::KEY]) {
        return unauthorised();
    }
    fake.with(|inner, shared| {
        if let Some(fault) = inner.script.take(At::Status) {
            return fault.answer();
        }
        inner.polled(&id, shared);
        inner.advance(shared);
        let Some(job) = inner.job(&id) else { return not_found() };
        match &job.phase {
            Phase::Queued => {
                let body = json!({ "status": "IN_QUEUE", "request_id": id, "queue_position": 1 });
                (StatusCode::ACCEPTED, Json(body)).into_response()
            }
            Phase::Running => {
                let body = json!({ "status": "IN_PROGRESS", "request_id": id, "logs": null });
                (StatusCode::ACCEPTED, Json(body)).into_response()
            }
            Phase::Ended { status: 200, .. } => {
                Json(json!({ "status": "COMPLETED", "request_id": id, "metrics": { "inference_time": 1.5 } }))
                    .into_response()
            }
            Phase::Ended { body, .. } => {
                let kind = body["error_type"].as_str().or(body["detail"][0]["type"].as_str());
                let told = json!({ "status": "COMPLETED", "request_id": id, "error": "it failed", "error_type": kind });
                Json(told).into_response()
            }
        }
    })
}

pub(super) async fn result(
    State(fake): State<FakeFal>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !is_keyed(&fake, &headers, &[FakeFal::KEY]) {
        return unauthorised();
    }
    fake.with(|inner, shared| {
        if let Some(fault) = inner.script.take(At::Result) {
            return fault.answer();
        }
        inner.advance(shared);
        let now = shared.options.clock.now();
        let Some(job) = inner.job(&id) else { return not_found() };
        if !matches!(job.phase, Phase::Ended { .. }) {
            return (StatusCode::BAD_REQUEST, Json(json!({ "detail": "Request is still in progress" })))
                .into_response();
        }
        match job.result(now) {
            Some((status, body)) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, Json(body.clone())).into_response()
            }
            None => not_found(),
        }
    })
}

pub(super) async fn cancel(
    State(fake): State<FakeFal>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !is_keyed(&fake, &headers, &[FakeFal::KEY]) {
        return unauthorised();
    }
    let answer = |status: StatusCode, word: &str| (status, Json(json!({ "status": word }))).into_response();
    fake.with(|inner, _| {
        if let Some(fault) = inner.script.take(At::Cancel) {
            return fault.answer();
        }
        match inner.job(&id) {
            None => not_found(),
            Some(job) if matches!(job.phase, Phase::Ended { .. }) => {
                answer(StatusCode::BAD_REQUEST, "ALREADY_COMPLETED")
            }
            Some(job) => {
                job.cancelled = true;
                answer(StatusCode::ACCEPTED, "CANCELLATION_REQUESTED")
            }
        }
    })
}

pub(super) async fn file(
    State(fake): State<FakeFal>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    fake.with(|inner, shared| {
        if headers.contains_key("authorization") {
            inner.complaints.push("the key was sent to the file host".to_owned());
        }
        if let Some(fault) = inner.script.take(At::Output) {
            return fault.answer();
        }
        inner.advance(shared);
        match inner.files.iter().find(|f| f.name == name) {
            Some(f) => {
                inner.fetched += 1;
                ([(header::CONTENT_TYPE, f.kind)], f.bytes.clone()).into_response()
            }
            None => StatusCode::NOT_FOUND.into_response(),
        }
    })
}

/// Makes the pictures beforehand, away from the server's own threads.
async fn pictures(body: &Value) -> Result<Vec<Picture>, &'static str> {
    let links: Vec<&str> = match &body["image_urls"] {
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => body["image_url"].as_str().into_iter().collect(),
    };
    let mut inputs = Vec::new();
    for link in links {
        let bytes = match edit::from_data_url(link) {
            Some(bytes) => Some(bytes),
            None => fetcher().fetch(link).await,
        };
        inputs.push(bytes.ok_or("file_download_error")?);
    }
    let (prompt, seed) = (body["prompt"].as_str().unwrap_or_default().to_owned(), body["seed"].as_u64());
    let (png, count) = (body["output_format"] == "png", body["num_images"].as_u64().unwrap_or(1));
    let make = move || -> Option<Vec<Picture>> {
        let inputs: Vec<_> = inputs.iter().map(|b| edit::decode(b)).collect::<Option<_>>()?;
        let one = |n| {
            let picture = edit::edit(&inputs, &prompt, seed.unwrap_or(0) + n)?;
            Some(Picture {
                bytes: edit::encode(&picture, png)?,
                width: picture.width(),
                height: picture.height(),
            })
        };
        (0..count).map(one).collect()
    };
    tokio::task::spawn_blocking(make).await.ok().flatten().ok_or("image_load_error")
}

fn uuid_like(fake: &FakeFal) -> String {
    let raw: [u8; 16] = fake.0.options.entropy.bytes();
    uuid::Builder::from_random_bytes(raw).into_uuid().to_string()
}

fn unauthorised() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "detail": "Authentication is required" }))).into_response()
}

pub(super) fn not_found() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "status": "NOT_FOUND" }))).into_response()
}

/// Whether a job's file outlives its deletion.
pub(super) fn keeps_file(job: &Job) -> bool {
    job.plan == Plan::KeepFile
}
