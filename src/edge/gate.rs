//! Nothing is answered while the service is shut, but whether it lives and why it is shut.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::{Edge, Fault};
use crate::app::Shut;
use crate::base::Kind;

/// Answered all the same: they tell nothing of anybody.
const ALWAYS: [&str; 2] = ["/healthz", "/readyz"];

/// Lets calls through when the service is open.
pub async fn only_when_open(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    if edge.app.gate.is_open() || ALWAYS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let why = match edge.app.gate.why() {
        Some(Shut::Watched { .. } | Shut::Rewritten { .. }) => {
            "Somebody who watches our ledger has seen something else than we have here. Nothing is shown or taken before \
             we know why."
        }
        _ => {
            "We have put a backup back and are first doing again what happened since it was made, so that whoever was \
             erased stays erased. Nothing is shown or taken before that is done."
        }
    };
    let mut response = Fault::because(Kind::Unavailable, why).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    response
}
