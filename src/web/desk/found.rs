//! What the desk looks at on every page: how requests, promises and jobs stand now.

use std::sync::Arc;

use super::seat::Seat;
use crate::app::App;
use crate::base::{PageSize, TenantId, Timestamp};
use crate::edge::Fault;
use crate::ledger::{Fact, Filter, Logged};
use crate::policy::{Policy, Right};
use crate::requests::{Alarm, Counted, QueueFilter, Request};
use crate::retention::BoardRow;
use crate::store::jobs::{self, Troubled};
use crate::web::promise::{self, Evidence, Probed, Proofs, RightLine, Standing};

/// The kind of entry by which the desk notes that the whole ledger was recomputed. Facts: `size`, `faults`.
pub(super) const VERIFIED: &str = "ledger.verified";
/// Most requests that are looked at one by one for a nearing promise.
const MOST_NEAR: u32 = 200;

/// A finding.
#[derive(Debug)]
pub(in crate::web) struct Found {
    pub(super) at: Timestamp,
    pub(super) policy: Arc<Policy>,
    pub(super) board: Vec<BoardRow>,
    pub(super) overdue_copies: Vec<(String, i64)>,
    pub(super) counts: Vec<Counted>,
    pub(super) late: Vec<Request>,
    pub(super) near: Vec<Request>,
    pub(super) jobs: Vec<Troubled>,
    pub(in crate::web) standings: Vec<Standing>,
    pub(in crate::web) verified: Option<Verified>,
}

/// How the last check of the whole ledger ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) struct Verified {
    pub(in crate::web) at: Timestamp,
    pub(super) size: i64,
    pub(in crate::web) faults: i64,
}

impl Found {
    /// Looks.
    pub(super) async fn at_seat(seat: &Seat) -> Result<Self, Fault> {
        Self::of(&seat.edge.app, &seat.tenant).await
    }

    /// Looks at a tenant.
    pub(in crate::web) async fn of(app: &App, tenant: &TenantId) -> Result<Self, Fault> {
        let at = app.clock.now();
        let policy = app.vault.policy(tenant)?;
        let board = app.retention.board(tenant).await?;
        let overdue_copies = app.disclosures.overdue(tenant, at).await?;
        let counts = app.requests.counts(tenant).await?;
        let late = app.requests.overdue(tenant, at).await?;
        let near = near(app, tenant, at).await?;
        let verified = last_verified(app, tenant).await?;
        let proofs = Proofs::of(&proving(app, tenant).await?);
        let standings = promise::standings(&Evidence {
            policy: &policy,
            at,
            board: &board,
            overdue_copies: &overdue_copies,
            requests: &lines(&counts, &late, &near),
            probes: &verified.map(Verified::probed).into_iter().collect::<Vec<_>>(),
            proofs: &proofs,
        });
        let jobs = troubled(app, tenant).await?;
        Ok(Self { at, policy, board, overdue_copies, counts, late, near, jobs, standings, verified })
    }

    /// How many requests are open.
    pub(super) fn open(&self) -> u64 {
        sum(&self.counts, |c| c.state.is_open())
    }
}

pub(super) fn sum(counts: &[Counted], which: impl Fn(&Counted) -> bool) -> u64 {
    counts.iter().filter(|c| which(c)).map(|c| u64::try_from(c.n).unwrap_or(0)).sum()
}

/// Open requests whose promise is near but not past: they are the first of the queue.
async fn near(app: &App, tenant: &TenantId, now: Timestamp) -> Result<Vec<Request>, Fault> {
    let size = PageSize::new(MOST_NEAR).unwrap_or_default();
    let page = app.requests.queue(tenant, QueueFilter::Open, None, size).await?;
    Ok(page.items.into_iter().filter(|r| r.alarm_at(now) == Alarm::PromiseNear).collect())
}

/// The figures of each right.
pub(super) fn lines(counts: &[Counted], late: &[Request], near: &[Request]) -> Vec<RightLine> {
    let of = |requests: &[Request], right: Right| requests.iter().filter(|r| r.right == right).count() as u64;
    Right::ALL
        .iter()
        .map(|&right| RightLine {
            right,
            open: sum(counts, |c| c.right == right && c.state.is_open()),
            near: of(near, right),
            late: of(late, right),
            answered: sum(counts, |c| c.right == right && !c.state.is_open()),
        })
        .collect()
}

/// The newest entries of every kind that proves a promise.
async fn proving(app: &App, tenant: &TenantId) -> Result<Vec<Logged>, Fault> {
    let mut all = Vec::new();
    for kind in promise::PROVING_KINDS {
        let filter = Filter { kind: Some(kind.parse()?), subject: None };
        let size = PageSize::new(200).unwrap_or_default();
        all.extend(app.ledger.list(tenant, &filter, size, None).await?.items);
    }
    Ok(all)
}

async fn last_verified(app: &App, tenant: &TenantId) -> Result<Option<Verified>, Fault> {
    let filter = Filter { kind: Some(VERIFIED.parse()?), subject: None };
    let size = PageSize::new(1).unwrap_or_default();
    let newest = app.ledger.list(tenant, &filter, size, None).await?.items.into_iter().next();
    Ok(newest.map(|entry| Verified::of(&entry)))
}

impl Verified {
    fn of(entry: &Logged) -> Self {
        let number = |name: &str| match entry.leaf.facts.get(name) {
            Some(Fact::Number(n)) => *n,
            _ => 0,
        };
        Self { at: entry.leaf.at, size: number("size"), faults: number("faults") }
    }

    /// As a sentence.
    pub(super) fn says(self) -> String {
        let size = crate::web::view::Count(u64::try_from(self.size).unwrap_or(0));
        match self.faults {
            0 => format!("{size} entries, every hash and signature holds."),
            1 => format!("One fault among {size} entries. Nothing may be signed until it is understood."),
            n => format!("{n} faults among {size} entries. Nothing may be signed until they are understood."),
        }
    }

    fn probed(self) -> Probed {
        Probed {
            probe: "ledger-consistent".to_owned(),
            sound: self.faults == 0,
            figure: self.says().trim_end_matches('.').to_owned(),
            at: self.at,
        }
    }
}

/// Jobs of this tenant, or of the house, that need a look.
async fn troubled(app: &App, tenant: &TenantId) -> Result<Vec<Troubled>, Fault> {
    let mut tx = app.db.read().await?;
    let all = jobs::troubled(&mut tx, 200).await?;
    Ok(all.into_iter().filter(|j| j.tenant.as_deref().is_none_or(|t| t == tenant.as_str())).collect())
}
