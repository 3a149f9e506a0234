//! Rows that are to go: which they are, and their going.

use std::collections::BTreeSet;

use super::{Doomed, Error, ItemKind, Owner, sql};
use crate::base::{SubjectId, TenantId, Timestamp};
use crate::crypto::Fingerprint;
use crate::on;
use crate::store::{self, Tx, padding, with_list};

type DoomedObject = (String, String, String, String, Option<String>, Option<i64>, Option<Vec<u8>>);
type DoomedRecord = (String, String, String, i64, Option<String>, Option<i64>, Vec<u8>);

fn subject_of(text: &str, table: &'static str) -> Result<SubjectId, store::Error> {
    text.parse().map_err(|_| store::Error::inconsistent(table, "subject"))
}

fn doomed_object(row: DoomedObject) -> Result<Doomed, store::Error> {
    let (id, subject, category, blob_key, rule, due, kfp) = row;
    Ok(Doomed {
        kind: ItemKind::Object { blob_key },
        subject: subject_of(&subject, "object")?,
        id,
        category,
        rule,
        due_at: due.map(Timestamp::from_micros),
        kfp: kfp.as_deref().and_then(Fingerprint::from_slice),
    })
}

fn doomed_record(row: DoomedRecord) -> Result<Doomed, store::Error> {
    let (id, subject, category, revision, rule, due, kfp) = row;
    Ok(Doomed {
        kind: ItemKind::Record { revision },
        subject: subject_of(&subject, "record")?,
        id,
        category,
        rule,
        due_at: due.map(Timestamp::from_micros),
        kfp: Fingerprint::from_slice(&kfp),
    })
}

