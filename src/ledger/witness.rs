//! A witness: somebody who has seen a ledger's head, remembers it, and cosigns the next one only if it contains
//! everything seen before (C2SP tlog-witness, tlog-cosignature). Pure steps and one small file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tlog_tiles::Hash;

use super::opening::base64_32;
use super::proof::{hash_lines, lines, number};
use super::{Checkpoint, ConsistencyProof, Error, SignerKey, VerifierKey, state};
use crate::base::Timestamp;

/// A request to cosign: the body of `POST add-checkpoint`.
#[derive(Debug, Clone, PartialEq)]
pub struct AddCheckpoint {
    /// The size that the caller believes the witness has seen.
    pub old: u64,
    /// The proof from there to the checkpoint.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

impl AddCheckpoint {
    /// Reads a body.
    pub fn parse(body: &str) -> Result<Self, Error> {
        let read = || {
            let (old, rest) = body.strip_prefix("old ")?.split_once('\n')?;
            let (hashes, checkpoint) = hash_lines(rest)?;
            Some(Self { old: number(old)?, hashes, checkpoint: checkpoint.to_owned() })
        };
        read().ok_or(Error::Malformed("a C2SP add-checkpoint request"))
    }

    /// Writes a body.
    pub fn to_text(&self) -> String {
        format!("old {}\n{}\n{}", self.old, lines(&self.hashes), self.checkpoint)
    }
}

/// The newest head a witness has cosigned for a ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    size: u64,
    #[serde(with = "base64_32")]
    root: [u8; 32],
    /// The head itself, with the witness's signature: what it can show for what it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Seen {
    /// Its size.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The head with the witness's signature; none if it was signed before that was kept.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

/// Why a witness does not cosign. Each is a status of C2SP tlog-witness.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// 404: not a ledger this witness follows.
    #[error("this witness does not follow that ledger")]
    UnknownLedger,
    /// 403: not signed by the ledger's key.
    #[error("the checkpoint is not signed by the ledger's key")]
    NotSigned,
    /// 400: the body cannot be read, or the old size is above the new one.
    #[error("the request cannot be read")]
    Malformed,
    /// 409 with this size as body: the witness has seen another head than the caller believes.
    #[error("the newest head seen here has {0} entries")]
    Conflict(u64),
    /// 422: the new head does not contain the old one. Evidence of a rewritten history: keep the request.
    #[error("the ledger does not contain what this witness saw before: its history was rewritten")]
    Rewritten,
    /// The state file cannot be written: nothing was signed.
    #[error("the witness cannot remember what it saw, so it does not sign")]
    Forgetful(#[source] Error),
}

impl Refusal {
    /// The HTTP status of C2SP tlog-witness.
    pub fn status(&self) -> u16 {
        match self {
            Self::UnknownLedger => 404,
            Self::NotSigned => 403,
            Self::Malformed => 400,
            Self::Conflict(_) => 409,
            Self::Rewritten => 422,
            Self::Forgetful(_) => 503,
        }
    }
}

/// Looks at a request, given what was seen before. Pure: signs nothing, remembers nothing.
pub fn examine(
    seen: Option<&Seen>,
    request: &AddCheckpoint,
    ledger: &VerifierKey,
) -> Result<(Checkpoint, Seen), Refusal> {
    let checkpoint = Checkpoint::open(&request.checkpoint, ledger).map_err(|e| match e {
        Error::Forged(super::Forgery::OtherLedger { .. }) => Refusal::UnknownLedger,
        Error::Forged(_) => Refusal::NotSigned,
        _ => Refusal::Malformed,
    })?;
    if request.old > checkpoint.size() {
        return Err(Refusal::Malformed);
    }
    let (size, root) = seen.map_or((0, tlog_tiles::EMPTY_HASH), |s| (s.size, Hash(s.root)));
    if request.old != size {
        return Err(Refusal::Conflict(size));
    }
    if seen.is_some() && size == checkpoint.size() && root != checkpoint.root() {
        return Err(Refusal::Conflict(size));
    }
    let proof = ConsistencyProof { old: size, new: checkpoint.size(), hashes: request.hashes.clone() };
    proof.verify(root, checkpoint.root()).map_err(|_| Refusal::Rewritten)?;
    let seen = Seen { size: checkpoint.size(), root: checkpoint.root().0, note: None };
    Ok((checkpoint, seen))
}

/// What a witness remembers: a file of JSON, `{"origin": {"size": …, "root": …}}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Memory(BTreeMap<String, Seen>);

impl Memory {
    /// Reads the file; a missing one is a witness that has seen nothing.
    pub fn load(file: &Path) -> Result<Self, Error> {
        match state::read(file).map_err(Error::StateFile)? {
            Some(text) => serde_json::from_str(&text).map_err(|_| Error::Malformed("a witness's memory")),
            None => Ok(Self::default()),
        }
    }

    /// What was seen of a ledger.
    pub fn seen(&self, origin: &str) -> Option<&Seen> {
        self.0.get(origin)
    }

