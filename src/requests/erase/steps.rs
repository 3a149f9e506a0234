use std::collections::BTreeSet;

use super::super::model::pause;
use super::super::receipts::IssuedKind;
use super::super::{Error, Request, Requests, State, sql};
use super::{Erasure, ErasureState, StaysByLaw};
use chrono::TimeDelta;

use crate::base::{PageSize, RequestId, SubjectId, Timestamp};
use crate::elsewhere::{Task, TaskState};
use crate::ledger::{Entry, EntryKind};
use crate::speech::key;
use crate::store::{self, Tx};
use crate::vault::Owner;

/// When to look again whether every provider has let go of what it had.
const RECIPIENTS: TimeDelta = TimeDelta::seconds(15);
/// How long that is waited for. What a provider does not show by then keeps nobody from being erased here: its copy stays
/// open in the register, and is looked for until it is gone.
const NO_LONGER: TimeDelta = TimeDelta::hours(48);
const COPY_OPEN: &str = key("A provider has not shown yet that its copy is gone");
/// Tables whose rows of a person go in the steps that follow the second look.
const LATER: [&str; 5] = ["subject", "erasure", "errand", "elsewhere", "elsewhere_task"];

impl Requests {
    /// One step, written down when it is done. Again is harmless.
    pub(super) async fn step(&self, erasure: Erasure) -> Result<Erasure, Error> {
        let Some(subject) = erasure.subject else { return Ok(erasure) };
        let owner = Owner::new(&erasure.tenant, subject);
        match erasure.state {
            ErasureState::Fenced => self.list_what_goes(&owner, erasure).await,
            ErasureState::Listed => self.destroy(&owner, erasure).await,
            ErasureState::Destroyed | ErasureState::Failed => self.clear(&owner, erasure).await,
            ErasureState::Cleared => self.verify(&owner, erasure).await,
            ErasureState::Verified => self.close_erasure(&owner, erasure).await,
            ErasureState::Closed => Ok(erasure),
        }
    }

    /// Writes an erasure that stood at `from`, in the caller's transaction.
    async fn put(&self, tx: &mut Tx, from: ErasureState, erasure: &Erasure) -> Result<(), Error> {
        if sql::erasure::update(tx, from, erasure).await? { Ok(()) } else { Err(Error::Raced) }
    }

    async fn put_alone(&self, from: ErasureState, erasure: Erasure) -> Result<Erasure, Error> {
        let mut tx = self.db.begin().await?;
        self.put(&mut tx, from, &erasure).await?;
        tx.commit().await?;
        Ok(erasure)
    }

    /// Stops what is under way, and lists the bytes that must be gone: only the live database knows where they are.
    async fn list_what_goes(&self, owner: &Owner, erasure: Erasure) -> Result<Erasure, Error> {
        self.stop_edits(owner).await?;
        let erasure = self.part_what_stays(owner, erasure).await?;
        let holdings = self.vault.holdings(owner).await?;
        let listed = Erasure {
            state: ErasureState::Listed,
            manifest: self.vault.blob_keys(owner).await?,
            images: holdings.iter().map(|h| h.images).sum(),
            records: holdings.iter().map(|h| h.records).sum(),
            ..erasure
        };
        self.put_alone(ErasureState::Fenced, listed).await
    }

    /// Parts from the person what a law makes us keep. The holder is written down before anything is moved, so that a try
    /// that was cut short goes on in the same name.
    async fn part_what_stays(&self, owner: &Owner, erasure: Erasure) -> Result<Erasure, Error> {
        let mut erasure = erasure;
        if erasure.holder.is_none() {
            if self.vault.kept(owner).await?.is_empty() {
                return Ok(erasure);
            }
            let mut tx = self.db.begin().await?;
            // Two processes at one erasure take turns, and the second goes on in the first one's name.
            tx.take_turn(&format!("erasure/{}", erasure.id)).await?;
            let known =
                sql::erasure::get(&mut tx, &owner.tenant, &erasure.id).await?.ok_or(Error::NotFound)?;
            if known.holder.is_none() {
                let holder = Owner::new(&owner.tenant, SubjectId::new(&self.clock, &self.entropy));
                erasure.holder = Some(holder.subject);
                self.vault.add_holder(&mut tx, &holder).await?;
                self.put(&mut tx, ErasureState::Fenced, &erasure).await?;
            } else {
                erasure.holder = known.holder;
            }
            tx.commit().await?;
        }
        if let Some(holder) = erasure.holder.map(|id| Owner::new(&owner.tenant, id)) {
            let kept = self.vault.part(owner, &holder, erasure.started_at).await?;
            erasure.stays = StaysByLaw::of(&kept);
        }
        Ok(erasure)
    }

