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
use crate::support::house::reason;

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
}
