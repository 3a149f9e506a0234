//! Ciphers and derivations, each a pure function whose doc is its formula.
//!
//! Promises: every ciphertext is bound to its place, so that one moved elsewhere cannot be opened; a stream is whole or
//! it is refused. Must never: keep a key, read a clock, touch a disk.

mod age_file;
mod buffer;
mod error;
mod inventory;
mod key;
mod place;
mod seal;
mod stream;
#[cfg(test)]
mod vectors;

pub use age_file::{Context, Opener, Sealer, open_file};
pub use buffer::Buffer;
pub use error::Error;
pub use inventory::{INVENTORY, Used};
pub use key::{Fingerprint, Key};
pub use place::Place;
pub use seal::{open, seal};

/// `HKDF-SHA-256(ikm, salt = "", info = label)`, 32 bytes (RFC 5869).
pub fn derive(ikm: &[u8], label: &'static str) -> Key {
    Key::filled(|out| {
        // 32 bytes is below the 255 * 32 limit, the only way it can fail.
        let _ = expand(ikm, None, label.as_bytes(), out);
    })
}

/// `HKDF-SHA-256(ikm, salt, info)` into the whole of `out`; `false` when that is more than 255 blocks.
fn expand(ikm: &[u8], salt: Option<&[u8]>, info: &[u8], out: &mut [u8]) -> bool {
    hkdf::Hkdf::<sha2::Sha256>::new(salt, ikm).expand(info, out).is_ok()
}

/// `HMAC-SHA-256(key, data)` (RFC 2104): the blind index by which an address is found without being stored.
pub fn mac(key: &Key, data: &[u8]) -> [u8; 32] {
    mac_under(key.expose(), data)
}

fn mac_under(key: &[u8], data: &[u8]) -> [u8; 32] {
    use hmac::Mac as _;
    let mut out = [0_u8; 32];
    // HMAC takes keys of any length; there is nothing to fail.
    if let Ok(mut mac) = hmac::Hmac::<sha2::Sha256>::new_from_slice(key) {
        mac.update(data);
        out.copy_from_slice(&mac.finalize().into_bytes());
    }
    out
}

/// `SHA-256(data)`.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(data).into()
}

/// Whether two byte strings are equal, in a time that does not tell where they differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    use subtle::ConstantTimeEq as _;
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn the_index_is_hmac_sha_256() {
        let mut key = [0_u8; 32];
        key[..4].copy_from_slice(b"Jefe");
        let tag = mac(&Key::from_bytes(key), b"what do ya want for nothing?");
        // HMAC pads short keys with zeroes to the block, so a zero-extended key is the same key.
        assert_eq!(hex::encode(tag), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn labels_separate_keys() {
        assert_ne!(derive(b"ikm", "a").expose(), derive(b"ikm", "b").expose());
        assert_eq!(derive(b"ikm", "a").expose(), derive(b"ikm", "a").expose());
    }
}
