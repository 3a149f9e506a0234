//! Another address, and what else a session or a token that is not fresh may not do.

use chrono::TimeDelta;
use serde_json::{Value, json};
use vouchsafe::subjects::{Error as Refused, Scope};

use crate::each_app;
use crate::support::TestApp;
use crate::support::app::Person;
use crate::support::call::{Answer, Sender};

const ADA: &str = "ada@example.org";
const NEW: &str = "ada@example.net";

async fn ask(app: &TestApp, by: impl Into<Sender>, email: &str) -> Answer {
    app.patch("/v1/account").by(by).json(&json!({ "email": email })).send().await
}

async fn address(app: &TestApp, person: &Person) -> Value {
    let person = app.again(person).await;
    app.get("/v1/account").by(&person).send().await.json()["email"].clone()
}

fn letters_to(app: &TestApp, to: &str) -> Vec<String> {
    app.mails().into_iter().filter(|sent| sent.to == to).map(|sent| sent.letter.subject).collect()
}

each_app! {
    async fn a_stale_session_takes_and_erases_nothing(app: TestApp) {
        let ada = app.person(ADA).await;
        let filed = app.post("/v1/requests").by(&ada).json(&json!({ "right": "access" })).send().await.json();
        app.settle().await;
        let archive = format!("/v1/requests/{}/archive", filed["id"].as_str().unwrap());
        app.advance(TimeDelta::seconds(1));
        let erasure = app.post("/v1/requests").by(&ada).json(&json!({ "right": "erasure" })).send().await.json();
        let waive = format!("/v1/requests/{}/waive", erasure["id"].as_str().unwrap());
        app.advance(TimeDelta::minutes(61));
        let correction = json!({ "email": NEW, "name": "Ada", "username": "ada" });
        let refused = [
            app.get(&archive).by(&ada).send().await,
            app.call("HEAD", &archive).by(&ada).send().await,
            app.post(&waive).by(&ada).send().await,
            app.post("/v1/account/close").by(&ada).send().await,
            ask(&app, &ada, NEW).await,
        ];
        for answer in &refused {
            assert_eq!(answer.status, 401);
        }
        assert_eq!(refused[0].problem(401), "step-up");
        for wish in [
            json!({ "right": "access" }),
            json!({ "right": "portability" }),
            json!({ "right": "erasure" }),
            json!({ "right": "erasure", "at_once": true }),
            json!({ "right": "rectification", "correction": correction }),
        ] {
            let answer = app.post("/v1/requests").by(&ada).json(&wish).send().await;
            assert_eq!(answer.problem(401), "step-up", "{wish}");
        }
        // What takes nothing away needs no fresh proof.
        let named = app.patch("/v1/account").by(&ada).json(&json!({ "name": "Ada King", "email": ADA })).send().await;
        assert_eq!(named.status, 200, "{}", named.text());
        let wish = json!({ "right": "restriction" });
        assert_eq!(app.post("/v1/requests").by(&ada).json(&wish).send().await.status, 201, "{wish}");
        let fresh = app.again(&ada).await;
        assert_eq!(app.get(&archive).by(&fresh).send().await.status, 200);
    }

    async fn a_token_counts_as_a_proof_while_it_says_so(app: TestApp) {
        let ada = app.person(ADA).await;
        app.app.subjects.add_login(&ada.owner, app.issuer(), "login-1").await.unwrap();
        let filed = app.post("/v1/requests").by(app.token("login-1")).json(&json!({ "right": "access" })).send().await;
        assert_eq!(filed.status, 201, "{}", filed.text());
        app.settle().await;
        let archive = format!("/v1/requests/{}/archive", filed.json()["id"].as_str().unwrap());
        app.advance(TimeDelta::hours(3));
        let now = app.now().micros() / 1_000_000;
        let amr = |at: i64| json!([{ "method": "password", "timestamp": at }]);
        for (claims, status) in [
            (json!({ "iat": now }), 200),
            (json!({ "iat": now - 3601 }), 401),
            (json!({}), 401),
            (json!({ "iat": now + 3600 }), 401),
            (json!({ "iat": now, "auth_time": now - 3601 }), 401),
            (json!({ "iat": now - 7200, "auth_time": now - 60 }), 200),
            (json!({ "iat": now, "amr": amr(now - 7200) }), 401),
            (json!({ "iat": now, "amr": amr(now - 60) }), 200),
            (json!({ "iat": now, "amr": ["pwd"] }), 200),
        ] {
            let answer = app.get(&archive).by(app.token_with("login-1", claims.clone())).send().await;
            assert_eq!(answer.status, status, "{claims}");
        }
    }

    async fn closing_is_an_erasure_that_can_be_taken_back(app: TestApp) {
        let ada = app.person(ADA).await;
        app.upload(&ada, 1).await;
        let closing = app.post("/v1/account/close").by(&ada).send().await.json();
        assert_eq!((&closing["request"]["right"], &closing["request"]["state"]), (&json!("erasure"), &json!("grace")));
        app.advance(TimeDelta::minutes(10));
        app.settle().await;
        assert_eq!(app.blobs().await.len(), 1, "nothing is gone yet");
        assert!(letters_to(&app, ADA).iter().any(|s| s.contains("will be erased on")));
        let back = format!("/v1/requests/{}/cancel", closing["request"]["id"].as_str().unwrap());
        assert_eq!(app.post(&back).by(&ada).send().await.status, 200);
        app.advance(TimeDelta::hours(80));
        app.settle().await;
        assert!(!app.ledger_kinds().await.iter().any(|kind| kind == "erasure.requested" || kind == "subject.closed"));

        // On the word of its app it is closed at once; in no way while the address is new.
        let ada = app.again(&ada).await;
        app.move_to(&ada, NEW).await;
        let ada = app.again(&ada).await;
        let key = app.api_key(&[Scope::Accounts]).await.on_behalf_of(ada.owner.subject);
        assert_eq!(app.post("/v1/account/close").by(&ada).send().await.problem(409), "conflict");
        assert_eq!(app.post("/v1/account/close").by(&key).send().await.problem(409), "conflict");
        app.advance(TimeDelta::hours(72));
        let closed = app.post("/v1/account/close").by(&key).send().await.json();
        assert!(closed["closed_at"].is_string() && closed["request"].is_null(), "{closed}");
    }

    async fn an_address_moves_by_the_link_in_the_new_mailbox_and_every_other_session_ends(app: TestApp) {
        let ada = app.person(ADA).await;
        let (here, elsewhere) = (app.again(&ada).await, app.again(&ada).await);
        assert_eq!(ask(&app, &here, NEW).await.json()["email"], ADA, "nothing changed yet");
        app.settle().await;
        assert_eq!(address(&app, &ada).await, ADA);
        let sent: Vec<String> = app.mails().into_iter().map(|sent| sent.to).collect();
        assert_eq!(sent, [ADA, NEW], "the old mailbox hears of it first");
        app.settle().await;
        assert_eq!(app.mails().len(), 2, "at most once");
        let token = app.mailed_token(NEW, "/address/confirm").unwrap();
        let requests = &app.app.requests;
        let strange = requests.confirm_address(&"opusflair".parse().unwrap(), &token, None).await;
        assert!(strange.is_err());
        let session = app.app.subjects.session(&here.cookie).await.unwrap();
        requests.confirm_address(&app.tenant(), &token, Some(&session)).await.unwrap();
        assert_eq!(app.get("/v1/account").by(&here).send().await.json()["email"], NEW);
        for other in [&ada, &elsewhere] {
            assert_eq!(app.get("/v1/account").by(other).send().await.problem(401), "unauthenticated");
        }
        let tenant = app.tenant();
        let found = async |email: &str| app.app.subjects.find(&tenant, &email.parse().unwrap()).await.unwrap();
        assert_eq!((found(ADA).await, found(NEW).await), (None, Some(ada.owner.clone())));
        assert!(app.app.subjects.get(&ada.owner).await.unwrap().address_confirmed);
        assert!(requests.confirm_address(&tenant, &token, None).await.is_err(), "once");
        assert!(app.ledger_kinds().await.contains(&"subject.address-moved".to_owned()));
        let twice = ask(&app, &here, "third@example.net").await;
        assert_eq!(twice.problem(409), "conflict", "not twice within the hold");
    }

    async fn a_token_of_an_app_holds_the_address_as_a_session_does(app: TestApp) {
        let ada = app.person(ADA).await;
        app.app.subjects.add_login(&ada.owner, app.issuer(), "login-1").await.unwrap();
        assert_eq!(ask(&app, app.token("login-1"), NEW).await.json()["email"], ADA);
        app.settle().await;
        let token = app.mailed_token(NEW, "/address/confirm").unwrap();
        app.app.requests.confirm_address(&app.tenant(), &token, None).await.unwrap();
        assert_eq!(
            app.app.subjects.address_held(&ada.owner).await.unwrap(),
            Some(app.now().plus(TimeDelta::hours(72)))
        );
    }

    async fn whether_an_address_is_taken_only_its_mailbox_hears(app: TestApp) {
        let ada = app.person(ADA).await;
        app.person("bob@example.org").await;
        let (free, taken) = (ask(&app, &ada, NEW).await, ask(&app, &ada, "bob@example.org").await);
        assert_eq!((free.status, free.text()), (taken.status, taken.text()));
        app.settle().await;
        let told = letters_to(&app, "bob@example.org");
        assert_eq!(told, ["Your address has an account at Flux Kontext already"]);
        assert_eq!(app.mailed_token("bob@example.org", "/address/confirm"), None);
        assert_eq!(letters_to(&app, NEW), [""; 0], "what was asked first is no longer asked");
        // A request says no more: it waits for a link that nobody has, and ends when that is over.
        app.advance(TimeDelta::hours(25));
        let ada = app.again(&ada).await;
        let correction = json!({ "email": "bob@example.org", "name": "Ada King", "username": "ada" });
        let wish = json!({ "right": "rectification", "correction": correction });
        let filed = app.post("/v1/requests").by(&ada).json(&wish).send().await.json();
        assert_eq!((&filed["state"], &filed["problem"]), (&json!("working"), &Value::Null), "{filed}");
        app.advance(TimeDelta::hours(24));
        app.settle().await;
        let path = format!("/v1/requests/{}", filed["id"].as_str().unwrap());
        let ended = app.get(&path).by(&ada).send().await.json();
        assert_eq!((&ended["state"], &ended["outcome"]), (&json!("closed"), &json!("address-not-confirmed")), "{ended}");
        let mine = app.get("/v1/account").by(&ada).send().await.json();
        assert_eq!((&mine["email"], &mine["name"]), (&json!(ADA), &json!("Ada King")), "the name is right all the same");
    }

    async fn a_request_is_answered_when_the_link_is_opened(app: TestApp) {
        let ada = app.person(ADA).await;
        let correction = json!({ "email": NEW, "name": "Ada", "username": "ada" });
        let wish = json!({ "right": "rectification", "correction": correction });
        let filed = app.post("/v1/requests").by(&ada).json(&wish).send().await.json();
        assert_eq!(filed["state"], "working", "{filed}");
        app.settle().await;
        let path = format!("/v1/requests/{}", filed["id"].as_str().unwrap());
        let token = app.mailed_token(NEW, "/address/confirm").unwrap();
        app.app.requests.confirm_address(&app.tenant(), &token, None).await.unwrap();
        let ada = app.again(&ada).await;
        let done = app.get(&path).by(&ada).send().await.json();
        assert_eq!((&done["state"], &done["outcome"]), (&json!("closed"), &json!("fulfilled")), "{done}");

        // One that was taken back leaves no link behind.
        app.advance(TimeDelta::hours(73));
        let ada = app.again(&ada).await;
        let correction = json!({ "email": "third@example.net", "name": "Ada", "username": "ada" });
        let wish = json!({ "right": "rectification", "correction": correction });
        let filed = app.post("/v1/requests").by(&ada).json(&wish).send().await.json();
        app.settle().await;
        let back = format!("/v1/requests/{}/cancel", filed["id"].as_str().unwrap());
        assert_eq!(app.post(&back).by(&ada).send().await.status, 200);
        let token = app.mailed_token("third@example.net", "/address/confirm").unwrap();
        assert!(app.app.requests.confirm_address(&app.tenant(), &token, None).await.is_err());
    }

    async fn the_old_mailbox_undoes_it_for_three_days_and_hears_of_erasures(app: TestApp) {
        let ada = app.person(ADA).await;
        app.move_to(&ada, NEW).await;
        let undo = app.mailed_token(ADA, "/address/undo").unwrap();
        let eve = app.again(&ada).await;
        let filed = app.post("/v1/requests").by(&eve).json(&json!({ "right": "erasure" })).send().await;
        assert_eq!(filed.status, 201, "{}", filed.text());
        let third = json!({ "email": "third@example.net", "name": "Eve", "username": "eve" });
        let wish = json!({ "right": "rectification", "correction": third });
        let held = app.post("/v1/requests").by(&eve).json(&wish).send().await;
        assert_eq!(held.json()["state"], "working", "{}", held.text());
        app.settle().await;
        for mailbox in [ADA, NEW] {
            let told = letters_to(&app, mailbox);
            assert!(told.iter().any(|s| s.contains("will be erased on")), "{mailbox}: {told:?}");
        }
        // The old address is kept for whoever may come back.
        let new = vouchsafe::subjects::NewAccount {
            email: ADA.parse().unwrap(), name: "Eve".to_owned(), username: "eve".to_owned(),
        };
        assert!(matches!(app.app.subjects.open(&app.tenant(), new).await, Err(Refused::Taken)));
        app.advance(TimeDelta::hours(70));
        app.app.requests.undo_address(&app.tenant(), &undo).await.unwrap();
        assert_eq!(app.get("/v1/account").by(&eve).send().await.problem(401), "unauthenticated");
        assert_eq!(address(&app, &ada).await, ADA);
        assert!(app.ledger_kinds().await.contains(&"subject.address-undone".to_owned()));
        assert!(app.app.requests.undo_address(&app.tenant(), &undo).await.is_err(), "once");
        // What was asked for since is taken back with it, and nothing comes of it when the hold is over.
        let mine = app.again(&ada).await;
        for filed in [&filed, &held] {
            let path = format!("/v1/requests/{}", filed.json()["id"].as_str().unwrap());
            let over = app.get(&path).by(&mine).send().await.json();
            assert_eq!((&over["state"], &over["outcome"]), (&json!("withdrawn"), &json!("address-undone")), "{over}");
        }
        for _ in 0..3 {
            app.advance(TimeDelta::hours(4));
            app.settle().await;
        }
        assert!(!app.app.subjects.get(&ada.owner).await.unwrap().erasing, "nothing is erased");
        assert_eq!(address(&app, &ada).await, ADA);
        assert_eq!(letters_to(&app, "third@example.net"), [""; 0]);
    }

    async fn a_mailbox_that_takes_nothing_in_keeps_no_other_from_hearing_of_an_erasure(app: TestApp) {
        let warned = |mailbox| letters_to(&app, mailbox).iter().filter(|s| s.contains("will be erased on")).count();
        let ada = app.person(ADA).await;
        app.move_to(&ada, NEW).await;
        let eve = app.again(&ada).await;
        for (deaf, hears) in [(NEW, ADA), (ADA, NEW)] {
            app.app.post.refuse(deaf, true);
            let filed = app.post("/v1/requests").by(&eve).json(&json!({ "right": "erasure" })).send().await;
            assert_eq!(filed.status, 201, "{}", filed.text());
            let before = (warned(deaf), warned(hears));
            app.settle().await;
            assert_eq!((warned(deaf), warned(hears)), (before.0, before.1 + 1), "{deaf} takes nothing in");
            app.app.post.refuse(deaf, false);
            app.advance(TimeDelta::minutes(11));
            for _ in 0..2 {
                app.settle().await;
                app.advance(TimeDelta::minutes(11));
            }
            assert_eq!((warned(deaf), warned(hears)), (before.0 + 1, before.1 + 1), "it was tried again, once");
            let cancel = format!("/v1/requests/{}/cancel", filed.json()["id"].as_str().unwrap());
            assert_eq!(app.post(&cancel).by(&eve).send().await.status, 200);
        }
    }

    async fn the_old_address_is_gone_when_it_can_no_longer_be_undone(app: TestApp) {
        let ada = app.person(ADA).await;
        app.move_to(&ada, NEW).await;
        let undo = app.mailed_token(ADA, "/address/undo").unwrap();
        assert_eq!(app.app.subjects.addresses_before(&ada.owner).await.unwrap().len(), 1);
        let id = crate::support::house::word_in(&app.app.db, "SELECT id FROM address_move").await;
        let kind = format!("address/{}", app.tenant());
        assert!(app.app.keys.once_known(&kind, &id).await.unwrap().is_some());
        app.advance(TimeDelta::hours(72));
        assert!(app.app.requests.undo_address(&app.tenant(), &undo).await.is_err());
        assert!(app.app.subjects.addresses_before(&ada.owner).await.unwrap().is_empty());
        app.settle().await;
        let db = &app.app.db;
        let left = "SELECT COUNT(*) FROM address_move WHERE sealed IS NOT NULL OR from_index IS NOT NULL OR to_index IS NOT NULL \
            OR undo_hash IS NOT NULL";
        assert_eq!(crate::support::house::count_in(db, left).await, 0);
        assert!(app.app.keys.once_known(&kind, &id).await.unwrap().is_none(), "nor does a copy of the row open");
        app.advance(TimeDelta::days(3));
        app.settle().await;
        assert_eq!(crate::support::house::count_in(db, "SELECT COUNT(*) FROM address_move").await, 0);
    }

    async fn a_letter_that_was_cut_off_goes_to_the_old_mailbox_before_any_goes_to_the_new(app: TestApp) {
        let ada = app.person(ADA).await;
        assert_eq!(ask(&app, &ada, NEW).await.status, 200);
        let subjects = &app.app.subjects;
        let owed = subjects.owed_moves(&app.tenant()).await.unwrap().pop().unwrap();
        // The process that was to send it is killed here.
        let token = subjects.tell_old(&owed).await.unwrap().unwrap();
        app.settle().await;
        assert!(app.mailed_token(NEW, "/address/confirm").is_none(), "the old mailbox does not know yet");
        app.advance(TimeDelta::minutes(11));
        app.settle().await;
        assert_eq!(app.mailed_token(ADA, "/address/undo").as_ref(), Some(token.expose()), "the same link, if it had gone");
        assert!(app.mailed_token(NEW, "/address/confirm").is_some());
        assert_eq!((letters_to(&app, ADA).len(), letters_to(&app, NEW).len()), (1, 1));
    }

    async fn an_old_mailbox_that_is_no_more_holds_a_move_up_for_an_hour(app: TestApp) {
        let ada = app.person(ADA).await;
        app.app.post.refuse(ADA, true);
        assert_eq!(ask(&app, &ada, NEW).await.status, 200);
        app.settle().await;
        assert!(app.mailed_token(NEW, "/address/confirm").is_none());
        app.advance(TimeDelta::minutes(61));
        app.settle().await;
        assert!(app.mailed_token(NEW, "/address/confirm").is_some());
        app.app.post.refuse(ADA, false);
        app.settle().await;
        assert!(app.mailed_token(ADA, "/address/undo").is_some(), "it is told as soon as it can be");
    }

    async fn before_the_link_is_opened_the_old_mailbox_stops_it(app: TestApp) {
        let ada = app.person(ADA).await;
        assert_eq!(ask(&app, &ada, NEW).await.status, 200);
        app.settle().await;
        let (undo, confirm) =
            (app.mailed_token(ADA, "/address/undo").unwrap(), app.mailed_token(NEW, "/address/confirm").unwrap());
        app.app.requests.undo_address(&app.tenant(), &undo).await.unwrap();
        assert_eq!(app.get("/v1/account").by(&ada).send().await.problem(401), "unauthenticated");
        assert!(app.app.requests.confirm_address(&app.tenant(), &confirm, None).await.is_err());
        assert_eq!(address(&app, &ada).await, ADA);
    }

    async fn letters_about_new_addresses_are_counted(app: TestApp) {
        let ada = app.person(ADA).await;
        for n in 0..3 {
            assert_eq!(ask(&app, &ada, &format!("ada{n}@example.net")).await.status, 200);
            app.settle().await;
        }
        assert_eq!(ask(&app, &ada, "ada3@example.net").await.problem(429), "too-many");
        app.advance(TimeDelta::hours(25));
        let ada = app.again(&ada).await;
        assert_eq!(ask(&app, &ada, "ada3@example.net").await.status, 200);
    }

    async fn an_address_that_strangers_want_is_neither_flooded_nor_locked_out(app: TestApp) {
        let (ada, bob) = (app.person(ADA).await, app.person("bob@example.org").await);
        for _ in 0..3 {
            assert_eq!(ask(&app, &bob, NEW).await.status, 200);
            app.settle().await;
        }
        app.advance(TimeDelta::hours(1));
        let ada = app.again(&ada).await;
        assert_eq!(ask(&app, &ada, NEW).await.status, 200, "she learns nothing of the others");
        app.settle().await;
        assert_eq!(letters_to(&app, NEW).len(), 3, "enough for a day");
        app.advance(TimeDelta::hours(23));
        app.settle().await;
        assert_eq!(letters_to(&app, NEW).len(), 4);
        let token = app.mailed_token(NEW, "/address/confirm").unwrap();
        app.app.requests.confirm_address(&app.tenant(), &token, None).await.unwrap();
        assert_eq!(address(&app, &ada).await, NEW);
    }

    async fn a_damaged_move_is_a_fault_of_ours_and_no_missing_page(app: TestApp) {
        let ada = app.person(ADA).await;
        app.move_to(&ada, NEW).await;
        let undo = app.mailed_token(ADA, "/address/undo").unwrap();
        crate::support::house::run_in(&app.app.db, "UPDATE address_move SET sealed = from_index").await;
        let damaged = app.app.requests.undo_address(&app.tenant(), &undo).await.unwrap_err();
        assert_eq!(damaged.kind(), vouchsafe::base::Kind::Internal, "{damaged}");
        app.leave_the_queue();
    }
}
