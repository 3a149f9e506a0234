use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::{Error, key_file};
use crate::base::{Entropy, Secret};
use crate::crypto::Key;

/// The key above all keys. It wraps epoch keys and nothing else.
#[derive(Clone)]
pub struct SealKey(Key);

impl SealKey {
    /// From 64 hexadecimal digits, as an environment or a secret store hands it over.
    pub fn from_hex(hex_digits: &Secret<String>) -> Result<Self, Error> {
        let bytes = Zeroizing::new(
            hex::decode(hex_digits.expose().trim())
                .map_err(|_| bad("(given)", "not 64 hexadecimal digits"))?,
        );
        Ok(Self(Key::from_slice(&bytes).map_err(|_| bad("(given)", "not 64 hexadecimal digits"))?))
    }

    /// From a file that only its owner can read (mode 0600 or stricter).
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let meta = fs::metadata(path).map_err(|_| bad(&shown, "cannot be read"))?;
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(bad(&shown, "others can read it; chmod 600"));
        }
        let text = fs::read_to_string(path).map_err(|_| bad(&shown, "cannot be read"))?;
        Self::from_hex(&Secret::new(text)).map_err(|_| bad(&shown, "does not hold 64 hexadecimal digits"))
    }

    /// From a file; a fresh one is made, mode 0600 and synced with its name, when there is none.
    pub fn from_file_or_new(path: &Path, entropy: &Entropy) -> Result<Self, Error> {
        if path.exists() {
            return Self::from_file(path);
        }
        let key = Key::generate(entropy);
        let text = Zeroizing::new(hex::encode(key.expose()));
        key_file::write_new(path, &text).map_err(|_| bad(&path.display().to_string(), "cannot be made"))?;
        Ok(Self(key))
    }

    pub(super) fn key(&self) -> &Key {
        &self.0
    }
}

fn bad(path: &str, why: &'static str) -> Error {
    Error::SealKey { path: path.to_owned(), why }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}
