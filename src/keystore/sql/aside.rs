//! Statements about rows that are set aside: under epoch nought, which there never was.

use super::{ItemRow, SubjectRow, SystemRow};
use crate::base::TenantId;
use crate::keystore::{Aside, Owner};
use crate::store::{Error, Tx};
use crate::{change, on};

const SUBJECT: &str =
    "UPDATE subject_key SET epoch = 0 WHERE tenant = $1 AND subject = $2 AND class = $3 AND epoch = $4";
const ITEM: &str = "UPDATE item_key SET epoch = 0 WHERE tenant = $1 AND item = $2 AND epoch = $3";
const SYSTEM: &str = "UPDATE system_key SET epoch = 0 WHERE name = $1 AND epoch = $2";
const COUNT: &str = "SELECT (SELECT COUNT(*) FROM subject_key WHERE epoch = 0) + \
    (SELECT COUNT(*) FROM system_key WHERE epoch = 0) + \
    (SELECT COUNT(*) FROM item_key i WHERE i.epoch = 0 AND NOT EXISTS (SELECT 1 FROM subject_key s \
    WHERE s.tenant = i.tenant AND s.subject = i.subject AND s.class = 'data' AND s.epoch = 0))";
const ALL: &str = "SELECT (SELECT COUNT(*) FROM subject_key) + (SELECT COUNT(*) FROM system_key) + \
    (SELECT COUNT(*) FROM item_key)";
const LIST: &str = "SELECT 'subject_key', tenant, subject || '/' || class AS id FROM subject_key WHERE epoch = 0 \
    UNION ALL SELECT 'system_key', '', name FROM system_key WHERE epoch = 0 \
    UNION ALL SELECT 'item_key', i.tenant, i.item FROM item_key i WHERE i.epoch = 0 AND NOT EXISTS \
    (SELECT 1 FROM subject_key s WHERE s.tenant = i.tenant AND s.subject = i.subject AND s.class = 'data' AND s.epoch = 0) \
    ORDER BY 3 LIMIT 20";

pub(in crate::keystore) async fn subject(
    tx: &mut Tx,
    owner: Owner<'_>,
    row: &SubjectRow,
) -> Result<(), Error> {
    change!(tx, SUBJECT, owner.tenant.as_str(), owner.subject.to_string(), &row.class, row.epoch)?;
    Ok(())
}

pub(in crate::keystore) async fn item(tx: &mut Tx, tenant: &TenantId, row: &ItemRow) -> Result<(), Error> {
    change!(tx, ITEM, tenant.as_str(), &row.item, row.epoch)?;
    Ok(())
}

pub(in crate::keystore) async fn system(tx: &mut Tx, row: &SystemRow) -> Result<(), Error> {
    change!(tx, SYSTEM, &row.name, row.epoch)?;
    Ok(())
}

/// How many rows are set aside. What is a person's counts once, where it is their own key that does not open.
pub(in crate::keystore) async fn count(tx: &mut Tx) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(COUNT).fetch_one(c).await)?;
    Ok(n)
}

/// How many keys there are of every sort.
pub(in crate::keystore) async fn all(tx: &mut Tx) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(ALL).fetch_one(c).await)?;
    Ok(n)
}

/// Those that are set aside, or the first of them, counted as [`count`] does.
pub(in crate::keystore) async fn list(tx: &mut Tx) -> Result<Vec<Aside>, Error> {
    let rows: Vec<(String, String, String)> = on!(tx, |c| sqlx::query_as(LIST).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|(table, tenant, id)| {
            let table = match table.as_str() {
                "subject_key" => "subject_key",
                "item_key" => "item_key",
                _ => "system_key",
            };
            // A service's key is no tenant's; nor is one whose row does not even say whose.
            Aside { table, tenant: tenant.parse().ok(), id }
        })
        .collect())
}
