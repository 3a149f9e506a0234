//! Looks by staff: the reason comes first, in their own words, and lets them look for half an hour.

use chrono::TimeDelta;

use super::{Access, Actor, Error, Owner, Vault, rows, sql};
use crate::base::{RecordId, SubjectId, TenantId, Timestamp};
use crate::ledger::{Entry, EntryKind};
use crate::on;
use crate::policy::{Needs, Policy, Refusal};
use crate::store::{self, Tx};

/// How long a reason lets somebody look: enough for one case, too short for it to become a habit.
const LASTS: TimeDelta = TimeDelta::minutes(30);
/// How long the row of a look that is over stays; that it was, and why, is in the vault and on the ledger.
const REMEMBERED: TimeDelta = TimeDelta::days(1);

/// What a look still waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing: they may look, or the document does not let them at all, which the read itself will say.
    Nothing,
    /// A reason in words.
    Reason,
    /// Another member of staff.
    SecondPerson,
}

/// A look that a second member of staff has to agree to.
#[derive(Debug, Clone)]
pub struct WaitingLook {
    /// Its id.
    pub id: RecordId,
    /// At whose data.
    pub subject: SubjectId,
    /// By which member of staff.
    pub staff: String,
    /// For which purpose.
    pub purpose: String,
    /// Since when.
    pub at: Timestamp,
}

/// A look that is open: its id, and whether a second person agreed.
type Open = Option<(String, Option<String>)>;

impl Vault {
    /// Opens a look, in the transaction that stores its reason as the record `id`; gives until when it lets them look.
    pub async fn open_look(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        access: &Access<'_>,
        id: RecordId,
    ) -> Result<Timestamp, Error> {
        let Actor::Staff(staff, _) = access.actor else { return Err(Error::NotFound) };
        let (now, staff) = (self.clock.now(), staff.to_string());
        let until = now.plus(LASTS);
        let entry = Entry::new(EntryKind::READ_REASONED, now, &owner.tenant, access.actor.role().as_str())
            .about(self.subject_ref(owner).await?)
            .fact("purpose", access.purpose)
            .fact("staff", staff.as_str())
            .fact("look", id.to_string().as_str());
        self.ledger.append(tx, entry).await?;
        on!(tx, |c| sqlx::query(sql::EXPIRE_LOOKS)
            .bind(now.plus(-REMEMBERED).micros())
            .execute(c)
            .await
            .map(|_| ()))
        .map_err(store::Error::from)?;
        on!(tx, |c| sqlx::query(sql::OPEN_LOOK)
            .bind(id.to_string())
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .bind(&staff)
            .bind(access.purpose)
            .bind(now.micros())
            .bind(until.micros())
            .execute(c)
            .await
            .map(|_| ()))
        .map_err(store::Error::from)?;
        Ok(until)
    }

