use super::objects::Start;
use super::{Error, Item, Owner, Standing, sql};
use crate::base::Timestamp;
use crate::crypto::Fingerprint;
use crate::on;
use crate::policy::{Fact, Facts};
use crate::store::{self, Tx};

/// Facts as stored: one JSON object of names and microseconds.
pub(super) fn facts_text(facts: &Facts) -> String {
    let map: serde_json::Map<String, serde_json::Value> =
        facts.iter().map(|(fact, at)| (fact.as_str().to_owned(), at.micros().into())).collect();
    serde_json::Value::Object(map).to_string()
}

pub(super) fn facts(text: &str, table: &'static str) -> Result<Facts, store::Error> {
    let bad = || store::Error::inconsistent(table, "facts");
    let map: std::collections::BTreeMap<String, i64> = serde_json::from_str(text).map_err(|_| bad())?;
    map.into_iter()
        .map(|(name, at)| Ok((name.parse::<Fact>().map_err(|_| bad())?, Timestamp::from_micros(at))))
        .collect()
}

pub(super) struct RecordRow {
    pub(super) id: String,
    pub(super) category: String,
    pub(super) name: String,
    pub(super) revision: i64,
    pub(super) sealed: Vec<u8>,
    pub(super) updated_at: Timestamp,
    pub(super) item: Item,
}

pub(super) struct ObjectRow {
    pub(super) id: String,
    pub(super) category: String,
    pub(super) blob_key: String,
    pub(super) cipher_len: u64,
    pub(super) meta: Vec<u8>,
    pub(super) kfp: Fingerprint,
    pub(super) item: Item,
}

macro_rules! get {
    ($row:expr, $column:literal) => {
        sqlx::Row::try_get(&$row, $column)?
    };
}

/// Names of rules as stored: with spaces between.
pub(super) fn names(text: &str) -> Vec<String> {
    text.split_whitespace().map(ToOwned::to_owned).collect()
}

macro_rules! item {
    ($row:expr, $table:literal, $done:expr) => {{
        let text: String = get!($row, "facts");
        let created: i64 = get!($row, "created_at");
        let due: Option<i64> = get!($row, "due_at");
        Item {
            parent: get!($row, "parent"),
            facts: facts(&text, $table)?,
            policy_version: get!($row, "policy_version"),
            rule: get!($row, "rule"),
            done: $done,
            created_at: Timestamp::from_micros(created),
            due_at: due.map(Timestamp::from_micros),
        }
    }};
}

macro_rules! record_row {
    ($row:expr) => {{
        let row = $row;
        let updated: i64 = get!(row, "updated_at");
        let done: String = get!(row, "done");
        Ok::<_, Error>(RecordRow {
            id: get!(row, "id"),
            category: get!(row, "category"),
            name: get!(row, "name"),
            revision: get!(row, "revision"),
            sealed: get!(row, "sealed"),
            updated_at: Timestamp::from_micros(updated),
            item: item!(row, "record", names(&done)),
        })
    }};
}

macro_rules! object_row {
    ($row:expr) => {{
        let row = $row;
        let kfp: Vec<u8> = get!(row, "kfp");
        let cipher_len: i64 = get!(row, "cipher_len");
        Ok::<_, Error>(ObjectRow {
            id: get!(row, "id"),
            category: get!(row, "category"),
            blob_key: get!(row, "blob_key"),
            cipher_len: u64::try_from(cipher_len)
                .map_err(|_| store::Error::inconsistent("object", "cipher_len"))?,
            meta: get!(row, "meta"),
            kfp: Fingerprint::from_slice(&kfp).ok_or(store::Error::inconsistent("object", "kfp"))?,
            item: item!(row, "object", Vec::new()),
        })
    }};
}

pub(super) async fn record(tx: &mut Tx, owner: &Owner, id: &str) -> Result<Option<RecordRow>, Error> {
    let row = on!(tx, |c| sqlx::query(sql::RECORD)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(id)
        .fetch_optional(c)
        .await?
        .map(|r| record_row!(r))
        .transpose())?;
    Ok(row)
}

