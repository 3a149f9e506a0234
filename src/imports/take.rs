//! Taking what an archive holds, or saying what would be taken.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::reading::{self, From, Read};
use super::{Error, Imports, Spool};
use crate::archive::{Picture, Record};
use crate::base::{EntryId, PageSize, Timestamp};
use crate::crypto::sha256;
use crate::editing::{self, PURPOSE};
use crate::ledger::{Entry, EntryKind};
use crate::policy::{Facts, Form, Policy};
use crate::vault::{self, Access, Actor, NewRecord, Owner};

/// What an imported record is called within its category.
const NAME: &str = "imported";
/// The longest text that a field may hold.
const LONGEST: usize = 4_000;
/// Records written in one transaction.
const AT_ONCE: usize = 100;

/// How many there are of a sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Not here yet: taken, or to be taken.
    pub new: u64,
    /// Here already.
    pub here: u64,
    /// Not of a sort that is taken here.
    pub refused: u64,
}

/// What an archive brings.
#[derive(Debug, Clone)]
pub struct Brought {
    /// Where it comes from.
    pub from: From,
    /// Its pictures.
    pub images: Tally,
    /// Its records, by category.
    pub records: BTreeMap<&'static str, Tally>,
    /// What else is in it, and is not taken: its categories' ids.
    pub left: Vec<String>,
    /// The entry of the ledger that says what was taken, if anything was.
    pub entry: Option<EntryId>,
}

impl Brought {
    fn of(read: &Read) -> Self {
        Self {
            from: read.from.clone(),
            images: Tally::default(),
            records: BTreeMap::new(),
            left: read.left.clone(),
            entry: None,
        }
    }

    /// Whether there is nothing new in it, and something that was brought in before, or never left.
    pub fn is_here_already(&self) -> bool {
        let tallies = || self.records.values().chain([&self.images]);
        tallies().all(|t| t.new == 0) && tallies().any(|t| t.here > 0)
    }

    fn records_new(&self) -> u64 {
        self.records.values().map(|t| t.new).sum()
    }
}

impl Imports {
    /// What would be taken of an archive. Changes nothing.
    pub async fn preview(&self, owner: &Owner, actor: &Actor, spool: &Spool) -> Result<Brought, Error> {
        let read = self.read(spool).await?;
        let mut brought = Brought::of(&read);
        self.pictures(owner, actor, read, &mut brought, false).await?;
        Ok(brought)
    }

    /// Takes what is new in an archive; of two at once, in this replica or in two, one waits and finds that it is here. What
    /// was taken before something went wrong stays; the same archive sent again goes on from there.
    pub async fn take(&self, owner: &Owner, actor: &Actor, spool: &Spool) -> Result<Brought, Error> {
        let Ok(_turn) = self.turn.acquire().await else { return Err(Error::BrokenOff) };
        // The same between replicas: whoever comes second sees all that the first has taken, and takes nothing.
        let _alone = self.db.alone(&format!("import/{}/{}", owner.tenant, owner.subject)).await?;
        let read = self.read(spool).await?;
        let mut brought = Brought::of(&read);
        let done = self.pictures(owner, actor, read, &mut brought, true).await;
        if brought.images.new + brought.records_new() > 0 {
            brought.entry = Some(self.record(owner, actor, &brought).await?);
        }
        done.map(|()| brought)
    }

    async fn record(&self, owner: &Owner, actor: &Actor, brought: &Brought) -> Result<EntryId, Error> {
        let role = actor.role();
        let entry = Entry::new(EntryKind::IMPORT_TAKEN, self.clock.now(), &owner.tenant, role.as_str())
            .about(self.vault.subject_ref(owner).await?)
            .fact("sha256", hex::encode(brought.from.manifest_sha256))
            .fact("images", brought.images.new)
            .fact("records", brought.records_new());
        let mut tx = self.db.begin().await?;
        let entry = self.ledger.append(&mut tx, entry).await?.id;
        tx.commit().await?;
        Ok(entry)
    }

    async fn pictures(
        &self,
        owner: &Owner,
        actor: &Actor,
        read: Read,
        brought: &mut Brought,
        for_good: bool,
    ) -> Result<(), Error> {
        let policy = self.vault.policy(&owner.tenant)?;
        let access = Access { actor, purpose: PURPOSE };
        let mut here = self.hashes(owner, &access).await?;
        let Read { mut archive, pictures, records, .. } = read;
        for picture in &pictures {
            if here.contains(&picture.sha256) {
                brought.images.here += 1;
                continue;
            }
            let most = self.editing.limits().max_bytes as u64;
            let bytes;
            (archive, bytes) = reading::bytes_of(archive, picture, most).await?;
            let Some(bytes) = bytes else {
                brought.images.refused += 1;
                continue;
            };
            self.picture((owner, actor), (picture, bytes), (&mut here, brought), for_good).await?;
        }
        for (category, found) in records {
            let tally = self.records((owner, actor), &policy, (category, found), for_good).await?;
            brought.records.insert(category, tally);
        }
        Ok(())
    }

