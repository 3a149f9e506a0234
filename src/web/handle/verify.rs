//! The page that checks a receipt without us: one file that opens from a disk as well, with no address in it. It is made
//! without looking at who asks, and a browser gives it an origin of its own, apart from every page with a session.

use axum::extract::State;
use axum::http::header;

use crate::edge::Edge;
use crate::web::page::{Answer, html, with};
use crate::web::view::OfflineVerifier;

/// `GET /ledger/verify`
pub(crate) async fn page(State(edge): State<Edge>) -> Answer {
    let page = OfflineVerifier::new(edge.app.ledger.verifier().to_string());
    let policy = format!("{}; sandbox allow-scripts; frame-ancestors 'none'", page.policy);
    Ok(with(html(&page)?, header::CONTENT_SECURITY_POLICY, &policy))
}
