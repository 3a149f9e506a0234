//! Whether the service may be used. It may not while a backup was put back and what happened since has not been done
//! again: whoever was erased would be back.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use super::{App, Error};
use crate::base::PageSize;
use crate::crypto::Fingerprint;
use crate::ledger::{self, EntryKind, Fact, Filter};
use crate::on;
use crate::store;

/// Why the service is shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shut {
    /// A backup was put in place here, or bringing one up to date was cut short.
    Placed,
    /// The database is older than what was signed.
    Behind {
        /// Entries in the newest head that is known.
        known: u64,
        /// Entries in the database.
        held: u64,
    },
    /// The keystore holds keys that the ledger says were destroyed.
    Keys {
        /// How many of those looked for.
        alive: i64,
    },
    /// The keystore is new and empty, though there are people: it was lost.
    NoKeys,
}

impl Shut {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Behind { .. } => "behind",
            Self::Keys { .. } | Self::NoKeys => "keys",
        }
    }
}

impl fmt::Display for Shut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Placed => f.write_str("a backup was put back"),
            Self::Behind { known, held } => {
                write!(f, "the database is from a backup: it holds {held} ledger entries of {known}")
            }
            Self::Keys { alive } => {
                write!(f, "the keystore is from a backup: it holds {alive} keys that were destroyed")
            }
            Self::NoKeys => {
                f.write_str("the keystore is new and empty, though there are people: it was lost")
            }
        }
    }
}

/// Open, or shut and why. Cheap to clone; clones share.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<RwLock<Option<Shut>>>);

impl Gate {
    /// Why it is shut; none when it is open.
    pub fn why(&self) -> Option<Shut> {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the service may be used.
    pub fn is_open(&self) -> bool {
        self.why().is_none()
    }

    /// Shuts it.
    pub fn shut(&self, why: Shut) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// Opens it.
    pub fn open(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl App {
    /// Whether there is a reason to be shut. An older keystore shows by the keys that were destroyed last: it lacks
    /// those destructions before all others.
    pub async fn look(&self) -> Result<Option<Shut>, Error> {
        if self.keys.is_new().await? && self.has_people().await? {
            return Ok(Some(Shut::NoKeys));
        }
        if self.is_being_restored().await? {
            return Ok(Some(Shut::Placed));
        }
        match self.ledger.standing().await {
            Ok(()) => {}
            Err(ledger::Error::Behind { known, held }) => return Ok(Some(Shut::Behind { known, held })),
            Err(e) => return Err(e.into()),
        }
        let alive = self.keys.alive_among(&self.destroyed_last().await?).await?;
        Ok((alive > 0).then_some(Shut::Keys { alive }))
    }

    async fn is_being_restored(&self) -> Result<bool, Error> {
        let mut tx = self.db.read().await?;
        let (n,): (i64,) = on!(tx, |c| sqlx::query_as(super::sql::OPEN_RESTORATION).fetch_one(c).await)
            .map_err(store::Error::from)?;
        Ok(n > 0)
    }

    async fn has_people(&self) -> Result<bool, Error> {
        let mut tx = self.db.read().await?;
        let (n,): (i64,) = on!(tx, |c| sqlx::query_as(super::sql::ANYBODY).fetch_one(c).await)
            .map_err(store::Error::from)?;
        Ok(n > 0)
    }

    async fn destroyed_last(&self) -> Result<Vec<Fingerprint>, Error> {
        let mut keys = Vec::new();
        for tenant in self.library.tenants() {
            for kind in [EntryKind::ERASURE_COMPLETED, EntryKind::OBJECT_ERASED] {
                let filter = Filter { kind: Some(kind), subject: None };
                let page = self.ledger.list(&tenant, &filter, PageSize::default(), None).await?;
                keys.extend(page.items.iter().filter_map(|entry| match entry.leaf.facts.get("key") {
                    Some(Fact::Word(digits)) => Fingerprint::from_hex(digits),
                    _ => None,
                }));
            }
        }
        Ok(keys)
    }
}
