//! A small file that outlives the database: it remembers what was signed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// The file's text; none if there is no such file.
pub(super) fn read(file: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Replaces the file's text so that a crash leaves the old or the new, and an answer means that the new is on disk.
pub(super) fn write(file: &Path, text: &str) -> io::Result<()> {
    write_bytes(file, text.as_bytes())
}

/// As [`write()`].
pub(super) fn write_bytes(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = folder.join(name);
    let mut out = File::create(&fresh)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    fs::rename(&fresh, file)?;
    File::open(folder)?.sync_all()
}
