use super::Word;
use crate::base::{EntryId, SubjectId, TenantId, Timestamp};
use crate::on;
use crate::store::{Error, Tx};
use crate::vault::Owner;

const INSERT: &str = "INSERT INTO consent_event (id, tenant, subject, purpose, state, at, method, policy_version, notice_hash, \
    receipt) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const LATEST: &str = "SELECT purpose, state, at, method, policy_version, receipt FROM consent_event \
    WHERE tenant = $1 AND subject = $2 AND purpose = $3 ORDER BY at DESC, id DESC LIMIT 1";
const AT: &str = "SELECT purpose, state, at, method, policy_version, receipt FROM consent_event \
    WHERE tenant = $1 AND subject = $2 AND purpose = $3 AND at <= $4 ORDER BY at DESC, id DESC LIMIT 1";
const HISTORY: &str = "SELECT purpose, state, at, method, policy_version, receipt FROM consent_event \
    WHERE tenant = $1 AND subject = $2 ORDER BY at DESC, id DESC LIMIT 1000";

const KNOWN: &str = "SELECT COUNT(*) FROM consent_event WHERE tenant = $1 AND subject = $2 AND receipt = $3";

const GIVERS: &str = "SELECT DISTINCT subject FROM consent_event WHERE tenant = $1 AND purpose = $2 AND state = 'given' \
    AND subject > $3 ORDER BY subject LIMIT $4";

type Row = (String, String, i64, String, String, Option<String>);

fn word(row: Row) -> Result<(String, Word), Error> {
    let (purpose, state, at, method, policy_version, entry) = row;
    let word = Word {
        state: state.parse().map_err(|()| Error::inconsistent("consent_event", "state"))?,
        at: Timestamp::from_micros(at),
        method,
        policy_version,
        entry: entry
            .map(|e| e.parse())
            .transpose()
            .map_err(|_| Error::inconsistent("consent_event", "receipt"))?,
    };
    Ok((purpose, word))
}

pub(super) async fn insert(
    tx: &mut Tx,
    owner: &Owner,
    purpose: &str,
    id: EntryId,
    word: &Word,
    notice: &[u8],
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(id.to_string())
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(purpose)
        .bind(word.state.as_str())
        .bind(word.at.micros())
        .bind(&word.method)
        .bind(&word.policy_version)
        .bind(notice)
        .bind(word.entry.map(|e| e.to_string()))
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// Whether the word that this entry proves is there.
pub(super) async fn is_known(tx: &mut Tx, owner: &Owner, entry: EntryId) -> Result<bool, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(KNOWN)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(entry.to_string())
        .fetch_one(c)
        .await)?;
    Ok(n > 0)
}

pub(super) async fn latest(tx: &mut Tx, owner: &Owner, purpose: &str) -> Result<Option<Word>, Error> {
    let row: Option<Row> = on!(tx, |c| sqlx::query_as(LATEST)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(purpose)
        .fetch_optional(c)
        .await)?;
    Ok(row.map(word).transpose()?.map(|(_, w)| w))
}

pub(super) async fn at(
    tx: &mut Tx,
    owner: &Owner,
    purpose: &str,
    when: Timestamp,
) -> Result<Option<Word>, Error> {
    let row: Option<Row> = on!(tx, |c| sqlx::query_as(AT)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(purpose)
        .bind(when.micros())
        .fetch_optional(c)
        .await)?;
    Ok(row.map(word).transpose()?.map(|(_, w)| w))
}

pub(super) async fn history(tx: &mut Tx, owner: &Owner) -> Result<Vec<(String, Word)>, Error> {
    let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(HISTORY)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_all(c)
        .await)?;
    rows.into_iter().map(word).collect()
}

/// People who ever said yes to a purpose, in the order of their ids.
pub(super) async fn givers(
    tx: &mut Tx,
    tenant: &TenantId,
    purpose: &str,
    after: Option<SubjectId>,
    most: i64,
) -> Result<Vec<SubjectId>, Error> {
    let rows: Vec<(String,)> = on!(tx, |c| sqlx::query_as(GIVERS)
        .bind(tenant.as_str())
        .bind(purpose)
        .bind(after.map_or(String::new(), |s| s.to_string()))
        .bind(most)
        .fetch_all(c)
        .await)?;
    let id = |(s,): (String,)| s.parse().map_err(|_| Error::inconsistent("consent_event", "subject"));
    rows.into_iter().map(id).collect()
}
