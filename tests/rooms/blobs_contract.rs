//! What every store of blobs must do, run on each of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use vouchsafe::base::{Clock, Entropy, Kind, Timestamp};
use vouchsafe::blobs::{BlobKey, Blobs, Error, FolderSettings, KeyPrefix, Level, Settings, Vendor};

use super::blobs_bucket::{Bucket, MIB};

/// Bytes that no two places share, `len` of them.
pub(super) fn noise(len: usize) -> Bytes {
    let mut out = vec![0; len];
    Entropy::seeded(len as u64).fill(&mut out);
    out.into()
}

/// A body of `bytes` in chunks of 64 KiB.
pub(super) fn body(bytes: &Bytes) -> impl Stream<Item = Result<Bytes, Error>> + Send + use<> {
    let bytes = bytes.clone();
    let starts = (0..bytes.len()).step_by(64 << 10);
    stream::iter(starts.map(move |at| Ok(bytes.slice(at..bytes.len().min(at + (64 << 10))))))
}

pub(super) fn fresh() -> BlobKey {
    BlobKey::new(&Entropy::system())
}

pub(super) async fn read(blobs: &Blobs, key: &BlobKey) -> Result<Bytes, Error> {
    blobs.get(key, None).await?.collect(64 * MIB).await
}

pub(super) async fn keys(blobs: &Blobs, prefix: KeyPrefix, after: Option<BlobKey>) -> Vec<BlobKey> {
    blobs.list(prefix, after).map_ok(|row| row.key).try_collect().await.unwrap()
}

fn folder() -> (TempDir, Blobs) {
    let dir = TempDir::new().unwrap();
    let settings = Settings::Folder(FolderSettings::new(dir.path().join("blobs")));
    let blobs = Blobs::open(settings, &Clock::system(), &Entropy::system()).unwrap();
    (dir, blobs)
}

fn memory() -> Blobs {
    Blobs::open(Settings::Memory, &Clock::system(), &Entropy::system()).unwrap()
}

