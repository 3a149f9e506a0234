//! F12: archives that someone else made, to harm or to deceive.

use std::io::{Cursor, Read as _, Write as _};
use std::sync::LazyLock;

use futures_util::FutureExt as _;
use proptest::prelude::*;
use vouchsafe::archive::{Archive, Flaw, Most, Report, Signer, verify};
use vouchsafe::base::Secret;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::archive_fixture::{laid_out, signer, whole};

/// A good archive. The shelf never waits, so the stream is ready at once.
fn good() -> Vec<u8> {
    static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let (layout, shelf) = laid_out(4096);
        whole(&layout, &shelf).now_or_never().unwrap()
    });
    GOOD.clone()
}

fn check(bytes: &[u8]) -> Report {
    verify(Cursor::new(bytes), Some(&signer().verifying()))
}

fn flaw(bytes: &[u8]) -> Flaw {
    let report = check(bytes);
    assert!(!report.is_whole());
    report.flaws.into_iter().next().unwrap()
}

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o644)
}

fn files(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|n| {
            let mut entry = zip.by_index(n).unwrap();
            let mut body = Vec::new();
            entry.read_to_end(&mut body).unwrap();
            (entry.name().unwrap().into_owned(), body)
        })
        .collect()
}

/// The good archive with its files changed, and then something more done to the writer.
fn packed(files: &[(String, Vec<u8>)], more: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, body) in files {
        out.start_file(name.as_str(), stored()).unwrap();
        out.write_all(body).unwrap();
    }
    more(&mut out);
    out.finish().unwrap().into_inner()
}

fn find(bytes: &[u8], what: &[u8], nth: usize) -> usize {
    bytes.windows(what.len()).enumerate().filter(|(_, w)| *w == what).nth(nth).unwrap().0
}

#[test]
fn packing_the_same_files_again_is_still_whole() {
    let again = packed(&files(&good()), |_| {});
    assert!(check(&again).is_whole(), "the control: what follows is refused for its own sake");
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let good = files(&good());
    for name in [
        "../up.txt",
        "/etc/x",
        "c:\\x",
        "a/../../b",
        "con.txt",
        "Upper.txt",
        "a//b",
        "é.txt",
        "a\u{202e}b",
        "dot.",
    ] {
        let bad = packed(&good, |zip| zip.start_file(name, stored()).unwrap());
        assert!(matches!(flaw(&bad), Flaw::Entry { .. }), "{name}");
    }
}

#[test]
fn links_folders_and_compressed_files_are_refused() {
    let good = files(&good());
    let link = packed(&good, |zip| zip.add_symlink("link", "/etc/passwd", stored()).unwrap());
    assert!(matches!(flaw(&link), Flaw::Entry { why: "it is a link", .. }));
    let folder = packed(&good, |zip| zip.add_directory("folder", stored()).unwrap());
    assert!(matches!(flaw(&folder), Flaw::Entry { .. }));
    let bomb = packed(&good, |zip| {
        zip.start_file("bomb", stored().compression_method(CompressionMethod::Deflated)).unwrap();
        zip.write_all(&vec![0; 10 << 20]).unwrap();
    });
    assert!(flaw(&bomb).to_string().contains("compressed"), "{}", flaw(&bomb));
}

#[test]
fn an_archive_within_the_archive_is_refused() {
    let inner = good();
    let mut all = files(&inner);
    all[0].1 = inner;
    // The manifest no longer fits either; both are said.
    let bad = packed(&all, |_| {});
    assert!(!check(&bad).is_whole());
    let mut shelf = super::archive_fixture::Shelf::new(1000);
    let mut home = super::archive_fixture::person(&mut shelf);
    home.attachments[0].body = vouchsafe::archive::Body::Bytes(all[0].1.clone().into());
    let layout = vouchsafe::archive::Layout::new(home.contents().unwrap(), &signer()).unwrap();
    let nested = whole(&layout, &std::sync::Arc::new(shelf)).now_or_never().unwrap();
    assert!(matches!(flaw(&nested), Flaw::Entry { why: "it is an archive within the archive", .. }));
}

