use crate::base::{SubjectId, TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};
use crate::vault::Owner;

const CLOSE: &str = "UPDATE subject SET closed_at = $1 WHERE tenant = $2 AND id = $3 AND state = 'active' AND closed_at IS NULL";
const CLOSED: &str = "SELECT id, closed_at FROM subject WHERE tenant = $1 AND closed_at IS NOT NULL AND state = 'active' \
    ORDER BY closed_at, id";

pub(in crate::subjects) async fn close(tx: &mut Tx, owner: &Owner, now: Timestamp) -> Result<bool, Error> {
    let n = on!(tx, |c| sqlx::query(CLOSE)
        .bind(now.micros())
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(in crate::subjects) async fn closed(
    tx: &mut Tx,
    tenant: &TenantId,
) -> Result<Vec<(SubjectId, Timestamp)>, Error> {
    let rows: Vec<(String, i64)> =
        on!(tx, |c| sqlx::query_as(CLOSED).bind(tenant.as_str()).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(id, at)| {
            let id = id.parse().map_err(|_| Error::inconsistent("subject", "id"))?;
            Ok((id, Timestamp::from_micros(at)))
        })
        .collect()
}