/// Everything a caller may rely on, with bodies of these lengths.
async fn contract(blobs: &Blobs, lengths: &[usize]) {
    for &len in lengths {
        let (key, bytes) = (fresh(), noise(len));
        let put = blobs.put(&key, body(&bytes)).await.unwrap();
        assert_eq!(put, len as u64);
        assert_eq!(blobs.head(&key).await.unwrap().len, len as u64);
        assert!(blobs.head(&key).await.unwrap().modified > Timestamp::from_micros(0));
        assert!(read(blobs, &key).await.unwrap() == bytes, "{len}: other bytes came back");

        let other = noise(len + 1);
        let refused = blobs.put(&key, body(&other)).await;
        assert!(matches!(refused, Err(Error::Exists)), "{len}: {refused:?}");
        assert!(read(blobs, &key).await.unwrap() == bytes, "{len}: overwritten");

        ranges(blobs, &key, &bytes).await;
        assert!(blobs.delete(&key).await.unwrap().was_there);
        assert!(!blobs.delete(&key).await.unwrap().was_there);
        assert_eq!(blobs.head(&key).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(blobs.get(&key, None).await.unwrap_err().kind(), Kind::NotFound);
    }
    broken_bodies(blobs, lengths).await;
    many(blobs).await;
}

async fn ranges(blobs: &Blobs, key: &BlobKey, bytes: &Bytes) {
    let len = bytes.len() as u64;
    for range in [0..1, len / 2..len, len / 3..len / 3 + 70_000, len.saturating_sub(1)..u64::MAX] {
        if range.start >= range.end.min(len) {
            continue;
        }
        let part = blobs.get(key, Some(range.clone())).await.unwrap();
        assert_eq!(part.total, len);
        let part = part.collect(64 * MIB).await.unwrap();
        let index = |n: u64| usize::try_from(n).unwrap();
        let (from, to) = (index(range.start), index(range.end.min(len)));
        assert!(part == bytes.slice(from..to), "range {range:?} of {len}");
    }
    for outside in [len..len + 1, 3..3] {
        let refused = blobs.get(key, Some(outside.clone())).await;
        assert_eq!(refused.unwrap_err().kind(), Kind::Invalid, "{outside:?} of {len}");
    }
}

async fn broken_bodies(blobs: &Blobs, lengths: &[usize]) {
    for &len in lengths {
        let key = fresh();
        let broken = body(&noise(len)).map(|chunk| chunk.map_err(|e| std::io::Error::other(e.to_string())));
        let broken = broken.chain(stream::iter([Err(std::io::Error::other("the client went away"))]));
        let failed = blobs.put(&key, broken).await;
        assert!(matches!(failed, Err(Error::Body(_))), "{len}: {failed:?}");
        assert_eq!(blobs.head(&key).await.unwrap_err().kind(), Kind::NotFound, "{len}: half a blob");
    }
}

async fn many(blobs: &Blobs) {
    let mut all = Vec::new();
    for _ in 0..40 {
        let key = fresh();
        blobs.put(&key, body(&noise(3))).await.unwrap();
        all.push(key);
    }
    all.sort_unstable();
    assert_eq!(keys(blobs, KeyPrefix::all(), None).await, all);
    assert_eq!(keys(blobs, KeyPrefix::all(), Some(all[24])).await, all[25..]);
    let digit: KeyPrefix = "3".parse().unwrap();
    let some: Vec<_> = all.iter().copied().filter(|key| digit.covers(key)).collect();
    assert_eq!(keys(blobs, digit, None).await, some);

    let absent = fresh();
    let asked: Vec<_> = all[..30].iter().copied().chain([absent, all[0]]).collect();
    let deleted = blobs.delete_many(&asked).await;
    assert!(deleted.failed.is_empty(), "{:?}", deleted.failed);
    assert!((31..=32).contains(&deleted.gone), "{}", deleted.gone);
    assert_eq!(keys(blobs, KeyPrefix::all(), None).await, all[30..]);
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    contract(&memory(), &[0, 1, 100_000]).await;
}

#[tokio::test]
async fn a_folder_keeps_the_contract() {
    let (_dir, blobs) = folder();
    contract(&blobs, &[0, 1, 100_000, MIB, 3 * MIB + 17]).await;
}

#[tokio::test]
async fn r2_keeps_the_contract() {
    let bucket = Bucket::start().await;
    contract(&bucket.blobs(Vendor::CloudflareR2), &[0, 1, 100_000, 5 * MIB, 12 * MIB + 17]).await;
    assert_eq!(bucket.unfinished(), 0);
}

#[tokio::test]
async fn supabase_keeps_the_contract_without_conditional_writes() {
    let bucket = Bucket::start().await;
    contract(&bucket.blobs(Vendor::Supabase), &[0, 100_000, 5 * MIB + 1]).await;
    let log = bucket.log();
    assert!(log.iter().all(|seen| !seen.headers.contains_key("if-none-match")));
    assert_eq!(bucket.unfinished(), 0);
}

#[tokio::test]
async fn any_s3_keeps_the_contract() {
    let bucket = Bucket::start().await;
    contract(&bucket.blobs(Vendor::Generic), &[0, 100_000, 5 * MIB + 1]).await;
    assert!(Bucket::count(&bucket.log(), "DeleteObjects") > 0);
}

/// Counts the bytes of a body that are alive at once.
#[derive(Default)]
struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

struct Counted(Vec<u8>, Arc<Gauge>);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.now.fetch_sub(self.0.len(), Ordering::SeqCst);
    }
}