#[test]
fn entries_that_share_bytes_are_refused() {
    let good = files(&good());
    let overlapping = packed(&good, |zip| zip.shallow_copy_file("index.html", "again.html").unwrap());
    assert!(matches!(flaw(&overlapping), Flaw::Shape(_)));
}

#[test]
fn sizes_that_lie_are_refused() {
    let good = good();
    // The second mention of a name is in the directory; its header begins 46 bytes before.
    let central =
        find(&good, b"answer.json", good.windows(11).filter(|w| *w == b"answer.json").count() - 1) - 46;
    assert_eq!(&good[central..central + 4], b"PK\x01\x02");
    for (at, name) in [(20, "packed length"), (24, "length"), (16, "checksum"), (42, "place")] {
        let mut bad = good.clone();
        bad[central + at] ^= 1;
        assert!(!check(&bad).is_whole(), "{name}");
    }
    let mut both = good.clone();
    both[central + 20] ^= 1;
    both[central + 24] ^= 1;
    assert!(!check(&both).is_whole());
}

#[test]
fn a_file_that_is_changed_missing_or_extra_is_named() {
    let good = files(&good());
    let mut changed = good.clone();
    let account = changed.iter_mut().find(|(n, _)| n == "data/account.json").unwrap();
    account.1[30] ^= 1;
    assert_eq!(
        flaw(&packed(&changed, |_| {})).to_string(),
        "The file “data/account.json” was changed: its SHA-256 is not the one in the manifest."
    );
    let mut missing = good.clone();
    missing.retain(|(n, _)| n != "data/account.json");
    assert_eq!(flaw(&packed(&missing, |_| {})).to_string(), "The file “data/account.json” is missing.");
    let extra = packed(&good, |zip| zip.start_file("extra.txt", stored()).unwrap());
    assert_eq!(flaw(&extra).to_string(), "The file “extra.txt” is not in the manifest.");
}

#[test]
fn a_manifest_that_someone_else_signed_or_changed_is_refused() {
    let good = files(&good());
    let mut changed = good.clone();
    let manifest = changed.iter_mut().find(|(n, _)| n == "manifest.json").unwrap();
    let text = String::from_utf8(manifest.1.clone()).unwrap().replace("p-4f1c0a97", "p-00000000");
    manifest.1 = text.into_bytes();
    assert_eq!(flaw(&packed(&changed, |_| {})), Flaw::Signature("what is signed is another manifest"));

    let other = Signer::new("photos.example/take-home", &Secret::new([8; 32])).unwrap();
    let report = verify(Cursor::new(packed(&good, |_| {})), Some(&other.verifying()));
    assert_eq!(report.flaws, [Flaw::OtherKey { named: signer().verifying().to_string() }]);
    let report = verify(Cursor::new(packed(&changed, |_| {})), Some(&other.verifying()));
    assert_eq!(report.flaws, [Flaw::Signature("it is not signed with this key")], "and it was changed");
}

#[test]
fn an_interrupted_download_is_told_as_one() {
    let good = good();
    for keep in [0, 1, 21, 22, 100, good.len() / 2, good.len() - 30, good.len() - 1] {
        assert!(matches!(flaw(&good[..keep]), Flaw::NotZip(_)), "{keep}");
    }
    assert!(matches!(flaw(b"not a zip at all, only a text of some length"), Flaw::NotZip(_)));
}

