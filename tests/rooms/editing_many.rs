//! More than one picture: variations of one edit, the same edit of many pictures, several pictures in one; what each
//! provider does not take is said at the asking; credits and places are counted to the last one; edits are found again.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use vouchsafe::fakes::{FakeFal, FakeReplicate, Plan};
use vouchsafe::jobs::Jobs;
use vouchsafe::vault::{Access, Actor};

use super::editing_stage::Scene;
use crate::each_scene;
use crate::support::Backend;
use crate::support::app::Person;

impl<F> Scene<F> {
    /// What is wrong with a wish, in the words of its refusal. Nothing is changed by it.
    async fn refused(&self, ada: &Person, inputs: &[&str], settings: Value, provider: &str) -> String {
        let asked =
            json!({ "inputs": inputs, "prompt": "make it grey", "settings": settings, "provider": provider });
        let before = self.credits(ada).await;
        let answer = self.app.post("/v1/edits").by(ada).json(&asked).send().await;
        assert_eq!(answer.status, 422, "{asked}: {}", answer.text());
        assert_eq!(self.credits(ada).await, before);
        answer.json()["detail"].as_str().unwrap().to_owned()
    }

    async fn list(&self, ada: &Person, query: &str) -> Vec<Value> {
        let answer = self.app.get(&format!("/v1/edits?{query}")).by(ada).send().await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        answer.json()["items"].as_array().unwrap().clone()
    }

    async fn spend(&self, ada: &Person, all_but: i64) {
        let mut tx = self.app.app.db.begin().await.unwrap();
        self.app.app.credits.change(&mut tx, &ada.owner, all_but - 100, "a test", None).await.unwrap();
        tx.commit().await.unwrap();
    }
}

