//! Whether the service may be used. It may not while a backup was put back and what happened since has not been done
//! again: whoever was erased would be back.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::{fmt, fs};

use super::{App, Error};
use crate::base::PageSize;
use crate::crypto::Fingerprint;
use crate::ledger::{self, EntryKind, Fact, Filter, Unlike};
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
    /// A witness has seen more entries than the database has: it is from before, and nothing here knows the rest.
    Watched {
        /// Entries that the witness has seen.
        seen: u64,
        /// Entries in the database.
        held: u64,
    },
    /// A witness has seen another history than the database's.
    Rewritten {
        /// Entries that the witness has seen.
        seen: u64,
    },
    /// Fewer keys were ever destroyed in the keystore than this disk remembers: it is from before.
    OlderKeys {
        /// How many this disk remembers.
        known: i64,
        /// How many the keystore counts.
        held: i64,
    },
    /// The keystore is new and empty, though there are people: it was lost.
    NoKeys,
}

impl Shut {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Behind { .. } | Self::Watched { .. } => "behind",
            Self::Rewritten { .. } => "rewritten",
            Self::Keys { .. } | Self::OlderKeys { .. } | Self::NoKeys => "keys",
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
            Self::Watched { seen, held } => {
                write!(f, "a witness {}", Unlike::Ahead { seen: *seen, held: *held })
            }
            Self::Rewritten { seen } => write!(f, "a witness {}", Unlike::Rewritten { seen: *seen }),
            Self::OlderKeys { known, held } => write!(
                f,
                "the keystore is from a backup: {known} keys were destroyed here, and it knows of {held} of them"
            ),
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

impl Shut {
    /// Why bringing up to date is of no use, and what is; none when it is.
    pub fn beyond_replay(&self) -> Option<&'static str> {
        match self {
            Self::NoKeys => Some("Put a copy of it back with `vouchsafe restore`"),
            Self::Watched { .. } | Self::Rewritten { .. } => Some(
                "Nothing is signed until the database is the one that was watched: put the newest data and the newest \
                 copy of the published ledger back. A witness that is itself at fault is taken out of `ledger.witnesses`",
            ),
            _ => None,
        }
    }
}

impl From<Unlike> for Shut {
    fn from(unlike: Unlike) -> Self {
        match unlike {
            Unlike::Ahead { seen, held } => Self::Watched { seen, held },
            Unlike::Rewritten { seen } => Self::Rewritten { seen },
        }
    }
}

impl App {
    /// Whether there is a reason to be shut. An older keystore shows by how many keys were destroyed in it, and, where
    /// this disk does not know, by the keys that were destroyed last: it lacks those destructions before all others.
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
        if let Some(why) = self.older_keys().await? {
            return Ok(Some(why));
        }
        let alive = self.keys.alive_among(&self.destroyed_last().await?).await?;
        if alive > 0 {
            return Ok(Some(Shut::Keys { alive }));
        }
        self.challenged().await
    }

    /// What a witness has seen that is not here, if one has. One that does not answer holds up nothing.
    pub async fn challenged(&self) -> Result<Option<Shut>, Error> {
        Ok(self.ledger.challenge(&self.witnesses).await?.map(Shut::from))
    }

    /// Whether the keystore counts fewer destroyed keys than this disk remembers.
    async fn older_keys(&self) -> Result<Option<Shut>, Error> {
        let (known, held) = (self.tally()?, self.keys.destroyed().await?);
        Ok((held < known).then_some(Shut::OlderKeys { known, held }))
    }

    /// Remembers on this disk, outside the databases, how many keys were destroyed. Gives a reason to be shut when that
    /// are fewer than before; then nothing is written.
    pub async fn remember_destroyed(&self) -> Result<Option<Shut>, Error> {
        let (known, held) = (self.tally()?, self.keys.destroyed().await?);
        if held > known {
            let file = self.tally_file();
            let written = store::write_durably(&file, format!("{held}\n").as_bytes());
            written.map_err(|e| Error::Folder(file, e))?;
        }
        Ok((held < known).then_some(Shut::OlderKeys { known, held }))
    }

    /// Lets the keystore's count go on from what this disk remembers: everything was destroyed again.
    pub async fn destroyed_again(&self) -> Result<(), Error> {
        self.keys.raise_destroyed(self.tally()?).await?;
        self.remember_destroyed().await.map(|_| ())
    }

    fn tally(&self) -> Result<i64, Error> {
        let file = self.tally_file();
        match fs::read_to_string(&file) {
            Ok(text) => {
                let bad = |_| Error::Folder(file, io::Error::new(io::ErrorKind::InvalidData, "not a number"));
                text.trim().parse().map_err(bad)
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(e) => Err(Error::Folder(file, e)),
        }
    }

    /// Beside the file that remembers the ledger's newest head.
    fn tally_file(&self) -> PathBuf {
        self.config.keys_folder().join("keystore.destroyed")
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
