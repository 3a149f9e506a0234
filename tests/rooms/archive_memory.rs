//! Memory does not grow with an archive. The bytes are made up on the way and only counted.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use vouchsafe::archive::{Body, Contents, File, Layout, Plaintext, Source, Stored};
use vouchsafe::base::{Clock, Entropy, ObjectId};
use zip::ZipArchive;

use super::archive_fixture::{at, head, signer};

const PIECE: usize = 64 * 1024;

/// Gives every object the same number of zeroes.
struct Zeroes {
    piece: Bytes,
    pieces: usize,
}

impl Source for Zeroes {
    fn open(&self, _: ObjectId) -> BoxFuture<'static, io::Result<Plaintext>> {
        let piece = self.piece.clone();
        let pieces = stream::repeat_with(move || Ok(piece.clone())).take(self.pieces).boxed();
        async move { Ok(pieces) }.boxed()
    }

    fn authenticates(&self) -> bool {
        true
    }
}

fn layout(count: u64, pieces: usize) -> (Layout, Arc<dyn Source>) {
    let source = Zeroes { piece: Bytes::from(vec![0; PIECE]), pieces };
    let mut crc32 = crc32fast::Hasher::new();
    for _ in 0..pieces {
        crc32.update(&source.piece);
    }
    let crc32 = crc32.finalize();
    let (clock, _) = Clock::manual(at("2026-05-05T14:07:09Z"));
    let files = (0..count).map(|n| File {
        path: format!("images/{n}.jpg"),
        title: "An image".into(),
        media_type: "image/jpeg".into(),
        facts: None,
        original_name: None,
        body: Body::Stored(Stored {
            object: ObjectId::new(&clock, &Entropy::seeded(n)),
            len: (pieces * PIECE) as u64,
            crc32,
            sha256: [0; 32],
        }),
    });
    let contents = Contents { head: head(), files: files.collect() };
    (Layout::new(contents, &signer()).unwrap(), Arc::new(source))
}

/// Streams all of it, counting. Gives the bytes and by how much the resident set grew at most, in bytes.
async fn counted(layout: &Layout, source: Arc<dyn Source>) -> (u64, u64) {
    let before = resident();
    let mut most = before;
    let mut seen = 0_u64;
    let mut stream = Box::pin(layout.stream(0..layout.len(), source).unwrap());
    while let Some(piece) = stream.try_next().await.unwrap() {
        if seen / (16 << 20) != (seen + piece.len() as u64) / (16 << 20) {
            most = most.max(resident());
        }
        seen += piece.len() as u64;
    }
    (seen, most.saturating_sub(before))
}

/// Resident pages of this process, in bytes (Linux).
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[tokio::test]
async fn sixty_four_mebibytes_come_out_as_long_as_foretold() {
    let (layout, source) = layout(13, 80);
    assert_eq!(counted(&layout, source).await.0, layout.len());
}

/// Whether this is the soak, in which tests may take minutes and gigabytes of disk.
fn is_soak() -> bool {
    std::env::var_os("VOUCHSAFE_SOAK").is_some()
}

/// Other tests share this process and its memory, so the measuring is done in a process of its own.
#[tokio::test]
async fn memory_is_the_same_for_a_tenth_one_and_ten_gigabytes() {
    const ALONE: &str = "VOUCHSAFE_SOAK_ALONE";
    if std::env::var_os(ALONE).is_none() {
        if is_soak() {
            let name = "rooms::archive_memory::memory_is_the_same_for_a_tenth_one_and_ten_gigabytes";
            let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
            let done = alone.args(["--exact", name]).env(ALONE, "1").output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
        }
        return;
    }
    for count in [20, 200, 2000] {
        let (layout, source) = layout(count, 80);
        let (seen, grew) = counted(&layout, source).await;
        assert_eq!(seen, layout.len());
        assert!(grew <= 2 << 20, "{count} images: grew by {grew} bytes");
    }
}

/// F07: an entry and offsets beyond four gigabytes, and more entries than 16 bits count.
#[tokio::test]
async fn an_archive_beyond_the_old_limits_opens() {
    use tokio::io::AsyncWriteExt as _;
    if !is_soak() {
        return;
    }
    for (count, pieces) in [(2_u64, 70_000_usize), (66_000, 1)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.zip");
        let (layout, source) = layout(count, pieces);
        let mut file = tokio::fs::File::create(&path).await.unwrap();
        let mut stream = Box::pin(layout.stream(0..layout.len(), source).unwrap());
        while let Some(piece) = stream.try_next().await.unwrap() {
            file.write_all(&piece).await.unwrap();
        }
        file.flush().await.unwrap();
        let mut zip = ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
        zip.validate_header_consistency().unwrap();
        assert_eq!(zip.len() as u64, count + 2);
        for args in [["unzip", "-tqq"], ["python3", "-mzipfile"]] {
            let mut command = std::process::Command::new(args[0]);
            command.arg(args[1]);
            if args[0] == "python3" {
                command.arg("-t");
            }
            let done = command.arg(&path).output().unwrap();
            assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        }
    }
}

#[test]
fn a_layout_beyond_the_old_limits_ends_as_zip64() {
    let (layout, source) = layout(66_000, 80_000);
    let run = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let pieces: Vec<Bytes> =
        run.block_on(layout.stream(layout.len() - 98..layout.len(), source).unwrap().try_collect()).unwrap();
    let end = pieces.concat();
    assert_eq!(&end[..4], b"PK\x06\x06");
    assert_eq!(&end[56..60], b"PK\x06\x07");
    assert_eq!(&end[76..80], b"PK\x05\x06");
    let number = |at: usize| u64::from_le_bytes(end[at..at + 8].try_into().unwrap());
    assert_eq!(number(32), 66_002);
    // The locator points at the record, and the record at a directory that ends where the record begins.
    assert_eq!(number(64), layout.len() - 98);
    assert_eq!(number(48) + number(40), layout.len() - 98);
}
