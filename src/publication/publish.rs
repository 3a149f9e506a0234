//! The publication itself, and what follows from it in the same transaction.

use super::{Error, Outcome, Outlook, Publications, Verdict, sql};
use crate::base::{EntryId, StaffId, Timestamp};
use crate::ledger::{Appended, Entry, EntryKind};
use crate::policy::{Policy, Role};
use crate::subjects::StaffMember;

/// Who stands for a publication.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hands {
    /// Who publishes or proposed, if they said so.
    pub(super) by: Option<StaffId>,
    /// Who agreed, where a second person had to.
    pub(super) confirmed_by: Option<StaffId>,
    /// In what role the last hand was laid on.
    pub(super) role: Option<Role>,
}

impl Publications {
    /// Publishes a document: its hash on the ledger, its source in the database, the telling begun, all or nothing. What
    /// would destroy much waits for a second person; then `by` must say who proposes it. What stands in the way is in
    /// the outlook of [`Outcome::Refused`], and nothing has changed.
    pub async fn publish(&self, policy: &Policy, by: Option<&StaffMember>) -> Result<Outcome, Error> {
        if let Some(by) = by {
            may_propose(policy, by)?;
        }
        let outlook = self.examine(policy).await?;
        if outlook.verdict == Verdict::Known {
            return Ok(Outcome::Known(Box::new(outlook)));
        }
        if !outlook.obstacles.is_empty() {
            return Ok(Outcome::Refused(Box::new(outlook)));
        }
        if outlook.needs_second_person() {
            let by = by.ok_or(Error::Missing(
                "it would erase more than one in a hundred of the things held, so a second person must agree: say who \
                 proposes it",
            ))?;
            let id = self.propose(policy, &outlook, by).await?;
            return Ok(Outcome::Proposed(Box::new(outlook), id));
        }
        let hands = Hands { by: by.map(|s| s.id), confirmed_by: None, role: by.map(|s| s.role) };
        let entry = self.write(policy, &outlook, hands, None).await?;
        Ok(Outcome::Published(Box::new(outlook), entry))
    }

    /// Writes a version down once more that was published since a backup: the ledger has its entry already. People
    /// are told anew, for whom it had reached is lost with the database. `false` when it is there.
    pub async fn publish_again(&self, policy: &Policy, at: Timestamp, entry: EntryId) -> Result<bool, Error> {
        let tenant = policy.tenant();
        let mut tx = self.db.begin().await?;
        tx.take_turn(&format!("publish/{tenant}")).await?;
        let there = sql::published_at(&mut tx, tenant, policy.version()).await?.is_some();
        if !there {
            let people = sql::people(&mut tx, tenant).await?;
            let first = sql::newest(&mut tx, tenant).await?.is_none();
            sql::publish(&mut tx, policy, at, &entry.to_string()).await?;
            if !first && (people > 0 || policy.starts() > self.clock.now()) {
                sql::begin_telling(&mut tx, tenant, policy.version(), policy.starts()).await?;
            }
        }
        tx.commit().await?;
        self.refresh().await?;
        Ok(!there)
    }

    pub(super) async fn write(
        &self,
        policy: &Policy,
        outlook: &Outlook,
        hands: Hands,
        proposal: Option<&sql::Decision<'_>>,
    ) -> Result<Appended, Error> {
        let (tenant, now) = (policy.tenant(), self.clock.now());
        let mut tx = self.db.begin().await?;
        tx.take_turn(&format!("publish/{tenant}")).await?;
        let last = self.library.versions(tenant).last().map(|p| p.starts());
        let moved = sql::newest(&mut tx, tenant).await? != last;
        // Nobody was there to be told, and now somebody is: the notice period has to be looked at again.
        let joined = outlook.people == 0 && sql::people(&mut tx, tenant).await? > 0;
        if moved || (joined && outlook.verdict != Verdict::First) {
            return Err(Error::Overtaken);
        }
        if let Some(decision) = proposal
            && !sql::decide(&mut tx, tenant, decision).await?
        {
            return Err(Error::NotFound);
        }
        let appended = self.ledger.append(&mut tx, published(policy, hands, now)).await?;
        sql::publish(&mut tx, policy, now, &appended.id.to_string()).await?;
        // Where nobody is and nobody can come before its day, nobody is told.
        if outlook.verdict == Verdict::New && (outlook.people > 0 || policy.starts() > now) {
            sql::begin_telling(&mut tx, tenant, policy.version(), policy.starts()).await?;
        }
        tx.commit().await?;
        self.library.add(policy.clone())?;
        Ok(appended)
    }
}

pub(super) fn may_propose(policy: &Policy, by: &StaffMember) -> Result<(), Error> {
    if by.tenant != *policy.tenant() {
        return Err(Error::NotYours("whoever proposes a document must be of that tenant's staff"));
    }
    if !matches!(by.role, Role::Compliance | Role::Admin) {
        return Err(Error::NotYours("only compliance and admin staff propose documents"));
    }
    Ok(())
}

fn published(policy: &Policy, hands: Hands, now: Timestamp) -> Entry {
    let role = hands.role.unwrap_or(Role::Admin);
    let mut entry = Entry::new(EntryKind::POLICY_PUBLISHED, now, policy.tenant(), role.as_str())
        .fact("version", policy.version())
        .fact("sha256", hex::encode(policy.hash()).as_str())
        .fact("effective", policy.effective().to_string().as_str());
    if let Some(by) = hands.by {
        entry = entry.fact("staff", by.to_string().as_str());
    }
    if let Some(by) = hands.confirmed_by {
        entry = entry.fact("confirmed-by", by.to_string().as_str());
    }
    entry
}
