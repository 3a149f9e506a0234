use crate::base::{ProposalId, StaffId, TenantId, Timestamp};
use crate::on;
use crate::policy::Policy;
use crate::publication::Proposal;
use crate::store::{Error, Tx};

const HASHES: &str = "SELECT tenant, version, hash FROM policy_version ORDER BY tenant, effective_at";
const SOURCE: &str = "SELECT source FROM policy_version WHERE tenant = $1 AND version = $2";
const NEWEST: &str = "SELECT MAX(effective_at) FROM policy_version WHERE tenant = $1";
const PUBLISH: &str = "INSERT INTO policy_version (tenant, version, effective_at, hash, source, published_at, entry) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const PUBLISHED_AT: &str = "SELECT published_at FROM policy_version WHERE tenant = $1 AND version = $2";
const PEOPLE: &str = "SELECT COUNT(*) FROM subject WHERE tenant = $1 AND state = 'active'";

const INSERT_PROPOSAL: &str = "INSERT INTO policy_proposal (id, tenant, version, hash, source, report, proposed_by, \
    proposed_at, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open')";
const OPEN_PROPOSAL: &str = "SELECT id, tenant, version, source, hash, report, proposed_by, proposed_at, state, decided_by, \
    decided_at, reason FROM policy_proposal WHERE tenant = $1 AND version = $2 AND state = 'open'";
const PROPOSAL: &str = "SELECT id, tenant, version, source, hash, report, proposed_by, proposed_at, state, decided_by, \
    decided_at, reason FROM policy_proposal WHERE tenant = $1 AND id = $2";
const PROPOSALS: &str = "SELECT id, tenant, version, source, hash, report, proposed_by, proposed_at, state, decided_by, \
    decided_at, reason FROM policy_proposal WHERE tenant = $1 ORDER BY id DESC LIMIT 100";
const DECIDE: &str = "UPDATE policy_proposal SET state = $1, decided_by = $2, decided_at = $3, reason = $4 \
    WHERE tenant = $5 AND id = $6 AND state = 'open'";

pub(in crate::publication) async fn hashes(tx: &mut Tx) -> Result<Vec<(TenantId, String, Vec<u8>)>, Error> {
    let rows: Vec<(String, String, Vec<u8>)> = on!(tx, |c| sqlx::query_as(HASHES).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(tenant, version, hash)| Ok((tenant_of(&tenant, "policy_version")?, version, hash)))
        .collect()
}

pub(super) fn tenant_of(text: &str, table: &'static str) -> Result<TenantId, Error> {
    text.parse().map_err(|_| Error::inconsistent(table, "tenant"))
}

pub(in crate::publication) async fn source(
    tx: &mut Tx,
    tenant: &TenantId,
    version: &str,
) -> Result<Option<String>, Error> {
    let row: Option<(String,)> =
        on!(tx, |c| sqlx::query_as(SOURCE).bind(tenant.as_str()).bind(version).fetch_optional(c).await)?;
    Ok(row.map(|(source,)| source))
}

/// When the newest published version comes into force.
pub(in crate::publication) async fn newest(
    tx: &mut Tx,
    tenant: &TenantId,
) -> Result<Option<Timestamp>, Error> {
    let (at,): (Option<i64>,) = on!(tx, |c| sqlx::query_as(NEWEST).bind(tenant.as_str()).fetch_one(c).await)?;
    Ok(at.map(Timestamp::from_micros))
}

pub(in crate::publication) async fn publish(
    tx: &mut Tx,
    policy: &Policy,
    now: Timestamp,
    entry: &str,
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(PUBLISH)
        .bind(policy.tenant().as_str())
        .bind(policy.version())
        .bind(policy.starts().micros())
        .bind(policy.hash().as_slice())
        .bind(policy.source())
        .bind(now.micros())
        .bind(entry)
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

pub(in crate::publication) async fn published_at(
    tx: &mut Tx,
    tenant: &TenantId,
    version: &str,
) -> Result<Option<Timestamp>, Error> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(PUBLISHED_AT)
        .bind(tenant.as_str())
        .bind(version)
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(at,)| Timestamp::from_micros(at)))
}

