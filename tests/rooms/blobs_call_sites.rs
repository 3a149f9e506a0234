//! Every request that the service makes of a bucket, gone wrong in every way, with the whole service above it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::{TryStreamExt as _, stream};
use vouchsafe::base::ObjectId;
use vouchsafe::blobs::{Patience, S3Settings, Settings, Vendor};
use vouchsafe::on;
use vouchsafe::policy::Role;
use vouchsafe::vault::{self, Access, Actor, Owner};

use super::blobs_bucket::Fault::{
    self, AppliedThenSilence, Canned, Corrupt, Flipped, Header, Reset, Short, Silence, Slow, Status,
};
use super::blobs_bucket::{Bucket, MIB};
use crate::support::chance::{Chance, soaking, tell};
use crate::support::house::new_object;
use crate::support::source::walk;
use crate::support::{Backend, TestApp};

/// Where the service asks something of a bucket.
const SITES: [&str; 11] = [
    "PutObject",
    "HeadObject",
    "GetObject",
    "DeleteObject",
    "DeleteObjects",
    "ListObjectsV2",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    "ListMultipartUploads",
];

const IN_A_ROW: &str = "two transient faults in a row";

const KINDS: [&str; 12] = [
    "5xx",
    "timeout, applied",
    "timeout, lost",
    "short read",
    "412",
    "429",
    "slow",
    "reset",
    "wrong hash",
    "an answer of yesterday",
    IN_A_ROW,
    "expired",
];

/// Soon enough for a test of silence, late enough for a part of 5 MiB on a busy machine, often enough for two transient
/// faults in a row.
const SHORT: Patience = Patience {
    connect: Duration::from_secs(5),
    read: Duration::from_secs(2),
    attempt: Duration::from_secs(2),
    operation: Duration::from_secs(20),
    attempts: 3,
    backoff: Duration::from_millis(1),
};

fn faults(site: &str, kind: &str) -> Vec<Fault> {
    match kind {
        "5xx" => vec![Status(500, "InternalError")],
        "timeout, applied" => vec![AppliedThenSilence],
        "timeout, lost" => vec![Silence],
        "short read" => vec![Short],
        "412" => vec![Status(412, "PreconditionFailed")],
        "429" => vec![Status(429, "TooManyRequests")],
        "slow" => vec![Slow(Duration::from_millis(150))],
        "reset" => vec![Reset],
        "wrong hash" if matches!(site, "PutObject" | "UploadPart") => vec![Corrupt],
        "wrong hash" if site == "GetObject" => vec![Flipped],
        "wrong hash" => vec![Header("etag", "\"00000000000000000000000000000000\"")],
        // It says that all is well, and shows nothing of what is there or was asked for.
        "an answer of yesterday" => vec![Canned(200, yesterday(site))],
        IN_A_ROW => vec![Status(500, "InternalError"), Status(503, "SlowDown")],
        _ => vec![Status(403, "ExpiredToken"); 4],
    }
}

fn yesterday(site: &str) -> String {
    match site {
        "ListObjectsV2" => "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>".to_owned(),
        "ListMultipartUploads" => {
            "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"
                .to_owned()
        }
        "DeleteObjects" => "<DeleteResult></DeleteResult>".to_owned(),
        _ => String::new(),
    }
}

struct Stage {
    app: TestApp,
    bucket: Bucket,
    owner: Owner,
    /// What was acknowledged and not erased: id and bytes.
    held: Vec<(ObjectId, Bytes)>,
}

impl Stage {
    async fn new(vendor: Vendor) -> Self {
        let bucket = Bucket::start().await;
        let settings = S3Settings { patience: SHORT, ..bucket.settings(vendor) };
        let settings = Settings::S3(Box::new(settings));
        let app = TestApp::open_over(Backend::Sqlite, Some(settings), |_| {}).await.unwrap();
        let owner = app.person("ada@example.org").await.owner;
        Self { app, bucket, owner, held: Vec::new() }
    }

