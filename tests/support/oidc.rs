//! An `OpenID` Connect provider on this machine: discovery, keys, the code flow with PKCE, and tokens that it signs with
//! RS256 or ES256. As strict as the standard: a code is good once, for the client, the address and the verifier it was
//! given for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;
use vouchsafe::base::{Secret, Timestamp};
use vouchsafe::config::StaffOidc;

use super::listening::Listening;

/// What we are called there.
pub(crate) const CLIENT: &str = "the-desk";
/// Our secret there, with what has to be encoded in a header.
pub(crate) const SECRET: &str = "a secret: of 100 % chance";

/// How it signs.
#[derive(Clone)]
pub(crate) enum Signs {
    /// RSA, with the one key of the tests.
    Rs256,
    /// P-256, with a key of its own.
    Es256(Arc<rcgen::KeyPair>),
    /// Not at all: the algorithm `none`.
    Nothing,
}

/// What somebody was let go with.
struct Grant {
    challenge: String,
    nonce: String,
    back: String,
    email: String,
}

struct Inner {
    issuer: String,
    kid: String,
    signs: Signs,
    /// What it says it signs with, when that is another key.
    published: Option<Value>,
    now: Timestamp,
    grants: BTreeMap<String, Grant>,
    change: Box<dyn Fn(&mut Value) + Send>,
    asked: Vec<BTreeMap<String, String>>,
    calls: Vec<&'static str>,
}

/// The provider. Clones share.
#[derive(Clone)]
pub(crate) struct FakeProvider {
    inner: Arc<Mutex<Inner>>,
    listening: Arc<Listening>,
}

impl FakeProvider {
    pub(crate) async fn start(signs: Signs) -> Self {
        let inner = Arc::new(Mutex::new(Inner {
            issuer: String::new(),
            kid: "key-1".to_owned(),
            signs,
            published: None,
            now: Timestamp::from_micros(0),
            grants: BTreeMap::new(),
            change: Box::new(|_| {}),
            asked: Vec::new(),
            calls: Vec::new(),
        }));
        let router = axum::Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .with_state(Arc::clone(&inner));
        let listening = Arc::new(Listening::start(router).await);
        inner.lock().unwrap().issuer = listening.url();
        Self { inner, listening }
    }

    pub(crate) fn es256() -> Signs {
        Signs::Es256(Arc::new(rcgen::KeyPair::generate().unwrap()))
    }

    /// Goes away.
    pub(crate) async fn stop(&self) {
        self.listening.stop();
        let address = self.listening.url();
        while tokio::net::TcpStream::connect(address.trim_start_matches("http://")).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    /// How the service is told of it.
    pub(crate) fn settings(&self) -> StaffOidc {
        StaffOidc {
            issuer: self.listening.url(),
            client_id: CLIENT.to_owned(),
            client_secret: Secret::new(SECRET.to_owned()),
            hosts: String::new(),
            second_factor_amr: "mfa otp".to_owned(),
            second_factor_acr: "urn:two".to_owned(),
            name: "Example Works".to_owned(),
        }
    }

    /// What time it is there.
    pub(crate) fn set_time(&self, now: Timestamp) {
        self.inner.lock().unwrap().now = now;
    }

    /// What is done to the claims of every token before it is signed.
    pub(crate) fn change(&self, change: impl Fn(&mut Value) + Send + 'static) {
        self.inner.lock().unwrap().change = Box::new(change);
    }

    /// Signs so from here on, under a key of this name; what is published changes with it.
    pub(crate) fn sign(&self, kid: &str, signs: Signs) {
        let mut inner = self.inner.lock().unwrap();
        kid.clone_into(&mut inner.kid);
        inner.signs = signs;
    }

    /// Goes on publishing the keys of now, whatever it signs with.
    pub(crate) fn publish_only_these_keys(&self) {
        let mut inner = self.inner.lock().unwrap();
        let set = set(&inner);
        inner.published = Some(set);
    }

    /// How often it was called, by what.
    pub(crate) fn calls(&self, what: &str) -> usize {
        self.inner.lock().unwrap().calls.iter().filter(|c| **c == what).count()
    }

    /// What the last one who was sent there was to be asked.
    pub(crate) fn asked(&self) -> BTreeMap<String, String> {
        self.inner.lock().unwrap().asked.last().unwrap().clone()
    }

    /// Somebody signs in there with this address: where they are sent back to.
    pub(crate) fn let_go(&self, sent_to: &str, email: &str) -> Url {
        let url = Url::parse(sent_to).unwrap();
        let asked: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let mut inner = self.inner.lock().unwrap();
        assert!(sent_to.starts_with(&format!("{}/authorize?", inner.issuer)), "{sent_to}");
        for (name, value) in
            [("response_type", "code"), ("client_id", CLIENT), ("code_challenge_method", "S256")]
        {
            assert_eq!(asked[name], value, "{name}");
        }
        assert_eq!(asked["scope"], "openid email");
        let code = format!("code-{}", inner.grants.len() + inner.asked.len());
        let mut back = Url::parse(&asked["redirect_uri"]).unwrap();
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked["state"]);
        let grant = Grant {
            challenge: asked["code_challenge"].clone(),
            nonce: asked["nonce"].clone(),
            back: asked["redirect_uri"].clone(),
            email: email.to_owned(),
        };
        inner.grants.insert(code, grant);
        inner.asked.push(asked);
        back
    }
}

