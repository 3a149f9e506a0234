//! What goes over the wire to a bucket, and what a bucket is checked for.

use bytes::Bytes;
use futures_util::TryStreamExt;
use vouchsafe::base::{Entropy, Kind};
use vouchsafe::blobs::{BlobKey, Blobs, Error, Finding, KeyPrefix, Level, Listed, Vendor};

use super::blobs_bucket::{Bucket, Fault, MIB, open, until};
use super::blobs_contract::{body, fresh, keys, noise, read};

#[tokio::test]
async fn requests_carry_what_every_vendor_takes_and_nothing_more() {
    let bucket = Bucket::start().await;
    let blobs = bucket.blobs(Vendor::CloudflareR2);
    for len in [10, 11 * MIB] {
        blobs.put(&fresh(), body(&noise(len))).await.unwrap();
    }
    let log = bucket.log();
    let ops: Vec<_> = log.iter().map(|seen| seen.op).collect();
    let small = ["PutObject", "HeadObject"];
    let part = "UploadPart";
    let large = ["CreateMultipartUpload", part, part, part, "CompleteMultipartUpload", "HeadObject"];
    assert_eq!(ops, [&small[..], &large].concat(), "no retry, and nothing asked twice");
    for seen in &log {
        let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let signed = header("authorization").unwrap();
        assert!(signed.contains("/auto/s3/aws4_request"), "{signed}");
        for (name, _) in &seen.headers {
            let name = name.as_str();
            let unsupported = name.starts_with("x-amz-checksum")
                || name.starts_with("x-amz-sdk-checksum")
                || matches!(
                    name,
                    "x-amz-trailer" | "x-amz-acl" | "x-amz-server-side-encryption" | "content-md5"
                );
            assert!(!unsupported, "{} sends {name}", seen.op);
        }
        assert_ne!(header("content-encoding").as_deref(), Some("aws-chunked"));
        let conditional = matches!(seen.op, "PutObject" | "CompleteMultipartUpload");
        assert_eq!(header("if-none-match").as_deref(), conditional.then_some("*"), "{}", seen.op);
        if matches!(seen.op, "PutObject" | "UploadPart") {
            assert_eq!(header("x-amz-content-sha256").unwrap().len(), 64, "the body is signed with its hash");
        }
    }
}

#[tokio::test]
async fn two_and_a_half_thousand_keys_are_listed_by_pages_and_all_deleted() {
    for vendor in [Vendor::Generic, Vendor::CloudflareR2] {
        let bucket = Bucket::start().await;
        let entropy = Entropy::seeded(2500);
        let mut all: Vec<BlobKey> = (0..2500).map(|_| BlobKey::new(&entropy)).collect();
        for key in &all {
            let text = key.to_string();
            let dir = bucket.objects().join(&text[..2]);
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(dir.join(&text[2..]), b"x").unwrap();
        }
        std::fs::write(bucket.objects().join("README"), b"a stranger's").unwrap();
        all.sort_unstable();

        let blobs = bucket.blobs(vendor);
        let listed: Vec<Listed> = blobs.list(KeyPrefix::all(), None).try_collect().await.unwrap();
        assert!(listed.iter().all(|row| row.len == 1));
        assert_eq!(listed.iter().map(|row| row.key).collect::<Vec<_>>(), all);
        assert_eq!(Bucket::count(&bucket.log(), "ListObjectsV2"), 3);
        assert_eq!(keys(&blobs, KeyPrefix::all(), Some(all[2400])).await, all[2401..]);
        let shard: Vec<_> = all.iter().copied().filter(|key| KeyPrefix::shard(7).covers(key)).collect();
        assert_eq!(keys(&blobs, KeyPrefix::shard(7), None).await, shard);

        let deleted = blobs.delete_many(&all).await;
        assert_eq!((deleted.gone, deleted.failed.len()), (2500, 0));
        assert!(keys(&blobs, KeyPrefix::all(), None).await.is_empty());
        assert!(bucket.objects().join("README").exists(), "not ours to delete");
    }
}

fn level(found: &[Finding], about: &str) -> Option<Level> {
    found.iter().find(|f| f.about == about).map(|f| f.level)
}

fn text<'a>(found: &'a [Finding], about: &str) -> &'a str {
    found.iter().find(|f| f.about == about).map_or("", |f| f.text.as_str())
}

