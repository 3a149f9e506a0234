//! One upload on its way into a folder.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::StreamExt;
use tempfile::NamedTempFile;

use super::{Folder, blocking, disk};
use crate::blobs::error::Error;
use crate::blobs::key::BlobKey;
use crate::blobs::model::Source;

/// Bytes taken from the body before the disk is visited: few visits, flat memory.
const BATCH: usize = 1 << 20;

/// Bytes written between two looks at how much of the disk is left.
const LOOK_EVERY: u64 = 64 << 20;

/// A file that has no name yet. Dropped before it lands, it is gone.
pub(super) struct Incoming {
    file: NamedTempFile,
    len: u64,
    looked_at: u64,
}

impl Incoming {
    /// Begins, unless the disk is too full or the key is taken.
    pub(super) fn begin(folder: &Folder, key: &BlobKey) -> Result<Self, Error> {
        folder.room_left()?;
        if folder.place(key).exists() {
            return Err(Error::Exists);
        }
        // The name is the key: two uploads of one key are a mistake, and the second finds the name taken.
        let file = tempfile::Builder::new()
            .prefix(&key.to_string())
            .rand_bytes(0)
            .tempfile_in(folder.incoming())
            .map_err(|e| Error::io("make a file", &e))?;
        Ok(Self::into_file(file))
    }

    pub(super) fn into_file(file: NamedTempFile) -> Self {
        Self { file, len: 0, looked_at: 0 }
    }

    /// Writes and measures the next bytes.
    pub(super) fn write(&mut self, folder: &Folder, chunks: &[Bytes]) -> Result<(), Error> {
        self.len += chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        if self.len - self.looked_at >= LOOK_EVERY {
            self.looked_at = self.len;
            folder.room_left()?;
        }
        disk::write(&mut self.file, chunks)
    }

    /// Names the file, so that after a power cut either the whole blob is there or nothing is. The order is what makes
    /// that true: bytes on the disk, then the name, then the name on the disk.
    pub(super) fn land(self, to: &Path, sync: bool) -> Result<u64, Error> {
        if sync {
            disk::sync_file(self.file.as_file())?;
        }
        let file = disk::rename_new(self.file, to)?;
        if sync && let Some(dir) = to.parent() {
            disk::sync_dir(dir)?;
        }
        let stored = file.metadata().map_err(|e| Error::io("read back", &e))?.len();
        if stored != self.len {
            disk::unlink(to)?;
            return Err(Error::Mismatch("the file is not as long as what was written"));
        }
        Ok(self.len)
    }
}

/// Up to [`BATCH`] bytes of the body, and whether that was the last.
async fn batch(body: &mut Source<'_>) -> Result<(Vec<Bytes>, bool), Error> {
    let (mut chunks, mut len) = (Vec::new(), 0);
    while len < BATCH {
        match body.next().await {
            Some(chunk) => {
                let chunk = chunk?;
                len += chunk.len();
                chunks.push(chunk);
            }
            None => return Ok((chunks, true)),
        }
    }
    Ok((chunks, false))
}

/// Streams `body` into `folder`. A small body visits the disk once, on one thread, from the first byte to the sync.
pub(super) async fn put(folder: &Folder, key: &BlobKey, mut body: Source<'_>) -> Result<u64, Error> {
    let to: PathBuf = folder.place(key);
    let (mut incoming, key) = (None, *key);
    loop {
        let (chunks, last) = batch(&mut body).await?;
        let (folder, place) = (folder.clone(), last.then(|| to.clone()));
        let step = blocking(move || {
            let mut file = match incoming {
                Some(file) => file,
                None => Incoming::begin(&folder, &key)?,
            };
            file.write(&folder, &chunks)?;
            match place {
                Some(place) => file.land(&place, folder.sync).map(Step::Done),
                None => Ok(Step::More(file)),
            }
        });
        match step.await? {
            Step::Done(len) => return Ok(len),
            Step::More(file) => incoming = Some(file),
        }
    }
}

enum Step {
    More(Incoming),
    Done(u64),
}
