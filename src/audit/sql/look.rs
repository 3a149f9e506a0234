//! What lies in the vault's tables, seen from outside the vault.

use crate::base::{TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};

const NEWEST_OBJECTS: &str = "SELECT id, subject, category, blob_key, cipher_len, meta, kfp FROM object \
    WHERE tenant = $1 AND state = 'live' ORDER BY id DESC LIMIT $2";
const SOME_OBJECTS: &str = "SELECT id, subject, category, blob_key, cipher_len, meta, kfp FROM object \
    WHERE tenant = $1 AND state = 'live' AND blob_key >= $2 ORDER BY blob_key LIMIT $3";
const OBJECT_LIVES: &str = "SELECT COUNT(*) FROM object WHERE tenant = $1 AND id = $2 AND state = 'live'";
const NEWEST_RECORDS: &str = "SELECT id, subject, revision, sealed, kfp FROM record WHERE tenant = $1 \
    ORDER BY id DESC LIMIT $2";
const SOME_RECORDS: &str = "SELECT id, subject, revision, sealed, kfp FROM record WHERE tenant = $1 AND id >= $2 \
    ORDER BY id LIMIT $3";
const RECORD_LIVES: &str = "SELECT COUNT(*) FROM record WHERE tenant = $1 AND id = $2 AND revision = $3";
const NEWEST_OF: &str =
    "SELECT id, subject FROM record WHERE tenant = $1 AND category = $2 ORDER BY id DESC LIMIT $3";

const OVERDUE: &str = "SELECT o.category, COALESCE(o.rule, ''), COUNT(*), MIN(o.due_at) FROM object o \
    WHERE o.tenant = $1 AND o.due_at <= $2 AND o.state = 'live' AND NOT EXISTS (SELECT 1 FROM hold h \
    WHERE h.tenant = o.tenant AND h.released_at IS NULL AND (h.subject IS NULL OR h.subject = o.subject) \
    AND (h.category IS NULL OR h.category = o.category)) GROUP BY o.category, o.rule UNION ALL \
    SELECT r.category, COALESCE(r.rule, ''), COUNT(*), MIN(r.due_at) FROM record r \
    WHERE r.tenant = $1 AND r.due_at <= $2 AND NOT EXISTS (SELECT 1 FROM hold h \
    WHERE h.tenant = r.tenant AND h.released_at IS NULL AND (h.subject IS NULL OR h.subject = r.subject) \
    AND (h.category IS NULL OR h.category = r.category)) GROUP BY r.category, r.rule";

const NOBODYS: &str = "SELECT (SELECT COUNT(*) FROM object o WHERE o.tenant = $1 AND o.state = 'live' AND NOT EXISTS \
    (SELECT 1 FROM subject s WHERE s.tenant = o.tenant AND s.id = o.subject)) + (SELECT COUNT(*) FROM record r \
    WHERE r.tenant = $1 AND NOT EXISTS (SELECT 1 FROM subject s WHERE s.tenant = r.tenant AND s.id = r.subject))";
const UNUSED: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN s.warned_at <= $3 THEN 1 ELSE 0 END), 0) AS BIGINT) \
    FROM subject s WHERE s.tenant = $1 AND s.state = 'active' AND s.restricted_at IS NULL AND s.last_active_at < $2 AND NOT EXISTS (SELECT 1 FROM hold h \
    WHERE h.tenant = s.tenant AND h.released_at IS NULL AND (h.subject IS NULL OR h.subject = s.id))";

const STALE_ARRIVALS: &str =
    "SELECT COUNT(*) FROM object WHERE tenant = $1 AND state = 'arriving' AND expires_at < $2";
