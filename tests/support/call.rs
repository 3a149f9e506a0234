//! Calls of the API, made in the process: the router gets the request that a server would have given it.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::app::{Person, Staff};

/// Who calls: the headers that say so.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sender(Vec<(&'static str, String)>);

impl Sender {
    /// Nobody.
    pub(crate) fn nobody() -> Self {
        Self::default()
    }

    /// By a key or a token.
    pub(crate) fn bearer(token: &str) -> Self {
        Self(vec![("authorization", format!("Bearer {token}"))])
    }

    /// By a session's cookie, from a page of the site.
    pub(crate) fn cookie(value: &str) -> Self {
        Self::named_cookie("__Host-sid", value)
    }

    /// By a cookie of this name, from a page of the site.
    pub(crate) fn named_cookie(name: &str, value: &str) -> Self {
        Self(vec![("cookie", format!("{name}={value}")), ("sec-fetch-site", "same-origin".to_owned())])
    }

    /// The same key, for this person.
    #[must_use]
    pub(crate) fn on_behalf_of(&self, subject: impl ToString) -> Self {
        let mut headers = self.0.clone();
        headers.push(("vouchsafe-subject", subject.to_string()));
        Self(headers)
    }
}

impl From<&Person> for Sender {
    fn from(person: &Person) -> Self {
        Self::cookie(&person.cookie)
    }
}

impl From<&Staff> for Sender {
    fn from(staff: &Staff) -> Self {
        Self::named_cookie("__Host-desk", &staff.cookie)
    }
}

impl From<&Self> for Sender {
    fn from(sender: &Self) -> Self {
        sender.clone()
    }
}

/// A call to be made.
pub(crate) struct Call {
    router: axum::Router,
    request: Request<Body>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn new(router: axum::Router, method: &str, path: &str) -> Self {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        *request.uri_mut() = path.parse().unwrap();
        Self { router, request }.header("host", "vouchsafe.test")
    }

    /// Who calls.
    pub(crate) fn by(mut self, sender: impl Into<Sender>) -> Self {
        for (name, value) in sender.into().0 {
            self = self.header(name, &value);
        }
        self
    }

    /// From this address, as the server would have seen it.
    pub(crate) fn at_address(mut self, address: &str) -> Self {
        let address = std::net::SocketAddr::new(address.parse().unwrap(), 50_000);
        self.request.extensions_mut().insert(axum::extract::ConnectInfo(address));
        self
    }

    /// One more header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        self.request.headers_mut().append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    /// With a key that makes a second call of it the same one.
    pub(crate) fn once(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// A JSON body.
    pub(crate) fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// A body.
    pub(crate) fn body(mut self, media_type: &str, bytes: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = Body::from(bytes.into());
        self.header("content-type", media_type)
    }

    /// Makes the call, and leaves the answer's body where it is: for streams.
    pub(crate) async fn open(self) -> Response {
        self.router.oneshot(self.request).await.unwrap()
    }

    /// Makes the call and reads the whole answer. A body that is broken off fails the test.
    pub(crate) async fn send(self) -> Answer {
        let (parts, body) = self.open().await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header; empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// Makes sure that this is a problem of this status, told as one, and gives its word.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let told = self.json();
        assert_eq!(told["status"], status);
        told["type"].as_str().unwrap().trim_start_matches("urn:vouchsafe:").to_owned()
    }
}
