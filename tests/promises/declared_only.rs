//! Nothing is stored that the document does not declare: neither a category nor a field of one, by no way in.

use std::collections::BTreeSet;

use serde_json::json;
use vouchsafe::policy::Facts;
use vouchsafe::vault::{self, NewObject, NewRecord};

use super::{TENANTS, broken, column, count, document, edited, held, kept};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::TENANT;
use crate::support::house::run_in;

/// What the documents promise to name: each with the fields that a person was told of.
const PROMISED: [(&str, &[&str]); 6] = [
    ("input-image", &[]),
    ("output-image", &[]),
    ("prompt", &["text"]),
    ("image-metadata", &["format", "width", "height", "bytes"]),
    ("edit-parameters", &[]),
    ("edit-history", &["model", "model-version", "started", "ended", "outcome"]),
];

#[test]
fn what_an_edit_leaves_is_declared_in_both_documents() {
    for tenant in TENANTS {
        let policy = document(tenant);
        for (category, fields) in PROMISED {
            let declared = policy.category(category).unwrap_or_else(|| panic!("{tenant}: {category}"));
            assert!(fields.iter().all(|f| declared.has_field(f)), "{tenant}: {category}");
            assert!(policy.retention_of(category).next().is_some(), "{tenant}: {category} has an end");
        }
    }
}

each_app! {
    async fn a_whole_edit_stores_declared_things_and_no_others(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let done = edited(&app, &ada, 1).await;
        assert_eq!(done["state"], "succeeded", "{done}");
        for (category, _) in PROMISED.iter().skip(1) {
            assert!(held(&app, &ada.owner, category).await > 0, "{category} is held");
        }
        let policy = document(TENANT);
        for table in ["object", "record"] {
            let stored: BTreeSet<String> =
                column(&app.app.db, &format!("SELECT DISTINCT category FROM {table}")).await.into_iter().collect();
            assert!(stored.iter().all(|c| policy.category(c).is_some()), "{stored:?}");
        }
        kept(&app, TENANT, "nothing-undeclared").await;
        run_in(&app.app.db, "UPDATE record SET category = 'shoe-size' WHERE category = 'prompt'").await;
        broken(&app, TENANT, "nothing-undeclared").await;
    }

    async fn what_is_not_declared_is_refused_and_leaves_nothing(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let before = (count(&app, "SELECT COUNT(*) FROM record").await, app.blobs().await.len());
        let record = |category, value| NewRecord { category, name: "x", value, parent: None, facts: Facts::new() };
        let vault = &app.app.vault;
        let refused = vault.add_record(&ada.owner, record("shoe-size", json!({ "size": 41 }))).await;
        assert!(matches!(&refused, Err(vault::Error::Refused(r)) if r.rule == "category.shoe-size"), "{refused:?}");
        let refused = vault.add_record(&ada.owner, record("prompt", json!({ "text": "a hat", "mood": "sad" }))).await;
        assert!(matches!(&refused, Err(vault::Error::Undeclared { field, .. }) if field == "mood"), "{refused:?}");
        let refused = vault.add_record(&ada.owner, record("billing", json!({ "card-number": "4242" }))).await;
        assert!(matches!(&refused, Err(vault::Error::Undeclared { .. })), "{refused:?}");
        for category in ["face-scan", "prompt"] {
            let facts = Facts::new();
            let new = NewObject { category, media_type: "image/png", parent: None, facts, size: None, most_bytes: 99 };
            let body = futures_util::stream::iter([Ok::<_, vault::Error>(bytes::Bytes::from_static(b"bytes"))]);
            assert!(vault.put_object(&ada.owner, new, body).await.is_err(), "{category}");
        }
        for asked in [
            json!({ "inputs": [], "prompt": "x", "mood": "sad" }),
            json!({ "inputs": [], "prompt": "x", "settings": { "face": 1 } }),
        ] {
            let answer = app.post("/v1/edits").by(&ada).json(&asked).send().await;
            assert_eq!(answer.problem(422), "invalid", "{asked}");
        }
        app.settle().await;
        let after = (count(&app, "SELECT COUNT(*) FROM record").await, app.blobs().await.len());
        assert_eq!(before, after);
    }
}