const OUTLIVING: &str = "SELECT COUNT(*) FROM object o JOIN edit e ON e.tenant = o.tenant AND e.id = o.parent \
    WHERE o.tenant = $1 AND o.state = 'live' AND o.due_at < $2 AND e.ended_at IS NOT NULL AND NOT EXISTS \
    (SELECT 1 FROM hold h WHERE h.tenant = o.tenant AND h.released_at IS NULL \
    AND (h.subject IS NULL OR h.subject = o.subject) AND (h.category IS NULL OR h.category = o.category))";
const UNBURIED: &str =
    "SELECT COUNT(*) FROM blob_grave WHERE tenant = $1 AND deletions = 0 AND buried_at < $2";
const ENDED_EDITS: &str = "SELECT COUNT(*) FROM edit WHERE tenant = $1 AND ended_at >= $2";

const WITHOUT_CONSENT: &str = "SELECT r.id FROM record r WHERE r.tenant = $1 AND r.category = $2 AND r.created_at >= $3 \
    AND COALESCE((SELECT c.state FROM consent_event c WHERE c.tenant = r.tenant AND c.subject = r.subject \
    AND c.purpose = $4 AND c.at <= r.created_at ORDER BY c.at DESC, c.id DESC LIMIT 1), 'none') <> 'given' LIMIT 500";
const AGAINST_OBJECTION: &str = "SELECT r.id FROM record r WHERE r.tenant = $1 AND r.category = $2 AND r.created_at >= $3 \
    AND COALESCE((SELECT c.state FROM consent_event c WHERE c.tenant = r.tenant AND c.subject = r.subject \
    AND c.purpose = $4 AND c.at <= r.created_at ORDER BY c.at DESC, c.id DESC LIMIT 1), 'given') <> 'given' LIMIT 500";
const MADE_SINCE: &str =
    "SELECT COUNT(*) FROM record WHERE tenant = $1 AND category = $2 AND created_at >= $3";

const REQUESTS: &str = "SELECT asked, \
    CAST(SUM(CASE WHEN answered_at IS NULL AND closed_at IS NULL AND state <> 'identity-pending' THEN 1 ELSE 0 END) AS BIGINT), \
    CAST(SUM(CASE WHEN answered_at IS NULL AND closed_at IS NULL AND state <> 'identity-pending' \
    AND promise_due < $2 THEN 1 ELSE 0 END) AS BIGINT), \
    CAST(SUM(CASE WHEN answered_at IS NULL AND closed_at IS NULL AND state <> 'identity-pending' AND promise_due >= $2 AND promise_due < $3 \
    THEN 1 ELSE 0 END) AS BIGINT), \
    CAST(SUM(CASE WHEN answered_at >= $4 THEN 1 ELSE 0 END) AS BIGINT), \
    CAST(SUM(CASE WHEN (answered_at >= $4 AND answered_at > promise_due) \
    OR (first_answered_at >= $4 AND first_answered_at > first_promise_due) THEN 1 ELSE 0 END) AS BIGINT) \
    FROM request WHERE tenant = $1 GROUP BY asked";
const STAFF: &str = "SELECT id, role FROM staff WHERE tenant = $1";

/// A picture's row.
#[derive(Debug, Clone)]
pub(in crate::audit) struct ObjectRow {
    pub(in crate::audit) id: String,
    pub(in crate::audit) subject: String,
    pub(in crate::audit) category: String,
    pub(in crate::audit) blob_key: String,
    pub(in crate::audit) cipher_len: Option<i64>,
    pub(in crate::audit) meta: Option<Vec<u8>>,
    pub(in crate::audit) kfp: Option<Vec<u8>>,
}

/// A record's row.
#[derive(Debug, Clone)]
pub(in crate::audit) struct RecordRow {
    pub(in crate::audit) id: String,
    pub(in crate::audit) subject: String,
    pub(in crate::audit) revision: i64,
    pub(in crate::audit) sealed: Vec<u8>,
    pub(in crate::audit) kfp: Vec<u8>,
}

type Object = (String, String, String, String, Option<i64>, Option<Vec<u8>>, Option<Vec<u8>>);
type Record = (String, String, i64, Vec<u8>, Vec<u8>);

