//! Letting single things go: keys first, durably, then rows with the evidence, then bytes.

use super::records::key_item;
use super::rows::Which;
use super::{Error, Owner, Vault, rows, sql};
use crate::base::{ObjectId, RecordId, SubjectId, TenantId, Timestamp};
use crate::blobs::BlobKey;
use crate::crypto::Fingerprint;
use crate::ledger::{Entry, EntryKind, SubjectRef};
use crate::on;
use crate::policy::{Fact, Facts, Role};
use crate::store::Tx;

/// Something that must go.
#[derive(Debug, Clone)]
pub struct Doomed {
    /// Image or record.
    pub kind: ItemKind,
    /// Whose.
    pub subject: SubjectId,
    /// Its id.
    pub id: String,
    /// Its category.
    pub category: String,
    /// The retention rule, if one ends it.
    pub rule: Option<String>,
    /// When it had to go, if a rule says so.
    pub due_at: Option<Timestamp>,
    /// Its key's fingerprint; none for an upload that never landed.
    pub kfp: Option<Fingerprint>,
}

/// The two shapes of things in the vault.
#[derive(Debug, Clone)]
pub enum ItemKind {
    /// An image.
    Object {
        /// Where its bytes lie.
        blob_key: String,
    },
    /// A record.
    Record {
        /// Its revision.
        revision: i64,
    },
}

impl Doomed {
    fn key_item(&self) -> String {
        match self.kind {
            ItemKind::Object { .. } => self.id.clone(),
            ItemKind::Record { revision } => key_item(&self.id, revision),
        }
    }
}

impl Vault {
    /// What is due in a tenant by `now` and under no legal hold, up to `most` of each kind.
    pub async fn due_items(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        most: i64,
    ) -> Result<Vec<Doomed>, Error> {
        let mut tx = self.db.read().await?;
        rows::due(&mut tx, tenant, now, most).await
    }

    /// Erases things of one tenant. When this returns, their keys are destroyed, their rows gone, one ledger entry each
    /// written, and their bytes deleted or buried for deletion. Again is harmless.
    pub async fn erase(&self, tenant: &TenantId, doomed: &[Doomed], by: Role) -> Result<u64, Error> {
        let doomed = &self.with_belongings(tenant, doomed).await?;
        let names: Vec<_> = doomed.iter().map(Doomed::key_item).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        self.keys.destroy_items(tenant, &names).await?;
        let refs = self.refs(tenant, doomed).await?;
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let gone = self.delete_rows(&mut tx, tenant, doomed).await?;
        for (d, subject) in doomed.iter().zip(refs) {
            self.ledger.append(&mut tx, erased_entry(tenant, d, subject, by, now)).await?;
        }
        tx.commit().await?;
        let blobs: Vec<BlobKey> = doomed
            .iter()
            .filter_map(|d| match &d.kind {
                ItemKind::Object { blob_key } => blob_key.parse().ok(),
                ItemKind::Record { .. } => None,
            })
            .collect();
        self.visit_graves_of(&blobs).await?;
        Ok(gone)
    }

    /// What is kept beside an image (its size, its format) goes with it.
    async fn with_belongings(&self, tenant: &TenantId, doomed: &[Doomed]) -> Result<Vec<Doomed>, Error> {
        let mut all = doomed.to_vec();
        let mut tx = self.db.read().await?;
        for d in doomed {
            if matches!(d.kind, ItemKind::Record { .. }) {
                continue;
            }
            let owner = Owner::new(tenant, d.subject);
            let beside = rows::doomed(&mut tx, &owner, Which::Parent(&d.id)).await?;
            let known = |b: &Doomed| doomed.iter().any(|d| d.id == b.id);
            all.extend(beside.into_iter().filter(|b| !known(b)));
        }
        Ok(all)
    }

    async fn refs(&self, tenant: &TenantId, doomed: &[Doomed]) -> Result<Vec<Option<SubjectRef>>, Error> {
        let mut known: std::collections::HashMap<SubjectId, Option<SubjectRef>> =
            std::collections::HashMap::new();
        let mut refs = Vec::with_capacity(doomed.len());
        for d in doomed {
            let found = match known.get(&d.subject) {
                Some(found) => found.clone(),
                None => match self.subject_ref(&Owner::new(tenant, d.subject)).await {
                    Ok(found) => Some(found),
                    Err(Error::NotFound) => None,
                    Err(e) => return Err(e),
                },
            };
            known.insert(d.subject, found.clone());
            refs.push(found);
        }
        Ok(refs)
    }

    pub(super) async fn delete_rows(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        doomed: &[Doomed],
    ) -> Result<u64, Error> {
        let now = self.clock.now();
        let mut objects = Vec::new();
        let mut records = Vec::new();
        for d in doomed {
            match &d.kind {
                ItemKind::Object { blob_key } => {
                    on!(tx, |c| sqlx::query(sql::BURY)
                        .bind(blob_key)
                        .bind(tenant.as_str())
                        .bind(now.micros())
                        .execute(c)
                        .await
                        .map(|_| ()))?;
                    objects.push(d.id.as_str());
                }
                ItemKind::Record { .. } => records.push(d.id.as_str()),
            }
        }
        Ok(rows::delete(tx, tenant, sql::DELETE_OBJECTS, &objects).await?
            + rows::delete(tx, tenant, sql::DELETE_RECORDS, &records).await?)
    }

