//! The ledger as files, growing with it: so that what must be done again after a restore is to be had without the
//! database that was lost.

use std::fs::File;
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
    /// The head that the folder shows.
    fn checkpoint(&self) -> PathBuf {
        self.folder.join(Resource::Checkpoint.to_string())
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
    /// before the next is written. `known` is what was published from here before: how far the folder is, when the head
    /// in it does not open.
    pub(super) async fn publish(&self, head: &Checkpoint, known: u64) -> Result<(), Error> {
        let Some(folder) = self.folder().map(Path::to_owned) else { return Ok(()) };
        let old = match self.shown().await? {
            Shown::Head(newer) if newer.size() > head.size() => {
                // Another replica was quicker: its head is in the database that we share, and holds this one. If it is
                // not, the database is from before.
                let held = self.held().await?;
                let behind = Error::Behind { known: newer.size(), held };
                return if held < newer.size() { Err(behind) } else { self.extends(&newer, head).await };
            }
            Shown::Head(same) => same.size(),
            Shown::Rotten(_) => known.min(head.size()),
            Shown::Nothing => 0,
        };
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
        put(&folder, fresh).await?;
        self.put_head(&folder, head).await
    }

    /// Writes the head, unless a newer one stands there meanwhile. Of two replicas with one folder, one writes at a time.
    async fn put_head(&self, folder: &Path, head: &Checkpoint) -> Result<(), Error> {
        let (folder, head, key) = (folder.to_owned(), head.clone(), self.0.key.verifier().clone());
        blocking(move || {
            make_folders(&folder)?;
            let turn = File::open(&folder)?;
            // A file system that knows no locks is one that replicas do not share.
            let _no_locks_there = turn.lock();
            let there = std::fs::read_to_string(folder.join(Resource::Checkpoint.to_string()));
            let there = there.ok().and_then(|note| Checkpoint::open(&note, &key).ok());
            if there.is_some_and(|newer| newer.size() > head.size()) {
                return Ok(());
            }
            put_one(&folder, Resource::Checkpoint, head.note().as_bytes())
        })
        .await
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

    /// The head that is published, if there is one that opens.
    async fn published(&self) -> Result<Option<Checkpoint>, Error> {
        match self.shown().await? {
            Shown::Head(head) => Ok(Some(head)),
            Shown::Rotten(_) | Shown::Nothing => Ok(None),
        }
    }

    /// What the folder has for a head. That of another ledger is an error: then it is another ledger's folder.
    pub(super) async fn shown(&self) -> Result<Shown, Error> {
        let Some(path) = self.0.published.as_ref().map(Published::checkpoint) else {
            return Ok(Shown::Nothing);
        };
        let bytes = blocking(move || match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        });
        let Some(bytes) = bytes.await? else { return Ok(Shown::Nothing) };
        match Checkpoint::open(&String::from_utf8_lossy(&bytes), self.0.key.verifier()) {
            Ok(head) => Ok(Shown::Head(head)),
            Err(e @ Error::Forged(Forgery::OtherLedger { .. })) => Err(e),
            Err(e) => Ok(Shown::Rotten(e)),
        }
    }
}

/// What stands where the published head belongs.
pub(super) enum Shown {
    /// Nothing was published yet.
    Nothing,
    /// Something that does not open, and why.
    Rotten(Error),
    /// A head that this ledger signed.
    Head(Checkpoint),
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
        make_folders(parent)?;
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
    use crate::base::{Clock, Entropy, Secret};
    use crate::ledger::entry::tests::at;
    use crate::ledger::{Entry, EntryKind, SignerKey};
    use crate::store::{Db, MAIN, SqliteSettings};

    /// A replica over a database, with a state file of its own and the folder that all share.
    async fn replica(home: &Path, db: &str, name: &str) -> Ledger {
        let settings = SqliteSettings { path: &home.join(db), readers: 1 };
        let db = Db::sqlite(settings, &MAIN).await.unwrap();
        let key = SignerKey::ledger("example.org/ledger", &Secret::new([1; 32])).unwrap();
        let published = Published { folder: home.join("log"), kept: Vec::new() };
        let (clock, _) = Clock::manual(at());
        let file = home.join(name);
        Ledger::open_published(db, key, clock, Entropy::system(), file, Some(published)).await.unwrap()
    }

    async fn write(ledger: &Ledger, entries: usize) -> Checkpoint {
        let mut tx = ledger.0.db.begin().await.unwrap();
        for _ in 0..entries {
            let entry = Entry::house(EntryKind::BACKUP_TAKEN, at(), "service");
            ledger.append(&mut tx, entry).await.unwrap();
        }
        tx.commit().await.unwrap();
        ledger.sequence().await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn whoever_publishes_after_a_quicker_replica_is_not_behind() {
        let dir = tempfile::tempdir().unwrap();
        let a = replica(dir.path(), "db", "a").await;
        let head = write(&a, 100).await;
        let b = replica(dir.path(), "db", "b").await;
        let newer = write(&b, 10).await;
        a.publish(&head, 100).await.unwrap();
        // And one that looked before the quicker one wrote, and writes after it.
        a.put_head(&dir.path().join("log"), &head).await.unwrap();
        assert_eq!(a.published().await.unwrap(), Some(newer), "and nothing goes back");
        assert!(a.is_folder_sound(&dir.path().join("log")).await.unwrap());

        // The control: what another database signed is not in this one.
        let alone = replica(dir.path(), "other", "a").await;
        assert!(matches!(alone.publish(&head, 0).await, Err(Error::Behind { known: 110, held: 0 })));
    }

    #[tokio::test]
    async fn a_rotten_head_in_the_folder_is_written_anew_and_stops_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = replica(dir.path(), "db", "a").await;
        let (file, folder) = (dir.path().join("log/checkpoint"), dir.path().join("log"));
        write(&ledger, 300).await;
        let mut rotten = std::fs::read(&file).unwrap();
        let last = rotten.len() - 10;
        rotten[last] = 0xff;
        std::fs::write(&file, &rotten).unwrap();
        let head = write(&ledger, 3).await;
        assert_eq!(ledger.published().await.unwrap(), Some(head));
        assert!(ledger.is_folder_sound(&folder).await.unwrap());

        std::fs::write(&file, &rotten).unwrap();
        let ledger = replica(dir.path(), "db", "a").await;
        let mended = ledger.mend_folder().await.unwrap();
        assert_eq!((mended.size, mended.files), (303, 1), "nor does it stop a start");
        assert!(ledger.is_folder_sound(&folder).await.unwrap());

        std::fs::write(&file, &rotten).unwrap();
        std::fs::remove_file(dir.path().join("a")).unwrap();
        let (clock, _) = Clock::manual(at());
        let published = Published { folder, kept: Vec::new() };
        let (db, key) = (ledger.0.db.clone(), ledger.0.key.clone());
        let file = dir.path().join("a");
        let refused = Ledger::open_published(db, key, clock, Entropy::system(), file, Some(published)).await;
        assert!(refused.is_err(), "where nothing else remembers a head, it must not be passed over");
    }

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
