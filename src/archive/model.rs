//! What an archive is made of, in plain types without a database behind them. The `requests` room fills a
//! [`TakeHome`]; [`TakeHome::contents`] turns it into files; [`super::Layout`] turns the files into bytes.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::{ObjectId, TenantId, Timestamp};

/// Who answers for the data: the controller of Article 4(7), as the policy names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Controller {
    /// Its name.
    pub name: String,
    /// Its postal address.
    pub address: String,
    /// Where to write about privacy.
    pub contact: String,
}

/// What every file of one archive shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The tenant.
    pub tenant: TenantId,
    /// The controller.
    pub controller: Controller,
    /// When the archive was made. Fixed with the request, so that the same archive is laid out again on a resume.
    pub made_at: Timestamp,
    /// The reference of the request that this answers.
    pub reference: String,
    /// A pseudonym of the person, never a name or an address: the archive may be handed on.
    pub subject_pseudonym: String,
    /// The version of the policy in force.
    pub policy_version: String,
}

/// Where data come from (WP 242 rev.01): what Article 20 covers are the first two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// The person gave them.
    Provided,
    /// They arose from the person's use of the service.
    Observed,
    /// The controller inferred or computed them.
    Derived,
}

impl Provenance {
    /// In words for the person.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Provided => "You gave it to us",
            Self::Observed => "It came about while you used the service",
            Self::Derived => "We computed it from other data",
        }
    }
}

/// For how long something is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Retention {
    /// When it will be erased, if that is known already.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends: Option<Timestamp>,
    /// The rule in words: "24 hours after your edit has succeeded".
    pub rule: String,
}

/// What the law wants known of a file that holds personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Facts {
    /// The policy's id of the category.
    pub category: String,
    /// Where the data come from.
    pub provenance: Provenance,
    /// The lawful basis, in the policy's code: `contract`, `consent`, …
    pub basis: String,
    /// For how long the controller keeps it.
    pub retention: Retention,
}

/// One file of the archive.
#[derive(Debug, Clone)]
pub struct File {
    /// The path that is wished for. The layout makes it safe and unique; an original name is never used as it is.
    pub path: String,
    /// What it is, in a few words.
    pub title: String,
    /// Its media type.
    pub media_type: String,
    /// What it says of the person; `None` for files that are about the archive itself.
    pub facts: Option<Facts>,
    /// The name it had when the person uploaded it. Goes to the manifest, never to a path.
    pub original_name: Option<String>,
    /// Its bytes.
    pub body: Body,
}

/// The bytes of a file.
#[derive(Debug, Clone)]
pub enum Body {
    /// Small and in memory: JSON, CSV, HTML.
    Bytes(Bytes),
    /// Stored elsewhere, opened only when its turn in the stream comes.
    Stored(Stored),
}

/// A file whose length, checksum and hash were recorded when it was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// What to open.
    pub object: ObjectId,
    /// Bytes of plaintext.
    pub len: u64,
    /// CRC-32 of the plaintext (ISO-HDLC, as ZIP and PNG use it).
    pub crc32: u32,
    /// SHA-256 of the plaintext.
    pub sha256: [u8; 32],
}

/// The files of one archive, in the order they will have, without the manifest and its signature.
#[derive(Debug, Clone)]
pub struct Contents {
    /// What they share.
    pub head: Head,
    /// The files.
    pub files: Vec<File>,
}

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
