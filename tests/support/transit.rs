//! A stand-in for the transit engine of HashiCorp Vault on this machine, as strict as Vault is: tokens, namespaces, roles,
//! base64, versions of keys, contexts of derived keys.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use vouchsafe::base::{Entropy, Secret};
use vouchsafe::crypto::{self, Key, Place};
use vouchsafe::seals::{Login, VaultSettings};

use super::listening::{Listening, quick};

pub(crate) const TOKEN: &str = "hvs.CAESIexample";
pub(crate) const ROLE: (&str, &str) = ("role-0123", "secret-4567");

/// A way to answer the next call wrongly.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble {
    /// This status, with these words.
    Says(u16, &'static str),
    /// No answer at all.
    Silent,
    /// A body that is not JSON.
    Babbles,
}

struct Inner {
    /// Its versions, the first one first.
    versions: Vec<Key>,
    oldest_allowed: usize,
    derived: bool,
    kind: &'static str,
    namespace: Option<&'static str>,
    tokens: Vec<String>,
    logins: usize,
    troubles: VecDeque<Trouble>,
    calls: Vec<String>,
}

/// The stand-in. Clones share.
#[derive(Clone)]
pub(crate) struct FakeVault {
    inner: Arc<Mutex<Inner>>,
    listening: Arc<Listening>,
}

impl FakeVault {
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Mutex::new(Inner {
            versions: vec![Key::generate(&Entropy::system())],
            oldest_allowed: 1,
            derived: true,
            kind: "aes256-gcm96",
            namespace: None,
            tokens: vec![TOKEN.to_owned()],
            logins: 0,
            troubles: VecDeque::new(),
            calls: Vec::new(),
        }));
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&inner));
        Self { inner, listening: Arc::new(Listening::start(router).await) }
    }

    pub(crate) fn settings(&self, login: Login) -> VaultSettings {
        VaultSettings {
            address: self.listening.url(),
            mount: "transit".to_owned(),
            key: "vouchsafe".to_owned(),
            namespace: None,
            login,
            patience: quick(),
        }
    }

    pub(crate) fn with_token(&self) -> VaultSettings {
        self.settings(Login::Token(Secret::new(TOKEN.to_owned())))
    }

    pub(crate) fn trouble(&self, troubles: &[Trouble]) {
        self.inner.lock().unwrap().troubles.extend(troubles);
    }

    /// A new version of the key.
    pub(crate) fn rotate(&self) {
        self.inner.lock().unwrap().versions.push(Key::generate(&Entropy::system()));
    }

    /// No version before this one opens anything any more.
    pub(crate) fn allow_from(&self, version: usize) {
        self.inner.lock().unwrap().oldest_allowed = version;
    }

    pub(crate) fn make_underived(&self) {
        self.inner.lock().unwrap().derived = false;
    }

    pub(crate) fn make_for_signing(&self) {
        self.inner.lock().unwrap().kind = "ed25519";
    }

    pub(crate) fn lose_key(&self) {
        self.inner.lock().unwrap().versions.clear();
    }

    pub(crate) fn move_to_namespace(&self, name: &'static str) {
        self.inner.lock().unwrap().namespace = Some(name);
    }

    /// No token given out so far is taken any more.
    pub(crate) fn revoke_tokens(&self) {
        self.inner.lock().unwrap().tokens.clear();
    }

    pub(crate) fn logins(&self) -> usize {
        self.inner.lock().unwrap().logins
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.inner.lock().unwrap().calls.clone()
    }

    pub(crate) fn stop(&self) {
        self.listening.stop();
    }
}

