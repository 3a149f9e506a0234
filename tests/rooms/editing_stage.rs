//! What the tests of edits stand on: the service, and a provider that does what it is told when it is told.

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio_util::sync::DropGuard;
use vouchsafe::base::{Clock, Entropy, ManualClock, Secret, Timestamp};
use vouchsafe::config::{Config, FalAi, ReplicateCom};
use vouchsafe::fakes::{Delivery, FakeFal, FakeReplicate, Options, Pace};

use super::providers_stage::run;
use crate::support::Backend;
use crate::support::app::{OTHER_TENANT, Person, START, TENANT, TestApp};

/// Writes a test once and runs it over each database, with a stand-in of the named provider.
#[macro_export]
macro_rules! each_scene {
    ($($(#[$meta:meta])* async fn $name:ident($scene:ident: $which:ident) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;
            use $crate::rooms::editing_stage::Scene;
            use $crate::support::Backend;

            async fn body($scene: Scene<$which>) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                if let Some(scene) = Scene::<$which>::open(Backend::Sqlite).await {
                    body(scene).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                if let Some(scene) = Scene::<$which>::open(Backend::Postgres).await {
                    body(scene).await;
                }
            }
        }
    )+};
}

/// The service, and a provider that does what it is told when it is told.
pub(crate) struct Scene<F> {
    pub(crate) app: TestApp,
    pub(crate) fake: F,
    pub(crate) tenant: &'static str,
    pub(crate) hand: ManualClock,
    _stop: DropGuard,
}

fn there() -> (Options, ManualClock) {
    let (clock, hand) = Clock::manual(Timestamp::parse_rfc3339(START).unwrap());
    let options = Options { clock, entropy: Entropy::seeded(8), pace: Pace::Manual, deliver: false };
    (options, hand)
}

fn here() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

impl Scene<FakeFal> {
    pub(crate) async fn open(backend: Backend) -> Option<Self> {
        Self::open_with(backend, |_| {}).await
    }

    /// The same under another configuration.
    pub(crate) async fn open_with(backend: Backend, change: impl FnOnce(&mut Config)) -> Option<Self> {
        Self::open_redrawn_by(backend, env!("CARGO_BIN_EXE_vouchsafe").into(), change).await
    }

    /// The same, in which another program makes results anew.
    pub(crate) async fn open_redrawn_by(
        backend: Backend,
        redrawer: PathBuf,
        change: impl FnOnce(&mut Config),
    ) -> Option<Self> {
        let (options, hand) = there();
        let (fake, listening) = FakeFal::bind(here(), options).await.unwrap();
        let fal = FalAi {
            key: secret(FakeFal::KEY),
            admin_key: secret(FakeFal::ADMIN_KEY),
            user_id: Some(FakeFal::USER.to_owned()),
            base: Some(fake.base().to_owned()),
        };
        let app = TestApp::open_redrawn_by(backend, redrawer, |config| {
            config.providers.fal = Some(fal);
            change(config);
        })
        .await?;
        Some(Self { app, fake, tenant: TENANT, hand, _stop: run(listening) })
    }
}

impl Scene<FakeReplicate> {
    pub(crate) async fn open(backend: Backend) -> Option<Self> {
        Self::open_with(backend, |_| {}).await
    }

    /// The same under another configuration.
    pub(crate) async fn open_with(backend: Backend, change: impl FnOnce(&mut Config)) -> Option<Self> {
        let (options, hand) = there();
        let (fake, listening) = FakeReplicate::bind(here(), options).await.unwrap();
        let replicate = ReplicateCom {
            token: secret(FakeReplicate::TOKEN),
            webhook_secrets: secret(&fake.secret()),
            base: Some(fake.base().to_owned()),
        };
        let app = TestApp::open_with(backend, |config| {
            config.providers.replicate = Some(replicate);
            change(config);
        })
        .await?;
        Some(Self { app, fake, tenant: OTHER_TENANT, hand, _stop: run(listening) })
    }
}

impl<F> Scene<F> {
    /// Time passes here and there.
    pub(crate) fn pass(&self, time: TimeDelta) {
        self.app.advance(time);
        self.hand.advance(time);
    }

    pub(crate) async fn ada(&self) -> Person {
        self.app.person_of(self.tenant, "ada@canary-address.example").await
    }

    /// An edit is asked for, and has gone as far as it goes by itself.
    pub(crate) async fn asked(&self, ada: &Person) -> (String, String) {
        let image = self.app.upload(ada, 7).await;
        let asked = json!({ "inputs": [image], "prompt": "make it rain, canary-prompt" });
        let edit = self.wish(ada, &asked).await;
        self.app.settle().await;
        (image, edit)
    }

    /// An edit is asked for in these words, and is queued. Its id.
    pub(crate) async fn wish(&self, ada: &Person, asked: &Value) -> String {
        let answer = self.app.post("/v1/edits").by(ada).json(asked).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Time passes in small steps, and each thing that is due is done.
    pub(crate) async fn go_on(&self, steps: usize) {
        for _ in 0..steps {
            self.pass(MOMENT);
            self.app.settle().await;
        }
    }

    pub(crate) async fn edit(&self, ada: &Person, id: &str) -> Value {
        self.app.get(&format!("/v1/edits/{id}")).by(ada).send().await.json()
    }

    pub(crate) async fn credits(&self, ada: &Person) -> i64 {
        self.app.get("/v1/credits").by(ada).send().await.json()["balance"].as_i64().unwrap()
    }

    /// Whether an image opens for its owner.
    pub(crate) async fn opens(&self, ada: &Person, image: &str) -> bool {
        self.app.get(&format!("/v1/images/{image}")).by(ada).send().await.status == 200
    }

    /// The row of the register: when the provider's copy was seen to be gone, and how that is known.
    pub(crate) async fn gone_there(&self, ada: &Person) -> Option<String> {
        let rows = self.app.app.disclosures.of(&ada.owner).await.unwrap();
        assert_eq!(rows.len(), 1, "one disclosure for one edit");
        assert_eq!(rows[0].categories, "input-image prompt edit-parameters");
        rows[0].deleted_at.and(rows[0].proof.clone())
    }

    pub(crate) async fn deliver(&self, delivery: &Delivery) -> u16 {
        let path = delivery.url.strip_prefix("https://vouchsafe.test").expect("our own address");
        let mut call = self.app.post(path).body("application/json", delivery.body.clone());
        for (name, value) in &delivery.headers {
            call = call.header(name, value);
        }
        call.send().await.status
    }
}

/// Longer than any wait between two looks at a job.
pub(crate) const MOMENT: TimeDelta = TimeDelta::seconds(6);
