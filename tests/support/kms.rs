//! A stand-in for AWS KMS on this machine that is as strict as KMS is: it checks the signature (Signature Version 4), the
//! protocol (JSON 1.1) and the encryption context, and what it wraps nobody else can open.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use vouchsafe::base::{Clock, Entropy, Secret};
use vouchsafe::crypto::{self, Key, Place};
use vouchsafe::seals::KmsSettings;

use super::listening::{Listening, quick};

pub(crate) const ACCESS: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// A way to answer the next call wrongly.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble {
    /// This status, and this type in the body.
    Says(u16, &'static str),
    /// A body that is not JSON.
    Babbles,
    /// No answer at all.
    Silent,
}

struct Inner {
    key: Key,
    state: &'static str,
    usage: &'static str,
    troubles: VecDeque<Trouble>,
    calls: Vec<String>,
    contexts: Vec<BTreeMap<String, String>>,
}

/// The stand-in. Clones share.
#[derive(Clone)]
pub(crate) struct FakeKms {
    inner: Arc<Mutex<Inner>>,
    listening: Arc<Listening>,
}

impl FakeKms {
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Mutex::new(Inner {
            key: Key::generate(&Entropy::system()),
            state: "Enabled",
            usage: "ENCRYPT_DECRYPT",
            troubles: VecDeque::new(),
            calls: Vec::new(),
            contexts: Vec::new(),
        }));
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&inner));
        Self { inner, listening: Arc::new(Listening::start(router).await) }
    }

    pub(crate) fn settings(&self) -> KmsSettings {
        KmsSettings {
            key_id: KEY.to_owned(),
            region: REGION.to_owned(),
            endpoint: Some(self.listening.url()),
            access_key_id: ACCESS.to_owned(),
            secret_access_key: Secret::new(SECRET.to_owned()),
            session_token: None,
            patience: quick(),
        }
    }

    /// Answers the next calls so.
    pub(crate) fn trouble(&self, troubles: &[Trouble]) {
        self.inner.lock().unwrap().troubles.extend(troubles);
    }

    pub(crate) fn set_state(&self, state: &'static str) {
        self.inner.lock().unwrap().state = state;
    }

    pub(crate) fn set_usage(&self, usage: &'static str) {
        self.inner.lock().unwrap().usage = usage;
    }

    /// Another key under the same name: what an alias does that was pointed elsewhere.
    pub(crate) fn replace_key(&self) {
        self.inner.lock().unwrap().key = Key::generate(&Entropy::system());
    }

    /// The operations called so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.inner.lock().unwrap().calls.clone()
    }

    /// The encryption contexts seen so far.
    pub(crate) fn contexts(&self) -> Vec<BTreeMap<String, String>> {
        self.inner.lock().unwrap().contexts.clone()
    }

    /// Stops answering for good.
    pub(crate) fn stop(&self) {
        self.listening.stop();
    }
}

fn refuse(status: u16, kind: &str) -> Response {
    let body = json!({"__type": kind, "message": "in words that must not be repeated"}).to_string();
    (StatusCode::from_u16(status).unwrap(), [("content-type", "application/x-amz-json-1.1")], body)
        .into_response()
}

async fn answer(
    State(inner): State<Arc<Mutex<Inner>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let trouble = inner.lock().unwrap().troubles.pop_front();
    match trouble {
        Some(Trouble::Says(status, kind)) => return refuse(status, kind),
        Some(Trouble::Babbles) => return (StatusCode::OK, "<html>a proxy").into_response(),
        Some(Trouble::Silent) => std::future::pending::<()>().await,
        None => {}
    }
    if let Err(kind) = signed(&method, &uri, &headers, &body) {
        return refuse(400, kind);
    }
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    if text("content-type") != "application/x-amz-json-1.1" {
        return refuse(400, "SerializationException");
    }
    let Ok(asked) = serde_json::from_slice::<Value>(&body) else {
        return refuse(400, "SerializationException");
    };
    let target = text("x-amz-target");
    let mut inner = inner.lock().unwrap();
    inner.calls.push(target.trim_start_matches("TrentService.").to_owned());
    let done = match target.as_str() {
        "TrentService.Encrypt" => encrypt(&mut inner, &asked),
        "TrentService.Decrypt" => decrypt(&mut inner, &asked),
        "TrentService.DescribeKey" => describe(&inner, &asked),
        _ => Err("UnknownOperationException"),
    };
    match done {
        Ok(said) => ([("content-type", "application/x-amz-json-1.1")], said.to_string()).into_response(),
        Err(kind) => refuse(400, kind),
    }
}

