use crate::base::{SubjectId, TenantId, Timestamp};
use crate::crypto::{Fingerprint, Key};

use super::Epoch;

/// Whose key it is.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The person.
    pub subject: SubjectId,
}

/// What a person's key is over. They die at different moments of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Images and records.
    Data,
    /// The private part of ledger entries: read once more to close an erasure, then destroyed as well.
    Proof,
}

impl Class {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Proof => "proof",
        }
    }
}

/// An item's key, in hand for one use.
#[derive(Debug, Clone)]
pub struct ItemKey {
    /// 32 bytes for a record; for an image, the first 16 are the age file key and the rest are zero.
    pub key: Key,
    /// Its public fingerprint.
    pub fingerprint: Fingerprint,
}

/// A key that is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DestroyedKey {
    /// What it was known by.
    pub fingerprint: Fingerprint,
    /// When its row was deleted, durably.
    pub at: Timestamp,
}

/// How the keystore stands.
#[derive(Debug, Clone)]
pub struct Status {
    /// Living subject keys.
    pub subjects: i64,
    /// Living item keys.
    pub items: i64,
    /// Keys of the service.
    pub system: i64,
    /// People whose keys were destroyed.
    pub fences: i64,
    /// Living keys that lie under an older epoch than the newest: to be wrapped anew.
    pub stale: i64,
    /// Keys that do not open and are set aside; of one person at most one, where it is their own.
    pub aside: i64,
    /// The epochs alive, oldest first: one, or two once there has been a rotation.
    pub epochs: Vec<Epoch>,
}

/// An epoch that was destroyed and that nobody has been told of yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destroyed {
    /// Its number.
    pub epoch: i64,
    /// When it was destroyed.
    pub at: Timestamp,
}
