//! Files that hold one key each, and the folders they lie in: made so that a power cut leaves them whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// Writes a new file, mode 0600. When this returns, its bytes and its name are on the disk; cut off before, there is no
/// such file, never half of one. Fails where the name is taken.
pub fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    draft.write_all(text.as_bytes())?;
    draft.as_file().sync_all()?;
    draft.persist_noclobber(path).map_err(|e| e.error)?;
    File::open(folder)?.sync_all()
}

/// Makes a folder that only its owner can enter, and those above it, where they are missing; each one's name is on the
/// disk when this returns.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    let above = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        // Made by a process that was cut off before it could see to the name, perhaps; what is above it is not always
        // ours to open.
        let _not_ours = File::open(above).and_then(|a| a.sync_all());
        return Ok(());
    }
    if above != folder {
        make_folder(above)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
        _ => File::open(above)?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_never_put_over_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/seal.key");
        make_folder(path.parent().unwrap()).unwrap();
        write_new(&path, "mine").unwrap();
        assert!(write_new(&path, "another's").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(dir.path().join("a")).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "a draft was left");
    }
}
