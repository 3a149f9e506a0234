//! What every handler of a page begins with: whose page it is, who looks at it, and how an answer is put together.

use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};

use super::tongue::Spoken;
use super::view::{Count, Flash, Moment, Shell, State, Viewer};
use crate::base::{Kind, TenantId, Timestamp};
use crate::edge::{Edge, Fault, MaybeSigned};
use crate::policy::{Policy, Purpose};
use crate::speech::{Tongue, key};
use crate::subjects::{PROVED_FRESH, Profile, Session, SignedIn};
use crate::vault::{Access, Actor, Owner};

/// What a handler answers.
pub(crate) type Answer = Result<Response, Fault>;

/// The purpose under which people are shown what is theirs.
pub(crate) const SHOWING: &str = "account";

/// A visit to a page of a tenant, by anybody.
#[derive(Debug)]
pub(crate) struct Visit {
    /// The service.
    pub(crate) edge: Edge,
    /// Whose page it is.
    pub(crate) tenant: TenantId,
    /// The document in force there.
    pub(crate) policy: Arc<Policy>,
    /// The session, if it is one of this tenant.
    pub(crate) session: Option<Session>,
    /// When the page is made.
    pub(crate) now: Timestamp,
    spoken: Spoken,
    done: Option<Done>,
}

/// A visit by somebody with an account here.
#[derive(Debug)]
pub(crate) struct Person {
    visit: Visit,
    /// Who.
    pub(crate) owner: Owner,
    /// Their session.
    pub(crate) session: Session,
}

/// What has just been done, told on the page that follows. Fixed sentences: an address cannot put words on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    SignedIn,
    SignedOut,
    SwitchedOn,
    SwitchedOff,
    Corrected,
    PictureDeleted,
    TakenBack,
    PauseLifted,
    Acknowledged,
    MandateEnded,
    AddressAsked,
}

impl Done {
    const ALL: [(Self, &str, &str); 11] = [
        (Self::SignedIn, "signed-in", key("You are signed in.")),
        (Self::SignedOut, "signed-out", key("You are signed out. Nothing in this browser remembers you.")),
        (Self::SwitchedOn, "switched-on", key("Switched on. You can switch it off again at any time.")),
        (Self::SwitchedOff, "switched-off", key("Switched off. It counts from this second.")),
        (Self::Corrected, "corrected", key("Your details are corrected.")),
        (Self::PictureDeleted, "picture-deleted", key("The picture is deleted and its key is destroyed.")),
        (Self::TakenBack, "taken-back", key("The request is taken back. Nothing was done.")),
        (Self::Acknowledged, "acknowledged", key("Noted. The notice is put away; it stays in your history.")),
        (
            Self::MandateEnded,
            "mandate-ended",
            key("The mandate is over. Nothing more is asked for in your name."),
        ),
        (
            Self::AddressAsked,
            "address-asked",
            key(
                "We wrote to the new address. Open the link in that letter within a day; until then the old one stays.",
            ),
        ),
        (Self::PauseLifted, "pause-lifted", key("The pause is lifted. Everything works again.")),
    ];

    fn of_query(query: &str) -> Option<Self> {
        let (_, word) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "done")?;
        Self::ALL.iter().find(|(_, known, _)| *known == word).map(|(done, ..)| *done)
    }

    fn row(self) -> (&'static str, &'static str) {
        let row = Self::ALL.iter().find(|(done, ..)| *done == self);
        row.map_or(("", ""), |(_, word, says)| (word, says))
    }
}

impl Visit {
    /// A visit to `tenant`. Not found when nothing is published there.
    pub(crate) fn new(
        edge: &Edge,
        tenant: TenantId,
        session: Option<Session>,
        asked: &Parts,
    ) -> Result<Self, Fault> {
        let now = edge.app.clock.now();
        let policy = edge.app.library.in_force(&tenant, now).ok_or_else(not_found)?;
        let session = session.filter(|s| *s.who.tenant() == tenant);
        let done = Done::of_query(asked.uri.query().unwrap_or_default());
        Ok(Self { edge: edge.clone(), tenant, policy, session, now, spoken: Spoken::of(asked), done })
    }