fn usable(inner: &Inner, asked: &Value) -> Result<(), &'static str> {
    match (asked["KeyId"].as_str(), inner.state) {
        (Some(KEY), "Enabled") => Ok(()),
        (Some(KEY), "Disabled") => Err("DisabledException"),
        (Some(KEY), _) => Err("KMSInvalidStateException"),
        _ => Err("NotFoundException"),
    }
}

fn context_of(asked: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(asked["EncryptionContext"].clone()).unwrap_or_default()
}

fn place(context: &BTreeMap<String, String>) -> Place {
    context.iter().fold(Place::new("t"), |place, (k, v)| place.with(k).with(v))
}

fn encrypt(inner: &mut Inner, asked: &Value) -> Result<Value, &'static str> {
    usable(inner, asked)?;
    let plain =
        asked["Plaintext"].as_str().and_then(|p| BASE64.decode(p).ok()).ok_or("ValidationException")?;
    let context = context_of(asked);
    let sealed = crypto::seal(&inner.key, &place(&context), &plain, &Entropy::system());
    inner.contexts.push(context);
    Ok(
        json!({"CiphertextBlob": BASE64.encode(sealed), "KeyId": KEY, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}),
    )
}

fn decrypt(inner: &mut Inner, asked: &Value) -> Result<Value, &'static str> {
    usable(inner, asked)?;
    let blob = asked["CiphertextBlob"].as_str().and_then(|p| BASE64.decode(p).ok());
    let blob = blob.ok_or("ValidationException")?;
    let context = context_of(asked);
    let plain =
        crypto::open(&inner.key, &place(&context), &blob).map_err(|_| "InvalidCiphertextException")?;
    inner.contexts.push(context);
    Ok(json!({"Plaintext": BASE64.encode(&*plain), "KeyId": KEY, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}))
}

fn describe(inner: &Inner, asked: &Value) -> Result<Value, &'static str> {
    if asked["KeyId"].as_str() != Some(KEY) {
        return Err("NotFoundException");
    }
    Ok(json!({"KeyMetadata": {
        "KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab", "Arn": KEY, "KeyState": inner.state,
        "KeyUsage": inner.usage, "KeySpec": "SYMMETRIC_DEFAULT", "Enabled": inner.state == "Enabled",
    }}))
}

fn mac(key: &[u8], data: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(data.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Checks Signature Version 4 as the service does: over the method, the path, the signed headers and the body's hash, with
/// a key derived from the secret for this day, region and service.
fn signed(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<(), &'static str> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let given = text("authorization").ok_or("MissingAuthenticationTokenException")?;
    let fields = given.strip_prefix("AWS4-HMAC-SHA256 ").ok_or("IncompleteSignature")?;
    let field = |name: &str| {
        fields
            .split(',')
            .find_map(|f| f.trim().strip_prefix(name)?.strip_prefix('='))
            .ok_or("IncompleteSignature")
    };
    let (credential, names, signature) = (field("Credential")?, field("SignedHeaders")?, field("Signature")?);
    let parts: Vec<&str> = credential.split('/').collect();
    let [access, day, region, "kms", "aws4_request"] = parts.as_slice() else {
        return Err("IncompleteSignature");
    };
    let at = text("x-amz-date").ok_or("IncompleteSignature")?;
    let now = Clock::system().now().to_utc();
    let then =
        chrono::NaiveDateTime::parse_from_str(at, "%Y%m%dT%H%M%SZ").map_err(|_| "IncompleteSignature")?;
    let apart = (now - then.and_utc()).num_minutes().abs();
    if !at.starts_with(day) || apart > 5 || *region != REGION {
        return Err("InvalidSignatureException");
    }
    if *access != ACCESS {
        return Err("UnrecognizedClientException");
    }
    if !["host", "x-amz-date", "x-amz-target"].iter().all(|h| names.split(';').any(|n| n == *h)) {
        return Err("InvalidSignatureException");
    }
    let mut canonical = format!("{method}\n{}\n{}\n", uri.path(), uri.query().unwrap_or_default());
    for name in names.split(';') {
        canonical.push_str(&format!("{name}:{}\n", text(name).ok_or("IncompleteSignature")?.trim()));
    }
    canonical.push_str(&format!("\n{names}\n{}", hex::encode(Sha256::digest(body))));
    let scope = format!("{day}/{region}/kms/aws4_request");
    let hash = hex::encode(Sha256::digest(canonical.as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{hash}");
    let key = mac(format!("AWS4{SECRET}").as_bytes(), day);
    let key = ["kms", "aws4_request"].iter().fold(mac(&key, region), |key, part| mac(&key, part));
    if hex::encode(mac(&key, &to_sign)) == signature { Ok(()) } else { Err("InvalidSignatureException") }
}
