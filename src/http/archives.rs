//! The archive to take home, and receipts.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse as _, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::File;
use super::ask::Named;
use crate::base::{ReceiptId, RequestId};
use crate::edge::{Edge, Fault, Problem, UserCaller};

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(archive)).routes(routes!(receipt))
}

/// The archive that answers a request
///
/// A ZIP file, made while it is sent and kept nowhere. Its length is known beforehand, and a `Range` of it can be had,
/// so that a download that broke off can be taken up again. Needs the person's own session or token, and a proof of who they
/// are that is less than an hour old.
#[utoipa::path(get, path = "/v1/requests/{id}/archive", tag = "requests",
    params(("id" = String, Path), ("Range" = Option<String>, Header, example = "bytes=0-65535")),
    security(("token" = []), ("session" = [])),
    responses((status = 200, description = "The archive.", content_type = "application/zip", body = Vec<u8>),
        (status = 206, description = "The part of it that was asked for.", content_type = "application/zip", body = Vec<u8>),
        (status = 401, description = "`step-up`: sign in again first.", body = Problem),
        (status = 404, description = "Not there, not ready, or not one's own.", body = Problem),
        (status = 410, description = "It can no longer be had; ask for a new one.", body = Problem),
        (status = 416, description = "There are no bytes in that range.", body = Problem)))]
async fn archive(
    State(edge): State<Edge>,
    method: Method,
    caller: UserCaller,
    Named(id): Named<RequestId>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    caller.proved_lately(&edge)?;
    let archive = edge.app.requests.archive(&caller.owner, id).await?;
    let etag = archive.etag();
    let (name, len) = (archive.file_name.as_str(), archive.len());
    let file = File { media_type: "application/zip", name, len, etag: &etag };
    let wanted = match file.wanted(&headers) {
        Ok(wanted) => wanted,
        Err(response) => return Ok(*response),
    };
    if method == Method::HEAD {
        // To ask how long it is, is not to fetch it.
        return Ok(file.head(&wanted, Body::empty()));
    }
    let bytes = edge.app.requests.deliver(&caller.owner, &archive, wanted.range()).await?;
    Ok(file.carry(&wanted, bytes))
}

/// A receipt
///
/// Text that verifies offline with `vouchsafe verify`. Whoever has its id may have it; it names nobody.
#[utoipa::path(get, path = "/v1/receipts/{id}", tag = "receipts", params(("id" = String, Path)),
    responses((status = 200, description = "The receipt.", content_type = "text/plain", body = String),
        (status = 404, description = "There is none.", body = Problem)))]
async fn receipt(State(edge): State<Edge>, Named(id): Named<ReceiptId>) -> Result<Response, Fault> {
    let (issued, receipt) = edge.app.requests.receipt(id).await?;
    let text = receipt.to_text()?;
    let name = format!("attachment; filename=\"{}-receipt-{}.txt\"", issued.kind.as_str(), issued.id);
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, text).into_response())
}
