//! The queue. A job is enqueued in the transaction of the change it follows, leased with a fencing token, retried with
//! growing pauses, and set aside loudly when it has failed or been claimed too often.

use std::time::Duration;

use chrono::TimeDelta;

use super::{Error, Tx, sql};
use crate::base::{Clock, Entropy, JobId, TenantId, Timestamp};
use crate::{change, on};

/// How long a claim lasts without a heartbeat. A process that was killed holds its jobs up no longer than this.
pub const LEASE: Duration = Duration::from_secs(30);
/// Failures of its own before a job is set aside.
pub const MOST_FAILURES: i64 = 5;
/// Claims before a job is set aside, whatever became of them: the process that runs it may have been killed each time, or
/// a store was down, which says nothing of the job; but one that takes its process down with it must end too.
pub const MOST_CLAIMS: i64 = 20;

/// A job to be.
#[derive(Debug, Clone)]
pub struct NewJob<'a> {
    /// The name its runner is registered under.
    pub kind: &'static str,
    /// Ids, as JSON. Never personal data: the queue is not the vault.
    pub payload: &'a serde_json::Value,
    /// Whose it is, if a tenant's.
    pub tenant: Option<&'a TenantId>,
    /// At most one job of a kind lives under one of these.
    pub unique_key: Option<&'a str>,
    /// Not before.
    pub run_at: Timestamp,
    /// When a human must hear of it, if it is not done by then.
    pub deadline: Option<Timestamp>,
}

/// A job in hand.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Its id.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// Its payload.
    pub payload: serde_json::Value,
    /// Whose it is.
    pub tenant: Option<TenantId>,
    /// How often it has been claimed, this time included.
    pub claims: i64,
    /// How often it failed by itself since its last turn that came to an end.
    pub failures: i64,
    /// When a human must hear of it.
    pub deadline: Option<Timestamp>,
    token: Vec<u8>,
}

/// A job that needs a look.
#[derive(Debug, Clone)]
pub struct Troubled {
    /// Its id.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// Whose it is.
    pub tenant: Option<String>,
    /// How often it was claimed.
    pub claims: i64,
    /// What its last run said.
    pub last_error: Option<String>,
    /// When it runs next.
    pub run_at: Timestamp,
    /// Set aside until somebody releases it.
    pub quarantined: bool,
}

/// Puts a job into the queue, in the caller's transaction. `false` when one with this unique key is waiting already.
pub async fn enqueue(tx: &mut Tx, clock: &Clock, entropy: &Entropy, job: &NewJob<'_>) -> Result<bool, Error> {
    let id = JobId::new(clock, entropy).to_string();
    let payload = job.payload.to_string();
    let unique = job.unique_key.map_or_else(|| id.clone(), ToOwned::to_owned);
    Ok(change!(
        tx,
        sql::ENQUEUE,
        &id,
        job.kind,
        &payload,
        job.tenant.map(TenantId::as_str),
        &unique,
        job.run_at.micros(),
        job.deadline.map(Timestamp::micros),
        clock.now().micros()
    )? == 1)
}

type ClaimRow = (String, String, String, Option<String>, i64, i64, Option<i64>);

/// Takes up to `most` jobs that are due, under a fresh token.
pub async fn claim(tx: &mut Tx, clock: &Clock, entropy: &Entropy, most: i64) -> Result<Vec<Claimed>, Error> {
    claim_of(tx, clock, entropy, (None, most)).await
}

/// The same, of one kind alone if one is named.
pub async fn claim_of(
    tx: &mut Tx,
    clock: &Clock,
    entropy: &Entropy,
    (kind, most): (Option<&str>, i64),
) -> Result<Vec<Claimed>, Error> {
    let now = clock.now();
    let until = now.plus(TimeDelta::from_std(LEASE).unwrap_or_default());
    let token = entropy.bytes::<16>().to_vec();
    let statement = crate::dialect!(tx, sqlite: sql::CLAIM_SQLITE, postgres: sql::CLAIM_POSTGRES);
    let rows: Vec<ClaimRow> = on!(tx, |c| sqlx::query_as(statement)
        .bind(until.micros())
        .bind(&token)
        .bind(now.micros())
        .bind(most)
        .bind(kind.unwrap_or_default())
        .fetch_all(c)
        .await)?;
    rows.into_iter().map(|row| claimed(row, token.clone())).collect()
}

fn claimed(row: ClaimRow, token: Vec<u8>) -> Result<Claimed, Error> {
    let (id, kind, payload, tenant, claims, failures, deadline) = row;
    Ok(Claimed {
        id: id.parse().map_err(|_| Error::inconsistent("job", "id"))?,
        kind,
        payload: serde_json::from_str(&payload).map_err(|_| Error::inconsistent("job", "payload"))?,
        tenant: tenant.map(|t| t.parse()).transpose().map_err(|_| Error::inconsistent("job", "tenant"))?,
        claims,
        failures,
        deadline: deadline.map(Timestamp::from_micros),
        token,
    })
}

/// Holds on to a job for another [`LEASE`]. `false` when it is no longer ours: stop at once.
pub async fn heartbeat(tx: &mut Tx, clock: &Clock, job: &Claimed) -> Result<bool, Error> {
    let until = clock.now().plus(TimeDelta::from_std(LEASE).unwrap_or_default());
    fenced(change!(tx, sql::HEARTBEAT, until.micros(), job.id.to_string(), &job.token, job.claims))
}

