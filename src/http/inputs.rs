//! Pictures that providers fetch, since they are too large to be sent along. Not part of the API that is described: an
//! address is made for one job, only its provider is told it, and it dies with the job.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Extension, Router, routing};
use futures_util::stream;

use super::answer::{File, Wanted};
use super::guard::Turns;
use crate::base::Kind;
use crate::edge::{Edge, Fault};

pub(super) fn routes() -> Router<Edge> {
    Router::new().route("/v1/inputs/{token}/{picture}", routing::get(fetch))
}

/// `GET /v1/inputs/{token}/{n}.{ending}`: the picture, or the same 404 for whatever is not, or no longer, there.
async fn fetch(
    State(edge): State<Edge>,
    Extension(turns): Extension<Turns>,
    Path((token, picture)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let n = picture.split('.').next().and_then(|n| n.parse::<usize>().ok());
    let (Some(n), true) = (n, token.len() <= 64) else { return Err(Fault::new(Kind::NotFound)) };
    // It is held in memory until it is sent, so only some are at a time.
    let _turn = turns.upload().await?;
    let fetched = edge.app.editing.fetched(&token, n).await?;
    let name = format!("picture-{n}.{}", fetched.format.extension());
    let file = File {
        media_type: fetched.format.media_type(),
        name: &name,
        len: fetched.bytes.len() as u64,
        etag: "\"input\"",
    };
    let wanted = match file.wanted(&headers) {
        Ok(wanted) => wanted,
        Err(response) => return Ok(*response),
    };
    let bytes = match wanted.range() {
        Some(range) => {
            let within = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(fetched.bytes.len());
            fetched.bytes.slice(within(range.start)..within(range.end))
        }
        None => fetched.bytes,
    };
    Ok(match wanted {
        Wanted::All => file.head(&wanted, Body::from(bytes)),
        Wanted::Part(_) => file.carry(&wanted, stream::iter([Ok::<_, std::convert::Infallible>(bytes)])),
    })
}
