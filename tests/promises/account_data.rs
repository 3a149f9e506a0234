//! Account data: declared with its purposes, sealed under its owner's key, shown to them, put right when they say so.

use serde_json::json;

use super::{TENANTS, document, entries, found, taken_home};
use crate::each_app;
use crate::support::TestApp;

const EMAIL: &str = "canary-lovelace@example.org";

#[test]
fn both_documents_say_what_an_account_is_and_what_it_is_for() {
    for tenant in TENANTS {
        let policy = document(tenant);
        let account = policy.category("account").unwrap();
        for field in ["email", "username", "auth-subject"] {
            assert!(account.has_field(field), "{tenant}: {field}");
        }
        for purpose in ["account", "billing", "support"] {
            assert!(account.purposes.iter().any(|p| p == purpose), "{tenant}: {purpose}");
        }
        assert!(policy.category("credits").is_some(), "{tenant}: credits are tracked");
    }
}

each_app! {
    async fn it_lies_sealed_and_comes_back_to_its_owner_alone(app: TestApp) {
        let ada = app.person(EMAIL).await;
        let bob = app.person("bob@example.org").await;
        // The search can find: an id that is stored in clear is found.
        assert!(!found(&app, &[&ada.owner.subject.to_string()]).await.is_empty());
        assert_eq!(found(&app, &["canary-lovelace"]).await, [""; 0], "nothing of it lies in clear");

        let files = taken_home(&app, &ada).await;
        let account = String::from_utf8_lossy(&files["data/account.json"]).into_owned();
        assert!(account.contains(EMAIL) && account.contains("canary-lovelace of flux-kontext"), "{account}");
        let his = taken_home(&app, &bob).await;
        assert!(his.values().all(|bytes| !String::from_utf8_lossy(bytes).contains("canary")));
        let seen = app.get("/v1/account").by(&bob).send().await.json();
        assert_eq!(seen["email"], "bob@example.org");
        assert_eq!(app.get("/v1/account").send().await.problem(401), "unauthenticated");
    }

    async fn what_is_wrong_is_put_right_and_the_wrong_is_gone(app: TestApp) {
        let ada = app.person(EMAIL).await;
        app.person("bob@example.org").await;
        let taken = app.patch("/v1/account").by(&ada).json(&json!({ "email": "bob@example.org" })).send().await;
        assert_eq!((taken.status, &taken.json()["email"]), (200, &json!(EMAIL)), "nothing is told, nothing changed");
        let unknown = app.patch("/v1/account").by(&ada).json(&json!({ "shoe_size": "41" })).send().await;
        assert_eq!(unknown.problem(422), "invalid");

        app.move_to(&ada, "ada@example.org").await;
        let ada = app.again(&ada).await;
        let right = app.get("/v1/account").by(&ada).send().await;
        assert_eq!((right.status, &right.json()["email"]), (200, &json!("ada@example.org")), "{}", right.text());
        let tenant = app.tenant();
        let by_old = app.app.subjects.find(&tenant, &EMAIL.parse().unwrap()).await.unwrap();
        let by_new = app.app.subjects.find(&tenant, &"ada@example.org".parse().unwrap()).await.unwrap();
        assert_eq!((by_old, by_new), (None, Some(ada.owner.clone())), "the index moved with the address");
        app.settle().await;
        let made = entries(&app, "rectification.made").await;
        assert!(made.iter().all(|e| !String::from_utf8_lossy(&e.bytes).contains("example.org")));
        // A new address holds back for three days what a thief of the account would want.
        app.advance(chrono::TimeDelta::hours(73));
        let files = taken_home(&app, &ada).await;
        let account = String::from_utf8_lossy(&files["data/account.json"]).into_owned();
        assert!(account.contains("ada@example.org") && !account.contains(EMAIL), "{account}");
    }
}
