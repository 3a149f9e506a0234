//! The public ledger, in the forms of C2SP tlog-tiles: what a stranger fetches to check it without us.

use std::str::FromStr;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ask::Named;
use crate::edge::{Edge, Fault, Problem};
use crate::ledger::Resource;

/// What stands below `tile/`.
struct Tile(Resource);

impl FromStr for Tile {
    type Err = crate::ledger::Error;
    fn from_str(path: &str) -> Result<Self, Self::Err> {
        format!("tile/{path}").parse().map(Self)
    }
}

/// What never changes may be kept by everybody.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(checkpoint))
        .routes(routes!(tile))
        .routes(routes!(key))
        .routes(routes!(archive_key))
}

/// The newest signed head
#[utoipa::path(get, path = "/ledger/checkpoint", tag = "ledger",
    responses((status = 200, description = "A C2SP signed note.", content_type = "text/plain", body = String)))]
async fn checkpoint(State(edge): State<Edge>) -> Result<Response, Fault> {
    served(&edge, Resource::Checkpoint).await
}

/// A tile of hashes, or a bundle of entries
///
/// `0/000` is the first tile of the lowest level, `entries/000` the first bundle, `entries/000.p/7` the first seven of it.
#[utoipa::path(get, path = "/ledger/tile/{*path}", tag = "ledger",
    params(("path" = String, Path, example = "entries/000.p/1")),
    responses((status = 200, description = "The bytes. They never change.", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 404, description = "Not in the ledger yet.", body = Problem)))]
async fn tile(State(edge): State<Edge>, Named(Tile(tile)): Named<Tile>) -> Result<Response, Fault> {
    served(&edge, tile).await
}

async fn served(edge: &Edge, resource: Resource) -> Result<Response, Fault> {
    let bytes = edge.app.ledger.resource(resource).await?;
    let cache = if resource.is_immutable() { FOR_EVER } else { "no-cache" };
    let headers = [(header::CONTENT_TYPE, resource.content_type()), (header::CACHE_CONTROL, cache)];
    Ok((headers, bytes).into_response())
}

/// The key that checks the ledger's signatures
#[utoipa::path(get, path = "/ledger/key", tag = "ledger",
    responses((status = 200, description = "A C2SP verifier key.", content_type = "text/plain", body = String)))]
async fn key(State(edge): State<Edge>) -> String {
    format!("{}\n", edge.app.ledger.verifier())
}

/// The key that checks the signature of a take-home archive
///
/// Another one than the ledger's: `vouchsafe verify ARCHIVE.zip --key KEY` takes it.
#[utoipa::path(get, path = "/ledger/archive-key", tag = "ledger",
    responses((status = 200, description = "A C2SP verifier key.", content_type = "text/plain", body = String)))]
async fn archive_key(State(edge): State<Edge>) -> String {
    format!("{}\n", edge.app.requests.archive_key())
}
