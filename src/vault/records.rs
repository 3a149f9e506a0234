use serde_json::Value;

use super::rows::RecordRow;
use super::{Access, Error, Item, NewRecord, Owner, Record, SealedRecord, Vault, rows, sql};
use crate::base::{Page, PageSize, RecordId};
use crate::crypto::{self, Fingerprint, Key, Place};
use crate::keystore::NewItem;
use crate::ledger::{Entry, EntryKind};
use crate::on;
use crate::policy::Fact;
use crate::store::{self, Tx};

fn place(owner: &Owner, id: &str, category: &str, revision: i64) -> Place {
    Place::new("record")
        .with(owner.tenant.as_str())
        .with(owner.subject.as_bytes())
        .with(id)
        .with(category)
        .number(revision)
}

/// The name of a record's key: one a revision, so that a corrected value is gone with its own key.
pub(super) fn key_item(id: &str, revision: i64) -> String {
    format!("{id}#{revision}")
}

impl Vault {
    /// Seals records of one person, their keys durable when this returns, for [`Vault::insert`] to commit with the
    /// change they belong to. Refused when the document in force does not declare a category.
    pub async fn seal_records(
        &self,
        owner: &Owner,
        records: Vec<NewRecord<'_>>,
    ) -> Result<Vec<SealedRecord>, Error> {
        let policy = self.policy(&owner.tenant)?;
        for record in &records {
            let category = policy.may_store(record.category)?;
            let fields = record.value.as_object().into_iter().flat_map(|map| map.keys());
            if let Some(field) = fields.into_iter().find(|f| !category.has_field(f)) {
                return Err(Error::Undeclared { category: record.category.to_owned(), field: field.clone() });
            }
        }
        let ids: Vec<_> = records.iter().map(|_| RecordId::new(&self.clock, &self.entropy)).collect();
        let names: Vec<_> = ids.iter().map(|id| key_item(&id.to_string(), 1)).collect();
        let items = names.iter().zip(&records).map(|(item, r)| NewItem { item, kind: r.category, key: None });
        let keys = self.keys.mint(owner.key(), items.collect()).await?;
        let mut sealed = Vec::with_capacity(records.len());
        for ((record, id), key) in records.into_iter().zip(ids).zip(keys) {
            let now = self.clock.now();
            let facts = record.facts.with(Fact::Created, record.facts.get(Fact::Created).unwrap_or(now));
            let (rule, due_at) = self.due(&owner.tenant, record.category, policy.version(), &facts)?;
            let place = place(owner, &id.to_string(), record.category, 1);
            let plain = zeroize::Zeroizing::new(record.value.to_string().into_bytes());
            sealed.push(SealedRecord {
                id,
                category: record.category.to_owned(),
                name: record.name.to_owned(),
                sealed: crypto::seal(&key.key, &place, &plain, &self.entropy),
                kfp: key.fingerprint,
                item: Item {
                    parent: record.parent,
                    facts,
                    policy_version: policy.version().to_owned(),
                    rule,
                    created_at: now,
                    due_at,
                },
            });
        }
        Ok(sealed)
    }

    /// Writes sealed records' rows, in the caller's transaction.
    pub async fn insert(&self, tx: &mut Tx, owner: &Owner, records: &[SealedRecord]) -> Result<(), Error> {
        for r in records {
            on!(tx, |c| sqlx::query(sql::INSERT_RECORD)
                .bind(r.id.to_string())
                .bind(owner.tenant.as_str())
                .bind(owner.subject.to_string())
                .bind(&r.category)
                .bind(&r.name)
                .bind(&r.sealed)
                .bind(&r.item.parent)
                .bind(rows::facts_text(&r.item.facts))
                .bind(&r.item.policy_version)
                .bind(&r.item.rule)
                .bind(r.kfp.as_bytes().as_slice())
                .bind(r.item.created_at.micros())
                .bind(r.item.due_at.map(crate::base::Timestamp::micros))
                .execute(c)
                .await
                .map(|_| ()))?;
        }
        Ok(())
    }

    /// Seals and writes one record in a transaction of its own.
    pub async fn add_record(&self, owner: &Owner, record: NewRecord<'_>) -> Result<RecordId, Error> {
        let sealed = self.seal_records(owner, vec![record]).await?;
        let mut tx = self.db.begin().await?;
        self.insert(&mut tx, owner, &sealed).await?;
        tx.commit().await?;
        sealed.first().map(SealedRecord::id).ok_or(Error::NotFound)
    }

    /// Reads one record.
    pub async fn record(&self, owner: &Owner, access: &Access<'_>, id: RecordId) -> Result<Record, Error> {
        let row = {
            let mut tx = self.db.read().await?;
            rows::record(&mut tx, owner, &id.to_string()).await?.ok_or(Error::NotFound)?
        };
        self.admit(owner, access, &row.category).await?;
        self.unseal_one(owner, row).await
    }

