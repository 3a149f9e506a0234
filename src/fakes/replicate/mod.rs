//! The Replicate stand-in: predictions, files, results and the webhook secret under one address.

mod check;
mod files;
mod predictions;
mod state;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{At, Delivery, Fault, Listening, Options, Plan, bind};
use state::Inner;

/// A Replicate stand-in. Clones share it.
#[derive(Clone)]
pub struct FakeReplicate(Arc<Shared>);

struct Shared {
    base: String,
    options: Options,
    key: [u8; 32],
    inner: Mutex<Inner>,
}

impl FakeReplicate {
    /// The token that it takes.
    pub const TOKEN: &str = "r8_fake";

    /// Binds to an address; run what comes with it.
    pub async fn bind(at: SocketAddr, options: Options) -> io::Result<(Self, Listening)> {
        let (listener, base) = bind(at).await?;
        let key = options.entropy.bytes();
        let fake = Self(Arc::new(Shared { base, options, key, inner: Mutex::new(Inner::default()) }));
        let ticker = fake.clone();
        let tick = Box::new(move || {
            ticker.with(Inner::advance);
            if ticker.0.options.deliver { ticker.outbox() } else { vec![] }
        });
        Ok((fake.clone(), Listening { listener, router: fake.router(), tick }))
    }

    /// Its base URL, without a slash at the end; the API is under `/v1`.
    pub fn base(&self) -> &str {
        &self.0.base
    }

    /// Its webhook secret.
    pub fn secret(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0.key))
    }

    /// Something is to go wrong, once.
    pub fn fault(&self, at: At, fault: Fault) {
        self.with(|inner, _| inner.script.fault(at, fault));
    }

    /// Nothing more is to go wrong.
    pub fn forgive(&self) {
        self.with(|inner, _| inner.script.forgive());
    }

    /// What is to become of the next job.
    pub fn plan(&self, plan: Plan) {
        self.with(|inner, _| inner.script.plan(plan));
    }

    /// Gets all waiting predictions done.
    pub fn work(&self) {
        self.with(Inner::work);
    }

    /// Takes the webhooks that wait to be sent.
    pub fn outbox(&self) -> Vec<Delivery> {
        self.with(|inner, _| std::mem::take(&mut inner.outbox))
    }

    /// What it still holds of anybody's, in words; empty when all is gone.
    pub fn held(&self) -> Vec<String> {
        self.with(|inner, shared| {
            inner.advance(shared);
            inner.held()
        })
    }

    /// What it was asked that the real one would refuse, or that would leave a copy there.
    pub fn complaints(&self) -> Vec<String> {
        self.with(|inner, _| inner.complaints.clone())
    }

    /// How many predictions were created, each of which is paid for.
    pub fn charges(&self) -> usize {
        self.with(|inner, _| inner.predictions.len())
    }

    /// How many seconds each create was to be held, in order.
    pub fn waits(&self) -> Vec<u64> {
        self.with(|inner, _| inner.waits.clone())
    }

    /// The ids of the predictions created, in order.
    pub fn ids(&self) -> Vec<String> {
        self.with(|inner, _| inner.predictions.iter().map(|p| p.id.clone()).collect())
    }

    /// How many files were ever uploaded.
    pub fn uploads(&self) -> usize {
        self.with(|inner, _| inner.uploaded)
    }

    /// The links that it was given instead of pictures, its own files aside.
    pub fn links(&self) -> Vec<String> {
        self.with(|inner, shared| {
            let of = |p: &state::Prediction| {
                let fields = ["input_image", "input_image_1", "input_image_2"];
                fields.map(|f| p.input[f].as_str().unwrap_or_default().to_owned())
            };
            let all = inner.predictions.iter().flat_map(of);
            all.filter(|l| l.starts_with("http") && !l.starts_with(&shared.base)).collect()
        })
    }

    /// The input of the last prediction.
    pub fn last_input(&self) -> Option<serde_json::Value> {
        self.with(|inner, _| inner.predictions.last().map(|p| p.input.clone()))
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner, &Shared) -> T) -> T {
        f(&mut self.0.inner.lock().unwrap_or_else(PoisonError::into_inner), &self.0)
    }

    fn router(&self) -> Router {
        Router::new()
            .route("/v1/models/{owner}/{name}/predictions", post(predictions::create))
            .route("/v1/predictions", get(predictions::list).post(predictions::create_version))
            .route("/v1/predictions/{id}", get(predictions::show))
            .route("/v1/predictions/{id}/cancel", post(predictions::cancel))
            .route("/v1/files", get(files::list).post(files::upload))
            .route("/v1/files/{id}", get(files::show).delete(files::remove))
            .route("/v1/webhooks/default/secret", get(secret))
            .route("/v1/account", get(account))
            .route("/delivery/{name}", get(files::delivery))
            .route("/__fake/state", get(report))
            .fallback(lost)
            .layer(axum::extract::DefaultBodyLimit::max(110 << 20))
            .with_state(self.clone())
    }
}

async fn secret(State(fake): State<FakeReplicate>, headers: HeaderMap) -> Response {
    if !is_keyed(&fake, &headers) {
        return problem(StatusCode::UNAUTHORIZED);
    }
    Json(json!({ "key": fake.secret() })).into_response()
}

async fn account(State(fake): State<FakeReplicate>, headers: HeaderMap) -> Response {
    if !is_keyed(&fake, &headers) {
        return problem(StatusCode::UNAUTHORIZED);
    }
    Json(json!({ "type": "organization", "username": "fake", "name": "Stand-in" })).into_response()
}

async fn report(State(fake): State<FakeReplicate>) -> Response {
    let state = json!({
        "held": fake.held(), "complaints": fake.complaints(), "charges": fake.charges(), "ids": fake.ids(),
    });
    Json(state).into_response()
}

async fn lost(State(fake): State<FakeReplicate>, uri: Uri) -> Response {
    fake.with(|inner, _| inner.complaints.push(format!("no such path: {}", uri.path())));
    problem(StatusCode::NOT_FOUND)
}

/// True if the request carries the token; complains otherwise.
fn is_keyed(fake: &FakeReplicate, headers: &HeaderMap) -> bool {
    let given = headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let right = given == format!("Bearer {}", FakeReplicate::TOKEN);
    if !right {
        fake.with(|inner, _| inner.complaints.push("wrong or missing token".to_owned()));
    }
    right
}

fn problem(status: StatusCode) -> Response {
    let body = json!({ "title": "No", "detail": "no", "status": status.as_u16() });
    (status, Json(body)).into_response()
}
