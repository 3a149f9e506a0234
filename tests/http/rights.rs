//! Rights over the API: from filing to the archive, the receipt, the empty house.

use chrono::TimeDelta;
use serde_json::{Value, json};
use vouchsafe::policy::Role;
use vouchsafe::subjects::Scope;

use crate::each_app;
use crate::support::TestApp;
use crate::support::app::Person;

async fn file(app: &TestApp, person: &Person, asked: Value) -> Value {
    let filed = app.post("/v1/requests").by(person).json(&asked).send().await;
    assert_eq!(filed.status, 201, "{}", filed.text());
    filed.json()
}

each_app! {
    async fn an_archive_is_streamed_whole_and_in_parts(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        app.edit(&ada, &image).await;
        app.settle().await;
        let filed = file(&app, &ada, json!({ "right": "access", "text": "everything, please" })).await;
        assert_eq!(filed["promised_by"], "2026-11-25T12:00:00Z");
        app.settle().await;
        let path = format!("/v1/requests/{}", filed["id"].as_str().unwrap());
        let told = app.get(&path).by(&ada).send().await.json();
        assert_eq!((&told["state"], &told["text"]), (&json!("fulfilled"), &json!("everything, please")), "{told}");

        let archive = format!("{path}/archive");
        let asked = app.call("HEAD", &archive).by(&ada).send().await;
        assert_eq!((asked.status, asked.body.len()), (200, 0));
        let still = app.get(&path).by(&ada).send().await.json();
        assert_eq!(still["state"], "fulfilled", "asking how long it is must not count as fetching it");
        let whole = app.get(&archive).by(&ada).send().await;
        assert_eq!((whole.status, whole.header("content-type")), (200, "application/zip"));
        assert_eq!(whole.header("content-length"), whole.body.len().to_string());
        assert_eq!(whole.header("content-length"), asked.header("content-length"));
        assert!(whole.header("content-disposition").contains("flux-kontext-your-data-2026-11-22.zip"));
        assert!(whole.body.starts_with(b"PK\x03\x04"));

        let etag = whole.header("etag");
        let part = app.get(&archive).by(&ada).header("range", "bytes=1000-").header("if-range", etag).send().await;
        assert_eq!((part.status, &part.body), (206, &whole.body.slice(1000..)));
        let range = format!("bytes 1000-{}/{}", whole.body.len() - 1, whole.body.len());
        assert_eq!(part.header("content-range"), range);
        let beyond = app.get(&archive).by(&ada).header("range", "bytes=999999999-").send().await;
        assert_eq!(beyond.problem(416), "range");
        assert_eq!(beyond.header("content-range"), format!("bytes */{}", whole.body.len()));

        let closed = app.get(&path).by(&ada).send().await.json();
        assert_eq!(closed["state"], "closed");
        let receipt = app.get(&format!("/v1/receipts/{}", closed["receipt"].as_str().unwrap())).send().await;
        assert_eq!(receipt.status, 200);
        let what: Vec<_> = closed["timeline"].as_array().unwrap().iter().map(|e| e["what"].clone()).collect();
        assert!(what.contains(&json!("filed")) && what.contains(&json!("delivered")), "{what:?}");
    }

    async fn after_a_new_address_nothing_leaves_and_nothing_goes_at_once_for_three_days(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let filed = file(&app, &ada, json!({ "right": "access" })).await;
        app.settle().await;
        let archive = format!("/v1/requests/{}/archive", filed["id"].as_str().unwrap());
        let correct = async |new: Value| {
            assert_eq!(app.patch("/v1/account").by(&ada).json(&new).send().await.status, 200);
        };
        correct(json!({ "email": "ada@example.org", "name": "Ada King" })).await;
        assert_eq!(app.get(&archive).by(&ada).send().await.status, 200, "another name is no new address");
        app.move_to(&ada, "eve@example.net").await;
        assert_eq!(app.get("/v1/account").by(&ada).send().await.problem(401), "unauthenticated", "every session ended");
        let ada = app.again(&ada).await;
        let kept = app.get(&archive).by(&ada).send().await;
        assert_eq!(kept.problem(409), "conflict");
        assert!(kept.text().contains("until 25 November 2026, 12:00 UTC"), "{}", kept.text());
        let erasure = file(&app, &ada, json!({ "right": "erasure", "at_once": true })).await;
        assert_eq!(erasure["state"], "grace", "it can be taken back");
        let path = format!("/v1/requests/{}", erasure["id"].as_str().unwrap());
        assert_eq!(app.post(&format!("{path}/waive")).by(&ada).send().await.problem(409), "conflict");
        assert_eq!(app.post(&format!("{path}/cancel")).by(&ada).send().await.status, 200);
        app.advance(TimeDelta::hours(72));
        let ada = app.again(&ada).await;
        assert_eq!(app.get(&archive).by(&ada).send().await.status, 200);
        let erasure = file(&app, &ada, json!({ "right": "erasure", "at_once": true })).await;
        app.settle().await;
        let found = app.app.requests.find(&app.tenant(), erasure["id"].as_str().unwrap().parse().unwrap()).await;
        assert_eq!(found.unwrap().outcome.as_deref(), Some("fulfilled"));
    }

    async fn what_an_app_says_of_its_own_users_address_holds_nothing_up(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        app.app.subjects.add_login(&ada.owner, app.issuer(), "login-1").await.unwrap();
        let new = json!({ "email": "ada@example.net" });
        let key = app.api_key(&[Scope::Accounts]).await.on_behalf_of(ada.owner.subject);
        let moved = app.patch("/v1/account").by(&key).json(&new).send().await.json();
        assert_eq!(moved["email"], "ada@example.net", "{moved}");
        assert_eq!(app.app.subjects.address_held(&ada.owner).await.unwrap(), None);
        assert!(!app.app.subjects.get(&ada.owner).await.unwrap().address_confirmed, "its word is no proof");
        assert_eq!(app.get("/v1/account").by(&ada).send().await.problem(401), "unauthenticated", "sessions end");
        app.settle().await;
        assert!(app.mails().is_empty());
        assert!(app.ledger_kinds().await.contains(&"subject.address-moved".to_owned()));
    }

    async fn a_key_finds_its_request_again_after_a_crash_whatever_became_of_it(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        for wish in [
            json!({ "right": "access" }),
            json!({ "right": "rectification", "text": "My name has an e." }),
            json!({ "right": "objection", "purpose": "analytics" }),
            json!({ "right": "restriction" }),
        ] {
            let file = || app.post("/v1/requests").by(&ada).once(&wish.to_string().replace(' ', "")).json(&wish).send();
            let first = file().await;
            assert_eq!(first.status, 201, "{wish}: {}", first.text());
            app.settle().await;
            // The process is killed before the answer is kept.
            let lost = "UPDATE idempotency SET state = 'running', status = NULL, body = NULL";
            crate::support::house::run_in(&app.app.db, lost).await;
            app.advance(TimeDelta::minutes(3));
            let again = file().await;
            assert_eq!((again.status, &again.json()["id"]), (201, &first.json()["id"]), "{wish}");
        }
        let all = app.get("/v1/requests").by(&ada).send().await.json();
        assert_eq!(all["items"].as_array().unwrap().len(), 4, "{all}");
        app.leave_the_queue();
    }

    async fn an_erasure_can_be_taken_back_or_done_at_once(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        app.upload(&ada, 1).await;
        let filed = file(&app, &ada, json!({ "right": "erasure" })).await;
        assert_eq!(filed["state"], "grace");
        let again = file(&app, &ada, json!({ "right": "erasure" })).await;
        assert_eq!(again["id"], filed["id"]);
        let path = format!("/v1/requests/{}", filed["id"].as_str().unwrap());
        let back = app.post(&format!("{path}/cancel")).by(&ada).send().await.json();
        assert_eq!(back["state"], "withdrawn");
        let late = app.post(&format!("{path}/waive")).by(&ada).send().await;
        assert_eq!(late.problem(409), "conflict");

        app.advance(TimeDelta::seconds(1));
        let filed = file(&app, &ada, json!({ "right": "erasure" })).await;
        let path = format!("/v1/requests/{}", filed["id"].as_str().unwrap());
        let done = app.post(&format!("{path}/waive")).by(&ada).send().await;
        assert_eq!(done.status, 200, "{}", done.text());
        app.settle().await;
        assert_eq!(app.get("/v1/account").by(&ada).send().await.problem(401), "unauthenticated");
        assert!(app.blobs().await.is_empty());
        let receipt = done.json()["receipt"].as_str().map(ToOwned::to_owned).unwrap();
        let text = app.get(&format!("/v1/receipts/{receipt}")).send().await.text();
        vouchsafe::ledger::Receipt::parse(&text).unwrap().verify(app.app.ledger.verifier(), &[]).unwrap();
    }

    async fn a_key_alone_files_but_proves_nobody(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let key = app.api_key(&[Scope::Rights]).await.on_behalf_of(ada.owner.subject);
        let filed = app.post("/v1/requests").by(&key).json(&json!({ "right": "access" })).send().await;
        assert_eq!((filed.status, &filed.json()["state"]), (201, &json!("identity-pending")), "{}", filed.text());
        let path = format!("/v1/requests/{}", filed.json()["id"].as_str().unwrap());
        for (method, what) in [("GET", "archive"), ("POST", "waive")] {
            let answer = app.call(method, &format!("{path}/{what}")).by(&key).send().await;
            assert_eq!(answer.problem(403), "forbidden");
        }
    }

    async fn an_app_hears_how_a_request_stands_and_not_what_is_said_in_it(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let key = app.api_key(&[Scope::Rights]).await.on_behalf_of(ada.owner.subject);
        let wish = json!({ "right": "rectification", "text": "I am not a cat" });
        let filed = app.post("/v1/requests").by(&key).json(&wish).send().await.json();
        let id = filed["id"].as_str().unwrap();
        app.app.requests.identity_shown(&ada.owner, id.parse().unwrap()).await.unwrap();
        app.settle().await;
        let path = format!("/v1/requests/{id}");
        let mine = app.get(&path).by(&ada).send().await.json();
        assert_eq!(mine["text"], "I am not a cat", "{mine}");
        let told = app.get(&path).by(&key).send().await;
        assert_eq!(told.status, 200, "{}", told.text());
        let told = told.json();
        assert_eq!((&told["state"], &told["text"], &told["letters"]), (&mine["state"], &Value::Null, &json!([])));
        assert!(!app.ledger_kinds().await.contains(&"read.refused".to_owned()), "nothing was refused");
    }

    async fn a_wish_says_one_thing(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        for asked in [
            json!({ "right": "forgetting" }),
            json!({ "right": "objection" }),
            json!({ "right": "withdrawal", "purpose": "provide-edits" }),
            json!({ "right": "access", "at_once": true }),
            json!({ "right": "erasure", "on": true }),
            json!({ "right": "rectification" }),
            json!({ "right": "access", "text": "x".repeat(4001) }),
            json!({ "right": "access", "deadline": "never" }),
        ] {
            let answer = app.post("/v1/requests").by(&ada).json(&asked).send().await;
            assert_eq!(answer.problem(422), "invalid", "{asked}");
        }
        let none = app.get("/v1/requests").by(&ada).send().await.json();
        assert!(none["items"].as_array().unwrap().is_empty());
    }

    async fn staff_see_the_queue_and_hold_what_a_court_wants(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        file(&app, &ada, json!({ "right": "erasure" })).await;
        let (support, compliance) = (app.staff(Role::Support).await, app.staff(Role::Compliance).await);
        app.advance(TimeDelta::minutes(1));
        let queue = app.get("/v1/desk/queue").by(&support).send().await.json();
        assert_eq!(queue["items"][0]["right"], "erasure", "{queue}");
        assert_eq!(queue["items"][0]["subject"], ada.owner.subject.to_string());
        assert!(app.get("/v1/desk/queue?show=overdue").by(&support).send().await.json()["items"]
            .as_array().unwrap().is_empty());
        assert_eq!(app.get("/v1/desk/queue?show=secret").by(&support).send().await.problem(422), "invalid");
        let board = app.get("/v1/desk/retention").by(&support).send().await.json();
        assert_eq!(board["overdue"], 0);

        let hold = json!({
            "subject": ada.owner.subject.to_string(), "matter": "Case 1", "reason": "a court asked for it",
            "review_at": "2026-12-24T12:00:00Z",
        });
        assert_eq!(app.post("/v1/desk/holds").by(&support).json(&hold).send().await.problem(403), "forbidden");
        let placed = app.post("/v1/desk/holds").by(&compliance).json(&hold).send().await;
        assert_eq!(placed.status, 201, "{}", placed.text());
        let path = format!("/v1/desk/holds/{}/release", placed.json()["id"].as_str().unwrap());
        assert_eq!(app.post(&path).by(&support).send().await.problem(403), "forbidden");
        assert_eq!(app.post(&path).by(&compliance).send().await.status, 204);
        assert_eq!(app.post(&path).by(&compliance).send().await.problem(404), "not-found");
        let holds = app.get("/v1/desk/holds").by(&support).send().await.json();
        assert!(holds["items"][0]["released_at"].is_string());
        let late = json!({ "matter": "Case 2", "reason": "x", "review_at": "2027-12-24T12:00:00Z" });
        assert_eq!(app.post("/v1/desk/holds").by(&compliance).json(&late).send().await.problem(422), "invalid");
    }
}
