//! What is held of a person, in plain types. The `requests` room fills a [`TakeHome`]; [`TakeHome::contents`] turns it
//! into the files of an archive.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{File, Head, Provenance, Stored};
use crate::base::Timestamp;

/// Everything held of one person, as the archive tells it.
#[derive(Debug, Clone)]
pub struct TakeHome {
    /// What all files share.
    pub head: Head,
    /// Article 15(1)(a): for what, on what ground.
    pub purposes: Vec<Purpose>,
    /// Article 15(1)(b), (d), (g) and 15(3): the categories that hold something of this person, with all of it.
    pub categories: Vec<Category>,
    /// Article 15(1)(c) and 15(2): who received something of this person.
    pub recipients: Vec<Recipient>,
    /// Article 15(1)(e): the rights, and how to use them.
    pub rights: Vec<Right>,
    /// Article 15(1)(f): where to complain.
    pub authority: Authority,
    /// Article 15(1)(h): automated decisions. Empty says that there are none.
    pub automated: Vec<AutomatedDecision>,
    /// What is not in the archive, and why (Article 15(4) and the exceptions of national law).
    pub withheld: Vec<Withheld>,
    /// Every word the person gave about a purpose, oldest first.
    pub consents: Vec<Consent>,
    /// Who read the person's data, or tried to, oldest first.
    pub reads: Vec<Access>,
    /// Receipts, inclusion proofs, letters: files as they are.
    pub attachments: Vec<File>,
}

/// A purpose, as far as it concerns this person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Purpose {
    /// The policy's id.
    pub id: String,
    /// In words: "To edit the images you send us".
    pub title: String,
    /// The basis in the policy's code.
    pub basis: String,
    /// The basis in words, with its place in the law.
    pub ground: String,
    /// Where the person stands: "Allowed since 5 May 2026", "Objected". `None` where there is no choice.
    pub choice: Option<String>,
}

/// One category and all that it holds of this person.
#[derive(Debug, Clone)]
pub struct Category {
    /// The policy's id; also the name of its files.
    pub id: String,
    /// Its name in people's words.
    pub title: String,
    /// What it holds, in a sentence.
    pub holds: String,
    /// Where the data come from.
    pub provenance: Provenance,
    /// Article 15(1)(g): who gave the data, if not the person.
    pub source: Option<String>,
    /// The lawful basis, in the policy's code.
    pub basis: String,
    /// The ids of the purposes it serves.
    pub purposes: Vec<String>,
    /// The names of those who received some of it.
    pub recipients: Vec<String>,
    /// The retention rule in words.
    pub rule: String,
    /// Its records, oldest first.
    pub records: Vec<Record>,
    /// Its images, oldest first.
    pub images: Vec<Image>,
}

/// One record of a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// When it will be erased, if that is known already.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends: Option<Timestamp>,
    /// Its fields.
    #[schema(value_type = Object)]
    pub values: serde_json::Map<String, serde_json::Value>,
}

/// One image.
#[derive(Debug, Clone)]
pub struct Image {
    /// Where its bytes are.
    pub stored: Stored,
    /// `image/jpeg`, `image/png`, `image/webp`.
    pub media_type: String,
    /// When it was taken in or made.
    pub at: Timestamp,
    /// When it will be erased, if that is known already.
    pub ends: Option<Timestamp>,
    /// What it was called when it was uploaded.
    pub original_name: Option<String>,
    /// What can be said of it for those who cannot see it.
    pub alt: String,
    /// The words that made it, if any.
    pub caption: Option<String>,
    /// Pixels across and down.
    pub size: Option<(u32, u32)>,
    /// Whether its bytes could not be read: then a note stands in its place.
    pub missing: bool,
}

/// Someone who received data of this person: named, not a category of recipients (C-154/21).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recipient {
    /// The name.
    pub name: String,
    /// What they do for the controller.
    pub role: String,
    /// Where they are.
    pub country: String,
    /// Article 15(2): what protects data sent to a third country.
    pub safeguard: Option<String>,
    /// The ids of the categories they received.
    pub categories: Vec<String>,
    /// How often something was sent.
    pub times: u64,
    /// When something was last sent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last: Option<Timestamp>,
    /// What is known of the copies there: "Every copy is confirmed deleted".
    pub copies: Option<String>,
}

/// A right and how to use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Right {
    /// The policy's id: `access`, `erasure`, …
    pub id: String,
    /// What it lets the person do, and how.
    pub how: String,
}

/// A supervisory authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Authority {
    /// Its name.
    pub name: String,
    /// How to reach it.
    pub contact: String,
}

/// A decision that a machine makes about the person (Article 22).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AutomatedDecision {
    /// What is decided.
    pub what: String,
    /// By which logic.
    pub logic: String,
    /// What it means for the person.
    pub consequences: String,
    /// How to have a human look at it.
    pub review: String,
}

/// Something that is not in the archive, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Withheld {
    /// What.
    pub what: String,
    /// Why, in words.
    pub reason: String,
    /// The place in the law that allows it.
    pub law: String,
    /// Until when.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}

/// One word of a person about a purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Consent {
    /// The purpose's id.
    pub purpose: String,
    /// What was asked, in the words shown.
    pub title: String,
    /// `given`, `refused`, `withdrawn`, `objected`.
    pub state: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// How: `privacy centre`, `app`, `browser signal`.
    pub method: String,
    /// The policy version then in force.
    pub policy_version: String,
    /// SHA-256 of the notice shown, in hex.
    pub notice_sha256: String,
    /// Where the receipt lies in this archive: the path of an attachment, already in safe characters.
    pub receipt: Option<String>,
}

/// One reading of the person's data by someone else, or an attempt at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Access {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who, by role: `support`, `compliance`, `app`, `service`.
    pub who: String,
    /// The category's id.
    pub category: String,
    /// For what.
    pub purpose: String,
    /// `allowed` or `refused`.
    pub outcome: String,
    /// The reason that was given, if one was asked for.
    pub reason: Option<String>,
    /// The ledger entry that records it.
    pub entry: Option<String>,
}
