//! What proves a promise, as a link into the ledger.

use super::view::{Count, MarginNote, ProofLink, Tally};
use crate::app::App;
use crate::audit::{Board, Check, RuleState};
use crate::base::{PageSize, TenantId};
use crate::edge::{Fault, proof_path};
use crate::ledger::{EntryKind, Fact, Filter, Logged};

/// The check that computes the whole ledger again.
pub(crate) const WHOLE_LEDGER: &str = "ledger-consistent";

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

/// How the last check of the whole ledger ended; `None` when none was made yet.
pub(crate) async fn ledger_check(app: &App, tenant: &TenantId) -> Result<Option<Check>, Fault> {
    let checks = app.audit.latest(tenant).await?;
    Ok(checks.into_iter().find(|check| check.probe == WHOLE_LEDGER))
}

/// A link to an entry.
pub(crate) fn link(tenant: &TenantId, index: u64) -> ProofLink {
    ProofLink { index: Count(index), href: proof_path(tenant, index) }
}

/// How a rule stands, as it is told in the margin.
pub(crate) fn note(tenant: &TenantId, rule: &RuleState) -> MarginNote {
    MarginNote {
        state: rule.state.into(),
        figure: rule.figure.clone(),
        checked: rule.checked.map(Into::into),
        proof: rule.place.map(|place| link(tenant, place)),
    }
}

/// How many rules stand how, worst first.
pub(crate) fn tally(board: &Board) -> Vec<Tally> {
    let part =
        |(state, n): (crate::audit::State, usize)| Tally { state: state.into(), count: Count(n as u64) };
    board.tally().into_iter().map(part).collect()
}
