//! An archive's bytes: equal to what the `zip` crate writes, the same from any offset, whole or not at all.

use std::io::{Cursor, Read as _, Write as _};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use proptest::prelude::*;
use vouchsafe::archive::{Body, Contents, Error, File, Layout, SIGNATURE, Signature, Stored, verify};
use vouchsafe::base::Timestamp;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::archive_fixture::{Shelf, at, head, laid_out, read, signer, whole};

fn file(path: &str, body: Body) -> File {
    File {
        path: path.into(),
        title: "A file".into(),
        media_type: "application/octet-stream".into(),
        facts: None,
        original_name: None,
        body,
    }
}

/// The same files as the `zip` crate writes them, with seeking.
fn by_the_crate(bytes: &[u8], made_at: Timestamp) -> Vec<u8> {
    let t = made_at.to_utc();
    let stamp = DateTime::from_date_and_time(
        t.format("%Y").to_string().parse().unwrap(),
        t.format("%m").to_string().parse().unwrap(),
        t.format("%d").to_string().parse().unwrap(),
        t.format("%H").to_string().parse().unwrap(),
        t.format("%M").to_string().parse().unwrap(),
        t.format("%S").to_string().parse().unwrap(),
    );
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(stamp.unwrap())
        .unix_permissions(0o644);
    let mut ours = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut theirs = ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..ours.len() {
        let mut entry = ours.by_index(n).unwrap();
        let mut body = Vec::new();
        entry.read_to_end(&mut body).unwrap();
        theirs.start_file(entry.name().unwrap(), options).unwrap();
        theirs.write_all(&body).unwrap();
    }
    theirs.finish().unwrap().into_inner()
}

#[tokio::test]
async fn an_archive_is_byte_for_byte_what_the_zip_crate_writes() {
    let (layout, shelf) = laid_out(1000);
    let bytes = whole(&layout, &shelf).await;
    assert_eq!(bytes.len() as u64, layout.len());
    assert!(bytes == by_the_crate(&bytes, head().made_at), "the two differ");
}

#[tokio::test]
async fn an_archive_is_whole_and_says_who_signed_it() {
    let (layout, shelf) = laid_out(64 * 1024);
    let bytes = whole(&layout, &shelf).await;
    let key = signer().verifying();
    let report = verify(Cursor::new(&bytes), Some(&key));
    assert!(report.is_whole(), "{:?}", report.flaws);
    assert_eq!(report.signature, Some(Signature::Trusted(key)));
    assert_eq!((report.images, report.reference.as_str()), (3, "7KX2M-9QWMT"));
    assert_eq!(report.files + 2, layout.files());
    assert_eq!(report.manifest_sha256, Some(layout.manifest_sha256()));
    let untrusting = verify(Cursor::new(&bytes), None);
    assert!(matches!(untrusting.signature, Some(Signature::Claimed(_))) && untrusting.is_whole());
}

#[tokio::test]
async fn the_same_contents_give_the_same_bytes_however_the_source_cuts_them() {
    let (one, shelf_one) = laid_out(7);
    let (two, shelf_two) = laid_out(1 << 20);
    assert_eq!(one.etag(), two.etag());
    assert!(whole(&one, &shelf_one).await == whole(&two, &shelf_two).await);
}

#[tokio::test]
async fn a_broken_download_is_resumed_at_every_offset() {
    let (layout, shelf) = laid_out(333);
    let all = whole(&layout, &shelf).await;
    for from in (0..layout.len()).step_by(97).chain([layout.len() - 1, layout.len()]) {
        let rest = read(&layout, from..layout.len(), &shelf).await.unwrap();
        assert!(rest == all[usize::try_from(from).unwrap()..], "from {from}");
    }
}

