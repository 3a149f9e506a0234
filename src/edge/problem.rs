//! Errors as `application/problem+json` (RFC 9457): the one place where a kind of error becomes a status.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::base::Kind;
use crate::speech::key;

/// An error of a room: something with a kind and a sentence that holds no personal data.
pub trait RoomError: std::error::Error {
    /// What sort of error it is.
    fn room_kind(&self) -> Kind;
}

macro_rules! rooms {
    ($($error:ty),+ $(,)?) => {
        $(impl RoomError for $error {
            fn room_kind(&self) -> Kind {
                self.kind()
            }
        })+
    };
}

rooms!(
    crate::app::Error,
    crate::archive::Error,
    crate::audit::Error,
    crate::billing::Error,
    crate::blobs::Error,
    crate::consent::Error,
    crate::disclosure::Error,
    crate::drp::Error,
    crate::editing::Error,
    crate::elsewhere::Error,
    crate::imaging::Refused,
    crate::imports::Error,
    crate::intake::Error,
    crate::keystore::Error,
    crate::ledger::Error,
    crate::mail::Error,
    crate::publication::Error,
    crate::requests::Error,
    crate::retention::Error,
    crate::store::Error,
    crate::subjects::Error,
    crate::training::Error,
    crate::vault::Error,
    crate::webhooks::Error,
);

/// What never happens is of no kind.
impl RoomError for std::convert::Infallible {
    fn room_kind(&self) -> Kind {
        match *self {}
    }
}

/// What a handler fails with.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What sort of error it is.
    pub kind: Kind,
    /// What may be told of it.
    pub detail: Option<String>,
    /// In how long it is worth another try, where that is known.
    pub again: Option<TimeDelta>,
}

/// What is said where it may be tried again soon, and nobody knows when.
const SOON: TimeDelta = TimeDelta::seconds(5);

impl Fault {
    /// A fault without a detail.
    pub fn new(kind: Kind) -> Self {
        Self { kind, detail: None, again: None }
    }

    /// The same, when it is known in how long another try can succeed.
    #[must_use]
    pub fn again_in(self, pause: TimeDelta) -> Self {
        Self { again: Some(pause), ..self }
    }

    /// A fault that says what is wrong with what was sent.
    pub fn because(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: Some(detail.into()), again: None }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        status(self.kind)
    }
}

/// Whether the sentence of an error of this kind is for the caller: it then speaks of what they sent, or of what the
/// document says, and of nothing else.
fn tellable(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Malformed
            | Kind::Forbidden
            | Kind::Conflict
            | Kind::TooLarge
            | Kind::Unsupported
            | Kind::Invalid
            | Kind::TooMany
    )
}

impl<E: RoomError> From<E> for Fault {
    fn from(e: E) -> Self {
        let kind = e.room_kind();
        if matches!(kind, Kind::Internal | Kind::Upstream) {
            tracing::error!(error = %e, cause = e.source().map(tracing::field::display), "a request failed");
        }
        let detail = tellable(kind).then(|| e.to_string());
        Self { kind, detail, again: None }
    }
}

/// A problem as it is sent.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// Which problem: a stable word after `urn:vouchsafe:`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A fixed sentence.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What is wrong with what was sent, where that may be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to quote when asking about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated | Kind::StepUp => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Gone => StatusCode::GONE,
        Kind::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Upstream => StatusCode::BAD_GATEWAY,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Full => StatusCode::INSUFFICIENT_STORAGE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The stable word and the fixed sentence of a kind.
pub fn sentence(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Malformed => ("malformed", key("We could not understand what was sent. Nothing was changed.")),
        Kind::Unauthenticated => ("unauthenticated", key("Sign in first.")),
        Kind::StepUp => ("step-up", key("Sign in again first: this needs a fresh proof that it is you.")),
        Kind::Forbidden => ("forbidden", key("The policy does not allow this. Nothing was changed.")),
        Kind::NotFound => ("not-found", key("There is nothing here.")),
        Kind::Conflict => ("conflict", key("This does not fit the present state. Nothing was changed.")),
        Kind::Gone => ("gone", key("It was here and has been erased.")),
        Kind::TooSlow => ("too-slow", key("It came too slowly. Nothing was kept of it.")),
        Kind::TooLarge => ("too-large", key("It is larger than we take. Nothing was kept of it.")),
        Kind::Unsupported => {
            ("unsupported-type", key("It is not of a type that we take. Nothing was kept of it."))
        }
        Kind::Invalid => ("invalid", key("A value is not one we can use. Nothing was changed.")),
        Kind::TooMany => ("too-many", key("That is more than is allowed just now. Nothing was changed.")),
        Kind::Upstream => ("upstream", key("A provider failed. Nothing was lost; try again.")),
        Kind::Unavailable => ("unavailable", key("Not just now. Nothing was lost; try again in a moment.")),
        Kind::Full => ("full", key("There is no room left. Nothing was changed; what you have is safe.")),
        Kind::Internal => ("internal", key("Something went wrong on our side. Nothing was lost.")),
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (word, title) = sentence(self.kind);
        let problem = Problem {
            kind: format!("urn:vouchsafe:{word}"),
            title: title.to_owned(),
            status: self.status().as_u16(),
            detail: self.detail.clone(),
            reference: None,
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let json = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status(), [(header::CONTENT_TYPE, json)], body).into_response();
        if matches!(self.kind, Kind::TooMany | Kind::Unavailable | Kind::Conflict) {
            // Whole seconds, rounded up: a caller that comes back then must find the door open.
            let pause = self.again.unwrap_or(SOON) + TimeDelta::microseconds(999_999);
            let seconds = HeaderValue::from(pause.num_seconds().max(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        if matches!(self.kind, Kind::Unauthenticated | Kind::StepUp) {
            let challenge = HeaderValue::from_static("Bearer realm=\"vouchsafe\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        // For the pages, which show the same fault in their own dress.
        response.extensions_mut().insert(self);
        response
    }
}