    async fn put(&mut self, plain: &Bytes) -> bool {
        let new = new_object("output-image");
        let pieces: Vec<Result<Bytes, vault::Error>> =
            plain.chunks(256 << 10).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        match self.app.app.vault.put_object(&self.owner, new, stream::iter(pieces)).await {
            Ok(stored) => {
                self.held.push((stored.id, plain.clone()));
                true
            }
            Err(_) => false,
        }
    }

    /// Reads one; `None` for an error, which is no wrong byte.
    async fn read(&self, id: ObjectId) -> Option<Vec<u8>> {
        let actor = Actor::Subject(self.owner.subject);
        let access = Access { actor: &actor, purpose: "provide-edits" };
        let open = self.app.app.vault.open_object(&self.owner, &access, id, None).await.ok()?;
        let pieces: Vec<Bytes> = open.bytes.try_collect().await.ok()?;
        Some(pieces.concat())
    }

    async fn erase(&mut self, n: usize) {
        let (id, plain) = self.held.remove(n);
        if self.app.app.vault.erase_object(&self.owner, id, Role::Service).await.is_err() {
            // Not said to be gone: it may still be there, whole, or go with the next try.
            if self.read(id).await.is_some_and(|read| read == plain) {
                self.held.push((id, plain));
            }
        }
    }

    /// Everything that asks something of the bucket, once, with this one fault on its way, which must be met.
    async fn day(&mut self, site: &'static str, kind: &str, small: &Bytes, large: &Bytes) -> String {
        let _ = self.bucket.log();
        let ordered = faults(site, kind);
        self.bucket.order(site, &ordered);
        if site == "AbortMultipartUpload" {
            // Something must fail for an upload to be ended.
            self.bucket.order("UploadPart", &vec![Status(403, "AccessDenied"); 4]);
        }
        let mut said = String::new();
        let multipart = site.contains("Multipart") || site == "UploadPart";
        write!(said, "put {}", self.put(if multipart { large } else { small }).await).unwrap();
        for (id, plain) in &self.held {
            if let Some(read) = self.read(*id).await {
                assert!(read == *plain, "{site}, {kind}: other bytes were served");
            }
        }
        if self.held.len() > 3 || (site.starts_with("Delete") && !self.held.is_empty()) {
            self.erase(0).await;
        }
        self.app.advance(TimeDelta::days(3));
        let vault = &self.app.app.vault;
        let _ = vault.sweep_arrivals().await;
        let _ = vault.visit_graves().await;
        let _ = vault.end_stale_uploads(self.app.now()).await;
        // Two hundred and fifty-six listings: where they are what goes wrong, or what is asked after them.
        let compares = matches!(site, "ListObjectsV2" | "HeadObject");
        if compares && let Ok(found) = vault.compare(&|| false).await {
            assert_eq!((found.missing, found.altered), (0, 0), "{site}, {kind}: {found:?}");
            write!(said, ", orphans {}", found.orphans).unwrap();
        }
        let asked = self.bucket.log().len();
        assert!(asked < 256 + 120, "{site}, {kind}: {asked} requests");
        let met = ordered.len() - self.bucket.waiting(site);
        let least = if kind == IN_A_ROW { 2 } else { 1 };
        assert!(met >= least, "{site}, {kind}: {met} faults were met, of {}", ordered.len());
        write!(said, ", met {met}").unwrap();
        said
    }

