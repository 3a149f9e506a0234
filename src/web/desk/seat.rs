//! Who sits at the desk, and what their browser sent. Every handler takes a [`Seat`]; the page it is for comes from the
//! route, so that a handler cannot forget to ask.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, RawPathParams, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};

use super::dress::Renewed;
use super::factor::{CODE, once_more};
use super::roles::{self, Page};
use crate::base::{Kind, Secret, TenantId};
use crate::edge::{Edge, Fault, StaffSession};
use crate::policy::Role;
use crate::subjects::Session;
use crate::vault::Actor;

/// The list under which form tokens are made: one for each session.
const FORMS: &str = "desk-form";

/// A member of staff, at a page that their role may open.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    /// The service.
    pub(super) edge: Edge,
    /// The tenant whose desk it is.
    pub(super) tenant: TenantId,
    /// Who.
    pub(super) staff: StaffSession,
}

impl Seat {
    /// Their role.
    pub(super) fn role(&self) -> Role {
        self.staff.staff.role
    }

    /// As the vault knows them.
    pub(super) fn actor(&self) -> Actor {
        self.staff.actor()
    }

    /// What addresses of this tenant begin with.
    pub(super) fn root(&self) -> String {
        format!("/{}", self.tenant)
    }

    /// The token that their forms send back.
    pub(super) fn form_token(&self) -> String {
        form_token(&self.edge, &self.staff.session)
    }

    /// Whether a form came from a page of this session.
    pub(super) fn sent_by_us(&self, token: &str) -> bool {
        sent_by(&self.edge, &self.staff.session, token)
    }
}

/// The token that forms of a session carry.
pub(super) fn form_token(edge: &Edge, session: &Session) -> String {
    edge.cursors.write(FORMS, &session.id.to_string())
}

/// Whether a form came from a page of a session.
pub(super) fn sent_by(edge: &Edge, session: &Session, token: &str) -> bool {
    edge.cursors.read(FORMS, token).is_ok_and(|s| s == session.id.to_string())
}

/// The tenant in the address, if it is one of ours.
pub(super) async fn tenant(parts: &mut Parts, edge: &Edge) -> Result<TenantId, Fault> {
    let params = RawPathParams::from_request_parts(parts, edge).await;
    let params = params.map_err(|_| Fault::new(Kind::NotFound))?;
    let slug = params.iter().find(|(name, _)| *name == "tenant").map(|(_, value)| value.to_owned());
    let tenant: Option<TenantId> = slug.and_then(|s| s.parse().ok());
    tenant
        .filter(|t| edge.app.library.in_force(t, edge.app.clock.now()).is_some())
        .ok_or_else(|| Fault::new(Kind::NotFound))
}

impl FromRequestParts<Edge> for Seat {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Fault> {
        let tenant = tenant(parts, edge).await?;
        let staff = StaffSession::from_request_parts(parts, edge).await?;
        if staff.staff.tenant != tenant {
            return Err(Fault::new(Kind::NotFound));
        }
        let route = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
        let page = Page::of_route(route).ok_or_else(|| Fault::new(Kind::NotFound))?;
        if !page.lets(staff.staff.role) {
            let why = format!("your role, {}, does not open this page", staff.staff.role);
            return Err(Fault::because(Kind::Forbidden, why));
        }
        Ok(Self { edge: edge.clone(), tenant, staff })
    }
}

/// The fields of a form.
#[derive(Debug, Clone)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn read(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }

    /// The first value of a field, trimmed; nothing when it is missing.
    pub(super) fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.trim())
    }

    /// Every value of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.trim())
    }

    /// Every field but those that belong to the session, to be sent once more.
    pub(super) fn carried(&self) -> Vec<(String, String)> {
        self.0.iter().filter(|(name, _)| name != "csrf" && name != CODE).cloned().collect()
    }

    /// Words that may be about a person.
    pub(super) fn secret(&self, name: &str) -> Secret<String> {
        Secret::new(self.one(name).to_owned())
    }
}

/// What a form is answered that no page of the session has sent.
pub(super) fn strange() -> Fault {
    Fault::because(Kind::Forbidden, "the form was not sent from a page of this session")
}

/// A form sent from a page of this desk, by this session.
#[derive(Debug)]
pub(super) struct Sent {
    /// Who sent it.
    pub(super) seat: Seat,
    /// What.
    pub(super) fields: Fields,
}

impl FromRequest<Edge> for Sent {
    /// Who has to prove themself once more first is asked to.
    type Rejection = Response;
    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Response> {
        let fail = |fault: Fault| fault.into_response();
        let (mut parts, body) = request.into_parts();
        let mut seat = Seat::from_request_parts(&mut parts, edge).await.map_err(fail)?;
        let is_grave = is_grave(&mut parts, edge).await;
        let (path, renewed) = (parts.uri.path().to_owned(), Renewed::of(&parts));
        let fields = form(Request::from_parts(parts, body), edge).await.map_err(fail)?;
        if !seat.sent_by_us(fields.one("csrf")) {
            return Err(fail(strange()));
        }
        if is_grave {
            once_more(&mut seat, &path, &fields, &renewed).await.map_err(|response| *response)?;
        }
        Ok(Self { seat, fields })
    }
}

/// Whether what is asked for is one of the gravest acts.
async fn is_grave(parts: &mut Parts, edge: &Edge) -> bool {
    let params = RawPathParams::from_request_parts(parts, edge).await.ok();
    let action =
        params.and_then(|all| all.iter().find(|(name, _)| *name == "action").map(|(_, a)| a.to_owned()));
    let route = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    roles::is_grave(route, action.as_deref())
}

/// Reads a form of at most 64 KiB.
pub(super) async fn form(request: Request, edge: &Edge) -> Result<Fields, Fault> {
    let body = Bytes::from_request(request, edge).await.map_err(|_| Fault::new(Kind::TooLarge))?;
    Ok(Fields::read(&body))
}
