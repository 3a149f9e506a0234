use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Error, Jobs};
use crate::base::Timestamp;
use crate::keystore;
use crate::policy::Role;
use crate::store::idempotency;

/// How long a rotation that a seal did not let happen waits before it tries again.
const SEAL_PAUSE: TimeDelta = TimeDelta::seconds(60);
/// How long answers are kept for repeated calls.
const ANSWERS: TimeDelta = TimeDelta::hours(24);

/// A reconciler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Rights requests: cooling-off periods that are over, erasures that were cut short, deadlines.
    Requests,
    /// What is due by a retention rule.
    Retention,
    /// Accounts nobody uses.
    Inactivity,
    /// Letters that are owed.
    Letters,
    /// Uploads that never landed.
    Arrivals,
    /// Bytes whose key is gone.
    Graves,
    /// Sessions, links and kept answers that have run out.
    Expiry,
    /// Key epochs.
    Epochs,
    /// Entries into the tree, and a signed head.
    Ledger,
}

impl Task {
    /// All of them, in the order of a full pass.
    pub const ALL: [Self; 9] = [
        Self::Requests,
        Self::Retention,
        Self::Letters,
        Self::Inactivity,
        Self::Arrivals,
        Self::Graves,
        Self::Expiry,
        Self::Epochs,
        Self::Ledger,
    ];

    /// Its name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Retention => "retention",
            Self::Inactivity => "inactivity",
            Self::Letters => "letters",
            Self::Arrivals => "arrivals",
            Self::Graves => "graves",
            Self::Expiry => "expiry",
            Self::Epochs => "epochs",
            Self::Ledger => "ledger",
        }
    }

    /// When the scheduler wakes it (seconds, minutes, hours, day, month, weekday; UTC).
    pub fn schedule(self) -> &'static str {
        match self {
            Self::Ledger => "* * * * * *",
            // Epochs that often, so that no replica holds one long that another destroyed.
            Self::Requests | Self::Retention | Self::Letters | Self::Epochs => "*/10 * * * * *",
            Self::Graves | Self::Arrivals => "0 */5 * * * *",
            Self::Inactivity | Self::Expiry => "0 0 * * * *",
        }
    }
}

/// What a pass did: how many things it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconciled {
    /// Which.
    pub task: Task,
    /// How many.
    pub changed: u64,
}

impl Jobs {
    /// One pass of a reconciler. `stop` is asked between batches.
    pub fn reconcile<'a>(
        &'a self,
        task: Task,
        stop: &'a (dyn Fn() -> bool + Sync),
    ) -> BoxFuture<'a, Result<Reconciled, Error>> {
        self.pass(task, stop).boxed()
    }

    async fn pass(&self, task: Task, stop: &(dyn Fn() -> bool + Sync)) -> Result<Reconciled, Error> {
        let app = &self.app;
        let changed = match task {
            Task::Requests => {
                let ticked = app.requests.tick().await?;
                (ticked.moved + ticked.resumed + ticked.purged) as u64
            }
            Task::Retention => app.retention.sweep(stop).await?.iter().map(|s| s.erased).sum(),
            Task::Inactivity => self.inactivity().await?,
            Task::Letters => self.letters().await?,
            Task::Arrivals => to_the_end(stop, || app.vault.sweep_arrivals()).await?,
            Task::Graves => to_the_end(stop, || app.vault.visit_graves()).await?,
            Task::Expiry => self.expiry().await?,
            Task::Epochs => self.epochs().await?,
            Task::Ledger => u64::from(app.ledger.sequence().await?.is_some()),
        };
        Ok(Reconciled { task, changed })
    }

    /// Ends accounts that were unused for as long as the document allows and whose owners were told.
    async fn inactivity(&self) -> Result<u64, Error> {
        let mut n = 0;
        for tenant in self.app.library.tenants() {
            for gone in self.app.retention.inactive(&tenant).await? {
                // One account that cannot go (a legal hold, a law) must not keep the others.
                match self.app.requests.erase(&gone.owner, Role::Service).await {
                    Ok(_) => n += 1,
                    Err(e) => tracing::warn!(error = %e, "an unused account could not be let go"),
                }
            }
        }
        Ok(n)
    }

    async fn expiry(&self) -> Result<u64, Error> {
        let mut n = self.app.subjects.expire().await?;
        let mut tx = self.app.db.begin().await?;
        n += idempotency::expire(&mut tx, self.app.clock.now().plus(-ANSWERS)).await?;
        tx.commit().await?;
        Ok(n)
    }

    /// Begins a new epoch when the current one is a week old, and finishes what was left undone. Whichever replica comes
    /// first does it. While the seal cannot be reached the rotation waits, and each try that fails is loud.
    async fn epochs(&self) -> Result<u64, Error> {
        let keys = &self.app.keys;
        let now = self.app.clock.now();
        let mut changed = keys.finish().await?;
        let due = keys.next_rotation().is_some_and(|at| now >= at);
        if due && now.micros() >= self.seal_pause.load(Ordering::Relaxed) {
            match keys.rotate().await {
                Ok(done) => changed += done.items + done.subjects,
                Err(keystore::Error::Taken) => {}
                Err(e) => {
                    self.seal_pause.store(now.plus(SEAL_PAUSE).micros(), Ordering::Relaxed);
                    tracing::error!(error = %e, late = %late(keys, now), "the key epochs cannot be rotated");
                    return Err(e.into());
                }
            }
        }
        self.app.note_destroyed_epochs().await?;
        Ok(changed)
    }
}

/// How long ago the next epoch ought to have begun.
fn late(keys: &keystore::Keystore, now: Timestamp) -> String {
    let minutes = keys.next_rotation().map_or(0, |at| now.since(at).num_minutes());
    format!("{minutes} min")
}

/// Goes on until nothing is left or there is a stop: each batch takes what it has done out of the way.
async fn to_the_end<F>(stop: &(dyn Fn() -> bool + Sync), batch: impl Fn() -> F) -> Result<u64, Error>
where
    F: Future<Output = Result<usize, crate::vault::Error>>,
{
    let mut changed = 0;
    while !stop() {
        let n = batch().await?;
        changed += n as u64;
        if n == 0 {
            break;
        }
    }
    Ok(changed)
}
