use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Error;
use super::canonical::LARGEST;

/// A public fact of an entry: a number, a yes or no, or a short id-like word. A word holds `A-Z a-z 0-9 . _ : / + = # -`
/// and nothing else, so that neither a sentence nor an e-mail address can get into the ledger by mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fact {
    /// Yes or no.
    Flag(bool),
    /// A whole number below 2^53 in size.
    Number(i64),
    /// An id, a rule's name, a fingerprint: 1 to 200 characters.
    Word(String),
}

impl Fact {
    pub(super) fn is_sound(&self) -> bool {
        match self {
            Self::Flag(_) => true,
            Self::Number(n) => (-LARGEST..=LARGEST).contains(n),
            Self::Word(w) => {
                (1..=200).contains(&w.len())
                    && w.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:/+=#-".contains(&b))
            }
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(true) => f.write_str("yes"),
            Self::Flag(false) => f.write_str("no"),
            Self::Number(n) => write!(f, "{n}"),
            Self::Word(w) => f.write_str(w),
        }
    }
}

impl From<bool> for Fact {
    fn from(v: bool) -> Self {
        Self::Flag(v)
    }
}

impl From<i64> for Fact {
    fn from(v: i64) -> Self {
        Self::Number(v)
    }
}

impl From<u32> for Fact {
    fn from(v: u32) -> Self {
        Self::Number(v.into())
    }
}

/// A number of 2^63 or more becomes one that the ledger refuses, so it is never written wrongly.
impl From<u64> for Fact {
    fn from(v: u64) -> Self {
        Self::Number(i64::try_from(v).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Fact {
    fn from(v: &str) -> Self {
        Self::Word(v.to_owned())
    }
}

impl From<String> for Fact {
    fn from(v: String) -> Self {
        Self::Word(v)
    }
}

/// How an entry points at a person: an opaque reference that means nothing without the row that maps it, `A-Z a-z 0-9
/// _ -`, 8 to 64 characters. It must be random or a keyed hash, never an id that other systems know.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct SubjectRef(String);

impl SubjectRef {
    /// The reference.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SubjectRef {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self, Error> {
        let sound = s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if sound && (8..=64).contains(&s.len()) {
            Ok(Self(s.to_owned()))
        } else {
            Err(Error::BadEntry("a subject reference is 8 to 64 characters of A-Z a-z 0-9 _ -"))
        }
    }
}

impl fmt::Display for SubjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SubjectRef {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = Cow::<'de, str>::deserialize(d)?;
        s.parse().map_err(serde::de::Error::custom)
    }
}
