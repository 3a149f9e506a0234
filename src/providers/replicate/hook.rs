//! Replicate's webhooks: the Standard Webhooks signature, with a tolerance and several secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use hmac::{Hmac, Mac as _};
use serde::Deserialize;
use sha2::Sha256;

use super::{Replicate, is_id, join, read, unexpected};
use crate::base::{Secret, Timestamp};
use crate::egress::{CallLog, HeaderMap, Method};
use crate::providers::{Callback, Forgery, ProviderError};

/// How far a webhook's time may be from ours.
const TOLERANCE: TimeDelta = TimeDelta::seconds(300);

#[derive(Deserialize)]
struct Named {
    key: Secret<String>,
}

/// The part of the body that is read; input and output in it are passed over, and never stored.
#[derive(Deserialize)]
struct Body {
    id: String,
}

impl Replicate {
    /// Fetches the account's webhook secret, to be kept in the configuration: it is one for all webhooks.
    pub async fn webhook_secret(&self, log: &CallLog) -> Result<Secret<String>, ProviderError> {
        let url = join(&self.config.api, &["webhooks", "default", "secret"]);
        let reply =
            self.line.repeat(|| self.keyed(Method::GET, &url, "/webhooks/default/secret"), log).await?;
        match reply.status {
            200 => Ok(read::<Named>(&reply, "webhook secret")?.key),
            status => Err(unexpected(status)),
        }
    }

    /// Shows that a webhook is Replicate's: signature over id, time and raw body with any of the secrets, time within
    /// five minutes. Whether the prediction is one of ours is the caller's to say.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<Callback, ProviderError> {
        let now = self.clock.now();
        let (delivery, at) =
            check(headers, body, &self.config.webhook_secrets, now).map_err(ProviderError::Forged)?;
        match serde_json::from_slice::<Body>(body) {
            Ok(parsed) if is_id(&parsed.id) => Ok(Callback { id: parsed.id, delivery, at }),
            _ => Err(ProviderError::Forged(Forgery::Malformed)),
        }
    }
}

fn check(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[Secret<String>],
    now: Timestamp,
) -> Result<(String, Timestamp), Forgery> {
    // A header given twice has no one meaning.
    let only = |name: &str| {
        let mut all = headers.get_all(name).iter();
        let value = all.next().and_then(|v| v.to_str().ok()).ok_or(Forgery::Malformed)?;
        if all.next().is_none() { Ok(value) } else { Err(Forgery::Malformed) }
    };
    let id = only("webhook-id")?;
    // A dot in the id would let two different messages sign alike.
    if id.is_empty() || id.len() > 128 || id.contains('.') {
        return Err(Forgery::Malformed);
    }
    let time = only("webhook-timestamp")?;
    let seconds = time.parse::<i64>().ok().filter(|_| time.len() <= 12).ok_or(Forgery::Malformed)?;
    let at = Timestamp::from_micros(seconds.checked_mul(1_000_000).ok_or(Forgery::Malformed)?);
    let signatures = only("webhook-signature").map_err(|_| Forgery::Signature)?;
    if at.since(now).abs() > TOLERANCE {
        return Err(Forgery::Stale);
    }
    let given = || {
        signatures.split(' ').filter_map(|s| s.strip_prefix("v1,")).filter_map(|s| STANDARD.decode(s).ok())
    };
    let proven = secrets.iter().filter_map(mac).any(|mac| {
        let mac =
            mac.chain_update(id).chain_update(".").chain_update(time).chain_update(".").chain_update(body);
        given().any(|signature| mac.clone().verify_slice(&signature).is_ok())
    });
    if proven { Ok((id.to_owned(), at)) } else { Err(Forgery::Signature) }
}

