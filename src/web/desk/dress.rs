//! Errors in the desk's dress. Whoever is not signed in and wants to see a page is shown the door.

use std::sync::{Arc, Mutex, PoisonError};

use askama::Template as _;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Redirect, Response};

use super::door::set_cookie;
use super::shell;
use crate::base::{Kind, Secret, TenantId};
use crate::edge::{Edge, Fault, Reference, sentence};
use crate::web::view::{ErrorPage, Way};

/// The cookie of a session that a proof has made another, to be set with the answer whatever it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Renewed(Arc<Mutex<Option<Secret<String>>>>);

impl Renewed {
    /// That of a call.
    pub(super) fn of(parts: &Parts) -> Self {
        parts.extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Sets the cookie's line.
    pub(super) fn set(&self, line: Secret<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
    }

    fn take(&self) -> Option<Secret<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Turns a fault into a page for whoever reads pages, and sets the cookie of a session that became another.
pub(super) async fn dress(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let renewed = Renewed::default();
    request.extensions_mut().insert(renewed.clone());
    let mut response = dressed(&edge, request, next).await;
    if let Some(line) = renewed.take() {
        set_cookie(&mut response, line.expose());
    }
    response
}

async fn dressed(edge: &Edge, request: Request, next: Next) -> Response {
    let wanted = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let tenant: Option<TenantId> = request.uri().path().split('/').nth(1).and_then(|t| t.parse().ok());
    let looks = request.method() == Method::GET;
    let reads = reads_pages(request.headers());
    let reference = request.extensions().get::<Reference>().map(|r| r.0.clone()).unwrap_or_default();
    let response = next.run(request).await;
    let fault = response.extensions().get::<Fault>().cloned();
    let (Some(fault), Some(tenant), true) = (fault, tenant, reads) else { return response };
    if looks && fault.kind == Kind::Unauthenticated {
        return Redirect::to(&format!("/{tenant}/desk/sign-in")).into_response();
    }
    if looks && fault.kind == Kind::StepUp {
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("next", &wanted).finish();
        return Redirect::to(&format!("/{tenant}/desk/factor?{query}")).into_response();
    }
    page(edge, &tenant, &fault, reference).unwrap_or(response)
}

fn reads_pages(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok());
    accept.is_some_and(|v| v.contains("text/html"))
}

fn page(edge: &Edge, tenant: &TenantId, fault: &Fault, reference: String) -> Option<Response> {
    let shell = shell::outside(edge, tenant, String::new()).ok()?;
    let (_, fixed) = sentence(fault.kind);
    let way = |says: &str, path: &str| Way { says: says.to_owned(), href: format!("{}{path}", shell.root) };
    let page = ErrorPage {
        title: title(fault.kind).to_owned(),
        happened: fault.detail.as_deref().map_or_else(|| fixed.to_owned(), whole),
        unharmed: "Nothing was changed.".to_owned(),
        steps: steps(fault.kind),
        ways: vec![way("Today", "/desk"), way("Sign in", "/desk/sign-in")],
        reference,
        shell,
    };
    let html = page.render().ok()?;
    let status = if fault.kind == Kind::Unauthenticated { StatusCode::UNAUTHORIZED } else { fault.status() };
    Some((status, Html(html)).into_response())
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Forbidden => "That is not open to you",
        Kind::NotFound | Kind::Gone => "There is nothing here",
        Kind::Unauthenticated => "Sign in first",
        Kind::StepUp => "Your code first",
        Kind::Conflict => "That does not fit any more",
        Kind::Malformed | Kind::Invalid | Kind::TooLarge | Kind::TooSlow | Kind::Unsupported => {
            "We could not use what was sent"
        }
        Kind::TooMany => "Too much at once",
        Kind::Upstream | Kind::Unavailable | Kind::Full | Kind::Internal => {
            "Something went wrong on our side"
        }
    }
}

fn steps(kind: Kind) -> Vec<String> {
    let step = match kind {
        Kind::Forbidden => {
            "Ask somebody with another role, or reload the page you came from and try once more."
        }
        Kind::NotFound | Kind::Gone => "Check the number. What was erased cannot be found any more.",
        Kind::Unauthenticated => "Ask for a new link. A session of staff ends after 30 minutes unused.",
        Kind::StepUp => "Open the desk: it asks for the code of your authenticator app.",
        Kind::Conflict => "Reload the page to see how things stand now.",
        Kind::Malformed | Kind::Invalid | Kind::TooLarge | Kind::TooSlow | Kind::Unsupported => {
            "Go back, look it over and send it again."
        }
        Kind::TooMany | Kind::Upstream | Kind::Unavailable | Kind::Full | Kind::Internal => {
            "Try again in a moment."
        }
    };
    vec![step.to_owned()]
}

/// A room's sentence as a page writes it.
fn whole(text: &str) -> String {
    let mut rest = text.chars();
    let first: String = rest.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", rest.as_str())
}