/// Takes every job out of the hands that hold it, without waiting for their leases: for a process that knows that it is
/// the only one, so that what a killed one held is taken up at once. Gives how many there were.
pub async fn free_all(tx: &mut Tx) -> Result<u64, Error> {
    Ok(change!(tx, sql::FREE_ALL)?)
}

/// Done: the row goes, in the transaction of the job's effects. `false` when the job was taken over by another worker:
/// the caller must then undo everything.
pub async fn finish(tx: &mut Tx, job: &Claimed) -> Result<bool, Error> {
    fenced(change!(tx, sql::FINISH, job.id.to_string(), &job.token, job.claims))
}

/// Why a job did not come to its end this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setback {
    /// A fixed phrase of the runner, never a message that could carry data.
    pub why: &'static str,
    /// It is the job that failed, and not a store that it needed.
    pub own: bool,
}

impl Claimed {
    /// Whether this setback is one too many.
    pub fn is_hopeless(&self, setback: Setback) -> bool {
        self.claims >= MOST_CLAIMS || self.failures + i64::from(setback.own) >= MOST_FAILURES
    }
}

/// Not this time: run again after `pause`, or set aside when there is no hope ([`Claimed::is_hopeless`]).
pub async fn retry(
    tx: &mut Tx,
    clock: &Clock,
    job: &Claimed,
    pause: Duration,
    setback: Setback,
) -> Result<bool, Error> {
    let Setback { why, own } = setback;
    if job.is_hopeless(setback) {
        return fenced(change!(tx, sql::QUARANTINE, why, job.id.to_string(), &job.token, job.claims));
    }
    let at = clock.now().plus(TimeDelta::from_std(pause).unwrap_or_default());
    fenced(change!(
        tx,
        sql::RETRY,
        at.micros(),
        why,
        job.failures + i64::from(own),
        job.id.to_string(),
        &job.token,
        job.claims
    ))
}

/// One turn is done, and the next is not due before `at`, or at once when the job was woken during this one. No failure:
/// claims and failures are counted anew.
pub async fn snooze(tx: &mut Tx, job: &Claimed, at: Timestamp) -> Result<bool, Error> {
    fenced(change!(tx, sql::SNOOZE, at.micros(), job.id.to_string(), &job.token, job.claims))
}

/// Lets a job that waits run now; one that is being run, once more when this turn is done, for it may have looked before
/// there was something to see.
pub async fn wake(tx: &mut Tx, clock: &Clock, (kind, unique_key): (&str, &str)) -> Result<(), Error> {
    change!(tx, sql::WAKE, clock.now().micros(), kind, unique_key)?;
    Ok(())
}

fn fenced(affected: Result<u64, sqlx::Error>) -> Result<bool, Error> {
    Ok(affected? == 1)
}

/// The pause before the next try: 5 s doubled for each claim, at most 15 minutes, of which a random part between half
/// and all is waited, so that many failures at once do not come back at once.
pub fn pause(claims: i64, entropy: &Entropy) -> Duration {
    let doublings = u32::try_from(claims.clamp(1, 9)).unwrap_or(9) - 1;
    let full = (5_000_u64 << doublings).min(900_000);
    let jitter = u64::from(u16::from_le_bytes(entropy.bytes::<2>()));
    Duration::from_millis(full / 2 + full * jitter / 131_072)
}

/// Lets a job that was set aside run again.
pub async fn release(tx: &mut Tx, clock: &Clock, id: JobId) -> Result<bool, Error> {
    fenced(change!(tx, sql::RELEASE, clock.now().micros(), id.to_string()))
}

/// How many jobs wait, and how many were set aside.
pub async fn counts(tx: &mut Tx) -> Result<(i64, i64), Error> {
    let rows: Vec<(String, i64)> = on!(tx, |c| sqlx::query_as(sql::COUNT).fetch_all(c).await)?;
    let of = |state: &str| rows.iter().find(|(s, _)| s == state).map_or(0, |(_, n)| *n);
    Ok((of("ready"), of("quarantined")))
}

type TroubledRow = (String, String, Option<String>, i64, Option<String>, i64, String);

/// Jobs that failed at least once, or were set aside.
pub async fn troubled(tx: &mut Tx, most: i64) -> Result<Vec<Troubled>, Error> {
    let rows: Vec<TroubledRow> = on!(tx, |c| sqlx::query_as(sql::TROUBLED).bind(most).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(id, kind, tenant, claims, last_error, run_at, state)| {
            Ok(Troubled {
                id: id.parse().map_err(|_| Error::inconsistent("job", "id"))?,
                kind,
                tenant,
                claims,
                last_error,
                run_at: Timestamp::from_micros(run_at),
                quarantined: state == "quarantined",
            })
        })
        .collect()
}

/// When the next waiting job may run.
pub async fn next_run(tx: &mut Tx) -> Result<Option<Timestamp>, Error> {
    let (at,): (Option<i64>,) = on!(tx, |c| sqlx::query_as(sql::NEXT_RUN).fetch_one(c).await)?;
    Ok(at.map(Timestamp::from_micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_at_a_quarter_of_an_hour() {
        let entropy = Entropy::seeded(1);
        for claims in 1..=12 {
            let full = Duration::from_secs((5 << (claims.clamp(1, 9) - 1)).min(900));
            let pause = pause(claims, &entropy);
            assert!(pause >= full / 2 && pause <= full, "{claims}: {pause:?}");
        }
    }
}