#[tokio::test]
async fn a_good_bucket_checks_out() {
    let bucket = Bucket::start().await;
    for vendor in [Vendor::Generic, Vendor::CloudflareR2, Vendor::Supabase] {
        let found = bucket.blobs(vendor).check(&Entropy::system()).await.unwrap();
        assert!(found.iter().all(|f| f.level < Level::Error), "{vendor}: {found:?}");
        let told = level(&found, "conditional").unwrap();
        assert_eq!(told == Level::Warning, vendor == Vendor::Supabase);
        assert_eq!(level(&found, "parts"), Some(Level::Good), "{found:?}");
        assert_eq!(level(&found, "uploads"), Some(Level::Good), "{found:?}");
        assert_eq!(bucket.unfinished(), 0);
        let log = bucket.log();
        assert_eq!(Bucket::count(&log, "UploadPart"), 2, "a large blob goes another way than a small one");
        let asked = Bucket::count(&log, "GetBucketVersioning") > 0;
        assert_eq!(asked, vendor == Vendor::Generic, "R2 and Supabase have no versions to ask for");
    }
    let said = bucket.blobs(Vendor::CloudflareR2).describe();
    assert!(said.starts_with("Cloudflare R2: bucket images at 127.0.0.1:"), "{said}");
    assert!(!said.contains("key"), "no credentials");
}

#[tokio::test]
async fn a_bucket_that_cannot_erase_is_an_error() {
    let bucket = Bucket::start().await;
    for (op, about, xml) in [
        (
            "GetBucketVersioning",
            "versioning",
            "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
        ),
        (
            "GetObjectLockConfiguration",
            "object-lock",
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
        ),
        (
            "GetBucketLifecycleConfiguration",
            "lifecycle",
            "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter>\
             <Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
        ),
    ] {
        bucket.order(op, &[Fault::Canned(200, xml.to_owned())]);
        let found = bucket.blobs(Vendor::Generic).check(&Entropy::system()).await.unwrap();
        assert_eq!(level(&found, about), Some(Level::Error), "{found:?}");
    }
}

/// What a bucket will not tell may be as it must not; only what it does not have cannot be.
#[tokio::test]
async fn a_bucket_that_will_not_tell_is_an_error() {
    let bucket = Bucket::start().await;
    let blobs = bucket.blobs(Vendor::Generic);
    for (op, about, right) in [
        ("GetBucketVersioning", "versioning", "s3:GetBucketVersioning"),
        ("GetObjectLockConfiguration", "object-lock", "s3:GetBucketObjectLockConfiguration"),
        ("GetBucketLifecycleConfiguration", "lifecycle", "s3:GetLifecycleConfiguration"),
        ("ListMultipartUploads", "uploads", "s3:ListBucketMultipartUploads"),
        ("AbortMultipartUpload", "uploads", "s3:AbortMultipartUpload"),
    ] {
        let _ = bucket.log();
        bucket.order(op, &[Fault::Status(403, "AccessDenied")]);
        let found = blobs.check(&Entropy::system()).await.unwrap();
        assert_eq!(level(&found, about), Some(Level::Error), "{found:?}");
        assert!(text(&found, about).contains(right), "{found:?}");
        assert_eq!(level(&found, "write"), None, "a bucket that is refused is written into no more");
        let puts = Bucket::count(&bucket.log(), "PutObject");
        assert_eq!(puts, usize::from(about == "uploads"), "{op}: {found:?}");
        bucket.order(op, &[Fault::Status(501, "NotImplemented")]);
        let found = blobs.check(&Entropy::system()).await.unwrap();
        if op != "AbortMultipartUpload" {
            assert_eq!(level(&found, about), Some(Level::Warning), "{found:?}");
            assert_eq!(level(&found, "write"), Some(Level::Good), "{found:?}");
        }
    }
    bucket.order("GetBucketVersioning", &[Fault::Canned(200, "<Versioning/>".to_owned())]);
    let found = blobs.check(&Entropy::system()).await.unwrap();
    assert_eq!(level(&found, "versioning"), Some(Level::Error), "{found:?}");
    assert!(text(&found, "versioning").contains("answered 200 with something that is not S3"), "{found:?}");
    bucket.order("GetBucketVersioning", &vec![Fault::Status(503, "SlowDown"); 4]);
    assert_eq!(blobs.check(&Entropy::system()).await.unwrap_err().kind(), Kind::Unavailable);
}

