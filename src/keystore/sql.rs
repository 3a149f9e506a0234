pub(super) mod again;
pub(super) mod aside;
pub(super) mod epochs;
pub(super) mod once;

use super::Owner;
use crate::base::{KeyId, SubjectId, TenantId, Timestamp};
use crate::crypto::Fingerprint;
pub(super) use crate::store::MOST_IN;
use crate::store::{Error, Tx, padding, with_list};
use crate::{change, on};

const SUBJECT: &str =
    "SELECT class, id, epoch, wrapped FROM subject_key WHERE tenant = $1 AND subject = $2 AND class = $3";
const INSERT_SUBJECT: &str = "INSERT INTO subject_key (tenant, subject, class, id, epoch, wrapped, kfp, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const DELETE_SUBJECT: &str =
    "DELETE FROM subject_key WHERE tenant = $1 AND subject = $2 AND class = $3 RETURNING kfp";
const UPDATE_SUBJECT: &str = "UPDATE subject_key SET epoch = $1, wrapped = $2 WHERE tenant = $3 AND subject = $4 AND class = $5 AND epoch = $6";
const STALE_SUBJECTS: &str = "SELECT tenant, subject, class, id, epoch, wrapped FROM subject_key \
    WHERE epoch >= $1 AND epoch < $2 LIMIT 500";
const ITEMS: &str = "SELECT item, id, kind, epoch, wrapped, kfp FROM item_key WHERE tenant = $1 AND subject = $2 \
    AND item IN ($list)";
const INSERT_ITEM: &str = "INSERT INTO item_key (item, tenant, subject, id, kind, epoch, wrapped, kfp, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const DELETE_ITEMS: &str = "DELETE FROM item_key WHERE tenant = $1 AND item IN ($list) RETURNING item, kfp";
const UPDATE_ITEM: &str = "UPDATE item_key SET epoch = $1, wrapped = $2 WHERE item = $3 AND epoch = $4";
const STALE_ITEMS: &str = "SELECT tenant, subject, item, id, kind, epoch, wrapped FROM item_key \
    WHERE (tenant, subject, item) > ($1, $2, $3) AND +epoch >= $4 AND +epoch < $5 ORDER BY tenant, subject, item LIMIT 1000";
const CLEAR_ITEMS: &str = "DELETE FROM item_key WHERE item IN \
    (SELECT item FROM item_key WHERE tenant = $1 AND subject = $2 LIMIT 1000)";
const COUNT_ITEMS: &str = "SELECT COUNT(*) FROM item_key WHERE tenant = $1 AND subject = $2";
const SYSTEM: &str = "SELECT name, epoch, wrapped FROM system_key WHERE name = $1";
const INSERT_SYSTEM: &str = "INSERT INTO system_key (name, epoch, wrapped, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING";
const UPDATE_SYSTEM: &str = "UPDATE system_key SET epoch = $1, wrapped = $2 WHERE name = $3 AND epoch = $4";
const STALE_SYSTEM: &str = "SELECT name, epoch, wrapped FROM system_key WHERE epoch >= $1 AND epoch < $2";
const FENCED: &str = "SELECT COUNT(*) FROM fence WHERE tenant = $1 AND subject = $2 AND class = 'data'";
const FENCE: &str = "SELECT kfp, destroyed_at FROM fence WHERE tenant = $1 AND subject = $2 AND class = $3";
const INSERT_FENCE: &str = "INSERT INTO fence (tenant, subject, class, kfp, destroyed_at) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (tenant, subject, class) DO NOTHING";
const COUNT_DESTROYED: &str = "UPDATE destruction SET keys = keys + $1 WHERE name = 'keys'";
const DESTROYED: &str = "SELECT keys FROM destruction WHERE name = 'keys'";
const RAISE_DESTROYED: &str = "UPDATE destruction SET keys = $1 WHERE name = 'keys' AND keys < $1";
const COUNTS: &str = "SELECT (SELECT COUNT(*) FROM subject_key), (SELECT COUNT(*) FROM item_key), \
    (SELECT COUNT(*) FROM system_key), (SELECT COUNT(*) FROM fence WHERE class = 'data')";
