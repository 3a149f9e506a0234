//! What the rooms find about a tenant's promises at one moment, for the page that anybody reads.

use std::sync::Arc;

use super::promise::{self, Evidence, Proofs, RightLine, Standing};
use super::view::{Count, MarginNote, ProofLink};
use crate::app::App;
use crate::base::{PageSize, TenantId, Timestamp};
use crate::edge::Fault;
use crate::ledger::{EntryKind, Fact, Filter, Logged};
use crate::policy::{Policy, Right};
use crate::requests::{Alarm, Counted, QueueFilter, Request};

/// Most requests that are looked at one by one for a nearing promise.
const MOST_NEAR: u32 = 200;

/// How every promise of a document stands now.
pub(crate) async fn standings(
    app: &App,
    tenant: &TenantId,
    policy: &Arc<Policy>,
) -> Result<Vec<Standing>, Fault> {
    let at = app.clock.now();
    let board = app.retention.board(tenant).await?;
    let overdue_copies = app.disclosures.overdue(tenant, at).await?;
    let counts = app.requests.counts(tenant).await?;
    let late = app.requests.overdue(tenant, at).await?;
    let near = near(app, tenant, at).await?;
    let mut proving = Vec::new();
    for kind in promise::PROVING_KINDS {
        proving.extend(entries(app, tenant, kind.parse()?, 200).await?);
    }
    Ok(promise::standings(&Evidence {
        policy,
        at,
        board: &board,
        overdue_copies: &overdue_copies,
        requests: &lines(&counts, &late, &near),
        probes: &[],
        proofs: &Proofs::of(&proving),
    }))
}

/// The newest entries of a kind.
pub(crate) async fn entries(
    app: &App,
    tenant: &TenantId,
    kind: EntryKind,
    most: u32,
) -> Result<Vec<Logged>, Fault> {
    let filter = Filter { kind: Some(kind), subject: None };
    let size = PageSize::new(most).unwrap_or_default();
    Ok(app.ledger.list(tenant, &filter, size, None).await?.items)
}

/// The entry of a version's publication.
pub(crate) async fn publication(
    app: &App,
    tenant: &TenantId,
    version: &str,
) -> Result<Option<ProofLink>, Fault> {
    let published = entries(app, tenant, EntryKind::POLICY_PUBLISHED, 200).await?;
    let of = |entry: &&Logged| matches!(entry.leaf.facts.get("version"), Some(Fact::Word(v)) if v == version);
    Ok(published.iter().find(of).map(|entry| link(tenant, entry.index)))
}

async fn near(app: &App, tenant: &TenantId, now: Timestamp) -> Result<Vec<Request>, Fault> {
    let size = PageSize::new(MOST_NEAR).unwrap_or_default();
    let page = app.requests.queue(tenant, QueueFilter::Open, None, size).await?;
    Ok(page.items.into_iter().filter(|r| r.alarm_at(now) == Alarm::PromiseNear).collect())
}

fn lines(counts: &[Counted], late: &[Request], near: &[Request]) -> Vec<RightLine> {
    let sum = |which: &dyn Fn(&Counted) -> bool| {
        counts.iter().filter(|c| which(c)).filter_map(|c| u64::try_from(c.n).ok()).sum()
    };
    let of = |requests: &[Request], right: Right| requests.iter().filter(|r| r.right == right).count() as u64;
    let line = |&right: &Right| RightLine {
        right,
        open: sum(&|c| c.right == right && c.state.is_open()),
        near: of(near, right),
        late: of(late, right),
        answered: sum(&|c| c.right == right && !c.state.is_open()),
    };
    Right::ALL.iter().map(line).collect()
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