#[tokio::test]
async fn what_a_bucket_does_tells_what_it_does_not_say() {
    let bucket = Bucket::start().await;
    let version = Fault::Header("x-amz-version-id", "v1");
    let expiry =
        Fault::Header("x-amz-expiration", "expiry-date=\"Fri, 23 Dec 2033 00:00:00 GMT\", rule-id=\"a\"");
    let marked = Fault::Header("x-amz-delete-marker", "true");
    for (op, faults, about) in [
        ("DeleteObject", vec![marked], "old-versions"),
        // The first look is at what was written, the second for its version once it is deleted.
        ("HeadObject", vec![version.clone(), Fault::Canned(200, String::new())], "old-versions"),
        ("HeadObject", vec![version.clone(), Fault::Status(403, "")], "old-versions"),
        ("PutObject", vec![expiry.clone()], "expiry"),
        ("HeadObject", vec![expiry], "expiry"),
    ] {
        bucket.order("GetBucketVersioning", &[Fault::Status(501, "NotImplemented")]);
        bucket.order(op, &faults);
        let found = bucket.blobs(Vendor::Generic).check(&Entropy::system()).await.unwrap();
        assert_eq!(level(&found, about), Some(Level::Error), "{op} {faults:?}: {found:?}");
        assert_eq!(bucket.forget(), 0, "{op} {faults:?}");
    }
    // R2 and Garage name versions and keep none; a bucket whose versioning is suspended calls them `null`.
    for (op, header) in [("PutObject", version), ("PutObject", Fault::Header("x-amz-version-id", "null"))] {
        bucket.order(op, &[header]);
        let found = bucket.blobs(Vendor::Generic).check(&Entropy::system()).await.unwrap();
        assert!(found.iter().all(|f| f.level < Level::Error), "{found:?}");
    }
}

/// Begins an upload in parts and lets go of it once the second part is under way, as a caller does who hangs up.
async fn dropped_half_way(blobs: &Blobs, key: &BlobKey) {
    let (send, receive) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let put = blobs.put(key, tokio_stream::wrappers::ReceiverStream::new(receive));
    let caller = async {
        for _ in 0..9 {
            send.send(Ok(noise(MIB))).await.unwrap();
        }
    };
    tokio::select! {
        biased;
        put = put => panic!("it waits for more: {put:?}"),
        () = caller => {}
    }
}

#[tokio::test]
async fn an_upload_that_is_dropped_half_way_is_ended() {
    let bucket = Bucket::start().await;
    let blobs = bucket.blobs(Vendor::CloudflareR2);
    let keys = [fresh(), fresh()];
    dropped_half_way(&blobs, &keys[0]).await;
    until(|| bucket.unfinished() == 0).await;
    assert_eq!(Bucket::count(&bucket.log(), "AbortMultipartUpload"), 1);
    // The control: an upload that cannot be ended is left, is counted by its name, and goes by it.
    bucket.order("AbortMultipartUpload", &[Fault::Status(403, "AccessDenied")]);
    dropped_half_way(&blobs, &keys[1]).await;
    until(|| bucket.waiting("AbortMultipartUpload") == 0).await;
    assert_eq!(bucket.unfinished(), 1);
    assert!(matches!(blobs.head(&keys[1]).await, Err(Error::NotFound)), "it has no name yet");
    assert_eq!(blobs.uploads_of(&keys[..1]).await.unwrap(), 0);
    assert_eq!(blobs.uploads_of(&keys).await.unwrap(), 1);
    assert_eq!(blobs.end_uploads(&keys[..1]).await.unwrap(), 0);
    assert_eq!(blobs.end_uploads(&keys).await.unwrap(), 1);
    assert_eq!(bucket.unfinished(), 0);
}

#[tokio::test]
async fn uploads_are_found_where_they_are_listed_by_whole_names_alone() {
    let bucket = Bucket::start().await;
    let blobs = bucket.blobs(Vendor::Generic);
    bucket.lists_whole_names();
    let found = blobs.check(&Entropy::system()).await.unwrap();
    assert_eq!(level(&found, "uploads"), Some(Level::Warning), "{found:?}");
    bucket.order("AbortMultipartUpload", &[Fault::Status(403, "AccessDenied")]);
    let keys = [fresh(), fresh()];
    dropped_half_way(&blobs, &keys[0]).await;
    until(|| bucket.waiting("AbortMultipartUpload") == 0).await;
    assert_eq!(blobs.uploads_of(&keys).await.unwrap(), 1);
    assert_eq!(blobs.end_uploads(&keys).await.unwrap(), 1);
    assert_eq!(bucket.unfinished(), 0);
}

