//! Who is calling. Each kind of caller is an extractor, so a handler cannot be reached by anybody else.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::{Edge, Fault};
use crate::base::{Kind, SubjectId, Timestamp};
use crate::subjects::{ApiKey, PROVED_FRESH, Scope, Session, SignedIn};
use crate::vault::{Actor, Owner};

/// The session's cookie.
pub const SESSION_COOKIE: &str = "__Host-sid";
/// The session's cookie where there is no TLS: development only.
const SESSION_COOKIE_PLAIN: &str = "sid";
/// The cookie of a session of staff: their own, so that `SameSite=Strict` costs nobody else a sign-in.
pub const DESK_COOKIE: &str = "__Host-desk";
/// The same where there is no TLS.
const DESK_COOKIE_PLAIN: &str = "desk";
/// What a browser brings back from the staff's identity provider.
pub const AWAY_COOKIE: &str = "__Host-away";
/// The nonce of a browser that asked for a sign-in link.
pub const BROWSER_COOKIE: &str = "__Host-ask";
/// The language somebody chose for the pages, by its tag.
const LANGUAGE_COOKIE: &str = "__Host-lang";
/// The header that says for which person an app's server calls.
const ON_BEHALF_OF: &str = "vouchsafe-subject";

pub(super) fn unauthenticated() -> Fault {
    Fault::new(Kind::Unauthenticated)
}

impl Edge {
    /// What the session's cookie is called here.
    pub fn session_cookie(&self) -> &'static str {
        if self.development() { SESSION_COOKIE_PLAIN } else { SESSION_COOKIE }
    }

    /// What the cookie of a session of staff is called here.
    pub fn desk_cookie(&self) -> &'static str {
        if self.development() { DESK_COOKIE_PLAIN } else { DESK_COOKIE }
    }

    /// What the cookie is called here that remembers the language somebody chose for the pages.
    pub fn language_cookie(&self) -> &'static str {
        if self.development() { "lang" } else { LANGUAGE_COOKIE }
    }

    /// What the cookie of a browser that is away at the staff's identity provider is called here.
    pub fn away_cookie(&self) -> &'static str {
        if self.development() { "away" } else { AWAY_COOKIE }
    }

    /// What the asking browser's cookie is called here.
    pub fn browser_cookie(&self) -> &'static str {
        if self.development() { "ask" } else { BROWSER_COOKIE }
    }
}

/// The value of a cookie. Two of one name are none: somebody planted one of them.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut found = all
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(n, _)| *n == name);
    let (_, value) = found.next()?;
    found.next().is_none().then_some(value)
}

