use std::path::PathBuf;

use crate::base::{Kind, TenantId};
use crate::{
    archive, blobs, config, drp, keystore, ledger, mail, policy, publication, seals, store, webhooks,
};

/// Why the service cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder cannot be made or made private.
    #[error("{0}: {1}")]
    Folder(PathBuf, #[source] std::io::Error),
    /// A policy document has errors; they are shown in full by `vouchsafe policy check`.
    #[error("{path}: {errors} error(s); the first: {first}")]
    Document {
        /// The document.
        path: PathBuf,
        /// How many.
        errors: usize,
        /// The first of them.
        first: String,
    },
    /// There is no document at all, neither published nor in the folder.
    #[error("{0} holds no policy documents; the service will not run without one")]
    NoDocuments(PathBuf),
    /// A new tenant's document cannot be published.
    #[error("version {version} cannot be published: {why}")]
    NotPublished {
        /// The version.
        version: String,
        /// Why.
        why: String,
    },
    /// A version that was published since the backup is not in the folder.
    #[error(
        "version {version} of {tenant} was published since the backup, and the folder of documents has not that very text; \
         put it back there"
    )]
    DocumentLost {
        /// The tenant.
        tenant: TenantId,
        /// The version.
        version: String,
    },
    /// What is published cannot be taken up.
    #[error(transparent)]
    Publication(#[from] publication::Error),
    /// A published version was edited.
    #[error(transparent)]
    Changed(#[from] policy::Changed),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] keystore::Error),
    /// A seal.
    #[error(transparent)]
    Seals(#[from] seals::Error),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The blobs.
    #[error(transparent)]
    Blobs(#[from] blobs::Error),
    /// The archives' signature.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// Letters.
    #[error(transparent)]
    Mail(#[from] mail::Error),
    /// Webhooks.
    #[error(transparent)]
    Webhooks(#[from] webhooks::Error),
    /// Agents.
    #[error(transparent)]
    Drp(#[from] drp::Error),
    /// A database.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        Kind::Internal
    }
}
