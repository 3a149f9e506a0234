//! Pictures lie in a bucket, over the bucket's own protocol, and the bucket holds nothing that it can read.

use vouchsafe::blobs::{Settings, Vendor};

use super::edited;
use crate::rooms::blobs_bucket::Bucket;
use crate::support::app::photograph;
use crate::support::house::files_below;
use crate::support::{Backend, TestApp};

/// How every age file begins.
const AGE: &[u8] = b"age-encryption.org/v1\n";

/// Everything in the bucket.
fn stored(bucket: &Bucket) -> Vec<Vec<u8>> {
    let hidden = |p: &std::path::Path| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
    let files = files_below(bucket.root.path());
    files.iter().filter(|p| !hidden(p)).map(|p| std::fs::read(p).unwrap()).collect()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|w| w == part)
}

async fn pictures_pass_through(backend: Backend, vendor: Vendor) {
    let bucket = Bucket::start().await;
    let settings = Settings::S3(Box::new(bucket.settings(vendor)));
    let Some(app) = TestApp::open_over(backend, Some(settings), |_| {}).await else { return };
    let ada = app.person("ada@example.org").await;
    let kept = app.upload(&ada, 1).await;
    let done = edited(&app, &ada, 2).await;
    let result = done["output"].as_str().unwrap();

    let log = bucket.log();
    assert!(Bucket::count(&log, "PutObject") >= 3, "real requests of the bucket's protocol");
    for seen in &log {
        let signed = seen.headers.get("authorization").unwrap().to_str().unwrap();
        assert!(signed.starts_with("AWS4-HMAC-SHA256 "), "{signed}");
    }
    let there = stored(&bucket);
    let objects: Vec<_> = there.iter().filter(|bytes| holds(bytes, AGE)).collect();
    assert_eq!(objects.len(), 2, "the upload that waits and the result; the input of the edit is gone");
    let plain = photograph(1);
    let (middle, end) =
        (&plain[plain.len() / 2..plain.len() / 2 + 32], &plain[plain.len() - 34..plain.len() - 2]);
    for bytes in &there {
        for part in [middle, end, &b"Exif\0\0"[..], b"warmer", b"ada@example"] {
            assert!(!holds(bytes, part), "{:?}", String::from_utf8_lossy(part));
        }
    }
    // A control: what the person gets back is a picture.
    let back = app.get(&format!("/v1/images/{result}")).by(&ada).send().await;
    assert!(back.body.starts_with(b"\xff\xd8\xff"));

    for id in [kept.as_str(), result] {
        assert_eq!(app.delete(&format!("/v1/images/{id}")).by(&ada).send().await.status, 204);
    }
    app.settle().await;
    assert!(!stored(&bucket).iter().any(|bytes| holds(bytes, AGE)), "deleted in the bucket as well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cloudflare_r2_sqlite() {
    pictures_pass_through(Backend::Sqlite, Vendor::CloudflareR2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cloudflare_r2_postgres() {
    pictures_pass_through(Backend::Postgres, Vendor::CloudflareR2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn supabase_storage_sqlite() {
    pictures_pass_through(Backend::Sqlite, Vendor::Supabase).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn supabase_storage_postgres() {
    pictures_pass_through(Backend::Postgres, Vendor::Supabase).await;
}
