//! Pictures that are too large to be sent along: a provider fetches them from an address of ours that is made for one job
//! and dies with it.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio_util::sync::DropGuard;
use vouchsafe::fakes::{FakeFal, FakeReplicate, Plan};
use vouchsafe::imaging;
use vouchsafe::jobs::Jobs;
use vouchsafe::vault::Actor;

use super::editing_stage::{MOMENT, Scene};
use super::providers_stage::picture;
use crate::support::Backend;
use crate::support::app::Person;

/// Eight and a half megabytes.
fn large() -> Bytes {
    static LARGE: OnceLock<Bytes> = OnceLock::new();
    LARGE.get_or_init(|| picture(1700, 1700)).clone()
}

/// A scene whose provider reaches us over HTTP.
macro_rules! reached {
    ($which:ident, $backend:expr) => {{
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = format!("http://{}", listener.local_addr().unwrap());
        let change = |config: &mut vouchsafe::config::Config| config.providers.callback_url = Some(ours);
        match Scene::<$which>::open_with($backend, change).await {
            Some(scene) => {
                let stop: DropGuard = scene.app.listen_on(listener);
                (scene, stop)
            }
            None => continue,
        }
    }};
}

impl<F> Scene<F> {
    async fn upload(&self, ada: &Person, bytes: Bytes) -> String {
        let answer = self.app.post("/v1/images").by(ada).body("image/png", bytes).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }
}

/// The part of a link that is an address of ours.
fn path(link: &str) -> &str {
    &link[link.find("/v1/").unwrap()..]
}

