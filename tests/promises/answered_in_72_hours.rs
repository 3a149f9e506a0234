//! Every request has a clock of 72 hours beside the law's: told to its sender, shown to staff, loud when it is missed.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::policy::{Answered, Right, Role};
use vouchsafe::subjects::SignedIn;

use super::{TENANTS, broken, document, filed, kept, with_pages};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Staff, TENANT};

#[test]
fn in_both_documents_the_clock_is_72_hours_and_an_acknowledgement_does_not_stop_it() {
    for tenant in TENANTS {
        let policy = document(tenant);
        for right in policy.rights() {
            assert_eq!(right.answer_within.to_string(), "72 hours", "{tenant}: {}", right.right);
            assert!(
                matches!(right.counts_as_answered, Answered::Result | Answered::ResultOrStatus),
                "{tenant}"
            );
        }
        assert!(policy.safeguards().any(|s| s.probe == "deadlines-kept"), "{tenant}");
        let start = vouchsafe::base::Timestamp::parse_rfc3339(crate::support::app::START).unwrap();
        let clocks = policy.clocks(Right::Erasure, start, &[]).unwrap();
        assert_eq!(clocks.promise, start.plus(TimeDelta::hours(72)), "{tenant}: over a weekend too");
        assert!(clocks.legal.unwrap().due > clocks.promise, "{tenant}: the promise is the shorter one");
    }
}

each_app! {
    async fn its_sender_knows_both_dates_at_once_and_by_letter(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let request = filed(&app, &ada, json!({ "right": "rectification", "text": "my name is spelt wrong" })).await;
        assert_eq!(request["promised_by"], "2026-11-25T12:00:00Z");
        assert!(request["lawful_until"].as_str().unwrap() > "2026-12-20", "{request}");
        let letter = app.mails().into_iter().find(|m| m.to == "ada@example.org").unwrap().letter;
        let reference = request["reference"].as_str().unwrap();
        assert!(letter.text.contains(reference) && letter.text.contains("25 November 2026"), "{}", letter.text);
        assert!(!letter.text.contains("spelt wrong"), "a letter says no more than it must");
        app.leave_the_queue();
    }

    async fn most_things_are_answered_at_once(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        for asked in [
            json!({ "right": "access" }), json!({ "right": "portability" }), json!({ "right": "restriction" }),
            json!({ "right": "objection", "purpose": "security" }), json!({ "right": "withdrawal", "purpose": "training" }),
        ] {
            let request = filed(&app, &ada, asked).await;
            let (answered, promised) = (request["answered_at"].as_str(), request["promised_by"].as_str());
            assert!(answered.is_some_and(|a| Some(a) < promised), "{request}");
        }
        kept(&app, TENANT, "deadlines-kept").await;
    }

    async fn one_that_waits_too_long_is_loud_everywhere(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        filed(&app, &ada, json!({ "right": "rectification", "text": "my name is spelt wrong" })).await;
        let public = async || {
            let board = app.get("/v1/promises/flux-kontext").send().await.json();
            let clauses = board["clauses"].as_array().unwrap().clone();
            let rules = clauses.iter().flat_map(|clause| clause["rules"].as_array().unwrap().clone());
            rules.into_iter().find(|rule| rule["rule"] == "right.rectification").unwrap()["state"].clone()
        };
        app.advance(TimeDelta::hours(72) - TimeDelta::seconds(1));
        app.settle().await;
        assert_eq!(public().await, "at-risk", "a second is left");
        kept(&app, TENANT, "deadlines-kept").await;
        app.advance(TimeDelta::seconds(2));
        app.settle().await;
        app.advance(TimeDelta::hours(1));
        app.settle().await;
        assert_eq!(public().await, "broken", "anybody can see it");
        broken(&app, TENANT, "deadlines-kept").await;
        let support = app.staff(Role::Support).await;
        let late = app.get("/v1/desk/queue?show=overdue").by(&support).send().await.json();
        assert_eq!(late["items"].as_array().unwrap().len(), 1, "{late}");
        let page = app.get("/flux-kontext/desk").by(&support).header("accept", "text/html").send().await;
        assert!(page.text().contains("past our promise"), "{}", page.text());

        // Answered late it is answered, and that it was late stays in its history.
        let compliance = app.staff(Role::Compliance).await;
        let who = SignedIn::Staff(compliance.member.clone());
        let compliance = Staff { cookie: app.sign_in(&who).await, ..compliance };
        let id = late["items"][0]["id"].as_str().unwrap().parse().unwrap();
        let request = app.app.requests.get(&ada.owner, id).await.unwrap();
        let right = vouchsafe::subjects::Profile {
            email: "ada@example.org".to_owned(), name: "Ada Lovelace".to_owned(), username: "ada".to_owned(),
        };
        let actor = vouchsafe::vault::Actor::Staff(compliance.member.id, Role::Compliance);
        let access = vouchsafe::vault::Access { actor: &actor, purpose: vouchsafe::requests::PURPOSE };
        crate::support::house::reason(&app.app.requests, &ada.owner, &access).await;
        app.app.requests.rectify(&ada.owner, &request, &actor, &right).await.unwrap();
        assert_eq!(public().await, "broken", "a late answer is told for thirty days");
        let history = app.app.requests.timeline(&app.tenant(), id).await.unwrap();
        assert!(history.iter().any(|e| e.kind == "promise-missed"), "{history:?}");
        app.leave_the_queue();
    }
}
