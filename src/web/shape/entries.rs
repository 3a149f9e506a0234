//! Entries of the ledger and receipts as a stranger sees them.

use crate::base::ReceiptId;
use crate::edge::Fault;
use crate::ledger::{
    Checkpoint, Leaf, Logged, Receipt, ReceiptKind, Verified, VerifierKey, leaf_hash, sentence,
};
use crate::speech::{Tongue, key};
use crate::web::view::{Count, Fact, LedgerRow, Place, ReceiptPage, Seal, Shell};

/// An entry in a list.
pub(crate) fn row(tongue: Tongue, root: &str, entry: &Logged) -> LedgerRow {
    let leaf = &entry.leaf;
    LedgerRow {
        index: Count(entry.index),
        at: leaf.at.into(),
        what: heading(tongue, leaf, &sentence(leaf)),
        kind: leaf.kind.to_string(),
        why: about(tongue, leaf),
        leaf: hex::encode(leaf_hash(&entry.bytes).0).chars().take(10).collect(),
        href: format!("{root}/ledger/{}", entry.index),
    }
}

/// Which rule, right, purpose, check, version or category an entry is about.
fn about(tongue: Tongue, leaf: &Leaf) -> String {
    let names = ["rule", "right", "purpose", "probe", "category"];
    if let Some(fact) = names.iter().find_map(|name| leaf.facts.get(*name)) {
        return fact.to_string();
    }
    let version = leaf.facts.get("version");
    version.map(|v| tongue.put("version {version}").with("version", v).text()).unwrap_or_default()
}

/// What an entry says, as a heading.
fn heading(tongue: Tongue, leaf: &Leaf, sentence: &str) -> String {
    known(leaf).map_or_else(|| tongue.tell(&what(sentence)), |says| tongue.say(says).to_owned())
}

/// What a page says of entries whose own sentence says too little. That sentence cannot change: it stands in receipts.
fn known(leaf: &Leaf) -> Option<&'static str> {
    let verdict = leaf.facts.get("verdict").map(ToString::to_string).unwrap_or_default();
    let says = match (leaf.kind.as_str(), verdict.as_str()) {
        ("probe.recorded", "passed") => key("A check found one of its promises kept."),
        ("probe.recorded", "failed") => key("A check found one of its promises not kept."),
        ("probe.recorded", "cannot-run") => key("A check of one of its promises could not be made."),
        ("people.searched", _) => key("A member of its staff searched for a person."),
        ("request.answered", _) => key("It answered a privacy request of a person."),
        ("request.extended", _) => key("It extended the law’s time for a privacy request of a person."),
        ("objection.lifted", _) => key("A person took an objection back."),
        ("erasure.failed", _) => key("A second look after an erasure found something left."),
        ("disclosure.ended", _) => key("A recipient let go of data of a person."),
        ("api-key.made", _) => key("It made a key for the app."),
        ("api-key.revoked", _) => key("It took back a key of the app."),
        ("mandate.given", _) => key("A person gave a mandate to act for them."),
        ("mandate.ended", _) => key("A mandate to act for a person ended."),
        ("staff.hired", _) => key("It took somebody on as staff."),
        _ => return None,
    };
    Some(says)
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
        proves: heading(tongue, &verified.leaf, receipt.sentence()),
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
