//! Answers kept so that a call that is sent twice has its effect once (the `Idempotency-Key` header,
//! draft-ietf-httpapi-idempotency-key-header).
//!
//! A call is marked as running before it begins. Its answer is written in the transaction of the change itself where that
//! can be done ([`Closing`]), under the name of the run: then a process that is killed has either done it and answered, or
//! has done nothing, and a run that lost its key to another can change nothing any more.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;

use super::{Error, Tx, sql};
use crate::base::{TenantId, Timestamp};
use crate::{change, on};

/// How long a run has its key for itself: longer than anybody waits for an answer.
const LEASE: TimeDelta = TimeDelta::seconds(150);

/// Which call: who made it, where, under which key (hashed: callers put odd things into it), and which run of it this is.
#[derive(Debug, Clone)]
pub struct Call {
    /// The tenant.
    pub tenant: TenantId,
    /// The caller, as an id.
    pub caller: String,
    /// Method and route template.
    pub route: &'static str,
    /// SHA-256 of the key.
    pub key_hash: [u8; 32],
    /// Drawn anew for each run.
    pub owner: [u8; 16],
}

/// What is known of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Never seen; it is now marked as running.
    New,
    /// Begun at that time and cut off; it is now marked as running once more. Of an effect that is not closed in its own
    /// transaction ([`Closing`]) a part may be there.
    CutOff(Timestamp),
    /// Running at this moment.
    Running,
    /// The key was used for another request.
    Different,
    /// Answered: status and (sealed) body.
    Answered(u16, Vec<u8>),
}

/// Says what is answered when this was made: status and (sealed) body.
type Words<T> = dyn Fn(&T) -> Result<(u16, Vec<u8>), Error> + Send + Sync;

/// Keeps the answer to a call in the transaction of the change that it tells of.
pub struct Closing<T> {
    run: Option<Answering<T>>,
    cut_off: Option<Timestamp>,
    name: Option<(Timestamp, [u8; 10])>,
}

/// A run that can be answered.
struct Answering<T> {
    call: Call,
    words: Box<Words<T>>,
    /// Whether its answer was written.
    written: Arc<AtomicBool>,
}

impl<T> fmt::Debug for Closing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.run.is_some() { "Closing(a call)" } else { "Closing(nothing)" })
    }
}

impl<T> Closing<T> {
    /// For a change that no such call asked for.
    pub fn none() -> Self {
        Self { run: None, cut_off: None, name: None }
    }

    /// For a change that this run of a call makes. `words` gives status and (sealed) body of its answer.
    pub fn new(
        call: Call,
        words: impl Fn(&T) -> Result<(u16, Vec<u8>), Error> + Send + Sync + 'static,
    ) -> Self {
        let run = Answering { call, words: Box::new(words), written: Arc::default() };
        Self { run: Some(run), cut_off: None, name: None }
    }

    /// The same, for a run that takes up one which was begun at that time and cut off.
    #[must_use]
    pub fn after(self, cut_off: Option<Timestamp>) -> Self {
        Self { cut_off, ..self }
    }

    /// The same, for a call of this name.
    #[must_use]
    pub fn named(self, at: Timestamp, bits: [u8; 10]) -> Self {
        Self { name: Some((at, bits)), ..self }
    }

    /// When the call was first begun, and bits that are its own and that nobody can guess: the same in each run of it, so
    /// that what is made under an id of them is found again by the next.
    pub fn name(&self) -> Option<(Timestamp, [u8; 10])> {
        self.name
    }

    /// When the call was begun, if a run of it was cut off: what was made since may be its own.
    pub fn cut_off(&self) -> Option<Timestamp> {
        self.cut_off
    }

    /// Becomes true when the answer was written, in a transaction that was committed if the change was.
    pub fn written(&self) -> Arc<AtomicBool> {
        self.run.as_ref().map(|run| Arc::clone(&run.written)).unwrap_or_default()
    }

    /// Writes the answer. [`Error::Busy`], and the change must not be made, when the key is another run's by now.
    pub async fn close(&self, tx: &mut Tx, made: &T) -> Result<(), Error> {
        let Some(Answering { call, words, written }) = &self.run else { return Ok(()) };
        let (status, body) = words(made)?;
        if !finish(tx, call, status, &body).await? {
            return Err(Error::Busy);
        }
        written.store(true, Ordering::Relaxed);
        Ok(())
    }
}

