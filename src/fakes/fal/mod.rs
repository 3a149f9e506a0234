//! The FAL.AI stand-in: queue, results, files, platform API and key set under one address.

mod check;
mod platform;
mod queue;
mod state;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use serde_json::json;

use super::post::Post;
use super::{At, Delivery, Fault, Listening, Options, Plan, bind};
use state::Inner;

/// A FAL.AI stand-in. Clones share it.
#[derive(Clone)]
pub struct FakeFal(Arc<Shared>);

struct Shared {
    base: String,
    options: Options,
    signer: Mutex<SigningKey>,
    inner: Mutex<Inner>,
}

impl FakeFal {
    /// The inference key that it takes.
    pub const KEY: &str = "fake-id:fake-secret";
    /// The admin key that may delete.
    pub const ADMIN_KEY: &str = "fake-admin:fake-admin-secret";
    /// The account id in its webhooks.
    pub const USER: &str = "fake-user";

    /// Binds to an address; run what comes with it.
    pub async fn bind(at: SocketAddr, options: Options) -> io::Result<(Self, Listening)> {
        let (listener, base) = bind(at).await?;
        let signer = Mutex::new(SigningKey::from_bytes(&options.entropy.bytes()));
        let fake = Self(Arc::new(Shared { base, options, signer, inner: Mutex::new(Inner::default()) }));
        let ticker = fake.clone();
        let tick = Box::new(move || {
            ticker.with(Inner::advance);
            if ticker.0.options.deliver { ticker.outbox() } else { vec![] }
        });
        Ok((fake.clone(), Listening { listener, router: fake.router(), tick }))
    }

    /// Its base URL, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.0.base
    }

    /// Something is to go wrong, once.
    pub fn fault(&self, at: At, fault: Fault) {
        self.with(|inner, _| inner.script.fault(at, fault));
    }

    /// Nothing is to go wrong any more.
    pub fn forgive(&self) {
        self.with(|inner, _| inner.script.forgive());
    }

    /// How many things that were to go wrong have not.
    pub fn faults_left(&self) -> usize {
        self.with(|inner, _| inner.script.left())
    }

    /// How many times a result was fetched.
    pub fn fetched(&self) -> usize {
        self.with(|inner, _| inner.fetched)
    }

    /// What is to become of the next job.
    pub fn plan(&self, plan: Plan) {
        self.with(|inner, _| inner.script.plan(plan));
    }

    /// Gets all waiting jobs done.
    pub fn work(&self) {
        self.with(Inner::work);
    }

    /// Signs webhooks with another key from now on, and publishes that one alone.
    pub fn rotate(&self) {
        *self.0.signer() = SigningKey::from_bytes(&self.0.options.entropy.bytes());
    }

    /// The links that it was given instead of pictures.
    pub fn links(&self) -> Vec<String> {
        self.with(|inner, _| inner.links.clone())
    }

    /// Puts all waiting jobs to work without getting them done.
    pub fn start(&self) {
        self.with(|inner, _| inner.start());
    }

    /// Takes the webhooks that wait to be sent.
    pub fn outbox(&self) -> Vec<Delivery> {
        self.with(|inner, _| std::mem::take(&mut inner.outbox))
    }

    /// What it still holds of anybody's, in words; empty when all is gone.
    pub fn held(&self) -> Vec<String> {
        self.with(|inner, shared| inner.held(shared.options.clock.now()))
    }

    /// What it was asked that the real one would refuse, or that would leave a copy there.
    pub fn complaints(&self) -> Vec<String> {
        self.with(|inner, _| inner.complaints.clone())
    }

    /// How many jobs were taken, each of which is paid for.
    pub fn charges(&self) -> usize {
        self.with(|inner, _| inner.jobs.len())
    }

    /// The ids of the jobs taken, in order.
    pub fn ids(&self) -> Vec<String> {
        self.with(|inner, _| inner.jobs.iter().map(|j| j.id.clone()).collect())
    }

    /// The last body submitted.
    pub fn last_input(&self) -> Option<serde_json::Value> {
        self.with(|inner, _| inner.jobs.last().map(|j| j.input.clone()))
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner, &Shared) -> T) -> T {
        f(&mut self.0.inner.lock().unwrap_or_else(PoisonError::into_inner), &self.0)
    }

    fn router(&self) -> Router {
        let app = "/fal-ai/flux-pro";
        Router::new()
            .route(&format!("{app}/kontext"), post(queue::submit))
            .route(&format!("{app}/kontext/max"), post(queue::submit))
            .route(&format!("{app}/kontext/multi"), post(queue::submit))
            .route(&format!("{app}/kontext/max/multi"), post(queue::submit))
            .route(&format!("{app}/requests/{{id}}/status"), get(queue::status))
            .route(&format!("{app}/requests/{{id}}"), get(queue::result))
            .route(&format!("{app}/requests/{{id}}/cancel"), put(queue::cancel))
            .route("/files/{name}", get(queue::file))
            .route("/.well-known/jwks.json", get(keys))
            .route("/v1/models/requests/{id}/payloads", delete(platform::delete_payloads))
            .route("/v1/models/requests/by-endpoint", get(platform::history))
            .route("/__fake/state", get(report))
            .fallback(lost)
            .layer(axum::extract::DefaultBodyLimit::max(64 << 20))
            .with_state(self.clone())
    }
}

impl Shared {
    fn signer(&self) -> std::sync::MutexGuard<'_, SigningKey> {
        self.signer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn keys(State(fake): State<FakeFal>) -> Response {
    if let Some(fault) = fake.with(|inner, _| inner.script.take(At::Keys)) {
        return fault.answer();
    }
    let x = URL_SAFE_NO_PAD.encode(fake.0.signer().verifying_key().as_bytes());
    Json(json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": x }] })).into_response()
}

async fn report(State(fake): State<FakeFal>) -> Response {
    let state = json!({
        "held": fake.held(), "complaints": fake.complaints(), "charges": fake.charges(), "ids": fake.ids(),
    });
    Json(state).into_response()
}

async fn lost(State(fake): State<FakeFal>, uri: Uri) -> Response {
    fake.with(|inner, _| inner.complaints.push(format!("no such path: {}", uri.path())));
    (axum::http::StatusCode::NOT_FOUND, Json(json!({ "detail": "Not found" }))).into_response()
}

/// True if the request carries this key; complains otherwise.
fn is_keyed(fake: &FakeFal, headers: &HeaderMap, keys: &[&str]) -> bool {
    let given = headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let right = keys.iter().any(|key| given == format!("Key {key}"));
    if !right {
        fake.with(|inner, _| inner.complaints.push("wrong or missing key".to_owned()));
    }
    right
}

/// A fetcher of inputs by link.
fn fetcher() -> Post {
    Post::new()
}
