//! What figures stand on: a whole service in a folder of its own, with one person in it.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use vouchsafe::app::{App, Setup, load_documents};
use vouchsafe::base::{Clock, Entropy, ObjectId};
use vouchsafe::blobs::{FolderSettings, Settings};
use vouchsafe::config::Config;
use vouchsafe::mail;
use vouchsafe::policy::Facts;
use vouchsafe::subjects::NewAccount;
use vouchsafe::vault::{self, NewObject, Owner, StoredObject};

use super::measure::Outcome;

/// The category pictures are stored under.
pub(crate) const CATEGORY: &str = "output-image";
const TENANT: &str = "opusflair";

/// Where a figure's files lie.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Where {
    /// In memory, if the machine has a file system there: for figures that count CPU.
    Memory,
    /// On a disk: for figures that are about it.
    Disk,
}

/// A folder that goes when this is dropped.
pub(crate) fn folder(at: Where) -> Outcome<TempDir> {
    let memory = Path::new("/dev/shm");
    Ok(match at {
        Where::Memory if memory.is_dir() => tempfile::tempdir_in(memory)?,
        Where::Memory | Where::Disk => tempfile::tempdir()?,
    })
}

/// A runtime as the service has one.
pub(crate) fn runtime() -> Outcome<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// A service with one person in it.
pub(crate) struct Ground {
    pub(crate) run: Runtime,
    pub(crate) app: App,
    pub(crate) owner: Owner,
    folder: TempDir,
}

impl Ground {
    pub(crate) fn new(at: Where) -> Outcome<Self> {
        Self::over(at, None)
    }

    /// Over this store of blobs, or a folder.
    pub(crate) fn over(at: Where, blobs: Option<Settings>) -> Outcome<Self> {
        let (run, folder) = (runtime()?, folder(at)?);
        let app = run.block_on(open_over(folder.path(), blobs))?;
        let account = NewAccount {
            email: "person@example.org".parse()?,
            name: "A person".to_owned(),
            username: "person".to_owned(),
        };
        let owner = run.block_on(app.subjects.open(&TENANT.parse()?, account))?;
        Ok(Self { run, app, owner, folder })
    }

    /// Where the service's files are.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Stores a picture through the front door of the vault.
    pub(crate) fn put(&self, picture: &Bytes) -> Outcome<StoredObject> {
        Ok(self.run.block_on(put(&self.app, &self.owner, picture))?)
    }

    /// Erases pictures again, so that a figure leaves as much room as it found.
    pub(crate) fn erase(&self, ids: &[ObjectId]) -> Outcome {
        for id in ids {
            let role = vouchsafe::policy::Role::Service;
            self.run.block_on(self.app.vault.erase_object(&self.owner, *id, role))?;
        }
        Ok(())
    }
}

/// Opens a service over a folder, with the documents that ship.
async fn open_over(folder: &Path, blobs: Option<Settings>) -> Outcome<App> {
    let mut config = Config::default();
    folder.clone_into(&mut config.data.folder);
    config.data.policies = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("policies");
    let documents = load_documents(&config.data.policies)?;
    let blobs = blobs.unwrap_or_else(|| Settings::Folder(FolderSettings::new(folder.join("blobs"))));
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let (mail, blobs) = (Some(mail::Settings::Recorded), Some(blobs));
    let (redrawer, logs) = (None, None);
    Ok(App::open(Setup { config, clock, entropy, documents, mail, blobs, redrawer, logs }).await?)
}

/// Stores a picture, in pieces as a network gives them.
pub(crate) async fn put(app: &App, owner: &Owner, picture: &Bytes) -> Result<StoredObject, vault::Error> {
    let new = NewObject {
        category: CATEGORY,
        media_type: "image/jpeg",
        parent: None,
        facts: Facts::new(),
        size: Some((4000, 3000)),
        most_bytes: u64::MAX,
    };
    app.vault.put_object(owner, new, pieces(picture)).await
}

/// A picture in pieces of 64 KiB.
pub(crate) fn pieces(
    picture: &Bytes,
) -> impl futures_util::Stream<Item = Result<Bytes, vault::Error>> + Send + use<> {
    const PIECE: usize = 64 << 10;
    let picture = picture.clone();
    stream::iter((0..picture.len().div_ceil(PIECE)).map(move |n| {
        let from = n * PIECE;
        Ok(picture.slice(from..picture.len().min(from + PIECE)))
    }))
}

/// Bytes that no compressor makes smaller, the same in every run.
pub(crate) fn noise(len: usize) -> Bytes {
    let mut bytes = vec![0; len];
    Entropy::seeded(len as u64).fill(&mut bytes);
    bytes.into()
}
