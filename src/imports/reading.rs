//! Reading an archive that somebody brings: the whole of it, before any of it is used.

use std::io;

use serde::de::DeserializeOwned;

use super::spool::Reader;
use super::{Error, Imports, Spool};
use crate::archive::{Archive, Flaw, Images, Most, Picture, Record, Records, Signature, VerifyingKey};
use crate::base::Timestamp;

/// Where the pictures of an archive are listed.
const PICTURES: &str = "images.json";
/// The categories whose records are taken, and where they lie.
pub(super) const TAKEN: [(&str, &str); 2] =
    [("prompt", "data/prompt.json"), ("edit-history", "data/edit-history.json")];

/// Where an archive comes from, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct From {
    /// The service.
    pub tenant: String,
    /// Who answers for the data there.
    pub controller: String,
    /// The request that it answered.
    pub reference: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The key that signed it; the signature holds.
    pub signed_by: VerifyingKey,
    /// Whether that key is this installation's own. Any other is taken at its word.
    pub signed_here: bool,
    /// SHA-256 of its manifest.
    pub manifest_sha256: [u8; 32],
}

/// An archive that was read from end to end and found whole.
pub(super) struct Read {
    pub(super) archive: Archive<Reader>,
    pub(super) from: From,
    pub(super) pictures: Vec<Picture>,
    /// Records by category.
    pub(super) records: Vec<(&'static str, Vec<Record>)>,
    /// What else is in it, and stays there.
    pub(super) left: Vec<String>,
}

impl Imports {
    /// Reads all of an archive.
    pub(super) async fn read(&self, spool: &Spool) -> Result<Read, Error> {
        let (spool, own, settings) = (spool.clone(), self.own_key.clone(), self.settings);
        let most = Most { entries: settings.most_files, manifest: settings.most_document };
        let read = tokio::task::spawn_blocking(move || {
            let mut archive = Archive::open_within(spool.reader(), None, most)?;
            let paths: Vec<String> = archive.manifest().files.iter().map(|f| f.path.clone()).collect();
            for path in &paths {
                archive.copy(path, &mut io::sink())?;
            }
            whole(archive, &own, settings.most_document)
        });
        read.await.map_err(|e| Error::Disk(io::Error::other(e)))?
    }
}

/// What an archive that is whole holds for us.
fn whole(mut archive: Archive<Reader>, own: &VerifyingKey, most: u64) -> Result<Read, Error> {
    let images: Option<Images> = document(&mut archive, PICTURES, "vouchsafe/archive-images/1", most)?;
    let pictures = images.map(|i| i.images).unwrap_or_default();
    let listed = |p: &Picture| {
        let file = archive.manifest().files.iter().find(|f| f.path == p.path);
        file.is_some_and(|f| f.sha256 == p.sha256 && f.bytes == p.bytes)
    };
    if pictures.len() > archive.manifest().files.len() || !pictures.iter().all(listed) {
        return Err(Error::Document(PICTURES));
    }
    let mut records = Vec::new();
    for (category, path) in TAKEN {
        let found: Option<Records> = document(&mut archive, path, "vouchsafe/archive-records/1", most)?;
        records.push((category, found.map(|r| r.records).unwrap_or_default()));
    }
    let manifest = archive.manifest();
    let stays = |path: &str| {
        let name = path.strip_prefix("data/")?.strip_suffix(".json")?;
        Some(name.to_owned()).filter(|_| TAKEN.iter().all(|(_, taken)| *taken != path))
    };
    let mut left: Vec<String> = manifest.files.iter().filter_map(|f| stays(&f.path)).collect();
    left.extend(manifest.files.iter().any(|f| f.path == "consents.json").then(|| "consents".to_owned()));
    let (Signature::Trusted(key) | Signature::Claimed(key)) = archive.signature().clone();
    let report = archive.report();
    let from = From {
        tenant: report.tenant,
        controller: report.controller,
        reference: report.reference,
        made_at: manifest.made_at,
        signed_here: key == *own,
        signed_by: key,
        manifest_sha256: report.manifest_sha256.unwrap_or_default(),
    };
    Ok(Read { archive, from, pictures, records, left })
}

/// A document of an archive, if it is there.
fn document<T: DeserializeOwned>(
    archive: &mut Archive<Reader>,
    path: &'static str,
    schema: &str,
    most: u64,
) -> Result<Option<T>, Error> {
    if !archive.manifest().files.iter().any(|f| f.path == path) {
        return Ok(None);
    }
    let text = archive.file(path, most)?;
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(|_| Error::Document(path))?;
    if value.get("schema").and_then(|s| s.as_str()) != Some(schema) {
        return Err(Error::Document(path));
    }
    serde_json::from_value(value).map(Some).map_err(|_| Error::Document(path))
}

/// One picture's bytes; the archive comes back with them. `None` for one that is longer than is taken.
pub(super) async fn bytes_of(
    mut archive: Archive<Reader>,
    picture: &Picture,
    most: u64,
) -> Result<(Archive<Reader>, Option<Vec<u8>>), Error> {
    if picture.bytes > most {
        return Ok((archive, None));
    }
    let path = picture.path.clone();
    let read = tokio::task::spawn_blocking(move || {
        let bytes = archive.file(&path, most)?;
        Ok::<_, Flaw>((archive, Some(bytes)))
    });
    Ok(read.await.map_err(|e| Error::Disk(io::Error::other(e)))??)
}
