//! Where use is studied out of our own interest, anybody can stop it for themself, and it stops with the same second.

use chrono::TimeDelta;
use serde_json::json;

use super::{document, edited, entries, filed, held, kept, plant, records, switch};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::OTHER_TENANT;

#[test]
fn both_purposes_rest_on_an_interest_that_is_named_and_can_be_objected_to() {
    let policy = document(OTHER_TENANT);
    for name in ["analytics", "improvement"] {
        let purpose = policy.purpose(name).unwrap();
        assert_eq!(purpose.basis.as_str(), "legitimate-interest", "{name}");
        assert!(purpose.interest.is_some() && purpose.objectable && purpose.default_on, "{name}");
    }
    let looked_at: Vec<_> = policy
        .categories()
        .filter(|c| c.purposes.iter().any(|p| p == "improvement" || p == "analytics"))
        .map(|c| c.id.as_str())
        .collect();
    for untouched in ["input-image", "output-image", "prompt"] {
        assert!(!looked_at.contains(&untouched), "{untouched} is studied");
    }
}

each_app! {
    async fn whoever_objects_leaves_no_further_trace_of_use(app: TestApp) {
        let (ada, bob) = (app.person_of(OTHER_TENANT, "ada@example.org").await, app.person_of(OTHER_TENANT, "bob@example.org").await);
        edited(&app, &ada, 1).await;
        assert_eq!(held(&app, &ada.owner, "usage").await, 1, "on, since nobody objected");
        app.advance(TimeDelta::milliseconds(1));
        let request = filed(&app, &ada, json!({ "right": "objection", "purpose": "improvement" })).await;
        assert_eq!(request["state"], "closed", "{request}");
        // Not a moment later: the clock of this test has not moved.
        edited(&app, &ada, 2).await;
        assert_eq!(held(&app, &ada.owner, "usage").await, 1);
        assert!(records(&app, &ada.owner, "usage", "improvement").await.is_err(), "what was there is not studied either");
        edited(&app, &bob, 3).await;
        assert_eq!(held(&app, &bob.owner, "usage").await, 1, "another person's word is their own");
        let history = app.get("/v1/consents/history").by(&ada).send().await.json();
        assert_eq!((&history["items"][0]["purpose"], &history["items"][0]["state"]), (&json!("improvement"), &json!("objected")));
        assert_eq!(entries(&app, "objection.made").await.len(), 1);
        kept(&app, OTHER_TENANT, "consent-gates").await;
    }

    async fn an_objection_made_while_an_edit_waits_counts_for_it(app: TestApp) {
        let ada = app.person_of(OTHER_TENANT, "ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        app.edit(&ada, &image).await;
        switch(&app, &ada, "improvement", false).await;
        app.settle().await;
        assert_eq!(held(&app, &ada.owner, "output-image").await, 1, "the edit itself is not what was objected to");
        assert_eq!(held(&app, &ada.owner, "usage").await, 0);
    }

    async fn what_was_counted_is_erased_with_the_objection(app: TestApp) {
        let ada = app.person_of(OTHER_TENANT, "ada@example.org").await;
        plant(&app, &ada.owner, "analytics", json!({ "page": "/", "pseudonym": "p1" })).await;
        assert_eq!(records(&app, &ada.owner, "analytics", "analytics").await.unwrap().len(), 1);
        switch(&app, &ada, "analytics", false).await;
        assert!(records(&app, &ada.owner, "analytics", "analytics").await.is_err(), "stopped at once");
        app.settle().await;
        assert_eq!(held(&app, &ada.owner, "analytics").await, 0, "and erased");
    }
}