    /// Examines a request, cosigns the new head, writes both down, and only then answers with the signature line. The
    /// exclusive borrow makes checking and writing one step, as the specification asks.
    pub fn witness(
        &mut self,
        file: &Path,
        request: &AddCheckpoint,
        ledger: &VerifierKey,
        key: &SignerKey,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let (checkpoint, seen) = examine(self.seen(ledger.name()), request, ledger)?;
        let line = cosign(&checkpoint, key, now).map_err(Refusal::Forgetful)?;
        let signed = checkpoint.with_cosignature(&line, key.verifier()).map_err(Refusal::Forgetful)?;
        let seen = Seen { note: Some(signed.note().to_owned()), ..seen };
        let mut next = self.clone();
        next.0.insert(ledger.name().to_owned(), seen);
        let text = serde_json::to_string_pretty(&next)
            .map_err(|_| Refusal::Forgetful(Error::Malformed("a witness's memory")))?;
        state::write(file, &text).map_err(|e| Refusal::Forgetful(Error::StateFile(e)))?;
        *self = next;
        Ok(line)
    }
}

/// The signature line of a witness over a checkpoint that it has examined.
fn cosign(checkpoint: &Checkpoint, key: &SignerKey, now: Timestamp) -> Result<String, Error> {
    let text = checkpoint.note().rsplit_once("\n\n").map(|(text, _)| format!("{text}\n"));
    let text = text.ok_or(Error::Malformed("a signed checkpoint"))?;
    let line = key.sign(text.as_bytes(), now)?.to_bytes();
    String::from_utf8(line).map_err(|_| Error::Malformed("a signature"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Secret;
    use crate::ledger::entry::tests::at;
    use crate::ledger::leaf_hash;
    use crate::ledger::tree::Tree;

    fn keys() -> (SignerKey, SignerKey) {
        let ledger = SignerKey::ledger("example.org/ledger", &Secret::new([1; 32])).unwrap();
        (ledger, SignerKey::witness("witness.example", &Secret::new([2; 32])).unwrap())
    }

    fn tree(size: u64, salt: u8) -> Tree {
        let mut tree = Tree::of(0);
        for n in 0..size {
            tree.push(leaf_hash(&[salt, u8::try_from(n % 251).unwrap()])).unwrap();
        }
        tree
    }

    fn request(tree: &Tree, old: u64) -> AddCheckpoint {
        let (new, root) = (tree.size(), tree.root(tree.size()).unwrap());
        let checkpoint = Checkpoint::sign(&keys().0, new, root, at()).unwrap().note().to_owned();
        let hashes = tree.consistency(old.min(new), new).unwrap().hashes;
        AddCheckpoint { old, hashes, checkpoint }
    }

    #[test]
    fn a_witness_follows_a_ledger_that_grows_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("witness.json");
        let (ledger, witness) = keys();
        let ask = |memory: &mut Memory, request: &AddCheckpoint| {
            memory.witness(&file, request, ledger.verifier(), &witness, at())
        };
        let mut memory = Memory::load(&file).unwrap();
        for (old, new) in [(0, 0), (0, 5), (5, 5), (5, 300)] {
            let request = request(&tree(new, 0), old);
            assert_eq!(AddCheckpoint::parse(&request.to_text()).unwrap(), request);
            let line = ask(&mut memory, &request).unwrap();
            let checkpoint = Checkpoint::open(&request.checkpoint, ledger.verifier()).unwrap();
            let seen = checkpoint.with_cosignature(&line, witness.verifier()).unwrap();
            assert_eq!(seen.witnessed_by(witness.verifier()).unwrap(), Some(at()));
            assert_eq!(Checkpoint::open(seen.note(), ledger.verifier()).unwrap().size(), new);
        }
        assert_eq!(Memory::load(&file).unwrap(), memory);
        let refused = |request: &AddCheckpoint| ask(&mut memory.clone(), request).unwrap_err().status();
        assert_eq!(refused(&request(&tree(301, 0), 5)), 409, "a size that is not the one seen");
        assert_eq!(refused(&request(&tree(300, 1), 300)), 409, "another tree of the same size");
        assert_eq!(refused(&request(&tree(400, 1), 300)), 422, "another history");
        assert_eq!(refused(&request(&tree(299, 0), 300)), 400, "a smaller tree");
        let mut forged = request(&tree(400, 0), 300);
        forged.checkpoint = forged.checkpoint.replace("\n400\n", "\n401\n");
        assert_eq!(refused(&forged), 403);
        assert_eq!(Memory::load(&file).unwrap().seen("example.org/ledger").unwrap().size(), 300);
    }

    #[test]
    fn a_cosignature_is_the_one_that_c2sp_defines() {
        let (ledger, witness) = keys();
        let checkpoint = Checkpoint::sign(&ledger, 0, tlog_tiles::EMPTY_HASH, at()).unwrap();
        let line = cosign(&checkpoint, &witness, at()).unwrap();
        assert!(line.starts_with("— witness.example "));
        let altered = line.replacen("— witness.example A", "— witness.example B", 1);
        for bad in [altered.as_str(), "— witness.example AAAA\n", "", "x"] {
            if bad != line {
                assert!(checkpoint.with_cosignature(bad, witness.verifier()).is_err(), "{bad}");
            }
        }
    }
}
