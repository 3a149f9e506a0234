//! Of the device somebody signs in with, families and a network are kept, for ninety days, and not at all for those who
//! object.

use chrono::TimeDelta;
use serde_json::{Value, json};
use vouchsafe::subjects::SignedIn;

use super::{TENANTS, document, filed, found, held, records, sent, switch, taken_home, with_pages};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::Person;
use crate::support::call::{Answer, Call};

const ADDRESS: &str = "203.0.113.77";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.7) Gecko/20100101 Firefox/140.7";

/// Presses the button behind a sign-in link, with this browser, from this address.
async fn signs_in(app: &TestApp, person: &Person, forwarded: Option<&str>) -> Answer {
    let who = SignedIn::Subject(person.owner.clone());
    let link = app.app.subjects.direct_link(&who, TimeDelta::minutes(5)).await.unwrap();
    let token = link.token.expose().as_str();
    let page = format!("/flux-kontext/sign-in/confirm?token={token}");
    let dress = |call: Call| {
        let call = call.at_address(ADDRESS).header("user-agent", BROWSER);
        match forwarded {
            Some(forwarded) => call.header("x-forwarded-for", forwarded),
            None => call,
        }
    };
    let answer = sent(app, &page, "/flux-kontext/sign-in/confirm", &[("token", token)], dress).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer
}

async fn noted(app: &TestApp, person: &Person) -> Vec<Value> {
    records(app, &person.owner, "device", "security").await.unwrap().into_iter().map(|r| r.value).collect()
}

#[test]
fn both_documents_declare_it_minimise_it_and_end_it() {
    for tenant in TENANTS {
        let policy = document(tenant);
        let device = policy.category("device").unwrap();
        let minimised: Vec<&str> = device.minimise.iter().map(|m| m.as_str()).collect();
        assert_eq!(minimised, ["truncate-ip", "user-agent-family"], "{tenant}");
        let ends: Vec<String> =
            policy.retention_of("device").flat_map(|r| &r.at_most).map(ToString::to_string).collect();
        assert_eq!(ends, ["90 days after it was made"], "{tenant}");
        assert!(policy.purpose("security").unwrap().objectable, "{tenant}");
    }
}

each_app! {
    async fn a_sign_in_leaves_families_and_a_network_for_ninety_days(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        signs_in(&app, &ada, Some("198.51.100.9")).await;
        let seen = noted(&app, &ada).await;
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0], json!({
            "device": "desktop", "browser": "Firefox", "system": "Linux", "network": "203.0.113.0/24",
            "at": app.now().rfc3339(), "event": "sign-in",
        }), "a header that anybody can write is not believed");
        assert_eq!(found(&app, &[ADDRESS, "198.51.100", "140.7", "Gecko"]).await, [""; 0], "no more was written down");
        let files = taken_home(&app, &ada).await;
        assert!(String::from_utf8_lossy(&files["data/device.json"]).contains("203.0.113.0/24"));

        app.advance(TimeDelta::days(89));
        app.settle().await;
        assert_eq!(held(&app, &ada.owner, "device").await, 1);
        app.advance(TimeDelta::days(2));
        app.settle().await;
        assert_eq!(held(&app, &ada.owner, "device").await, 0);
    }

    async fn whoever_objects_or_asks_for_a_pause_is_not_noted_and_gets_in_all_the_same(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        switch(&app, &ada, "security", false).await;
        let answer = signs_in(&app, &ada, None).await;
        assert!(answer.header("set-cookie").starts_with("__Host-sid="));
        assert_eq!(held(&app, &ada.owner, "device").await, 0);
        switch(&app, &ada, "security", true).await;
        filed(&app, &ada, json!({ "right": "restriction" })).await;
        signs_in(&app, &ada, None).await;
        assert_eq!(held(&app, &ada.owner, "device").await, 0);
    }
}
