//! Making a collection.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::Value;

use super::folder::{self, Folder, MANIFEST, SAMPLES, SIGNATURE};
use super::manifest::{self, SCHEMA};
use super::{Error, Manifest, Member, Sample, Training, sql};
use crate::base::{CollectionId, EntryId, PageSize, SubjectId, TenantId, Timestamp};
use crate::consent::State;
use crate::crypto::sha256;
use crate::imaging;
use crate::ledger::{Entry, EntryKind};
use crate::policy::{Form, Policy, Purpose, Role};
use crate::store::Tx;
use crate::vault::{Access, Actor, Owner, StoredObject};

/// People looked up in one go.
const PAGE: i64 = 200;
/// How long it is remembered that somebody left.
const REMEMBERED: TimeDelta = TimeDelta::days(730);
/// The longest picture that is read.
const MOST_BYTES: u64 = 256 << 20;

/// A collection that was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// What it says of itself.
    pub manifest: Manifest,
    /// SHA-256 of the manifest's bytes.
    pub sha256: [u8; 32],
    /// The entry of the ledger that proves it.
    pub entry: EntryId,
    /// Pictures that could not be read as pictures, and were left out.
    pub unreadable: u64,
}

/// What one collection is made under.
struct Under {
    tenant: TenantId,
    policy: Arc<Policy>,
    purpose: Purpose,
    collection: CollectionId,
}

impl Under {
    /// The categories that the document gives to the purpose, and lets the program read for it.
    fn categories(&self, form: Form) -> impl Iterator<Item = &str> {
        let reads = |id: &str| self.policy.may_read(id, Role::Service, &self.purpose.id).is_ok();
        let all = self.policy.categories().filter(move |c| c.form == form);
        all.map(|c| c.id.as_str()).filter(move |id| reads(id))
    }
}

/// A person whose things are being taken.
struct Part {
    owner: Owner,
    member: Member,
    lines: Vec<u8>,
    unreadable: u64,
}

impl Training {
    /// Makes a collection in `folder`, which must be empty or not there. `purpose` may be left out where the document
    /// has one alone for which models learn. Memory is that of one picture and of one person's words, and some bytes a
    /// person.
    pub async fn export(
        &self,
        tenant: &TenantId,
        purpose: Option<&str>,
        folder: &Path,
    ) -> Result<Made, Error> {
        let policy = self.vault.policy(tenant)?;
        let purpose = the_purpose(&policy, purpose)?.clone();
        let collection = CollectionId::new(&self.clock, &self.entropy);
        let under = Under { tenant: tenant.clone(), policy, purpose, collection };
        let folder = Folder::make(folder).await?;
        match self.fill(&under, &folder).await {
            Ok(made) => Ok(made),
            Err(e) => {
                folder.clear().await;
                Err(e)
            }
        }
    }