const OUTSIDE_EPOCHS: &str = "SELECT (SELECT COUNT(*) FROM subject_key WHERE epoch <> 0 AND (epoch < $1 OR epoch > $2)), \
    (SELECT COUNT(*) FROM item_key WHERE epoch <> 0 AND (epoch < $1 OR epoch > $2)), \
    (SELECT COUNT(*) FROM system_key WHERE epoch <> 0 AND (epoch < $1 OR epoch > $2))";
const FENCED_WITH_KEYS: &str = "SELECT (SELECT COUNT(*) FROM fence f WHERE EXISTS (SELECT 1 FROM subject_key k \
    WHERE k.tenant = f.tenant AND k.subject = f.subject AND k.class = f.class)), \
    (SELECT COUNT(*) FROM fence f WHERE f.class = 'data' AND f.destroyed_at < $1 AND EXISTS (SELECT 1 FROM item_key i \
    WHERE i.tenant = f.tenant AND i.subject = f.subject))";

pub(super) struct SubjectRow {
    pub(super) class: String,
    pub(super) id: KeyId,
    pub(super) epoch: i64,
    pub(super) wrapped: Vec<u8>,
}

pub(super) struct ItemRow {
    pub(super) item: String,
    pub(super) id: KeyId,
    pub(super) kind: String,
    pub(super) epoch: i64,
    pub(super) wrapped: Vec<u8>,
}

pub(super) struct SystemRow {
    pub(super) name: String,
    pub(super) epoch: i64,
    pub(super) wrapped: Vec<u8>,
}

type FoundItem = (String, String, String, i64, Vec<u8>, Vec<u8>);
type StaleItem = (String, String, String, String, String, i64, Vec<u8>);

fn key_id(s: &str, table: &'static str) -> Result<KeyId, Error> {
    s.parse().map_err(|_| Error::inconsistent(table, "id"))
}

fn fingerprint(bytes: &[u8], table: &'static str) -> Result<Fingerprint, Error> {
    Fingerprint::from_slice(bytes).ok_or(Error::inconsistent(table, "kfp"))
}

fn owner_of(tenant: &str, subject: &str, table: &'static str) -> Result<(TenantId, SubjectId), Error> {
    let tenant = tenant.parse().map_err(|_| Error::inconsistent(table, "tenant"))?;
    Ok((tenant, subject.parse().map_err(|_| Error::inconsistent(table, "subject"))?))
}

pub(super) async fn subject(tx: &mut Tx, owner: Owner<'_>, class: &str) -> Result<Option<SubjectRow>, Error> {
    let row: Option<(String, String, i64, Vec<u8>)> = on!(tx, |c| sqlx::query_as(SUBJECT)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(class)
        .fetch_optional(c)
        .await)?;
    row.map(|(class, id, epoch, wrapped)| {
        Ok(SubjectRow { class, id: key_id(&id, "subject_key")?, epoch, wrapped })
    })
    .transpose()
}

pub(super) async fn insert_subject(
    tx: &mut Tx,
    owner: Owner<'_>,
    row: &SubjectRow,
    kfp: Fingerprint,
    now: Timestamp,
) -> Result<(), Error> {
    change!(
        tx,
        INSERT_SUBJECT,
        owner.tenant.as_str(),
        owner.subject.to_string(),
        &row.class,
        row.id.to_string(),
        row.epoch,
        &row.wrapped,
        kfp.as_bytes().as_slice(),
        now.micros()
    )?;
    Ok(())
}

pub(super) async fn delete_subject(
    tx: &mut Tx,
    owner: Owner<'_>,
    class: &str,
) -> Result<Option<Fingerprint>, Error> {
    let row: Option<(Vec<u8>,)> = on!(tx, |c| sqlx::query_as(DELETE_SUBJECT)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(class)
        .fetch_optional(c)
        .await)?;
    row.map(|(kfp,)| fingerprint(&kfp, "subject_key")).transpose()
}

/// Wraps a row anew, if it still lies under the epoch it was read under.
pub(super) async fn update_subject(
    tx: &mut Tx,
    owner: Owner<'_>,
    row: &SubjectRow,
    epoch: i64,
    wrapped: &[u8],
) -> Result<(), Error> {
    change!(
        tx,
        UPDATE_SUBJECT,
        epoch,
        wrapped,
        owner.tenant.as_str(),
        owner.subject.to_string(),
        &row.class,
        row.epoch
    )?;
    Ok(())
}

