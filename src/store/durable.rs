//! Files whose replacement survives a power cut.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// How the name of a file that is being written begins and ends.
const UNFINISHED: (&str, &str) = (".ledger-", ".new");

/// Replaces a file's bytes so that a crash leaves the old or the new, and an answer means that the new is on disk.
pub(crate) fn write_durably(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A name of its own: two processes may write the same file at once, and neither may rename the other's half. Who may
    // read it is for the folder and the umask to say, as of any file: nothing in it is secret.
    let mut fresh = tempfile::Builder::new();
    fresh.prefix(UNFINISHED.0).suffix(UNFINISHED.1).permissions(Permissions::from_mode(0o666));
    let mut fresh = fresh.tempfile_in(folder)?;
    fresh.write_all(bytes)?;
    fresh.as_file().sync_all()?;
    fresh.persist(file)?;
    File::open(folder)?.sync_all()
}

/// Makes a folder and those above it, each of them durable: a file that was synced is of no use in a folder that was not.
pub(crate) fn make_folders(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|f| !f.as_os_str().is_empty() && !f.exists()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    for made in missing {
        let above = made.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(above)?.sync_all()?;
    }
    Ok(())
}