each_scene! {
    async fn variations_are_one_charge_there_and_as_many_credits_here(s: FakeFal) {
        let ada = s.ada().await;
        let image = s.app.upload(&ada, 7).await;
        let asked = json!({ "inputs": [image], "prompt": "make it rain", "settings": { "images": 3, "seed": 5 } });
        let edit = s.wish(&ada, &asked).await;
        assert_eq!((s.edit(&ada, &edit).await["cost"].clone(), s.credits(&ada).await), (json!(3), 97));
        s.app.settle().await;
        assert_eq!(s.fake.last_input().unwrap()["num_images"], 3);
        s.fake.work();
        s.go_on(1).await;
        let done = s.edit(&ada, &edit).await;
        let outputs: Vec<String> = serde_json::from_value(done["outputs"].clone()).unwrap();
        assert_eq!((done["state"].clone(), outputs.len(), &done["output"]), (json!("succeeded"), 3, &json!(outputs[0])));
        let mut pictures = Vec::new();
        for output in &outputs {
            let picture = s.app.get(&format!("/v1/images/{output}")).by(&ada).send().await;
            assert_eq!(picture.status, 200);
            assert!(vouchsafe::imaging::read_mark(&picture.body).is_some(), "each is marked");
            pictures.push(picture.body);
        }
        pictures.dedup();
        assert_eq!((pictures.len(), s.fake.charges(), s.credits(&ada).await), (3, 1, 97));
        assert!(s.gone_there(&ada).await.is_some(), "one disclosure, seen to be gone");
        assert_eq!((s.fake.held(), s.fake.complaints()), (Vec::<String>::new(), Vec::<String>::new()));
        assert_eq!(s.app.delete(&format!("/v1/edits/{edit}")).by(&ada).send().await.status, 204);
        for output in &outputs {
            assert!(!s.opens(&ada, output).await, "all of them go with the edit");
        }
    }

    async fn a_picture_against_the_rules_is_not_given_out_and_not_paid_for(s: FakeFal) {
        let ada = s.ada().await;
        for (images, state, left) in [(2, "succeeded", 99), (1, "failed", 99)] {
            s.fake.plan(Plan::Flag);
            let image = s.app.upload(&ada, images).await;
            let asked = json!({ "inputs": [image], "prompt": "x", "settings": { "images": images } });
            let edit = s.wish(&ada, &asked).await;
            s.app.settle().await;
            s.fake.work();
            s.go_on(1).await;
            let done = s.edit(&ada, &edit).await;
            assert_eq!((done["state"].clone(), s.credits(&ada).await), (json!(state), left), "{done}");
            assert_eq!(done["outputs"].as_array().unwrap().len(), usize::from(images == 2));
        }
        let told = s.app.get("/v1/credits").by(&ada).send().await.json();
        assert_eq!(told["history"]["items"][2]["reason"], "fewer pictures", "{told}");
        assert_eq!(s.fake.held(), Vec::<String>::new());
    }

    async fn a_batch_is_taken_whole_or_not_at_all(s: FakeFal) {
        let (ada, ben) = (s.ada().await, s.app.person_of(s.tenant, "ben@example.org").await);
        let mut images = Vec::new();
        for seed in 0..3 {
            images.push(s.app.upload(&ada, seed).await);
        }
        let foreign = s.app.upload(&ben, 9).await;
        let batch = |inputs: &[String]| json!({ "inputs": inputs, "prompt": "make it rain" });
        let ask = |asked: Value| s.app.post("/v1/edits/batch").by(&ada).json(&asked).send();
        let with_foreign: Vec<String> = images.iter().cloned().chain([foreign]).collect();
        ask(batch(&with_foreign)).await.problem(404);
        ask(batch(&[images[0].clone(), images[0].clone()])).await.problem(422);
        ask(batch(&[])).await.problem(422);
        s.spend(&ada, 2).await;
        ask(batch(&images)).await.problem(429);
        assert_eq!((s.credits(&ada).await, s.list(&ada, "").await.len()), (2, 0), "none of it was taken");
        s.app.app.credits.grant(&ada.owner, 1, "granted").await.unwrap();
        let once = s.app.post("/v1/edits/batch").by(&ada).once("k1").json(&batch(&images)).send().await;
        let again = s.app.post("/v1/edits/batch").by(&ada).once("k1").json(&batch(&images)).send().await;
        assert_eq!((once.status, &once.body), (201, &again.body));
        let made = once.json();
        assert_eq!(made["edits"].as_array().unwrap().len(), 3);
        assert_eq!(s.credits(&ada).await, 0);
        s.app.settle().await;
        s.fake.work();
        s.go_on(1).await;
        let found = s.list(&ada, &format!("batch={}", made["id"].as_str().unwrap())).await;
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|e| e["state"] == "succeeded"), "{found:?}");
        assert_eq!((s.fake.charges(), s.fake.held()), (3, Vec::<String>::new()));
    }

    async fn what_fal_or_the_studio_does_not_take_is_said_at_the_asking(s: FakeFal) {
        let ada = s.ada().await;
        let (a, b) = (s.app.upload(&ada, 1).await, s.app.upload(&ada, 2).await);
        for (inputs, settings, provider, why) in [
            (vec![&*a], json!({ "aspect_ratio": "4:5" }), "fal-ai", "FAL.AI does not know this aspect ratio"),
            (vec![&*a], json!({ "aspect_ratio": "5:7" }), "fal-ai", "aspect_ratio"),
            (vec![&*a], json!({ "output_format": "webp" }), "fal-ai", "JPEG or PNG"),
            (vec![&*a], json!({ "output_format": "gif" }), "fal-ai", "output_format"),
            (vec![&*a], json!({ "images": 5 }), "fal-ai", "images (1 to 4)"),
            (vec![&*a], json!({ "images": 0 }), "fal-ai", "images (1 to 4)"),
            (vec![&*a], json!({ "safety": 7 }), "fal-ai", "safety (0 to 6)"),
            (vec![&*a], json!({ "guidance": 20.5 }), "fal-ai", "guidance (1 to 20)"),
            (vec![&*a], json!({ "seed": 2_147_483_648_u32 }), "fal-ai", "seed"),
            (vec![&*a], json!({}), "replicate", "not set up here"),
            (vec![&*a, &*b], json!({}), "studio", "one picture at a time"),
            (vec![&*a], json!({ "images": 2 }), "studio", "one picture at a time"),
            (vec![&*a], json!({ "safety": 2 }), "studio", "no such filter"),
            (vec![&*a], json!({ "enhance_prompt": true }), "studio", "words as they are"),
        ] {
            let told = s.refused(&ada, &inputs, settings.clone(), provider).await;
            assert!(told.contains(why), "{settings} at {provider}: {told}");
        }
        assert_eq!(s.fake.charges(), 0);
    }

    async fn what_replicate_does_not_take_is_said_at_the_asking(s: FakeReplicate) {
        let ada = s.ada().await;
        let mut own = Vec::new();
        for seed in 0..3 {
            own.push(s.app.upload(&ada, seed).await);
        }
        let (one, two, three) = (vec![&*own[0]], vec![&*own[0], &*own[1]], own.iter().map(|i| &**i).collect());
        for (inputs, settings, why) in [
            (&one, json!({ "guidance": 3.5 }), "Replicate has no guidance setting"),
            (&one, json!({ "images": 2 }), "one picture at a time"),
            (&one, json!({ "safety": 3 }), "safety 0 to 2"),
            (&two, json!({ "enhance_prompt": true }), "cannot rewrite the prompt"),
            (&three, json!({}), "exactly two pictures"),
        ] {
            let told = s.refused(&ada, inputs, settings.clone(), "replicate").await;
            assert!(told.contains(why), "{settings}: {told}");
        }
        assert_eq!(s.fake.charges(), 0);
        // And what it does take arrives as it was asked for.
        let settings = json!({ "aspect_ratio": "4:5", "safety": 0, "output_format": "png", "seed": 9 });
        let asked = json!({ "inputs": two, "prompt": "both", "model": "max", "settings": settings });
        s.wish(&ada, &asked).await;
        s.app.settle().await;
        let sent = s.fake.last_input().unwrap();
        let knobs = ["aspect_ratio", "safety_tolerance", "output_format", "seed"].map(|k| sent[k].clone());
        assert_eq!(knobs, [json!("4:5"), json!(0), json!("png"), json!(9)]);
        assert!(sent["input_image_2"].is_string());
        s.fake.work();
        s.go_on(1).await;
        assert_eq!(s.fake.complaints(), Vec::<String>::new());
    }

    async fn what_somebody_prefers_counts_when_they_do_not_say(s: FakeFal) {
        let ada = s.ada().await;
        let path = "/v1/account/preferences";
        let usual = s.app.get(path).by(&ada).send().await;
        assert_eq!((usual.status, usual.json()), (200, json!({ "model": "pro" })));
        for wrong in [json!({ "model": "ultra" }), json!({ "model": "max", "colour": "red" })] {
            s.app.put(path).by(&ada).json(&wrong).send().await.problem(422);
        }
        for said in [json!({ "model": "pro", "provider": "fal-ai" }), json!({ "model": "max", "provider": "studio" })] {
            assert_eq!(s.app.put(path).by(&ada).json(&said).send().await.json(), said);
        }
        let image = s.app.upload(&ada, 1).await;
        let unsaid = s.app.post("/v1/edits").by(&ada).json(&json!({ "inputs": [image], "prompt": "warmer" })).send().await;
        assert_eq!((&unsaid.json()["model"], &unsaid.json()["provider"]), (&json!("max"), &json!("studio")));
        let image = s.app.upload(&ada, 2).await;
        let asked = json!({ "inputs": [image], "prompt": "warmer", "model": "pro" });
        let said = s.app.post("/v1/edits").by(&ada).json(&asked).send().await.json();
        assert_eq!((&said["model"], &said["provider"]), (&json!("pro"), &json!("studio")));
        s.app.settle().await;
        // A provider that cannot be had is passed over, and nobody is kept from editing by an old choice.
        s.app.put(path).by(&ada).json(&json!({ "provider": "replicate" })).send().await;
        let image = s.app.upload(&ada, 3).await;
        let asked = json!({ "inputs": [image], "prompt": "warmer" });
        let edit = s.wish(&ada, &asked).await;
        assert_eq!(s.edit(&ada, &edit).await["provider"], "fal-ai");
        s.app.settle().await;
        s.fake.work();
        s.go_on(1).await;
    }

    async fn edits_are_found_by_date_model_and_how_they_stand(s: FakeFal) {
        let ada = s.ada().await;
        for (seed, model, provider) in [(1, "pro", "studio"), (2, "max", "studio"), (3, "pro", "fal-ai"), (4, "pro", "studio")] {
            let image = s.app.upload(&ada, seed).await;
            let asked = json!({ "inputs": [image], "prompt": "warmer", "model": model, "provider": provider });
            s.wish(&ada, &asked).await;
            s.app.settle().await;
            s.pass(TimeDelta::days(1));
        }
        let count = async |query: &str| s.list(&ada, query).await.len();
        assert_eq!(count("").await, 4);
        assert_eq!((count("model=max").await, count("model=pro").await), (1, 3));
        assert_eq!((count("provider=fal-ai").await, count("state=succeeded").await), (1, 3));
        assert_eq!(count("since=2026-11-23T00:00:00Z&until=2026-11-25T00:00:00Z").await, 2);
        assert_eq!(count("model=pro&provider=studio&since=2026-11-25T00:00:00Z").await, 1);
        assert_eq!(count("until=2026-11-22T00:00:00Z").await, 0);
        for wrong in ["model=ultra", "since=yesterday", "batch=edt_1", "state=done", "prompt=x"] {
            s.app.get(&format!("/v1/edits?{wrong}")).by(&ada).send().await.problem(422);
        }
        let first = s.app.get("/v1/edits?model=pro&limit=2").by(&ada).send().await.json();
        let cursor = first["next"].as_str().expect("there is more");
        assert_eq!(count(&format!("model=pro&limit=2&cursor={cursor}")).await, 1);
        s.app.get(&format!("/v1/edits?model=max&cursor={cursor}")).by(&ada).send().await.problem(400);
        s.fake.work();
        s.go_on(3).await;
    }

    async fn the_history_says_which_model_it_was_exactly(s: FakeFal) {
        let ada = s.ada().await;
        let (_, edit) = s.asked(&ada).await;
        s.fake.work();
        s.go_on(1).await;
        let actor = Actor::Subject(ada.owner.subject);
        let access = Access { actor: &actor, purpose: "provide-edits" };
        let kept = s.app.app.vault.records_of(&ada.owner, &access, &edit).await.unwrap();
        let history = kept.iter().find(|r| r.category == "edit-history").unwrap();
        assert_eq!(history.value["model-version"], "fal-ai/flux-pro/kontext");
    }

    async fn credits_never_go_below_zero_and_come_back_once(s: FakeFal) {
        let ada = s.ada().await;
        let mut images = Vec::new();
        for seed in 0..9 {
            images.push(s.app.upload(&ada, seed).await);
        }
        s.spend(&ada, 5).await;
        let ask = |image: &String| {
            let asked = json!({ "inputs": [image], "prompt": "all at once" });
            s.app.post("/v1/edits").by(&ada).json(&asked).send()
        };
        let answers = join_all(images.iter().map(ask)).await;
        let taken: Vec<String> =
            answers.iter().filter(|a| a.status == 201).map(|a| a.json()["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(taken.len(), 5, "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
        assert!(answers.iter().all(|a| matches!(a.status, 201 | 429)));
        assert_eq!(s.credits(&ada).await, 0);
        // Stopped three times each, at the same moment, while the worker runs them.
        let paths: Vec<String> = taken.iter().map(|id| format!("/v1/edits/{id}/cancel")).collect();
        let stop = |path: &String| s.app.post(path).by(&ada).send();
        let (stopped, ()) = tokio::join!(
            join_all(paths.iter().chain(&paths).chain(&paths).map(stop)),
            s.app.settle(),
        );
        assert_eq!(stopped.iter().filter(|a| a.status == 200).count(), 5, "each stops once");
        assert_eq!(s.credits(&ada).await, 5, "and comes back once");
        s.fake.work();
        s.go_on(5).await;
        let told = s.app.get("/v1/credits?limit=100").by(&ada).send().await.json();
        let changes = told["history"]["items"].as_array().unwrap();
        let sum: i64 = changes.iter().map(|c| c["amount"].as_i64().unwrap()).sum();
        assert!(changes.iter().all(|c| c["balance"].as_i64().unwrap() >= 0));
        assert_eq!((sum, &told["balance"]), (5, &json!(5)));
        assert_eq!(s.fake.held(), Vec::<String>::new());
    }

    async fn a_tenant_has_no_more_at_a_provider_than_it_may(s: FakeFal) {
        let ada = s.ada().await;
        let mut images = Vec::new();
        for seed in 0..11 {
            images.push(s.app.upload(&ada, seed).await);
        }
        let asked = json!({ "inputs": images, "prompt": "make it rain" });
        assert_eq!(s.app.post("/v1/edits/batch").by(&ada).json(&asked).send().await.status, 201);
        s.app.settle().await;
        assert_eq!(s.fake.charges(), 8, "eight places, and three wait");
        assert_eq!(s.list(&ada, "state=succeeded").await.len(), 0);
        for _ in 0..4 {
            s.fake.work();
            s.go_on(1).await;
        }
        assert_eq!(s.list(&ada, "state=succeeded").await.len(), 11, "nobody is forgotten");
        assert_eq!((s.fake.charges(), s.credits(&ada).await), (11, 89));
        assert_eq!((s.fake.held(), s.fake.complaints()), (Vec::<String>::new(), Vec::<String>::new()));
    }

    async fn webhooks_in_any_order_twice_and_at_once_with_the_asking_have_one_effect(s: FakeFal) {
        let ada = s.ada().await;
        let (_, first) = s.asked(&ada).await;
        let (_, second) = s.asked(&ada).await;
        s.fake.work();
        let mut deliveries = s.fake.outbox();
        assert_eq!(deliveries.len(), 2);
        deliveries.reverse();
        s.pass(TimeDelta::seconds(2));
        // The worker's own look is due as well, and both come at the same moment.
        let all = deliveries.iter().chain(&deliveries).map(|d| s.deliver(d));
        let jobs = Jobs::new(s.app.app.clone());
        let (statuses, one, other) = tokio::join!(join_all(all), jobs.work(), jobs.work());
        assert_eq!(statuses, [202; 4]);
        assert!(one.is_ok() && other.is_ok());
        s.app.settle().await;
        for edit in [&first, &second] {
            let done = s.edit(&ada, edit).await;
            assert_eq!((done["state"].clone(), done["outputs"].as_array().unwrap().len()), (json!("succeeded"), 1));
        }
        let results = s.app.get("/v1/images?category=output-image").by(&ada).send().await.json();
        assert_eq!(results["items"].as_array().unwrap().len(), 2, "one result each");
        assert_eq!((s.fake.charges(), s.credits(&ada).await, s.fake.held()), (2, 98, Vec::<String>::new()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_tenant_sends_no_more_in_a_day_than_it_may() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let three = |config: &mut vouchsafe::config::Config| config.providers.a_day = Some(3);
        let Some(s) = Scene::<FakeFal>::open_with(backend, three).await else { continue };
        let ada = s.ada().await;
        let mut images = Vec::new();
        for seed in 0..5 {
            images.push(s.app.upload(&ada, seed).await);
        }
        let ask = |image: &String| {
            let asked = json!({ "inputs": [image], "prompt": "all at once" });
            s.app.post("/v1/edits").by(&ada).json(&asked).send()
        };
        let answers = join_all(images.iter().map(ask)).await;
        assert_eq!(answers.iter().filter(|a| a.status == 201).count(), 3);
        let refused = answers.iter().find(|a| a.status != 201).unwrap();
        assert_eq!(refused.problem(429), "too-many");
        assert!(refused.text().contains("tomorrow"), "{}", refused.text());
        assert_eq!(s.credits(&ada).await, 97, "what was refused was not paid for");
        s.app.settle().await;
        s.fake.work();
        s.go_on(1).await;
        for image in &images {
            let again = ask(image).await;
            assert!(matches!(again.status, 404 | 422 | 429), "{}", again.text());
        }
        s.pass(TimeDelta::hours(24));
        let left = s.app.upload(&ada, 9).await;
        assert_eq!(ask(&left).await.status, 201, "a day later it may");
        s.app.settle().await;
        s.fake.work();
        s.go_on(1).await;
        assert_eq!((s.fake.charges(), s.fake.held()), (4, Vec::<String>::new()));
    }
}
