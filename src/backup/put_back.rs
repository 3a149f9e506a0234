//! Putting a backup back where the service stood. Everything is verified before anything is changed; then the databases
//! are swapped by renaming. A service that finds what lies there afterwards is shut until what happened since has been
//! done again.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::bundle::{Name, read};
use super::envelope::{Unlock, open};
use super::manifest::{Manifest, What};
use super::take::with_suffix;
use super::{Error, sql};
use crate::app::{Shut, Standby};
use crate::base::EntryId;
use crate::blobs::{self, BlobKey};
use crate::ledger::Checkpoint;
use crate::store::{Db, KEYSTORE, MAIN, SqliteSettings};

/// Bytes at once.
const PIECE: usize = 256 << 10;
/// What a database that was replaced is called until the service is up to date.
const REPLACED: &str = ".replaced";
/// What a database is called while it is unpacked.
const INCOMING: &str = ".incoming";
/// What a SQLite database consists of.
const FILES: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// How to put a backup back.
#[derive(Debug, Clone, Default)]
pub struct How {
    /// What opens it, when it is encrypted. A copy of the keystore is opened by the epochs alive.
    pub keys: Vec<Unlock>,
    /// Whether a database that is there may be replaced.
    pub replace: bool,
}

/// What was put back.
#[derive(Debug, Clone)]
pub struct PutBack {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// Entries of the newest head of the ledger that is known here.
    pub known: u64,
    /// Bytes of images that were missing, or were damaged, and are there again.
    pub blobs: u64,
}

/// Puts a backup back. The caller holds the data folder: nothing else may be running on it.
pub async fn put_back(by: &Standby, file: &Path, how: How) -> Result<PutBack, Error> {
    let mut keys = how.keys;
    keys.extend(by.copy_secrets.iter().cloned().map(Unlock::Passphrase));
    let key = by.signer.verifying();
    let (path, unlock, with) = (file.to_owned(), keys.clone(), key.clone());
    let manifest = blocking(move || read(open(&path, &unlock)?, &with, |_, _, _| Ok(()))).await?;
    let known = may_be_put_back(by, &manifest, how.replace)?;
    let place = by.data.join(manifest.what.file());
    let staged = with_suffix(&place, INCOMING);
    forget_incoming(&by.data)?;
    let (path, into, blobs, handle) = (file.to_owned(), staged.clone(), by.blobs.clone(), Handle::current());
    let expected = manifest.clone();
    let written = blocking(move || {
        let mut written = 0;
        let again = read(open(&path, &keys)?, &key, |name, len, body| match name {
            Name::Database(_) => unpack(body, &into),
            Name::Blob(key) => {
                written += u64::from(handle.block_on(bring(&blobs, key, len, body))?);
                Ok(())
            }
        })?;
        if again == expected { Ok(written) } else { Err(Error::Unsound("it changed while it was read")) }
    });
    let ready = match written.await {
        Ok(blobs) => stage(by, &manifest, &staged).await.map(|()| blobs),
        Err(e) => Err(e),
    };
    match ready.and_then(|blobs| swap(&staged, &place).map(|()| blobs)) {
        Ok(blobs) => Ok(PutBack { manifest, known, blobs }),
        Err(e) => {
            // Bytes that were stored are nobody's, and go by themselves.
            remove(&staged)?;
            Err(e)
        }
    }
}

/// Reads a backup to its end, and hands over the bytes of each blob in it: for whoever looks into backups for what should
/// not be there. One blob at a time is in memory.
pub fn blobs_of(
    by: &Standby,
    file: &Path,
    keys: &[Unlock],
    mut see: impl FnMut(&[u8]),
) -> Result<Manifest, Error> {
    read(open(file, keys)?, &by.signer.verifying(), |name, _, body| {
        if let Name::Blob(_) = name {
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes).map_err(Error::below)?;
            see(&bytes);
        }
        Ok(())
    })
}

/// Removes databases that a restore had unpacked which was killed: with keys, or with people who were erased since. The
/// caller holds the data folder, so no other restore is at work.
pub fn forget_incoming(data: &Path) -> Result<(), Error> {
    for what in [What::Data, What::Keystore] {
        remove(&with_suffix(&data.join(what.file()), INCOMING))?;
    }
    Ok(())
}

/// Removes the databases that were replaced, once the service is up to date.
pub(super) fn forget_replaced(data: &Path) -> Result<(), Error> {
    for what in [What::Data, What::Keystore] {
        remove(&with_suffix(&data.join(what.file()), REPLACED))?;
    }
    Ok(())
}

/// The conditions under which anything is changed. Gives the size of the newest head known.
fn may_be_put_back(by: &Standby, manifest: &Manifest, replace: bool) -> Result<u64, Error> {
    let refused = |why: String| Err(Error::Refused(why));
    if manifest.origin != by.verifier.name() {
        return refused(format!("the backup is of {}, and this is {}", manifest.origin, by.verifier.name()));
    }
    let published = head(by, &by.ledger.join("checkpoint"))?;
    let known = published.max(head(by, &by.head)?).unwrap_or(0);
    // Without the published ledger nobody could tell what happened since, and the erased would be back.
    if published.is_none_or(|size| size < known.max(manifest.entries)) {
        return refused(format!(
            "the ledger that was published, in {}, has to reach as far as everything that was signed ({} entries); it \
             has {}. Bring the newest copy of that folder first",
            by.ledger.display(),
            known.max(manifest.entries),
            published.map_or("none".to_owned(), |n| n.to_string()),
        ));
    }
    let place = by.data.join(manifest.what.file());
    if place.exists() && !replace {
        return refused(format!(
            "{} is there already. With --replace it is replaced, and deleted once the service is up to date",
            place.display()
        ));
    }
    Ok(known)
}

