//! The outline that the rooms above compile against until the room itself is in.
use crate::base::*;
#[derive(Debug, thiserror::Error)]
/// E
pub enum Error {
    /// x
    #[error(transparent)]
    Store(#[from] crate::store::Error),
}
impl Error {
    /// k
    pub fn kind(&self) -> Kind {
        Kind::Internal
    }
}
/// S
#[derive(Debug)]
pub struct Settings {
    /// g
    pub grace: Period,
    /// s
    pub signing_seed: Secret<[u8; 32]>,
    /// o
    pub origin: String,
}
/// P
#[derive(Debug)]
pub struct Parts {
    /// a
    pub db: crate::store::Db,
    /// a
    pub vault: crate::vault::Vault,
    /// a
    pub subjects: crate::subjects::Subjects,
    /// a
    pub consents: crate::consent::Consents,
    /// a
    pub credits: crate::billing::Credits,
    /// a
    pub editing: crate::editing::Editing,
    /// a
    pub disclosures: crate::disclosure::Disclosures,
    /// a
    pub ledger: crate::ledger::Ledger,
    /// a
    pub library: crate::policy::Library,
    /// a
    pub clock: Clock,
    /// a
    pub entropy: Entropy,
    /// a
    pub settings: Settings,
}
/// R
#[derive(Debug, Clone)]
pub struct Requests;
impl Requests {
    /// n
    pub fn new(_p: Parts) -> Self {
        Self
    }
    /// t
    pub async fn tick(&self) -> Result<usize, Error> {
        Ok(0)
    }
    /// e
    pub async fn erase_for_rule(
        &self,
        _o: &crate::vault::Owner,
        _r: &str,
        _b: crate::policy::Role,
    ) -> Result<(), Error> {
        Ok(())
    }
}
