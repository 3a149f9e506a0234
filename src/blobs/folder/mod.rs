//! Blobs in a folder: 256 shards, an `incoming` beside them on the same file system. Folders are 0700, files 0600.

mod delete;
mod disk;
mod read;
mod write;

use std::fs::DirBuilder;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};

use super::check::{Finding, Level};
use super::error::Error;
use super::key::{BlobKey, KeyPrefix};
use super::model::{Body, Deleted, DeletedMany, Head, Listed, Source};
use super::settings::{FolderSettings, INCOMING};
use crate::base::Timestamp;

/// A handle on the folder; cheap to clone.
#[derive(Debug, Clone)]
pub struct Folder {
    root: Arc<Path>,
    keep_free: u64,
    sync: bool,
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let died = |_| Error::Internal("a file operation was cut off".to_owned());
    tokio::task::spawn_blocking(work).await.map_err(died)?
}

/// Bytes of the file system of a folder that may still be written.
pub fn free_space(folder: &Path) -> Result<u64, Error> {
    disk::free(folder)
}

fn timestamp(t: SystemTime) -> Timestamp {
    Timestamp::from_utc(DateTime::<Utc>::from(t))
}

impl Folder {
    /// Opens the folder, making what is missing.
    pub(super) fn open(settings: FolderSettings) -> Result<Self, Error> {
        let FolderSettings { root, keep_free, sync } = settings;
        let folder = Self { root: root.into(), keep_free, sync };
        let make = |dir: &Path, parents: bool| {
            let made = DirBuilder::new().mode(0o700).recursive(parents).create(dir);
            match made {
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
                Err(e) => Err(Error::Settings(format!("cannot make the folder of blobs: {}", e.kind()))),
                Ok(()) => Ok(()),
            }
        };
        make(&folder.root, true)?;
        make(&folder.incoming(), false)?;
        for shard in 0..=u8::MAX {
            make(&folder.shard(shard), false)?;
        }
        disk::sync_dir(&folder.root)?;
        // Its own name as well: a blob whose folder is lost is lost.
        disk::sync_dir(folder.root.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
        Ok(folder)
    }

    fn incoming(&self) -> PathBuf {
        self.root.join(INCOMING)
    }

    fn shard(&self, shard: u8) -> PathBuf {
        self.root.join(hex::encode([shard]))
    }

    fn place(&self, key: &BlobKey) -> PathBuf {
        self.root.join(key.path())
    }

    fn room_left(&self) -> Result<(), Error> {
        if self.keep_free > 0 && disk::free(&self.root)? < self.keep_free {
            return Err(Error::Full);
        }
        Ok(())
    }

    pub(super) async fn put(&self, key: &BlobKey, body: Source<'_>) -> Result<u64, Error> {
        write::put(self, key, body).await
    }

    pub(super) async fn get(&self, key: &BlobKey, range: Option<Range<u64>>) -> Result<Body, Error> {
        read::get(self.place(key), range).await
    }

    pub(super) async fn head(&self, key: &BlobKey) -> Result<Head, Error> {
        let path = self.place(key);
        blocking(move || {
            let meta = std::fs::metadata(path).map_err(|e| Error::io("look at a file", &e))?;
            let modified = meta.modified().map_err(|e| Error::io("look at a file", &e))?;
            Ok(Head { len: meta.len(), modified: timestamp(modified) })
        })
        .await
    }

    pub(super) async fn delete(&self, key: &BlobKey) -> Result<Deleted, Error> {
        let (folder, key) = (self.clone(), *key);
        blocking(move || {
            let was_there = disk::unlink(&folder.place(&key))?;
            if was_there && folder.sync {
                disk::sync_dir(&folder.shard(key.shard()))?;
            }
            Ok(Deleted { was_there })
        })
        .await
    }

    pub(super) async fn delete_many(&self, keys: &[BlobKey]) -> DeletedMany {
        let (folder, asked) = (self.clone(), keys.to_vec());
        match blocking(move || Ok(delete::remove(&folder, asked))).await {
            Ok(deleted) => deleted,
            Err(e) => {
                let text = e.to_string();
                let failed = keys.iter().map(|key| (*key, Error::Internal(text.clone())));
                DeletedMany { gone: 0, failed: failed.collect() }
            }
        }
    }

    /// The next keys after the path `after`: whole shards, until `limit` is reached. `None` once there are no more.
    pub(super) async fn page(
        &self,
        prefix: &KeyPrefix,
        after: &str,
        limit: usize,
    ) -> Result<(Vec<Listed>, Option<String>), Error> {
        let (folder, prefix, after) = (self.clone(), prefix.clone(), after.to_owned());
        blocking(move || {
            let from = after.get(..2).and_then(|s| u8::from_str_radix(s, 16).ok()).unwrap_or(0);
            let mut rows = Vec::new();
            for shard in (from..=u8::MAX).filter(|shard| prefix.touches(*shard)) {
                let begun = rows.len();
                folder.list_shard(shard, |row| {
                    if row.key.path() > after && prefix.covers(&row.key) {
                        rows.push(row);
                    }
                })?;
                if let Some(new) = rows.get_mut(begun..) {
                    new.sort_unstable_by_key(|row| row.key);
                }
                if rows.len() >= limit {
                    // '~' sorts behind every hex digit: the end of this shard.
                    return Ok((rows, Some(format!("{}/~", hex::encode([shard])))));
                }
            }
            Ok((rows, None))
        })
        .await
    }

    fn list_shard(&self, shard: u8, mut row: impl FnMut(Listed)) -> Result<(), Error> {
        let name = hex::encode([shard]);
        let failed = |e: std::io::Error| Error::io("list a folder", &e);
        for entry in std::fs::read_dir(self.shard(shard)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let key =
                entry.file_name().to_str().and_then(|file| BlobKey::from_path(&format!("{name}/{file}")));
            let Some(key) = key else { continue };
            match entry.metadata().and_then(|meta| Ok((meta.len(), meta.modified()?))) {
                Ok((len, modified)) => row(Listed { key, len, modified: timestamp(modified) }),
                // Deleted since the folder was read.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(failed(e)),
            }
        }
        Ok(())
    }

    /// Removes files that an interrupted process left in `incoming`.
    pub(super) async fn abort_stale(&self, before: Timestamp) -> Result<usize, Error> {
        let folder = self.clone();
        blocking(move || {
            let failed = |e: std::io::Error| Error::io("list a folder", &e);
            let mut gone = 0;
            for entry in std::fs::read_dir(folder.incoming()).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let Ok(modified) = entry.metadata().and_then(|meta| meta.modified()) else { continue };
                if timestamp(modified) < before && disk::unlink(&entry.path())? {
                    gone += 1;
                }
            }
            disk::sync_dir(&folder.incoming())?;
            Ok(gone)
        })
        .await
    }

