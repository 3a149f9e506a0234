//! What recipients hold of a person, fetched once for a request and handed over with the archive. In between it lies
//! sealed as a record of the request, and goes when the archive can no longer be had.

use chrono::TimeDelta;
use serde_json::json;

use super::filing::{CATEGORY, UNREADABLE};
use super::fulfil::PURPOSE;
use super::gaps::GAPS;
use super::standing::STANDING;
use super::{Error, Request, Requests, answer, owner_of};
use crate::archive::{Facts as FileFacts, File, FromRecipient, Retention, recipient_files};
use crate::base::Timestamp;
use crate::policy::{Facts, Policy, Role};
use crate::recipients::Export;
use crate::vault::{self, Access, Actor, NewRecord, Owner, Record, SealedRecord};

/// The name of such a record.
pub(super) const COPY: &str = "from-recipient";
/// When to look again at what a legal hold keeps.
const HELD: TimeDelta = TimeDelta::days(1);

impl Requests {
    /// Fetches what recipients hold, unless a try before this one did.
    pub(super) async fn fetch_copies(&self, owner: &Owner, request: &Request) -> Result<(), Error> {
        if !self.copies_of(owner, request).await?.is_empty() {
            return Ok(());
        }
        let at = self.clock.now().rfc3339();
        let mut records = Vec::new();
        for (processor, export) in self.elsewhere.export(owner).await? {
            let export = serde_json::to_value(export).map_err(|_| UNREADABLE)?;
            records.push(NewRecord {
                category: CATEGORY,
                name: COPY,
                value: json!({ "recipient": processor, "at": at, "export": export }),
                parent: Some(request.id.to_string()),
                facts: Facts::new(),
            });
        }
        if records.is_empty() {
            return Ok(());
        }
        let sealed = self.vault.seal_records(owner, records).await?;
        self.keep_once(owner, request, COPY, &sealed).await
    }

    /// Keeps records of a request under this name. Two processes at one request take turns, and what the second brings
    /// is discarded: the first has kept it.
    pub(super) async fn keep_once(
        &self,
        owner: &Owner,
        request: &Request,
        name: &str,
        sealed: &[SealedRecord],
    ) -> Result<(), Error> {
        let kept = self.keep_first(owner, request, name, sealed).await;
        if !matches!(kept, Ok(true)) {
            self.vault.discard(owner, sealed).await;
        }
        kept.map(|_| ())
    }

    async fn keep_first(
        &self,
        owner: &Owner,
        request: &Request,
        name: &str,
        sealed: &[SealedRecord],
    ) -> Result<bool, Error> {
        let mut tx = self.db.begin().await?;
        tx.take_turn(&format!("{name}/{}", request.id)).await?;
        // Asked on the same connection: with as many at once as there are connections, each would wait for another's.
        let there = self.vault.names_of(&mut tx, owner, &request.id.to_string()).await?;
        if there.iter().any(|(other, at)| other == name && request.gathered(*at)) {
            return Ok(false);
        }
        self.vault.insert(&mut tx, owner, sealed).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn copies_of(&self, owner: &Owner, request: &Request) -> Result<Vec<Record>, Error> {
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let found = self.vault.records_of(owner, &access, &request.id.to_string()).await?;
        Ok(found.into_iter().filter(|r| r.name == COPY && request.gathered(r.item.created_at)).collect())
    }

    /// The files of an archive that show what recipients hold.
    pub(super) async fn copies(
        &self,
        owner: &Owner,
        request: &Request,
        policy: &Policy,
    ) -> Result<Vec<File>, Error> {
        let mut files = Vec::new();
        let mut copies = self.copies_of(owner, request).await?;
        copies.sort_by_key(|r| r.id.to_string());
        for copy in copies {
            let text = |field: &str| copy.value.get(field).and_then(|v| v.as_str()).unwrap_or_default();
            let export = copy.value.get("export").cloned().unwrap_or_default();
            let export: Export = serde_json::from_value(export).map_err(|_| UNREADABLE)?;
            let recipient = text("recipient").to_owned();
            let name = policy.processor(&recipient).map_or_else(|| recipient.clone(), |p| p.name.clone());
            let from = FromRecipient {
                schema: FromRecipient::SCHEMA.to_owned(),
                recipient: recipient.clone(),
                name,
                fetched_at: Timestamp::parse_rfc3339(text("at")).unwrap_or(copy.item.created_at),
                tables: export.tables.into_iter().map(|t| (t.name, t.rows)).collect(),
            };
            files.extend(recipient_files(&from, &facts(policy, &recipient))?);
        }
        Ok(files)
    }

    /// Removes what recipients handed over for a request, and what was taken down for it.
    pub(super) async fn drop_copies(&self, owner: &Owner, request: &Request) -> Result<(), Error> {
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let found = self.vault.records_of(owner, &access, &request.id.to_string()).await?;
        for copy in found.into_iter().filter(|r| [COPY, GAPS, STANDING].contains(&r.name.as_str())) {
            match self.vault.erase_record(owner, copy.id, Role::Service).await {
                Ok(()) | Err(vault::Error::NotFound) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// An archive that was fetched, and can be no more.
    pub(super) async fn archive_is_over(&self, request: Request) -> Result<Request, Error> {
        let next_at = match self.drop_copies(&owner_of(&request)?, &request).await {
            Ok(()) => None,
            Err(Error::Vault(vault::Error::Held)) => Some(self.clock.now().plus(HELD)),
            Err(e) => return Err(e),
        };
        let mut tx = self.db.begin().await?;
        let saved = self.save(&mut tx, Request { next_at, ..request }).await?;
        tx.commit().await?;
        Ok(saved)
    }
}

/// What the law wants known of such a file, by what the recipient is given.
fn facts(policy: &Policy, recipient: &str) -> Option<FileFacts> {
    let received = &policy.processor(recipient)?.receives;
    let category = received.iter().find_map(|id| policy.category(id))?;
    Some(FileFacts {
        category: category.id.clone(),
        provenance: answer::provenance(category.source),
        basis: answer::basis(policy, category).to_owned(),
        retention: Retention { ends: None, rule: answer::rule(policy, &category.id) },
    })
}
