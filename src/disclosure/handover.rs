//! The part of the register that people write: what was handed to an authority that asked lawfully, or to somebody to
//! protect rights or safety. The row says when and what kind of data; the words about it lie sealed in the vault.

use std::fmt;
use std::str::FromStr;

use super::sql::handover as sql;
use super::{Disclosures, Error};
use crate::base::{EntryId, RecordId, TenantId, Timestamp};
use crate::ledger::{Entry, EntryKind};
use crate::store::Tx;
use crate::vault::{Actor, Owner};

/// Why data may go to somebody whom the document does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// An authority asked, and a law obliges us (Art. 6(1)(c) GDPR).
    Authority,
    /// To protect the rights or the safety of somebody (Art. 6(1)(d) and (f) GDPR).
    Protection,
}

impl Ground {
    /// Its word, in forms and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Protection => "protection",
        }
    }

    /// The same for people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Authority => "an authority asked, and the law obliges us",
            Self::Protection => "to protect somebody\u{2019}s rights or safety",
        }
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Ground {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Authority, Self::Protection].into_iter().find(|g| g.as_str() == text).ok_or(())
    }
}

/// A row of this part of the register.
#[derive(Debug, Clone)]
pub struct Handover {
    /// The row's id.
    pub id: String,
    /// Why.
    pub ground: Ground,
    /// What of, separated by spaces.
    pub categories: String,
    /// Who of staff decided it and wrote it down.
    pub staff: String,
    /// When it was handed over.
    pub handed_at: Timestamp,
    /// Until when a law or an order forbids telling the person.
    pub silent_until: Option<Timestamp>,
    /// The record in the vault in which the words about it lie.
    pub words: RecordId,
}

impl Handover {
    /// Whether the person may be told of it at a moment.
    pub fn may_be_told(&self, now: Timestamp) -> bool {
        self.silent_until.is_none_or(|until| until <= now)
    }
}

/// What is written down; the words are in the vault already, in the same transaction.
#[derive(Debug)]
pub struct NewHandover<'a> {
    /// Why.
    pub ground: Ground,
    /// What of: categories of the document.
    pub categories: &'a [String],
    /// When it was handed over.
    pub handed_at: Timestamp,
    /// Until when the person must not be told.
    pub silent_until: Option<Timestamp>,
    /// The record with the words.
    pub words: RecordId,
}

impl Disclosures {
    /// Writes down, in the caller's transaction, what a member of staff handed over. While the person must not be told,
    /// the ledger's entry does not name them either: the ledger is public, and they know their pseudonym.
    pub async fn hand_over(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        by: &Actor,
        new: &NewHandover<'_>,
    ) -> Result<(), Error> {
        let Actor::Staff(staff, role) = by else { return Err(Error::NotStaff) };
        let (now, staff) = (self.clock.now(), staff.to_string());
        let mut entry = Entry::new(EntryKind::DISCLOSURE_HANDED, now, &owner.tenant, role.as_str())
            .fact("ground", new.ground.as_str())
            .fact("category", new.categories.join("+").as_str())
            .fact("staff", staff.as_str());
        if new.silent_until.is_none_or(|until| until <= now) {
            entry = entry.about(self.vault.subject_ref(owner).await?);
        }
        let appended = self.ledger.append(tx, entry).await?;
        let row = Handover {
            id: EntryId::new(&self.clock, &self.entropy).to_string(),
            ground: new.ground,
            categories: new.categories.join(" "),
            staff,
            handed_at: new.handed_at,
            silent_until: new.silent_until,
            words: new.words,
        };
        Ok(sql::insert(tx, owner, &row, (now, &appended.id.to_string())).await?)
    }

    /// What was handed over of a person, newest first, those that they must not be told of included.
    pub async fn handovers_of(&self, owner: &Owner) -> Result<Vec<Handover>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::of(&mut tx, owner).await?)
    }

    /// A tenant's, newest first.
    pub async fn handovers(&self, tenant: &TenantId, most: i64) -> Result<Vec<Handover>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::register(&mut tx, tenant, most).await?)
    }
}
