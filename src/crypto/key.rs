use std::fmt;

use zeroize::Zeroizing;

use super::{Error, derive, sha256};
use crate::base::Entropy;

/// A 256-bit symmetric key. Wiped on drop, never printed.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// A fresh random key.
    pub fn generate(entropy: &Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(&mut *bytes);
        Self(bytes)
    }

    /// From bytes that are a key already. What the caller had them in is the caller's to wipe.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A key that something else fills in, in memory that is wiped from the start.
    pub fn filled(fill: impl FnOnce(&mut [u8; 32])) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        fill(&mut key);
        Self(key)
    }

    /// From a slice of exactly 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
        // Straight into memory that is wiped, not by way of the stack.
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return Err(Error::BadKey);
        }
        key.copy_from_slice(bytes);
        Ok(Self(key))
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// What may be said of a key in public: looks random, tells nothing, and whoever finds the key again can be convicted
/// by it. `SHA-256("kfp" ‖ key id ‖ HKDF(key, "vouchsafe/v1/fingerprint"))`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of `key`, whose keystore row is `id`.
    pub fn of(key: &[u8], id: &[u8; 16]) -> Self {
        let derived = derive(key, "vouchsafe/v1/fingerprint");
        let mut input = Zeroizing::new(Vec::with_capacity(51));
        input.extend_from_slice(b"kfp");
        input.extend_from_slice(id);
        input.extend_from_slice(derived.expose());
        Self(sha256(&input))
    }

    /// From the 32 bytes a database holds.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// From its hexadecimal digits, as the ledger has it.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok().map(|()| Self(bytes))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
