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
const AGAIN: TimeDelta = TimeDelta::minutes(10);

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
        for file in &handle.files {
            if !self.delete_file(file, log).await? {
                return Ok(Erasure::Survives { pieces: 1 });
            }
            proofs.push(Proof::FileDeleted);
        }
        let Some(prediction) = prediction else {
            proofs.push(Proof::JobUnknown);
            return Ok(Erasure::Proven(proofs));
        };
        if !prediction.is_empty() {
            let ended = prediction.ended().unwrap_or(now);
            let due = ended.plus(KEPT);
            return Ok(if now < due {
                Erasure::Waiting { until: due }
            } else if now < ended.plus(LATE) {
                Erasure::Waiting { until: now.plus(AGAIN) }
            } else {
                Erasure::Survives { pieces: 1 }
            });
        }
        proofs.push(Proof::DataRemoved);
        for link in &handle.outputs {
            match self.line.answers(link, log).await {
                Some(false) => proofs.push(Proof::OutputGone),
                Some(true) => return Ok(Erasure::Survives { pieces: 1 }),
                None => return Ok(Erasure::Waiting { until: now.plus(AGAIN) }),
            }
        }
        Ok(Erasure::Proven(proofs))
    }
}
