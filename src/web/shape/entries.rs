//! Entries of the ledger and receipts as a stranger sees them.

use crate::base::ReceiptId;
use crate::edge::Fault;
use crate::ledger::{Checkpoint, Logged, Receipt, ReceiptKind, Verified, VerifierKey, leaf_hash, sentence};
use crate::speech::{Tongue, key};
use crate::web::view::{Count, Fact, LedgerRow, Place, ReceiptPage, Seal, Shell};

/// An entry in a list.
pub(crate) fn row(tongue: Tongue, root: &str, entry: &Logged) -> LedgerRow {
    let leaf = &entry.leaf;
    let why = ["rule", "right", "purpose", "version"].iter().find_map(|name| leaf.facts.get(*name));
    LedgerRow {
        index: Count(entry.index),
        at: leaf.at.into(),
        what: tongue.tell(&what(&sentence(leaf))),
        kind: leaf.kind.to_string(),
        why: why.map(ToString::to_string).unwrap_or_default(),
        leaf: hex::encode(leaf_hash(&entry.bytes).0).chars().take(10).collect(),
        href: format!("{root}/ledger/{}", entry.index),
    }
}

/// The heart of an entry's sentence: without the time and the facts, which stand beside it, and without the reference
/// of the person, which nobody can read.
fn what(sentence: &str) -> String {
    let after = sentence.split_once(" recorded ").map_or(sentence, |(_, rest)| rest);
    let bare = after.split_once(" (").map_or(after, |(head, _)| head).trim_end_matches('.');
    let bare = bare.strip_prefix("that ").unwrap_or(bare);
    let bare = match bare.split_once("the person known here as ") {
        Some((before, rest)) => {
            let after = rest.split_once(' ').map_or(String::new(), |(_, after)| format!(" {after}"));
            format!("{before}a person{after}")
        }
        None => bare.to_owned(),
    };
    let mut chars = bare.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect::<String>() + "."
}

/// A receipt, verified here as a stranger would, and what it is shown under.
pub(crate) struct Shown<'a> {
    /// What surrounds the page.
    pub(crate) shell: Shell,
    /// The receipt.
    pub(crate) receipt: &'a Receipt,
    /// The ledger's key.
    pub(crate) key: &'a VerifierKey,
    /// What it is called: a receipt's id, or an entry's.
    pub(crate) id: String,
    /// Where its file is.
    pub(crate) file_href: String,
}

/// The page of a receipt.
pub(crate) fn receipt_page(shown: Shown<'_>) -> Result<ReceiptPage, Fault> {
    let Shown { shell, receipt, key, id, file_href } = shown;
    let tongue = shell.tongue;
    let verified = receipt.verify(key, &[])?;
    let head = Checkpoint::open(&receipt.proof().checkpoint, key)?;
    let leaf = leaf_hash(&verified.leaf.encode()?);
    Ok(ReceiptPage {
        shell,
        title: tongue.say(kind(verified.receipt)).to_owned(),
        file_name: file_name(&id),
        id,
        seal: Seal::from(leaf.0),
        proves: tongue.tell(&what(receipt.sentence())),
        at: verified.at.into(),
        facts: facts(&verified, receipt.sentence()),
        does_not_prove: verified.not_proved.iter().map(|says| tongue.tell(says)).collect(),
        place: Place {
            index: Count(verified.index),
            tree_size: Count(verified.size),
            root: head.root().to_string(),
            leaf: hex::encode(leaf.0),
            signed_at: None,
        },
        file_href,
        verifier_key: key.to_string(),
    })
}

fn kind(kind: ReceiptKind) -> &'static str {
    match kind {
        ReceiptKind::Erasure => key("Receipt of an erasure"),
        ReceiptKind::Consent => key("Receipt of a consent"),
        ReceiptKind::Export => key("Receipt of a handing over"),
        ReceiptKind::Publication => key("Receipt of a publication"),
        ReceiptKind::Generic => key("Receipt"),
    }
}

fn facts(verified: &Verified, sentence: &str) -> Vec<Fact> {
    let said = Fact { name: "word for word".to_owned(), value: sentence.to_owned() };
    let own = verified
        .leaf
        .facts
        .iter()
        .map(|(name, fact)| Fact { name: name.replace(['-', '_'], " "), value: fact.to_string() });
    let by = Fact { name: "recorded by".to_owned(), value: verified.leaf.actor.clone() };
    [said].into_iter().chain(own).chain([by]).collect()
}

/// The name of a receipt's file.
pub(crate) fn file_name(id: &str) -> String {
    let tail = id.get(id.len().saturating_sub(8)..).unwrap_or(id);
    format!("receipt-{tail}.json")
}

/// Where a receipt's page is.
pub(crate) fn receipt_href(root: &str, id: ReceiptId) -> String {
    format!("{root}/receipts/{id}")
}

/// The seal of a receipt.
pub(crate) fn seal(receipt: &Receipt, key: &VerifierKey) -> Result<Seal, Fault> {
    let verified = receipt.verify(key, &[])?;
    Ok(Seal::from(leaf_hash(&verified.leaf.encode()?).0))
}

#[cfg(test)]
mod tests {
    use super::what;

    #[test]
    fn a_heading_holds_no_reference_and_no_hash() {
        for (sentence, heading) in [
            (
                "On 5 May 2026, 14:07 UTC, flux-kontext recorded that it had erased the data of the person known here as r4nd0m (images: 12).",
                "It had erased the data of a person.",
            ),
            (
                "On 5 May 2026, 14:07 UTC, flux-kontext recorded that the person known here as r4nd0m gave consent (purpose: training).",
                "A person gave consent.",
            ),
        ] {
            assert_eq!(what(sentence), heading);
        }
    }
}
