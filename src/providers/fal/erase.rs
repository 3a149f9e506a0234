//! Having a job's data erased at FAL.AI, and looking whether they are gone.

use chrono::TimeDelta;

use super::wire::{Deleted, History};
use super::{Fal, ProviderError};
use crate::egress::{CallLog, Method};
use crate::providers::line::read;
use crate::providers::model::join;
use crate::providers::{Erasure, ErasureKey, Handle, Proof};

/// When to look again at a job that is still running there.
const RUNNING: TimeDelta = TimeDelta::seconds(15);
/// When to look again at a file that a cache may still hold.
const CACHED: TimeDelta = TimeDelta::minutes(1);
/// After this a host that still does not tell is held to have the file, and somebody should hear of it.
const LATE: TimeDelta = TimeDelta::hours(3);

impl Fal {
    /// Erases the job: stops it if it runs, deletes payload and results with the admin key, then looks whether the
    /// results' links and the history are empty. May be repeated.
    pub async fn erase(
        &self,
        handle: &Handle,
        key: &ErasureKey,
        log: &CallLog,
    ) -> Result<Erasure, ProviderError> {
        if !self.poll(handle, log).await?.is_final() {
            // The answer proves nothing: a running job may end all the same, and leave a result.
            self.cancel(handle, log).await?;
            return Ok(Erasure::Waiting { until: self.clock.now().plus(RUNNING) });
        }
        let mut proofs = match self.delete_payload(handle, key, log).await? {
            Ok(proof) => vec![proof],
            Err(pieces) => return Ok(Erasure::Survives { pieces }),
        };
        let mut there = 0;
        let late = handle.at.is_some_and(|at| self.clock.now().since(at) > LATE);
        // A link that may not be called was never followed: what lies behind it is no copy of ours.
        for link in handle.outputs.iter().filter(|link| self.line.may_call(link)) {
            match self.line.answers(link, log).await {
                Some(false) => proofs.push(Proof::OutputGone),
                Some(true) => there += 1,
                None if late => there += 1,
                None => return Ok(Erasure::Waiting { until: self.clock.now().plus(CACHED) }),
            }
        }
        match self.history_is_empty(handle, log).await? {
            Some(true) => proofs.push(Proof::HistoryEmpty),
            Some(false) => there += 1,
            None => {}
        }
        Ok(if there == 0 { Erasure::Proven(proofs) } else { Erasure::Survives { pieces: there } })
    }

    /// The outer error is about the call; the inner one counts the files that the provider says it kept.
    async fn delete_payload(
        &self,
        handle: &Handle,
        key: &ErasureKey,
        log: &CallLog,
    ) -> Result<Result<Proof, usize>, ProviderError> {
        let url = join(&self.config.api, &["models", "requests", &handle.id, "payloads"]);
        let delete = || {
            let call = self.line.call(Method::DELETE, url.clone(), "/models/requests/{id}/payloads");
            call.authorization("Key", &key.0)
        };
        let reply = self.line.repeat(delete, log).await?;
        match reply.status {
            200 => {
                let deleted: Deleted = read(&reply, "deletion")?;
                Ok(match deleted.survivors() {
                    0 => Ok(Proof::PayloadDeleted),
                    n => Err(n),
                })
            }
            204 => Ok(Ok(Proof::PayloadDeleted)),
            404 => Ok(Ok(Proof::NeverStored)),
            403 => Err(ProviderError::Unauthorised),
            500.. => Err(ProviderError::Unavailable),
            _ => Err(ProviderError::Garbled("deletion")),
        }
    }

    /// Whether the request history shows no content for the job; `None` if the history is not open to us.
    async fn history_is_empty(&self, handle: &Handle, log: &CallLog) -> Result<Option<bool>, ProviderError> {
        let mut url = join(&self.config.api, &["models", "requests", "by-endpoint"]);
        url.query_pairs_mut()
            .append_pair("endpoint_id", &handle.endpoint)
            .append_pair("request_id", &handle.id)
            .append_pair("expand", "payloads");
        let get = || {
            let call = self.keyed(Method::GET, &url, "/models/requests/by-endpoint");
            call.at_most(self.config.at_most.saturating_mul(6))
        };
        let reply = self.line.repeat(get, log).await?;
        match reply.status {
            200 => {
                let history: History = read(&reply, "history")?;
                let ours = history.items.iter().filter(|i| i.request_id == handle.id);
                Ok(Some(!ours.into_iter().any(super::wire::HistoryItem::has_content)))
            }
            404 => Ok(Some(true)),
            _ => Ok(None),
        }
    }
}
