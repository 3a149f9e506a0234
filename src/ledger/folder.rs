//! Verifying a whole ledger that somebody exported, with nothing but its files and a key.

use std::fmt;
use std::io;
use std::path::Path;

use tlog_tiles::Hash;

use super::resource::{FULL, Resource};
use super::tree::{TileId, Tree};
use super::{Checkpoint, ConsistencyProof, Error, Forgery, Leaf, VerifierKey, bundle, leaf_hash, tree};

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An entry is gone.
    EntryMissing {
        /// Its number.
        seq: u64,
    },
    /// An entry's bytes are not those that were hashed when it was taken in.
    EntryAltered {
        /// Its number.
        seq: u64,
    },
    /// The columns of an entry's row say other than its bytes.
    ColumnsDiffer {
        /// Its number.
        seq: u64,
    },
    /// A tile of hashes is missing or wrong.
    TileWrong {
        /// Which tile.
        tile: TileId,
    },
    /// The entries do not hash to the root that was signed at this size.
    RootDiffers {
        /// The size.
        size: u64,
    },
    /// A stored checkpoint is missing, unreadable, or not signed by this ledger's key.
    CheckpointBad {
        /// Its size.
        size: u64,
    },
    /// There is something beyond the end of the signed tree.
    Beyond {
        /// The size of the signed tree.
        size: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EntryMissing { seq } => write!(f, "entry {seq} is missing"),
            Self::EntryAltered { seq } => write!(f, "entry {seq} was altered"),
            Self::ColumnsDiffer { seq } => write!(f, "the row of entry {seq} says other than the entry"),
            Self::TileWrong { tile } => {
                write!(f, "tile {} of level {} is missing or wrong", tile.n, tile.level)
            }
            Self::RootDiffers { size } => {
                write!(
                    f,
                    "the first {size} entries are not those that the checkpoint at {size} was signed for"
                )
            }
            Self::CheckpointBad { size } => write!(f, "the checkpoint at {size} is missing or not ours"),
            Self::Beyond { size } => {
                write!(f, "there is something beyond the {size} entries that were signed for")
            }
        }
    }
}

/// What checking a ledger found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Entries in the signed tree.
    pub size: u64,
    /// The signed root.
    pub root: Hash,
    /// Entries read and hashed.
    pub entries: u64,
    /// Tiles compared.
    pub tiles: u64,
    /// Signed checkpoints verified.
    pub checkpoints: u64,
    /// What is wrong, at most a hundred faults; empty when all is well.
    pub faults: Vec<Fault>,
}

impl Report {
    pub(super) fn new(head: &Checkpoint) -> Self {
        let (size, root) = (head.size(), head.root());
        Self { size, root, entries: 0, tiles: 0, checkpoints: 0, faults: Vec::new() }
    }

    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        if self.faults.len() < 100 && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }
}

/// Verifies a ledger folder: signature, every entry, every tile, the root; and, when an `earlier` checkpoint of the same
/// ledger is given, that its entries are still the beginning. `read` gives a file's bytes by its path in the folder.
pub fn verify(
    read: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>,
    key: &VerifierKey,
    earlier: Option<&Checkpoint>,
) -> Result<Report, Error> {
    let head = read(&Resource::Checkpoint.to_string()).map_err(Error::StateFile)?.ok_or(Error::NotFound)?;
    let head = String::from_utf8(head).map_err(|_| Error::Malformed("a signed checkpoint"))?;
    let head = Checkpoint::open(&head, key)?;
    let mut report = Report::new(&head);
    report.checkpoints = 1;
    let mut tree = Tree::of(0);
    while tree.size() < head.size() {
        let before = tree.size();
        if !take_bundle(read, &mut tree, &head, &mut report)? {
            report.fault(Fault::EntryMissing { seq: before });
            return Ok(report);
        }
        if let Some(earlier) = earlier.filter(|e| (before..tree.size()).contains(&e.size())) {
            check_earlier(&tree, earlier)?;
        }
        for (tile, hashes) in tree.take_full() {
            check_tile(read, tile, &hashes, &mut report)?;
        }
    }
    if tree.root(head.size())? != head.root() {
        report.fault(Fault::RootDiffers { size: head.size() });
    }
    for (tile, hashes) in tree.into_tiles() {
        check_tile(read, tile, &hashes, &mut report)?;
    }
    match earlier {
        Some(e) if e.size() > head.size() => Err(Error::Behind { known: e.size(), held: head.size() }),
        Some(e) if e.size() == head.size() && e.root() != head.root() => {
            Err(Forgery::NotConsistent { old: e.size(), new: head.size() }.into())
        }
        _ => Ok(report),
    }
}

