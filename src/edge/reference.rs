//! A reference for every request: in the log, in the answer's header, on the error page.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use super::Edge;

/// What to quote when asking about a request. Random; says nothing of anybody.
#[derive(Debug, Clone)]
pub struct Reference(pub String);

/// Gives a request its reference, and a log line with method, route template and status: never a path with an id in it,
/// never a query.
pub async fn tag(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let reference = Reference(edge.app.entropy.reference());
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<axum::extract::MatchedPath>()
        .map_or_else(|| "(none)".to_owned(), |p| p.as_str().to_owned());
    request.extensions_mut().insert(reference.clone());
    let span = tracing::info_span!("request", reference = reference.0);
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| tracing::info!(%method, route, status = response.status().as_u16(), "answered"));
    if let Ok(value) = HeaderValue::from_str(&reference.0) {
        response.headers_mut().insert(HeaderName::from_static("x-reference"), value);
    }
    response
}