/// Streams 64 MiB in through a bounded channel and out again; returns the most bytes of the body alive at once.
async fn flat(blobs: &Blobs) -> usize {
    const CHUNK: usize = 64 << 10;
    let gauge = Arc::new(Gauge::default());
    let (send, receive) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(4);
    let source = async {
        let send = send;
        for n in 0..64 * MIB / CHUNK {
            let now = gauge.now.fetch_add(CHUNK, Ordering::SeqCst) + CHUNK;
            gauge.most.fetch_max(now, Ordering::SeqCst);
            let chunk = Counted(vec![n.to_le_bytes()[0]; CHUNK], Arc::clone(&gauge));
            send.send(Ok(Bytes::from_owner(chunk))).await.unwrap();
        }
    };
    let key = fresh();
    let (put, ()) =
        tokio::join!(blobs.put(&key, tokio_stream::wrappers::ReceiverStream::new(receive)), source);
    assert_eq!(put.unwrap(), 64 * MIB as u64);

    let mut back = blobs.get(&key, None).await.unwrap();
    let (mut hash, mut sent, mut largest) = (Sha256::new(), Sha256::new(), 0);
    for n in 0..64 * MIB / CHUNK {
        sent.update(vec![n.to_le_bytes()[0]; CHUNK]);
    }
    while let Some(chunk) = back.next().await {
        let chunk = chunk.unwrap();
        largest = largest.max(chunk.len());
        hash.update(&chunk);
    }
    assert_eq!(hash.finalize(), sent.finalize());
    assert!(largest <= MIB, "a chunk of {largest}");
    gauge.most.load(Ordering::SeqCst)
}

#[tokio::test]
async fn sixty_four_mebibytes_pass_a_folder_in_flat_memory() {
    let (_dir, blobs) = folder();
    let most = flat(&blobs).await;
    assert!(most <= 2 * MIB, "{most} bytes alive at once");
}

#[tokio::test]
async fn sixty_four_mebibytes_pass_a_bucket_in_flat_memory() {
    let bucket = Bucket::start().await;
    let most = flat(&bucket.blobs(Vendor::CloudflareR2)).await;
    assert!(most <= MIB, "{most} bytes alive at once, beside the one part");
    let log = bucket.log();
    let parts: Vec<_> = log.iter().filter(|seen| seen.op == "UploadPart").map(|seen| seen.len).collect();
    assert_eq!(parts.len(), 13);
    assert!(parts[..12].iter().all(|len| *len == 5 * MIB), "R2 wants equal parts: {parts:?}");
}

#[tokio::test]
async fn a_folder_checks_out_and_says_where_it_is() {
    let (dir, blobs) = folder();
    let found = blobs.check(&Entropy::system()).await.unwrap();
    let bad: Vec<_> = found.iter().filter(|f| f.level == Level::Error).collect();
    assert!(bad.is_empty(), "{bad:?}");
    for about in ["mode", "one-file-system", "durable", "room", "write", "read", "no-overwrite", "delete"] {
        assert!(found.iter().any(|f| f.about == about), "{about} was not looked at");
    }
    assert!(blobs.describe().contains(dir.path().to_str().unwrap()));
    assert!(keys(&blobs, KeyPrefix::all(), None).await.is_empty(), "the probe is gone");
}

#[tokio::test]
async fn a_folder_that_does_not_sync_must_not_be_started_with() {
    let dir = TempDir::new().unwrap();
    let settings = FolderSettings { sync: false, ..FolderSettings::new(dir.path()) };
    let blobs = Blobs::open(Settings::Folder(settings), &Clock::system(), &Entropy::system()).unwrap();
    let found = blobs.check(&Entropy::system()).await.unwrap();
    assert!(found.iter().any(|f| f.about == "durable" && f.level == Level::Error));
}

#[test]
fn an_upload_that_is_dropped_half_way_leaves_nothing_in_a_folder() {
    let (dir, blobs) = folder();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let incoming = || std::fs::read_dir(dir.path().join("blobs/incoming")).unwrap().count();
    let key = fresh();
    runtime.block_on(async {
        let (send, receive) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
        let put = blobs.put(&key, tokio_stream::wrappers::ReceiverStream::new(receive));
        let client = async {
            for _ in 0..3 {
                send.send(Ok(noise(MIB))).await.unwrap();
            }
            assert_eq!(incoming(), 1, "the third chunk is asked for only when the first is on its way");
        };
        tokio::select! {
            biased;
            put = put => panic!("it waits for more: {put:?}"),
            () = client => {}
        }
    });
    // Waits for the write that was under way.
    drop(runtime);
    assert_eq!(incoming(), 0);
    assert!(!dir.path().join("blobs").join(&key.to_string()[..2]).join(&key.to_string()[2..]).exists());
}
