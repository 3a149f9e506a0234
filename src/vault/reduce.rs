//! Leaving away what is no longer needed: the named fields that stay under a new key, the old key destroyed, and the
//! rule noted, so that the next one ends what is left.
//!
//! Two steps, each its own and harmless when it is done again: the smaller value is made durable together with the entry
//! that names the old key, then that key dies and the rule is noted. A process that stops between them leaves a record
//! that is still due by that rule.

use serde_json::Value;

use super::leaving::Which;
use super::records::{key_item, key_items, open};
use super::rows::RecordRow;
use super::{Doomed, Error, ItemKind, Owner, Record, Vault, leaving, rows, sql};
use crate::base::{TenantId, Timestamp};
use crate::keystore;
use crate::ledger::{Entry, EntryKind};
use crate::on;
use crate::policy::{Action, Retention, Role};
use crate::store::Tx;

/// Leaves the named fields of a value and takes the rest away. Gives how many went.
pub(super) fn strip(value: Value, stays: impl Fn(&str) -> bool) -> (Value, usize) {
    match value {
        Value::Object(map) => {
            let all = map.len();
            let less: serde_json::Map<_, _> = map.into_iter().filter(|(name, _)| stays(name)).collect();
            let gone = all - less.len();
            (Value::Object(less), gone)
        }
        // What has no fields has none that stay.
        _ => (Value::Object(serde_json::Map::new()), 1),
    }
}

/// What came of reducing.
#[derive(Debug, Default)]
pub struct Reduced {
    /// These have no more than may stay.
    pub reduced: Vec<Doomed>,
    /// Nothing opens these any more: their keys are gone, or their bytes are damaged.
    pub unreadable: Vec<Doomed>,
}

/// What came of reducing one record.
enum Reduction {
    Done,
    Left,
    Unreadable,
}

