//! Erasing once more what a backup brought back, and comparing the bytes in the store with the rows.

use std::collections::VecDeque;

use chrono::TimeDelta;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::erase::ItemKind;
use super::{Error, Owner, Vault, leaving, sql};
use crate::base::TenantId;
use crate::blobs::{self, BlobKey, KeyPrefix};
use crate::crypto::{Context, Fingerprint};
use crate::keystore;
use crate::on;
use crate::store::{self, Tx, padding, with_list};

/// How long bytes that no row knows are left, unless their key is gone: a newer backup may turn up and know them.
const WAIT: TimeDelta = TimeDelta::days(7);
/// More than the longest header of an image at rest.
const HEADER: u64 = 1024;
/// Bytes looked at side by side.
const SIDE_BY_SIDE: usize = 16;

/// What was erased once more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Again {
    /// Images.
    pub images: u64,
    /// Records.
    pub records: u64,
}

/// How bytes and rows differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Strangers {
    /// Bytes that no row knows and whose key is gone: deleted.
    pub deleted: u64,
    /// Bytes that no row knows, but a key does: deleted in a week.
    pub waiting: u64,
    /// Rows of images whose bytes are not there.
    pub missing: u64,
}

impl Vault {
    /// Erases things by their ids, keys first, wherever a backup brought them back. Writes nothing on the ledger: it has
    /// it already. Again is harmless.
    pub async fn erase_again(&self, tenant: &TenantId, ids: &[&str]) -> Result<Again, Error> {
        let mut doomed = {
            let mut tx = self.db.read().await?;
            leaving::doomed_by_id(&mut tx, tenant, ids).await?
        };
        // Of what has no row a key may be there all the same.
        self.keys.destroy_items(tenant, ids).await?;
        let mut tx = self.db.begin().await?;
        let gone = self.let_go(&mut tx, tenant, &mut doomed).await?;
        tx.commit().await?;
        self.keys.cut_log().await;
        self.visit_graves_of_rows(&doomed).await?;
        let mut again = Again::default();
        for d in doomed.iter().filter(|d| gone.contains(&d.id)) {
            match d.kind {
                ItemKind::Object { .. } => again.images += 1,
                ItemKind::Record { .. } => again.records += 1,
            }
        }
        Ok(again)
    }

    /// Whether a record is still the value that was sealed under this key. `false` as well when it is not there.
    pub async fn is_under(&self, tenant: &TenantId, record: &str, key: Fingerprint) -> Result<bool, Error> {
        let mut tx = self.db.read().await?;
        let found = leaving::doomed_by_id(&mut tx, tenant, &[record]).await?;
        Ok(found.iter().any(|d| d.kfp == Some(key)))
    }

    /// How many rows and living keys are known by one of these fingerprints: a second look, by another way than things
    /// were erased.
    pub async fn known_by(&self, destroyed: &[Fingerprint]) -> Result<i64, Error> {
        let mut found = self.keys.alive_among(destroyed).await?;
        let mut tx = self.db.read().await?;
        for some in destroyed.chunks(store::MOST_IN) {
            for statement in [sql::OBJECTS_WITH_KEY, sql::RECORDS_WITH_KEY] {
                let (n,): (i64,) = on!(tx, |c| {
                    let mut query = sqlx::query_as(with_list(statement, some.len()));
                    for kfp in padding(some) {
                        query = query.bind(kfp.as_bytes().to_vec());
                    }
                    query.fetch_one(c).await
                })?;
                found += n;
            }
        }
        Ok(found)
    }

    /// Those of these fingerprints that no record bears.
    pub async fn borne_by_no_row(&self, known: &[Fingerprint]) -> Result<Vec<Fingerprint>, Error> {
        let mut free = known.to_vec();
        let mut tx = self.db.read().await?;
        for some in known.chunks(store::MOST_IN) {
            let borne: Vec<(Vec<u8>,)> = on!(tx, |c| {
                let mut query = sqlx::query_as(with_list(sql::BORNE, some.len()));
                for kfp in padding(some) {
                    query = query.bind(kfp.as_bytes().to_vec());
                }
                query.fetch_all(c).await
            })?;
            free.retain(|kfp| !borne.iter().any(|(b,)| b.as_slice() == kfp.as_bytes().as_slice()));
        }
        Ok(free)
    }

    /// Goes through the bytes in the store and the rows side by side. Bytes that no row knows are deleted: at once when
    /// their key is gone, otherwise after a week. Bytes that are missing are counted; their rows stay, for the bytes may
    /// be brought.
    pub async fn reconcile_blobs(&self) -> Result<Strangers, Error> {
        let mut found = Strangers::default();
        let mut rows = Rows::default();
        let mut strangers = Vec::new();
        let mut listed = std::pin::pin!(self.blobs.list(KeyPrefix::all(), None));
        while let Some(blob) = listed.try_next().await? {
            let key = blob.key.to_string();
            found.missing += rows.before(self, Some(&key)).await?;
            if !rows.take(&key) {
                strangers.push(blob.key);
            }
            if strangers.len() >= 256 {
                self.bury_strangers(&std::mem::take(&mut strangers), &mut found).await?;
            }
        }
        found.missing += rows.before(self, None).await?;
        self.bury_strangers(&strangers, &mut found).await?;
        Ok(found)
    }