/// The keyed MAC of a `whsec_` secret: what follows the prefix is base64. A secret that is not is no secret.
fn mac(secret: &Secret<String>) -> Option<Hmac<Sha256>> {
    let text = secret.expose();
    let key = zeroize::Zeroizing::new(STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?);
    if key.is_empty() { None } else { Hmac::new_from_slice(&key).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const BODY: &[u8] = br#"{"id":"p1","status":"succeeded"}"#;
    const SIGNATURE: &str = "v1,PCg2hdOBlHu6gqEA8amW5IWko+oI6dJ4OTInU7PuVRs=";

    fn run(id: &str, time: &str, signature: &str, secrets: &[&str], now: i64) -> Result<String, Forgery> {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", id.parse().unwrap());
        headers.insert("webhook-timestamp", time.parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        let secrets: Vec<_> = secrets.iter().map(|s| Secret::new((*s).to_owned())).collect();
        check(&headers, BODY, &secrets, Timestamp::from_micros(now * 1_000_000)).map(|(id, _)| id)
    }

    #[test]
    fn the_known_signature_passes_alone_and_among_others() {
        let now = 1_700_000_000;
        let time = "1700000000";
        assert_eq!(run("msg_test_1", time, SIGNATURE, &[SECRET], now).as_deref(), Ok("msg_test_1"));
        let list = format!("v1a,xx v1,AAAA v1,!!! {SIGNATURE}");
        assert!(run("msg_test_1", time, &list, &["whsec_AAAA", SECRET], now).is_ok());
        assert_eq!(run("msg_test_2", time, SIGNATURE, &[SECRET], now), Err(Forgery::Signature));
        assert_eq!(run("msg_test_1", time, SIGNATURE, &["whsec_AAAA"], now), Err(Forgery::Signature));
        assert_eq!(run("msg_test_1", time, SIGNATURE, &[], now), Err(Forgery::Signature));
        assert_eq!(run("msg_test_1", time, SIGNATURE, &["whsec_", "whsec_%"], now), Err(Forgery::Signature));
        assert_eq!(run("msg_test_1", time, &SIGNATURE[..20], &[SECRET], now), Err(Forgery::Signature));
        assert_eq!(
            run("msg_test_1", time, &SIGNATURE.replace("v1,", "v1a,"), &[SECRET], now),
            Err(Forgery::Signature)
        );
    }

    #[test]
    fn no_byte_of_the_body_can_be_another() {
        let mut headers = HeaderMap::new();
        let known = [
            ("webhook-id", "msg_test_1"),
            ("webhook-timestamp", "1700000000"),
            ("webhook-signature", SIGNATURE),
        ];
        for (name, value) in known {
            headers.insert(name, value.parse().unwrap());
        }
        let (secrets, now) =
            ([Secret::new(SECRET.to_owned())], Timestamp::from_micros(1_700_000_000_000_000));
        assert!(check(&headers, BODY, &secrets, now).is_ok());
        for n in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[n] ^= 1;
            assert_eq!(check(&headers, &body, &secrets, now), Err(Forgery::Signature), "byte {n}");
        }
        headers.remove("webhook-signature");
        assert_eq!(check(&headers, BODY, &secrets, now), Err(Forgery::Signature), "not signed at all");
    }

    #[test]
    fn an_old_an_early_and_a_senseless_time_are_refused() {
        let run = |time: &str, now| run("msg_test_1", time, SIGNATURE, &[SECRET], now);
        assert!(run("1700000000", 1_700_000_300).is_ok());
        assert_eq!(run("1700000000", 1_700_000_301), Err(Forgery::Stale));
        assert_eq!(run("1700000000", 1_699_999_699), Err(Forgery::Stale));
        assert_eq!(run("-1700000000", 1_700_000_000), Err(Forgery::Stale));
        for odd in ["", "x", "1.7e9", "9223372036854775808", "99999999999999"] {
            assert_eq!(run(odd, 1_700_000_000), Err(Forgery::Malformed), "{odd}");
        }
    }

    #[test]
    fn an_id_that_makes_the_signed_text_ambiguous_is_refused() {
        for odd in ["msg.1", "", &"x".repeat(10_000)] {
            let found = run(odd, "1700000000", SIGNATURE, &[SECRET], 1_700_000_000);
            assert_eq!(found, Err(Forgery::Malformed));
        }
    }
}
