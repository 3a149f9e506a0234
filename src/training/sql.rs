use super::{Left, Manifest};
use crate::base::{EntryId, TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};

const INSERT_RUN: &str = "INSERT INTO training_run (id, tenant, purpose, policy_version, made_at, people, manifest, entry) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const PUT_MEMBER: &str = "INSERT INTO training_member (tenant, purpose, pseudonym, run) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (tenant, purpose, pseudonym) DO UPDATE SET run = excluded.run, left_at = NULL";
const LEAVE: &str = "UPDATE training_member SET left_at = $1 WHERE tenant = $2 AND purpose = $3 AND run <> $4 AND left_at IS NULL";
const LEFT: &str = "SELECT pseudonym, left_at FROM training_member WHERE tenant = $1 AND purpose = $2 AND left_at IS NOT NULL \
    ORDER BY pseudonym";
const FORGET: &str =
    "DELETE FROM training_member WHERE tenant = $1 AND purpose = $2 AND left_at IS NOT NULL AND left_at < $3";

/// Writes down who is in this collection. Whoever was in one before and is not, has left.
pub(super) async fn members(tx: &mut Tx, manifest: &Manifest) -> Result<Vec<Left>, Error> {
    let (tenant, purpose, run) =
        (manifest.tenant.as_str(), &manifest.purpose, manifest.collection.to_string());
    for member in &manifest.people {
        on!(tx, |c| sqlx::query(PUT_MEMBER)
            .bind(tenant)
            .bind(purpose)
            .bind(&member.pseudonym)
            .bind(&run)
            .execute(c)
            .await
            .map(|_| ()))?;
    }
    on!(tx, |c| sqlx::query(LEAVE)
        .bind(manifest.made_at.micros())
        .bind(tenant)
        .bind(purpose)
        .bind(&run)
        .execute(c)
        .await
        .map(|_| ()))?;
    let left: Vec<(String, i64)> =
        on!(tx, |c| sqlx::query_as(LEFT).bind(tenant).bind(purpose).fetch_all(c).await)?;
    let since = |at| Timestamp::from_micros(at);
    Ok(left.into_iter().map(|(pseudonym, at)| Left { pseudonym, since: since(at) }).collect())
}

/// Writes down that a collection was made.
pub(super) async fn run(
    tx: &mut Tx,
    manifest: &Manifest,
    sha256: &[u8],
    entry: EntryId,
) -> Result<(), Error> {
    let people = i64::try_from(manifest.people.len()).unwrap_or(i64::MAX);
    on!(tx, |c| sqlx::query(INSERT_RUN)
        .bind(manifest.collection.to_string())
        .bind(manifest.tenant.as_str())
        .bind(&manifest.purpose)
        .bind(&manifest.policy_version)
        .bind(manifest.made_at.micros())
        .bind(people)
        .bind(sha256)
        .bind(entry.to_string())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// Forgets who left before `before`.
pub(super) async fn forget(
    tx: &mut Tx,
    tenant: &TenantId,
    purpose: &str,
    before: Timestamp,
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(FORGET)
        .bind(tenant.as_str())
        .bind(purpose)
        .bind(before.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}
