//! The start of the service: a store in which nothing can be erased is refused before anything is put into it.

use std::fs;
use std::process::Command;

use crate::rooms::blobs_bucket::{Bucket, Fault};
use crate::support::source::{root, walk};

/// Starts the program over a bucket, and waits for its end.
async fn start(bucket: &Bucket, folder: &std::path::Path) -> (bool, String) {
    let config = folder.join("vouchsafe.toml");
    let text = format!(
        "[server]\npublic-url = \"http://127.0.0.1\"\ndevelopment = true\n[data]\nfolder = \"{}\"\npolicies = \"{}\"\n\
         [blobs.s3]\nvendor = \"generic\"\nendpoint = \"{}\"\nbucket = \"images\"\nregion = \"eu-central-1\"\n\
         access-key-id = \"key-id\"\nsecret-access-key = \"key-secret\"\n",
        folder.join("data").display(),
        root().join("policies").display(),
        bucket.endpoint(),
    );
    fs::write(&config, text).unwrap();
    let config = config.display().to_string();
    let done = tokio::task::spawn_blocking(move || {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
        serve.args(["serve", "--config", &config, "--listen", "127.0.0.1:0"]).output().unwrap()
    });
    let done = done.await.unwrap();
    (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_cannot_erase_is_not_started_with() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = Bucket::start().await;
    let keeps = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>".to_owned();
    bucket.order("GetBucketVersioning", &[Fault::Canned(200, keeps)]);
    let (well, said) = start(&bucket, folder.path()).await;
    assert!(!well && said.contains("versioning"), "{said}");
    let lock =
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    bucket.order("GetObjectLockConfiguration", &[Fault::Canned(200, lock.to_owned())]);
    let (well, said) = start(&bucket, folder.path()).await;
    assert!(!well && said.contains("object-lock"), "{said}");
    bucket.order("ListObjectsV2", &[Fault::Status(403, "InvalidAccessKeyId")]);
    let (well, said) = start(&bucket, folder.path()).await;
    assert!(
        !well && said.contains("bucket images at 127.0.0.1") && said.contains("cannot be used"),
        "{said}"
    );
    assert!(said.contains("look at the bucket: 403 InvalidAccessKeyId"), "{said}");
    // Nothing was put into it but what the look itself puts there and takes away again.
    let mut files = Vec::new();
    walk(bucket.objects().parent().unwrap(), &mut files);
    files.retain(|f| f.is_file() && f.file_name().is_some_and(|n| n.len() == 40));
    assert!(files.is_empty(), "something was stored: {files:?}");
}
