//! What a collection says of itself. Every number in it can be counted in the folder beside it.

use serde::{Deserialize, Serialize};

use crate::base::{CollectionId, EntryId, TenantId, Timestamp};

/// The schema that this program writes.
pub(super) const SCHEMA: &str = "vouchsafe/training-collection/1";

/// A collection: what it was made for and under, whose things are in it, and who has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `vouchsafe/training-collection/1`.
    pub schema: String,
    /// The collection.
    pub collection: CollectionId,
    /// The service.
    pub tenant: TenantId,
    /// The purpose's id in the document.
    pub purpose: String,
    /// What people agreed to, in the document's words.
    pub means: String,
    /// The version in force when it was made.
    pub policy_version: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The key that signed `manifest.sig`, in the form of C2SP signed-note. A convenience: trust a key from elsewhere.
    pub signed_by: String,
    /// Whose things are in it.
    pub people: Vec<Member>,
    /// Who was in an earlier collection and is not in this one: their things are to be dropped from every copy.
    pub left: Vec<Left>,
}

/// One person's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Who, as the ledger calls them; also the name of their folder.
    pub pseudonym: String,
    /// The entry of the ledger that is the receipt of their word.
    pub consent: EntryId,
    /// When they gave it.
    pub given_at: Timestamp,
    /// The version of the document they gave it under.
    pub given_under: String,
    /// SHA-256 of their `samples.jsonl`, which lists each of their files with its own, in hex.
    pub samples_sha256: String,
    /// Their pictures.
    pub images: u64,
    /// Their records without a picture.
    pub records: u64,
}

/// Somebody who is in no collection any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// Who, as the ledger called them.
    pub pseudonym: String,
    /// When this was first found.
    pub since: Timestamp,
}

/// A line of `samples.jsonl`: a picture with the words that made it, or words alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The category of the document.
    pub category: String,
    /// The picture's file, beside this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// Its SHA-256, in hex.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<String>,
    /// Its length.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bytes: Option<u64>,
    /// Its media type.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub media_type: Option<String>,
    /// The record that belongs to it, or that this line is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub words: Option<serde_json::Value>,
}

/// The text that is signed. Its first line keeps it apart from anything else this service signs.
pub(super) fn note(tenant: &TenantId, collection: CollectionId, sha256: &[u8]) -> String {
    format!("vouchsafe/training-collection/1\n{tenant}\n{collection}\n{}\n", hex::encode(sha256))
}