/// Two ways lead in, and both say the same of a file that is not what was taken home.
#[test]
fn a_wrong_file_is_refused_for_what_is_wrong_with_it() {
    let most = Most { entries: 1_000, manifest: 1 << 20 };
    let says = |bytes: &[u8]| {
        let (open, within) = (
            Archive::open(Cursor::new(bytes), None).unwrap_err(),
            Archive::open_within(Cursor::new(bytes), None, most).unwrap_err(),
        );
        assert_eq!(open, within);
        open.to_string()
    };
    let text = "not a zip at all, only a text of some length, and then some more of it".repeat(9);
    let jpeg = [&[0xff, 0xd8, 0xff, 0xe0][..], &[0x5a; 4_000]].concat();
    for other in [text.as_bytes(), &jpeg] {
        assert!(says(other).contains("does not begin like one"), "{}", says(other));
    }
    let good = good();
    let cut = says(&good[..good.len() / 2]);
    assert!(cut.contains("its end is missing"), "{cut}");
    // As Python's zipfile writes it: rights, and no word of what kind of file it is.
    let mut hello = packed(&[("hello.txt".to_owned(), b"hello".to_vec())], |_| {});
    let mode = find(&hello, b"PK\x01\x02", 0) + 40;
    assert_eq!(hello[mode..mode + 2], 0o100_644_u16.to_le_bytes());
    hello[mode..mode + 2].copy_from_slice(&0o600_u16.to_le_bytes());
    assert_eq!(says(&hello), "This is a ZIP, and no take-home archive: it has no manifest.json.");
}

#[test]
fn bytes_before_behind_or_between_are_refused() {
    let good = good();
    let before = [b"#!/bin/sh\n".as_slice(), &good].concat();
    assert!(!check(&before).is_whole());
    let behind = [good.as_slice(), b"more"].concat();
    assert!(!check(&behind).is_whole());
    let comment = packed(&files(&good), |zip| zip.set_comment("hello").unwrap());
    assert!(!check(&comment).is_whole());
}

#[test]
fn an_archive_is_read_back_file_by_file() {
    let good = good();
    let mut archive = Archive::open(Cursor::new(&good), Some(&signer().verifying())).unwrap();
    let paths: Vec<String> = archive.manifest().files.iter().map(|f| f.path.clone()).collect();
    let original = files(&good);
    for path in paths {
        let mut out = Vec::new();
        archive.copy(&path, &mut out).unwrap();
        assert_eq!(Some(&out), original.iter().find(|(n, _)| *n == path).map(|(_, b)| b));
    }
    assert!(matches!(archive.copy("nothing", &mut Vec::new()), Err(Flaw::Missing { .. })));
    let names: Vec<_> = archive.manifest().files.iter().filter_map(|f| f.original_name.clone()).collect();
    assert_eq!(names, ["../Rome.PNG", "rome.png"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// A flipped bit may lie in a time or an attribute, which nobody reads; then what is read is still what was signed.
    #[test]
    fn damage_is_found_or_harmless_and_never_a_crash(
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let good = good();
        let mut bad = good.clone();
        let at = at.index(bad.len());
        bad[at] ^= 1 << bit;
        if let Some(cut) = cut {
            bad.truncate(cut.index(bad.len()));
        }
        let report = check(&bad);
        if report.is_whole() {
            let key = signer().verifying();
            let mut archive = Archive::open(Cursor::new(&bad), Some(&key)).unwrap();
            let mut sound = Archive::open(Cursor::new(&good), Some(&key)).unwrap();
            for path in archive.manifest().files.iter().map(|f| f.path.clone()).collect::<Vec<_>>() {
                let (mut a, mut b) = (Vec::new(), Vec::new());
                archive.copy(&path, &mut a).unwrap();
                sound.copy(&path, &mut b).unwrap();
                prop_assert_eq!(a, b);
            }
        }
    }

    #[test]
    fn nonsense_is_refused_without_a_crash(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(!check(&bytes).is_whole());
        let ended = [bytes.as_slice(), b"PK\x05\x06", &[0; 18]].concat();
        prop_assert!(!check(&ended).is_whole());
    }
}

#[test]
fn an_encrypted_archive_is_told_as_one() {
    let sealed = b"age-encryption.org/v1\n-> X25519 aaaa\n".repeat(4);
    assert!(flaw(&sealed).to_string().contains("decrypt it first"));
}
