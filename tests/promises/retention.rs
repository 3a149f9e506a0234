//! Everything ends: each clock of each document is run to its last second and one further, and the sweep leaves proof.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::base::Period;
use vouchsafe::policy::{Action, Fact, Facts, Form, Role};
use vouchsafe::retention::NewHold;
use vouchsafe::vault::NewRecord;

use super::{TENANTS, document, edited, entries, fact, filed, held, kept};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Person, TENANT};

#[test]
fn no_category_of_either_document_is_kept_without_an_end() {
    for tenant in TENANTS {
        let policy = document(tenant);
        for category in policy.categories() {
            let rules: Vec<_> = policy.retention_of(&category.id).collect();
            assert!(!rules.is_empty(), "{tenant}: {}", category.id);
            let ends = |f: &Fact| {
                matches!(
                    f,
                    Fact::AccountClosed
                        | Fact::Created
                        | Fact::Uploaded
                        | Fact::RequestClosed
                        | Fact::InvoiceYearEnd
                )
            };
            let mut facts = rules.iter().flat_map(|r| {
                r.erase_when.iter().copied().chain(r.at_most.iter().chain(&r.keep).map(|a| a.fact))
            });
            assert!(facts.any(|f| ends(&f)), "{tenant}: {} ends without anybody's doing", category.id);
        }
    }
}

/// The clocks that begin when something is stored: category, and how long.
fn clocks(tenant: &str) -> Vec<(String, Period)> {
    let policy = document(tenant);
    let mut all = Vec::new();
    for rule in policy.retention_rules().filter(|r| r.action == Action::Erase) {
        for after in rule.at_most.iter().filter(|a| a.fact == Fact::Created) {
            for category in &rule.categories {
                if policy.category(category).unwrap().form == Form::Record {
                    all.push((category.clone(), after.period));
                }
            }
        }
    }
    all
}

async fn one(app: &TestApp, person: &Person, category: &str) {
    let policy = document(person.owner.tenant.as_str());
    let field = policy.category(category).unwrap().fields.first().cloned().unwrap();
    let facts = Facts::new().with(Fact::Created, app.now());
    let new = NewRecord { category, name: "event", value: json!({ field: "x" }), parent: None, facts };
    app.app.vault.add_record(&person.owner, new).await.unwrap();
}

each_app! {
    async fn each_clock_runs_to_its_last_second_and_no_further(app: TestApp) {
        for tenant in TENANTS {
            let clocks = clocks(tenant);
            assert!(clocks.len() >= 3, "{tenant}: {clocks:?}");
            for (category, period) in clocks {
                let length = period.after(app.now()).since(app.now());
                let person = app.person_of(tenant, &format!("{category}@example.org")).await;
                one(&app, &person, &category).await;
                app.advance(length - TimeDelta::seconds(1));
                app.app.subjects.touch(&person.owner).await.unwrap();
                app.settle().await;
                assert_eq!(held(&app, &person.owner, &category).await, 1, "{tenant}: {category} went too early");
                app.advance(TimeDelta::seconds(1));
                app.settle().await;
                assert_eq!(held(&app, &person.owner, &category).await, 0, "{tenant}: {category} outlived its clock");
            }
            kept(&app, tenant, "retention-kept").await;
        }
        let swept = entries(&app, "retention.swept").await;
        assert!(swept.iter().any(|e| fact(e, "rule") == "device") && swept.iter().any(|e| fact(e, "rule") == "usage"));
    }

    async fn results_stay_for_years_and_go_with_the_account(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        edited(&app, &ada, 1).await;
        for _ in 0..4 {
            app.advance(TimeDelta::days(300));
            app.app.subjects.touch(&ada.owner).await.unwrap();
            app.settle().await;
        }
        for category in ["output-image", "prompt", "edit-history", "account"] {
            assert!(held(&app, &ada.owner, category).await > 0, "{category}: nobody deleted it");
        }
        let session = app.sign_in(&vouchsafe::subjects::SignedIn::Subject(ada.owner.clone())).await;
        let ada = Person { cookie: session, ..ada };
        filed(&app, &ada, json!({ "right": "erasure", "at_once": true })).await;
        app.settle().await;
        assert!(app.app.vault.holdings(&ada.owner).await.unwrap().is_empty());
        assert!(app.blobs().await.is_empty());
    }

    async fn a_legal_hold_stops_the_sweep_and_lifting_it_starts_no_clock_anew(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let compliance = app.staff(Role::Compliance).await.member;
        one(&app, &ada, "device").await;
        let new = NewHold {
            subject: Some(ada.owner.subject),
            category: Some("device".to_owned()),
            matter: "Case 7".to_owned(),
            reason: "a court asked for it".to_owned(),
            review_at: app.now().plus(TimeDelta::days(80)),
            untold: None,
        };
        let hold = app.app.retention.hold(&app.tenant(), new, compliance.id, Role::Compliance).await.unwrap();
        app.advance(TimeDelta::days(120));
        app.settle().await;
        assert_eq!(held(&app, &ada.owner, "device").await, 1);
        app.app.retention.release(&app.tenant(), hold.id, compliance.id, Role::Compliance).await.unwrap();
        app.settle().await;
        assert_eq!(held(&app, &ada.owner, "device").await, 0, "its own time was over long ago");
        assert_eq!(entries(&app, "hold.set").await.len(), 2);
        kept(&app, TENANT, "retention-kept").await;
    }
}
