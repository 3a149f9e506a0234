//! A provider that is not there: its protocol, spoken on this machine.

use std::net::{Ipv4Addr, SocketAddr};

use chrono::TimeDelta;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::Provider;
use crate::base::{Clock, Entropy, Secret};
use crate::config::{Config, FalAi, ReplicateCom};
use crate::fakes::{FakeFal, FakeReplicate, Listening, Options, Pace};

/// A stand-in that runs until this is dropped.
pub(super) struct StandIn {
    which: Which,
    _stop: DropGuard,
}

enum Which {
    Fal(FakeFal),
    Replicate(FakeReplicate),
}

impl StandIn {
    /// Starts the one that was chosen, if any, and sets the service up for it.
    pub(super) async fn start(
        provider: Provider,
        clock: &Clock,
        config: &mut Config,
    ) -> anyhow::Result<Option<Self>> {
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let pace = Pace::After(TimeDelta::seconds(2));
        let options = Options { clock: clock.clone(), entropy: Entropy::system(), pace, deliver: false };
        let secret = |text: &str| Secret::new(text.to_owned());
        // Nothing listens here: the provider is asked, and gets what can be sent along.
        config.providers.callback_url = Some("none".to_owned());
        let (which, listening) = match provider {
            Provider::Studio => return Ok(None),
            Provider::Fal => {
                let (fake, listening) = FakeFal::bind(at, options).await?;
                config.providers.fal = Some(FalAi {
                    key: secret(FakeFal::KEY),
                    admin_key: secret(FakeFal::ADMIN_KEY),
                    user_id: None,
                    base: Some(fake.base().to_owned()),
                });
                (Which::Fal(fake), listening)
            }
            Provider::Replicate => {
                let (fake, listening) = FakeReplicate::bind(at, options).await?;
                config.providers.replicate = Some(ReplicateCom {
                    token: secret(FakeReplicate::TOKEN),
                    webhook_secrets: secret(&fake.secret()),
                    base: Some(fake.base().to_owned()),
                });
                (Which::Replicate(fake), listening)
            }
        };
        Ok(Some(Self { which, _stop: run(listening) }))
    }

    /// Edits that it took, each of which is paid for.
    pub(super) fn charges(&self) -> usize {
        match &self.which {
            Which::Fal(fake) => fake.charges(),
            Which::Replicate(fake) => fake.charges(),
        }
    }

    /// What it still holds of anybody's.
    pub(super) fn held(&self) -> Vec<String> {
        match &self.which {
            Which::Fal(fake) => fake.held(),
            Which::Replicate(fake) => fake.held(),
        }
    }

    /// What the real one would have refused.
    pub(super) fn complaints(&self) -> Vec<String> {
        match &self.which {
            Which::Fal(fake) => fake.complaints(),
            Which::Replicate(fake) => fake.complaints(),
        }
    }

    /// Everything that it was sent with the last edit, as text.
    pub(super) fn last_input(&self) -> String {
        let input = match &self.which {
            Which::Fal(fake) => fake.last_input(),
            Which::Replicate(fake) => fake.last_input(),
        };
        input.map(|json| json.to_string()).unwrap_or_default()
    }
}

fn run(listening: Listening) -> DropGuard {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    TaskTracker::new().spawn(async move { listening.run(async move { stopped.cancelled().await }).await });
    stop.drop_guard()
}
