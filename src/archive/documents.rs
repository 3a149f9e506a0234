//! The JSON files of an archive. Each names its schema; the schemas are published in `exports/`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{Provenance, Retention};
use super::person::{
    Access, Authority, AutomatedDecision, Category, Consent, Purpose, Recipient, Record, Right, TakeHome,
    Withheld,
};
use crate::base::Timestamp;

/// `answer.json`: the answer of Article 15(1) and (2), computed for one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// `vouchsafe/archive-answer/1`.
    pub schema: String,
    /// When it was computed.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// The policy version it was computed from.
    pub policy_version: String,
    /// Whether anything is held of this person at all.
    pub processing: bool,
    /// (a) For what, on what ground.
    pub purposes: Vec<Purpose>,
    /// (b) Which categories; with each (d) for how long and (g) from where.
    pub categories: Vec<Held>,
    /// (c) Who received something, and what protects it there (15(2)).
    pub recipients: Vec<Recipient>,
    /// (e) The rights.
    pub rights: Vec<Right>,
    /// (f) Where to complain.
    pub authority: Authority,
    /// (h) Automated decisions; none if empty.
    pub automated: Vec<AutomatedDecision>,
    /// What is not in this archive.
    pub withheld: Vec<Withheld>,
}

/// One category as the answer tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// The policy's id.
    pub id: String,
    /// Its name.
    pub title: String,
    /// What it holds.
    pub holds: String,
    /// How many items of this person: records and images.
    pub items: u64,
    /// Where they come from.
    pub provenance: Provenance,
    /// Who gave them, if not the person.
    pub source: Option<String>,
    /// The lawful basis.
    pub basis: String,
    /// The purposes it serves.
    pub purposes: Vec<String>,
    /// Who received some of it.
    pub recipients: Vec<String>,
    /// For how long; the date is that of the item that goes last, if all dates are known.
    pub retention: Retention,
}

/// `data/<category>.json`: every record of one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// `vouchsafe/archive-records/1`.
    pub schema: String,
    /// What they are.
    pub category: Held,
    /// The records, oldest first.
    pub records: Vec<Record>,
}

/// `images.json`: every image and where it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Images {
    /// `vouchsafe/archive-images/1`.
    pub schema: String,
    /// The images, in the order of the gallery.
    pub images: Vec<Picture>,
    /// Those that could not be read: with what was recorded of each, and the path of the note in its place.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub missing: Vec<Picture>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// Its path in the archive.
    pub path: String,
    /// Its id at the service.
    pub id: String,
    /// Its category.
    pub category: String,
    /// Its media type.
    pub media_type: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// Pixels across.
    pub width: Option<u32>,
    /// Pixels down.
    pub height: Option<u32>,
    /// When it was taken in or made.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// When it will be erased, if that is known already.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends: Option<Timestamp>,
    /// What it was called when it was uploaded.
    pub original_name: Option<String>,
    /// The words that made it.
    pub caption: Option<String>,
}

/// `consents.json`: every word given about a purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consents {
    /// `vouchsafe/archive-consents/1`.
    pub schema: String,
    /// Oldest first.
    pub consents: Vec<Consent>,
}

/// `reads.json`: who read the person's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reads {
    /// `vouchsafe/archive-reads/1`.
    pub schema: String,
    /// Oldest first.
    pub reads: Vec<Access>,
}

impl Held {
    /// What is held under `category`.
    pub(super) fn of(category: &Category) -> Self {
        let ends: Option<Vec<Timestamp>> =
            category.records.iter().map(|r| r.ends).chain(category.images.iter().map(|i| i.ends)).collect();
        Self {
            id: category.id.clone(),
            title: category.title.clone(),
            holds: category.holds.clone(),
            items: (category.records.len() as u64).saturating_add(category.images.len() as u64),
            provenance: category.provenance,
            source: category.source.clone(),
            basis: category.basis.clone(),
            purposes: category.purposes.clone(),
            recipients: category.recipients.clone(),
            retention: Retention {
                ends: ends.and_then(|e| e.into_iter().max()),
                rule: category.rule.clone(),
            },
        }
    }
}

impl Answer {
    /// The answer for the person whose data `home` holds. Categories without an item are left out: the answer is
    /// about this person, not about everyone.
    pub fn of(home: &TakeHome) -> Self {
        let categories: Vec<Held> = home.categories.iter().map(Held::of).filter(|h| h.items > 0).collect();
        Self {
            schema: "vouchsafe/archive-answer/1".to_owned(),
            made_at: home.head.made_at,
            policy_version: home.head.policy_version.clone(),
            processing: !categories.is_empty(),
            purposes: home.purposes.clone(),
            categories,
            recipients: home.recipients.clone(),
            rights: home.rights.clone(),
            authority: home.authority.clone(),
            automated: home.automated.clone(),
            withheld: home.withheld.clone(),
        }
    }
}
