use super::{EntryKind, Error, Leaf, SubjectRef, TileId};
use crate::base::{EntryId, TenantId, Timestamp};
use crate::store::{self, Tx};
use crate::{on, store::Error as StoreError};

const APPEND: &str = "INSERT INTO ledger_entry (id, arrival, tenant, kind, subject_ref, happened_at, leaf) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const COUNT_PENDING: &str = "SELECT COUNT(*) FROM ledger_entry WHERE seq IS NULL";
const WAITING: &str = "SELECT id FROM ledger_entry WHERE seq IS NULL";
const INIT_HEAD: &str = "INSERT INTO ledger_head (slot, turn, size, signed_at, note) VALUES (1, 0, 0, $1, $2) \
    ON CONFLICT (slot) DO NOTHING";
const HEAD: &str = "SELECT size, signed_at, note FROM ledger_head WHERE slot = 1";
const LOCK_HEAD: &str =
    "UPDATE ledger_head SET turn = turn + 1 WHERE slot = 1 RETURNING size, signed_at, note";
const MOVE_HEAD: &str = "UPDATE ledger_head SET size = $1, signed_at = $2, note = $3 \
    WHERE slot = 1 AND size = $4 AND note = $5";
const ASSIGN: &str = "UPDATE ledger_entry SET seq = $1 + ranked.place FROM \
    (SELECT id AS pending_id, ROW_NUMBER() OVER (ORDER BY arrival, id) - 1 AS place FROM \
    (SELECT id, arrival FROM ledger_entry WHERE seq IS NULL ORDER BY arrival, id LIMIT $2) AS pending) AS ranked \
    WHERE ledger_entry.id = ranked.pending_id RETURNING seq, leaf";
const TILE: &str = "SELECT hashes FROM ledger_tile WHERE level = $1 AND n = $2";
const PUT_TILE: &str = "INSERT INTO ledger_tile (level, n, hashes) VALUES ($1, $2, $3) \
    ON CONFLICT (level, n) DO UPDATE SET hashes = excluded.hashes";
const TILES_FROM: &str = "SELECT COUNT(*) FROM ledger_tile WHERE level = $1 AND n >= $2";
const PUT_CHECKPOINT: &str = "INSERT INTO ledger_checkpoint (size, signed_at, note) VALUES ($1, $2, $3)";
const CHECKPOINTS: &str =
    "SELECT size, note FROM ledger_checkpoint WHERE size > $1 AND size <= $2 ORDER BY size";
const CHECKPOINTS_BEYOND: &str = "SELECT COUNT(*) FROM ledger_checkpoint WHERE size > $1";
const ENTRY: &str = "SELECT seq, leaf FROM ledger_entry WHERE id = $1";
const PLACES: &str = "SELECT id, seq FROM ledger_entry WHERE seq IS NOT NULL AND id IN ($list)";
const LEAVES: &str = "SELECT seq, leaf FROM ledger_entry WHERE seq >= $1 AND seq < $2 ORDER BY seq";
const ROWS: &str = "SELECT seq, leaf, id, tenant, kind, subject_ref, happened_at FROM ledger_entry \
    WHERE seq >= $1 AND seq < $2 ORDER BY seq";
const ENTRIES_FROM: &str = "SELECT COUNT(*) FROM ledger_entry WHERE seq >= $1";
const TAIL: &str = "SELECT seq, leaf FROM ledger_entry WHERE seq < $1 ORDER BY seq DESC LIMIT $2";
const LIST: &str =
    "SELECT seq, leaf FROM ledger_entry WHERE tenant = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3";
const LIST_HOUSE: &str = "SELECT seq, leaf FROM ledger_entry WHERE tenant IS NULL AND kind = $1 AND seq IS NOT NULL \
    ORDER BY seq DESC LIMIT $2";
const LIST_KIND: &str = "SELECT seq, leaf FROM ledger_entry WHERE tenant = $1 AND seq < $2 AND kind = $4 \
    ORDER BY seq DESC LIMIT $3";
const LIST_SUBJECT: &str = "SELECT seq, leaf FROM ledger_entry WHERE tenant = $1 AND seq < $2 AND subject_ref = $4 \
    ORDER BY seq DESC LIMIT $3";
const LIST_BOTH: &str = "SELECT seq, leaf FROM ledger_entry WHERE tenant = $1 AND seq < $2 AND kind = $4 \
    AND subject_ref = $5 ORDER BY seq DESC LIMIT $3";
const REPLAY: &str = "INSERT INTO ledger_entry (id, arrival, seq, tenant, kind, subject_ref, happened_at, leaf) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, leaf = excluded.leaf";

/// An entry's number and bytes.
pub(super) type Row = (i64, Vec<u8>);

/// The row of the newest head.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) size: u64,
    pub(super) at: Timestamp,
    pub(super) note: String,
}

