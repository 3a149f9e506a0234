//! Chance that can be had again.

use std::io::Write as _;

use vouchsafe::base::Entropy;

/// Randomness of one test, and the seed that brings it back.
pub(crate) struct Chance {
    /// The seed.
    pub(crate) seed: u64,
    entropy: Entropy,
}

impl Chance {
    /// The seed is `VOUCHSAFE_SEED` where it is set, a fresh one in the soak, and otherwise always the same, so that a change
    /// is judged by what it changes. It is printed either way.
    pub(crate) fn of(test: &str) -> Self {
        let given = variable("VOUCHSAFE_SEED").and_then(|seed| seed.parse().ok());
        let fresh = || u64::from_le_bytes(Entropy::system().bytes());
        let seed = given.unwrap_or_else(|| if soaking() { fresh() } else { 20_261_129 });
        tell(&format!("{test}: VOUCHSAFE_SEED={seed}"));
        Self { seed, entropy: Entropy::seeded(seed) }
    }

    /// A number below this one.
    pub(crate) fn below(&self, n: usize) -> usize {
        let random = u64::from_le_bytes(self.entropy.bytes());
        usize::try_from(random % u64::try_from(n).unwrap()).unwrap()
    }

    /// One of these.
    pub(crate) fn one<'a, T>(&self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Bytes, as many as this.
    pub(crate) fn bytes(&self, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// These bytes, damaged in one place: a bit turned, cut short, lengthened, a stretch overwritten.
    pub(crate) fn damaged(&self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        let at = self.below(bytes.len().max(1));
        match self.below(4) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
            1 if !bytes.is_empty() => bytes.truncate(at),
            2 => bytes.extend(self.bytes(1 + self.below(40))),
            _ => {
                let end = bytes.len().min(at + 1 + self.below(24));
                let fresh = self.bytes(end - at);
                bytes.splice(at..end, fresh);
            }
        }
        bytes
    }
}

/// Says something of a test that is worth keeping, straight to the terminal: what a passing test prints is swallowed.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whether this is the soak (`make soak`), in which tests try more.
pub(crate) fn soaking() -> bool {
    variable("VOUCHSAFE_SOAK").is_some()
}

#[expect(clippy::disallowed_methods, reason = "a test is told by its environment how long it may take")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