pub(super) async fn stale_subjects(
    tx: &mut Tx,
    from: i64,
    to: i64,
) -> Result<Vec<(TenantId, SubjectId, SubjectRow)>, Error> {
    let rows: Vec<(String, String, String, String, i64, Vec<u8>)> =
        on!(tx, |c| sqlx::query_as(STALE_SUBJECTS).bind(from).bind(to).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(tenant, subject, class, id, epoch, wrapped)| {
            let (tenant, subject) = owner_of(&tenant, &subject, "subject_key")?;
            Ok((tenant, subject, SubjectRow { class, id: key_id(&id, "subject_key")?, epoch, wrapped }))
        })
        .collect()
}

pub(super) async fn items(
    tx: &mut Tx,
    owner: Owner<'_>,
    items: &[&str],
) -> Result<Vec<(ItemRow, Fingerprint)>, Error> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<FoundItem> = on!(tx, |c| {
        let mut query = sqlx::query_as(with_list(ITEMS, items.len()))
            .bind(owner.tenant.as_str().to_owned())
            .bind(owner.subject.to_string());
        for item in padding(items) {
            query = query.bind((*item).to_owned());
        }
        query.fetch_all(c).await
    })?;
    rows.into_iter()
        .map(|(item, id, kind, epoch, wrapped, kfp)| {
            let row = ItemRow { item, id: key_id(&id, "item_key")?, kind, epoch, wrapped };
            Ok((row, fingerprint(&kfp, "item_key")?))
        })
        .collect()
}

pub(super) async fn insert_item(
    tx: &mut Tx,
    owner: Owner<'_>,
    row: &ItemRow,
    kfp: Fingerprint,
    now: Timestamp,
) -> Result<(), Error> {
    change!(
        tx,
        INSERT_ITEM,
        &row.item,
        owner.tenant.as_str(),
        owner.subject.to_string(),
        row.id.to_string(),
        &row.kind,
        row.epoch,
        &row.wrapped,
        kfp.as_bytes().as_slice(),
        now.micros()
    )?;
    Ok(())
}

pub(super) async fn delete_items(
    tx: &mut Tx,
    tenant: &TenantId,
    items: &[&str],
) -> Result<Vec<(String, Fingerprint)>, Error> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(String, Vec<u8>)> = on!(tx, |c| {
        let mut query = sqlx::query_as(with_list(DELETE_ITEMS, items.len())).bind(tenant.as_str().to_owned());
        for item in padding(items) {
            query = query.bind((*item).to_owned());
        }
        query.fetch_all(c).await
    })?;
    rows.into_iter().map(|(item, kfp)| Ok((item, fingerprint(&kfp, "item_key")?))).collect()
}

/// Wraps a row anew, if it still lies under the epoch it was read under.
pub(super) async fn update_item(tx: &mut Tx, row: &ItemRow, epoch: i64, wrapped: &[u8]) -> Result<(), Error> {
    change!(tx, UPDATE_ITEM, epoch, wrapped, &row.item, row.epoch)?;
    Ok(())
}

/// The next items after one that lie under an older epoch, person by person. The sum sign keeps both databases from
/// walking the index of epochs, which they would have to sort anew for every batch.
pub(super) async fn stale_items(
    tx: &mut Tx,
    after: &(String, String, String),
    from: i64,
    to: i64,
) -> Result<Vec<(TenantId, SubjectId, ItemRow)>, Error> {
    let rows: Vec<StaleItem> = on!(tx, |c| sqlx::query_as(STALE_ITEMS)
        .bind(&after.0)
        .bind(&after.1)
        .bind(&after.2)
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await)?;
    rows.into_iter()
        .map(|(tenant, subject, item, id, kind, epoch, wrapped)| {
            let (tenant, subject) = owner_of(&tenant, &subject, "item_key")?;
            Ok((tenant, subject, ItemRow { item, id: key_id(&id, "item_key")?, kind, epoch, wrapped }))
        })
        .collect()
}

pub(super) async fn clear_items(tx: &mut Tx, owner: Owner<'_>) -> Result<u64, Error> {
    Ok(change!(tx, CLEAR_ITEMS, owner.tenant.as_str(), owner.subject.to_string())?)
}

pub(super) async fn count_items(tx: &mut Tx, owner: Owner<'_>) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(COUNT_ITEMS)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_one(c)
        .await)?;
    Ok(n)
}

