//! An edit that a provider does, from the asking to the last proof that nothing of it is left there. The provider is a
//! stand-in that speaks its protocol and complains of what the real one would refuse.

use chrono::TimeDelta;
use serde_json::{Value, json};
use vouchsafe::fakes::{At, Delivery, FakeFal, FakeReplicate, Fault, Plan};
use vouchsafe::imaging::{self, DigitalSourceType};
use vouchsafe::vault::Actor;

use super::editing_stage::MOMENT;
use crate::each_scene;

each_scene! {
    async fn the_result_comes_back_marked_and_nothing_is_left_there(s: FakeFal) {
        let ada = s.ada().await;
        let (image, edit) = s.asked(&ada).await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "running");
        assert_eq!(s.edit(&ada, &edit).await["provider"], "fal-ai");
        assert!(s.opens(&ada, &image).await, "the upload stays until the edit has succeeded");

        s.fake.work();
        s.pass(MOMENT);
        s.app.settle().await;
        let done = s.edit(&ada, &edit).await;
        assert_eq!(done["state"], "succeeded", "{done}");
        assert!(!s.opens(&ada, &image).await, "and not a moment longer");
        let output = done["output"].as_str().unwrap();
        let picture = s.app.get(&format!("/v1/images/{output}")).by(&ada).send().await.body;
        let mark = imaging::read_mark(&picture);
        assert_eq!(mark, Some(DigitalSourceType::CompositeWithTrainedAlgorithmicMedia));

        assert_eq!((s.fake.charges(), s.credits(&ada).await), (1, 99), "paid once, to them and by her");
        assert_eq!(s.gone_there(&ada).await.as_deref(), Some("history-empty+output-gone+payload-deleted"));
        assert_eq!(s.fake.held(), Vec::<String>::new());
        assert_eq!(s.fake.complaints(), Vec::<String>::new());
        let kinds = s.app.ledger_kinds().await;
        for kind in ["disclosure.made", "disclosure.ended", "object.stored", "object.erased"] {
            assert!(kinds.iter().any(|k| k == kind), "{kind} is on the ledger");
        }
    }

    async fn the_provider_learns_nothing_of_whose_picture_it_is(s: FakeFal) {
        let ada = s.ada().await;
        s.asked(&ada).await;
        let sent = s.fake.last_input().unwrap();
        let text = sent.to_string();
        for canary in ["canary-address", &ada.owner.subject.to_string(), "flux-kontext", "obj_", "edt_"] {
            assert!(!text.contains(canary), "{canary} was sent");
        }
        let url = sent["image_url"].as_str().unwrap();
        let (head, data) = url.split_once(',').unwrap();
        assert_eq!(head, "data:image/jpeg;base64");
        let picture = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data).unwrap();
        let seen = imaging::inspect(&picture, &imaging::Limits::default()).unwrap();
        assert!(seen.carries.is_empty(), "no EXIF, no position: {:?}", seen.carries);
        s.app.leave_the_queue();
    }

    async fn a_lost_answer_is_looked_for_and_never_sent_again(s: FakeFal) {
        let ada = s.ada().await;
        s.fake.fault(At::Submit, Fault::LoseAnswer);
        let (_, edit) = s.asked(&ada).await;
        assert_eq!((s.fake.charges(), s.edit(&ada, &edit).await["state"].clone()), (1, json!("running")));
        s.fake.work();
        for _ in 0..3 {
            s.pass(MOMENT);
            s.app.settle().await;
        }
        assert_eq!(s.edit(&ada, &edit).await["state"], "succeeded");
        assert_eq!((s.fake.charges(), s.credits(&ada).await), (1, 99));
        assert_eq!(s.fake.held(), Vec::<String>::new());
    }

    async fn a_webhook_counts_when_it_is_signed_and_leads_to_what_was_lost(s: FakeFal) {
        let ada = s.ada().await;
        s.fake.fault(At::Submit, Fault::LoseAnswer);
        let (_, edit) = s.asked(&ada).await;
        s.fake.work();
        let delivery = s.fake.outbox().pop().expect("a webhook");
        let forged = Delivery { body: delivery.body.iter().map(|b| b ^ 1).collect(), ..delivery.clone() };
        assert_eq!(s.deliver(&forged).await, 401);
        let elsewhere = Delivery { url: format!("{}x", delivery.url), ..delivery.clone() };
        assert_eq!(s.deliver(&elsewhere).await, 202, "nobody's: taken, and without effect");
        s.app.settle().await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "running", "no time has passed, nothing was believed");
        assert_eq!(s.deliver(&delivery).await, 202);
        s.app.settle().await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "succeeded", "at once, without waiting for a turn");
        assert_eq!(s.deliver(&delivery).await, 202, "again, and without effect");
        s.pass(TimeDelta::minutes(6));
        assert_eq!(s.deliver(&delivery).await, 401, "too old");
        s.app.settle().await;
        assert_eq!((s.fake.charges(), s.fake.held()), (1, Vec::<String>::new()));
    }

    async fn stopping_an_edit_gives_the_credits_back_and_leaves_no_copy(s: FakeFal) {
        let ada = s.ada().await;
        s.fake.plan(Plan::IgnoreCancel);
        let (image, edit) = s.asked(&ada).await;
        let stopped = s.app.post(&format!("/v1/edits/{edit}/cancel")).by(&ada).send().await;
        assert_eq!(stopped.status, 200, "{}", stopped.text());
        s.app.settle().await;
        // It was not to be stopped there: the job succeeds all the same, and its result is erased.
        s.fake.work();
        assert!(!s.fake.held().is_empty());
        for _ in 0..4 {
            s.pass(TimeDelta::seconds(20));
            s.app.settle().await;
        }
        assert_eq!(s.edit(&ada, &edit).await["state"], "cancelled");
        assert_eq!(s.edit(&ada, &edit).await["output"], Value::Null);
        assert_eq!((s.credits(&ada).await, s.fake.held()), (100, Vec::<String>::new()));
        assert!(s.gone_there(&ada).await.is_some());
        assert!(s.opens(&ada, &image).await, "the upload goes by its own rule");
    }

    async fn a_restriction_counts_for_what_is_under_way(s: FakeFal) {
        let ada = s.ada().await;
        let (_, edit) = s.asked(&ada).await;
        s.app.app.subjects.restrict(&ada.owner, true, &Actor::Subject(ada.owner.subject)).await.unwrap();
        s.fake.work();
        s.pass(MOMENT);
        s.app.settle().await;
        let ended = s.edit(&ada, &edit).await;
        assert_eq!((ended["state"].clone(), ended["error"].clone()), (json!("failed"), json!("processing of your data is restricted")));
        assert_eq!((s.credits(&ada).await, s.fake.held()), (100, Vec::<String>::new()));
    }

    async fn what_is_no_picture_is_not_taken(s: FakeFal) {
        let ada = s.ada().await;
        for fault in [Fault::Html, Fault::Empty, Fault::Vast, Fault::Endless, Fault::Redirect("http://127.0.0.1:1/".to_owned())] {
            s.fake.fault(At::Output, fault.clone());
            let (image, edit) = s.asked(&ada).await;
            s.fake.work();
            for _ in 0..3 {
                s.pass(MOMENT);
                s.app.settle().await;
            }
            let ended = s.edit(&ada, &edit).await;
            assert_eq!(ended["state"], "failed", "{fault:?}: {ended}");
            assert_eq!(ended["output"], Value::Null, "{fault:?}");
            assert_eq!((s.credits(&ada).await, s.fake.held()), (100, Vec::<String>::new()), "{fault:?}");
            assert!(s.opens(&ada, &image).await, "{fault:?}: nothing is lost, it can be tried again");
        }
    }

    async fn a_refusal_ends_the_edit_and_says_why(s: FakeFal) {
        let ada = s.ada().await;
        s.fake.plan(Plan::Refuse);
        let (_, edit) = s.asked(&ada).await;
        s.fake.work();
        s.pass(MOMENT);
        s.app.settle().await;
        let ended = s.edit(&ada, &edit).await;
        assert_eq!(ended["error"], "the provider's content rules do not allow this edit");
        assert_eq!(s.credits(&ada).await, 100);
    }

    async fn a_busy_provider_is_asked_again_later(s: FakeFal) {
        let ada = s.ada().await;
        s.fake.fault(At::Submit, Fault::Busy(3));
        let (_, edit) = s.asked(&ada).await;
        assert_eq!((s.fake.charges(), s.edit(&ada, &edit).await["state"].clone()), (0, json!("running")));
        s.pass(TimeDelta::seconds(4));
        s.app.settle().await;
        assert_eq!(s.fake.charges(), 1);
        s.fake.work();
        s.pass(MOMENT);
        s.app.settle().await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "succeeded");
    }

    async fn a_provider_that_is_busy_for_long_or_left_alone_for_a_while_uses_up_no_try(s: FakeFal) {
        let ada = s.ada().await;
        s.fake.fault(At::Submit, Fault::Busy(3));
        let (_, edit) = s.asked(&ada).await;
        for _ in 0..8 {
            s.fake.fault(At::Submit, Fault::Busy(3));
            s.pass(TimeDelta::seconds(4));
            s.app.settle().await;
        }
        assert_eq!((s.fake.charges(), s.edit(&ada, &edit).await["state"].clone()), (0, json!("running")));
        s.go_on(1).await;
        assert_eq!(s.fake.charges(), 1);
        // Five failures in a row close the line to it; another edit waits until it is open again.
        for _ in 0..12 {
            s.fake.fault(At::Status, Fault::Status(503));
        }
        s.go_on(2).await;
        let told = async || s.app.app.disclosures.of(&ada.owner).await.unwrap().len();
        let before = told().await;
        let (_, other) = s.asked(&ada).await;
        assert_eq!((s.fake.charges(), s.edit(&ada, &other).await["state"].clone()), (1, json!("running")));
        assert_eq!(told().await, before, "it has not set out");
        s.fake.forgive();
        s.pass(TimeDelta::seconds(30));
        s.go_on(2).await;
        assert_eq!(s.fake.charges(), 2);
        s.fake.work();
        s.go_on(2).await;
        for edit in [edit, other] {
            assert_eq!(s.edit(&ada, &edit).await["state"], "succeeded");
        }
    }

    async fn an_edit_that_nobody_has_time_for_ends_after_an_hour_and_costs_nothing(s: FakeFal) {
        let ada = s.ada().await;
        s.fake.fault(At::Submit, Fault::Busy(3));
        let (_, edit) = s.asked(&ada).await;
        s.fake.fault(At::Submit, Fault::Busy(3));
        s.pass(TimeDelta::minutes(59));
        s.app.settle().await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "running");
        s.pass(TimeDelta::minutes(2));
        s.app.settle().await;
        let ended = s.edit(&ada, &edit).await;
        assert_eq!((&ended["state"], &ended["error"]), (&json!("failed"), &json!("the provider had no time for this edit")));
        assert_eq!((s.fake.charges(), s.credits(&ada).await), (0, 100));
    }

    async fn an_erasure_is_not_done_before_the_provider_has_let_go(s: FakeFal) {
        let ada = s.ada().await;
        s.fake.plan(Plan::KeepFile);
        s.asked(&ada).await;
        s.fake.work();
        let filed = s.app.post("/v1/requests").by(&ada).json(&json!({ "right": "erasure" })).send().await;
        assert!(filed.status < 300, "{}", filed.text());
        let waive = format!("/v1/requests/{}/waive", filed.json()["id"].as_str().unwrap());
        assert!(s.app.post(&waive).by(&ada).send().await.status < 300);
        s.app.settle().await;
        let begun = s.app.app.requests.erasures(&ada.owner.tenant, 10).await.unwrap();
        let erasure = begun.first().expect("an erasure");
        assert!(erasure.destroyed_at.is_some(), "the key is dead whatever the provider does");
        assert!(erasure.verified_at.is_none(), "and yet it is not called done: {:?}", s.fake.held());
        for _ in 0..6 {
            s.pass(TimeDelta::minutes(15));
            s.app.settle().await;
        }
        assert_eq!(s.fake.held(), Vec::<String>::new());
        let done = s.app.app.requests.erasures(&ada.owner.tenant, 10).await.unwrap();
        assert!(done.first().is_some_and(|e| e.verified_at.is_some()), "{done:?}");
        assert!(s.app.ledger_kinds().await.iter().any(|k| k == "erasure.completed"));
    }

    async fn replicate_does_it_and_is_seen_to_remove_it(s: FakeReplicate) {
        let ada = s.ada().await;
        let (image, edit) = s.asked(&ada).await;
        s.fake.work();
        s.pass(MOMENT);
        s.app.settle().await;
        let done = s.edit(&ada, &edit).await;
        assert_eq!((done["state"].clone(), done["provider"].clone()), (json!("succeeded"), json!("replicate")));
        assert!(!s.opens(&ada, &image).await);
        assert!(s.gone_there(&ada).await.is_none(), "Replicate removes by itself, an hour later");
        for _ in 0..8 {
            s.pass(TimeDelta::minutes(15));
            s.app.settle().await;
        }
        assert!(s.gone_there(&ada).await.unwrap().contains("data-removed"));
        assert_eq!((s.fake.charges(), s.credits(&ada).await), (1, 99));
        assert_eq!(s.fake.held(), Vec::<String>::new());
        assert_eq!(s.fake.complaints(), Vec::<String>::new());
    }
}
