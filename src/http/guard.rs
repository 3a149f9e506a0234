//! What stands before every route: bounds on the request, patience with the handler, and the dress of what goes wrong.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::answer::problem;
use crate::base::Kind;
use crate::edge::{Edge, Fault, cookie_of};

/// Most bytes of all header names and values together.
const MOST_HEADER_BYTES: usize = 16 * 1024;
/// How long a handler may take to begin its answer. What streams after that is not counted.
const PATIENCE: Duration = Duration::from_mins(2);

/// What handlers share: turns for work that is bounded in the whole process, so that memory stays flat however many ask
/// at once, and the news that the service stops.
#[derive(Clone)]
pub(super) struct Turns(Arc<Shared>);

struct Shared {
    uploads: Arc<Semaphore>,
    hooks: Semaphore,
    decodings: Semaphore,
    closing: CancellationToken,
}

impl Turns {
    /// `closing` ends streams that would never end by themselves.
    pub(super) fn new(closing: CancellationToken) -> Self {
        // An upload is held in memory until it is sealed; a small copy costs a decoding.
        let (uploads, decodings) = (Arc::new(Semaphore::new(8)), Semaphore::new(2));
        Self(Arc::new(Shared { uploads, hooks: Semaphore::new(4), decodings, closing }))
    }

    /// Waits for the turn to hold an upload in memory.
    pub(super) async fn upload(&self) -> Result<OwnedSemaphorePermit, Fault> {
        Arc::clone(&self.0.uploads).acquire_owned().await.map_err(|_| Fault::new(Kind::Unavailable))
    }

    /// Waits for the turn to hold a provider's webhook in memory: apart from uploads, which they must not keep.
    pub(super) async fn hook(&self) -> Result<SemaphorePermit<'_>, Fault> {
        self.0.hooks.acquire().await.map_err(|_| Fault::new(Kind::Unavailable))
    }

    /// Waits for the turn to decode a picture.
    pub(super) async fn decoding(&self) -> Result<SemaphorePermit<'_>, Fault> {
        self.0.decodings.acquire().await.map_err(|_| Fault::new(Kind::Unavailable))
    }

    /// Cancelled when the service stops.
    pub(super) fn closing(&self) -> &CancellationToken {
        &self.0.closing
    }
}

/// The right address, the wrong method.
pub(super) async fn wrong_method() -> Response {
    problem(StatusCode::METHOD_NOT_ALLOWED)
}

/// Refuses what no honest caller sends: headers beyond measure, and a key where every log would keep it.
pub(super) async fn bounds(request: Request, next: Next) -> Response {
    let bytes: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes > MOST_HEADER_BYTES {
        return problem(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    if request.uri().query().is_some_and(|query| query.contains("vsk_")) {
        let why = "an API key goes into the Authorization header; replace this one, it may have been seen";
        return Fault::because(Kind::Malformed, why).into_response();
    }
    next.run(request).await
}

/// A handler that takes too long, or fails in a way that nobody foresaw, is answered for.
pub(super) async fn patience(request: Request, next: Next) -> Response {
    let run = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(PATIENCE, run).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("a handler panicked");
            Fault::new(Kind::Internal).into_response()
        }
        Err(_) => Fault::new(Kind::Unavailable).into_response(),
    }
}

/// Whatever says an error below, the framework included, says it as `application/problem+json`.
pub(super) async fn problems_only(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let told = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| {
        let t = t.as_bytes();
        t.starts_with(b"application/problem+json") || t.starts_with(b"application/json")
    });
    if told || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let dressed = problem(status);
    parts.headers.extend(dressed.headers().clone());
    Response::from_parts(parts, dressed.into_body())
}

/// Lets a call that changes something and is signed by a cookie through only from pages of our own: a browser sends the
/// cookie for any page that asks, and says of which site that page is.
pub(super) async fn own_pages_only(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let headers = request.headers();
    let signed =
        [edge.session_cookie(), edge.desk_cookie()].into_iter().any(|n| cookie_of(headers, n).is_some());
    if safe || !signed || says_own_site(&edge, headers) {
        return next.run(request).await;
    }
    let why = "a call with a session's cookie must come from a page of this site";
    Fault::because(Kind::Forbidden, why).into_response()
}

fn says_own_site(edge: &Edge, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let own = edge.app.config.server.public_url.as_str();
    text("origin").is_some_and(|origin| origin == own)
}
