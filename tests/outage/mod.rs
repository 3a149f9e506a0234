//! The service as a process of its own, cut off: killed, without power, without room. What it acknowledged must be there
//! afterwards, byte for byte; what it did not acknowledge is there once or not at all; what was gone stays gone.
//!
//! A seed chooses what is done and when it ends; timing is the machine's. A failure tells the seed.

mod disk;
mod full;
mod home;
mod killed;
mod load;
mod power;
mod program;

use std::io::Write as _;

use vouchsafe::base::Entropy;

/// Chooses by a seed.
#[derive(Debug)]
pub(crate) struct Chance {
    /// The seed.
    pub(crate) seed: u64,
    entropy: Entropy,
}

impl Chance {
    /// By a seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self { seed, entropy: Entropy::seeded(seed) }
    }

    /// By `VOUCHSAFE_OUTAGE_SEED`, or one that nobody has had.
    pub(crate) fn fresh() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a failure is repeated by its seed")]
        let told = std::env::var("VOUCHSAFE_OUTAGE_SEED").ok().and_then(|s| s.parse().ok());
        Self::of(told.unwrap_or_else(|| u64::from_le_bytes(Entropy::system().bytes::<8>())))
    }

    /// A number below `n`.
    pub(crate) fn below(&self, n: usize) -> usize {
        let drawn = u64::from_le_bytes(self.entropy.bytes::<8>());
        usize::try_from(drawn % n as u64).unwrap()
    }
}

/// Tells a figure, past what catches a test's output: for the soak.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "outage: {line}");
}
