//! The few system calls on which durability rests, each by its name, so that their order can be tested.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use bytes::Bytes;
use tempfile::NamedTempFile;

use crate::blobs::error::Error;

/// Writes the chunks at the end of the file.
pub(super) fn write(file: &mut NamedTempFile, chunks: &[Bytes]) -> Result<(), Error> {
    note("write");
    chunks.iter().try_for_each(|c| file.write_all(c)).map_err(|e| Error::io("write", &e))
}

/// Waits until the file's bytes and length are on the disk.
pub(super) fn sync_file(file: &File) -> Result<(), Error> {
    note("sync file");
    file.sync_all().map_err(|e| Error::io("sync a file", &e))
}

/// Gives the file its name, unless the name is taken.
pub(super) fn rename_new(file: NamedTempFile, to: &Path) -> Result<File, Error> {
    note("rename");
    file.persist_noclobber(to).map_err(|e| Error::io("name a file", &e.error))
}

/// Removes a name; says whether it was there.
pub(super) fn unlink(path: &Path) -> Result<bool, Error> {
    note("unlink");
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(Error::io("delete a file", &e)),
    }
}

/// Waits until the names in a folder are on the disk.
pub(super) fn sync_dir(dir: &Path) -> Result<(), Error> {
    note("sync folder");
    File::open(dir).and_then(|d| d.sync_all()).map_err(|e| Error::io("sync a folder", &e))
}

/// Waits until everything written to the file system of `dir` so far is on the disk.
#[cfg(target_os = "linux")]
pub(super) fn sync_file_system(dir: &Path) -> Result<(), Error> {
    note("sync file system");
    let dir = File::open(dir).map_err(|e| Error::io("sync the disk", &e))?;
    rustix::fs::syncfs(dir).map_err(|e| Error::io("sync the disk", &e.into()))
}

/// The same where there is no such call: every shard on its own.
#[cfg(not(target_os = "linux"))]
pub(super) fn sync_file_system(dir: &Path) -> Result<(), Error> {
    let failed = |e| Error::io("sync the disk", &e);
    for shard in std::fs::read_dir(dir).map_err(failed)? {
        sync_dir(&shard.map_err(failed)?.path())?;
    }
    Ok(())
}

/// Bytes of the file system that may still be written.
pub(super) fn free(dir: &Path) -> Result<u64, Error> {
    let stat = rustix::fs::statvfs(dir).map_err(|e| Error::io("measure the disk", &e.into()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(test))]
fn note(_: &'static str) {}

#[cfg(test)]
fn note(call: &'static str) {
    trace::CALLS.with_borrow_mut(|calls| calls.push(call));
}

/// What this thread has called, for the tests of the order.
#[cfg(test)]
pub(super) mod trace {
    use std::cell::RefCell;

    thread_local! {
        pub(super) static CALLS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    }

    /// The calls since the last time this was asked.
    pub(in crate::blobs) fn take() -> Vec<&'static str> {
        CALLS.take()
    }
}
