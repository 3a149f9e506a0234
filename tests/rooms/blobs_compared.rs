//! The store of blobs and the rows beside it, compared both ways.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use chrono::TimeDelta;
use vouchsafe::blobs::{Settings, Vendor};
use vouchsafe::jobs::{Jobs, Task};
use vouchsafe::keystore::{NewItem, Owner as KeyOwner};
use vouchsafe::ledger::{EntryKind, Fact};
use vouchsafe::vault::Compared;

use super::blobs_bucket::Bucket;
use crate::each_app;
use crate::support::source::walk;
use crate::support::{Backend, TestApp};

/// A blob that no row knows, this old by the test's clock.
fn stray(app: &TestApp, root: &Path, shard: u8, n: u32, age: TimeDelta) -> PathBuf {
    let file = root.join(hex::encode([shard])).join(format!("{n:040x}"));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, b"stray").unwrap();
    let at = u64::try_from(app.now().plus(-age).micros()).unwrap();
    let at = UNIX_EPOCH + Duration::from_micros(at);
    fs::File::options().write(true).open(&file).unwrap().set_modified(at).unwrap();
    file
}

async fn compare(app: &TestApp) -> Compared {
    app.app.vault.compare(&|| false).await.unwrap()
}

fn blobs_of(app: &TestApp) -> Vec<PathBuf> {
    let mut files = Vec::new();
    walk(&app.data().join("blobs"), &mut files);
    files.retain(|f| f.is_file() && f.file_name().is_some_and(|n| n.len() == 40));
    files
}

/// T23: more than a page of strays in one shard, among living pictures, in a bucket.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_and_a_half_thousand_strays_go_and_nothing_else() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let bucket = Bucket::start().await;
        let settings = Settings::S3(Box::new(bucket.settings(Vendor::Generic)));
        let Some(app) = TestApp::open_over(backend, Some(settings), |_| {}).await else { continue };
        let ada = app.person("ada@example.org").await;
        for seed in 0..3 {
            app.upload(&ada, seed).await;
        }
        for n in 0..2_500 {
            stray(&app, &bucket.objects(), 7, n, TimeDelta::days(3));
        }
        let _ = bucket.log();
        let found = compare(&app).await;
        assert_eq!((found.listed, found.rows, found.orphans), (2_503, 3, 2_500));
        assert_eq!((found.missing, found.altered), (0, 0));
        let pages = Bucket::count(&bucket.log(), "ListObjectsV2");
        assert!(pages > 256 + 1, "{pages} pages: the shard of strays has three");
        let again = compare(&app).await;
        assert_eq!((again.listed, again.rows, again.orphans), (3, 3, 0));
        assert!(again.agree());
    }
}

each_app! {
    async fn what_is_missing_or_cut_is_told_and_what_is_young_is_left(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        for seed in 0..3 {
            app.upload(&ada, seed).await;
        }
        assert!(compare(&app).await.agree());
        let root = app.data().join("blobs");
        let young = stray(&app, &root, 0xff, 1, TimeDelta::hours(47));
        let old = stray(&app, &root, 0, 2, TimeDelta::hours(49));
        let files: Vec<PathBuf> = blobs_of(&app).into_iter().filter(|f| *f != young && *f != old).collect();
        assert_eq!(files.len(), 3);
        fs::remove_file(&files[0]).unwrap();
        let whole = fs::read(&files[1]).unwrap();
        fs::write(&files[1], &whole[..whole.len() - 1]).unwrap();
        let found = compare(&app).await;
        assert_eq!((found.orphans, found.missing, found.altered), (1, 1, 1), "{found:?}");
        assert!(young.exists() && !old.exists(), "a young stray may be an upload under way");
        assert!(files[1].exists(), "what is damaged is told, never deleted");
    }

    async fn once_a_week_the_comparison_stands_on_the_ledger(app: TestApp) {
        let jobs = Jobs::new(app.app.clone());
        let stood = async || {
            app.app.ledger.sequence().await.unwrap();
            app.app.ledger.of_house(&EntryKind::BLOBS_COMPARED, 10).await.unwrap()
        };
        app.app.ledger.sequence().await.unwrap();
        jobs.reconcile(Task::Comparison, &|| false).await.unwrap();
        assert!(stood().await.is_empty(), "a week has not passed since the ledger began");
        app.advance(TimeDelta::days(7));
        stray(&app, &app.data().join("blobs"), 3, 1, TimeDelta::days(3));
        jobs.reconcile(Task::Comparison, &|| true).await.unwrap();
        assert!(stood().await.is_empty(), "half a comparison says nothing");
        assert_eq!(jobs.reconcile(Task::Comparison, &|| false).await.unwrap().changed, 1);
        let entries = stood().await;
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].leaf.facts["orphans"], Fact::Number(1));
        assert_eq!(entries[0].leaf.facts["missing"], Fact::Number(0));
        jobs.reconcile(Task::Comparison, &|| false).await.unwrap();
        assert_eq!(stood().await.len(), 1, "and not again until another week has passed");
        app.advance(TimeDelta::days(7));
        jobs.reconcile(Task::Comparison, &|| false).await.unwrap();
        assert_eq!(stood().await.len(), 2);
    }

    async fn keys_that_open_nothing_go_with_the_weekly_comparison(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let picture = app.upload(&ada, 1).await;
        app.app.ledger.sequence().await.unwrap();
        app.advance(TimeDelta::days(8));
        let keys = &app.app.keys;
        let before = keys.status().await.unwrap().items;
        let mint = async |item: &str| {
            let new = NewItem { item, kind: "prompt", key: None };
            let owner = KeyOwner { tenant: &ada.owner.tenant, subject: ada.owner.subject };
            keys.mint(owner, vec![new]).await.unwrap();
        };
        mint("rec_that_never_came#1").await;
        mint("obj_that_never_came").await;
        app.advance(TimeDelta::hours(25));
        mint("rec_that_may_come#1").await;
        Jobs::new(app.app.clone()).reconcile(Task::Comparison, &|| false).await.unwrap();
        assert_eq!(keys.status().await.unwrap().items, before + 1, "a young one may have a row in a moment");
        app.app.ledger.sequence().await.unwrap();
        let entry = app.app.ledger.of_house(&EntryKind::BLOBS_COMPARED, 1).await.unwrap().remove(0);
        assert_eq!(entry.leaf.facts["keys"], Fact::Number(2));
        drop(picture);
        assert!(app.app.vault.keyless().await.unwrap() == 0, "everything that has a row still opens");
    }
}
