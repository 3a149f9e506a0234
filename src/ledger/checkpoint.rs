use std::fmt;

use signed_note::Note;
use tlog_tiles::Hash;

use super::key::signature_by;
use super::{Error, Forgery, SignerKey, VerifierKey};
use crate::base::Timestamp;

/// No tree is larger: keeps all arithmetic on sizes far from overflow.
pub(super) const LARGEST_TREE: u64 = 1 << 48;

/// A tree head that the ledger signed (C2SP tlog-checkpoint): a promise that the tree of this size has this root. Can
/// only be had by signing it or by verifying its signature.
#[derive(Clone, PartialEq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    note: String,
}

/// What a checkpoint says, before anybody has verified it.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) origin: String,
    pub(super) size: u64,
    pub(super) root: Hash,
    pub(super) note: Note,
}

impl Claim {
    pub(super) fn read(note: &str) -> Result<Self, Error> {
        let unreadable = || Error::Malformed("a signed checkpoint");
        let note = Note::from_bytes(note.as_bytes()).map_err(|_| unreadable())?;
        let body = tlog_tiles::Checkpoint::from_bytes(note.text()).map_err(|_| unreadable())?;
        if body.size() > LARGEST_TREE {
            return Err(unreadable());
        }
        Ok(Self { origin: body.origin().to_owned(), size: body.size(), root: *body.hash(), note })
    }
}

impl Checkpoint {
    pub(super) fn sign(key: &SignerKey, size: u64, root: Hash, now: Timestamp) -> Result<Self, Error> {
        let unwritable = || Error::Malformed("a checkpoint");
        let body = tlog_tiles::Checkpoint::new(key.name(), size, root, "").map_err(|_| unwritable())?;
        let text = body.to_bytes();
        let note = Note::new(&text, &[key.sign(&text, now)?]).map_err(|_| unwritable())?.to_bytes();
        let note = String::from_utf8(note).map_err(|_| unwritable())?;
        Ok(Self { origin: key.name().to_owned(), size, root, note })
    }

    /// Reads a checkpoint and verifies that the ledger whose key this is signed it.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, Error> {
        let claim = Claim::read(note)?;
        if claim.origin != key.name() {
            let (found, trusted) = (claim.origin, key.name().to_owned());
            return Err(Forgery::OtherLedger { found, trusted }.into());
        }
        signature_by(&claim.note, key)?;
        Ok(Self { origin: claim.origin, size: claim.size, root: claim.root, note: note.to_owned() })
    }

    /// Which ledger.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries it covers.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree (RFC 6962).
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The signed note, byte for byte: what is served at `/checkpoint`.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// When this witness cosigned it; none if it did not. An altered cosignature is an error.
    pub fn witnessed_by(&self, witness: &VerifierKey) -> Result<Option<Timestamp>, Error> {
        let note =
            Note::from_bytes(self.note.as_bytes()).map_err(|_| Error::Malformed("a signed checkpoint"))?;
        match signature_by(&note, witness) {
            Ok(sig) => Ok(cosigned_at(&sig)),
            Err(Forgery::NotSigned) => Ok(None),
            Err(_) => Err(Forgery::Cosignature.into()),
        }
    }

    /// The same checkpoint with a witness's signature line added. The line must hold.
    pub fn with_cosignature(&self, line: &str, witness: &VerifierKey) -> Result<Self, Error> {
        let more = Self { note: format!("{}{line}", self.note), ..self.clone() };
        match more.witnessed_by(witness)? {
            Some(_) => Ok(more),
            None => Err(Forgery::Cosignature.into()),
        }
    }
}

fn cosigned_at(sig: &signed_note::Signature) -> Option<Timestamp> {
    let seconds = u64::from_be_bytes(*sig.signature().first_chunk::<8>()?);
    Some(Timestamp::from_micros(i64::try_from(seconds).ok()?.checked_mul(1_000_000)?))
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checkpoint({} {} {})", self.origin, self.size, self.root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Secret;

    #[test]
    fn a_checkpoint_has_the_form_of_c2sp() {
        let key = SignerKey::ledger("example.org/ledger", &Secret::new([1; 32])).unwrap();
        let signed = Checkpoint::sign(&key, 0, tlog_tiles::EMPTY_HASH, Timestamp::from_micros(0)).unwrap();
        let body =
            "example.org/ledger\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— example.org/ledger ";
        assert!(signed.note().starts_with(body), "{}", signed.note());
        assert_eq!(Checkpoint::open(signed.note(), key.verifier()).unwrap(), signed);
    }

    #[test]
    fn every_altered_byte_of_a_checkpoint_is_refused() {
        let key = SignerKey::ledger("example.org/ledger", &Secret::new([1; 32])).unwrap();
        let signed = Checkpoint::sign(&key, 7, Hash([9; 32]), Timestamp::from_micros(0)).unwrap();
        for i in 0..signed.note().len() {
            for bit in 0..8 {
                let mut bytes = signed.note().as_bytes().to_vec();
                bytes[i] ^= 1 << bit;
                if let Ok(text) = String::from_utf8(bytes) {
                    assert!(Checkpoint::open(&text, key.verifier()).is_err(), "{i}/{bit}: {text}");
                }
            }
        }
        let other = SignerKey::ledger("example.org/other", &Secret::new([1; 32])).unwrap();
        let err = Checkpoint::open(signed.note(), other.verifier()).unwrap_err();
        assert!(matches!(err, Error::Forged(Forgery::OtherLedger { .. })));
    }
}
