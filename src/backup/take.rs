//! Taking a backup of the embedded installation, beside the service that runs.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bytes::{Buf as _, Bytes};
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::runtime::Handle;

use super::Error;
use super::bundle::{Name, Writer};
use super::envelope::Sink;
use super::manifest::{Manifest, What};
use crate::app::{App, COPY};
use crate::archive::{EncryptTo, Signer};
use crate::blobs::{self, Blobs, KeyPrefix};
use crate::ledger::{Entry, EntryKind};

/// What to take.
#[derive(Debug, Clone)]
pub struct Order {
    /// Data, or keys.
    pub what: What,
    /// To whom data is encrypted; as it lies in the stores if none. Keys are always encrypted, under the epoch.
    pub to: Option<EncryptTo>,
    /// Whether the bytes of images are left out: somebody else copies them.
    pub without_blobs: bool,
}

/// Takes a backup into a new file, which is there when it is whole and durable, and not before. Beside a service that
/// runs: the database is copied as it is at one moment, and the blobs after it, so that no row of the copy lacks its
/// bytes but for what was erased meanwhile. That it was taken stands on the ledger.
pub async fn take(app: &App, order: Order, into: &Path) -> Result<Manifest, Error> {
    let of = Manifest {
        what: order.what,
        made: app.clock.now(),
        origin: app.ledger.verifier().name().to_owned(),
        entries: app.ledger.held().await?,
        members: 0,
        bytes: 0,
        sha256: [0; 32],
    };
    let (folder, part) = (folder_of(app, into)?, with_suffix(into, ".part"));
    let (signer, blobs) = (app.backup_signer()?, app.blobs.clone());
    let takes = match order.what {
        What::Data => app.db.copy_takes().await?,
        What::Keystore => app.keys.copy_takes().await?,
    };
    if let Some(takes) = takes {
        fits(takes, blobs::free_space(&app.config.data.folder)?)?;
    }
    // VACUUM wants a file of its own. It is not encrypted, so it lies where the database does, for its owner alone (0600),
    // and goes with this call; locked, so that a start sweeps what a call left that was killed, and not this.
    let data = &app.config.data.folder;
    let copy =
        tempfile::Builder::new().prefix(COPY).tempfile_in(data).map_err(|e| Error::File(data.clone(), e))?;
    copy.as_file().lock().map_err(|e| Error::File(copy.path().to_owned(), e))?;
    let name = copy.path().to_str().ok_or_else(|| Error::Refused("its name must be UTF-8".to_owned()))?;
    let (copied, to) = match order.what {
        What::Data => (app.db.copy_into(name).await?, order.to),
        What::Keystore => {
            let secret = app.keys.copy_secret().await?;
            (app.keys.copy_into(name).await?, Some(EncryptTo::Passphrase(secret)))
        }
    };
    if !copied {
        let why = "the databases are PostgreSQL's: take them with pg_dump, as docs/OPERATING.md says";
        return Err(Error::Refused(why.to_owned()));
    }
    let blobs = (order.what == What::Data && !order.without_blobs).then_some(blobs);
    let (handle, name) = (Handle::current(), into.to_owned());
    let written = tokio::task::spawn_blocking(move || {
        let unfinished = Unfinished(part);
        let manifest = write(&unfinished.0, (copy.path(), of, blobs), (to.as_ref(), &signer), &handle)?;
        put_in_place(&unfinished.0, &name, &folder)?;
        Ok::<_, Error>(manifest)
    });
    let manifest = written.await.map_err(Error::below)??;
    tell(app, &manifest).await?;
    Ok(manifest)
}

/// Whether the copy of a database has room beside it, and leaves what uploads must leave as well: a volume that the copy
/// fills stops the service that runs on it.
fn fits(takes: u64, free: u64) -> Result<(), Error> {
    let wanted = takes.saturating_add(blobs::KEEP_FREE);
    if free >= wanted {
        return Ok(());
    }
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    Err(Error::Refused(format!(
        "the database is copied in the data folder first, and its volume has no room for that: the copy takes up to {} MiB, {} MiB \
         stay free for the service, and {} MiB are free now. Make room there and take the backup again",
        mib(takes),
        mib(blobs::KEEP_FREE),
        free >> 20
    )))
}

