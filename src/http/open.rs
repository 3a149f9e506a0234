//! The routes put together, and the server.

use std::future::Future;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::{Extension, Router, middleware};
use tokio::net::TcpListener;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::guard::{self, Turns};
use super::health;
use crate::base::Kind;
use crate::edge::{self, Edge, Fault};

fn described() -> (Router<Edge>, OpenApi) {
    OpenApiRouter::new().merge(health::routes()).split_for_parts()
}

/// The OpenAPI 3.1 document of the API.
pub fn openapi() -> OpenApi {
    described().1
}

/// The API's routes, to be merged with the pages': an address outside of it is left to them.
pub fn routes(edge: &Edge) -> Router {
    let (routes, _document) = described();
    let routes = routes
        .route("/v1/{*rest}", any(nothing_here))
        .method_not_allowed_fallback(guard::wrong_method)
        .layer(Extension(Turns::default()));
    dressed(routes, edge).with_state(edge.clone())
}

/// What every answer of the API goes through, the outermost last.
fn dressed(routes: Router<Edge>, edge: &Edge) -> Router<Edge> {
    let state = || edge.clone();
    routes
        .layer(middleware::from_fn_with_state(state(), guard::own_pages_only))
        .layer(middleware::from_fn(guard::patience))
        .layer(middleware::from_fn(guard::bounds))
        .layer(middleware::from_fn(guard::problems_only))
        .layer(middleware::from_fn_with_state(state(), edge::secure))
        .layer(middleware::from_fn_with_state(state(), edge::tag))
}

/// The API alone: an address outside of it is a 404.
pub fn router(edge: Edge) -> Router {
    let rest = Router::new().fallback(nothing_here);
    routes(&edge).merge(dressed(rest, &edge).with_state(edge.clone()))
}

async fn nothing_here(State(_edge): State<Edge>) -> Response {
    Fault::new(Kind::NotFound).into_response()
}

/// Serves the API, and `extra` beside it, until `stop` resolves; what is under way is then finished.
pub async fn serve<S>(edge: Edge, listener: TcpListener, extra: Router, stop: S) -> std::io::Result<()>
where
    S: Future<Output = ()> + Send + 'static,
{
    let app = routes(&edge).merge(extra);
    let service = app.into_make_service_with_connect_info::<std::net::SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop).await
}
