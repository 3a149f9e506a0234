//! What proves a promise, as a link into the ledger.

use super::promise::Standing;
use super::view::{Count, MarginNote, ProofLink};
use crate::app::App;
use crate::base::{PageSize, TenantId};
use crate::edge::Fault;
use crate::ledger::{EntryKind, Fact, Filter, Logged};

/// The entry of a version's publication.
pub(crate) async fn publication(
    app: &App,
    tenant: &TenantId,
    version: &str,
) -> Result<Option<ProofLink>, Fault> {
    let filter = Filter { kind: Some(EntryKind::POLICY_PUBLISHED), subject: None };
    let size = PageSize::new(200).unwrap_or_default();
    let published = app.ledger.list(tenant, &filter, size, None).await?.items;
    let of = |entry: &&Logged| matches!(entry.leaf.facts.get("version"), Some(Fact::Word(v)) if v == version);
    Ok(published.iter().find(of).map(|entry| link(tenant, entry.index)))
}

fn link(tenant: &TenantId, index: u64) -> ProofLink {
    ProofLink { index: Count(index), href: format!("/{tenant}/ledger/{index}") }
}

/// A standing as it is told in the margin.
pub(crate) fn note(tenant: &TenantId, standing: &Standing) -> MarginNote {
    MarginNote {
        state: standing.state,
        figure: standing.figure.clone(),
        checked: standing.checked.map(Into::into),
        proof: standing.proof.map(|index| link(tenant, index)),
    }
}
