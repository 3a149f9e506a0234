//! The Stripe stand-in: customers and what belongs to them, redaction jobs, and webhooks that it signs.

mod api;
mod redaction;
mod state;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{At, Delivery, Fault, Listening, Options, bind};
use state::Inner;

/// A Stripe stand-in. Clones share it.
#[derive(Clone)]
pub struct FakeStripe(Arc<Shared>);

struct Shared {
    base: String,
    options: Options,
    secret: String,
    inner: Mutex<Inner>,
}

impl FakeStripe {
    /// The key that it takes.
    pub const KEY: &str = "rk_test_fake";

    /// Binds to an address; run what comes with it.
    pub async fn bind(at: SocketAddr, options: Options) -> io::Result<(Self, Listening)> {
        let (listener, base) = bind(at).await?;
        let secret = format!("whsec_{}", hex::encode(options.entropy.bytes::<16>()));
        let fake = Self(Arc::new(Shared { base, options, secret, inner: Mutex::new(Inner::default()) }));
        let router = Router::new().fallback(called).with_state(fake.clone());
        Ok((fake, Listening { listener, router, tick: Box::new(Vec::new) }))
    }

    /// Its base URL, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.0.base
    }

    /// The secret under which it signs webhooks.
    pub fn secret(&self) -> &str {
        &self.0.secret
    }

    /// Something is to go wrong, once.
    pub fn fault(&self, at: At, fault: Fault) {
        self.with(|inner, _| inner.script.fault(at, fault));
    }

    /// Makes a customer, with these fields beside what every customer has. Gives its id.
    pub fn add_customer(&self, fields: &Value) -> String {
        self.with(|inner, shared| inner.add("cus", "customer", None, fields, shared))
    }

    /// Makes a thing of a kind (`charge`, `invoice`, `subscription`, `payment_method`, …) of a customer. Gives its id.
    pub fn add(&self, kind: &'static str, customer: &str, fields: &Value) -> String {
        let prefix = state::prefix(kind);
        self.with(|inner, shared| inner.add(prefix, kind, Some(customer), fields, shared))
    }

    /// How a thing stands.
    pub fn thing(&self, id: &str) -> Option<Value> {
        self.with(|inner, _| inner.things.iter().find(|t| t["id"] == id).cloned())
    }

    /// Whether redaction jobs are switched on for the account.
    pub fn switch_redaction(&self, on: bool) {
        self.with(|inner, _| inner.no_redaction = !on);
    }

    /// What it was asked that the real one would refuse.
    pub fn complaints(&self) -> Vec<String> {
        self.with(|inner, _| inner.complaints.clone())
    }

    /// Each call that changed something, in order: `POST /v1/customers/cus_1`.
    pub fn changes(&self) -> Vec<String> {
        self.with(|inner, _| inner.changes.clone())
    }

    /// Every text that still stands somewhere in what it holds.
    pub fn holds(&self, text: &str) -> bool {
        self.with(|inner, _| inner.things.iter().any(|t| t.to_string().contains(text)))
    }

    /// A webhook of this kind about a thing, signed under its secret and, while one is replaced, under another's.
    pub fn webhook(&self, url: &str, kind: &str, thing: &Value, also: Option<&str>) -> Delivery {
        let (id, at) =
            self.with(|inner, shared| (inner.next("evt"), shared.options.clock.now().micros() / 1_000_000));
        let body = json!({
            "id": id, "object": "event", "type": kind, "created": at, "livemode": false, "data": { "object": thing },
        });
        let body = body.to_string().into_bytes();
        let of = |secret: &str| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
            mac.update(format!("{at}.").as_bytes());
            mac.update(&body);
            Some(format!(",v1={}", hex::encode(mac.finalize().into_bytes())))
        };
        let mut signature = format!("t={at}");
        // The one being replaced comes last: a check that takes only the last v1 fails.
        signature.extend(of(&self.0.secret));
        signature.extend(also.and_then(of));
        Delivery { url: url.to_owned(), headers: vec![("stripe-signature", signature)], body }
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner, &Shared) -> T) -> T {
        f(&mut self.0.inner.lock().unwrap_or_else(PoisonError::into_inner), &self.0)
    }
}

/// What a call asks for.
struct Call {
    method: String,
    path: Vec<String>,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    headers: HeaderMap,
}

impl Call {
    fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
}

fn pairs(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

async fn called(State(fake): State<FakeStripe>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let call = Call {
        method: parts.method.to_string(),
        path: parts.uri.path().trim_matches('/').split('/').map(ToOwned::to_owned).collect(),
        query: pairs(parts.uri.query().unwrap_or_default()),
        form: pairs(&String::from_utf8_lossy(&body)),
        headers: parts.headers,
    };
    let given = call.header("authorization");
    if given != format!("Bearer {}", FakeStripe::KEY) {
        fake.with(|inner, _| inner.complaints.push("wrong or missing key".to_owned()));
        return refuse(StatusCode::UNAUTHORIZED, "invalid_request_error", "no such key").into_response();
    }
    if call.header("stripe-version").is_empty() {
        fake.with(|inner, _| inner.complaints.push("no version is pinned".to_owned()));
    }
    let at = match call.method.as_str() {
        "GET" => At::Status,
        "DELETE" => At::Delete,
        _ => At::Submit,
    };
    let fault = fake.with(|inner, _| inner.script.take(at));
    match fault {
        Some(fault) if fault.takes_effect() => {
            let _lost = api::answer(&fake, &call);
            fault.answer()
        }
        Some(fault) => fault.answer(),
        None => api::answer(&fake, &call),
    }
}

/// What is answered to a call that Stripe would refuse.
struct Refusal(StatusCode, Value);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

fn refuse(status: StatusCode, kind: &str, message: &str) -> Refusal {
    Refusal(status, json!({ "error": { "type": kind, "message": message } }))
}

fn missing() -> Refusal {
    let body = json!({ "error": { "type": "invalid_request_error", "code": "resource_missing", "message": "none" } });
    Refusal(StatusCode::NOT_FOUND, body)
}
