//! Errors as pages: what happened, that nothing was lost, what to do, and a reference.

use askama::Template as _;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};

use super::page::{Visit, is_page};
use super::tongue::Spoken;
use super::view::{ErrorPage, Shell, Viewer, Way};
use crate::base::Kind;
use crate::edge::{Edge, Fault, MaybeSigned, Reference, sentence};
use crate::speech::{Tongue, key};

/// Turns an error into a page, for whoever reads pages.
pub(crate) async fn dress(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let asked = reads_pages(&parts.headers).then(|| parts.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    let Some(mut asked) = asked.filter(|_| !is_page(&response)) else { return response };
    let Some(fault) = fault_of(&response) else { return response };
    let reference = asked.extensions.get::<Reference>().map(|r| r.0.clone()).unwrap_or_default();
    let shell = shell(&edge, &mut asked).await;
    let page = page(shell, &fault, reference);
    match page.render() {
        Ok(text) => (response.status(), Html(text)).into_response(),
        Err(_) => response,
    }
}

/// Nothing is here.
pub(crate) async fn nowhere() -> Fault {
    Fault::new(Kind::NotFound)
}

fn reads_pages(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/html"))
}

/// The fault of a response: as a handler gave it, or by its status where the router answered.
fn fault_of(response: &Response) -> Option<Fault> {
    let status = response.status();
    let given = response.extensions().get::<Fault>().cloned();
    let by_status = || {
        Fault::new(match status {
            StatusCode::FORBIDDEN => Kind::Forbidden,
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Kind::NotFound,
            StatusCode::REQUEST_TIMEOUT => Kind::TooSlow,
            StatusCode::PAYLOAD_TOO_LARGE => Kind::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Kind::Unsupported,
            s if s.is_server_error() => Kind::Internal,
            _ => Kind::Malformed,
        })
    };
    (status.is_client_error() || status.is_server_error()).then(|| given.unwrap_or_else(by_status))
}

/// The shell of the tenant whose page was asked for; the house's own if there is none.
async fn shell(edge: &Edge, asked: &mut Parts) -> Shell {
    let session = MaybeSigned::from_request_parts(asked, edge).await.ok().and_then(|s| s.0);
    let tenant = asked.uri.path().split('/').nth(1).and_then(|t| t.parse().ok());
    if let Some(tenant) = tenant
        && let Ok(visit) = Visit::new(edge, tenant, session, asked)
        && let Ok(shell) = visit.shell().await
    {
        return Shell { flash: None, here: here(asked), ..shell };
    }
    house(edge, Spoken { here: here(asked), ..Spoken::of(asked) })
}

/// A page of an error can be opened again where it is, and names no address: what is not there and what is somebody
/// else's are one page.
fn here(asked: &Parts) -> Option<String> {
    let spoken = Spoken::of(asked).here.filter(|_| asked.method == Method::GET);
    spoken.map(|_| String::new())
}

/// What surrounds the pages of the installation itself.
pub(crate) fn house(edge: &Edge, spoken: Spoken) -> Shell {
    Shell {
        root: String::new(),
        brand: "vouchsafe".to_owned(),
        development: edge.development(),
        now: edge.app.clock.now().into(),
        csrf: String::new(),
        viewer: Viewer::Nobody,
        flash: None,
        tongue: spoken.tongue,
        // Each tenant's document may have a language of its own; what is quoted here is English.
        document: Tongue::English.tag().to_owned(),
        here: spoken.here,
    }
}

fn page(shell: Shell, fault: &Fault, reference: String) -> ErrorPage {
    let (title, happened, steps) = words(fault.kind);
    ErrorPage {
        title: shell.say(title).to_owned(),
        happened: detail(shell.tongue, fault).unwrap_or_else(|| shell.tongue.tell(happened)),
        unharmed: shell.say("Nothing was changed and nothing was lost.").to_owned(),
        steps: steps.iter().map(|step| shell.say(step).to_owned()).collect(),
        ways: ways(&shell),
        reference,
        shell,
    }
}

/// What a room said of the fault. In another language only where it has a row: the fault's own kind has one.
fn detail(tongue: Tongue, fault: &Fault) -> Option<String> {
    let says = whole_sentence(fault.detail.as_deref()?);
    if tongue == Tongue::English { Some(says) } else { tongue.known(&says).map(ToOwned::to_owned) }
}

fn whole_sentence(text: &str) -> String {
    let mut chars = text.chars();
    let mut out: String = chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect();
    if !out.ends_with(['.', '!', '?']) {
        out.push('.');
    }
    out
}

fn words(kind: Kind) -> (&'static str, &'static str, &'static [&'static str]) {
    let (_, fixed) = sentence(kind);
    match kind {
        Kind::NotFound => (
            key("There is no page here"),
            key(
                "The address may be mistyped, or what was here has been erased. If it was never yours, you see the same page.",
            ),
            const { &[key("Check the address for a slip.")] },
        ),
        Kind::Gone => (key("It is no longer here"), fixed, &[]),
        Kind::Unauthenticated | Kind::StepUp => (
            key("Sign in first"),
            fixed,
            const { &[key("Ask for a link, open it in this browser, and come back.")] },
        ),
        Kind::Forbidden => (
            key("That is not allowed"),
            fixed,
            const {
                &[key(
                    "Reload the page you came from and try once more, in case it was open for a long time.",
                )]
            },
        ),
        Kind::Conflict => (
            key("That does not fit any more"),
            fixed,
            const { &[key("Reload the page to see how things stand now.")] },
        ),
        Kind::TooLarge => {
            (key("That is too large"), fixed, const { &[key("Choose a smaller file and send it again.")] })
        }
        Kind::Unsupported => {
            (key("We cannot read that"), fixed, const { &[key("Choose a JPEG, PNG or WebP picture.")] })
        }
        Kind::TooSlow => (key("That took too long"), fixed, const { &[key("Try again in a moment.")] }),
        Kind::TooMany => {
            (key("Too much at once"), fixed, const { &[key("Wait a few minutes and try again.")] })
        }
        Kind::Malformed | Kind::Invalid => (
            key("We could not use what was sent"),
            fixed,
            const { &[key("Go back, look it over and send it again.")] },
        ),
        Kind::Upstream | Kind::Unavailable | Kind::Full | Kind::Internal => (
            key("Something went wrong on our side"),
            fixed,
            const {
                &[
                    key("Try again in a moment."),
                    key("If it happens again, write to us with the reference below."),
                ]
            },
        ),
    }
}

fn ways(shell: &Shell) -> Vec<Way> {
    let way = |says: &'static str, path: &str| Way {
        says: shell.say(says).to_owned(),
        href: format!("{}{path}", shell.root),
    };
    if shell.root.is_empty() {
        return vec![way(key("Front page"), "/")];
    }
    if shell.is_person() {
        return vec![way(key("My pictures"), "/images"), way(key("Privacy centre"), "/privacy")];
    }
    vec![way(key("Sign in"), "/sign-in"), way(key("Privacy policy"), "/policy")]
}
