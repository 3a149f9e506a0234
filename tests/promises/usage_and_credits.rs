//! Credits are counted because they were bought; use is recorded only for those who let us learn from it, and never kept
//! for longer than two years.

use chrono::TimeDelta;
use serde_json::json;

use super::{TENANTS, document, edited, entries, held, kept, records, switch};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::TENANT;

#[test]
fn no_record_of_use_outlives_two_years_in_either_document() {
    for tenant in TENANTS {
        let policy = document(tenant);
        let bounds: Vec<_> = policy.retention_of("usage").flat_map(|r| r.at_most.clone()).collect();
        assert!(bounds.iter().any(|b| b.to_string() == "2 years after it was made"), "{tenant}: {bounds:?}");
        let improvement = policy.purpose("improvement").unwrap();
        assert!(improvement.is_choice() && improvement.gates.iter().any(|g| g == "usage-events"), "{tenant}");
    }
}

each_app! {
    async fn credits_are_accounted_to_the_last_one(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let poor = app.person("poor@example.org").await;
        edited(&app, &ada, 1).await;
        let told = app.get("/v1/credits").by(&ada).send().await.json();
        let changes = told["history"]["items"].as_array().unwrap();
        let sum: i64 = changes.iter().map(|c| c["amount"].as_i64().unwrap()).sum();
        assert_eq!((sum, &told["balance"]), (99, &json!(99)), "{told}");
        app.app.credits.grant(&poor.owner, 1, "granted").await.unwrap();
        let image = app.upload(&poor, 2).await;
        // More than anybody has: the sum never goes below zero, and nothing is begun.
        let mut tx = app.app.db.begin().await.unwrap();
        assert!(app.app.credits.change(&mut tx, &poor.owner, -102, "edit", None).await.is_err());
        drop(tx);
        assert_eq!(app.app.credits.balance(&poor.owner).await.unwrap(), 101);
        app.delete(&format!("/v1/images/{image}")).by(&poor).send().await;
    }

    async fn use_is_recorded_only_with_a_yes_and_says_which_model(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        edited(&app, &ada, 1).await;
        assert_eq!(held(&app, &ada.owner, "usage").await, 0, "off until somebody turns it on");
        switch(&app, &ada, "improvement", true).await;
        edited(&app, &ada, 2).await;
        assert_eq!(held(&app, &ada.owner, "usage").await, 1);
        let seen = records(&app, &ada.owner, "usage", "improvement").await.unwrap();
        assert_eq!((&seen[0].value["model"], &seen[0].value["feature"]), (&json!("pro"), &json!("edit")));
        assert!(seen[0].value.get("text").is_none() && !seen[0].value.to_string().contains("warmer"));
        switch(&app, &ada, "improvement", false).await;
        edited(&app, &ada, 3).await;
        assert_eq!(held(&app, &ada.owner, "usage").await, 1, "none since the word was taken back");
        assert!(records(&app, &ada.owner, "usage", "improvement").await.is_err(), "and the old one is not read");
        kept(&app, TENANT, "consent-gates").await;
    }

    async fn two_years_and_not_a_day_longer(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        switch(&app, &ada, "improvement", true).await;
        edited(&app, &ada, 1).await;
        let days = |n| app.advance(TimeDelta::days(n));
        days(365 + 364);
        // Somebody who is still here: their account does not go for want of use.
        app.app.subjects.touch(&ada.owner).await.unwrap();
        app.settle().await;
        assert_eq!(held(&app, &ada.owner, "usage").await, 1);
        days(2);
        app.settle().await;
        assert_eq!(held(&app, &ada.owner, "usage").await, 0);
        assert_eq!(held(&app, &ada.owner, "edit-history").await, 1, "what has another clock stays");
        assert!(!entries(&app, "retention.swept").await.is_empty());
        kept(&app, TENANT, "retention-kept").await;
    }
}
