use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;

use super::{Error, Jobs};
use crate::base::{EditId, SubjectId, Timestamp};
use crate::editing::{self, Turn};
use crate::store::aside;
use crate::store::jobs::{self, Claimed, Setback};
use crate::subjects;
use crate::vault::Owner;

/// Jobs that run at once. Most of them wait for a provider; those that work on pixels, or hold a result, have fewer turns of
/// their own.
const AT_ONCE: usize = 64;
/// Places besides, for letters with a link alone: somebody waits for each, and it must not wait behind edits.
const LETTERS: usize = 8;
/// How often a lease is renewed.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often the queue is looked at when nothing says that there is work.
const POLL: Duration = Duration::from_millis(250);

/// The jobs that are being run, each of which gives when its next turn is due.
type AtWork = JoinSet<Result<Option<Timestamp>, Error>>;

/// Places for jobs that run at once.
struct Places {
    /// Of which kind, if of one alone.
    kind: Option<&'static str>,
    free: Arc<Semaphore>,
}

impl Places {
    fn new(kind: Option<&'static str>, all: usize) -> Self {
        Self { kind, free: Arc::new(Semaphore::new(all)) }
    }

    fn is_full(&self) -> bool {
        self.free.available_permits() == 0
    }
}

impl Jobs {
    /// Works the queue until `stop`: each job begins as soon as it is due and there is a place, whatever the others do.
    /// What is at work then is waited for.
    pub(super) async fn work_on(&self, stop: &CancellationToken) {
        let mut at_work = JoinSet::new();
        let mut alarms = FuturesUnordered::new();
        let (any, letters) = (Places::new(None, AT_ONCE), Places::new(Some(subjects::LETTER), LETTERS));
        while !stop.is_cancelled() {
            let full = self.fill_all(&any, &letters, &mut at_work).await.unwrap_or_else(|e| {
                tracing::error!(error = %e, "the queue could not be worked");
                any.is_full()
            });
            // When it is full, letters alone are looked for, and not at every nudge.
            tokio::select! {
                () = stop.cancelled() => {}
                Some(done) = at_work.join_next() => match done {
                    Ok(Ok(Some(at))) => alarms.push(tokio::time::sleep(self.until(at))),
                    Ok(Ok(None)) => {}
                    Ok(Err(e)) => tracing::error!(error = %e, "a job could not be put back"),
                    Err(_) => tracing::error!("a job was torn off"),
                },
                Some(()) = alarms.next(), if !full => {}
                () = self.app.editing.nudge().notified(), if !full => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
        while at_work.join_next().await.is_some() {}
    }

    /// How long it is until then.
    fn until(&self, at: Timestamp) -> Duration {
        at.since(self.app.clock.now()).to_std().unwrap_or_default()
    }

    /// Begins as many jobs as are due and have a place. Gives whether the places for any are full.
    async fn fill_all(&self, any: &Places, letters: &Places, at_work: &mut AtWork) -> Result<bool, Error> {
        self.fill(any, at_work).await?;
        let full = any.is_full();
        if full {
            self.fill(letters, at_work).await?;
        }
        Ok(full)
    }

    async fn fill(&self, places: &Places, at_work: &mut AtWork) -> Result<(), Error> {
        for job in self.take(places.kind, places.free.available_permits()).await? {
            let (jobs, free) = (self.clone(), Arc::clone(&places.free));
            let place = free.try_acquire_owned();
            at_work.spawn(async move {
                // Given back when the job is over, however it ends.
                let _place = place;
                jobs.one(job).boxed().await
            });
        }
        Ok(())
    }

    async fn take(&self, kind: Option<&str>, most: usize) -> Result<Vec<Claimed>, Error> {
        if most == 0 || !self.app.gate.is_open() {
            return Ok(Vec::new());
        }
        let most = i64::try_from(most).unwrap_or(1);
        let mut tx = self.app.db.begin().await?;
        let claimed = jobs::claim_of(&mut tx, &self.app.clock, &self.app.entropy, (kind, most)).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// Takes the jobs that are due and runs them, several at a time. Gives how many there were.
    pub fn work(&self) -> BoxFuture<'_, Result<usize, Error>> {
        // Boxed here, so that the compiler need not prove the whole future of every room `Send` at each caller.
        self.take_and_run().boxed()
    }

    async fn take_and_run(&self) -> Result<usize, Error> {
        let claimed = self.take(None, AT_ONCE).await?;
        let n = claimed.len();
        let mut running: Vec<BoxFuture<'_, Result<Option<Timestamp>, Error>>> = Vec::with_capacity(n);
        for job in claimed {
            running.push(self.one(job).boxed());
        }
        for done in futures_util::future::join_all(running).await {
            done?;
        }
        Ok(n)
    }

    /// Runs one job under its lease, and finishes it or puts it back. Gives when its next turn is due, if it has one.
    async fn one(&self, job: Claimed) -> Result<Option<Timestamp>, Error> {
        if job.claims > jobs::MOST_CLAIMS {
            // Claimed before and never finished nor put back: it takes its process down with it. Set aside, unrun.
            tracing::error!(job = %job.id, kind = job.kind, claims = job.claims, "a job was claimed too often");
            self.give_up(&job).await?;
            let setback = Setback { why: "it never came to an end", own: true };
            return self.put_back(&job, Some(setback)).await.map(|()| None);
        }
        // A panic in one job must not take the worker with it; it counts as a failure of that job.
        let run = AssertUnwindSafe(self.run(&job)).catch_unwind();
        tokio::pin!(run);
        // Side by side: the job may hold the only connection that writes, which the heartbeat then waits for.
        let outcome = tokio::select! {
            outcome = &mut run => outcome,
            () = self.lost(&job) => {
                tracing::warn!(job = %job.id, kind = job.kind, "another worker may have taken this job over");
                return Ok(None);
            }
        };
        let setback = match outcome {
            Ok(Ok(Turn::Again(at))) => return self.put_off(&job, at).await.map(|()| Some(at)),
            Ok(Ok(Turn::Done)) => None,
            Ok(Err(e)) => Some(setback_of(&e)),
            Err(_) => Some(Setback { why: "it panicked", own: true }),
        };
        if let Some(setback) = setback {
            tracing::warn!(job = %job.id, kind = job.kind, claims = job.claims, why = setback.why, "a job failed");
            if job.is_hopeless(setback) {
                self.give_up(&job).await?;
            }
        }
        self.put_back(&job, setback).await.map(|()| None)
    }

    /// Done, if nothing went wrong; otherwise tried again later, or set aside. Nothing at all when another worker has
    /// the job by now.
    async fn put_back(&self, job: &Claimed, setback: Option<Setback>) -> Result<(), Error> {
        let mut tx = self.app.db.begin().await?;
        let ours = match setback {
            None => jobs::finish(&mut tx, job).await?,
            Some(setback) => {
                let pause = jobs::pause(job.claims, &self.app.entropy);
                jobs::retry(&mut tx, &self.app.clock, job, pause, setback).await?
            }
        };
        if ours {
            tx.commit().await?;
        }
        Ok(())
    }

    /// Its next turn is not due before `at`.
    async fn put_off(&self, job: &Claimed, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.app.db.begin().await?;
        if jobs::snooze(&mut tx, job, at).await? {
            tx.commit().await?;
        }
        Ok(())
    }

    /// Renews the lease again and again. Ends when the job is another worker's, or could be: no heartbeat was taken for
    /// two thirds of the lease.
    async fn lost(&self, job: &Claimed) {
        let mut beat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        let mut last = Instant::now();
        loop {
            beat.tick().await;
            match self.beat(job).await {
                Ok(true) => last = Instant::now(),
                Ok(false) => return,
                Err(e) => tracing::warn!(job = %job.id, error = %e, "a heartbeat was not taken"),
            }
            if last.elapsed() >= HEARTBEAT * 2 {
                return;
            }
        }
    }

    async fn beat(&self, job: &Claimed) -> Result<bool, Error> {
        let mut tx = self.app.db.begin().await?;
        let ours = jobs::heartbeat(&mut tx, &self.app.clock, job).await?;
        tx.commit().await?;
        Ok(ours)
    }

    /// What follows for people when a job is set aside: nobody's edit stays under way for ever, and unpaid back.
    async fn give_up(&self, job: &Claimed) -> Result<(), Error> {
        if job.kind == editing::RUN {
            let (owner, edit) = edit_of(job)?;
            self.app.editing.give_up(&owner, edit).await?;
        }
        Ok(())
    }

    async fn run(&self, job: &Claimed) -> Result<Turn, Error> {
        match job.kind.as_str() {
            editing::RUN => {
                let (owner, edit) = edit_of(job)?;
                Ok(self.app.editing.run(&owner, edit).await?)
            }
            subjects::LETTER => {
                let tenant = job.tenant.as_ref().ok_or(Error::Payload)?;
                let link: String = field(job, "link")?;
                self.sign_in_letter(tenant, &link).await
            }
            // Whoever met the row reads it again in its next pass, and says so anew if it must.
            aside::UNREAD => Ok(Turn::Done),
            _ => Err(Error::Payload),
        }
    }
}

fn edit_of(job: &Claimed) -> Result<(Owner, EditId), Error> {
    let tenant = job.tenant.as_ref().ok_or(Error::Payload)?;
    let subject: SubjectId = field(job, "subject")?;
    Ok((Owner::new(tenant, subject), field(job, "edit")?))
}

fn field<T: std::str::FromStr>(job: &Claimed, name: &str) -> Result<T, Error> {
    let text = job.payload.get(name).and_then(serde_json::Value::as_str);
    text.and_then(|t| t.parse().ok()).ok_or(Error::Payload)
}

/// What the queue is told, in a fixed phrase: an error's own text could carry data.
fn setback_of(e: &Error) -> Setback {
    use crate::base::Kind;
    let (why, own) = match e.kind() {
        Kind::Unavailable | Kind::Full => ("a store was not available", false),
        Kind::NotFound | Kind::Gone => ("what it was about is gone", true),
        Kind::Upstream => ("a provider failed", true),
        _ => ("it failed", true),
    };
    Setback { why, own }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store;

    #[test]
    fn a_store_that_is_down_is_no_fault_of_the_job() {
        for (why, own) in [
            (Error::Store(store::Error::Unavailable), false),
            (Error::Vault(crate::vault::Error::NotFound), true),
            (Error::Payload, true),
        ] {
            assert_eq!(setback_of(&why).own, own, "{why}");
        }
    }
}