    async fn stop_edits(&self, owner: &Owner) -> Result<(), Error> {
        let size = PageSize::new(200).unwrap_or_default();
        let mut before: Option<String> = None;
        loop {
            let page = self.editing.list(owner, before.as_deref(), size).await?;
            for edit in page.items.iter().filter(|e| !e.state.is_over()) {
                match self.editing.cancel(owner, edit.id).await {
                    // One that ended meanwhile needs no stopping.
                    Ok(_) | Err(crate::editing::Error::Over(_) | crate::editing::Error::NotFound) => {}
                    Err(e) => return Err(e.into()),
                }
            }
            before = page.next;
            if before.is_none() {
                return Ok(());
            }
        }
    }

    /// The one write after which nothing opens.
    async fn destroy(&self, owner: &Owner, erasure: Erasure) -> Result<Erasure, Error> {
        let destroyed = self.vault.destroy_key(owner).await?;
        // Looked up after the destruction: no copy made before it lies under a later epoch.
        let epoch = self.vault.newest_epoch().await?;
        let key = destroyed.fingerprint.to_string();
        let entry = Entry::new(EntryKind::ERASURE_UNREADABLE, destroyed.at, &owner.tenant, "service")
            .about(self.vault.subject_ref(owner).await?)
            .fact("key", key.as_str())
            .fact("epoch", epoch);
        let next = Erasure {
            state: ErasureState::Destroyed,
            key: Some(key),
            destroyed_at: Some(destroyed.at),
            ..erasure
        };
        let mut tx = self.db.begin().await?;
        self.put(&mut tx, ErasureState::Listed, &next).await?;
        self.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(next)
    }

    /// Clears away what is unreadable already, in the vault and in every table that knows the person.
    async fn clear(&self, owner: &Owner, erasure: Erasure) -> Result<Erasure, Error> {
        let from = erasure.state;
        self.vault.clear(owner).await?;
        self.vault.visit_graves().await?;
        let now = self.clock.now();
        let purge_at = self.purge_at(&owner.tenant, now)?;
        let next = Erasure { state: ErasureState::Cleared, ..erasure };
        let mut tx = self.db.begin().await?;
        self.forget(&mut tx, owner, next.request, (now, purge_at)).await?;
        self.put(&mut tx, from, &next).await?;
        tx.commit().await?;
        self.cut_log().await;
        Ok(next)
    }

    /// Clears every table that knows a person, but for their last row and the erasure's own.
    pub(super) async fn forget(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        own: Option<RequestId>,
        (now, purge_at): (Timestamp, Option<Timestamp>),
    ) -> Result<(), Error> {
        self.subjects.end_sessions(tx, owner).await?;
        self.credits.forget(tx, owner).await?;
        self.editing.forget(tx, owner).await?;
        self.disclosures.forget(tx, owner).await?;
        self.webhooks.forget(tx, owner).await?;
        sql::forget::rows(tx, owner).await?;
        Ok(sql::forget::requests(tx, owner, own, (now, purge_at)).await?)
    }

    /// Deleted rows must not live on in the log. What is in it is sealed under a dead key, so a log that is in use may
    /// wait for its next turn.
    pub async fn cut_log(&self) {
        match self.db.truncate_log().await {
            Ok(()) => {}
            Err(store::Error::Busy) => tracing::info!("the database's log is in use and is cut later"),
            Err(e) => tracing::warn!(error = %e, "the database's log could not be cut"),
        }
    }