/// The newest pictures, and some from anywhere: those whose names come after `from`.
pub(in crate::audit) async fn objects(
    tx: &mut Tx,
    tenant: &TenantId,
    from: &str,
    each: i64,
) -> Result<Vec<ObjectRow>, Error> {
    let newest: Vec<Object> =
        on!(tx, |c| sqlx::query_as(NEWEST_OBJECTS).bind(tenant.as_str()).bind(each).fetch_all(c).await)?;
    let some: Vec<Object> = on!(tx, |c| sqlx::query_as(SOME_OBJECTS)
        .bind(tenant.as_str())
        .bind(from)
        .bind(each)
        .fetch_all(c)
        .await)?;
    let mut rows: Vec<ObjectRow> = newest
        .into_iter()
        .chain(some)
        .map(|(id, subject, category, blob_key, cipher_len, meta, kfp)| ObjectRow {
            id,
            subject,
            category,
            blob_key,
            cipher_len,
            meta,
            kfp,
        })
        .collect();
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    rows.dedup_by(|a, b| a.id == b.id);
    Ok(rows)
}

/// The newest records, and some from anywhere: those whose ids come after `from`.
pub(in crate::audit) async fn records(
    tx: &mut Tx,
    tenant: &TenantId,
    from: &str,
    each: i64,
) -> Result<Vec<RecordRow>, Error> {
    let newest: Vec<Record> =
        on!(tx, |c| sqlx::query_as(NEWEST_RECORDS).bind(tenant.as_str()).bind(each).fetch_all(c).await)?;
    let some: Vec<Record> = on!(tx, |c| sqlx::query_as(SOME_RECORDS)
        .bind(tenant.as_str())
        .bind(from)
        .bind(each)
        .fetch_all(c)
        .await)?;
    let mut rows: Vec<RecordRow> = newest
        .into_iter()
        .chain(some)
        .map(|(id, subject, revision, sealed, kfp)| RecordRow { id, subject, revision, sealed, kfp })
        .collect();
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    rows.dedup_by(|a, b| a.id == b.id);
    Ok(rows)
}

pub(in crate::audit) async fn object_lives(tx: &mut Tx, tenant: &TenantId, id: &str) -> Result<bool, Error> {
    let (n,): (i64,) =
        on!(tx, |c| sqlx::query_as(OBJECT_LIVES).bind(tenant.as_str()).bind(id).fetch_one(c).await)?;
    Ok(n > 0)
}

pub(in crate::audit) async fn record_lives(
    tx: &mut Tx,
    tenant: &TenantId,
    id: &str,
    revision: i64,
) -> Result<bool, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(RECORD_LIVES)
        .bind(tenant.as_str())
        .bind(id)
        .bind(revision)
        .fetch_one(c)
        .await)?;
    Ok(n > 0)
}

/// The newest records of a category: id and whose.
pub(in crate::audit) async fn newest_of(
    tx: &mut Tx,
    tenant: &TenantId,
    category: &str,
    most: i64,
) -> Result<Vec<(String, String)>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(NEWEST_OF)
        .bind(tenant.as_str())
        .bind(category)
        .bind(most)
        .fetch_all(c)
        .await)?)
}

/// What is past its time and under no hold: category, rule, how many, since when.
pub(in crate::audit) async fn overdue(
    tx: &mut Tx,
    tenant: &TenantId,
    now: Timestamp,
) -> Result<Vec<(String, String, i64, Option<i64>)>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(OVERDUE).bind(tenant.as_str()).bind(now.micros()).fetch_all(c).await)?)
}

/// How many things belong to nobody who has an account.
pub(in crate::audit) async fn nobodys(tx: &mut Tx, tenant: &TenantId) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(NOBODYS).bind(tenant.as_str()).fetch_one(c).await)?;
    Ok(n)
}

