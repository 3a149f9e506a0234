//! Telling people of a version: everybody entered once, a page at a time, and at most one letter each.

use chrono::TimeDelta;

use super::{Error, Publications, Told, sql};
use crate::base::{TenantId, Timestamp};
use crate::ledger::{Entry, EntryKind};
use crate::policy::diff::{Difference, diff};
use crate::policy::{Medium, Role};
use crate::vault::Owner;

/// People entered in one transaction.
const PAGE: i64 = 1_000;
/// Who came less long ago than this is looked for again: ids are in the order in which people came, but a slow sign-up
/// is seen late.
const LAG: TimeDelta = TimeDelta::minutes(2);
/// A letter in hand for longer than this was in the hand of a process that ended.
const LEASE: TimeDelta = TimeDelta::minutes(15);
/// After this many tries a letter is given up; the notice in the privacy centre stays.
const MOST_TRIES: i64 = 12;

/// A version of which people are being told.
#[derive(Debug, Clone)]
pub struct Telling {
    /// Whose document.
    pub tenant: TenantId,
    /// The version.
    pub version: String,
    /// When it comes into force. Who comes after that is not told: they came under it.
    pub effective: Timestamp,
    /// The millisecond of the last person entered for sure, as ids begin with it.
    pub(super) reached: String,
    /// When the last of those had been told who were there at the publication.
    pub announced_at: Option<Timestamp>,
}

/// How many people were told, and how many letters went where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// People who are told.
    pub people: u64,
    /// Letters that went.
    pub sent: u64,
    /// Letters that are to go.
    pub owed: u64,
    /// Letters of which nobody knows whether they went, and which are not sent again.
    pub unsure: u64,
    /// Letters that could not be sent.
    pub failed: u64,
}

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letter {
    /// It went.
    Sent,
    /// It did not, and may be tried again.
    NotTaken,
    /// There is none to write: the document promises none.
    None,
}

