//! FAL.AI's webhooks: Ed25519 over four lines, the keys from a published set.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Fal, ProviderError};
use crate::base::Timestamp;
use crate::egress::{CallLog, HeaderMap, Method};
use crate::providers::line::read;
use crate::providers::model::{is_id, join};
use crate::providers::{Callback, Forgery};

/// How far a webhook's time may be from ours.
const TOLERANCE: TimeDelta = TimeDelta::seconds(300);
/// How long the key set may be kept.
const FRESH: TimeDelta = TimeDelta::hours(24);
/// How soon it may be fetched again for a signature that none of its keys made.
const REFETCH: TimeDelta = TimeDelta::minutes(1);
/// How soon it may be fetched again when it could not be had.
const REFETCH_FAILED: TimeDelta = TimeDelta::seconds(5);
/// How long it may take.
const FETCH_WITHIN: Duration = Duration::from_secs(10);

/// The key set, as last fetched.
#[derive(Debug, Default)]
pub(super) struct Keys {
    known: Mutex<Known>,
    /// Held while it is fetched, by those who need it anew; whoever is proven by the keys at hand does not wait.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Vec<VerifyingKey>,
    at: Option<Timestamp>,
    failed_at: Option<Timestamp>,
}

/// What the keys at hand say of a signature.
enum Look {
    Made,
    NotMade,
    /// They are too old to say, or may have been changed.
    Unsure,
}

impl Keys {
    fn with<T>(&self, f: impl FnOnce(&mut Known) -> T) -> T {
        f(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn look(&self, message: &[u8], signature: &Signature, now: Timestamp) -> Result<Look, ProviderError> {
        self.with(|known| {
            let age = known.at.map(|at| now.since(at).abs());
            let made = || known.keys.iter().any(|key| key.verify_strict(message, signature).is_ok());
            if age.is_some_and(|age| age < FRESH) && made() {
                return Ok(Look::Made);
            }
            if age.is_some_and(|age| age < REFETCH) {
                return Ok(Look::NotMade);
            }
            match known.failed_at {
                Some(at) if now.since(at).abs() < REFETCH_FAILED => Err(ProviderError::Unavailable),
                _ => Ok(Look::Unsure),
            }
        })
    }
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
}

impl Key {
    fn verifying(&self) -> Option<VerifyingKey> {
        let right = self.kty == "OKP" && self.crv.as_deref() == Some("Ed25519");
        let raw = URL_SAFE_NO_PAD.decode(self.x.as_deref().filter(|_| right)?.trim_end_matches('=')).ok()?;
        VerifyingKey::from_bytes(&raw.try_into().ok()?).ok()
    }
}

/// The part of the body that is read; the result in it (megabytes, and personal) is passed over.
#[derive(Deserialize)]
struct Body {
    request_id: String,
}

/// What the headers say.
struct Claim<'a> {
    id: &'a str,
    user: &'a str,
    at: Timestamp,
    time: &'a str,
    signature: Signature,
}

impl Fal {
    /// Shows that a webhook is FAL.AI's: signature over the raw body, time within five minutes, the body about the
    /// request that the headers name. Whether that request is one of ours is the caller's to say.
    pub async fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        log: &CallLog,
    ) -> Result<Callback, ProviderError> {
        let claim = claim(headers).map_err(ProviderError::Forged)?;
        if claim.at.since(self.clock.now()).abs() > TOLERANCE {
            return Err(ProviderError::Forged(Forgery::Stale));
        }
        let pinned = self.config.user_id.as_deref().is_none_or(|own| own == claim.user);
        if !pinned || !self.signed(&message(&claim, body), &claim.signature, log).await? {
            return Err(ProviderError::Forged(Forgery::Signature));
        }
        match serde_json::from_slice::<Body>(body) {
            Ok(parsed) if parsed.request_id == claim.id => {
                Ok(Callback { id: parsed.request_id, delivery: claim.id.to_owned(), at: claim.at })
            }
            _ => Err(ProviderError::Forged(Forgery::Malformed)),
        }
    }

    /// True if any published key made the signature. A miss fetches the set once more, for they may have rotated.
    async fn signed(&self, message: &[u8], sig: &Signature, log: &CallLog) -> Result<bool, ProviderError> {
        let now = self.clock.now();
        match self.keys.look(message, sig, now)? {
            Look::Made => return Ok(true),
            Look::NotMade => return Ok(false),
            Look::Unsure => {}
        }
        let _fetching = self.keys.fetching.lock().await;
        // Another may have fetched it meanwhile.
        if let Look::Unsure = self.keys.look(message, sig, now)? {
            match self.fetch_keys(log).await {
                Ok(keys) => self.keys.with(|known| *known = Known { keys, at: Some(now), failed_at: None }),
                Err(e) => {
                    self.keys.with(|known| known.failed_at = Some(now));
                    return Err(e);
                }
            }
        }
        Ok(matches!(self.keys.look(message, sig, now)?, Look::Made))
    }

