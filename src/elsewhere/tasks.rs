//! Asking for something to be done elsewhere, and telling how it stands.

use chrono::TimeDelta;

use super::{Elsewhere, Error, Memory, Note, Task, TaskKind, TaskState, sql};
use crate::base::{EntryId, RequestId, TenantId};
use crate::policy::Right;
use crate::store::Tx;
use crate::vault::Owner;

/// How long what ended is kept as a row: as long as a request's own.
const KEPT: TimeDelta = TimeDelta::days(731);
/// Messages are repeated for three days; their ids are kept ten times that.
const REPEATED: TimeDelta = TimeDelta::days(30);

impl Elsewhere {
    /// The tasks by which every account of a person is corrected to what is held here, not written down yet.
    pub async fn to_be_corrected(
        &self,
        owner: &Owner,
        request: Option<RequestId>,
    ) -> Result<Vec<Task>, Error> {
        let accounts = self.accounts(owner).await?;
        let mut tasks = Vec::with_capacity(accounts.len());
        for account in &accounts {
            let mut task = self.task(owner, (&account.id, &account.processor), TaskKind::Correct, request)?;
            let note = fresh(&task.id, self.name(&owner.tenant, account).await?);
            task.sealed = Some(self.seal_note(&task.id, &owner.tenant, &note).await?);
            tasks.push(task);
        }
        Ok(tasks)
    }

    /// Has them corrected, in the transaction of the change that they follow. What is sent is read when it is sent, so a
    /// later correction never loses to an earlier one.
    pub async fn ask_correction(&self, tx: &mut Tx, tasks: &[Task]) -> Result<(), Error> {
        for task in tasks {
            sql::insert(tx, task).await?;
        }
        Ok(())
    }

    /// Has every account of a person erased: a task for each, in the transaction that begins their erasure. What is in the
    /// register of theirs falls due with it. To be called with what [`Elsewhere::to_be_erased`] gave.
    pub async fn ask_erasure(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        (erasure, request): (&str, Option<RequestId>),
        mut tasks: Vec<Task>,
    ) -> Result<(), Error> {
        sql::no_correction(tx, owner).await?;
        for task in &mut tasks {
            if sql::is_erased(tx, &owner.tenant, &task.account).await? {
                continue;
            }
            task.erasure = Some(erasure.to_owned());
            task.request = request;
            sql::insert(tx, task).await?;
            self.disclosures.falls_due(tx, owner, &task.processor, task.due_at).await?;
        }
        Ok(())
    }

    /// The tasks of an erasure of this person, not written down yet.
    pub async fn to_be_erased(&self, owner: &Owner) -> Result<Vec<Task>, Error> {
        let sent = self.disclosures.of(owner).await?;
        let mut tasks = Vec::new();
        for account in self.accounts(owner).await? {
            let mut task = self.task(owner, (&account.id, &account.processor), TaskKind::Erase, None)?;
            let mut note = fresh(&task.id, self.name(&owner.tenant, &account).await?);
            let open = |d: &&crate::disclosure::Disclosed| {
                d.processor == account.processor && d.edit.is_none() && d.deleted_at.is_none()
            };
            note.disclosures = sent.iter().filter(open).map(|d| d.id.clone()).collect();
            task.sealed = Some(self.seal_note(&task.id, &owner.tenant, &note).await?);
            tasks.push(task);
        }
        Ok(tasks)
    }

    /// A task, due when the document promises an answer to the right it serves.
    fn task(
        &self,
        owner: &Owner,
        (account, processor): (&str, &str),
        kind: TaskKind,
        request: Option<RequestId>,
    ) -> Result<Task, Error> {
        let now = self.clock.now();
        let right = match kind {
            TaskKind::Correct => Right::Rectification,
            TaskKind::Erase => Right::Erasure,
        };
        let policy = self.vault.policy(&owner.tenant)?;
        let month = || now.plus(TimeDelta::days(30));
        let due_at = policy.right(right).map_or_else(month, |rule| rule.answer_within.after(now));
        Ok(Task {
            id: EntryId::new(&self.clock, &self.entropy).to_string(),
            tenant: owner.tenant.clone(),
            account: account.to_owned(),
            subject: Some(owner.subject),
            processor: processor.to_owned(),
            kind,
            request,
            erasure: None,
            state: TaskState::Open,
            sealed: None,
            proof: None,
            problem: None,
            stays: None,
            asked_at: now,
            due_at,
            next_at: Some(now),
            tries: 0,
            done_at: None,
        })
    }

    /// The tasks of a request: who was told, and how far each is.
    pub async fn of_request(&self, tenant: &TenantId, id: RequestId) -> Result<Vec<Task>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::of_request(&mut tx, tenant, id).await?)
    }

    /// The tasks of an erasure.
    pub async fn of_erasure(&self, tenant: &TenantId, id: &str) -> Result<Vec<Task>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::of_erasure(&mut tx, tenant, id).await?)
    }

    /// Every task that was ever asked for a person.
    pub async fn of(&self, owner: &Owner) -> Result<Vec<Task>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::of_subject(&mut tx, owner).await?)
    }

    /// A tenant's tasks that are not at their end, the most pressing first, five hundred at most.
    pub async fn not_done(&self, tenant: &TenantId) -> Result<Vec<Task>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::not_done(&mut tx, tenant).await?)
    }

    /// Has the open tasks of a request tried at once, as staff may ask. Gives how many.
    pub async fn hurry(&self, tenant: &TenantId, id: RequestId) -> Result<u64, Error> {
        let mut tx = self.db.begin().await?;
        let n = sql::hurry(&mut tx, tenant, id, self.clock.now()).await?;
        tx.commit().await?;
        Ok(n)
    }

    /// Forgets whose accounts and tasks were: part of erasing a person. What is not done goes on.
    pub async fn forget(&self, tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
        Ok(sql::forget(tx, owner).await?)
    }

    /// Removes what ended long ago.
    pub(super) async fn expire(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        sql::expire(&mut tx, now.plus(-KEPT), now.plus(-REPEATED)).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn fresh(task: &str, name: String) -> Note {
    let memory = Memory { task: task.to_owned(), ..Memory::default() };
    Note { name, memory, disclosures: Vec::new() }
}
