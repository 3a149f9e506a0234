//! Requests that meet a store of blobs which is down, and what becomes of them when it is back.

use std::io::Cursor;

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::archive;
use vouchsafe::base::RequestId;
use vouchsafe::blobs::{S3Settings, Settings, Vendor};
use vouchsafe::requests::{Erasure, ErasureState, State};

use super::blobs_bucket::Fault::Status;
use super::blobs_bucket::{Bucket, QUICK};
use crate::support::house::count_in;
use crate::support::{Backend, TestApp};

async fn over(bucket: &Bucket) -> TestApp {
    let settings = S3Settings { patience: QUICK, ..bucket.settings(Vendor::Generic) };
    TestApp::open_over(Backend::Sqlite, Some(Settings::S3(Box::new(settings))), |_| {}).await.unwrap()
}

/// From here on it answers nothing that is asked of single pictures.
fn take_down(bucket: &Bucket) {
    for op in ["HeadObject", "GetObject", "DeleteObject", "DeleteObjects"] {
        bucket.order(op, &vec![Status(503, "SlowDown"); 300]);
    }
}

async fn erasure(app: &TestApp) -> Erasure {
    app.app.requests.erasures(&app.tenant(), 10).await.unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_archive_waits_for_a_store_that_is_down_and_has_no_gap() {
    let bucket = Bucket::start().await;
    let app = over(&bucket).await;
    let ada = app.person("ada@example.org").await;
    app.upload(&ada, 1).await;
    take_down(&bucket);
    let filed = app.post("/v1/requests").by(&ada).json(&json!({ "right": "access" })).send().await;
    assert_eq!(filed.status, 201, "{}", filed.text());
    let id: RequestId = filed.json()["id"].as_str().unwrap().parse().unwrap();
    let waits = app.app.requests.find(&app.tenant(), id).await.unwrap();
    assert_eq!(waits.state, State::Working);
    assert_eq!(waits.problem.as_deref(), Some("something it needs cannot be reached"));

    bucket.forget();
    app.advance(TimeDelta::minutes(2));
    app.app.requests.tick().await.unwrap();
    let ready = app.app.requests.find(&app.tenant(), id).await.unwrap();
    assert_eq!((ready.state, ready.problem.as_deref()), (State::Fulfilled, None));
    assert_eq!(app.app.requests.missing(&ada.owner, &ready).await.unwrap(), 0);
    let got = app.get(&format!("/v1/requests/{id}/archive")).by(&ada).send().await;
    assert_eq!(got.status, 200, "{}", got.text());
    let report = archive::verify(Cursor::new(&got.body), Some(&app.app.requests.archive_key()));
    assert!(report.is_whole() && report.gaps.is_empty() && report.images == 1, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_erasure_is_done_with_the_first_try_after_the_store_came_back() {
    let bucket = Bucket::start().await;
    let app = over(&bucket).await;
    let ada = app.person("ada@example.org").await;
    app.upload(&ada, 1).await;
    take_down(&bucket);
    let asked = json!({ "right": "erasure", "at_once": true });
    assert_eq!(app.post("/v1/requests").by(&ada).json(&asked).send().await.status, 201);
    assert_eq!(erasure(&app).await.state, ErasureState::Cleared);
    assert_eq!(app.blobs().await.len(), 1, "it could not be deleted");

    bucket.forget();
    // Sooner than bytes that could not be deleted have their own next turn.
    app.advance(TimeDelta::minutes(1));
    app.app.requests.tick().await.unwrap();
    assert_eq!(erasure(&app).await.state, ErasureState::Closed);
    assert!(app.blobs().await.is_empty());
    let kinds = app.ledger_kinds().await;
    assert!(!kinds.iter().any(|kind| kind == "erasure.failed"), "{kinds:?}");
    assert!(kinds.iter().any(|kind| kind == "erasure.completed"), "{kinds:?}");

    // Deleted once more an hour and a day after it was buried, as every other: a write may land late.
    let graves = "SELECT COUNT(*) FROM blob_grave";
    assert_eq!(count_in(&app.app.db, graves).await, 1);
    app.advance(TimeDelta::hours(2));
    app.app.vault.visit_graves().await.unwrap();
    assert_eq!(count_in(&app.app.db, graves).await, 1);
    app.advance(TimeDelta::hours(24));
    app.app.vault.visit_graves().await.unwrap();
    assert_eq!(count_in(&app.app.db, graves).await, 0);
    app.leave_the_queue();
}
