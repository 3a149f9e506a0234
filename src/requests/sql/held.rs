//! How much tables beside the vault hold of a person, counted for the pages.

use crate::base::Timestamp;
use crate::on;
use crate::store::{Error, Tx};
use crate::vault::Owner;

/// Of a request and of an edit the vault has records too; what belongs to one is taken off, so that each counts once.
const BESIDE: &str = "SELECT 'credits', COUNT(*), MIN(at) FROM credit_entry WHERE tenant = $1 AND subject = $2 UNION ALL \
    SELECT 'consent-record', COUNT(*), MIN(at) FROM consent_event WHERE tenant = $1 AND subject = $2 UNION ALL \
    SELECT 'rights-request', COUNT(*), MIN(received_at) FROM request WHERE tenant = $1 AND subject = $2 UNION ALL \
    SELECT 'rights-request', 0 - COUNT(*), MIN(r.created_at) FROM record r WHERE r.tenant = $1 AND r.subject = $2 \
    AND r.category = 'rights-request' AND EXISTS (SELECT 1 FROM request q WHERE q.tenant = r.tenant \
    AND q.subject = r.subject AND q.id = r.parent) UNION ALL \
    SELECT 'edit-history', COUNT(*), MIN(created_at) FROM edit WHERE tenant = $1 AND subject = $2 UNION ALL \
    SELECT 'edit-history', 0 - COUNT(*), MIN(r.created_at) FROM record r WHERE r.tenant = $1 AND r.subject = $2 \
    AND r.category = 'edit-history' AND EXISTS (SELECT 1 FROM edit e WHERE e.tenant = r.tenant \
    AND e.subject = r.subject AND e.id = r.parent)";

/// Category, how many to add to what the vault counts, and when the oldest came.
pub(in crate::requests) async fn beside(
    tx: &mut Tx,
    owner: &Owner,
) -> Result<Vec<(String, i64, Option<Timestamp>)>, Error> {
    let rows: Vec<(String, i64, Option<i64>)> = on!(tx, |c| sqlx::query_as(BESIDE)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_all(c)
        .await)?;
    Ok(rows
        .into_iter()
        .map(|(category, n, oldest)| (category, n, oldest.map(Timestamp::from_micros)))
        .collect())
}
