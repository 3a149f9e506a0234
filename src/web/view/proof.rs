//! What a stranger may see and check: receipts and the ledger. Nobody's data is on these pages.

use askama::Template;

use super::{Count, Mark, Moment, Seal, Shell, State, Viewer};

/// A receipt: what was done, and how to check it without us.
#[derive(Template, Debug, Clone)]
#[template(path = "public/receipt.html", config = "src/web/askama.toml")]
pub struct ReceiptPage {
    /// What every page is given.
    pub shell: Shell,
    /// What it is a receipt of: `Receipt of an erasure`.
    pub title: String,
    /// The receipt's number.
    pub id: String,
    /// The seal, drawn from the hash of the entry.
    pub seal: Seal,
    /// The sentence it proves.
    pub proves: String,
    /// When it happened.
    pub at: Moment,
    /// Facts behind the sentence, each with its name.
    pub facts: Vec<Fact>,
    /// What it does not prove, each a sentence.
    pub does_not_prove: Vec<String>,
    /// Where it stands in the ledger.
    pub place: Place,
    /// The file to keep: address and name.
    pub file_href: String,
    /// The file's name, used in the command: `receipt-0192.json`.
    pub file_name: String,
    /// The name and key of the signer, in the form of a C2SP verifier key.
    pub verifier_key: String,
}

/// A named fact.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Where an entry stands in the ledger.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its number, from 0.
    pub index: Count,
    /// The size of the tree the proof is for.
    pub tree_size: Count,
    /// The root of that tree, in base64.
    pub root: String,
    /// The hash of the leaf, in hexadecimal.
    pub leaf: String,
    /// When the tree was signed; `None` until the next checkpoint.
    pub signed_at: Option<Moment>,
}

/// The ledger, for anyone.
#[derive(Template, Debug, Clone)]
#[template(path = "public/ledger.html", config = "src/web/askama.toml")]
pub struct LedgerPage {
    /// What every page is given.
    pub shell: Shell,
    /// The name the log signs under.
    pub origin: String,
    /// How many entries there are.
    pub size: Count,
    /// The root hash, in base64.
    pub root: String,
    /// The seal of the root.
    pub seal: Option<Seal>,
    /// When it was last signed.
    pub signed_at: Option<Moment>,
    /// The checkpoint as signed, word for word.
    pub checkpoint: String,
    /// The key that checks the signature, in C2SP form.
    pub verifier_key: String,
    /// The key that checks the signatures of take-home archives.
    pub archive_key: String,
    /// Who else has seen it, in a sentence.
    pub watched: String,
    /// How the last self-check of the whole ledger went.
    pub self_check: State,
    /// When that was.
    pub self_checked: Option<Moment>,
    /// The newest entries, without personal data.
    pub entries: Vec<LedgerRow>,
    /// The page of older entries, if there are older ones.
    pub older_href: Option<String>,
}

/// One entry as a stranger sees it.
#[derive(Debug, Clone)]
pub struct LedgerRow {
    /// Its number, from 0.
    pub index: Count,
    /// When.
    pub at: Moment,
    /// What was done, in a sentence without personal data: `An image of category output-image was erased.`
    pub what: String,
    /// The entry's kind, a word machines know: `erasure.object`.
    pub kind: String,
    /// The rule or right that asked for it: `retention.input-image`.
    pub why: String,
    /// The first digits of the leaf's hash.
    pub leaf: String,
    /// The entry's own address.
    pub href: String,
}
