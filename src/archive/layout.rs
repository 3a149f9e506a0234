//! Where every byte of an archive will be, known before the first is sent.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;

use super::frame::{self, Entry, Stamp};
use super::manifest::{self, MANIFEST, Manifest, SIGNATURE};
use super::names::Names;
use super::stream::{self, Source};
use super::{Body, Contents, Error, File, Signer};
use crate::crypto::sha256;

/// An archive laid out: its exact length, and any part of it on demand. The same contents and key give the same bytes,
/// so a download that broke off is resumed from a layout made anew. Holds no image byte; cheap to clone.
#[derive(Debug, Clone)]
pub struct Layout(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    files: Vec<Placed>,
    stamp: Stamp,
    directory: u64,
    end: Bytes,
    end_at: u64,
    manifest: [u8; 32],
}

#[derive(Debug)]
struct Placed {
    path: String,
    crc32: u32,
    len: u64,
    /// Where the local header begins.
    at: u64,
    /// Where the central header begins.
    central_at: u64,
    body: Body,
}

/// What lies at some offset.
pub(super) enum Part<'a> {
    /// Bytes at hand: the offset of the first, and all of them.
    Ready(u64, Bytes),
    /// A stored file: where its body begins, its number and what is known of it.
    Stored(u64, usize, &'a super::Stored),
}

impl Layout {
    /// Lays out `contents`, closed by `manifest.json` and `manifest.sig`. Every path is made safe and unique first.
    pub fn new(mut contents: Contents, signer: &Signer) -> Result<Self, Error> {
        let mut names = Names::default();
        names.take(MANIFEST);
        names.take(SIGNATURE);
        for file in &mut contents.files {
            file.path = names.take(&file.path);
        }
        let listing = Manifest::of(&contents, signer).bytes()?;
        let hash = sha256(&listing);
        let head = &contents.head;
        let note = signer.sign(&manifest::note(head.tenant.as_str(), &head.reference, &listing))?;
        let stamp = Stamp::new(head.made_at);
        let own = |path: &str, title: &str, media_type: &str, bytes: Vec<u8>| File {
            path: path.to_owned(),
            title: title.to_owned(),
            media_type: media_type.to_owned(),
            facts: None,
            original_name: None,
            body: Body::Bytes(bytes.into()),
        };
        contents.files.push(own(MANIFEST, "Every file with its hash", "application/json", listing));
        contents.files.push(own(SIGNATURE, "Signature of the manifest", "text/plain", note));
        Ok(Self(Arc::new(Inner::new(contents.files, stamp, hash))))
    }

    /// Length of the whole archive in bytes: its `Content-Length`.
    #[expect(clippy::len_without_is_empty, reason = "an archive has at least its manifest")]
    pub fn len(&self) -> u64 {
        self.0.end_at + self.0.end.len() as u64
    }

    /// How many files it holds, the manifest and its signature among them.
    pub fn files(&self) -> usize {
        self.0.files.len()
    }

    /// A strong `ETag`, quoted: two layouts with the same one have the same bytes, so that a resume (`If-Range`) never
    /// joins two different archives.
    pub fn etag(&self) -> String {
        format!("\"{}\"", hex::encode(self.0.manifest.get(..16).unwrap_or_default()))
    }

    /// SHA-256 of `manifest.json`: what a ledger entry or a receipt says of this archive.
    pub fn manifest_sha256(&self) -> [u8; 32] {
        self.0.manifest
    }

    /// The bytes of `range`, whatever it begins or ends within. Opens each stored file only when its turn comes, one
    /// at a time, and each from its beginning, so that it can be checked. Pieces are at most as long as the source's,
    /// or 64 KiB.
    ///
    /// The last piece of a stored file is held back until all of it was seen to be what was recorded. After an error
    /// nothing more comes; whoever passes the stream on must then break the transfer off (F09).
    pub fn stream(
        &self,
        range: Range<u64>,
        source: Arc<dyn Source>,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        if range.start > range.end || range.end > self.len() {
            return Err(Error::Range { from: range.start, to: range.end, len: self.len() });
        }
        Ok(stream::run(self.clone(), range, source))
    }

    /// What lies at `at`.
    pub(super) fn part(&self, at: u64) -> Part<'_> {
        let inner = &*self.0;
        if at >= inner.end_at {
            return Part::Ready(inner.end_at, inner.end.clone());
        }
        if at >= inner.directory {
            let n = inner.files.partition_point(|f| f.central_at <= at).saturating_sub(1);
            return match inner.files.get(n) {
                Some(file) => Part::Ready(file.central_at, inner.entry(file).central().into()),
                None => Part::Ready(inner.end_at, inner.end.clone()),
            };
        }
        let n = inner.files.partition_point(|f| f.at <= at).saturating_sub(1);
        let Some(file) = inner.files.get(n) else {
            return Part::Ready(inner.end_at, inner.end.clone());
        };
        let entry = inner.entry(file);
        let body_at = file.at + entry.local_len();
        match &file.body {
            _ if at < body_at => Part::Ready(file.at, entry.local().into()),
            Body::Bytes(bytes) | Body::Gap(bytes) => Part::Ready(body_at, bytes.clone()),
            Body::Stored(stored) => Part::Stored(body_at, n, stored),
        }
    }

    /// The path of the `n`th file.
    pub(super) fn path(&self, n: usize) -> String {
        self.0.files.get(n).map(|f| f.path.clone()).unwrap_or_default()
    }
}

impl Inner {
    fn new(files: Vec<File>, stamp: Stamp, manifest: [u8; 32]) -> Self {
        let mut at = 0_u64;
        let mut placed: Vec<Placed> = files
            .into_iter()
            .map(|f| {
                let (len, crc32) = match &f.body {
                    Body::Bytes(b) | Body::Gap(b) => (b.len() as u64, crc32fast::hash(b)),
                    Body::Stored(s) => (s.len, s.crc32),
                };
                let file = Placed { path: f.path, crc32, len, at, central_at: 0, body: f.body };
                at += entry_of(&file, stamp).local_len() + len;
                file
            })
            .collect();
        let directory = at;
        for file in &mut placed {
            file.central_at = at;
            at += entry_of(file, stamp).central_len();
        }
        let end = frame::end(placed.len() as u64, directory, at - directory).into();
        Self { files: placed, stamp, directory, end, end_at: at, manifest }
    }

    fn entry<'a>(&self, file: &'a Placed) -> Entry<'a> {
        entry_of(file, self.stamp)
    }
}

fn entry_of(file: &Placed, stamp: Stamp) -> Entry<'_> {
    Entry { path: &file.path, len: file.len, crc32: file.crc32, at: file.at, stamp }
}
