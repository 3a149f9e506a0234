//! What is written down. An entry is public: it holds ids, numbers and names of rules, and no personal data. Details
//! about a person stay outside; the entry only commits to them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::opening::{Commitment, Opening};
use super::{EntryKind, Error, Fact, SubjectRef};
use crate::base::{Clock, Entropy, EntryId, TenantId, Timestamp};

const MOST_FACTS: usize = 32;
/// An entry's length is two bytes in an entry bundle (C2SP tlog-tiles).
const LONGEST: usize = 16_384;

/// What a caller wants written: built up by its methods, then given to [`super::Ledger::append`].
#[derive(Clone)]
pub struct Entry {
    kind: EntryKind,
    at: Timestamp,
    tenant: Option<TenantId>,
    actor: String,
    subject: Option<SubjectRef>,
    facts: BTreeMap<String, Fact>,
    details: Option<Value>,
}

impl Entry {
    /// Something that happened at `at` under a tenant's policy, done by an actor of this role (`subject`, `app`,
    /// `support`, `compliance`, `admin`, `service`).
    pub fn new(kind: EntryKind, at: Timestamp, tenant: &TenantId, actor: &str) -> Self {
        Self { tenant: Some(tenant.clone()), ..Self::house(kind, at, actor) }
    }

    /// Something that concerns the whole installation and no one tenant: a key epoch, a backup, a restore.
    pub fn house(kind: EntryKind, at: Timestamp, actor: &str) -> Self {
        Self {
            kind,
            at,
            tenant: None,
            actor: actor.to_owned(),
            subject: None,
            facts: BTreeMap::new(),
            details: None,
        }
    }

    /// Whom it is about.
    #[must_use]
    pub fn about(mut self, subject: SubjectRef) -> Self {
        self.subject = Some(subject);
        self
    }

    /// Adds a public fact. Its name is `a-z 0-9 _ . -`, at most 40 characters. The last fact of a name stands.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<Fact>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// The private details. They never reach the ledger: the entry carries SHA-256(salt ‖ details), and the salt comes
    /// back with [`super::Appended`].
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// The entry as it will be logged, and what opens its commitment.
    pub(super) fn seal(self, clock: &Clock, entropy: &Entropy) -> Result<(Leaf, Option<Opening>), Error> {
        let opening = self.details.map(|details| Opening::new(entropy, details));
        let commit = opening.as_ref().map(Opening::commitment).transpose()?;
        let leaf = Leaf {
            v: 1,
            id: EntryId::new(clock, entropy),
            at: whole_second(self.at),
            tenant: self.tenant,
            kind: self.kind,
            actor: self.actor,
            subject: self.subject,
            facts: self.facts,
            commit,
        };
        leaf.check()?;
        Ok((leaf, opening))
    }
}

/// Details may be personal data, so they are not shown.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("kind", &self.kind)
            .field("at", &self.at)
            .field("tenant", &self.tenant)
            .field("actor", &self.actor)
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

fn whole_second(t: Timestamp) -> Timestamp {
    Timestamp::from_micros(t.micros() - t.micros().rem_euclid(1_000_000))
}

/// An entry as it stands in the ledger. Its bytes, [`Leaf::encode`], are what the tree hashes (RFC 6962 leaf data):
/// JSON without spaces, always these nine members in this order, absent ones as `null`, facts sorted by name:
///
/// `{"v":1,"id":"ent_…","at":"2026-05-05T14:07:09Z","tenant":"…","kind":"…","actor":"…","subject":"…","facts":{…},"commit":"base64"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    v: u8,
    /// The entry's id.
    pub id: EntryId,
    /// When it happened, to the second.
    pub at: Timestamp,
    /// Under whose policy; none when it concerns the whole installation.
    pub tenant: Option<TenantId>,
    /// What happened.
    pub kind: EntryKind,
    /// The role of who did it.
    pub actor: String,
    /// Whom it is about.
    pub subject: Option<SubjectRef>,
    /// Public facts.
    pub facts: BTreeMap<String, Fact>,
    /// SHA-256(salt ‖ details), when there are private details.
    pub commit: Option<Commitment>,
}

