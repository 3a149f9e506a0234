use crate::base::{RequestId, SubjectId, TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};

const OWED_ACKNOWLEDGED: &str = "SELECT r.id, r.subject FROM request r WHERE r.tenant = $1 AND r.subject IS NOT NULL \
    AND r.received_at > $2 AND NOT EXISTS (SELECT 1 FROM letter l WHERE l.tenant = r.tenant AND l.request = r.id \
    AND l.kind IN ('acknowledged', 'answered')) ORDER BY r.id LIMIT 100";
const OWED_SCHEDULED: &str = "SELECT r.id, r.subject FROM request r WHERE r.tenant = $1 AND r.subject IS NOT NULL \
    AND r.received_at > $2 AND r.state = 'grace' AND NOT EXISTS (SELECT 1 FROM letter l WHERE l.tenant = r.tenant \
    AND l.request = r.id AND l.kind = 'scheduled') ORDER BY r.id LIMIT 100";
const OWED_ANSWERED: &str = "SELECT r.id, r.subject FROM request r WHERE r.tenant = $1 AND r.subject IS NOT NULL \
    AND r.received_at > $2 AND r.answered_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM letter l WHERE l.tenant = r.tenant \
    AND l.request = r.id AND l.kind = 'answered') ORDER BY r.id LIMIT 100";
const SENT: &str = "INSERT INTO letter (tenant, request, kind, at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (tenant, request, kind) DO NOTHING";
const EXPIRE: &str = "DELETE FROM letter WHERE at < $1";

/// A letter about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Acknowledged,
    Scheduled,
    Answered,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Acknowledged, Self::Scheduled, Self::Answered];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Scheduled => "scheduled",
            Self::Answered => "answered",
        }
    }
}

/// Requests filed since `since` whose letter of this kind has not been sent.
pub(super) async fn owed(
    tx: &mut Tx,
    tenant: &TenantId,
    kind: Kind,
    since: Timestamp,
) -> Result<Vec<(RequestId, SubjectId)>, Error> {
    let statement = match kind {
        Kind::Acknowledged => OWED_ACKNOWLEDGED,
        Kind::Scheduled => OWED_SCHEDULED,
        Kind::Answered => OWED_ANSWERED,
    };
    let rows: Vec<(String, String)> =
        on!(tx, |c| sqlx::query_as(statement).bind(tenant.as_str()).bind(since.micros()).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(id, subject)| {
            let id = id.parse().map_err(|_| Error::inconsistent("request", "id"))?;
            Ok((id, subject.parse().map_err(|_| Error::inconsistent("request", "subject"))?))
        })
        .collect()
}

/// Notes that a letter is being sent. `false` when another was first.
pub(super) async fn sent(
    tx: &mut Tx,
    tenant: &TenantId,
    request: RequestId,
    kind: Kind,
    at: Timestamp,
) -> Result<bool, Error> {
    let n = on!(tx, |c| sqlx::query(SENT)
        .bind(tenant.as_str())
        .bind(request.to_string())
        .bind(kind.as_str())
        .bind(at.micros())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(super) async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    Ok(on!(tx, |c| sqlx::query(EXPIRE).bind(before.micros()).execute(c).await.map(|r| r.rows_affected()))?)
}
