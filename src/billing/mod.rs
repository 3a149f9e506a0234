//! Credits: granted, spent, given back; the sum cannot go below zero. Invoices, with the clock of tax law started.
//!
//! Promises: a spend and what it pays for are one transaction; two spends at once cannot overdraw; every change says
//! why. Must never: see a card number.

mod error;
mod invoices;
mod sql;

pub use error::Error;
pub use invoices::Invoices;
pub use sql::CreditEntry;

use crate::base::{Clock, EditId, Entropy, EntryId, Page, PageSize};
use crate::store::idempotency::Closing;
use crate::store::{Db, Tx};
use crate::vault::Owner;

/// Credits that an account begins with.
pub const WELCOME: i64 = 20;
/// Why an account has them.
const REASON: &str = "welcome";

/// People's credits. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Credits {
    db: Db,
    clock: Clock,
    entropy: Entropy,
}

impl Credits {
    /// Over its parts.
    pub fn new(db: Db, clock: Clock, entropy: Entropy) -> Self {
        Self { db, clock, entropy }
    }

    /// What a person has left.
    pub async fn balance(&self, owner: &Owner) -> Result<i64, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::last(&mut tx, owner).await?.map_or(0, |(_, balance)| balance))
    }

    /// Changes a person's credits by `amount` in the caller's transaction, and gives the new balance.
    /// [`Error::Overdrawn`] when it would go below zero.
    pub async fn change(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        amount: i64,
        reason: &str,
        edit: Option<EditId>,
    ) -> Result<i64, Error> {
        turn(tx, owner).await?;
        let (seq, balance) = sql::last(tx, owner).await?.unwrap_or((0, 0));
        let after = balance.checked_add(amount).filter(|b| *b >= 0).ok_or(Error::Overdrawn { balance })?;
        let entry = CreditEntry {
            id: EntryId::new(&self.clock, &self.entropy).to_string(),
            amount,
            balance: after,
            reason: reason.to_owned(),
            edit: edit.map(|id| id.to_string()),
            at: self.clock.now(),
        };
        sql::insert(tx, owner, seq + 1, &entry).await?;
        Ok(after)
    }

    /// Grants credits in a transaction of its own. [`Error::NotFound`] for nobody, or somebody who is being erased.
    pub async fn grant(&self, owner: &Owner, amount: i64, reason: &str) -> Result<i64, Error> {
        self.grant_once(owner, amount, reason, &Closing::none()).await
    }

    /// The same for a call that shall have its effect once: its answer is kept in the transaction of the change.
    pub async fn grant_once(
        &self,
        owner: &Owner,
        amount: i64,
        reason: &str,
        closing: &Closing<i64>,
    ) -> Result<i64, Error> {
        let mut tx = self.db.begin().await?;
        if !sql::is_active(&mut tx, owner).await? {
            return Err(Error::NotFound);
        }
        let balance = self.change(&mut tx, owner, amount, reason, None).await?;
        closing.close(&mut tx, &balance).await?;
        tx.commit().await?;
        Ok(balance)
    }

    /// Grants what an account begins with, once: again is harmless.
    pub async fn welcome(&self, owner: &Owner) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        if !sql::is_active(&mut tx, owner).await? {
            return Err(Error::NotFound);
        }
        // In the turn in which it would be changed, or two at once would each find that there is none.
        turn(&mut tx, owner).await?;
        if sql::has(&mut tx, owner, REASON).await? {
            return Ok(());
        }
        self.change(&mut tx, owner, WELCOME, REASON, None).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A page of changes, newest first.
    pub async fn history(
        &self,
        owner: &Owner,
        before: Option<&str>,
        size: PageSize,
    ) -> Result<Page<CreditEntry>, Error> {
        let mut tx = self.db.read().await?;
        let most = i64::try_from(size.get()).unwrap_or(i64::MAX) + 1;
        let rows = sql::page(&mut tx, owner, before, most).await?;
        Ok(Page::cut(rows, size, |e| e.id.clone()))
    }

    /// Forgets a person's credits: part of erasing them.
    pub async fn forget(&self, tx: &mut Tx, owner: &Owner) -> Result<u64, Error> {
        Ok(sql::forget(tx, owner).await?)
    }
}

/// Changes of a person's credits take turns.
async fn turn(tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
    Ok(tx.take_turn(&format!("credits/{}/{}", owner.tenant, owner.subject)).await?)
}
