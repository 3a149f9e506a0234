//! Storage's own API.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{FakeSupabase, problem};

/// What lies in a folder: files with an id, folders without one.
pub(super) async fn list(
    State(fake): State<FakeSupabase>,
    Path(bucket): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    fake.with(|inner, _| {
        if !inner.buckets.contains(&bucket) {
            return problem(StatusCode::NOT_FOUND, "NoSuchBucket");
        }
        let prefix = format!("{}/", body["prefix"].as_str().unwrap_or_default());
        if prefix == "/" {
            inner.complaints.push("everybody's files were asked for".to_owned());
        }
        let mut entries: BTreeMap<String, Value> = BTreeMap::new();
        for (_, path, size) in inner.files.iter().filter(|(b, ..)| *b == bucket) {
            let Some(rest) = path.strip_prefix(&prefix) else { continue };
            let (name, entry) = if let Some((folder, _)) = rest.split_once('/') {
                (folder, json!({ "name": folder, "id": null, "metadata": null }))
            } else {
                (rest, json!({ "name": rest, "id": format!("id-{rest}"), "metadata": { "size": size } }))
            };
            entries.insert(name.to_owned(), entry);
        }
        let number =
            |name: &str, usual| body[name].as_u64().map_or(usual, |n| usize::try_from(n).unwrap_or(usual));
        let (limit, offset) = (number("limit", 100), number("offset", 0));
        let page: Vec<Value> = entries.into_values().skip(offset).take(limit.min(100)).collect();
        Json(page).into_response()
    })
}

pub(super) async fn remove(
    State(fake): State<FakeSupabase>,
    Path(bucket): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    fake.with(|inner, _| {
        let asked: Vec<&str> =
            body["prefixes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if asked.is_empty() || asked.len() > 1000 {
            inner.complaints.push("one to a thousand files are removed at once".to_owned());
            return problem(StatusCode::BAD_REQUEST, "InvalidRequest");
        }
        let (gone, left): (Vec<_>, Vec<_>) = std::mem::take(&mut inner.files)
            .into_iter()
            .partition(|(b, path, _)| *b == bucket && asked.contains(&path.as_str()));
        inner.files = left;
        let gone: Vec<Value> = gone.into_iter().map(|(_, path, _)| json!({ "name": path })).collect();
        Json(gone).into_response()
    })
}
