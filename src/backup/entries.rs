//! What a ledger entry asks to be done again.

use crate::base::{EntryId, HoldId, StaffId, TenantId, Timestamp};
use crate::consent::{Heard, State};
use crate::crypto::Fingerprint;
use crate::ledger::{Fact, Leaf, SubjectRef};
use crate::policy::Role;

/// What must hold again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// A thing is gone.
    Erased { id: String, key: Option<Fingerprint> },
    /// A person's erasure began.
    Leaving { key: Option<Fingerprint> },
    /// A person is gone.
    Gone { key: Option<Fingerprint> },
    /// A person said something about a purpose.
    Said(Heard),
    /// A person was restricted, or freed.
    Restricted(bool),
    /// A record was corrected; the key of the old value is gone.
    Corrected { record: String, key: Fingerprint },
    /// A record was reduced; the key of what it said before is gone.
    Reduced { key: Fingerprint },
    /// An app's key is revoked.
    Revoked(String),
    /// Somebody's role changed; none: it was taken away.
    Role(StaffId, Option<Role>),
    /// A member of staff's second factor was taken away.
    FactorReset(StaffId),
    /// A hold was placed or lifted.
    Held { hold: HoldId, category: Option<String>, on: bool },
    /// A version of a document came into force.
    Published { version: String, sha256: String },
    /// An epoch is destroyed.
    Epoch(i64),
    /// A person came; they are lost with the database if nobody erased them.
    Came,
    /// A thing was stored; it is lost with the database.
    Stored(String),
    /// A request was filed.
    Filed(String),
    /// A request was closed.
    Closed(String),
    /// Nothing: it only tells what happened.
    Nothing,
}

fn word<'l>(leaf: &'l Leaf, name: &str) -> Option<&'l str> {
    match leaf.facts.get(name) {
        Some(Fact::Word(word)) => Some(word),
        _ => None,
    }
}

fn on(leaf: &Leaf) -> Option<bool> {
    match leaf.facts.get("on") {
        Some(Fact::Flag(on)) => Some(*on),
        _ => None,
    }
}

fn key(leaf: &Leaf) -> Option<Fingerprint> {
    word(leaf, "key").and_then(Fingerprint::from_hex)
}

/// What an entry asks. One whose facts are not as this program writes them asks nothing.
pub(super) fn asked(leaf: &Leaf) -> Asked {
    read(leaf).unwrap_or(Asked::Nothing)
}

fn read(leaf: &Leaf) -> Option<Asked> {
    Some(match leaf.kind.as_str() {
        "object.erased" => Asked::Erased { id: word(leaf, "object")?.to_owned(), key: key(leaf) },
        "object.stored" => Asked::Stored(word(leaf, "object")?.to_owned()),
        "erasure.requested" => Asked::Leaving { key: key(leaf) },
        "erasure.completed" => Asked::Gone { key: key(leaf) },
        "consent.given" | "objection.lifted" => Asked::Said(heard(leaf, State::Given)?),
        "consent.withdrawn" => Asked::Said(heard(leaf, State::Withdrawn)?),
        "objection.made" => Asked::Said(heard(leaf, State::Objected)?),
        "restriction.set" => Asked::Restricted(on(leaf)?),
        "rectification.made" => {
            Asked::Corrected { record: word(leaf, "object")?.to_owned(), key: key(leaf)? }
        }
        "object.reduced" => Asked::Reduced { key: key(leaf)? },
        "api-key.revoked" => Asked::Revoked(word(leaf, "api-key")?.to_owned()),
        "staff.dismissed" | "staff.disabled" => Asked::Role(word(leaf, "staff")?.parse().ok()?, None),
        "staff.role-changed" => {
            Asked::Role(word(leaf, "staff")?.parse().ok()?, Some(word(leaf, "role")?.parse().ok()?))
        }
        "staff.factor-reset" => Asked::FactorReset(word(leaf, "staff")?.parse().ok()?),
        "hold.set" => Asked::Held {
            hold: word(leaf, "hold")?.parse().ok()?,
            category: word(leaf, "category").map(ToOwned::to_owned),
            on: on(leaf)?,
        },
        "policy.published" => Asked::Published {
            version: word(leaf, "version")?.to_owned(),
            sha256: word(leaf, "sha256")?.to_owned(),
        },
        "epoch.destroyed" => match leaf.facts.get("epoch") {
            Some(Fact::Number(n)) => Asked::Epoch(*n),
            _ => return None,
        },
        "subject.created" => Asked::Came,
        "request.filed" => Asked::Filed(word(leaf, "request")?.to_owned()),
        "request.closed" => Asked::Closed(word(leaf, "request")?.to_owned()),
        _ => Asked::Nothing,
    })
}

fn heard(leaf: &Leaf, state: State) -> Option<Heard> {
    Some(Heard {
        purpose: word(leaf, "purpose")?.to_owned(),
        state,
        at: leaf.at,
        version: word(leaf, "version")?.to_owned(),
        notice: hex::decode(word(leaf, "notice")?).ok()?,
        entry: leaf.id,
    })
}

/// Where an entry stands: whose it is, when, which.
pub(super) struct Standing<'l> {
    pub(super) tenant: &'l TenantId,
    pub(super) about: Option<&'l SubjectRef>,
    pub(super) at: Timestamp,
    pub(super) id: EntryId,
}

impl<'l> Standing<'l> {
    /// Of an entry that concerns one tenant.
    pub(super) fn of(leaf: &'l Leaf) -> Option<Self> {
        let tenant = leaf.tenant.as_ref()?;
        Some(Self { tenant, about: leaf.subject.as_ref(), at: leaf.at, id: leaf.id })
    }
}
