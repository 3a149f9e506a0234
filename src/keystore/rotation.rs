//! Moving to a new epoch: a new epoch key, every living row wrapped anew under it, and, a whole epoch later, the old
//! one destroyed. From then on no old copy of the keystore opens anything.

use super::{Class, Error, Keystore, Owner, items, sql, subjects, system};
use crate::base::{SubjectId, TenantId};
use crate::crypto;

/// What a rotation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rotation {
    /// The epoch now current.
    pub epoch: i64,
    /// Subject keys wrapped anew.
    pub subjects: u64,
    /// Item keys wrapped anew.
    pub items: u64,
    /// Keys of the service wrapped anew.
    pub system: u64,
    /// The epoch destroyed, when one was old enough.
    pub destroyed: Option<i64>,
}

impl Keystore {
    /// Begins a new epoch and wraps every living key under it. The epoch before the one just left is destroyed first,
    /// so at most two are alive. Cut short, it goes on where it stopped when called through [`Keystore::rewrap`].
    pub async fn rotate(&self) -> Result<Rotation, Error> {
        let mut destroyed = None;
        let alive = self.epochs.alive();
        if let [older, _newer] = alive.as_slice() {
            self.rewrap().await?;
            self.epochs.destroy(older.number)?;
            destroyed = Some(older.number);
        }
        self.epochs.begin(self.clock.now(), &self.entropy)?;
        Ok(Rotation { destroyed, ..self.rewrap().await? })
    }

    /// Wraps every living key that is not under the current epoch under it. Idempotent.
    pub async fn rewrap(&self) -> Result<Rotation, Error> {
        let epoch = self.epochs.current()?;
        let mut done = Rotation { epoch: epoch.number, ..Rotation::default() };
        loop {
            let n = self.rewrap_items(epoch.number).await?;
            done.items += n;
            if n == 0 {
                break;
            }
        }
        loop {
            let n = self.rewrap_subjects(epoch.number).await?;
            done.subjects += n;
            if n == 0 {
                break;
            }
        }
        done.system = self.rewrap_system(epoch.number).await?;
        self.truncate_log().await?;
        Ok(done)
    }

    async fn rewrap_subjects(&self, to: i64) -> Result<u64, Error> {
        let epoch = self.epochs.get(to)?;
        let wrapping = subjects::wrapping(&epoch);
        let mut tx = self.db.begin().await?;
        let rows = sql::stale_subjects(&mut tx, to).await?;
        for (tenant, subject, row) in &rows {
            let owner = Owner { tenant, subject: *subject };
            let key = subjects::unwrap(self, owner, row)?;
            let place = subjects::place(owner, &row.class, row.id, to);
            let wrapped = crypto::seal(&wrapping, &place, key.expose(), &self.entropy);
            sql::update_subject(&mut tx, owner, &row.class, to, &wrapped).await?;
        }
        tx.commit().await?;
        Ok(rows.len() as u64)
    }

    async fn rewrap_items(&self, to: i64) -> Result<u64, Error> {
        let epoch = self.epochs.get(to)?;
        let mut tx = self.db.begin().await?;
        let rows = sql::stale_items(&mut tx, to).await?;
        let mut last: Option<(TenantId, SubjectId, Option<crypto::Key>)> = None;
        for (tenant, subject, row) in &rows {
            let owner = Owner { tenant, subject: *subject };
            if last.as_ref().is_none_or(|(t, s, _)| t != tenant || s != subject) {
                let key = match subjects::load(self, &mut tx, owner, Class::Data).await {
                    Ok(key) => Some(key),
                    Err(Error::NoKey) => None,
                    Err(e) => return Err(e),
                };
                last = Some((tenant.clone(), *subject, key));
            }
            let Some((_, _, Some(key))) = &last else {
                // The owner's key is gone: a dead row, which must not be carried into the new epoch.
                sql::delete_items(&mut tx, tenant, &[&row.item]).await?;
                continue;
            };
            let plain = items::unwrap(self, owner, key, row)?;
            let place = items::place(owner, &row.item, &row.kind, row.id, to);
            let wrapped = crypto::seal(&items::wrapping(key, &epoch), &place, plain.expose(), &self.entropy);
            sql::update_item(&mut tx, &row.item, to, &wrapped).await?;
        }
        tx.commit().await?;
        Ok(rows.len() as u64)
    }

    async fn rewrap_system(&self, to: i64) -> Result<u64, Error> {
        let epoch = self.epochs.get(to)?;
        let mut tx = self.db.begin().await?;
        let rows = sql::stale_system(&mut tx, to).await?;
        for row in &rows {
            let key = system::unwrap(self, row)?;
            let place = system::place(&row.name, to);
            let wrapped = crypto::seal(&system::wrapping(&epoch), &place, key.expose(), &self.entropy);
            sql::update_system(&mut tx, &row.name, to, &wrapped).await?;
        }
        tx.commit().await?;
        Ok(rows.len() as u64)
    }
}
