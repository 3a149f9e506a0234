use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::http::Certificate;

/// A stop in two steps: the first signal lets what is under way end, the second does not.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    first: CancellationToken,
    second: CancellationToken,
    tasks: TaskTracker,
}

impl Stop {
    pub(super) fn new() -> Self {
        Self { first: CancellationToken::new(), second: CancellationToken::new(), tasks: TaskTracker::new() }
    }

    /// Listens to SIGTERM and to Ctrl-C.
    pub(super) fn on_signals(&self) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (first, second) = (self.first.clone(), self.second.clone());
        self.tasks.spawn(async move {
            for token in [first, second] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                tracing::info!("stopping");
                token.cancel();
            }
        });
        Ok(())
    }

    /// Reads the certificate again on SIGHUP, for a certificate lives for weeks and the service for longer.
    pub(super) fn on_hangup(&self, certificate: Certificate) -> std::io::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        let stopped = self.first.clone();
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = stopped.cancelled() => return,
                    _ = hangup.recv() => match certificate.read_again().await {
                        Ok(()) => tracing::info!("the certificate was read again"),
                        Err(e) => tracing::error!(error = %e, "the certificate cannot be read; the old one is shown still"),
                    },
                }
            }
        });
        Ok(())
    }

    /// When a stop was asked for.
    pub(super) async fn asked(&self) {
        self.first.cancelled().await;
    }

    /// When it was asked for again.
    pub(super) async fn insisted(&self) {
        self.second.cancelled().await;
    }
}
