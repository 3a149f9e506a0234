//! The reconciler of this room: every task that is due, one step further. A pass that was missed loses nothing, and two at
//! once do no harm.

use chrono::{Datelike as _, TimeDelta};

use super::{Elsewhere, Error, Note, SENT, Stays, Task, TaskKind, TaskState, purpose, sql};
use crate::base::Timestamp;
use crate::disclosure::Sending;
use crate::egress::CallLog;
use crate::ledger::{Entry, EntryKind};
use crate::policy::{Fact, Facts};
use crate::recipients::{Correction, Erased, Proof, Recipient, RecipientError, Stay};
use crate::speech::key;
use crate::vault::{self, Access, Actor, Owner};

/// Tasks looked after in one go.
const BATCH: i64 = 50;
/// How long one is another's while it is looked after.
const HOLD: TimeDelta = TimeDelta::minutes(5);
/// The first pause after a try that failed; doubled each time, up to [`LONGEST`].
const PAUSE: TimeDelta = TimeDelta::seconds(10);
const LONGEST: TimeDelta = TimeDelta::minutes(30);
/// Why nothing is corrected while a new address can still be undone.
const UNDOABLE: &str = key("the owner of the old address can still undo the change");

/// What came of one try.
enum Came {
    /// It is over, and this is how that is known.
    Proven(Vec<Proof>),
    /// Whatever may go is gone.
    Stays(Stay, Vec<Proof>),
    /// Nobody's any more: the person is being erased.
    Pointless,
    Later(Timestamp, &'static str),
    /// It did not, for this reason; to be tried again after this long, if somebody said so.
    Failed(String, Option<TimeDelta>),
}

/// What a correction is to say.
enum Now {
    /// This.
    Called(Correction),
    /// Nothing before then: their address is new, and its change can be undone.
    Held(Timestamp),
    /// Nothing any more: they are gone, or going.
    Gone,
}

impl Elsewhere {
    /// Takes every task that is due one step further. Gives how many came to an end.
    pub async fn turn(&self, stop: &(dyn Fn() -> bool + Sync)) -> Result<u64, Error> {
        let mut ended = 0;
        loop {
            let due = {
                let mut tx = self.db.read().await?;
                sql::due(&mut tx, self.clock.now(), BATCH).await?
            };
            if due.is_empty() || stop() {
                break;
            }
            for task in due {
                ended += u64::from(self.take(task).await?);
            }
        }
        self.expire().await?;
        Ok(ended)
    }

    async fn take(&self, task: Task) -> Result<bool, Error> {
        let mut tx = self.db.begin().await?;
        if !sql::claim(&mut tx, &task, self.clock.now().plus(HOLD)).await? {
            return Ok(false);
        }
        tx.commit().await?;
        let mut note = match self.note(&task).await {
            Ok(note) => note,
            Err(e) if e.kind().is_of_a_store() => return Err(e),
            Err(why) => return self.unreadable(task, &why).await,
        };
        let came = match self.recipient(&task.tenant, &task.processor) {
            Some(recipient) => self.try_it(recipient, &task, &mut note).await,
            None => Ok(Came::Failed("it is not set up here".to_owned(), None)),
        };
        // One that a fault of ours keeps back must not keep the others.
        let came = came.unwrap_or_else(|why| {
            tracing::error!(task = %task.id, error = %why, "a task at a recipient could not be taken up");
            Came::Failed("a fault of ours".to_owned(), None)
        });
        self.write(task, &note, came).await
    }

    /// A task of which it cannot be read any more what the account there is called: it stays as it is, and says so.
    async fn unreadable(&self, task: Task, error: &Error) -> Result<bool, Error> {
        tracing::error!(task = %task.id, %error, "what a task at a recipient remembers cannot be read");
        let problem = Some("what is remembered of it cannot be read".to_owned());
        let next_at = Some(self.clock.now().plus(pause(task.tries)));
        self.put(&Task { problem, next_at, tries: task.tries.saturating_add(1), ..task }).await
    }

