use crate::base::Timestamp;
use crate::on;
use crate::store::{Error, Tx};
use crate::vault::Owner;

const LAST: &str =
    "SELECT seq, balance FROM credit_entry WHERE tenant = $1 AND subject = $2 ORDER BY seq DESC LIMIT 1";
const ACTIVE_SQLITE: &str = "SELECT id FROM subject WHERE tenant = $1 AND id = $2 AND state = 'active'";
const ACTIVE_POSTGRES: &str =
    "SELECT id FROM subject WHERE tenant = $1 AND id = $2 AND state = 'active' FOR SHARE";
const HAS: &str = "SELECT COUNT(*) FROM credit_entry WHERE tenant = $1 AND subject = $2 AND reason = $3";
const INSERT: &str = "INSERT INTO credit_entry (id, tenant, subject, amount, balance, reason, edit, seq, at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const PAGE: &str = "SELECT id, amount, balance, reason, edit, at FROM credit_entry \
    WHERE tenant = $1 AND subject = $2 AND seq < COALESCE((SELECT seq FROM credit_entry \
    WHERE tenant = $1 AND subject = $2 AND id = $3), 9223372036854775807) ORDER BY seq DESC LIMIT $4";
const FORGET: &str = "DELETE FROM credit_entry WHERE tenant = $1 AND subject = $2";

/// A change of a person's credits.
#[derive(Debug, Clone)]
pub struct CreditEntry {
    /// Its id.
    pub id: String,
    /// More or, below zero, fewer.
    pub amount: i64,
    /// What was left after it.
    pub balance: i64,
    /// Why: `granted`, `edit`, `edit failed`.
    pub reason: String,
    /// The edit it paid for.
    pub edit: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Whether somebody is there to have credits, and will be until the transaction ends.
pub(super) async fn is_active(tx: &mut Tx, owner: &Owner) -> Result<bool, Error> {
    let statement = crate::dialect!(tx, sqlite: ACTIVE_SQLITE, postgres: ACTIVE_POSTGRES);
    let row: Option<(String,)> = on!(tx, |c| sqlx::query_as(statement)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_optional(c)
        .await)?;
    Ok(row.is_some())
}

/// Whether a person's credits were changed for this reason.
pub(super) async fn has(tx: &mut Tx, owner: &Owner, reason: &str) -> Result<bool, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(HAS)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(reason)
        .fetch_one(c)
        .await)?;
    Ok(n > 0)
}

pub(super) async fn last(tx: &mut Tx, owner: &Owner) -> Result<Option<(i64, i64)>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(LAST)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_optional(c)
        .await)?)
}

pub(super) async fn insert(tx: &mut Tx, owner: &Owner, seq: i64, entry: &CreditEntry) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(&entry.id)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(entry.amount)
        .bind(entry.balance)
        .bind(&entry.reason)
        .bind(&entry.edit)
        .bind(seq)
        .bind(entry.at.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

type Row = (String, i64, i64, String, Option<String>, i64);

pub(super) async fn page(
    tx: &mut Tx,
    owner: &Owner,
    before: Option<&str>,
    most: i64,
) -> Result<Vec<CreditEntry>, Error> {
    let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(PAGE)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(before)
        .bind(most)
        .fetch_all(c)
        .await)?;
    let entry = |(id, amount, balance, reason, edit, at): Row| CreditEntry {
        id,
        amount,
        balance,
        reason,
        edit,
        at: Timestamp::from_micros(at),
    };
    Ok(rows.into_iter().map(entry).collect())
}

pub(super) async fn forget(tx: &mut Tx, owner: &Owner) -> Result<u64, Error> {
    Ok(on!(tx, |c| sqlx::query(FORGET)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?)
}
