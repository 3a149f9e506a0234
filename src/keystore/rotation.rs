//! Moving to a new epoch: a new epoch key, every living row wrapped anew under it, and, a whole epoch later, the old
//! one destroyed. From then on no old copy of the keystore opens anything.
//!
//! It is done while any number of processes use the keystore. Each writes under the newest epoch it has seen; before an
//! epoch is destroyed the floor is raised above it, which waits for whoever is still writing under it and turns away
//! whoever comes after; then what lies below is wrapped anew, and only then the key goes.

use chrono::TimeDelta;

use super::lead::Lead;
use super::{Class, Error, Keystore, Owner, items, sql, subjects, system};
use crate::base::{SubjectId, TenantId, Timestamp};
use crate::crypto;

/// How long an epoch lasts before the next one begins by itself.
pub const EPOCH_LASTS: TimeDelta = TimeDelta::days(7);

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

/// The epochs whose rows are wrapped anew: from the oldest alive to the one before `to`. What lies under a dead epoch
/// opens for nobody and is left to the auditor.
#[derive(Clone, Copy)]
struct Span {
    from: i64,
    to: i64,
}

impl Keystore {
    /// Begins a new epoch and wraps every living key under it. The epoch before the one just left is destroyed first,
    /// so at most two are alive. May run beside any number of processes that use the keystore; [`Error::Taken`] when one
    /// of them is at it. Cut short, it goes on where it stopped when called through [`Keystore::rewrap`] or anew.
    pub async fn rotate(&self) -> Result<Rotation, Error> {
        let lead = self.lead().await?;
        let done = self.rotate_led(&lead).await;
        lead.release().await?;
        done
    }

    /// Wraps every living key that is not under the current epoch under it. Idempotent.
    pub async fn rewrap(&self) -> Result<Rotation, Error> {
        let lead = self.lead().await?;
        let done = self.rewrap_led(&lead).await;
        lead.release().await?;
        done
    }

    /// Finishes what a rotation left undone when it was cut short, and what other processes wrote under the older epoch
    /// since; sees what others changed. Cheap when there is nothing to do. Gives how many keys were wrapped anew.
    pub async fn finish(&self) -> Result<u64, Error> {
        self.epochs.look(self.clock.now()).await?;
        let span = self.span().await?;
        let (stale, remains) = {
            let mut tx = self.db.read().await?;
            let stale = sql::epochs::any_stale(&mut tx, span.from, span.to).await?;
            (stale, sql::epochs::undestroyed(&mut tx, span.from).await?)
        };
        if !stale && remains.is_empty() {
            return Ok(0);
        }
        let lead = match self.lead().await {
            Err(Error::Taken) => return Ok(0),
            lead => lead?,
        };
        let done = async {
            for epoch in remains {
                self.destroy_epoch(&lead, epoch).await?;
            }
            self.rewrap_led(&lead).await
        };
        let done = done.await;
        lead.release().await?;
        done.map(|r| r.items + r.subjects + r.system)
    }

    /// Leaves every epoch up to this number: begins a later one if there is none, wraps all living keys under it, and
    /// destroys the others. Gives those destroyed; none when none was alive.
    pub async fn leave_epochs(&self, last: i64) -> Result<Vec<i64>, Error> {
        self.epochs.look(self.clock.now()).await?;
        let mut old: Vec<i64> = self.epochs.alive().iter().map(|e| e.number).collect();
        old.retain(|n| *n <= last);
        if old.is_empty() {
            return Ok(old);
        }
        let lead = self.lead().await?;
        let left = self.leave_led(&lead, last).await;
        lead.release().await?;
        left.map(|()| old)
    }

    async fn leave_led(&self, lead: &Lead<'_>, last: i64) -> Result<(), Error> {
        while self.epochs.alive().last().is_none_or(|e| e.number <= last) {
            lead.still().await?;
            self.epochs.begin(self.clock.now(), &self.entropy).await?;
        }
        self.register().await?;
        self.retire_before(lead, last + 1).await?;
        Ok(())
    }

    /// When the next epoch begins by itself.
    pub fn next_rotation(&self) -> Option<Timestamp> {
        self.epochs.alive().last().map(|e| e.since.plus(EPOCH_LASTS))
    }

    async fn rotate_led(&self, lead: &Lead<'_>) -> Result<Rotation, Error> {
        self.epochs.look(self.clock.now()).await?;
        self.epochs.sweep()?;
        self.register().await?;
        let newest = self.epochs.current(self.clock.now()).await?.number;
        let destroyed = self.retire_before(lead, newest).await?;
        lead.still().await?;
        self.epochs.begin(self.clock.now(), &self.entropy).await?;
        self.register().await?;
        Ok(Rotation { destroyed, ..self.rewrap_led(lead).await? })
    }