pub(super) async fn session(parts: &Parts, edge: &Edge, name: &str) -> Result<Session, Fault> {
    let value = cookie(&parts.headers, name).ok_or_else(unauthenticated)?;
    Ok(edge.app.subjects.session(value).await?)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let value = all.next()?.to_str().ok()?;
    if all.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A person, by their session.
#[derive(Debug, Clone)]
pub struct SubjectSession {
    /// Who.
    pub owner: Owner,
    /// The session.
    pub session: Session,
}

impl SubjectSession {
    /// As the vault knows them.
    pub fn actor(&self) -> Actor {
        Actor::Subject(self.owner.subject)
    }
}

impl FromRequestParts<Edge> for SubjectSession {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Fault> {
        let session = session(parts, edge, edge.session_cookie()).await?;
        match &session.who {
            SignedIn::Subject(owner) => {
                edge.app.subjects.touch(owner).await?;
                Ok(Self { owner: owner.clone(), session })
            }
            SignedIn::Staff(_) => Err(unauthenticated()),
        }
    }
}

/// Whoever is there, signed in or not: for public pages.
#[derive(Debug, Clone)]
pub struct MaybeSigned(pub Option<Session>);

impl FromRequestParts<Edge> for MaybeSigned {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Fault> {
        match session(parts, edge, edge.session_cookie()).await {
            Ok(session) => Ok(Self(Some(session))),
            Err(fault) if fault.kind == Kind::Unauthenticated => Ok(Self(None)),
            Err(fault) => Err(fault),
        }
    }
}

/// An app's server, by its key.
#[derive(Debug, Clone)]
pub struct ApiCaller {
    /// The key.
    pub key: ApiKey,
}

impl ApiCaller {
    /// Whether the key may do this; forbidden otherwise.
    pub fn allows(&self, scope: Scope) -> Result<(), Fault> {
        if self.key.scopes.contains(&scope) {
            return Ok(());
        }
        Err(Fault::because(Kind::Forbidden, format!("the key does not have the scope {scope}")))
    }
}

impl FromRequestParts<Edge> for ApiCaller {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Fault> {
        let token = bearer(&parts.headers).filter(|t| t.starts_with("vsk_")).ok_or_else(unauthenticated)?;
        Ok(Self { key: edge.app.subjects.api_key(token).await? })
    }
}

/// A person, however they call: by a token of their app's identity provider, through their app's server with its key,
/// or by their session.
#[derive(Debug, Clone)]
pub struct UserCaller {
    /// Who.
    pub owner: Owner,
    /// As the vault knows them: an app acts as `app`, the person themself as `subject`.
    pub actor: Actor,
    /// What the app's key may do; everything, for the person themself.
    scopes: Option<Vec<Scope>>,
    /// When the person last proved who they are, if that is known: by their session's link, or as their token says.
    proved_at: Option<Timestamp>,
}

impl UserCaller {
    /// Whether the way they call allows this; forbidden otherwise.
    pub fn allows(&self, scope: Scope) -> Result<(), Fault> {
        if self.scopes.as_ref().is_none_or(|s| s.contains(&scope)) {
            return Ok(());
        }
        Err(Fault::because(Kind::Forbidden, format!("the key does not have the scope {scope}")))
    }

    /// Whether the person themself stands behind the call, by their session or a token of theirs. An app's key alone
    /// says for whom it calls, and proves nothing of them.
    pub fn vouched(&self) -> bool {
        self.scopes.is_none()
    }

    /// Lets the person themself through; forbidden for an app's key alone.
    pub fn in_person(&self) -> Result<(), Fault> {
        if self.vouched() {
            return Ok(());
        }
        Err(Fault::because(Kind::Forbidden, "this needs the person's own session or token"))
    }

    /// Lets the person themself through if they proved who they are within [`PROVED_FRESH`]: for what takes data away. An
    /// app's key alone is forbidden it; an older proof is answered with the wish for a fresh one.
    pub fn proved_lately(&self, edge: &Edge) -> Result<(), Fault> {
        self.in_person()?;
        let now = edge.app.clock.now();
        if self.proved_at.is_some_and(|at| now.since(at) < PROVED_FRESH) {
            return Ok(());
        }
        Err(Fault::because(Kind::StepUp, "this needs a proof of who you are that is less than an hour old"))
    }

    /// A name for lists and kept answers: whose they are.
    pub fn list(&self, what: &str) -> String {
        format!("{what}/{}", self.owner.subject)
    }
}

impl FromRequestParts<Edge> for UserCaller {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Fault> {
        let Some(token) = bearer(&parts.headers) else {
            let SubjectSession { owner, session } = SubjectSession::from_request_parts(parts, edge).await?;
            let actor = Actor::Subject(owner.subject);
            return Ok(Self { owner, actor, scopes: None, proved_at: Some(session.proved_at) });
        };
        if token.starts_with("vsk_") {
            let key = edge.app.subjects.api_key(token).await?;
            let named = parts.headers.get(ON_BEHALF_OF).and_then(|v| v.to_str().ok());
            let missing = || Fault::because(Kind::Malformed, "say for whom: Vouchsafe-Subject: sub_…");
            let subject: SubjectId = named.and_then(|s| s.parse().ok()).ok_or_else(missing)?;
            let owner = Owner::new(&key.tenant, subject);
            if edge.app.subjects.get(&owner).await?.erasing {
                return Err(Fault::new(Kind::NotFound));
            }
            // A person who uses the service through their app's server uses it.
            edge.app.subjects.touch(&owner).await?;
            let actor = Actor::App(subject);
            return Ok(Self { owner, actor, scopes: Some(key.scopes), proved_at: None });
        }
        let verified = edge.tokens.verify(token, edge.app.clock.now()).await;
        let vouched = verified.map_err(|_| unauthenticated())?;
        let found = edge.app.subjects.by_login(&vouched.tenant, &vouched.issuer, &vouched.subject).await?;
        let owner = found.ok_or_else(unauthenticated)?;
        edge.app.subjects.touch(&owner).await?;
        // Who signs in through a recipient has an account there; it goes when they do.
        edge.app.elsewhere.link_login(&owner, &vouched.issuer, &vouched.subject).await?;
        let actor = Actor::App(owner.subject);
        Ok(Self { owner, actor, scopes: None, proved_at: vouched.proved_at })
    }
}

/// The value of a cookie of this request.
pub fn cookie_of(headers: &HeaderMap, name: &str) -> Option<String> {
    cookie(headers, name).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_cookies_of_one_name_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; sid=x".parse().unwrap());
        assert_eq!(cookie(&headers, "sid"), Some("x"));
        headers.append(header::COOKIE, "sid=y".parse().unwrap());
        assert_eq!(cookie(&headers, "sid"), None);
    }

    #[test]
    fn two_authorisations_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(header::AUTHORIZATION, "Bearer a".parse().unwrap());
        assert_eq!(bearer(&headers), Some("a"));
        headers.append(header::AUTHORIZATION, "Bearer b".parse().unwrap());
        assert_eq!(bearer(&headers), None);
    }
}
