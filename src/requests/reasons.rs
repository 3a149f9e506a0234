//! Why staff looked at somebody's data, in their own words: said before the look, sealed under the person's key, theirs to
//! see, and gone with them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::filing::CATEGORY;
use super::{Error, Requests};
use crate::base::{PageSize, Secret, Timestamp};
use crate::policy::{Fact, Facts};
use crate::vault::{Access, Actor, NewRecord, Owner, Record};

const NAME: &str = "look-reason";
/// Fewest characters of a reason: "because" is none.
pub const SHORTEST_REASON: usize = 10;
/// Most characters of a reason.
pub const LONGEST_REASON: usize = 500;

impl Requests {
    /// Writes down why a member of staff looks at a person's data for a purpose. Gives until when it lets them look: the
    /// document still decides at what.
    pub async fn state_reason(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        words: &Secret<String>,
    ) -> Result<Timestamp, Error> {
        let Actor::Staff(staff, _) = access.actor else {
            return Err(Error::Invalid("only a person of staff gives a reason for a look"));
        };
        let text = words.expose().trim();
        if !(SHORTEST_REASON..=LONGEST_REASON).contains(&text.chars().count()) {
            return Err(Error::Invalid("a reason has 10 to 500 characters"));
        }
        if self.vault.policy(&owner.tenant)?.purpose(access.purpose).is_none() {
            return Err(Error::Invalid("the policy has no such purpose"));
        }
        let now = self.clock.now();
        let value = json!({
            "words": text, "by": staff.to_string(), "purpose": access.purpose, "at": now.rfc3339(),
        });
        let facts = Facts::new().with(Fact::RequestClosed, now);
        let record = NewRecord { category: CATEGORY, name: NAME, value, parent: None, facts };
        let sealed = self.vault.seal_records(owner, vec![record]).await?;
        let id = sealed.first().map(crate::vault::SealedRecord::id).ok_or(super::filing::UNREADABLE)?;
        let mut tx = self.db.begin().await?;
        self.vault.insert(&mut tx, owner, &sealed).await?;
        let until = self.vault.open_look(&mut tx, owner, access, id).await?;
        tx.commit().await?;
        Ok(until)
    }

    /// The reasons that staff gave for looking at a person's data, by the look's id: for the person themself.
    pub async fn reasons(&self, owner: &Owner) -> Result<BTreeMap<String, String>, Error> {
        let words = |record: &Record| {
            record.value.get("words").and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let records = self.named(owner, NAME).await?;
        Ok(records.iter().map(|record| (record.id.to_string(), words(record))).collect())
    }

    /// What lies under one name among a person's own requests, read by them.
    pub(super) async fn named(&self, owner: &Owner, name: &str) -> Result<Vec<Record>, Error> {
        let access = Access { actor: &Actor::Subject(owner.subject), purpose: super::fulfil::PURPOSE };
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let size = PageSize::new(200).unwrap_or_default();
            let page = self.vault.records(owner, &access, CATEGORY, (after.as_deref(), size)).await?;
            found.extend(page.items.into_iter().filter(|record| record.name == name));
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }
}
