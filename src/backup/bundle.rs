//! A backup's own form: a tar of the database's copy, then the blobs, then what it says of itself, signed. Any tar reads it.

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};
use tar::{Archive, Builder, EntryType, Header};

use super::Error;
use super::manifest::{Manifest, Sum, What};
use crate::archive::{Signer, VerifyingKey};
use crate::blobs::BlobKey;

/// The last member.
const MANIFEST: &str = "backup.txt";
/// The longest that it may be.
const LONGEST_MANIFEST: u64 = 16 << 10;
/// What stands before a blob's key.
const BLOBS: &str = "blobs/";
/// Bytes at once.
const PIECE: usize = 128 << 10;

/// Hashes and counts what is read through it.
struct Counted<R> {
    inner: R,
    len: u64,
    hash: Sha256,
}

impl<R> Counted<R> {
    fn new(inner: R) -> Self {
        Self { inner, len: 0, hash: Sha256::new() }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.len += n as u64;
        self.hash.update(buf.get(..n).unwrap_or_default());
        Ok(n)
    }
}

/// Writes one.
pub(super) struct Writer<W: Write> {
    tar: Builder<W>,
    sum: Sum,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W) -> Self {
        Self { tar: Builder::new(out), sum: Sum::default() }
    }

    /// Adds the database, or a blob: `len` bytes and not one more or less.
    pub(super) fn add(&mut self, name: &Name, len: u64, body: impl Read) -> io::Result<()> {
        let (path, mut body) = (name.path(), Counted::new(body));
        self.tar.append_data(&mut header(len), &path, body.by_ref().take(len))?;
        if body.len != len {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a file was shorter than it said"));
        }
        self.sum.add(&path, len, &body.hash.finalize());
        Ok(())
    }

    /// Signs for what was added and ends it. `of` says what is known beforehand.
    pub(super) fn finish(self, of: Manifest, signer: &Signer) -> Result<(W, Manifest), Error> {
        let Self { mut tar, sum } = self;
        let (members, bytes, sha256) = sum.finish();
        let manifest = Manifest { members, bytes, sha256, ..of };
        let note = signer.sign(&manifest.to_string()).map_err(Error::below)?;
        let written = tar.append_data(&mut header(note.len() as u64), MANIFEST, &*note);
        let out = written.and_then(|()| tar.into_inner()).map_err(Error::below)?;
        Ok((out, manifest))
    }
}

/// The same bytes for the same contents: no times, no owners.
fn header(len: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_size(len);
    header.set_mode(0o600);
    header.set_mtime(0);
    header
}

/// A file of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Database(What),
    Blob(BlobKey),
}

impl Name {
    fn path(&self) -> String {
        match self {
            Self::Database(what) => what.file().to_owned(),
            Self::Blob(key) => format!("{BLOBS}{key}"),
        }
    }

    /// No other name is a name: nothing that a backup says becomes a path.
    fn of(path: &str) -> Option<Self> {
        match path {
            "vouchsafe.db" => Some(Self::Database(What::Data)),
            "keystore.db" => Some(Self::Database(What::Keystore)),
            path => path.strip_prefix(BLOBS)?.parse().ok().map(Self::Blob),
        }
    }
}

/// Reads one to its end, and hands each file to `see`, which need not read all of it. What it gives is proved: signed by
/// the key, and every byte that passed by is what was signed for. What `see` did before that is for the caller to undo.
pub(super) fn read(
    input: impl Read,
    key: &VerifyingKey,
    mut see: impl FnMut(Name, u64, &mut dyn Read) -> Result<(), Error>,
) -> Result<Manifest, Error> {
    let mut archive = Archive::new(input);
    let mut sum = Sum::default();
    let mut databases = Vec::new();
    for entry in archive.entries().map_err(cut)? {
        let mut entry = entry.map_err(cut)?;
        let path = String::from_utf8(entry.path_bytes().into_owned());
        let path = path.map_err(|_| Error::Unsound("it holds a file that is none of a backup's"))?;
        if entry.header().entry_type() != EntryType::Regular {
            return Err(Error::Unsound("it holds something that is not a file"));
        }
        if path == MANIFEST {
            let mut note = Vec::new();
            entry.take(LONGEST_MANIFEST).read_to_end(&mut note).map_err(cut)?;
            return proved(&note, key, sum, &databases);
        }
        let name = Name::of(&path).ok_or(Error::Unsound("it holds a file that is none of a backup's"))?;
        if let Name::Database(what) = name {
            databases.push(what);
        }
        let len = entry.size();
        let mut body = Counted::new(&mut entry);
        see(name, len, &mut body)?;
        drain(&mut body).map_err(cut)?;
        if body.len != len {
            return Err(Error::Unsound("it was cut short"));
        }
        sum.add(&path, len, &body.hash.finalize());
    }
    Err(Error::Unsound("it was cut short, or is no backup"))
}

