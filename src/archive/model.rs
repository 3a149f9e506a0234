//! The files an archive is made of, in plain types without a database behind them. [`super::Layout`] turns them into
//! bytes.

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
    /// Where the service shows the key that signs the archive: an address without its scheme.
    pub key_at: String,
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
    /// In memory: a note in the place of a stored file that could not be read.
    Gap(Bytes),
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
