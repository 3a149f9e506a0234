//! The transit engine of HashiCorp Vault, or of `OpenBao`, over its HTTP API.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::kms::by_status;
use super::{Error, Patience};
use crate::base::{Clock, Entropy, Secret};
use crate::crypto::Key;
use crate::egress::{Call, CallLog, Egress, EgressError, Method, Names, Recipient, Reply, Url};
use crate::keystore::{Binding, Seal, SealFault, SealKind, SealService};

const RECIPIENT: &str = "vault";

/// How the service signs in.
#[derive(Debug, Clone)]
pub enum Login {
    /// With a token.
    Token(Secret<String>),
    /// With the token in a file, read anew for each call: whatever renews it there is followed.
    TokenFile(PathBuf),
    /// With a role: a token is fetched, and another one when it has run out.
    AppRole {
        /// Where the method is mounted; `approle` unless said otherwise.
        mount: String,
        /// The role's id.
        role_id: Secret<String>,
        /// The role's secret.
        secret_id: Secret<String>,
    },
}

/// A transit key, and how to get at it.
#[derive(Debug, Clone)]
pub struct VaultSettings {
    /// Where Vault is, `https://…`; plain HTTP on this machine only.
    pub address: String,
    /// Where the engine is mounted; `transit` unless said otherwise.
    pub mount: String,
    /// The key's name. It must have been made with `derived=true`.
    pub key: String,
    /// The namespace, if there are any.
    pub namespace: Option<String>,
    /// How to sign in.
    pub login: Login,
    /// How long it is waited for.
    pub patience: Patience,
}

/// A seal over a transit key. Calls `encrypt`, `decrypt` and `rewrap` with the installation and the epoch as context,
/// and reads `keys/<name>` to see that the key can be used.
pub fn vault(settings: VaultSettings, clock: &Clock, entropy: &Entropy) -> Result<Seal, Error> {
    let base = Url::parse(&settings.address).map_err(|_| Error::Vault("address is not a URL"))?;
    let plain = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
    };
    if !plain(&settings.mount) || !plain(&settings.key) {
        return Err(Error::Vault("mount and key are names of letters, digits, - and _"));
    }
    let recipient = Recipient::named(RECIPIENT).inside(&base)?;
    let egress = Egress::new(vec![recipient], &Names::System, clock.clone())?;
    let id = format!("vault:{}/{}", settings.mount, settings.key);
    let transit = Transit { settings, base, egress, entropy: entropy.clone(), token: Mutex::new(None) };
    Ok(Seal::service(SealKind::Vault, &id, Arc::new(transit)))
}

struct Transit {
    settings: VaultSettings,
    base: Url,
    egress: Egress,
    entropy: Entropy,
    /// What a role was given last.
    token: Mutex<Option<Secret<String>>>,
}

