//! Wrapping anew what lies under an older epoch, a batch a transaction.

use super::aside::{NOWHERE, Tally};
use super::lead::Lead;
use super::rotation::{Rotation, Span};
use super::{Class, Error, Keystore, Owner, items, sql, subjects, system};
use crate::base::{SubjectId, TenantId};
use crate::crypto::{self, Key};
use crate::store::Tx;

/// What a row unwraps to; `None` when it does not, though every epoch opens: asked again after that is certain, for it may
/// have been its epoch.
macro_rules! opened {
    ($keys:expr, $unwrap:expr) => {{
        let mut found = $unwrap.await;
        if matches!(found, Err(Error::Damaged)) {
            $keys.all_epochs_open().await?;
            found = $unwrap.await;
        }
        match found {
            Err(Error::Damaged) => Ok(None),
            found => found.map(Some),
        }
    }};
}

/// What stands above an item: its owner's key.
enum Above {
    Opens(Key),
    /// It is destroyed.
    Gone,
    /// It does not open.
    Aside,
}

impl Keystore {
    pub(super) async fn rewrap_led(&self, lead: &Lead<'_>) -> Result<Rotation, Error> {
        let span = self.span().await?;
        let mut done = Rotation { epoch: span.to, ..Rotation::default() };
        let mut tally = Tally::default();
        loop {
            let stale = {
                let mut tx = self.db.read().await?;
                sql::epochs::any_stale(&mut tx, span.from, span.to).await?
            };
            if !stale {
                break;
            }
            // Under another's epochs of the same numbers every row looks damaged.
            self.register().await?;
            let (items, subjects, system) = (
                self.rewrap_items(lead, span, &mut tally).await?,
                self.rewrap_subjects(lead, span, &mut tally).await?,
                self.rewrap_system(lead, span, &mut tally).await?,
            );
            done.items += items;
            done.subjects += subjects;
            done.system += system;
            if items + subjects + system == 0 {
                break;
            }
        }
        if done.items + done.subjects + done.system > 0 {
            self.cut_log().await;
        }
        Ok(done)
    }

    async fn rewrap_subjects(&self, lead: &Lead<'_>, span: Span, tally: &mut Tally) -> Result<u64, Error> {
        let epoch = self.epochs.get(span.to, self.clock.now()).await?;
        let wrapping = subjects::wrapping(&epoch);
        let mut done = 0;
        loop {
            let mut tx = self.db.begin().await?;
            lead.keep(&mut tx).await?;
            let rows = sql::stale_subjects(&mut tx, span.from, span.to).await?;
            for (tenant, subject, row) in &rows {
                let owner = Owner { tenant, subject: *subject };
                let Some(key) = opened!(self, subjects::unwrap(self, &mut tx, owner, row))? else {
                    tally.subject(&mut tx, owner, row).await?;
                    continue;
                };
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

    async fn rewrap_items(&self, lead: &Lead<'_>, span: Span, tally: &mut Tally) -> Result<u64, Error> {
        let epoch = self.epochs.get(span.to, self.clock.now()).await?;
        let mut after = (String::new(), String::new(), String::new());
        let mut last: Option<(TenantId, SubjectId, Above)> = None;
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
                    last = Some((tenant.clone(), *subject, self.above(&mut tx, owner, tally).await?));
                }
                let key = match &last {
                    Some((_, _, Above::Opens(key))) => key,
                    Some((_, _, Above::Aside)) => {
                        // It opens with its owner's key alone, and is no fault of its own.
                        sql::aside::item(&mut tx, tenant, row).await?;
                        continue;
                    }
                    _ => {
                        // The owner's key is gone: a dead row, which must not be carried into the new epoch.
                        sql::delete_items(&mut tx, tenant, &[&row.item]).await?;
                        continue;
                    }
                };
                let Some(plain) = opened!(self, items::unwrap(self, &mut tx, owner, key, row))? else {
                    tally.item(&mut tx, tenant, row).await?;
                    continue;
                };
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

    async fn above(&self, tx: &mut Tx, owner: Owner<'_>, tally: &mut Tally) -> Result<Above, Error> {
        let Some(row) = sql::subject(tx, owner, Class::Data.as_str()).await? else { return Ok(Above::Gone) };
        if row.epoch == NOWHERE {
            return Ok(Above::Aside);
        }
        match opened!(self, subjects::unwrap(self, tx, owner, &row)) {
            Ok(Some(key)) => Ok(Above::Opens(key)),
            Ok(None) => {
                tally.subject(tx, owner, &row).await?;
                Ok(Above::Aside)
            }
            Err(Error::NoKey) => Ok(Above::Gone),
            Err(e) => Err(e),
        }
    }

    async fn rewrap_system(&self, lead: &Lead<'_>, span: Span, tally: &mut Tally) -> Result<u64, Error> {
        let epoch = self.epochs.get(span.to, self.clock.now()).await?;
        let mut tx = self.db.begin().await?;
        lead.keep(&mut tx).await?;
        let rows = sql::stale_system(&mut tx, span.from, span.to).await?;
        for row in &rows {
            let Some(key) = opened!(self, system::unwrap(self, &mut tx, row))? else {
                tally.system(&mut tx, row).await?;
                continue;
            };
            let place = system::place(&row.name, span.to);
            let wrapped = crypto::seal(&system::wrapping(&epoch), &place, key.expose(), &self.entropy);
            sql::update_system(&mut tx, row, span.to, &wrapped).await?;
        }
        tx.commit().await?;
        Ok(rows.len() as u64)
    }
}
