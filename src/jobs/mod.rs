//! What happens without being asked: the queue's worker, and the reconcilers that a clock wakes.
//!
//! Promises: each reconciler reads the whole state, so a missed wake-up loses nothing and two replicas do no harm; a
//! stop waits for what is at work; what fails is tried again, and what fails for good is loud. Must never: hold a
//! decision; the rooms below decide.

mod addresses;
mod answers;
mod before;
mod doors;
mod error;
mod letters;
mod notices;
mod reconcile;
mod schedule;
mod sql;
mod worker;

pub use error::Error;
pub use reconcile::{Reconciled, Task};
pub use schedule::Running;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use crate::app::App;
use crate::store::{idempotency, jobs};

/// Runs jobs and reconcilers over an app. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Jobs {
    app: App,
    /// Until when, in microseconds since 1970, a rotation of the epochs waits after a seal failed.
    seal_pause: Arc<AtomicI64>,
    /// When, in microseconds since 1970, this process last verified the published ledger.
    verified: Arc<AtomicI64>,
}

impl Jobs {
    /// Over an app.
    pub fn new(app: App) -> Self {
        Self { app, seal_pause: Arc::default(), verified: Arc::default() }
    }

    /// Takes up what a process that was killed had in hand, jobs and the keys of calls, without waiting for its leases to run
    /// out. Only for a process that is alone over its data, before it serves.
    pub async fn take_over(&self) -> Result<u64, Error> {
        let mut tx = self.app.db.begin().await?;
        let freed = jobs::free_all(&mut tx).await?;
        idempotency::free_all(&mut tx).await?;
        tx.commit().await?;
        Ok(freed)
    }

    /// Does everything that is due, until nothing is: for tests and demonstrations, where no clock ticks by itself.
    pub async fn settle(&self) -> Result<(), Error> {
        while self.work().await? > 0 {}
        for &task in Task::ALL {
            self.reconcile(task, &|| false).await?;
        }
        while self.work().await? > 0 {}
        self.reconcile(Task::Ledger, &|| false).await?;
        Ok(())
    }
}
