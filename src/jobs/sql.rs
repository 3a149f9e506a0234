use crate::base::{RequestId, SubjectId, TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};

const OWED_ACKNOWLEDGED: &str = "SELECT r.id, r.subject, r.round FROM request r WHERE r.tenant = $1 AND r.subject IS NOT NULL \
    AND r.received_at > $2 AND NOT EXISTS (SELECT 1 FROM letter l WHERE l.tenant = r.tenant AND l.request = r.id \
    AND l.kind IN ('acknowledged', 'answered') AND (l.sent_at IS NOT NULL OR l.at > $3)) ORDER BY r.id LIMIT 100";
/// Whatever the request's age: an erasure can be set for a day long after it was asked for, when it is confirmed.
const OWED_SCHEDULED: &str = "SELECT r.id, r.subject, r.round FROM request r WHERE r.tenant = $1 AND r.subject IS NOT NULL \
    AND r.grace_until > $2 AND r.state = 'grace' AND NOT EXISTS (SELECT 1 FROM letter l WHERE l.tenant = r.tenant \
    AND l.request = r.id AND l.kind = 'scheduled' AND l.round = r.round AND (l.sent_at IS NOT NULL OR l.at > $3)) \
    ORDER BY r.id LIMIT 100";
const OWED_EXTENDED: &str = "SELECT r.id, r.subject, r.round FROM request r WHERE r.tenant = $1 AND r.subject IS NOT NULL \
    AND r.extended_at > $2 AND r.answered_at IS NULL AND r.closed_at IS NULL AND NOT EXISTS (SELECT 1 FROM letter l \
    WHERE l.tenant = r.tenant AND l.request = r.id AND l.kind = 'extended' AND l.round = r.round \
    AND (l.sent_at IS NOT NULL OR l.at > $3)) ORDER BY r.id LIMIT 100";
/// By when it was answered: one that was asked for long ago is answered all the same.
const OWED_ANSWERED: &str = "SELECT r.id, r.subject, r.round FROM request r WHERE r.tenant = $1 AND r.subject IS NOT NULL \
    AND r.answered_at > $2 AND NOT EXISTS (SELECT 1 FROM letter l WHERE l.tenant = r.tenant \
    AND l.request = r.id AND l.kind = 'answered' AND l.round = r.round AND (l.sent_at IS NOT NULL OR l.at > $3)) \
    ORDER BY r.id LIMIT 100";
const OWED_LAPSED: &str = "SELECT r.id, r.subject, r.round FROM request r WHERE r.tenant = $1 AND r.subject IS NOT NULL \
    AND r.closed_at > $2 AND r.state = 'withdrawn' AND r.outcome = 'lapsed' AND NOT EXISTS (SELECT 1 FROM letter l \
    WHERE l.tenant = r.tenant AND l.request = r.id AND l.kind = 'lapsed' AND l.round = r.round \
    AND (l.sent_at IS NOT NULL OR l.at > $3)) ORDER BY r.id LIMIT 100";
const TRY: &str = "INSERT INTO letter (tenant, request, kind, round, at) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (tenant, request, kind, round) DO UPDATE SET at = excluded.at WHERE letter.sent_at IS NULL AND letter.at <= $6";
const SENT: &str =
    "UPDATE letter SET sent_at = $1 WHERE tenant = $2 AND request = $3 AND kind = $4 AND round = $5";
const EXPIRE: &str = "DELETE FROM letter WHERE at < $1";

/// What a letter about a request says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Acknowledged,
    Scheduled,
    Extended,
    Answered,
    Lapsed,
}

impl Kind {
    pub(super) const ALL: [Self; 5] =
        [Self::Acknowledged, Self::Scheduled, Self::Extended, Self::Answered, Self::Lapsed];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Scheduled => "scheduled",
            Self::Extended => "extended",
            Self::Answered => "answered",
            Self::Lapsed => "lapsed",
        }
    }
}

/// Requests that give occasion for a letter of this kind since `since`, of which none was sent in their present round, and
/// nothing tried since `tried`.
pub(super) async fn owed(
    tx: &mut Tx,
    tenant: &TenantId,
    kind: Kind,
    (since, tried): (Timestamp, Timestamp),
) -> Result<Vec<(RequestId, SubjectId, i64)>, Error> {
    let statement = match kind {
        Kind::Acknowledged => OWED_ACKNOWLEDGED,
        Kind::Scheduled => OWED_SCHEDULED,
        Kind::Extended => OWED_EXTENDED,
        Kind::Answered => OWED_ANSWERED,
        Kind::Lapsed => OWED_LAPSED,
    };
    let rows: Vec<(String, String, i64)> = on!(tx, |c| sqlx::query_as(statement)
        .bind(tenant.as_str())
        .bind(since.micros())
        .bind(tried.micros())
        .fetch_all(c)
        .await)?;
    rows.into_iter()
        .map(|(id, subject, round)| {
            let id = id.parse().map_err(|_| Error::inconsistent("request", "id"))?;
            Ok((id, subject.parse().map_err(|_| Error::inconsistent("request", "subject"))?, round))
        })
        .collect()
}

/// A letter about a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) request: RequestId,
    pub(super) kind: Kind,
    /// How often the request had been taken up again.
    pub(super) round: i64,
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
        .bind(letter.round)
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
        .bind(letter.round)
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

pub(super) async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    Ok(on!(tx, |c| sqlx::query(EXPIRE).bind(before.micros()).execute(c).await.map(|r| r.rows_affected()))?)
}
