//! The files of the epoch store: `00000003.epoch`, one an epoch. Replaced in one step, read as they are at any moment by
//! any number of processes, and overwritten before their blocks are given back.

use std::fs;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::Error;
use crate::base::{Entropy, Timestamp};
use crate::crypto::{self, Fingerprint, Key};

const HEAD: &str = "vouchsafe epoch 2";

/// The longest a file may be: two wrappings by the most talkative service are a tenth of it.
const MOST_BYTES: u64 = 64 * 1024;

/// Told the name of each step of a change to the folder just before it is done. A drill answers with an error, and the change
/// ends there as if the process had.
pub(super) type Step<'a> = &'a (dyn Fn(&'static str) -> io::Result<()> + Send + Sync);

/// An epoch as it lies on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EpochFile {
    pub(super) number: i64,
    pub(super) since: Timestamp,
    /// What its key is known by; files of the first form do not say.
    pub(super) known_by: Option<Fingerprint>,
    /// Its key, wrapped by each of these seals; in the first form by one without a name.
    pub(super) wraps: Vec<(Option<String>, Vec<u8>)>,
}

/// What an epoch's key is known by.
pub(super) fn known_by(number: i64, key: &Key) -> Fingerprint {
    let mut id = [0; 16];
    let (_, low) = id.split_at_mut(8);
    low.copy_from_slice(&number.to_be_bytes());
    Fingerprint::of(key.expose(), &id)
}

impl EpochFile {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let first = lines.next()?;
        if first != HEAD {
            let number = first.parse().ok()?;
            let since = Timestamp::from_micros(lines.next()?.parse().ok()?);
            let wrapped = hex::decode(lines.next()?).ok()?;
            return Some(Self { number, since, known_by: None, wraps: vec![(None, wrapped)] });
        }
        let number = lines.next()?.strip_prefix("number ")?.parse().ok()?;
        let since = Timestamp::from_micros(lines.next()?.strip_prefix("since ")?.parse().ok()?);
        let known_by = hex::decode(lines.next()?.strip_prefix("known-by ")?).ok()?;
        let mut wraps = Vec::new();
        for line in lines {
            let (id, wrapped) = line.strip_prefix("seal ")?.split_once(' ')?;
            wraps.push((Some(id.to_owned()), BASE64.decode(wrapped).ok()?));
        }
        let known_by = Some(Fingerprint::from_slice(&known_by)?);
        (!wraps.is_empty()).then_some(Self { number, since, known_by, wraps })
    }

    pub(super) fn text(&self, known_by: Fingerprint) -> String {
        let mut text =
            format!("{HEAD}\nnumber {}\nsince {}\nknown-by {known_by}\n", self.number, self.since.micros());
        for (id, wrapped) in &self.wraps {
            text.push_str(&format!("seal {} {}\n", id.as_deref().unwrap_or("-"), BASE64.encode(wrapped)));
        }
        text
    }

    /// The names of the seals it is wrapped by.
    pub(super) fn seals(&self) -> Vec<&str> {
        self.wraps.iter().filter_map(|(id, _)| id.as_deref()).collect()
    }
}

/// All epochs in the folder, and a mark that changes whenever any of them does.
pub(super) fn read_folder(folder: &Path) -> Result<(Vec<EpochFile>, [u8; 32]), Error> {
    let mut names = Vec::new();
    for file in fs::read_dir(folder).map_err(Error::Epochs)? {
        let path = file.map_err(Error::Epochs)?.path();
        if path.extension().is_some_and(|e| e == "epoch") {
            names.push(path);
        }
    }
    names.sort();
    let (mut files, mut seen) = (Vec::new(), Vec::new());
    for path in names {
        let Some(text) = read(&path)? else { continue };
        seen.extend_from_slice(&crypto::sha256(text.as_bytes()));
        files.push(EpochFile::parse(&text).ok_or(Error::Damaged)?);
    }
    Ok((files, crypto::sha256(&seen)))
}

fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::metadata(path) {
        Ok(meta) if meta.len() > MOST_BYTES => return Err(Error::Damaged),
        // Destroyed since the folder was listed.
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) if e.kind() == io::ErrorKind::InvalidData => Err(Error::Damaged),
        Err(e) => Err(Error::Epochs(e)),
    }
}

fn path_of(folder: &Path, number: i64) -> PathBuf {
    folder.join(format!("{number:08}.epoch"))
}

fn sync(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// A new file beside the final one, with a name nobody else has, whole and synced.
fn draft(folder: &Path, number: i64, text: &str, entropy: &Entropy) -> io::Result<PathBuf> {
    let path = folder.join(format!("{number:08}.epoch.{}.new", hex::encode(entropy.bytes::<8>())));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(path)
}

/// Puts a new epoch there, durably. `false` when there is one of that number already: another process was first.
pub(super) fn create(
    folder: &Path,
    number: i64,
    text: &str,
    entropy: &Entropy,
    step: Step<'_>,
) -> io::Result<bool> {
    step("create: draft")?;
    let draft = draft(folder, number, text, entropy)?;
    step("create: link")?;
    // A link fails where the name is taken; a rename would not.
    let made = match fs::hard_link(&draft, path_of(folder, number)) {
        Ok(()) => true,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => false,
        Err(e) => return Err(e),
    };
    if !made {
        wipe(&draft)?;
    }
    step("create: remove the draft")?;
    fs::remove_file(&draft)?;
    sync(folder)?;
    Ok(made)
}

/// Puts another text in the place of an epoch's, durably and in one step; the bytes that were there are overwritten.
pub(super) fn replace(
    folder: &Path,
    number: i64,
    text: &str,
    entropy: &Entropy,
    step: Step<'_>,
) -> io::Result<()> {
    step("replace: draft")?;
    let path = path_of(folder, number);
    let mut before = fs::OpenOptions::new().write(true).open(&path)?;
    let draft = draft(folder, number, text, entropy)?;
    step("replace: rename")?;
    fs::rename(&draft, &path)?;
    sync(folder)?;
    step("replace: overwrite")?;
    // Nobody finds these blocks by name any more.
    blank(&mut before)
}

/// Destroys an epoch's key: its file and every unfinished copy of it, overwritten, then removed. Again is harmless.
pub(super) fn destroy(folder: &Path, number: i64, step: Step<'_>) -> io::Result<()> {
    step("destroy: rename")?;
    let path = path_of(folder, number);
    // Out of the readers' sight first: none of them must find a file half overwritten.
    match fs::rename(&path, path.with_extension("epoch.dead")) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => sync(folder)?,
    }
    let remains = format!("{number:08}.epoch.");
    for file in fs::read_dir(folder)? {
        let file = file?;
        if file.file_name().to_string_lossy().starts_with(&remains) {
            step("destroy: overwrite")?;
            wipe(&file.path())?;
            step("destroy: remove")?;
            fs::remove_file(file.path())?;
        }
    }
    sync(folder)
}

