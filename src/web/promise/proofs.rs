//! Which ledger entry shows what: the newest of each rule.

use std::collections::BTreeMap;

use crate::base::Timestamp;
use crate::ledger::{Fact, Leaf, Logged};

/// What a person vouched for, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attested {
    /// When.
    pub at: Timestamp,
    /// The number of its ledger entry.
    pub entry: u64,
}

impl Attested {
    /// The kind of entry by which somebody vouches. Its fact `attestation` names the rule.
    pub const KIND: &'static str = "attestation.made";
}

/// The newest entry for each rule, by the rule's full name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proofs {
    newest: BTreeMap<String, Attested>,
}

impl Proofs {
    /// From entries of the kinds [`super::PROVING_KINDS`], in any order.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Logged>) -> Self {
        let mut newest: BTreeMap<String, Attested> = BTreeMap::new();
        for entry in entries {
            let Some(rule) = rule_of(&entry.leaf) else { continue };
            let found = Attested { at: entry.leaf.at, entry: entry.index };
            let known = newest.entry(rule).or_insert(found);
            if known.entry < found.entry {
                *known = found;
            }
        }
        Self { newest }
    }

    /// The newest entry for a rule.
    pub fn newest(&self, rule: &str) -> Option<Attested> {
        self.newest.get(rule).copied()
    }
}

/// The rule that an entry is about.
fn rule_of(leaf: &Leaf) -> Option<String> {
    let (kind, fact) = match leaf.kind.as_str() {
        "retention.swept" => ("retention", "rule"),
        "request.closed" => ("right", "right"),
        "disclosure.made" => ("processor", "recipient"),
        Attested::KIND => ("attestation", "attestation"),
        _ => return None,
    };
    match leaf.facts.get(fact) {
        Some(Fact::Word(name)) => Some(format!("{kind}.{name}")),
        _ => None,
    }
}
