//! A provider that has no time. The errand that it refused is kept with its row in the register, and put again when there is
//! time: however often that is, one disclosure was written down.

use chrono::TimeDelta;

use super::{Errand, sql};
use crate::base::Timestamp;
use crate::editing::{Edit, Editing, Error, sql as edits};

impl Editing {
    /// Its provider had no time for it, and did not take it.
    pub(super) async fn refused(&self, edit: &Edit, errand: &Errand) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        sql::refused(&mut tx, errand, now).await?;
        edits::put_off(&mut tx, edit, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The provider has no time, or is left alone: from now on that counts, if it did not before.
    pub(super) async fn put_off(&self, edit: &Edit) -> Result<(), Error> {
        if edit.put_off_since.is_none() {
            let mut tx = self.db.begin().await?;
            edits::put_off(&mut tx, edit, self.clock.now()).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// The provider has time, and the edit waits for a place in the line or has got one.
    pub(super) async fn not_put_off(&self, edit: &Edit) -> Result<(), Error> {
        if edit.put_off_since.is_some() {
            let mut tx = self.db.begin().await?;
            edits::not_put_off(&mut tx, edit).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Not before `until`. Others wait for the same moment, so each comes a while after it: up to a quarter of the wait.
    pub(super) fn not_before(&self, until: Timestamp) -> Timestamp {
        let wait = until.since(self.clock.now()).max(TimeDelta::zero());
        let chance = i32::from(u16::from_be_bytes(self.entropy.bytes()) >> 1);
        until.plus(wait / 4 * chance / i32::from(i16::MAX))
    }
}
