//! The second person: a version that would destroy much is proposed by one and confirmed or refused by another.

use super::publish::Hands;
use super::{Error, Outcome, Outlook, Proposal, Publications, sql};
use crate::base::{ProposalId, TenantId};
use crate::ledger::{Entry, EntryKind};
use crate::policy::{Policy, Role};
use crate::subjects::StaffMember;

/// Longest reason taken.
const LONGEST: usize = 500;

impl Publications {
    /// Keeps a document until somebody else agrees. The same text proposed again is the proposal that waits already.
    pub(super) async fn propose(
        &self,
        policy: &Policy,
        outlook: &Outlook,
        by: &StaffMember,
    ) -> Result<ProposalId, Error> {
        let (tenant, now) = (policy.tenant(), self.clock.now());
        let report = serde_json::to_string(outlook).map_err(|_| Error::Missing("no report could be made"))?;
        let mut tx = self.db.begin().await?;
        tx.take_turn(&format!("publish/{tenant}")).await?;
        let waiting = sql::open_proposal(&mut tx, tenant, policy.version()).await?;
        if let Some(waiting) = waiting {
            return if waiting.hash == policy.hash() {
                Ok(waiting.id)
            } else {
                Err(Error::Missing("another text of this version waits already: decide about that one first"))
            };
        }
        let id = ProposalId::new(&self.clock, &self.entropy);
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let entry = Entry::new(EntryKind::POLICY_PROPOSED, now, tenant, by.role.as_str())
            .fact("version", policy.version())
            .fact("sha256", hex::encode(policy.hash()).as_str())
            .fact("staff", by.id.to_string().as_str())
            .fact("going", count(outlook.plan.going))
            .fact("held", count(outlook.plan.total));
        self.ledger.append(&mut tx, entry).await?;
        sql::insert_proposal(&mut tx, id, policy, &report, (by.id, now)).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The proposals of a tenant, newest first.
    pub async fn proposals(&self, tenant: &TenantId) -> Result<Vec<Proposal>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::proposals(&mut tx, tenant).await?)
    }

    /// One proposal of a tenant.
    pub async fn proposal(&self, tenant: &TenantId, id: ProposalId) -> Result<Proposal, Error> {
        let mut tx = self.db.read().await?;
        sql::proposal(&mut tx, tenant, id).await?.ok_or(Error::NotFound)
    }

    /// The document of a proposal, and what publishing it would do as things stand now.
    pub async fn proposed(&self, proposal: &Proposal) -> Result<(Policy, Outlook), Error> {
        let policy = Policy::compile(&proposal.source).map_err(|_| Error::Stored {
            tenant: proposal.tenant.clone(),
            version: proposal.version.clone(),
            what: "this program does not compile it any more",
        })?;
        let outlook = self.examine(&policy).await?;
        Ok((policy, outlook))
    }

    /// Agrees to a proposal and publishes it. Everything is looked at again: what has come to stand in the way since
    /// is in the outlook of [`Outcome::Refused`], and the proposal goes on waiting.
    pub async fn confirm(
        &self,
        tenant: &TenantId,
        id: ProposalId,
        by: &StaffMember,
    ) -> Result<Outcome, Error> {
        let proposal = self.waiting(tenant, id, by).await?;
        if proposal.proposed_by == by.id {
            return Err(Error::NotYours("who proposed a document cannot confirm it; a second person must"));
        }
        let (policy, outlook) = self.proposed(&proposal).await?;
        if !outlook.obstacles.is_empty() {
            return Ok(Outcome::Refused(Box::new(outlook)));
        }
        let hands = Hands { by: Some(proposal.proposed_by), confirmed_by: Some(by.id), role: Some(by.role) };
        let decision =
            sql::Decision { id, state: "confirmed", by: by.id, at: self.clock.now(), reason: None };
        let entry = self.write(&policy, &outlook, hands, Some(&decision)).await?;
        Ok(Outcome::Published(Box::new(outlook), entry))
    }

    /// Turns a proposal down, for a reason. Who proposed it may take it back so.
    pub async fn reject(
        &self,
        tenant: &TenantId,
        id: ProposalId,
        by: &StaffMember,
        reason: &str,
    ) -> Result<(), Error> {
        let proposal = self.waiting(tenant, id, by).await?;
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > LONGEST {
            return Err(Error::Missing("say why, in at most 500 characters"));
        }
        let now = self.clock.now();
        let entry = Entry::new(EntryKind::POLICY_REJECTED, now, tenant, by.role.as_str())
            .fact("version", proposal.version.as_str())
            .fact("sha256", hex::encode(&proposal.hash).as_str())
            .fact("staff", by.id.to_string().as_str());
        let decision = sql::Decision { id, state: "refused", by: by.id, at: now, reason: Some(reason) };
        let mut tx = self.db.begin().await?;
        if !sql::decide(&mut tx, tenant, &decision).await? {
            return Err(Error::NotFound);
        }
        self.ledger.append(&mut tx, entry).await?;
        Ok(tx.commit().await?)
    }

    async fn waiting(&self, tenant: &TenantId, id: ProposalId, by: &StaffMember) -> Result<Proposal, Error> {
        if by.tenant != *tenant {
            return Err(Error::NotFound);
        }
        let proposal = self.proposal(tenant, id).await?;
        if proposal.state != "open" {
            return Err(Error::NotFound);
        }
        let own = proposal.proposed_by == by.id;
        if by.role != Role::Compliance && !own {
            return Err(Error::NotYours("only compliance staff decide about a proposed document"));
        }
        Ok(proposal)
    }
}
