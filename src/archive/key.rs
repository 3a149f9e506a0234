//! The key that signs manifests, in the forms of C2SP signed-note, so that Go's `sumdb/note` verifies them as well. It
//! is a key of its own: what it signs can never be taken for a checkpoint of the ledger.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signer as _, SigningKey};
use signed_note::{Note, StandardVerifier, Verifier as _, VerifierList};

use super::Error;
use crate::base::Secret;

const LONGEST_NAME: usize = 200;
/// C2SP signed-note: the signature type of a plain Ed25519 signature.
const ED25519: u8 = 1;

/// Signs manifests.
#[derive(Clone)]
pub struct Signer {
    name: String,
    id: u32,
    key: SigningKey,
}

impl Signer {
    /// The key of `name` from its Ed25519 seed. The name says whose signature it is, like a URL without its scheme:
    /// `photos.example/take-home`; no spaces, no plus signs, at most 200 bytes.
    pub fn new(name: &str, seed: &Secret<[u8; 32]>) -> Result<Self, Error> {
        let sound = name.len() <= LONGEST_NAME
            && signed_note::is_key_name_valid(name)
            && !name.chars().any(char::is_control);
        if !sound {
            return Err(Error::BadKey("its name has a space, a plus sign or more than 200 bytes"));
        }
        let key = SigningKey::from_bytes(seed.expose());
        let mut public = vec![ED25519];
        public.extend_from_slice(key.verifying_key().as_bytes());
        Ok(Self { name: name.to_owned(), id: signed_note::key_id(name, &public), key })
    }

    /// The key to publish: whoever has it can verify every archive without asking us.
    pub fn verifying(&self) -> VerifyingKey {
        VerifyingKey(signed_note::new_ed25519_verifier_key(&self.name, &self.key.verifying_key()))
    }

    /// Where the service shows this key, without the scheme: its name is the service's address, and `/take-home`.
    pub fn published_at(&self) -> String {
        format!("{}/ledger/archive-key", self.name.strip_suffix("/take-home").unwrap_or(&self.name))
    }

    /// `text` as a signed note. The same text gives the same note: Ed25519 takes no randomness.
    pub fn sign(&self, text: &str) -> Result<Vec<u8>, Error> {
        let unsignable = |_| Error::Unwritable("the manifest's signature");
        let signature = self.key.sign(text.as_bytes()).to_vec();
        let line = signed_note::Signature::new(self.name.clone(), self.id, signature).map_err(unsignable)?;
        Note::new(text.as_bytes(), &[line]).map(|n| n.to_bytes()).map_err(unsignable)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.verifying())
    }
}

/// A key that is trusted to have signed: `name+id+base64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey(String);

impl VerifyingKey {
    /// The text of a note that this key has signed; otherwise the reason why not.
    pub fn open(&self, note: &[u8]) -> Result<String, &'static str> {
        let note = Note::from_bytes(note).map_err(|_| "it is not a signed note")?;
        let key = StandardVerifier::new(&self.0).map_err(|_| "the key is not a verifying key")?;
        note.verify(&VerifierList::new(vec![Box::new(key)])).map_err(|e| match e {
            signed_note::NoteError::InvalidSignature { .. } => "the signature does not hold",
            _ => "it is not signed with this key",
        })?;
        String::from_utf8(note.text().to_vec()).map_err(|_| "it is not a signed note")
    }
}

impl FromStr for VerifyingKey {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self, Error> {
        let key = StandardVerifier::new(s)
            .map_err(|_| Error::BadKey("not of the form name+id+base64, or its id is not that of the key"))?;
        // One spelling for one key, so that keys can be compared as text.
        if s.chars().any(char::is_control) || key.name().len() > LONGEST_NAME {
            return Err(Error::BadKey("its name has control characters or more than 200 bytes"));
        }
        Ok(Self(s.to_owned()))
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::new("photos.example/take-home", &Secret::new([7; 32])).unwrap()
    }

    #[test]
    fn a_note_opens_with_its_key_and_no_other() {
        let note = signer().sign("hello\n").unwrap();
        let key: VerifyingKey = signer().verifying().to_string().parse().unwrap();
        assert_eq!(key.open(&note).unwrap(), "hello\n");
        let other = Signer::new("photos.example/take-home", &Secret::new([8; 32])).unwrap();
        assert_eq!(other.verifying().open(&note), Err("it is not signed with this key"));
        let mut forged = note.clone();
        forged[0] = b'j';
        assert_eq!(key.open(&forged), Err("the signature does not hold"));
        assert_eq!(key.open(b"nonsense"), Err("it is not a signed note"));
    }

    #[test]
    fn a_key_with_a_bad_name_or_spelling_is_refused() {
        assert!(Signer::new("two words", &Secret::new([7; 32])).is_err());
        assert!(Signer::new("a+b", &Secret::new([7; 32])).is_err());
        assert!("photos.example+00000000+AAAA".parse::<VerifyingKey>().is_err());
        assert!("".parse::<VerifyingKey>().is_err());
    }

    #[test]
    fn a_signer_does_not_show_its_seed() {
        assert!(!format!("{:?}", signer()).contains("BwcHBw"));
    }
}
