//! The ledger as files, growing with it: so that what must be done again after a restore is to be had without the
//! database that was lost.

use std::io;
use std::path::{Path, PathBuf};

use super::resource::{FULL, Resource};
use super::sequence::blocking;
use super::{Checkpoint, Error, Forgery, Ledger, TileId};
use crate::store::{make_folders, write_durably};

/// Files written between two looks at the database, so that memory stays flat however far the folder is behind.
const AT_ONCE: usize = 64;
/// Looks at a folder that grows meanwhile.
const LOOKS: usize = 4;

/// Where the ledger is published, and what else is known of it.
#[derive(Debug, Clone)]
pub struct Published {
    /// The folder: C2SP tlog-tiles, as [`Ledger::export`] writes it. Not in any backup that is ever put back.
    pub folder: PathBuf,
    /// Files with a checkpoint each that somebody else keeps: a witness, an auditor. Those that are missing are passed
    /// over; one that is not by this ledger's key is an error.
    pub kept: Vec<PathBuf>,
}

impl Published {
    /// The files that may hold a newer head than the state file.
    pub(super) fn heads(&self) -> impl Iterator<Item = PathBuf> + '_ {
        std::iter::once(self.folder.join(Resource::Checkpoint.to_string())).chain(self.kept.iter().cloned())
    }
}

impl Ledger {
    /// The folder in which the ledger is published, if it is.
    pub fn folder(&self) -> Option<&Path> {
        self.0.published.as_ref().map(|p| p.folder.as_path())
    }

    /// How many entries the database's own head has, whatever is known elsewhere.
    pub async fn held(&self) -> Result<u64, Error> {
        Ok(super::sql::head(&mut self.0.db.read().await?).await?.size)
    }

    /// Adds to the folder what this head has and the folder's own has not, the checkpoint last. Each file is durable
    /// before the next is written.
    pub(super) async fn publish(&self, head: &Checkpoint) -> Result<(), Error> {
        let Some(folder) = self.folder().map(Path::to_owned) else { return Ok(()) };
        let old = self.published().await?.map_or(0, |c| c.size());
        if old > head.size() {
            return Err(Error::Behind { known: old, held: head.size() });
        }
        let mut fresh = Vec::with_capacity(AT_ONCE);
        for resource in grown(old, head.size()) {
            let bytes = match resource {
                Resource::Checkpoint => continue,
                Resource::Tile { tile, width } => self.tile(head, tile, width).await?,
                Resource::Entries { n, width } => self.bundle(head, n, width).await?,
            };
            fresh.push((resource, bytes));
            if fresh.len() == AT_ONCE {
                put(&folder, std::mem::take(&mut fresh)).await?;
            }
        }
        fresh.push((Resource::Checkpoint, head.note().as_bytes().to_vec()));
        put(&folder, fresh).await
    }
}

/// What a look at the published ledger found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mended {
    /// Entries that are published.
    pub size: u64,
    /// Files that were missing or rotten, and were written anew.
    pub files: u64,
}

impl Ledger {
    /// Verifies the published folder whole, as a stranger would, and writes anew what is missing or rotten in it. What is
    /// written comes from this database, and only if that is sound itself. Reads every file: for once a day.
    pub async fn mend_folder(&self) -> Result<Mended, Error> {
        let Some(folder) = self.folder().map(Path::to_owned) else { return Ok(Mended::default()) };
        let head = self.checkpoint().await?;
        if self.is_folder_sound(&folder).await? {
            return Ok(Mended { size: head.size(), files: 0 });
        }
        if !self.fsck().await?.is_sound() {
            return Err(Error::Malformed("the ledger in the database"));
        }
        let mut mended = Mended { size: head.size(), files: 0 };
        for resource in Resource::all(head.size()) {
            let bytes = match resource {
                Resource::Checkpoint => head.note().as_bytes().to_vec(),
                Resource::Tile { tile, width } => self.tile(&head, tile, width).await?,
                Resource::Entries { n, width } => self.bundle(&head, n, width).await?,
            };
            let path = folder.join(resource.to_string());
            let stands = resource == Resource::Checkpoint && self.published().await?.is_some();
            if !stands && tokio::fs::read(&path).await.ok().as_deref() != Some(bytes.as_slice()) {
                put(&folder, vec![(resource, bytes)]).await?;
                mended.files += 1;
            }
        }
        if self.is_folder_sound(&folder).await? {
            Ok(mended)
        } else {
            Err(Error::Malformed("the published ledger"))
        }
    }

