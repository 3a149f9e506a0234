//! What is known of a job whose answer was lost, and what a provider's list says of it. Pure.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Handle, Pseudonym};
use crate::base::Timestamp;

/// What is written down before a job goes out, so that a lost answer, or a crash, can be reconciled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The job's name.
    pub pseudonym: Pseudonym,
    /// The model's id at the provider.
    pub endpoint: String,
    /// The seed sent.
    pub seed: u32,
    /// True if we drew it, so that it names this job alone (one in two thousand million).
    pub seed_is_ours: bool,
    /// First 16 bytes of SHA-256(pseudonym, 0, prompt), in hex: tells our prompt when a provider lists it, and nothing
    /// to anyone who does not have both.
    pub fingerprint: String,
    /// When it was made.
    pub at: Timestamp,
}

/// What a job that a provider lists is, as far as its seed and prompt tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// It is the one, or cannot be told from it.
    Same,
    /// It is another.
    Other,
    /// It says too little: it may be the one.
    Unread,
}

impl Intent {
    /// What a job listed by the provider, with this seed and prompt, is. A seed that we drew decides alone, for a provider
    /// may repeat another prompt than it was given, or none. A seed that was asked for can be anybody's.
    pub(super) fn likeness(&self, seed: Option<u64>, prompt: Option<&str>) -> Likeness {
        let same_words = || prompt.is_some_and(|p| fingerprint(&self.pseudonym, p) == self.fingerprint);
        match seed {
            Some(seed) if seed != u64::from(self.seed) => Likeness::Other,
            Some(_) if self.seed_is_ours || same_words() => Likeness::Same,
            Some(_) | None => Likeness::Unread,
        }
    }
}

/// What was seen of a provider's list on the way through it.
#[derive(Debug, Default)]
pub(super) struct Sighting {
    same: Vec<String>,
    unread: bool,
}

impl Sighting {
    /// Takes down one listed job that is not known to be another's.
    pub(super) fn note(&mut self, id: &str, likeness: Likeness) {
        match likeness {
            Likeness::Same => self.same.push(id.to_owned()),
            Likeness::Unread => self.unread = true,
            Likeness::Other => {}
        }
    }

    /// The job that is certainly the one. Under a seed that was asked for, that is so only when the whole list was seen,
    /// nothing else in it could be it, and nobody else looks for theirs at the same time: two jobs with the same seed and
    /// words cannot be told apart, and one person's picture must not go to another.
    pub(super) fn found(&self, intent: &Intent, known: &Known, whole: bool) -> Option<&str> {
        let first = self.same.first()?;
        let alone = whole && self.same.len() == 1 && !self.unread && !known.others_look;
        (intent.seed_is_ours || alone).then_some(first.as_str())
    }

    /// True if nothing that was seen can be the one.
    pub(super) fn nothing(&self) -> bool {
        self.same.is_empty() && !self.unread
    }
}

pub(super) fn fingerprint(pseudonym: &Pseudonym, prompt: &str) -> String {
    let digest =
        Sha256::new().chain_update(pseudonym.as_str()).chain_update([0]).chain_update(prompt).finalize();
    let mut text = hex::encode(digest);
    text.truncate(32);
    text
}

/// Jobs of which it is known whose they are, by the hash of the provider's id: looking for a lost one passes them over.
#[derive(Debug, Clone, Default)]
pub struct Known {
    hashes: HashSet<[u8; 32]>,
    others_look: bool,
}

impl Known {
    /// SHA-256 of a provider's id of a job.
    pub fn hash(id: &str) -> [u8; 32] {
        Sha256::digest(id).into()
    }

    /// The same, when other jobs of about the same time are being looked for as well.
    #[must_use]
    pub fn while_others_look(self, others_look: bool) -> Self {
        Self { others_look, ..self }
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.hashes.contains(&Self::hash(id))
    }
}

impl FromIterator<[u8; 32]> for Known {
    fn from_iter<I: IntoIterator<Item = [u8; 32]>>(hashes: I) -> Self {
        Self { hashes: hashes.into_iter().collect(), others_look: false }
    }
}

/// What came of looking for a job whose answer was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reconciled {
    /// It was taken, and this is it.
    Found(Box<Handle>),
    /// It was not taken, and time enough has passed that it will not turn up: it may be put again.
    Absent,
    /// It cannot be said yet. Ask again; never put it again.
    Unclear,
}
