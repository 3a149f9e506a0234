//! What a backup says of itself: one signed text, its last member.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::base::Timestamp;

/// The first line: what this is, and in which form.
const FORM: &str = "vouchsafe-backup/1";

/// What a backup holds. The two are never in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The main database and the bytes of images: ciphertext, and no key to it.
    Data,
    /// The keystore: keys, wrapped under an epoch key that is in no backup.
    Keystore,
}

impl What {
    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Keystore => "keystore",
        }
    }

    /// The database's file, in the backup as in the data folder.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Data => "vouchsafe.db",
            Self::Keystore => "keystore.db",
        }
    }
}

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What it holds.
    pub what: What,
    /// When it was begun, to the second.
    pub made: Timestamp,
    /// The ledger of the installation that it is of.
    pub origin: String,
    /// Entries of the ledger when it was begun.
    pub entries: u64,
    /// Files in it, this text left out.
    pub members: u64,
    /// Their bytes.
    pub bytes: u64,
    /// SHA-256 over a line for each file, in order: its SHA-256, its length, its name.
    pub sha256: [u8; 32],
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, made, origin, entries, members, bytes, sha256 } = self;
        writeln!(f, "{FORM}\nwhat {}\nmade {}\nledger {origin}", what.as_str(), made.rfc3339())?;
        writeln!(f, "entries {entries}\nmembers {members}\nbytes {bytes}\nsha256 {}", hex::encode(sha256))
    }
}

impl FromStr for Manifest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = "what it says of itself is not in the form of this program";
        let mut lines = text.strip_suffix('\n').ok_or(bad)?.split('\n');
        if lines.next() != Some(FORM) {
            return Err("it is of another program, or of a newer one");
        }
        let mut line = |name: &str| lines.next().and_then(|l| l.strip_prefix(name)).ok_or(bad);
        let what = match line("what ")? {
            "data" => What::Data,
            "keystore" => What::Keystore,
            _ => return Err(bad),
        };
        let made = Timestamp::parse_rfc3339(line("made ")?).ok_or(bad)?;
        let origin = line("ledger ")?.to_owned();
        let mut number = |name: &str| line(name).and_then(|n| n.parse().map_err(|_| bad));
        let (entries, members, bytes) = (number("entries ")?, number("members ")?, number("bytes ")?);
        let mut sha256 = [0; 32];
        hex::decode_to_slice(line("sha256 ")?, &mut sha256).map_err(|_| bad)?;
        let read = Self { what, made, origin, entries, members, bytes, sha256 };
        // One text for one meaning.
        if read.to_string() == text { Ok(read) } else { Err(bad) }
    }
}

/// Adds files up, as they pass by.
#[derive(Debug, Clone, Default)]
pub(super) struct Sum {
    members: u64,
    bytes: u64,
    hash: Sha256,
}

impl Sum {
    pub(super) fn add(&mut self, name: &str, len: u64, sha256: &[u8]) {
        self.members += 1;
        self.bytes = self.bytes.saturating_add(len);
        self.hash.update(format!("{} {len} {name}\n", hex::encode(sha256)));
    }

    /// What the manifest says of the files that passed by.
    pub(super) fn finish(self) -> (u64, u64, [u8; 32]) {
        (self.members, self.bytes, self.hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            what: What::Data,
            made: Timestamp::parse_rfc3339("2026-11-22T12:00:00Z").unwrap(),
            origin: "photos.example/ledger".to_owned(),
            entries: 41,
            members: 3,
            bytes: 4_096,
            sha256: [7; 32],
        }
    }

    #[test]
    fn what_it_says_is_read_back() {
        assert_eq!(manifest().to_string().parse(), Ok(manifest()));
        let keys = Manifest { what: What::Keystore, ..manifest() };
        assert_eq!(keys.to_string().parse(), Ok(keys));
    }

    #[test]
    fn another_spelling_or_order_is_refused() {
        let text = manifest().to_string();
        for other in [
            text.replace("entries 41", "entries 041"),
            text.replace("entries 41", "entries +41"),
            text.replace("what data", "what everything"),
            text.replace("/1\n", "/2\n"),
            text.replace("sha256 07", "sha256 0"),
            text.replace("bytes 4096\n", ""),
            format!("{text}more\n"),
            text.trim_end().to_owned(),
        ] {
            assert!(other.parse::<Manifest>().is_err(), "{other}");
        }
    }

    #[test]
    fn the_sum_knows_names_lengths_and_their_order() {
        let sum = |files: &[(&str, u64)]| {
            let mut sum = Sum::default();
            for (name, len) in files {
                sum.add(name, *len, &[1; 32]);
            }
            sum.finish()
        };
        let all = [sum(&[("a", 1), ("b", 2)]), sum(&[("b", 2), ("a", 1)]), sum(&[("a", 2), ("b", 1)])];
        assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(vouchsafe-backup/1\n)?(\\PC|\n){0,200}") {
            if let Ok(read) = text.parse::<Manifest>() {
                prop_assert_eq!(read.to_string(), text);
            }
        }
    }
}