    async fn try_it(&self, recipient: &Recipient, task: &Task, note: &mut Note) -> Result<Came, Error> {
        let log = CallLog::new();
        let name = note.name.clone();
        let done = match task.kind {
            TaskKind::Erase => recipient.erase(&name, &mut note.memory, &log).await,
            TaskKind::Correct => {
                let new = match self.as_corrected(task, note).await? {
                    Now::Called(new) => new,
                    Now::Held(until) => return Ok(Came::Later(until, UNDOABLE)),
                    Now::Gone => return Ok(Came::Pointless),
                };
                let corrected = recipient.correct(&name, &new, &mut note.memory, &log).await;
                corrected.map(|proof| Erased::Proven(vec![proof.unwrap_or(Proof::Unknown)]))
            }
        };
        Ok(match done {
            Ok(Erased::Proven(proofs)) => Came::Proven(proofs),
            Ok(Erased::Stays(stay, proofs)) => Came::Stays(stay, proofs),
            Ok(Erased::Waiting { until, why }) => Came::Later(until, why),
            Err(why) => {
                let after = if let RecipientError::Busy { after } = why {
                    TimeDelta::from_std(after).ok()
                } else {
                    None
                };
                Came::Failed(why.to_string(), after)
            }
        })
    }

    /// What the person is called now, written into the register before it is sent. Nothing while their address is new:
    /// who signs in by it elsewhere is not undone from here.
    async fn as_corrected(&self, task: &Task, note: &mut Note) -> Result<Now, Error> {
        let Some(subject) = task.subject else { return Ok(Now::Gone) };
        let owner = Owner::new(&task.tenant, subject);
        let purpose = purpose(&task.processor);
        // Looked at before and after the address is read: it may be changed, or go back, in between.
        if let Some(until) = self.undoable(&owner).await? {
            return Ok(Now::Held(until));
        }
        // A pause of all other use does not keep a correction back.
        let access = Access { actor: &Actor::Service, purpose: "rights" };
        let found = match self.vault.record_named(&owner, &access, "account", "profile").await {
            Ok(found) => found,
            Err(vault::Error::Erasing | vault::Error::NotFound) => return Ok(Now::Gone),
            Err(e) => return Err(e.into()),
        };
        let Some(record) = found else { return Ok(Now::Gone) };
        let new: Correction = serde_json::from_value(record.value)
            .map_err(|_| crate::store::Error::inconsistent("record", "profile"))?;
        let new = Correction { confirmed: self.is_confirmed(&owner).await?, ..new };
        if let Some(until) = self.undoable(&owner).await? {
            return Ok(Now::Held(until));
        }
        if note.disclosures.is_empty() {
            let bytes = (new.email.len() + new.name.len() + new.username.len()) as u64;
            let categories = [SENT];
            let sending =
                Sending { processor: &task.processor, purpose, categories: &categories, edit: None, bytes };
            let mut tx = self.db.begin().await?;
            let row = self.disclosures.record(&mut tx, &owner, &sending).await?;
            note.disclosures.extend(row);
            let sealed = Some(self.seal_note(&task.id, &task.tenant, note).await?);
            sql::update(
                &mut tx,
                &Task { sealed, next_at: Some(self.clock.now().plus(HOLD)), ..task.clone() },
            )
            .await?;
            tx.commit().await?;
        }
        Ok(Now::Called(new))
    }

