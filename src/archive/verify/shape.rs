//! What an archive may look like before any of it is believed.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Seek, SeekFrom};

use zip::{CompressionMethod, ZipArchive};

use super::{Flaw, MANIFEST, Manifest, SIGNATURE, names};

/// Most entries read.
const MOST_ENTRIES: usize = 1_000_000;
/// Most bytes that all files may have together.
const MOST_BYTES: u64 = 4 << 40;
/// The record that closes a ZIP without a comment.
const END_RECORD: usize = 22;

/// Longest header of an entry in the directory of one of ours, with room to spare.
const LONGEST_ENTRY: u64 = 1_024;

/// The lengths that the directory says.
pub(super) type Sizes = HashMap<String, u64>;

/// The archive's last bytes are its end record, and no comment or second archive hides behind it.
pub(super) fn ends_properly<R: Read + Seek>(reader: &mut R) -> Result<(), Flaw> {
    let cut = |_| Flaw::NotZip("it is too short");
    let end = i64::try_from(END_RECORD).unwrap_or(0);
    let mut record = [0_u8; END_RECORD];
    reader.seek(SeekFrom::Start(0)).and_then(|_| reader.read_exact(&mut record)).map_err(cut)?;
    if record.starts_with(b"age-encryption.org/v1") {
        return Err(Flaw::NotZip("it is encrypted with age; decrypt it first"));
    }
    if !record.starts_with(b"PK") {
        return Err(Flaw::NotZip("it does not begin like one; is it another file?"));
    }
    reader.seek(SeekFrom::End(-end)).map_err(cut)?;
    reader.read_exact(&mut record).map_err(cut)?;
    match record {
        [b'P', b'K', 5, 6, .., 0, 0] => Ok(()),
        _ => Err(Flaw::NotZip("its end is missing, as when a download is cut short")),
    }
}

/// Refuses an archive whose directory would take more memory to read than that of `most` entries, by what its last record
/// says ([`ends_properly`] has found that it is one); which is then held to that by whoever reads the directory. One that
/// needs ZIP64 is larger than that.
pub(super) fn within<R: Read + Seek>(reader: &mut R, most: u64) -> Result<(), Flaw> {
    let cut = |_| Flaw::NotZip("it is too short");
    let mut record = [0_u8; END_RECORD];
    reader.seek(SeekFrom::End(-i64::try_from(END_RECORD).unwrap_or(0))).map_err(cut)?;
    reader.read_exact(&mut record).map_err(cut)?;
    let number = |from: usize, len: usize| {
        let bytes = record.get(from..from + len).unwrap_or_default();
        bytes.iter().rev().fold(0_u64, |n, b| (n << 8) | u64::from(*b))
    };
    let (here, all, directory, begins) = (number(8, 2), number(10, 2), number(12, 4), number(16, 4));
    if here == 0xffff || all == 0xffff || directory == 0xffff_ffff || begins == 0xffff_ffff {
        return Err(Flaw::TooMuch("it is in the form for archives that are larger than is taken"));
    }
    if here != all || all > most || directory > all.saturating_mul(LONGEST_ENTRY) {
        return Err(Flaw::TooMuch("it has more entries, or longer ones, than are taken"));
    }
    let mut locator = [0_u8; 4];
    let before = i64::try_from(END_RECORD + 20).unwrap_or(0);
    let found = reader.seek(SeekFrom::End(-before)).and_then(|_| reader.read_exact(&mut locator));
    if found.is_ok() && locator == *b"PK\x06\x07" {
        return Err(Flaw::Shape("it says in two ways how large it is"));
    }
    Ok(())
}

