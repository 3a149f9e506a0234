use std::io;

use crate::archive::Flaw;
use crate::base::Kind;
use crate::{editing, ledger, store, vault};

/// Why an archive was not brought in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not an archive that this program can have made, or not a whole one.
    #[error("{0} Nothing was taken.")]
    Archive(#[from] Flaw),
    /// It is longer than is looked at.
    #[error("The archive is larger than the {0} bytes that can be brought in. Nothing was taken.")]
    TooLarge(u64),
    /// It did not arrive whole.
    #[error("The archive broke off on its way. Nothing was taken; send it again.")]
    BrokenOff,
    /// One of its documents does not say what the manifest says, or cannot be read.
    #[error("The document “{0}” in the archive cannot be used. Nothing was taken.")]
    Document(&'static str),
    /// It could not be put down while it was looked at.
    #[error("the archive could not be put down while it was looked at")]
    Disk(#[source] io::Error),
    /// The door for pictures.
    #[error(transparent)]
    Editing(#[from] editing::Error),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Archive(flaw) => flaw.kind(),
            Self::TooLarge(_) => Kind::TooLarge,
            Self::BrokenOff => Kind::Malformed,
            Self::Document(_) => Kind::Invalid,
            Self::Disk(e)
                if matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) =>
            {
                Kind::Full
            }
            Self::Disk(_) => Kind::Internal,
            Self::Editing(e) => e.kind(),
            Self::Vault(e) => e.kind(),
            Self::Ledger(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }
}