    async fn fetch_keys(&self, log: &CallLog) -> Result<Vec<VerifyingKey>, ProviderError> {
        let url = join(&self.config.rest, &[".well-known", "jwks.json"]);
        let call = self.line.call(Method::GET, url, "/.well-known/jwks.json");
        let fetched = tokio::time::timeout(FETCH_WITHIN, self.line.aside(call, log)).await;
        let reply = fetched.map_err(|_| ProviderError::Unavailable)??;
        if reply.status != 200 {
            return Err(ProviderError::Unavailable);
        }
        let set: KeySet = read(&reply, "key set")?;
        Ok(set.keys.iter().filter_map(Key::verifying).collect())
    }
}

/// What is not signed, or not to the end, is unproven; anything else that is missing is no webhook at all.
fn claim(headers: &HeaderMap) -> Result<Claim<'_>, Forgery> {
    // A header given twice has no one meaning.
    let only = |name: &str| {
        let mut all = headers.get_all(name).iter();
        let value = all.next()?.to_str().ok()?;
        all.next().is_none().then_some(value)
    };
    let malformed = Forgery::Malformed;
    let id = only("x-fal-webhook-request-id").filter(|id| is_id(id)).ok_or(malformed)?;
    let user = only("x-fal-webhook-user-id").filter(|u| u.len() <= 256).ok_or(malformed)?;
    let time = only("x-fal-webhook-timestamp").filter(|t| t.len() <= 12).ok_or(malformed)?;
    let micros = time.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1_000_000));
    let signature = only("x-fal-webhook-signature").and_then(|text| hex::decode(text).ok());
    let signature = signature.and_then(|raw| Signature::from_slice(&raw).ok());
    Ok(Claim {
        id,
        user,
        time,
        at: Timestamp::from_micros(micros.ok_or(malformed)?),
        signature: signature.ok_or(Forgery::Signature)?,
    })
}

fn message(claim: &Claim<'_>, body: &[u8]) -> Vec<u8> {
    let digest = hex::encode(Sha256::digest(body));
    [claim.id, claim.user, claim.time, &digest].join("\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"request_id":"r1","status":"OK","payload":{}}"#;
    const SIGNATURE: &str = "3de3ab16f563c494d17d551bd53a88d59a24581c40ae5bf9cf9375785a2bed84\
        cfdc13a4c0086d80ab04ac5e6ff8b1e25099314340d9833caa935e84a57b7903";

    fn headers(signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-fal-webhook-request-id", "r1"),
            ("x-fal-webhook-user-id", "u1"),
            ("x-fal-webhook-timestamp", "1700000000"),
            ("x-fal-webhook-signature", signature),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        headers
    }

    fn key() -> VerifyingKey {
        let jwk =
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}]}"#;
        serde_json::from_str::<KeySet>(jwk).unwrap().keys[0].verifying().unwrap()
    }

    #[test]
    fn the_message_is_four_lines_to_the_byte() {
        let headers = headers(SIGNATURE);
        let claim = claim(&headers).unwrap();
        let text = String::from_utf8(message(&claim, BODY)).unwrap();
        assert_eq!(
            text,
            "r1\nu1\n1700000000\n04294cf52d2b6d9e5c5b4ff33cf489d09fe721527862e6a6575cac9c3775e1d6"
        );
        assert!(key().verify_strict(text.as_bytes(), &claim.signature).is_ok());
        assert!(key().verify_strict(&message(&claim, b"{}"), &claim.signature).is_err());
    }

    #[test]
    fn no_byte_of_body_or_signature_can_be_another() {
        let headers = headers(SIGNATURE);
        let claim = claim(&headers).unwrap();
        for n in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[n] ^= 1;
            assert!(key().verify_strict(&message(&claim, &body), &claim.signature).is_err(), "byte {n}");
        }
        for n in 0..64 {
            let mut raw = claim.signature.to_bytes();
            raw[n] ^= 1;
            let other = Signature::from_bytes(&raw);
            assert!(
                key().verify_strict(&message(&claim, BODY), &other).is_err(),
                "byte {n} of the signature"
            );
        }
    }

    #[test]
    fn a_header_missing_doubled_or_misshapen_is_no_claim() {
        assert!(claim(&headers(SIGNATURE)).is_ok());
        assert_eq!(claim(&headers(&SIGNATURE[2..])).err(), Some(Forgery::Signature));
        for name in ["request-id", "user-id", "timestamp", "signature"] {
            let name = format!("x-fal-webhook-{name}");
            let mut without = headers(SIGNATURE);
            let value = without.remove(name.as_str()).unwrap();
            assert!(claim(&without).is_err(), "{name} missing");
            let mut twice = headers(SIGNATURE);
            twice.append(reqwest::header::HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
            assert!(claim(&twice).is_err(), "{name} twice");
        }
        for time in ["", "x", "9223372036854775808", "99999999999999999999", "1.5"] {
            let mut odd = headers(SIGNATURE);
            odd.insert("x-fal-webhook-timestamp", time.parse().unwrap());
            assert_eq!(claim(&odd).err(), Some(Forgery::Malformed), "{time}");
        }
    }

    #[test]
    fn a_key_of_another_kind_is_passed_over() {
        let set = r#"{"keys":[{"kty":"RSA","n":"x"},{"kty":"OKP","crv":"X25519","x":"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"},{"kty":"OKP","crv":"Ed25519","x":"AA"}]}"#;
        let set: KeySet = serde_json::from_str(set).unwrap();
        assert_eq!(set.keys.iter().filter_map(Key::verifying).count(), 0);
    }
}