impl Publications {
    /// The versions of which people are being told.
    pub async fn tellings(&self) -> Result<Vec<Telling>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::tellings(&mut tx).await?)
    }

    /// What the version of a telling changes, and how people are told.
    pub fn news(&self, telling: &Telling) -> Result<(Difference, Told), Error> {
        let (old, new) = self.before(&telling.tenant, &telling.version).ok_or(Error::NotFound)?;
        let difference = diff(&old, &new);
        let told = super::model::told(&[&old], &difference);
        Ok((difference, told))
    }

    /// Enters everybody who must be told and is not entered yet: the notice stands in their privacy centre from here
    /// on. Gives how many there were. `stop` is asked between pages; what is left is found by the next call.
    pub async fn enter(&self, telling: &Telling, stop: &(dyn Fn() -> bool + Sync)) -> Result<u64, Error> {
        let (_, told) = self.news(telling)?;
        let letter = if told.only_affected || told.by.contains(&Medium::Email) { "owed" } else { "none" };
        let (mut after, mut entered) = (telling.reached.clone(), 0);
        while !stop() {
            let now = self.clock.now();
            let page = {
                let mut tx = self.db.read().await?;
                sql::next_people(&mut tx, telling, &after, PAGE).await?
            };
            let Some((to, _)) = page.last() else { break };
            let posted = told.by.contains(&Medium::PrivacyCentre).then_some(now);
            let settled = page.iter().take_while(|(_, came)| *came < now.plus(-LAG)).last();
            let mut tx = self.db.begin().await?;
            entered += sql::enter(&mut tx, telling, (posted, letter), now, (&after, to)).await?;
            if let Some((settled, _)) = settled {
                sql::reached(&mut tx, telling, moment_of(settled)).await?;
            }
            tx.commit().await?;
            after.clone_from(to);
        }
        Ok(entered)
    }

    /// People whose letter is to go now.
    pub async fn owed(&self, telling: &Telling, most: i64) -> Result<Vec<Owner>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::owed(&mut tx, telling, self.clock.now(), most).await?)
    }

    /// Takes a person's letter in hand, to be followed by [`Publications::settled`]. `false` when it is in another hand,
    /// or the person is gone, being erased, or not touched by what changes: then there is no letter.
    pub async fn claim(&self, owner: &Owner, version: &str, told: &Told) -> Result<bool, Error> {
        let here = matches!(self.subjects.get(owner).await, Ok(subject) if !subject.erasing);
        if !here || (told.only_affected && !self.touches(owner, version).await?) {
            let mut tx = self.db.begin().await?;
            sql::spare(&mut tx, owner, version).await?;
            tx.commit().await?;
            return Ok(false);
        }
        let mut tx = self.db.begin().await?;
        let ours = sql::claim(&mut tx, owner, version, self.clock.now()).await?;
        tx.commit().await?;
        Ok(ours)
    }

    /// Whether what a version changes touches a person: something they have, or everybody.
    async fn touches(&self, owner: &Owner, version: &str) -> Result<bool, Error> {
        let (old, new) = self.before(&owner.tenant, version).ok_or(Error::NotFound)?;
        let difference = diff(&old, &new);
        if difference.changes.iter().any(|change| change.must_tell && change.categories.is_empty()) {
            return Ok(true);
        }
        let touched = difference.categories();
        let has = self.vault.holdings(owner).await?;
        Ok(has.iter().any(|h| touched.contains(h.category.as_str())))
    }

    /// Writes down what became of a letter in hand.
    pub async fn settled(&self, owner: &Owner, version: &str, letter: Letter) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let state = match letter {
            Letter::Sent => ("sent", now, now),
            Letter::None => ("none", now, now),
            Letter::NotTaken => {
                let tries = sql::tries(&mut tx, owner, version).await?;
                let next = now.plus(TimeDelta::minutes(5 * tries.clamp(1, 12)));
                (if tries < MOST_TRIES { "owed" } else { "failed" }, now, next)
            }
        };
        sql::settle(&mut tx, owner, version, state).await?;
        Ok(tx.commit().await?)
    }

    /// Gives up letters that were in the hand of a process that ended: whether they went nobody knows, and one too few
    /// is a notice in the privacy centre that still says it all. Gives how many.
    pub async fn give_up_unsure(&self) -> Result<u64, Error> {
        let mut tx = self.db.begin().await?;
        let n = sql::unsure(&mut tx, self.clock.now().plus(-LEASE)).await?;
        tx.commit().await?;
        Ok(n)
    }

    /// Writes on the ledger, once, that everybody has been told; and ends the telling when the version is in force.
    pub async fn conclude(&self, telling: &Telling) -> Result<(), Error> {
        let now = self.clock.now();
        let tally = self.tally(&telling.tenant, &telling.version).await?;
        if tally.owed > 0 {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        if telling.announced_at.is_none() {
            let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
            let entry = Entry::new(EntryKind::NOTICE_ANNOUNCED, now, &telling.tenant, Role::Service.as_str())
                .fact("version", telling.version.as_str())
                .fact("people", count(tally.people))
                .fact("letters", count(tally.sent));
            let appended = self.ledger.append(&mut tx, entry).await?;
            if !sql::announced(&mut tx, telling, now, &appended.id.to_string()).await? {
                return Ok(());
            }
        }
        if telling.effective <= now {
            sql::close(&mut tx, telling, now).await?;
        }
        Ok(tx.commit().await?)
    }

    /// How the telling of a version stands.
    pub async fn tally(&self, tenant: &TenantId, version: &str) -> Result<Tally, Error> {
        let rows = {
            let mut tx = self.db.read().await?;
            sql::standing(&mut tx, tenant, version).await?
        };
        let mut tally = Tally::default();
        for (letter, n) in rows {
            let n = u64::try_from(n).unwrap_or(0);
            if letter != "spared" {
                tally.people += n;
            }
            match letter.as_str() {
                "sent" => tally.sent += n,
                "owed" | "sending" => tally.owed += n,
                "unsure" => tally.unsure += n,
                "failed" => tally.failed += n,
                _ => {}
            }
        }
        Ok(tally)
    }

    /// When a version was published and when everybody had been told of it.
    pub async fn dates(
        &self,
        tenant: &TenantId,
        version: &str,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), Error> {
        let mut tx = self.db.read().await?;
        let published = sql::published_at(&mut tx, tenant, version).await?;
        let telling = sql::telling_of(&mut tx, tenant, version).await?;
        Ok((published, telling.and_then(|t| t.announced_at)))
    }
}

/// The part of a person's id that is a time, and nobody's: what is remembered of how far the telling has come. Whoever
/// came in the same millisecond is looked at once more.
fn moment_of(id: &str) -> &str {
    id.get(..16).unwrap_or_default()
}