type Answer = Result<Value, (u16, &'static str)>;

async fn answer(
    State(inner): State<Arc<Mutex<Inner>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let trouble = inner.lock().unwrap().troubles.pop_front();
    let done = match trouble {
        Some(Trouble::Says(status, words)) => Err((status, words)),
        Some(Trouble::Babbles) => return (StatusCode::OK, "<html>a proxy").into_response(),
        Some(Trouble::Silent) => std::future::pending().await,
        None => decide(&mut inner.lock().unwrap(), &method, uri.path(), &headers, &body),
    };
    match done {
        Ok(data) => axum::Json(data).into_response(),
        Err((status, words)) => {
            let errors = if words.is_empty() { json!([]) } else { json!([words]) };
            (StatusCode::from_u16(status).unwrap(), axum::Json(json!({"errors": errors}))).into_response()
        }
    }
}

fn decide(inner: &mut Inner, method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Answer {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if text("x-vault-request") != Some("true") {
        return Err((412, "required header 'X-Vault-Request' is missing"));
    }
    let path = path.strip_prefix("/v1/").ok_or((404, ""))?;
    if text("x-vault-namespace") != inner.namespace {
        return Err((404, "no handler for route"));
    }
    if path == "auth/approle/login" {
        return login(inner, body);
    }
    if !inner.tokens.iter().any(|t| Some(t.as_str()) == text("x-vault-token")) {
        return Err((403, "permission denied"));
    }
    let verb = path.strip_prefix("transit/").and_then(|p| p.strip_suffix("/vouchsafe")).ok_or((404, ""))?;
    inner.calls.push(verb.to_owned());
    match (method, verb) {
        (&Method::GET, "keys") => keys(inner),
        (&Method::POST, "encrypt" | "decrypt" | "rewrap") => {
            let asked: Value =
                serde_json::from_slice(body).map_err(|_| (400, "failed to parse JSON input"))?;
            transit(inner, verb, &asked)
        }
        _ => Err((405, "unsupported operation")),
    }
}

fn login(inner: &mut Inner, body: &[u8]) -> Answer {
    let asked: Value = serde_json::from_slice(body).map_err(|_| (400, "failed to parse JSON input"))?;
    if (asked["role_id"].as_str(), asked["secret_id"].as_str()) != (Some(ROLE.0), Some(ROLE.1)) {
        return Err((400, "invalid role or secret ID"));
    }
    inner.logins += 1;
    let token = format!("hvs.{}", Entropy::system().token());
    inner.tokens.push(token.clone());
    Ok(json!({"auth": {"client_token": token, "lease_duration": 3600, "renewable": true}}))
}

fn keys(inner: &Inner) -> Answer {
    if inner.versions.is_empty() {
        return Err((404, ""));
    }
    let encrypts = inner.kind != "ed25519";
    Ok(json!({"data": {
        "name": "vouchsafe", "type": inner.kind, "derived": inner.derived, "supports_encryption": encrypts,
        "latest_version": inner.versions.len(), "min_decryption_version": inner.oldest_allowed,
    }}))
}

fn transit(inner: &Inner, verb: &str, asked: &Value) -> Answer {
    if inner.versions.is_empty() {
        return Err((400, "encryption key not found"));
    }
    let field = |name: &str| asked[name].as_str();
    let context = match field("context") {
        Some(text) if inner.derived => {
            BASE64.decode(text).map_err(|_| (400, "failed to base64-decode context"))?
        }
        None if inner.derived => return Err((400, "missing 'context' for key derivation")),
        _ => Vec::new(),
    };
    let plain = if verb == "encrypt" {
        let text = field("plaintext").ok_or((400, "missing plaintext"))?;
        BASE64.decode(text).map_err(|_| (400, "failed to base64-decode plaintext"))?
    } else {
        opened(inner, field("ciphertext").ok_or((400, "missing ciphertext to decrypt"))?, &context)?
    };
    if verb == "decrypt" {
        return Ok(json!({"data": {"plaintext": BASE64.encode(plain)}}));
    }
    let version = inner.versions.len();
    let sealed = crypto::seal(
        &inner.versions[version - 1],
        &Place::new("t").with(&context),
        &plain,
        &Entropy::system(),
    );
    let ciphertext = format!("vault:v{version}:{}", BASE64.encode(sealed));
    Ok(json!({"data": {"ciphertext": ciphertext, "key_version": version}}))
}

fn opened(inner: &Inner, ciphertext: &str, context: &[u8]) -> Result<Vec<u8>, (u16, &'static str)> {
    let rest = ciphertext.strip_prefix("vault:v").ok_or((400, "invalid ciphertext: no prefix"))?;
    let (version, sealed) =
        rest.split_once(':').ok_or((400, "invalid ciphertext: wrong number of fields"))?;
    let version: usize =
        version.parse().map_err(|_| (400, "invalid ciphertext: version number could not be decoded"))?;
    if version < inner.oldest_allowed {
        return Err((400, "ciphertext or signature version is disallowed by policy (too old)"));
    }
    let key = version.checked_sub(1).and_then(|n| inner.versions.get(n));
    let key = key.ok_or((400, "invalid ciphertext: version is too new"))?;
    let sealed = BASE64.decode(sealed).map_err(|_| (400, "invalid ciphertext: could not decode base64"))?;
    let plain = crypto::open(key, &Place::new("t").with(context), &sealed);
    Ok(plain.map_err(|_| (400, "cipher: message authentication failed"))?.to_vec())
}
