//! Legal holds: a named matter stops disposal for whom and what it concerns. A hold never resets a clock.
//!
//! It counts from the moment it is placed, since what is gone cannot be had back; a second person must then answer for it,
//! and until somebody has, and whenever its review is overdue, the desk says so. What it keeps beyond its time may not be
//! used for anything else. The person it concerns is told, unless a reason says why they must not be.

use chrono::TimeDelta;

use super::sql::holds::{self as rows, Becomes};
use super::{Error, Retention};
use crate::base::{HoldId, StaffId, SubjectId, TenantId, Timestamp};
use crate::ledger::{Entry, EntryKind};
use crate::policy::Role;
use crate::store::idempotency::Closing;
use crate::vault::{Owner, Vault};

/// A hold must be looked at again within this time.
const REVIEW: TimeDelta = TimeDelta::days(90);

/// A letter about a hold that did not go is tried again after this.
const TELL_AGAIN: TimeDelta = TimeDelta::hours(1);

/// A hold to be.
#[derive(Debug, Clone)]
pub struct NewHold {
    /// Whom it concerns; everybody if none.
    pub subject: Option<SubjectId>,
    /// What it concerns; everything if none.
    pub category: Option<String>,
    /// The claim, order or case: a name, not a description.
    pub matter: String,
    /// Why disposal must stop.
    pub reason: String,
    /// When it must be looked at again.
    pub review_at: Timestamp,
    /// Why the person it concerns must not be told; without it they are.
    pub untold: Option<String>,
}

/// A hold.
#[derive(Debug, Clone)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// Whom it concerns.
    pub subject: Option<SubjectId>,
    /// What it concerns.
    pub category: Option<String>,
    /// The matter.
    pub matter: String,
    /// Why.
    pub reason: String,
    /// Who placed it.
    pub placed_by: String,
    /// When.
    pub placed_at: Timestamp,
    /// When it must be looked at again.
    pub review_at: Timestamp,
    /// When it was lifted.
    pub released_at: Option<Timestamp>,
    /// The second person who answers for it.
    pub approved_by: Option<String>,
    /// Since when.
    pub approved_at: Option<Timestamp>,
    /// Why the person it concerns must not be told.
    pub untold: Option<String>,
    /// When the person was told.
    pub told_at: Option<Timestamp>,
}

impl Hold {
    /// What somebody must do about it now, in a word or two; nothing for one that was lifted.
    pub fn wants(&self, now: Timestamp) -> Option<&'static str> {
        match (self.released_at, self.approved_at) {
            (Some(_), _) => None,
            (None, None) => Some("a second person"),
            (None, Some(_)) => (self.review_at <= now).then_some("its review"),
        }
    }
}

/// A hold as the ledger has it.
#[derive(Debug, Clone)]
pub struct HeldAgain {
    /// Its id.
    pub hold: HoldId,
    /// Whom it concerns; everybody if none.
    pub subject: Option<SubjectId>,
    /// What it concerns; everything if none.
    pub category: Option<String>,
    /// Placed, or lifted.
    pub on: bool,
    /// When.
    pub at: Timestamp,
}

impl Retention {
    /// Places a hold. "Just in case" is none: it needs a matter, a reason, and a review within 90 days.
    pub async fn hold(
        &self,
        tenant: &TenantId,
        new: NewHold,
        by: StaffId,
        role: Role,
    ) -> Result<Hold, Error> {
        self.hold_once(tenant, new, (by, role), &Closing::none()).await
    }

    /// The same for a call that shall have its effect once: its answer is kept in the transaction that places the hold.
    pub async fn hold_once(
        &self,
        tenant: &TenantId,
        new: NewHold,
        (by, role): (StaffId, Role),
        closing: &Closing<Hold>,
    ) -> Result<Hold, Error> {
        let now = self.clock.now();
        if new.matter.trim().is_empty() {
            return Err(Error::BadHold("the name of the matter it is for"));
        }
        if new.reason.trim().is_empty() {
            return Err(Error::BadHold("a reason"));
        }
        if new.review_at <= now || new.review_at.since(now) > REVIEW {
            return Err(Error::BadHold("a review date within the next 90 days"));
        }
        if new.untold.as_ref().is_some_and(|why| why.trim().is_empty()) {
            return Err(Error::BadHold("a reason why the person must not be told"));
        }
        let policy = self.vault.policy(tenant)?;
        if new.category.as_deref().is_some_and(|c| policy.category(c).is_none()) {
            return Err(Error::BadHold("a category that the policy declares, or none"));
        }
        let hold = Hold {
            id: HoldId::new(&self.clock, &self.entropy),
            subject: new.subject,
            category: new.category,
            matter: new.matter.trim().chars().take(120).collect(),
            reason: new.reason.trim().chars().take(500).collect(),
            placed_by: by.to_string(),
            placed_at: now,
            review_at: new.review_at,
            released_at: None,
            approved_by: None,
            approved_at: None,
            untold: new.untold.map(|why| why.trim().chars().take(500).collect::<String>()),
            told_at: None,
        };
        let entry = self.entry(tenant, &hold, role, true).await?;
        let mut tx = self.db.begin().await?;
        Vault::holding(&mut tx, tenant).await?;
        if let Some(subject) = hold.subject {
            let standing = self.vault.standing(&mut tx, &Owner::new(tenant, subject)).await?;
            if standing.erasing {
                return Err(Error::Leaving);
            }
        }
        rows::insert_hold(&mut tx, tenant, &hold).await?;
        self.ledger.append(&mut tx, entry).await?;
        closing.close(&mut tx, &hold).await?;
        tx.commit().await?;
        Ok(hold)
    }

