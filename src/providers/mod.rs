//! The providers that do the edits.
//!
//! Promises: one neutral job, put to each provider in its own protocol with the shortest lifetimes it allows; a lost
//! answer is told apart from a refusal, and never leads to a second submit; a webhook counts only when its signature
//! does; an erasure counts only when it was looked at. Must never: know our tenants, subjects or objects, put prompt,
//! picture or key into an error, a `Debug` or a log line, or use an HTTP client other than [`crate::egress`].
//!
//! How to use one: `prepare` a job and store the [`Intent`]; `submit` and store the [`Handle`]; on
//! [`ProviderError::Unknown`] call `reconcile` until it is found or absent; `poll` (or wait for a webhook and then
//! `poll`); fetch the `result` at once and store the handle again; `erase` until it is proven.

mod error;
mod fal;
mod gate;
mod line;
mod lost;
mod model;
mod replicate;
pub mod studio;

use crate::base::{Secret, Timestamp};
use crate::egress::{CallLog, HeaderMap};
use line::Line;

pub use crate::imaging::Format;
pub use error::{Failure, Forgery, ProviderError};
pub use fal::{Endpoints, Fal, FalConfig};
pub use lost::{Intent, Known, Reconciled};
pub use model::{
    Aspect, Callback, Cancelled, Erasure, Go, Handle, Input, Job, Links, Model, Output, Params, Picture,
    Proof, Pseudonym, State, Submitted, Unanswered,
};
pub use replicate::{Replicate, ReplicateConfig};

/// The key that may delete at FAL.AI. Kept apart from the provider, so that only the worker that erases holds it.
#[derive(Debug, Clone)]
pub struct ErasureKey(Secret<String>);

impl ErasureKey {
    /// Takes hold of an admin key.
    pub fn new(key: Secret<String>) -> Self {
        Self(key)
    }
}

/// A provider that is asked over the network. The local one, [`studio`], needs none of this: no submit that can be lost,
/// nothing to erase.
#[derive(Debug)]
pub enum Provider {
    /// FAL.AI.
    Fal(Box<Fal>),
    /// Replicate.
    Replicate(Box<Replicate>),
}

impl Provider {
    /// Whether its models take this many pictures and these knobs: what [`Provider::prepare`] would say of them.
    pub fn check(&self, inputs: usize, params: &Params) -> Result<(), ProviderError> {
        match self {
            Self::Fal(_) => Fal::check(inputs, params),
            Self::Replicate(_) => Replicate::check(inputs, params),
        }
    }

    /// The id of the model that does such a job there.
    pub fn endpoint(&self, model: Model, inputs: usize) -> &str {
        match self {
            Self::Fal(p) => p.endpoint(model, inputs),
            Self::Replicate(p) => p.endpoint(model, inputs),
        }
    }

    /// The most bytes of pictures that go inside a request. What is larger should be an [`Input::Link`].
    pub fn inline_input(&self) -> usize {
        match self {
            Self::Fal(p) => p.inline_input(),
            Self::Replicate(p) => p.inline_input(),
        }
    }

    /// Until when no job should be put to it, if so: after too many failures no call is let out, and one that had no time
    /// for a job is given some.
    pub fn rests_until(&self) -> Option<Timestamp> {
        self.line().rests_until()
    }

    fn line(&self) -> &Line {
        match self {
            Self::Fal(p) => p.line(),
            Self::Replicate(p) => p.line(),
        }
    }

    /// Whether it can be given larger pictures without a link: by an upload there that is deleted afterwards.
    pub fn takes_uploads(&self) -> bool {
        matches!(self, Self::Replicate(_))
    }

    /// Checks a job against what the provider can do, and plans it. The plan must be stored before `submit`.
    pub fn prepare(&self, job: &Job) -> Result<Intent, ProviderError> {
        match self {
            Self::Fal(p) => p.prepare(job),
            Self::Replicate(p) => p.prepare(job),
        }
    }

    /// Puts the job to the provider, once. See [`ProviderError::not_taken`].
    pub async fn submit(
        &self,
        intent: &Intent,
        job: &Job,
        log: &CallLog,
    ) -> Result<Submitted, ProviderError> {
        let outcome = match self {
            Self::Fal(p) => p.submit(intent, job, log).await,
            Self::Replicate(p) => p.submit(intent, job, log).await,
        };
        self.line().noted(outcome)
    }

    /// Looks for a job whose answer was lost, among those that are not `known` to be others.
    pub async fn reconcile(
        &self,
        intent: &Intent,
        known: &Known,
        log: &CallLog,
    ) -> Result<Reconciled, ProviderError> {
        match self {
            Self::Fal(p) => p.reconcile(intent, known, log).await,
            Self::Replicate(p) => p.reconcile(intent, known, log).await,
        }
    }

    /// The handle of the job that a proven webhook named, when it came in at this job's own address and the answer to
    /// the submit was lost. `None` if the id cannot be one.
    pub fn adopt(&self, intent: &Intent, id: &str) -> Option<Handle> {
        match self {
            Self::Fal(p) => p.adopt(intent, id),
            Self::Replicate(p) => p.adopt(intent, id),
        }
    }

    /// How the job stands.
    pub async fn poll(&self, handle: &Handle, log: &CallLog) -> Result<State, ProviderError> {
        match self {
            Self::Fal(p) => p.poll(handle, log).await,
            Self::Replicate(p) => p.poll(handle, log).await,
        }
    }

    /// Fetches the result of a job that is [`State::Done`], up to `most` pictures, and notes in the handle where it lies:
    /// store it again, whatever this gives. [`ProviderError::Refused`] says that the job had failed after all.
    pub async fn result(
        &self,
        handle: &mut Handle,
        most: usize,
        log: &CallLog,
    ) -> Result<Output, ProviderError> {
        match self {
            Self::Fal(p) => p.result(handle, most, log).await,
            Self::Replicate(p) => p.result(handle, most, log).await,
        }
    }

    /// Asks for the job to be stopped. Proves nothing: poll on.
    pub async fn cancel(&self, handle: &Handle, log: &CallLog) -> Result<Cancelled, ProviderError> {
        match self {
            Self::Fal(p) => p.cancel(handle, log).await,
            Self::Replicate(p) => p.cancel(handle, log).await,
        }
    }

    /// Erases what the provider holds of the job and looks whether it is gone. May be repeated, and must be until it is
    /// [`Erasure::Proven`]. FAL.AI needs the key; without it this is [`ProviderError::Unauthorised`].
    pub async fn erase(
        &self,
        handle: &Handle,
        key: Option<&ErasureKey>,
        log: &CallLog,
    ) -> Result<Erasure, ProviderError> {
        match self {
            Self::Fal(p) => p.erase(handle, key.ok_or(ProviderError::Unauthorised)?, log).await,
            Self::Replicate(p) => p.erase(handle, log).await,
        }
    }

    /// Shows that a webhook is the provider's, from its headers and raw body.
    pub async fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        log: &CallLog,
    ) -> Result<Callback, ProviderError> {
        match self {
            Self::Fal(p) => p.verify(headers, body, log).await,
            Self::Replicate(p) => p.verify(headers, body),
        }
    }
}
