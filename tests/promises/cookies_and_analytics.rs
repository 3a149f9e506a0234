//! No cookie but those of signing in and that of a language somebody chose, nobody else's pages, and analytics that can be refused.

use serde_json::json;

use super::{document, edited, filed, held, kept, plant, records, sent, switch, with_pages};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{OTHER_TENANT, TENANT};

/// What may be set: the session, the desk's session, for an hour the browser that asked for a link, and a chosen language.
const COOKIES: [&str; 4] = ["__Host-sid", "__Host-desk", "__Host-ask", "__Host-lang"];
const PAGES: [&str; 8] =
    ["", "/policy", "/sign-in", "/sign-up", "/images", "/privacy", "/privacy/details", "/ledger"];

each_app! {
    async fn no_page_sets_a_cookie_or_calls_anybody(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        for path in PAGES.iter().map(|p| format!("/flux-kontext{p}")).chain(["/".to_owned()]) {
            for signed_in in [false, true] {
                let call = app.get(&path).header("accept", "text/html");
                let answer = if signed_in { call.by(&ada).send().await } else { call.send().await };
                assert!(answer.status < 400, "{path}: {}", answer.status);
                assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 0, "{path} sets a cookie");
                let html = answer.text();
                for loading in ["src=\"http", "src=\"//", "action=\"http", "@import", "url(http"] {
                    assert!(!html.contains(loading), "{path}: {loading}");
                }
                for link in html.split("<link ").skip(1).map(|l| l.split('>').next().unwrap()) {
                    assert!(!link.contains("href=\"http") && !link.contains("href=\"//"), "{path}: {link}");
                }
                let rules = answer.header("content-security-policy");
                assert!(answer.status >= 300 || (rules.contains("default-src 'none'") && !rules.contains("http")), "{path}: {rules}");
            }
        }
        let (at, fields) = ("/flux-kontext/sign-in", [("email", "ada@example.org"), ("next", "")]);
        let asked = sent(&app, at, at, &fields, |call| call).await;
        app.work().await;
        let set: Vec<&str> = asked.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(set.len(), 1, "{}", asked.text());
        for line in set {
            assert!(COOKIES.iter().any(|name| line.starts_with(&format!("{name}="))), "{line}");
            assert!(line.contains("; Secure") && line.contains("; HttpOnly") && line.contains("Max-Age=3600"), "{line}");
        }
    }

    async fn a_language_is_remembered_only_for_whoever_chose_it(app: TestApp) {
        let app = with_pages(app);
        let page = |path: &'static str| app.get(path).header("accept", "text/html");
        let liked = page("/flux-kontext/policy").header("accept-language", "de").send().await;
        assert_eq!(liked.header("content-language"), "de");
        assert_eq!(liked.headers.get_all("set-cookie").iter().count(), 0, "a browser's liking is no choice");
        let chosen = page("/flux-kontext/policy?lang=de").send().await;
        let line = chosen.header("set-cookie");
        assert!(line.starts_with("__Host-lang=de; ") && line.contains("; Secure") && line.contains("; HttpOnly"), "{line}");
        assert_eq!(chosen.headers.get_all("set-cookie").iter().count(), 1);
        let nonsense = page("/flux-kontext/policy?lang=tlh%0d%0a").send().await;
        assert_eq!(nonsense.headers.get_all("set-cookie").iter().count(), 0);
    }

    async fn analytics_is_off_until_a_yes_and_goes_with_it(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let page = json!({ "page": "/", "duration": 12 });
        plant(&app, &ada.owner, "analytics", page.clone()).await;
        assert!(records(&app, &ada.owner, "analytics", "analytics").await.is_err(), "not used without a yes");
        switch(&app, &ada, "analytics", true).await;
        assert_eq!(records(&app, &ada.owner, "analytics", "analytics").await.unwrap().len(), 1);
        switch(&app, &ada, "analytics", false).await;
        app.settle().await;
        assert_eq!(held(&app, &ada.owner, "analytics").await, 0, "what was counted is gone");
        assert_eq!(held(&app, &ada.owner, "account").await, 1);
        kept(&app, TENANT, "consent-gates").await;
    }

    async fn a_person_who_visits_edits_and_asks_is_not_counted(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        for page in PAGES {
            app.get(&format!("/flux-kontext{page}")).by(&ada).header("accept", "text/html").send().await;
        }
        edited(&app, &ada, 1).await;
        filed(&app, &ada, json!({ "right": "access" })).await;
        assert_eq!(held(&app, &ada.owner, "analytics").await, 0);
        assert_eq!(held(&app, &ada.owner, "usage").await, 0);
    }
}

#[test]
fn in_both_documents_a_person_has_the_last_word_on_analytics() {
    for (tenant, on) in [(TENANT, false), (OTHER_TENANT, true)] {
        let purpose = document(tenant).purpose("analytics").unwrap().clone();
        assert!(purpose.is_choice() && purpose.default_on == on, "{tenant}");
        assert_eq!(purpose.on_withdrawal.as_str(), "erase", "{tenant}");
    }
}
