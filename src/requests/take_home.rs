//! Everything that is held of one person, gathered for their archive and for the answer of Article 15.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::copies::COPY;
use super::fulfil::{PURPOSE, object};
use super::gaps::GAPS;
use super::standing::{self, STANDING};
use super::{Error, Request, Requests, answer, handover};
use crate::archive::{
    Access as Reading, Category, Consent, Controller, Head, Image, Record, Stored, TakeHome, Withheld,
};
use crate::base::{ObjectId, Page, PageSize, Timestamp};
use crate::consent::{Word, notice_hash};
use crate::disclosure::Disclosed;
use crate::ledger::{EntryKind, Fact as Public, Filter, Leaf};
use crate::policy::{self, Form, Policy, Right, SubjectMay};
use crate::vault::{self, Access, Actor, Owner, StoredObject};

/// What is gathered for one archive, all of it as it was at `at`.
pub(super) struct Gathering<'a> {
    room: &'a Requests,
    owner: &'a Owner,
    policy: &'a Policy,
    right: Right,
    at: Timestamp,
    /// The words that made each edit's result.
    prompts: BTreeMap<String, String>,
    /// Records of what a law or an order forbids telling them yet.
    untold: BTreeSet<String>,
    /// How tables beside the vault stood when the archive was prepared.
    standing: Value,
    /// Pictures that cannot be read.
    gaps: BTreeSet<ObjectId>,
}

/// As whom a category is read for its owner: as the owner where the document shows it to them, else as the program that
/// answers for them.
fn reader(category: &policy::Category, owner: &Owner) -> Actor {
    if category.subject_may(SubjectMay::Read) { Actor::Subject(owner.subject) } else { Actor::Service }
}

/// Whether a right reaches a category. Portability covers what the document lets a person take home, which may be
/// more than the law's "provided by".
pub(super) fn reaches(right: Right, category: &policy::Category) -> bool {
    let takes = category.subject_may(SubjectMay::Export);
    takes || (right == Right::Access && category.subject_may(SubjectMay::Read))
}

fn pages() -> PageSize {
    PageSize::new(200).unwrap_or_default()
}

impl Requests {
    /// Everything that was held of a person at `at` and still is.
    pub(super) async fn gather(
        &self,
        owner: &Owner,
        request: &Request,
        at: Timestamp,
    ) -> Result<TakeHome, Error> {
        let policy = self.vault.policy(&owner.tenant)?;
        let (prompts, untold) = (BTreeMap::new(), BTreeSet::new());
        let standing = self.taken_down(owner, request).await?.unwrap_or_default();
        let gaps = self.gaps(owner, request).await?;
        let mut gathering = Gathering {
            room: self,
            owner,
            policy: &policy,
            right: request.right,
            at,
            prompts,
            untold,
            standing,
            gaps,
        };
        gathering.all(request).await
    }
}

