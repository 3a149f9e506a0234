//! The services that hold a seal key for us: AWS KMS, and the transit engine of HashiCorp Vault or `OpenBao`.
//!
//! Promises: the key never leaves the service; what it wraps is bound to the installation and the epoch, and opens for no
//! other; a call that may pass by itself is tried again within a budget of time, one that may not is told at once and
//! in words an operator can act on. Must never: put a credential, a key or an answer into an error or a log line, or
//! take credentials from anywhere but what it was given.

mod error;
mod kms;
mod vault;

use std::time::Duration;

pub use error::Error;
pub use kms::{KmsSettings, kms};
pub use vault::{Login, VaultSettings, vault};

/// How long a service is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// One try.
    pub attempt: Duration,
    /// All tries together.
    pub total: Duration,
    /// Most tries.
    pub attempts: u32,
    /// The first pause between two; each further one is twice as long.
    pub backoff: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(5),
            total: Duration::from_secs(15),
            attempts: 4,
            backoff: Duration::from_millis(250),
        }
    }
}
