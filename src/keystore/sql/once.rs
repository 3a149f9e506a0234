use crate::base::Timestamp;
use crate::on;
use crate::store::{Error, Tx, padding, with_list};

/// From the one that rows of a kind shared to the last of their own: what comes after a slash is before what comes after
/// a nought, in the order of bytes.
const NAMED: &str =
    "SELECT name, created_at FROM system_key WHERE name = $1 OR (name >= $2 AND name < $3) ORDER BY name";
const DELETE: &str = "DELETE FROM system_key WHERE name IN ($list)";

/// The keys of rows of a kind, and when each was made.
pub(in crate::keystore) async fn named(tx: &mut Tx, of: &str) -> Result<Vec<(String, Timestamp)>, Error> {
    let rows: Vec<(String, i64)> = on!(tx, |c| sqlx::query_as(NAMED)
        .bind(of)
        .bind(format!("{of}/"))
        .bind(format!("{of}0"))
        .fetch_all(c)
        .await)?;
    Ok(rows.into_iter().map(|(name, made)| (name, Timestamp::from_micros(made))).collect())
}

pub(in crate::keystore) async fn delete(tx: &mut Tx, names: &[String]) -> Result<u64, Error> {
    Ok(on!(tx, |c| {
        let mut query = sqlx::query(with_list(DELETE, names.len()));
        for name in padding(names) {
            query = query.bind(name.clone());
        }
        query.execute(c).await.map(|r| r.rows_affected())
    })?)
}
