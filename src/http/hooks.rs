//! Webhooks of providers. What comes in counts only when the provider signed it, and says only that there is something to
//! look at.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, RequestExt as _, Router, routing};

use super::guard::Turns;
use crate::base::Kind;
use crate::edge::{Edge, Fault};

/// The most bytes of one. Replicate repeats what was sent to it, pictures included.
const MOST: usize = 32 << 20;

/// Not part of the API that is described: only providers call it, at addresses that are good for one job.
pub(super) fn routes() -> Router<Edge> {
    Router::new().route("/hooks/{provider}/{nonce}", routing::post(called)).layer(DefaultBodyLimit::max(MOST))
}

/// How long one may take to come in.
const PATIENCE: Duration = Duration::from_secs(10);

/// `POST /hooks/{provider}/{nonce}`: 202 when it is taken, also when it has no effect; 401 when it is not the provider's. At an
/// address that nobody was given its body is not even read.
async fn called(
    State(edge): State<Edge>,
    Extension(turns): Extension<Turns>,
    Path((provider, nonce)): Path<(String, String)>,
    headers: HeaderMap,
    request: Request,
) -> Result<StatusCode, Fault> {
    if nonce.len() > 64 {
        return Err(Fault::new(Kind::NotFound));
    }
    if !edge.app.editing.awaits(&provider, &nonce).await? {
        return Ok(StatusCode::ACCEPTED);
    }
    // It is held in memory until its signature is checked, so only some are at a time, and none for long.
    let _turn = turns.hook().await?;
    let body = body_of(request, PATIENCE).await?;
    edge.app.editing.called_back(&provider, &nonce, &headers, &body).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn body_of(request: Request, patience: Duration) -> Result<Bytes, Fault> {
    let body = tokio::time::timeout(patience, request.extract::<Bytes, _>()).await;
    body.map_err(|_| Fault::new(Kind::TooSlow))?.map_err(|_| Fault::new(Kind::TooLarge))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_body_that_does_not_come_is_too_slow_and_not_malformed() {
        let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let fault = body_of(Request::new(never), Duration::ZERO).await.unwrap_err();
        assert_eq!(fault.status(), StatusCode::REQUEST_TIMEOUT);
        let there = body_of(Request::new(Body::from("{}")), Duration::ZERO).await.unwrap();
        assert_eq!(there, "{}");
    }
}
