//! Asking for something to be done elsewhere, and telling how it stands.

use chrono::TimeDelta;

use super::{Account, Elsewhere, Error, Memory, Note, Task, TaskKind, TaskState, sql};
use crate::base::{EntryId, RequestId, TenantId};
use crate::disclosure::Disclosed;
use crate::policy::Right;
use crate::store::Tx;
use crate::store::aside::{Unread, set_aside};
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
            tasks.push(self.erasing(owner, &account, &sent).await?);
        }
        Ok(tasks)
    }

    async fn erasing(&self, owner: &Owner, account: &Account, sent: &[Disclosed]) -> Result<Task, Error> {
        let mut task = self.task(owner, (&account.id, &account.processor), TaskKind::Erase, None)?;
        let mut note = fresh(&task.id, self.name(&owner.tenant, account).await?);
        let open =
            |d: &&Disclosed| d.processor == account.processor && d.edit.is_none() && d.deleted_at.is_none();
        note.disclosures = sent.iter().filter(open).map(|d| d.id.clone()).collect();
        task.sealed = Some(self.seal_note(&task.id, &owner.tenant, &note).await?);
        Ok(task)
    }

    /// The same of somebody who was erased before and whom a backup brought back, in nobody's name: whether each recipient
    /// had let go by then, and what it has to do on a later day, is not in the backup, and who did so says it once more. An
    /// account whose name does not open keeps nobody from being erased: it is told of where people look.
    pub async fn to_be_erased_again(&self, owner: &Owner) -> Result<Vec<Task>, Error> {
        let sent = self.disclosures.of(owner).await?;
        let mut tasks = Vec::new();
        for account in self.accounts(owner).await? {
            match self.erasing(owner, &account, &sent).await {
                Ok(task) => tasks.push(Task { subject: None, ..task }),
                Err(e) if e.kind().is_of_a_store() => return Err(e),
                Err(_) => {
                    let why =
                        "an account elsewhere cannot be read: it is not asked once more to be erased there";
                    let row = Unread { tenant: &owner.tenant, table: "elsewhere", id: &account.id, why };
                    set_aside(&self.db, &self.clock, &self.entropy, row).await?;
                }
            }
        }
        Ok(tasks)
    }

    /// Writes down what [`Elsewhere::to_be_erased_again`] gave, and lets go of the accounts: whose they were and what they
    /// are called there stands in no row of theirs from here on, and whoever has such an account later may name it. Again
    /// is harmless. In the transaction that erases the person once more.
    pub async fn erase_again(&self, tx: &mut Tx, owner: &Owner, tasks: &[Task]) -> Result<(), Error> {
        sql::no_correction(tx, owner).await?;
        for task in tasks {
            if sql::is_erased(tx, &owner.tenant, &task.account).await? {
                continue;
            }
            sql::insert(tx, task).await?;
            self.disclosures.falls_due(tx, owner, &task.processor, task.due_at).await?;
        }
        Ok(sql::let_go(tx, owner, self.clock.now()).await?)
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