    /// Destroys every epoch before one, once nothing lies under them and nothing can come to.
    async fn retire_before(&self, lead: &Lead<'_>, newest: i64) -> Result<Option<i64>, Error> {
        let mut old: Vec<i64> = self.epochs.alive().iter().map(|e| e.number).collect();
        old.retain(|n| *n < newest);
        if !old.is_empty() {
            let mut tx = self.db.begin().await?;
            lead.keep(&mut tx).await?;
            sql::epochs::raise_floor(&mut tx, newest).await?;
            tx.commit().await?;
            let span = self.span().await?;
            self.rewrap_led(lead).await?;
            let mut tx = self.db.read().await?;
            if sql::epochs::any_stale(&mut tx, span.from, newest).await? {
                return Err(Error::Damaged);
            }
            old.extend(sql::epochs::undestroyed(&mut tx, span.from).await?);
        }
        old.sort_unstable();
        for epoch in &old {
            self.destroy_epoch(lead, *epoch).await?;
        }
        Ok(old.last().copied())
    }

    async fn destroy_epoch(&self, lead: &Lead<'_>, epoch: i64) -> Result<(), Error> {
        lead.still().await?;
        let now = self.clock.now();
        self.epochs.destroy(epoch, now).await?;
        let mut tx = self.db.begin().await?;
        sql::epochs::destroyed(&mut tx, epoch, now).await?;
        Ok(tx.commit().await?)
    }

    async fn span(&self) -> Result<Span, Error> {
        let to = self.epochs.current(self.clock.now()).await?.number;
        Ok(Span { from: self.epochs.alive().first().map_or(to, |e| e.number), to })
    }

    async fn rewrap_led(&self, lead: &Lead<'_>) -> Result<Rotation, Error> {
        let span = self.span().await?;
        let mut done = Rotation { epoch: span.to, ..Rotation::default() };
        loop {
            let stale = {
                let mut tx = self.db.read().await?;
                sql::epochs::any_stale(&mut tx, span.from, span.to).await?
            };
            if !stale {
                break;
            }
            let (items, subjects, system) = (
                self.rewrap_items(lead, span).await?,
                self.rewrap_subjects(lead, span).await?,
                self.rewrap_system(lead, span).await?,
            );
            done.items += items;
            done.subjects += subjects;
            done.system += system;
            if items + subjects + system == 0 {
                break;
            }
        }
        if done.items + done.subjects + done.system > 0 {
            self.truncate_log().await?;
        }
        Ok(done)
    }

    async fn rewrap_subjects(&self, lead: &Lead<'_>, span: Span) -> Result<u64, Error> {
        let epoch = self.epochs.get(span.to, self.clock.now()).await?;
        let wrapping = subjects::wrapping(&epoch);
        let mut done = 0;
        loop {
            let mut tx = self.db.begin().await?;
            lead.keep(&mut tx).await?;
            let rows = sql::stale_subjects(&mut tx, span.from, span.to).await?;
            for (tenant, subject, row) in &rows {
                let owner = Owner { tenant, subject: *subject };
                let key = subjects::unwrap(self, &mut tx, owner, row).await?;
                let place = subjects::place(owner, &row.class, row.id, span.to);
                let wrapped = crypto::seal(&wrapping, &place, key.expose(), &self.entropy);
                sql::update_subject(&mut tx, owner, row, span.to, &wrapped).await?;
            }
            tx.commit().await?;
            if rows.is_empty() {
                return Ok(done);
            }
            done += rows.len() as u64;
        }
    }

    async fn rewrap_items(&self, lead: &Lead<'_>, span: Span) -> Result<u64, Error> {
        let epoch = self.epochs.get(span.to, self.clock.now()).await?;
        let mut after = (String::new(), String::new(), String::new());
        let mut last: Option<(TenantId, SubjectId, Option<crypto::Key>)> = None;
        let mut done = 0;
        loop {
            let mut tx = self.db.begin().await?;
            lead.keep(&mut tx).await?;
            let rows = sql::stale_items(&mut tx, &after, span.from, span.to).await?;
            let Some((tenant, subject, row)) = rows.last() else { return Ok(done) };
            after = (tenant.to_string(), subject.to_string(), row.item.clone());
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
                let plain = items::unwrap(self, &mut tx, owner, key, row).await?;
                let place = items::place(owner, &row.item, &row.kind, row.id, span.to);
                let wrapping = items::wrapping(key, &epoch);
                let wrapped = crypto::seal(&wrapping, &place, plain.expose(), &self.entropy);
                sql::update_item(&mut tx, row, span.to, &wrapped).await?;
            }
            tx.commit().await?;
            done += rows.len() as u64;
            // Between two batches a person may have been erased: their key must not be remembered.
            last = None;
        }
    }

    async fn rewrap_system(&self, lead: &Lead<'_>, span: Span) -> Result<u64, Error> {
        let epoch = self.epochs.get(span.to, self.clock.now()).await?;
        let mut tx = self.db.begin().await?;
        lead.keep(&mut tx).await?;
        let rows = sql::stale_system(&mut tx, span.from, span.to).await?;
        for row in &rows {
            let key = system::unwrap(self, &mut tx, row).await?;
            let place = system::place(&row.name, span.to);
            let wrapped = crypto::seal(&system::wrapping(&epoch), &place, key.expose(), &self.entropy);
            sql::update_system(&mut tx, row, span.to, &wrapped).await?;
        }
        tx.commit().await?;
        Ok(rows.len() as u64)
    }
}