/// Accounts under no hold and no restriction that nobody used since a moment; and those of them that were last warned before another.
pub(in crate::audit) async fn unused(
    tx: &mut Tx,
    tenant: &TenantId,
    since: Timestamp,
    warned: Timestamp,
) -> Result<(i64, i64), Error> {
    Ok(on!(tx, |c| sqlx::query_as(UNUSED)
        .bind(tenant.as_str())
        .bind(since.micros())
        .bind(warned.micros())
        .fetch_one(c)
        .await)?)
}

/// What a temporary can be.
#[derive(Debug, Clone, Copy)]
pub(in crate::audit) enum Temporary {
    /// An upload that never landed.
    Arrival,
    /// A picture that its edit's end should have ended.
    Outliving,
    /// Bytes whose key is gone.
    Unburied,
    /// None: the edits that ended, for the figure.
    EndedEdits,
}

pub(in crate::audit) async fn temporaries(
    tx: &mut Tx,
    tenant: &TenantId,
    what: Temporary,
    at: Timestamp,
) -> Result<i64, Error> {
    let statement = match what {
        Temporary::Arrival => STALE_ARRIVALS,
        Temporary::Outliving => OUTLIVING,
        Temporary::Unburied => UNBURIED,
        Temporary::EndedEdits => ENDED_EDITS,
    };
    let (n,): (i64,) =
        on!(tx, |c| sqlx::query_as(statement).bind(tenant.as_str()).bind(at.micros()).fetch_one(c).await)?;
    Ok(n)
}

/// Records of a category made since `since`, though the purpose was off for their owner at that moment; 500 at most.
pub(in crate::audit) async fn made_while_off(
    tx: &mut Tx,
    tenant: &TenantId,
    (category, purpose, default_on): (&str, &str, bool),
    since: Timestamp,
) -> Result<Vec<String>, Error> {
    let statement = if default_on { AGAINST_OBJECTION } else { WITHOUT_CONSENT };
    let rows: Vec<(String,)> = on!(tx, |c| sqlx::query_as(statement)
        .bind(tenant.as_str())
        .bind(category)
        .bind(since.micros())
        .bind(purpose)
        .fetch_all(c)
        .await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(in crate::audit) async fn made_since(
    tx: &mut Tx,
    tenant: &TenantId,
    category: &str,
    since: Timestamp,
) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(MADE_SINCE)
        .bind(tenant.as_str())
        .bind(category)
        .bind(since.micros())
        .fetch_one(c)
        .await)?;
    Ok(n)
}

/// How the requests of one right stand.
#[derive(Debug, Clone)]
pub(in crate::audit) struct Asked {
    pub(in crate::audit) right: String,
    pub(in crate::audit) open: i64,
    pub(in crate::audit) late: i64,
    pub(in crate::audit) near: i64,
    pub(in crate::audit) answered: i64,
    pub(in crate::audit) answered_late: i64,
}

pub(in crate::audit) async fn requests(
    tx: &mut Tx,
    tenant: &TenantId,
    (now, near, since): (Timestamp, Timestamp, Timestamp),
) -> Result<Vec<Asked>, Error> {
    let rows: Vec<(String, i64, i64, i64, i64, i64)> = on!(tx, |c| sqlx::query_as(REQUESTS)
        .bind(tenant.as_str())
        .bind(now.micros())
        .bind(near.micros())
        .bind(since.micros())
        .fetch_all(c)
        .await)?;
    let asked = |(right, open, late, near, answered, answered_late)| Asked {
        right,
        open,
        late,
        near,
        answered,
        answered_late,
    };
    Ok(rows.into_iter().map(asked).collect())
}

/// A tenant's staff, past and present: id and role.
pub(in crate::audit) async fn staff(tx: &mut Tx, tenant: &TenantId) -> Result<Vec<(String, String)>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(STAFF).bind(tenant.as_str()).fetch_all(c).await)?)
}
