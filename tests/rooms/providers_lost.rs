//! Jobs whose answer was lost: one person's must never become another's, none is paid for twice, and nothing that was
//! uploaded for one is left behind unseen.

use futures_util::FutureExt as _;
use vouchsafe::fakes::{At, Fault, Pace, Plan};
use vouchsafe::providers::{Erasure, Go, Known, Proof, ProviderError, Reconciled, Unanswered};

use super::providers_replicate::large;
use super::providers_stage::{fal, replicate};

#[tokio::test]
async fn of_two_lost_jobs_with_the_same_seed_and_words_neither_is_taken_for_the_other_at_fal() {
    let scene = fal(Pace::Manual).await;
    let mut intents = Vec::new();
    for _ in 0..2 {
        scene.fake.fault(At::Submit, Fault::LoseAnswer);
        let mut job = scene.job();
        job.params.seed = Some(42);
        let intent = scene.provider.prepare(&job).unwrap();
        assert!(scene.provider.submit(&intent, &job, &scene.log).await.is_err());
        intents.push(intent);
    }
    scene.fake.work();
    let ids = scene.fake.ids();
    for (n, intent) in intents.iter().enumerate() {
        let look = async |known: Known| scene.provider.reconcile(intent, &known, &scene.log).await.unwrap();
        assert_eq!(look(Known::default()).await, Reconciled::Unclear, "either could be it");
        let other: Known = [Known::hash(&ids[1 - n])].into_iter().collect();
        assert_eq!(look(other.clone().while_others_look(true)).await, Reconciled::Unclear);
        assert!(matches!(look(other).await, Reconciled::Found(h) if h.id == ids[n]));
    }
}

#[tokio::test]
async fn a_job_that_repeats_other_words_is_known_by_our_seed_and_not_by_anothers() {
    for (seed, found) in [(None, true), (Some(42), false)] {
        let scene = fal(Pace::Manual).await;
        scene.fake.plan(Plan::Forget);
        scene.fake.fault(At::Submit, Fault::LoseAnswer);
        let mut job = scene.job();
        job.params.seed = seed;
        let intent = scene.provider.prepare(&job).unwrap();
        assert!(scene.provider.submit(&intent, &job, &scene.log).await.is_err());
        scene.fake.work();
        scene.minutes(8);
        let look = scene.provider.reconcile(&intent, &Known::default(), &scene.log).await.unwrap();
        assert_eq!(matches!(look, Reconciled::Found(_)), found, "{look:?}");
        assert_ne!(look, Reconciled::Absent, "put again it would be paid for twice");
    }
}

#[tokio::test]
async fn of_two_lost_jobs_with_the_same_seed_and_words_neither_is_taken_for_the_other_at_replicate() {
    let scene = replicate(Pace::Manual).await;
    let mut intents = Vec::new();
    for _ in 0..2 {
        scene.fake.fault(At::Submit, Fault::LoseAnswer);
        let mut job = scene.job();
        job.params.seed = Some(42);
        let intent = scene.provider.prepare(&job).unwrap();
        assert!(scene.provider.submit(&intent, &job, &scene.log).await.is_err());
        intents.push(intent);
    }
    let ids = scene.fake.ids();
    for (n, intent) in intents.iter().enumerate() {
        let look = async |known: Known| scene.provider.reconcile(intent, &known, &scene.log).await.unwrap();
        assert_eq!(look(Known::default()).await, Reconciled::Unclear, "either could be it");
        let other: Known = [Known::hash(&ids[1 - n])].into_iter().collect();
        assert_eq!(look(other.clone().while_others_look(true)).await, Reconciled::Unclear);
        assert!(matches!(look(other).await, Reconciled::Found(h) if h.id == ids[n]));
    }
}

#[tokio::test]
async fn a_listed_job_that_says_nothing_of_itself_may_be_the_one() {
    let scene = replicate(Pace::Manual).await;
    scene.fake.plan(Plan::Forget);
    scene.fake.fault(At::Submit, Fault::LoseAnswer);
    let job = scene.job();
    let intent = scene.provider.prepare(&job).unwrap();
    assert!(scene.provider.submit(&intent, &job, &scene.log).await.is_err());
    scene.minutes(11);
    let look = async |known: Known| scene.provider.reconcile(&intent, &known, &scene.log).await.unwrap();
    assert_eq!(look(Known::default()).await, Reconciled::Unclear, "put again it would be paid for twice");
    assert_eq!(look([Known::hash(&scene.fake.ids()[0])].into_iter().collect()).await, Reconciled::Absent);
}

#[tokio::test]
async fn while_an_upload_is_left_there_nothing_is_called_untaken() {
    let scene = replicate(Pace::Manual).await;
    let refuse_to_delete = || (0..3).for_each(|_| scene.fake.fault(At::Delete, Fault::Status(500)));
    let job = large(&scene);
    let intent = scene.provider.prepare(&job).unwrap();
    scene.fake.fault(At::Submit, Fault::Status(422));
    refuse_to_delete();
    let put = scene.provider.submit(&intent, &job, &scene.log).await.unwrap_err();
    assert_eq!((put, scene.fake.held().len()), (ProviderError::Unknown, 1));
    scene.minutes(11);
    refuse_to_delete();
    let look = async || scene.provider.reconcile(&intent, &Known::default(), &scene.log).await.unwrap();
    assert_eq!(look().await, Reconciled::Unclear);
    assert_eq!(look().await, Reconciled::Absent, "now it could be deleted");
    scene.is_clean();

    scene.fake.fault(At::Upload, Fault::LoseAnswer);
    refuse_to_delete();
    assert_eq!(scene.put(&large(&scene)).await.unwrap_err(), ProviderError::Unknown);
}

#[tokio::test]
async fn uploads_of_a_job_that_a_webhook_found_are_deleted_as_well() {
    let scene = replicate(Pace::Manual).await;
    scene.fake.fault(At::Submit, Fault::LoseAnswer);
    let job = large(&scene);
    let intent = scene.provider.prepare(&job).unwrap();
    assert!(scene.provider.submit(&intent, &job, &scene.log).await.is_err());
    scene.fake.work();
    let handle = scene.provider.adopt(&intent, &scene.fake.ids()[0]).unwrap();
    scene.minutes(62);
    let erased = scene.provider.erase(&handle, None, &scene.log).await.unwrap();
    assert_eq!(erased, Erasure::Proven(vec![Proof::FileDeleted, Proof::DataRemoved]));
    scene.is_clean();
}

#[tokio::test]
async fn what_was_called_off_during_the_upload_is_not_put() {
    let scene = replicate(Pace::Manual).await;
    let mut job = large(&scene);
    for (answer, error, passing) in
        [(Ok(false), ProviderError::CalledOff, false), (Err(Unanswered), ProviderError::Unasked, true)]
    {
        job.go = Some(Go::new(move || async move { answer }.boxed()));
        let put = scene.put(&job).await.unwrap_err();
        assert_eq!((put, put.not_taken(), put.is_passing()), (error, true, passing));
    }
    assert_eq!((scene.fake.uploads(), scene.fake.charges()), (2, 0));
    scene.is_clean();
    job.go = Some(Go::new(|| async { Ok(true) }.boxed()));
    assert!(scene.put(&job).await.is_ok(), "a control");
}
