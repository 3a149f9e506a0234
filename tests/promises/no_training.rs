//! Nothing teaches a model until its owner says so: off by default, refused at the door, off again within the second.

use serde_json::json;
use vouchsafe::base::PageSize;
use vouchsafe::disclosure::Sending;
use vouchsafe::policy::Basis;
use vouchsafe::vault::{self, Access, Actor};

use super::{TENANTS, broken, document, edited, entries, fact, kept, records, switch};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Person, TENANT};
use crate::support::house::run_in;

/// Whether the program may open somebody's results to train on them.
async fn pictures(app: &TestApp, person: &Person, category: &str) -> Result<usize, vault::Error> {
    let access = Access { actor: &Actor::Service, purpose: "training" };
    let page = (None, PageSize::default());
    Ok(app.app.vault.objects(&person.owner, &access, category, page).await?.items.len())
}

#[test]
fn in_both_documents_it_is_off_explicit_and_never_about_uploads() {
    for tenant in TENANTS {
        let policy = document(tenant);
        let training = policy.purpose("training").unwrap();
        assert_eq!((training.basis, training.default_on), (Basis::ExplicitConsent, false), "{tenant}");
        assert!(training.trains_models && training.explicit, "{tenant}");
        assert_eq!(training.on_withdrawal.as_str(), "erase", "{tenant}");
        let covered: Vec<_> = policy
            .categories()
            .filter(|c| c.purposes.iter().any(|p| p == "training"))
            .map(|c| c.id.as_str())
            .collect();
        assert_eq!(covered, ["prompt", "output-image"], "{tenant}");
        for processor in policy.processors() {
            assert!(!processor.purposes.iter().any(|p| p == "training"), "{tenant}: {} trains", processor.id);
        }
        for other in policy.purposes().filter(|p| p.id != "training") {
            assert!(!other.trains_models, "{tenant}: {}", other.id);
        }
    }
}

each_app! {
    async fn it_is_refused_until_a_yes_and_refused_again_with_the_no(app: TestApp) {
        let (ada, bob) = (app.person("ada@example.org").await, app.person("bob@example.org").await);
        for person in [&ada, &bob] {
            edited(&app, person, 1).await;
            app.upload(person, 2).await;
        }
        let choices = app.get("/v1/consents").by(&ada).send().await.json();
        let training = choices["items"].as_array().unwrap().iter().find(|c| c["purpose"] == "training").unwrap();
        assert_eq!((&training["on"], &training["needs_consent"]), (&json!(false), &json!(true)));
        assert!(matches!(pictures(&app, &ada, "output-image").await, Err(vault::Error::NoConsent { .. })));
        assert!(records(&app, &ada.owner, "prompt", "training").await.is_err());
        let refused = entries(&app, "read.refused").await;
        assert_eq!(refused.len(), 2);
        assert!(refused.iter().all(|e| fact(e, "purpose") == "training" && fact(e, "reason") == "consent"));

        let word = switch(&app, &ada, "training", true).await;
        assert_eq!(pictures(&app, &ada, "output-image").await.unwrap(), 1);
        assert_eq!(records(&app, &ada.owner, "prompt", "training").await.unwrap().len(), 1);
        assert!(matches!(pictures(&app, &ada, "input-image").await, Err(vault::Error::Refused(_))), "an upload, never");
        assert!(pictures(&app, &bob, "output-image").await.is_err(), "one person's yes is not another's");
        let receipt = app.get(&format!("/v1/receipts/{}", word["receipt"].as_str().unwrap())).send().await;
        let receipt = vouchsafe::ledger::Receipt::parse(&receipt.text()).unwrap();
        receipt.verify(app.app.ledger.verifier(), &[]).unwrap();

        // No time passes between the word and its effect.
        switch(&app, &ada, "training", false).await;
        assert!(matches!(pictures(&app, &ada, "output-image").await, Err(vault::Error::NoConsent { .. })));
        kept(&app, TENANT, "no-training-unconsented").await;
    }

    async fn nothing_can_be_sent_away_for_it_and_what_was_smuggled_out_is_found(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        switch(&app, &ada, "training", true).await;
        for processor in ["fal-ai", "studio", "stripe", "somebody"] {
            let sending = Sending { processor, purpose: "training", categories: &["output-image"], edit: None, bytes: 1 };
            assert!(app.app.disclosures.check(&app.tenant(), &sending).is_err(), "{processor}");
        }
        let bob = app.person("bob@example.org").await;
        let row = format!(
            "INSERT INTO disclosure (id, tenant, subject, processor, purpose, categories, bytes_out, sent_at) VALUES \
             ('smuggled', '{TENANT}', '{}', 'fal-ai', 'training', 'output-image', 1, {})",
            bob.owner.subject,
            app.now().micros()
        );
        run_in(&app.app.db, &row).await;
        broken(&app, TENANT, "no-training-unconsented").await;
    }
}
