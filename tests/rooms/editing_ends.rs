//! How an edit ends when something is in the way of it: at a host of results, in the person's mind, in the caller's line; and
//! what it holds until then.

use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use vouchsafe::editing::EditState;
use vouchsafe::fakes::{At, FakeFal, Fault, Plan};
use vouchsafe::jobs::Jobs;
use vouchsafe::store::jobs;
use vouchsafe::vault::Actor;

use super::editing_stage::{MOMENT, Scene};
use super::keystore::cut_short;
use crate::each_scene;
use crate::support::Backend;
use crate::support::app::Person;
use crate::support::house::{run_in, takes_again, takes_none};

impl<F> Scene<F> {
    /// What is due in the queue, and no reconciler.
    async fn turns(&self) {
        let jobs = Jobs::new(self.app.app.clone());
        while jobs.work().await.unwrap() > 0 {}
    }

    /// A page, as the person's browser gets it.
    async fn page(&self, ada: &Person, path: &str) -> String {
        let cookie = format!("__Host-sid={}", ada.cookie);
        let request = Request::get(path).header("cookie", cookie).body(Body::empty()).unwrap();
        let answer = vouchsafe::web::router(self.app.edge.clone()).oneshot(request).await.unwrap();
        String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    async fn restrict(&self, ada: &Person) {
        let by = Actor::Subject(ada.owner.subject);
        self.app.app.subjects.restrict(&ada.owner, true, &by).await.unwrap();
    }
}

fn asked(image: &str, settings: Value) -> Value {
    json!({ "inputs": [image], "prompt": "make it rain", "settings": settings })
}

each_scene! {
    async fn an_errand_that_does_not_open_keeps_no_other(s: FakeFal) {
        let (ada, bob) = (s.ada().await, s.app.person_of(s.tenant, "bob@canary-address.example").await);
        let (_, hers) = s.asked(&ada).await;
        s.asked(&bob).await;
        let damage = format!("UPDATE errand SET sealed = hook WHERE edit = '{hers}'");
        run_in(&s.app.app.db, &damage).await;
        for person in [&ada, &bob] {
            s.restrict(person).await;
        }
        s.pass(MOMENT);
        s.turns().await;
        s.fake.work();
        s.go_on(4).await;
        let editing = &s.app.app.editing;
        assert_eq!(editing.copies_of(&bob.owner).await.unwrap(), 0, "{:?}", s.fake.held());
        assert_eq!(editing.copies_of(&ada.owner).await.unwrap(), 1, "it is not called done");
        let mut tx = s.app.app.db.read().await.unwrap();
        let said = jobs::troubled(&mut tx, 10).await.unwrap();
        let why = said[0].last_error.as_deref().unwrap();
        assert!(said.len() == 1 && said[0].quarantined && why.contains("is not erased"), "{said:?}");
        s.app.leave_the_queue();
    }

    async fn what_a_person_takes_back_is_stopped_there_in_the_same_moment(s: FakeFal) {
        let ada = s.ada().await;
        let (_, edit) = s.asked(&ada).await;
        s.restrict(&ada).await;
        s.pass(MOMENT);
        s.turns().await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "failed");
        s.fake.work();
        assert!(s.fake.held().iter().all(|h| !h.starts_with("file")), "it was stopped: {:?}", s.fake.held());
        s.go_on(4).await;
        assert_eq!(s.fake.held(), Vec::<String>::new());
    }

    async fn an_edit_that_takes_too_long_is_stopped_there_in_the_same_moment(s: FakeFal) {
        let ada = s.ada().await;
        let (_, edit) = s.asked(&ada).await;
        s.pass(TimeDelta::minutes(16));
        s.turns().await;
        assert_eq!(s.edit(&ada, &edit).await["error"], "the provider took too long");
        s.fake.work();
        assert!(s.fake.held().iter().all(|h| !h.starts_with("file")), "it was stopped: {:?}", s.fake.held());
        s.go_on(4).await;
        assert_eq!((s.fake.held(), s.credits(&ada).await), (Vec::<String>::new(), 100));
    }