#[tokio::test]
async fn a_store_that_cannot_list_uploads_has_none_to_be_found() {
    let bucket = Bucket::start().await;
    let blobs = bucket.blobs(Vendor::Generic);
    for (status, code) in [(501, "NotImplemented"), (404, "NoSuchUpload"), (404, "")] {
        bucket.order("ListMultipartUploads", &vec![Fault::Status(status, code); 2]);
        assert_eq!(blobs.uploads_of(&[fresh()]).await.unwrap(), 0, "{status} {code}");
        assert_eq!(blobs.end_uploads(&[fresh(), fresh()]).await.unwrap(), 0, "{status} {code}");
    }
    // The control: what may not be asked, or is not answered now, is not called nothing.
    for (status, code) in [(403, "AccessDenied"), (503, "SlowDown")] {
        bucket.order("ListMultipartUploads", &vec![Fault::Status(status, code); 4]);
        assert!(blobs.uploads_of(&[fresh()]).await.is_err(), "{status} {code}");
        bucket.forget();
    }
    bucket.order("ListObjectsV2", &[Fault::Status(404, "NoSuchThing")]);
    let listed: Result<Vec<Listed>, Error> = blobs.list(KeyPrefix::all(), None).try_collect().await;
    let said = listed.unwrap_err().to_string();
    assert!(said.ends_with("list blobs: 404 NoSuchThing"), "a list is no blob that is not there: {said}");
}

/// Ceph's gateway, and others of their day, quote an entity tag in the header of a look and not in the answer to a
/// multipart upload.
#[tokio::test]
async fn a_store_that_leaves_the_quotes_off_an_entity_tag_is_believed() {
    let bucket = Bucket::start().await;
    let blobs = bucket.blobs(Vendor::Generic);
    let dressed: [fn(&str) -> String; 2] = [|tag| tag.trim_matches('"').to_owned(), |tag| format!("W/{tag}")];
    for other in dressed {
        let (key, bytes) = (fresh(), noise(5 * MIB + 1));
        bucket.order("CompleteMultipartUpload", &[Fault::Tagged(other)]);
        let put = blobs.put(&key, body(&bytes)).await;
        assert_eq!(put.unwrap(), bytes.len() as u64);
        assert!(read(&blobs, &key).await.unwrap() == bytes);
        assert_eq!(Bucket::count(&bucket.log(), "CompleteMultipartUpload"), 1, "it was the first answer");
    }
    // The control: what is another tag without its quotes as well is another blob's.
    let key = fresh();
    bucket.order("CompleteMultipartUpload", &[Fault::Tagged(|_| "0a1b-2".to_owned())]);
    let put = blobs.put(&key, body(&noise(5 * MIB + 1))).await;
    assert!(matches!(put, Err(Error::Mismatch(_))), "{put:?}");
    assert!(matches!(blobs.head(&key).await, Err(Error::NotFound)));
    assert_eq!((bucket.forget(), bucket.unfinished()), (0, 0));
}

#[tokio::test]
async fn a_bucket_that_takes_small_blobs_alone_is_an_error() {
    let bucket = Bucket::start().await;
    for (op, fault) in [
        ("CreateMultipartUpload", Fault::Status(501, "NotImplemented")),
        ("CompleteMultipartUpload", Fault::Tagged(|_| "0a1b-2".to_owned())),
    ] {
        bucket.order(op, &[fault]);
        let found = bucket.blobs(Vendor::Generic).check(&Entropy::system()).await.unwrap();
        assert_eq!(level(&found, "parts"), Some(Level::Error), "{found:?}");
        assert_eq!(level(&found, "old-versions"), Some(Level::Good), "a small one was taken: {found:?}");
        assert_eq!((bucket.forget(), bucket.unfinished()), (0, 0));
    }
}

#[tokio::test]
async fn wrong_credentials_and_a_missing_bucket_are_refusals() {
    let bucket = Bucket::start().await;
    let mut settings = bucket.settings(Vendor::Generic);
    settings.secret_access_key = "wrong".to_owned().into();
    let blobs = open(settings);
    assert_eq!(blobs.put(&fresh(), body(&noise(1))).await.unwrap_err().kind(), Kind::Upstream);
    let refused = blobs.check(&Entropy::system()).await.unwrap_err().to_string();
    assert!(refused.ends_with("look at the bucket: 403 SignatureDoesNotMatch"), "it says why: {refused}");

    let mut settings = bucket.settings(Vendor::Generic);
    settings.bucket = "elsewhere".to_owned();
    let refused = open(settings).check(&Entropy::system()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Upstream);
    assert!(refused.to_string().ends_with("look at the bucket: 404 NoSuchBucket"), "{refused}");
}
