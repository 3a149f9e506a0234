//! Keys in the forms of C2SP signed-note: `name+id+base64`, the same strings that Go's `sumdb/note` reads.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use signed_note::{Note, Verifier};

use super::{Error, Forgery};
use crate::base::{Secret, Timestamp};

const LONGEST_NAME: usize = 200;

/// What a key signs (C2SP signed-note, signature types).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// The text of a note: a ledger's own signature (type 1).
    Note,
    /// A time and the text of a checkpoint: a witness's cosignature (type 4, C2SP tlog-cosignature).
    Cosignature,
}

impl Use {
    const fn byte(self) -> u8 {
        match self {
            Self::Note => 1,
            Self::Cosignature => 4,
        }
    }
}

/// A key that is trusted to verify: of a ledger or of a witness. Text form `name+id+base64`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    purpose: Use,
    key: VerifyingKey,
}

impl VerifierKey {
    fn new(name: &str, purpose: Use, key: VerifyingKey) -> Self {
        Self { name: name.to_owned(), id: signed_note::key_id(name, &encoded(purpose, &key)), purpose, key }
    }

    /// The name: a ledger's origin, or a witness's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key signs.
    pub fn purpose(&self) -> Use {
        self.purpose
    }
}

fn encoded(purpose: Use, key: &VerifyingKey) -> Vec<u8> {
    let mut out = vec![purpose.byte()];
    out.extend_from_slice(key.as_bytes());
    out
}

fn sound_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME && signed_note::is_key_name_valid(name) && !name.chars().any(char::is_control)
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(encoded(self.purpose, &self.key)))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifierKey {
    type Err = Error;
    /// Reads the one spelling that `Display` writes; the id must be that of the name and key.
    fn from_str(s: &str) -> Result<Self, Error> {
        let unreadable = || Error::Malformed("a verifier key (name+id+base64)");
        let (name, rest) = s.split_once('+').ok_or_else(unreadable)?;
        let (_, key) = rest.split_once('+').ok_or_else(unreadable)?;
        let bytes = STANDARD.decode(key).map_err(|_| unreadable())?;
        let (kind, key) = bytes.split_first().ok_or_else(unreadable)?;
        let purpose = match kind {
            1 => Use::Note,
            4 => Use::Cosignature,
            _ => return Err(unreadable()),
        };
        let key: &[u8; 32] = key.try_into().map_err(|_| unreadable())?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| unreadable())?;
        let parsed = Self::new(name, purpose, key);
        if sound_name(name) && parsed.to_string() == s { Ok(parsed) } else { Err(unreadable()) }
    }
}

impl Verifier for VerifierKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    /// Strict: a key or signature with more than one form is refused (`verify_strict`).
    fn verify(&self, msg: &[u8], sig: &[u8]) -> bool {
        let strict = |msg: &[u8], sig: &[u8]| {
            Signature::from_slice(sig).is_ok_and(|sig| self.key.verify_strict(msg, &sig).is_ok())
        };
        match self.purpose {
            Use::Note => strict(msg, sig),
            Use::Cosignature => sig
                .split_first_chunk::<8>()
                .is_some_and(|(time, sig)| strict(&cosigned(u64::from_be_bytes(*time), msg), sig)),
        }
    }
}

/// What a witness signs (C2SP tlog-cosignature): two lines, then the checkpoint's text without its signatures.
fn cosigned(seconds: u64, text: &[u8]) -> Vec<u8> {
    let mut out = format!("cosignature/v1\ntime {seconds}\n").into_bytes();
    out.extend_from_slice(text);
    out
}

/// A key that signs: of a ledger or of a witness.
#[derive(Clone)]
pub struct SignerKey {
    public: VerifierKey,
    signing: SigningKey,
}

impl SignerKey {
    /// The key of a ledger, from its Ed25519 seed. `origin` names the ledger in every checkpoint: a URL without its
    /// scheme, without spaces and plus signs, and never to be used for another tree.
    pub fn ledger(origin: &str, seed: &Secret<[u8; 32]>) -> Result<Self, Error> {
        Self::new(origin, Use::Note, seed)
    }

    /// The key of a witness. One seed must not serve two witnesses: a cosignature does not contain its signer's name.
    pub fn witness(name: &str, seed: &Secret<[u8; 32]>) -> Result<Self, Error> {
        Self::new(name, Use::Cosignature, seed)
    }