    /// One picture, by the door by which every picture comes in.
    async fn picture(
        &self,
        (owner, actor): (&Owner, &Actor),
        (picture, bytes): (&Picture, Vec<u8>),
        (here, brought): (&mut HashSet<String>, &mut Brought),
        for_good: bool,
    ) -> Result<(), Error> {
        let cleaned = match self.editing.cleaned(owner, actor, Bytes::from(bytes)).await {
            Ok(cleaned) => cleaned,
            Err(editing::Error::Picture(_)) => {
                brought.images.refused += 1;
                return Ok(());
            }
            Err(e) => return Err(e.into()),
        };
        let hash = hex::encode(cleaned.sha256());
        if here.contains(&hash) {
            brought.images.here += 1;
            return Ok(());
        }
        if for_good {
            self.editing.take_in(owner, cleaned).await?;
        }
        brought.images.new += 1;
        here.extend([hash, picture.sha256.clone()]);
        Ok(())
    }

    /// SHA-256 of every picture of a person.
    async fn hashes(&self, owner: &Owner, access: &Access<'_>) -> Result<HashSet<String>, Error> {
        let mut all = HashSet::new();
        for category in ["input-image", "output-image"] {
            let mut after: Option<String> = None;
            loop {
                let page = self.vault.objects(owner, access, category, (after.as_deref(), size())).await;
                let page = match page {
                    Err(vault::Error::Refused(_)) => break,
                    other => other?,
                };
                all.extend(page.items.into_iter().map(|o| o.meta.sha256));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(all)
    }

    /// Records of one category: those that the document here lets stand, and that do not say what is here already.
    async fn records(
        &self,
        (owner, actor): (&Owner, &Actor),
        policy: &Policy,
        (category, found): (&'static str, Vec<Record>),
        for_good: bool,
    ) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        let held = policy.may_store(category).is_ok_and(|c| c.form == Form::Record);
        if found.is_empty() || !held {
            tally.refused = found.len() as u64;
            return Ok(tally);
        }
        let mut here = self.values(owner, actor, category).await?;
        let mut new = Vec::new();
        for record in found {
            match fitting(policy, category, record) {
                None => tally.refused += 1,
                Some(value) if here.insert(digest(&value)) => new.push(value),
                Some(_) => tally.here += 1,
            }
        }
        tally.new = new.len() as u64;
        if for_good {
            let mut new = new.into_iter();
            loop {
                let some: Vec<Value> = new.by_ref().take(AT_ONCE).collect();
                if some.is_empty() {
                    break;
                }
                self.add(owner, category, some).await?;
            }
        }
        Ok(tally)
    }

    async fn add(&self, owner: &Owner, category: &str, values: Vec<Value>) -> Result<(), Error> {
        let new = values.into_iter().map(|value| NewRecord {
            category,
            name: NAME,
            value,
            parent: None,
            facts: Facts::new(),
        });
        let sealed = self.vault.seal_records(owner, new.collect()).await?;
        let written = async {
            let mut tx = self.db.begin().await?;
            if self.vault.standing_to_write(&mut tx, owner).await?.restricted_at.is_some() {
                return Err(vault::Error::Restricted);
            }
            self.vault.insert(&mut tx, owner, &sealed).await?;
            Ok(tx.commit().await?)
        };
        if let Err(e) = written.await {
            self.vault.discard(owner, &sealed).await;
            return Err(e.into());
        }
        Ok(())
    }

    /// What a person's records of a category say, as hashes: of the vault, and for the history of the edits themselves.
    async fn values(&self, owner: &Owner, actor: &Actor, category: &str) -> Result<HashSet<[u8; 32]>, Error> {
        let access = Access { actor, purpose: PURPOSE };
        let mut all = HashSet::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.vault.records(owner, &access, category, (after.as_deref(), size())).await?;
            all.extend(page.items.iter().map(|r| digest(&r.value)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if category != "edit-history" {
            return Ok(all);
        }
        let policy = self.vault.policy(&owner.tenant)?;
        let mut before: Option<String> = None;
        loop {
            let page = self.editing.list(owner, before.as_deref(), size()).await?;
            for edit in page.items {
                let value = serde_json::json!({
                    "outcome": edit.state.as_str(), "model": edit.model, "provider": edit.provider,
                    "cost": edit.cost, "asked": edit.created_at.rfc3339(),
                    "ended": edit.ended_at.map(Timestamp::rfc3339),
                });
                if let Value::Object(values) = value {
                    let (id, at) = (edit.id.to_string(), edit.created_at);
                    let told = Record { id, at, ends: None, values };
                    all.extend(fitting(&policy, category, told).map(|v| digest(&v)));
                }
            }
            before = page.next;
            if before.is_none() {
                return Ok(all);
            }
        }
    }
}

fn size() -> PageSize {
    PageSize::new(200).unwrap_or_default()
}

fn digest(value: &Value) -> [u8; 32] {
    sha256(value.to_string().as_bytes())
}

/// A record's fields that the document here declares, if they are plain and there are any.
fn fitting(policy: &Policy, category: &str, record: Record) -> Option<Value> {
    let rule = policy.category(category)?;
    let mut fields = Map::new();
    for (name, value) in record.values {
        // What an edit's history calls the moment at which it was asked for.
        let name = if category == "edit-history" && name == "asked" { "started".to_owned() } else { name };
        let plain = match &value {
            Value::String(text) => text.chars().count() <= LONGEST,
            Value::Number(_) | Value::Bool(_) => true,
            Value::Null => continue,
            Value::Array(_) | Value::Object(_) => false,
        };
        if !rule.has_field(&name) {
            continue;
        }
        if !plain {
            return None;
        }
        fields.insert(name, value);
    }
    (!fields.is_empty()).then_some(Value::Object(fields))
}
