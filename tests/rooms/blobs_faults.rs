//! A bucket that misbehaves. Whatever it does: what is acknowledged is there and right, what is refused is not there, what
//! is unknown is said to be unknown, and nothing is retried without end.

use bytes::Bytes;
use futures_util::TryStreamExt;
use vouchsafe::base::{Kind, Timestamp};
use vouchsafe::blobs::{BlobKey, Error, KeyPrefix, Vendor};

use super::blobs_bucket::{Bucket, Fault, MIB};
use super::blobs_contract::{body, fresh, noise, read};

/// What a put must come to.
enum Comes {
    /// Stored, and right.
    Right,
    /// Refused with this kind, and nothing is there.
    Nothing(Kind),
    /// Refused with this kind; what is there may be another's, and is left alone.
    LeftAlone(Kind),
}
use Comes::{LeftAlone, Nothing, Right};
use Fault::{AppliedThen, AppliedThenSilence, Corrupt, Header, Reset, Silence, Status};

/// Stores `len` bytes while `op` goes wrong, and looks at what is true afterwards, past the faults.
async fn put_under(bucket: &Bucket, len: usize, op: &'static str, faults: &[Fault], comes: &Comes) {
    let what = format!("{op} {faults:?} of {len} bytes");
    // Parts take a debug build of the server a while; only small bodies meet silence.
    let blobs = if len > MIB { bucket.blobs(Vendor::CloudflareR2) } else { bucket.quick() };
    let (key, bytes) = (fresh(), noise(len));
    bucket.order(op, faults);
    bucket.log();
    let put = blobs.put(&key, body(&bytes)).await;
    let tries = Bucket::count(&bucket.log(), op);
    assert!(tries <= 5 * len.div_ceil(5 * MIB), "{what}: {tries} requests");
    match (comes, put) {
        (Right, Ok(put)) => {
            assert_eq!(put, len as u64, "{what}");
            assert!(read(&blobs, &key).await.unwrap() == bytes, "{what}: other bytes");
        }
        (Nothing(kind), Err(e)) => {
            assert_eq!(e.kind(), *kind, "{what}: {e}");
            assert!(matches!(blobs.head(&key).await, Err(Error::NotFound)), "{what}: left behind");
        }
        (LeftAlone(kind), Err(e)) => {
            assert_eq!(e.kind(), *kind, "{what}: {e}");
            assert!(blobs.head(&key).await.is_ok(), "{what}: deleted another's blob");
        }
        (_, other) => panic!("{what}: {other:?}"),
    }
    assert_eq!(bucket.unfinished(), 0, "{what}: parts are left");
    assert_eq!(bucket.forget(), 0, "{what}: gave up before it had met them all");
}

#[tokio::test]
async fn a_small_put_meets_every_fault() {
    let bucket = Bucket::start().await;
    let three = |fault: Fault| vec![fault; 3];
    let cases: Vec<(&'static str, Vec<Fault>, Comes)> = vec![
        ("PutObject", vec![Status(500, "InternalError")], Right),
        ("PutObject", vec![Status(429, "TooManyRequests")], Right),
        ("PutObject", vec![Status(503, "SlowDown"), Reset], Right),
        ("PutObject", vec![Silence], Right),
        ("PutObject", vec![Status(503, "SlowDown"), AppliedThenSilence], Right),
        ("PutObject", vec![AppliedThen(500, "InternalError")], Right),
        ("PutObject", vec![AppliedThen(500, "InternalError"), Status(503, "SlowDown"), Reset], Right),
        ("PutObject", vec![AppliedThenSilence], Right),
        ("PutObject", vec![Reset], Right),
        ("PutObject", three(Status(503, "SlowDown")), Nothing(Kind::Unavailable)),
        ("PutObject", three(Reset), Nothing(Kind::Unavailable)),
        ("PutObject", three(Silence), Nothing(Kind::Unavailable)),
        ("PutObject", vec![Status(403, "AccessDenied")], Nothing(Kind::Upstream)),
        ("PutObject", vec![Status(507, "InsufficientStorage")], Nothing(Kind::Full)),
        ("PutObject", vec![Status(400, "EntityTooLarge")], Nothing(Kind::Full)),
        ("PutObject", vec![Status(501, "NotImplemented")], Nothing(Kind::Upstream)),
        ("PutObject", vec![Header("etag", "\"00000000000000000000000000000000\"")], Nothing(Kind::Internal)),
        ("HeadObject", vec![Header("content-length", "9")], Nothing(Kind::Internal)),
        ("HeadObject", vec![Header("x-amz-meta-vouchsafe-upload", "another")], LeftAlone(Kind::Internal)),
        ("HeadObject", vec![Status(404, "NoSuchKey")], Nothing(Kind::Internal)),
        ("HeadObject", vec![Status(500, "InternalError")], Right),
    ];
    for (op, faults, comes) in &cases {
        put_under(&bucket, 20_000, op, faults, comes).await;
    }
}

