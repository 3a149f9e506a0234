//! The Supabase stand-in: users and their log by the admin API, files by Storage's, and one database function.

mod auth;
mod files;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::script::Script;
use super::{At, Fault, Listening, Options, bind};

/// A Supabase stand-in. Clones share it.
#[derive(Clone)]
pub struct FakeSupabase(Arc<Shared>);

struct Shared {
    base: String,
    options: Options,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    users: Vec<Value>,
    log: Vec<Value>,
    /// Bucket, whole path, size.
    files: Vec<(String, String, usize)>,
    buckets: Vec<String>,
    keys: Value,
    key_fetches: usize,
    keeps_log: bool,
    complaints: Vec<String>,
    script: Script,
}

impl FakeSupabase {
    /// The secret key that it takes.
    pub const KEY: &str = "sb_secret_fake";
    /// The function that cleans its log.
    pub const CLEANER: &str = "forget_in_audit_log";

    /// Binds to an address; run what comes with it.
    pub async fn bind(at: SocketAddr, options: Options) -> io::Result<(Self, Listening)> {
        let (listener, base) = bind(at).await?;
        let fake = Self(Arc::new(Shared { base, options, inner: Mutex::new(Inner::default()) }));
        let router = Router::new()
            .route("/auth/v1/admin/users", get(auth::list))
            .route("/auth/v1/admin/users/{id}", get(auth::show).put(auth::change).delete(auth::remove))
            .route("/auth/v1/admin/users/{id}/factors", get(auth::factors))
            .route("/auth/v1/admin/audit", get(auth::audit))
            .route("/rest/v1/rpc/{function}", post(auth::clean))
            .route("/storage/v1/object/list/{bucket}", post(files::list))
            .route("/storage/v1/object/{bucket}", delete(files::remove))
            .layer(middleware::from_fn_with_state(fake.clone(), guard))
            .route("/auth/v1/.well-known/jwks.json", get(jwks))
            .fallback(lost)
            .layer(DefaultBodyLimit::max(1 << 20))
            .with_state(fake.clone());
        Ok((fake, Listening { listener, router, tick: Box::new(Vec::new) }))
    }

    /// Its base URL, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.0.base
    }

    /// Something is to go wrong, once.
    pub fn fault(&self, at: At, fault: Fault) {
        self.with(|inner, _| inner.script.fault(at, fault));
    }

    /// Makes a user who has signed up and in. Gives their id.
    pub fn add_user(&self, email: &str) -> String {
        self.with(|inner, shared| inner.add_user(email, shared))
    }

    /// A user as they stand; none once they are deleted.
    pub fn user(&self, id: &str) -> Option<Value> {
        self.with(|inner, _| inner.users.iter().find(|u| u["id"] == id).cloned())
    }

    /// Puts a file into a bucket.
    pub fn add_file(&self, bucket: &str, path: &str) {
        self.with(|inner, _| {
            if !inner.buckets.iter().any(|b| b == bucket) {
                inner.buckets.push(bucket.to_owned());
            }
            inner.files.push((bucket.to_owned(), path.to_owned(), 1000));
        });
    }

    /// The paths of all files.
    pub fn files(&self) -> Vec<String> {
        self.with(|inner, _| inner.files.iter().map(|(_, path, _)| path.clone()).collect())
    }

    /// Whether its log still holds a text.
    pub fn log_holds(&self, text: &str) -> bool {
        self.with(|inner, _| inner.log.iter().any(|line| line.to_string().contains(text)))
    }

    /// Its log can no longer be cleaned.
    pub fn keep_log(&self) {
        self.with(|inner, _| inner.keeps_log = true);
    }

    /// Publishes these keys.
    pub fn publish(&self, keys: &Value) {
        self.with(|inner, _| inner.keys = keys.clone());
    }

    /// How often its keys were fetched.
    pub fn key_fetches(&self) -> usize {
        self.with(|inner, _| inner.key_fetches)
    }

    /// What it was asked that the real one would refuse.
    pub fn complaints(&self) -> Vec<String> {
        self.with(|inner, _| inner.complaints.clone())
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner, &Shared) -> T) -> T {
        f(&mut self.0.inner.lock().unwrap_or_else(PoisonError::into_inner), &self.0)
    }
}

/// The key, where it may stand, and what is to go wrong.
async fn guard(
    State(fake): State<FakeSupabase>,
    headers: HeaderMap,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mut wrong = Vec::new();
    if text("apikey") != FakeSupabase::KEY {
        wrong.push("wrong or missing apikey");
    }
    if headers.contains_key("authorization") {
        wrong.push("a secret key stands where tokens do");
    }
    if text("user-agent").contains("Mozilla") {
        wrong.push("a secret key was sent by what looks like a browser");
    }
    if !wrong.is_empty() {
        fake.with(|inner, _| inner.complaints.extend(wrong.into_iter().map(ToOwned::to_owned)));
        return problem(StatusCode::UNAUTHORIZED, "no_authorization");
    }
    let at = match request.method().as_str() {
        "GET" => At::Status,
        "DELETE" => At::Delete,
        _ => At::Submit,
    };
    match fake.with(|inner, _| inner.script.take(at)) {
        Some(fault) if fault.takes_effect() => {
            let _lost = next.run(request).await;
            fault.answer()
        }
        Some(fault) => fault.answer(),
        None => next.run(request).await,
    }
}

async fn jwks(State(fake): State<FakeSupabase>) -> Response {
    let keys = fake.with(|inner, _| {
        inner.key_fetches += 1;
        // What a project with a shared secret publishes: nothing.
        if inner.keys.is_null() { json!({ "keys": [] }) } else { inner.keys.clone() }
    });
    ([("cache-control", "public, max-age=600")], Json(keys)).into_response()
}

async fn lost(State(fake): State<FakeSupabase>, uri: Uri) -> Response {
    fake.with(|inner, _| inner.complaints.push(format!("no such path: {}", uri.path())));
    StatusCode::NOT_FOUND.into_response()
}

/// An error as version 2024-01-01 writes it.
fn problem(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({ "code": code, "message": "no" }))).into_response()
}
