//! A small file that outlives the database: it remembers what was signed.

use std::fs;
use std::io;
use std::path::Path;

use crate::store::write_durably;

/// The file's text; none if there is no such file.
pub(super) fn read(file: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Replaces the file's text, durably.
pub(super) fn write(file: &Path, text: &str) -> io::Result<()> {
    write_durably(file, text.as_bytes())
}
