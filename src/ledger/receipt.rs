//! Receipts: one entry with everything that it takes to verify it without us.

use serde::{Deserialize, Serialize};

use super::sentence::{ReceiptKind, sentence};
use super::{EntryKind, Error, Forgery, InclusionProof, Leaf, Opening, VerifierKey};
use crate::base::{EntryId, Timestamp};
use crate::speech::key;

const FORMAT: &str = "vouchsafe-receipt/v1";
/// No receipt is longer than this, in bytes.
pub const LONGEST_RECEIPT: usize = 256 * 1024;

/// A receipt. A JSON file of five members: `format`, `sentence` (what it proves, in words), `entry` (the bytes that the
/// tree hashes, as a string), `opening` (salt and private details, or null), `proof` (a C2SP tlog-proof, as a string).
/// Nothing in it is to be believed before [`Receipt::verify`].
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    sentence: String,
    entry: String,
    opening: Option<Opening>,
    proof: InclusionProof,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    sentence: String,
    entry: String,
    opening: Option<Opening>,
    proof: String,
}

/// What a verified receipt proves.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// What the entry says, in words.
    pub sentence: String,
    /// What sort of receipt it is.
    pub receipt: ReceiptKind,
    /// What happened.
    pub kind: EntryKind,
    /// The entry's id.
    pub id: EntryId,
    /// When it happened.
    pub at: Timestamp,
    /// The ledger it stands in.
    pub origin: String,
    /// Its number in the ledger, from 0.
    pub index: u64,
    /// How many entries the signed ledger had.
    pub size: u64,
    /// The whole entry.
    pub leaf: Leaf,
    /// The private details, when the receipt opens them.
    pub details: Option<serde_json::Value>,
    /// Which of the trusted witnesses saw this ledger, and when.
    pub witnesses: Vec<(String, Timestamp)>,
    /// What has been proved, a sentence each.
    pub proved: Vec<String>,
    /// What has not been proved, a sentence each.
    pub not_proved: Vec<String>,
}

impl Receipt {
    /// Makes a receipt for the entry with these bytes. Checks that the opening opens it; the proof is the caller's word.
    pub fn build(entry: &[u8], opening: Option<Opening>, proof: InclusionProof) -> Result<Self, Error> {
        let leaf = Leaf::parse(entry)?;
        if let Some(opening) = &opening {
            opening.opens(leaf.commit)?;
        }
        let entry = String::from_utf8(entry.to_vec()).map_err(|_| Error::Malformed("a ledger entry"))?;
        Ok(Self { sentence: sentence(&leaf), entry, opening, proof })
    }

