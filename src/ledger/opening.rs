use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::canonical::canonical;
use super::{Error, Forgery};
use crate::base::Entropy;

/// Thirty-two bytes in standard base64, as C2SP writes hashes.
pub(super) mod base64_32 {
    use std::borrow::Cow;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 32], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 32], D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        let bytes = STANDARD.decode(text.as_bytes()).ok().and_then(|b| b.try_into().ok());
        bytes.ok_or_else(|| serde::de::Error::custom("not 32 bytes in base64"))
    }
}

/// SHA-256(salt ‖ canonical JSON of the details). Tells nothing of the details to whom has not the salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Commitment(#[serde(with = "base64_32")] [u8; 32]);

/// What opens a commitment: the salt and the details. Belongs to the person: it goes into their receipt, or is sealed
/// under their key, and dies with it. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    #[serde(with = "base64_32")]
    salt: [u8; 32],
    details: Value,
}

impl Opening {
    pub(super) fn new(entropy: &Entropy, details: Value) -> Self {
        Self { salt: entropy.bytes(), details }
    }

    /// The private details.
    pub fn details(&self) -> &Value {
        &self.details
    }

    /// What an entry about these details carries: SHA-256(salt ‖ RFC 8785 JSON).
    pub fn commitment(&self) -> Result<Commitment, Error> {
        let mut hash = Sha256::new();
        hash.update(self.salt);
        hash.update(canonical(&self.details)?);
        Ok(Commitment(hash.finalize().into()))
    }

    /// Whether this is what the entry committed to.
    pub(super) fn opens(&self, commit: Option<Commitment>) -> Result<(), Error> {
        let commit = commit.ok_or(Forgery::NothingToOpen)?;
        if self.commitment().is_ok_and(|c| c == commit) { Ok(()) } else { Err(Forgery::Opening.into()) }
    }

    /// As bytes to seal under the person's key.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|_| Error::BadEntry("the details cannot be written as JSON"))
    }

    /// From bytes that [`Opening::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|_| Error::Malformed("an opening"))
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opening(…)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_commitment_is_the_hash_that_anybody_can_compute() {
        let opening = Opening { salt: [7; 32], details: json!({"b": 1, "a": "x"}) };
        let mut by_hand = vec![7; 32];
        by_hand.extend_from_slice(br#"{"a":"x","b":1}"#);
        let hash: [u8; 32] = Sha256::digest(&by_hand).into();
        assert_eq!(opening.commitment().unwrap(), Commitment(hash));
        assert_eq!(Opening::from_bytes(&opening.to_bytes().unwrap()).unwrap(), opening);
    }

    #[test]
    fn other_details_or_another_salt_do_not_open_it() {
        let opening = Opening { salt: [7; 32], details: json!({"a": 1}) };
        let commit = opening.commitment().unwrap();
        assert!(opening.opens(Some(commit)).is_ok());
        for other in [
            Opening { salt: [8; 32], ..opening.clone() },
            Opening { details: json!({"a": 2}), ..opening.clone() },
        ] {
            assert!(matches!(other.opens(Some(commit)), Err(Error::Forged(Forgery::Opening))));
        }
        assert!(matches!(opening.opens(None), Err(Error::Forged(Forgery::NothingToOpen))));
    }
}
