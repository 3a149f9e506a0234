//! Putting a record right (Art. 16 GDPR): the new value under a new key, the old key destroyed.

use serde_json::Value;

use super::records::{declared, key_item, key_items, place};
use super::{Access, Error, Owner, Record, Vault, rows, sql};
use crate::crypto;
use crate::keystore::NewItem;
use crate::ledger::{Entry, EntryKind};
use crate::on;
use crate::policy::{Refusal, Role, SubjectMay};
use crate::store::{self, Tx};

impl Vault {
    /// Corrects a record: the new value under a new key, and the old key destroyed once the new value is durable. The
    /// record is the one that was read; another writer in between is a conflict. Refused when the document does not
    /// declare a field of the new value, or does not let the person correct what is theirs to see.
    pub async fn amend_record(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        record: &Record,
        value: &Value,
    ) -> Result<(), Error> {
        self.may_amend(owner, access, record, value).await?;
        let mut tx = self.db.begin().await?;
        self.amend_in(&mut tx, owner, access, (record, value)).await?;
        tx.commit().await?;
        self.amended(owner, record).await
    }

    /// The checks of [`Vault::amend_record`], before a transaction is begun.
    pub async fn may_amend(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        record: &Record,
        value: &Value,
    ) -> Result<(), Error> {
        let row = {
            let mut tx = self.db.read().await?;
            rows::record(&mut tx, owner, &record.id.to_string()).await?.ok_or(Error::NotFound)?
        };
        self.admit(owner, access, &row.category).await?;
        let policy = self.policy(&owner.tenant)?;
        let category = policy.may_store(&row.category)?;
        if access.actor.role() == Role::Subject && !category.subject_may(SubjectMay::Correct) {
            let why = format!("the policy does not let the person change {}", category.title);
            let (rule, clause) = (format!("category.{}", category.id), Some(category.clause.clone()));
            return Err(Refusal { rule, why, clause }.into());
        }
        declared(category, value)
    }

    /// The correction itself, in the caller's transaction, which must then be committed and followed by
    /// [`Vault::amended`].
    pub async fn amend_in(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        access: &Access<'_>,
        (record, value): (&Record, &Value),
    ) -> Result<(), Error> {
        let id = record.id.to_string();
        let replaced = self.keys.item(owner.key(), &key_item(&id, record.revision)).await?.fingerprint;
        let entry = Entry::new(
            EntryKind::RECTIFICATION_MADE,
            self.clock.now(),
            &owner.tenant,
            access.actor.role().as_str(),
        )
        .about(self.subject_ref(owner).await?)
        .fact("category", record.category.as_str())
        .fact("object", id.as_str())
        .fact("key", replaced.to_string());
        if !self.revise(tx, owner, (&id, &record.category, record.revision), value).await? {
            return Err(store::Error::Duplicate.into());
        }
        self.ledger.append(tx, entry).await?;
        Ok(())
    }

    /// Writes a value as the next revision of a record, under a key of its own, in the caller's transaction. `false` when
    /// the revision is no longer the record's: another writer came first, or it went.
    pub(super) async fn revise(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        (id, category, revision): (&str, &str, i64),
        value: &Value,
    ) -> Result<bool, Error> {
        let next = revision + 1;
        self.standing_to_write(tx, owner).await?;
        // From here on nobody else writes this revision, so a key that is there for the next one was left behind by a
        // try that came to nothing.
        if !rows::hold_record(tx, owner, id, revision).await? {
            return Ok(false);
        }
        let item = key_item(id, next);
        self.keys.destroy_items(&owner.tenant, &[&item]).await?;
        let new = NewItem { item: &item, kind: category, key: None };
        let key = self.keys.mint(owner.key(), vec![new]).await?.pop().ok_or(Error::NotFound)?;
        let plain = zeroize::Zeroizing::new(value.to_string().into_bytes());
        let sealed = crypto::seal(&key.key, &place(owner, id, category, next), &plain, &self.entropy);
        on!(tx, |c| sqlx::query(sql::AMEND_RECORD)
            .bind(&sealed)
            .bind(key.fingerprint.as_bytes().as_slice())
            .bind(self.clock.now().micros())
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .bind(id)
            .bind(revision)
            .execute(c)
            .await
            .map(|_| ()))?;
        Ok(true)
    }

    /// Destroys the key of what was corrected. Must not be called before the correction is durable.
    pub async fn amended(&self, owner: &Owner, record: &Record) -> Result<(), Error> {
        let old = key_items(&record.id.to_string(), record.revision);
        let old: Vec<_> = old.iter().map(String::as_str).collect();
        self.keys.destroy_items(&owner.tenant, &old).await?;
        self.keys.cut_log().await;
        Ok(())
    }
}
