//! Corrections that wait for the link in a new mailbox: done once, ended with their request, and asked anew when meant anew.

use chrono::TimeDelta;
use serde_json::{Value, json};
use vouchsafe::base::{RequestId, Secret};
use vouchsafe::policy::Role;
use vouchsafe::requests::{Correction, Field, RefusalReason, RefusalText, Request, State};
use vouchsafe::vault::{Access, Actor};

use crate::each_app;
use crate::support::TestApp;
use crate::support::app::Person;
use crate::support::house::{count_in, reason, run_in};

const ADA: &str = "ada@example.org";
const NEW: &str = "ada@example.net";

async fn filed(app: &TestApp, by: &Person, (email, name): (&str, &str)) -> RequestId {
    let correction = json!({ "email": email, "name": name, "username": "ada" });
    let wish = json!({ "right": "rectification", "correction": correction });
    let filed = app.post("/v1/requests").by(by).json(&wish).send().await;
    assert_eq!(filed.status, 201, "{}", filed.text());
    filed.json()["id"].as_str().unwrap().parse().unwrap()
}

async fn named(app: &TestApp, person: &Person, name: &str) {
    let answer = app.patch("/v1/account").by(person).json(&json!({ "name": name })).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn account(app: &TestApp, person: &Person) -> (Value, Value) {
    let person = app.again(person).await;
    let account = app.get("/v1/account").by(&person).send().await.json();
    (account["email"].clone(), account["name"].clone())
}

async fn found(app: &TestApp, id: RequestId) -> Request {
    app.app.requests.find(&app.tenant(), id).await.unwrap()
}

async fn clerk(app: &TestApp) -> Actor {
    Actor::Staff(app.staff(Role::Compliance).await.member.id, Role::Compliance)
}

async fn refused(app: &TestApp, id: RequestId, by: &Actor) -> Request {
    let text = RefusalText {
        reason: RefusalReason::Excessive,
        law: "Art. 12 GDPR".to_owned(),
        words: Secret::new("It was asked too often.".to_owned()),
    };
    app.app.requests.refuse(&app.tenant(), id, by, &text).await.unwrap()
}

async fn confirm(app: &TestApp, to: &str) -> bool {
    let token = app.mailed_token(to, "/address/confirm").unwrap();
    app.app.requests.confirm_address(&app.tenant(), &token, None).await.is_ok()
}

const STANDING: &str = "SELECT COUNT(*) FROM record WHERE name = 'standing'";

/// A request for everything, answered and fetched.
async fn fetched(app: &TestApp, person: &Person) -> RequestId {
    let filed = app.post("/v1/requests").by(person).json(&json!({ "right": "access" })).send().await.json();
    let id: RequestId = filed["id"].as_str().unwrap().parse().unwrap();
    let archive = app.get(&format!("/v1/requests/{id}/archive")).by(person).send().await;
    assert_eq!(archive.status, 200);
    assert_eq!(found(app, id).await.state, State::Closed);
    id
}

each_app! {
    async fn what_was_filed_writes_over_nothing_that_was_corrected_since(app: TestApp) {
        let ada = app.person(ADA).await;
        let id = filed(&app, &ada, (NEW, "Ada Byron")).await;
        assert_eq!(account(&app, &ada).await, (json!(ADA), json!("Ada Byron")));
        named(&app, &ada, "Ada Lovelace").await;
        app.settle().await;
        app.app.requests.retry(&app.tenant(), id).await.unwrap();
        assert_eq!(account(&app, &ada).await, (json!(ADA), json!("Ada Lovelace")));
        assert!(confirm(&app, NEW).await);
        assert_eq!(found(&app, id).await.outcome.as_deref(), Some("fulfilled"));
        assert_eq!(account(&app, &ada).await, (json!(NEW), json!("Ada Lovelace")));
    }

    async fn a_correction_taken_up_again_is_what_people_make_of_it(app: TestApp) {
        let ada = app.person(ADA).await;
        let by = clerk(&app).await;
        let id = filed(&app, &ada, (NEW, "Ada Byron")).await;
        app.settle().await;
        assert!(confirm(&app, NEW).await);
        app.advance(TimeDelta::minutes(10));
        named(&app, &app.again(&ada).await, "Ada Lovelace").await;
        app.app.requests.reopen(&app.tenant(), id, &by).await.unwrap();
        let waits = app.app.requests.retry(&app.tenant(), id).await.unwrap();
        assert_eq!((waits.state, waits.next_at), (State::Working, None), "for people");
        assert_eq!(account(&app, &ada).await, (json!(NEW), json!("Ada Lovelace")));
        app.leave_the_queue();
    }

    async fn a_link_ends_with_the_request_however_that_ends(app: TestApp) {
        let by = clerk(&app).await;
        for (n, way) in ["refused", "settled"].into_iter().enumerate() {
            let ada = app.person(&format!("ada{n}@example.org")).await;
            let new = format!("ada{n}@example.net");
            let id = filed(&app, &ada, (&new, "Ada")).await;
            app.settle().await;
            let closed = match way {
                "refused" => refused(&app, id, &by).await,
                _ => {
                    let why = Secret::new("Our register has it right.".to_owned());
                    app.app.requests.corrected_elsewhere(&app.tenant(), id, &by, &why).await.unwrap()
                }
            };
            assert_eq!(closed.state, State::Closed);
            assert!(!confirm(&app, &new).await, "{way}");
        }
        app.settle().await;
    }

    async fn a_slip_in_a_new_address_is_put_right_while_it_waits(app: TestApp) {
        let ada = app.person(ADA).await;
        let by = clerk(&app).await;
        let id = filed(&app, &ada, ("ada@example.nte", "Ada")).await;
        app.settle().await;
        reason(&app.app.requests, &ada.owner, &Access { actor: &by, purpose: "rights" }).await;
        let (old, new) = (Secret::new(ADA.to_owned()), Secret::new(NEW.to_owned()));
        let correction = Correction { field: Field::Email, old, new };
        app.app.requests.rectify_by_hand(&app.tenant(), id, &by, &correction).await.unwrap();
        app.settle().await;
        assert!(!confirm(&app, "ada@example.nte").await, "the old link is over");
        app.app.requests.retry(&app.tenant(), id).await.unwrap();
        assert!(confirm(&app, NEW).await);
        assert_eq!(found(&app, id).await.outcome.as_deref(), Some("fulfilled"));
        assert_eq!(account(&app, &ada).await.0, json!(NEW));
        app.settle().await;
    }

    async fn a_move_that_another_took_the_place_of_is_told_as_that(app: TestApp) {
        let ada = app.person(ADA).await;
        let id = filed(&app, &ada, (NEW, "Ada")).await;
        app.settle().await;
        app.advance(TimeDelta::minutes(10));
        let second = app.patch("/v1/account").by(&ada).json(&json!({ "email": "third@example.net" })).send().await;
        assert_eq!(second.status, 200, "{}", second.text());
        app.settle().await;
        assert!(confirm(&app, "third@example.net").await);
        for _ in 0..2 {
            app.advance(TimeDelta::hours(24));
            app.settle().await;
        }
        let over = found(&app, id).await;
        assert_eq!((over.state, over.outcome.as_deref()), (State::Closed, Some("address-replaced")));
        let told: Vec<String> = app.mails().into_iter().map(|m| m.letter.text).collect();
        assert!(told.iter().any(|text| text.contains("took its place")), "{told:?}");
        assert!(!told.iter().any(|text| text.contains("was not opened in time")), "{told:?}");
    }

    async fn a_request_taken_up_again_gathers_everything_anew(app: TestApp) {
        let ada = app.person(ADA).await;
        let by = clerk(&app).await;
        let id = fetched(&app, &ada).await;
        app.advance(TimeDelta::minutes(10));
        assert_eq!(count_in(&app.app.db, STANDING).await, 1);
        let again = app.app.requests.reopen(&app.tenant(), id, &by).await.unwrap();
        assert_eq!((again.archive, count_in(&app.app.db, STANDING).await), (None, 0));
        let ready = app.app.requests.retry(&app.tenant(), id).await.unwrap();
        assert_eq!(ready.state, State::Fulfilled);
        let (access, parent) = (Access { actor: &Actor::Service, purpose: "rights" }, id.to_string());
        let taken = app.app.vault.records_of(&ada.owner, &access, &parent).await.unwrap();
        let taken = taken.into_iter().find(|r| r.name == "standing").unwrap();
        assert!(taken.value.to_string().contains("reopened"), "as things stand now: {}", taken.value);
        app.leave_the_queue();
    }

    async fn what_was_gathered_goes_however_late_the_request_ends(app: TestApp) {
        let (ada, bob) = (app.person(ADA).await, app.person("bob@example.org").await);
        let by = clerk(&app).await;
        let (refuses, takes_back) = (fetched(&app, &ada).await, fetched(&app, &bob).await);
        app.advance(TimeDelta::days(20));
        for id in [refuses, takes_back] {
            app.app.requests.reopen(&app.tenant(), id, &by).await.unwrap();
        }
        // As a legal hold would have kept it.
        for person in [&ada, &bob] {
            let record = vouchsafe::vault::NewRecord {
                category: "rights-request",
                name: "standing",
                value: json!({}),
                parent: Some(if person.owner == ada.owner { refuses } else { takes_back }.to_string()),
                facts: vouchsafe::policy::Facts::new(),
            };
            app.app.vault.add_record(&person.owner, record).await.unwrap();
        }
        app.advance(TimeDelta::days(11));
        refused(&app, refuses, &by).await;
        let me = Actor::Subject(bob.owner.subject);
        app.app.requests.cancel(&bob.owner, takes_back, &me).await.unwrap();
        app.app.requests.tick().await.unwrap();
        assert_eq!(count_in(&app.app.db, STANDING).await, 0);
        assert_eq!((found(&app, refuses).await.next_at, found(&app, takes_back).await.next_at), (None, None));
        app.leave_the_queue();
    }

    async fn what_cannot_be_taken_up_keeps_nobody_else_from_their_turn(app: TestApp) {
        let (ada, bob) = (app.person(ADA).await, app.person("bob@example.org").await);
        fetched(&app, &ada).await;
        app.advance(TimeDelta::days(31));
        // A hundred of somebody whom nothing can be read of, all due before anything else.
        let copies = "INSERT INTO request (id, reference, tenant, subject, asked, channel, state, received_at, promise_due, \
            internal_due, legal_due, extended_due, alarm, tries, revision, next_at, answered_at) \
            SELECT substr(r.id, 1, length(r.id) - 4) || (1000 + n.i), \
            r.reference || n.i, r.tenant, NULL, r.asked, r.channel, 'fulfilled', r.received_at, r.promise_due, r.internal_due, \
            r.legal_due, r.extended_due, 0, 0, 0, 1, 1 FROM request r CROSS JOIN (WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL \
            SELECT i + 1 FROM c WHERE i < 100) SELECT i FROM c) n WHERE r.asked = 'access'";
        run_in(&app.app.db, copies).await;
        let bob = app.again(&bob).await;
        let wish = json!({ "right": "erasure" });
        let set = app.post("/v1/requests").by(&bob).json(&wish).send().await.json();
        app.advance(TimeDelta::hours(73));
        for _ in 0..3 {
            app.app.requests.tick().await.unwrap();
        }
        let id = set["id"].as_str().unwrap().parse().unwrap();
        assert!(!found(&app, id).await.state.is_open(), "hers had its turn");
        app.leave_the_queue();
    }
}
