//! A change of one number in a document is all it takes to change what the service does: the shipped text with other
//! numbers, lived under. Each thing goes at its new time, a second before which it is still there; the page and the
//! letters say the new number.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::base::Timestamp;
use vouchsafe::policy::{Fact, Facts, Policy};
use vouchsafe::subjects::Scope;
use vouchsafe::vault::{Actor, NewRecord, Owner};

use super::retention::invoice;
use crate::support::app::{Person, documents};
use crate::support::{Backend, TestApp};

const NUMBERS: &[(&str, &str)] = &[
    ("at-most = \"48 hours after uploaded\"", "at-most = \"24 hours after uploaded\""),
    (
        "[retention.account]\ncategory = \"account\"\nat-most = \"30 days after account.closed\"",
        "[retention.account]\ncategory = \"account\"\nat-most = \"10 days after account.closed\"",
    ),
    ("at-most = \"2 years after created\"", "at-most = \"1 year after created\""),
    ("warn = [\"30 days\", \"7 days\"]", "warn = [\"20 days\", \"7 days\"]"),
    ("at-most = \"3 years after last-active\"", "at-most = \"1 year after last-active\""),
    ("at-most = \"90 days after created\"", "at-most = \"60 days after created\""),
    ("law = [\"eu-gdpr\", \"eu-vat\"]", "law = [\"eu-gdpr\", \"de-books\"]"),
    (
        "keep = \"10 years after invoice.year-end\"\nstatute = \"eu-oss-records\"\nunder = \"Art. 63c Implementing Regulation (EU) 282/2011\"",
        "keep = \"8 years after invoice.year-end\"\nstatute = \"de-invoices\"\nunder = \"§ 147(3) AO\"",
    ),
];

/// The shipped documents, the first tenant's with other numbers and not another word of the prose.
fn renumbered() -> Vec<Policy> {
    let change = |policy: Policy| {
        if policy.tenant().as_str() != crate::support::app::TENANT {
            return policy;
        }
        let mut text = policy.source().to_owned();
        for (from, to) in NUMBERS {
            assert_eq!(text.matches(from).count(), 1, "`{from}`");
            text = text.replace(from, to);
        }
        Policy::compile(&text).unwrap_or_else(|found| {
            panic!("{}", vouchsafe::policy::report("renumbered.md", &text, &found, false))
        })
    };
    documents().into_iter().map(change).collect()
}

async fn count(app: &TestApp, category: &str) -> i64 {
    let sql = format!(
        "SELECT (SELECT COUNT(*) FROM object WHERE category = '{category}' AND state = 'live') + \
         (SELECT COUNT(*) FROM record WHERE category = '{category}')"
    );
    crate::support::house::count_in(&app.app.db, &sql).await
}

/// A second before `at` it is there; at `at` it is not.
async fn goes_at(app: &TestApp, category: &str, at: Timestamp) {
    let there = count(app, category).await;
    assert!(there > 0, "{category}");
    app.advance(at.since(app.now()) - TimeDelta::seconds(1));
    app.settle().await;
    assert_eq!(count(app, category).await, there, "{category} went before its time");
    app.advance(TimeDelta::seconds(1));
    app.settle().await;
    assert_eq!(count(app, category).await, 0, "{category} outlived its time");
}

async fn record(app: &TestApp, owner: &Owner, category: &str, value: serde_json::Value) {
    let new = NewRecord { category, name: "event", value, parent: None, facts: Facts::new() };
    app.app.vault.add_record(owner, new).await.unwrap();
}

async fn lived_under(app: &TestApp, ada: &Person) {
    let begun = app.now();
    app.upload(ada, 1).await;
    record(app, &ada.owner, "device", json!({ "device": "phone" })).await;
    record(app, &ada.owner, "usage", json!({ "feature": "edit", "credits": 1 })).await;
    app.app.invoices.add(&ada.owner, invoice(1, "2026-11-22")).await.unwrap();
    goes_at(app, "input-image", begun.plus(TimeDelta::hours(24))).await;
    goes_at(app, "device", begun.plus(TimeDelta::days(60))).await;
    // Here now and then, so that nothing goes for want of use.
    app.advance(TimeDelta::days(150));
    app.app.subjects.touch(&ada.owner).await.unwrap();
    goes_at(app, "usage", begun.plus(TimeDelta::days(365))).await;
}