async fn status(s: &Scene<FakeFal>, link: &str) -> u16 {
    s.app.get(path(link)).send().await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_large_picture_is_fetched_from_us_and_the_address_dies_with_the_edit() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (s, _serving) = reached!(FakeFal, backend);
        let ada = s.ada().await;
        let image = s.upload(&ada, large()).await;
        let own = s.app.get(&format!("/v1/images/{image}")).by(&ada).send().await.body;
        let edit = s.wish(&ada, &json!({ "inputs": [image], "prompt": "make it grey" })).await;
        s.app.settle().await;
        assert_eq!(s.fake.complaints(), Vec::<String>::new());
        let links = s.fake.links();
        assert_eq!((s.fake.charges(), links.len()), (1, 1), "it was put, and the picture fetched");
        let link = links.into_iter().next().unwrap();
        for told in [&image, &edit, &ada.owner.subject.to_string(), "flux-kontext"] {
            assert!(!link.contains(told), "{link} says {told}");
        }

        let whole = s.app.get(path(&link)).send().await;
        assert_eq!((whole.status, whole.header("content-type")), (200, "image/png"));
        assert_eq!(whole.header("cache-control"), "no-store");
        assert_eq!(whole.body, own, "the very picture");
        assert!(imaging::inspect(&whole.body, &imaging::Limits::default()).unwrap().carries.is_empty());
        let part = s.app.get(path(&link)).header("range", "bytes=8-15").send().await;
        assert_eq!((part.status, &part.body[..]), (206, &own[8..16]));
        let head = s.app.call("HEAD", path(&link)).send().await;
        assert_eq!((head.status, head.body.len()), (200, 0));

        // What nobody was told is not there, and looks like what is dead.
        let stranger = link.replace("/v1/inputs/", "/v1/inputs/x");
        let other = link.replace("/0.png", "/1.png");
        let (stranger, other) =
            (s.app.get(path(&stranger)).send().await, s.app.get(path(&other)).send().await);
        assert_eq!(
            (stranger.problem(404), other.problem(404)),
            ("not-found".to_owned(), "not-found".to_owned())
        );

        let rows = s.app.app.disclosures.of(&ada.owner).await.unwrap();
        assert!(rows[0].bytes >= i64::try_from(own.len()).unwrap(), "the register counts what was fetched");
        s.fake.work();
        s.go_on(1).await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "succeeded");
        assert_eq!(s.app.get(path(&link)).send().await.body, stranger.body, "dead, like one that never was");
        assert_eq!((s.fake.held(), s.fake.complaints()), (Vec::<String>::new(), Vec::<String>::new()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_address_is_dead_as_soon_as_the_person_says_so_or_time_has_passed() {
    // Each upload of such a picture takes seconds, so that each way is tried on one of the databases.
    for (backend, ways) in
        [(Backend::Sqlite, ["cancelled", "used up"]), (Backend::Postgres, ["restricted", "late"])]
    {
        let (s, _serving) = reached!(FakeFal, backend);
        for how in ways {
            let ada = s.app.person_of(s.tenant, &format!("{}@example.org", how.replace(' ', "-"))).await;
            let image = s.upload(&ada, large()).await;
            s.fake.plan(Plan::IgnoreCancel);
            let edit = s.wish(&ada, &json!({ "inputs": [image], "prompt": "make it grey" })).await;
            s.app.settle().await;
            let link = s.fake.links().pop().unwrap();
            assert_eq!(status(&s, &link).await, 200, "{how}: a control");
            match how {
                "cancelled" => {
                    let stopped = s.app.post(&format!("/v1/edits/{edit}/cancel")).by(&ada).send().await;
                    assert_eq!(stopped.status, 200, "{}", stopped.text());
                }
                "restricted" => {
                    let herself = Actor::Subject(ada.owner.subject);
                    s.app.app.subjects.restrict(&ada.owner, true, &herself).await.unwrap();
                }
                "late" => s.pass(TimeDelta::minutes(10)),
                _ => {
                    for _ in 0..30 {
                        status(&s, &link).await;
                    }
                }
            }
            assert_eq!(status(&s, &link).await, 404, "{how}");
            s.fake.work();
            s.go_on(4).await;
        }
        assert_eq!((s.fake.held(), s.fake.complaints()), (Vec::<String>::new(), Vec::<String>::new()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_pictures_only_what_is_too_much_lies_behind_a_link() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (s, _serving) = reached!(FakeFal, backend);
        let ada = s.ada().await;
        let (small, big) = (s.upload(&ada, picture(64, 48)).await, s.upload(&ada, large()).await);
        let asked = json!({ "inputs": [small, big], "prompt": "side by side" });
        let edit = s.wish(&ada, &asked).await;
        s.app.settle().await;
        let sent = s.fake.last_input().unwrap();
        let urls: Vec<&str> =
            sent["image_urls"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(urls[0].starts_with("data:image/png;base64,") && urls[1].ends_with("/1.png"), "{}", urls[1]);
        s.fake.work();
        s.go_on(1).await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "succeeded", "{}", s.edit(&ada, &edit).await);
        assert_eq!((s.fake.held(), s.fake.complaints()), (Vec::<String>::new(), Vec::<String>::new()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_an_address_of_ours_fal_is_not_asked_and_it_is_said_why() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let nowhere =
            |config: &mut vouchsafe::config::Config| config.providers.callback_url = Some("none".to_owned());
        let Some(s) = Scene::<FakeFal>::open_with(backend, nowhere).await else { continue };
        let ada = s.ada().await;
        let image = s.upload(&ada, large()).await;
        let asked = json!({ "inputs": [image], "prompt": "make it grey" });
        let refused = s.app.post("/v1/edits").by(&ada).json(&asked).send().await;
        assert_eq!(refused.problem(422), "invalid");
        assert!(refused.text().contains("no public address"), "{}", refused.text());
        assert_eq!((s.credits(&ada).await, s.fake.charges()), (100, 0), "nothing was changed");
        assert!(s.opens(&ada, &image).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicate_fetches_what_it_can_and_is_given_a_file_only_when_it_cannot() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (s, _serving) = reached!(FakeReplicate, backend);
        let ada = s.ada().await;
        let image = s.upload(&ada, picture(400, 400)).await;
        let edit = s.wish(&ada, &json!({ "inputs": [image], "prompt": "make it grey" })).await;
        s.app.settle().await;
        assert_eq!((s.fake.links().len(), s.fake.uploads()), (1, 0), "{:?}", s.fake.complaints());
        s.fake.work();
        s.go_on(1).await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "succeeded");

        let nowhere =
            |config: &mut vouchsafe::config::Config| config.providers.callback_url = Some("none".to_owned());
        let Some(s) = Scene::<FakeReplicate>::open_with(backend, nowhere).await else { continue };
        let ada = s.ada().await;
        let image = s.upload(&ada, picture(400, 400)).await;
        let edit = s.wish(&ada, &json!({ "inputs": [image], "prompt": "make it grey" })).await;
        s.app.settle().await;
        assert_eq!((s.fake.links().len(), s.fake.uploads()), (0, 1));
        s.fake.work();
        s.pass(MOMENT);
        s.app.settle().await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "succeeded");
        assert!(
            s.fake.held().iter().all(|h| !h.starts_with("upload")),
            "the file goes at once: {:?}",
            s.fake.held()
        );
        for _ in 0..8 {
            s.pass(TimeDelta::minutes(15));
            s.app.settle().await;
        }
        assert_eq!((s.fake.held(), s.fake.complaints()), (Vec::<String>::new(), Vec::<String>::new()));
    }
}

/// A program that makes results anew, as ours does, each time after a line was written into a gate.
fn behind_a_gate(folder: &Path) -> (PathBuf, PathBuf) {
    let (program, gate) = (folder.join("redraw"), folder.join("gate"));
    assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
    let ours = env!("CARGO_BIN_EXE_vouchsafe");
    let script = format!("#!/bin/sh\nread -r line < '{}'\nexec '{ours}' \"$@\"\n", gate.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    (program, gate)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_more_results_are_in_memory_than_have_a_turn() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let folder = tempfile::tempdir().unwrap();
        let (program, gate) = behind_a_gate(folder.path());
        let many = |config: &mut vouchsafe::config::Config| config.providers.at_once = 20;
        let Some(s) = Scene::<FakeFal>::open_redrawn_by(backend, program, many).await else { continue };
        let ada = s.ada().await;
        let mut images = Vec::new();
        for seed in 0..20 {
            images.push(s.app.upload(&ada, seed).await);
        }
        let asked = json!({ "inputs": images, "prompt": "make it rain" });
        assert_eq!(s.app.post("/v1/edits/batch").by(&ada).json(&asked).send().await.status, 201);
        s.app.settle().await;
        s.fake.work();
        s.pass(MOMENT);
        let jobs = Jobs::new(s.app.app.clone());
        let look = async {
            while s.fake.fetched() < 16 {
                tokio::task::yield_now().await;
            }
            // None of them can be made anew yet; the others have all the time to be fetched as well.
            for _ in 0..300 {
                s.credits(&ada).await;
            }
            assert_eq!(s.fake.fetched(), 16);
            let mut gate = std::fs::OpenOptions::new().read(true).write(true).open(&gate).unwrap();
            gate.write_all(&[b'\n'; 20]).unwrap();
            gate
        };
        let (done, _gate) = tokio::join!(jobs.work(), look);
        assert_eq!(done.unwrap(), 20);
        let listed = s.app.get("/v1/edits?state=succeeded").by(&ada).send().await.json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 20);
        s.go_on(2).await;
        assert_eq!(s.fake.held(), Vec::<String>::new());
    }
}