#[tokio::test]
async fn a_resume_opens_only_what_it_needs() {
    let (layout, shelf) = laid_out(1024);
    let tail = layout.len() - 200;
    read(&layout, tail..layout.len(), &shelf).await.unwrap();
    assert_eq!(shelf.opened.load(Ordering::SeqCst), 0, "the directory needs no image");
    read(&layout, 0..10, &shelf).await.unwrap();
    assert_eq!(shelf.opened.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_range_beyond_the_end_is_refused() {
    let (layout, shelf) = laid_out(1024);
    for range in [0..layout.len() + 1, layout.len() + 1..layout.len() + 1] {
        assert!(matches!(read(&layout, range, &shelf).await, Err(Error::Range { .. })));
    }
}

/// F08, F09: whatever is wrong with an image, the stream ends in an error before the image is complete.
#[tokio::test]
async fn an_image_that_is_not_what_was_recorded_breaks_the_transfer() {
    let body = Bytes::from(vec![5; 300_000]);
    let mut same_crc = Shelf::new(1000);
    let right = same_crc.put(body.clone());
    let cases: Vec<(Stored, Shelf)> = vec![
        (Stored { len: right.len - 1, ..right }, Shelf::new(1000)),
        (Stored { len: right.len + 1, ..right }, Shelf::new(1000)),
        (Stored { crc32: right.crc32 ^ 1, ..right }, Shelf::new(1000)),
        (Stored { sha256: [0; 32], ..right }, Shelf::new(1000)),
        (right, Shelf { breaks_after: Some(150_000), ..Shelf::new(1000) }),
        (right, Shelf { breaks_after: Some(300_000), ..Shelf::new(300_000) }),
    ];
    for (n, (stored, mut shelf)) in cases.into_iter().enumerate() {
        shelf.put(body.clone());
        let shelf = Arc::new(shelf);
        let contents = Contents { head: head(), files: vec![file("a.bin", Body::Stored(stored))] };
        let layout = Layout::new(contents, &signer()).unwrap();
        let source: Arc<dyn vouchsafe::archive::Source> = shelf;
        let pieces: Vec<Result<Bytes, Error>> =
            futures_util::StreamExt::collect(layout.stream(0..layout.len(), source).unwrap()).await;
        let (last, given) = pieces.split_last().unwrap();
        let failed = matches!(last, Err(Error::Changed { .. } | Error::Unreadable { .. }));
        assert!(failed, "case {n}: {last:?}");
        let given: usize = given.iter().map(|p| p.as_ref().unwrap().len()).sum();
        assert!(given < 300_000 + 35, "case {n}: the whole image went out");
    }
}

#[tokio::test]
async fn a_source_that_authenticates_is_still_held_to_length_and_checksum() {
    let mut shelf = Shelf { authenticates: true, ..Shelf::new(1000) };
    let right = shelf.put(vec![5; 5000]);
    let shelf = Arc::new(shelf);
    let lay = |stored| {
        let contents = Contents { head: head(), files: vec![file("a.bin", Body::Stored(stored))] };
        Layout::new(contents, &signer()).unwrap()
    };
    let layout = lay(Stored { crc32: right.crc32 ^ 1, ..right });
    assert!(matches!(read(&layout, 0..layout.len(), &shelf).await, Err(Error::Changed { .. })));
    let layout = lay(right);
    assert!(read(&layout, 0..layout.len(), &shelf).await.is_ok());
}

#[tokio::test]
async fn an_image_erased_on_the_way_ends_the_transfer() {
    let mut shelf = Shelf::new(1000);
    let stored = shelf.put(vec![5; 5000]);
    shelf.files.clear();
    let contents = Contents { head: head(), files: vec![file("a.bin", Body::Stored(stored))] };
    let layout = Layout::new(contents, &signer()).unwrap();
    let gone = read(&layout, 0..layout.len(), &Arc::new(shelf)).await;
    assert!(matches!(gone, Err(Error::Gone { path }) if path == "a.bin"));
}

/// F14.
#[tokio::test]
async fn times_that_zip_cannot_tell_are_clamped() {
    for (made, told) in [
        ("1970-01-01T00:00:00Z", (1980, 1, 1, 0)),
        ("2200-06-01T12:00:00Z", (2107, 12, 31, 58)),
        ("2026-05-08T09:00:31Z", (2026, 5, 8, 30)),
    ] {
        let mut head = head();
        head.made_at = at(made);
        let layout = Layout::new(Contents { head, files: vec![] }, &signer()).unwrap();
        let bytes = whole(&layout, &Arc::new(Shelf::new(1))).await;
        let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
        let time = zip.by_name(SIGNATURE).unwrap().last_modified().unwrap();
        assert_eq!((time.year(), time.month(), time.day(), time.second()), told, "{made}");
    }
}

#[tokio::test]
async fn a_wish_for_the_manifests_place_does_not_get_it() {
    let files = vec![file("manifest.json", Body::Bytes(Bytes::from_static(b"{}")))];
    let layout = Layout::new(Contents { head: head(), files }, &signer()).unwrap();
    let bytes = whole(&layout, &Arc::new(Shelf::new(1))).await;
    let report = verify(Cursor::new(&bytes), Some(&signer().verifying()));
    assert!(report.is_whole(), "{:?}", report.flaws);
    assert!(ZipArchive::new(Cursor::new(bytes)).unwrap().by_name("manifest-2.json").is_ok());
}

#[tokio::test]
async fn unzip_and_python_agree_with_us() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.zip");
    let (layout, shelf) = laid_out(1024);
    std::fs::write(&path, whole(&layout, &shelf).await).unwrap();
    let unzip = Command::new("unzip").arg("-t").arg(&path).output().unwrap();
    assert!(unzip.status.success(), "{}", String::from_utf8_lossy(&unzip.stdout));
    let python = "import sys, zipfile, json, hashlib\n\
        z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None\n\
        m = json.loads(z.read('manifest.json'))\n\
        listed = [f['path'] for f in m['files']]\n\
        assert z.namelist() == listed + ['manifest.json', 'manifest.sig'], z.namelist()\n\
        assert all(hashlib.sha256(z.read(f['path'])).hexdigest() == f['sha256'] for f in m['files'])\n";
    let python = Command::new("python3").arg("-c").arg(python).arg(&path).output().unwrap();
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_files_give_a_sound_archive_from_any_offset(
        bodies in prop::collection::vec((".{0,30}", prop::collection::vec(any::<u8>(), 0..3000), any::<bool>()), 0..12),
        piece in 1_usize..5000,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 2),
    ) {
        let mut shelf = Shelf::new(piece);
        let files = bodies.into_iter().map(|(path, bytes, stored)| {
            let body = if stored { Body::Stored(shelf.put(bytes)) } else { Body::Bytes(bytes.into()) };
            file(&path, body)
        }).collect();
        let shelf = Arc::new(shelf);
        let layout = Layout::new(Contents { head: head(), files }, &signer()).unwrap();
        let run = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let all = run.block_on(whole(&layout, &shelf));
        prop_assert!(all == by_the_crate(&all, head().made_at));
        prop_assert!(verify(Cursor::new(&all), Some(&signer().verifying())).is_whole());
        let mut ends: Vec<usize> = cuts.iter().map(|c| c.index(all.len() + 1)).collect();
        ends.sort_unstable();
        let part = run.block_on(read(&layout, ends[0] as u64..ends[1] as u64, &shelf)).unwrap();
        prop_assert!(part == all[ends[0]..ends[1]]);
    }
}
