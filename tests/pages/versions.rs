//! A new version, as people meet it: on the policy's page, in the privacy centre, and in their history.

use chrono::TimeDelta;
use vouchsafe::policy::Policy;
use vouchsafe::publication::Outcome;

use super::browser::{Browser, ROOT};
use super::with_pages;
use crate::each_app;
use crate::support::TestApp;
use crate::support::house::document;

pub(super) async fn publish(app: &TestApp) {
    let text = document()
        .replace("version = \"2026-11-01\"", "version = \"2027-01-01\"")
        .replace("effective = 2026-11-01", "effective = 2027-01-01")
        .replace("at-most = \"90 days after created\"", "at-most = \"60 days after created\"");
    let outcome = app.app.publications.publish(&Policy::compile(&text).unwrap(), None).await.unwrap();
    assert!(matches!(outcome, Outcome::Published(..)), "{outcome:?}");
}

each_app! {
    async fn a_version_is_announced_read_and_put_away(app: TestApp) {
        let app = with_pages(app);
        let mut ada = Browser::default();
        ada.open_account(&app, "ada@example.org", &[]).await;
        let calm = ada.go(&app, &format!("{ROOT}/policy")).await;
        assert!(!calm.html().contains("This page changes on"));
        publish(&app).await;
        app.settle().await;

        let policy = ada.go(&app, &format!("{ROOT}/policy")).await;
        policy.says("This page changes on <time datetime=\"2027-01-01T00:00:00Z\">1 January 2027</time>");
        policy.says("60 days after it was made");
        ada.go(&app, &format!("{ROOT}/policy/2027-01-01")).await.says("In force from");
        let centre = ada.go(&app, &format!("{ROOT}/privacy")).await;
        centre.says("The policy changes on <time datetime=\"2027-01-01T00:00:00Z\">1 January 2027</time>");
        centre.says("I have read this");
        let after = ada.send(&app, &centre, "/privacy/policies/2027-01-01/acknowledge", &[]).await;
        after.says("Noted.");
        assert!(!after.html().contains("The policy changes on"));

        let own = ada.go(&app, &format!("{ROOT}/privacy/policies")).await;
        for words in ["Version 2026-11-01", "Version 2027-01-01", "We wrote to you on", "You said that you had read it on"] {
            own.says(words);
        }
        app.advance(TimeDelta::days(60));
        let now = ada.go(&app, &format!("{ROOT}/policy")).await;
        assert!(!now.html().contains("This page changes on"));
    }

    async fn a_strangers_form_acknowledges_nothing(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        publish(&app).await;
        app.settle().await;
        let path = format!("{ROOT}/privacy/policies/2027-01-01/acknowledge");
        let forged = app.post(&path).by(&ada).body("application/x-www-form-urlencoded", "csrf=AAAA").send().await;
        assert_eq!(forged.status, 403);
        assert_eq!(app.app.publications.unread(&ada.owner).await.unwrap().len(), 1);
    }
}
