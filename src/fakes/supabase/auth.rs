//! Auth's admin API.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{FakeSupabase, Inner, Shared, problem};

/// What a user can be changed in.
const CHANGEABLE: [&str; 9] = [
    "email",
    "email_confirm",
    "phone",
    "phone_confirm",
    "password",
    "role",
    "ban_duration",
    "user_metadata",
    "app_metadata",
];

#[derive(Deserialize)]
pub(super) struct Paging {
    page: Option<usize>,
    per_page: Option<usize>,
}

impl Inner {
    pub(super) fn add_user(&mut self, email: &str, shared: &Shared) -> String {
        let random = shared.options.entropy.bytes::<16>();
        let id = uuid::Builder::from_random_bytes(random).into_uuid().hyphenated().to_string();
        let at = shared.options.clock.now().rfc3339();
        self.users.push(json!({
            "id": id, "aud": "authenticated", "role": "authenticated", "email": email, "phone": "",
            "email_confirmed_at": at, "last_sign_in_at": at, "created_at": at, "updated_at": at, "is_anonymous": false,
            "app_metadata": { "provider": "email" }, "user_metadata": {}, "factors": [],
            "identities": [{
                "identity_id": id, "id": id, "user_id": id, "provider": "email",
                "identity_data": { "email": email, "sub": id },
            }],
        }));
        self.write("user_signedup", (&id, email), shared);
        self.write("login", (&id, email), shared);
        id
    }

    fn write(&mut self, action: &str, (id, email): (&str, &str), shared: &Shared) {
        let random = shared.options.entropy.bytes::<16>();
        self.log.push(json!({
            "id": uuid::Builder::from_random_bytes(random).into_uuid().to_string(),
            "payload": { "action": action, "actor_id": id, "actor_username": email, "log_type": "account" },
            "created_at": shared.options.clock.now().rfc3339(), "ip_address": "",
        }));
    }
}

fn page<T: Clone>(all: &[T], paging: &Paging) -> Vec<T> {
    // It gives what it likes at once, and no more.
    let size = paging.per_page.unwrap_or(50).clamp(1, 100);
    all.iter().skip((paging.page.unwrap_or(1).max(1) - 1) * size).take(size).cloned().collect()
}

fn not_found() -> Response {
    problem(StatusCode::NOT_FOUND, "user_not_found")
}

pub(super) async fn list(State(fake): State<FakeSupabase>, Query(paging): Query<Paging>) -> Response {
    fake.with(|inner, _| {
        Json(json!({ "users": page(&inner.users, &paging), "aud": "authenticated" })).into_response()
    })
}

pub(super) async fn show(State(fake): State<FakeSupabase>, Path(id): Path<String>) -> Response {
    fake.with(|inner, _| match inner.users.iter().find(|u| u["id"] == id) {
        Some(user) => Json(user.clone()).into_response(),
        None => not_found(),
    })
}

pub(super) async fn factors(State(fake): State<FakeSupabase>, Path(id): Path<String>) -> Response {
    fake.with(|inner, _| match inner.users.iter().find(|u| u["id"] == id) {
        Some(user) => Json(user["factors"].clone()).into_response(),
        None => not_found(),
    })
}

pub(super) async fn change(
    State(fake): State<FakeSupabase>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    fake.with(|inner, shared| {
        let fields = body.as_object().cloned().unwrap_or_default();
        if let Some(odd) = fields.keys().find(|k| !CHANGEABLE.contains(&k.as_str())) {
            inner.complaints.push(format!("a user has no field {odd}"));
            return problem(StatusCode::BAD_REQUEST, "validation_failed");
        }
        let new = body["email"].as_str().unwrap_or_default().to_lowercase();
        if !new.is_empty() && inner.users.iter().any(|u| u["email"] == new && u["id"] != id) {
            return problem(StatusCode::UNPROCESSABLE_ENTITY, "email_exists");
        }
        let Some(user) = inner.users.iter_mut().find(|u| u["id"] == id) else { return not_found() };
        if !new.is_empty() {
            user["email"] = json!(new);
            user["identities"][0]["identity_data"]["email"] = json!(new);
        }
        if body["email_confirm"] == true {
            user["email_confirmed_at"] = json!(shared.options.clock.now().rfc3339());
        }
        for (field, value) in body["user_metadata"].as_object().into_iter().flatten() {
            user["user_metadata"][field.as_str()] = value.clone();
        }
        if body["ban_duration"].is_string() {
            user["banned_until"] = json!("2100-01-01T00:00:00Z");
        }
        let (user, email) = (user.clone(), user["email"].as_str().unwrap_or_default().to_owned());
        inner.write("user_modified", (&id, &email), shared);
        Json(user).into_response()
    })
}

/// Removes a user for good, and writes down whom.
pub(super) async fn remove(
    State(fake): State<FakeSupabase>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    fake.with(|inner, shared| {
        if body["should_soft_delete"] == true {
            inner.complaints.push("a soft deletion leaves the user in place".to_owned());
        }
        // A file that the user owns holds the row.
        if inner.files.iter().any(|(_, path, _)| path.starts_with(&format!("{id}/"))) {
            inner.complaints.push("a user was deleted before their files".to_owned());
            return problem(StatusCode::INTERNAL_SERVER_ERROR, "unexpected_failure");
        }
        let Some(at) = inner.users.iter().position(|u| u["id"] == id) else { return not_found() };
        let email = inner.users.remove(at)["email"].as_str().unwrap_or_default().to_owned();
        let line = json!({
            "id": "deletion", "created_at": shared.options.clock.now().rfc3339(), "ip_address": "",
            "payload": {
                "action": "user_deleted", "actor_id": "00000000-0000-0000-0000-000000000000",
                "actor_username": "service_role", "traits": { "user_id": id, "user_email": email, "user_phone": "" },
            },
        });
        inner.log.push(line);
        Json(json!({})).into_response()
    })
}

pub(super) async fn audit(State(fake): State<FakeSupabase>, Query(paging): Query<Paging>) -> Response {
    fake.with(|inner, _| Json(page(&inner.log, &paging)).into_response())
}

pub(super) async fn clean(
    State(fake): State<FakeSupabase>,
    Path(function): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    fake.with(|inner, _| {
        if function != FakeSupabase::CLEANER {
            return problem(StatusCode::NOT_FOUND, "PGRST202");
        }
        let (id, email) =
            (body["user_id"].as_str().unwrap_or("?"), body["user_email"].as_str().unwrap_or("?"));
        if !inner.keeps_log {
            let theirs = |line: &Value| {
                let text = line.to_string();
                text.contains(id) || (!email.is_empty() && text.contains(email))
            };
            inner.log.retain(|line| !theirs(line));
        }
        Json(json!(0)).into_response()
    })
}