    /// A second person answers for a hold: never the one who placed it.
    pub async fn approve(&self, tenant: &TenantId, id: HoldId, by: StaffId, role: Role) -> Result<(), Error> {
        let hold = self.live(tenant, id).await?;
        if hold.placed_by == by.to_string() {
            return Err(Error::SamePerson);
        }
        if hold.approved_at.is_some() {
            return Ok(());
        }
        let entry = self.entry(tenant, &hold, role, true).await?.fact("approved", true);
        self.becomes((tenant, id), Becomes::Approved(by), entry).await
    }

    /// A hold was looked at again, and is to be on another day within 90, or in 90. Changes no clock of what it keeps.
    pub async fn review(
        &self,
        tenant: &TenantId,
        id: HoldId,
        next: Option<Timestamp>,
        role: Role,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let next = next.unwrap_or(now.plus(REVIEW));
        if next <= now || next.since(now) > REVIEW {
            return Err(Error::BadHold("a review date within the next 90 days"));
        }
        let hold = self.live(tenant, id).await?;
        let entry = self.entry(tenant, &hold, role, true).await?.fact("reviewed", true);
        self.becomes((tenant, id), Becomes::Reviewed(next), entry).await
    }

    async fn live(&self, tenant: &TenantId, id: HoldId) -> Result<Hold, Error> {
        let mut tx = self.db.read().await?;
        let found = rows::hold(&mut tx, tenant, id).await?;
        found.filter(|h| h.released_at.is_none()).ok_or(Error::NoHold)
    }

    /// Holds that concern one person, who must be told of it and was not; not those that were tried within the last hour.
    pub async fn untold_holds(&self, tenant: &TenantId) -> Result<Vec<Hold>, Error> {
        let tried = self.clock.now().plus(-TELL_AGAIN);
        let mut tx = self.db.read().await?;
        Ok(rows::untold_holds(&mut tx, tenant, tried).await?)
    }

    /// Notes that somebody is about to be told of a hold. `false` when another tells them.
    pub async fn try_to_tell(&self, tenant: &TenantId, id: HoldId) -> Result<bool, Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let ours = rows::try_to_tell(&mut tx, tenant, id, (now, now.plus(-TELL_AGAIN))).await?;
        tx.commit().await?;
        Ok(ours)
    }

    /// Notes that the person whom a hold concerns was told.
    pub async fn hold_told(&self, tenant: &TenantId, id: HoldId) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        rows::hold_told(&mut tx, tenant, id, self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The holds that concern a person and of which they may know.
    pub async fn holds_of(&self, owner: &Owner) -> Result<Vec<Hold>, Error> {
        let mut tx = self.db.read().await?;
        Ok(rows::holds_of(&mut tx, owner).await?)
    }

    /// Lifts a hold; what it kept too long goes with the next sweep.
    pub async fn release(&self, tenant: &TenantId, id: HoldId, by: StaffId, role: Role) -> Result<(), Error> {
        let hold = self.live(tenant, id).await?;
        let entry = self.entry(tenant, &hold, role, false).await?;
        self.becomes((tenant, id), Becomes::Released(by), entry).await
    }

    /// The hold and the ledger change together, or neither does.
    async fn becomes(
        &self,
        (tenant, id): (&TenantId, HoldId),
        what: Becomes,
        entry: Entry,
    ) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        if !rows::becomes(&mut tx, (tenant, id), what, self.clock.now()).await? {
            return Err(Error::NoHold);
        }
        self.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Places or lifts a hold as the ledger says, in a database that lost it. Matter and reason are not on the ledger:
    /// staff write them anew at the review, which is due in a month. Writes nothing on the ledger. `false` when it stands
    /// as the ledger says already.
    pub async fn hold_again(&self, tenant: &TenantId, again: &HeldAgain) -> Result<bool, Error> {
        let mut tx = self.db.begin().await?;
        let known = rows::hold(&mut tx, tenant, again.hold).await?;
        let done = match (known, again.on) {
            (None, true) => {
                let hold = Hold {
                    id: again.hold,
                    subject: again.subject,
                    category: again.category.clone(),
                    matter: "restored from the ledger".to_owned(),
                    reason: "placed before a backup was put back; see the ledger".to_owned(),
                    placed_by: "ledger".to_owned(),
                    placed_at: again.at,
                    review_at: self.clock.now().plus(TimeDelta::days(30)),
                    released_at: None,
                    approved_by: None,
                    approved_at: None,
                    untold: None,
                    told_at: None,
                };
                rows::insert_hold(&mut tx, tenant, &hold).await?;
                true
            }
            (Some(_), false) => rows::release_again(&mut tx, tenant, again.hold, again.at).await?,
            _ => false,
        };
        tx.commit().await?;
        Ok(done)
    }

    async fn entry(&self, tenant: &TenantId, hold: &Hold, role: Role, on: bool) -> Result<Entry, Error> {
        let mut entry = Entry::new(EntryKind::HOLD_SET, self.clock.now(), tenant, role.as_str())
            .fact("hold", hold.id.to_string().as_str())
            .fact("on", on);
        if let Some(category) = &hold.category {
            entry = entry.fact("category", category.as_str());
        }
        if let Some(subject) = hold.subject {
            match self.vault.subject_ref(&Owner::new(tenant, subject)).await {
                Ok(about) => entry = entry.about(about),
                // A hold over somebody whose keys are gone can still be lifted.
                Err(crate::vault::Error::NotFound) if !on => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(entry)
    }

    /// A tenant's holds, newest first, lifted ones included.
    pub async fn holds(&self, tenant: &TenantId) -> Result<Vec<Hold>, Error> {
        let mut tx = self.db.read().await?;
        Ok(rows::holds(&mut tx, tenant).await?)
    }
}
