//! Mandates as staff see them: with which key each was asked for, who gave it, since when. What the agent calls itself is the
//! person's, and is read as everything of theirs is. Staff may end one; to give one is the person's alone.

use super::model::{DeskMandate, EndedBy, Row};
use super::sql;
use crate::base::{MandateId, StaffId, TenantId};
use crate::intake::{Error, Intake};
use crate::mail::letters::{Letter as _, MandateStopped};
use crate::policy::Role;
use crate::requests::PURPOSE;
use crate::vault::{Access, Actor, Owner};

/// Most mandates of one look.
pub const MOST_MANDATES: i64 = 500;
/// Most characters of a reason.
const LONGEST_WHY: usize = 500;

impl Intake {
    /// The mandates that a tenant's people gave, those that hold first: at most [`MOST_MANDATES`]. One that ended stays for
    /// thirty days.
    pub async fn mandates_of_tenant(&self, tenant: &TenantId) -> Result<Vec<DeskMandate>, Error> {
        let now = self.0.clock.now();
        let mut tx = self.0.db.read().await?;
        let rows = sql::of_tenant(&mut tx, tenant, MOST_MANDATES).await?;
        let seen = |row: Row| {
            let holds = row.holds(now);
            Some(DeskMandate {
                id: row.id,
                subject: row.subject?,
                key: row.key_id,
                rights: row.rights,
                given_at: row.decided_at.unwrap_or(row.asked_at),
                until: row.until,
                requests: row.requests.len(),
                tells: row.tells,
                holds,
                ended_at: row.ended_at.or((!holds).then_some(row.until)),
            })
        };
        Ok(rows.into_iter().filter_map(seen).collect())
    }

    /// One of staff ends a mandate: from this second nothing is filed under it. The person is written to, with the reason,
    /// which is sealed with their data as well. [`Error::NotGiven`] for one that does not hold.
    pub async fn stop_mandate(
        &self,
        tenant: &TenantId,
        id: MandateId,
        (staff, role): (StaffId, Role),
        why: &str,
    ) -> Result<(), Error> {
        let why = why.trim();
        if why.is_empty() || why.chars().count() > LONGEST_WHY {
            return Err(Error::Invalid("Say why, in at most 500 characters. The person is told this."));
        }
        let found = {
            let mut tx = self.0.db.read().await?;
            sql::get(&mut tx, tenant, id).await?
        };
        let row = found.ok_or(Error::NoMandate)?;
        let owner = Owner::new(tenant, row.subject.ok_or(Error::NoMandate)?);
        if !row.holds(self.0.clock.now()) || !self.end(&owner, id, EndedBy::Staff(staff, role, why)).await? {
            return Err(Error::NotGiven);
        }
        // It is over whether or not the letter goes; they see it in the privacy centre, too.
        if let Err(error) = self.tell_of_stop(&owner, &row, why).await {
            tracing::error!(%error, "a letter about a mandate that staff ended did not go");
        }
        Ok(())
    }

    async fn tell_of_stop(&self, owner: &Owner, row: &Row, why: &str) -> Result<(), Error> {
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let given = self.0.vault.record(owner, &access, row.record.ok_or(Error::Damaged)?).await?;
        let profile = self.0.subjects.profile(owner, &access).await?;
        let policy = self.0.vault.policy(&owner.tenant)?;
        let letter = MandateStopped {
            head: self.head(&owner.tenant, &policy, Some(owner)).await,
            agent: given.value.get("agent").and_then(|v| v.as_str()).unwrap_or_default().to_owned(),
            at: self.0.clock.now(),
            reason: why.to_owned(),
        };
        let written = letter.write().map_err(|_| Error::Unwritable)?;
        let (of, id) = (owner.subject.to_string(), self.0.entropy.reference());
        Ok(self.0.post.send(&profile.email, Some(&of), &id, &written).await?)
    }
}
