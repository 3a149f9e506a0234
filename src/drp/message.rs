//! Signed messages: `base64(signature ‖ JSON)`, Ed25519, as libsodium's combined mode writes them (Data Rights Protocol
//! 1.0, section 3.07). The JSON is verified as it came, and never written anew.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Agent, Error};
use crate::base::{TenantId, Timestamp};
use crate::crypto::sha256;

/// The version of the protocol that is spoken.
pub const VERSION: &str = "1.0";
/// The longest message, in bytes of base64.
pub const MOST_MESSAGE: usize = 64 * 1024;
/// The longest time for which a message may be good. The protocol advises ten minutes.
const LONGEST: TimeDelta = TimeDelta::hours(24);
/// Bytes of a signature.
const SIGNATURE: usize = 64;

/// A message whose signature held.
pub(super) struct Signed {
    signature: [u8; SIGNATURE],
    pub(super) json: Vec<u8>,
}

impl Signed {
    /// What it is known by, once it was taken for `of`.
    pub(super) fn digest(&self, of: &str) -> [u8; 32] {
        sha256(&[&self.signature, of.as_bytes(), self.json.as_slice()].concat())
    }
}

/// Opens a message by an agent's key. Signatures that verifiers disagree about are refused.
pub(super) fn open(body: &[u8], key: &VerifyingKey) -> Result<Signed, Error> {
    if body.len() > MOST_MESSAGE {
        return Err(Error::Malformed("it is too long"));
    }
    let bytes = STANDARD.decode(body).map_err(|_| Error::Malformed("it is not base64"))?;
    let Some((signature, json)) = bytes.split_first_chunk::<SIGNATURE>() else {
        return Err(Error::Malformed("it is too short for a signature"));
    };
    key.verify_strict(json, &Signature::from_bytes(signature)).map_err(|_| Error::BadSignature)?;
    Ok(Signed { signature: *signature, json: json.to_vec() })
}

/// Reads what was signed. A field of ours that stands there twice is refused.
pub(super) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(json)
        .map_err(|_| Error::Malformed("a field is missing, twice there or of another type"))
}

/// What stands in every message that is good for a time.
#[derive(Deserialize)]
pub(super) struct Bounds {
    #[serde(rename = "agent-id")]
    agent_id: String,
    #[serde(rename = "business-id")]
    business_id: String,
    #[serde(rename = "issued-at")]
    issued_at: String,
    #[serde(rename = "expires-at")]
    expires_at: String,
    #[serde(rename = "drp.version")]
    version: String,
}

fn moment(text: &str) -> Result<Timestamp, Error> {
    Timestamp::parse_rfc3339(text).ok_or(Error::Malformed("a time is not in the form of ISO 8601"))
}

impl Bounds {
    /// When it runs out.
    pub(super) fn until(&self) -> Result<Timestamp, Error> {
        moment(&self.expires_at)
    }

    /// The checks of section 3.07, in its order.
    pub(super) fn hold(&self, agent: &str, business: &TenantId, now: Timestamp) -> Result<(), Error> {
        if self.agent_id != agent {
            return Err(Error::NotForUs("agent-id"));
        }
        if self.business_id != business.as_str() {
            return Err(Error::NotForUs("business-id"));
        }
        if self.version != VERSION {
            return Err(Error::NotForUs("drp.version"));
        }
        let (from, until) = (moment(&self.issued_at)?, moment(&self.expires_at)?);
        if now < from {
            return Err(Error::NotForUs("issued-at"));
        }
        if now >= until || until.since(from) > LONGEST {
            return Err(Error::NotForUs("expires-at"));
        }
        Ok(())
    }
}

/// What an agent asks in somebody's name. Claims that are not used here may stand in it; they are read by nobody.
#[derive(Deserialize)]
pub(super) struct Asking {
    #[serde(rename = "agent-id")]
    agent_id: String,
    #[serde(rename = "business-id")]
    business_id: String,
    #[serde(rename = "issued-at")]
    issued_at: String,
    #[serde(rename = "expires-at")]
    expires_at: String,
    #[serde(rename = "drp.version")]
    version: String,
    pub(super) exercise: String,
    #[serde(rename = "agent-request-id", default)]
    pub(super) agent_request_id: Option<String>,
    #[serde(default)]
    pub(super) status_callback: Option<String>,
    #[serde(default)]
    pub(super) email: Option<String>,
}

impl Asking {
    pub(super) fn holds(&self, agent: &Agent, now: Timestamp) -> Result<(), Error> {
        let bounds = Bounds {
            agent_id: self.agent_id.clone(),
            business_id: self.business_id.clone(),
            issued_at: self.issued_at.clone(),
            expires_at: self.expires_at.clone(),
            version: self.version.clone(),
        };
        bounds.hold(&agent.id, &agent.tenant, now)?;
        let short = |text: &Option<String>, most: usize| text.as_ref().is_none_or(|t| t.len() <= most);
        if !short(&self.agent_request_id, 200)
            || !short(&self.status_callback, 2_000)
            || !short(&self.email, 320)
        {
            return Err(Error::Malformed("a field is too long"));
        }
        Ok(())
    }

    pub(super) fn expires_at(&self) -> Result<Timestamp, Error> {
        moment(&self.expires_at)
    }
}

/// What takes a request back. The protocol asks for nothing in it; what an agent puts there all the same must hold.
#[derive(Deserialize)]
pub(super) struct Revocation {
    #[serde(rename = "agent-id", default)]
    agent_id: Option<String>,
    #[serde(rename = "business-id", default)]
    business_id: Option<String>,
    #[serde(rename = "expires-at", default)]
    expires_at: Option<String>,
}

impl Revocation {
    pub(super) fn holds(&self, agent: &Agent, now: Timestamp) -> Result<(), Error> {
        if self.agent_id.as_ref().is_some_and(|id| *id != agent.id) {
            return Err(Error::NotForUs("agent-id"));
        }
        if self.business_id.as_ref().is_some_and(|id| id != agent.tenant.as_str()) {
            return Err(Error::NotForUs("business-id"));
        }
        match self.expires_at.as_deref().map(moment).transpose()? {
            Some(until) if now >= until => Err(Error::NotForUs("expires-at")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_opens_but_what_was_signed(
            noise in prop::collection::vec(any::<u8>(), 0..300),
            json in "[ -~]{0,80}",
            at in any::<prop::sample::Index>(),
            by in 1_u8..,
        ) {
            let key = SigningKey::from_bytes(&[7; 32]);
            let public = key.verifying_key();
            prop_assert!(open(&noise, &public).is_err());
            prop_assert!(open(STANDARD.encode(&noise).as_bytes(), &public).is_err());
            let signed = [&key.sign(json.as_bytes()).to_bytes(), json.as_bytes()].concat();
            let good = STANDARD.encode(&signed);
            prop_assert_eq!(open(good.as_bytes(), &public).ok().map(|s| s.json), Some(json.clone().into_bytes()));
            let mut bad = signed;
            let at = at.index(bad.len());
            bad[at] ^= by;
            prop_assert!(open(STANDARD.encode(&bad).as_bytes(), &public).is_err());
            let longer = [good.as_bytes(), b"\n"].concat();
            prop_assert!(open(&longer, &public).is_err());
        }
    }

    #[test]
    fn a_field_that_stands_there_twice_is_refused() {
        assert!(read::<Revocation>(br#"{"agent-id":"a"}"#).is_ok());
        assert!(read::<Revocation>(br#"{"agent-id":"a","agent-id":"b"}"#).is_err());
    }
}