    async fn a_host_of_results_that_never_gives_one_does_not_keep_an_edit_for_ever(s: FakeFal) {
        let ada = s.ada().await;
        let (_, edit) = s.asked(&ada).await;
        s.fake.work();
        for _ in 0..200 {
            s.fake.fault(At::Output, Fault::Status(503));
        }
        s.go_on(3).await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "running", "it may come yet");
        s.pass(TimeDelta::minutes(16));
        s.turns().await;
        let ended = s.edit(&ada, &edit).await;
        assert_eq!((&ended["state"], &ended["error"]), (&json!("failed"), &json!("the provider took too long")));
        assert_eq!((s.fake.charges(), s.credits(&ada).await), (1, 100));
        for _ in 0..8 {
            s.pass(TimeDelta::minutes(30));
            s.app.settle().await;
        }
    }

    async fn of_several_pictures_the_good_ones_are_given_and_the_others_paid_back(s: FakeFal) {
        let ada = s.ada().await;
        let image = s.app.upload(&ada, 7).await;
        let edit = s.wish(&ada, &asked(&image, json!({ "images": 3 }))).await;
        s.app.settle().await;
        s.fake.work();
        s.fake.fault(At::Output, Fault::Html);
        s.go_on(1).await;
        let done = s.edit(&ada, &edit).await;
        assert_eq!((&done["state"], done["outputs"].as_array().unwrap().len()), (&json!("succeeded"), 2), "{done}");
        assert_eq!((s.credits(&ada).await, s.fake.held()), (98, Vec::<String>::new()));
        let page = s.page(&ada, &format!("/{}/edits/{edit}", s.tenant)).await;
        for output in done["outputs"].as_array().unwrap() {
            assert!(page.contains(&format!("/images/{}/large", output.as_str().unwrap())), "{page}");
        }
    }

    async fn a_picture_that_may_come_in_a_moment_is_waited_for(s: FakeFal) {
        let ada = s.ada().await;
        let image = s.app.upload(&ada, 7).await;
        let edit = s.wish(&ada, &asked(&image, json!({ "images": 2 }))).await;
        s.app.settle().await;
        s.fake.work();
        s.fake.fault(At::Output, Fault::Status(503));
        s.pass(MOMENT);
        s.turns().await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "running");
        s.go_on(1).await;
        let done = s.edit(&ada, &edit).await;
        assert_eq!((&done["state"], done["outputs"].as_array().unwrap().len()), (&json!("succeeded"), 2), "{done}");
    }

    async fn a_webhook_at_an_address_that_nobody_has_is_not_read(s: FakeFal) {
        let ada = s.ada().await;
        s.asked(&ada).await;
        let vast = Bytes::from(vec![b' '; 33 << 20]);
        let hook = |nonce: &str| s.app.post(&format!("/hooks/fal-ai/{nonce}")).body("application/json", vast.clone());
        assert_eq!(hook("nobodys").send().await.status, 202);
        s.fake.work();
        let own = s.fake.outbox().pop().unwrap();
        let nonce = own.url.rsplit('/').next().unwrap().to_owned();
        assert_eq!(hook(&nonce).send().await.status, 413, "a control: at this one it is");
        assert_eq!(s.app.post("/hooks/replicate/nobodys").send().await.status, 404, "it is not set up");
        s.go_on(2).await;
    }

    async fn what_is_told_to_the_apps_server_does_not_wait_for_the_next_look(s: FakeFal) {
        let ada = s.ada().await;
        let (_, edit) = s.asked(&ada).await;
        assert!(s.app.app.webhooks.nudge().notified().now_or_never().is_none(), "nothing to tell yet");
        s.fake.work();
        s.go_on(1).await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "succeeded");
        assert!(s.app.app.webhooks.nudge().notified().now_or_never().is_some());
    }

    async fn a_call_whose_caller_goes_away_is_brought_to_its_end_and_answers_the_next(s: FakeFal) {
        let ada = s.ada().await;
        for point in [0, 1, 2, 3, 5, 8, 13, 21] {
            let image = s.app.upload(&ada, point).await;
            let key = format!("key-{point}");
            let ask = || s.app.post("/v1/edits").by(&ada).once(&key).json(&asked(&image, json!({}))).send();
            let before = (s.credits(&ada).await, s.app.get("/v1/edits?limit=200").by(&ada).send().await.json());
            let gone = cut_short(ask(), usize::try_from(point).unwrap()).await.is_none();
            let told = loop {
                let told = ask().await;
                if told.status != 409 {
                    break told;
                }
                assert!(gone, "only one that was left runs on");
                tokio::task::yield_now().await;
            };
            assert_eq!(told.status, 201, "{point}: {}", told.text());
            let again = ask().await;
            assert_eq!(again.body, told.body, "{point}: the first answer");
            let after = s.app.get("/v1/edits?limit=200").by(&ada).send().await.json();
            let many = |list: &Value| list["items"].as_array().unwrap().len();
            assert_eq!((many(&after), s.credits(&ada).await), (many(&before.1) + 1, before.0 - 1), "{point}");
        }
        s.app.leave_the_queue();
    }

    async fn who_waits_for_a_result_hears_of_it_before_anything_is_tidied_up(s: FakeFal) {
        let ada = s.ada().await;
        let image = s.app.upload(&ada, 7).await;
        let wish = json!({ "inputs": [image], "prompt": "make it warmer", "provider": "studio" });
        let edit = s.wish(&ada, &wish).await.parse().unwrap();
        let mut steps = s.app.app.editing.progress().listen();
        takes_none(&s.app.app.db, "ledger_entry", "NEW.kind = 'object.erased'").await;
        s.turns().await;
        assert_eq!(s.app.queue().await, (1, 0), "a control: the tidying up failed");
        let told: Vec<_> = std::iter::from_fn(|| steps.try_recv().ok()).map(|step| (step.edit, step.state)).collect();
        assert_eq!(told.last(), Some(&(edit, EditState::Succeeded)), "{told:?}");
        takes_again(&s.app.app.db, "ledger_entry").await;
        s.pass(TimeDelta::minutes(1));
        s.app.settle().await;
        assert!(!s.opens(&ada, &image).await, "it is made good later");
    }

    async fn a_provider_without_time_for_an_hour_is_told_of_once(s: FakeFal) {
        let ada = s.ada().await;
        let many = 1_000;
        for _ in 0..many {
            // It does not say for how long.
            s.fake.fault(At::Submit, Fault::Status(429));
        }
        let (_, edit) = s.asked(&ada).await;
        let image = s.app.upload(&ada, 8).await;
        let other = s.wish(&ada, &asked(&image, json!({}))).await;
        for _ in 0..58 * 12 {
            s.pass(TimeDelta::seconds(5));
            s.turns().await;
        }
        let put = many - s.fake.faults_left();
        assert!((50..200).contains(&put), "about once a minute for each of two: {put}");
        let told = async |kind: &str| s.app.ledger_kinds().await.iter().filter(|k| *k == kind).count();
        let rows = async || s.app.app.disclosures.of(&ada.owner).await.unwrap();
        s.app.settle().await;
        assert_eq!((rows().await.len(), told("disclosure.made").await, told("disclosure.ended").await), (2, 2, 0));
        // A person may change their mind meanwhile; what was never taken is not looked for.
        assert_eq!(s.app.post(&format!("/v1/edits/{other}/cancel")).by(&ada).send().await.status, 200);
        s.turns().await;
        assert_eq!((s.app.app.editing.copies_of(&ada.owner).await.unwrap(), s.credits(&ada).await), (1, 99));
        s.fake.forgive();
        s.pass(TimeDelta::seconds(80));
        s.app.settle().await;
        s.fake.work();
        s.go_on(1).await;
        assert_eq!((s.fake.charges(), s.edit(&ada, &edit).await["state"].clone()), (1, json!("succeeded")));
        assert_eq!((rows().await.len(), told("disclosure.made").await, told("disclosure.ended").await), (2, 2, 2));
        let sent = rows().await.into_iter().find(|row| row.edit.as_deref() == Some(&*edit)).unwrap();
        assert!(s.app.now().since(sent.sent_at) < TimeDelta::minutes(2), "it went when it was taken");
        assert!(rows().await.iter().all(|row| row.deleted_at.is_some()));
        assert_eq!(s.fake.held(), Vec::<String>::new());
    }

    async fn a_person_is_erased_though_a_provider_does_not_let_go(s: FakeFal) {
        let ada = s.ada().await;
        s.asked(&ada).await;
        s.fake.work();
        for _ in 0..2000 {
            s.fake.fault(At::Delete, Fault::Status(403));
        }
        let filed = s.app.post("/v1/requests").by(&ada).json(&json!({ "right": "erasure" })).send().await;
        let id = filed.json()["id"].as_str().unwrap().to_owned();
        assert!(s.app.post(&format!("/v1/requests/{id}/waive")).by(&ada).send().await.status < 300);
        s.app.settle().await;
        let erasure = || async { s.app.app.requests.erasures(&ada.owner.tenant, 10).await.unwrap().remove(0) };
        s.pass(TimeDelta::hours(40));
        s.app.settle().await;
        assert!(erasure().await.verified_at.is_none(), "the provider has its time");
        s.pass(TimeDelta::hours(9));
        s.app.settle().await;
        assert!(erasure().await.verified_at.is_some(), "and no more than that");
        let request = s.app.app.requests.find(&ada.owner.tenant, id.parse().unwrap()).await.unwrap();
        assert_eq!(request.outcome.as_deref(), Some("partly-fulfilled"), "that is not called all");
        let entries = s.app.ledger_entries().await;
        let told = entries.iter().find(|e| e.leaf.kind.as_str() == "erasure.completed").unwrap();
        assert_eq!(told.leaf.facts["open-copies"].to_string(), "1");
        assert_eq!(erasure().await.open_copies, 1);
        let letters = s.app.mails().into_iter().filter(|m| m.letter.text.contains("vouchsafe verify"));
        let letter = letters.map(|m| m.letter.text).collect::<String>();
        assert!(letter.contains("Copies at providers that we have not seen to be gone yet (1)"), "{letter}");
        let page = s.page(&ada, &format!("/{}/erased/{id}", ada.owner.tenant)).await;
        assert!(page.contains("Copies at providers that we had not seen to be gone (1)"), "{page}");
        assert_eq!(s.app.app.editing.copies_left(&ada.owner.tenant).await.unwrap(), 1, "it is looked for still");
        // Where the provider comes round, its copy goes and the register says so.
        while s.app.app.editing.copies_left(&ada.owner.tenant).await.unwrap() > 0 {
            s.fake.forgive();
            s.pass(TimeDelta::minutes(20));
            s.app.settle().await;
        }
        let register = s.app.app.disclosures.register(&ada.owner.tenant, 10).await.unwrap();
        assert!(register.iter().all(|row| row.deleted_at.is_some()), "{register:?}");
    }
}