/// The folder that a new backup is to lie in: not the data folder, which a backup is to outlive.
fn folder_of(app: &App, into: &Path) -> Result<PathBuf, Error> {
    let folder = into.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let real = |path: &Path| fs::canonicalize(path).map_err(|e| Error::File(path.to_owned(), e));
    let folder = real(folder)?;
    if into.exists() {
        return Err(Error::Refused(format!(
            "{} is there already; a backup overwrites nothing",
            into.display()
        )));
    }
    if folder.starts_with(real(&app.config.data.folder)?) {
        return Err(Error::Refused(
            "a backup inside the data folder is lost with it; name another place".to_owned(),
        ));
    }
    Ok(folder)
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A file that is removed unless it was put in place.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Not there when all went well.
        let _gone = fs::remove_file(&self.0);
    }
}

fn write(
    part: &Path,
    (copy, of, blobs): (&Path, Manifest, Option<Blobs>),
    (to, signer): (Option<&EncryptTo>, &Signer),
    handle: &Handle,
) -> Result<Manifest, Error> {
    let fail = |e| Error::File(part.to_owned(), e);
    let file =
        File::options().write(true).create(true).truncate(true).mode(0o600).open(part).map_err(fail)?;
    let mut out = Writer::new(Sink::new(file, to)?);
    let database = File::open(copy).map_err(|e| Error::File(copy.to_owned(), e))?;
    let len = database.metadata().map_err(|e| Error::File(copy.to_owned(), e))?.len();
    out.add(&Name::Database(of.what), len, database).map_err(fail)?;
    if let Some(blobs) = blobs {
        let mut listed = std::pin::pin!(blobs.list(KeyPrefix::all(), None));
        while let Some(blob) = handle.block_on(listed.try_next())? {
            match handle.block_on(blobs.get(&blob.key, None)) {
                Ok(body) => {
                    out.add(&Name::Blob(blob.key), body.len, Pull::new(body, handle)).map_err(fail)?;
                }
                // Erased since it was listed.
                Err(blobs::Error::NotFound) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
    let (sink, manifest) = out.finish(of, signer)?;
    sink.finish().map_err(fail)?;
    Ok(manifest)
}

/// Reads a body that streams.
struct Pull<'h> {
    body: blobs::Body,
    piece: Bytes,
    handle: &'h Handle,
}

impl<'h> Pull<'h> {
    fn new(body: blobs::Body, handle: &'h Handle) -> Self {
        Self { body, piece: Bytes::new(), handle }
    }
}

impl Read for Pull<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.handle.block_on(self.body.next()) {
                Some(piece) => self.piece = piece.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let n = self.piece.len().min(buf.len());
        self.piece.split_to(n).copy_to_slice(buf.get_mut(..n).unwrap_or_default());
        Ok(n)
    }
}

fn put_in_place(part: &Path, into: &Path, folder: &Path) -> Result<(), Error> {
    // A link, and not a rename: it fails when somebody else was first.
    let linked = fs::hard_link(part, into).and_then(|()| File::open(folder)?.sync_all());
    linked.map_err(|e| Error::File(into.to_owned(), e))
}

async fn tell(app: &App, manifest: &Manifest) -> Result<(), Error> {
    let entry = Entry::house(EntryKind::BACKUP_TAKEN, app.clock.now(), "service")
        .fact("what", manifest.what.as_str())
        .fact("entries", manifest.entries)
        .fact("bytes", manifest.bytes)
        .fact("sha256", hex::encode(manifest.sha256));
    let mut tx = app.db.begin().await?;
    app.ledger.append(&mut tx, entry).await?;
    tx.commit().await?;
    app.ledger.sequence().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_would_fill_the_volume_is_refused_with_what_it_takes() {
        let (takes, reserve) = (500 << 20, blobs::KEEP_FREE);
        assert!(fits(takes, takes + reserve).is_ok());
        let refused = fits(takes, takes + reserve - 1).unwrap_err().to_string();
        assert!(refused.contains("up to 500 MiB") && refused.contains("563 MiB are free now"), "{refused}");
        assert!(fits(u64::MAX, u64::MAX - 1).is_err());
    }
}
