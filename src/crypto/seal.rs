use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::{Error, Key, Place};
use crate::base::Entropy;

const NONCE: usize = 24;
const TAG: usize = 16;

/// `nonce ‖ XChaCha20-Poly1305(key, nonce, plain, aad = place)` with a random 192-bit nonce
/// (draft-irtf-cfrg-xchacha): any number of values may be sealed under one key.
pub fn seal(key: &Key, place: &Place, plain: &[u8], entropy: &Entropy) -> Vec<u8> {
    let nonce = entropy.bytes::<NONCE>();
    let cipher = XChaCha20Poly1305::new(key.expose().into());
    let mut out = Vec::with_capacity(NONCE + plain.len() + TAG);
    out.extend_from_slice(&nonce);
    // The only failure is a plaintext beyond 256 GiB; a nonce alone opens to nothing.
    if let Ok(sealed) =
        cipher.encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad: place.as_bytes() })
    {
        out.extend_from_slice(&sealed);
    }
    out
}

/// The inverse of [`seal`]. [`Error::WrongKey`] for another key, another place, or a changed byte.
pub fn open(key: &Key, place: &Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (nonce, body) = sealed.split_at_checked(NONCE).ok_or(Error::Damaged)?;
    XChaCha20Poly1305::new(key.expose().into())
        .decrypt(XNonce::from_slice(nonce), Payload { msg: body, aad: place.as_bytes() })
        .map(Zeroizing::new)
        .map_err(|_| Error::WrongKey)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(id: &str) -> Place {
        Place::new("record").with("flux-kontext").with(id).number(1)
    }

    #[test]
    fn what_is_sealed_opens_only_at_its_place() {
        let entropy = Entropy::seeded(1);
        let key = Key::generate(&entropy);
        let sealed = seal(&key, &place("rec_1"), b"Ada", &entropy);
        assert_eq!(open(&key, &place("rec_1"), &sealed).unwrap().as_slice(), b"Ada");
        assert_eq!(open(&key, &place("rec_2"), &sealed), Err(Error::WrongKey));
        assert_eq!(open(&Key::generate(&entropy), &place("rec_1"), &sealed), Err(Error::WrongKey));
    }

    #[test]
    fn no_two_places_look_alike() {
        let a = Place::new("t").with("ab").with("c");
        let b = Place::new("t").with("a").with("bc");
        assert_ne!(a.as_bytes(), b.as_bytes());
    }

    proptest! {
        #[test]
        fn a_changed_or_missing_byte_is_refused(plain in proptest::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let entropy = Entropy::seeded(3);
            let key = Key::generate(&entropy);
            let mut sealed = seal(&key, &place("x"), &plain, &entropy);
            let whole = sealed.clone();
            let i = at.index(sealed.len());
            sealed[i] ^= 1 << bit;
            prop_assert!(open(&key, &place("x"), &sealed).is_err());
            prop_assert!(open(&key, &place("x"), &whole[..i]).is_err());
            let back = open(&key, &place("x"), &whole).unwrap();
            prop_assert_eq!(back.as_slice(), plain.as_slice());
        }
    }
}
