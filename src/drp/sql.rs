use ed25519_dalek::VerifyingKey;

use super::Agent;
use super::model::{Asked, Said, Verdict};
use crate::base::{RequestId, TenantId, Timestamp};
use crate::store::{Error, Tx};
use crate::vault::Owner;
use crate::{change, on};

const PUT_AGENT: &str = "INSERT INTO drp_agent (tenant, id, name, verify_key, site, added_at) VALUES ($1, $2, $3, $4, $5, $6) \
    ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, verify_key = excluded.verify_key, site = excluded.site, \
    added_at = excluded.added_at, token_hash = NULL, paired_at = NULL";
const AGENT: &str =
    "SELECT id, name, verify_key, site, added_at, paired_at FROM drp_agent WHERE tenant = $1 AND id = $2";
const AGENTS: &str =
    "SELECT id, name, verify_key, site, added_at, paired_at FROM drp_agent WHERE tenant = $1 ORDER BY id";
const BY_TOKEN: &str = "SELECT id, name, verify_key, site, added_at, paired_at FROM drp_agent WHERE tenant = $1 AND token_hash = $2";
const REMOVE_AGENT: &str = "DELETE FROM drp_agent WHERE tenant = $1 AND id = $2";
const PAIR: &str = "UPDATE drp_agent SET token_hash = $1, paired_at = $2 WHERE tenant = $3 AND id = $4";

const SEE: &str = "INSERT INTO drp_seen (tenant, digest, until) VALUES ($1, $2, $3) ON CONFLICT (tenant, digest) DO NOTHING";
const EXPIRE: &str = "DELETE FROM drp_seen WHERE until < $1";

const INSERT: &str = "INSERT INTO drp_request (id, tenant, agent, agent_request_id, exercise, subject, verdict, received_at, \
    expires_at, callback, told, tries, next_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12)";
const GET: &str = "SELECT id, tenant, agent, agent_request_id, exercise, subject, request, own, answer, verdict, received_at, \
    expires_at, callback, told, tries FROM drp_request WHERE tenant = $1 AND id = $2";
/// Found once an agent has asked for so much since: when the first of the newest so many came.
const FULL_SINCE: &str = "SELECT received_at FROM drp_request WHERE tenant = $1 AND agent = $2 AND received_at > $3 \
    ORDER BY received_at DESC LIMIT 1 OFFSET $4";
const DECIDE: &str = "UPDATE drp_request SET verdict = $1 WHERE tenant = $2 AND id = $3";
const FORGET: &str = "DELETE FROM drp_request WHERE tenant = $1 AND received_at < $2";
const UNFILED: &str = "SELECT id, tenant, agent, agent_request_id, exercise, subject, request, own, answer, verdict, received_at, \
    expires_at, callback, told, tries FROM drp_request WHERE subject IS NOT NULL AND request IS NULL \
    AND verdict IS NULL AND expires_at > $1 AND id > $2 ORDER BY id LIMIT $3";
const UNDECIDED: &str = "SELECT id, tenant, agent, agent_request_id, exercise, subject, request, own, answer, verdict, received_at, \
    expires_at, callback, told, tries FROM drp_request WHERE tenant = $1 AND agent = $2 AND verdict IS NULL AND answer IS NULL \
    ORDER BY id LIMIT 10000";
const FILED: &str =
    "UPDATE drp_request SET request = $1, own = $2 WHERE tenant = $3 AND id = $4 AND request IS NULL";
const ANSWER: &str = "UPDATE drp_request SET answer = $1, request = $2, own = $3 WHERE tenant = $4 AND id = $5 AND answer IS NULL";
const ANSWER_OWN: &str = "UPDATE drp_request SET answer = $1 WHERE tenant = $2 AND subject = $3 AND request = $4 AND own = 1 \
    AND answer IS NULL AND verdict IS NULL";
const SILENCE: &str = "UPDATE drp_request SET callback = NULL, next_at = NULL, \
    verdict = CASE WHEN answer IS NULL THEN COALESCE(verdict, 'revoked') ELSE verdict END WHERE tenant = $1 AND agent = $2";
const DUE: &str = "SELECT id, tenant, agent, agent_request_id, exercise, subject, request, own, answer, verdict, received_at, \
    expires_at, callback, told, tries FROM drp_request WHERE next_at <= $1 ORDER BY next_at LIMIT $2";
const CALLED: &str =
    "UPDATE drp_request SET told = $1, tries = $2, next_at = $3 WHERE tenant = $4 AND id = $5";

type AgentRow = (String, String, Vec<u8>, String, i64, Option<i64>);

