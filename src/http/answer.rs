//! Answers that several resources give.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::edge::Problem;

/// A problem that has a status and no kind: what is wrong with the request as HTTP.
pub(super) fn problem(status: StatusCode) -> Response {
    let (word, title) = match status {
        StatusCode::METHOD_NOT_ALLOWED => ("method-not-allowed", "This address does not take this method."),
        StatusCode::RANGE_NOT_SATISFIABLE => ("range", "There are no bytes in that range."),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => ("headers-too-large", "The headers are too large."),
        StatusCode::NOT_FOUND => crate::edge::sentence(crate::base::Kind::NotFound),
        s if s.is_server_error() => crate::edge::sentence(crate::base::Kind::Internal),
        _ => crate::edge::sentence(crate::base::Kind::Malformed),
    };
    let body = Problem {
        kind: format!("urn:vouchsafe:{word}"),
        title: title.to_owned(),
        status: status.as_u16(),
        detail: None,
        reference: None,
    };
    let bytes = serde_json::to_vec(&body).unwrap_or_default();
    let json = HeaderValue::from_static("application/problem+json");
    (status, [(header::CONTENT_TYPE, json)], bytes).into_response()
}
