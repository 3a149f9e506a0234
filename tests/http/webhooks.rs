//! What an app's server is told: signed, tried again, stopped, and of an erased person only that they are gone. The
//! receiver is a real server on this machine; what it was sent is checked against the reference library.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::{Value, json};
use vouchsafe::policy::Role;
use vouchsafe::subjects::Scope;
use vouchsafe::vault::Owner;

use super::receiver::{Heard, Receiver, Says, edit, log, moment, register, somebody, state, until};
use crate::support::TestApp;
use crate::support::app::OTHER_TENANT;
use crate::support::call::Sender;
use crate::support::house::run_in;
use crate::{each_app, each_app_in_development};

each_app_in_development! {
    async fn an_edit_that_ended_is_told_signed_and_by_ids_alone(app: TestApp) {
        let (ada, key) = (somebody(&app, "ada").await, app.api_key(&Scope::ALL).await);
        let receiver = Receiver::start(&[]).await;
        let hook = register(&app, &key, &json!({ "url": receiver.url(), "label": "the app" })).await;
        let edit = edit(&app, &key, &ada, 1).await;
        assert!(receiver.heard().is_empty());
        app.settle().await;
        let heard = receiver.heard();
        assert_eq!(heard.len(), 1);
        heard[0].is_signed_by(&[&hook.secret]);
        let subject = ada.subject.to_string();
        assert_eq!(
            heard[0].json(),
            json!({ "type": "edit.succeeded", "timestamp": app.now().rfc3339(), "data": { "subject": subject, "edit": edit } })
        );
        assert_eq!(heard[0].header("content-type"), "application/json");
        assert_eq!(heard[0].header("webhook-timestamp"), (app.now().micros() / 1_000_000).to_string());
        assert!(heard[0].headers.get("referer").is_none() && heard[0].headers.get("authorization").is_none());
        let log = log(&app, &key, &hook).await;
        assert_eq!(log.len(), 1);
        assert_eq!((&log[0]["state"], &log[0]["tries"], &log[0]["status"]), (&"delivered".into(), &1.into(), &204.into()));
        assert_eq!(log[0]["message"], heard[0].id());
        // Told once.
        app.advance(TimeDelta::days(1));
        app.settle().await;
        assert_eq!(receiver.heard().len(), 1);
    }

    async fn an_answer_is_told_by_a_clock_that_goes_on(app: TestApp) {
        let (ada, key) = (somebody(&app, "ada").await, app.api_key(&Scope::ALL).await);
        let receiver = Receiver::start(&[]).await;
        register(&app, &key, &json!({ "url": receiver.url(), "label": "the app" })).await;
        app.let_the_clock_tick();
        let filing = vouchsafe::requests::Filing {
            ask: vouchsafe::requests::Ask::Restriction { on: true },
            channel: vouchsafe::policy::Channel::Page,
            by: vouchsafe::vault::Actor::Subject(ada.subject),
            proved: true,
            words: None,
        };
        let filed = app.app.requests.file(&ada, filing).await.unwrap().request;
        app.settle().await;
        let told: Vec<Value> = receiver.heard().iter().map(Heard::json).collect();
        let answers = told.iter().filter(|m| m["type"] == "request.answered").count();
        assert_eq!(answers, 1, "{told:?}");
        let steps = app.app.requests.timeline(&app.tenant(), filed.id).await.unwrap();
        let kinds: Vec<&str> = steps.iter().map(|e| e.kind.as_str()).collect();
        assert_eq!(kinds, ["filed", "acknowledged", "fulfilled", "closed"]);
    }

    async fn a_secret_is_shown_once_and_lies_nowhere_in_clear(app: TestApp) {
        let (key, receiver) = (app.api_key(&[Scope::Webhooks]).await, Receiver::start(&[]).await);
        let hook = register(&app, &key, &json!({ "url": receiver.url() })).await;
        let shown = [
            app.get("/v1/webhooks").by(&key).send().await.text(),
            app.get(&format!("/v1/webhooks/{}", hook.id)).by(&key).send().await.text(),
        ];
        let digits = hook.secret.trim_start_matches("whsec_");
        assert!(hook.secret.starts_with("whsec_") && shown.iter().all(|s| s.contains(&hook.id) && !s.contains(digits)));
        let raw = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, digits).unwrap();
        assert_eq!(raw.len(), 32);
        let mut tx = app.app.db.read().await.unwrap();
        let rows: Vec<(Vec<u8>,)> =
            vouchsafe::on!(tx, |c| sqlx::query_as("SELECT secret FROM webhook").fetch_all(c).await).unwrap();
        assert_eq!(rows.len(), 1);
        assert!(!rows[0].0.windows(8).any(|w| raw.windows(8).any(|r| r == w)));
        drop(tx);
        // Unlike other calls, a repeated one is not answered from memory: the answer would hold the secret.
        let body = json!({ "url": receiver.url() });
        let again = app.post("/v1/webhooks").by(&key).once("k").json(&body).send().await.json();
        let twice = app.post("/v1/webhooks").by(&key).once("k").json(&body).send().await.json();
        assert_ne!(again["secret"], twice["secret"]);
    }

    async fn what_does_not_get_through_is_tried_again_under_the_same_id(app: TestApp) {
        let (ada, key) = (somebody(&app, "ada").await, app.api_key(&Scope::ALL).await);
        let later = Says::With(503, "retry-after", "1200".to_owned());
        let receiver = Receiver::start(&[Says::Status(500), later, Says::Status(200)]).await;
        let hook = register(&app, &key, &json!({ "url": receiver.url() })).await;
        edit(&app, &key, &ada, 1).await;
        app.settle().await;
        let first = log(&app, &key, &hook).await.remove(0);
        assert_eq!((&first["state"], &first["status"], &first["failure"]), (&"waiting".into(), &500.into(), &"refused".into()));
        let pause = moment(&first["next_at"]).since(app.now());
        assert!((5_000..=6_000).contains(&pause.num_milliseconds()), "{pause}");
        app.settle().await;
        assert_eq!(receiver.heard().len(), 1, "not before its time");
        app.advance(until(&app, &first["next_at"]));
        app.settle().await;
        // The second pause would be five minutes; the receiver asked for twenty.
        let second = log(&app, &key, &hook).await.remove(0);
        assert_eq!(moment(&second["next_at"]).since(app.now()), TimeDelta::minutes(20));
        app.advance(TimeDelta::minutes(20));
        app.settle().await;
        let third = log(&app, &key, &hook).await.remove(0);
        assert_eq!((&third["state"], &third["tries"], &third["failure"]), (&"delivered".into(), &3.into(), &Value::Null));
        let heard = receiver.heard();
        assert_eq!(heard.len(), 3);
        for one in &heard {
            one.is_signed_by(&[&hook.secret]);
        }
        let ids: BTreeSet<_> = heard.iter().map(Heard::id).collect();
        let bodies: BTreeSet<_> = heard.iter().map(|h| h.body.clone()).collect();
        let times: BTreeSet<_> = heard.iter().map(|h| h.header("webhook-timestamp")).collect();
        assert_eq!((ids.len(), bodies.len(), times.len()), (1, 1, 3));
    }

    async fn an_address_that_says_gone_is_told_nothing_more(app: TestApp) {
        let (ada, key) = (somebody(&app, "ada").await, app.api_key(&Scope::ALL).await);
        let receiver = Receiver::start(&[Says::Status(410)]).await;
        let hook = register(&app, &key, &json!({ "url": receiver.url() })).await;
        edit(&app, &key, &ada, 1).await;
        app.settle().await;
        assert_eq!(state(&app, &key, &hook).await, "gone");
        let stopped = app.app.webhooks.stopped(&app.tenant()).await.unwrap();
        assert_eq!(stopped, 1);
        edit(&app, &key, &ada, 2).await;
        app.advance(TimeDelta::days(2));
        app.settle().await;
        assert_eq!((receiver.heard().len(), log(&app, &key, &hook).await.len()), (1, 1));
        let off = app.post(&format!("/v1/webhooks/{}/test", hook.id)).by(&key).send().await;
        assert_eq!(off.problem(422), "invalid");
        // Turned on again it is told what waited, and not what happened meanwhile.
        receiver.now_says(Says::Status(200));
        let on = json!({ "on": true });
        app.patch(&format!("/v1/webhooks/{}", hook.id)).by(&key).json(&on).send().await;
        app.settle().await;
        let heard = receiver.heard();
        assert_eq!((heard.len(), heard[0].id()), (2, heard[1].id()));
        assert_eq!(state(&app, &key, &hook).await, "on");
    }

    async fn what_never_gets_through_is_given_up_and_its_webhook_stopped(app: TestApp) {
        let (ada, key) = (somebody(&app, "ada").await, app.api_key(&Scope::ALL).await);
        let receiver = Receiver::start(&[Says::Status(500)]).await;
        let hook = register(&app, &key, &json!({ "url": receiver.url() })).await;
        edit(&app, &key, &ada, 1).await;
        app.settle().await;
        let began = app.now();
        for _ in 0..20 {
            let delivery = log(&app, &key, &hook).await.remove(0);
            if delivery["next_at"].is_null() {
                break;
            }
            app.advance(until(&app, &delivery["next_at"]));
            app.settle().await;
        }
        let given_up = log(&app, &key, &hook).await.remove(0);
        assert_eq!((&given_up["state"], &given_up["tries"]), (&"failed".into(), &10.into()));
        assert_eq!(receiver.heard().len(), 10);
        let took = app.now().since(began);
        assert!(took >= TimeDelta::hours(75) && took <= TimeDelta::hours(92), "{took}");
        assert_eq!(state(&app, &key, &hook).await, "failing");
        // By hand it goes out again, once the webhook is on: the same message.
        receiver.now_says(Says::Status(204));
        app.patch(&format!("/v1/webhooks/{}", hook.id)).by(&key).json(&json!({ "on": true })).send().await;
        let again = format!("/v1/deliveries/{}/again", given_up["id"].as_str().unwrap());
        assert_eq!(app.post(&again).by(&key).send().await.status, 202);
        app.settle().await;
        assert_eq!(log(&app, &key, &hook).await[0]["state"], "delivered");
        let ids: BTreeSet<_> = receiver.heard().iter().map(|h| h.id().to_owned()).collect();
        assert_eq!((receiver.heard().len(), ids.len()), (11, 1));
        // And once more although it was delivered.
        app.post(&again).by(&key).send().await;
        app.settle().await;
        assert_eq!(receiver.heard().len(), 12);
    }

    async fn no_redirect_is_followed(app: TestApp) {
        let (ada, key) = (somebody(&app, "ada").await, app.api_key(&Scope::ALL).await);
        let inner = Receiver::start(&[]).await;
        for status in [301, 302, 303, 307, 308] {
            let receiver = Receiver::start(&[Says::With(status, "location", inner.url())]).await;
            let hook = register(&app, &key, &json!({ "url": receiver.url() })).await;
            edit(&app, &key, &ada, u64::from(status)).await;
            app.settle().await;
            let delivery = log(&app, &key, &hook).await.remove(0);
            assert_eq!((&delivery["failure"], &delivery["status"]), (&"redirect".into(), &status.into()));
            app.delete(&format!("/v1/webhooks/{}", hook.id)).by(&key).send().await;
        }
        assert!(inner.heard().is_empty());
    }

    async fn one_that_hangs_keeps_nobody_waiting(app: TestApp) {
        let (ada, key) = (somebody(&app, "ada").await, app.api_key(&Scope::ALL).await);
        let (hangs, works) = (Receiver::start(&[Says::Nothing]).await, Receiver::start(&[]).await);
        let hung = register(&app, &key, &json!({ "url": hangs.url() })).await;
        register(&app, &key, &json!({ "url": works.url() })).await;
        edit(&app, &key, &ada, 1).await;
        edit(&app, &key, &ada, 2).await;
        let began = Instant::now();
        app.settle().await;
        // One call's patience, for the two messages together: after the first the others of that address wait.
        assert!(began.elapsed() < Duration::from_secs(19), "{:?}", began.elapsed());
        assert_eq!((hangs.heard().len(), works.heard().len()), (1, 2));
        assert!(works.heard()[1].at.duration_since(hangs.heard()[0].at) < Duration::from_secs(5));
        let waiting = log(&app, &key, &hung).await;
        let tries: Vec<_> = waiting.iter().map(|d| d["tries"].as_i64().unwrap()).collect();
        assert_eq!((tries, &waiting[1]["failure"]), (vec![0, 1], &"timed-out".into()));
        app.app.webhooks.remove(&app.tenant(), hung.id.parse().unwrap()).await.unwrap();
    }

    async fn one_whose_secret_is_damaged_does_not_keep_the_others(app: TestApp) {
        let (key, works) = (app.api_key(&[Scope::Webhooks]).await, Receiver::start(&[]).await);
        let broken = register(&app, &key, &json!({ "url": works.url(), "label": "broken" })).await;
        let hook = register(&app, &key, &json!({ "url": works.url() })).await;
        let mut tx = app.app.db.begin().await.unwrap();
        let damage = "UPDATE webhook SET secret = (SELECT w.secret FROM webhook w WHERE w.id = $1) WHERE id = $2";
        vouchsafe::on!(tx, |c| sqlx::query(damage).bind(&hook.id).bind(&broken.id).execute(c).await.map(|_| ())).unwrap();
        tx.commit().await.unwrap();
        for id in [&broken.id, &hook.id] {
            app.post(&format!("/v1/webhooks/{id}/test")).by(&key).send().await;
        }
        app.settle().await;
        // Moved from one row to another, a secret opens nothing.
        let heard = works.heard();
        assert_eq!((heard.len(), heard[0].json()["data"]["webhook"].as_str()), (1, Some(hook.id.as_str())));
        assert_eq!(app.queue().await, (0, 1), "somebody is told of the row");
        app.leave_the_queue();
    }

    async fn a_change_of_secret_has_a_day_in_which_both_sign(app: TestApp) {
        let (key, receiver) = (app.api_key(&[Scope::Webhooks]).await, Receiver::start(&[]).await);
        let hook = register(&app, &key, &json!({ "url": receiver.url() })).await;
        let rotate = app.post(&format!("/v1/webhooks/{}/secret", hook.id)).by(&key).send().await.json();
        let new = rotate["secret"].as_str().unwrap().to_owned();
        assert_ne!(new, hook.secret);
        let until = moment(&rotate["webhook"]["old_secret_until"]);
        assert_eq!(until.since(app.now()), TimeDelta::hours(24));
        let test = format!("/v1/webhooks/{}/test", hook.id);
        assert_eq!(app.post(&test).by(&key).send().await.status, 202);
        app.settle().await;
        receiver.heard()[0].is_signed_by(&[&new, &hook.secret]);
        assert_eq!(receiver.heard()[0].json()["type"], "webhook.test");
        app.advance(TimeDelta::hours(24));
        app.post(&test).by(&key).send().await;
        app.settle().await;
        receiver.heard()[1].is_signed_by(&[&new]);
        let mut tx = app.app.db.read().await.unwrap();
        let old: Vec<(Option<Vec<u8>>,)> =
            vouchsafe::on!(tx, |c| sqlx::query_as("SELECT old_secret FROM webhook").fetch_all(c).await).unwrap();
        assert_eq!(old, [(None,)]);
    }

    async fn of_an_erased_person_it_is_told_once_that_they_are_gone(app: TestApp) {
        let (ada, eve) = (somebody(&app, "ada").await, somebody(&app, "eve").await);
        let key = app.api_key(&Scope::ALL).await;
        let receiver = Receiver::start(&[Says::Status(503)]).await;
        let hook = register(&app, &key, &json!({ "url": receiver.url() })).await;
        edit(&app, &key, &ada, 1).await;
        edit(&app, &key, &eve, 2).await;
        app.settle().await;
        assert_eq!(log(&app, &key, &hook).await.len(), 2);
        let before = receiver.heard().len();
        // Still on its way when she is erased: it vanishes.
        app.app.requests.erase(&ada, Role::Service).await.unwrap().unwrap();
        let left = log(&app, &key, &hook).await;
        let events: Vec<_> = left.iter().map(|d| d["event"].as_str().unwrap()).collect();
        assert_eq!(events, ["account.erased", "edit.succeeded"]);
        receiver.now_says(Says::Status(200));
        app.advance(TimeDelta::minutes(10));
        app.settle().await;
        let told: Vec<Value> = receiver.heard().iter().skip(before).map(Heard::json).collect();
        let about = |kind: &str, owner: &Owner| {
            told.iter().any(|t| t["type"] == kind && t["data"]["subject"] == owner.subject.to_string())
        };
        assert_eq!(told.len(), 2);
        assert!(about("account.erased", &ada) && about("edit.succeeded", &eve));
        // Once it is told, nothing here says who it was, and it cannot be told again.
        let last = log(&app, &key, &hook).await.remove(0);
        let again = format!("/v1/deliveries/{}/again", last["id"].as_str().unwrap());
        assert_eq!(app.post(&again).by(&key).send().await.problem(409), "conflict");
        let mut tx = app.app.db.read().await.unwrap();
        let rows: Vec<(Option<String>, Option<Vec<u8>>)> = vouchsafe::on!(tx, |c| sqlx::query_as(
            "SELECT subject, sealed FROM webhook_message WHERE kind = 'account.erased'"
        )
        .fetch_all(c)
        .await)
        .unwrap();
        assert_eq!(rows, [(None, None)]);
    }

    async fn an_erasure_that_nobody_hears_of_is_forgotten_after_a_week(app: TestApp) {
        let (ada, key) = (somebody(&app, "ada").await, app.api_key(&Scope::ALL).await);
        let receiver = Receiver::start(&[Says::Status(503)]).await;
        let hook = register(&app, &key, &json!({ "url": receiver.url(), "events": ["account.erased"] })).await;
        app.app.requests.erase(&ada, Role::Service).await.unwrap().unwrap();
        app.settle().await;
        assert_eq!(log(&app, &key, &hook).await.len(), 1);
        app.advance(TimeDelta::days(8));
        app.settle().await;
        assert!(log(&app, &key, &hook).await.is_empty());
    }

    async fn a_message_that_does_not_open_keeps_no_other(app: TestApp) {
        let (ada, eve, key) = (somebody(&app, "ada").await, somebody(&app, "eve").await, app.api_key(&Scope::ALL).await);
        let receiver = Receiver::start(&[]).await;
        let hook = register(&app, &key, &json!({ "url": receiver.url(), "events": ["account.erased"] })).await;
        for person in [&ada, &eve] {
            app.app.requests.erase(person, Role::Service).await.unwrap().unwrap();
            app.advance(TimeDelta::seconds(1));
        }
        let first = "WHERE at = (SELECT MIN(at) FROM webhook_message)";
        let damage = format!("UPDATE webhook_message SET sealed = substr(sealed, 1, 30) {first}");
        run_in(&app.app.db, &damage).await;
        app.settle().await;
        let told: Vec<Value> = receiver.heard().iter().map(|heard| heard.json()["data"]["subject"].clone()).collect();
        assert_eq!(told, [json!(eve.subject.to_string())]);
        let log = log(&app, &key, &hook).await;
        assert_eq!((&log[0]["state"], &log[1]["state"]), (&"delivered".into(), &"failed".into()));
        assert_eq!(log[1]["failure"], "unreadable");
        assert_eq!(app.queue().await, (0, 1), "and it waits for a hand");
        app.leave_the_queue();
    }

    async fn only_what_was_asked_for_is_told_and_the_log_goes_after_thirty_days(app: TestApp) {
        let (person, key) = (app.person("ada@example.org").await, app.api_key(&Scope::ALL).await);
        let ada = person.owner;
        let receiver = Receiver::start(&[]).await;
        let wanted = json!({ "url": receiver.url(), "events": ["request.answered", "edit.cancelled"] });
        let hook = register(&app, &key, &wanted).await;
        let by = key.on_behalf_of(ada.subject);
        let herself = Sender::named_cookie("sid", &person.cookie);
        edit(&app, &key, &ada, 1).await;
        app.settle().await;
        let stopped = edit(&app, &key, &ada, 2).await;
        let cancel = format!("/v1/edits/{stopped}/cancel");
        assert_eq!(app.post(&cancel).by(&by).send().await.status, 200);
        // What is refused tells nothing.
        assert_eq!(app.post(&cancel).by(&by).send().await.problem(409), "conflict");
        let filed = app.post("/v1/requests").by(&herself).json(&json!({ "right": "access" })).send().await.json();
        app.settle().await;
        assert_eq!(receiver.kinds(), ["edit.cancelled", "request.answered"]);
        let data = receiver.heard()[1].json()["data"].clone();
        assert_eq!(data, json!({ "subject": ada.subject.to_string(), "request": filed["id"] }));
        app.advance(TimeDelta::days(31));
        app.settle().await;
        assert!(log(&app, &key, &hook).await.is_empty());
    }

    async fn the_log_comes_in_pages(app: TestApp) {
        let (key, receiver) = (app.api_key(&[Scope::Webhooks]).await, Receiver::start(&[]).await);
        let hook = register(&app, &key, &json!({ "url": receiver.url() })).await;
        for _ in 0..5 {
            app.post(&format!("/v1/webhooks/{}/test", hook.id)).by(&key).send().await;
            app.advance(TimeDelta::milliseconds(1));
        }
        let (mut found, mut path) = (Vec::new(), format!("/v1/webhooks/{}/deliveries?limit=2", hook.id));
        let first = path.clone();
        loop {
            let page = app.get(&path).by(&key).send().await.json();
            found.extend(page["items"].as_array().unwrap().iter().map(|d| d["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("{first}&cursor={next}");
        }
        let mut sorted = found.clone();
        sorted.sort_by(|a, b| b.cmp(a));
        sorted.dedup();
        assert_eq!((found.len(), found == sorted), (5, true));
        app.settle().await;
        let ids: Vec<_> = receiver.heard().iter().map(|h| h.id().to_owned()).collect();
        assert!(ids.is_sorted() && ids.len() == 5, "told in the order in which it happened");
    }
}

each_app! {
    async fn an_address_that_must_not_be_called_is_refused(app: TestApp) {
        let key = app.api_key(&[Scope::Webhooks]).await;
        for url in [
            "", "x", "ftp://app.example/", "file:///etc/passwd", "http://app.example/", "https://", "https://app.example:8443/",
            "https://user:word@app.example/", "https://app.example./", "https://127.0.0.1/", "https://127.1/", "https://2130706433/",
            "https://0x7f000001/", "https://0177.0.0.1/", "https://0.0.0.0/", "https://10.0.0.1/", "https://100.64.0.1/",
            "https://169.254.169.254/latest/meta-data", "https://192.168.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
            "https://[fd00:ec2::254]/", "https://[64:ff9b::a9fe:a9fe]/", "http://localhost:8080/", "HTTP://127.0.0.1/",
        ] {
            let refused = app.post("/v1/webhooks").by(&key).json(&json!({ "url": url })).send().await;
            assert_eq!(refused.problem(422), "invalid", "{url}");
        }
        let long = format!("https://app.example/{}", "x".repeat(2_000));
        for body in [
            json!({ "url": long }),
            json!({ "url": "https://app.example/", "events": ["edit.exploded"] }),
            json!({ "url": "https://app.example/", "events": ["webhook.test"] }),
            json!({ "url": "https://app.example/", "label": "x".repeat(81) }),
            json!({ "url": "https://app.example/", "secret": "whsec_mine" }),
        ] {
            assert_eq!(app.post("/v1/webhooks").by(&key).json(&body).send().await.problem(422), "invalid");
        }
        assert_eq!(app.get("/v1/webhooks").by(&key).send().await.json(), json!({ "items": [] }));
        // What is taken is kept as it will be called.
        let taken = app.post("/v1/webhooks").by(&key).json(&json!({ "url": "HTTPS://App.Example/a b#c" })).send().await;
        assert_eq!(taken.json()["webhook"]["url"], "https://app.example/a%20b");
        for n in 1..10 {
            let url = format!("https://app.example/{n}");
            assert_eq!(app.post("/v1/webhooks").by(&key).json(&json!({ "url": url })).send().await.status, 201);
        }
        let eleventh = json!({ "url": "https://app.example/11" });
        assert_eq!(app.post("/v1/webhooks").by(&key).json(&eleventh).send().await.problem(409), "conflict");
    }

    async fn a_name_that_leads_to_this_machine_is_not_dialled(app: TestApp) {
        let key = app.api_key(&[Scope::Webhooks]).await;
        // Any name may be given; where it leads is looked at when it is dialled.
        let hook = register(&app, &key, &json!({ "url": "https://localhost/hooks" })).await;
        app.post(&format!("/v1/webhooks/{}/test", hook.id)).by(&key).send().await;
        app.settle().await;
        let delivery = log(&app, &key, &hook).await.remove(0);
        assert_eq!((&delivery["failure"], &delivery["status"]), (&"private-address".into(), &Value::Null));
    }

    async fn another_apps_webhook_is_not_there(app: TestApp) {
        let (key, other) = (app.api_key(&Scope::ALL).await, app.api_key_of(OTHER_TENANT, &Scope::ALL).await);
        let hook = register(&app, &key, &json!({ "url": "https://app.example/" })).await;
        app.post(&format!("/v1/webhooks/{}/test", hook.id)).by(&key).send().await;
        let delivery = log(&app, &key, &hook).await.remove(0);
        let (at, one) = (format!("/v1/webhooks/{}", hook.id), delivery["id"].as_str().unwrap());
        for (method, path) in [
            ("GET", at.clone()),
            ("PATCH", at.clone()),
            ("DELETE", at.clone()),
            ("POST", format!("{at}/secret")),
            ("POST", format!("{at}/test")),
            ("GET", format!("{at}/deliveries")),
            ("POST", format!("/v1/deliveries/{one}/again")),
        ] {
            let call = app.call(method, &path).by(&other);
            let call = if method == "PATCH" { call.json(&json!({ "on": false })) } else { call };
            assert_eq!(call.send().await.problem(404), "not-found", "{method} {path}");
        }
        assert_eq!(app.get("/v1/webhooks").by(&other).send().await.json(), json!({ "items": [] }));
        assert_eq!(state(&app, &key, &hook).await, "on");
        let powerless = app.api_key(&[Scope::Edits, Scope::Metrics]).await;
        assert_eq!(app.get("/v1/webhooks").by(&powerless).send().await.problem(403), "forbidden");
        app.delete(&at).by(&key).send().await;
        assert_eq!(app.get(&at).by(&key).send().await.problem(404), "not-found");
    }
}