impl Gathering<'_> {
    async fn all(&mut self, request: &Request) -> Result<TakeHome, Error> {
        let words = self.words().await?;
        let sent: Vec<Disclosed> = self
            .room
            .disclosures
            .of(self.owner)
            .await?
            .into_iter()
            .filter(|d| d.sent_at <= self.at)
            .collect();
        let handed = self.room.handed(self.owner, self.at).await?;
        self.untold = self.room.untold(self.owner, self.at).await?;
        let mut categories = Vec::new();
        let mut withheld = Vec::new();
        self.prompts = self.captions().await?;
        for category in self.policy.categories() {
            let found = self.category(category, &words, &sent).await?;
            if found.records.is_empty() && found.images.is_empty() {
                continue;
            }
            if reaches(self.right, category) {
                categories.push(found);
            } else {
                withheld.push(Withheld {
                    what: category.title.clone(),
                    reason: "the privacy policy does not include it in what this right hands over".to_owned(),
                    law: "Art. 15(4) and 20(4) GDPR".to_owned(),
                    until: None,
                });
            }
        }
        let held: BTreeSet<&str> = categories.iter().flat_map(|c| &c.purposes).map(String::as_str).collect();
        let purposes = self.policy.purposes().filter(|p| held.contains(p.id.as_str()) || p.is_choice());
        Ok(TakeHome {
            head: self.head(request).await?,
            purposes: purposes
                .map(|p| answer::purpose(p, words.get(&p.id).map_or(&[], Vec::as_slice)))
                .collect(),
            recipients: [
                answer::recipients(self.policy, &sent, self.at),
                handover::recipients(&handed, self.at),
            ]
            .concat(),
            rights: self.policy.rights().map(|r| answer::how(self.policy, r)).collect(),
            authority: answer::authority(self.policy),
            automated: Vec::new(),
            withheld,
            consents: self.consents(&words),
            reads: self.reads().await?,
            attachments: self.room.copies(self.owner, request, self.policy).await?,
            categories,
        })
    }

    async fn head(&self, request: &Request) -> Result<Head, Error> {
        let controller = self.policy.controller();
        Ok(Head {
            tenant: self.owner.tenant.clone(),
            controller: Controller {
                name: controller.name.clone(),
                address: controller
                    .address
                    .clone()
                    .or_else(|| controller.website.clone())
                    .unwrap_or_default(),
                contact: self.policy.contact().privacy.clone(),
            },
            made_at: self.at,
            reference: request.reference.clone(),
            subject_pseudonym: self.room.vault.subject_ref(self.owner).await?.to_string(),
            policy_version: self.policy.version().to_owned(),
            key_at: self.room.signer.published_at(),
        })
    }

    async fn category(
        &self,
        rule: &policy::Category,
        words: &BTreeMap<String, Vec<Word>>,
        sent: &[Disclosed],
    ) -> Result<Category, Error> {
        let (images, mut records) = if rule.form == Form::Object {
            (self.images(rule).await?, Vec::new())
        } else {
            (Vec::new(), self.records(rule).await?)
        };
        records.extend(self.elsewhere(&rule.id, words).await?);
        records.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        let got = |d: &&Disclosed| d.categories.split_whitespace().any(|c| c == rule.id);
        let recipients: BTreeSet<&str> = sent.iter().filter(got).map(|d| d.processor.as_str()).collect();
        let name = |id: &str| self.policy.processor(id).map_or_else(|| id.to_owned(), |p| p.name.clone());
        Ok(Category {
            id: rule.id.clone(),
            title: rule.title.clone(),
            holds: rule.holds.clone(),
            provenance: answer::provenance(rule.source),
            source: (rule.source == policy::Origin::ThirdParty).then(|| "somebody else".to_owned()),
            basis: answer::basis(self.policy, rule).to_owned(),
            purposes: rule.purposes.clone(),
            recipients: recipients.into_iter().map(name).collect(),
            rule: answer::rule(self.policy, &rule.id),
            records,
            images,
        })
    }

    async fn vault_records(&self, rule: &policy::Category) -> Result<Vec<vault::Record>, Error> {
        let actor = reader(rule, self.owner);
        let access = Access { actor: &actor, purpose: PURPOSE };
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let from = (after.as_deref(), pages());
            let page = self.room.vault.records(self.owner, &access, &rule.id, from).await?;
            let mine = |r: &vault::Record| {
                r.item.created_at <= self.at
                    && ![COPY, GAPS, STANDING].contains(&r.name.as_str())
                    && !self.untold.contains(&r.id.to_string())
            };
            all.extend(page.items.into_iter().filter(mine));
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    async fn records(&self, rule: &policy::Category) -> Result<Vec<Record>, Error> {
        let found = self.vault_records(rule).await?;
        Ok(found
            .into_iter()
            .map(|r| Record {
                id: r.id.to_string(),
                at: r.item.created_at,
                // A request's clock starts when it is closed, which fetching this archive does; an archive that changed by
                // being fetched could not be fetched on.
                ends: r.item.due_at.filter(|_| rule.id != "rights-request"),
                values: object(r.value),
            })
            .collect())
    }

    async fn images(&self, rule: &policy::Category) -> Result<Vec<Image>, Error> {
        let actor = reader(rule, self.owner);
        let access = Access { actor: &actor, purpose: PURPOSE };
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let from = (after.as_deref(), pages());
            let page = self.room.vault.objects(self.owner, &access, &rule.id, from).await?;
            for object in page.items.iter().filter(|o| o.item.created_at <= self.at) {
                all.push(self.image(rule, object)?);
            }
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    fn image(&self, rule: &policy::Category, object: &StoredObject) -> Result<Image, Error> {
        let sha256 = hex::decode(&object.meta.sha256).ok().and_then(|h| h.try_into().ok());
        let caption = object.item.parent.as_ref().and_then(|edit| self.prompts.get(edit)).cloned();
        let day = object.item.created_at.in_words();
        Ok(Image {
            stored: Stored {
                object: object.id,
                len: object.meta.len,
                crc32: object.meta.crc32,
                sha256: sha256.ok_or(vault::Error::Damaged)?,
            },
            media_type: object.meta.media_type.clone(),
            at: object.item.created_at,
            ends: object.item.due_at,
            original_name: None,
            alt: caption
                .as_ref()
                .map_or_else(|| format!("{}, {day}", rule.title), |words| format!("{}: {words}", rule.title)),
            caption,
            size: object.meta.width.zip(object.meta.height),
            missing: self.gaps.contains(&object.id),
        })
    }

    /// The words of each edit, to stand below its picture. Nothing where the document does not show them.
    async fn captions(&self) -> Result<BTreeMap<String, String>, Error> {
        let Some(rule) = self.policy.category("prompt").filter(|c| reaches(self.right, c)) else {
            return Ok(BTreeMap::new());
        };
        let text = |r: &vault::Record| r.value.get("text").and_then(Value::as_str).map(ToOwned::to_owned);
        let found = self.vault_records(rule).await?;
        Ok(found.iter().filter_map(|r| r.item.parent.clone().zip(text(r))).collect())
    }

    /// What lies in tables beside the vault: credits, edits, words on purposes, requests, the account's own times.
    async fn elsewhere(
        &self,
        category: &str,
        words: &BTreeMap<String, Vec<Word>>,
    ) -> Result<Vec<Record>, Error> {
        let mut found = match category {
            "account" => self.account().await?,
            "credits" => self.credits().await?,
            "edit-history" => self.edits().await?,
            "rights-request" => {
                let beside = standing::records(&self.standing, "requests", self.at)?;
                [self.requests().await?, beside].concat()
            }
            "consent-record" => consent_records(words),
            _ => Vec::new(),
        };
        found.retain(|r| r.at <= self.at);
        Ok(found)
    }

    async fn account(&self) -> Result<Vec<Record>, Error> {
        let subject = self.room.subjects.get(self.owner).await?;
        let account =
            self.standing.get("account").cloned().filter(Value::is_object).unwrap_or_else(|| json!({}));
        let mut own = record(subject.id.to_string(), subject.created_at, account);
        own.values.remove("at");
        let beside = standing::records(&self.standing, "beside", self.at)?;
        Ok(std::iter::once(own).chain(beside).collect())
    }

    async fn credits(&self) -> Result<Vec<Record>, Error> {
        let page = |before: Option<String>| async move {
            Ok(self.room.credits.history(self.owner, before.as_deref(), pages()).await?)
        };
        let each = every(page).await?.into_iter().map(|e| {
            let values = json!({
                "at": e.at.rfc3339(), "change": e.amount, "reason": e.reason, "balance": e.balance,
            });
            record(e.id, e.at, values)
        });
        Ok(each.collect())
    }

    async fn edits(&self) -> Result<Vec<Record>, Error> {
        let page = |before: Option<String>| async move {
            Ok(self.room.editing.list(self.owner, before.as_deref(), pages()).await?)
        };
        let each = every(page).await?.into_iter().map(|e| {
            let values = json!({
                "edit": e.id.to_string(), "outcome": e.state.as_str(), "model": e.model,
                "provider": e.provider, "cost": e.cost, "asked": e.created_at.rfc3339(),
                "ended": e.ended_at.map(Timestamp::rfc3339),
            });
            record(e.id.to_string(), e.created_at, values)
        });
        Ok(each.collect())
    }

    async fn requests(&self) -> Result<Vec<Record>, Error> {
        let page = |before: Option<String>| async move {
            self.room.list(self.owner, before.as_deref(), pages()).await
        };
        let each = every(page).await?.into_iter().map(|r| {
            let values = json!({
                "reference": r.reference, "right": r.right.as_str(), "about": r.about,
                "received": r.received_at.rfc3339(), "promised-by": r.due.promise.rfc3339(),
                "law-by": r.due.legal.rfc3339(), "channel": r.channel.as_str(),
            });
            record(r.id.to_string(), r.received_at, values)
        });
        Ok(each.collect())
    }

    /// Every word of the person by purpose, oldest first.
    async fn words(&self) -> Result<BTreeMap<String, Vec<Word>>, Error> {
        let mut words: BTreeMap<String, Vec<Word>> = BTreeMap::new();
        let history = self.room.consents.history(self.owner).await?;
        for (purpose, word) in history.into_iter().rev().filter(|(_, w)| w.at <= self.at) {
            words.entry(purpose).or_default().push(word);
        }
        Ok(words)
    }

    fn consents(&self, words: &BTreeMap<String, Vec<Word>>) -> Vec<Consent> {
        let each = words.iter().flat_map(|(purpose, words)| words.iter().map(move |w| (purpose, w)));
        let mut all: Vec<Consent> = each
            .map(|(purpose, word)| {
                let version = self.room.library.version(&self.owner.tenant, &word.policy_version);
                let shown = version.as_deref().unwrap_or(self.policy);
                Consent {
                    purpose: purpose.clone(),
                    title: shown.purpose(purpose).map_or_else(|| purpose.clone(), |p| p.title.clone()),
                    state: word.state.as_str().to_owned(),
                    at: word.at,
                    method: word.method.clone(),
                    policy_version: word.policy_version.clone(),
                    notice_sha256: hex::encode(notice_hash(shown, purpose)),
                    receipt: None,
                }
            })
            .collect();
        all.sort_by_key(|c| c.at);
        all
    }

    /// Who read the person's data or was refused, from the ledger, oldest first.
    async fn reads(&self) -> Result<Vec<Reading>, Error> {
        let subject = Some(self.room.vault.subject_ref(self.owner).await?);
        let mut all = Vec::new();
        for kind in [EntryKind::READ_STAFF, EntryKind::READ_REFUSED] {
            let filter = Filter { kind: Some(kind), subject: subject.clone() };
            let (tenant, filter) = (&self.owner.tenant, &filter);
            let page = |after: Option<String>| async move {
                Ok(self.room.ledger.list(tenant, filter, pages(), after.as_deref()).await?)
            };
            let found = every(page).await?;
            all.extend(found.iter().filter(|e| e.leaf.at <= self.at).map(|e| reading(&e.leaf)));
        }
        all.sort_by(|a, b| (a.at, &a.entry).cmp(&(b.at, &b.entry)));
        Ok(all)
    }
}

/// All that comes in pages, from the first of them to the last.
async fn every<T, F>(page: impl Fn(Option<String>) -> F) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    let (mut all, mut from) = (Vec::new(), None);
    loop {
        let page = page(from).await?;
        all.extend(page.items);
        from = page.next;
        if from.is_none() {
            return Ok(all);
        }
    }
}

