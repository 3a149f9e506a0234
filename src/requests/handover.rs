//! What staff handed to an authority, or to somebody to protect rights: the words about it, sealed under the person's key,
//! and what the person is told of it. The register itself is [`crate::disclosure`].

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::filing::{CATEGORY, UNREADABLE};
use super::{Error, Requests};
use crate::archive::Recipient;
use crate::base::{Secret, Timestamp};
use crate::disclosure::{Ground, Handover, NewHandover};
use crate::policy::{Fact, Facts, Policy};
use crate::vault::{Actor, NewRecord, Owner, SealedRecord};

/// The name under which the words lie.
pub(super) const HANDOVER: &str = "handover";
/// Most characters of each answer.
pub const MOST_OF_HANDOVER: usize = 500;
/// The longest for which a person is not told without somebody looking at it anew.
pub const LONGEST_SILENCE: TimeDelta = TimeDelta::days(730);

/// What a member of staff writes down.
#[derive(Debug)]
pub struct Handing {
    /// Why it was handed over.
    pub ground: Ground,
    /// What of: categories of the document.
    pub categories: Vec<String>,
    /// To whom: the authority, the court, whoever it was.
    pub to: Secret<String>,
    /// Under which law or order, with its file number.
    pub law: Secret<String>,
    /// What exactly, and how its lawfulness was checked.
    pub what: Secret<String>,
    /// On which day.
    pub handed_at: Timestamp,
    /// Until when a law or an order forbids telling the person.
    pub silent_until: Option<Timestamp>,
}

/// A handover as its person is told of it.
#[derive(Debug, Clone)]
pub struct Handed {
    /// The row of the register.
    pub row: Handover,
    /// To whom; nothing once the record of it is over.
    pub to: String,
    /// Under which law.
    pub law: String,
}

fn told<'a>(words: &'a Secret<String>, missing: &'static str) -> Result<&'a str, Error> {
    let text = words.expose().trim();
    let length = text.chars().count();
    if length == 0 || length > MOST_OF_HANDOVER { Err(Error::Invalid(missing)) } else { Ok(text) }
}

impl Handing {
    fn check(&self, policy: &Policy, now: Timestamp) -> Result<(), Error> {
        if self.categories.is_empty() || self.categories.iter().any(|c| policy.category(c).is_none()) {
            return Err(Error::Invalid("say which categories of data it was"));
        }
        if self.handed_at > now {
            return Err(Error::Invalid("the day on which it was handed over is not past yet"));
        }
        if self.silent_until.is_some_and(|until| until <= now || until > now.plus(LONGEST_SILENCE)) {
            return Err(Error::Invalid("the person may be left untold until a day within two years"));
        }
        Ok(())
    }
}

impl Requests {
    /// Enters into the register what a member of staff handed over, with the words about it sealed for the person.
    /// [`Error::Invalid`] says what is missing.
    pub async fn hand_over(&self, owner: &Owner, by: &Actor, handing: &Handing) -> Result<(), Error> {
        let now = self.clock.now();
        handing.check(&*self.vault.policy(&owner.tenant)?, now)?;
        let value = json!({
            "to": told(&handing.to, "say to whom it was handed, in at most 500 characters")?,
            "law": told(&handing.law, "say under which law or order, in at most 500 characters")?,
            "what": told(&handing.what, "say what it was and how it was checked, in at most 500 characters")?,
            "ground": handing.ground.as_str(),
            "categories": handing.categories,
            "at": handing.handed_at.rfc3339(),
        });
        let facts = Facts::new().with(Fact::RequestClosed, now);
        let record = NewRecord { category: CATEGORY, name: HANDOVER, value, parent: None, facts };
        let sealed = self.vault.seal_records(owner, vec![record]).await?;
        let words = sealed.first().map(SealedRecord::id).ok_or(UNREADABLE)?;
        let Handing { ground, categories, handed_at, silent_until, .. } = handing;
        let new = NewHandover {
            ground: *ground,
            categories,
            handed_at: *handed_at,
            silent_until: *silent_until,
            words,
        };
        let mut tx = self.db.begin().await?;
        self.vault.insert(&mut tx, owner, &sealed).await?;
        self.disclosures.hand_over(&mut tx, owner, by, &new).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What had been written down at `at` of what was handed over of a person, as far as they could be told then, newest
    /// first. An archive is laid out anew for each part that is fetched, so what came later must not change it.
    pub async fn handed(&self, owner: &Owner, at: Timestamp) -> Result<Vec<Handed>, Error> {
        let mut rows = self.disclosures.handovers_of(owner).await?;
        rows.retain(|row| row.may_be_told(at));
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let records = self.named(owner, HANDOVER).await?;
        rows.retain(|row| !records.iter().any(|r| r.id == row.words && r.item.created_at > at));
        let word = |row: &Handover, name: &str| {
            let record = records.iter().find(|record| record.id == row.words);
            record.and_then(|r| r.value.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        Ok(rows.into_iter().map(|row| Handed { to: word(&row, "to"), law: word(&row, "law"), row }).collect())
    }

    /// The records of handovers that the person must not be told of yet.
    pub(super) async fn untold(&self, owner: &Owner, at: Timestamp) -> Result<BTreeSet<String>, Error> {
        let rows = self.disclosures.handovers_of(owner).await?;
        Ok(rows.iter().filter(|row| !row.may_be_told(at)).map(|row| row.words.to_string()).collect())
    }
}

/// Those to whom something was handed, for the answer of Article 15.
pub(super) fn recipients(handed: &[Handed], until: Timestamp) -> Vec<Recipient> {
    let in_time = handed.iter().filter(|h| h.row.handed_at <= until);
    in_time
        .map(|h| Recipient {
            name: if h.to.is_empty() {
                "An authority or another third party".to_owned()
            } else {
                h.to.clone()
            },
            role: format!("{}: {}", h.row.ground.in_words(), h.law),
            country: String::new(),
            safeguard: None,
            categories: h.row.categories.split_whitespace().map(ToOwned::to_owned).collect(),
            times: 1,
            last: Some(h.row.handed_at),
            copies: None,
        })
        .collect()
}
