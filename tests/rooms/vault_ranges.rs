//! A range of a picture costs what the range costs: of the bytes in the bucket only those chunks are asked for.

use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use vouchsafe::base::Entropy;
use vouchsafe::blobs::{Settings, Vendor};
use vouchsafe::vault::{self, Access, Actor};

use super::blobs_bucket::{Bucket, MIB, Seen};
use crate::support::house::new_object;
use crate::support::{Backend, TestApp};

/// How many bytes were asked for, of a blob of this length.
fn asked(log: &[Seen], len: u64) -> u64 {
    let of = |seen: &Seen| {
        let Some(range) = seen.headers.get("range") else { return len };
        let (from, to) = range.to_str().unwrap().strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        to.parse::<u64>().map_or(len, |to| to + 1) - from.parse::<u64>().unwrap()
    };
    log.iter().filter(|seen| seen.op == "GetObject").map(of).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_range_only_the_chunks_it_needs_are_asked_for() {
    let bucket = Bucket::start().await;
    let settings = Settings::S3(Box::new(bucket.settings(Vendor::Generic)));
    let app = TestApp::open_over(Backend::Sqlite, Some(settings), |_| {}).await.unwrap();
    let owner = app.person("ada@example.org").await.owner;
    let mut plain = vec![0; 4 * MIB + 12_345];
    Entropy::seeded(4).fill(&mut plain);
    let new = new_object("output-image");
    let body = stream::iter([Ok::<_, vault::Error>(Bytes::from(plain.clone()))]);
    let id = app.app.vault.put_object(&owner, new, body).await.unwrap().id;
    let actor = Actor::Subject(owner.subject);
    let access = Access { actor: &actor, purpose: "provide-edits" };
    let len = plain.len() as u64;
    let _ = bucket.log();
    for (from, to, most) in [
        (0, 1, 400_000),
        (2_000_000, 2_000_100, 800_000),
        (65_535, 65_537, 800_000),
        (1_000_000, 1_500_000, 2_000_000),
        (len - 10, len, 800_000),
        (0, len, 3 * len),
    ] {
        let open = app.app.vault.open_object(&owner, &access, id, Some(from..to)).await.unwrap();
        let pieces: Vec<Bytes> = open.bytes.try_collect().await.unwrap();
        let (a, b) = (usize::try_from(from).unwrap(), usize::try_from(to).unwrap());
        assert!(pieces.concat() == plain[a..b], "{from}..{to}");
        let asked = asked(&bucket.log(), len);
        assert!(asked <= most, "{from}..{to}: {asked} bytes were asked for");
    }
    // The control: without a range all of it is asked for.
    let open = app.app.vault.open_object(&owner, &access, id, None).await.unwrap();
    let pieces: Vec<Bytes> = open.bytes.try_collect().await.unwrap();
    assert!(pieces.concat() == plain);
    assert!(asked(&bucket.log(), len) >= len);
}

/// Whoever reads slowly keeps no thread: with more readers than the pool has threads, all get what they read.
#[test]
fn more_readers_than_threads_wait_for_nobody() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).max_blocking_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let app = TestApp::open_over(Backend::Sqlite, None, |_| {}).await.unwrap();
        let owner = app.person("ada@example.org").await.owner;
        let plain = vec![7; MIB];
        let new = new_object("output-image");
        let body = stream::iter([Ok::<_, vault::Error>(Bytes::from(plain.clone()))]);
        let id = app.app.vault.put_object(&owner, new, body).await.unwrap().id;
        let actor = Actor::Subject(owner.subject);
        let access = Access { actor: &actor, purpose: "provide-edits" };
        let mut readers = Vec::new();
        for _ in 0..12 {
            let mut open = app.app.vault.open_object(&owner, &access, id, None).await.unwrap();
            let first = open.bytes.try_next().await.unwrap().unwrap();
            readers.push((first, open.bytes));
        }
        for (first, rest) in readers {
            let rest: Vec<Bytes> = rest.try_collect().await.unwrap();
            assert!([first, rest.concat().into()].concat() == plain);
        }
    });
}
