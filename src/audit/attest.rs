//! What only people can do: recorded when somebody vouches for it, red when nobody did in time.

use std::collections::BTreeMap;

use chrono::{NaiveTime, TimeDelta};
use serde_json::json;

use super::sql::results::{self, Vouched};
use super::{Audit, Error, State, Vouching};
use crate::base::{EntryId, StaffId, TenantId, Timestamp};
use crate::crypto::{self, Place};
use crate::ledger::{Entry, EntryKind, Opening};
use crate::policy::{Attestation, Policy};

/// Most characters of evidence: a note and links, not the report itself.
pub(super) const LONGEST: usize = 20_000;

/// What is known of a tenant's attestations: the newest word for each, and from when each was owed.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    newest: BTreeMap<String, Vouched>,
    owed_since: BTreeMap<String, Timestamp>,
}

impl Words {
    #[cfg(test)]
    pub(super) fn of(newest: Vec<Vouched>) -> Self {
        let newest = newest.into_iter().map(|v| (v.attestation.clone(), v)).collect();
        Self { newest, owed_since: BTreeMap::new() }
    }

    /// How an attestation stands at `now`.
    pub(super) fn stand(&self, policy: &Policy, rule: &Attestation, now: Timestamp) -> Vouching {
        let made = self.newest.get(&rule.id);
        let start = self.owed_since.get(&rule.id).copied().unwrap_or_else(|| begins(policy));
        let due = rule.every.after(made.map_or(start, |m| m.at));
        let ahead = rule.remind.map_or(0, |p| i64::try_from(p.rough_seconds()).unwrap_or(0));
        let state = match made {
            _ if due <= now => State::Overdue,
            None => State::Waiting,
            Some(_) if due.plus(-TimeDelta::seconds(ahead)) <= now => State::AtRisk,
            Some(_) => State::Attested,
        };
        Vouching {
            attestation: rule.id.clone(),
            what: rule.what.clone(),
            owner: rule.owner.clone(),
            wanted: rule.evidence.clone(),
            made: made.map(|m| m.at),
            by: made.map(|m| m.staff.clone()),
            entry: made.map(|m| m.entry),
            due,
            state,
        }
    }
}

/// When a document's first day begins.
fn begins(policy: &Policy) -> Timestamp {
    Timestamp::from_utc(policy.effective().and_time(NaiveTime::MIN).and_utc())
}

fn place(tenant: &TenantId, entry: EntryId) -> Place {
    Place::new("attestation").with(tenant.as_str()).with(entry.to_string())
}

impl Audit {
    /// Records that a member of staff vouches for an attestation of the document in force, with their evidence. The
    /// ledger holds who and when and commits to the evidence; the evidence itself is sealed.
    pub async fn attest(
        &self,
        tenant: &TenantId,
        attestation: &str,
        by: StaffId,
        evidence: &str,
    ) -> Result<EntryId, Error> {
        let policy = self.in_force(tenant)?;
        let rule = policy.attestation(attestation).ok_or(Error::NoAttestation)?;
        if evidence.trim().is_empty() || evidence.chars().count() > LONGEST {
            return Err(Error::Evidence(LONGEST));
        }
        let key = self.keys.system(&format!("attestation/{tenant}")).await?;
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let role = results::staff_role(&mut tx, tenant, by).await?.ok_or(Error::NotStaff)?;
        let entry = Entry::new("attestation.made".parse::<EntryKind>()?, now, tenant, &role)
            .fact("attestation", rule.id.as_str())
            .fact("staff", by.to_string().as_str())
            .fact("version", policy.version())
            .details(json!({"evidence": evidence}));
        let appended = self.ledger.append(&mut tx, entry).await?;
        let opening = appended.opening.map(|o| o.to_bytes()).transpose()?.unwrap_or_default();
        let sealed = crypto::seal(&key, &place(tenant, appended.id), &opening, &self.entropy);
        let vouched =
            Vouched { entry: appended.id, attestation: rule.id.clone(), staff: by.to_string(), at: now };
        results::insert_attestation(&mut tx, tenant, &vouched, &sealed).await?;
        tx.commit().await?;
        Ok(appended.id)
    }

    /// What was shown for an attestation, with the salt by which the ledger's commitment to it opens.
    pub async fn evidence(&self, tenant: &TenantId, entry: EntryId) -> Result<Opening, Error> {
        let sealed = {
            let mut tx = self.db.read().await?;
            results::evidence(&mut tx, tenant, entry).await?.ok_or(Error::NoAttestation)?
        };
        let key = self.keys.system(&format!("attestation/{tenant}")).await?;
        let plain = crypto::open(&key, &place(tenant, entry), &sealed)
            .map_err(|_| crate::store::Error::inconsistent("attestation", "sealed"))?;
        Ok(Opening::from_bytes(&plain)?)
    }

    /// How each attestation of the document in force stands.
    pub async fn attestations(&self, tenant: &TenantId) -> Result<Vec<Vouching>, Error> {
        let policy = self.in_force(tenant)?;
        let words = self.words(tenant).await?;
        let now = self.clock.now();
        Ok(policy.attestations().map(|rule| words.stand(&policy, rule, now)).collect())
    }

    /// The newest word for each attestation. One that was never made is owed from the first day of the first version
    /// that has it, or from its publication here if that was later.
    pub(super) async fn words(&self, tenant: &TenantId) -> Result<Words, Error> {
        let (newest, published) = {
            let mut tx = self.db.read().await?;
            (results::attestations(&mut tx, tenant).await?, results::published(&mut tx, tenant).await?)
        };
        let published: BTreeMap<String, Timestamp> = published.into_iter().collect();
        let mut owed_since: BTreeMap<String, Timestamp> = BTreeMap::new();
        for version in self.library.versions(tenant) {
            let first_day = begins(&version);
            let from = published.get(version.version()).map_or(first_day, |at| first_day.max(*at));
            for rule in version.attestations() {
                owed_since.entry(rule.id.clone()).and_modify(|t| *t = from.min(*t)).or_insert(from);
            }
        }
        let newest = newest.into_iter().map(|v| (v.attestation.clone(), v)).collect();
        Ok(Words { newest, owed_since })
    }
}