impl fmt::Debug for Transit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transit({}/{})", self.settings.mount, self.settings.key)
    }
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Wrapped {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Unwrapped {
    plaintext: Secret<String>,
}

#[derive(Deserialize)]
struct KeyInfo {
    derived: bool,
    #[serde(default = "yes")]
    supports_encryption: bool,
    #[serde(default)]
    soft_deleted: bool,
}

#[derive(Deserialize)]
struct SignedIn {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: Secret<String>,
}

fn yes() -> bool {
    true
}

/// The context of a derived key: another installation's or epoch's derives another key.
fn context(binding: &Binding) -> String {
    BASE64.encode(format!("vouchsafe/epoch\n{}\n{}", binding.installation, binding.epoch))
}

fn parsed<T: serde::de::DeserializeOwned>(reply: &Reply) -> Result<T, SealFault> {
    serde_json::from_slice(&reply.body).map_err(|_| SealFault::Answer)
}

impl Transit {
    /// Tries until it is done, until it cannot pass by itself, or until patience ends.
    async fn ask(
        &self,
        method: &Method,
        (verb, pattern): (&str, &'static str),
        body: &Value,
    ) -> Result<Reply, SealFault> {
        let patience = self.settings.patience;
        let tries = async {
            let mut pause = patience.backoff;
            let mut left = patience.attempts.max(1);
            loop {
                left -= 1;
                match self.signed_in(method, verb, pattern, body).await {
                    Err(fault) if fault.passes() && left > 0 => {
                        let [random] = self.entropy.bytes::<1>();
                        tokio::time::sleep(pause.mul_f32(0.5 + f32::from(random) / 255.0)).await;
                        pause = pause.saturating_mul(2);
                    }
                    done => return done,
                }
            }
        };
        tokio::time::timeout(patience.total, tries).await.unwrap_or(Err(SealFault::Unreachable))
    }

    /// One try; with a role, a second one when its token is no longer taken.
    async fn signed_in(
        &self,
        method: &Method,
        verb: &str,
        pattern: &'static str,
        body: &Value,
    ) -> Result<Reply, SealFault> {
        let path = format!("{}/{verb}/{}", self.settings.mount, self.settings.key);
        let token = self.token().await?;
        let done = self.call(method, &path, pattern, Some(&token), body).await;
        if !matches!(done, Err(SealFault::Refused)) || !matches!(self.settings.login, Login::AppRole { .. }) {
            return done;
        }
        *self.token.lock().await = None;
        let token = self.token().await?;
        self.call(method, &path, pattern, Some(&token), body).await
    }

    async fn token(&self) -> Result<Secret<String>, SealFault> {
        match &self.settings.login {
            Login::Token(token) => Ok(token.clone()),
            Login::TokenFile(path) => {
                let text = tokio::fs::read_to_string(path).await.map_err(|_| SealFault::Refused)?;
                let text = Zeroizing::new(text);
                Ok(Secret::new(text.trim().to_owned()))
            }
            Login::AppRole { mount, role_id, secret_id } => {
                let mut held = self.token.lock().await;
                if let Some(token) = &*held {
                    return Ok(token.clone());
                }
                let body = json!({"role_id": role_id.expose(), "secret_id": secret_id.expose()});
                let path = format!("auth/{mount}/login");
                let reply = self.call(&Method::POST, &path, "/v1/auth/{mount}/login", None, &body).await;
                // Vault says 400 to a role or a secret that it does not know.
                let reply = reply.map_err(|f| if f.passes() { f } else { SealFault::Refused })?;
                let token = parsed::<SignedIn>(&reply)?.auth.client_token;
                *held = Some(token.clone());
                Ok(token)
            }
        }
    }

    async fn call(
        &self,
        method: &Method,
        path: &str,
        pattern: &'static str,
        token: Option<&Secret<String>>,
        body: &Value,
    ) -> Result<Reply, SealFault> {
        let mut url = self.base.clone();
        {
            let mut segments = url.path_segments_mut().map_err(|()| SealFault::Answer)?;
            segments.pop_if_empty().push("v1").extend(path.split('/'));
        }
        let mut call = Call::new(RECIPIENT, method.clone(), url, pattern)
            .header("x-vault-request", "true")
            .within(self.settings.patience.attempt)
            .at_most(64 * 1024);
        if let Some(namespace) = &self.settings.namespace {
            call = call.header("x-vault-namespace", namespace);
        }
        if let Some(token) = token {
            call = call.secret_header("x-vault-token", token);
        }
        if *method != Method::GET {
            call = call.json(body);
        }
        let reply = self.egress.send(call, &CallLog::new()).await.map_err(|e| match e {
            EgressError::NoConnection | EgressError::TimedOut | EgressError::Interrupted => {
                SealFault::Unreachable
            }
            _ => SealFault::Answer,
        })?;
        if reply.is_success() { Ok(reply) } else { Err(refusal(&reply)) }
    }
}

/// What Vault's answer means. Its own words stay here: they may repeat what was asked.
fn refusal(reply: &Reply) -> SealFault {
    let text = String::from_utf8_lossy(&reply.body).to_ascii_lowercase();
    match reply.status {
        400 if text.contains("key not found") => SealFault::NoSuchKey,
        400 if text.contains("disallowed by policy") => SealFault::KeyOff,
        400 if ["ciphertext", "message authentication", "context"].iter().any(|w| text.contains(w)) => {
            SealFault::Foreign
        }
        // A write that a replica has not seen yet.
        412 => SealFault::Unreachable,
        status => by_status(status),
    }
}

impl SealService for Transit {
    fn wrap<'a>(&'a self, key: &'a Key, binding: &'a Binding) -> BoxFuture<'a, Result<Vec<u8>, SealFault>> {
        async move {
            let plain = Zeroizing::new(BASE64.encode(key.expose()));
            let body = json!({"plaintext": *plain, "context": context(binding)});
            let reply = self.ask(&Method::POST, ("encrypt", "/v1/{mount}/encrypt/{key}"), &body).await?;
            ciphertext(&reply)
        }
        .boxed()
    }

    fn unwrap<'a>(
        &'a self,
        wrapped: &'a [u8],
        binding: &'a Binding,
    ) -> BoxFuture<'a, Result<Key, SealFault>> {
        async move {
            let text = std::str::from_utf8(wrapped).map_err(|_| SealFault::Foreign)?;
            let body = json!({"ciphertext": text, "context": context(binding)});
            let reply = self.ask(&Method::POST, ("decrypt", "/v1/{mount}/decrypt/{key}"), &body).await?;
            let plain = parsed::<Answer<Unwrapped>>(&reply)?.data.plaintext;
            let plain =
                Zeroizing::new(BASE64.decode(plain.expose().as_bytes()).map_err(|_| SealFault::Answer)?);
            Key::from_slice(&plain).map_err(|_| SealFault::Answer)
        }
        .boxed()
    }

    fn rewrap<'a>(
        &'a self,
        wrapped: &'a [u8],
        binding: &'a Binding,
    ) -> BoxFuture<'a, Result<Vec<u8>, SealFault>> {
        async move {
            let text = std::str::from_utf8(wrapped).map_err(|_| SealFault::Foreign)?;
            let body = json!({"ciphertext": text, "context": context(binding)});
            ciphertext(&self.ask(&Method::POST, ("rewrap", "/v1/{mount}/rewrap/{key}"), &body).await?)
        }
        .boxed()
    }

    fn look(&self) -> BoxFuture<'_, Result<(), SealFault>> {
        async move {
            let reply = self.ask(&Method::GET, ("keys", "/v1/{mount}/keys/{key}"), &Value::Null).await?;
            let key = parsed::<Answer<KeyInfo>>(&reply)?.data;
            // A key that is not derived takes any context for granted, and would bind nothing.
            match key {
                KeyInfo { soft_deleted: true, .. } => Err(SealFault::KeyOff),
                KeyInfo { derived: true, supports_encryption: true, .. } => Ok(()),
                _ => Err(SealFault::Unfit),
            }
        }
        .boxed()
    }
}

fn ciphertext(reply: &Reply) -> Result<Vec<u8>, SealFault> {
    let text = parsed::<Answer<Wrapped>>(reply)?.data.ciphertext;
    if text.starts_with("vault:v") { Ok(text.into_bytes()) } else { Err(SealFault::Answer) }
}
