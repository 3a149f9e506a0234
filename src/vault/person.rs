//! A person as a whole: their keys made, what they have, everything gone, and a second look that it is.

use super::leaving::Which;
use super::{Error, ItemKind, Owner, Vault, leaving, rows, sql};
use crate::base::{TenantId, Timestamp};
use crate::blobs::{self, BlobKey};
use crate::crypto::Fingerprint;
use crate::keystore::{self, Class, DestroyedKey};
use crate::on;
use crate::store;

/// What a person has of one category.
#[derive(Debug, Clone)]
pub struct Holdings {
    /// The category.
    pub category: String,
    /// Images.
    pub images: i64,
    /// Records.
    pub records: i64,
    /// When the first of it goes, if a clock runs.
    pub next_due: Option<Timestamp>,
    /// When the oldest of it was stored.
    pub oldest: Option<Timestamp>,
}

/// What a tenant holds of one category under one rule.
#[derive(Debug, Clone)]
pub struct RuleCount {
    /// The category.
    pub category: String,
    /// The rule; empty when none ends it yet.
    pub rule: String,
    /// Things alive.
    pub live: i64,
    /// Of them, past their time and to be erased.
    pub due: i64,
    /// Of them, past their time and kept by a legal hold.
    pub held: i64,
    /// When the first goes, or had to.
    pub next_due: Option<Timestamp>,
    /// When the oldest was stored.
    pub oldest: Option<Timestamp>,
}

/// What a second look found of an erased person. All must be zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Residue {
    /// Their key, or any of their items' keys.
    pub keys: i64,
    /// Rows of images.
    pub objects: i64,
    /// Rows of records.
    pub records: i64,
    /// Blobs of the manifest that are still there, and unfinished uploads of them.
    pub blobs: i64,
}

impl Residue {
    /// Whether nothing is left.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Vault {
    /// Makes the keys of a new person. Gives the fingerprint by which their erasure will be proved.
    pub async fn enrol(&self, owner: &Owner) -> Result<Fingerprint, Error> {
        Ok(self.keys.create_subject(owner.key()).await?)
    }

    /// The fingerprint of a person's key: what their erasure is known by on the ledger, to whoever finds the key again.
    pub async fn fingerprint(&self, owner: &Owner) -> Result<Fingerprint, Error> {
        Ok(self.keys.fingerprint(owner.key()).await?)
    }

    /// Whether a person's keys were destroyed: then they are erased, whatever a database says.
    pub async fn is_fenced(&self, owner: &Owner) -> Result<bool, Error> {
        Ok(self.keys.is_fenced(owner.key()).await?)
    }

    /// What a person has, by category. Tells counts and times, opens nothing.
    pub async fn holdings(&self, owner: &Owner) -> Result<Vec<Holdings>, Error> {
        type Row = (String, String, i64, Option<i64>, Option<i64>);
        let mut tx = self.db.read().await?;
        let found: Vec<Row> = on!(tx, |c| sqlx::query_as(sql::HOLDINGS)
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .fetch_all(c)
            .await)?;
        let mut all: std::collections::BTreeMap<String, Holdings> = std::collections::BTreeMap::new();
        for (category, shape, n, due, oldest) in found {
            let h = all.entry(category.clone()).or_insert(Holdings {
                category,
                images: 0,
                records: 0,
                next_due: None,
                oldest: None,
            });
            if shape == "object" {
                h.images += n;
            } else {
                h.records += n;
            }
            let earlier = |a: Option<Timestamp>, b: Option<i64>| {
                [a, b.map(Timestamp::from_micros)].into_iter().flatten().min()
            };
            h.next_due = earlier(h.next_due, due);
            h.oldest = earlier(h.oldest, oldest);
        }
        Ok(all.into_values().collect())
    }