    async fn undoable(&self, owner: &Owner) -> Result<Option<Timestamp>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::undoable(&mut tx, owner, self.clock.now()).await?)
    }

    async fn is_confirmed(&self, owner: &Owner) -> Result<bool, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::is_confirmed(&mut tx, owner).await?)
    }

    /// Writes down what came of a try. `true` when the task is over.
    async fn write(&self, task: Task, note: &Note, came: Came) -> Result<bool, Error> {
        let now = self.clock.now();
        let sealed = Some(self.seal_note(&task.id, &task.tenant, note).await?);
        let task = Task { sealed, ..task };
        match came {
            Came::Proven(proofs) => self.proven(task, note, &words(&proofs)).await,
            Came::Pointless => self.proven(task, note, "not-needed").await,
            Came::Stays(stay, proofs) => self.stays(task, note, (stay, words(&proofs))).await,
            Came::Later(until, why) => {
                let problem = Some(why.to_owned());
                self.put(&Task { problem, next_at: Some(until), ..task }).await
            }
            Came::Failed(why, after) => {
                let pause = after.unwrap_or_else(|| pause(task.tries));
                let (id, processor) = (&task.id, &task.processor);
                tracing::warn!(task = %id, processor, cause = %why, "a recipient has not done what was asked");
                let tries = task.tries.saturating_add(1);
                let problem = Some(why);
                self.put(&Task { problem, tries, next_at: Some(now.plus(pause)), ..task }).await
            }
        }
    }

    async fn put(&self, task: &Task) -> Result<bool, Error> {
        let mut tx = self.db.begin().await?;
        sql::update(&mut tx, task).await?;
        tx.commit().await?;
        Ok(false)
    }

    /// The end: task, account, register and ledger say so in one transaction.
    async fn proven(&self, task: Task, note: &Note, proof: &str) -> Result<bool, Error> {
        let now = self.clock.now();
        let done = Task {
            state: TaskState::Done,
            sealed: None,
            proof: Some(proof.to_owned()),
            problem: None,
            next_at: None,
            done_at: Some(now),
            ..task
        };
        let mut tx = self.db.begin().await?;
        if !sql::update(&mut tx, &done).await? {
            return Ok(false);
        }
        if done.kind == TaskKind::Erase {
            sql::account_gone(&mut tx, &done.tenant, &done.account, now).await?;
            for row in &note.disclosures {
                self.disclosures.gone(&mut tx, &done.tenant, row, proof).await?;
            }
            let entry = Entry::new(EntryKind::DISCLOSURE_ENDED, now, &done.tenant, "service")
                .fact("recipient", done.processor.as_str())
                .fact("proof", proof);
            self.ledger.append(&mut tx, entry).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Everything that may go is gone. What stays is written down with its reason and its end, and looked after then.
    async fn stays(&self, task: Task, note: &Note, (stay, proof): (Stay, String)) -> Result<bool, Error> {
        let now = self.clock.now();
        let first = task.state == TaskState::Open;
        let stays = self.reason(&task, stay)?;
        let kept = Task {
            state: TaskState::Stays,
            proof: Some(proof.clone()),
            problem: None,
            // Without a day on which more can be done nothing more is remembered.
            sealed: task.sealed.clone().filter(|_| stay.again.is_some()),
            next_at: stay.again,
            done_at: task.done_at.or(Some(now)),
            tries: 0,
            stays: Some(stays.clone()),
            ..task
        };
        let mut tx = self.db.begin().await?;
        if !sql::update(&mut tx, &kept).await? {
            return Ok(false);
        }
        if stay.again.is_none() {
            sql::account_gone(&mut tx, &kept.tenant, &kept.account, now).await?;
        }
        for row in &note.disclosures {
            if let Some(until) = stays.until {
                // A day of grace: the last step is taken on the day itself.
                self.disclosures
                    .stays_until(&mut tx, &kept.tenant, row, until.plus(TimeDelta::days(1)))
                    .await?;
            }
        }
        if first {
            let kind: EntryKind = "disclosure.reduced".parse()?;
            let mut entry = Entry::new(kind, now, &kept.tenant, "service")
                .fact("recipient", kept.processor.as_str())
                .fact("proof", proof)
                .fact("kept", stays.records);
            if let Some(until) = stays.until {
                entry = entry.fact("kept-until", until.to_utc().format("%Y-%m-%d").to_string());
            }
            self.ledger.append(&mut tx, entry).await?;
        }
        tx.commit().await?;
        Ok(first)
    }

    fn reason(&self, task: &Task, stay: Stay) -> Result<Stays, Error> {
        let records = i64::try_from(stay.records).unwrap_or(i64::MAX);
        if let Some(until) = stay.again {
            let why = "payments are redacted there 90 days after the last of them, and not before".to_owned();
            return Ok(Stays { records, why, until: Some(until) });
        }
        let policy = self.vault.policy(&task.tenant)?;
        let day = policy.place().date_of(stay.last);
        let facts = Facts::new().with(Fact::InvoiceYearEnd, policy.place().year_end(day));
        let kept = policy.kept_until("billing", &facts);
        let law =
            kept.as_ref().and_then(|(_, rule)| policy.retention(rule)?.legal_source().map(ToOwned::to_owned));
        let why = law.unwrap_or_else(|| format!("payments of {} are part of the books", day.year()));
        Ok(Stays { records, why, until: kept.map(|(until, _)| until) })
    }
}

/// How it is known, as one word of the ledger.
fn words(proofs: &[Proof]) -> String {
    let mut proofs = proofs.to_vec();
    proofs.sort_unstable();
    proofs.dedup();
    proofs.iter().map(|p| p.word()).collect::<Vec<_>>().join("+")
}

fn pause(tries: i64) -> TimeDelta {
    let doublings = u32::try_from(tries.clamp(0, 10)).unwrap_or(10);
    LONGEST.min(PAUSE * 2_i32.saturating_pow(doublings))
}
