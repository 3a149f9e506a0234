//! The desk: what staff see and do.
//!
//! Promises: every page asks for the role that [`roles`] names, and is refused to any other; every form carries its
//! session's token; what a person wrote is shown only to somebody who asked to read it, and that look is on the ledger.
//! Must never: decide what a room decides, or show an image or a field of a person's own.

mod door;
mod dress;
mod factor;
mod found;
mod handovers;
mod holds;
mod ledger;
mod look;
mod mandates;
mod people;
mod policies;
mod processors;
mod promises;
mod provider;
mod queue;
mod reads;
mod recipients;
mod record;
mod request;
mod retention;
pub mod roles;
mod seat;
mod shell;
mod today;
mod vouching;
mod words;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::edge::Edge;

/// No form of the desk is larger.
const LARGEST_FORM: usize = 64 * 1024;

/// Every address below `/{tenant}/desk`.
pub fn router(edge: Edge) -> Router {
    let attest = post(vouching::attest).layer(DefaultBodyLimit::max(vouching::LARGEST_FORM));
    Router::new()
        .route("/{tenant}/desk", get(today::show))
        .route("/{tenant}/desk/sign-in", get(door::ask).post(door::send))
        .route("/{tenant}/desk/sign-in/confirm", get(door::confirm).post(door::enter))
        .route("/{tenant}/desk/sign-in/oidc", get(provider::go))
        .route("/{tenant}/desk/sign-in/oidc/back", get(provider::come_back))
        .route("/{tenant}/desk/sign-out", post(door::leave))
        .route("/{tenant}/desk/factor", get(factor::show).post(factor::give))
        .route("/{tenant}/desk/factor/set-up", post(factor::set_up))
        .route("/{tenant}/desk/factor/codes", get(factor::ask_codes).post(factor::renew_codes))
        .route("/{tenant}/desk/jobs/{id}/retry", post(today::release))
        .route("/{tenant}/desk/requests", get(queue::show))
        .route("/{tenant}/desk/requests/{reference}", get(request::show))
        .route("/{tenant}/desk/requests/{reference}/read", post(request::read))
        .route("/{tenant}/desk/requests/{reference}/note", post(request::note))
        .route("/{tenant}/desk/requests/{reference}/{action}", post(request::act))
        .route("/{tenant}/desk/retention", get(retention::show))
        .route("/{tenant}/desk/promises", get(promises::show))
        .route("/{tenant}/desk/promises/{rule}", get(promises::one))
        .route("/{tenant}/desk/promises/{rule}/check", post(promises::check))
        .route("/{tenant}/desk/promises/{rule}/attest", attest)
        .route("/{tenant}/desk/promises/{rule}/evidence/{entry}", get(vouching::evidence))
        .route("/{tenant}/desk/policies", get(policies::show))
        .route("/{tenant}/desk/policies/{id}", get(policies::one))
        .route("/{tenant}/desk/policies/{id}/confirm", post(policies::confirm))
        .route("/{tenant}/desk/policies/{id}/refuse", post(policies::refuse))
        .route("/{tenant}/desk/holds", get(holds::show).post(holds::place))
        .route("/{tenant}/desk/holds/{id}/approve", post(holds::approve))
        .route("/{tenant}/desk/holds/{id}/review", post(holds::review))
        .route("/{tenant}/desk/holds/{id}/lift", post(holds::lift))
        .route("/{tenant}/desk/processors", get(processors::show))
        .route("/{tenant}/desk/processors/handovers", post(handovers::enter))
        .route("/{tenant}/desk/processors/record.html", get(record::html))
        .route("/{tenant}/desk/processors/record.csv", get(record::csv))
        .route("/{tenant}/desk/processors/record.json", get(record::json))
        .route("/{tenant}/desk/mandates", get(mandates::show))
        .route("/{tenant}/desk/mandates/{id}/end", post(mandates::end))
        .route("/{tenant}/desk/reads", get(reads::show))
        .route("/{tenant}/desk/reads.csv", get(reads::csv))
        .route("/{tenant}/desk/ledger", get(ledger::show))
        .route("/{tenant}/desk/ledger/verify", post(ledger::verify))
        .route("/{tenant}/desk/people", get(people::show).post(people::find))
        .route("/{tenant}/desk/people/look", post(look::look))
        .route("/{tenant}/desk/people/looks/{id}/agree", post(look::agree))
        .layer(from_fn_with_state(edge.clone(), dress::dress))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .with_state(edge)
}