    /// The blobs of a person: the part of an erasure's manifest that only the live database knows.
    pub async fn blob_keys(&self, owner: &Owner) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        let mut tx = self.db.read().await?;
        let mut after = String::new();
        loop {
            let page: Vec<(String, String)> = on!(tx, |c| sqlx::query_as(sql::BLOB_KEYS)
                .bind(owner.tenant.as_str())
                .bind(owner.subject.to_string())
                .bind(&after)
                .fetch_all(c)
                .await)?;
            let Some((last, _)) = page.last() else { return Ok(keys) };
            after.clone_from(last);
            keys.extend(page.into_iter().map(|(_, key)| key));
        }
    }

    /// Destroys a person's key: one durable write, after which nothing of theirs opens any more, here or in any copy
    /// whose epoch is over. The rest of an erasure only clears away what is already unreadable.
    pub async fn destroy_key(&self, owner: &Owner) -> Result<DestroyedKey, Error> {
        let destroyed = self.keys.destroy_subject(owner.key(), Class::Data).await?;
        self.keys.truncate_log().await?;
        Ok(destroyed)
    }

    /// The newest epoch of keys. Once it is destroyed, no copy of the keystore made until now opens anything.
    pub async fn newest_epoch(&self) -> Result<i64, Error> {
        Ok(self.keys.newest_epoch().await?)
    }

    /// Destroys the key that says who a ledger entry is about. From here on nobody can tell.
    pub async fn destroy_proof_key(&self, owner: &Owner) -> Result<(), Error> {
        match self.keys.destroy_subject(owner.key(), Class::Proof).await {
            Ok(_) | Err(keystore::Error::NoKey) => Ok(self.keys.truncate_log().await?),
            Err(e) => Err(e.into()),
        }
    }

    /// Clears the rows, keys and bytes of a person whose key is destroyed. Gives how many images and records went.
    pub async fn clear(&self, owner: &Owner) -> Result<(u64, u64), Error> {
        let (mut images, mut records) = (0, 0);
        loop {
            let doomed = {
                let mut tx = self.db.read().await?;
                leaving::doomed(&mut tx, owner, Which::All).await?
            };
            if doomed.is_empty() {
                break;
            }
            let mut tx = self.db.begin().await?;
            self.delete_rows(&mut tx, &owner.tenant, &doomed).await?;
            tx.commit().await?;
            for d in &doomed {
                match &d.kind {
                    ItemKind::Object { .. } => images += 1,
                    ItemKind::Record { .. } => records += 1,
                }
            }
            self.visit_graves_of_rows(&doomed).await?;
        }
        self.keys.clear_items(owner.key()).await?;
        self.keys.truncate_log().await?;
        Ok((images, records))
    }

    /// A second look by another way: does any key, row or byte of the person remain? Tries what must fail.
    pub async fn residue(&self, owner: &Owner, manifest: &[String]) -> Result<Residue, Error> {
        let mut residue = Residue { keys: self.keys.count_items(owner.key()).await?, ..Residue::default() };
        match self.keys.derived(owner.key(), Class::Data, "vouchsafe/v1/probe").await {
            Err(keystore::Error::NoKey) => {}
            Ok(_) => residue.keys += 1,
            Err(e) => return Err(e.into()),
        }
        {
            let mut tx = self.db.read().await?;
            residue.objects = rows::count(&mut tx, owner, sql::COUNT_OBJECTS).await?;
            residue.records = rows::count(&mut tx, owner, sql::COUNT_RECORDS).await?;
        }
        let mut keys: Vec<BlobKey> = Vec::with_capacity(manifest.len());
        for key in manifest {
            keys.push(key.parse().map_err(|_| store::Error::inconsistent("erasure", "manifest"))?);
        }
        for key in &keys {
            match self.blobs.head(key).await {
                Err(blobs::Error::NotFound) => {}
                Ok(_) => residue.blobs += 1,
                Err(e) => return Err(e.into()),
            }
        }
        // Bytes of an upload that was cut off have no name yet, and are there all the same.
        residue.blobs += i64::try_from(self.blobs.uploads_of(&keys).await?).unwrap_or(i64::MAX);
        Ok(residue)
    }

    /// How many things a tenant holds, by category and rule, and how many of them are past `now`.
    pub async fn counts(&self, tenant: &TenantId, now: Timestamp) -> Result<Vec<RuleCount>, Error> {
        type Row = (String, String, i64, i64, i64, Option<i64>, Option<i64>);
        let mut tx = self.db.read().await?;
        let found: Vec<Row> = on!(tx, |c| sqlx::query_as(sql::BOARD)
            .bind(tenant.as_str())
            .bind(now.micros())
            .fetch_all(c)
            .await)?;
        Ok(found
            .into_iter()
            .map(|(category, rule, live, due, held, next, oldest)| RuleCount {
                category,
                rule,
                live,
                due,
                held,
                next_due: next.map(Timestamp::from_micros),
                oldest: oldest.map(Timestamp::from_micros),
            })
            .collect())
    }

    /// The keyed index by which an address is found: `HMAC(blind-index/<tenant>, purpose ‖ 0 ‖ value)`.
    pub async fn blind_index(&self, tenant: &TenantId, purpose: &str, value: &str) -> Result<Vec<u8>, Error> {
        let key = self.keys.system(&format!("blind-index/{tenant}")).await?;
        let mut input = zeroize::Zeroizing::new(purpose.as_bytes().to_vec());
        input.push(0);
        input.extend_from_slice(value.as_bytes());
        Ok(crate::crypto::mac(&key, &input).to_vec())
    }
}