    /// Reads the newest record of a name within a category, if there is one.
    pub async fn record_named(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        category: &str,
        name: &str,
    ) -> Result<Option<Record>, Error> {
        self.admit(owner, access, category).await?;
        let row = {
            let mut tx = self.db.read().await?;
            rows::record_named(&mut tx, owner, category, name).await?
        };
        match row {
            Some(row) => self.unseal_one(owner, row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads a page of a category's records, oldest first; `after` is a page's `next`.
    pub async fn records(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        category: &str,
        (after, size): (Option<&str>, PageSize),
    ) -> Result<Page<Record>, Error> {
        self.admit(owner, access, category).await?;
        let most = i64::try_from(size.get()).unwrap_or(i64::MAX) + 1;
        let found = {
            let mut tx = self.db.read().await?;
            rows::records(&mut tx, owner, category, after.unwrap_or(""), most).await?
        };
        let page = Page::cut(found, size, |r| r.id.clone());
        Ok(Page { items: self.unseal(owner, page.items).await?, next: page.next })
    }

    /// Reads everything that belongs to an edit or a request, whose categories must all be readable.
    pub async fn records_of(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        parent: &str,
    ) -> Result<Vec<Record>, Error> {
        let found = {
            let mut tx = self.db.read().await?;
            rows::records_of(&mut tx, owner, parent).await?
        };
        let mut categories: Vec<_> = found.iter().map(|r| r.category.clone()).collect();
        categories.dedup();
        for category in categories {
            self.admit(owner, access, &category).await?;
        }
        self.unseal(owner, found).await
    }

    /// Corrects a record (Art. 16 GDPR): the new value under a new key, and the old key destroyed once the new value is
    /// durable. `expected` is the revision that was read; another writer in between is a conflict.
    pub async fn amend_record(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        record: &Record,
        value: &Value,
    ) -> Result<(), Error> {
        self.admit(owner, access, &record.category).await?;
        let id = record.id.to_string();
        let next = record.revision + 1;
        let item = key_item(&id, next);
        let new = NewItem { item: &item, kind: &record.category, key: None };
        let minted = self.keys.mint(owner.key(), vec![new]).await?;
        let key = minted.into_iter().next().ok_or(Error::NotFound)?;
        let plain = zeroize::Zeroizing::new(value.to_string().into_bytes());
        let sealed =
            crypto::seal(&key.key, &place(owner, &id, &record.category, next), &plain, &self.entropy);
        let entry = Entry::new(
            EntryKind::RECTIFICATION_MADE,
            self.clock.now(),
            &owner.tenant,
            access.actor.role().as_str(),
        )
        .about(self.subject_ref(owner).await?)
        .fact("category", record.category.as_str());
        let mut tx = self.db.begin().await?;
        self.amend(&mut tx, owner, (&id, record.revision), &sealed, key.fingerprint).await?;
        self.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        self.keys.destroy_items(&owner.tenant, &[&key_item(&id, record.revision)]).await?;
        Ok(())
    }

    async fn amend(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        (id, revision): (&str, i64),
        sealed: &[u8],
        kfp: Fingerprint,
    ) -> Result<(), Error> {
        let changed = on!(tx, |c| sqlx::query(sql::AMEND_RECORD)
            .bind(sealed)
            .bind(kfp.as_bytes().as_slice())
            .bind(self.clock.now().micros())
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .bind(id)
            .bind(revision)
            .execute(c)
            .await
            .map(|r| r.rows_affected()))?;
        if changed == 1 { Ok(()) } else { Err(store::Error::Duplicate.into()) }
    }

    async fn unseal_one(&self, owner: &Owner, row: RecordRow) -> Result<Record, Error> {
        self.unseal(owner, vec![row]).await?.pop().ok_or(Error::NotFound)
    }

    /// Opens rows with one visit to the keystore. A row whose key was destroyed in between is left out: it is gone.
    async fn unseal(&self, owner: &Owner, found: Vec<RecordRow>) -> Result<Vec<Record>, Error> {
        let names: Vec<_> = found.iter().map(|r| key_item(&r.id, r.revision)).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let keys = self.keys.items(owner.key(), &names).await?;
        let mut records = Vec::with_capacity(found.len());
        for row in found {
            if let Some(key) = keys.get(&key_item(&row.id, row.revision)) {
                records.push(open(owner, row, &key.key)?);
            }
        }
        Ok(records)
    }
}

fn open(owner: &Owner, row: RecordRow, key: &Key) -> Result<Record, Error> {
    let plain = crypto::open(key, &place(owner, &row.id, &row.category, row.revision), &row.sealed)?;
    Ok(Record {
        id: row.id.parse().map_err(|_| store::Error::inconsistent("record", "id"))?,
        category: row.category,
        name: row.name,
        revision: row.revision,
        value: serde_json::from_slice(&plain).map_err(|_| Error::Damaged)?,
        updated_at: row.updated_at,
        item: row.item,
    })
}
