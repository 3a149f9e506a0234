//! The register of disclosures against the ledger, the edits and people's words.

use crate::base::{EntryId, TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx, padding, with_list};

const SENT: &str = "SELECT processor, purpose, categories, COUNT(*), MIN(sent_at), MAX(sent_at) FROM disclosure \
    WHERE tenant = $1 AND sent_at >= $2 GROUP BY processor, purpose, categories";
const WITHOUT_ENTRY: &str = "SELECT (SELECT COUNT(*) FROM disclosure d WHERE d.tenant = $1 AND d.sent_at >= $2 AND NOT EXISTS \
    (SELECT 1 FROM ledger_entry l WHERE l.id = d.entry AND l.kind = 'disclosure.made')) \
    + (SELECT COUNT(*) FROM handover h WHERE h.tenant = $1 AND h.entered_at >= $2 AND NOT EXISTS \
    (SELECT 1 FROM ledger_entry l WHERE l.id = h.entry AND l.kind = 'disclosure.handed-over'))";
const ENTRIES_IN: &str = "SELECT entry FROM disclosure WHERE tenant = $1 AND entry IN ($list) \
    UNION ALL SELECT entry FROM handover WHERE tenant = $1 AND entry IN ($list)";
const EDITS_WITHOUT: &str = "SELECT e.provider, COUNT(*) FROM edit e WHERE e.tenant = $1 AND e.created_at >= $2 \
    AND e.provider_ref IS NOT NULL AND NOT EXISTS (SELECT 1 FROM disclosure d WHERE d.tenant = e.tenant AND d.edit = e.id) \
    GROUP BY e.provider";
const SENT_WHILE_OFF: &str = "SELECT COUNT(*) FROM disclosure d WHERE d.tenant = $1 AND d.purpose = $2 AND d.sent_at >= $3 \
    AND d.subject IS NOT NULL AND COALESCE((SELECT c.state FROM consent_event c WHERE c.tenant = d.tenant \
    AND c.subject = d.subject AND c.purpose = d.purpose AND c.at <= d.sent_at ORDER BY c.at DESC, c.id DESC LIMIT 1), $4) \
    <> 'given'";
const SENT_FOR: &str = "SELECT COUNT(*) FROM disclosure WHERE tenant = $1 AND purpose = $2 AND sent_at >= $3";
const HELD_THERE: &str = "SELECT processor, COUNT(*), \
    CAST(SUM(CASE WHEN delete_due < $2 THEN 1 ELSE 0 END) AS BIGINT) FROM disclosure \
    WHERE tenant = $1 AND deleted_at IS NULL GROUP BY processor";
const WRITTEN: &str = "SELECT COUNT(*) FROM ledger_entry WHERE id = $1";

/// What went to one processor for one purpose.
#[derive(Debug, Clone)]
pub(in crate::audit) struct Sent {
    pub(in crate::audit) processor: String,
    pub(in crate::audit) purpose: String,
    pub(in crate::audit) categories: String,
    pub(in crate::audit) count: i64,
    pub(in crate::audit) first: Timestamp,
    pub(in crate::audit) last: Timestamp,
}

pub(in crate::audit) async fn sent(
    tx: &mut Tx,
    tenant: &TenantId,
    since: Timestamp,
) -> Result<Vec<Sent>, Error> {
    let rows: Vec<(String, String, String, i64, i64, i64)> =
        on!(tx, |c| sqlx::query_as(SENT).bind(tenant.as_str()).bind(since.micros()).fetch_all(c).await)?;
    let sent = |(processor, purpose, categories, count, first, last)| Sent {
        processor,
        purpose,
        categories,
        count,
        first: Timestamp::from_micros(first),
        last: Timestamp::from_micros(last),
    };
    Ok(rows.into_iter().map(sent).collect())
}

/// Rows of the register for which the ledger has no entry.
pub(in crate::audit) async fn without_entry(
    tx: &mut Tx,
    tenant: &TenantId,
    since: Timestamp,
) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(WITHOUT_ENTRY)
        .bind(tenant.as_str())
        .bind(since.micros())
        .fetch_one(c)
        .await)?;
    Ok(n)
}

/// Those of some ledger entries that the register has a row for.
pub(in crate::audit) async fn registered(
    tx: &mut Tx,
    tenant: &TenantId,
    entries: &[String],
) -> Result<Vec<String>, Error> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(String,)> = on!(tx, |c| {
        let mut query = sqlx::query_as(with_list(ENTRIES_IN, entries.len())).bind(tenant.as_str().to_owned());
        for entry in padding(entries) {
            query = query.bind(entry.clone());
        }
        query.fetch_all(c).await
    })?;
    Ok(rows.into_iter().map(|(entry,)| entry).collect())
}

/// Edits that went to a provider and stand in no row of the register: provider, how many.
pub(in crate::audit) async fn edits_without(
    tx: &mut Tx,
    tenant: &TenantId,
    since: Timestamp,
) -> Result<Vec<(String, i64)>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(EDITS_WITHOUT)
        .bind(tenant.as_str())
        .bind(since.micros())
        .fetch_all(c)
        .await)?)
}

/// What went out for a purpose: how many, and how many of them while it was off for their owner.
pub(in crate::audit) async fn sent_for(
    tx: &mut Tx,
    tenant: &TenantId,
    (purpose, default_on): (&str, bool),
    since: Timestamp,
) -> Result<(i64, i64), Error> {
    let unsaid = if default_on { "given" } else { "none" };
    let (all,): (i64,) = on!(tx, |c| sqlx::query_as(SENT_FOR)
        .bind(tenant.as_str())
        .bind(purpose)
        .bind(since.micros())
        .fetch_one(c)
        .await)?;
    let (off,): (i64,) = on!(tx, |c| sqlx::query_as(SENT_WHILE_OFF)
        .bind(tenant.as_str())
        .bind(purpose)
        .bind(since.micros())
        .bind(unsaid)
        .fetch_one(c)
        .await)?;
    Ok((all, off))
}

/// Copies that are not known to be gone: processor, how many, how many past their time.
pub(in crate::audit) async fn held_there(
    tx: &mut Tx,
    tenant: &TenantId,
    now: Timestamp,
) -> Result<Vec<(String, i64, i64)>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(HELD_THERE).bind(tenant.as_str()).bind(now.micros()).fetch_all(c).await)?)
}

/// Whether the ledger's table holds an entry, in the eyes of this transaction.
pub(in crate::audit) async fn written(tx: &mut Tx, id: EntryId) -> Result<bool, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(WRITTEN).bind(id.to_string()).fetch_one(c).await)?;
    Ok(n > 0)
}