    pub(super) async fn uploads_of(&self, keys: &[BlobKey]) -> Result<usize, Error> {
        let (folder, keys) = (self.clone(), keys.to_vec());
        blocking(move || Ok(folder.halves(&keys)?.len())).await
    }

    /// An upload under way finds its file gone when it is to be named.
    pub(super) async fn end_uploads(&self, keys: &[BlobKey]) -> Result<usize, Error> {
        let (folder, keys) = (self.clone(), keys.to_vec());
        blocking(move || {
            let mut gone = 0;
            for half in folder.halves(&keys)? {
                gone += usize::from(disk::unlink(&half)?);
            }
            if gone > 0 && folder.sync {
                disk::sync_dir(&folder.incoming())?;
            }
            Ok(gone)
        })
        .await
    }

    /// What there is of these blobs in `incoming`.
    fn halves(&self, keys: &[BlobKey]) -> Result<Vec<PathBuf>, Error> {
        let failed = |e: std::io::Error| Error::io("list a folder", &e);
        let mut found = Vec::new();
        if keys.is_empty() {
            return Ok(found);
        }
        for entry in std::fs::read_dir(self.incoming()).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let key = entry.file_name().to_str().and_then(|name| name.parse::<BlobKey>().ok());
            if key.is_some_and(|key| keys.contains(&key)) {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    pub(super) async fn check(&self) -> Result<Vec<Finding>, Error> {
        let folder = self.clone();
        blocking(move || {
            let look = |dir: &Path| std::fs::metadata(dir).map_err(|e| Error::io("look at a folder", &e));
            let (root, incoming) = (look(&folder.root)?, look(&folder.incoming())?);
            let mode = root.permissions().mode() & 0o777;
            let private = mode | 0o700 == 0o700;
            let mut found = vec![
                Finding::when(private, Level::Error, "mode", || {
                    format!("others can enter the folder (mode {mode:o}); chmod 700 it")
                }),
                Finding::when(root.dev() == incoming.dev(), Level::Error, "one-file-system", || {
                    "incoming/ lies on another file system, so that a file cannot be moved out of it"
                        .to_owned()
                }),
                Finding::when(folder.sync, Level::Error, "durable", || {
                    "uploads are acknowledged before they are on the disk".to_owned()
                }),
            ];
            let free = disk::free(&folder.root)?;
            found.push(Finding::when(
                free >= folder.keep_free.saturating_mul(2),
                Level::Warning,
                "room",
                || {
                    format!(
                        "{} MiB are left on the disk, of which {} are kept free",
                        free >> 20,
                        folder.keep_free >> 20
                    )
                },
            ));
            Ok(found)
        })
        .await
    }

    pub(super) fn describe(&self) -> String {
        format!("folder {}", self.root.display())
    }
}

#[cfg(test)]
mod tests;
