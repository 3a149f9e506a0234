use super::{fingerprint as parse, owner_of};
use crate::base::{SubjectId, TenantId, Timestamp};
use crate::crypto::Fingerprint;
use crate::keystore::{Keyed, Owner};
use crate::on;
use crate::store::{Error, Tx, padding, with_list};

const FINGERPRINT: &str = "SELECT kfp FROM subject_key WHERE tenant = $1 AND subject = $2 AND class = 'data'";
const OWNERS: &str =
    "SELECT DISTINCT tenant, subject FROM subject_key WHERE class = 'data' AND kfp IN ($list)";
/// Behind the fence, and something of theirs is there all the same.
const LEFT_OVER: &str = "SELECT DISTINCT f.tenant, f.subject FROM fence f WHERE f.class = 'data' AND f.kfp IN ($list) \
    AND (EXISTS (SELECT 1 FROM subject_key k WHERE k.tenant = f.tenant AND k.subject = f.subject) \
    OR EXISTS (SELECT 1 FROM item_key i WHERE i.tenant = f.tenant AND i.subject = f.subject))";
const COUNT_SUBJECTS: &str = "SELECT COUNT(*) FROM subject_key WHERE class = 'data' AND kfp IN ($list)";
const COUNT_ITEMS: &str = "SELECT COUNT(*) FROM item_key WHERE kfp IN ($list)";
const WRAPPED: &str = "SELECT wrapped FROM subject_key WHERE tenant = $1 AND subject = $2 \
    UNION ALL SELECT wrapped FROM item_key WHERE tenant = $1 AND subject = $2";
const KEYED: &str =
    "SELECT tenant, subject, item, created_at FROM item_key WHERE item > $1 ORDER BY item LIMIT 1000";
const PEOPLE_KNOWN: &str = "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM subject_key LIMIT 1) AS living) \
    + (SELECT COUNT(*) FROM (SELECT 1 FROM fence LIMIT 1) AS erased)";
const COUNT_FENCED: &str = "SELECT COUNT(DISTINCT kfp) FROM fence WHERE kfp IN ($list)";
const COUNT_NAMED: &str = "SELECT COUNT(*) FROM item_key WHERE item IN ($list)";
const DELETE_ITEMS: &str = "DELETE FROM item_key WHERE kfp IN ($list)";

fn bytes(known: &[Fingerprint]) -> Vec<Vec<u8>> {
    padding(known).map(|kfp| kfp.as_bytes().to_vec()).collect()
}

pub(in crate::keystore) async fn fingerprint(
    tx: &mut Tx,
    owner: Owner<'_>,
) -> Result<Option<Fingerprint>, Error> {
    let row: Option<(Vec<u8>,)> = on!(tx, |c| sqlx::query_as(FINGERPRINT)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_optional(c)
        .await)?;
    row.map(|(kfp,)| parse(&kfp, "subject_key")).transpose()
}

/// Living keys among those of people and of items.
pub(in crate::keystore) async fn count(tx: &mut Tx, known: &[Fingerprint]) -> Result<i64, Error> {
    let mut alive = 0;
    for statement in [COUNT_SUBJECTS, COUNT_ITEMS] {
        let (n,): (i64,) = on!(tx, |c| {
            let mut query = sqlx::query_as(with_list(statement, known.len()));
            for kfp in bytes(known) {
                query = query.bind(kfp);
            }
            query.fetch_one(c).await
        })?;
        alive += n;
    }
    Ok(alive)
}

/// Whose keys these are, or were and something is left: those of people.
pub(in crate::keystore) async fn owners(
    tx: &mut Tx,
    known: &[Fingerprint],
) -> Result<Vec<(TenantId, SubjectId)>, Error> {
    let mut owners = Vec::new();
    for statement in [OWNERS, LEFT_OVER] {
        let rows: Vec<(String, String)> = on!(tx, |c| {
            let mut query = sqlx::query_as(with_list(statement, known.len()));
            for kfp in bytes(known) {
                query = query.bind(kfp);
            }
            query.fetch_all(c).await
        })?;
        for (tenant, subject) in &rows {
            owners.push(owner_of(tenant, subject, "subject_key")?);
        }
    }
    Ok(owners)
}

pub(in crate::keystore) async fn delete_items(tx: &mut Tx, known: &[Fingerprint]) -> Result<u64, Error> {
    Ok(on!(tx, |c| {
        let mut query = sqlx::query(with_list(DELETE_ITEMS, known.len()));
        for kfp in bytes(known) {
            query = query.bind(kfp);
        }
        query.execute(c).await.map(|r| r.rows_affected())
    })?)
}

/// Wrapped keys of a person, as they lie there.
pub(in crate::keystore) async fn wrapped_of(tx: &mut Tx, owner: Owner<'_>) -> Result<Vec<Vec<u8>>, Error> {
    let rows: Vec<(Vec<u8>,)> = on!(tx, |c| sqlx::query_as(WRAPPED)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_all(c)
        .await)?;
    Ok(rows.into_iter().map(|(wrapped,)| wrapped).collect())
}

/// A page of what has a key.
pub(in crate::keystore) async fn keyed(tx: &mut Tx, after: &str) -> Result<Vec<Keyed>, Error> {
    let rows: Vec<(String, String, String, i64)> =
        on!(tx, |c| sqlx::query_as(KEYED).bind(after).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(tenant, subject, item, made)| {
            let (tenant, subject) = owner_of(&tenant, &subject, "item_key")?;
            Ok(Keyed { tenant, subject, item, made: Timestamp::from_micros(made) })
        })
        .collect()
}

/// How many of these items have a key.
pub(in crate::keystore) async fn count_named(tx: &mut Tx, items: &[String]) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| {
        let mut query = sqlx::query_as(with_list(COUNT_NAMED, items.len()));
        for item in padding(items) {
            query = query.bind(item.clone());
        }
        query.fetch_one(c).await
    })?;
    Ok(n)
}

/// More than none when anybody has a key, or had one.
pub(in crate::keystore) async fn people_known(tx: &mut Tx) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(PEOPLE_KNOWN).fetch_one(c).await)?;
    Ok(n)
}

pub(in crate::keystore) async fn count_fenced(tx: &mut Tx, known: &[Fingerprint]) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| {
        let mut query = sqlx::query_as(with_list(COUNT_FENCED, known.len()));
        for kfp in bytes(known) {
            query = query.bind(kfp);
        }
        query.fetch_one(c).await
    })?;
    Ok(n)
}
