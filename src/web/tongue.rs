//! In which language a page is written: the one that was just asked for, else the one chosen before, else the one that the
//! browser likes best, else English. The desk speaks English only, and so does the page that checks receipts, which is the
//! same for everybody.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::Response;

use super::page::{cookie, is_page, with};
use crate::edge::{Edge, cookie_of};
use crate::speech::Tongue;

/// The field of an address that asks for a language.
const ASKED: &str = "lang";
/// How long a browser remembers a choice, in seconds.
const REMEMBERED: u32 = 365 * 24 * 3600;

/// The language of an answer, and where the same can be read in another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spoken {
    /// The language.
    pub(crate) tongue: Tongue,
    /// Where the page can be opened again; nothing where it cannot, or speaks one language only.
    pub(crate) here: Option<String>,
}

/// Chooses the language before anything is answered, and says of each page which it is.
pub(crate) async fn speak(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    if !speaks(request.uri().path()) {
        return next.run(request).await;
    }
    let asked = asked(request.uri());
    let tongue = asked.or_else(|| liked(&edge, request.headers())).unwrap_or_default();
    request.extensions_mut().insert(tongue);
    let mut response = next.run(request).await;
    let page = is_page(&response);
    if page {
        response = with(response, header::VARY, "accept-language, cookie");
        response.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(tongue.tag()));
    }
    match asked {
        // Whoever is led elsewhere first, to sign in, finds that in the language as well.
        Some(chosen) if page || response.status().is_redirection() => {
            let line = cookie(&edge, edge.language_cookie(), chosen.tag(), REMEMBERED);
            with(response, header::SET_COOKIE, &line)
        }
        _ => response,
    }
}

/// Whether what lies there is written in more than one language.
fn speaks(path: &str) -> bool {
    let mut parts = path.split('/').skip(1);
    let (first, second) = (parts.next(), parts.next());
    second != Some("desk") && (first, second) != (Some("ledger"), Some("verify"))
}

fn asked(uri: &Uri) -> Option<Tongue> {
    let query = uri.query().unwrap_or_default();
    let (_, tag) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == ASKED)?;
    Tongue::of_tag(&tag)
}

fn liked(edge: &Edge, headers: &HeaderMap) -> Option<Tongue> {
    let chosen = cookie_of(headers, edge.language_cookie()).and_then(|tag| Tongue::of_tag(&tag));
    let accepted = || headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
    chosen.or_else(|| Tongue::preferred(accepted()?))
}

impl Spoken {
    /// Of a request that went past [`speak`]; English for one that did not.
    pub(crate) fn of(parts: &Parts) -> Self {
        let Some(tongue) = parts.extensions.get::<Tongue>().copied() else { return Self::default() };
        Self { tongue, here: Some(here(&parts.method, &parts.uri)) }
    }
}

impl<S: Sync> FromRequestParts<S> for Spoken {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

/// Where a page can be opened again. One that came of a form is the page with the form: what is sent to be looked over
/// has its question one step above, and a link that was used leads back to the door.
fn here(method: &Method, uri: &Uri) -> String {
    let path = uri.path();
    if method != Method::GET {
        let form = path.strip_suffix("/check").or_else(|| path.strip_suffix("/confirm"));
        return form.unwrap_or(path).to_owned();
    }
    let query = uri.query().unwrap_or_default();
    let rest =
        url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != ASKED && name != "done");
    let rest = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
    if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_again_without_what_was_just_done() {
        for (method, uri, found) in [
            (Method::GET, "/t/privacy?done=switched-on&lang=en", "/t/privacy"),
            (Method::GET, "/t/images?before=a%20b&lang=de", "/t/images?before=a+b"),
            (Method::POST, "/t/privacy/ask/access/check", "/t/privacy/ask/access"),
            (Method::POST, "/t/sign-in/confirm?until=1", "/t/sign-in"),
            (Method::POST, "/t/sign-up", "/t/sign-up"),
        ] {
            assert_eq!(here(&method, &uri.parse().unwrap()), found);
        }
    }

    #[test]
    fn the_desk_and_the_page_that_is_the_same_for_everybody_speak_english() {
        for (path, more) in [("/t/desk", false), ("/t/desk/requests", false), ("/ledger/verify", false)] {
            assert_eq!(speaks(path), more, "{path}");
        }
        for path in ["/", "/ledger", "/t/ledger/7", "/t/privacy", "/desk"] {
            assert!(speaks(path), "{path}");
        }
    }
}