/// Holds a record at a revision until the transaction ends. `false` when it is another by now.
pub(super) async fn hold_record(tx: &mut Tx, owner: &Owner, id: &str, revision: i64) -> Result<bool, Error> {
    let held = on!(tx, |c| sqlx::query(sql::HOLD_RECORD)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(id)
        .bind(revision)
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(held == 1)
}

pub(super) async fn record_named(
    tx: &mut Tx,
    owner: &Owner,
    category: &str,
    name: &str,
) -> Result<Option<RecordRow>, Error> {
    let row = on!(tx, |c| sqlx::query(sql::RECORD_NAMED)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(category)
        .bind(name)
        .fetch_optional(c)
        .await?
        .map(|r| record_row!(r))
        .transpose())?;
    Ok(row)
}

pub(super) async fn records(
    tx: &mut Tx,
    owner: &Owner,
    category: &str,
    after: &str,
    most: i64,
) -> Result<Vec<RecordRow>, Error> {
    let rows = on!(tx, |c| sqlx::query(sql::RECORDS)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(category)
        .bind(after)
        .bind(most)
        .fetch_all(c)
        .await?
        .into_iter()
        .map(|r| record_row!(r))
        .collect::<Result<Vec<_>, _>>())?;
    Ok(rows)
}

pub(super) async fn records_of(tx: &mut Tx, owner: &Owner, parent: &str) -> Result<Vec<RecordRow>, Error> {
    let rows = on!(tx, |c| sqlx::query(sql::RECORDS_OF)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(parent)
        .fetch_all(c)
        .await?
        .into_iter()
        .map(|r| record_row!(r))
        .collect::<Result<Vec<_>, _>>())?;
    Ok(rows)
}

pub(super) async fn object(tx: &mut Tx, owner: &Owner, id: &str) -> Result<Option<ObjectRow>, Error> {
    let row = on!(tx, |c| sqlx::query(sql::OBJECT)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(id)
        .fetch_optional(c)
        .await?
        .map(|r| object_row!(r))
        .transpose())?;
    Ok(row)
}

pub(super) async fn objects(
    tx: &mut Tx,
    owner: &Owner,
    category: &str,
    from: Start<'_>,
    most: i64,
) -> Result<Vec<ObjectRow>, Error> {
    let (statement, from) = match from {
        Start::Oldest(after) => (sql::OBJECTS, Some(after)),
        Start::Newest(before) => (sql::OBJECTS_NEWEST, before),
    };
    let rows = on!(tx, |c| sqlx::query(statement)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(category)
        .bind(from)
        .bind(most)
        .fetch_all(c)
        .await?
        .into_iter()
        .map(|r| object_row!(r))
        .collect::<Result<Vec<_>, _>>())?;
    Ok(rows)
}

pub(super) async fn standing(tx: &mut Tx, owner: &Owner) -> Result<Option<Standing>, Error> {
    standing_by(tx, owner, sql::STANDING).await
}

/// How one stands in whose name a law keeps records.
pub(super) async fn holder(tx: &mut Tx, owner: &Owner) -> Result<Option<Standing>, Error> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(sql::HOLDER)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(since,)| Standing {
        generation: 0,
        erasing: false,
        restricted_at: Some(Timestamp::from_micros(since)),
        closed_at: Some(Timestamp::from_micros(since)),
    }))
}

/// As [`standing`], and so until the transaction ends.
pub(super) async fn standing_held(tx: &mut Tx, owner: &Owner) -> Result<Option<Standing>, Error> {
    let statement = crate::dialect!(tx, sqlite: sql::STANDING, postgres: sql::STANDING_HELD_POSTGRES);
    standing_by(tx, owner, statement).await
}

async fn standing_by(tx: &mut Tx, owner: &Owner, statement: &'static str) -> Result<Option<Standing>, Error> {
    let row: Option<(String, i64, Option<i64>, Option<i64>)> = on!(tx, |c| sqlx::query_as(statement)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(state, generation, restricted, closed)| Standing {
        generation,
        erasing: state != "active",
        restricted_at: restricted.map(Timestamp::from_micros),
        closed_at: closed.map(Timestamp::from_micros),
    }))
}

/// A person's newest word on a purpose: what was said, when, and under which version.
pub(super) async fn consent(
    tx: &mut Tx,
    owner: &Owner,
    purpose: &str,
) -> Result<Option<(String, Timestamp, String)>, Error> {
    let row: Option<(String, i64, String)> = on!(tx, |c| sqlx::query_as(sql::CONSENT)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(purpose)
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(state, at, version)| (state, Timestamp::from_micros(at), version)))
}

pub(super) async fn count(tx: &mut Tx, owner: &Owner, statement: &'static str) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(statement)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_one(c)
        .await)?;
    Ok(n)
}

/// The categories under a legal hold for a person; `None` among them means all.
pub(super) async fn holds(tx: &mut Tx, owner: &Owner) -> Result<Vec<Option<String>>, Error> {
    let rows: Vec<(Option<String>,)> = on!(tx, |c| sqlx::query_as(sql::HOLDS)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_all(c)
        .await)?;
    Ok(rows.into_iter().map(|(category,)| category).collect())
}