#[tokio::test]
async fn a_body_changed_on_the_way_is_never_stored() {
    let bucket = Bucket::start().await;
    let (blobs, key) = (bucket.quick(), fresh());
    bucket.order("PutObject", &vec![Corrupt; 3]);
    assert!(blobs.put(&key, body(&noise(100))).await.is_err());
    assert_eq!(blobs.head(&key).await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn a_large_put_meets_faults_in_each_of_its_steps() {
    let bucket = Bucket::start().await;
    let four = |fault: Fault| vec![fault; 4];
    let cases: Vec<(&'static str, Vec<Fault>, Comes)> = vec![
        ("CreateMultipartUpload", vec![Status(503, "SlowDown"), Reset], Right),
        ("UploadPart", vec![Status(500, "InternalError"), AppliedThen(503, "SlowDown")], Right),
        ("UploadPart", four(Status(500, "InternalError")), Nothing(Kind::Unavailable)),
        ("UploadPart", vec![Status(404, "NoSuchUpload")], Nothing(Kind::Unavailable)),
        ("CompleteMultipartUpload", vec![Status(503, "SlowDown")], Right),
        ("CompleteMultipartUpload", vec![AppliedThen(500, "InternalError")], Right),
        ("CompleteMultipartUpload", vec![AppliedThen(500, "InternalError"), Reset, Reset], Right),
        ("CompleteMultipartUpload", vec![Status(400, "InvalidPart")], Nothing(Kind::Internal)),
        ("CompleteMultipartUpload", four(Status(500, "InternalError")), Nothing(Kind::Unavailable)),
        ("HeadObject", vec![Header("content-length", "9")], Nothing(Kind::Internal)),
    ];
    for (op, faults, comes) in &cases {
        put_under(&bucket, 6 * MIB, op, faults, comes).await;
    }
}

#[tokio::test]
async fn an_upload_that_could_not_be_aborted_is_swept_later_and_a_young_one_is_not() {
    let bucket = Bucket::start().await;
    let blobs = bucket.blobs(Vendor::CloudflareR2);
    bucket.order("UploadPart", &[Status(403, "AccessDenied")]);
    bucket.order("AbortMultipartUpload", &[Status(403, "AccessDenied")]);
    assert!(blobs.put(&fresh(), body(&noise(6 * MIB))).await.is_err());
    assert_eq!(bucket.unfinished(), 1);
    // The server says that it began at noon.
    let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
    assert_eq!(blobs.abort_stale_uploads(at("2026-05-05T11:59:59Z")).await.unwrap(), 0);
    assert_eq!(blobs.abort_stale_uploads(at("2026-05-05T12:00:01Z")).await.unwrap(), 1);
    assert_eq!(bucket.unfinished(), 0);
}

async fn stored(bucket: &Bucket, len: usize) -> (BlobKey, Bytes) {
    let (key, bytes) = (fresh(), noise(len));
    bucket.quick().put(&key, body(&bytes)).await.unwrap();
    (key, bytes)
}

#[tokio::test]
async fn a_read_is_whole_or_fails() {
    let bucket = Bucket::start().await;
    let blobs = bucket.quick();
    let (key, bytes) = stored(&bucket, 500_000).await;
    for faults in [vec![Status(500, "InternalError"), Status(503, "SlowDown")], vec![Silence]] {
        bucket.order("GetObject", &faults);
        assert!(read(&blobs, &key).await.unwrap() == bytes, "{faults:?}");
    }
    for faults in [vec![Fault::Short], vec![Status(500, "InternalError"); 3], vec![Silence; 3]] {
        bucket.order("GetObject", &faults);
        let failed = read(&blobs, &key).await.map(|whole| whole.len());
        assert!(matches!(failed, Err(Error::Unavailable(_))), "{faults:?}: {failed:?}");
        bucket.forget();
    }
    // A store that ignores the range would hand out the wrong bytes.
    bucket.order("GetObject", &[Fault::Canned(200, "x".repeat(10))]);
    assert!(matches!(blobs.get(&key, Some(0..10)).await, Err(Error::Mismatch(_))));
}

#[tokio::test]
async fn a_deletion_is_believed_only_when_the_blob_is_gone() {
    let bucket = Bucket::start().await;
    let blobs = bucket.quick();
    let (key, _) = stored(&bucket, 10).await;
    bucket.order("DeleteObject", &[AppliedThen(500, "InternalError")]);
    assert!(blobs.delete(&key).await.unwrap().was_there);

    let (key, bytes) = stored(&bucket, 10).await;
    bucket.order("DeleteObject", &[Fault::Canned(204, String::new())]);
    assert_eq!(blobs.delete(&key).await.unwrap_err().kind(), Kind::Unavailable, "it lied");
    bucket.order("DeleteObject", &[Status(403, "ObjectLockedByBucketPolicy")]);
    assert_eq!(blobs.delete(&key).await.unwrap_err().kind(), Kind::Upstream, "locked");
    assert!(read(&blobs, &key).await.unwrap() == bytes);
    assert!(blobs.delete(&key).await.unwrap().was_there);
}

#[tokio::test]
async fn an_error_inside_a_bulk_deletion_is_not_overlooked() {
    let bucket = Bucket::start().await;
    let blobs = bucket.blobs(Vendor::Generic);
    let keys = [stored(&bucket, 10).await.0, stored(&bucket, 10).await.0, stored(&bucket, 10).await.0];
    let name = |key: &BlobKey| format!("vault/{}/{}", &key.to_string()[..2], &key.to_string()[2..]);
    let xml = format!(
        "<DeleteResult><Deleted><Key>{}</Key></Deleted>\
         <Error><Key>{}</Key><Code>AccessDenied</Code></Error></DeleteResult>",
        name(&keys[0]),
        name(&keys[1])
    );
    bucket.order("DeleteObjects", &[Fault::Canned(200, xml)]);
    let deleted = blobs.delete_many(&keys).await;
    assert_eq!(deleted.gone, 1);
    let mut failed: Vec<_> = deleted.failed.iter().map(|(key, e)| (*key, e.to_string())).collect();
    failed.sort_by_key(|(key, _)| *key != keys[1]);
    assert!(failed[0].0 == keys[1] && failed[0].1.contains("AccessDenied"), "{failed:?}");
    assert!(failed[1].0 == keys[2] && failed[1].1.contains("not answered for"), "{failed:?}");

    bucket.order("DeleteObjects", &vec![Status(503, "SlowDown"); 4]);
    let deleted = blobs.delete_many(&keys).await;
    assert_eq!((deleted.gone, deleted.failed.len()), (0, 3));
    assert!(deleted.failed.iter().all(|(_, e)| e.kind() == Kind::Unavailable));
}

#[tokio::test]
async fn a_listing_that_does_not_move_on_ends_in_an_error() {
    let bucket = Bucket::start().await;
    let (key, _) = stored(&bucket, 10).await;
    let text = key.to_string();
    let page = format!(
        "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>vault/{}/{}</Key><Size>10</Size>\
         </Contents></ListBucketResult>",
        &text[..2],
        &text[2..]
    );
    bucket.order("ListObjectsV2", &vec![Fault::Canned(200, page); 9]);
    let listed: Result<Vec<_>, Error> = bucket.quick().list(KeyPrefix::all(), None).try_collect().await;
    assert!(matches!(listed, Err(Error::Mismatch(_))), "{listed:?}");
}

#[tokio::test]
async fn while_a_store_is_down_retries_run_dry() {
    let bucket = Bucket::start().await;
    let blobs = bucket.quick();
    bucket.order("HeadObject", &vec![Status(500, "InternalError"); 1000]);
    for _ in 0..100 {
        assert_eq!(blobs.head(&fresh()).await.unwrap_err().kind(), Kind::Unavailable);
    }
    let tries = Bucket::count(&bucket.log(), "HeadObject");
    assert!(tries < 200, "{tries} requests for 100 calls: the budget must end before 300");
}