/// Refuses what could not be ours, entry by entry and as a whole. Reads headers only.
pub(super) fn check<R: Read + Seek>(zip: &mut ZipArchive<R>) -> Result<Sizes, Flaw> {
    if zip.len() > MOST_ENTRIES {
        return Err(Flaw::TooMuch("it has more than a million entries"));
    }
    if zip.offset() != 0 || !zip.comment().is_empty() {
        return Err(Flaw::Shape("there are bytes before or behind it that do not belong to it"));
    }
    if zip.has_duplicate_names() {
        return Err(Flaw::Shape("two entries have the same name"));
    }
    let mut sizes = Sizes::new();
    let mut total = 0_u64;
    for n in 0..zip.len() {
        let (name, size) = entry(zip, n)?;
        total = total.saturating_add(size);
        if total > MOST_BYTES {
            return Err(Flaw::TooMuch("its files together are longer than 4 TiB"));
        }
        sizes.insert(name, size);
    }
    zip.validate_header_consistency()
        .map_err(|_| Flaw::Shape("its entries overlap, or their two headers do not agree"))?;
    Ok(sizes)
}

fn entry<R: Read + Seek>(zip: &mut ZipArchive<R>, n: usize) -> Result<(String, u64), Flaw> {
    let file = zip.by_index_data(n).map_err(|e| Flaw::of_zip(&e))?;
    let Ok(name) = file.name().map(std::borrow::Cow::into_owned) else {
        return Err(Flaw::Entry { path: format!("number {}", n + 1), why: "its name cannot be read" });
    };
    let refused = |why| Err(Flaw::entry(&name, why));
    if file.is_symlink() {
        return refused("it is a link");
    }
    // Some programs write the rights of a file alone, and not of what kind it is.
    if file.is_dir() || file.unix_mode().is_some_and(|m| !matches!(m & 0o170_000, 0 | 0o100_000)) {
        return refused("it is not a regular file");
    }
    if !names::is_safe(&name) || file.name_raw() != name.as_bytes() {
        return refused("its name could lead out of the folder, or mean another file on another system");
    }
    if file.encrypted() {
        return refused("it is encrypted, and ours never are");
    }
    // Files stored as they are cannot grow when unpacked: no bomb gets past this.
    if file.compression() != CompressionMethod::Stored {
        return refused("it is compressed, and ours never are; was the archive packed again?");
    }
    if file.compressed_size() != file.size() {
        return refused("it says two different lengths of itself");
    }
    let size = file.size();
    Ok((name, size))
}

/// Every file of the manifest is there with its length, and none that is not listed.
pub(super) fn listing(manifest: &Manifest, sizes: &Sizes) -> Result<HashMap<String, usize>, Flaw> {
    let mut listed = HashMap::with_capacity(manifest.files.len());
    for (n, file) in manifest.files.iter().enumerate() {
        match sizes.get(&file.path) {
            None => return Err(Flaw::Missing { path: names::shown(&file.path) }),
            Some(size) if *size != file.bytes => {
                let why = "its length is not the one in the manifest";
                return Err(Flaw::Changed { path: file.path.clone(), why });
            }
            Some(_) if matches!(file.path.as_str(), MANIFEST | SIGNATURE) => {
                return Err(Flaw::Manifest("it lists itself"));
            }
            Some(_) => {}
        }
        if listed.insert(file.path.clone(), n).is_some() {
            return Err(Flaw::Manifest("it lists a file twice"));
        }
    }
    let own = HashSet::from([MANIFEST, SIGNATURE]);
    let mut extra: Vec<&String> =
        sizes.keys().filter(|p| !listed.contains_key(*p) && !own.contains(p.as_str())).collect();
    extra.sort();
    match extra.first() {
        Some(path) => Err(Flaw::Extra { path: (*path).clone() }),
        None => Ok(listed),
    }
}

/// Whether a file begins like a container of others.
pub(super) fn is_archive(begins: &[u8]) -> bool {
    const MARKS: [&[u8]; 6] = [
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\x1f\x8b\x08",
        b"7z\xbc\xaf\x27\x1c",
        b"Rar!\x1a\x07",
        b"\xfd7zXZ\0",
    ];
    MARKS.iter().any(|m| begins.starts_with(m))
}
