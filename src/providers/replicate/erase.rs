//! Seeing that a prediction's data are gone at Replicate. There is no call that deletes a prediction: its data go an
//! hour after it ended, and that is looked at.

use chrono::TimeDelta;

use super::{Replicate, id};
use crate::egress::CallLog;
use crate::providers::{Erasure, Handle, Proof, ProviderError};

/// When to look again at a prediction that is still running there.
const RUNNING: TimeDelta = TimeDelta::seconds(15);
/// After this the provider's own deletion is due, with a little grace.
const KEPT: TimeDelta = TimeDelta::minutes(62);
/// After this it is late, and somebody should hear of it.
const LATE: TimeDelta = TimeDelta::hours(3);
/// How often to look in between.
const NEXT_LOOK: TimeDelta = TimeDelta::minutes(10);

impl Replicate {
    /// Erases the job: stops it if it runs, deletes its uploads, and waits until the prediction says that its data were
    /// removed. May be repeated.
    pub async fn erase(&self, handle: &Handle, log: &CallLog) -> Result<Erasure, ProviderError> {
        let now = self.clock.now();
        let prediction = self.prediction(id(handle)?, log).await?;
        if prediction.as_ref().is_some_and(|p| !p.state().is_final()) {
            self.cancel(handle, log).await?;
            return Ok(Erasure::Waiting { until: now.plus(RUNNING) });
        }
        let mut proofs = Vec::new();
        let mut files = handle.files.clone();
        if let Some(name) = &handle.seek {
            files.extend(self.uploads_of(name, log).await?);
        }
        for file in &files {
            if !self.delete_file(file, log).await? {
                return Ok(Erasure::Survives { pieces: 1 });
            }
            proofs.push(Proof::FileDeleted);
        }
        let Some(prediction) = prediction else { return self.erased_unseen(handle, proofs, log).await };
        if !prediction.is_empty() {
            let ended = prediction.ended().unwrap_or(now);
            let due = ended.plus(KEPT);
            return Ok(if now < due {
                Erasure::Waiting { until: due }
            } else if now < ended.plus(LATE) {
                Erasure::Waiting { until: now.plus(NEXT_LOOK) }
            } else {
                Erasure::Survives { pieces: 1 }
            });
        }
        proofs.push(Proof::DataRemoved);
        let late = handle.at.is_some_and(|at| now.since(at) > LATE);
        match self.outputs_gone(handle, &mut proofs, log).await {
            Some(true) => Ok(Erasure::Proven(proofs)),
            None if !late => Ok(Erasure::Waiting { until: now.plus(NEXT_LOOK) }),
            _ => Ok(Erasure::Survives { pieces: 1 }),
        }
    }

    /// A prediction that Replicate does not know: that alone says nothing of its results. They must be seen to be gone, or
    /// their time there must be over.
    async fn erased_unseen(
        &self,
        handle: &Handle,
        mut proofs: Vec<Proof>,
        log: &CallLog,
    ) -> Result<Erasure, ProviderError> {
        let now = self.clock.now();
        proofs.push(Proof::JobUnknown);
        let longest = TimeDelta::seconds(self.config.cancel_after.into()) + KEPT;
        let due = handle.at.map(|at| at.plus(longest)).filter(|due| now < *due);
        let seen = proofs.len();
        match (self.outputs_gone(handle, &mut proofs, log).await, due) {
            (Some(true), due) if due.is_none() || proofs.len() > seen => Ok(Erasure::Proven(proofs)),
            (_, Some(due)) => Ok(Erasure::Waiting { until: due.min(now.plus(NEXT_LOOK)) }),
            _ => Ok(Erasure::Survives { pieces: 1 }),
        }
    }

    /// Whether none of the results' links gives anything; `None` if that cannot be found out now. A link that may not be
    /// called was never followed: what lies behind it is no copy of ours.
    async fn outputs_gone(&self, handle: &Handle, proofs: &mut Vec<Proof>, log: &CallLog) -> Option<bool> {
        for link in handle.outputs.iter().filter(|link| self.line.may_call(link)) {
            match self.line.answers(link, log).await {
                Some(false) => proofs.push(Proof::OutputGone),
                other => return other.map(|_| false),
            }
        }
        Some(true)
    }
}
