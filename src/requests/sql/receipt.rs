use crate::base::{EntryId, ReceiptId, TenantId, Timestamp};
use crate::on;
use crate::requests::receipts::{Issued, IssuedKind};
use crate::store::{Error, Tx};
use crate::vault::Owner;

const INSERT: &str = "INSERT INTO receipt (id, tenant, kind, subject, entry, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6)";
const GET: &str = "SELECT id, tenant, kind, entry, created_at FROM receipt WHERE id = $1";
const OF_ENTRY: &str = "SELECT id, tenant, kind, entry, created_at FROM receipt WHERE tenant = $1 AND entry = $2 \
    ORDER BY created_at, id LIMIT 1";
const OF: &str = "SELECT id, tenant, kind, entry, created_at FROM receipt WHERE tenant = $1 AND subject = $2 \
    ORDER BY created_at DESC, id DESC LIMIT 1000";

type Row = (String, String, String, String, i64);

fn issued(row: Row) -> Result<Issued, Error> {
    let (id, tenant, kind, entry, at) = row;
    let bad = |column| Error::inconsistent("receipt", column);
    Ok(Issued {
        id: id.parse().map_err(|_| bad("id"))?,
        tenant: tenant.parse().map_err(|_| bad("tenant"))?,
        kind: IssuedKind::parse(&kind).ok_or(bad("kind"))?,
        entry: entry.parse().map_err(|_| bad("entry"))?,
        at: Timestamp::from_micros(at),
    })
}

pub(in crate::requests) async fn insert(
    tx: &mut Tx,
    receipt: &Issued,
    owner: Option<&Owner>,
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(receipt.id.to_string())
        .bind(receipt.tenant.as_str())
        .bind(receipt.kind.as_str())
        .bind(owner.map(|o| o.subject.to_string()))
        .bind(receipt.entry.to_string())
        .bind(receipt.at.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// A receipt by its id alone: whoever has the id may have the receipt.
pub(in crate::requests) async fn get(tx: &mut Tx, id: ReceiptId) -> Result<Option<Issued>, Error> {
    let row: Option<Row> = on!(tx, |c| sqlx::query_as(GET).bind(id.to_string()).fetch_optional(c).await)?;
    row.map(issued).transpose()
}

pub(in crate::requests) async fn of_entry(
    tx: &mut Tx,
    tenant: &TenantId,
    entry: EntryId,
) -> Result<Option<Issued>, Error> {
    let row: Option<Row> = on!(tx, |c| sqlx::query_as(OF_ENTRY)
        .bind(tenant.as_str())
        .bind(entry.to_string())
        .fetch_optional(c)
        .await)?;
    row.map(issued).transpose()
}

pub(in crate::requests) async fn of(tx: &mut Tx, owner: &Owner) -> Result<Vec<Issued>, Error> {
    let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(OF)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_all(c)
        .await)?;
    rows.into_iter().map(issued).collect()
}
