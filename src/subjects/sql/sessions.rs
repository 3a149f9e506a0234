use super::parse;
use crate::base::{SessionId, StaffId, SubjectId, TenantId, Timestamp};
use crate::policy::Role;
use crate::store::{Error, Tx};
use crate::subjects::{Session, SignedIn, StaffMember};
use crate::vault::Owner;
use crate::{change, on};

const INSERT_SESSION: &str = "INSERT INTO session (token_hash, id, tenant, subject, staff, created_at, proved_at, \
    last_seen_at, expires_at, factor_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)";
const SESSION: &str = "SELECT s.id, s.tenant, s.subject, s.staff, f.role, s.proved_at, s.created_at, s.last_seen_at, \
    s.expires_at, s.factor_at FROM session s LEFT JOIN subject p ON p.id = s.subject AND p.tenant = s.tenant \
    LEFT JOIN staff f ON f.id = s.staff AND f.tenant = s.tenant WHERE s.token_hash = $1 \
    AND ((s.subject IS NOT NULL AND p.state = 'active') OR (s.staff IS NOT NULL AND f.disabled_at IS NULL \
    AND f.id IS NOT NULL))";
const SEEN: &str = "UPDATE session SET last_seen_at = $1 WHERE token_hash = $2";
const END_SESSION: &str = "DELETE FROM session WHERE tenant = $1 AND id = $2";
const END_SESSIONS: &str = "DELETE FROM session WHERE tenant = $1 AND subject = $2";
const END_LINKS: &str = "DELETE FROM sign_in WHERE tenant = $1 AND subject = $2";
const END_STAFF_SESSIONS: &str = "DELETE FROM session WHERE tenant = $1 AND staff = $2";
const END_STAFF_LINKS: &str = "DELETE FROM sign_in WHERE tenant = $1 AND staff = $2";
const EXPIRE_SESSIONS: &str = "DELETE FROM session WHERE expires_at <= $1";
/// What a letter is to say is blanked when it went, or when it was seen that none goes.
const LAPSED: &str =
    "SELECT COUNT(*) FROM sign_in WHERE expires_at <= $1 AND sealed IS NOT NULL AND used_at IS NULL";
const EXPIRE_LINKS: &str = "DELETE FROM sign_in WHERE expires_at <= $1";

pub(in crate::subjects) async fn insert_session(
    tx: &mut Tx,
    hash: &[u8],
    session: &Session,
    expires_at: Timestamp,
) -> Result<(), Error> {
    let (subject, staff) = match &session.who {
        SignedIn::Subject(owner) => (Some(owner.subject.to_string()), None),
        SignedIn::Staff(staff) => (None, Some(staff.id.to_string())),
    };
    change!(
        tx,
        INSERT_SESSION,
        hash,
        session.id.to_string(),
        session.who.tenant().as_str(),
        subject,
        staff,
        session.created_at.micros(),
        session.proved_at.micros(),
        expires_at.micros(),
        session.factor_at.map(Timestamp::micros)
    )?;
    Ok(())
}

type SessionRow =
    (String, String, Option<String>, Option<String>, Option<String>, i64, i64, i64, i64, Option<i64>);

pub(in crate::subjects) async fn session(
    tx: &mut Tx,
    hash: &[u8],
) -> Result<Option<(Session, Timestamp, Timestamp)>, Error> {
    let row: Option<SessionRow> = on!(tx, |c| sqlx::query_as(SESSION).bind(hash).fetch_optional(c).await)?;
    let Some((id, tenant, subject, staff, role, proved, created, seen, expires, factor)) = row else {
        return Ok(None);
    };
    let bad = |column| Error::inconsistent("session", column);
    let tenant: TenantId = tenant.parse().map_err(|_| bad("tenant"))?;
    let subject: Option<SubjectId> = parse(subject.as_deref(), "session", "subject")?;
    let staff: Option<StaffId> = parse(staff.as_deref(), "session", "staff")?;
    let role: Option<Role> = parse(role.as_deref(), "staff", "role")?;
    let who = match (subject, staff, role) {
        (Some(id), None, _) => SignedIn::Subject(Owner::new(&tenant, id)),
        (None, Some(id), Some(role)) => SignedIn::Staff(StaffMember { id, tenant, role }),
        _ => return Err(bad("subject")),
    };
    let session = Session {
        id: id.parse().map_err(|_| bad("id"))?,
        who,
        proved_at: Timestamp::from_micros(proved),
        created_at: Timestamp::from_micros(created),
        factor_at: factor.map(Timestamp::from_micros),
    };
    Ok(Some((session, Timestamp::from_micros(seen), Timestamp::from_micros(expires))))
}

pub(in crate::subjects) async fn seen(tx: &mut Tx, hash: &[u8], now: Timestamp) -> Result<(), Error> {
    change!(tx, SEEN, now.micros(), hash)?;
    Ok(())
}

pub(in crate::subjects) async fn end_session(
    tx: &mut Tx,
    tenant: &TenantId,
    id: SessionId,
) -> Result<(), Error> {
    change!(tx, END_SESSION, tenant.as_str(), id.to_string())?;
    Ok(())
}

pub(in crate::subjects) async fn end_sessions(tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
    for statement in [END_SESSIONS, END_LINKS] {
        change!(tx, statement, owner.tenant.as_str(), owner.subject.to_string())?;
    }
    Ok(())
}

pub(in crate::subjects) async fn end_staff_sessions(
    tx: &mut Tx,
    tenant: &TenantId,
    id: StaffId,
) -> Result<(), Error> {
    for statement in [END_STAFF_SESSIONS, END_STAFF_LINKS] {
        change!(tx, statement, tenant.as_str(), id.to_string())?;
    }
    Ok(())
}

pub(in crate::subjects) async fn end_links(tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
    change!(tx, END_LINKS, owner.tenant.as_str(), owner.subject.to_string())?;
    Ok(())
}

/// How many links are over whose letter was never sent.
pub(in crate::subjects) async fn lapsed(tx: &mut Tx, now: Timestamp) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(LAPSED).bind(now.micros()).fetch_one(c).await)?;
    Ok(n)
}

pub(in crate::subjects) async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    let mut gone = 0;
    for statement in [EXPIRE_SESSIONS, EXPIRE_LINKS] {
        gone += change!(tx, statement, now.micros())?;
    }
    Ok(gone)
}