    /// Looks again, by another way than things were cleared; nothing found is the only way on. Before that, every provider
    /// that had something of the person must be seen to have it no longer (Art. 19 GDPR).
    async fn verify(&self, owner: &Owner, erasure: Erasure) -> Result<Erasure, Error> {
        let waited = self.clock.now().since(erasure.started_at);
        if waited < NO_LONGER && self.editing.copies_of(owner).await? > 0 {
            let next_at = Some(self.clock.now().plus(RECIPIENTS));
            return self.put_alone(ErasureState::Cleared, Erasure { next_at, ..erasure }).await;
        }
        let elsewhere = self.elsewhere.of_erasure(&owner.tenant, &erasure.id).await?;
        if elsewhere.iter().any(|task| task.state == TaskState::Open) {
            self.say_who_is_waited_for(&erasure, &elsewhere).await?;
            let next_at = Some(self.clock.now().plus(RECIPIENTS));
            return self.put_alone(ErasureState::Cleared, Erasure { next_at, ..erasure }).await;
        }
        // What a store that was down kept waits for a turn of its own; the look is at what ought to be gone by now.
        self.vault.delete_owed(&owner.tenant, &erasure.manifest).await?;
        let residue = self.vault.residue(owner, &erasure.manifest).await?;
        let mut found = vec![
            (key("keys").to_owned(), residue.keys),
            (key("images").to_owned(), residue.objects),
            (key("records").to_owned(), residue.records),
            (key("blobs").to_owned(), residue.blobs),
        ];
        // What the law keeps may stay, and not a field more.
        if let Some(holder) = erasure.holder {
            let holder = Owner::new(&owner.tenant, holder);
            let told = erasure.stays.as_ref().map_or(0, |s| s.records);
            found.push((
                key("kept beyond the law").to_owned(),
                self.vault.kept_beyond_law(&holder, told).await?,
            ));
        }
        // Their last row and this erasure's own go in the steps that follow.
        found.extend(self.look_everywhere(owner, &LATER).await?);
        let left: i64 = found.iter().map(|(_, n)| n).sum();
        let findings: Vec<String> = found.iter().map(|(place, n)| format!("{place}={n}")).collect();
        let erasure = Erasure { findings: Some(findings.join("\n")), ..erasure };
        if left == 0 { self.verified(owner, erasure).await } else { self.failed(erasure, left).await }
    }

