//! Each right, from filing to a proof that anybody can verify, by the person alone.

use serde_json::{Value, json};
use vouchsafe::ledger::Receipt;
use vouchsafe::policy::Right;

use super::{TENANTS, document, edited, entries, filed, found, held, kept, plant, switch};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Person, TENANT};

#[test]
fn both_documents_give_every_right_by_oneself_in_three_ways_within_72_hours() {
    for tenant in TENANTS {
        let policy = document(tenant);
        for right in Right::ALL {
            let rule = policy.right(*right).unwrap_or_else(|| panic!("{tenant}: {right}"));
            assert!(rule.self_service && rule.how.len() == 3, "{tenant}: {right}");
            assert_eq!(rule.answer_within.to_string(), "72 hours", "{tenant}: {right}");
            assert!(rule.covers.is_empty(), "{tenant}: {right} reaches everything");
        }
    }
}

/// The receipt of a finished request, verified as a stranger would.
async fn proof(app: &TestApp, request: &Value) -> Receipt {
    let id = request["receipt"].as_str().unwrap_or_else(|| panic!("no receipt: {request}"));
    let file = app.get(&format!("/v1/receipts/{id}")).send().await;
    let receipt = Receipt::parse(&file.text()).unwrap();
    receipt.verify(app.app.ledger.verifier(), &[]).unwrap();
    receipt
}

async fn told(app: &TestApp, person: &Person, request: &Value) -> Value {
    let path = format!("/v1/requests/{}", request["id"].as_str().unwrap());
    app.get(&path).by(person).send().await.json()
}

each_app! {
    async fn seeing_and_taking_home_end_with_a_receipt_of_the_archive(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        edited(&app, &ada, 1).await;
        for right in ["access", "portability"] {
            let request = filed(&app, &ada, json!({ "right": right })).await;
            assert_eq!(request["state"], "fulfilled", "{request}");
            let path = format!("/v1/requests/{}/archive", request["id"].as_str().unwrap());
            let zip = app.get(&path).by(&ada).send().await;
            assert!(zip.body.starts_with(b"PK\x03\x04"));
            let closed = told(&app, &ada, &request).await;
            assert_eq!(closed["state"], "closed");
            proof(&app, &closed).await;
            let eve = app.person(&format!("eve-{right}@example.org")).await;
            assert_eq!(app.get(&path).by(&eve).send().await.problem(404), "not-found");
        }
        assert_eq!(entries(&app, "export.delivered").await.len(), 2);
    }

    async fn a_correction_an_objection_and_a_withdrawal_are_done_when_they_are_asked(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let right = json!({ "email": "ada@example.org", "name": "Ada Lovelace", "username": "ada" });
        let request = filed(&app, &ada, json!({ "right": "rectification", "correction": right })).await;
        assert_eq!((&request["state"], &request["outcome"]), (&json!("closed"), &json!("fulfilled")), "{request}");
        assert_eq!(app.get("/v1/account").by(&ada).send().await.json()["name"], "Ada Lovelace");

        let request = filed(&app, &ada, json!({ "right": "objection", "purpose": "security" })).await;
        assert_eq!(request["state"], "closed", "{request}");
        assert_eq!(entries(&app, "objection.made").await.len(), 1);
        proof(&app, &request).await;

        switch(&app, &ada, "analytics", true).await;
        plant(&app, &ada.owner, "analytics", json!({ "page": "/" })).await;
        let request = filed(&app, &ada, json!({ "right": "withdrawal", "purpose": "analytics" })).await;
        assert_eq!(request["state"], "closed", "{request}");
        assert!(proof(&app, &request).await.sentence().contains("withdrew consent"));
        assert_eq!(held(&app, &ada.owner, "analytics").await, 0);
    }

    async fn an_erasure_leaves_one_fence_and_a_receipt_that_names_nobody(app: TestApp) {
        let (ada, bob) = (app.person("canary-ada@example.org").await, app.person("bob@example.org").await);
        edited(&app, &ada, 1).await;
        edited(&app, &bob, 2).await;
        app.upload(&ada, 3).await;
        let id = ada.owner.subject.to_string();
        assert!(!found(&app, &[&id]).await.is_empty(), "the search can find");
        let request = filed(&app, &ada, json!({ "right": "erasure", "at_once": true })).await;
        app.settle().await;
        assert_eq!(app.get("/v1/account").by(&ada).send().await.problem(401), "unauthenticated");
        assert_eq!(app.blobs().await.len(), 1, "bob's result");
        let done = entries(&app, "erasure.completed").await;
        assert_eq!(done.len(), 1);
        assert!(!String::from_utf8_lossy(&done[0].bytes).contains(&id));
        let issued = app.app.requests.find(&app.tenant(), request["id"].as_str().unwrap().parse().unwrap()).await.unwrap();
        let receipt = json!({ "receipt": issued.receipt.unwrap().to_string() });
        assert!(proof(&app, &receipt).await.sentence().contains("erased"));
        assert_eq!(issued.subject, None);
        assert_eq!(held(&app, &bob.owner, "output-image").await, 1, "nobody else is touched");
        kept(&app, TENANT, "backups-erased").await;
        app.app.keys.truncate_log().await.unwrap();
        let left = found_in_files(&app, &id);
        assert!(left.iter().all(|f| f.starts_with("keystore.db")), "the fence against a restored backup: {left:?}");
    }

    async fn nobody_asks_in_anothers_name(app: TestApp) {
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        let request = filed(&app, &ada, json!({ "right": "erasure" })).await;
        let path = format!("/v1/requests/{}", request["id"].as_str().unwrap());
        assert_eq!(app.get(&path).by(&eve).send().await.problem(404), "not-found");
        for verb in ["cancel", "waive"] {
            assert_eq!(app.post(&format!("{path}/{verb}")).by(&eve).send().await.problem(404), "not-found", "{verb}");
        }
        assert_eq!(app.post("/v1/requests").json(&json!({ "right": "access" })).send().await.problem(401), "unauthenticated");
        assert_eq!(told(&app, &ada, &request).await["state"], "grace", "nothing happened to it");
    }
}

/// The files of the data folder that hold a word.
fn found_in_files(app: &TestApp, word: &str) -> Vec<String> {
    let files = crate::support::house::files_below(&app.data());
    let holds = |bytes: &[u8]| bytes.windows(word.len()).any(|b| b == word.as_bytes());
    files
        .iter()
        .filter(|p| holds(&std::fs::read(p).unwrap()))
        .map(|p| p.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}