/// With one place at the provider, or one edit a day.
async fn tight(backend: Backend, change: fn(&mut vouchsafe::config::Config)) -> Option<Scene<FakeFal>> {
    Scene::<FakeFal>::open_with(backend, change).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_errand_whose_edit_is_over_holds_no_place() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let Some(s) = tight(backend, |config| config.providers.at_once = 1).await else { continue };
        let ada = s.ada().await;
        // Whether it was taken is not known, and will not be for a day: what is listed says nothing of itself.
        s.fake.plan(Plan::IgnoreCancel);
        s.fake.fault(At::Submit, Fault::LoseAnswer);
        let (_, lost) = s.asked(&ada).await;
        let stopped = s.app.post(&format!("/v1/edits/{lost}/cancel")).by(&ada).send().await;
        assert_eq!(stopped.status, 200);
        s.app.settle().await;
        let (_, next) = s.asked(&ada).await;
        assert_eq!(s.fake.charges(), 2, "the place was free");
        s.fake.work();
        s.go_on(2).await;
        assert_eq!(s.edit(&ada, &next).await["state"], "succeeded");
        s.app.leave_the_queue();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_edit_that_was_turned_away_counts_for_the_day() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let Some(s) = tight(backend, |config| config.providers.a_day = Some(1)).await else { continue };
        let ada = s.ada().await;
        s.fake.fault(At::Submit, Fault::Busy(3));
        let (_, edit) = s.asked(&ada).await;
        assert_eq!((s.fake.charges(), s.edit(&ada, &edit).await["state"].clone()), (0, json!("running")));
        let image = s.app.upload(&ada, 8).await;
        let another = s.app.post("/v1/edits").by(&ada).json(&asked(&image, json!({}))).send().await;
        assert_eq!(another.status, 429, "{}", another.text());
        s.pass(TimeDelta::seconds(4));
        s.app.settle().await;
        s.fake.work();
        s.go_on(1).await;
        assert_eq!((s.fake.charges(), s.edit(&ada, &edit).await["state"].clone()), (1, json!("succeeded")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_long_line_is_not_a_provider_without_time() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let Some(s) = tight(backend, |config| config.providers.at_once = 1).await else { continue };
        let ada = s.ada().await;
        // There was no time at the very beginning; since then there is, but one place only.
        s.fake.fault(At::Submit, Fault::Busy(3));
        let mut edits = Vec::new();
        for seed in 0..8 {
            let image = s.app.upload(&ada, seed).await;
            edits.push(s.wish(&ada, &asked(&image, json!({}))).await);
        }
        s.app.settle().await;
        for _ in 0..40 {
            s.pass(TimeDelta::minutes(10));
            s.fake.work();
            s.app.settle().await;
        }
        for edit in edits {
            assert_eq!(s.edit(&ada, &edit).await["state"], "succeeded");
        }
        assert_eq!((s.fake.charges(), s.fake.held()), (8, Vec::<String>::new()));
    }
}