/// Clears away what changes that were cut short left beside the epochs. For whoever has the turn at changing them: nobody
/// else has a draft then.
pub(super) fn sweep(folder: &Path) -> io::Result<()> {
    let mut swept = false;
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|e| e == "new" || e == "dead") {
            // A draft may be the epoch itself under a second name, when only its removal was cut short.
            let linked = fs::metadata(&path)?.nlink() > 1;
            if !linked {
                wipe(&path)?;
            }
            fs::remove_file(&path)?;
            swept = true;
        }
    }
    if swept { sync(folder) } else { Ok(()) }
}

fn wipe(path: &Path) -> io::Result<()> {
    blank(&mut fs::OpenOptions::new().write(true).open(path)?)
}

/// Overwrites a file with zeroes: a file system may keep freed blocks for long.
fn blank(file: &mut fs::File) -> io::Result<()> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&vec![0; length])?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ON: Step<'static> = &|_| Ok(());

    fn sample() -> (EpochFile, Fingerprint) {
        let known_by = known_by(3, &Key::from_bytes([7; 32]));
        let wraps = vec![
            (Some("key:0123".to_owned()), vec![1, 2, 3]),
            (Some("vault:transit/v".to_owned()), b"vault:v1:abc".to_vec()),
        ];
        let since = Timestamp::from_micros(1_790_000_000_000_000);
        (EpochFile { number: 3, since, known_by: Some(known_by), wraps }, known_by)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let (file, known_by) = sample();
        assert_eq!(EpochFile::parse(&file.text(known_by)), Some(file));
    }

    #[test]
    fn the_first_form_is_still_read() {
        let file = EpochFile::parse("4\n1790000000000000\n0a0b\n").unwrap();
        assert_eq!((file.number, file.known_by, file.wraps), (4, None, vec![(None, vec![10, 11])]));
    }

    #[test]
    fn an_epoch_is_never_put_over_another() {
        let dir = tempfile::tempdir().unwrap();
        let entropy = Entropy::system();
        assert!(create(dir.path(), 1, "mine", &entropy, ON).unwrap());
        assert!(!create(dir.path(), 1, "another's", &entropy, ON).unwrap());
        assert_eq!(fs::read_to_string(path_of(dir.path(), 1)).unwrap(), "mine");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "a draft was left");
    }

    #[test]
    fn destroying_takes_unfinished_copies_along() {
        let dir = tempfile::tempdir().unwrap();
        let entropy = Entropy::system();
        create(dir.path(), 1, "one", &entropy, ON).unwrap();
        create(dir.path(), 2, "two", &entropy, ON).unwrap();
        draft(dir.path(), 1, "a replacement cut short", &entropy).unwrap();
        fs::write(dir.path().join("00000001.epoch.dead"), "a destruction cut short").unwrap();
        destroy(dir.path(), 1, ON).unwrap();
        destroy(dir.path(), 1, ON).unwrap();
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert_eq!(left, ["00000002.epoch"]);
    }

    #[test]
    fn what_was_replaced_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path(), 1, "the old wrapping", &Entropy::system(), ON).unwrap();
        // A second name keeps the blocks in sight.
        fs::hard_link(path_of(dir.path(), 1), dir.path().join("seen")).unwrap();
        replace(dir.path(), 1, "new", &Entropy::system(), ON).unwrap();
        assert_eq!(fs::read_to_string(path_of(dir.path(), 1)).unwrap(), "new");
        assert_eq!(fs::read(dir.path().join("seen")).unwrap(), [0; 16]);
    }

    #[test]
    fn sweeping_keeps_the_epochs() {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path(), 1, "one", &Entropy::system(), ON).unwrap();
        draft(dir.path(), 2, "never finished", &Entropy::system()).unwrap();
        fs::hard_link(path_of(dir.path(), 1), dir.path().join("00000001.epoch.0123.new")).unwrap();
        fs::write(dir.path().join("00000000.epoch.dead"), "half destroyed").unwrap();
        sweep(dir.path()).unwrap();
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert_eq!(left, ["00000001.epoch"]);
        assert_eq!(fs::read_to_string(path_of(dir.path(), 1)).unwrap(), "one");
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "\\PC*", cut in any::<prop::sample::Index>()) {
            let _ = EpochFile::parse(&text);
            let (file, known_by) = sample();
            let whole = file.text(known_by);
            let at = cut.index(whole.len());
            if let Some(part) = EpochFile::parse(&whole[..at]) {
                prop_assert_eq!(part.number, 3);
                prop_assert!(part.wraps.len() <= 2);
            }
        }
    }
}