fn agent_of(tenant: &TenantId, row: AgentRow) -> Result<Agent, Error> {
    let (id, name, key, site, added_at, paired_at) = row;
    let key = key.try_into().ok().and_then(|bytes: [u8; 32]| VerifyingKey::from_bytes(&bytes).ok());
    Ok(Agent {
        tenant: tenant.clone(),
        id,
        name,
        key: key.ok_or_else(|| Error::inconsistent("drp_agent", "verify_key"))?,
        site,
        added_at: Timestamp::from_micros(added_at),
        paired_at: paired_at.map(Timestamp::from_micros),
    })
}

pub(super) async fn put_agent(tx: &mut Tx, agent: &Agent) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(PUT_AGENT)
        .bind(agent.tenant.as_str())
        .bind(&agent.id)
        .bind(&agent.name)
        .bind(agent.key.as_bytes().as_slice())
        .bind(&agent.site)
        .bind(agent.added_at.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

pub(super) async fn agent(tx: &mut Tx, tenant: &TenantId, id: &str) -> Result<Option<Agent>, Error> {
    let row: Option<AgentRow> =
        on!(tx, |c| sqlx::query_as(AGENT).bind(tenant.as_str()).bind(id).fetch_optional(c).await)?;
    row.map(|row| agent_of(tenant, row)).transpose()
}

pub(super) async fn agents(tx: &mut Tx, tenant: &TenantId) -> Result<Vec<Agent>, Error> {
    let rows: Vec<AgentRow> = on!(tx, |c| sqlx::query_as(AGENTS).bind(tenant.as_str()).fetch_all(c).await)?;
    rows.into_iter().map(|row| agent_of(tenant, row)).collect()
}

pub(super) async fn by_token(tx: &mut Tx, tenant: &TenantId, hash: &[u8]) -> Result<Option<Agent>, Error> {
    let row: Option<AgentRow> =
        on!(tx, |c| sqlx::query_as(BY_TOKEN).bind(tenant.as_str()).bind(hash).fetch_optional(c).await)?;
    row.map(|row| agent_of(tenant, row)).transpose()
}

pub(super) async fn remove_agent(tx: &mut Tx, tenant: &TenantId, id: &str) -> Result<bool, Error> {
    let n = on!(tx, |c| sqlx::query(REMOVE_AGENT)
        .bind(tenant.as_str())
        .bind(id)
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(super) async fn pair(tx: &mut Tx, agent: &Agent, hash: &[u8], at: Timestamp) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(PAIR)
        .bind(hash)
        .bind(at.micros())
        .bind(agent.tenant.as_str())
        .bind(&agent.id)
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// Notes a message. `false` when it was noted before.
pub(super) async fn see(
    tx: &mut Tx,
    tenant: &TenantId,
    digest: &[u8],
    until: Timestamp,
) -> Result<bool, Error> {
    let n = on!(tx, |c| sqlx::query(SEE)
        .bind(tenant.as_str())
        .bind(digest)
        .bind(until.micros())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// Forgets messages that have run out.
pub(super) async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(EXPIRE).bind(now.micros()).execute(c).await.map(|_| ()))?;
    Ok(())
}

macro_rules! asked {
    ($row:expr) => {{
        let row = $row;
        macro_rules! get {
            ($column:literal, $type:ty) => {
                sqlx::Row::try_get::<$type, _>(&row, $column)?
            };
        }
        let bad = |column| Error::inconsistent("drp_request", column);
        Ok::<Asked, Error>(Asked {
            id: get!("id", String),
            tenant: get!("tenant", String).parse().map_err(|_| bad("tenant"))?,
            agent: get!("agent", String),
            agent_request_id: get!("agent_request_id", Option<String>),
            exercise: get!("exercise", String),
            subject: parse(get!("subject", Option<String>)).map_err(|()| bad("subject"))?,
            request: parse(get!("request", Option<String>)).map_err(|()| bad("request"))?,
            own: get!("own", i64) == 1,
            answer: word(get!("answer", Option<String>), Said::parse).map_err(|()| bad("answer"))?,
            verdict: word(get!("verdict", Option<String>), Verdict::parse).map_err(|()| bad("verdict"))?,
            received_at: Timestamp::from_micros(get!("received_at", i64)),
            expires_at: Timestamp::from_micros(get!("expires_at", i64)),
            callback: get!("callback", Option<String>),
            told: get!("told", String),
            tries: get!("tries", i64),
        })
    }};
}

fn parse<T: std::str::FromStr>(text: Option<String>) -> Result<Option<T>, ()> {
    text.map(|t| t.parse().map_err(|_| ())).transpose()
}

fn word<T>(text: Option<String>, of: impl Fn(&str) -> Option<T>) -> Result<Option<T>, ()> {
    text.map(|t| of(&t).ok_or(())).transpose()
}

/// Runs a statement with these values bound and gives what agents asked for.
macro_rules! all_asked {
    ($tx:expr, $statement:expr $(, $bind:expr)*) => {{
        let found: Result<Vec<Asked>, Error> = on!($tx, |c| sqlx::query($statement)
            $(.bind($bind))*
            .fetch_all(c)
            .await?
            .into_iter()
            .map(|row| asked!(row))
            .collect());
        found
    }};
}

pub(super) async fn insert(tx: &mut Tx, asked: &Asked, next: Option<Timestamp>) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(&asked.id)
        .bind(asked.tenant.as_str())
        .bind(&asked.agent)
        .bind(&asked.agent_request_id)
        .bind(&asked.exercise)
        .bind(asked.subject.map(|s| s.to_string()))
        .bind(asked.verdict.map(Verdict::as_str))
        .bind(asked.received_at.micros())
        .bind(asked.expires_at.micros())
        .bind(&asked.callback)
        .bind(&asked.told)
        .bind(next.map(Timestamp::micros))
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// If an agent has asked for `most` things or more since then: when the first of the newest `most` came.
pub(super) async fn full_since(
    tx: &mut Tx,
    agent: &Agent,
    (since, most): (Timestamp, i64),
) -> Result<Option<Timestamp>, Error> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(FULL_SINCE)
        .bind(agent.tenant.as_str())
        .bind(&agent.id)
        .bind(since.micros())
        .bind(most.saturating_sub(1))
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(at,)| Timestamp::from_micros(at)))
}