    fn new(name: &str, purpose: Use, seed: &Secret<[u8; 32]>) -> Result<Self, Error> {
        if !sound_name(name) {
            return Err(Error::Malformed(
                "a ledger's or witness's name: no spaces, no plus, at most 200 bytes",
            ));
        }
        let signing = SigningKey::from_bytes(seed.expose());
        Ok(Self { public: VerifierKey::new(name, purpose, signing.verifying_key()), signing })
    }

    /// The name it signs under.
    pub fn name(&self) -> &str {
        &self.public.name
    }

    /// The key to hand out.
    pub fn verifier(&self) -> &VerifierKey {
        &self.public
    }

    /// A signature line over a note's text. The time is part of a cosignature only.
    pub(super) fn sign(&self, text: &[u8], now: Timestamp) -> Result<signed_note::Signature, Error> {
        let sig = match self.public.purpose {
            Use::Note => self.signing.sign(text).to_vec(),
            Use::Cosignature => {
                let seconds = u64::try_from(now.micros().div_euclid(1_000_000)).unwrap_or(0);
                let mut sig = seconds.to_be_bytes().to_vec();
                sig.extend_from_slice(&self.signing.sign(&cosigned(seconds, text)).to_bytes());
                sig
            }
        };
        signed_note::Signature::new(self.public.name.clone(), self.public.id, sig)
            .map_err(|_| Error::Malformed("a signature"))
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({})", self.public)
    }
}

/// The signature on `note` by `key`, when there is one and it holds.
pub(super) fn signature_by(note: &Note, key: &VerifierKey) -> Result<signed_note::Signature, Forgery> {
    let known = signed_note::VerifierList::new(vec![Box::new(key.clone())]);
    match note.verify(&known) {
        Ok((mut verified, _)) => verified.pop().ok_or(Forgery::NotSigned),
        Err(signed_note::NoteError::InvalidSignature { .. }) => Err(Forgery::Signature),
        Err(_) => Err(Forgery::NotSigned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The reference key pair and note of golang.org/x/mod/sumdb/note.
    const GO_SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const GO_VERIFIER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn go_key() -> SignerKey {
        let bytes = STANDARD.decode(GO_SEED).unwrap();
        SignerKey::ledger("PeterNeumann", &Secret::new(bytes[1..].try_into().unwrap())).unwrap()
    }

    #[test]
    fn we_sign_the_bytes_that_go_signs() {
        let key = go_key();
        assert_eq!(key.verifier().to_string(), GO_VERIFIER);
        let text = GO_NOTE.split_once("\n\n").unwrap().0.to_owned() + "\n";
        let sig = key.sign(text.as_bytes(), Timestamp::from_micros(0)).unwrap();
        assert_eq!(Note::new(text.as_bytes(), &[sig]).unwrap().to_bytes(), GO_NOTE.as_bytes());
    }

    #[test]
    fn we_verify_what_go_signed_and_no_letter_else() {
        let key: VerifierKey = GO_VERIFIER.parse().unwrap();
        assert!(signature_by(&Note::from_bytes(GO_NOTE.as_bytes()).unwrap(), &key).is_ok());
        let altered = GO_NOTE.replace("cryptography", "cryptographY");
        let note = Note::from_bytes(altered.as_bytes()).unwrap();
        assert_eq!(signature_by(&note, &key), Err(Forgery::Signature));
        let other = SignerKey::ledger("PeterNeumann", &Secret::new([3; 32])).unwrap();
        let note = Note::from_bytes(GO_NOTE.as_bytes()).unwrap();
        assert_eq!(signature_by(&note, other.verifier()), Err(Forgery::NotSigned));
    }

    #[test]
    fn manglings_of_a_key_are_refused() {
        for i in 0..=GO_VERIFIER.len() {
            for j in i + 1..=GO_VERIFIER.len() {
                if (i, j) != (0, GO_VERIFIER.len()) {
                    assert!(GO_VERIFIER[i..j].parse::<VerifierKey>().is_err(), "{i}..{j}");
                }
            }
            let mut bytes = GO_VERIFIER.as_bytes().to_vec();
            if let Some(b) = bytes.get_mut(i) {
                *b += 1;
                assert!(String::from_utf8(bytes).unwrap().parse::<VerifierKey>().is_err(), "{i}");
            }
        }
        for bad in [
            "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
            "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        ] {
            assert!(bad.parse::<VerifierKey>().is_err());
        }
    }

    #[test]
    fn a_key_never_shows_its_seed() {
        assert!(!format!("{:?}", go_key()).contains("gQoUAtUUbI2E8kQzMPVAgOv5juF9nHT2JS"));
    }
}