/// A number of the database; a negative one cannot be.
pub(super) fn unsigned(n: i64, column: &'static str) -> Result<u64, Error> {
    u64::try_from(n).map_err(|_| store::Error::inconsistent("ledger_entry", column).into())
}

/// A number for the database. Sizes stay far below 2^63.
pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(super) async fn append(tx: &mut Tx, leaf: &Leaf, bytes: &[u8], arrival: i64) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(APPEND)
        .bind(leaf.id.to_string())
        .bind(arrival)
        .bind(leaf.tenant.as_ref().map(TenantId::as_str))
        .bind(leaf.kind.as_str())
        .bind(leaf.subject.as_ref().map(SubjectRef::as_str))
        .bind(leaf.at.micros())
        .bind(bytes)
        .execute(c)
        .await
        .map(|_| ()))
    .map_err(StoreError::from)?;
    Ok(())
}

/// Puts back an entry of a known number, whether it is missing or waiting.
pub(super) async fn replay(tx: &mut Tx, leaf: &Leaf, bytes: &[u8], seq: u64) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(REPLAY)
        .bind(leaf.id.to_string())
        .bind(leaf.at.micros())
        .bind(signed(seq))
        .bind(leaf.tenant.as_ref().map(TenantId::as_str))
        .bind(leaf.kind.as_str())
        .bind(leaf.subject.as_ref().map(SubjectRef::as_str))
        .bind(leaf.at.micros())
        .bind(bytes)
        .execute(c)
        .await
        .map(|_| ()))
    .map_err(StoreError::from)?;
    Ok(())
}

async fn count(tx: &mut Tx, sql: &'static str, from: &[i64]) -> Result<u64, Error> {
    let (n,): (i64,) = on!(tx, |c| {
        let mut query = sqlx::query_as(sql);
        for value in from {
            query = query.bind(*value);
        }
        query.fetch_one(c).await
    })
    .map_err(StoreError::from)?;
    unsigned(n, "count")
}

/// Those of some entries that are in the tree: id and number.
pub(super) async fn places(tx: &mut Tx, ids: &[String]) -> Result<Vec<(String, i64)>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(on!(tx, |c| {
        let mut query = sqlx::query_as(store::with_list(PLACES, ids.len()));
        for id in store::padding(ids) {
            query = query.bind(id.clone());
        }
        query.fetch_all(c).await
    })
    .map_err(StoreError::from)?)
}

pub(super) async fn pending(tx: &mut Tx) -> Result<u64, Error> {
    count(tx, COUNT_PENDING, &[]).await
}

/// The ids of entries that wait to be taken into the tree.
pub(super) async fn waiting(tx: &mut Tx) -> Result<Vec<String>, Error> {
    let rows: Vec<(String,)> =
        on!(tx, |c| sqlx::query_as(WAITING).fetch_all(c).await).map_err(StoreError::from)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// How many rows there are at or beyond the ends of a tree of this size.
pub(super) async fn beyond(tx: &mut Tx, size: u64) -> Result<u64, Error> {
    let mut rows = count(tx, ENTRIES_FROM, &[signed(size)]).await?;
    rows += count(tx, CHECKPOINTS_BEYOND, &[signed(size)]).await?;
    for level in 0..6_u8 {
        let tiles = (size >> (8 * u32::from(level))).div_ceil(256);
        rows += count(tx, TILES_FROM, &[level.into(), signed(tiles)]).await?;
    }
    Ok(rows)
}

pub(super) async fn init_head(tx: &mut Tx, at: Timestamp, note: &str) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INIT_HEAD).bind(at.micros()).bind(note).execute(c).await.map(|_| ()))
        .map_err(StoreError::from)?;
    Ok(())
}

async fn head_by(tx: &mut Tx, sql: &'static str) -> Result<Head, Error> {
    let (size, at, note): (i64, i64, String) =
        on!(tx, |c| sqlx::query_as(sql).fetch_one(c).await).map_err(StoreError::from)?;
    Ok(Head { size: unsigned(size, "size")?, at: Timestamp::from_micros(at), note })
}

pub(super) async fn head(tx: &mut Tx) -> Result<Head, Error> {
    head_by(tx, HEAD).await
}

/// The head, locked until the transaction ends: one sequencer at a time.
pub(super) async fn lock_head(tx: &mut Tx) -> Result<Head, Error> {
    head_by(tx, LOCK_HEAD).await
}

