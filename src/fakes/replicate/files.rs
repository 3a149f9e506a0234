//! Uploads, and the host of results.

use axum::Json;
use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::state::File;
use super::{FakeReplicate, is_keyed, problem};
use crate::fakes::{At, Fault};

/// The most an upload may have.
const MOST: usize = 100 << 20;

pub(super) async fn upload(
    State(fake): State<FakeReplicate>,
    headers: HeaderMap,
    mut form: Multipart,
) -> Response {
    if !is_keyed(&fake, &headers) {
        return problem(StatusCode::UNAUTHORIZED);
    }
    let fault = fake.with(|inner, _| inner.script.take(At::Upload));
    if let Some(fault) = fault.as_ref().filter(|f| !f.takes_effect()) {
        return fault.answer();
    }
    let mut found = None;
    while let Ok(Some(field)) = form.next_field().await {
        if field.name() == Some("content") {
            let name = field.file_name().unwrap_or_default().to_owned();
            let kind = field.content_type().unwrap_or_default().to_owned();
            found = field.bytes().await.ok().map(|bytes| (name, kind, bytes.to_vec()));
        }
    }
    let Some((name, kind, bytes)) = found else { return problem(StatusCode::UNPROCESSABLE_ENTITY) };
    if bytes.len() > MOST {
        return problem(StatusCode::PAYLOAD_TOO_LARGE);
    }
    if name.len() > 255 {
        return problem(StatusCode::UNPROCESSABLE_ENTITY);
    }
    let id = hex::encode(fake.0.options.entropy.bytes::<12>());
    let answer = fake.with(|inner, shared| {
        let at = shared.options.clock.now();
        inner.uploaded += 1;
        let file = File { id: id.clone(), name, kind, bytes, at };
        let told = shown(&file, &shared.base);
        let late = fault == Some(Fault::LandLate);
        if late { &mut inner.landing } else { &mut inner.files }.push(file);
        (StatusCode::CREATED, Json(told)).into_response()
    });
    fault.map_or(answer, |f| f.answer())
}

pub(super) async fn list(State(fake): State<FakeReplicate>, headers: HeaderMap) -> Response {
    if !is_keyed(&fake, &headers) {
        return problem(StatusCode::UNAUTHORIZED);
    }
    fake.with(|inner, shared| {
        let all: Vec<Value> = inner.files.iter().map(|f| shown(f, &shared.base)).collect();
        let late = std::mem::take(&mut inner.landing);
        inner.files.extend(late);
        let next = match inner.script.take(At::Uploads) {
            Some(Fault::NoEnd) => Some(format!("{}/v1/files", shared.base)),
            Some(fault) => return fault.answer(),
            None => None,
        };
        Json(json!({ "results": all, "next": next, "previous": null })).into_response()
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
    fake.with(|inner, shared| match inner.files.iter().find(|f| f.id == id) {
        Some(f) => Json(shown(f, &shared.base)).into_response(),
        None => problem(StatusCode::NOT_FOUND),
    })
}

pub(super) async fn remove(
    State(fake): State<FakeReplicate>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !is_keyed(&fake, &headers) {
        return problem(StatusCode::UNAUTHORIZED);
    }
    fake.with(|inner, _| {
        if let Some(fault) = inner.script.take(At::Delete) {
            return fault.answer();
        }
        let before = inner.files.len();
        inner.files.retain(|f| f.id != id);
        if inner.files.len() < before {
            StatusCode::NO_CONTENT.into_response()
        } else {
            problem(StatusCode::NOT_FOUND)
        }
    })
}

pub(super) async fn delivery(
    State(fake): State<FakeReplicate>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    fake.with(|inner, shared| {
        if headers.contains_key("authorization") {
            inner.complaints.push("the token was sent to the host of results".to_owned());
        }
        if let Some(fault) = inner.script.take(At::Output) {
            return fault.answer();
        }
        inner.advance(shared);
        match inner.outputs.iter().find(|(n, ..)| *n == name) {
            Some((_, kind, bytes)) => ([(header::CONTENT_TYPE, *kind)], bytes.clone()).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    })
}

fn shown(file: &File, base: &str) -> Value {
    json!({
        "id": file.id, "name": file.name, "content_type": file.kind, "size": file.bytes.len(), "metadata": {},
        "created_at": file.at.rfc3339(), "urls": { "get": format!("{base}/v1/files/{}", file.id) },
    })
}
