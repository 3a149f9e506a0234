//! The rows of what people handed over.

use crate::base::{TenantId, Timestamp};
use crate::disclosure::Handover;
use crate::on;
use crate::store::{Error, Tx};
use crate::vault::Owner;

const INSERT: &str = "INSERT INTO handover (id, tenant, subject, ground, categories, staff, handed_at, entered_at, \
    silent_until, words, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const OF: &str = "SELECT id, ground, categories, staff, handed_at, silent_until, words FROM handover \
    WHERE tenant = $1 AND subject = $2 ORDER BY id DESC LIMIT 1000";
const REGISTER: &str = "SELECT id, ground, categories, staff, handed_at, silent_until, words FROM handover \
    WHERE tenant = $1 ORDER BY id DESC LIMIT $2";
const FORGET: &str = "UPDATE handover SET subject = NULL WHERE tenant = $1 AND subject = $2";

type Row = (String, String, String, String, i64, Option<i64>, String);

fn handover((id, ground, categories, staff, at, silent, words): Row) -> Result<Handover, Error> {
    let wrong = |column| Error::inconsistent("handover", column);
    Ok(Handover {
        id,
        ground: ground.parse().map_err(|()| wrong("ground"))?,
        categories,
        staff,
        handed_at: Timestamp::from_micros(at),
        silent_until: silent.map(Timestamp::from_micros),
        words: words.parse().map_err(|_| wrong("words"))?,
    })
}

pub(in crate::disclosure) async fn insert(
    tx: &mut Tx,
    owner: &Owner,
    row: &Handover,
    (now, entry): (Timestamp, &str),
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(&row.id)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(row.ground.as_str())
        .bind(&row.categories)
        .bind(&row.staff)
        .bind(row.handed_at.micros())
        .bind(now.micros())
        .bind(row.silent_until.map(Timestamp::micros))
        .bind(row.words.to_string())
        .bind(entry)
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

pub(in crate::disclosure) async fn of(tx: &mut Tx, owner: &Owner) -> Result<Vec<Handover>, Error> {
    let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(OF)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_all(c)
        .await)?;
    rows.into_iter().map(handover).collect()
}

pub(in crate::disclosure) async fn register(
    tx: &mut Tx,
    tenant: &TenantId,
    most: i64,
) -> Result<Vec<Handover>, Error> {
    let rows: Vec<Row> =
        on!(tx, |c| sqlx::query_as(REGISTER).bind(tenant.as_str()).bind(most).fetch_all(c).await)?;
    rows.into_iter().map(handover).collect()
}

pub(in crate::disclosure) async fn forget(tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(FORGET)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}
