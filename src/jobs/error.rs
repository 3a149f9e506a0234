use crate::base::Kind;
use crate::{
    audit, billing, drp, editing, elsewhere, intake, keystore, ledger, mail, publication, requests,
    retention, store, subjects, vault, webhooks,
};

/// What can go wrong in the background.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The scheduler did not start.
    #[error("the scheduler did not start")]
    Scheduler,
    /// A job's payload is not one of its kind.
    #[error("a job's payload is not one of its kind")]
    Payload,
    /// An edit.
    #[error(transparent)]
    Editing(#[from] editing::Error),
    /// Accounts elsewhere.
    #[error(transparent)]
    Elsewhere(#[from] elsewhere::Error),
    /// Letters that came in.
    #[error(transparent)]
    Intake(#[from] intake::Error),
    /// A request.
    #[error(transparent)]
    Requests(#[from] requests::Error),
    /// Versions of documents.
    #[error(transparent)]
    Publication(#[from] publication::Error),
    /// Retention.
    #[error(transparent)]
    Retention(#[from] retention::Error),
    /// The audit.
    #[error(transparent)]
    Audit(#[from] audit::Error),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] keystore::Error),
    /// The app.
    #[error(transparent)]
    App(#[from] crate::app::Error),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// Accounts.
    #[error(transparent)]
    Subjects(#[from] subjects::Error),
    /// Credits.
    #[error(transparent)]
    Billing(#[from] billing::Error),
    /// A letter.
    #[error(transparent)]
    Mail(#[from] mail::Error),
    /// Agents.
    #[error(transparent)]
    Drp(#[from] drp::Error),
    /// Webhooks.
    #[error(transparent)]
    Webhooks(#[from] webhooks::Error),
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
            Self::Scheduler | Self::Payload => Kind::Internal,
            Self::Editing(e) => e.kind(),
            Self::Elsewhere(e) => e.kind(),
            Self::Intake(e) => e.kind(),
            Self::Requests(e) => e.kind(),
            Self::Publication(e) => e.kind(),
            Self::Retention(e) => e.kind(),
            Self::Audit(e) => e.kind(),
            Self::Keys(e) => e.kind(),
            Self::App(e) => e.kind(),
            Self::Vault(e) => e.kind(),
            Self::Subjects(e) => e.kind(),
            Self::Billing(e) => e.kind(),
            Self::Mail(e) => e.kind(),
            Self::Drp(e) => e.kind(),
            Self::Webhooks(e) => e.kind(),
            Self::Ledger(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }
}
