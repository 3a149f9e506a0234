use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, interval_at};

use super::{Error, Jobs};
use crate::base::{EditId, SubjectId};
use crate::editing;
use crate::store::jobs::{self, Claimed};
use crate::vault::Owner;

/// Jobs taken at once.
const AT_ONCE: i64 = 4;
/// How often a lease is renewed.
const HEARTBEAT: Duration = Duration::from_secs(20);

impl Jobs {
    /// Takes the jobs that are due and runs them, several at a time. Gives how many there were.
    pub fn work(&self) -> BoxFuture<'_, Result<usize, Error>> {
        // Boxed here, so that the compiler need not prove the whole future of every room `Send` at each caller.
        self.take_and_run().boxed()
    }

    async fn take_and_run(&self) -> Result<usize, Error> {
        let claimed = {
            let mut tx = self.app.db.begin().await?;
            let claimed = jobs::claim(&mut tx, &self.app.clock, &self.app.entropy, AT_ONCE).await?;
            tx.commit().await?;
            claimed
        };
        let n = claimed.len();
        let mut running: Vec<BoxFuture<'_, Result<(), Error>>> = Vec::with_capacity(n);
        for job in claimed {
            running.push(self.one(job).boxed());
        }
        for done in futures_util::future::join_all(running).await {
            done?;
        }
        Ok(n)
    }

    /// Runs one job under its lease, and finishes it or puts it back.
    async fn one(&self, job: Claimed) -> Result<(), Error> {
        if job.claims > jobs::MOST_CLAIMS {
            // Claimed before and never finished nor put back: it takes its process down with it. Set aside, unrun.
            tracing::error!(job = %job.id, kind = job.kind, claims = job.claims, "a job was claimed too often");
            let mut tx = self.app.db.begin().await?;
            let pause = jobs::pause(job.claims, &self.app.entropy);
            jobs::retry(&mut tx, &self.app.clock, &job, pause, "it never came to an end").await?;
            return Ok(tx.commit().await?);
        }
        // A panic in one job must not take the worker with it; it counts as a failure of that job.
        let run = AssertUnwindSafe(self.run(&job)).catch_unwind();
        tokio::pin!(run);
        let mut beat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        let outcome = loop {
            tokio::select! {
                outcome = &mut run => break outcome,
                _ = beat.tick() => {
                    let mut tx = self.app.db.begin().await?;
                    if !jobs::heartbeat(&mut tx, &self.app.clock, &job).await? {
                        tracing::warn!(job = %job.id, kind = job.kind, "another worker took this job over");
                        return Ok(());
                    }
                    tx.commit().await?;
                }
            }
        };
        let why = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(e)) => Some(phrase(&e)),
            Err(_) => Some("it panicked"),
        };
        let mut tx = self.app.db.begin().await?;
        let ours = match why {
            None => jobs::finish(&mut tx, &job).await?,
            Some(why) => {
                tracing::warn!(job = %job.id, kind = job.kind, claims = job.claims, why, "a job failed");
                let pause = jobs::pause(job.claims, &self.app.entropy);
                jobs::retry(&mut tx, &self.app.clock, &job, pause, why).await?
            }
        };
        if ours {
            tx.commit().await?;
        }
        Ok(())
    }

    async fn run(&self, job: &Claimed) -> Result<(), Error> {
        match job.kind.as_str() {
            editing::RUN => {
                let tenant = job.tenant.as_ref().ok_or(Error::Payload)?;
                let subject: SubjectId = field(job, "subject")?;
                let edit: EditId = field(job, "edit")?;
                Ok(self.app.editing.run(&Owner::new(tenant, subject), edit).await?)
            }
            _ => Err(Error::Payload),
        }
    }
}

fn field<T: std::str::FromStr>(job: &Claimed, name: &str) -> Result<T, Error> {
    let text = job.payload.get(name).and_then(serde_json::Value::as_str);
    text.and_then(|t| t.parse().ok()).ok_or(Error::Payload)
}

/// A fixed phrase for the queue: an error's own text could carry data.
fn phrase(e: &Error) -> &'static str {
    use crate::base::Kind;
    match e.kind() {
        Kind::Unavailable | Kind::Full => "a store was not available",
        Kind::NotFound | Kind::Gone => "what it was about is gone",
        Kind::Upstream => "a provider failed",
        _ => "it failed",
    }
}
