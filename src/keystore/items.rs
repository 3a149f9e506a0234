use std::collections::HashMap;

use zeroize::Zeroizing;

use super::epochs::EpochKey;
use super::{Class, Error, ItemKey, Keystore, Owner, sql, subjects};
use crate::base::KeyId;
use crate::crypto::{self, Fingerprint, Key, Place};
use crate::store::Tx;

/// An item that needs a key.
#[derive(Debug)]
pub struct NewItem<'a> {
    /// Its id.
    pub item: &'a str,
    /// Its category: part of the place its key is bound to.
    pub kind: &'a str,
    /// The key, when something else chose it (age does); else a fresh one is made.
    pub key: Option<Key>,
}

pub(super) fn place(owner: Owner<'_>, item: &str, kind: &str, id: KeyId, epoch: i64) -> Place {
    Place::new("item_key")
        .with(owner.tenant.as_str())
        .with(owner.subject.as_bytes())
        .with(item)
        .with(kind)
        .with(id.as_bytes())
        .number(epoch)
}

/// `HKDF(subject key ‖ epoch key, "vouchsafe/v1/item-wrap")`: both are needed, so the row is dead when either is.
pub(super) fn wrapping(subject: &Key, epoch: &EpochKey) -> Key {
    let mut ikm = Zeroizing::new([0_u8; 64]);
    let (left, right) = ikm.split_at_mut(32);
    left.copy_from_slice(subject.expose());
    right.copy_from_slice(epoch.key.expose());
    crypto::derive(&*ikm, "vouchsafe/v1/item-wrap")
}

pub(super) async fn unwrap(
    keys: &Keystore,
    tx: &mut Tx,
    owner: Owner<'_>,
    subject: &Key,
    row: &sql::ItemRow,
) -> Result<Key, Error> {
    let epoch = keys.epoch(tx, row.epoch).await?;
    let place = place(owner, &row.item, &row.kind, row.id, row.epoch);
    Ok(Key::from_slice(&crypto::open(&wrapping(subject, &epoch), &place, &row.wrapped)?)?)
}

impl Keystore {
    /// Makes keys for items of one person, durable when this returns. [`Error::NoKey`] when the person has none.
    pub async fn mint(&self, owner: Owner<'_>, items: Vec<NewItem<'_>>) -> Result<Vec<ItemKey>, Error> {
        let (mut tx, epoch) = self.writing().await?;
        let subject = subjects::load(self, &mut tx, owner, Class::Data).await?;
        let wrapping = wrapping(&subject, &epoch);
        let mut made = Vec::with_capacity(items.len());
        for NewItem { item, kind, key } in items {
            let id = KeyId::new(&self.clock, &self.entropy);
            let key = key.unwrap_or_else(|| Key::generate(&self.entropy));
            let fingerprint = Fingerprint::of(key.expose(), id.as_bytes());
            let wrapped = crypto::seal(
                &wrapping,
                &place(owner, item, kind, id, epoch.number),
                key.expose(),
                &self.entropy,
            );
            let row = sql::ItemRow {
                item: item.to_owned(),
                id,
                kind: kind.to_owned(),
                epoch: epoch.number,
                wrapped,
            };
            sql::insert_item(&mut tx, owner, &row, fingerprint, self.clock.now()).await?;
            made.push(ItemKey { key, fingerprint });
        }
        tx.commit().await?;
        Ok(made)
    }

    /// The key of one item.
    pub async fn item(&self, owner: Owner<'_>, item: &str) -> Result<ItemKey, Error> {
        let mut found = self.items(owner, std::slice::from_ref(&item)).await?;
        found.remove(item).ok_or(Error::NoKey)
    }

    /// The keys of several items; those that have none are left out.
    pub async fn items(&self, owner: Owner<'_>, items: &[&str]) -> Result<HashMap<String, ItemKey>, Error> {
        let mut tx = self.db.read().await?;
        let subject = subjects::load(self, &mut tx, owner, Class::Data).await?;
        let mut found = HashMap::with_capacity(items.len());
        for some in items.chunks(sql::MOST_IN) {
            for (row, fingerprint) in sql::items(&mut tx, owner, some).await? {
                let key = unwrap(self, &mut tx, owner, &subject, &row).await?;
                found.insert(row.item, ItemKey { key, fingerprint });
            }
        }
        Ok(found)
    }

    /// Destroys the keys of items, whoever owns them within the tenant. Gives the fingerprints of those that were
    /// there. Durable when this returns.
    pub async fn destroy_items(
        &self,
        tenant: &crate::base::TenantId,
        items: &[&str],
    ) -> Result<Vec<(String, Fingerprint)>, Error> {
        let mut destroyed = Vec::with_capacity(items.len());
        for some in items.chunks(sql::MOST_IN) {
            let mut tx = self.db.begin().await?;
            let gone = sql::delete_items(&mut tx, tenant, some).await?;
            sql::count_destroyed(&mut tx, gone.len()).await?;
            tx.commit().await?;
            destroyed.extend(gone);
        }
        Ok(destroyed)
    }

    /// Deletes what is left of the item keys of a person whose own key is gone: dead rows, cleared in batches. Gives
    /// how many went.
    pub async fn clear_items(&self, owner: Owner<'_>) -> Result<u64, Error> {
        let mut cleared = 0;
        loop {
            let mut tx = self.db.begin().await?;
            let n = sql::clear_items(&mut tx, owner).await?;
            tx.commit().await?;
            cleared += n;
            if n == 0 {
                return Ok(cleared);
            }
        }
    }

    /// Item keys a person still has rows for: what a verifier counts.
    pub async fn count_items(&self, owner: Owner<'_>) -> Result<i64, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::count_items(&mut tx, owner).await?)
    }
}
