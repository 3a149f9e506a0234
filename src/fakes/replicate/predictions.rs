//! Predictions.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::Prediction;
use super::{FakeReplicate, check, is_keyed, problem};
use crate::base::Timestamp;
use crate::fakes::post::Post;
use crate::fakes::{At, Pace, Plan, edit};

/// Rows a page of the list.
const PAGE: usize = 100;

pub(super) async fn create(
    State(fake): State<FakeReplicate>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
    raw: Bytes,
) -> Response {
    put(&fake, &format!("{owner}/{name}"), &headers, &raw).await
}

pub(super) async fn create_version(
    State(fake): State<FakeReplicate>,
    headers: HeaderMap,
    raw: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&raw).unwrap_or_default();
    match body["version"].as_str() {
        Some(version) => put(&fake, version, &headers, &raw).await,
        None => problem(StatusCode::UNPROCESSABLE_ENTITY),
    }
}

async fn put(fake: &FakeReplicate, model: &str, headers: &HeaderMap, raw: &[u8]) -> Response {
    if !is_keyed(fake, headers) {
        return problem(StatusCode::UNAUTHORIZED);
    }
    let fault = fake.with(|inner, _| inner.script.take(At::Submit));
    if let Some(fault) = fault.as_ref().filter(|f| !f.takes_effect()) {
        return fault.answer();
    }
    let body: Value = serde_json::from_slice(raw).unwrap_or_default();
    let (Ok(after), Ok(wait)) = (check::cancel_after(headers), check::wait(headers)) else {
        fake.with(|inner, _| inner.complaints.push("header refused".to_owned()));
        return problem(StatusCode::UNPROCESSABLE_ENTITY);
    };
    if let Err(field) = check::body(&body, model.contains("multi-image")) {
        fake.with(|inner, _| inner.complaints.push(format!("field refused: {field}")));
        return problem(StatusCode::UNPROCESSABLE_ENTITY);
    }
    let picture = picture(fake, &body["input"]).await;
    let id = hex::encode(fake.0.options.entropy.bytes::<13>());
    fake.with(|inner, shared| {
        if after.is_none() {
            inner.complaints.push("a prediction without a deadline".to_owned());
        }
        let created = shared.options.clock.now();
        inner.waits.push(wait);
        let plan = inner.script.next_plan();
        inner.predictions.push(Prediction {
            id: id.clone(),
            model: model.to_owned(),
            input: body["input"].clone(),
            output: Value::Null,
            error: Value::Null,
            status: "starting",
            webhook: body["webhook"].as_str().map(str::to_owned),
            plan,
            created,
            completed: None,
            deadline: after.map(|d| created.plus(d)),
            removed: false,
            polls: 0,
            picture,
        });
    });
    if let Some(fault) = fault {
        return fault.answer();
    }
    waited(fake, &id, wait).await
}

