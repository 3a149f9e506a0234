//! What an erasure removes or blanks in tables that no other room forgets by itself.

use crate::base::{RequestId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};
use crate::vault::Owner;

const FENCE: &str = "UPDATE subject SET state = 'erasing', generation = generation + 1, email_index = NULL \
    WHERE tenant = $1 AND id = $2 AND state = 'active'";
const FENCE_UNUSED: &str = "UPDATE subject SET state = 'erasing', generation = generation + 1, email_index = NULL \
    WHERE tenant = $1 AND id = $2 AND state = 'active' AND last_active_at = $3";
const DELETE_SUBJECT: &str = "DELETE FROM subject WHERE tenant = $1 AND id = $2 AND state = 'erasing'";
const HOLDS: &str = "SELECT COUNT(*) FROM hold WHERE tenant = $1 AND (subject IS NULL OR subject = $2) \
    AND released_at IS NULL";

const LOGINS: &str = "DELETE FROM subject_login WHERE tenant = $1 AND subject = $2";
const CONSENTS: &str = "DELETE FROM consent_event WHERE tenant = $1 AND subject = $2";
const NOTICES: &str = "DELETE FROM policy_notice WHERE tenant = $1 AND subject = $2";
const OLD_HOLDS: &str = "DELETE FROM hold WHERE tenant = $1 AND subject = $2 AND released_at IS NOT NULL";
const WARNINGS: &str = "DELETE FROM notice WHERE tenant = $1 AND subject = $2";
const LOOKS: &str = "DELETE FROM look WHERE tenant = $1 AND subject = $2";
const LETTERS: &str = "DELETE FROM mail WHERE tenant = $1 AND subject = $2";
const MANDATES: &str = "UPDATE mandate SET subject = NULL, address_index = NULL, sealed = NULL, token_hash = NULL, \
    record = NULL, ended_at = COALESCE(ended_at, answer_until), \
    state = CASE WHEN state IN ('confirmed', 'ended') THEN 'ended' ELSE 'declined' END WHERE tenant = $1 AND subject = $2";
const MOVES: &str = "DELETE FROM address_move WHERE tenant = $1 AND subject = $2";
// What the agent calls its request may say whose it is.
const AGENTS: &str =
    "UPDATE drp_request SET subject = NULL, agent_request_id = NULL WHERE tenant = $1 AND subject = $2";
const RECEIPTS: &str = "UPDATE receipt SET subject = NULL WHERE tenant = $1 AND subject = $2";
const JOBS: &str = "DELETE FROM job WHERE tenant = $1 AND payload LIKE $2";
const ANSWERS: &str = "DELETE FROM idempotency WHERE tenant = $1 AND caller LIKE $2";
const OTHER_REQUESTS: &str = "UPDATE request SET state = CASE WHEN state = 'withdrawn' THEN state ELSE 'closed' END, \
    outcome = COALESCE(outcome, 'erased'), answered_at = COALESCE(answered_at, $3), closed_at = COALESCE(closed_at, $3), \
    purge_at = COALESCE(purge_at, $4), next_at = NULL, problem = NULL, available_until = NULL, detail = NULL, \
    subject = NULL, revision = revision + 1 WHERE tenant = $1 AND subject = $2 AND id <> $5";
const OWN_REQUEST: &str = "UPDATE request SET detail = NULL, subject = NULL, revision = revision + 1 \
    WHERE tenant = $1 AND subject = $2 AND id = $3";

/// Puts a person behind the fence: from here on nothing of theirs is read, written or signed in to. `false` when they
/// are not there, or behind it already.
pub(in crate::requests) async fn fence(tx: &mut Tx, owner: &Owner) -> Result<bool, Error> {
    Ok(run(tx, FENCE, owner).await? == 1)
}

/// As [`fence`], of somebody who has not been here since `last_active`. `false` as well when they have.
pub(in crate::requests) async fn fence_unused(
    tx: &mut Tx,
    owner: &Owner,
    last_active: Timestamp,
) -> Result<bool, Error> {
    let n = on!(tx, |c| sqlx::query(FENCE_UNUSED)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(last_active.micros())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// Removes the last row of a person.
pub(in crate::requests) async fn subject(tx: &mut Tx, owner: &Owner) -> Result<bool, Error> {
    Ok(run(tx, DELETE_SUBJECT, owner).await? == 1)
}

/// Legal holds that concern a person.
pub(in crate::requests) async fn live_holds(tx: &mut Tx, owner: &Owner) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(HOLDS)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_one(c)
        .await)?;
    Ok(n)
}

/// Logins, words, what they were told of, letters of theirs, lifted holds, waiting jobs and kept answers go; receipts stay and no longer say whose they are.
pub(in crate::requests) async fn rows(tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
    for statement in
        [LOGINS, CONSENTS, NOTICES, OLD_HOLDS, WARNINGS, LOOKS, LETTERS, MOVES, MANDATES, AGENTS, RECEIPTS]
    {
        run(tx, statement, owner).await?;
    }
    for statement in [JOBS, ANSWERS] {
        on!(tx, |c| sqlx::query(statement)
            .bind(owner.tenant.as_str())
            .bind(format!("%{}%", owner.subject))
            .execute(c)
            .await
            .map(|_| ()))?;
    }
    Ok(())
}

/// Requests stay as rows about nobody; what was open is closed, but for the erasure itself.
pub(in crate::requests) async fn requests(
    tx: &mut Tx,
    owner: &Owner,
    own: Option<RequestId>,
    (now, purge_at): (Timestamp, Option<Timestamp>),
) -> Result<(), Error> {
    let own = own.map(|id| id.to_string()).unwrap_or_default();
    on!(tx, |c| sqlx::query(OTHER_REQUESTS)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(now.micros())
        .bind(purge_at.map(Timestamp::micros))
        .bind(&own)
        .execute(c)
        .await
        .map(|_| ()))?;
    on!(tx, |c| sqlx::query(OWN_REQUEST)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(&own)
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

async fn run(tx: &mut Tx, statement: &'static str, owner: &Owner) -> Result<u64, Error> {
    Ok(on!(tx, |c| sqlx::query(statement)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?)
}
