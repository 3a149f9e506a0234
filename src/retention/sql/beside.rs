//! What a tenant's tables beside the vault hold of people, of which the vault has no record.

use crate::base::{TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};

const BESIDE: &str = "SELECT 'credits', COUNT(*), MIN(at) FROM credit_entry WHERE tenant = $1 AND subject IS NOT NULL UNION ALL \
    SELECT 'consent-record', COUNT(*), MIN(at) FROM consent_event WHERE tenant = $1 AND subject IS NOT NULL UNION ALL \
    SELECT 'rights-request', COUNT(*), MIN(q.received_at) FROM request q WHERE q.tenant = $1 AND q.subject IS NOT NULL \
    AND NOT EXISTS (SELECT 1 FROM record r WHERE r.tenant = q.tenant AND r.parent = q.id) UNION ALL \
    SELECT 'edit-history', COUNT(*), MIN(e.created_at) FROM edit e WHERE e.tenant = $1 AND e.subject IS NOT NULL \
    AND NOT EXISTS (SELECT 1 FROM record r WHERE r.tenant = e.tenant AND r.parent = e.id \
    AND r.category = 'edit-history')";

/// Category, how many, and when the oldest came; what there is none of is left out.
pub(in crate::retention) async fn counts(
    tx: &mut Tx,
    tenant: &TenantId,
) -> Result<Vec<(String, i64, Option<Timestamp>)>, Error> {
    let rows: Vec<(String, i64, Option<i64>)> =
        on!(tx, |c| sqlx::query_as(BESIDE).bind(tenant.as_str()).fetch_all(c).await)?;
    let rows = rows.into_iter().filter(|(_, n, _)| *n > 0);
    Ok(rows.map(|(category, n, oldest)| (category, n, oldest.map(Timestamp::from_micros))).collect())
}
