//! Redaction jobs: created, validated by Stripe, run, and believed when the customer reads as redacted.

use chrono::TimeDelta;
use serde_json::Value;

use super::{Stripe, is_word, wire};
use crate::egress::CallLog;
use crate::recipients::{Erased, Memory, Proof, RecipientError};

/// When to look at a job again.
const AGAIN: TimeDelta = TimeDelta::minutes(1);

impl Stripe {
    /// Begins the job, or finds the one that was begun when its answer was lost.
    pub(super) async fn redact(
        &self,
        id: &str,
        memory: &mut Memory,
        log: &CallLog,
    ) -> Result<Erased, RecipientError> {
        let known = self.all(&["privacy", "redaction_jobs"], &[], log).await?;
        let of = |job: &&Value| {
            let listed = job.pointer("/objects/customers").and_then(Value::as_array);
            listed.is_some_and(|all| all.iter().any(|c| c.as_str() == Some(id)))
                && wire::text(job, "status").is_some_and(|s| !matches!(s, "canceled" | "canceling"))
        };
        let job = if let Some(job) = known.iter().find(of) {
            job.clone()
        } else {
            let fields = [("objects[customers][]", id), ("validation_behavior", "fix")];
            self.change(&["privacy", "redaction_jobs"], &fields, "redact", memory, log).await?
        };
        let name = wire::text(&job, "id").filter(|n| is_word(n)).ok_or(RecipientError::Garbled("job"))?;
        memory.job = Some(name.to_owned());
        self.follow(id, name, memory, log).await
    }

    /// The next step of a job.
    pub(super) async fn follow(
        &self,
        id: &str,
        job: &str,
        memory: &mut Memory,
        log: &CallLog,
    ) -> Result<Erased, RecipientError> {
        let path = ["privacy", "redaction_jobs", job];
        let Some(found) = self.get(&path, &[], "/v1/privacy/redaction_jobs/{id}", log).await? else {
            memory.job = None;
            return Err(RecipientError::Refused("the redaction is no longer known there"));
        };
        match wire::text(&found, "status") {
            Some("ready") => {
                let run = ["privacy", "redaction_jobs", job, "run"];
                self.change(&run, &[], &format!("run/{job}"), memory, log).await?;
            }
            Some("failed") => {
                let again = ["privacy", "redaction_jobs", job, "validate"];
                self.change(&again, &[], &format!("validate/{job}"), memory, log).await?;
                // The next trial is another one, and needs a name of its own.
                memory.round += 1;
                return Err(RecipientError::Refused("something stands in the way of the redaction"));
            }
            Some("succeeded") => {}
            Some("canceled" | "canceling") => {
                memory.job = None;
                return Err(RecipientError::Refused("the redaction was cancelled there"));
            }
            Some(_) => return Ok(self.later()),
            None => return Err(RecipientError::Garbled("job")),
        }
        match self.customer(id, log).await? {
            Some(customer) if wire::is_redacted(&customer) => Ok(Erased::Proven(vec![Proof::Redacted])),
            Some(_) => Ok(self.later()),
            None => Ok(Erased::Proven(vec![Proof::Unknown])),
        }
    }

    fn later(&self) -> Erased {
        Erased::Waiting { until: self.now().plus(AGAIN), why: "the redaction is under way there" }
    }
}