fn check_earlier(tree: &Tree, earlier: &Checkpoint) -> Result<(), Error> {
    if tree.root(earlier.size())? == earlier.root() {
        Ok(())
    } else {
        Err(Forgery::NotConsistent { old: earlier.size(), new: tree.size() }.into())
    }
}

fn take_bundle(
    read: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>,
    tree: &mut Tree,
    head: &Checkpoint,
    report: &mut Report,
) -> Result<bool, Error> {
    let n = tree.size() / u64::from(FULL);
    let width = TileId { level: 0, n }.width_in(head.size());
    let Some(bytes) = read(&Resource::Entries { n, width }.to_string()).map_err(Error::StateFile)? else {
        return Ok(false);
    };
    let entries = bundle::read(&bytes)?;
    if entries.len() != usize::from(width) {
        return Ok(false);
    }
    let tile = Resource::Tile { tile: TileId { level: 0, n }, width };
    let hashes = read(&tile.to_string()).map_err(Error::StateFile)?.unwrap_or_default();
    for (i, entry) in entries.into_iter().enumerate() {
        let hash = leaf_hash(entry);
        let stored = hashes.get(i * 32..i * 32 + 32);
        if stored.is_some_and(|s| s != hash.0) || Leaf::parse(entry).is_err() {
            report.fault(Fault::EntryAltered { seq: tree.size() });
        }
        tree.push(hash)?;
        report.entries += 1;
    }
    Ok(true)
}

fn check_tile(
    read: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>,
    tile: TileId,
    hashes: &[u8],
    report: &mut Report,
) -> Result<(), Error> {
    let width = u16::try_from(hashes.len() / 32).unwrap_or(FULL);
    let stored = read(&Resource::Tile { tile, width }.to_string()).map_err(Error::StateFile)?;
    report.tiles += 1;
    if stored.is_none_or(|s| s != hashes) {
        report.fault(Fault::TileWrong { tile });
    }
    Ok(())
}

/// Verifies a folder on disk, as [`verify`] does.
pub fn verify_folder(
    folder: &Path,
    key: &VerifierKey,
    earlier: Option<&Checkpoint>,
) -> Result<Report, Error> {
    verify(&mut |path| read_file(folder, path), key, earlier)
}

/// A file of a ledger folder; none if it is not there. Longer than any resource can be is an error.
pub(super) fn read_file(folder: &Path, path: &str) -> io::Result<Option<Vec<u8>>> {
    use std::io::Read as _;
    let file = match std::fs::File::open(folder.join(path)) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut bytes = Vec::new();
    file.take(32 << 20).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// The proof, out of a ledger folder's tiles, that its tree begins with the first `old` entries.
pub fn consistency_of_folder(folder: &Path, old: u64, new: u64) -> Result<ConsistencyProof, Error> {
    let mut held = Tree::of(new);
    if old == 0 || old > new {
        return Ok(ConsistencyProof { old, new, hashes: Vec::new() });
    }
    for id in tree::for_consistency(old, new) {
        let resource = Resource::Tile { tile: id, width: id.width_in(new) };
        let hashes = read_file(folder, &resource.to_string()).map_err(Error::StateFile)?;
        if !held.hold(id, hashes.ok_or(Error::NotFound)?) {
            return Err(Error::Malformed("a tile"));
        }
    }
    held.consistency(old, new)
}
