//! The decision at the door, in one place: role, purpose, consent, restriction.

use std::sync::Arc;

use super::{Access, Actor, Error, Owner, Vault, rows, sql};
use crate::base::{TenantId, Timestamp};
use crate::ledger::{Entry, EntryKind};
use crate::policy::{Basis, Facts, Needs, Policy, Refusal, Role};
use crate::store::Tx;

impl Vault {
    /// The document in force for a tenant.
    pub fn policy(&self, tenant: &TenantId) -> Result<Arc<Policy>, Error> {
        self.library.in_force(tenant, self.clock.now()).ok_or(Error::NotFound)
    }

    /// When something must go: the earliest that the version it was collected under says, or any that has come into
    /// force since.
    pub(super) fn due(
        &self,
        tenant: &TenantId,
        category: &str,
        version: &str,
        facts: &Facts,
    ) -> (Option<String>, Option<Timestamp>) {
        let due = self.governed(tenant, category, version, facts).due;
        (due.rule().map(ToOwned::to_owned), due.at())
    }

    /// Lets a reader through, or refuses and writes the refusal down. Must not be called inside a writing transaction.
    pub(super) async fn admit(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        category: &str,
    ) -> Result<(), Error> {
        match self.decide(owner, access, category).await {
            Ok(()) if matches!(access.actor, Actor::Staff(..)) => {
                self.note(EntryKind::READ_STAFF, owner, access, category, None).await
            }
            Err(e @ (Error::Refused(_) | Error::NoConsent { .. } | Error::Restricted)) => {
                let why = match &e {
                    Error::NoConsent { .. } => "consent",
                    Error::Restricted => "restriction",
                    _ => "document",
                };
                self.note(EntryKind::READ_REFUSED, owner, access, category, Some(why)).await?;
                Err(e)
            }
            other => other,
        }
    }

    async fn decide(&self, owner: &Owner, access: &Access<'_>, category: &str) -> Result<(), Error> {
        if let Actor::Subject(id) | Actor::App(id) = access.actor
            && *id != owner.subject
        {
            return Err(Error::NotFound);
        }
        let policy = self.policy(&owner.tenant)?;
        let role = access.actor.role();
        let mut tx = self.db.read().await?;
        let standing = self.standing(&mut tx, owner).await?;
        if standing.erasing {
            return Err(Error::NotFound);
        }
        policy.may_read(category, role, access.purpose)?;
        if policy.read_needs(category, role, access.purpose).contains(&Needs::OpenRequest) {
            asked(&mut tx, owner, &policy, category).await?;
        }
        if standing.restricted_at.is_some() && role != Role::Subject && !kept_for_law(&policy, access.purpose)
        {
            return Err(Error::Restricted);
        }
        if self.agreed(&mut tx, owner, &policy, access.purpose).await? {
            Ok(())
        } else {
            Err(Error::NoConsent { purpose: access.purpose.to_owned() })
        }
    }

    async fn note(
        &self,
        kind: EntryKind,
        owner: &Owner,
        access: &Access<'_>,
        category: &str,
        why: Option<&str>,
    ) -> Result<(), Error> {
        let mut entry = Entry::new(kind, self.clock.now(), &owner.tenant, access.actor.role().as_str())
            .about(self.subject_ref(owner).await?)
            .fact("category", category)
            .fact("purpose", access.purpose);
        if let Some(why) = why {
            entry = entry.fact("reason", why);
        }
        if let Actor::Staff(id, _) = access.actor {
            entry = entry.fact("staff", id.to_string().as_str());
        }
        let mut tx = self.db.begin().await?;
        self.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Lets a reader through who may look only while the person has a request open.
async fn asked(tx: &mut Tx, owner: &Owner, policy: &Policy, category: &str) -> Result<(), Error> {
    if rows::count(tx, owner, sql::OPEN_REQUESTS).await? > 0 {
        return Ok(());
    }
    let why = "the policy lets this be read only while the person has a request open".to_owned();
    let clause = policy.category(category).map(|c| c.clause.clone());
    Err(Refusal { rule: "access.*".to_owned(), why, clause }.into())
}

/// What restriction leaves: keeping, and what a law demands (Art. 18(2) GDPR).
fn kept_for_law(policy: &Policy, purpose: &str) -> bool {
    policy.purpose(purpose).is_some_and(|p| p.basis == Basis::LegalObligation)
}
