//! Runs of checks, and what people vouched for.

use crate::audit::{Check, Evidence, Outcome, Verdict, Vouched};
use crate::base::{EntryId, StaffId, TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};

const STATES: &str = "SELECT probe, state, figure, checked, found, parts, at, since, entry, recorded_at FROM probe_state \
    WHERE tenant = $1 ORDER BY probe";
const STATE: &str = "SELECT probe, state, figure, checked, found, parts, at, since, entry, recorded_at FROM probe_state \
    WHERE tenant = $1 AND probe = $2";
const SET_STATE: &str = "INSERT INTO probe_state (tenant, probe, state, figure, checked, found, parts, at, since, entry, \
    recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (tenant, probe) DO UPDATE SET \
    state = excluded.state, figure = excluded.figure, checked = excluded.checked, found = excluded.found, \
    parts = excluded.parts, at = excluded.at, since = excluded.since, entry = excluded.entry, \
    recorded_at = excluded.recorded_at";
const INSERT_RUN: &str = "INSERT INTO probe_run (id, tenant, probe, state, figure, checked, found, at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const RUNS: &str = "SELECT id, probe, state, figure, checked, found, at FROM probe_run WHERE tenant = $1 AND probe = $2 \
    ORDER BY id DESC LIMIT $3";
const INSERT_ATTESTATION: &str = "INSERT INTO attestation (id, tenant, attestation, staff, at, sealed) \
    VALUES ($1, $2, $3, $4, $5, $6)";
const ATTESTATIONS: &str = "SELECT a.id, a.attestation, a.staff, a.at, (SELECT COUNT(*) FROM attestation_file f \
    WHERE f.id = a.id) FROM attestation a WHERE a.tenant = $1 AND a.id IN \
    (SELECT MAX(b.id) FROM attestation b WHERE b.tenant = $1 GROUP BY b.attestation)";
const WORDS: &str = "SELECT a.id, a.attestation, a.staff, a.at, (SELECT COUNT(*) FROM attestation_file f \
    WHERE f.id = a.id) FROM attestation a WHERE a.tenant = $1 AND a.attestation = $2 ORDER BY a.id DESC LIMIT $3";
const INSERT_FILE: &str = "INSERT INTO attestation_file (id, tenant, sealed) VALUES ($1, $2, $3)";
const FILE: &str = "SELECT sealed FROM attestation_file WHERE tenant = $1 AND id = $2";
const EVIDENCE: &str = "SELECT sealed FROM attestation WHERE tenant = $1 AND id = $2";
const ACTIVE_STAFF: &str = "SELECT role FROM staff WHERE tenant = $1 AND id = $2 AND disabled_at IS NULL";
const PUBLISHED: &str = "SELECT version, published_at FROM policy_version WHERE tenant = $1";

type Row = (String, String, String, i64, i64, String, i64, i64, Option<String>, Option<i64>);

fn whole(n: i64, column: &'static str) -> Result<u64, Error> {
    u64::try_from(n).map_err(|_| Error::inconsistent("probe_state", column))
}

fn check(row: Row) -> Result<Check, Error> {
    let (probe, state, figure, checked, found, parts, at, since, entry, recorded_at) = row;
    let bad = |column| move || Error::inconsistent("probe_state", column);
    Ok(Check {
        probe,
        outcome: Outcome {
            verdict: Verdict::parse(&state).ok_or_else(bad("state"))?,
            figure,
            checked: whole(checked, "checked")?,
            found: whole(found, "found")?,
            parts: serde_json::from_str(&parts).map_err(|_| bad("parts")())?,
        },
        at: Timestamp::from_micros(at),
        since: Timestamp::from_micros(since),
        entry: entry.map(|e| e.parse()).transpose().map_err(|_| bad("entry")())?,
        recorded_at: recorded_at.map(Timestamp::from_micros),
    })
}

pub(in crate::audit) async fn states(tx: &mut Tx, tenant: &TenantId) -> Result<Vec<Check>, Error> {
    let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(STATES).bind(tenant.as_str()).fetch_all(c).await)?;
    rows.into_iter().map(check).collect()
}

