//! An edit cut off anywhere: at each point where a process that does it can die, and then goes on in another. Each time
//! there is one charge at the provider, one result, one price, and no copy left behind.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::fakes::{FakeFal, FakeReplicate};
use vouchsafe::jobs::{Jobs, Task};

use super::editing_stage::{MOMENT, Scene};
use super::keystore::cut_short;
use crate::support::Backend;
use crate::support::app::Person;

/// After which a killed process's jobs are another's.
const LEASE: TimeDelta = TimeDelta::seconds(31);

/// Which points are tried in each part: all of them in `make soak`. Clearing waits for few things, of which some are there
/// at once on a busy machine, so each of its first is tried.
fn points(part: Part) -> Vec<usize> {
    let soak = std::env::var_os("VOUCHSAFE_SOAK").is_some();
    let step = if part == Part::Clearing { 1 } else { 2 };
    if soak { (0..120).collect() } else { (0..12).step_by(step).chain((13..60).step_by(9)).collect() }
}

/// In which part of an edit it is cut off.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    /// While it is put to the provider.
    Setting,
    /// While its result is fetched, stored, and the copy there is erased.
    Fetching,
    /// While what a stopped edit left at the provider is erased.
    Clearing,
}

pub(crate) trait Provider {
    fn work(&self);
    fn charges(&self) -> usize;
    fn left(&self) -> (Vec<String>, Vec<String>);
}

impl Provider for FakeFal {
    fn work(&self) {
        FakeFal::work(self);
    }
    fn charges(&self) -> usize {
        FakeFal::charges(self)
    }
    fn left(&self) -> (Vec<String>, Vec<String>) {
        (self.held(), self.complaints())
    }
}

impl Provider for FakeReplicate {
    fn work(&self) {
        FakeReplicate::work(self);
    }
    fn charges(&self) -> usize {
        FakeReplicate::charges(self)
    }
    fn left(&self) -> (Vec<String>, Vec<String>) {
        (self.held(), self.complaints())
    }
}

impl<F: Provider> Scene<F> {
    async fn work(&self) {
        let jobs = Jobs::new(self.app.app.clone());
        while jobs.work().await.unwrap() > 0 {}
        jobs.reconcile(Task::Copies, &|| false).await.unwrap();
    }

    async fn state(&self, ada: &Person, edit: &str) -> String {
        self.edit(ada, edit).await["state"].as_str().unwrap().to_owned()
    }

    /// Takes an edit to its end, whatever state it is in.
    async fn finish(&self, ada: &Person, edit: &str) -> String {
        self.pass(LEASE);
        for _ in 0..16 {
            self.fake.work();
            self.pass(MOMENT);
            self.work().await;
            let state = self.state(ada, edit).await;
            if !matches!(&*state, "queued" | "running") {
                return state;
            }
            // A job that nobody knows of is only certain not to be there after some minutes.
            self.pass(TimeDelta::seconds(50));
        }
        panic!("it never ends");
    }

    /// Cuts one edit off after `point` waits of the part. Whether there was anything left to cut.
    async fn cut(&self, ada: &Person, part: Part, point: usize) -> bool {
        let before = (self.fake.charges(), self.credits(ada).await);
        let image = self.app.upload(ada, 7).await;
        let edit = self.wish(ada, &json!({ "inputs": [image], "prompt": "make it rain" })).await;
        let jobs = Jobs::new(self.app.app.clone());
        if part != Part::Setting {
            jobs.work().await.unwrap();
        }
        if part == Part::Fetching {
            self.fake.work();
            self.pass(MOMENT);
        }
        if part == Part::Clearing {
            let stopped = self.app.post(&format!("/v1/edits/{edit}/cancel")).by(ada).send().await;
            assert_eq!(stopped.status, 200, "{part:?} {point}: {}", stopped.text());
        }
        let whole = cut_short(jobs.work(), point).await.is_some();
        let ended = self.finish(ada, &edit).await;
        let why = self.edit(ada, &edit).await;
        let after = (self.fake.charges(), self.credits(ada).await);
        let (state, price) = if part == Part::Clearing { ("cancelled", 0) } else { ("succeeded", 1) };
        assert_eq!(ended, state, "{part:?} {point}: {why}");
        assert_eq!(after, (before.0 + 1, before.1 - price), "{part:?} {point}: one charge, one price");
        !whole
    }

    /// Nothing is left: not there, and here no more than is somebody's.
    async fn nothing_is_left(&self, ada: &Person, results: usize) {
        for _ in 0..10 {
            self.pass(TimeDelta::minutes(20));
            self.app.settle().await;
        }
        assert_eq!(self.fake.left(), (Vec::new(), Vec::new()));
        let rows = self.app.app.disclosures.of(&ada.owner).await.unwrap();
        assert!(rows.iter().all(|row| row.deleted_at.is_some()), "each copy was seen to be gone");
        // The uploads of what was stopped have gone by their rule as well.
        self.pass(TimeDelta::days(3));
        self.app.settle().await;
        assert_eq!(self.app.blobs().await.len(), results, "no byte that is nobody's");
        let listed = self.app.get("/v1/images?limit=200").by(ada).send().await.json();
        assert_eq!(listed["items"].as_array().unwrap().len(), results, "one result each");
    }
}

macro_rules! cut_off {
    ($($name:ident: $which:ident, $part:expr;)+) => {$(
        mod $name {
            use super::*;

            async fn body(backend: Backend) {
                let Some(s) = Scene::<$which>::open(backend).await else { return };
                let ada = s.ada().await;
                s.app.app.credits.grant(&ada.owner, 200, "granted").await.unwrap();
                let (mut cut, mut results) = (0, 0);
                for point in points($part) {
                    cut += usize::from(s.cut(&ada, $part, point).await);
                    results += usize::from($part != Part::Clearing);
                }
                assert!(cut > 5, "it was cut off {cut} times");
                s.nothing_is_left(&ada, results).await;
                s.app.leave_the_queue();
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                body(Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                body(Backend::Postgres).await;
            }
        }
    )+};
}

cut_off! {
    while_it_is_put_to_fal: FakeFal, Part::Setting;
    while_its_result_is_fetched_from_fal: FakeFal, Part::Fetching;
    while_what_it_left_at_fal_is_erased: FakeFal, Part::Clearing;
    while_it_is_put_to_replicate: FakeReplicate, Part::Setting;
    while_its_result_is_fetched_from_replicate: FakeReplicate, Part::Fetching;
}
