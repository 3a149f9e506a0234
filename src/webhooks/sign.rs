//! Secrets and signatures of Standard Webhooks 1.0.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::base::{Entropy, MessageId, Secret, Timestamp};
use crate::crypto::{self, Key};

/// What signs the messages to one address: 256 bits.
pub(super) struct Signing(Key);

impl Signing {
    pub(super) fn generate(entropy: &Entropy) -> Self {
        Self(Key::generate(entropy))
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        Key::from_slice(bytes).ok().map(Self)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.expose()
    }

    /// As the receiver is given it: `whsec_` and base64.
    pub(super) fn text(&self) -> Secret<String> {
        let digits = Zeroizing::new(STANDARD.encode(self.0.expose()));
        Secret::new(format!("whsec_{}", *digits))
    }

    /// `v1,base64(HMAC-SHA-256(secret, id "." seconds "." body))`.
    fn sign(&self, id: MessageId, seconds: i64, body: &[u8]) -> String {
        let mut text = format!("{id}.{seconds}.").into_bytes();
        text.extend_from_slice(body);
        format!("v1,{}", STANDARD.encode(crypto::mac(&self.0, &text)))
    }
}

/// Seconds since 1970, as `webhook-timestamp` has them.
pub(super) fn seconds(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000)
}

/// The value of `webhook-signature`: one of each secret that is live, the newest first.
pub(super) fn signature(live: &[Signing], id: MessageId, seconds: i64, body: &[u8]) -> String {
    live.iter().map(|secret| secret.sign(id, seconds, body)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret whose bytes are 0 to 31, and what the reference libraries sign with it.
    #[test]
    fn a_signature_is_that_of_the_reference() {
        let bytes: Vec<u8> = (0..32).collect();
        let secret = Signing::from_slice(&bytes).unwrap();
        assert_eq!(secret.text().expose(), "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let id: MessageId = "msg_019aab12c0007000800000000000000a".parse().unwrap();
        let known = standardwebhooks::Webhook::new(secret.text().expose()).unwrap();
        let body = br#"{"type":"webhook.test"}"#;
        let expected = known.sign(&id.to_string(), 1_700_000_000, body).unwrap();
        assert_eq!(signature(&[secret], id, 1_700_000_000, body), expected);
    }
}
