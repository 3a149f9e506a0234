//! Bytes whose key is gone. They are deleted at once, and again an hour and a day later: a write that was under way may
//! land late.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::{Doomed, Error, Vault, sql};
use crate::base::{TenantId, Timestamp};
use crate::blobs::BlobKey;
use crate::on;
use crate::store;

/// When a grave is visited again, counted from its digging; after the last it is closed.
const VISITS: [TimeDelta; 2] = [TimeDelta::hours(1), TimeDelta::hours(24)];

/// When bytes that could not be deleted are tried again.
const AGAIN: TimeDelta = TimeDelta::minutes(5);

/// How long after a restore that is left of which a newer backup may know more: as long as bytes are that no row knows,
/// and a day.
const AFTER_A_RESTORE: TimeDelta = TimeDelta::days(8);

impl Vault {
    /// Marks a blob that never got a row, or lost it, for deletion; drops the intent.
    pub(super) async fn bury(&self, tenant: &TenantId, id: &str, blob: &BlobKey) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        on!(tx, |c| sqlx::query(sql::BURY)
            .bind(blob.to_string())
            .bind(tenant.as_str())
            .bind(self.clock.now().micros())
            .execute(c)
            .await
            .map(|_| ()))?;
        on!(tx, |c| sqlx::query(sql::DROP_ARRIVAL)
            .bind(tenant.as_str())
            .bind(id)
            .execute(c)
            .await
            .map(|_| ()))?;
        tx.commit().await?;
        self.visit_graves_of(std::slice::from_ref(blob), std::slice::from_ref(blob)).await
    }

    /// Visits the graves of what these rows said for the first time.
    pub(super) async fn visit_graves_of_rows(&self, doomed: &[Doomed]) -> Result<(), Error> {
        let blobs: Vec<BlobKey> = doomed.iter().filter_map(Doomed::blob).collect();
        let halves: Vec<BlobKey> =
            doomed.iter().filter(|d| d.kfp.is_none()).filter_map(Doomed::blob).collect();
        self.visit_graves_of(&blobs, &halves).await
    }

    /// Visits graves for the first time; of `halves` it is not known that they landed, so that there may be parts of them.
    pub(super) async fn visit_graves_of(&self, blobs: &[BlobKey], halves: &[BlobKey]) -> Result<(), Error> {
        let failed = self.delete_blobs(blobs, halves).await;
        let next = self.clock.now().plus(VISITS[0]);
        let mut tx = self.db.begin().await?;
        for blob in blobs {
            if !failed.contains(blob) {
                visited(&mut tx, &blob.to_string(), next).await?;
            }
        }
        tx.commit().await?;
        if failed.is_empty() {
            Ok(())
        } else {
            tracing::warn!(count = failed.len(), "bytes whose keys are gone could not be deleted yet");
            Ok(())
        }
    }

    /// Ends the uploads of `halves`, so that none of them lands any more, and deletes all of `blobs`. Gives those of which
    /// something may be left.
    async fn delete_blobs(&self, blobs: &[BlobKey], halves: &[BlobKey]) -> HashSet<BlobKey> {
        let mut left = HashSet::new();
        if let Err(e) = self.blobs.end_uploads(halves).await {
            tracing::warn!(error = %e, "what uploads left that were cut off could not be looked for yet");
            left.extend(halves.iter().copied());
        }
        left.extend(self.blobs.delete_many(blobs).await.failed.into_iter().map(|(key, _)| key));
        left
    }

    /// Visits the graves that are due: deletes again, closes those a day old. Gives how many were visited. A grave does not
    /// say whether its blob had landed, and an upload may have been begun anew since, so one look for parts is had for all.
    pub async fn visit_graves(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let due: Vec<(String, i64, i64)> = {
            let mut tx = self.db.read().await?;
            on!(tx, |c| sqlx::query_as(sql::GRAVES).bind(now.micros()).fetch_all(c).await)?
        };
        let keys: Vec<BlobKey> = due.iter().filter_map(|(key, ..)| key.parse().ok()).collect();
        let failed = self.delete_blobs(&keys, &keys).await;
        let mut tx = self.db.begin().await?;
        for (key, buried, deletions) in &due {
            if key.parse().is_ok_and(|key: BlobKey| failed.contains(&key)) {
                // Tried again soon, and behind the others: one that will not go must not keep the rest waiting.
                let next = now.plus(AGAIN);
                on!(tx, |c| sqlx::query(sql::GRAVE_MISSED)
                    .bind(next.micros())
                    .bind(key)
                    .execute(c)
                    .await
                    .map(|_| ()))?;
                continue;
            }
            let visit = usize::try_from(*deletions).unwrap_or(usize::MAX);
            match VISITS.get(visit) {
                Some(after) => {
                    let next = Timestamp::from_micros(*buried).plus(*after);
                    visited(&mut tx, key, next).await?;
                }
                None => on!(tx, |c| sqlx::query(sql::GRAVE_CLOSED).bind(key).execute(c).await.map(|_| ()))?,
            }
        }
        tx.commit().await?;
        Ok(due.len())
    }

    /// When a backup was last put back and brought up to date, unless that is so long ago that no newer one will turn up.
    pub async fn restored_lately(&self) -> Result<Option<Timestamp>, Error> {
        let (at,): (Option<i64>,) = {
            let mut tx = self.db.read().await?;
            on!(tx, |c| sqlx::query_as(sql::RESTORED_AT).fetch_one(c).await)?
        };
        let lately = self.clock.now().plus(-AFTER_A_RESTORE);
        Ok(at.map(Timestamp::from_micros).filter(|at| *at > lately))
    }

    /// Clears uploads that never landed: keys, bytes, intents. Gives how many. For a while after a restore those from
    /// before it are left: one that was under way when the backup was taken may have landed since, and a newer backup may
    /// turn up that says so, with nothing but this key to open it.
    pub async fn sweep_arrivals(&self) -> Result<usize, Error> {
        let (now, restored) = (self.clock.now(), self.restored_lately().await?);
        let stale: Vec<(String, String, String)> = {
            let mut tx = self.db.read().await?;
            on!(tx, |c| sqlx::query_as(sql::EXPIRED_ARRIVALS)
                .bind(now.micros())
                .bind(restored.map_or(i64::MIN, Timestamp::micros))
                .fetch_all(c)
                .await)?
        };
        let mut cleared = 0;
        for (id, tenant, blob) in &stale {
            let tenant: TenantId =
                tenant.parse().map_err(|_| store::Error::inconsistent("object", "tenant"))?;
            let blob: BlobKey = blob.parse().map_err(|_| store::Error::inconsistent("object", "blob_key"))?;
            cleared += usize::from(self.clear_arrival(&tenant, id, &blob).await?);
        }
        Ok(cleared)
    }

    /// Blobs of a tenant whose first deletion is still owed.
    pub async fn unburied(&self, tenant: &TenantId) -> Result<i64, Error> {
        let mut tx = self.db.read().await?;
        let (n,): (i64,) =
            on!(tx, |c| sqlx::query_as(sql::GRAVES_FRESH).bind(tenant.as_str()).fetch_one(c).await)?;
        Ok(n)
    }
}

async fn visited(tx: &mut store::Tx, key: &str, next: Timestamp) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(sql::GRAVE_VISITED).bind(next.micros()).bind(key).execute(c).await.map(|_| ()))?;
    Ok(())
}