    /// The faults are over: what is held is whole, and nothing else is there.
    async fn settle(&self, what: &str) {
        // More may have been ordered than there was occasion for; that enough was met, `day` has seen.
        self.bucket.forget();
        let vault = &self.app.app.vault;
        for _ in 0..3 {
            self.app.advance(TimeDelta::days(2));
            vault.sweep_arrivals().await.unwrap();
            vault.visit_graves().await.unwrap();
            vault.end_stale_uploads(self.app.now()).await.unwrap();
        }
        for (id, plain) in &self.held {
            assert!(
                self.read(*id).await.is_some_and(|read| read == *plain),
                "{what}: an acknowledged picture is lost"
            );
        }
        assert_eq!(self.bucket.unfinished(), 0, "{what}: an upload was left unfinished");
        let mut tx = self.app.app.db.read().await.unwrap();
        let rows: Vec<(String,)> =
            on!(tx, |c| sqlx::query_as("SELECT blob_key FROM object").fetch_all(c).await).unwrap();
        drop(tx);
        let rows: BTreeSet<String> = rows.into_iter().map(|(key,)| key).collect();
        assert_eq!(rows.len(), self.held.len(), "{what}: rows and what was acknowledged differ");
        let mut files = Vec::new();
        walk(&self.bucket.objects(), &mut files);
        let there: BTreeSet<String> = files
            .iter()
            .filter(|f| f.is_file())
            .map(|f| f.strip_prefix(self.bucket.objects()).unwrap().to_string_lossy().replace('/', ""))
            .collect();
        assert_eq!(there, rows, "{what}: bytes that no row knows, or rows without bytes");
    }
}

/// T22: twelve kinds of fault at each of the eleven places, each met there by a request; in the suite some of them at each
/// place, in the soak all.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_goes_wrong_at_any_call_nothing_is_lost_left_or_served_wrongly() {
    let chance = Chance::of("whatever_goes_wrong_at_any_call");
    let (small, large) = (Bytes::from(chance.bytes(20_000)), Bytes::from(chance.bytes(6 * MIB)));
    let mut stage = Stage::new(Vendor::Generic).await;
    // Whose store is given many keys to delete at once is never asked to delete one.
    let mut one_by_one = Stage::new(Vendor::CloudflareR2).await;
    let mut tried = 0;
    for site in SITES {
        let at = if site == "DeleteObject" { &mut one_by_one } else { &mut stage };
        let kinds: Vec<&str> = if soaking() {
            KINDS.to_vec()
        } else {
            let from = chance.below(KINDS.len());
            (0..3).map(|n| KINDS[(from + n * 5) % KINDS.len()]).collect()
        };
        for kind in kinds {
            let day = at.day(site, kind, &small, &large);
            let said = tokio::time::timeout(Duration::from_secs(240), day).await;
            let said = said.unwrap_or_else(|_| panic!("{site}, {kind}: it does not end"));
            tell(&format!("{site}, {kind}: {said}"));
            at.settle(&format!("{site}, {kind}")).await;
            tried += 1;
        }
    }
    assert!(tried >= 33, "{tried}");
    // The control: bytes that nothing knows, put there by somebody else, and a picture taken away, are seen.
    let objects = stage.bucket.objects();
    let stray = objects.join("00").join("0".repeat(stage_key_len(&stage).await - 2));
    fs::create_dir_all(stray.parent().unwrap()).unwrap();
    fs::write(&stray, b"stray").unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    fs::File::options().write(true).open(&stray).unwrap().set_modified(long_ago).unwrap();
    let mut tx = stage.app.app.db.read().await.unwrap();
    let (key,): (String,) =
        on!(tx, |c| sqlx::query_as("SELECT MIN(blob_key) FROM object").fetch_one(c).await).unwrap();
    drop(tx);
    fs::remove_file(objects.join(&key[..2]).join(&key[2..])).unwrap();
    let found = stage.app.app.vault.compare(&|| false).await.unwrap();
    assert_eq!((found.orphans, found.missing), (1, 1), "{found:?}");
    assert!(!stray.exists());
}

async fn stage_key_len(stage: &Stage) -> usize {
    let mut tx = stage.app.app.db.read().await.unwrap();
    let (n,): (i64,) =
        on!(tx, |c| sqlx::query_as("SELECT LENGTH(MIN(blob_key)) FROM object").fetch_one(c).await).unwrap();
    usize::try_from(n).unwrap()
}