pub(super) async fn system(tx: &mut Tx, name: &str) -> Result<Option<SystemRow>, Error> {
    let row: Option<(String, i64, Vec<u8>)> =
        on!(tx, |c| sqlx::query_as(SYSTEM).bind(name).fetch_optional(c).await)?;
    Ok(row.map(|(name, epoch, wrapped)| SystemRow { name, epoch, wrapped }))
}

pub(super) async fn insert_system(tx: &mut Tx, row: &SystemRow, now: Timestamp) -> Result<(), Error> {
    change!(tx, INSERT_SYSTEM, &row.name, row.epoch, &row.wrapped, now.micros())?;
    Ok(())
}

/// Wraps a row anew, if it still lies under the epoch it was read under.
pub(super) async fn update_system(
    tx: &mut Tx,
    row: &SystemRow,
    epoch: i64,
    wrapped: &[u8],
) -> Result<(), Error> {
    change!(tx, UPDATE_SYSTEM, epoch, wrapped, &row.name, row.epoch)?;
    Ok(())
}

pub(super) async fn stale_system(tx: &mut Tx, from: i64, to: i64) -> Result<Vec<SystemRow>, Error> {
    let rows: Vec<(String, i64, Vec<u8>)> =
        on!(tx, |c| sqlx::query_as(STALE_SYSTEM).bind(from).bind(to).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(name, epoch, wrapped)| SystemRow { name, epoch, wrapped }).collect())
}

pub(super) async fn fenced(tx: &mut Tx, owner: Owner<'_>) -> Result<bool, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(FENCED)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_one(c)
        .await)?;
    Ok(n > 0)
}

pub(super) async fn fence(
    tx: &mut Tx,
    owner: Owner<'_>,
    class: &str,
) -> Result<Option<super::DestroyedKey>, Error> {
    let row: Option<(Vec<u8>, i64)> = on!(tx, |c| sqlx::query_as(FENCE)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(class)
        .fetch_optional(c)
        .await)?;
    row.map(|(kfp, at)| {
        Ok(super::DestroyedKey { fingerprint: fingerprint(&kfp, "fence")?, at: Timestamp::from_micros(at) })
    })
    .transpose()
}

pub(super) async fn insert_fence(
    tx: &mut Tx,
    owner: Owner<'_>,
    class: &str,
    kfp: Fingerprint,
    at: Timestamp,
) -> Result<(), Error> {
    change!(
        tx,
        INSERT_FENCE,
        owner.tenant.as_str(),
        owner.subject.to_string(),
        class,
        kfp.as_bytes().as_slice(),
        at.micros()
    )?;
    Ok(())
}

/// Counts keys that this transaction destroys. The last thing in it: whoever counts as well waits for its end.
pub(super) async fn count_destroyed(tx: &mut Tx, n: usize) -> Result<(), Error> {
    if n > 0 {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        change!(tx, COUNT_DESTROYED, n)?;
    }
    Ok(())
}

/// How many keys were ever destroyed.
pub(super) async fn destroyed(tx: &mut Tx) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(DESTROYED).fetch_one(c).await)?;
    Ok(n)
}

pub(super) async fn raise_destroyed(tx: &mut Tx, to: i64) -> Result<(), Error> {
    change!(tx, RAISE_DESTROYED, to)?;
    Ok(())
}

pub(super) async fn counts(tx: &mut Tx) -> Result<(i64, i64, i64, i64), Error> {
    Ok(on!(tx, |c| sqlx::query_as(COUNTS).fetch_one(c).await)?)
}

/// Keys of people, items and the service that lie under no epoch between the two, but for those set aside.
pub(super) async fn outside_epochs(tx: &mut Tx, oldest: i64, newest: i64) -> Result<(i64, i64, i64), Error> {
    Ok(on!(tx, |c| sqlx::query_as(OUTSIDE_EPOCHS).bind(oldest).bind(newest).fetch_one(c).await)?)
}

/// Fenced people who have a key of the fenced class, and those fenced before `before` with keys of items left.
pub(super) async fn fenced_with_keys(tx: &mut Tx, before: Timestamp) -> Result<(i64, i64), Error> {
    Ok(on!(tx, |c| sqlx::query_as(FENCED_WITH_KEYS).bind(before.micros()).fetch_one(c).await)?)
}