impl Leaf {
    /// The bytes that the tree hashes.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let bytes = serde_json::to_vec(self).map_err(|_| Error::BadEntry("it cannot be written as JSON"))?;
        if bytes.len() > LONGEST { Err(Error::BadEntry("it is longer than 16 KiB")) } else { Ok(bytes) }
    }

    /// Reads an entry. Only the one spelling that [`Leaf::encode`] writes is read.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let unreadable = || Error::Malformed("a ledger entry");
        let leaf: Self = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
        leaf.check().map_err(|_| unreadable())?;
        if leaf.encode()? == bytes { Ok(leaf) } else { Err(unreadable()) }
    }

    fn check(&self) -> Result<(), Error> {
        let slug = |s: &str, most: usize, more: &[u8]| {
            (1..=most).contains(&s.len())
                && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || more.contains(&b))
        };
        if self.v != 1 {
            return Err(Error::BadEntry("its version is not 1"));
        }
        if !slug(&self.actor, 24, b"-") {
            return Err(Error::BadEntry("an actor is a role: 1 to 24 characters of a-z 0-9 -"));
        }
        if self.facts.len() > MOST_FACTS || self.facts.keys().any(|k| !slug(k, 40, b"_.-")) {
            return Err(Error::BadEntry("at most 32 facts, with names of a-z 0-9 _ . -"));
        }
        if !self.facts.values().all(Fact::is_sound) {
            return Err(Error::BadEntry("a fact is neither a number below 2^53 nor an id-like word"));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    pub(crate) fn at() -> Timestamp {
        Timestamp::parse_rfc3339("2026-05-05T14:07:09Z").unwrap()
    }

    pub(crate) fn sample(n: u64) -> (Leaf, Option<Opening>) {
        let tenant: TenantId = "flux-kontext".parse().unwrap();
        Entry::new(EntryKind::ERASURE_COMPLETED, at(), &tenant, "service")
            .about("r4nd0mRef_9".parse().unwrap())
            .fact("images", n)
            .fact("key", "kfp:9f86d081")
            .details(json!({"name": "a person", "n": n}))
            .seal(&Clock::manual(at()).0, &Entropy::seeded(n))
            .unwrap()
    }

    #[test]
    fn an_entry_has_one_spelling() {
        let (leaf, _) = sample(12);
        let bytes = leaf.encode().unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        let start = r#"{"v":1,"id":"ent_"#;
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains(
            r#"","at":"2026-05-05T14:07:09Z","tenant":"flux-kontext","kind":"erasure.completed","actor":"service","subject":"r4nd0mRef_9","facts":{"images":12,"key":"kfp:9f86d081"},"commit":""#
        ));
        assert_eq!(Leaf::parse(&bytes).unwrap(), leaf);
        for other in [
            text.replace(r#""v":1"#, r#""v":2"#),
            text.replace(':', ": "),
            text.replace(r#""images":12,"#, r#""images":12,"images":12,"#),
            text.replace(r#""images":12"#, r#""images":12.0"#),
            text.replace("flux", "\\u0066lux"),
            text.replace("r4nd0mRef_9\"", "r4nd0mRef_9\",\"more\":null"),
            text.replace("kfp:9f86d081", "ada@example.org"),
            text.replace("kfp:9f86d081", "two words"),
            format!("{text}\n"),
        ] {
            assert_ne!(other, text);
            assert!(Leaf::parse(other.as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn personal_data_does_not_get_into_an_entry() {
        let (leaf, opening) = sample(3);
        assert!(!String::from_utf8(leaf.encode().unwrap()).unwrap().contains("a person"));
        assert!(!format!("{opening:?}").contains("a person"));
        let clock = Clock::manual(at()).0;
        for bad in ["Ada Lovelace", "ada@example.org", "", "ü", &"x".repeat(201)] {
            let entry = Entry::house(EntryKind::BACKUP_TAKEN, at(), "service").fact("who", bad);
            assert!(matches!(entry.seal(&clock, &Entropy::seeded(1)), Err(Error::BadEntry(_))), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reading_an_entry_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Leaf::parse(&bytes);
        }

        #[test]
        fn a_changed_byte_is_another_entry_or_none(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let (leaf, _) = sample(7);
            let mut bytes = leaf.encode().unwrap();
            let i = at.index(bytes.len());
            bytes[i] ^= 1 << bit;
            if let Ok(read) = Leaf::parse(&bytes) {
                prop_assert_ne!(&read, &leaf);
                prop_assert_eq!(read.encode().unwrap(), bytes);
            }
        }
    }
}
