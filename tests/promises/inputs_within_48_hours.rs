//! An upload has two clocks: success, and 48 hours. Whichever is first, and whatever breaks in between.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::jobs::{Jobs, Task};
use vouchsafe::store::jobs;

use super::{TENANTS, broken, document, entries, fact, held, kept};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Person, TENANT};
use crate::support::house::run_in;

#[test]
fn both_documents_have_both_clocks_and_neither_has_a_longer_one() {
    for tenant in TENANTS {
        let policy = document(tenant);
        let rules: Vec<_> = policy.retention_of("input-image").collect();
        assert_eq!(rules.len(), 1, "{tenant}");
        let when: Vec<_> = rules[0].erase_when.iter().map(|f| f.as_str()).collect();
        let most: Vec<_> = rules[0].at_most.iter().map(ToString::to_string).collect();
        assert_eq!(
            (when, most),
            (vec!["edit.succeeded", "account.closed"], vec!["48 hours after it was uploaded".to_owned()]),
            "{tenant}"
        );
    }
}

/// Nothing of an upload is left: no row, no bytes, no way to read it.
async fn gone(app: &TestApp, person: &Person, image: &str) {
    assert_eq!(app.get(&format!("/v1/images/{image}")).by(person).send().await.problem(404), "not-found");
    assert_eq!(held(app, &person.owner, "input-image").await, 0);
    let erased = entries(app, "object.erased").await;
    assert!(erased.iter().any(|e| fact(e, "object") == image), "and the ledger says so");
}

each_app! {
    async fn an_upload_that_nobody_edits_goes_at_48_hours_and_not_before(app: TestApp) {
        for tenant in TENANTS {
            let ada = app.person_of(tenant, "ada@example.org").await;
            let image = app.upload(&ada, 1).await;
            app.advance(TimeDelta::hours(48) - TimeDelta::seconds(1));
            app.settle().await;
            assert_eq!(app.get(&format!("/v1/images/{image}")).by(&ada).send().await.status, 200);
            app.advance(TimeDelta::seconds(1));
            app.settle().await;
            gone(&app, &ada, &image).await;
            assert!(app.blobs().await.is_empty());
            kept(&app, tenant, "retention-kept").await;
        }
    }

    async fn success_ends_it_at_once(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        app.edit(&ada, &image).await;
        app.settle().await;
        gone(&app, &ada, &image).await;
        assert_eq!(app.blobs().await.len(), 1, "the result alone");
    }

    async fn a_process_that_dies_before_success_does_not_save_it(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        let edit = app.edit(&ada, &image).await;
        // A worker took the job and was never heard of again.
        let mut tx = app.app.db.begin().await.unwrap();
        assert_eq!(jobs::claim(&mut tx, &app.app.clock, &app.app.entropy, 1).await.unwrap().len(), 1);
        tx.commit().await.unwrap();
        app.advance(TimeDelta::hours(48));
        let worker = Jobs::new(app.app.clone());
        worker.reconcile(Task::Retention, &|| false).await.unwrap();
        worker.reconcile(Task::Graves, &|| false).await.unwrap();
        gone(&app, &ada, &image).await;
        assert!(app.blobs().await.is_empty());
        // The job is taken up again, finds nothing to edit, and what was paid is given back.
        app.settle().await;
        let told = app.get(&format!("/v1/edits/{edit}")).by(&ada).send().await.json();
        assert_eq!(told["state"], "failed", "{told}");
        assert_eq!(app.app.credits.balance(&ada.owner).await.unwrap(), 100);
    }

    async fn an_edit_that_fails_leaves_it_to_the_second_clock(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        let edit = app.edit(&ada, &image).await;
        // The bytes are not what was stored: no edit can be made of them.
        for blob in crate::support::house::files_below(&app.data().join("blobs")) {
            let mut bytes = std::fs::read(&blob).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            std::fs::write(&blob, bytes).unwrap();
        }
        app.settle().await;
        let told = app.get(&format!("/v1/edits/{edit}")).by(&ada).send().await.json();
        assert_eq!(told["state"], "failed", "{told}");
        assert_eq!(held(&app, &ada.owner, "input-image").await, 1, "it can be tried again");
        app.advance(TimeDelta::hours(48));
        app.settle().await;
        gone(&app, &ada, &image).await;
    }

    async fn an_edit_that_is_stopped_or_the_owners_word_end_it_too(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        let edit = app.edit(&ada, &image).await;
        assert_eq!(app.post(&format!("/v1/edits/{edit}/cancel")).by(&ada).send().await.status, 200);
        let again = json!({ "inputs": [image], "prompt": "once more" });
        assert_eq!(app.post("/v1/edits").by(&ada).json(&again).send().await.status, 201, "until then it is theirs");
        app.settle().await;
        gone(&app, &ada, &image).await;
        let other = app.upload(&ada, 2).await;
        assert_eq!(app.delete(&format!("/v1/images/{other}")).by(&ada).send().await.status, 204);
        gone(&app, &ada, &other).await;
    }

    async fn one_that_outlived_its_clock_is_found_by_another_way(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        app.upload(&ada, 1).await;
        kept(&app, TENANT, "retention-kept").await;
        run_in(&app.app.db, "UPDATE object SET due_at = 0").await;
        app.advance(TimeDelta::hours(60));
        broken(&app, TENANT, "retention-kept").await;
    }
}