async fn let_go_unused(app: &TestApp) {
    let bob = app.person("bob@example.org").await;
    let last = app.app.subjects.get(&bob.owner).await.unwrap().last_active_at;
    let goes = last.plus(TimeDelta::days(365));
    let mine = |app: &TestApp| {
        let sent = app
            .mails()
            .into_iter()
            .filter(|m| m.to.starts_with("bob") && m.letter.subject.contains("unused"));
        sent.map(|m| m.letter.text).collect::<Vec<_>>()
    };
    app.advance(goes.plus(TimeDelta::days(-20)).since(app.now()) - TimeDelta::seconds(1));
    app.settle().await;
    assert!(mine(app).is_empty(), "twenty days before, not thirty");
    app.advance(TimeDelta::seconds(1));
    app.settle().await;
    assert_eq!(mine(app).len(), 1);
    let day = goes.to_utc().format("%-d %B %Y").to_string();
    assert!(mine(app)[0].contains(&day), "{}", mine(app)[0]);
    app.advance(TimeDelta::days(13));
    app.settle().await;
    assert_eq!(mine(app).len(), 2);
    app.advance(goes.since(app.now()) - TimeDelta::seconds(1));
    app.settle().await;
    assert!(app.app.subjects.get(&bob.owner).await.is_ok());
    app.advance(TimeDelta::seconds(1));
    app.settle().await;
    assert!(app.app.subjects.get(&bob.owner).await.is_err());
}

async fn closed(app: &TestApp, ada: &Person) {
    let key = app.api_key(&[Scope::Accounts]).await.on_behalf_of(ada.owner.subject);
    let answer = app.post("/v1/account/close").by(&key).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let at = app.app.subjects.get(&ada.owner).await.unwrap().closed_at.unwrap();
    assert_eq!(app.get("/v1/account").by(ada).send().await.status, 401, "every session ended");
    goes_at(app, "account", at.plus(TimeDelta::days(10))).await;
    assert_eq!(count(app, "billing").await, 1, "the law keeps it");
    goes_at(app, "billing", Timestamp::parse_rfc3339("2034-12-31T23:59:59Z").unwrap()).await;
}

fn page_says(policy: &Policy) {
    let text: String = policy.clauses().iter().map(|c| format!("{}\n", c.text)).collect();
    for number in ["24 hours", "10 days", "1 year", "20 days", "60 days", "8 years"] {
        assert!(text.contains(number), "the page does not say {number}");
    }
    for number in ["48 hours", "90 days", "10 years", "3 years"] {
        assert!(!text.contains(number), "the page still says {number}");
    }
    let uploaded = Facts::new().with(Fact::Uploaded, Timestamp::from_micros(0));
    assert_eq!(policy.due("input-image", &uploaded).at(), Some(Timestamp::from_micros(86_400_000_000)));
}

