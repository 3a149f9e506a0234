//! Reads an archive back, trusting nothing in it: neither its names, nor its sizes, nor its manifest.

use std::collections::HashMap;
use std::io::{self, Read, Seek, Write};

use sha2::{Digest as _, Sha256};
use zip::{ZipArchive, ZipReadOptions};

use super::manifest::{self, Listed, MANIFEST, Manifest, SCHEMA, SIGNATURE};
use super::{VerifyingKey, names};

mod flaw;
mod shape;

pub use flaw::{Flaw, Report, Signature};

/// Longest manifest read, in bytes: room for some 400,000 files.
const LONGEST_MANIFEST: u64 = 256 << 20;
/// Longest signature read.
const LONGEST_SIGNATURE: u64 = 64 << 10;
/// Flaws told at most; whoever has seen that many knows enough.
const MOST_FLAWS: usize = 100;
const PIECE: usize = 64 * 1024;

/// How much of an archive is read at most, by whoever must not run out of memory.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// Entries.
    pub entries: u64,
    /// Bytes of its manifest.
    pub manifest: u64,
}

/// An archive whose form, manifest and signature were found sound. Its files are checked as they are read.
pub struct Archive<R> {
    zip: ZipArchive<R>,
    manifest: Manifest,
    manifest_sha256: [u8; 32],
    signature: Signature,
    listed: HashMap<String, usize>,
}

/// Checks a whole archive: its form, its signature, and that each file that the manifest lists is there with the bytes
/// it lists, and no other. `trusted` is the key that must have signed; without one, the signature is checked against
/// the key that the archive names itself, and the report says so. Reads, and writes nothing.
pub fn verify<R: Read + Seek>(reader: R, trusted: Option<&VerifyingKey>) -> Report {
    let mut archive = match Archive::open(reader, trusted) {
        Ok(archive) => archive,
        Err(flaw) => return Report::refused(flaw),
    };
    let mut report = archive.report();
    let paths: Vec<String> = archive.manifest.files.iter().map(|f| f.path.clone()).collect();
    for path in paths {
        match archive.copy(&path, &mut io::sink()) {
            Ok(bytes) => report.bytes = report.bytes.saturating_add(bytes),
            Err(flaw) => report.flaws.push(flaw),
        }
        if report.flaws.len() >= MOST_FLAWS {
            break;
        }
    }
    report
}

impl<R: Read + Seek> Archive<R> {
    /// Opens an archive that someone else may have made. Refuses everything that an archive of ours cannot be (F12)
    /// before a single file is read.
    pub fn open(reader: R, trusted: Option<&VerifyingKey>) -> Result<Self, Flaw> {
        Self::read(reader, trusted, LONGEST_MANIFEST)
    }

    /// As [`Archive::open`], for a service that strangers send archives to: nothing is read that would take more memory
    /// than `most` allows.
    pub fn open_within(mut reader: R, trusted: Option<&VerifyingKey>, most: Most) -> Result<Self, Flaw> {
        shape::ends_properly(&mut reader)?;
        shape::within(&mut reader, most.entries)?;
        Self::read(reader, trusted, most.manifest)
    }

    fn read(mut reader: R, trusted: Option<&VerifyingKey>, longest: u64) -> Result<Self, Flaw> {
        shape::ends_properly(&mut reader)?;
        let mut zip = ZipArchive::new(reader).map_err(|e| Flaw::of_zip(&e))?;
        let sizes = shape::check(&mut zip)?;
        if !sizes.contains_key(MANIFEST) {
            return Err(Flaw::NotOurs);
        }
        let text = small(&mut zip, MANIFEST, longest)?;
        let manifest: Manifest = serde_json::from_slice(&text)
            .map_err(|_| Flaw::Manifest("it is not a manifest of this program"))?;
        if manifest.schema != SCHEMA {
            return Err(Flaw::Manifest("it has a schema that this program does not know"));
        }
        let signature = signed(&mut zip, &manifest, &text, trusted)?;
        let listed = shape::listing(&manifest, &sizes)?;
        let manifest_sha256 = crate::crypto::sha256(&text);
        Ok(Self { zip, manifest, manifest_sha256, signature, listed })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Copies one file out and gives its length. On an error, what was written is to be thrown away.
    pub fn copy(&mut self, path: &str, to: &mut impl Write) -> Result<u64, Flaw> {
        let listed = self
            .listed
            .get(path)
            .and_then(|n| self.manifest.files.get(*n))
            .ok_or_else(|| Flaw::Missing { path: names::shown(path) })?;
        copy(&mut self.zip, listed, to)
    }

    /// One file in memory, if it is not longer than `most`.
    pub fn file(&mut self, path: &str, most: u64) -> Result<Vec<u8>, Flaw> {
        let len = self.listed.get(path).and_then(|n| self.manifest.files.get(*n)).map(|f| f.bytes);
        if len.is_some_and(|len| len > most) {
            return Err(Flaw::TooMuch("one of its files is longer than is taken"));
        }
        let mut bytes = Vec::new();
        self.copy(path, &mut bytes)?;
        Ok(bytes)
    }

    /// Whose signature holds.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The report on what is known without reading a file.
    pub fn report(&self) -> Report {
        let gaps = self.manifest.files.iter().filter(|f| f.missing.is_some());
        Report {
            tenant: self.manifest.tenant.to_string(),
            controller: names::shown(&self.manifest.controller.name),
            reference: names::shown(&self.manifest.reference),
            made_at: Some(self.manifest.made_at),
            manifest_sha256: Some(self.manifest_sha256),
            files: self.manifest.files.len(),
            images: self.manifest.files.iter().filter(|f| f.media_type.starts_with("image/")).count(),
            gaps: gaps.map(|f| names::shown(&f.path)).collect(),
            bytes: 0,
            signature: Some(self.signature.clone()),
            flaws: Vec::new(),
        }
    }
}

impl<R> std::fmt::Debug for Archive<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Archive({} files)", self.manifest.files.len())
    }
}