fn cut(e: io::Error) -> Error {
    match e.kind() {
        io::ErrorKind::UnexpectedEof => Error::Unsound("it was cut short"),
        io::ErrorKind::Other | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            Error::Unsound("it was changed, or is no backup")
        }
        _ => Error::below(e),
    }
}

fn drain(body: &mut impl Read) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    while body.read(&mut piece)? > 0 {}
    Ok(())
}

fn proved(note: &[u8], key: &VerifyingKey, sum: Sum, databases: &[What]) -> Result<Manifest, Error> {
    let text = key.open(note).map_err(Error::Unsound)?;
    let manifest: Manifest = text.parse().map_err(Error::Unsound)?;
    if (manifest.members, manifest.bytes, manifest.sha256) != sum.finish() {
        return Err(Error::Unsound("its files are not those that it was signed for"));
    }
    if databases != [manifest.what] {
        return Err(Error::Unsound("it does not hold what it says"));
    }
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Entropy, Secret, Timestamp};

    fn signer(seed: u8) -> Signer {
        Signer::new("photos.example/backup", &Secret::new([seed; 32])).unwrap()
    }

    fn bundle() -> Vec<u8> {
        let mut out = Writer::new(Vec::new());
        out.add(&Name::Database(What::Data), 5, &b"pages"[..]).unwrap();
        for (n, body) in [&b"first"[..], b"", b"third, and longer"].iter().enumerate() {
            let key = BlobKey::new(&Entropy::seeded(n as u64));
            out.add(&Name::Blob(key), body.len() as u64, *body).unwrap();
        }
        let of = Manifest {
            what: What::Data,
            made: Timestamp::parse_rfc3339("2026-11-22T12:00:00Z").unwrap(),
            origin: "photos.example/ledger".to_owned(),
            entries: 9,
            members: 0,
            bytes: 0,
            sha256: [0; 32],
        };
        out.finish(of, &signer(1)).unwrap().0
    }

    type Seen = Vec<(Name, Vec<u8>)>;

    fn look(bytes: &[u8], seed: u8) -> Result<(Manifest, Seen), Error> {
        let mut seen = Vec::new();
        let manifest = read(bytes, &signer(seed).verifying(), |name, len, body| {
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes).map_err(cut)?;
            assert!(bytes.len() as u64 <= len);
            seen.push((name, bytes));
            Ok(())
        })?;
        Ok((manifest, seen))
    }

    #[test]
    fn what_was_put_in_comes_out() {
        let (manifest, seen) = look(&bundle(), 1).unwrap();
        assert_eq!((manifest.members, manifest.bytes, manifest.entries), (4, 27, 9));
        assert_eq!(seen.len(), 4);
        assert_eq!(seen[0], (Name::Database(What::Data), b"pages".to_vec()));
        assert_eq!(seen[3].1, b"third, and longer");
    }

    #[test]
    fn another_key_proves_nothing() {
        assert!(matches!(look(&bundle(), 2), Err(Error::Unsound(_))));
    }

    #[test]
    fn every_cut_is_found_and_a_changed_byte_changes_nothing_that_is_believed() {
        let whole = bundle();
        let sound = look(&whole, 1).unwrap();
        // Past the manifest there is only the padding that ends a tar.
        let end = whole.len() - 1024 - 512;
        for cut in (0..end).step_by(61) {
            assert!(look(&whole[..cut], 1).is_err(), "cut at {cut}");
        }
        let (mut refused, end) = (0, whole.len() - 1024);
        for at in 0..end {
            let mut other = whole.clone();
            other[at] ^= 1;
            match look(&other, 1) {
                Ok(read) => assert_eq!(read, sound, "byte {at}"),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 5 * 100, "only {refused} of {end}");
    }

    #[test]
    fn no_name_becomes_a_path() {
        for path in ["../keystore.db", "/etc/passwd", "blobs/../../x", "blobs/", "keys/seal.key", ""] {
            assert_eq!(Name::of(path), None, "{path}");
        }
    }

    #[test]
    fn a_file_that_is_shorter_than_it_said_ends_the_backup() {
        let mut out = Writer::new(Vec::new());
        assert!(out.add(&Name::Database(What::Data), 6, &b"pages"[..]).is_err());
    }
}
