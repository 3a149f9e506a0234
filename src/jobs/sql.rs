use crate::base::{AddressId, RequestId, SubjectId, TenantId, Timestamp};
use crate::store::{Error, Tx};
use crate::{change, on};

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
    AND r.closed_at > $2 AND r.state = 'withdrawn' AND r.outcome IN ('lapsed', 'agent-removed') AND NOT EXISTS (SELECT 1 FROM letter l \
    WHERE l.tenant = r.tenant AND l.request = r.id AND l.kind = 'lapsed' AND l.round = r.round \
    AND (l.sent_at IS NOT NULL OR l.at > $3)) ORDER BY r.id LIMIT 100";
/// By address: one that the account was moved away from has nothing coming to it that had gone out before the move, since it
/// went there.
const OWED_BEFORE: &str = "SELECT r.id, r.subject, r.round, m.id FROM request r JOIN address_move m ON m.tenant = r.tenant \
    AND m.subject = r.subject WHERE r.tenant = $1 AND r.asked = 'erasure' AND m.state = 'moved' AND m.sealed IS NOT NULL \
    AND m.ends_at > $2 AND (($3 = 'acknowledged' AND r.received_at > $4) \
    OR ($3 = 'scheduled' AND r.state = 'grace' AND r.grace_until > $4) \
    OR ($3 = 'extended' AND r.extended_at > $4 AND r.answered_at IS NULL AND r.closed_at IS NULL) \
    OR ($3 = 'answered' AND r.answered_at > $4) \
    OR ($3 = 'lapsed' AND r.closed_at > $4 AND r.state = 'withdrawn' AND r.outcome IN ('lapsed', 'agent-removed'))) \
    AND NOT EXISTS (SELECT 1 FROM letter l WHERE l.tenant = r.tenant AND l.request = r.id AND l.round = r.round \
    AND (l.kind = $3 OR ($3 = 'acknowledged' AND l.kind = 'answered')) AND l.sent_at < m.ends_at - $5) \
    AND NOT EXISTS (SELECT 1 FROM letter_before b WHERE b.tenant = r.tenant AND b.request = r.id AND b.moved = m.id \
    AND (b.kind = $3 OR ($3 = 'acknowledged' AND b.kind = 'answered')) AND b.round = r.round \
    AND (b.sent_at IS NOT NULL OR b.at > $6)) ORDER BY r.id, m.id LIMIT 100";
const TRY_BEFORE: &str = "INSERT INTO letter_before (tenant, request, kind, round, moved, at) VALUES ($1, $2, $3, $4, $5, $6) \
    ON CONFLICT (tenant, request, moved, kind, round) DO UPDATE SET at = excluded.at \
    WHERE letter_before.sent_at IS NULL AND letter_before.at <= $7";
const SENT_BEFORE: &str = "UPDATE letter_before SET sent_at = $1 WHERE tenant = $2 AND request = $3 AND kind = $4 \
    AND round = $5 AND moved = $6";
const EXPIRE_BEFORE: &str = "DELETE FROM letter_before WHERE at < $1";
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
    Ok(change!(
        tx,
        TRY,
        letter.tenant.as_str(),
        letter.request.to_string(),
        letter.kind.as_str(),
        letter.round,
        at.micros(),
        tried.micros()
    )? == 1)
}

/// Notes that the mail server took a letter: what the audit holds against what had to be told.
pub(super) async fn sent(tx: &mut Tx, letter: About<'_>, at: Timestamp) -> Result<(), Error> {
    change!(
        tx,
        SENT,
        at.micros(),
        letter.tenant.as_str(),
        letter.request.to_string(),
        letter.kind.as_str(),
        letter.round
    )?;
    Ok(())
}

/// A letter about an erasure that an address before is owed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    pub(super) request: RequestId,
    pub(super) subject: SubjectId,
    pub(super) round: i64,
    /// The change by which the account left that address.
    pub(super) moved: AddressId,
}

/// Letters of this kind about erasures that are owed to addresses before: as [`owed`], at this time, for addresses that are
/// kept for `hold`.
pub(super) async fn owed_before(
    tx: &mut Tx,
    (tenant, kind): (&TenantId, Kind),
    (now, hold): (Timestamp, chrono::TimeDelta),
    (since, tried): (Timestamp, Timestamp),
) -> Result<Vec<Before>, Error> {
    let rows: Vec<(String, String, i64, String)> = on!(tx, |c| sqlx::query_as(OWED_BEFORE)
        .bind(tenant.as_str())
        .bind(now.micros())
        .bind(kind.as_str())
        .bind(since.micros())
        .bind(hold.num_microseconds().unwrap_or(i64::MAX))
        .bind(tried.micros())
        .fetch_all(c)
        .await)?;
    rows.into_iter()
        .map(|(id, subject, round, moved)| {
            Ok(Before {
                request: id.parse().map_err(|_| Error::inconsistent("request", "id"))?,
                subject: subject.parse().map_err(|_| Error::inconsistent("request", "subject"))?,
                round,
                moved: moved.parse().map_err(|_| Error::inconsistent("address_move", "id"))?,
            })
        })
        .collect()
}

/// As [`try_now`], of a letter to the address before this change.
pub(super) async fn try_before(
    tx: &mut Tx,
    (letter, moved): (About<'_>, AddressId),
    (at, tried): (Timestamp, Timestamp),
) -> Result<bool, Error> {
    Ok(change!(
        tx,
        TRY_BEFORE,
        letter.tenant.as_str(),
        letter.request.to_string(),
        letter.kind.as_str(),
        letter.round,
        moved.to_string(),
        at.micros(),
        tried.micros()
    )? == 1)
}

/// As [`sent`], of a letter to the address before this change.
pub(super) async fn sent_before(
    tx: &mut Tx,
    (letter, moved): (About<'_>, AddressId),
    at: Timestamp,
) -> Result<(), Error> {
    change!(
        tx,
        SENT_BEFORE,
        at.micros(),
        letter.tenant.as_str(),
        letter.request.to_string(),
        letter.kind.as_str(),
        letter.round,
        moved.to_string()
    )?;
    Ok(())
}

/// Forgets notes of letters.
pub(super) async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    let mut n = 0;
    for statement in [EXPIRE, EXPIRE_BEFORE] {
        n += change!(tx, statement, before.micros())?;
    }
    Ok(n)
}