/// Moves the head on from what it was; if it is not that any more, another sequencer was there and nothing is done.
pub(super) async fn move_head(
    tx: &mut Tx,
    from: &Head,
    size: u64,
    at: Timestamp,
    note: &str,
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(PUT_CHECKPOINT)
        .bind(signed(size))
        .bind(at.micros())
        .bind(note)
        .execute(c)
        .await
        .map(|_| ()))
    .map_err(StoreError::from)?;
    let moved = on!(tx, |c| sqlx::query(MOVE_HEAD)
        .bind(signed(size))
        .bind(at.micros())
        .bind(note)
        .bind(signed(from.size))
        .bind(&from.note)
        .execute(c)
        .await
        .map(|r| r.rows_affected()))
    .map_err(StoreError::from)?;
    if moved == 1 { Ok(()) } else { Err(StoreError::Busy.into()) }
}

/// Gives up to `most` waiting entries the numbers from `first` on, in the order of their arrival.
pub(super) async fn assign(tx: &mut Tx, first: u64, most: u16) -> Result<Vec<Row>, Error> {
    let mut rows: Vec<Row> =
        on!(tx, |c| sqlx::query_as(ASSIGN).bind(signed(first)).bind(i64::from(most)).fetch_all(c).await)
            .map_err(StoreError::from)?;
    rows.sort_unstable_by_key(|(seq, _)| *seq);
    if rows.iter().zip(first..).any(|((seq, _), want)| *seq != signed(want)) {
        return Err(StoreError::inconsistent("ledger_entry", "seq").into());
    }
    Ok(rows)
}

pub(super) async fn tile(tx: &mut Tx, tile: TileId) -> Result<Option<Vec<u8>>, Error> {
    let row: Option<(Vec<u8>,)> = on!(tx, |c| sqlx::query_as(TILE)
        .bind(i64::from(tile.level))
        .bind(signed(tile.n))
        .fetch_optional(c)
        .await)
    .map_err(StoreError::from)?;
    Ok(row.map(|(hashes,)| hashes))
}

pub(super) async fn put_tile(tx: &mut Tx, tile: TileId, hashes: &[u8]) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(PUT_TILE)
        .bind(i64::from(tile.level))
        .bind(signed(tile.n))
        .bind(hashes)
        .execute(c)
        .await
        .map(|_| ()))
    .map_err(StoreError::from)?;
    Ok(())
}

/// The checkpoints signed at sizes above `from`, up to `to`.
pub(super) async fn checkpoints(tx: &mut Tx, from: u64, to: u64) -> Result<Vec<(i64, String)>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(CHECKPOINTS).bind(signed(from)).bind(signed(to)).fetch_all(c).await)
        .map_err(StoreError::from)?)
}

/// An entry's number, if it has one, and bytes.
pub(super) async fn entry(tx: &mut Tx, id: EntryId) -> Result<Option<(Option<i64>, Vec<u8>)>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(ENTRY).bind(id.to_string()).fetch_optional(c).await)
        .map_err(StoreError::from)?)
}

pub(super) async fn leaves(tx: &mut Tx, from: u64, to: u64) -> Result<Vec<Row>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(LEAVES).bind(signed(from)).bind(signed(to)).fetch_all(c).await)
        .map_err(StoreError::from)?)
}

/// A row with the columns that repeat what its bytes say.
pub(super) type WholeRow = (i64, Vec<u8>, String, Option<String>, String, Option<String>, i64);

pub(super) async fn rows(tx: &mut Tx, from: u64, to: u64) -> Result<Vec<WholeRow>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(ROWS).bind(signed(from)).bind(signed(to)).fetch_all(c).await)
        .map_err(StoreError::from)?)
}

pub(super) async fn tail(tx: &mut Tx, before: i64, most: i64) -> Result<Vec<Row>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(TAIL).bind(before).bind(most).fetch_all(c).await)
        .map_err(StoreError::from)?)
}

/// Entries of a kind that concern the whole installation, newest first.
pub(super) async fn of_house(tx: &mut Tx, kind: &EntryKind, most: i64) -> Result<Vec<Row>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(LIST_HOUSE).bind(kind.as_str()).bind(most).fetch_all(c).await)
        .map_err(StoreError::from)?)
}

/// A tenant's entries below a number, newest first.
pub(super) async fn list(
    tx: &mut Tx,
    tenant: &TenantId,
    (kind, subject): (Option<&EntryKind>, Option<&SubjectRef>),
    before: i64,
    most: i64,
) -> Result<Vec<Row>, Error> {
    let (sql, values) = match (kind, subject) {
        (None, None) => (LIST, [None, None]),
        (Some(k), None) => (LIST_KIND, [Some(k.as_str()), None]),
        (None, Some(s)) => (LIST_SUBJECT, [Some(s.as_str()), None]),
        (Some(k), Some(s)) => (LIST_BOTH, [Some(k.as_str()), Some(s.as_str())]),
    };
    Ok(on!(tx, |c| {
        let mut query = sqlx::query_as(sql).bind(tenant.as_str()).bind(before).bind(most);
        for value in values.into_iter().flatten() {
            query = query.bind(value);
        }
        query.fetch_all(c).await
    })
    .map_err(StoreError::from)?)
}