    /// Whether the published folder verifies. While it grows a tile may be replaced by a longer one in the middle of the
    /// look, so what is found wrong is looked at once more when the head has moved meanwhile.
    pub async fn is_folder_sound(&self, folder: &Path) -> Result<bool, Error> {
        for _ in 0..LOOKS {
            let before = self.published().await?;
            let (path, key) = (folder.to_owned(), self.verifier().clone());
            let found = blocking(move || Ok(super::verify_folder(&path, &key, None))).await?;
            if found.is_ok_and(|report| report.is_sound()) {
                return Ok(true);
            }
            if self.published().await? == before {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// The head that is published, if there is one.
    async fn published(&self) -> Result<Option<Checkpoint>, Error> {
        let Some(folder) = self.folder() else { return Ok(None) };
        let path = folder.join(Resource::Checkpoint.to_string());
        let note = blocking(move || state::read(&path)).await?;
        note.map(|n| Checkpoint::open(&n, self.0.key.verifier())).transpose()
    }
}

async fn put(folder: &Path, files: Vec<(Resource, Vec<u8>)>) -> Result<(), Error> {
    let folder = folder.to_owned();
    blocking(move || {
        for (resource, bytes) in files {
            put_one(&folder, resource, &bytes)?;
        }
        Ok(())
    })
    .await
}

fn put_one(folder: &Path, resource: Resource, bytes: &[u8]) -> io::Result<()> {
    let path = folder.join(resource.to_string());
    if let Some(parent) = path.parent() {
        state::make_folders(parent)?;
    }
    write_durably(&path, bytes)?;
    let full = match resource {
        Resource::Checkpoint => false,
        Resource::Tile { width, .. } | Resource::Entries { width, .. } => width == FULL,
    };
    if full {
        // What was published of it while it grew is in it now (C2SP tlog-tiles, partial tiles).
        let mut parts = path.into_os_string();
        parts.push(".p");
        match std::fs::remove_dir_all(&parts) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

/// The resources of a tree of `new` entries that one of `old` does not have, the checkpoint left out.
fn grown(old: u64, new: u64) -> impl Iterator<Item = Resource> {
    let span = |old: u64, new: u64| {
        let last = u16::try_from(new % u64::from(FULL)).unwrap_or(0);
        let full = (old / 256..new / 256).map(|n| (n, FULL));
        full.chain((last > 0 && new > old).then_some((new / 256, last)))
    };
    let entries = span(old, new).map(|(n, width)| Resource::Entries { n, width });
    let tiles = (0..6_u8).flat_map(move |level| {
        let shift = 8 * u32::from(level);
        span(old >> shift, new >> shift)
            .map(move |(n, width)| Resource::Tile { tile: TileId { level, n }, width })
    });
    entries.chain(tiles)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_grew_step_by_step_is_what_a_whole_export_has(steps in prop::collection::vec(0..700_u64, 1..12)) {
            let (mut size, mut there) = (0, BTreeSet::new());
            for step in steps {
                there.extend(grown(size, size + step).map(|r| r.to_string()));
                size += step;
                let whole = Resource::all(size).filter(|r| *r != Resource::Checkpoint).map(|r| r.to_string());
                for file in whole {
                    prop_assert!(there.contains(&file), "{} is missing at {}", file, size);
                }
            }
        }
    }
}