    /// The language of the page.
    pub(crate) fn tongue(&self) -> Tongue {
        self.spoken.tongue
    }

    /// What addresses of this tenant begin with.
    pub(crate) fn root(&self) -> String {
        format!("/{}", self.tenant)
    }

    /// The name on the door.
    pub(crate) fn brand(&self) -> String {
        self.policy.controller().name.clone()
    }

    /// What surrounds the page.
    pub(crate) async fn shell(&self) -> Result<Shell, Fault> {
        let viewer = match self.session.as_ref().map(|s| &s.who) {
            Some(SignedIn::Subject(owner)) => {
                let name = profile(&self.edge, owner).await?.name;
                let unread = self.edge.app.publications.unread(owner).await?.len();
                Viewer::Person { name, unread: Count(unread as u64) }
            }
            _ => Viewer::Nobody,
        };
        Ok(Shell {
            root: self.root(),
            brand: self.brand(),
            development: self.edge.development(),
            now: self.now.into(),
            csrf: token(&self.edge, self.session.as_ref()),
            viewer,
            flash: self
                .done
                .map(|done| Flash { state: State::Kept, says: self.tongue().say(done.row().1).to_owned() }),
            tongue: self.tongue(),
            document: self.policy.language().to_owned(),
            here: self.spoken.here.clone(),
        })
    }
}

impl Person {
    /// As the vault knows them.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Subject(self.owner.subject)
    }

    /// What they told us of themselves.
    pub(crate) async fn profile(&self) -> Result<Profile, Fault> {
        profile(&self.edge, &self.owner).await
    }

    /// Whether they have shown who they are within the last hour: asked for before data leave or are destroyed.
    pub(crate) fn proved_lately(&self) -> bool {
        self.now.since(self.session.proved_at) < PROVED_FRESH
    }
}

impl Deref for Person {
    type Target = Visit;
    fn deref(&self) -> &Visit {
        &self.visit
    }
}

async fn profile(edge: &Edge, owner: &Owner) -> Result<Profile, Fault> {
    let actor = Actor::Subject(owner.subject);
    Ok(edge.app.subjects.profile(owner, &Access { actor: &actor, purpose: SHOWING }).await?)
}

/// The tenant in the address.
pub(crate) async fn tenant_of(parts: &mut Parts, edge: &Edge) -> Result<TenantId, Fault> {
    let params = RawPathParams::from_request_parts(parts, edge).await.map_err(|_| not_found())?;
    let tenant = params.iter().find(|(name, _)| *name == "tenant").and_then(|(_, t)| t.parse().ok());
    tenant.ok_or_else(not_found)
}

/// The session of whoever is signed in at this tenant. The cookie may hold one of another, which is none here: neither
/// for a page nor for the token of its forms.
pub(crate) async fn session_at(
    parts: &mut Parts,
    edge: &Edge,
    tenant: &TenantId,
) -> Result<Option<Session>, Fault> {
    let MaybeSigned(session) = MaybeSigned::from_request_parts(parts, edge).await?;
    Ok(session.filter(|s| s.who.tenant() == tenant))
}

impl FromRequestParts<Edge> for Visit {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Fault> {
        let tenant = tenant_of(parts, edge).await?;
        let session = session_at(parts, edge, &tenant).await?;
        Self::new(edge, tenant, session, parts)
    }
}