    /// How many images and records have no key: nothing opens them. They are younger than a keystore that was put back.
    pub async fn keyless(&self) -> Result<u64, Error> {
        let (mut lost, mut last) = (0, String::new());
        loop {
            let rows: Vec<(String,)> = {
                let mut tx = self.db.read().await?;
                on!(tx, |c| sqlx::query_as(sql::LANDED_OBJECTS).bind(last.clone()).fetch_all(c).await)?
            };
            let Some((end,)) = rows.last() else { break };
            last.clone_from(end);
            lost += self.without_key(rows.into_iter().map(|(id,)| id).collect()).await?;
        }
        last.clear();
        loop {
            let rows: Vec<(String, i64)> = {
                let mut tx = self.db.read().await?;
                on!(tx, |c| sqlx::query_as(sql::ALL_RECORDS).bind(last.clone()).fetch_all(c).await)?
            };
            let Some((end, _)) = rows.last() else { return Ok(lost) };
            last.clone_from(end);
            let named = rows.into_iter().map(|(id, revision)| super::records::key_item(&id, revision));
            lost += self.without_key(named.collect()).await?;
        }
    }

    async fn without_key(&self, items: Vec<String>) -> Result<u64, Error> {
        let keyed = u64::try_from(self.keys.keyed_among(&items).await?).unwrap_or(0);
        Ok((items.len() as u64).saturating_sub(keyed))
    }

    async fn bury_strangers(&self, strangers: &[BlobKey], found: &mut Strangers) -> Result<(), Error> {
        let known: Vec<(BlobKey, bool)> = stream::iter(strangers)
            .map(|key| async move { Ok::<_, Error>((*key, self.has_key(key).await?)) })
            .buffered(SIDE_BY_SIDE)
            .try_collect()
            .await?;
        let now = self.clock.now();
        let mut dead = Vec::new();
        let mut tx = self.db.begin().await?;
        for (key, alive) in known {
            let next = if alive { now.plus(WAIT) } else { now };
            on!(tx, |c| sqlx::query(sql::BURY_LATER)
                .bind(key.to_string())
                .bind("unknown")
                .bind(now.micros())
                .bind(next.micros())
                .execute(c)
                .await
                .map(|_| ()))?;
            if alive {
                found.waiting += 1;
            } else {
                found.deleted += 1;
                dead.push(key);
            }
        }
        tx.commit().await?;
        self.visit_graves_of(&dead, &[]).await
    }

    /// Whether there is a key to the image that these bytes say they are. Bytes that do not say so have none.
    async fn has_key(&self, key: &BlobKey) -> Result<bool, Error> {
        let body = match self.blobs.get(key, Some(0..HEADER)).await {
            Ok(body) => body,
            Err(blobs::Error::NotFound | blobs::Error::OutOfRange) => return Ok(false),
            Err(e) => return Err(e.into()),
        };
        let header = body.collect(usize::try_from(HEADER).unwrap_or(0)).await?;
        let Some(context) = Context::of_header(&header) else { return Ok(false) };
        let (Ok(tenant), Ok(subject)) = (context.tenant.parse(), context.subject.parse()) else {
            return Ok(false);
        };
        let owner = Owner::new(&tenant, subject);
        match self.keys.item(owner.key(), &context.object).await {
            Ok(_) => Ok(true),
            Err(keystore::Error::NoKey) => Ok(false),
            // A key that does not open is none, if it is not for want of its epoch.
            Err(keystore::Error::Damaged) if self.keys.opens_all_epochs().await? => Ok(false),
            Err(e) => Err(e.into()),
        }
    }
}

/// The blobs that rows know, in order, a page at a time.
#[derive(Default)]
struct Rows {
    page: VecDeque<(String, bool)>,
    after: String,
    ended: bool,
}

impl Rows {
    /// Leaves behind what stands before `key`, or everything: how many of it are images that have landed.
    async fn before(&mut self, vault: &Vault, key: Option<&str>) -> Result<u64, Error> {
        let mut landed = 0;
        loop {
            while let Some((first, live)) = self.page.front() {
                if key.is_some_and(|key| first.as_str() >= key) {
                    return Ok(landed);
                }
                landed += u64::from(*live);
                self.page.pop_front();
            }
            if self.ended {
                return Ok(landed);
            }
            let mut tx = vault.db.read().await?;
            self.page = known(&mut tx, &self.after).await?;
            match self.page.back() {
                Some((last, _)) => self.after.clone_from(last),
                None => self.ended = true,
            }
        }
    }

    /// Whether `key` is the next.
    fn take(&mut self, key: &str) -> bool {
        let known = self.page.front().is_some_and(|(first, _)| first == key);
        if known {
            self.page.pop_front();
        }
        known
    }
}

async fn known(tx: &mut Tx, after: &str) -> Result<VecDeque<(String, bool)>, Error> {
    let rows: Vec<(String, String)> =
        on!(tx, |c| sqlx::query_as(sql::BLOBS_KNOWN).bind(after).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(key, state)| (key, state == "live")).collect())
}
