//! Nothing stays at Replicate: what it holds is looked at until it is gone, and what it says counts only with its
//! signature.

use chrono::TimeDelta;
use vouchsafe::disclosure::Sending;
use vouchsafe::egress::Url;
use vouchsafe::fakes::Pace;
use vouchsafe::policy::Life;
use vouchsafe::providers::{Erasure, Forgery, Proof, ProviderError, State};

use super::{broken, count, document, kept};
use crate::each_app;
use crate::rooms::providers_stage::{headers, replicate};
use crate::support::TestApp;
use crate::support::app::OTHER_TENANT;

#[test]
fn the_document_gives_replicate_two_hours_and_asks_for_proof() {
    let policy = document(OTHER_TENANT);
    let replicate = policy.processor("replicate").unwrap();
    assert!(matches!(replicate.longest_life, Life::AtMost(p) if p.to_string() == "2 hours"));
    assert!(!replicate.deletion_proof.is_empty());
    assert!(replicate.hosts.iter().any(|h| h == "api.replicate.com"));
}

#[tokio::test]
async fn an_edit_there_leaves_nothing_and_that_is_seen_and_not_believed() {
    let stage = replicate(Pace::Polls(1)).await;
    let job = stage.job();
    let intent = stage.provider.prepare(&job).unwrap();
    let submitted = stage.provider.submit(&intent, &job, &stage.log).await.unwrap();
    let (mut handle, mut state) = (submitted.handle, submitted.state);
    while !state.is_final() {
        state = stage.provider.poll(&handle, &stage.log).await.unwrap();
    }
    assert_eq!(state, State::Done);
    stage.provider.result(&mut handle, 4, &stage.log).await.unwrap();
    let mut looks = 0;
    let proof = loop {
        match stage.provider.erase(&handle, None, &stage.log).await.unwrap() {
            Erasure::Proven(proof) => break proof,
            Erasure::Waiting { .. } => {
                assert!(!stage.fake.held().is_empty(), "said to be there while it is");
                looks += 1;
                assert!(looks < 5, "two hours are over");
                stage.minutes(30);
            }
            survives @ Erasure::Survives { .. } => panic!("{survives:?}"),
        }
    };
    assert_eq!(proof, vec![Proof::DataRemoved, Proof::OutputGone]);
    assert!(looks >= 1 && stage.fake.held().is_empty());
}

#[tokio::test]
async fn a_message_without_its_signature_has_no_effect() {
    let stage = replicate(Pace::Manual).await;
    let mut job = stage.job();
    job.webhook = Some(Url::parse("https://app.example/hooks/n").unwrap());
    let intent = stage.provider.prepare(&job).unwrap();
    let handle = stage.provider.submit(&intent, &job, &stage.log).await.unwrap().handle;
    stage.fake.work();
    let delivery = stage.fake.outbox().remove(0);
    let good = headers(&delivery);
    let told = stage.provider.verify(&good, &delivery.body, &stage.log).await.unwrap();
    assert_eq!(told.id, handle.id);
    let mut forged = delivery.body.clone();
    forged[10] ^= 1;
    let refused = stage.provider.verify(&good, &forged, &stage.log).await;
    assert_eq!(refused, Err(ProviderError::Forged(Forgery::Signature)));
    assert!(
        stage
            .provider
            .verify(&vouchsafe::egress::HeaderMap::new(), &delivery.body, &stage.log)
            .await
            .is_err()
    );
    stage.minutes(6);
    let late = stage.provider.verify(&good, &delivery.body, &stage.log).await;
    assert_eq!(late, Err(ProviderError::Forged(Forgery::Stale)), "and an old one is not told twice");
}

each_app! {
    async fn a_copy_is_owed_until_it_is_gone_and_red_when_it_is_late(app: TestApp) {
        let ada = app.person_of(OTHER_TENANT, "ada@example.org").await;
        let sending = Sending {
            processor: "replicate", purpose: "provide-edits", categories: &["input-image", "prompt"], edit: None, bytes: 9,
        };
        let mut tx = app.app.db.begin().await.unwrap();
        let id = app.app.disclosures.record(&mut tx, &ada.owner, &sending).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let owed = app.app.disclosures.of(&ada.owner).await.unwrap();
        assert_eq!(owed[0].delete_due, Some(app.now().plus(TimeDelta::hours(2))));
        kept(&app, OTHER_TENANT, "provider-copies-removed").await;
        app.advance(TimeDelta::minutes(121));
        let tenant = OTHER_TENANT.parse().unwrap();
        assert_eq!(app.app.disclosures.overdue(&tenant, app.now()).await.unwrap(), [("replicate".to_owned(), 1)]);
        broken(&app, OTHER_TENANT, "provider-copies-removed").await;
        let mut tx = app.app.db.begin().await.unwrap();
        app.app.disclosures.gone(&mut tx, &tenant, &id, "read-fails").await.unwrap();
        tx.commit().await.unwrap();
        assert!(app.app.disclosures.overdue(&tenant, app.now()).await.unwrap().is_empty());
        assert_eq!(count(&app, "SELECT COUNT(*) FROM disclosure WHERE proof = 'read-fails'").await, 1);
    }
}
