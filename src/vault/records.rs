use serde_json::Value;

use super::rows::RecordRow;
use super::{Access, Error, Item, NewRecord, Owner, Record, SealedRecord, Vault, rows, sql};
use crate::base::{Page, PageSize, RecordId, Timestamp};
use crate::crypto::{self, Key, Place};
use crate::keystore::NewItem;
use crate::on;
use crate::policy::{Category, Fact, Form, Refusal};
use crate::store::{self, Tx};

pub(super) fn place(owner: &Owner, id: &str, category: &str, revision: i64) -> Place {
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

/// The names of the keys of a record's revisions, the newest first. What a correction replaced is gone already; the
/// earlier ones are named as well in case one was cut short before that.
pub(super) fn key_items(id: &str, revision: i64) -> Vec<String> {
    (1..=revision).rev().take(EARLIER).map(|r| key_item(id, r)).collect()
}

/// Most revisions whose keys are looked for.
const EARLIER: usize = 32;

/// Whether things of this shape may be stored in a category.
pub(super) fn of_form(category: &Category, form: Form) -> Result<(), Error> {
    if category.form == form {
        return Ok(());
    }
    let why = format!("the policy does not hold {} in this shape", category.title);
    let (rule, clause) = (format!("category.{}", category.id), Some(category.clause.clone()));
    Err(Refusal { rule, why, clause }.into())
}

/// Whether a value has no other fields than its category declares.
pub(super) fn declared(category: &Category, value: &Value) -> Result<(), Error> {
    of_form(category, Form::Record)?;
    let refuse =
        |field: &str| Err(Error::Undeclared { category: category.id.clone(), field: field.to_owned() });
    match value.as_object() {
        Some(map) => map.keys().find(|f| !category.has_field(f)).map_or(Ok(()), |field| refuse(field)),
        None if category.fields.is_empty() => Ok(()),
        None => refuse("without a name"),
    }
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
            declared(policy.may_store(record.category)?, &record.value)?;
        }
        let ids: Vec<_> = records.iter().map(|_| RecordId::new(&self.clock, &self.entropy)).collect();
        let names: Vec<_> = ids.iter().map(|id| key_item(&id.to_string(), 1)).collect();
        let items = names.iter().zip(&records).map(|(item, r)| NewItem { item, kind: r.category, key: None });
        let keys = self.keys.mint(owner.key(), items.collect()).await?;
        let mut sealed = Vec::with_capacity(records.len());
        for ((record, id), key) in records.into_iter().zip(ids).zip(keys) {
            let now = self.clock.now();
            let facts = record.facts.with(Fact::Created, record.facts.get(Fact::Created).unwrap_or(now));
            let (rule, due_at) = self.due(&owner.tenant, record.category, policy.version(), &facts);
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
                    done: Vec::new(),
                    created_at: now,
                    due_at,
                },
            });
        }
        Ok(sealed)
    }

    /// Writes sealed records' rows, in the caller's transaction. [`Error::Erasing`] for a person behind the fence of an
    /// erasure.
    pub async fn insert(&self, tx: &mut Tx, owner: &Owner, records: &[SealedRecord]) -> Result<(), Error> {
        self.standing_to_write(tx, owner).await?;
        Self::insert_rows(tx, owner, records).await
    }

    pub(super) async fn insert_rows(
        tx: &mut Tx,
        owner: &Owner,
        records: &[SealedRecord],
    ) -> Result<(), Error> {
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
                .bind(r.item.done.join(" "))
                .execute(c)
                .await
                .map(|_| ()))?;
        }
        Ok(())
    }

    /// Destroys the keys of records that were sealed and not inserted. A record that was inserted after all keeps its.
    pub async fn discard(&self, owner: &Owner, records: &[SealedRecord]) {
        let dropped = async {
            for r in records {
                let id = r.id.to_string();
                let row = {
                    let mut tx = self.db.read().await?;
                    rows::record(&mut tx, owner, &id).await?
                };
                if row.is_none() {
                    self.keys.destroy_items(&owner.tenant, &[&key_item(&id, 1)]).await?;
                }
            }
            Ok::<_, Error>(())
        };
        if dropped.await.is_err() {
            tracing::warn!(
                "the keys of records that were not stored could not be destroyed; they open nothing"
            );
        }
    }

    /// Seals and writes one record in a transaction of its own.
    pub async fn add_record(&self, owner: &Owner, record: NewRecord<'_>) -> Result<RecordId, Error> {
        let sealed = self.seal_records(owner, vec![record]).await?;
        let written = async {
            let mut tx = self.db.begin().await?;
            self.insert(&mut tx, owner, &sealed).await?;
            Ok::<_, Error>(tx.commit().await?)
        };
        if let Err(e) = written.await {
            self.discard(owner, &sealed).await;
            return Err(e);
        }
        sealed.first().map(SealedRecord::id).ok_or(Error::NotFound)
    }

    /// Reads one record.
    pub async fn record(&self, owner: &Owner, access: &Access<'_>, id: RecordId) -> Result<Record, Error> {
        let row = {
            let mut tx = self.db.read().await?;
            rows::record(&mut tx, owner, &id.to_string()).await?.ok_or(Error::NotFound)?
        };
        self.admit(owner, access, &row.category).await?;
        self.admit_item(owner, access, &row.category, &row.item).await?;
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
            Some(row) => {
                self.admit_item(owner, access, category, &row.item).await?;
                self.unseal_one(owner, row).await.map(Some)
            }
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
        let mut page = Page::cut(found, size, |r| r.id.clone());
        let back = self.held_back(owner, access).await?;
        page.items.retain(|row| !back.hides(category, &row.item));
        Ok(Page { items: self.unseal(owner, page.items).await?, next: page.next })
    }

    /// Reads everything that belongs to an edit or a request, whose categories must all be readable.
    pub async fn records_of(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        parent: &str,
    ) -> Result<Vec<Record>, Error> {
        let mut found = {
            let mut tx = self.db.read().await?;
            rows::records_of(&mut tx, owner, parent).await?
        };
        let mut categories: Vec<_> = found.iter().map(|r| r.category.clone()).collect();
        categories.sort();
        categories.dedup();
        for category in categories {
            self.admit(owner, access, &category).await?;
        }
        let back = self.held_back(owner, access).await?;
        found.retain(|row| !back.hides(&row.category, &row.item));
        self.unseal(owner, found).await
    }

    /// The names of the records under `parent`, and when each was made, in the caller's transaction. Opens none.
    pub async fn names_of(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        parent: &str,
    ) -> Result<Vec<(String, Timestamp)>, Error> {
        let found = rows::records_of(tx, owner, parent).await?;
        Ok(found.into_iter().map(|row| (row.name, row.item.created_at)).collect())
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

pub(super) fn open(owner: &Owner, row: RecordRow, key: &Key) -> Result<Record, Error> {
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
