//! In and out: a link to the work mailbox, opened and then confirmed with a button; a code follows ([`super::factor`]). The desk has a cookie of its own, so
//! that one browser can be somebody with pictures and somebody at the desk at once, and no other site's link brings it.

use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::TimeDelta;

use super::seat::{self, Fields};
use super::shell::{Answer, outside, page, query};
use crate::base::{Secret, TenantId, Timestamp};
use crate::edge::{Edge, Fault, StaffAtDoor, cookie_of};
use crate::speech::Tongue;
use crate::subjects::{Email, Error, LINK_LIFE, LinkFor, LinkWish, SignedIn};
use crate::web::view::{Mistake, Mistakes, ProviderDoor, SignInConfirm, StaffMailSent, StaffSignIn};

/// The list under which tokens of forms are made that nobody is signed in for: one for each browser.
const DOOR: &str = "desk-door";
const STRANGE: &str = "The form was open for too long, or came from another page. Please send it again.";
const DEAD: &str = "The link does not work: it was used, has run out, or was asked for in another browser. Ask for a new one.";

/// Somebody at the door of a tenant's desk: a browser, known by a nonce.
pub(super) struct Caller {
    edge: Edge,
    tenant: TenantId,
    nonce: String,
    fresh: bool,
}

impl Caller {
    pub(super) async fn of(parts: &mut Parts, edge: &Edge) -> Result<Self, Fault> {
        let tenant = seat::tenant(parts, edge).await?;
        let known = cookie_of(&parts.headers, edge.browser_cookie());
        let fresh = known.is_none();
        let nonce = known.unwrap_or_else(|| edge.app.entropy.token());
        Ok(Self { edge: edge.clone(), tenant, nonce, fresh })
    }

    pub(super) fn edge(&self) -> &Edge {
        &self.edge
    }

    pub(super) fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    fn csrf(&self) -> String {
        self.edge.cursors.write(DOOR, &self.nonce)
    }

    fn sent_by_us(&self, fields: &Fields) -> bool {
        !self.fresh && self.edge.cursors.read(DOOR, fields.one("csrf")).is_ok_and(|n| n == self.nonce)
    }

    /// An answer, with the nonce given to a browser that had none.
    fn answer(&self, mut response: Response) -> Response {
        if self.fresh {
            let line = cookie(&self.edge, self.edge.browser_cookie(), &self.nonce, "Lax", Some(LINK_LIFE));
            set_cookie(&mut response, &line);
        }
        response
    }

    pub(super) fn form(&self, email: &str, mistake: Option<(&str, &str)>) -> Answer {
        let mistakes =
            mistake.map(|(field, says)| Mistake { field: field.to_owned(), says: says.to_owned() });
        let shell = outside(&self.edge, &self.tenant, self.csrf())?;
        let provider = self.edge.provider.as_ref().map(|provider| ProviderDoor {
            name: provider.name().to_owned(),
            href: format!("{}/desk/sign-in/oidc", shell.root),
        });
        let form = StaffSignIn {
            shell,
            provider,
            email: email.to_owned(),
            mistakes: Mistakes(mistakes.into_iter().collect()),
        };
        Ok(self.answer(page(&form)?))
    }
}

pub(super) fn cookie(
    edge: &Edge,
    name: &str,
    value: &str,
    same_site: &str,
    life: Option<TimeDelta>,
) -> String {
    let secure = if edge.development() { "" } else { "; Secure" };
    let age = life.map_or_else(String::new, |l| format!("; Max-Age={}", l.num_seconds()));
    format!("{name}={value}; Path=/; HttpOnly; SameSite={same_site}{secure}{age}")
}

/// The cookie of a session of staff.
pub(super) fn session_cookie(edge: &Edge, value: &str) -> String {
    cookie(edge, edge.desk_cookie(), value, "Strict", None)
}

