//! A disk that can lose its power, fill up, and stop a process: `disk.c`, loaded before the service's C library.
//!
//! What it models: of a file, the bytes as they were when it was last synced; of a folder, the names as they were when
//! that was. A loss of power leaves nothing else, or, by a coin for each file and folder, the state it was in when the
//! power went. Stricter than most file systems, which keep a name along with a synced file. Not modelled: half a sector,
//! writes of one file that overtake each other.

use std::fs;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;
use vouchsafe::base::Entropy;

use super::Chance;
use crate::support::source;

/// The numbers that `disk.c` shares with us, by their place.
const ROOM: u64 = 0;
const DEATH_BY_SYNC: u64 = 1;
const DEATH_BY_CHANGE: u64 = 2;
const SYNCS: u64 = 3;
const CHANGES: u64 = 4;

/// When the process is to be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    /// Just before its n-th sync from now.
    BySync(i64),
    /// Just before its n-th write, sync, cut, removal or renaming from now.
    ByChange(i64),
}

/// What a loss of power leaves of what was not synced.
#[derive(Debug, Clone, Copy)]
pub(super) enum Leaves<'a> {
    /// Nothing.
    Nothing,
    /// Each file and each folder's names by a coin.
    Some(&'a Chance),
}

/// The disk.
pub(super) struct Disk {
    ground: TempDir,
    control: fs::File,
    forgets: Option<&'static str>,
}

