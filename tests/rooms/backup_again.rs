//! Backups that are put back more than once: a try that is cut short, a second backup after the first, and what is left
//! by either.

use std::fs;

use bytes::Bytes;
use chrono::TimeDelta;
use vouchsafe::backup::bring_up_to_date;
use vouchsafe::jobs::Task;
use vouchsafe::vault;

use super::backup_files::{DATA, Stage, holds};
use crate::support::house::{new_object, takes_again, takes_none, word_in};

/// Whichever try ends a restore tells that an erasure ended which had begun: the entries may be back before that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_is_cut_short_tells_the_end_of_an_erasure_once() {
    let stage = Stage::open().await;
    stage.take(DATA, "data").await;
    stage.house.app.requests.erasure_begin(&stage.ada.0, None).await.unwrap();
    stage.house.object(&stage.bert.0, b"after the backup").await;
    stage.house.app.ledger.sequence().await.unwrap();
    stage.put_back("data", Vec::new()).await.unwrap();
    let stage = Box::pin(stage.restarted()).await;
    let (house, app) = (&stage.house, &stage.house.app);
    // Bytes that only a newer backup knows cannot be noted.
    takes_none(&app.db, "blob_grave", "NEW.next_at > NEW.buried_at").await;
    bring_up_to_date(app).await.unwrap_err();
    assert!(!app.gate.is_open());
    let told = [house.entries("erasure.requested").await, house.entries("erasure.completed").await];
    assert_eq!(told, [1, 0], "the entries are back, and the end is not reached");
    takes_again(&app.db, "blob_grave").await;
    bring_up_to_date(app).await.unwrap();
    assert_eq!(house.entries("erasure.completed").await, 1);
    let requested =
        word_in(&app.db, "SELECT subject_ref FROM ledger_entry WHERE kind = 'erasure.requested'").await;
    let completed =
        word_in(&app.db, "SELECT subject_ref FROM ledger_entry WHERE kind = 'erasure.completed'").await;
    assert_eq!(requested, completed);

    // What was told is not told again by the next restore.
    let stage = Box::pin(stage.brought_back("data")).await;
    assert_eq!(stage.house.entries("erasure.completed").await, 1);
}

/// Rows that were deleted are not kept by the log of the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_who_is_erased_again_stays_in_the_log_of_the_database() {
    let stage = Stage::open().await;
    stage.take(DATA, "data").await;
    stage.erase_ada().await;
    stage.put_back("data", Vec::new()).await.unwrap();
    let stage = Box::pin(stage.restarted()).await;
    let subject = stage.ada.0.subject.to_string();
    let there = || {
        let read = |name: &str| fs::read(stage.house.data().join(name)).unwrap_or_default();
        ["vouchsafe.db", "vouchsafe.db-wal"].into_iter().any(|name| holds(&read(name), subject.as_bytes()))
    };
    assert!(there(), "the control finds nothing");
    bring_up_to_date(&stage.house.app).await.unwrap();
    assert!(!there(), "she is in the log of the database");
}

/// An upload that was under way when one backup was taken and had landed when the next one was keeps its key for that one,
/// which may turn up within a week.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_landed_after_a_backup_keeps_its_key_for_a_newer_one() {
    let stage = Stage::open().await;
    let (app, owner) = (stage.house.app.clone(), stage.bert.0.clone());
    let body = futures_util::stream::iter([Ok::<_, vault::Error>(Bytes::from_static(b"under way"))]);
    let staged = app.vault.stage_object(&owner, new_object("output-image"), body).await.unwrap();
    stage.take(DATA, "older").await;
    let mut tx = app.db.begin().await.unwrap();
    let landed = app.vault.land_object(&mut tx, &owner, &staged).await.unwrap();
    tx.commit().await.unwrap();
    app.ledger.sequence().await.unwrap();
    stage.take(DATA, "newer").await;
    drop(app);

    let stage = Box::pin(stage.brought_back("older")).await;
    let arriving = "SELECT COUNT(*) FROM object WHERE state = 'arriving'";
    assert_eq!(stage.house.count(arriving).await, 1, "the control: it had not landed yet");
    stage.house.advance(TimeDelta::days(6));
    assert_eq!(stage.house.pass(Task::Arrivals).await, 0);
    let stage = Box::pin(stage.brought_back("newer")).await;
    assert_eq!(stage.house.bytes(&owner, &landed).await.unwrap(), b"under way");

    let stage = Box::pin(stage.brought_back("older")).await;
    stage.house.advance(TimeDelta::minutes(1));
    let body = futures_util::stream::iter([Ok::<_, vault::Error>(Bytes::from_static(b"since then"))]);
    let since = stage.house.app.vault.stage_object(&owner, new_object("output-image"), body).await.unwrap();
    drop(since);
    stage.house.advance(TimeDelta::hours(3));
    assert_eq!(stage.house.pass(Task::Arrivals).await, 1, "no backup knows it");
    stage.house.advance(TimeDelta::days(8));
    assert_eq!(stage.house.pass(Task::Arrivals).await, 1, "no newer backup turned up");
}

/// What a restore unpacked that was killed: keys in clear, or people who were erased since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_restore_unpacked_goes_with_the_next_one() {
    let stage = Stage::open().await;
    stage.take(DATA, "data").await;
    let left = ["keystore.db.incoming", "keystore.db.incoming-wal", "keystore.db.incoming-shm"];
    for name in left {
        fs::write(stage.house.data().join(name), b"SQLite format 3").unwrap();
    }
    stage.put_back("data", Vec::new()).await.unwrap();
    for name in left {
        assert!(!stage.house.data().join(name).exists(), "{name}");
    }
    assert!(stage.house.data().join("keystore.db").exists());
}