fn record(id: String, at: Timestamp, values: Value) -> Record {
    Record { id, at, ends: None, values: object(values) }
}

fn consent_records(words: &BTreeMap<String, Vec<Word>>) -> Vec<Record> {
    let each = words.iter().flat_map(|(purpose, words)| words.iter().map(move |w| (purpose, w)));
    each.map(|(purpose, word)| {
        let id = word.entry.map_or_else(|| purpose.clone(), |e| e.to_string());
        let values = json!({
            "purpose": purpose, "state": word.state.as_str(), "at": word.at.rfc3339(),
            "method": word.method, "policy-version": word.policy_version,
        });
        record(id, word.at, values)
    })
    .collect()
}

fn reading(leaf: &Leaf) -> Reading {
    let word = |name: &str| match leaf.facts.get(name) {
        Some(Public::Word(w)) => Some(w.clone()),
        _ => None,
    };
    let refused = leaf.kind == EntryKind::READ_REFUSED;
    Reading {
        at: leaf.at,
        who: leaf.actor.clone(),
        category: word("category").unwrap_or_default(),
        purpose: word("purpose").unwrap_or_default(),
        outcome: if refused { "refused" } else { "allowed" }.to_owned(),
        reason: word("reason"),
        entry: Some(leaf.id.to_string()),
    }
}