/// Holds the answer back while the result is awaited: 201 with it, 202 if it did not come in time.
async fn waited(fake: &FakeReplicate, id: &str, wait: u64) -> Response {
    if matches!(fake.0.options.pace, Pace::Polls(0)) && wait > 0 {
        fake.work();
    }
    if matches!(fake.0.options.pace, Pace::After(_)) {
        for _ in 0..wait * 20 {
            let ended = fake.with(|inner, shared| {
                inner.advance(shared);
                inner.prediction(id).is_some_and(|p| p.is_ended())
            });
            if ended {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    fake.with(|inner, shared| {
        let Some(p) = inner.prediction(id) else { return problem(StatusCode::INTERNAL_SERVER_ERROR) };
        let status = if wait > 0 && !p.is_ended() { StatusCode::ACCEPTED } else { StatusCode::CREATED };
        (status, Json(p.json(&shared.base))).into_response()
    })
}

pub(super) async fn show(
    State(fake): State<FakeReplicate>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !is_keyed(&fake, &headers) {
        return problem(StatusCode::UNAUTHORIZED);
    }
    fake.with(|inner, shared| {
        if let Some(fault) = inner.script.take(At::Status) {
            return fault.answer();
        }
        inner.polled(&id, shared);
        inner.advance(shared);
        match inner.prediction(&id) {
            Some(p) => Json(p.json(&shared.base)).into_response(),
            None => problem(StatusCode::NOT_FOUND),
        }
    })
}

#[derive(Deserialize)]
pub(super) struct Asked {
    created_after: Option<String>,
    created_before: Option<String>,
    cursor: Option<usize>,
}

pub(super) async fn list(
    State(fake): State<FakeReplicate>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    if !is_keyed(&fake, &headers) {
        return problem(StatusCode::UNAUTHORIZED);
    }
    let since = match asked.created_after.as_deref().map(Timestamp::parse_rfc3339) {
        Some(None) => return problem(StatusCode::UNPROCESSABLE_ENTITY),
        Some(since) => since,
        None => None,
    };
    fake.with(|inner, shared| {
        inner.advance(shared);
        let skip = asked.cursor.unwrap_or(0);
        let until = asked.created_before.as_deref().and_then(Timestamp::parse_rfc3339);
        let wanted = inner.predictions.iter().rev().filter(|p| since.is_none_or(|t| p.created >= t));
        let wanted = wanted.filter(|p| until.is_none_or(|t| p.created <= t));
        let all: Vec<Value> = wanted.map(|p| p.json(&shared.base)).collect();
        let next = (all.len() > skip + PAGE).then(|| {
            let bound = |name: &str, at: &Option<String>| {
                at.as_deref().map(|t| format!("&{name}={t}")).unwrap_or_default()
            };
            let after = bound("created_after", &asked.created_after);
            let before = bound("created_before", &asked.created_before);
            format!("{}/v1/predictions?cursor={}{after}{before}", shared.base, skip + PAGE)
        });
        let page: Vec<_> = all.into_iter().skip(skip).take(PAGE).collect();
        Json(json!({ "results": page, "next": next, "previous": null })).into_response()
    })
}

pub(super) async fn cancel(
    State(fake): State<FakeReplicate>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !is_keyed(&fake, &headers) {
        return problem(StatusCode::UNAUTHORIZED);
    }
    fake.with(|inner, shared| {
        if let Some(fault) = inner.script.take(At::Cancel) {
            return fault.answer();
        }
        let Some(n) = inner.predictions.iter().position(|p| p.id == id) else {
            return problem(StatusCode::NOT_FOUND);
        };
        let stops = inner.predictions.get(n).is_some_and(|p| !p.is_ended() && p.plan != Plan::IgnoreCancel);
        if stops {
            inner.end(n, "canceled", Value::Null, Value::Null, shared);
        }
        match inner.prediction(&id) {
            Some(p) => Json(p.json(&shared.base)).into_response(),
            None => problem(StatusCode::NOT_FOUND),
        }
    })
}

/// Makes the picture beforehand, away from the server's own threads.
async fn picture(fake: &FakeReplicate, input: &Value) -> Option<(Vec<u8>, &'static str)> {
    let mut inputs = Vec::new();
    for name in ["input_image", "input_image_1", "input_image_2"] {
        let Some(link) = input[name].as_str() else { continue };
        let own = link.strip_prefix(&format!("{}/v1/files/", fake.base()));
        inputs.push(match (edit::from_data_url(link), own) {
            (Some(bytes), _) => bytes,
            (None, Some(id)) => {
                fake.with(|inner, _| inner.files.iter().find(|f| f.id == id).map(|f| f.bytes.clone()))?
            }
            (None, None) => Post::new().fetch(link).await?,
        });
    }
    let prompt = input["prompt"].as_str().unwrap_or_default().to_owned();
    let seed = input["seed"].as_u64().unwrap_or(0);
    let png = input["output_format"] != "jpg";
    let make = move || {
        let inputs: Vec<_> = inputs.iter().map(|b| edit::decode(b)).collect::<Option<_>>()?;
        let bytes = edit::encode(&edit::edit(&inputs, &prompt, seed)?, png)?;
        Some((bytes, if png { "image/png" } else { "image/jpeg" }))
    };
    tokio::task::spawn_blocking(make).await.ok().flatten()
}
