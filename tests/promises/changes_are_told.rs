//! A version is published for good, what a change means is told in words, and each person's word names the version that
//! they had before their eyes.

use serde_json::json;
use vouchsafe::app::{App, Error, Setup};
use vouchsafe::mail;
use vouchsafe::policy::Policy;
use vouchsafe::policy::diff::{Meaning, diff};

use super::{TENANTS, document, entries, fact, kept, switch, with_pages};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{TENANT, documents};

#[test]
fn both_documents_announce_a_new_version_to_everyone_a_month_ahead() {
    for tenant in TENANTS {
        let policy = document(tenant);
        let notice = policy.notices().find(|n| n.id == "new-version").unwrap();
        assert_eq!(
            (notice.ahead.unwrap().to_string().as_str(), notice.to.as_str()),
            ("30 days", "everyone"),
            "{tenant}"
        );
        let by: Vec<_> = notice.by.iter().map(|b| b.as_str()).collect();
        assert_eq!(by, ["email", "privacy-centre", "policy-page"], "{tenant}");
    }
}

#[test]
fn what_a_change_means_is_said_and_who_must_be_asked_again() {
    let old = document(TENANT);
    let text = old
        .source()
        .replace("2026-11-01", "2027-03-01")
        .replace("at-most = \"48 hours after uploaded\"", "at-most = \"72 hours after uploaded\"");
    let new = Policy::compile(&text).unwrap();
    let found = diff(&old, &new);
    let longer = found.changes.iter().find(|c| c.meaning == Meaning::DeadlineMoved).unwrap();
    assert!(longer.must_tell && longer.rule == "retention.input-image", "{longer:?}");
    assert!(longer.says.contains("72 hours") && longer.says.contains("48 hours"), "{}", longer.says);
    assert!(longer.categories.contains("input-image") && found.must_tell());
    let same = diff(&old, &old);
    assert!(same.changes.is_empty() && !same.must_tell());
}

each_app! {
    async fn every_version_is_on_the_ledger_and_on_a_page_with_its_date(app: TestApp) {
        let app = with_pages(app);
        let published = entries(&app, "policy.published").await;
        for tenant in TENANTS {
            let policy = document(tenant);
            let entry = published.iter().find(|e| e.leaf.tenant.as_ref().is_some_and(|t| t.as_str() == tenant)).unwrap();
            assert_eq!(fact(entry, "version"), policy.version());
            assert_eq!(fact(entry, "sha256"), hex::encode(policy.hash()));
            let told = app.get(&format!("/v1/policies/{tenant}")).send().await.json();
            assert_eq!((&told["version"], &told["effective"]), (&json!(policy.version()), &json!(policy.effective().to_string())));
            assert_eq!(told["sha256"], hex::encode(policy.hash()));
            let path = format!("/{tenant}/policy/{}/source", policy.version());
            let source = app.get(&path).send().await;
            assert_eq!(source.text(), policy.source(), "anybody can compare");
            let page = app.get(&format!("/{tenant}/policy")).header("accept", "text/html").send().await;
            assert!(page.text().contains(policy.version()), "{tenant}");
        }
        kept(&app, TENANT, "ledger-consistent").await;
    }

    async fn a_published_version_cannot_be_changed_afterwards(app: TestApp) {
        let quietly = document(TENANT).source().replace("48 hours after uploaded", "47 hours after uploaded");
        let mut changed = documents();
        changed.retain(|d| d.tenant().as_str() != TENANT);
        changed.push(Policy::compile(&quietly).unwrap());
        let mut config = app.app.config.clone();
        config.server.development = false;
        let setup = Setup {
            documents: changed,
            mail: Some(mail::Settings::Recorded),
            ..Setup::of(config).unwrap()
        };
        let refused = App::open(setup).await;
        assert!(matches!(&refused, Err(Error::Changed(_))), "the service does not start: {:?}", refused.err());
    }

    async fn a_word_names_the_version_and_the_very_text_it_was_given_to(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let policy = document(TENANT);
        let opened = entries(&app, "subject.created").await;
        assert_eq!(fact(&opened[0], "version"), policy.version(), "what they had accepted when they came");
        switch(&app, &ada, "training", true).await;
        let history = app.get("/v1/consents/history").by(&ada).send().await.json();
        assert_eq!(history["items"][0]["policy_version"], policy.version());
        let given = entries(&app, "consent.given").await;
        let notice = hex::encode(vouchsafe::consent::notice_hash(&policy, "training"));
        assert_eq!(fact(&given[0], "notice"), notice);
        let other = policy.source().replace("Your prompts and results, and nothing else", "Your prompts and results");
        let other = Policy::compile(&other).unwrap();
        assert_ne!(notice, hex::encode(vouchsafe::consent::notice_hash(&other, "training")), "other words, another hash");
    }
}