    /// Erases one image of a person.
    pub async fn erase_object(&self, owner: &Owner, id: ObjectId, by: Role) -> Result<(), Error> {
        self.erase_which(owner, Which::Object(&id.to_string()), by).await
    }

    /// Erases one record of a person.
    pub async fn erase_record(&self, owner: &Owner, id: RecordId, by: Role) -> Result<(), Error> {
        self.erase_which(owner, Which::Record(&id.to_string()), by).await
    }

    async fn erase_which(&self, owner: &Owner, which: Which<'_>, by: Role) -> Result<(), Error> {
        let doomed = {
            let mut tx = self.db.read().await?;
            rows::doomed(&mut tx, owner, which).await?
        };
        if doomed.is_empty() {
            return Err(Error::NotFound);
        }
        self.erase(&owner.tenant, &doomed, by).await.map(|_| ())
    }

    /// Erases a whole category of one person. Gives how many things went.
    pub async fn erase_category(&self, owner: &Owner, category: &str, by: Role) -> Result<u64, Error> {
        self.erase_all(owner, || Which::Category(category), by).await
    }

    /// Erases everything that belongs to an edit or a request of one person.
    pub async fn erase_belongings(&self, owner: &Owner, parent: &str, by: Role) -> Result<u64, Error> {
        self.erase_all(owner, || Which::Parent(parent), by).await
    }

    async fn erase_all<'a>(
        &self,
        owner: &Owner,
        which: impl Fn() -> Which<'a>,
        by: Role,
    ) -> Result<u64, Error> {
        let mut gone = 0;
        loop {
            let doomed = {
                let mut tx = self.db.read().await?;
                rows::doomed(&mut tx, owner, which()).await?
            };
            if doomed.is_empty() {
                return Ok(gone);
            }
            gone += self.erase(&owner.tenant, &doomed, by).await?;
        }
    }

    /// What belongs to an edit and is due.
    pub async fn due_belongings(
        &self,
        owner: &Owner,
        parent: &str,
        now: Timestamp,
    ) -> Result<Vec<Doomed>, Error> {
        let mut tx = self.db.read().await?;
        let all = rows::doomed(&mut tx, owner, Which::Parent(parent)).await?;
        let held = rows::holds(&mut tx, owner).await?;
        let free = |d: &Doomed| !held.iter().any(|h| h.as_ref().is_none_or(|c| *c == d.category));
        Ok(all.into_iter().filter(|d| d.due_at.is_some_and(|at| at <= now) && free(d)).collect())
    }

    /// Records a fact of everything that belongs to `parent`, and computes anew when each must go.
    pub async fn happened(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        parent: &str,
        facts: &[(Fact, Timestamp)],
    ) -> Result<(), Error> {
        self.set_facts(tx, owner, sql::FACTS_OF, parent, facts).await
    }

    /// Records a fact of everything a person has in a category.
    pub async fn happened_to_category(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        category: &str,
        facts: &[(Fact, Timestamp)],
    ) -> Result<(), Error> {
        self.set_facts(tx, owner, sql::FACTS_IN, category, facts).await
    }

    async fn set_facts(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        statement: &'static str,
        arg: &str,
        news: &[(Fact, Timestamp)],
    ) -> Result<(), Error> {
        let found: Vec<(String, String, String, String, String)> = on!(tx, |c| sqlx::query_as(statement)
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .bind(arg)
            .fetch_all(c)
            .await)?;
        for (table, id, category, text, version) in found {
            let (statement, table) = if table == "object" {
                (sql::SET_OBJECT_FACTS, "object")
            } else {
                (sql::SET_RECORD_FACTS, "record")
            };
            let facts = news.iter().fold(rows::facts(&text, table)?, |all: Facts, (f, at)| all.with(*f, *at));
            let (rule, due_at) = self.due(&owner.tenant, &category, &version, &facts)?;
            on!(tx, |c| sqlx::query(statement)
                .bind(rows::facts_text(&facts))
                .bind(&rule)
                .bind(due_at.map(Timestamp::micros))
                .bind(owner.tenant.as_str())
                .bind(&id)
                .execute(c)
                .await
                .map(|_| ()))?;
        }
        Ok(())
    }
}

fn erased_entry(
    tenant: &TenantId,
    d: &Doomed,
    subject: Option<SubjectRef>,
    by: Role,
    now: Timestamp,
) -> Entry {
    let mut entry = Entry::new(EntryKind::OBJECT_ERASED, now, tenant, by.as_str())
        .fact("category", d.category.as_str())
        .fact("object", d.id.as_str());
    if let Some(kfp) = d.kfp {
        entry = entry.fact("key", kfp.to_string().as_str());
    }
    if let Some(rule) = d.rule.as_deref().filter(|_| d.due_at.is_some_and(|due| due <= now)) {
        entry = entry.fact("rule", rule);
    }
    match subject {
        Some(subject) => entry.about(subject),
        None => entry,
    }
}
