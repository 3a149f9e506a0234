use crate::base::{RequestId, SubjectId, TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};

const OWED_ACKNOWLEDGED: &str = "SELECT r.id, r.subject FROM request r WHERE r.tenant = $1 AND r.subject IS NOT NULL \
    AND r.received_at > $2 AND NOT EXISTS (SELECT 1 FROM letter l WHERE l.tenant = r.tenant AND l.request = r.id \
    AND l.kind IN ('acknowledged', 'answered') AND (l.sent_at IS NOT NULL OR l.at > $3)) ORDER BY r.id LIMIT 100";
const OWED_SCHEDULED: &str = "SELECT r.id, r.subject FROM request r WHERE r.tenant = $1 AND r.subject IS NOT NULL \
    AND r.received_at > $2 AND r.state = 'grace' AND NOT EXISTS (SELECT 1 FROM letter l WHERE l.tenant = r.tenant \
    AND l.request = r.id AND l.kind = 'scheduled' AND (l.sent_at IS NOT NULL OR l.at > $3)) ORDER BY r.id LIMIT 100";
const OWED_ANSWERED: &str = "SELECT r.id, r.subject FROM request r WHERE r.tenant = $1 AND r.subject IS NOT NULL \
    AND r.received_at > $2 AND r.answered_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM letter l WHERE l.tenant = r.tenant \
    AND l.request = r.id AND l.kind = 'answered' AND (l.sent_at IS NOT NULL OR l.at > $3)) ORDER BY r.id LIMIT 100";
const TRY: &str = "INSERT INTO letter (tenant, request, kind, at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (tenant, request, kind) DO UPDATE SET at = excluded.at WHERE letter.sent_at IS NULL AND letter.at <= $5";
const SENT: &str = "UPDATE letter SET sent_at = $1 WHERE tenant = $2 AND request = $3 AND kind = $4";
const EXPIRE: &str = "DELETE FROM letter WHERE at < $1";

/// What a letter about a request says.
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

/// Requests filed since `since` of whose letter of this kind nothing was sent, and nothing tried since `tried`.
pub(super) async fn owed(
    tx: &mut Tx,
    tenant: &TenantId,
    kind: Kind,
    (since, tried): (Timestamp, Timestamp),
) -> Result<Vec<(RequestId, SubjectId)>, Error> {
    let statement = match kind {
        Kind::Acknowledged => OWED_ACKNOWLEDGED,
        Kind::Scheduled => OWED_SCHEDULED,
        Kind::Answered => OWED_ANSWERED,
    };
    let rows: Vec<(String, String)> = on!(tx, |c| sqlx::query_as(statement)
        .bind(tenant.as_str())
        .bind(since.micros())
        .bind(tried.micros())
        .fetch_all(c)
        .await)?;
    rows.into_iter()
        .map(|(id, subject)| {
            let id = id.parse().map_err(|_| Error::inconsistent("request", "id"))?;
            Ok((id, subject.parse().map_err(|_| Error::inconsistent("request", "subject"))?))
        })
        .collect()
}

/// A letter about a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) request: RequestId,
    pub(super) kind: Kind,
}

/// Notes that a letter is about to be sent. `false` when another has sent it, or tried since `tried`.
pub(super) async fn try_now(
    tx: &mut Tx,
    letter: About<'_>,
    (at, tried): (Timestamp, Timestamp),
) -> Result<bool, Error> {
    let n = on!(tx, |c| sqlx::query(TRY)
        .bind(letter.tenant.as_str())
        .bind(letter.request.to_string())
        .bind(letter.kind.as_str())
        .bind(at.micros())
        .bind(tried.micros())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// Notes that the mail server took a letter: what the audit holds against what had to be told.
pub(super) async fn sent(tx: &mut Tx, letter: About<'_>, at: Timestamp) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(SENT)
        .bind(at.micros())
        .bind(letter.tenant.as_str())
        .bind(letter.request.to_string())
        .bind(letter.kind.as_str())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

pub(super) async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    Ok(on!(tx, |c| sqlx::query(EXPIRE).bind(before.micros()).execute(c).await.map(|r| r.rows_affected()))?)
}
