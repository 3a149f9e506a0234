use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_cron_scheduler::{Job, JobScheduler};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Error, Jobs, Task};

/// The background, running.
pub struct Running {
    stop: CancellationToken,
    tasks: TaskTracker,
    scheduler: JobScheduler,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Running({} tasks)", self.tasks.len())
    }
}

impl Jobs {
    /// Starts the queue's worker and the scheduler, which only wakes reconcilers: each reads the whole state, so what a
    /// wake-up missed the next one finds.
    pub async fn start(&self) -> Result<Running, Error> {
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let scheduler = JobScheduler::new().await.map_err(|_| Error::Scheduler)?;
        for &task in Task::ALL {
            let wake = self.waker(task, &stop, &tasks)?;
            scheduler.add(wake).await.map_err(|_| Error::Scheduler)?;
        }
        scheduler.start().await.map_err(|_| Error::Scheduler)?;
        let (jobs, stopped) = (self.clone(), stop.clone());
        // The first checks are made at once: until they are, nothing may be called kept.
        tasks.spawn(async move {
            if let Err(e) = jobs.reconcile(Task::Audit, &|| stopped.is_cancelled()).await {
                tracing::error!(task = Task::Audit.name(), error = %e, "a reconciler failed");
            }
        });
        let (jobs, stopped) = (self.clone(), stop.clone());
        tasks.spawn(async move {
            jobs.work_on(&stopped).await;
        });
        let (jobs, stopped) = (self.clone(), stop.clone());
        // What an app's server is told need not wait for the scheduler's next second.
        tasks.spawn(async move {
            while !stopped.is_cancelled() {
                tokio::select! {
                    () = stopped.cancelled() => {}
                    () = jobs.app.webhooks.nudge().notified() => jobs.tell_now(&stopped).await,
                }
            }
        });
        Ok(Running { stop, tasks, scheduler })
    }

    async fn tell_now(&self, stop: &CancellationToken) {
        if let Err(e) = self.reconcile(Task::Webhooks, &|| stop.is_cancelled()).await {
            tracing::error!(task = Task::Webhooks.name(), error = %e, "a reconciler failed");
        }
    }

    /// A scheduler entry that runs a pass, unless the last one is still at it.
    fn waker(&self, task: Task, stop: &CancellationToken, tasks: &TaskTracker) -> Result<Job, Error> {
        let busy = Arc::new(AtomicBool::new(false));
        let (jobs, stop, tasks) = (self.clone(), stop.clone(), tasks.clone());
        Job::new_async(task.schedule(), move |_, _| {
            let (jobs, stop, busy) = (jobs.clone(), stop.clone(), Arc::clone(&busy));
            let tracked = tasks.track_future(async move {
                if stop.is_cancelled() || busy.swap(true, Ordering::SeqCst) {
                    return;
                }
                // Freed also by a panic: a reconciler that failed once must be woken again.
                let _free = Free(busy);
                match jobs.reconcile(task, &|| stop.is_cancelled()).await {
                    Ok(done) if done.changed > 0 && task != Task::Ledger => {
                        tracing::info!(task = task.name(), changed = done.changed, "reconciled");
                    }
                    Ok(_) => {}
                    Err(e) => tracing::error!(task = task.name(), error = %e, "a reconciler failed"),
                }
            });
            Box::pin(tracked)
        })
        .map_err(|_| Error::Scheduler)
    }
}

/// Says that a reconciler is no longer at work, when dropped.
struct Free(Arc<AtomicBool>);

impl Drop for Free {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Running {
    /// Stops: no new work, and what is at work is waited for.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if self.scheduler.shutdown().await.is_err() {
            tracing::warn!("the scheduler did not stop cleanly");
        }
        self.tasks.close();
        self.tasks.wait().await;
    }
}