impl Vault {
    /// Opens a record for what a rule or a law does with it. `None` when nothing ever opens it again: its key is gone, or
    /// key or value are damaged, while the keystore itself is whole. An epoch that is not to be seen at the moment is an
    /// error, and says nothing about the record.
    pub(super) async fn readable(&self, owner: &Owner, row: RecordRow) -> Result<Option<Record>, Error> {
        let name = key_item(&row.id, row.revision);
        let mut key = self.keys.item(owner.key(), &name).await;
        if matches!(key, Err(keystore::Error::Damaged)) && self.keys.opens_all_epochs().await? {
            // It may have been its epoch that did not open: now that all do, the key itself is asked once more.
            key = self.keys.item(owner.key(), &name).await;
            if matches!(key, Err(keystore::Error::Damaged)) {
                return Ok(None);
            }
        }
        let key = match key {
            Ok(key) => key,
            Err(keystore::Error::NoKey) => {
                // Corrected or erased since the row was read: then it is no longer this row that stands there.
                let mut tx = self.db.read().await?;
                let now = rows::record(&mut tx, owner, &row.id).await?.ok_or(Error::NotFound)?;
                return if now.revision == row.revision { Ok(None) } else { Err(Error::NotFound) };
            }
            Err(e) => return Err(e.into()),
        };
        match open(owner, row, &key.key) {
            Ok(record) => Ok(Some(record)),
            Err(Error::Damaged) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Reduces records of one tenant to the fields that the rule which made each due lets stay. The document is what
    /// makes the opening lawful: the rule, and no purpose of anybody's, asks for it. What is being erased, is held, or
    /// went meanwhile, is left out. Again is harmless.
    pub async fn reduce_each(
        &self,
        tenant: &TenantId,
        doomed: &[Doomed],
        by: Role,
    ) -> Result<Reduced, Error> {
        let mut done = Reduced::default();
        for d in doomed {
            let named = d.rule.as_deref().and_then(|rule| self.retention_rule(tenant, &d.category, rule));
            let Some(rule) = named.filter(|r| r.action == Action::Reduce) else { continue };
            match self.reduce(tenant, d, &rule, by).await {
                Ok(Reduction::Done) => done.reduced.push(d.clone()),
                // What nobody can open serves nobody, and what must go of it would stay for good.
                Ok(Reduction::Unreadable) => {
                    tracing::error!(record = %d.id, "a record that must be reduced does not open, and is erased");
                    done.unreadable.push(d.clone());
                }
                Ok(Reduction::Left) | Err(Error::NotFound | Error::Erasing | Error::Held) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(done)
    }

    async fn reduce(
        &self,
        tenant: &TenantId,
        d: &Doomed,
        rule: &Retention,
        by: Role,
    ) -> Result<Reduction, Error> {
        if !matches!(d.kind, ItemKind::Record { .. }) {
            return Ok(Reduction::Left);
        }
        let owner = Owner::new(tenant, d.subject);
        let row = {
            let mut tx = self.db.read().await?;
            rows::record(&mut tx, &owner, &d.id).await?.ok_or(Error::NotFound)?
        };
        if row.item.rule != d.rule || row.item.due_at.is_none_or(|at| at > self.clock.now()) {
            return Ok(Reduction::Left);
        }
        let Some(record) = self.readable(&owner, row).await? else { return Ok(Reduction::Unreadable) };
        let row = self.write_less(&owner, (d, record), (rule, by)).await?;
        // The smaller value is durable: what was there before dies.
        let earlier: Vec<_> = (1..row.revision).rev().take(32).map(|r| key_item(&row.id, r)).collect();
        let earlier: Vec<_> = earlier.iter().map(String::as_str).collect();
        self.keys.destroy_items(tenant, &earlier).await?;
        self.keys.truncate_log().await?;
        let mut tx = self.db.begin().await?;
        let noted = self.note_done(&mut tx, &owner, &row, &rule.id).await?;
        tx.commit().await?;
        Ok(if noted { Reduction::Done } else { Reduction::Left })
    }

    /// The record with fewer fields under its next revision, durable and with its entry; as it is when it has no more than
    /// may stay: then nothing is told, or it was told before.
    async fn write_less(
        &self,
        owner: &Owner,
        (d, record): (&Doomed, Record),
        (rule, by): (&Retention, Role),
    ) -> Result<RecordRow, Error> {
        let (id, category, revision) = (d.id.clone(), record.category, record.revision);
        let (less, gone) = strip(record.value, |field| rule.keep_fields.iter().any(|f| f == field));
        if gone > 0 {
            let entry = self.reduced_entry(owner, (d, rule, by), gone).await?;
            let mut tx = self.db.begin().await?;
            let held = Self::holds_now(&mut tx, &owner.tenant).await?;
            if self.keeps(&owner.tenant, &held, d, self.clock.now()) {
                return Err(Error::Held);
            }
            // The key that dies, as its own row names it: whoever stops after this has told of it already.
            let before = leaving::doomed(&mut tx, owner, Which::Record(&id)).await?.pop();
            if !self.revise(&mut tx, owner, (&id, &category, revision), &less).await? {
                return Err(Error::NotFound);
            }
            let entry = match before.and_then(|row| row.kfp) {
                Some(key) => entry.fact("key", key.to_string().as_str()),
                None => entry,
            };
            self.ledger.append(&mut tx, entry).await?;
            tx.commit().await?;
        }
        let mut tx = self.db.read().await?;
        rows::record(&mut tx, owner, &id).await?.ok_or(Error::NotFound)
    }

    async fn reduced_entry(
        &self,
        owner: &Owner,
        (d, rule, by): (&Doomed, &Retention, Role),
        gone: usize,
    ) -> Result<Entry, Error> {
        let now = self.clock.now();
        let mut entry = Entry::new(EntryKind::OBJECT_REDUCED, now, &owner.tenant, by.as_str())
            .fact("category", d.category.as_str())
            .fact("object", d.id.as_str())
            .fact("rule", rule.id.as_str())
            .fact("fields-gone", i64::try_from(gone).unwrap_or(i64::MAX));
        if let Some(statute) = &rule.statute {
            entry = entry.fact("statute", statute.as_str());
        }
        match self.subject_ref(owner).await {
            Ok(about) => Ok(entry.about(about)),
            Err(Error::NotFound) => Ok(entry),
            Err(e) => Err(e),
        }
    }

    /// Notes that a rule was carried out on a record, and computes what comes next.
    async fn note_done(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        row: &RecordRow,
        rule: &str,
    ) -> Result<bool, Error> {
        let mut done = row.item.done.clone();
        if !done.iter().any(|d| d == rule) {
            done.push(rule.to_owned());
        }
        let of = (row.category.as_str(), row.item.policy_version.as_str());
        let (next, due_at) = self.due_after(&owner.tenant, of, &row.item.facts, &done);
        let n = on!(tx, |c| sqlx::query(sql::RECORD_REDUCED)
            .bind(done.join(" "))
            .bind(&next)
            .bind(due_at.map(Timestamp::micros))
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .bind(&row.id)
            .bind(row.revision)
            .execute(c)
            .await
            .map(|r| r.rows_affected()))?;
        Ok(n == 1)
    }

    /// Every key that a record ever had.
    pub(super) async fn destroy_record_keys(
        &self,
        tenant: &TenantId,
        id: &str,
        revision: i64,
    ) -> Result<(), Error> {
        let all = key_items(id, revision);
        let all: Vec<_> = all.iter().map(String::as_str).collect();
        self.keys.destroy_items(tenant, &all).await?;
        Ok(())
    }
}
