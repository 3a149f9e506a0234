//! Whether the service lives, and whether it can do its work: for whoever keeps it running.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::edge::Edge;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// How the service stands.
#[expect(clippy::struct_excessive_bools, reason = "each is a yes or no of its own")]
#[derive(Debug, Serialize, ToSchema)]
struct Standing {
    /// Whether it can do its work.
    ready: bool,
    /// The main database answers.
    database: bool,
    /// The keystore answers.
    keystore: bool,
    /// The ledger is the one that signed the newest head known. `false` after a restore from a backup, until every
    /// erasure since has been done again.
    ledger: bool,
    /// Why the service is shut, when it is: a backup was put back, and what happened since is being done again.
    #[serde(skip_serializing_if = "Option::is_none")]
    shut: Option<String>,
    /// What a witness of the ledger says against it and shows nothing for. The service goes on without its signature and
    /// asks it again; somebody should ask its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    doubted: Option<String>,
}

/// The process lives
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, description = "It does.", content_type = "text/plain", body = String)))]
async fn live() -> &'static str {
    "ok\n"
}

/// The service can do its work
#[utoipa::path(get, path = "/readyz", tag = "operation", responses(
    (status = 200, description = "It can.", body = Standing),
    (status = 503, description = "It cannot, and here is what is missing.", body = Standing),
))]
async fn ready(State(edge): State<Edge>) -> (StatusCode, axum::Json<Standing>) {
    let app = &edge.app;
    let database = app.db.ping().await.is_ok();
    let keystore = app.keys.ready().await.is_ok();
    let ledger = database && app.ledger.standing().await.is_ok();
    let shut = app.gate.why().map(|why| why.to_string());
    let doubted = app.witnesses.doubt().map(|(name, unlike)| format!("{name} {unlike}"));
    let ready = database && keystore && ledger && shut.is_none();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(Standing { ready, database, keystore, ledger, shut, doubted }))
}
