//! Records that a law makes us keep although their person is erased: reduced to what the law asks for, and moved into
//! the name of a holder, who has keys of their own and is nobody.
//!
//! Promises: a holder has records of categories that a law keeps, with no field that may not stay, each with its end,
//! and never an image; nothing leads from the person to the holder or back; when the last record has gone, so have the
//! holder's keys. They are read for a purpose that a law demands, and for no other.

use std::collections::BTreeSet;

use super::records::{key_item, open, place};
use super::reduce::strip;
use super::rows::RecordRow;
use super::{Error, Item, Owner, SealedRecord, Vault, leaving, rows, sql};
use crate::base::{RecordId, SubjectId, TenantId, Timestamp};
use crate::crypto;
use crate::keystore::{self, Class, NewItem};
use crate::ledger::{Entry, EntryKind};
use crate::on;
use crate::policy::{Fact, Facts, Kept, Policy};
use crate::store::{self, Tx};

/// Records looked at in one go.
const PAGE: i64 = 200;

/// What of a person's, or of a holder's, a law makes us keep of one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRecords {
    /// The category.
    pub category: String,
    /// Its name for people.
    pub title: String,
    /// The retention rule that says so.
    pub rule: String,
    /// The law, as people cite it.
    pub law: String,
    /// How many records.
    pub records: i64,
    /// When the last of them goes.
    pub until: Timestamp,
}

impl Vault {
    /// What would stay of a person who is erased now, and why. Opens nothing.
    pub async fn kept(&self, owner: &Owner) -> Result<Vec<KeptRecords>, Error> {
        let policy = self.policy(&owner.tenant)?;
        let now = self.clock.now();
        let mut all = Vec::new();
        for category in policy.categories() {
            let Some(kept) = policy.kept_by_law(&category.id) else { continue };
            let (mut records, mut until) = (0, now);
            let mut after = String::new();
            loop {
                let page = self.kept_page(owner, &category.id, &after).await?;
                let Some(last) = page.last() else { break };
                after.clone_from(&last.id);
                for row in page {
                    let (_, end) = clock(&policy, &kept, &row.item);
                    if end > now {
                        records += 1;
                        until = until.max(end);
                    }
                }
            }
            if records > 0 {
                let (category, title) = (category.id.clone(), category.title.clone());
                all.push(KeptRecords { category, title, rule: kept.rule, law: kept.law, records, until });
            }
        }
        Ok(all)
    }

    async fn kept_page(&self, owner: &Owner, category: &str, after: &str) -> Result<Vec<RecordRow>, Error> {
        let mut tx = self.db.read().await?;
        rows::records(&mut tx, owner, category, after, PAGE).await
    }

    /// Writes a holder down, in the caller's transaction. [`Vault::part`] moves records into their name.
    pub async fn add_holder(&self, tx: &mut Tx, holder: &Owner) -> Result<(), Error> {
        on!(tx, |c| sqlx::query(sql::INSERT_HOLDER)
            .bind(holder.subject.to_string())
            .bind(holder.tenant.as_str())
            .bind(self.clock.now().micros())
            .execute(c)
            .await
            .map(|_| ()))?;
        Ok(())
    }

    /// Moves what a law keeps of a person into a holder's name, reduced to what may stay, each record in a transaction
    /// of its own. Again is harmless: what was moved is the person's no more. Gives what the holder then has.
    pub async fn part(
        &self,
        person: &Owner,
        holder: &Owner,
        closed_at: Timestamp,
    ) -> Result<Vec<KeptRecords>, Error> {
        self.enrol_holder(holder).await?;
        let policy = self.policy(&person.tenant)?;
        let mut unreadable = 0_u64;
        for category in policy.categories() {
            let Some(kept) = policy.kept_by_law(&category.id) else { continue };
            let mut after = String::new();
            loop {
                let page = self.kept_page(person, &category.id, &after).await?;
                let Some(last) = page.last() else { break };
                after.clone_from(&last.id);
                for row in page {
                    let (facts, end) = clock(&policy, &kept, &row.item);
                    if end > self.clock.now() {
                        let closed = facts.get(Fact::AccountClosed).unwrap_or(closed_at);
                        let facts = facts.with(Fact::AccountClosed, closed);
                        let moved = self.move_one(person, holder, row, (&kept, facts)).await?;
                        unreadable += u64::from(!moved);
                    }
                }
            }
        }
        if unreadable > 0 {
            tracing::error!(
                count = unreadable,
                "records that a law keeps did not open: nothing of them is kept"
            );
        }
        let had = self.kept_in_name_of(holder).await?;
        let until = had.iter().map(|k| k.until).max().unwrap_or(self.clock.now());
        let mut tx = self.db.begin().await?;
        on!(tx, |c| sqlx::query(sql::HOLDER_UNTIL)
            .bind(until.micros())
            .bind(holder.tenant.as_str())
            .bind(holder.subject.to_string())
            .execute(c)
            .await
            .map(|_| ()))?;
        tx.commit().await?;
        Ok(had)
    }

