//! Destroying once more what was destroyed before: for a keystore, or a database, that came from a backup.

use super::{Class, Error, Keystore, Owner, sql};
use crate::crypto::Fingerprint;

/// What was destroyed once more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Again {
    /// People whose keys were back.
    pub subjects: u64,
    /// Items whose keys were back.
    pub items: u64,
}

impl Keystore {
    /// The fingerprint of a person's key: what their erasure will be known by. [`Error::NoKey`] when it is gone.
    pub async fn fingerprint(&self, owner: Owner<'_>) -> Result<Fingerprint, Error> {
        let mut tx = self.db.read().await?;
        sql::again::fingerprint(&mut tx, owner).await?.ok_or(Error::NoKey)
    }

    /// How many living keys, of people and of items, have one of these fingerprints. Opens nothing.
    pub async fn alive_among(&self, known: &[Fingerprint]) -> Result<i64, Error> {
        let mut alive = 0;
        let mut tx = self.db.read().await?;
        for some in known.chunks(sql::MOST_IN) {
            alive += sql::again::count(&mut tx, some).await?;
        }
        Ok(alive)
    }

    /// How many of these fingerprints, each named once, are of people whose keys were destroyed here.
    pub async fn fenced_among(&self, known: &[Fingerprint]) -> Result<usize, Error> {
        let (mut fenced, mut tx) = (0, self.db.read().await?);
        for some in known.chunks(sql::MOST_IN) {
            fenced += usize::try_from(sql::again::count_fenced(&mut tx, some).await?).unwrap_or(0);
        }
        Ok(fenced)
    }

    /// Destroys the keys with these fingerprints, of people (with a fence) and of items. Durable when this returns;
    /// again is harmless, and takes up what a call that was cut short left: of somebody behind the fence nothing stays.
    pub async fn destroy_again(&self, known: &[Fingerprint]) -> Result<Again, Error> {
        let mut done = Again::default();
        for some in known.chunks(sql::MOST_IN) {
            let mut tx = self.db.begin().await?;
            let items = sql::again::delete_items(&mut tx, some).await?;
            sql::count_destroyed(&mut tx, usize::try_from(items).unwrap_or(usize::MAX)).await?;
            let owners = sql::again::owners(&mut tx, some).await?;
            tx.commit().await?;
            done.items += items;
            for (tenant, subject) in owners {
                let owner = Owner { tenant: &tenant, subject };
                // All that is theirs to open with goes in one write: whatever comes between, nobody keeps half of it.
                let mut tx = self.db.begin().await?;
                let mut gone = 0;
                for class in [Class::Data, Class::Proof] {
                    gone += usize::from(self.fence_off(&mut tx, owner, class).await?.is_some());
                }
                sql::count_destroyed(&mut tx, gone).await?;
                tx.commit().await?;
                self.clear_items(owner).await?;
                done.subjects += 1;
            }
        }
        if done != Again::default() {
            self.cut_log().await;
        }
        Ok(done)
    }
}