async fn body(app: TestApp) {
    page_says(&app.app.vault.policy(&app.tenant()).unwrap());
    let ada = app.person("ada@example.org").await;
    lived_under(&app, &ada).await;
    let ada = Person {
        cookie: app.sign_in(&vouchsafe::subjects::SignedIn::Subject(ada.owner.clone())).await,
        ..ada
    };
    closed(&app, &ada).await;
    let_go_unused(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_number_changes_what_the_service_does_on_sqlite() {
    if let Some(app) = TestApp::open_under(Backend::Sqlite, |_| {}, renumbered()).await {
        body(app).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_number_changes_what_the_service_does_on_postgres() {
    if let Some(app) = TestApp::open_under(Backend::Postgres, |_| {}, renumbered()).await {
        body(app).await;
    }
}

crate::each_app! {
    async fn each_fact_starts_its_clock_when_it_happens(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let start = app.now();
        // uploaded, created
        let image = app.upload(&ada, 1).await;
        assert_eq!(due(&app, "input-image").await, Some((String::from("input-image"), start.plus(TimeDelta::hours(48)))));
        record(&app, &ada.owner, "device", json!({ "device": "phone" })).await;
        assert_eq!(due(&app, "device").await.unwrap().1, start.plus(TimeDelta::days(90)));
        // edit.succeeded, edit.ended: the upload is due at once, and gone.
        app.edit(&ada, &image).await;
        app.advance(TimeDelta::minutes(5));
        app.settle().await;
        assert_eq!(count(&app, "input-image").await, 0);
        let facts = facts(&app, "prompt").await;
        assert!(facts.contains("edit.ended") && facts.contains("edit.succeeded"), "{facts}");
        // closed: the clock of a request's own records.
        let words = json!({ "right": "restriction", "on": true, "text": "please" });
        let filed = app.post("/v1/requests").by(&ada).json(&words).send().await;
        assert_eq!(filed.status, 201, "{}", filed.text());
        app.settle().await;
        assert!(facts_of(&app, "rights-request").await.iter().all(|f| f.contains("\"closed\"")));
        let words = json!({ "right": "restriction", "on": false });
        app.post("/v1/requests").by(&ada).json(&words).send().await;
        app.settle().await;
        // withdrawn
        app.app.consents.set(&ada.owner, "analytics", true, "page").await.unwrap();
        record(&app, &ada.owner, "analytics", json!({ "page": "/", "duration": 12 })).await;
        app.app.consents.set(&ada.owner, "analytics", false, "page").await.unwrap();
        app.settle().await;
        assert_eq!(count(&app, "analytics").await, 0);
        // last-active: one number a person.
        app.advance(TimeDelta::hours(2));
        app.app.subjects.touch(&ada.owner).await.unwrap();
        assert_eq!(app.app.subjects.get(&ada.owner).await.unwrap().last_active_at, app.now());
        // invoice.year-end
        app.app.invoices.add(&ada.owner, invoice(1, "2026-11-22")).await.unwrap();
        assert!(facts_of(&app, "billing").await[0].contains("invoice.year-end"));
        // account.closed
        app.app.subjects.close(&ada.owner, &Actor::Subject(ada.owner.subject)).await.unwrap();
        for category in ["account", "billing", "output-image", "prompt"] {
            let all = facts_of(&app, category).await;
            assert!(!all.is_empty() && all.iter().all(|f| f.contains("account.closed")), "{category}: {all:?}");
        }
        assert_eq!(due(&app, "account").await.unwrap().1, app.now().plus(TimeDelta::days(30)));
    }
}

const FACTS: &str = "SELECT facts, COALESCE(rule, ''), due_at FROM (SELECT facts, rule, due_at, category, id FROM object \
    UNION ALL SELECT facts, rule, due_at, category, id FROM record) t WHERE category = $1 ORDER BY id DESC";

async fn rows(app: &TestApp, category: &str) -> Vec<(String, String, Option<i64>)> {
    let mut tx = app.app.db.read().await.unwrap();
    vouchsafe::on!(tx, |c| sqlx::query_as(FACTS).bind(category.to_owned()).fetch_all(c).await).unwrap()
}

async fn due(app: &TestApp, category: &str) -> Option<(String, Timestamp)> {
    let row = rows(app, category).await.into_iter().next()?;
    Some((row.1, Timestamp::from_micros(row.2?)))
}

async fn facts_of(app: &TestApp, category: &str) -> Vec<String> {
    rows(app, category).await.into_iter().map(|(facts, ..)| facts).collect()
}

async fn facts(app: &TestApp, category: &str) -> String {
    facts_of(app, category).await.concat()
}
