//! The addresses of the pages. `view` has the table of what each shows.

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use tower_http::csrf::CsrfLayer;

use super::desk;
use super::fault_page::{dress, nowhere};
use super::handle::bytes::Turns;
use super::handle::{
    account, address, agents, bytes, centre, edit, erase, gallery, house, import, ledger, letters, mandates,
    policy, readers, receipts, requests, verify, versions,
};
use super::tongue::speak;
use crate::edge::{self, Edge};

/// What may be sent with an upload besides the picture: the other fields, and a picture too large that is read to its
/// end so that its sender gets an answer.
const LARGEST_FORM: usize = 128 << 20;

/// The pages, to be served beside the API's routes. An address that leads nowhere is answered here.
#[expect(clippy::needless_pass_by_value, reason = "a router keeps what it is given, as the API's does")]
pub fn router(edge: Edge) -> Router {
    let pages = Router::new()
        .merge(of_the_house())
        .merge(for_anyone())
        .merge(coming_in())
        .merge(pictures())
        .merge(privacy())
        .fallback(nowhere)
        .layer(Extension(Turns::default()))
        .with_state(edge.clone());
    dressed(pages.merge(desk::router(edge.clone())), &edge)
}

/// What every answer goes through, the outermost last.
fn dressed(pages: Router, edge: &Edge) -> Router {
    let state = || edge.clone();
    pages
        .layer(own_pages_only(edge))
        .layer(middleware::from_fn_with_state(state(), edge::only_when_open))
        .layer(middleware::from_fn_with_state(state(), dress))
        .layer(middleware::from_fn_with_state(state(), speak))
        .layer(middleware::from_fn_with_state(state(), edge::secure))
        .layer(middleware::from_fn_with_state(state(), edge::tag))
}

/// Forms come from pages of ours: a browser says of which site the page is that sends one.
fn own_pages_only(edge: &Edge) -> CsrfLayer {
    let own = edge.app.config.server.public_url.clone();
    CsrfLayer::new().add_trusted_origin(own).unwrap_or_else(|error| {
        tracing::warn!(%error, "the public URL is no origin; forms are checked against the host alone");
        CsrfLayer::new()
    })
}

fn of_the_house() -> Router<Edge> {
    Router::new()
        .route("/", get(house::home))
        .route("/assets/{name}", get(house::asset))
        .route("/ledger", get(ledger::whole))
        .route("/ledger/verify", get(verify::page))
        .route("/ledger/{n}", get(ledger::entry))
        .route("/ledger/{n}/file", get(ledger::entry_file))
}

fn for_anyone() -> Router<Edge> {
    Router::new()
        .route("/{tenant}", get(house::tenant))
        .route("/{tenant}/", get(house::tenant))
        .route("/{tenant}/policy", get(policy::in_force))
        .route("/{tenant}/policy/promises.json", get(policy::promises))
        .route("/{tenant}/policy/{version}", get(policy::version))
        .route("/{tenant}/policy/{version}/source", get(policy::source))
        .route("/{tenant}/ledger", get(ledger::of_tenant))
        .route("/{tenant}/ledger/{n}", get(ledger::entry_of_tenant))
        .route("/{tenant}/ledger/{n}/file", get(ledger::entry_file_of_tenant))
        .route("/{tenant}/receipts/{id}", get(receipts::show))
        .route("/{tenant}/receipts/{id}/file", get(receipts::file))
        .route("/{tenant}/erased/{request}", get(erase::erased))
        .route("/{tenant}/letters/confirm", get(letters::confirm).post(letters::enter))
        .route("/{tenant}/letters/decline", post(letters::decline))
        .route("/{tenant}/agents", get(mandates::form).post(mandates::propose))
        .route("/{tenant}/mandates/confirm", get(mandates::confirm).post(mandates::enter))
        .route("/{tenant}/mandates/decline", post(mandates::decline))
}

fn coming_in() -> Router<Edge> {
    Router::new()
        .route("/{tenant}/sign-in", get(account::sign_in).post(account::ask))
        .route("/{tenant}/sign-in/confirm", get(account::confirm).post(account::enter))
        .route("/{tenant}/sign-up", get(account::sign_up).post(account::open))
        .route("/{tenant}/sign-out", post(account::leave))
        .route("/{tenant}/address/confirm", get(address::confirm).post(address::enter))
        .route("/{tenant}/address/undo", get(address::ask_undo).post(address::undo))
}

fn pictures() -> Router<Edge> {
    let sending = get(edit::ask).post(edit::send).layer(DefaultBodyLimit::max(LARGEST_FORM));
    Router::new()
        .route("/{tenant}/images", get(gallery::gallery))
        .route("/{tenant}/images/{id}", get(gallery::image))
        .route("/{tenant}/images/{id}/small", get(bytes::small))
        .route("/{tenant}/images/{id}/large", get(bytes::large))
        .route("/{tenant}/images/{id}/file", get(bytes::file))
        .route("/{tenant}/images/{id}/delete", get(gallery::ask_delete).post(gallery::delete))
        .route("/{tenant}/edit", sending)
        .route("/{tenant}/edits/{id}", get(edit::progress))
        .route("/{tenant}/edits/{id}/events", get(edit::events))
        .route("/{tenant}/edits/{id}/cancel", post(edit::cancel))
}

fn privacy() -> Router<Edge> {
    let bringing = get(import::ask).post(import::send).layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/{tenant}/privacy/import", bringing)
        .route("/{tenant}/privacy/agents/{id}", get(agents::ask).post(agents::answer))
        .route("/{tenant}/privacy", get(centre::centre))
        .route("/{tenant}/privacy/consents/{purpose}", post(centre::switch))
        .route("/{tenant}/privacy/consents/receipt/{entry}", get(receipts::of_consent))
        .route("/{tenant}/privacy/restriction/lift", post(centre::lift))
        .route("/{tenant}/privacy/details", get(centre::own_details).post(centre::correct))
        .route("/{tenant}/privacy/ask/{right}", get(requests::ask).post(requests::file))
        .route("/{tenant}/privacy/ask/{right}/check", post(requests::review))
        .route("/{tenant}/privacy/requests/{reference}", get(requests::status))
        .route("/{tenant}/privacy/requests/{reference}/filed", get(requests::filed))
        .route("/{tenant}/privacy/requests/{reference}/archive", get(requests::take_home))
        .route("/{tenant}/privacy/requests/{reference}/confirm", post(requests::confirm))
        .route("/{tenant}/privacy/requests/{reference}/withdraw", post(requests::withdraw))
        .route("/{tenant}/privacy/mandates/{id}/end", post(mandates::end))
        .route("/{tenant}/privacy/erase", get(erase::ask).post(erase::file))
        .route("/{tenant}/privacy/policies", get(versions::own))
        .route("/{tenant}/privacy/policies/{version}/acknowledge", post(versions::acknowledge))
        .route("/{tenant}/privacy/readers", get(readers::readers))
        .route("/{tenant}/notices", get(readers::told))
}
