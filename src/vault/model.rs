use serde::{Deserialize, Serialize};

use super::PlainStream;
use crate::base::{ObjectId, RecordId, Secret, StaffId, SubjectId, Timestamp};
use crate::crypto::Fingerprint;
use crate::policy::{Facts, Role};

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The person themself.
    Subject(SubjectId),
    /// An app, for its signed-in user.
    App(SubjectId),
    /// A member of staff, in a role the document names.
    Staff(StaffId, Role),
    /// The program itself.
    Service,
}

impl Actor {
    /// In the document's words.
    pub fn role(&self) -> Role {
        match self {
            Self::Subject(_) => Role::Subject,
            Self::App(_) => Role::App,
            Self::Staff(_, role) => *role,
            Self::Service => Role::Service,
        }
    }
}

/// Who reads, and what for.
#[derive(Debug, Clone)]
pub struct Access<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// A purpose of the document.
    pub purpose: &'a str,
}

/// Bounds on what may be stored.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most bytes an image may have.
    pub image_bytes: u64,
}

/// Personal fields to be stored: one JSON value.
#[derive(Debug)]
pub struct NewRecord<'a> {
    /// A category of the document.
    pub category: &'a str,
    /// What it is, within its category: `profile`, `prompt`. Not personal.
    pub name: &'a str,
    /// The value.
    pub value: serde_json::Value,
    /// What it belongs to: an edit, a request.
    pub parent: Option<String>,
    /// When its clocks started.
    pub facts: Facts,
}

/// A record whose key is durable and that waits for its row. Dropped, it leaves a key that opens nothing.
#[derive(Debug)]
pub struct SealedRecord {
    pub(super) id: RecordId,
    pub(super) category: String,
    pub(super) name: String,
    pub(super) sealed: Vec<u8>,
    pub(super) kfp: Fingerprint,
    pub(super) item: Item,
}

impl SealedRecord {
    /// Its id to be.
    pub fn id(&self) -> RecordId {
        self.id
    }
}

/// What every item has, whatever its shape.
#[derive(Debug, Clone)]
pub struct Item {
    /// What it belongs to.
    pub parent: Option<String>,
    /// When its clocks started.
    pub facts: Facts,
    /// The document's version it was collected under.
    pub policy_version: String,
    /// The retention rule that will end it.
    pub rule: Option<String>,
    /// The rules that were carried out on it already: it was reduced, and lives on until its next rule.
    pub done: Vec<String>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it must go, if a clock runs.
    pub due_at: Option<Timestamp>,
}

/// A record that was read.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its id.
    pub id: RecordId,
    /// Its category.
    pub category: String,
    /// What it is, within its category.
    pub name: String,
    /// 1, and one more for each correction.
    pub revision: i64,
    /// The value.
    pub value: serde_json::Value,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The rest.
    pub item: Item,
}

/// An image to be stored.
#[derive(Debug)]
pub struct NewObject<'a> {
    /// A category of the document.
    pub category: &'a str,
    /// `image/jpeg`, `image/png`, `image/webp`.
    pub media_type: &'a str,
    /// What it belongs to.
    pub parent: Option<String>,
    /// When its clocks started.
    pub facts: Facts,
    /// Width and height in pixels, when known.
    pub size: Option<(u32, u32)>,
    /// Most bytes to take.
    pub most_bytes: u64,
}

/// What is kept of an image beside its bytes, sealed under the image's own key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectMeta {
    /// Its media type.
    pub media_type: String,
    /// Plaintext bytes.
    pub len: u64,
    /// CRC-32 of the plaintext: lets an archive's layout be known beforehand.
    pub crc32: u32,
    /// SHA-256 of the plaintext, hexadecimal.
    pub sha256: String,
    /// Width in pixels, when known.
    pub width: Option<u32>,
    /// Height in pixels, when known.
    pub height: Option<u32>,
}

/// An image at rest.
#[derive(Debug, Clone)]
pub struct StoredObject {
    /// Its id.
    pub id: ObjectId,
    /// Its category.
    pub category: String,
    /// What is kept beside the bytes.
    pub meta: ObjectMeta,
    /// Its key's public fingerprint.
    pub kfp: Fingerprint,
    /// The rest.
    pub item: Item,
}

/// An image being read.
#[derive(Debug)]
pub struct OpenObject {
    /// What it is.
    pub object: StoredObject,
    /// Its bytes. The stream ends with an error if the file was cut or changed, never silently short.
    pub bytes: PlainStream,
}

impl OpenObject {
    /// The whole image in memory, refusing more than `most` bytes.
    pub async fn read(mut self, most: u64) -> Result<Secret<Vec<u8>>, super::Error> {
        use futures_util::StreamExt as _;
        if self.object.meta.len > most {
            return Err(super::Error::TooLarge(most));
        }
        let mut all = Vec::with_capacity(usize::try_from(self.object.meta.len).unwrap_or(0));
        while let Some(piece) = self.bytes.next().await {
            all.extend_from_slice(&piece?);
        }
        Ok(Secret::new(all))
    }
}
