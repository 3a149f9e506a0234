//! FAL.AI's webhooks: believed for their signature alone.

use vouchsafe::egress::Url;
use vouchsafe::fakes::{At, Fault, Pace};
use vouchsafe::providers::{Forgery, ProviderError};

use super::providers_stage::{NOW, fal, headers};

#[tokio::test]
async fn a_webhook_is_believed_for_its_signature_alone() {
    let scene = fal(Pace::Manual).await;
    let mut job = scene.job();
    job.webhook = Some(Url::parse("https://app.example/hooks/n").unwrap());
    let handle = scene.put(&job).await.unwrap().handle;
    scene.fake.work();
    let delivery = scene.fake.outbox().remove(0);
    assert_eq!(delivery.url, "https://app.example/hooks/n");
    let good = headers(&delivery);
    let callback = scene.provider.verify(&good, &delivery.body, &scene.log).await.unwrap();
    assert_eq!((callback.id.as_str(), callback.at), (handle.id.as_str(), NOW));
    // Again, as they do: the same key to know it by.
    let again = scene.provider.verify(&good, &delivery.body, &scene.log).await.unwrap();
    assert_eq!(again.delivery, callback.delivery);

    let forged = |error| Err(ProviderError::Forged(error));
    let mut body = delivery.body.clone();
    body[20] ^= 1;
    assert_eq!(scene.provider.verify(&good, &body, &scene.log).await, forged(Forgery::Signature));
    let mut other = good.clone();
    other.insert("x-fal-webhook-user-id", "somebody".parse().unwrap());
    assert_eq!(scene.provider.verify(&other, &delivery.body, &scene.log).await, forged(Forgery::Signature));
    let mut unsigned = good.clone();
    unsigned.remove("x-fal-webhook-signature");
    assert_eq!(
        scene.provider.verify(&unsigned, &delivery.body, &scene.log).await,
        forged(Forgery::Signature)
    );
    scene.minutes(6);
    assert_eq!(scene.provider.verify(&good, &delivery.body, &scene.log).await, forged(Forgery::Stale));
    scene.minutes(-12);
    assert_eq!(scene.provider.verify(&good, &delivery.body, &scene.log).await, forged(Forgery::Stale));
}

#[tokio::test]
async fn the_key_set_is_kept_and_a_flood_of_forgeries_does_not_fetch_it_again() {
    let scene = fal(Pace::Manual).await;
    let mut job = scene.job();
    job.webhook = Some(Url::parse("https://app.example/hooks/n").unwrap());
    scene.put(&job).await.unwrap();
    scene.fake.work();
    let delivery = scene.fake.outbox().remove(0);
    let good = headers(&delivery);
    scene.log.take();
    let mut body = delivery.body.clone();
    body.push(b' ');
    for _ in 0..50 {
        assert!(scene.provider.verify(&good, &body, &scene.log).await.is_err());
    }
    assert!(scene.provider.verify(&good, &delivery.body, &scene.log).await.is_ok());
    let fetched = scene.log.take();
    assert_eq!(fetched.len(), 1);
    assert_eq!((fetched[0].method.as_str(), fetched[0].path), ("GET", "/.well-known/jwks.json"));
    // After two minutes one more miss may ask whether the keys have changed.
    scene.minutes(2);
    assert!(scene.provider.verify(&good, &body, &scene.log).await.is_err());
    assert_eq!(scene.log.take().len(), 1);
}

#[tokio::test]
async fn keys_that_were_changed_are_found_and_the_old_ones_no_longer_count() {
    let scene = fal(Pace::Manual).await;
    let mut job = scene.job();
    job.webhook = Some(Url::parse("https://app.example/hooks/n").unwrap());
    scene.put(&job).await.unwrap();
    scene.fake.work();
    let old = scene.fake.outbox().remove(0);
    assert!(scene.provider.verify(&headers(&old), &old.body, &scene.log).await.is_ok());
    scene.minutes(2);
    scene.fake.rotate();
    scene.put(&job).await.unwrap();
    scene.fake.work();
    let new = scene.fake.outbox().remove(0);
    assert!(
        scene.provider.verify(&headers(&new), &new.body, &scene.log).await.is_ok(),
        "found by asking again"
    );
    let found = scene.provider.verify(&headers(&old), &old.body, &scene.log).await;
    assert_eq!(
        found,
        Err(ProviderError::Forged(Forgery::Signature)),
        "what the old key signed is no proof now"
    );
}

#[tokio::test]
async fn without_the_key_set_no_webhook_is_believed() {
    let scene = fal(Pace::Manual).await;
    let mut job = scene.job();
    job.webhook = Some(Url::parse("https://app.example/hooks/n").unwrap());
    scene.put(&job).await.unwrap();
    scene.fake.work();
    let delivery = scene.fake.outbox().remove(0);
    let verify = async || scene.provider.verify(&headers(&delivery), &delivery.body, &scene.log).await;
    scene.fake.fault(At::Keys, Fault::Status(500));
    scene.log.take();
    for _ in 0..8 {
        assert_eq!(verify().await, Err(ProviderError::Unavailable));
    }
    assert_eq!(scene.log.take().len(), 1, "it is not asked for again at once");
    assert!(scene.put(&job).await.is_ok(), "the queue is not held to be sick for it");
    scene.hand.advance(chrono::TimeDelta::seconds(6));
    assert!(verify().await.is_ok());
}

#[tokio::test]
async fn a_webhook_to_the_jobs_own_address_finds_a_lost_job() {
    let scene = fal(Pace::Manual).await;
    scene.fake.fault(At::Submit, Fault::LoseAnswer);
    let mut job = scene.job();
    job.webhook = Some(Url::parse("https://app.example/hooks/n").unwrap());
    let intent = scene.provider.prepare(&job).unwrap();
    assert!(scene.provider.submit(&intent, &job, &scene.log).await.is_err());
    scene.fake.work();
    let delivery = scene.fake.outbox().remove(0);
    let callback = scene.provider.verify(&headers(&delivery), &delivery.body, &scene.log).await.unwrap();
    let mut handle = scene.provider.adopt(&intent, &callback.id).unwrap();
    assert!(scene.provider.result(&mut handle, 4, &scene.log).await.is_ok());
    assert!(scene.provider.adopt(&intent, "../../v1/account").is_none());
}
