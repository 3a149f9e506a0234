//! Which version one had in force when, over the API.

use vouchsafe::policy::Policy;
use vouchsafe::publication::Outcome;
use vouchsafe::subjects::Scope;

use crate::each_app;
use crate::support::TestApp;
use crate::support::house::document;

async fn publish(app: &TestApp) {
    let text = document()
        .replace("version = \"2026-11-01\"", "version = \"2027-01-01\"")
        .replace("effective = 2026-11-01", "effective = 2027-01-01")
        .replace("at-most = \"90 days after created\"", "at-most = \"60 days after created\"");
    let outcome = app.app.publications.publish(&Policy::compile(&text).unwrap(), None).await.unwrap();
    assert!(matches!(outcome, Outcome::Published(..)), "{outcome:?}");
}

const ACKNOWLEDGE: &str = "/v1/account/policies/2027-01-01/acknowledgement";

each_app! {
    async fn one_reads_it_and_says_so(app: TestApp) {
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        let before = app.get("/v1/account/policies").by(&ada).send().await.json();
        assert_eq!(before["items"].as_array().unwrap().len(), 1, "{before}");
        assert_eq!(app.put(ACKNOWLEDGE).by(&ada).send().await.status, 404, "there is nothing yet");
        publish(&app).await;
        app.settle().await;
        let told = app.get("/v1/account/policies").by(&ada).send().await.json();
        assert_eq!(told["items"][0]["until"], "2027-01-01T00:00:00Z", "{told}");
        assert_eq!(told["items"][1]["mailed_at"], "2026-11-22T12:00:00Z", "{told}");
        assert_eq!(told["unread"][0]["version"], "2027-01-01", "{told}");
        assert!(told["unread"][0]["changes"].to_string().contains("60 days"), "{told}");
        let first = app.put(ACKNOWLEDGE).by(&ada).send().await;
        assert_eq!(first.status, 200, "{}", first.text());
        assert_eq!(app.put(ACKNOWLEDGE).by(&ada).send().await.json(), first.json());
        let after = app.get("/v1/account/policies").by(&ada).send().await.json();
        assert!(after["unread"].as_array().unwrap().is_empty(), "{after}");
        assert_eq!(after["items"][1]["acknowledged_at"], "2026-11-22T12:00:00Z", "{after}");
        let hers = app.get("/v1/account/policies").by(&eve).send().await.json();
        assert_eq!(hers["unread"].as_array().unwrap().len(), 1, "one reads for oneself: {hers}");
    }

    async fn an_app_needs_the_scope_for_it(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let key = app.api_key(&[Scope::Accounts]).await.on_behalf_of(ada.owner.subject);
        assert_eq!(app.get("/v1/account/policies").by(&key).send().await.status, 403);
        let key = app.api_key(&[Scope::Rights]).await.on_behalf_of(ada.owner.subject);
        assert_eq!(app.get("/v1/account/policies").by(&key).send().await.status, 200);
    }
}