pub(super) async fn get(tx: &mut Tx, tenant: &TenantId, id: &str) -> Result<Option<Asked>, Error> {
    Ok(all_asked!(tx, GET, tenant.as_str(), id)?.pop())
}

/// What was asked in the name of somebody who is here, and is not filed yet; a page, from `after` on.
pub(super) async fn unfiled(
    tx: &mut Tx,
    now: Timestamp,
    after: &str,
    most: i64,
) -> Result<Vec<Asked>, Error> {
    all_asked!(tx, UNFILED, now.micros(), after, most)
}

/// What an agent asked for that neither it nor the person has decided.
pub(super) async fn undecided(tx: &mut Tx, tenant: &TenantId, agent: &str) -> Result<Vec<Asked>, Error> {
    all_asked!(tx, UNDECIDED, tenant.as_str(), agent)
}

/// The rights request of what was asked, and whether it is there because the agent asked.
pub(super) async fn filed(
    tx: &mut Tx,
    asked: &Asked,
    (request, own): (RequestId, bool),
) -> Result<(), Error> {
    let (id, tenant) = (asked.id.as_str(), asked.tenant.as_str());
    change!(tx, FILED, request.to_string(), i64::from(own), tenant, id)?;
    Ok(())
}

/// What the person said to it, once. `false` when they had answered before.
pub(super) async fn answer(
    tx: &mut Tx,
    asked: &Asked,
    said: Said,
    (request, own): (Option<RequestId>, bool),
) -> Result<bool, Error> {
    let (id, tenant) = (asked.id.as_str(), asked.tenant.as_str());
    let request = request.map(|r| r.to_string());
    Ok(change!(tx, ANSWER, said.as_str(), &request, i64::from(own), tenant, id)? == 1)
}

/// What the person said to the agent whose asking this request is of, unless they have answered it.
pub(super) async fn answer_own(
    tx: &mut Tx,
    owner: &Owner,
    request: RequestId,
    said: Said,
) -> Result<(), Error> {
    let (tenant, subject) = (owner.tenant.as_str(), owner.subject.to_string());
    change!(tx, ANSWER_OWN, said.as_str(), tenant, &subject, request.to_string())?;
    Ok(())
}

/// An agent that is no more is told nothing, and what nobody has decided of its asking is over.
pub(super) async fn silence(tx: &mut Tx, tenant: &TenantId, agent: &str) -> Result<(), Error> {
    change!(tx, SILENCE, tenant.as_str(), agent)?;
    Ok(())
}

pub(super) async fn decide(tx: &mut Tx, tenant: &TenantId, id: &str, verdict: &str) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(DECIDE)
        .bind(verdict)
        .bind(tenant.as_str())
        .bind(id)
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// Forgets what was asked before `before`.
pub(super) async fn forget(tx: &mut Tx, tenant: &TenantId, before: Timestamp) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(FORGET)
        .bind(tenant.as_str())
        .bind(before.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// Whose agents may have to be told something.
pub(super) async fn due(tx: &mut Tx, now: Timestamp, most: i64) -> Result<Vec<Asked>, Error> {
    all_asked!(tx, DUE, now.micros(), most)
}

/// Notes what an agent was told, and when to look again.
pub(super) async fn called(
    tx: &mut Tx,
    asked: &Asked,
    (told, tries): (&str, i64),
    next: Option<Timestamp>,
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(CALLED)
        .bind(told)
        .bind(tries)
        .bind(next.map(Timestamp::micros))
        .bind(asked.tenant.as_str())
        .bind(&asked.id)
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}
