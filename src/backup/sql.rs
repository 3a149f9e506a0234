use crate::base::Timestamp;
use crate::on;
use crate::store::{Error, Tx};

const OPEN: &str = "SELECT id FROM restoration WHERE done_at IS NULL ORDER BY begun_at LIMIT 1";
const BEGIN: &str = "INSERT INTO restoration (id, why, begun_at, ledger_from) VALUES ($1, $2, $3, $4)";
const END: &str = "UPDATE restoration SET done_at = $1, ledger_to = $2, counts = $3 WHERE done_at IS NULL";

/// The restoration under way.
pub(super) async fn open(tx: &mut Tx) -> Result<Option<String>, Error> {
    let row: Option<(String,)> = on!(tx, |c| sqlx::query_as(OPEN).fetch_optional(c).await)?;
    Ok(row.map(|(id,)| id))
}

pub(super) async fn begin(tx: &mut Tx, id: &str, why: &str, at: Timestamp, size: u64) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(BEGIN)
        .bind(id)
        .bind(why)
        .bind(at.micros())
        .bind(i64::try_from(size).unwrap_or(i64::MAX))
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// Ends every restoration under way. `false` when another replica was first.
pub(super) async fn end(tx: &mut Tx, at: Timestamp, size: u64, counts: &str) -> Result<bool, Error> {
    Ok(on!(tx, |c| sqlx::query(END)
        .bind(at.micros())
        .bind(i64::try_from(size).unwrap_or(i64::MAX))
        .bind(counts)
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?
        > 0)
}
