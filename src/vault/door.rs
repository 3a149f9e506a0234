//! The decision at the door, in one place: role, purpose, consent, restriction.

use std::sync::Arc;

use super::{Access, Actor, Error, Item, Owner, Vault, rows, sql};
use crate::base::{TenantId, Timestamp};
use crate::ledger::{Entry, EntryKind};
use crate::policy::{Basis, Facts, Needs, Policy, Refusal, Retention, Role};
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
        self.due_after(tenant, (category, version), facts, &[])
    }

    /// As [`Vault::due`] for something (its category, the version it was collected under) on which rules were carried
    /// out already.
    pub(super) fn due_after(
        &self,
        tenant: &TenantId,
        of: (&str, &str),
        facts: &Facts,
        done: &[String],
    ) -> (Option<String>, Option<Timestamp>) {
        let due = self.governed(tenant, of, facts, done).due;
        (due.rule().map(ToOwned::to_owned), due.at())
    }

    /// A retention rule of a category by its name: of the document in force, else of the newest that had it.
    pub fn retention_rule(&self, tenant: &TenantId, category: &str, rule: &str) -> Option<Retention> {
        let governs = |policy: &Policy| {
            policy.retention(rule).filter(|r| r.categories.iter().any(|c| c == category)).cloned()
        };
        let now = self.clock.now();
        let versions = self.library.versions(tenant);
        let known = versions.iter().rev().filter(|policy| policy.starts() <= now).find_map(|p| governs(p));
        known.or_else(|| versions.first().and_then(|policy| governs(policy)))
    }

    /// Lets a reader through, or refuses and writes the refusal down. Must not be called inside a writing transaction.
    pub(super) async fn admit(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        category: &str,
    ) -> Result<(), Error> {
        match self.decide(owner, access, category).await {
            Ok(look) if matches!(access.actor, Actor::Staff(..)) => {
                let look = look.as_deref().map(|look| ("look", look));
                self.note(EntryKind::READ_STAFF, owner, access, category, look).await
            }
            Err(e @ (Error::Refused(_) | Error::NoConsent { .. } | Error::Restricted)) => {
                let why = match &e {
                    Error::NoConsent { .. } => "consent",
                    Error::Restricted => "restriction",
                    _ => "document",
                };
                let why = Some(("reason", why));
                self.note(EntryKind::READ_REFUSED, owner, access, category, why).await?;
                Err(e)
            }
            other => other.map(|_| ()),
        }
    }

    /// What this reader may not see although the category is theirs to read: what is past its time and only still here
    /// because a legal hold keeps it. It may be kept, and used for what a law demands and by the person themself, and
    /// for nothing else (Art. 18(2) GDPR).
    pub(super) async fn held_back(&self, owner: &Owner, access: &Access<'_>) -> Result<HeldBack, Error> {
        let policy = self.policy(&owner.tenant)?;
        let now = self.clock.now();
        if access.actor.role() == Role::Subject || kept_for_law(&policy, access.purpose) {
            return Ok(HeldBack { now, held: Vec::new() });
        }
        let mut tx = self.db.read().await?;
        Ok(HeldBack { now, held: rows::holds(&mut tx, owner).await? })
    }

    /// As [`Vault::held_back`] for one thing, which is refused and the refusal written down.
    pub(super) async fn admit_item(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        category: &str,
        item: &Item,
    ) -> Result<(), Error> {
        if item.due_at.is_none_or(|due| due > self.clock.now())
            || !self.held_back(owner, access).await?.hides(category, item)
        {
            return Ok(());
        }
        self.note(EntryKind::READ_REFUSED, owner, access, category, Some(("reason", "hold"))).await?;
        Err(Error::Restricted)
    }

    /// Whether they may; for staff, the look that the read belongs to.
    async fn decide(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        category: &str,
    ) -> Result<Option<String>, Error> {
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
        let look = self.under_look(&mut tx, owner, access, (&policy, category)).await?;
        if standing.restricted_at.is_some() && role != Role::Subject && !kept_for_law(&policy, access.purpose)
        {
            return Err(Error::Restricted);
        }
        if self.agreed(&mut tx, owner, &policy, access.purpose).await? {
            Ok(look)
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
        more: Option<(&str, &str)>,
    ) -> Result<(), Error> {
        let mut entry = Entry::new(kind, self.clock.now(), &owner.tenant, access.actor.role().as_str())
            .about(self.subject_ref(owner).await?)
            .fact("category", category)
            .fact("purpose", access.purpose);
        if let Some((name, value)) = more {
            entry = entry.fact(name, value);
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

/// The categories of a person that a legal hold keeps, to hold single things against.
pub(super) struct HeldBack {
    now: Timestamp,
    held: Vec<Option<String>>,
}

impl HeldBack {
    /// Whether this is past its time and held.
    pub(super) fn hides(&self, category: &str, item: &Item) -> bool {
        item.due_at.is_some_and(|due| due <= self.now) && super::erase::is_held(&self.held, category)
    }
}
