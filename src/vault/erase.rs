//! Letting single things go: keys first, durably, then rows with the evidence, then bytes.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::leaving::{Gone, Which};
use super::records::key_items;
use super::turns::Held;
use super::{Error, Owner, Vault, leaving, rows, sql};
use crate::base::{ObjectId, RecordId, SubjectId, TenantId, Timestamp};
use crate::blobs::BlobKey;
use crate::crypto::Fingerprint;
use crate::keystore;
use crate::ledger::{self, EntryKind, SubjectRef};
use crate::policy::{Action, Fact, Facts, Refusal, Role, SubjectMay};
use crate::store::Tx;
use crate::{dialect, on};

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
    /// Its keys: of a record also those of earlier revisions, should a correction have been cut short.
    pub(super) fn key_items(&self) -> Vec<String> {
        match self.kind {
            ItemKind::Object { .. } => vec![self.id.clone()],
            ItemKind::Record { revision } => key_items(&self.id, revision),
        }
    }

    fn is_record(&self) -> bool {
        matches!(self.kind, ItemKind::Record { .. })
    }

    pub(super) fn blob(&self) -> Option<BlobKey> {
        match &self.kind {
            ItemKind::Object { blob_key } => blob_key.parse().ok(),
            ItemKind::Record { .. } => None,
        }
    }
}

impl Vault {
    /// What is due in a tenant by `now` and kept by no legal hold, up to `most` of each kind.
    pub async fn due_items(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        most: i64,
    ) -> Result<Vec<Doomed>, Error> {
        let unholdable = self.unholdable(tenant);
        let mut tx = self.db.read().await?;
        let mut due = leaving::due(&mut tx, tenant, now, most).await?;
        if !unholdable.is_empty() {
            let more = leaving::due_unholdable(&mut tx, tenant, now, &unholdable, most).await?;
            let known: HashSet<String> = due.iter().map(|d| d.id.clone()).collect();
            due.extend(more.into_iter().filter(|d| !known.contains(&d.id)));
        }
        Ok(due)
    }

    /// Erases things of one tenant. When this returns, their keys are destroyed, their rows gone, one ledger entry each
    /// written, and their bytes deleted or buried for deletion. Again is harmless. Gives how many went.
    pub async fn erase(&self, tenant: &TenantId, doomed: &[Doomed], by: Role) -> Result<u64, Error> {
        Ok(self.erase_each(tenant, doomed, by).await?.len() as u64)
    }

    /// As [`Vault::erase`]; gives what went, and what was kept beside it and went with it. What another erased at the
    /// same time is theirs to tell of.
    pub async fn erase_each(
        &self,
        tenant: &TenantId,
        doomed: &[Doomed],
        by: Role,
    ) -> Result<Vec<Doomed>, Error> {
        if doomed.is_empty() {
            return Ok(Vec::new());
        }
        let (mut doomed, beside) = self.with_belongings(tenant, doomed).await?;
        let now = self.clock.now();
        self.doom(tenant, (&mut doomed, &beside), now).await?;
        let refs = self.refs(tenant, &doomed).await?;
        let mut tx = self.db.begin().await?;
        // No hold comes between this look and the end of the keys.
        let held = Self::holds_now(&mut tx, tenant).await?;
        self.spare(tenant, &held, (&mut doomed, &beside), now);
        let gone = self.let_go(&mut tx, tenant, &mut doomed).await?;
        for d in doomed.iter().filter(|d| gone.contains(&d.id)) {
            let subject = refs.get(&d.subject).cloned().flatten();
            self.ledger.append(&mut tx, erased_entry(tenant, d, subject, by, now)).await?;
        }
        tx.commit().await?;
        self.keys.cut_log().await;
        self.visit_graves_of_rows(&doomed).await?;
        doomed.retain(|d| gone.contains(&d.id));
        Ok(doomed)
    }