pub(super) fn set_cookie(response: &mut Response, line: &str) {
    if let Ok(value) = HeaderValue::from_str(line) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// `GET /desk/sign-in`
pub(super) async fn ask(State(edge): State<Edge>, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    Caller::of(&mut parts, &edge).await?.form("", None)
}

/// `POST /desk/sign-in`: the same answer whether the address is one of staff or not.
pub(super) async fn send(State(edge): State<Edge>, request: Request) -> Answer {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::of(&mut parts, &edge).await?;
    let fields = seat::form(Request::from_parts(parts, body), &edge).await?;
    let typed = fields.one("email");
    if !caller.sent_by_us(&fields) {
        return caller.form(typed, Some(("email", STRANGE)));
    }
    let Ok(email) = typed.parse::<Email>() else {
        return caller.form(typed, Some(("email", "This is not an e-mail address we can write to.")));
    };
    let link = link(&caller, &email).await?;
    let sent = StaffMailSent {
        shell: outside(&edge, &caller.tenant, caller.csrf())?,
        email: typed.to_owned(),
        lives: "15 minutes".to_owned(),
        // In development there is nobody to keep it from.
        development_link: link.filter(|_| edge.development()).map(|link| link.expose().clone()),
    };
    page(&sent)
}

/// Has a link mailed to an address of staff. Whether it is one is looked up when the letter is written, so that the time of
/// this answer does not tell. Gives the whole link.
async fn link(caller: &Caller, email: &Email) -> Result<Option<Secret<String>>, Fault> {
    let app = &caller.edge.app;
    let until = app.clock.now().plus(LINK_LIFE).micros() / 1_000_000;
    let path = format!("/desk/sign-in/confirm?until={until}");
    let wish = LinkWish {
        whom: LinkFor::Staff,
        email,
        browser: &caller.nonce,
        tells_code: false,
        opens: None,
        path: &path,
        tongue: Tongue::English,
    };
    match app.subjects.ask_link(&caller.tenant, &wish).await {
        Ok(path) => {
            let base = app.config.server.public_url.as_str();
            Ok(Some(Secret::new(format!("{base}/{}{}", caller.tenant, path.expose()))))
        }
        Err(Error::TooMany) => {
            tracing::warn!(tenant = %caller.tenant, "too many sign-in links for one address of staff");
            Ok(None)
        }
        Err(e) => Err(e.into()),
    }
}

/// `GET /desk/sign-in/confirm`: nothing happens yet, so that a scanner that follows links signs nobody in.
pub(super) async fn confirm(State(edge): State<Edge>, uri: Uri, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let caller = Caller::of(&mut parts, &edge).await?;
    let Some(token) = query(&uri, "token") else { return caller.form("", Some(("email", DEAD))) };
    let told = query(&uri, "until").and_then(|t| t.parse::<i64>().ok());
    let until = told.map(|t| Timestamp::from_micros(t.saturating_mul(1_000_000)));
    let shell = outside(&edge, &caller.tenant, caller.csrf())?;
    let confirm = SignInConfirm {
        says: format!("You asked to sign in to the desk of {}.", shell.brand),
        shell,
        token,
        action: "/desk/sign-in/confirm".to_owned(),
        button: "Sign in to the desk".to_owned(),
        until: until.map(Into::into),
        asks_code: false,
        mistakes: Mistakes::default(),
    };
    Ok(caller.answer(page(&confirm)?))
}

/// `POST /desk/sign-in/confirm`
pub(super) async fn enter(State(edge): State<Edge>, request: Request) -> Answer {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::of(&mut parts, &edge).await?;
    let fields = seat::form(Request::from_parts(parts, body), &edge).await?;
    if !caller.sent_by_us(&fields) {
        return caller.form("", Some(("email", STRANGE)));
    }
    let subjects = &edge.app.subjects;
    let redeemed = match subjects.redeem(&caller.tenant, fields.one("token"), Some(&caller.nonce)).await {
        Err(Error::BadProof) => return caller.form("", Some(("email", DEAD))),
        other => other?,
    };
    if !matches!(redeemed.session.who, SignedIn::Staff(_)) {
        subjects.sign_out(&redeemed.session).await?;
        return caller.form("", Some(("email", DEAD)));
    }
    let mut response = Redirect::to(&format!("/{}/desk", caller.tenant)).into_response();
    set_cookie(&mut response, &session_cookie(&edge, redeemed.cookie.expose()));
    Ok(response)
}

/// `POST /desk/sign-out`: by whoever holds the cookie; a form token would protect nothing here.
pub(super) async fn leave(State(edge): State<Edge>, headers: HeaderMap, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let tenant = seat::tenant(&mut parts, &edge).await?;
    if cookie_of(&headers, edge.desk_cookie()).is_some()
        && let Ok(staff) = StaffAtDoor::from_request_parts(&mut parts, &edge).await
    {
        edge.app.subjects.sign_out(&staff.session).await?;
    }
    let mut response = Redirect::to(&format!("/{tenant}/desk/sign-in")).into_response();
    let gone = cookie(&edge, edge.desk_cookie(), "", "Strict", Some(TimeDelta::zero()));
    set_cookie(&mut response, &gone);
    Ok(response)
}