type Shared = Arc<Mutex<Inner>>;

fn json_of(value: &Value) -> Response {
    ([("content-type", "application/json")], value.to_string()).into_response()
}

async fn discovery(State(shared): State<Shared>) -> Response {
    let mut inner = shared.lock().unwrap();
    inner.calls.push("discovery");
    let issuer = &inner.issuer;
    json_of(&json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
    }))
}

fn set(inner: &Inner) -> Value {
    let mut key = match &inner.signs {
        Signs::Rs256 => json!({
            "kty": "RSA", "alg": "RS256", "e": "AQAB",
            "n": include_str!("oidc/rsa-modulus.txt").trim(),
        }),
        Signs::Es256(pair) => {
            let point = pair.public_key_raw();
            json!({
                "kty": "EC", "alg": "ES256", "crv": "P-256",
                "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
            })
        }
        Signs::Nothing => return json!({ "keys": [] }),
    };
    key["kid"] = json!(inner.kid);
    key["use"] = json!("sig");
    json!({ "keys": [key] })
}

async fn keys(State(shared): State<Shared>) -> Response {
    let mut inner = shared.lock().unwrap();
    inner.calls.push("keys");
    json_of(&inner.published.clone().unwrap_or_else(|| set(&inner)))
}

async fn token(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let mut inner = shared.lock().unwrap();
    inner.calls.push("token");
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let grant = form.get("code").and_then(|code| inner.grants.remove(code));
    let Some(grant) = grant.filter(|grant| is_for(grant, &headers, &form)) else {
        let refused = json!({ "error": "invalid_grant" });
        return (StatusCode::BAD_REQUEST, json_of(&refused)).into_response();
    };
    json_of(
        &json!({ "access_token": "for nothing", "token_type": "Bearer", "id_token": id_token(&inner, &grant) }),
    )
}

/// The client by its secret, and what the code was given for.
fn is_for(grant: &Grant, headers: &HeaderMap, form: &BTreeMap<String, String>) -> bool {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let expected = format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(CLIENT), encoded(SECRET))));
    let told = headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let verifier = form.get("code_verifier").cloned().unwrap_or_default();
    told == expected
        && form.get("grant_type").map(String::as_str) == Some("authorization_code")
        && form.get("redirect_uri") == Some(&grant.back)
        && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == grant.challenge
}

fn id_token(inner: &Inner, grant: &Grant) -> String {
    let now = inner.now.micros() / 1_000_000;
    let mut claims = json!({
        "iss": inner.issuer, "sub": "248289761001", "aud": CLIENT, "iat": now, "exp": now + 300,
        "auth_time": now - 5, "nonce": grant.nonce, "email": grant.email, "email_verified": true,
    });
    (inner.change)(&mut claims);
    let (algorithm, key) = match &inner.signs {
        Signs::Rs256 => {
            let text: String = include_str!("oidc/rsa.txt").split_whitespace().collect();
            (Algorithm::RS256, EncodingKey::from_rsa_der(&STANDARD.decode(text).unwrap()))
        }
        Signs::Es256(pair) => (Algorithm::ES256, EncodingKey::from_ec_der(&pair.serialize_der())),
        Signs::Nothing => {
            let part = |v: &Value| URL_SAFE_NO_PAD.encode(v.to_string());
            return format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(&claims));
        }
    };
    let mut header = Header::new(algorithm);
    header.kid = Some(inner.kid.clone());
    encode(&header, &claims, &key).unwrap()
}
