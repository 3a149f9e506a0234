//! The names of blobs, and the only place that knows where a name lies.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::{BadId, Entropy};

/// Random bytes of a key. The first is the shard.
const BYTES: usize = 21;

/// The name of a blob: 168 random bits, never used twice, written as 42 lower-case hex digits. Says nothing of whose
/// it is or what it holds. Two keys order as their paths do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobKey([u8; BYTES]);

impl BlobKey {
    /// A fresh key.
    pub fn new(entropy: &Entropy) -> Self {
        Self(entropy.bytes())
    }

    /// Where the blob lies, below the root of a store: `ab/` and 40 digits. 256 shards keep folders short.
    pub(super) fn path(&self) -> String {
        let hex = hex::encode(self.0);
        let (shard, rest) = hex.split_at(2);
        format!("{shard}/{rest}")
    }

    /// The key whose path this is; `None` for a stranger's file.
    pub(super) fn from_path(path: &str) -> Option<Self> {
        let (shard, rest) = path.split_once('/')?;
        if shard.len() == 2 { format!("{shard}{rest}").parse().ok() } else { None }
    }

    /// The shard, `00` to `ff`.
    pub(super) fn shard(&self) -> u8 {
        let [shard, ..] = self.0;
        shard
    }
}

fn lower_hex(s: &str) -> bool {
    s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

impl FromStr for BlobKey {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        let mut out = [0; BYTES];
        if !lower_hex(s) {
            return Err(BadId("blob"));
        }
        hex::decode_to_slice(s, &mut out).map_err(|_| BadId("blob"))?;
        Ok(Self(out))
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for BlobKey {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobKey {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
        s.parse().map_err(serde::de::Error::custom)
    }
}

/// The first digits of a key: what a listing can be limited to, so that several workers can share one reconciliation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyPrefix(String);

impl KeyPrefix {
    /// Every key.
    pub fn all() -> Self {
        Self::default()
    }

    /// The keys of one of the 256 shards.
    pub fn shard(shard: u8) -> Self {
        Self(hex::encode([shard]))
    }

    /// Whether `key` begins so.
    pub fn covers(&self, key: &BlobKey) -> bool {
        key.to_string().starts_with(&self.0)
    }

    /// What the paths of these keys begin with.
    pub(super) fn path(&self) -> String {
        match self.0.split_at_checked(2) {
            Some((shard, rest)) => format!("{shard}/{rest}"),
            None => self.0.clone(),
        }
    }

    /// Whether shard `shard` can hold such a key.
    pub(super) fn touches(&self, shard: u8) -> bool {
        let shard = hex::encode([shard]);
        self.0.starts_with(&shard) || shard.starts_with(&self.0)
    }
}

impl FromStr for KeyPrefix {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        if s.len() <= 2 * BYTES && lower_hex(s) { Ok(Self(s.to_owned())) } else { Err(BadId("blob")) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_survives_the_round_trip_to_its_path() {
        let key = BlobKey::new(&Entropy::seeded(1));
        let text = key.to_string();
        assert_eq!(text.len(), 42);
        assert_eq!(text.parse::<BlobKey>().unwrap(), key);
        assert_eq!(key.path().len(), 43);
        assert_eq!(BlobKey::from_path(&key.path()), Some(key));
        assert_eq!(format!("{:02x}", key.shard()), key.path()[..2]);
        assert!(text.to_uppercase().parse::<BlobKey>().is_err());
    }

    #[test]
    fn a_prefix_covers_its_keys_and_no_other() {
        let key: BlobKey = "ab".repeat(21).parse().unwrap();
        for (prefix, path) in [("", ""), ("a", "a"), ("ab", "ab/"), ("aba", "ab/a")] {
            let prefix: KeyPrefix = prefix.parse().unwrap();
            assert!(prefix.covers(&key) && prefix.touches(0xab));
            assert_eq!(prefix.path(), path);
        }
        assert!(!KeyPrefix::shard(0xaa).covers(&key) && !KeyPrefix::shard(0xaa).touches(0xab));
        assert!("../".parse::<KeyPrefix>().is_err());
    }

    proptest! {
        #[test]
        fn no_text_becomes_a_path_outside_the_shards(text in "\\PC{0,60}") {
            if let Ok(key) = text.parse::<BlobKey>() {
                prop_assert_eq!(key.to_string(), text);
            } else if let Some(key) = BlobKey::from_path(&text) {
                prop_assert_eq!(key.path(), text);
            }
        }

        #[test]
        fn keys_order_as_their_paths_do(a in any::<u64>(), b in any::<u64>()) {
            let (a, b) = (BlobKey::new(&Entropy::seeded(a)), BlobKey::new(&Entropy::seeded(b)));
            prop_assert_eq!(a.cmp(&b), a.path().cmp(&b.path()));
        }
    }
}