    /// Writes into the request who has not let go yet, and why, as long as that is so.
    async fn say_who_is_waited_for(&self, erasure: &Erasure, tasks: &[Task]) -> Result<(), Error> {
        let late = tasks.iter().find(|t| t.state == TaskState::Open && t.problem.is_some());
        let (Some(task), Some(id)) = (late, erasure.request) else { return Ok(()) };
        let why = task.problem.as_deref().unwrap_or_default();
        let policy = self.vault.policy(&erasure.tenant)?;
        let name = policy.processor(&task.processor).map_or(task.processor.as_str(), |p| p.name.as_str());
        let says = format!("{name}: {why}");
        let mut tx = self.db.begin().await?;
        let Some(request) = sql::request::get(&mut tx, &erasure.tenant, id).await? else { return Ok(()) };
        if !request.state.is_open() || request.problem.as_deref() == Some(&says) {
            return Ok(());
        }
        let saved = self.save(&mut tx, Request { problem: Some(says.clone()), ..request }).await?;
        self.note(&mut tx, &saved, ("service", "problem"), Some(&says), None).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn failed(&self, erasure: Erasure, left: i64) -> Result<Erasure, Error> {
        tracing::error!(erasure = %erasure.id, left, "an erasure left something behind");
        let now = self.clock.now();
        let failed = Erasure {
            state: ErasureState::Failed,
            tries: erasure.tries.saturating_add(1),
            next_at: Some(now.plus(pause(erasure.tries))),
            ..erasure
        };
        let first = failed.tries == 1;
        let mut tx = self.db.begin().await?;
        self.put(&mut tx, ErasureState::Cleared, &failed).await?;
        if first {
            let kind: EntryKind = "erasure.failed".parse()?;
            let entry = Entry::new(kind, now, &failed.tenant, "service").fact("left", left);
            let entry = self.ledger.append(&mut tx, entry).await?.id;
            if let Some(request) = self.request_of(&mut tx, &failed).await? {
                self.note(&mut tx, &request, ("service", "erasure-failed"), None, Some(entry)).await?;
            }
        }
        tx.commit().await?;
        Ok(failed)
    }

    async fn request_of(&self, tx: &mut Tx, erasure: &Erasure) -> Result<Option<Request>, Error> {
        match erasure.request {
            Some(id) => Ok(sql::request::get(tx, &erasure.tenant, id).await?),
            None => Ok(None),
        }
    }

    /// The word "erased": ledger, receipt, the person's last row and the request, in one transaction.
    async fn verified(&self, owner: &Owner, erasure: Erasure) -> Result<Erasure, Error> {
        let now = self.clock.now();
        let elsewhere = self.elsewhere.of_erasure(&owner.tenant, &erasure.id).await?;
        let open = self.editing.copies_of(owner).await?;
        let all_gone =
            open == 0 && erasure.stays.is_none() && elsewhere.iter().all(|task| task.stays.is_none());
        let outcome = if all_gone { State::Fulfilled } else { State::PartlyFulfilled };
        let about = self.vault.subject_ref(owner).await?;
        let mut entry = Entry::new(EntryKind::ERASURE_COMPLETED, now, &owner.tenant, "service")
            .about(about.clone())
            .fact("images", erasure.images)
            .fact("records", erasure.records);
        if let Some(key) = &erasure.key {
            entry = entry.fact("key", key.as_str());
        }
        if let Some(stays) = &erasure.stays {
            let until = stays.until.to_utc().format("%Y-%m-%d").to_string();
            entry = entry.fact("kept", stays.records).fact("kept-until", until);
            if let Some(holder) = erasure.holder {
                let kept = self.vault.kept_in_name_of(&Owner::new(&owner.tenant, holder)).await?;
                let rules: Vec<&str> = kept.iter().map(|k| k.rule.as_str()).collect();
                if !rules.is_empty() {
                    entry = entry.fact("kept-by", rules.join("+"));
                }
            }
        }
        let entry = with_recipients(entry, &elsewhere);
        let entry = if open > 0 { entry.fact("open-copies", open) } else { entry };
        let word =
            self.webhooks.last_word(owner, erasure.request).await.map_err(crate::vault::Error::from)?;
        let mut tx = self.db.begin().await?;
        let entry = self.ledger.append(&mut tx, entry).await?.id;
        let receipt = self.fresh_receipt(&owner.tenant, IssuedKind::Erasure, entry);
        // No owner: it must not lead to anybody.
        sql::receipt::insert(&mut tx, &receipt, None).await?;
        let next = Erasure {
            state: ErasureState::Verified,
            verified_at: Some(now),
            receipt: Some(receipt.id),
            open_copies: open,
            tries: 0,
            next_at: Some(now),
            ..erasure
        };
        self.put(&mut tx, ErasureState::Cleared, &next).await?;
        sql::forget::subject(&mut tx, owner).await?;
        self.editing.forget_errands(&mut tx, owner).await?;
        self.elsewhere.forget(&mut tx, owner).await?;
        self.webhooks.account_erased(&mut tx, &word).await?;
        if let Some(request) = self.request_of(&mut tx, &next).await? {
            let purge_at = self.purge_at(&owner.tenant, request.received_at)?;
            let closing = Entry::new(EntryKind::REQUEST_CLOSED, now, &owner.tenant, "service")
                .about(about)
                .fact("right", request.right.as_str())
                .fact("request", request.id.to_string())
                .fact("outcome", outcome.as_str());
            let closing = self.ledger.append(&mut tx, closing).await?.id;
            let request = request.answer(outcome, outcome.as_str(), now)?.close(now, purge_at)?;
            let request = Request { receipt: Some(receipt.id), ..request };
            let request = self.save(&mut tx, request).await?;
            if open > 0 {
                self.note(&mut tx, &request, ("service", "problem"), Some(COPY_OPEN), None).await?;
            }
            self.note(&mut tx, &request, ("service", outcome.as_str()), None, Some(entry)).await?;
            self.note(&mut tx, &request, ("service", "closed"), None, Some(closing)).await?;
        }
        tx.commit().await?;
        Ok(next)
    }

    /// Destroys what says whom the ledger speaks of, looks once more, and blanks the erasure's own row.
    async fn close_erasure(&self, owner: &Owner, erasure: Erasure) -> Result<Erasure, Error> {
        self.vault.destroy_proof_key(owner).await?;
        let left: i64 = self.look_everywhere(owner, &["erasure"]).await?.iter().map(|(_, n)| n).sum();
        if left > 0 {
            tracing::error!(erasure = %erasure.id, left, "something of an erased person came back");
            return Err(Error::Invalid(key("something was still found after the erasure; it is not closed")));
        }
        let closed = Erasure {
            state: ErasureState::Closed,
            subject: None,
            holder: None,
            manifest: Vec::new(),
            tries: 0,
            next_at: None,
            ..erasure
        };
        let closed = self.put_alone(ErasureState::Verified, closed).await?;
        self.cut_log().await;
        Ok(closed)
    }
}

/// Who else let go, how that is known, and until when something stays there.
fn with_recipients(mut entry: Entry, tasks: &[Task]) -> Entry {
    let names: BTreeSet<&str> = tasks.iter().map(|task| task.processor.as_str()).collect();
    for name in names {
        let theirs = || tasks.iter().filter(|task| task.processor == name);
        let proofs: BTreeSet<&str> =
            theirs().filter_map(|task| task.proof.as_deref()).flat_map(|proof| proof.split('+')).collect();
        let proofs: Vec<&str> = proofs.into_iter().collect();
        entry = entry.fact(&format!("at-{name}"), proofs.join("+"));
        if let Some(until) = theirs().filter_map(|task| task.stays.as_ref()?.until).max() {
            let until = until.to_utc().format("%Y-%m-%d").to_string();
            entry = entry.fact(&format!("until-{name}"), until);
        }
    }
    entry
}
