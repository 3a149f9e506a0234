//! An account that nobody uses is cleaned up, but never as a surprise: its owner is written to, twice, and coming back
//! once is enough.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::subjects::SignedIn;

use super::{TENANTS, document, edited, entries, held, with_pages};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Person, TENANT};

#[test]
fn both_documents_say_when_and_how_often_they_write_before() {
    for (tenant, name, years) in
        [("flux-kontext", "inactive-account", "3 years"), ("opusflair", "inactive", "2 years")]
    {
        let policy = document(tenant);
        let rule = policy.retention(name).unwrap();
        assert_eq!(
            rule.at_most[0].to_string(),
            format!("{years} after the account was last used"),
            "{tenant}"
        );
        let warned: Vec<_> = rule.warn.iter().map(ToString::to_string).collect();
        assert_eq!(warned, ["30 days", "7 days"], "{tenant}");
        assert!(rule.categories.iter().any(|c| c == "output-image"), "{tenant}");
    }
}

/// How long an account of a tenant that is used now may then be unused, in days.
fn life(app: &TestApp, tenant: &str) -> i64 {
    let policy = document(tenant);
    let rule = policy
        .retention_rules()
        .find(|r| r.at_most.iter().any(|a| a.fact.as_str() == "last-active"))
        .unwrap();
    rule.at_most[0].period.after(app.now()).since(app.now()).num_days()
}

fn letters(app: &TestApp, to: &str) -> usize {
    app.mails().iter().filter(|m| m.to == to).count()
}

each_app! {
    async fn two_letters_and_then_everything_goes(app: TestApp) {
        for tenant in TENANTS {
            let email = format!("ada-{tenant}@example.org");
            let ada = app.person_of(tenant, &email).await;
            edited(&app, &ada, 1).await;
            let days = life(&app, tenant);
            let mut at = 0;
            let mut go_to = async |day: i64| {
                app.advance(TimeDelta::days(day - at));
                at = day;
                app.settle().await;
            };
            go_to(days - 31).await;
            assert_eq!(letters(&app, &email), 0, "{tenant}: not for nothing");
            go_to(days - 29).await;
            assert_eq!(letters(&app, &email), 1, "{tenant}");
            let letter = app.mails().into_iter().rfind(|m| m.to == email).unwrap().letter;
            assert!(letter.text.contains("sign-in"), "{}", letter.text);
            go_to(days - 6).await;
            assert_eq!(letters(&app, &email), 2, "{tenant}");
            assert_eq!(held(&app, &ada.owner, "output-image").await, 1, "{tenant}: still here");
            go_to(days + 3).await;
            assert!(app.app.subjects.get(&ada.owner).await.is_err(), "{tenant}: gone");
            assert!(app.app.vault.holdings(&ada.owner).await.unwrap().is_empty(), "{tenant}");
            assert!(app.blobs().await.is_empty(), "{tenant}");
        }
        assert_eq!(entries(&app, "erasure.completed").await.len(), 2);
    }

    async fn coming_back_once_stops_it_and_the_clock_begins_anew(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let days = life(&app, TENANT);
        app.advance(TimeDelta::days(days - 5));
        app.settle().await;
        assert!(letters(&app, "ada@example.org") >= 1);
        let cookie = app.sign_in(&SignedIn::Subject(ada.owner.clone())).await;
        let back = Person { owner: ada.owner.clone(), cookie };
        assert_eq!(app.get("/v1/account").by(&back).send().await.json()["email"], json!("ada@example.org"));
        app.advance(TimeDelta::days(60));
        app.settle().await;
        assert!(app.app.subjects.get(&ada.owner).await.is_ok());
        let told = letters(&app, "ada@example.org");
        app.advance(TimeDelta::days(days - 60 - 29));
        app.settle().await;
        assert!(letters(&app, "ada@example.org") > told, "warned anew before the next end");
    }

    async fn nobody_goes_unwarned_however_late_the_letters_are(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        // Nothing ran for far longer than an account may be unused.
        app.advance(TimeDelta::days(life(&app, TENANT) + 100));
        app.settle().await;
        assert!(app.app.subjects.get(&ada.owner).await.is_ok(), "the letter goes first");
        assert!(letters(&app, "ada@example.org") >= 1);
        app.advance(TimeDelta::days(6));
        app.settle().await;
        assert!(app.app.subjects.get(&ada.owner).await.is_ok(), "and leaves the time that it names");
        app.advance(TimeDelta::days(2));
        app.settle().await;
        assert!(app.app.subjects.get(&ada.owner).await.is_err());
    }
}