fn options<'a>() -> ZipReadOptions<'a> {
    ZipReadOptions::new().enforce_header_consistency(true)
}

/// A file that is read into memory whole.
fn small<R: Read + Seek>(zip: &mut ZipArchive<R>, path: &str, longest: u64) -> Result<Vec<u8>, Flaw> {
    let missing = |_| Flaw::Missing { path: path.to_owned() };
    let file = zip.by_name_with_options(path, options()).map_err(missing)?;
    let size = file.size();
    if size > longest {
        return Err(Flaw::TooMuch("its manifest or signature is longer than any of ours"));
    }
    let mut text = Vec::new();
    let read = file.take(longest.saturating_add(1)).read_to_end(&mut text);
    if read.is_err() || text.len() as u64 != size {
        return Err(Flaw::Changed { path: path.to_owned(), why: "it cannot be read to its end" });
    }
    Ok(text)
}

/// Who signed the manifest, if that holds.
fn signed<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    manifest: &Manifest,
    text: &[u8],
    trusted: Option<&VerifyingKey>,
) -> Result<Signature, Flaw> {
    let note = small(zip, SIGNATURE, LONGEST_SIGNATURE)?;
    let named: VerifyingKey =
        manifest.signed_by.parse().map_err(|_| Flaw::Signature("the manifest names no verifying key"))?;
    let expected = manifest::note(manifest.tenant.as_str(), &manifest.reference, text);
    let key = trusted.unwrap_or(&named);
    let said = match key.open(&note) {
        Ok(said) => said,
        // Nothing was changed since somebody else signed it: that is another thing to know than that it was altered.
        Err(_) if *key != named && named.open(&note).is_ok_and(|said| said == expected) => {
            return Err(Flaw::OtherKey { named: names::shown(&manifest.signed_by) });
        }
        Err(why) => return Err(Flaw::Signature(why)),
    };
    if said != expected {
        return Err(Flaw::Signature("what is signed is another manifest"));
    }
    Ok(match trusted {
        Some(key) => Signature::Trusted(key.clone()),
        None => Signature::Claimed(named),
    })
}

/// Copies a file, comparing what comes with what is listed. Never writes more than is listed.
fn copy<R: Read + Seek>(zip: &mut ZipArchive<R>, listed: &Listed, to: &mut impl Write) -> Result<u64, Flaw> {
    let changed = |why| Flaw::Changed { path: listed.path.clone(), why };
    let mut file = zip
        .by_name_with_options(&listed.path, options())
        .map_err(|_| changed("its two headers do not agree"))?;
    let mut hash = Sha256::new();
    let mut seen = 0_u64;
    let mut piece = vec![0_u8; PIECE];
    loop {
        let n = file.read(&mut piece).map_err(|_| changed("its bytes are damaged"))?;
        let Some(bytes) = piece.get(..n).filter(|b| !b.is_empty()) else {
            break;
        };
        if seen == 0 && shape::is_archive(bytes) {
            return Err(Flaw::Entry {
                path: listed.path.clone(),
                why: "it is an archive within the archive",
            });
        }
        seen = seen.saturating_add(n as u64);
        if seen > listed.bytes {
            return Err(changed("it is longer than the manifest says"));
        }
        hash.update(bytes);
        to.write_all(bytes).map_err(|_| Flaw::Unwritable)?;
    }
    if seen != listed.bytes {
        return Err(changed("it is shorter than the manifest says"));
    }
    if hex::encode(hash.finalize()) != listed.sha256 {
        return Err(changed("its SHA-256 is not the one in the manifest"));
    }
    Ok(seen)
}
