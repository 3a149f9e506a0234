//! What the tests of providers stand on: a stand-in that runs, a clock with a hand, a client that reaches only it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use vouchsafe::base::{Clock, Entropy, ManualClock, Secret, Timestamp};
use vouchsafe::egress::{CallLog, Egress, HeaderMap, Names, Recipient, Url};
use vouchsafe::fakes::{Delivery, FakeFal, FakeReplicate, Listening, Options, Pace};
use vouchsafe::imaging::Format;
use vouchsafe::providers::{
    ErasureKey, Fal, FalConfig, Input, Job, Model, Params, Provider, Pseudonym, Replicate, ReplicateConfig,
};

/// A moment in May 2026.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_777_990_000_000_000);

/// A running stand-in with a provider set up for it.
pub(crate) struct Stage<F> {
    pub(crate) fake: F,
    pub(crate) provider: Provider,
    pub(crate) egress: Egress,
    pub(crate) hand: ManualClock,
    pub(crate) entropy: Entropy,
    pub(crate) log: CallLog,
    _stop: DropGuard,
}

pub(crate) fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

pub(crate) fn admin() -> ErasureKey {
    ErasureKey::new(secret(FakeFal::ADMIN_KEY))
}

fn here() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// Runs a listener until the guard is dropped.
pub(crate) fn run(listening: Listening) -> DropGuard {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    TaskTracker::new().spawn(async move { listening.run(async move { stopped.cancelled().await }).await });
    stop.drop_guard()
}

pub(crate) fn egress(recipient: Recipient, clock: &Clock) -> Egress {
    Egress::new(vec![recipient], &Names::System, clock.clone()).unwrap()
}

pub(crate) async fn fal(pace: Pace) -> Stage<FakeFal> {
    fal_with(pace, |_| {}).await
}

pub(crate) async fn fal_with(pace: Pace, change: impl FnOnce(&mut FalConfig)) -> Stage<FakeFal> {
    let (clock, hand) = Clock::manual(NOW);
    let entropy = Entropy::seeded(7);
    let options = Options { clock: clock.clone(), entropy: Entropy::seeded(8), pace, deliver: false };
    let (fake, listening) = FakeFal::bind(here(), options).await.unwrap();
    let base = Url::parse(fake.base()).unwrap();
    let mut config = FalConfig::stand_in(secret(FakeFal::KEY), &base).unwrap();
    config.pause = Duration::ZERO;
    change(&mut config);
    let egress = egress(config.recipient().unwrap(), &clock);
    let provider = Provider::Fal(Box::new(Fal::new(config, egress.clone(), clock, entropy.clone())));
    Stage { fake, provider, egress, hand, entropy, log: CallLog::new(), _stop: run(listening) }
}

pub(crate) async fn replicate(pace: Pace) -> Stage<FakeReplicate> {
    replicate_with(pace, |_| {}).await
}

pub(crate) async fn replicate_with(
    pace: Pace,
    change: impl FnOnce(&mut ReplicateConfig),
) -> Stage<FakeReplicate> {
    let (clock, hand) = Clock::manual(NOW);
    let options = Options { clock: clock.clone(), entropy: Entropy::seeded(8), pace, deliver: false };
    let (fake, listening) = FakeReplicate::bind(here(), options).await.unwrap();
    replicate_on(fake, clock, hand, run(listening), change)
}

/// A provider set up for a stand-in that runs already.
pub(crate) fn replicate_at(fake: &FakeReplicate) -> Stage<FakeReplicate> {
    let (clock, hand) = Clock::manual(NOW);
    let stop = CancellationToken::new().drop_guard();
    replicate_on(fake.clone(), clock, hand, stop, |c| c.wait = 0)
}

fn replicate_on(
    fake: FakeReplicate,
    clock: Clock,
    hand: ManualClock,
    stop: DropGuard,
    change: impl FnOnce(&mut ReplicateConfig),
) -> Stage<FakeReplicate> {
    let entropy = Entropy::seeded(7);
    let base = Url::parse(fake.base()).unwrap();
    let secrets = vec![secret(&fake.secret())];
    let mut config = ReplicateConfig::stand_in(secret(FakeReplicate::TOKEN), secrets, &base).unwrap();
    config.pause = Duration::ZERO;
    change(&mut config);
    let egress = egress(config.recipient().unwrap(), &clock);
    let replicate = Replicate::new(config, egress.clone(), clock, entropy.clone());
    let provider = Provider::Replicate(Box::new(replicate));
    Stage { fake, provider, egress, hand, entropy, log: CallLog::new(), _stop: stop }
}

impl<F> Stage<F> {
    /// An edit of one small picture.
    pub(crate) fn job(&self) -> Job {
        Job {
            model: Model::Pro,
            prompt: secret("make it grey, canary-prompt"),
            inputs: vec![Input::Bytes { format: Format::Png, bytes: picture(48, 32) }],
            params: Params::default(),
            webhook: None,
            pseudonym: Pseudonym::new(&self.entropy),
            go: None,
        }
    }

    pub(crate) fn minutes(&self, n: i64) {
        self.hand.advance(TimeDelta::minutes(n));
    }
}

/// A PNG of noise, which does not compress.
pub(crate) fn picture(width: u32, height: u32) -> Bytes {
    let entropy = Entropy::seeded(u64::from(width));
    let mut pixels = vec![0; (width * height * 3) as usize];
    entropy.fill(&mut pixels);
    let image = image::RgbImage::from_raw(width, height, pixels).unwrap();
    let mut out = std::io::Cursor::new(Vec::new());
    image.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner().into()
}

pub(crate) fn headers(delivery: &Delivery) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &delivery.headers {
        headers.insert(*name, value.parse().unwrap());
    }
    headers
}
