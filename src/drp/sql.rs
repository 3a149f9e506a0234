use ed25519_dalek::VerifyingKey;

use super::Agent;
use super::model::{Asked, Verdict};
use crate::base::{TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};

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

const INSERT: &str = "INSERT INTO drp_request (id, tenant, agent, agent_request_id, exercise, request, verdict, received_at, \
    expires_at, callback, told, tries, next_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12)";
const GET: &str = "SELECT id, tenant, agent, agent_request_id, exercise, request, verdict, received_at, expires_at, callback, told, \
    tries FROM drp_request WHERE tenant = $1 AND id = $2";
const DECIDE: &str = "UPDATE drp_request SET verdict = $1 WHERE tenant = $2 AND id = $3";
const FORGET: &str = "DELETE FROM drp_request WHERE tenant = $1 AND received_at < $2";
const DUE: &str = "SELECT id, tenant, agent, agent_request_id, exercise, request, verdict, received_at, expires_at, callback, told, \
    tries FROM drp_request WHERE next_at <= $1 ORDER BY next_at LIMIT $2";
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

type Row = (
    String,
    String,
    String,
    Option<String>,
    String,
    Option<String>,
    Option<String>,
    i64,
    i64,
    Option<String>,
    String,
    i64,
);

fn asked_of(row: Row) -> Result<Asked, Error> {
    let (
        id,
        tenant,
        agent,
        agent_request_id,
        exercise,
        request,
        verdict,
        received_at,
        expires_at,
        callback,
        told,
        tries,
    ) = row;
    let bad = |column| Error::inconsistent("drp_request", column);
    Ok(Asked {
        id,
        tenant: tenant.parse().map_err(|_| bad("tenant"))?,
        agent,
        agent_request_id,
        exercise,
        request: request.map(|r| r.parse()).transpose().map_err(|_| bad("request"))?,
        verdict: verdict.map(|v| Verdict::parse(&v).ok_or_else(|| bad("verdict"))).transpose()?,
        received_at: Timestamp::from_micros(received_at),
        expires_at: Timestamp::from_micros(expires_at),
        callback,
        told,
        tries,
    })
}

pub(super) async fn insert(tx: &mut Tx, asked: &Asked, next: Option<Timestamp>) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(&asked.id)
        .bind(asked.tenant.as_str())
        .bind(&asked.agent)
        .bind(&asked.agent_request_id)
        .bind(&asked.exercise)
        .bind(asked.request.map(|r| r.to_string()))
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

pub(super) async fn get(tx: &mut Tx, tenant: &TenantId, id: &str) -> Result<Option<Asked>, Error> {
    let row: Option<Row> =
        on!(tx, |c| sqlx::query_as(GET).bind(tenant.as_str()).bind(id).fetch_optional(c).await)?;
    row.map(asked_of).transpose()
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
    let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(DUE).bind(now.micros()).bind(most).fetch_all(c).await)?;
    rows.into_iter().map(asked_of).collect()
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
