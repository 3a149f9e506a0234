//! Epoch keys: one a period, each a small file wrapped by the seal key, in a folder that no backup may touch. A copy of
//! the keystore's database is dead once the epoch it was written under is destroyed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::{Error, SealKey};
use crate::base::{Entropy, Timestamp};
use crate::crypto::{self, Key, Place};

/// An epoch that is alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// Its number, counted from 1.
    pub number: i64,
    /// When it began.
    pub since: Timestamp,
}

#[derive(Clone)]
pub(super) struct EpochKey {
    pub(super) number: i64,
    pub(super) since: Timestamp,
    pub(super) key: Key,
}

/// The epoch keys alive, unwrapped in memory. Cheap to clone; clones share.
#[derive(Clone)]
pub struct Epochs {
    folder: PathBuf,
    seal: SealKey,
    alive: Arc<RwLock<BTreeMap<i64, EpochKey>>>,
}

impl std::fmt::Debug for Epochs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Epochs").field("alive", &self.alive()).finish_non_exhaustive()
    }
}

fn place(number: i64, since: Timestamp) -> Place {
    Place::new("epoch").number(number).number(since.micros())
}

impl Epochs {
    /// Opens the epoch store, and begins epoch 1 when it is empty.
    pub fn open(folder: &Path, seal: SealKey, now: Timestamp, entropy: &Entropy) -> Result<Self, Error> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(Error::Epochs)?;
        let mut alive = BTreeMap::new();
        for file in fs::read_dir(folder).map_err(Error::Epochs)? {
            let path = file.map_err(Error::Epochs)?.path();
            if path.extension().is_some_and(|e| e == "epoch") {
                let epoch = read(&path, &seal)?;
                alive.insert(epoch.number, epoch);
            }
        }
        let epochs = Self { folder: folder.to_owned(), seal, alive: Arc::new(RwLock::new(alive)) };
        if epochs.alive().is_empty() {
            epochs.begin(now, entropy)?;
        }
        Ok(epochs)
    }

    /// The epochs alive, oldest first.
    pub fn alive(&self) -> Vec<Epoch> {
        let alive = self.alive.read().unwrap_or_else(PoisonError::into_inner);
        alive.values().map(|e| Epoch { number: e.number, since: e.since }).collect()
    }

    pub(super) fn current(&self) -> Result<EpochKey, Error> {
        let alive = self.alive.read().unwrap_or_else(PoisonError::into_inner);
        alive.values().next_back().cloned().ok_or(Error::Damaged)
    }

    pub(super) fn get(&self, number: i64) -> Result<EpochKey, Error> {
        let alive = self.alive.read().unwrap_or_else(PoisonError::into_inner);
        alive.get(&number).cloned().ok_or(Error::NoKey)
    }

    pub(super) fn begin(&self, now: Timestamp, entropy: &Entropy) -> Result<i64, Error> {
        let mut alive = self.alive.write().unwrap_or_else(PoisonError::into_inner);
        let number = alive.keys().next_back().map_or(1, |n| n + 1);
        let epoch = EpochKey { number, since: now, key: Key::generate(entropy) };
        let sealed = crypto::seal(self.seal.key(), &place(number, now), epoch.key.expose(), entropy);
        let text = format!("{number}\n{}\n{}\n", now.micros(), hex::encode(sealed));
        write_durably(&self.folder, &format!("{number:08}.epoch"), text.as_bytes()).map_err(Error::Epochs)?;
        alive.insert(number, epoch);
        Ok(number)
    }

    pub(super) fn destroy(&self, number: i64) -> Result<(), Error> {
        let mut alive = self.alive.write().unwrap_or_else(PoisonError::into_inner);
        let path = self.folder.join(format!("{number:08}.epoch"));
        // Overwritten before it is unlinked: a file system may keep freed blocks for long.
        if let Ok(meta) = fs::metadata(&path) {
            let blank = vec![0_u8; usize::try_from(meta.len()).unwrap_or(4096)];
            let mut file = fs::OpenOptions::new().write(true).open(&path).map_err(Error::Epochs)?;
            file.write_all(&blank).and_then(|()| file.sync_all()).map_err(Error::Epochs)?;
            fs::remove_file(&path).map_err(Error::Epochs)?;
            fs::File::open(&self.folder).and_then(|d| d.sync_all()).map_err(Error::Epochs)?;
        }
        alive.remove(&number);
        Ok(())
    }
}

fn read(path: &Path, seal: &SealKey) -> Result<EpochKey, Error> {
    let text = fs::read_to_string(path).map_err(Error::Epochs)?;
    let mut lines = text.lines();
    let number: i64 = lines.next().and_then(|l| l.parse().ok()).ok_or(Error::Damaged)?;
    let since =
        lines.next().and_then(|l| l.parse().ok()).map(Timestamp::from_micros).ok_or(Error::Damaged)?;
    let sealed = lines.next().and_then(|l| hex::decode(l).ok()).ok_or(Error::Damaged)?;
    let plain = crypto::open(seal.key(), &place(number, since), &sealed)?;
    Ok(EpochKey { number, since, key: Key::from_slice(&plain)? })
}

fn write_durably(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temp = folder.join(format!("{name}.new"));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temp)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temp, folder.join(name))?;
    fs::File::open(folder)?.sync_all()
}
