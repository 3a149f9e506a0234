//! A person's data may be paused: from the same second they are kept and not used, by anybody but themself, until they
//! say otherwise.

use serde_json::json;
use vouchsafe::policy::Role;
use vouchsafe::vault::{self, Access, Actor};

use super::{TENANTS, document, edited, entries, fact, filed, held, records};
use crate::each_app;
use crate::support::TestApp;

#[test]
fn both_documents_offer_it() {
    for tenant in TENANTS {
        let right = document(tenant);
        let right = right.right(vouchsafe::policy::Right::Restriction).unwrap();
        assert!(right.self_service, "{tenant}");
    }
}

each_app! {
    async fn a_pause_holds_from_the_same_second_for_everybody_but_its_owner(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let bob = app.person("bob@example.org").await;
        let done = edited(&app, &ada, 1).await;
        let image = app.upload(&ada, 2).await;
        let waiting = app.edit(&ada, &image).await;
        let request = app.post("/v1/requests").by(&ada).json(&json!({ "right": "restriction" })).send().await;
        assert_eq!((request.status, &request.json()["state"]), (201, &json!("closed")), "{}", request.text());

        // The clock has not moved, and nothing has settled.
        let refused = records(&app, &ada.owner, "prompt", "provide-edits").await;
        assert!(matches!(refused, Err(vault::Error::Restricted)), "{refused:?}");
        app.question(&ada).await;
        let support = Actor::Staff(app.staff(Role::Support).await.member.id, Role::Support);
        let access = Access { actor: &support, purpose: "support" };
        crate::support::house::reason(&app.app.requests, &ada.owner, &access).await;
        assert!(app.app.subjects.profile(&ada.owner, &access).await.is_err());
        let asked = json!({ "inputs": [done["output"]], "prompt": "once more" });
        assert_eq!(app.post("/v1/edits").by(&ada).json(&asked).send().await.problem(403), "forbidden");
        app.settle().await;
        let told = app.get(&format!("/v1/edits/{waiting}")).by(&ada).send().await.json();
        assert_eq!(told["state"], "failed", "an edit that waited is not made: {told}");
        assert_eq!(app.app.credits.balance(&ada.owner).await.unwrap(), 99, "and not paid for");
        assert!(records(&app, &bob.owner, "prompt", "provide-edits").await.is_ok(), "nobody else is paused");

        // Kept, and theirs to see.
        assert_eq!(held(&app, &ada.owner, "output-image").await, 1);
        let path = format!("/v1/images/{}", done["output"].as_str().unwrap());
        assert_eq!(app.get(&path).by(&ada).send().await.status, 200);
        let reasons: Vec<_> = entries(&app, "read.refused").await.iter().map(|e| fact(e, "reason")).collect();
        assert!(reasons.iter().filter(|r| *r == "restriction").count() >= 2, "{reasons:?}");
    }

    async fn it_is_lifted_by_a_word_and_both_words_are_remembered(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        edited(&app, &ada, 1).await;
        filed(&app, &ada, json!({ "right": "restriction", "on": true })).await;
        assert!(app.get("/v1/account").by(&ada).send().await.json()["restricted_at"].is_string());
        filed(&app, &ada, json!({ "right": "restriction", "on": false })).await;
        assert!(app.get("/v1/account").by(&ada).send().await.json()["restricted_at"].is_null());
        assert!(records(&app, &ada.owner, "prompt", "provide-edits").await.is_ok());
        assert_eq!(edited(&app, &ada, 2).await["state"], "succeeded");
        let set: Vec<_> = entries(&app, "restriction.set").await.iter().map(|e| fact(e, "on")).collect();
        assert_eq!(set, ["true", "false"]);
        let requests = app.get("/v1/requests").by(&ada).send().await.json();
        let history: Vec<_> = requests["items"].as_array().unwrap().iter().map(|r| r["about"].clone()).collect();
        assert_eq!(history.len(), 2, "{requests}");
    }
}
