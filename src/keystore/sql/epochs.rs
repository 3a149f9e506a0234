//! Statements about epochs: which there were, the floor, and who may change them now.

use super::fingerprint;
use crate::base::Timestamp;
use crate::crypto::Fingerprint;
use crate::keystore::lead::TURN;
use crate::keystore::model::Destroyed;
use crate::store::{Error, Tx};
use crate::{change, on};

const FLOOR: &str = "SELECT floor FROM epoch_floor WHERE name = 'epochs'";
const RAISE_FLOOR: &str = "UPDATE epoch_floor SET floor = $1 WHERE name = 'epochs' AND floor < $1";
const KEYS_BELOW: &str = "SELECT (SELECT COUNT(*) FROM subject_key WHERE epoch > 0 AND epoch < $1) + \
    (SELECT COUNT(*) FROM item_key WHERE epoch > 0 AND epoch < $1) + \
    (SELECT COUNT(*) FROM system_key WHERE epoch > 0 AND epoch < $1)";
const ANY_STALE: &str = "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM item_key WHERE epoch >= $1 AND epoch < $2) \
    OR EXISTS (SELECT 1 FROM subject_key WHERE epoch >= $1 AND epoch < $2) \
    OR EXISTS (SELECT 1 FROM system_key WHERE epoch >= $1 AND epoch < $2) THEN 1 ELSE 0 END AS BIGINT)";
const ANY_KEY: &str = "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM item_key) OR EXISTS (SELECT 1 FROM subject_key) \
    OR EXISTS (SELECT 1 FROM system_key) OR EXISTS (SELECT 1 FROM epoch) THEN 1 ELSE 0 END AS BIGINT)";
const REGISTER: &str =
    "INSERT INTO epoch (number, kfp, begun_at) VALUES ($1, $2, $3) ON CONFLICT (number) DO NOTHING";
const KNOWN_BY: &str = "SELECT kfp FROM epoch WHERE number = $1";
const UNDESTROYED: &str =
    "SELECT number, ending_at FROM epoch WHERE destroyed_at IS NULL AND number < $1 ORDER BY number";
const ENDING: &str = "UPDATE epoch SET ending_at = $1 WHERE number = $2 AND ending_at IS NULL";
const ENDED_UP_TO: &str =
    "UPDATE epoch SET ending_at = $1 WHERE number <= $2 AND destroyed_at IS NULL AND ending_at IS NULL";
const DESTROYED: &str = "UPDATE epoch SET destroyed_at = $1 WHERE number = $2 AND destroyed_at IS NULL";
const IS_DESTROYED: &str = "SELECT COUNT(*) FROM epoch WHERE number = $1 AND destroyed_at IS NOT NULL";
const UNNOTED: &str = "SELECT number, destroyed_at FROM epoch WHERE destroyed_at IS NOT NULL AND noted_at IS NULL ORDER BY number";
const NOTED: &str = "UPDATE epoch SET noted_at = $1 WHERE number = $2 AND noted_at IS NULL";
const TAKE: &str = "INSERT INTO lease (name, holder, until) VALUES ('epochs', $1, $2) ON CONFLICT (name) \
    DO UPDATE SET holder = $1, until = $2 WHERE lease.until < $3 OR lease.holder = $1";
const KEEP: &str = "UPDATE lease SET until = $1 WHERE name = 'epochs' AND holder = $2";
const RELEASE: &str = "DELETE FROM lease WHERE name = 'epochs' AND holder = $1";

/// The lowest epoch under which keys may be written, as it stays until the end of this transaction.
pub(in crate::keystore) async fn floor(tx: &mut Tx) -> Result<i64, Error> {
    tx.share_turn(TURN).await?;
    let (floor,): (i64,) = on!(tx, |c| sqlx::query_as(FLOOR).fetch_one(c).await)?;
    Ok(floor)
}

/// Raises the floor, after every transaction that counted on the lower one has ended.
pub(in crate::keystore) async fn raise_floor(tx: &mut Tx, to: i64) -> Result<(), Error> {
    tx.take_turn(TURN).await?;
    on!(tx, |c| sqlx::query(RAISE_FLOOR).bind(to).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// How many keys lie under an epoch below this one; those set aside lie under none.
pub(in crate::keystore) async fn keys_below(tx: &mut Tx, epoch: i64) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(KEYS_BELOW).bind(epoch).fetch_one(c).await)?;
    Ok(n)
}