    /// Takes rows out, destroys the keys of what they were, and gives the ids of those that were there. The rows are held
    /// first and tell their keys themselves: since they were listed, a correction may have put another one there. They are
    /// gone with the commit, which the keys are before.
    pub(super) async fn let_go(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        doomed: &mut [Doomed],
    ) -> Result<HashSet<String>, Error> {
        let gone = self.delete_rows(tx, tenant, doomed).await?;
        for d in doomed.iter_mut() {
            let Some(row) = gone.get(&d.id) else { continue };
            d.kfp = row.kfp;
            if let ItemKind::Record { revision } = &mut d.kind {
                *revision = row.revision;
            }
        }
        let names: Vec<_> = doomed.iter().flat_map(Doomed::key_items).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        self.keys.destroy_items(tenant, &names).await?;
        Ok(gone.into_keys().collect())
    }

    /// Says in the rows that these are due, before anything else: whatever happens next, the sweep will find them. What a
    /// hold keeps is left out.
    async fn doom(
        &self,
        tenant: &TenantId,
        (doomed, beside): (&mut Vec<Doomed>, &Beside),
        now: Timestamp,
    ) -> Result<(), Error> {
        let is_later = |d: &&Doomed| d.due_at.is_none_or(|at| at > now);
        if !doomed.iter().any(|d| is_later(&d)) {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        let held = Self::holds_now(&mut tx, tenant).await?;
        self.spare(tenant, &held, (&mut *doomed, beside), now);
        let (records, objects): (Vec<_>, Vec<_>) =
            doomed.iter().filter(is_later).partition(|d| d.is_record());
        for (some, statement) in [(objects, sql::DOOM_OBJECTS), (records, sql::DOOM_RECORDS)] {
            let ids: Vec<_> = some.iter().map(|d| d.id.as_str()).collect();
            leaving::doom(&mut tx, tenant, statement, &ids, now).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Leaves out what a hold keeps, and what would go only because the image goes that it is kept beside.
    fn spare(
        &self,
        tenant: &TenantId,
        held: &[Held],
        (doomed, beside): (&mut Vec<Doomed>, &Beside),
        now: Timestamp,
    ) {
        doomed.retain(|d| !self.keeps(tenant, held, d, now));
        let going: HashSet<String> = doomed.iter().map(|d| d.id.clone()).collect();
        doomed.retain(|d| beside.get(&d.id).is_none_or(|image| going.contains(image)));
    }

    /// What is kept beside an image (its size, its format) goes with it, unless it is under a legal hold of its own. Also
    /// which of them is there for which image alone.
    async fn with_belongings(
        &self,
        tenant: &TenantId,
        doomed: &[Doomed],
    ) -> Result<(Vec<Doomed>, Beside), Error> {
        let mut parents = Beside::new();
        let mut all = doomed.to_vec();
        let mut tx = self.db.read().await?;
        for d in doomed.iter().filter(|d| !d.is_record()) {
            let owner = Owner::new(tenant, d.subject);
            let beside = leaving::doomed(&mut tx, &owner, Which::Parent(&d.id)).await?;
            let fresh: Vec<_> = beside.into_iter().filter(|b| !all.iter().any(|d| d.id == b.id)).collect();
            if !fresh.is_empty() {
                let held = rows::holds(&mut tx, &owner).await?;
                let fresh: Vec<_> = fresh.into_iter().filter(|b| !is_held(&held, &b.category)).collect();
                parents.extend(fresh.iter().map(|b| (b.id.clone(), d.id.clone())));
                all.extend(fresh);
            }
        }
        Ok((all, parents))
    }

    async fn refs(
        &self,
        tenant: &TenantId,
        doomed: &[Doomed],
    ) -> Result<HashMap<SubjectId, Option<SubjectRef>>, Error> {
        let mut known = HashMap::new();
        for d in doomed {
            if let Entry::Vacant(place) = known.entry(d.subject) {
                place.insert(self.known_ref(&Owner::new(tenant, d.subject)).await?);
            }
        }
        Ok(known)
    }

    /// The reference under which the ledger speaks of a person, where their key still tells it. What is erased of somebody
    /// whose key is damaged is erased all the same.
    async fn known_ref(&self, owner: &Owner) -> Result<Option<SubjectRef>, Error> {
        match self.subject_ref(owner).await {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound) => Ok(None),
            Err(Error::Keys(keystore::Error::Damaged)) if self.keys.opens_all_epochs().await? => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Deletes rows and buries blobs. Gives those that were there, by their ids.
    pub(super) async fn delete_rows(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        doomed: &[Doomed],
    ) -> Result<HashMap<String, Gone>, Error> {
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
        let mut gone = leaving::delete(tx, tenant, sql::DELETE_OBJECTS, &objects).await?;
        gone.extend(leaving::delete(tx, tenant, sql::DELETE_RECORDS, &records).await?);
        Ok(gone.into_iter().map(|row| (row.id.clone(), row)).collect())
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
            leaving::doomed(&mut tx, owner, which).await?
        };
        if doomed.is_empty() {
            return Err(Error::NotFound);
        }
        self.may_erase(owner, &doomed, by).await?;
        if self.erase(&owner.tenant, &doomed, by).await? == 0 {
            // Another erased it at the same moment, which is as well; or a hold came first.
            self.may_erase(owner, &doomed, by).await?;
        }
        Ok(())
    }

    /// Erases a whole category of one person. Gives how many things went.
    pub async fn erase_category(&self, owner: &Owner, category: &str, by: Role) -> Result<u64, Error> {
        self.erase_all(owner, || Which::Category(category), by).await
    }

    /// Erases everything that belongs to an edit or a request of one person.
    pub async fn erase_belongings(&self, owner: &Owner, parent: &str, by: Role) -> Result<u64, Error> {
        self.erase_all(owner, || Which::Parent(parent), by).await
    }

    /// Whether this may go at somebody's word: nothing under a legal hold, and for the person and their app only what
    /// the document says that the person may delete.
    async fn may_erase(&self, owner: &Owner, doomed: &[Doomed], by: Role) -> Result<(), Error> {
        let held = {
            let mut tx = self.db.read().await?;
            rows::holds(&mut tx, owner).await?
        };
        let policy = self.policy(&owner.tenant)?;
        for d in doomed {
            if is_held(&held, &d.category) {
                return Err(Error::Held);
            }
            let own = matches!(by, Role::Subject | Role::App);
            match policy.category(&d.category) {
                Some(c) if own && !c.subject_may(SubjectMay::Delete) => {
                    let why = format!("the policy does not let the person delete {} piece by piece", c.title);
                    let (rule, clause) = (format!("category.{}", c.id), Some(c.clause.clone()));
                    return Err(Refusal { rule, why, clause }.into());
                }
                _ => {}
            }
        }
        Ok(())
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
                leaving::doomed(&mut tx, owner, which()).await?
            };
            if doomed.is_empty() {
                return Ok(gone);
            }
            self.may_erase(owner, &doomed, by).await?;
            gone += self.erase(&owner.tenant, &doomed, by).await?;
        }
    }

    /// What belongs to an edit and is due to be erased. What its rule reduces, counts or warns of first is the sweep's.
    pub async fn due_belongings(
        &self,
        owner: &Owner,
        parent: &str,
        now: Timestamp,
    ) -> Result<Vec<Doomed>, Error> {
        let mut tx = self.db.read().await?;
        let all = leaving::doomed(&mut tx, owner, Which::Parent(parent)).await?;
        let held = rows::holds(&mut tx, owner).await?;
        let due = |d: &Doomed| d.due_at.is_some_and(|at| at <= now) && !is_held(&held, &d.category);
        let erases = |d: &Doomed| {
            let named = d.rule.as_deref();
            let rule = named.and_then(|rule| self.retention_rule(&owner.tenant, &d.category, rule));
            rule.is_none_or(|rule| rule.action == Action::Erase && rule.warn.is_empty())
        };
        Ok(all.into_iter().filter(|d| due(d) && erases(d)).collect())
    }

    /// Records a fact of everything that belongs to `parent`, and computes anew when each must go.
    pub async fn happened(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        parent: &str,
        facts: &[(Fact, Timestamp)],
    ) -> Result<(), Error> {
        let statement = dialect!(tx, sqlite: sql::FACTS_OF_SQLITE, postgres: sql::FACTS_OF_POSTGRES);
        self.set_facts(tx, owner, statement, parent, facts).await
    }

    /// Records a fact of everything a person has in a category.
    pub async fn happened_to_category(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        category: &str,
        facts: &[(Fact, Timestamp)],
    ) -> Result<(), Error> {
        let statement = dialect!(tx, sqlite: sql::FACTS_IN_SQLITE, postgres: sql::FACTS_IN_POSTGRES);
        self.set_facts(tx, owner, statement, category, facts).await
    }

    /// Records of everything a person has that their account was closed, a page a transaction, until nothing is left
    /// that does not know it. Again is harmless, and takes up what came in since.
    pub async fn account_closed(&self, owner: &Owner, at: Timestamp) -> Result<(), Error> {
        let known = format!("%\"{}\"%", Fact::AccountClosed);
        loop {
            let mut tx = self.db.begin().await?;
            let statement = dialect!(tx, sqlite: sql::UNCLOSED_SQLITE, postgres: sql::UNCLOSED_POSTGRES);
            let found: Vec<FactsRow> = on!(tx, |c| sqlx::query_as(statement)
                .bind(owner.tenant.as_str())
                .bind(owner.subject.to_string())
                .bind(&known)
                .fetch_all(c)
                .await)?;
            if found.is_empty() {
                return Ok(());
            }
            self.write_facts(&mut tx, owner, found, &[(Fact::AccountClosed, at)]).await?;
            tx.commit().await?;
        }
    }

    async fn set_facts(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        statement: &'static str,
        arg: &str,
        news: &[(Fact, Timestamp)],
    ) -> Result<(), Error> {
        let found: Vec<FactsRow> = on!(tx, |c| sqlx::query_as(statement)
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .bind(arg)
            .fetch_all(c)
            .await)?;
        self.write_facts(tx, owner, found, news).await
    }

    async fn write_facts(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        found: Vec<FactsRow>,
        news: &[(Fact, Timestamp)],
    ) -> Result<(), Error> {
        for (table, id, category, text, version, done) in found {
            let (statement, table) = if table == "object" {
                (sql::SET_OBJECT_FACTS, "object")
            } else {
                (sql::SET_RECORD_FACTS, "record")
            };
            let facts = news.iter().fold(rows::facts(&text, table)?, |all: Facts, (f, at)| all.with(*f, *at));
            let of = (category.as_str(), version.as_str());
            let (rule, due_at) = self.due_after(&owner.tenant, of, &facts, &rows::names(&done));
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

/// Of what goes only because an image goes: which image that is.
type Beside = HashMap<String, String>;

/// Which table, id, category, facts, version, rules carried out.
type FactsRow = (String, String, String, String, String, String);

/// Whether a category is among those held; `None` among them holds everything.
pub(super) fn is_held(held: &[Option<String>], category: &str) -> bool {
    held.iter().any(|h| h.as_deref().is_none_or(|c| c == category))
}

fn erased_entry(
    tenant: &TenantId,
    d: &Doomed,
    subject: Option<SubjectRef>,
    by: Role,
    now: Timestamp,
) -> ledger::Entry {
    let mut entry = ledger::Entry::new(EntryKind::OBJECT_ERASED, now, tenant, by.as_str())
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
