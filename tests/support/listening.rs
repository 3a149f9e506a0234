//! A server on this machine, for as long as a test needs it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use vouchsafe::seals::Patience;

/// A server that runs; it ends with this.
pub(crate) struct Listening {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listening {
    pub(crate) async fn start(router: axum::Router) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        #[expect(clippy::disallowed_methods, reason = "ends with the test that started it")]
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A short patience: what a test waits for a service that does not answer.
pub(crate) fn quick() -> Patience {
    Patience {
        attempt: Duration::from_millis(400),
        total: Duration::from_secs(4),
        attempts: 3,
        backoff: Duration::from_millis(10),
    }
}
