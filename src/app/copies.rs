//! Copies of databases, while a backup is made of them.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// How the name of a copy of a database begins while a backup is made of it, in the data folder.
pub const COPY: &str = ".vouchsafe-copy-";

/// Removes copies that a backup left which was killed. One that is being made is locked.
pub(super) fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_copy = path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with(COPY));
        if is_copy && File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            match fs::remove_file(&path) {
                // Another that starts was quicker.
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
    }
    Ok(())
}
