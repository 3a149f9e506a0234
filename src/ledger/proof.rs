//! Proofs of RFC 6962, and the file form of C2SP tlog-proof.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tlog_tiles::{Hash, check_record, check_tree, record_hash};

use super::checkpoint::LARGEST_TREE;
use super::{Checkpoint, Error, Forgery, VerifierKey};

/// No proof of a tree that fits in 63 levels is longer (C2SP tlog-witness).
const MOST_HASHES: usize = 63;
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The RFC 6962 hash of an entry: SHA-256(0x00 ‖ bytes).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    record_hash(entry)
}

/// Proof that an entry is the `index`th of a signed tree (RFC 6962 §2.1.1), with the checkpoint it leads to.
/// [`InclusionProof::to_text`] is a C2SP tlog-proof.
#[derive(Debug, Clone, PartialEq)]
pub struct InclusionProof {
    /// The entry's number, from 0.
    pub index: u64,
    /// The hashes beside the path, from the leaf's sibling upwards.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, verbatim, not yet verified.
    pub checkpoint: String,
    /// Whatever else the file carried. Authenticated by nothing.
    pub extra: Option<Vec<u8>>,
}

impl InclusionProof {
    /// Verifies that the ledger with this key signed for these entry bytes at this index.
    pub fn verify(&self, entry: &[u8], key: &VerifierKey) -> Result<Checkpoint, Error> {
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        let (index, size) = (self.index, checkpoint.size());
        if index >= size {
            return Err(Forgery::Index { index, size }.into());
        }
        if self.hashes.len() > MOST_HASHES {
            return Err(Forgery::NotIncluded.into());
        }
        check_record(&self.hashes, size, checkpoint.root(), index, leaf_hash(entry))
            .map_err(|_| Forgery::NotIncluded)?;
        Ok(checkpoint)
    }

    /// The tlog-proof text.
    pub fn to_text(&self) -> String {
        let extra =
            self.extra.as_ref().map(|e| format!("extra {}\n", STANDARD.encode(e))).unwrap_or_default();
        let hashes = lines(&self.hashes);
        format!("{HEADER}\n{extra}index {}\n{hashes}\n{}", self.index, self.checkpoint)
    }

    /// Reads a tlog-proof. The checkpoint's signature is not looked at here.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).ok_or(Error::Malformed("a C2SP tlog-proof"))
    }

    fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(HEADER)?.strip_prefix('\n')?;
        let (rest, extra) = match rest.strip_prefix("extra ") {
            Some(rest) => {
                let (line, rest) = rest.split_once('\n')?;
                (rest, Some(STANDARD.decode(line).ok()?))
            }
            None => (rest, None),
        };
        let (line, rest) = rest.strip_prefix("index ")?.split_once('\n')?;
        let index = number(line)?;
        let (hashes, checkpoint) = hash_lines(rest)?;
        Some(Self { index, hashes, checkpoint: checkpoint.to_owned(), extra })
    }
}

/// A decimal number without leading zeroes or sign, within what a tree can hold.
pub(super) fn number(line: &str) -> Option<u64> {
    let n: u64 = line.parse().ok()?;
    (n.to_string() == line && n <= LARGEST_TREE).then_some(n)
}

/// Hashes, one a line.
pub(super) fn lines(hashes: &[Hash]) -> String {
    hashes.iter().flat_map(|h| [h.to_string(), "\n".to_owned()]).collect()
}

/// Lines of hashes, an empty line, and what follows.
pub(super) fn hash_lines(text: &str) -> Option<(Vec<Hash>, &str)> {
    let mut rest = text;
    let mut hashes = Vec::new();
    loop {
        let (line, next) = rest.split_once('\n')?;
        rest = next;
        if line.is_empty() {
            return Some((hashes, rest));
        }
        if hashes.len() == MOST_HASHES {
            return None;
        }
        hashes.push(Hash::parse_hash(line).ok()?);
    }
}

/// Proof that a tree begins with all the entries of an earlier one (RFC 6962 §2.1.2).
#[derive(Debug, Clone, PartialEq)]
pub struct ConsistencyProof {
    /// Size of the earlier tree.
    pub old: u64,
    /// Size of the later tree.
    pub new: u64,
    /// The hashes.
    pub hashes: Vec<Hash>,
}

impl ConsistencyProof {
    /// Verifies it between two roots. Every tree begins with the empty one; that proof holds no hash.
    pub fn verify(&self, old_root: Hash, new_root: Hash) -> Result<(), Error> {
        let (old, new) = (self.old, self.new);
        let holds = match (old, old == new) {
            (0, _) | (_, true) => {
                let same = if old == new { old_root == new_root } else { old_root == tlog_tiles::EMPTY_HASH };
                same && self.hashes.is_empty()
            }
            _ => {
                self.hashes.len() <= MOST_HASHES
                    && new <= LARGEST_TREE
                    && check_tree(&self.hashes, new, new_root, old, old_root).is_ok()
            }
        };
        if holds { Ok(()) } else { Err(Forgery::NotConsistent { old, new }.into()) }
    }
}
