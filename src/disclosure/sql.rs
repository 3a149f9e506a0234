pub(super) mod handover;

use crate::base::{TenantId, Timestamp};
use crate::store::{Error, Tx};
use crate::vault::Owner;
use crate::{change, on};

const INSERT: &str = "INSERT INTO disclosure (id, tenant, subject, processor, purpose, categories, edit, bytes_out, sent_at, \
    delete_due, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const GONE: &str =
    "UPDATE disclosure SET deleted_at = $1, proof = $2 WHERE tenant = $3 AND id = $4 AND deleted_at IS NULL";
const ONCE_MORE: &str = "UPDATE disclosure SET sent_at = $1, delete_due = $2, bytes_out = $3 WHERE tenant = $4 AND id = $5 \
    AND deleted_at IS NULL";
const FALLS_DUE: &str = "UPDATE disclosure SET delete_due = $1 WHERE tenant = $2 AND subject = $3 AND processor = $4 \
    AND edit IS NULL AND deleted_at IS NULL";
const STAYS_UNTIL: &str =
    "UPDATE disclosure SET delete_due = $1 WHERE tenant = $2 AND id = $3 AND deleted_at IS NULL";
const OF: &str = "SELECT id, processor, purpose, categories, edit, bytes_out, sent_at, delete_due, deleted_at, proof \
    FROM disclosure WHERE tenant = $1 AND subject = $2 ORDER BY id DESC LIMIT 5000";
const REGISTER: &str = "SELECT id, processor, purpose, categories, edit, bytes_out, sent_at, delete_due, deleted_at, proof \
    FROM disclosure WHERE tenant = $1 ORDER BY id DESC LIMIT $2";
const OVERDUE: &str = "SELECT processor, COUNT(*) FROM disclosure WHERE tenant = $1 AND deleted_at IS NULL \
    AND delete_due < $2 GROUP BY processor ORDER BY processor";
const OUTSTANDING: &str = "SELECT processor, COUNT(*), COUNT(DISTINCT subject) FROM disclosure WHERE tenant = $1 \
    AND deleted_at IS NULL GROUP BY processor ORDER BY processor";
const OF_EDIT: &str = "SELECT id, processor, purpose, categories, edit, bytes_out, sent_at, delete_due, deleted_at, proof \
    FROM disclosure WHERE tenant = $1 AND edit = $2 ORDER BY id";
const FORGET: &str = "UPDATE disclosure SET subject = NULL, edit = NULL WHERE tenant = $1 AND subject = $2";

/// Something that left the house.
#[derive(Debug, Clone)]
pub struct Disclosed {
    /// The row's id.
    pub id: String,
    /// To whom.
    pub processor: String,
    /// What for.
    pub purpose: String,
    /// What of, separated by spaces.
    pub categories: String,
    /// For which edit.
    pub edit: Option<String>,
    /// Bytes.
    pub bytes: i64,
    /// When.
    pub sent_at: Timestamp,
    /// When it must be gone there.
    pub delete_due: Option<Timestamp>,
    /// When it was seen to be gone there.
    pub deleted_at: Option<Timestamp>,
    /// How that is known.
    pub proof: Option<String>,
}

type Row =
    (String, String, String, String, Option<String>, i64, i64, Option<i64>, Option<i64>, Option<String>);

fn disclosed(row: Row) -> Disclosed {
    let (id, processor, purpose, categories, edit, bytes, sent, due, gone, proof) = row;
    Disclosed {
        id,
        processor,
        purpose,
        categories,
        edit,
        bytes,
        sent_at: Timestamp::from_micros(sent),
        delete_due: due.map(Timestamp::from_micros),
        deleted_at: gone.map(Timestamp::from_micros),
        proof,
    }
}

pub(super) async fn insert(tx: &mut Tx, owner: &Owner, row: &Disclosed, entry: &str) -> Result<(), Error> {
    change!(
        tx,
        INSERT,
        &row.id,
        owner.tenant.as_str(),
        owner.subject.to_string(),
        &row.processor,
        &row.purpose,
        &row.categories,
        &row.edit,
        row.bytes,
        row.sent_at.micros(),
        row.delete_due.map(Timestamp::micros),
        entry
    )?;
    Ok(())
}

pub(super) async fn gone(
    tx: &mut Tx,
    tenant: &TenantId,
    id: &str,
    now: Timestamp,
    proof: &str,
) -> Result<(), Error> {
    change!(tx, GONE, now.micros(), proof, tenant.as_str(), id)?;
    Ok(())
}

pub(super) async fn once_more(
    tx: &mut Tx,
    (tenant, id): (&TenantId, &str),
    bytes: i64,
    (sent_at, delete_due): (Timestamp, Option<Timestamp>),
) -> Result<(), Error> {
    change!(tx, ONCE_MORE, sent_at.micros(), delete_due.map(Timestamp::micros), bytes, tenant.as_str(), id)?;
    Ok(())
}

pub(super) async fn falls_due(
    tx: &mut Tx,
    owner: &Owner,
    processor: &str,
    at: Timestamp,
) -> Result<(), Error> {
    change!(tx, FALLS_DUE, at.micros(), owner.tenant.as_str(), owner.subject.to_string(), processor)?;
    Ok(())
}

pub(super) async fn stays_until(
    tx: &mut Tx,
    tenant: &TenantId,
    id: &str,
    until: Timestamp,
) -> Result<(), Error> {
    change!(tx, STAYS_UNTIL, until.micros(), tenant.as_str(), id)?;
    Ok(())
}

pub(super) async fn of(tx: &mut Tx, owner: &Owner) -> Result<Vec<Disclosed>, Error> {
    let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(OF)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_all(c)
        .await)?;
    Ok(rows.into_iter().map(disclosed).collect())
}

pub(super) async fn register(tx: &mut Tx, tenant: &TenantId, most: i64) -> Result<Vec<Disclosed>, Error> {
    let rows: Vec<Row> =
        on!(tx, |c| sqlx::query_as(REGISTER).bind(tenant.as_str()).bind(most).fetch_all(c).await)?;
    Ok(rows.into_iter().map(disclosed).collect())
}

pub(super) async fn overdue(
    tx: &mut Tx,
    tenant: &TenantId,
    now: Timestamp,
) -> Result<Vec<(String, i64)>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(OVERDUE).bind(tenant.as_str()).bind(now.micros()).fetch_all(c).await)?)
}

pub(super) async fn outstanding(tx: &mut Tx, tenant: &TenantId) -> Result<Vec<(String, i64, i64)>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(OUTSTANDING).bind(tenant.as_str()).fetch_all(c).await)?)
}

pub(super) async fn of_edit(tx: &mut Tx, tenant: &TenantId, edit: &str) -> Result<Vec<Disclosed>, Error> {
    let rows: Vec<Row> =
        on!(tx, |c| sqlx::query_as(OF_EDIT).bind(tenant.as_str()).bind(edit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(disclosed).collect())
}

pub(super) async fn forget(tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
    change!(tx, FORGET, owner.tenant.as_str(), owner.subject.to_string())?;
    Ok(())
}