/// What is due in a tenant and under no hold, the longest overdue first.
pub(super) async fn due(
    tx: &mut Tx,
    tenant: &TenantId,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Doomed>, Error> {
    let objects: Vec<DoomedObject> = on!(tx, |c| sqlx::query_as(sql::DUE_OBJECTS)
        .bind(tenant.as_str())
        .bind(now.micros())
        .bind(most)
        .fetch_all(c)
        .await)?;
    let records: Vec<DoomedRecord> = on!(tx, |c| sqlx::query_as(sql::DUE_RECORDS)
        .bind(tenant.as_str())
        .bind(now.micros())
        .bind(most)
        .fetch_all(c)
        .await)?;
    let both = objects.into_iter().map(doomed_object).chain(records.into_iter().map(doomed_record));
    Ok(both.collect::<Result<_, _>>()?)
}

/// What is due by one of these rules (`category/rule`), whether or not it is under a hold.
pub(super) async fn due_unholdable(
    tx: &mut Tx,
    tenant: &TenantId,
    now: Timestamp,
    rules: &BTreeSet<String>,
    most: i64,
) -> Result<Vec<Doomed>, Error> {
    let mut found = Vec::new();
    let rules: Vec<&String> = rules.iter().collect();
    for some in rules.chunks(store::MOST_IN) {
        let objects: Vec<DoomedObject> = on!(tx, |c| {
            let mut query = sqlx::query_as(with_list(sql::DUE_UNHOLDABLE_OBJECTS, some.len()));
            query = query.bind(tenant.as_str().to_owned()).bind(now.micros()).bind(most);
            for rule in padding(some) {
                query = query.bind((*rule).clone());
            }
            query.fetch_all(c).await
        })?;
        let records: Vec<DoomedRecord> = on!(tx, |c| {
            let mut query = sqlx::query_as(with_list(sql::DUE_UNHOLDABLE_RECORDS, some.len()));
            query = query.bind(tenant.as_str().to_owned()).bind(now.micros()).bind(most);
            for rule in padding(some) {
                query = query.bind((*rule).clone());
            }
            query.fetch_all(c).await
        })?;
        let both = objects.into_iter().map(doomed_object).chain(records.into_iter().map(doomed_record));
        found.extend(both.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(found)
}

/// What a person has: of one category, one item, or all; in batches of 500 a kind.
pub(super) enum Which<'a> {
    /// One object.
    Object(&'a str),
    /// One record.
    Record(&'a str),
    /// A category.
    Category(&'a str),
    /// What belongs to an edit or a request.
    Parent(&'a str),
    /// Everything.
    All,
}

pub(super) async fn doomed(tx: &mut Tx, owner: &Owner, which: Which<'_>) -> Result<Vec<Doomed>, Error> {
    let (objects, records, arg) = match which {
        Which::Object(id) => (Some(sql::DOOM_OBJECT), None, Some(id)),
        Which::Record(id) => (None, Some(sql::DOOM_RECORD), Some(id)),
        Which::Category(name) => (Some(sql::CATEGORY_OBJECTS), Some(sql::CATEGORY_RECORDS), Some(name)),
        Which::Parent(id) => (Some(sql::PARENT_OBJECTS), Some(sql::PARENT_RECORDS), Some(id)),
        Which::All => (Some(sql::PERSON_OBJECTS), Some(sql::PERSON_RECORDS), None),
    };
    let mut found = Vec::new();
    if let Some(statement) = objects {
        let rows: Vec<DoomedObject> = on!(tx, |c| {
            let query = sqlx::query_as(statement).bind(owner.tenant.as_str()).bind(owner.subject.to_string());
            let query = if let Some(arg) = arg { query.bind(arg) } else { query };
            query.fetch_all(c).await
        })?;
        for row in rows {
            found.push(doomed_object(row)?);
        }
    }
    if let Some(statement) = records {
        let rows: Vec<DoomedRecord> = on!(tx, |c| {
            let query = sqlx::query_as(statement).bind(owner.tenant.as_str()).bind(owner.subject.to_string());
            let query = if let Some(arg) = arg { query.bind(arg) } else { query };
            query.fetch_all(c).await
        })?;
        for row in rows {
            found.push(doomed_record(row)?);
        }
    }
    Ok(found)
}

/// Things of a tenant by their ids, of whichever shape.
pub(super) async fn doomed_by_id(tx: &mut Tx, tenant: &TenantId, ids: &[&str]) -> Result<Vec<Doomed>, Error> {
    let mut found = Vec::new();
    for some in ids.chunks(store::MOST_IN) {
        let objects: Vec<DoomedObject> = on!(tx, |c| {
            let mut query = sqlx::query_as(with_list(sql::DOOMED_OBJECTS, some.len()));
            query = query.bind(tenant.as_str().to_owned());
            for id in padding(some) {
                query = query.bind((*id).to_owned());
            }
            query.fetch_all(c).await
        })?;
        let records: Vec<DoomedRecord> = on!(tx, |c| {
            let mut query = sqlx::query_as(with_list(sql::DOOMED_RECORDS, some.len()));
            query = query.bind(tenant.as_str().to_owned());
            for id in padding(some) {
                query = query.bind((*id).to_owned());
            }
            query.fetch_all(c).await
        })?;
        let both = objects.into_iter().map(doomed_object).chain(records.into_iter().map(doomed_record));
        found.extend(both.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(found)
}

/// Says of rows that they are due at `now`, unless they were before.
pub(super) async fn doom(
    tx: &mut Tx,
    tenant: &TenantId,
    statement: &'static str,
    ids: &[&str],
    now: Timestamp,
) -> Result<(), Error> {
    for some in ids.chunks(store::MOST_IN) {
        on!(tx, |c| {
            let mut query = sqlx::query(with_list(statement, some.len()));
            query = query.bind(tenant.as_str().to_owned()).bind(now.micros());
            for id in padding(some) {
                query = query.bind((*id).to_owned());
            }
            query.execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

/// A row that went, as it stood then.
pub(super) struct Gone {
    pub(super) id: String,
    /// Of an image none.
    pub(super) revision: i64,
    /// None for an upload that never landed.
    pub(super) kfp: Option<Fingerprint>,
}

/// Deletes rows by id; gives those that went.
pub(super) async fn delete(
    tx: &mut Tx,
    tenant: &TenantId,
    statement: &'static str,
    ids: &[&str],
) -> Result<Vec<Gone>, Error> {
    let mut gone = Vec::with_capacity(ids.len());
    for some in ids.chunks(store::MOST_IN) {
        let went: Vec<(String, i64, Option<Vec<u8>>)> = on!(tx, |c| {
            let mut query = sqlx::query_as(with_list(statement, some.len())).bind(tenant.as_str().to_owned());
            for id in padding(some) {
                query = query.bind((*id).to_owned());
            }
            query.fetch_all(c).await
        })?;
        gone.extend(went.into_iter().map(|(id, revision, kfp)| {
            let kfp = kfp.as_deref().and_then(Fingerprint::from_slice);
            Gone { id, revision, kfp }
        }));
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use sqlx::AssertSqlSafe;

    use super::*;
    use crate::store::{Db, MAIN, SqliteSettings};

    /// SQLite keeps no statistics here, and takes the index of owners where it has no better one: then each of these reads
    /// every row of the tenant.
    #[tokio::test]
    async fn what_goes_is_found_without_reading_what_stays() {
        let dir = tempfile::tempdir().unwrap();
        let settings = SqliteSettings { path: &dir.path().join("db"), readers: 1 };
        let db = Db::sqlite(settings, &MAIN).await.unwrap();
        let mut tx = db.read().await.unwrap();
        for (statement, by) in [
            (sql::DUE_OBJECTS, "tenant=? AND due_at<?"),
            (sql::DUE_RECORDS, "tenant=? AND due_at<?"),
            (sql::DUE_UNHOLDABLE_OBJECTS, "tenant=? AND due_at<?"),
            (sql::DUE_UNHOLDABLE_RECORDS, "tenant=? AND due_at<?"),
            (sql::DOOMED_OBJECTS, "id=?"),
            (sql::DOOMED_RECORDS, "id=?"),
            (sql::DOOM_OBJECTS, "id=?"),
            (sql::DOOM_RECORDS, "id=?"),
            (sql::DELETE_OBJECTS, "id=?"),
            (sql::DELETE_RECORDS, "id=?"),
        ] {
            for count in [1, store::MOST_IN] {
                let explained = format!("EXPLAIN QUERY PLAN {}", with_list(statement, count).0);
                let plan: Vec<(i64, i64, i64, String)> =
                    on!(tx, |c| sqlx::query_as(AssertSqlSafe(explained)).fetch_all(c).await).unwrap();
                assert!(plan.iter().any(|(.., step)| step.contains(by)), "{statement}\n{plan:?}");
            }
        }
    }
}
