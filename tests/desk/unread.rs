//! Rows that do not open: the others go on, and the desk says which of them waits for a hand.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::policy::Role;
use vouchsafe::store::aside::UNREAD;
use vouchsafe::store::jobs::{self, Troubled};
use vouchsafe::subjects::Scope;

use super::{done, open, send, shown, with_desk};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::Person;
use crate::support::house::{count_in, run_in};

/// What waits for a hand.
async fn troubled(app: &TestApp) -> Vec<Troubled> {
    let mut tx = app.app.db.read().await.unwrap();
    jobs::troubled(&mut tx, 10).await.unwrap()
}

/// The one row that waits for a hand, by what is said of it.
async fn unread(app: &TestApp) -> Troubled {
    let mut all = troubled(app).await;
    assert_eq!(all.len(), 1, "{all:?}");
    let one = all.remove(0);
    assert_eq!((one.kind.as_str(), one.quarantined), (UNREAD, true));
    assert_eq!(one.tenant.as_deref(), Some(app.tenant().as_str()));
    one
}

fn letters(app: &TestApp, to: &str) -> usize {
    app.mails().iter().filter(|sent| sent.to == to).count()
}

async fn asks_for(app: &TestApp, person: &Person, to: &str) {
    app.app.subjects.ask_address(&person.owner, &to.parse().unwrap(), None).await.unwrap();
}

each_app! {
    async fn a_change_of_address_that_does_not_open_keeps_no_other(app: TestApp) {
        let app = with_desk(app);
        let (ada, bob) = (app.person("ada@example.org").await, app.person("bob@example.org").await);
        asks_for(&app, &ada, "ada@example.net").await;
        app.advance(TimeDelta::seconds(1));
        asks_for(&app, &bob, "bob@example.net").await;
        let db = &app.app.db;
        run_in(db, "CREATE TABLE as_it_was AS SELECT * FROM address_move").await;
        let hers = format!("WHERE subject = '{}'", ada.owner.subject);
        run_in(db, &format!("UPDATE address_move SET sealed = from_index {hers}")).await;
        for _ in 0..3 {
            app.settle().await;
            app.advance(TimeDelta::seconds(10));
        }
        assert!(app.mailed_token("bob@example.org", "/address/undo").is_some());
        assert!(app.mailed_token("bob@example.net", "/address/confirm").is_some());
        assert!(app.mailed_token("ada@example.org", "/address/undo").is_none() && letters(&app, "ada@example.net") == 0);
        // Said once, and without a word of whose it is.
        let said = unread(&app).await;
        let why = said.last_error.unwrap();
        assert!(why.contains("a change of address cannot be read"), "{why}");
        let admin = app.staff(Role::Admin).await;
        let html = shown(&open(&app, &admin, "").await);
        assert!(html.contains(UNREAD) && html.contains(&why) && html.contains("Try again"), "{html}");
        assert!(!html.contains("ada@") && !html.contains(&ada.owner.subject.to_string()));

        // Released while it is as it was, it is found again; put back, it goes its way.
        let retry = format!("/jobs/{}/retry", said.id);
        done(&send(&app, &admin, &retry, &[]).await);
        app.settle().await;
        let retry = format!("/jobs/{}/retry", unread(&app).await.id);
        run_in(db, &format!("UPDATE address_move SET sealed = (SELECT w.sealed FROM as_it_was w WHERE w.id = address_move.id) {hers}")).await;
        run_in(db, "DROP TABLE as_it_was").await;
        done(&send(&app, &admin, &retry, &[]).await);
        app.settle().await;
        assert!(troubled(&app).await.is_empty());
        assert!(app.mailed_token("ada@example.net", "/address/confirm").is_some());
    }

    async fn an_address_before_that_does_not_open_keeps_no_letter_from_the_new_one(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        app.move_to(&ada, "ada@example.net").await;
        assert_eq!(app.app.subjects.addresses_before(&ada.owner).await.unwrap().len(), 1);
        run_in(&app.app.db, "UPDATE address_move SET sealed = to_index").await;
        assert!(app.app.subjects.addresses_before(&ada.owner).await.unwrap().is_empty());
        assert!(unread(&app).await.last_error.unwrap().contains("a change of address"));
        app.leave_the_queue();
    }

    async fn a_last_letter_that_does_not_open_keeps_no_other(app: TestApp) {
        let (ada, bob) = (app.person("ada@example.org").await, app.person("bob@example.org").await);
        for person in [&ada, &bob] {
            let asked = json!({ "right": "erasure", "at_once": true });
            assert_eq!(app.post("/v1/requests").by(person).json(&asked).send().await.status, 201);
            app.advance(TimeDelta::seconds(1));
        }
        let db = &app.app.db;
        let rows = "SELECT COUNT(*) FROM last_letter";
        assert_eq!(count_in(db, rows).await, 2);
        run_in(db, "UPDATE last_letter SET sealed = substr(sealed, 1, 30) WHERE at = (SELECT MIN(at) FROM last_letter)").await;
        for _ in 0..3 {
            app.settle().await;
            app.advance(TimeDelta::hours(1));
        }
        assert_eq!(count_in(db, rows).await, 1, "the one that does not open is left");
        let told = app.mails().into_iter().filter(|sent| sent.letter.text.contains("vouchsafe verify"));
        let told: Vec<String> = told.map(|sent| sent.to).collect();
        assert_eq!(told, ["bob@example.org"]);
        let why = unread(&app).await.last_error.unwrap();
        assert!(why.contains("somebody who was erased is not told"), "{why}");
        app.leave_the_queue();
    }

    async fn a_proposal_of_an_agent_that_does_not_open_keeps_no_other(app: TestApp) {
        let (_ada, _bob) = (app.person("ada@example.org").await, app.person("bob@example.org").await);
        let key = app.api_key(&[Scope::Agents]).await;
        for email in ["ada@example.org", "bob@example.org"] {
            let proposal = json!({
                "email": email, "agent": "Friends", "contact": "cases@agent.example", "rights": ["access"],
                "until": "2027-06-30T00:00:00Z", "tell_status": false, "first": { "right": "access", "text": "for her" },
            });
            let answer = app.post("/v1/mandates").by(&key).json(&proposal).send().await;
            assert_eq!(answer.status, 202, "{}", answer.text());
            app.advance(TimeDelta::seconds(1));
        }
        let db = &app.app.db;
        run_in(db, "UPDATE mandate SET sealed = address_index WHERE id = (SELECT MIN(id) FROM mandate)").await;
        app.settle().await;
        assert!(app.mailed_token("ada@example.org", "/mandates/confirm").is_none());
        assert!(app.mailed_token("bob@example.org", "/mandates/confirm").is_some());
        let why = unread(&app).await.last_error.unwrap();
        assert!(why.contains("nobody is asked"), "{why}");
        app.leave_the_queue();
    }
}
