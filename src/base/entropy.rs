//! Randomness as a parameter. [`Entropy::system`] is the only place that opens the operating system's source.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, RngCore, SeedableRng, TryRngCore};

/// A source of random bytes. Cheap to clone; clones of a seeded one share its stream.
#[derive(Clone)]
pub struct Entropy(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<ChaCha20Rng>>),
}

impl Entropy {
    /// The operating system's generator.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A reproducible stream for tests: never for keys that protect anything.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))))
    }

    /// Fills `out` with random bytes.
    pub fn fill(&self, out: &mut [u8]) {
        match &self.0 {
            // An operating system that cannot give randomness is not one to hold keys on; there is no way on.
            Source::System => OsRng.unwrap_mut().fill_bytes(out),
            Source::Seeded(rng) => rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(out),
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// A secret token of 256 random bits, in URL-safe base64 without padding (43 characters).
    pub fn token(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }

    /// A short reference for people to read out: ten characters of Crockford's base 32, `7KX2M-9QWMT`. Not a secret.
    pub fn reference(&self) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut out = String::with_capacity(11);
        for (i, b) in self.bytes::<10>().into_iter().enumerate() {
            if i == 5 {
                out.push('-');
            }
            out.push(ALPHABET.get(usize::from(b & 31)).copied().unwrap_or(b'0').into());
        }
        out
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_the_system_does_not() {
        assert_eq!(Entropy::seeded(7).bytes::<32>(), Entropy::seeded(7).bytes::<32>());
        assert_ne!(Entropy::system().bytes::<32>(), Entropy::system().bytes::<32>());
        assert_eq!(Entropy::system().token().len(), 43);
        assert_eq!(Entropy::system().reference().len(), 11);
    }
}