    /// Reads a receipt file. Unknown members are refused: nothing may travel in it that nobody verifies.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let unreadable = || Error::Malformed("a vouchsafe receipt");
        if text.len() > LONGEST_RECEIPT {
            return Err(unreadable());
        }
        let file: File = serde_json::from_str(text).map_err(|_| unreadable())?;
        if file.format != FORMAT {
            return Err(unreadable());
        }
        let proof = InclusionProof::parse(&file.proof)?;
        if proof.extra.is_some() {
            return Err(unreadable());
        }
        Ok(Self { sentence: file.sentence, entry: file.entry, opening: file.opening, proof })
    }

    /// The file.
    pub fn to_text(&self) -> Result<String, Error> {
        let file = File {
            format: FORMAT.to_owned(),
            sentence: self.sentence.clone(),
            entry: self.entry.clone(),
            opening: self.opening.clone(),
            proof: self.proof.to_text(),
        };
        let text = serde_json::to_string_pretty(&file).map_err(|_| Error::Malformed("a receipt"))?;
        Ok(text + "\n")
    }

    /// The sentence it claims to prove.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// The proof inside: its [`InclusionProof::to_text`] is a `.tlog-proof` file for other tools.
    pub fn proof(&self) -> &InclusionProof {
        &self.proof
    }

    /// Verifies the receipt against a ledger's key that the reader trusts, with no network and no database. Cosignatures
    /// of `witnesses` are verified when present.
    pub fn verify(&self, ledger: &VerifierKey, witnesses: &[VerifierKey]) -> Result<Verified, Error> {
        let checkpoint = self.proof.verify(self.entry.as_bytes(), ledger)?;
        let leaf = Leaf::parse(self.entry.as_bytes())?;
        if let Some(opening) = &self.opening {
            opening.opens(leaf.commit)?;
        }
        if self.sentence != sentence(&leaf) {
            return Err(Forgery::Sentence.into());
        }
        let mut seen = Vec::new();
        for witness in witnesses {
            if let Some(at) = checkpoint.witnessed_by(witness)? {
                seen.push((witness.name().to_owned(), at));
            }
        }
        let receipt = ReceiptKind::of(&leaf.kind);
        let (proved, not_proved) = self.plainly(&leaf, receipt, &checkpoint, &seen);
        Ok(Verified {
            sentence: self.sentence.clone(),
            receipt,
            kind: leaf.kind.clone(),
            id: leaf.id,
            at: leaf.at,
            origin: checkpoint.origin().to_owned(),
            index: self.proof.index,
            size: checkpoint.size(),
            details: self.opening.as_ref().map(|o| o.details().clone()),
            leaf,
            witnesses: seen,
            proved,
            not_proved,
        })
    }

    fn plainly(
        &self,
        leaf: &Leaf,
        receipt: ReceiptKind,
        checkpoint: &super::Checkpoint,
        seen: &[(String, Timestamp)],
    ) -> (Vec<String>, Vec<String>) {
        let mut proved = vec![format!(
            "The holder of the key of {} signed a ledger of {} entries in which this is entry {}. It cannot be changed \
             or removed without that signature becoming evidence.",
            checkpoint.origin(),
            checkpoint.size(),
            self.proof.index,
        )];
        let mut not_proved = vec![receipt.limit().to_owned()];
        if self.opening.is_some() {
            proved.push("The details shown are those fixed when the entry was written.".to_owned());
        } else if leaf.commit.is_some() {
            not_proved
                .push(key("The entry fixes private details that this receipt does not show.").to_owned());
        }
        for (name, at) in seen {
            proved.push(format!(
                "The witness {name} saw this very ledger on {}, as the continuation of all it had seen before.",
                at.in_words()
            ));
        }
        if seen.is_empty() {
            let says = key(
                "No witness you trust has cosigned it: compare the checkpoint with somebody else's to know that \
                 everybody is shown the same ledger.",
            );
            not_proved.push(says.to_owned());
        }
        (proved, not_proved)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::base::Secret;
    use crate::ledger::entry::tests::{at, sample};
    use crate::ledger::tree::Tree;
    use crate::ledger::{Checkpoint, SignerKey, leaf_hash};

    fn key() -> SignerKey {
        SignerKey::ledger("example.org/ledger", &Secret::new([1; 32])).unwrap()
    }

    /// Entry `index` of a ledger of `size` sample entries, with its receipt.
    fn receipt(index: u64, size: u64) -> Receipt {
        let mut tree = Tree::of(0);
        for n in 0..size {
            tree.push(leaf_hash(&sample(n).0.encode().unwrap())).unwrap();
        }
        let checkpoint = Checkpoint::sign(&key(), size, tree.root(size).unwrap(), at()).unwrap();
        let hashes = tree.inclusion(index, size).unwrap();
        let proof = InclusionProof { index, hashes, checkpoint: checkpoint.note().to_owned(), extra: None };
        let (leaf, opening) = sample(index);
        Receipt::build(&leaf.encode().unwrap(), opening, proof).unwrap()
    }

    #[test]
    fn a_receipt_says_what_it_proves_and_what_not() {
        let receipt = receipt(5, 11);
        let read = Receipt::parse(&receipt.to_text().unwrap()).unwrap();
        assert_eq!(read, receipt);
        let verified = read.verify(key().verifier(), &[]).unwrap();
        assert_eq!(
            verified.sentence,
            "On 5 May 2026, 14:07 UTC, flux-kontext recorded that it had erased the data of the person known here as \
             r4nd0mRef_9 (images: 5; key: kfp:9f86d081)."
        );
        assert_eq!((verified.index, verified.size), (5, 11));
        assert_eq!(verified.receipt, ReceiptKind::Erasure);
        assert_eq!(verified.details, Some(json!({"name": "a person", "n": 5})));
        assert!(verified.not_proved.iter().any(|s| s.contains("no copy exists")));
    }

    fn forgery(receipt: &Receipt) -> Forgery {
        match receipt.verify(key().verifier(), &[]) {
            Err(Error::Forged(f)) => f,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_kind_of_forgery_has_its_own_name() {
        let true_one = receipt(5, 11);
        let with = |change: &dyn Fn(&mut Receipt)| {
            let mut forged = true_one.clone();
            change(&mut forged);
            forgery(&forged)
        };
        assert_eq!(with(&|r| r.sentence = r.sentence.replace("images: 5", "images: 6")), Forgery::Sentence);
        assert_eq!(
            with(&|r| r.entry = r.entry.replace("\"images\":5", "\"images\":6")),
            Forgery::NotIncluded
        );
        assert_eq!(with(&|r| r.opening = sample(6).1), Forgery::Opening);
        assert_eq!(with(&|r| r.proof.index = 4), Forgery::NotIncluded);
        assert_eq!(with(&|r| r.proof.index = 11), Forgery::Index { index: 11, size: 11 });
        assert_eq!(with(&|r| r.proof.hashes.truncate(2)), Forgery::NotIncluded);
        assert_eq!(with(&|r| r.proof.hashes.swap(0, 1)), Forgery::NotIncluded);
        assert_eq!(with(&|r| r.proof = receipt(6, 11).proof), Forgery::NotIncluded);
        assert_eq!(
            with(&|r| r.proof.checkpoint = r.proof.checkpoint.replace("\n11\n", "\n12\n")),
            Forgery::Signature
        );
        let thief = SignerKey::ledger("example.org/ledger", &Secret::new([2; 32])).unwrap();
        let resigned = Checkpoint::sign(&thief, 11, tlog_tiles::Hash([0; 32]), at()).unwrap();
        assert_eq!(with(&|r| r.proof.checkpoint = resigned.note().to_owned()), Forgery::NotSigned);
        let elsewhere = SignerKey::ledger("example.org/other", &Secret::new([1; 32])).unwrap();
        let moved = Checkpoint::sign(&elsewhere, 11, tlog_tiles::Hash([0; 32]), at()).unwrap();
        assert!(matches!(
            with(&|r| r.proof.checkpoint = moved.note().to_owned()),
            Forgery::OtherLedger { .. }
        ));
    }

    #[test]
    fn ten_thousand_altered_receipts_are_all_refused() {
        let entropy = crate::base::Entropy::seeded(30);
        let random = |below: usize| usize::try_from(u32::from_le_bytes(entropy.bytes())).unwrap() % below;
        let receipts: Vec<_> = [(0, 1), (0, 2), (5, 11), (255, 256), (256, 300), (299, 300)]
            .into_iter()
            .map(|(index, size)| receipt(index, size))
            .collect();
        for receipt in &receipts {
            assert!(receipt.verify(key().verifier(), &[]).is_ok());
        }
        let mut read_but_refused = 0;
        for _ in 0..10_000 {
            let true_one = &receipts[random(receipts.len())];
            let text = true_one.to_text().unwrap();
            let mut bytes = text.clone().into_bytes();
            match random(4) {
                0 => bytes[random(text.len())] ^= 1 << random(8),
                1 => drop(bytes.remove(random(text.len()))),
                2 => {
                    let i = random(text.len());
                    bytes.insert(i, b"aA0 \n\"{}:,"[random(10)]);
                }
                _ => {
                    let (i, j) = (random(text.len()), random(text.len()));
                    bytes.swap(i, j);
                }
            }
            let Some(read) = String::from_utf8(bytes).ok().and_then(|t| Receipt::parse(&t).ok()) else {
                continue;
            };
            // White space between members, and bytes swapped with their like, change nothing that is said.
            if read != *true_one {
                read_but_refused += 1;
                assert!(read.verify(key().verifier(), &[]).is_err(), "{read:?}");
            }
        }
        assert!(read_but_refused > 1000, "{read_but_refused}");
    }

    proptest! {
        #[test]
        fn reading_a_receipt_never_panics(text in "\\PC{0,200}") {
            let _ = Receipt::parse(&text);
            let _ = InclusionProof::parse(&format!("c2sp.org/tlog-proof@v1\n{text}"));
        }
    }
}