pub(in crate::publication) async fn people(tx: &mut Tx, tenant: &TenantId) -> Result<u64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(PEOPLE).bind(tenant.as_str()).fetch_one(c).await)?;
    Ok(u64::try_from(n).unwrap_or(0))
}

pub(in crate::publication) async fn insert_proposal(
    tx: &mut Tx,
    id: ProposalId,
    policy: &Policy,
    report: &str,
    (by, now): (StaffId, Timestamp),
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT_PROPOSAL)
        .bind(id.to_string())
        .bind(policy.tenant().as_str())
        .bind(policy.version())
        .bind(policy.hash().as_slice())
        .bind(policy.source())
        .bind(report)
        .bind(by.to_string())
        .bind(now.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

type ProposalRow = (
    String,
    String,
    String,
    String,
    Vec<u8>,
    String,
    String,
    i64,
    String,
    Option<String>,
    Option<i64>,
    Option<String>,
);

fn proposal_of(row: ProposalRow) -> Result<Proposal, Error> {
    let (id, tenant, version, source, hash, report, by, at, state, decided_by, decided_at, reason) = row;
    let bad = |column| Error::inconsistent("policy_proposal", column);
    Ok(Proposal {
        id: id.parse().map_err(|_| bad("id"))?,
        tenant: tenant_of(&tenant, "policy_proposal")?,
        version,
        source,
        hash,
        report,
        proposed_by: by.parse().map_err(|_| bad("proposed_by"))?,
        proposed_at: Timestamp::from_micros(at),
        state,
        decided_by: decided_by.map(|s| s.parse()).transpose().map_err(|_| bad("decided_by"))?,
        decided_at: decided_at.map(Timestamp::from_micros),
        reason,
    })
}

pub(in crate::publication) async fn open_proposal(
    tx: &mut Tx,
    tenant: &TenantId,
    version: &str,
) -> Result<Option<Proposal>, Error> {
    let row: Option<ProposalRow> = on!(tx, |c| sqlx::query_as(OPEN_PROPOSAL)
        .bind(tenant.as_str())
        .bind(version)
        .fetch_optional(c)
        .await)?;
    row.map(proposal_of).transpose()
}

pub(in crate::publication) async fn proposal(
    tx: &mut Tx,
    tenant: &TenantId,
    id: ProposalId,
) -> Result<Option<Proposal>, Error> {
    let row: Option<ProposalRow> = on!(tx, |c| sqlx::query_as(PROPOSAL)
        .bind(tenant.as_str())
        .bind(id.to_string())
        .fetch_optional(c)
        .await)?;
    row.map(proposal_of).transpose()
}

pub(in crate::publication) async fn proposals(
    tx: &mut Tx,
    tenant: &TenantId,
) -> Result<Vec<Proposal>, Error> {
    let rows: Vec<ProposalRow> =
        on!(tx, |c| sqlx::query_as(PROPOSALS).bind(tenant.as_str()).fetch_all(c).await)?;
    rows.into_iter().map(proposal_of).collect()
}

/// What was decided about a proposal.
#[derive(Debug)]
pub(in crate::publication) struct Decision<'a> {
    pub(in crate::publication) id: ProposalId,
    pub(in crate::publication) state: &'static str,
    pub(in crate::publication) by: StaffId,
    pub(in crate::publication) at: Timestamp,
    pub(in crate::publication) reason: Option<&'a str>,
}

/// `false` when it was decided before.
pub(in crate::publication) async fn decide(
    tx: &mut Tx,
    tenant: &TenantId,
    decision: &Decision<'_>,
) -> Result<bool, Error> {
    let n = on!(tx, |c| sqlx::query(DECIDE)
        .bind(decision.state)
        .bind(decision.by.to_string())
        .bind(decision.at.micros())
        .bind(decision.reason)
        .bind(tenant.as_str())
        .bind(decision.id.to_string())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}