    async fn fill(&self, under: &Under, folder: &Folder) -> Result<Made, Error> {
        let (mut parts, mut unreadable) = (Vec::new(), 0);
        let mut after: Option<SubjectId> = None;
        loop {
            let page = self.consents.givers(&under.tenant, &under.purpose.id, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(*last);
            for subject in page {
                let owner = Owner::new(&under.tenant, subject);
                if let Some(part) = self.person(under, folder, owner).await? {
                    unreadable += part.unreadable;
                    parts.push((part.owner, part.member));
                }
            }
        }
        let (manifest, sha256, entry) = self.close(under, folder, parts).await?;
        Ok(Made { manifest, sha256, entry, unreadable })
    }

    /// Takes one person's things, if they agree. `None` if they do not, or take it back meanwhile, or have nothing.
    async fn person(&self, under: &Under, folder: &Folder, owner: Owner) -> Result<Option<Part>, Error> {
        let begun = self.begin(under, owner).await;
        let mut part = match begun {
            Ok(Some(part)) => part,
            Ok(None) => return Ok(None),
            Err(e) if e.is_a_no() => return Ok(None),
            Err(e) => return Err(e),
        };
        let place = folder.person(&part.member.pseudonym).await?;
        match self.take(under, &place, &mut part).await {
            Ok(()) if part.member.images + part.member.records > 0 => {
                part.member.samples_sha256 = hex::encode(sha256(&part.lines));
                let lines = std::mem::take(&mut part.lines);
                folder::write(&place, SAMPLES, lines).await?;
                Ok(Some(part))
            }
            Err(e) if !e.is_a_no() => Err(e),
            _ => {
                folder.drop_person(&part.member.pseudonym).await?;
                Ok(None)
            }
        }
    }

    /// Looks whether they agree now, and writes down that they are read.
    async fn begin(&self, under: &Under, owner: Owner) -> Result<Option<Part>, Error> {
        {
            let mut tx = self.db.read().await?;
            if !self.agrees(&mut tx, under, &owner).await? {
                return Ok(None);
            }
        }
        let word = self.consents.word(&owner, &under.purpose.id).await?;
        let Some((word, consent)) = word.and_then(|w| {
            let entry = w.entry;
            Some(w).filter(|w| w.state == State::Given).zip(entry)
        }) else {
            return Ok(None);
        };
        let pseudonym = self.vault.subject_ref(&owner).await?;
        let member = Member {
            pseudonym: pseudonym.to_string(),
            consent,
            given_at: word.at,
            given_under: word.policy_version,
            samples_sha256: String::new(),
            images: 0,
            records: 0,
        };
        let entry = self.entry(EntryKind::TRAINING_READ, under).about(pseudonym);
        let entry = entry.fact("consent", consent.to_string().as_str());
        let mut tx = self.db.begin().await?;
        self.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(Some(Part { owner, member, lines: Vec::new(), unreadable: 0 }))
    }

    fn entry(&self, kind: EntryKind, under: &Under) -> Entry {
        Entry::new(kind, self.clock.now(), &under.tenant, Actor::Service.role().as_str())
            .fact("purpose", under.purpose.id.as_str())
            .fact("version", under.policy.version())
            .fact("collection", under.collection.to_string().as_str())
    }

    /// Whether a person's things may be in a collection now.
    async fn agrees(&self, tx: &mut Tx, under: &Under, owner: &Owner) -> Result<bool, Error> {
        let standing = match self.vault.standing(tx, owner).await {
            Err(crate::vault::Error::NotFound) => return Ok(false),
            other => other?,
        };
        let free = !standing.erasing && standing.restricted_at.is_none() && standing.closed_at.is_none();
        Ok(free && self.vault.agreed(tx, owner, &under.policy, &under.purpose.id).await?)
    }

    async fn take(&self, under: &Under, place: &Path, part: &mut Part) -> Result<(), Error> {
        let mut words = self.words(under, &part.owner).await?;
        let access = Access { actor: &Actor::Service, purpose: &under.purpose.id };
        for category in under.categories(Form::Object) {
            let mut after: Option<String> = None;
            loop {
                let from = (after.as_deref(), size());
                let page = self.vault.objects(&part.owner, &access, category, from).await?;
                for object in page.items {
                    let with = object.item.parent.as_deref().and_then(|p| words.remove(p));
                    self.picture(&access, place, part, (object, with)).await?;
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        for (category, value) in words.into_values() {
            part.member.records += 1;
            line(part, &Sample { category, words: Some(value), ..Sample::default() })?;
        }
        Ok(())
    }

    /// A person's records by what they belong to, each with its category.
    async fn words(&self, under: &Under, owner: &Owner) -> Result<BTreeMap<String, (String, Value)>, Error> {
        let access = Access { actor: &Actor::Service, purpose: &under.purpose.id };
        let mut all = BTreeMap::new();
        for category in under.categories(Form::Record) {
            let mut after: Option<String> = None;
            loop {
                let page = self.vault.records(owner, &access, category, (after.as_deref(), size())).await?;
                for record in page.items {
                    let belongs = record.item.parent.unwrap_or_else(|| record.id.to_string());
                    all.insert(belongs, (record.category, record.value));
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(all)
    }

    /// One picture, opened through the door, bared of all that is not the picture, and written.
    async fn picture(
        &self,
        access: &Access<'_>,
        place: &Path,
        part: &mut Part,
        (object, with): (StoredObject, Option<(String, Value)>),
    ) -> Result<(), Error> {
        let open = self.vault.open_object(&part.owner, access, object.id, None).await?;
        let plain = open.read(MOST_BYTES).await?;
        let bared = tokio::task::spawn_blocking(move || bare(plain.expose())).await;
        let Ok(Some((bytes, format))) = bared else {
            part.unreadable += 1;
            return Ok(());
        };
        part.member.images += 1;
        let name = format!("{:06}.{}", part.member.images, format.extension());
        let sample = Sample {
            category: object.category,
            file: Some(name.clone()),
            sha256: Some(hex::encode(sha256(&bytes))),
            bytes: Some(bytes.len() as u64),
            media_type: Some(format.media_type().to_owned()),
            words: with.map(|(_, value)| value),
        };
        folder::write(place, &name, bytes).await?;
        line(part, &sample)
    }

    /// Closes a collection: whoever has said no while others were read is taken out again, then the manifest is written
    /// and signed, and the ledger says so, all under the lock that a word has to wait for.
    async fn close(
        &self,
        under: &Under,
        folder: &Folder,
        parts: Vec<(Owner, Member)>,
    ) -> Result<(Manifest, [u8; 32], EntryId), Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let mut people = Vec::with_capacity(parts.len());
        for (owner, member) in parts {
            if self.agrees(&mut tx, under, &owner).await? {
                people.push(member);
            } else {
                folder.drop_person(&member.pseudonym).await?;
            }
        }
        people.sort_by(|a, b| a.pseudonym.cmp(&b.pseudonym));
        let mut manifest = self.manifest(under, people, now);
        sql::forget(&mut tx, &under.tenant, &under.purpose.id, now.plus(-REMEMBERED)).await?;
        manifest.left = sql::members(&mut tx, &manifest).await?;
        let mut bytes =
            serde_json::to_vec_pretty(&manifest).map_err(|_| crate::archive::Error::Unwritable(MANIFEST))?;
        bytes.push(b'\n');
        let hash = sha256(&bytes);
        let note = self.signer.sign(&manifest::note(&under.tenant, under.collection, &hash))?;
        folder.write(SIGNATURE, note).await?;
        folder.write(MANIFEST, bytes).await?;
        let (images, records) =
            manifest.people.iter().fold((0, 0), |(i, r), m| (i + m.images, r + m.records));
        let entry = self
            .entry(EntryKind::TRAINING_MADE, under)
            .fact("people", manifest.people.len() as u64)
            .fact("images", images)
            .fact("records", records)
            .fact("left", manifest.left.len() as u64)
            .fact("sha256", hex::encode(hash));
        let entry = self.ledger.append(&mut tx, entry).await?.id;
        sql::run(&mut tx, &manifest, &hash, entry).await?;
        tx.commit().await?;
        Ok((manifest, hash, entry))
    }

    fn manifest(&self, under: &Under, people: Vec<Member>, now: Timestamp) -> Manifest {
        Manifest {
            schema: SCHEMA.to_owned(),
            collection: under.collection,
            tenant: under.tenant.clone(),
            purpose: under.purpose.id.clone(),
            means: under.purpose.means.clone(),
            policy_version: under.policy.version().to_owned(),
            made_at: now,
            signed_by: self.signer.verifying().to_string(),
            people,
            left: Vec::new(),
        }
    }
}

fn size() -> PageSize {
    PageSize::new(100).unwrap_or_default()
}

/// The purpose that a collection is made for: one that teaches models, and needs a yes.
fn the_purpose<'a>(policy: &'a Policy, named: Option<&str>) -> Result<&'a Purpose, Error> {
    let fits = |p: &Purpose| p.trains_models && p.needs_consent();
    if let Some(id) = named {
        let purpose = policy.purpose(id).ok_or(Error::NoPurpose)?;
        return if fits(purpose) { Ok(purpose) } else { Err(Error::NotTraining(id.to_owned())) };
    }
    let mut all = policy.purposes().filter(|p| fits(p));
    match (all.next(), all.next()) {
        (Some(purpose), None) => Ok(purpose),
        (None, _) => Err(Error::NoPurpose),
        (Some(_), Some(_)) => Err(Error::WhichPurpose),
    }
}

/// The picture and nothing else: no metadata, not even the mark of how it was made.
fn bare(bytes: &[u8]) -> Option<(Vec<u8>, imaging::Format)> {
    let found = imaging::inspect(bytes, &imaging::Limits::default()).ok()?;
    Some((imaging::strip(bytes, &found).ok()?, found.format))
}

fn line(part: &mut Part, sample: &Sample) -> Result<(), Error> {
    serde_json::to_writer(&mut part.lines, sample).map_err(|_| crate::archive::Error::Unwritable(SAMPLES))?;
    part.lines.push(b'\n');
    Ok(())
}
