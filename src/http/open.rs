//! The routes put together, and the server.

use std::future::Future;
use std::sync::Arc;

use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{any, get};
use axum::{Extension, Router, middleware};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::guard::{self, Turns};
use super::tls::Certificate;
use super::{
    accounts, archives, consents, credits, desk, document, drp, edits, elsewhere, health, holds, hooks,
    images, imports, inputs, intake, ledger, looks, mandates, page, policies, preferences, progress,
    requests, versions, webhooks,
};
use crate::base::Kind;
use crate::edge::{self, Edge, Fault};

fn described() -> (Router<Edge>, OpenApi) {
    let (routes, document) = OpenApiRouter::with_openapi(document::blank())
        .merge(accounts::routes())
        .merge(elsewhere::routes())
        .merge(preferences::routes())
        .merge(versions::routes())
        .merge(images::routes())
        .merge(looks::routes())
        .merge(edits::routes())
        .merge(progress::routes())
        .merge(credits::routes())
        .merge(consents::routes())
        .merge(requests::routes())
        .merge(archives::routes())
        .merge(intake::routes())
        .merge(mandates::routes())
        .merge(drp::routes())
        .merge(imports::routes())
        .merge(webhooks::routes())
        .merge(policies::routes())
        .merge(desk::routes())
        .merge(holds::routes())
        .merge(ledger::routes())
        .merge(health::routes())
        .split_for_parts();
    (routes, document::finished(document))
}

/// The OpenAPI 3.1 document of the API.
pub fn openapi() -> OpenApi {
    described().1
}

/// The API's routes, to be merged with the pages': an address outside of it is left to them.
pub fn routes(edge: &Edge) -> Router {
    until(edge, CancellationToken::new())
}

/// As [`routes`]; streams that would never end by themselves end with `closing`.
fn until(edge: &Edge, closing: CancellationToken) -> Router {
    let (routes, document) = described();
    let routes = routes
        .merge(described_for_people(edge, &document))
        .merge(hooks::routes())
        .merge(elsewhere::hooks())
        .merge(inputs::routes())
        .route("/v1", any(nothing_here))
        .route("/v1/{*rest}", any(nothing_here))
        .method_not_allowed_fallback(guard::wrong_method)
        .layer(Extension(Turns::new(closing)));
    dressed(routes, edge).with_state(edge.clone())
}

/// The document as JSON, and as a page.
fn described_for_people(edge: &Edge, document: &OpenApi) -> Router<Edge> {
    let json = serde_json::to_value(document).unwrap_or_default();
    let page: Arc<str> = page::of(&json, &edge.app.config.server.public_url).into();
    let text: Arc<str> = format!("{json:#}\n").into();
    let told = |media_type: &'static str, text: Arc<str>| {
        get(async move || ([(header::CONTENT_TYPE, media_type)], text.to_string()).into_response())
    };
    Router::new()
        .route("/openapi.json", told("application/json", text))
        .route("/docs/api", told("text/html; charset=utf-8", page))
        .route("/api", get(async || Redirect::permanent("/docs/api")))
}

/// What every answer of the API goes through, the outermost last.
fn dressed(routes: Router<Edge>, edge: &Edge) -> Router<Edge> {
    let state = || edge.clone();
    routes
        .layer(middleware::from_fn_with_state(state(), edge::only_when_open))
        .layer(middleware::from_fn_with_state(state(), guard::own_pages_only))
        .layer(middleware::from_fn(guard::patience))
        .layer(middleware::from_fn(guard::bounds))
        .layer(middleware::from_fn(guard::problems_only))
        .layer(middleware::from_fn_with_state(state(), edge::secure))
        .layer(middleware::from_fn_with_state(state(), edge::tag))
}

/// The API alone: an address outside of it is a 404.
pub fn router(edge: Edge) -> Router {
    let rest = dressed(Router::new().fallback(nothing_here), &edge);
    routes(&edge).merge(rest.with_state(edge))
}

async fn nothing_here() -> Response {
    Fault::new(Kind::NotFound).into_response()
}

/// Serves the API, and `extra` beside it, until `stop` resolves; what is under way is then finished. `extra` answers for
/// addresses that are neither's, if it has a fallback. Without a certificate, TLS is left to a proxy in front.
pub async fn serve<S>(
    edge: Edge,
    (listener, certificate): (TcpListener, Option<Certificate>),
    extra: Router,
    stop: S,
) -> std::io::Result<()>
where
    S: Future<Output = ()> + Send + 'static,
{
    let closing = CancellationToken::new();
    let app = until(&edge, closing.clone()).merge(extra);
    let service = app.into_make_service_with_connect_info::<std::net::SocketAddr>();
    let asked = closing.clone();
    let stopped = async move {
        stop.await;
        asked.cancel();
    };
    match certificate {
        None => axum::serve(listener, service).with_graceful_shutdown(stopped).await,
        Some(certificate) => {
            let (served, ()) = tokio::join!(certificate.serve(listener, service, closing), stopped);
            served
        }
    }
}