type AnswerRow = (Vec<u8>, String, Option<i64>, Option<Vec<u8>>);

/// Looks a call up and marks it as running when it is new, or was cut off.
pub async fn begin(tx: &mut Tx, call: &Call, request_hash: &[u8], now: Timestamp) -> Result<Found, Error> {
    let begun: Option<(i64,)> = on!(tx, |c| sqlx::query_as(sql::IDEM_BEGIN)
        .bind(call.tenant.as_str())
        .bind(&call.caller)
        .bind(call.route)
        .bind(call.key_hash.as_slice())
        .bind(request_hash)
        .bind(now.micros())
        .bind(call.owner.as_slice())
        .bind(now.plus(-LEASE).micros())
        .fetch_optional(c)
        .await)?;
    match begun {
        Some((at,)) if at < now.micros() => return Ok(Found::CutOff(Timestamp::from_micros(at))),
        Some(_) => return Ok(Found::New),
        None => {}
    }
    let row: Option<AnswerRow> = on!(tx, |c| sqlx::query_as(sql::IDEM_FIND)
        .bind(call.tenant.as_str())
        .bind(&call.caller)
        .bind(call.route)
        .bind(call.key_hash.as_slice())
        .fetch_optional(c)
        .await)?;
    let Some((hash, _, status, body)) = row else { return Err(Error::Busy) };
    if hash != request_hash {
        return Ok(Found::Different);
    }
    match (status, body) {
        (Some(status), Some(body)) => {
            let status = u16::try_from(status).map_err(|_| Error::inconsistent("idempotency", "status"))?;
            Ok(Found::Answered(status, body))
        }
        _ => Ok(Found::Running),
    }
}

/// Keeps the answer of a run. `false` when the key is not this run's any more.
pub async fn finish(tx: &mut Tx, call: &Call, status: u16, body: &[u8]) -> Result<bool, Error> {
    Ok(change!(
        tx,
        sql::IDEM_FINISH,
        i64::from(status),
        body,
        call.tenant.as_str(),
        &call.caller,
        call.route,
        call.key_hash.as_slice(),
        call.owner.as_slice()
    )? == 1)
}

/// Forgets a run that failed before it had an effect, so that the call can be tried again.
pub async fn abandon(tx: &mut Tx, call: &Call) -> Result<(), Error> {
    of_run(tx, sql::IDEM_ABANDON, call).await
}

/// Leaves a run that something stopped in the middle, as if it had been cut off: the next one takes it up at once, and may go
/// on with what it finds ([`Found::CutOff`]).
pub async fn break_off(tx: &mut Tx, call: &Call) -> Result<(), Error> {
    of_run(tx, sql::IDEM_BREAK_OFF, call).await
}

/// Changes the row of a key as long as it is this run's.
async fn of_run(tx: &mut Tx, statement: &'static str, call: &Call) -> Result<(), Error> {
    change!(
        tx,
        statement,
        call.tenant.as_str(),
        &call.caller,
        call.route,
        call.key_hash.as_slice(),
        call.owner.as_slice()
    )?;
    Ok(())
}

/// Takes the keys out of all hands that hold them: for a process that knows that it is the only one, before it takes calls.
pub async fn free_all(tx: &mut Tx) -> Result<u64, Error> {
    Ok(on!(tx, |c| sqlx::query(sql::IDEM_FREE_ALL).execute(c).await.map(|r| r.rows_affected()))?)
}

/// Forgets answers kept since before `limit`.
pub async fn expire(tx: &mut Tx, limit: Timestamp) -> Result<u64, Error> {
    Ok(change!(tx, sql::IDEM_EXPIRE, limit.micros())?)
}

/// Forgets every answer given to a caller: part of erasing a person.
pub async fn forget(tx: &mut Tx, tenant: &TenantId, caller: &str) -> Result<u64, Error> {
    Ok(change!(tx, sql::IDEM_FORGET, tenant.as_str(), caller)?)
}