impl Disk {
    /// An empty one, in memory where there is such a place: what a sync costs is not what is tested.
    pub(super) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let ground =
            if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        fs::create_dir(ground.path().join("disk")).unwrap();
        let numbers = [-1, -1, -1, 0, 0_i64].map(i64::to_ne_bytes).concat();
        fs::write(ground.path().join("control"), numbers).unwrap();
        let control = fs::File::options().read(true).write(true).open(ground.path().join("control")).unwrap();
        let disk = Self { ground, control, forgets: None };
        disk.adopt();
        disk
    }

    /// The control: answers syncs of what has this in its path, and does not do them. So does a program that never asks.
    pub(super) fn forgetting(what: &'static str) -> Self {
        Self { forgets: Some(what), ..Self::new() }
    }

    /// What lies on it.
    pub(super) fn root(&self) -> PathBuf {
        self.ground.path().join("disk")
    }

    fn shadow(&self) -> PathBuf {
        self.ground.path().join("shadow")
    }

    /// Puts a program on this disk.
    pub(super) fn under(&self, command: &mut tokio::process::Command) {
        command
            .env("LD_PRELOAD", library())
            .env("OUTAGE_ROOT", self.root())
            .env("OUTAGE_SHADOW", self.shadow())
            .env("OUTAGE_CONTROL", self.ground.path().join("control"));
        if let Some(forgets) = self.forgets {
            command.env("OUTAGE_FORGETS", forgets);
        }
    }

    fn set(&self, place: u64, number: i64) {
        self.control.write_all_at(&number.to_ne_bytes(), place * 8).unwrap();
    }

    fn number(&self, place: u64) -> i64 {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, place * 8).unwrap();
        i64::from_ne_bytes(bytes)
    }

    /// Leaves room for so many bytes; `None`, for all.
    pub(super) fn room(&self, bytes: Option<i64>) {
        self.set(ROOM, bytes.unwrap_or(-1));
    }

    /// Stops the process at one of its next calls; `None`, not.
    pub(super) fn stop_at(&self, death: Option<Death>) {
        self.set(DEATH_BY_SYNC, if let Some(Death::BySync(n)) = death { n } else { -1 });
        self.set(DEATH_BY_CHANGE, if let Some(Death::ByChange(n)) = death { n } else { -1 });
    }

    /// Syncs and changes so far.
    pub(super) fn counted(&self) -> (i64, i64) {
        (self.number(SYNCS), self.number(CHANGES))
    }

    /// The power goes and comes back; the process must be gone already.
    pub(super) fn lose_power(&self, leaves: Leaves<'_>) {
        let fresh = self.ground.path().join("after");
        fs::create_dir(&fresh).unwrap();
        self.restore(&self.root(), &fresh, leaves).unwrap();
        fs::remove_dir_all(self.root()).unwrap();
        fs::rename(&fresh, self.root()).unwrap();
        self.stop_at(None);
        self.room(None);
        self.adopt();
    }

    /// Everything that lies on the disk now is what survives: it was there before the power came.
    fn adopt(&self) {
        let shadow = self.shadow();
        if shadow.is_dir() {
            fs::remove_dir_all(&shadow).unwrap();
        }
        for kind in ["f", "d", "t"] {
            fs::create_dir_all(shadow.join(kind)).unwrap();
        }
        self.adopt_folder(&self.root()).unwrap();
    }

    fn adopt_folder(&self, folder: &Path) -> io::Result<()> {
        let mut names = String::new();
        for entry in fs::read_dir(folder)? {
            let (path, meta) = (entry.as_ref().unwrap().path(), entry?.metadata()?);
            let name = path.file_name().unwrap().to_str().unwrap();
            let kind = if meta.is_dir() { 'd' } else { 'f' };
            names += &format!("{kind} {:o} {} {name}\n", meta.mode() & 0o7777, key_of(&meta));
            if meta.is_dir() {
                self.adopt_folder(&path)?;
            } else {
                fs::copy(&path, self.shadow().join("f").join(key_of(&meta)))?;
            }
        }
        fs::write(self.shadow().join("d").join(key_of(&fs::metadata(folder)?)), names)
    }

    /// What survives of a folder, put into `to`. A folder that was never synced is empty, a file that never was, too.
    fn restore(&self, from: &Path, to: &Path, leaves: Leaves<'_>) -> io::Result<()> {
        let key = key_of(&fs::metadata(from)?);
        self.restore_as(&key, Some(from), to, leaves)
    }

    fn restore_as(&self, key: &str, now: Option<&Path>, to: &Path, leaves: Leaves<'_>) -> io::Result<()> {
        let as_it_was = || matches!(leaves, Leaves::Some(chance) if chance.below(2) == 0);
        let kept = fs::read_to_string(self.shadow().join("d").join(key)).unwrap_or_default();
        let names = match now {
            Some(now) if as_it_was() => listing(now)?,
            _ => kept,
        };
        let here = now.map(keys_in).transpose()?.unwrap_or_default();
        for line in names.lines() {
            let mut parts = line.splitn(4, ' ');
            let mut next = || parts.next().unwrap();
            let (kind, mode, child, name) = (next(), next(), next(), next());
            let (path, mode) = (to.join(name), u32::from_str_radix(mode, 8).unwrap());
            // The same file or folder as it is now, under whatever name, if it still is.
            let now = here.iter().find(|(known, _)| known == child).map(|(_, path)| path.clone());
            if kind == "d" {
                fs::create_dir(&path)?;
                fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
                self.restore_as(child, now.as_deref(), &path, leaves)?;
                continue;
            }
            match now {
                Some(now) if as_it_was() => fs::copy(now, &path).map(|_| ())?,
                _ => match fs::copy(self.shadow().join("f").join(child), &path) {
                    Err(e) if e.kind() == io::ErrorKind::NotFound => fs::write(&path, "")?,
                    copied => copied.map(|_| ())?,
                },
            }
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    }
}

/// By what a file is known whatever its name: as `key_of` in `disk.c`.
fn key_of(meta: &fs::Metadata) -> String {
    let born = meta.created().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{}-{}.{}", meta.ino(), born.as_secs(), born.subsec_nanos())
}

fn keys_in(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = fs::read_dir(folder)?;
    entries.map(|e| e.and_then(|e| Ok((key_of(&e.metadata()?), e.path())))).collect()
}

fn listing(folder: &Path) -> io::Result<String> {
    let mut names = String::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        let kind = if meta.is_dir() { 'd' } else { 'f' };
        let name = entry.file_name().into_string().unwrap();
        names += &format!("{kind} {:o} {} {name}\n", meta.mode() & 0o7777, key_of(&meta));
    }
    Ok(names)
}

/// `disk.c`, compiled once a run by the compiler that links Rust programs too.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let draft = folder.join(format!("disk-{}.so", hex::encode(Entropy::system().bytes::<6>())));
        let built = Command::new("cc")
            .args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o"])
            .arg(&draft)
            .arg(source::root().join("tests/outage/disk.c"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        // One name for all runs; whoever has the one before loaded keeps it.
        let library = folder.join("disk.so");
        fs::rename(draft, &library).unwrap();
        library
    })
}
