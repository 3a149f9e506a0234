//! Words that the ledger has and a restored database has lost.

use chrono::TimeDelta;

use super::{Consents, Error, State, Word, categories_resting_on, sql};
use crate::base::{EntryId, Timestamp};
use crate::policy::Fact;
use crate::vault::Owner;

/// A word as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The purpose.
    pub purpose: String,
    /// What was said.
    pub state: State,
    /// When, to the second.
    pub at: Timestamp,
    /// The version that was in force.
    pub version: String,
    /// SHA-256 of the words that were shown.
    pub notice: Vec<u8>,
    /// The entry that proves it.
    pub entry: EntryId,
}

impl Consents {
    /// Puts a word back, as the person's newest for its purpose. Words must come in the order of the ledger. Writes
    /// nothing on the ledger. `false`, and nothing done, when it is there already.
    pub async fn put_back(&self, owner: &Owner, heard: &Heard) -> Result<bool, Error> {
        let policy = self.vault.policy(&owner.tenant)?;
        let mut tx = self.db.begin().await?;
        if sql::is_known(&mut tx, owner, heard.entry).await? {
            return Ok(false);
        }
        // The ledger knows the second alone; the order of words is that of the ledger.
        let last = sql::latest(&mut tx, owner, &heard.purpose).await?;
        let after = last.map(|w| w.at.plus(TimeDelta::microseconds(1)));
        let word = Word {
            state: heard.state,
            at: after.map_or(heard.at, |after| after.max(heard.at)),
            method: "ledger".to_owned(),
            policy_version: heard.version.clone(),
            entry: Some(heard.entry),
        };
        let id = EntryId::new(&self.clock, &self.entropy);
        sql::insert(&mut tx, owner, &heard.purpose, id, &word, &heard.notice).await?;
        if heard.state != State::Given {
            for category in categories_resting_on(&policy, &heard.purpose) {
                let fact = [(Fact::Withdrawn, heard.at)];
                self.vault.happened_to_category(&mut tx, owner, &category, &fact).await?;
            }
        }
        tx.commit().await?;
        Ok(true)
    }
}