    /// The holder's keys, made once.
    async fn enrol_holder(&self, holder: &Owner) -> Result<(), Error> {
        match self.keys.subject_ref(holder.key()).await {
            Ok(_) => Ok(()),
            Err(keystore::Error::NoKey) => self.enrol(holder).await.map(|_| ()),
            Err(e) => Err(e.into()),
        }
    }

    /// `false` when the record does not open.
    async fn move_one(
        &self,
        person: &Owner,
        holder: &Owner,
        row: RecordRow,
        (kept, facts): (&Kept, Facts),
    ) -> Result<bool, Error> {
        let (old, revision) = (row.id.clone(), row.revision);
        let Some(record) = self.readable(person, row).await? else {
            // The law keeps what the record says, and nobody can tell that any more: it goes with the rest.
            tracing::error!(record = %old, "a record that a law keeps does not open, and goes with its person");
            return Ok(false);
        };
        let (less, gone) = strip(record.value, |field| kept.has_field(field));
        let id = RecordId::new(&self.clock, &self.entropy);
        let item = key_item(&id.to_string(), 1);
        let new = NewItem { item: &item, kind: &record.category, key: None };
        let key = self.keys.mint(holder.key(), vec![new]).await?.pop().ok_or(Error::NotFound)?;
        let plain = zeroize::Zeroizing::new(less.to_string().into_bytes());
        let place = place(holder, &id.to_string(), &record.category, 1);
        let of = (record.category.as_str(), record.item.policy_version.as_str());
        let (rule, due_at) = self.due_after(&person.tenant, of, &facts, &kept.reduced_by);
        let moved = SealedRecord {
            id,
            category: record.category,
            name: record.name,
            sealed: crypto::seal(&key.key, &place, &plain, &self.entropy),
            kfp: key.fingerprint,
            item: Item { parent: None, facts, rule, done: kept.reduced_by.clone(), due_at, ..record.item },
        };
        let entry = Entry::new(EntryKind::OBJECT_REDUCED, self.clock.now(), &person.tenant, "service")
            .about(self.subject_ref(person).await?)
            .fact("category", moved.category.as_str())
            .fact("rule", kept.rule.as_str())
            .fact("fields-gone", i64::try_from(gone).unwrap_or(i64::MAX));
        let mut tx = self.db.begin().await?;
        // Who was quicker has moved it already.
        if !leaving::delete(&mut tx, &person.tenant, sql::DELETE_RECORDS, &[&old]).await?.is_empty() {
            Self::insert_rows(&mut tx, holder, std::slice::from_ref(&moved)).await?;
            self.ledger.append(&mut tx, entry).await?;
        }
        tx.commit().await?;
        self.destroy_record_keys(&person.tenant, &old, revision).await?;
        Ok(true)
    }

    /// What a law keeps in a holder's name. Opens nothing.
    pub async fn kept_in_name_of(&self, holder: &Owner) -> Result<Vec<KeptRecords>, Error> {
        let policy = self.policy(&holder.tenant)?;
        let mut tx = self.db.read().await?;
        let found: Vec<(String, i64, Option<i64>)> = on!(tx, |c| sqlx::query_as(sql::KEPT_OF)
            .bind(holder.tenant.as_str())
            .bind(holder.subject.to_string())
            .fetch_all(c)
            .await)?;
        found
            .into_iter()
            .map(|(category, records, until)| {
                let bad = || store::Error::inconsistent("record", "due_at");
                let (rule, law) = policy.kept_by_law(&category).map(|k| (k.rule, k.law)).unwrap_or_default();
                Ok(KeptRecords {
                    title: policy.category(&category).map_or_else(|| category.clone(), |c| c.title.clone()),
                    rule,
                    law,
                    category,
                    records,
                    until: until.map(Timestamp::from_micros).ok_or_else(bad)?,
                })
            })
            .collect()
    }

