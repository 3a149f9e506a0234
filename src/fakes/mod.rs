//! Stand-ins for the two providers, and for Stripe and Supabase, for tests and for people who try the product without an
//! account.
//!
//! Promises: they speak the providers' protocols strictly; they complain of whatever the real ones would refuse and of
//! whatever would leave a copy with them; they can misbehave on demand; what they still hold can be asked. Must never:
//! share code with `providers`, `recipients` or `egress`, for a mistake made on both sides would be invisible.

#![expect(
    clippy::indexing_slicing,
    reason = "indexing a serde_json::Value gives null where there is nothing"
)]

mod edit;
mod fal;
mod post;
mod replicate;
mod script;
mod stripe;
mod supabase;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use chrono::TimeDelta;
use tokio::net::TcpListener;

use crate::base::{Clock, Entropy};

pub use fal::FakeFal;
pub use post::Delivery;
pub use replicate::FakeReplicate;
pub use script::{At, Fault, Plan};
pub use stripe::FakeStripe;
pub use supabase::FakeSupabase;

/// When a job gets done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// After its state was asked for this often.
    Polls(u32),
    /// This long after it was put.
    After(TimeDelta),
    /// When told.
    Manual,
}

/// How a stand-in behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// What time it is there.
    pub clock: Clock,
    /// Its ids and keys.
    pub entropy: Entropy,
    /// When jobs get done.
    pub pace: Pace,
    /// True to send webhooks out; otherwise they wait in the outbox.
    pub deliver: bool,
}

/// A stand-in that listens.
pub struct Listening {
    listener: TcpListener,
    router: Router,
    tick: Box<dyn Fn() -> Vec<Delivery> + Send + Sync>,
}

impl Listening {
    /// Serves, and sends out webhooks, until `stop` is done.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let Self { listener, router, tick } = self;
        let deliver = async move {
            let post = post::Post::new();
            loop {
                post.send(tick()).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let serve = axum::serve(listener, router).with_graceful_shutdown(stop);
        tokio::select! {
            done = serve.into_future() => done,
            () = deliver => Ok(()),
        }
    }
}

/// Binds to `at` and gives the listener and its base URL.
async fn bind(at: SocketAddr) -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind(at).await?;
    let base = format!("http://{}", listener.local_addr()?);
    Ok((listener, base))
}
