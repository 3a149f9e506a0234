//! What an entry says, in one sentence. Computed from the entry alone, so that a receipt cannot carry another.

use std::collections::BTreeMap;

use super::{EntryKind, Leaf};
use crate::speech::key;

/// What sort of receipt an entry makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptKind {
    /// Somebody's data were erased, or are about to be.
    Erasure,
    /// Consent given or withdrawn, an objection.
    Consent,
    /// A copy of the data was handed over.
    Export,
    /// A policy came into force.
    Publication,
    /// Anything else.
    Generic,
}

impl ReceiptKind {
    /// The sort of receipt that an entry of this kind makes.
    pub fn of(kind: &EntryKind) -> Self {
        match kind.as_str().split_once('.') {
            Some(("erasure", _)) => Self::Erasure,
            Some(("consent" | "objection", _)) => Self::Consent,
            Some(("export", _)) => Self::Export,
            Some(("policy", "published")) => Self::Publication,
            _ => Self::Generic,
        }
    }

    /// Each, with its name.
    pub const ALL: [(&str, Self); 5] = [
        ("erasure", Self::Erasure),
        ("consent", Self::Consent),
        ("export", Self::Export),
        ("publication", Self::Publication),
        ("generic", Self::Generic),
    ];

    /// What the mathematics cannot show for this sort of receipt.
    pub fn limit(self) -> &'static str {
        match self {
            Self::Erasure => key(
                "It does not prove that no copy exists anywhere: only that the operator stated the erasure, and \
                 cannot take the statement back or change it.",
            ),
            Self::Consent => key("It does not prove what was on the screen when the choice was made."),
            Self::Export => key(
                "It does not prove that the copy was complete; it fixes which file was handed over, when its hash is \
                 among the facts.",
            ),
            Self::Publication => key(
                "It does not prove that the policy was kept: only which text was in force from when, if the text's \
                 hash is among the facts.",
            ),
            Self::Generic => {
                key("It does not prove that the statement is true: only that it was made then and stands.")
            }
        }
    }
}

/// The sentence: `On 5 May 2026, 14:07 UTC, flux-kontext recorded that it had erased … (images: 12).`
pub fn sentence(leaf: &Leaf) -> String {
    let who = leaf.tenant.as_ref().map_or("the operator of this ledger", |t| t.as_str());
    let person = leaf
        .subject
        .as_ref()
        .map_or_else(|| "a person".to_owned(), |s| format!("the person known here as {s}"));
    let (when, what) = (leaf.at.in_words(), clause(&leaf.kind, &person));
    let facts: Vec<_> = leaf.facts.iter().map(|(name, fact)| format!("{name}: {fact}")).collect();
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join("; ")) };
    format!("On {when}, {who} recorded {what}{facts}.")
}

/// What entries of each known kind say, with `{person}` where the person stands: for whoever verifies receipts in another
/// language. An entry of any other kind says `the event`, and its kind.
pub fn clauses() -> BTreeMap<String, String> {
    EntryKind::KNOWN.iter().map(|kind| (kind.to_string(), clause(kind, "{person}"))).collect()
}

fn clause(kind: &EntryKind, p: &str) -> String {
    match kind.as_str() {
        "policy.published" => "that it put a version of its privacy policy into force".to_owned(),
        "policy.proposed" => "that a version of its privacy policy waits for a second person".to_owned(),
        "policy.rejected" => "that a version of its privacy policy was turned down".to_owned(),
        "policy.applied" => "that a version of its privacy policy was applied to what it held".to_owned(),
        "notice.announced" => "that it had told people of a version of its privacy policy".to_owned(),
        "notice.acknowledged" => format!("that {p} had read of a version of its privacy policy"),
        "subject.created" => format!("that {p} opened an account"),
        "subject.closed" => format!("that the account of {p} was closed"),
        "subject.address-moved" => format!("that {p} moved to another e-mail address"),
        "subject.address-undone" => {
            format!("that a change of the e-mail address of {p} was undone out of the old mailbox")
        }
        "consent.given" => format!("that {p} gave consent"),
        "consent.withdrawn" => format!("that {p} withdrew consent"),
        "objection.made" => format!("that {p} objected"),
        "restriction.set" => format!("that processing of the data of {p} was restricted or freed"),
        "object.stored" => format!("that it stored data of {p}"),
        "object.erased" => format!("that it erased data of {p}"),
        "object.reduced" => format!("that it reduced data of {p} to what must stay"),
        "retention.anonymised" => "that it turned records into a count over many people".to_owned(),
        "kept.ended" => format!("that the last it had to keep of {p} is gone"),
        "read.refused" => format!("that it refused to show data of {p}"),
        "read.staff" => format!("that a member of its staff read data of {p}"),
        "read.reasoned" => format!("that a member of its staff wrote down why they look at data of {p}"),
        "read.approved" => format!("that a second member of its staff agreed to a look at data of {p}"),
        "training.read" => format!("that it read data of {p} to teach a model, as they had agreed"),
        "training.made" => "that it made a collection for teaching models".to_owned(),
        "disclosure.made" => format!("that it sent data of {p} to a recipient"),
        "disclosure.handed-over" => {
            "that a member of its staff handed data to an authority, or to somebody to protect rights"
                .to_owned()
        }
        "disclosure.reduced" => {
            "that a recipient had let go of what it held, but for what stays there".to_owned()
        }
        "request.filed" => format!("that {p} filed a privacy request"),
        "request.closed" => format!("that it closed a privacy request of {p}"),
        "export.delivered" => format!("that it handed over a copy of the data of {p}"),
        "import.taken" => format!("that it took in what {p} brought from elsewhere"),
        "rectification.made" => format!("that it corrected data of {p}"),
        "erasure.requested" => format!("that it began to erase the data of {p}"),
        "erasure.unreadable" => {
            format!("that it destroyed the key of {p}, so that nothing of theirs opens any more")
        }
        "erasure.completed" => format!("that it had erased the data of {p}"),
        "retention.swept" => "that it erased what its policy no longer let it keep".to_owned(),
        "hold.set" => format!("that a legal hold on data of {p} was placed or lifted"),
        "epoch.destroyed" => {
            "that it destroyed the keys of an epoch, and with them what old backups held".to_owned()
        }
        "blobs.compared" => "that it compared the bytes it stores with what it says it stores".to_owned(),
        "ledger.mended" => "that it wrote missing or damaged files of this ledger anew".to_owned(),
        "probe.recorded" => "how a check of one of its promises ended".to_owned(),
        "attestation.made" => {
            "that a member of its staff vouched for a promise that only people can keep".to_owned()
        }
        "staff.factor-enrolled" => "that a member of its staff set up a second factor".to_owned(),
        "staff.factor-passed" => "that a member of its staff proved themself by a second factor".to_owned(),
        "staff.factor-refused" => "that it refused a second factor of a member of its staff".to_owned(),
        "staff.codes-renewed" => "that a member of its staff had new recovery codes made".to_owned(),
        "staff.factor-reset" => "that it took away the second factor of a member of its staff".to_owned(),
        "backup.taken" => "that it took a backup".to_owned(),
        "restore.completed" => {
            "that it restored a backup and brought it up to date from this ledger".to_owned()
        }
        other => format!("the event {other}"),
    }
}
