//! A collection on a disk. Its owner alone can enter; the manifest is written last, so that a folder without one is
//! known for a part.

use std::io;
use std::path::{Path, PathBuf};

use super::Error;
use crate::keystore::make_folder;

/// What the collection is.
pub const MANIFEST: &str = "manifest.json";
/// The signature over it.
pub const SIGNATURE: &str = "manifest.sig";
/// A person's pictures and words, one a line.
pub const SAMPLES: &str = "samples.jsonl";
/// Where people's folders lie.
const PEOPLE: &str = "people";

/// The folder of a collection that is being made.
pub(super) struct Folder {
    path: PathBuf,
    /// Whether it was there before.
    found: bool,
}

impl Folder {
    /// Makes it, or takes one that is empty.
    pub(super) async fn make(path: &Path) -> Result<Self, Error> {
        let at = path.to_owned();
        let made = move || {
            let found = match std::fs::read_dir(&at) {
                Ok(mut entries) => match entries.next() {
                    None => true,
                    Some(_) => return Ok(None),
                },
                Err(e) if e.kind() == io::ErrorKind::NotFound => false,
                Err(e) => return Err(e),
            };
            make_folder(&at.join(PEOPLE))?;
            Ok(Some(found))
        };
        let failed = |e| Error::Folder(path.to_owned(), e);
        match blocking(made).await.map_err(failed)? {
            Some(found) => Ok(Self { path: path.to_owned(), found }),
            None => Err(Error::NotEmpty(path.to_owned())),
        }
    }

    /// The folder of one person, made.
    pub(super) async fn person(&self, pseudonym: &str) -> Result<PathBuf, Error> {
        let place = self.place(pseudonym);
        let made = place.clone();
        blocking(move || make_folder(&made)).await.map_err(|e| Error::Folder(place.clone(), e))?;
        Ok(place)
    }

    /// Takes one person's folder away, with all in it.
    pub(super) async fn drop_person(&self, pseudonym: &str) -> Result<(), Error> {
        let place = self.place(pseudonym);
        match tokio::fs::remove_dir_all(&place).await {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::Folder(place, e)),
            _ => Ok(()),
        }
    }

    fn place(&self, pseudonym: &str) -> PathBuf {
        self.path.join(PEOPLE).join(pseudonym)
    }

    /// Writes a file at the top.
    pub(super) async fn write(&self, name: &str, bytes: Vec<u8>) -> Result<(), Error> {
        write(&self.path, name, bytes).await
    }

    /// Takes everything away again, and the folder too if it was not there before.
    pub(super) async fn clear(self) {
        let cleared = async {
            if !self.found {
                return tokio::fs::remove_dir_all(&self.path).await;
            }
            for name in [MANIFEST, SIGNATURE] {
                let _not_written = tokio::fs::remove_file(self.path.join(name)).await;
            }
            tokio::fs::remove_dir_all(self.path.join(PEOPLE)).await
        };
        if cleared.await.is_err() {
            tracing::error!("a part of a collection for training could not be removed");
        }
    }
}

/// Writes a file, on the disk when this returns.
pub(super) async fn write(folder: &Path, name: &str, bytes: Vec<u8>) -> Result<(), Error> {
    let path = folder.join(name);
    let to = path.clone();
    let written = move || {
        let mut file = std::fs::File::create_new(&to)?;
        io::Write::write_all(&mut file, &bytes)?;
        file.sync_all()
    };
    blocking(written).await.map_err(|e| Error::Folder(path, e))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