impl FromRequestParts<Edge> for Person {
    /// Who is not signed in is shown the way in, and led back afterwards.
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Response> {
        let fail = |fault: Fault| fault.into_response();
        let visit = Visit::from_request_parts(parts, edge).await.map_err(fail)?;
        let signed = visit.session.clone().and_then(|session| match &session.who {
            SignedIn::Subject(owner) => Some((owner.clone(), session)),
            SignedIn::Staff(_) => None,
        });
        let Some((owner, session)) = signed else {
            return Err(way_in(&visit, parts));
        };
        edge.app.subjects.touch(&owner).await.map_err(|e| fail(e.into()))?;
        edge.app.subjects.reads_in(&owner, visit.tongue()).await.map_err(|e| fail(e.into()))?;
        Ok(Self { visit, owner, session })
    }
}

/// The sign-in page, with the way back to where the visitor was going.
fn way_in(visit: &Visit, parts: &Parts) -> Response {
    let root = visit.root();
    let here = parts.uri.path().strip_prefix(&root).unwrap_or("/images");
    let next = if parts.method == Method::GET { here } else { "/privacy" };
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    Redirect::to(&format!("{root}/sign-in?{query}")).into_response()
}

pub(crate) fn not_found() -> Fault {
    Fault::new(Kind::NotFound)
}

/// An id in an address. What is none leads nowhere.
pub(crate) fn id<T: FromStr>(text: &str) -> Result<T, Fault> {
    text.parse().map_err(|_| not_found())
}

/// A page.
pub(crate) fn html(page: &impl Template) -> Answer {
    html_as(StatusCode::OK, page)
}

/// A page that shows a form again because of a mistake in it.
pub(crate) fn again(page: &impl Template) -> Answer {
    html_as(StatusCode::UNPROCESSABLE_ENTITY, page)
}

/// A page with a status.
pub(crate) fn html_as(status: StatusCode, page: &impl Template) -> Answer {
    let text = page.render().map_err(|error| {
        tracing::error!(%error, "a page could not be rendered");
        Fault::new(Kind::Internal)
    })?;
    Ok((status, Html(text)).into_response())
}

/// Another page, after a form was sent.
pub(crate) fn see(address: &str) -> Response {
    Redirect::to(address).into_response()
}

/// Another page, which says what was done.
pub(crate) fn see_done(address: &str, done: Done) -> Response {
    let (path, place) =
        address.split_once('#').map_or((address, String::new()), |(p, f)| (p, format!("#{f}")));
    see(&format!("{path}?done={}{place}", done.row().0))
}

/// Adds a header that is known to be one.
pub(crate) fn with(mut response: Response, name: header::HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
    response
}

/// Whether an answer is a page.
pub(crate) fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.and_then(|v| v.to_str().ok()).is_some_and(|v| v.starts_with("text/html"))
}

/// A cookie of this service, for so many seconds.
pub(crate) fn cookie(edge: &Edge, name: &str, value: &str, seconds: u32) -> String {
    let secure = if edge.development() { "" } else { "; Secure" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

const FORMS: &str = "form";

fn whose(session: Option<&Session>) -> String {
    session.map_or_else(|| "nobody".to_owned(), |s| s.id.to_string())
}

/// The token that forms of a session carry: a MAC over the session's id. A stranger's page cannot know it.
pub(crate) fn token(edge: &Edge, session: Option<&Session>) -> String {
    edge.cursors.write(FORMS, &whose(session))
}

/// Whether a form's token is this session's.
pub(crate) fn token_holds(edge: &Edge, session: Option<&Session>, token: &str) -> bool {
    edge.cursors.read(FORMS, token).is_ok_and(|of| of == whose(session))
}

/// The title of a purpose, fit to stand in a sentence.
pub(crate) fn purpose_title(policy: &Policy, id: &str) -> String {
    policy.purpose(id).map_or_else(|| id.to_owned(), |p: &Purpose| p.title.clone())
}

/// A day of a document as a moment: its first.
pub(crate) fn day(date: chrono::NaiveDate) -> Moment {
    Timestamp::from_utc(date.and_time(chrono::NaiveTime::MIN).and_utc()).into()
}
