//! What an upload leaves that is cut off: bytes without a name. An erasure takes them along, or is not called one.

use bytes::Bytes;
use chrono::TimeDelta;
use vouchsafe::base::Kind;
use vouchsafe::blobs::{Settings, Vendor};
use vouchsafe::jobs::{Jobs, Task};
use vouchsafe::ledger::EntryKind;
use vouchsafe::policy::Role;
use vouchsafe::requests::ErasureState;
use vouchsafe::vault::{self, Owner};

use super::blobs_bucket::{Bucket, Fault, MIB, until};
use super::blobs_contract::noise;
use crate::each_app;
use crate::support::house::new_object;
use crate::support::{Backend, TestApp};

const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

/// Begins to store a picture, and lets go of it when more than a part of it is there.
async fn cut_off(app: &TestApp, owner: &Owner) {
    let (send, receive) = tokio::sync::mpsc::channel::<Result<Bytes, vault::Error>>(1);
    let new = new_object("output-image");
    let put = app.app.vault.put_object(owner, new, tokio_stream::wrappers::ReceiverStream::new(receive));
    let caller = async {
        for _ in 0..12 {
            send.send(Ok(noise(MIB))).await.unwrap();
        }
    };
    tokio::select! {
        biased;
        put = Box::pin(put) => panic!("it waits for more: {put:?}"),
        () = caller => {}
    }
}

async fn over_a_bucket(backend: Backend) -> Option<(Bucket, TestApp, Owner)> {
    let bucket = Bucket::start().await;
    let settings = Settings::S3(Box::new(bucket.settings(Vendor::Generic)));
    let app = TestApp::open_over(backend, Some(settings), |_| {}).await?;
    let owner = app.person("ada@example.org").await.owner;
    Some((bucket, app, owner))
}

/// What `kill -9` in the middle of an upload leaves: a row that waits, and parts that nobody ends. `lies` of the requests to
/// end them are answered and not followed.
async fn killed(bucket: &Bucket, app: &TestApp, owner: &Owner, lies: usize) {
    bucket.order("AbortMultipartUpload", &[Fault::Status(403, "AccessDenied")]);
    bucket.order("AbortMultipartUpload", &vec![Fault::Canned(204, String::new()); lies]);
    cut_off(app, owner).await;
    until(|| bucket.waiting("AbortMultipartUpload") == lies).await;
    assert_eq!(bucket.unfinished(), 1);
}

async fn looked(app: &TestApp, owner: &Owner, manifest: &[String]) -> i64 {
    app.app.vault.residue(owner, manifest).await.unwrap().blobs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_erasure_takes_what_a_killed_upload_left_in_a_bucket() {
    for backend in BACKENDS {
        let Some((bucket, app, owner)) = over_a_bucket(backend).await else { continue };
        killed(&bucket, &app, &owner, 0).await;
        let manifest = app.app.vault.blob_keys(&owner).await.unwrap();
        assert_eq!(manifest.len(), 1);
        assert_eq!(looked(&app, &owner, &manifest).await, 1, "the look must be able to find");
        app.app.requests.erase(&owner, Role::Service).await.unwrap().unwrap();
        assert_eq!(bucket.unfinished(), 0);
        assert_eq!(looked(&app, &owner, &manifest).await, 0);
        app.settle().await;
        let erasure = app.app.requests.erasures(&app.tenant(), 10).await.unwrap().remove(0);
        assert_eq!(erasure.state, ErasureState::Closed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_parts_are_left_nobody_is_called_erased() {
    for backend in BACKENDS {
        let Some((bucket, app, owner)) = over_a_bucket(backend).await else { continue };
        killed(&bucket, &app, &owner, 9).await;
        let refused = app.app.requests.erase(&owner, Role::Service).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Invalid, "{refused}");
        let erasure = async || app.app.requests.erasures(&app.tenant(), 10).await.unwrap().remove(0);
        let failed = erasure().await;
        assert!(failed.state == ErasureState::Failed && failed.receipt.is_none(), "{failed:?}");
        let left: Vec<_> = failed.looked_through().into_iter().filter(|(_, n)| *n > 0).collect();
        assert_eq!(left, [("blobs", 1)]);
        // The store does again what it says: the grave is visited, and the erasure looked at once more.
        assert!(bucket.forget() > 0);
        app.advance(TimeDelta::hours(2));
        app.app.vault.visit_graves().await.unwrap();
        assert_eq!(bucket.unfinished(), 0);
        app.advance(TimeDelta::hours(24));
        app.settle().await;
        assert_eq!(erasure().await.state, ErasureState::Closed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_caller_who_hangs_up_leaves_no_parts_and_the_sweep_takes_those_of_a_killed_process() {
    for backend in BACKENDS {
        let Some((bucket, app, owner)) = over_a_bucket(backend).await else { continue };
        cut_off(&app, &owner).await;
        until(|| bucket.unfinished() == 0).await;
        assert_eq!(Bucket::count(&bucket.log(), "AbortMultipartUpload"), 1);
        killed(&bucket, &app, &owner, 0).await;
        app.advance(TimeDelta::hours(3));
        assert_eq!(app.app.vault.sweep_arrivals().await.unwrap(), 2);
        assert_eq!(bucket.unfinished(), 0);
        assert!(app.app.vault.blob_keys(&owner).await.unwrap().is_empty());
    }
}

/// A store that cannot list unfinished uploads is compared all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_comparison_does_not_wait_for_a_list_of_uploads() {
    for backend in BACKENDS {
        let Some((bucket, app, _)) = over_a_bucket(backend).await else { continue };
        app.app.ledger.sequence().await.unwrap();
        app.advance(TimeDelta::days(8));
        for code in ["NotImplemented", "AccessDenied"] {
            let status = if code == "AccessDenied" { 403 } else { 501 };
            bucket.order("ListMultipartUploads", &[Fault::Status(status, code)]);
            Jobs::new(app.app.clone()).reconcile(Task::Comparison, &|| false).await.unwrap();
            assert_eq!(bucket.waiting("ListMultipartUploads"), 0);
            app.app.ledger.sequence().await.unwrap();
            app.advance(TimeDelta::days(8));
        }
        assert_eq!(app.app.ledger.of_house(&EntryKind::BLOBS_COMPARED, 10).await.unwrap().len(), 2);
    }
}

each_app! {
    async fn what_a_killed_upload_left_in_a_folder_goes_too(app: TestApp) {
        let owner = app.person("ada@example.org").await.owner;
        cut_off(&app, &owner).await;
        let manifest = app.app.vault.blob_keys(&owner).await.unwrap();
        let half = app.data().join("blobs/incoming").join(&manifest[0]);
        // The one that is let go of clears up behind itself; a killed one would not.
        until(|| !half.exists()).await;
        std::fs::write(&half, b"half").unwrap();
        assert_eq!(looked(&app, &owner, &manifest).await, 1, "the look must be able to find");
        app.app.requests.erase(&owner, Role::Service).await.unwrap().unwrap();
        assert!(!half.exists());
        assert_eq!(looked(&app, &owner, &manifest).await, 0);
    }
}