    /// A second look at what stays of an erased person: how many things in the holder's name no law keeps, or keeps
    /// without an end, or with a field that may not stay; how many do not open; how many are more than the `told` that
    /// their person was told of. Zero is the only good answer.
    pub async fn kept_beyond_law(&self, holder: &Owner, told: i64) -> Result<i64, Error> {
        let policy = self.policy(&holder.tenant)?;
        let (mut beyond, categories) = {
            let mut tx = self.db.read().await?;
            let images = rows::count(&mut tx, holder, sql::COUNT_OBJECTS).await?;
            let found: Vec<(String, i64, Option<i64>)> = on!(tx, |c| sqlx::query_as(sql::KEPT_OF)
                .bind(holder.tenant.as_str())
                .bind(holder.subject.to_string())
                .fetch_all(c)
                .await)?;
            let records: i64 = found.iter().map(|(_, n, _)| n).sum();
            let more = records.saturating_sub(told).max(0);
            (images + more, found.into_iter().map(|(category, ..)| category).collect::<Vec<_>>())
        };
        for category in categories {
            let may_stay = allowed(&policy, &category);
            let mut after = String::new();
            loop {
                let page = self.kept_page(holder, &category, &after).await?;
                let Some(last) = page.last() else { break };
                after.clone_from(&last.id);
                for row in page {
                    let ends = row.item.due_at.is_some() && row.item.parent.is_none();
                    let key = match self.keys.item(holder.key(), &key_item(&row.id, row.revision)).await {
                        Ok(key) => Some(key),
                        Err(keystore::Error::NoKey | keystore::Error::Damaged) => None,
                        Err(e) => return Err(e.into()),
                    };
                    let value = key.and_then(|key| open(holder, row, &key.key).ok()).map(|r| r.value);
                    let fields = value.as_ref().and_then(|v| v.as_object());
                    let within = fields.is_some_and(|fields| match &may_stay {
                        MayStay::Nothing => false,
                        MayStay::Everything => true,
                        MayStay::These(may) => fields.keys().all(|f| may.contains(f.as_str())),
                    });
                    beyond += i64::from(!(ends && within));
                }
            }
        }
        Ok(beyond)
    }

    /// Lets the holders go in whose name nothing is kept any more: keys first, then the row, with an entry. Gives how
    /// many went.
    pub async fn close_holders(&self, tenant: &TenantId) -> Result<u64, Error> {
        let empty: Vec<(String,)> = {
            let mut tx = self.db.read().await?;
            on!(tx, |c| sqlx::query_as(sql::EMPTY_HOLDERS)
                .bind(tenant.as_str())
                .bind(self.clock.now().micros())
                .fetch_all(c)
                .await)?
        };
        let mut gone = 0;
        for (id,) in empty {
            let subject: SubjectId = id.parse().map_err(|_| store::Error::inconsistent("holder", "id"))?;
            self.close_holder(&Owner::new(tenant, subject)).await?;
            gone += 1;
        }
        Ok(gone)
    }

    async fn close_holder(&self, holder: &Owner) -> Result<(), Error> {
        let mut entry = Entry::new(EntryKind::KEPT_ENDED, self.clock.now(), &holder.tenant, "service");
        match self.keys.destroy_subject(holder.key(), Class::Data).await {
            Ok(dead) => entry = entry.fact("key", dead.fingerprint.to_string().as_str()),
            Err(keystore::Error::NoKey) => {}
            Err(e) => return Err(e.into()),
        }
        self.keys.clear_items(holder.key()).await?;
        match self.subject_ref(holder).await {
            Ok(about) => entry = entry.about(about),
            Err(Error::NotFound) => {}
            Err(e) => return Err(e),
        }
        let mut tx = self.db.begin().await?;
        let n = on!(tx, |c| sqlx::query(sql::DELETE_HOLDER)
            .bind(holder.tenant.as_str())
            .bind(holder.subject.to_string())
            .execute(c)
            .await
            .map(|r| r.rows_affected()))?;
        if n == 1 {
            self.ledger.append(&mut tx, entry).await?;
        }
        tx.commit().await?;
        self.destroy_proof_key(holder).await
    }
}

/// The facts of a record with the start of the law's clock among them, and when that ends. Where nobody noted the start,
/// it is the end of the year in which the record was made: later than the law's, but sure to come.
fn clock(policy: &Policy, kept: &Kept, item: &Item) -> (Facts, Timestamp) {
    let place = policy.place();
    let start =
        item.facts.get(kept.keep.fact).unwrap_or_else(|| place.year_end(place.date_of(item.created_at)));
    (item.facts.with(kept.keep.fact, start), kept.keep.period.after(start))
}

/// Which fields of a category a law lets stay.
enum MayStay {
    /// No law keeps it.
    Nothing,
    /// Whatever it has.
    Everything,
    /// These.
    These(BTreeSet<String>),
}

/// Which fields of a category may stay, straight from the rules.
fn allowed(policy: &Policy, category: &str) -> MayStay {
    let rules: Vec<_> = policy.retention_of(category).collect();
    if rules.iter().all(|rule| rule.keep.is_none()) {
        return MayStay::Nothing;
    }
    let fields: BTreeSet<String> = rules.iter().flat_map(|rule| rule.keep_fields.iter().cloned()).collect();
    if fields.is_empty() { MayStay::Everything } else { MayStay::These(fields) }
}