fn head(by: &Standby, path: &Path) -> Result<Option<u64>, Error> {
    match fs::read_to_string(path) {
        Ok(note) => Ok(Some(Checkpoint::open(&note, &by.verifier)?.size())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::File(path.to_owned(), e)),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(Error::below)?
}

fn unpack(body: &mut dyn Read, into: &Path) -> Result<(), Error> {
    let fail = |e| Error::File(into.to_owned(), e);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(into).map_err(fail)?;
    io::copy(body, &mut file).map_err(fail)?;
    file.flush().and_then(|()| file.sync_all()).map_err(fail)
}

/// Stores a blob unless the very same is there. One that differs was damaged: no key is ever used for other bytes.
async fn bring(blobs: &blobs::Blobs, key: BlobKey, len: u64, body: &mut dyn Read) -> Result<bool, Error> {
    let there = match blobs.head(&key).await {
        Ok(head) if head.len == len => Some(hash_of(blobs, &key).await?),
        Ok(_) => Some([0; 32]),
        Err(blobs::Error::NotFound) => None,
        Err(e) => return Err(e.into()),
    };
    let Some(there) = there else {
        put(blobs, key, body).await?;
        return Ok(true);
    };
    // Kept aside for the moment it takes to know whether it is wanted.
    let mut aside = tempfile::tempfile().map_err(Error::below)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        let n = body.read(&mut piece).map_err(Error::below)?;
        let some = piece.get(..n).unwrap_or_default();
        if some.is_empty() {
            break;
        }
        hash.update(some);
        aside.write_all(some).map_err(Error::below)?;
    }
    if there == <[u8; 32]>::from(hash.finalize()) {
        return Ok(false);
    }
    io::Seek::rewind(&mut aside).map_err(Error::below)?;
    blobs.delete(&key).await?;
    put(blobs, key, &mut aside).await?;
    Ok(true)
}

async fn hash_of(blobs: &blobs::Blobs, key: &BlobKey) -> Result<[u8; 32], Error> {
    let mut body = blobs.get(key, None).await?;
    let mut hash = Sha256::new();
    while let Some(piece) = body.next().await {
        hash.update(&piece?);
    }
    Ok(hash.finalize().into())
}

async fn put(blobs: &blobs::Blobs, key: BlobKey, body: &mut dyn Read) -> Result<(), Error> {
    let (send, receive) = mpsc::channel::<io::Result<Bytes>>(2);
    let feed = async move {
        let mut piece = vec![0; PIECE];
        loop {
            let read = match body.read(&mut piece) {
                Ok(0) => break,
                Ok(n) => Ok(Bytes::copy_from_slice(piece.get(..n).unwrap_or_default())),
                Err(e) => Err(e),
            };
            let failed = read.is_err();
            if send.send(read).await.is_err() || failed {
                break;
            }
        }
    };
    let (stored, ()) =
        tokio::join!(blobs.put(&key, tokio_stream::wrappers::ReceiverStream::new(receive)), feed);
    stored?;
    Ok(())
}

/// Looks whether the database that was unpacked hangs together, and writes down, where the service will look first, that
/// a backup was put back: so it is shut even if nothing else shows it.
async fn stage(by: &Standby, manifest: &Manifest, staged: &Path) -> Result<(), Error> {
    let schema = match manifest.what {
        What::Data => &MAIN,
        What::Keystore => &KEYSTORE,
    };
    let db = Db::sqlite(SqliteSettings { path: staged, readers: 1 }, schema).await?;
    let sound = db.is_sound().await?;
    if sound && manifest.what == What::Data {
        mark(by, &db, manifest).await?;
    }
    db.close().await;
    if !sound {
        return Err(Error::Unsound("its database is damaged, as it was when it was taken"));
    }
    let main = by.data.join(What::Data.file());
    if manifest.what == What::Keystore && main.exists() {
        let db = Db::sqlite(SqliteSettings { path: &main, readers: 1 }, &MAIN).await?;
        mark(by, &db, manifest).await?;
        db.close().await;
    }
    let file = File::open(staged).and_then(|f| f.sync_all());
    file.map_err(|e| Error::File(staged.to_owned(), e))
}

async fn mark(by: &Standby, db: &Db, manifest: &Manifest) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    if sql::open(&mut tx).await?.is_none() {
        let id = EntryId::new(&by.clock, &by.entropy).to_string();
        sql::begin(&mut tx, &id, Shut::Placed.as_str(), by.clock.now(), manifest.entries).await?;
    }
    Ok(tx.commit().await?)
}

/// Puts a database where the other one stood, which is kept under another name until it is no longer wanted. Cut short in
/// between there is none, and a service that makes itself a new one is shut: nothing was signed for an empty ledger.
fn swap(staged: &Path, place: &Path) -> Result<(), Error> {
    let replaced = with_suffix(place, REPLACED);
    if replaced.exists() {
        // An earlier backup was put back and never brought up to date: what it replaced is what is worth keeping.
        remove(place)?;
    }
    for file in FILES {
        let (from, to) = (with_suffix(place, file), with_suffix(&replaced, file));
        match fs::rename(&from, &to) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::File(from, e)),
            _ => {}
        }
    }
    let folder = place.parent().unwrap_or(Path::new("."));
    let moved = fs::rename(staged, place).and_then(|()| File::open(folder)?.sync_all());
    moved.map_err(|e| Error::File(place.to_owned(), e))?;
    remove(staged)
}

/// Removes a database's files, those that are there.
fn remove(database: &Path) -> Result<(), Error> {
    for file in FILES {
        let path: PathBuf = with_suffix(database, file);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::File(path, e)),
            _ => {}
        }
    }
    Ok(())
}