    /// Agrees to somebody else's look. [`Error::NotFound`] when there is none that is open, or it is one's own.
    pub async fn approve_look(&self, tenant: &TenantId, id: RecordId, by: &Actor) -> Result<(), Error> {
        let Actor::Staff(staff, role) = by else { return Err(Error::NotFound) };
        let (now, staff) = (self.clock.now(), staff.to_string());
        let mut tx = self.db.begin().await?;
        let approved: Option<(String,)> = on!(tx, |c| sqlx::query_as(sql::APPROVE_LOOK)
            .bind(&staff)
            .bind(now.micros())
            .bind(tenant.as_str())
            .bind(id.to_string())
            .fetch_optional(c)
            .await)
        .map_err(store::Error::from)?;
        let (subject,) = approved.ok_or(Error::NotFound)?;
        let subject = subject.parse().map_err(|_| store::Error::inconsistent("look", "subject"))?;
        let entry = Entry::new(EntryKind::READ_APPROVED, now, tenant, role.as_str())
            .about(self.subject_ref(&Owner::new(tenant, subject)).await?)
            .fact("staff", staff.as_str())
            .fact("look", id.to_string().as_str());
        self.ledger.append(&mut tx, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Looks of others that wait for somebody to agree, oldest first.
    pub async fn waiting_looks(&self, tenant: &TenantId, by: &Actor) -> Result<Vec<WaitingLook>, Error> {
        let (Actor::Staff(staff, role), policy) = (by, self.policy(tenant)?) else { return Ok(Vec::new()) };
        let wants = |purpose: &str| {
            policy.access_rules().any(|rule| {
                rule.needs.contains(&Needs::SecondPerson) && rule.purposes.iter().any(|p| p == purpose)
            })
        };
        if !policy.access_rules().any(|rule| rule.who.contains(role)) {
            return Ok(Vec::new());
        }
        let mut tx = self.db.read().await?;
        let rows: Vec<(String, String, String, String, i64)> =
            on!(tx, |c| sqlx::query_as(sql::WAITING_LOOKS)
                .bind(tenant.as_str())
                .bind(staff.to_string())
                .bind(self.clock.now().micros())
                .fetch_all(c)
                .await)
            .map_err(store::Error::from)?;
        let row = |(id, subject, staff, purpose, at): (String, String, String, String, i64)| {
            let id = id.parse().map_err(|_| store::Error::inconsistent("look", "id"))?;
            let subject = subject.parse().map_err(|_| store::Error::inconsistent("look", "subject"))?;
            Ok(WaitingLook { id, subject, staff, purpose, at: Timestamp::from_micros(at) })
        };
        rows.into_iter().filter(|(_, _, _, purpose, _)| wants(purpose)).map(row).collect()
    }

    /// What a member of staff still has to do before a read of this category for this purpose.
    pub async fn look_wants(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        category: &str,
    ) -> Result<Wanted, Error> {
        let policy = self.policy(&owner.tenant)?;
        let mut tx = self.db.read().await?;
        let (wanted, _) = self.look(&mut tx, owner, access, (&policy, category)).await?;
        Ok(wanted)
    }

    /// As [`Vault::look_wants`] for the door, which refuses; gives the id of the look that a read belongs to.
    pub(super) async fn under_look(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        access: &Access<'_>,
        (policy, category): (&Policy, &str),
    ) -> Result<Option<String>, Error> {
        let (wanted, look) = self.look(tx, owner, access, (policy, category)).await?;
        let why = match wanted {
            Wanted::Nothing => return Ok(look),
            Wanted::Reason => "the policy asks staff to write down first why they look",
            Wanted::SecondPerson => "the policy asks a second member of staff to agree to this look first",
        };
        let clause = policy.category(category).map(|c| c.clause.clone());
        Err(Refusal { rule: "access.*".to_owned(), why: why.to_owned(), clause }.into())
    }

    async fn look(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        access: &Access<'_>,
        (policy, category): (&Policy, &str),
    ) -> Result<(Wanted, Option<String>), Error> {
        let Actor::Staff(staff, role) = access.actor else { return Ok((Wanted::Nothing, None)) };
        if rows::standing(tx, owner).await?.is_none() {
            // In whose name a law keeps records of somebody erased: nobody is left whose key a reason could lie under. A
            // look is on the ledger all the same.
            return Ok((Wanted::Nothing, None));
        }
        let needs = policy.read_needs(category, *role, access.purpose);
        let second = needs.contains(&Needs::SecondPerson);
        let open: Open = on!(tx, |c| sqlx::query_as(sql::LOOK)
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .bind(staff.to_string())
            .bind(access.purpose)
            .bind(self.clock.now().micros())
            .fetch_optional(c)
            .await)
        .map_err(store::Error::from)?;
        Ok(match open {
            None if second || needs.contains(&Needs::Reason) => (Wanted::Reason, None),
            Some((_, None)) if second => (Wanted::SecondPerson, None),
            look => (Wanted::Nothing, look.map(|(id, _)| id)),
        })
    }
}