/// Whether any key lies under an epoch from `from` to the one before `to`.
pub(in crate::keystore) async fn any_stale(tx: &mut Tx, from: i64, to: i64) -> Result<bool, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(ANY_STALE).bind(from).bind(to).fetch_one(c).await)?;
    Ok(n != 0)
}

/// Whether there is, or was, anything under an epoch.
pub(in crate::keystore) async fn any_key(tx: &mut Tx) -> Result<bool, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(ANY_KEY).fetch_one(c).await)?;
    Ok(n != 0)
}

/// Writes an epoch down, and gives what is written of its number: another's, if that was first.
pub(in crate::keystore) async fn register(
    tx: &mut Tx,
    number: i64,
    kfp: Fingerprint,
    begun: Timestamp,
) -> Result<Fingerprint, Error> {
    on!(tx, |c| sqlx::query(REGISTER)
        .bind(number)
        .bind(kfp.as_bytes().as_slice())
        .bind(begun.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    let (kfp,): (Vec<u8>,) = on!(tx, |c| sqlx::query_as(KNOWN_BY).bind(number).fetch_one(c).await)?;
    fingerprint(&kfp, "epoch")
}

/// Epochs below this one that are not written down as destroyed, and whether it is that their end began.
pub(in crate::keystore) async fn undestroyed(tx: &mut Tx, below: i64) -> Result<Vec<(i64, bool)>, Error> {
    let rows: Vec<(i64, Option<i64>)> =
        on!(tx, |c| sqlx::query_as(UNDESTROYED).bind(below).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(n, ending)| (n, ending.is_some())).collect())
}

/// Writes down that an epoch's end begins: before its file goes.
pub(in crate::keystore) async fn ending(tx: &mut Tx, number: i64, at: Timestamp) -> Result<(), Error> {
    change!(tx, ENDING, at.micros(), number)?;
    Ok(())
}

/// Writes down of all epochs up to one that they ended, or are about to.
pub(in crate::keystore) async fn ended_up_to(tx: &mut Tx, number: i64, at: Timestamp) -> Result<(), Error> {
    change!(tx, ENDED_UP_TO, at.micros(), number)?;
    Ok(())
}

pub(in crate::keystore) async fn destroyed(tx: &mut Tx, number: i64, at: Timestamp) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(DESTROYED).bind(at.micros()).bind(number).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Whether it is written down that an epoch was destroyed.
pub(in crate::keystore) async fn is_destroyed(tx: &mut Tx, number: i64) -> Result<bool, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(IS_DESTROYED).bind(number).fetch_one(c).await)?;
    Ok(n > 0)
}

/// Destroyed epochs that the ledger has not been told of.
pub(in crate::keystore) async fn unnoted(tx: &mut Tx) -> Result<Vec<Destroyed>, Error> {
    let rows: Vec<(i64, i64)> = on!(tx, |c| sqlx::query_as(UNNOTED).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(epoch, at)| Destroyed { epoch, at: Timestamp::from_micros(at) }).collect())
}

pub(in crate::keystore) async fn noted(tx: &mut Tx, number: i64, at: Timestamp) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(NOTED).bind(at.micros()).bind(number).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Takes the lease, unless somebody else holds it.
pub(in crate::keystore) async fn take_lease(
    tx: &mut Tx,
    holder: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, Error> {
    let n = on!(tx, |c| sqlx::query(TAKE)
        .bind(holder)
        .bind(until.micros())
        .bind(now.micros())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

/// Says that the lease is still held. `false` when somebody else took it meanwhile.
pub(in crate::keystore) async fn keep_lease(
    tx: &mut Tx,
    holder: &str,
    until: Timestamp,
) -> Result<bool, Error> {
    let n = on!(tx, |c| sqlx::query(KEEP)
        .bind(until.micros())
        .bind(holder)
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(in crate::keystore) async fn release_lease(tx: &mut Tx, holder: &str) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(RELEASE).bind(holder).execute(c).await.map(|_| ()))?;
    Ok(())
}
