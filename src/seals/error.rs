use crate::base::Kind;
use crate::egress::EgressError;

/// Why a service cannot be set up as a seal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its address is not `https://…` (or on this machine), or what comes after it is no name.
    #[error("keys.vault: {0}")]
    Vault(&'static str),
    /// The outbound client.
    #[error("keys.vault.address: {0}")]
    Egress(#[from] EgressError),
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        Kind::Internal
    }
}