pub(in crate::audit) async fn state(
    tx: &mut Tx,
    tenant: &TenantId,
    probe: &str,
) -> Result<Option<Check>, Error> {
    let row: Option<Row> =
        on!(tx, |c| sqlx::query_as(STATE).bind(tenant.as_str()).bind(probe).fetch_optional(c).await)?;
    row.map(check).transpose()
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(in crate::audit) async fn set_state(tx: &mut Tx, tenant: &TenantId, check: &Check) -> Result<(), Error> {
    let parts = serde_json::to_string(&check.outcome.parts)
        .map_err(|_| Error::inconsistent("probe_state", "parts"))?;
    on!(tx, |c| sqlx::query(SET_STATE)
        .bind(tenant.as_str())
        .bind(&check.probe)
        .bind(check.outcome.verdict.as_str())
        .bind(&check.outcome.figure)
        .bind(signed(check.outcome.checked))
        .bind(signed(check.outcome.found))
        .bind(&parts)
        .bind(check.at.micros())
        .bind(check.since.micros())
        .bind(check.entry.map(|e| e.to_string()))
        .bind(check.recorded_at.map(Timestamp::micros))
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

pub(in crate::audit) async fn insert_run(
    tx: &mut Tx,
    tenant: &TenantId,
    id: EntryId,
    check: &Check,
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT_RUN)
        .bind(id.to_string())
        .bind(tenant.as_str())
        .bind(&check.probe)
        .bind(check.outcome.verdict.as_str())
        .bind(&check.outcome.figure)
        .bind(signed(check.outcome.checked))
        .bind(signed(check.outcome.found))
        .bind(check.at.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

pub(in crate::audit) async fn runs(
    tx: &mut Tx,
    tenant: &TenantId,
    probe: &str,
    most: i64,
) -> Result<Vec<Evidence>, Error> {
    let rows: Vec<(String, String, String, String, i64, i64, i64)> =
        on!(tx, |c| sqlx::query_as(RUNS).bind(tenant.as_str()).bind(probe).bind(most).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(id, probe, state, figure, checked, found, at)| {
            Ok(Evidence {
                entry: id.parse().map_err(|_| Error::inconsistent("probe_run", "id"))?,
                probe,
                verdict: Verdict::parse(&state).ok_or(Error::inconsistent("probe_run", "state"))?,
                figure,
                checked: whole(checked, "checked")?,
                found: whole(found, "found")?,
                at: Timestamp::from_micros(at),
                place: None,
            })
        })
        .collect()
}

pub(in crate::audit) async fn insert_attestation(
    tx: &mut Tx,
    tenant: &TenantId,
    vouched: &Vouched,
    sealed: &[u8],
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT_ATTESTATION)
        .bind(vouched.entry.to_string())
        .bind(tenant.as_str())
        .bind(&vouched.attestation)
        .bind(vouched.staff.to_string())
        .bind(vouched.at.micros())
        .bind(sealed)
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

type Word = (String, String, String, i64, i64);

fn vouched((id, attestation, staff, at, file): Word) -> Result<Vouched, Error> {
    let bad = |column| move |_| Error::inconsistent("attestation", column);
    Ok(Vouched {
        entry: id.parse().map_err(bad("id"))?,
        attestation,
        staff: staff.parse().map_err(bad("staff"))?,
        at: Timestamp::from_micros(at),
        file: file > 0,
        place: None,
    })
}

/// The newest word for each attestation of a tenant.
pub(in crate::audit) async fn attestations(tx: &mut Tx, tenant: &TenantId) -> Result<Vec<Vouched>, Error> {
    let rows: Vec<Word> = on!(tx, |c| sqlx::query_as(ATTESTATIONS).bind(tenant.as_str()).fetch_all(c).await)?;
    rows.into_iter().map(vouched).collect()
}

/// The words for one attestation, newest first.
pub(in crate::audit) async fn words(
    tx: &mut Tx,
    tenant: &TenantId,
    attestation: &str,
    most: i64,
) -> Result<Vec<Vouched>, Error> {
    let rows: Vec<Word> = on!(tx, |c| sqlx::query_as(WORDS)
        .bind(tenant.as_str())
        .bind(attestation)
        .bind(most)
        .fetch_all(c)
        .await)?;
    rows.into_iter().map(vouched).collect()
}

pub(in crate::audit) async fn insert_file(
    tx: &mut Tx,
    tenant: &TenantId,
    id: EntryId,
    sealed: &[u8],
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT_FILE)
        .bind(id.to_string())
        .bind(tenant.as_str())
        .bind(sealed)
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

pub(in crate::audit) async fn file(
    tx: &mut Tx,
    tenant: &TenantId,
    id: EntryId,
) -> Result<Option<Vec<u8>>, Error> {
    let row: Option<(Vec<u8>,)> =
        on!(tx, |c| sqlx::query_as(FILE).bind(tenant.as_str()).bind(id.to_string()).fetch_optional(c).await)?;
    Ok(row.map(|(sealed,)| sealed))
}

pub(in crate::audit) async fn evidence(
    tx: &mut Tx,
    tenant: &TenantId,
    id: EntryId,
) -> Result<Option<Vec<u8>>, Error> {
    let row: Option<(Vec<u8>,)> = on!(tx, |c| sqlx::query_as(EVIDENCE)
        .bind(tenant.as_str())
        .bind(id.to_string())
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(sealed,)| sealed))
}

/// The role of somebody who is of a tenant's staff now.
pub(in crate::audit) async fn staff_role(
    tx: &mut Tx,
    tenant: &TenantId,
    id: StaffId,
) -> Result<Option<String>, Error> {
    let row: Option<(String,)> = on!(tx, |c| sqlx::query_as(ACTIVE_STAFF)
        .bind(tenant.as_str())
        .bind(id.to_string())
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(role,)| role))
}

/// When each version of a tenant's document was published here.
pub(in crate::audit) async fn published(
    tx: &mut Tx,
    tenant: &TenantId,
) -> Result<Vec<(String, Timestamp)>, Error> {
    let rows: Vec<(String, i64)> =
        on!(tx, |c| sqlx::query_as(PUBLISHED).bind(tenant.as_str()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(version, at)| (version, Timestamp::from_micros(at))).collect())
}
