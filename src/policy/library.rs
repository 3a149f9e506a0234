//! The documents of an installation, by tenant and version.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Policy;
use crate::base::{TenantId, Timestamp};

/// The published documents. Cheap to clone; clones share, so a publication is seen by all at once.
#[derive(Clone, Debug, Default)]
pub struct Library(Arc<RwLock<BTreeMap<TenantId, Vec<Arc<Policy>>>>>);

impl Library {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a document. One that is there already, the same to the byte, is left; [`Changed`] if it is another text
    /// under a known version.
    pub fn add(&self, policy: Policy) -> Result<(), Changed> {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let versions = all.entry(policy.tenant().clone()).or_default();
        if let Some(known) = versions.iter().find(|p| p.version() == policy.version()) {
            return if known.hash() == policy.hash() {
                Ok(())
            } else {
                Err(Changed { tenant: policy.tenant().clone(), version: policy.version().to_owned() })
            };
        }
        versions.push(Arc::new(policy));
        versions.sort_by_key(|p| p.effective());
        Ok(())
    }

    /// The document in force at a moment: the newest whose day has begun (UTC). Before the first one's day, the first:
    /// a service that runs has a policy.
    pub fn in_force(&self, tenant: &TenantId, at: Timestamp) -> Option<Arc<Policy>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let versions = all.get(tenant)?;
        versions.iter().rev().find(|p| p.starts() <= at).or_else(|| versions.first()).cloned()
    }

    /// The next document, once it is known: what people must be told of.
    pub fn next(&self, tenant: &TenantId, at: Timestamp) -> Option<Arc<Policy>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(tenant)?.iter().skip(1).find(|p| p.starts() > at).cloned()
    }

    /// A document by its version.
    pub fn version(&self, tenant: &TenantId, version: &str) -> Option<Arc<Policy>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(tenant)?.iter().find(|p| p.version() == version).cloned()
    }

    /// All versions of a tenant's document, oldest first.
    pub fn versions(&self, tenant: &TenantId) -> Vec<Arc<Policy>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(tenant).cloned().unwrap_or_default()
    }

    /// The versions that bear on what was collected under `version`, oldest first: that one, and each that has come into
    /// force since. A version that is not known leaves the one in force.
    pub fn since(&self, tenant: &TenantId, version: &str, at: Timestamp) -> Vec<Arc<Policy>> {
        let all = self.versions(tenant);
        let Some(first) = all.iter().position(|p| p.version() == version) else {
            return self.in_force(tenant, at).into_iter().collect();
        };
        let later = all.iter().skip(first + 1).filter(|p| p.starts() <= at);
        all.get(first).into_iter().chain(later).cloned().collect()
    }

    /// The tenants, by name.
    pub fn tenants(&self) -> Vec<TenantId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

/// A version that was published once is another text now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("version {version} of the policy of {tenant} was published with another text")]
pub struct Changed {
    /// The tenant.
    pub tenant: TenantId,
    /// The version.
    pub version: String,
}
