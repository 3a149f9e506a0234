//! What was only on the way is gone when the edit is: the upload here, at once and before any sweep; the copies at a
//! provider, and that with evidence.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::fakes::Pace;
use vouchsafe::jobs::Jobs;
use vouchsafe::providers::{Erasure, Proof, Provider, State};

use super::{count, edited, entries, fact, held, kept};
use crate::each_app;
use crate::rooms::providers_stage::{Stage, admin, fal, replicate};
use crate::support::TestApp;
use crate::support::app::TENANT;
use crate::support::house::files_below;

each_app! {
    async fn the_upload_is_gone_the_moment_the_edit_has_succeeded(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        let edit = app.edit(&ada, &image).await;
        assert_eq!((held(&app, &ada.owner, "input-image").await, app.blobs().await.len()), (1, 1));
        // The worker alone: no reconciler has run.
        while Jobs::new(app.app.clone()).work().await.unwrap() > 0 {}
        let told = app.get(&format!("/v1/edits/{edit}")).by(&ada).send().await.json();
        assert_eq!(told["state"], "succeeded", "{told}");
        assert_eq!(held(&app, &ada.owner, "input-image").await, 0);
        assert_eq!(app.get(&format!("/v1/images/{image}")).by(&ada).send().await.problem(404), "not-found");
        assert_eq!(count(&app, "SELECT COUNT(*) FROM object WHERE category = 'input-image'").await, 0);
        app.settle().await;
        assert_eq!(app.blobs().await.len(), 1, "the result alone");
        let gone = entries(&app, "object.erased").await;
        let gone: Vec<_> = gone.iter().filter(|e| fact(e, "object") == image).collect();
        assert_eq!(gone.len(), 1);
        assert_eq!(fact(gone[0], "rule"), "input-image");
        kept(&app, TENANT, "temporaries-removed").await;
    }

    async fn no_file_on_the_way_is_left_by_what_worked_or_by_what_did_not(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        edited(&app, &ada, 1).await;
        for bad in [&b""[..], b"no picture", b"\xff\xd8\xff\xe0 cut short"] {
            let answer = app.post("/v1/images").by(&ada).body("image/jpeg", bad.to_vec()).send().await;
            assert!(answer.status >= 400, "{}", answer.text());
        }
        app.advance(TimeDelta::hours(1));
        app.settle().await;
        assert_eq!(app.blobs().await.len(), 1);
        let whole = files_below(&app.data().join("blobs")).len();
        assert_eq!(whole, 1, "{:?}", files_below(&app.data().join("blobs")));
    }
}

/// An edit at a provider, to its end.
async fn done<F>(stage: &Stage<F>) -> vouchsafe::providers::Handle {
    let job = stage.job();
    let intent = stage.provider.prepare(&job).unwrap();
    let submitted = stage.provider.submit(&intent, &job, &stage.log).await.unwrap();
    let (mut handle, mut state) = (submitted.handle, submitted.state);
    while !state.is_final() {
        state = stage.provider.poll(&handle, &stage.log).await.unwrap();
    }
    assert_eq!(state, State::Done);
    stage.provider.result(&mut handle, 4, &stage.log).await.unwrap();
    handle
}

#[tokio::test]
async fn fal_is_told_to_delete_and_shows_that_it_did() {
    let stage = fal(Pace::Polls(1)).await;
    assert!(matches!(stage.provider, Provider::Fal(_)));
    let handle = done(&stage).await;
    assert!(!stage.fake.held().is_empty(), "a control: there is something to erase");
    let without = stage.provider.erase(&handle, None, &stage.log).await;
    assert!(without.is_err(), "never said to be gone without the key that can make it so");
    assert!(!stage.fake.held().is_empty());
    let erased = stage.provider.erase(&handle, Some(&admin()), &stage.log).await.unwrap();
    assert_eq!(erased, Erasure::Proven(vec![Proof::PayloadDeleted, Proof::OutputGone, Proof::HistoryEmpty]));
    assert_eq!(
        (stage.fake.held(), stage.fake.complaints()),
        (vec![], vec![]),
        "the shortest lifetimes were asked for"
    );
}

#[tokio::test]
async fn replicate_is_looked_at_until_nothing_is_left() {
    let stage = replicate(Pace::Polls(1)).await;
    let handle = done(&stage).await;
    let waiting = stage.provider.erase(&handle, None, &stage.log).await.unwrap();
    assert!(matches!(waiting, Erasure::Waiting { .. }), "not said to be gone while it is there: {waiting:?}");
    assert!(!stage.fake.held().is_empty());
    stage.minutes(62);
    let erased = stage.provider.erase(&handle, None, &stage.log).await.unwrap();
    assert_eq!(erased, Erasure::Proven(vec![Proof::DataRemoved, Proof::OutputGone]));
    assert_eq!((stage.fake.held(), stage.fake.complaints()), (vec![], vec![]));
    assert_eq!(json!(stage.fake.uploads()), json!(0), "no file of its own was ever made there");
}
