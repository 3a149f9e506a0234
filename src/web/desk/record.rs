//! The record of processing activities (Art. 30 GDPR), computed from the document in force, as files to take away.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::seat::Seat;
use super::shell::Answer;
use crate::base::Kind;
use crate::edge::Fault;
use crate::policy::ropa::ropa;
use crate::web::paper;

/// `GET /desk/processors/record.html`: one file that stands alone, ready to print. A file, not a page: it carries its style.
pub(super) async fn html(seat: Seat) -> Answer {
    let policy = seat.edge.app.vault.policy(&seat.tenant)?;
    let paper = paper::outline(&policy, &ropa(&policy).page()).map_err(|_| Fault::new(Kind::Internal))?;
    Ok(file(&seat, "html", HeaderValue::from_static("text/html; charset=utf-8"), paper))
}

/// `GET /desk/processors/record.csv`: harmless to spreadsheets.
pub(super) async fn csv(seat: Seat) -> Answer {
    let policy = seat.edge.app.vault.policy(&seat.tenant)?;
    let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    Ok(file(&seat, "csv", kind, ropa(&policy).csv()))
}

/// `GET /desk/processors/record.json`: JSON-LD in the terms of the Data Privacy Vocabulary.
pub(super) async fn json(seat: Seat) -> Answer {
    let policy = seat.edge.app.vault.policy(&seat.tenant)?;
    let kind = HeaderValue::from_static("application/ld+json");
    Ok(file(&seat, "json", kind, format!("{:#}\n", ropa(&policy).json_ld())))
}

fn file(seat: &Seat, ending: &str, kind: HeaderValue, body: String) -> Response {
    let name = format!("attachment; filename=\"record-of-processing-{}.{ending}\"", seat.tenant);
    let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], body).into_response()
}
