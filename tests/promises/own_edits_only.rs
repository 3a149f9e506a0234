//! A provider is called for an edit that its owner asked for, with what that edit needs, and for nothing else.

use serde_json::json;
use vouchsafe::disclosure::Sending;
use vouchsafe::egress::{Call, CallLog, Method, Url};
use vouchsafe::fakes::Pace;

use super::{count, document, filed};
use crate::each_app;
use crate::rooms::providers_stage::{fal, replicate};
use crate::support::TestApp;
use crate::support::app::TENANT;

#[test]
fn the_documents_send_pictures_to_one_company_for_one_purpose() {
    for (tenant, provider) in [("flux-kontext", "fal-ai"), ("opusflair", "replicate")] {
        let policy = document(tenant);
        let seeing: Vec<_> = policy
            .processors()
            .filter(|p| {
                p.is_recipient() && p.sees.as_str() == "plain" && p.receives.iter().any(|c| c == "prompt")
            })
            .map(|p| p.id.as_str())
            .collect();
        assert_eq!(seeing, [provider], "{tenant}");
        let provider = policy.processor(provider).unwrap();
        assert_eq!(provider.purposes, ["provide-edits"]);
        for category in ["account", "billing", "device", "analytics", "usage"] {
            assert!(
                policy.may_send(category, &provider.id, "provide-edits").is_err(),
                "{tenant}: {category}"
            );
        }
    }
}

each_app! {
    async fn no_edit_begins_but_by_its_owners_asking(app: TestApp) {
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        let picture = app.upload(&ada, 1).await;
        let asked = json!({ "inputs": [picture], "prompt": "make it warmer" });
        let stolen = app.post("/v1/edits").by(&eve).json(&asked).send().await;
        assert_eq!(stolen.problem(404), "not-found");
        assert_eq!(app.post("/v1/edits").json(&asked).send().await.problem(401), "unauthenticated");
        filed(&app, &ada, json!({ "right": "restriction" })).await;
        let paused = app.post("/v1/edits").by(&ada).json(&asked).send().await;
        assert!(paused.status == 403 || paused.status == 409, "{}", paused.text());
        for provider in ["fal-ai", "replicate", "somebody"] {
            let asked = json!({ "inputs": [picture], "prompt": "x", "provider": provider });
            assert!(app.post("/v1/edits").by(&eve).json(&asked).send().await.status >= 400, "{provider}");
        }
        app.settle().await;
        assert_eq!(count(&app, "SELECT COUNT(*) FROM edit").await, 0);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM disclosure").await, 0);
        assert_eq!(app.app.credits.balance(&ada.owner).await.unwrap(), 100, "and nothing was paid");
    }

    async fn the_register_takes_no_sending_that_the_document_does_not_name(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let send = async |processor, purpose, categories: &[&str]| {
            let sending = Sending { processor, purpose, categories, edit: None, bytes: 10 };
            let mut tx = app.app.db.begin().await.unwrap();
            let done = app.app.disclosures.record(&mut tx, &ada.owner, &sending).await;
            tx.commit().await.unwrap();
            done
        };
        assert!(send("fal-ai", "provide-edits", &["input-image", "prompt"]).await.unwrap().is_some());
        for (processor, purpose, category) in [
            ("fal-ai", "improvement", "prompt"),
            ("fal-ai", "provide-edits", "account"),
            ("replicate", "provide-edits", "prompt"),
            ("stripe", "billing", "output-image"),
        ] {
            assert!(send(processor, purpose, &[category]).await.is_err(), "{processor} {purpose} {category}");
        }
        assert_eq!(app.app.disclosures.of(&ada.owner).await.unwrap().len(), 1);
        assert_eq!(count(&app, &format!("SELECT COUNT(*) FROM disclosure WHERE tenant = '{TENANT}'")).await, 1);
    }
}

#[tokio::test]
async fn a_provider_gets_the_picture_the_words_and_the_settings_of_one_edit() {
    let stage = fal(Pace::Polls(0)).await;
    let job = stage.job();
    let intent = stage.provider.prepare(&job).unwrap();
    assert_eq!(stage.fake.charges(), 0, "planning calls nobody");
    stage.provider.submit(&intent, &job, &stage.log).await.unwrap();
    assert_eq!(stage.fake.charges(), 1);
    let sent = stage.fake.last_input().unwrap();
    let names: Vec<&str> = sent.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "enhance_prompt",
        "image_url",
        "num_images",
        "output_format",
        "prompt",
        "safety_tolerance",
        "sync_mode",
    ];
    assert!(
        names.iter().all(|n| expected.contains(n) || ["seed", "guidance_scale", "aspect_ratio"].contains(n)),
        "{names:?}"
    );
    let stranger = Url::parse("https://example.com/collect").unwrap();
    let call = Call::new("fal-ai", Method::GET, stranger, "/{path}");
    assert!(stage.egress.send(call, &CallLog::new()).await.is_err(), "no other host is ever called for it");

    let stage = replicate(Pace::Polls(0)).await;
    let job = stage.job();
    let intent = stage.provider.prepare(&job).unwrap();
    stage.provider.submit(&intent, &job, &stage.log).await.unwrap();
    let sent = stage.fake.last_input().unwrap();
    assert!(
        sent.get("prompt").is_some() && sent.get("user").is_none() && sent.get("email").is_none(),
        "{sent}"
    );
}
