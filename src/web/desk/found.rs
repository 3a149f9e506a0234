//! What the desk looks at on every page: how requests, promises and jobs stand now.

use std::sync::Arc;

use super::seat::Seat;
use crate::app::App;
use crate::audit::Board;
use crate::base::{PageSize, TenantId, Timestamp};
use crate::edge::Fault;
use crate::policy::{Policy, Right};
use crate::requests::{Alarm, Counted, QueueFilter, Request, State};
use crate::store::jobs::{self, Troubled};

/// Most open requests that are looked at one by one: for a nearing promise, and for whether they wait for people.
const MOST_LOOKED_AT: u32 = 200;

/// A finding.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) at: Timestamp,
    pub(super) policy: Arc<Policy>,
    pub(super) counts: Vec<Counted>,
    pub(super) late: Vec<Request>,
    pub(super) near: Vec<Request>,
    /// Open, and nothing more happens to them before somebody acts.
    pub(super) by_hand: Vec<Request>,
    pub(super) jobs: Vec<Troubled>,
    /// Webhooks of the app that were stopped.
    pub(super) unheard: u64,
    pub(super) promises: Board,
}

impl Found {
    /// Looks.
    pub(super) async fn at_seat(seat: &Seat) -> Result<Self, Fault> {
        let (app, tenant) = (&seat.edge.app, &seat.tenant);
        let at = app.clock.now();
        let open = open(app, tenant).await?;
        Ok(Self {
            at,
            policy: app.vault.policy(tenant)?,
            counts: app.requests.counts(tenant).await?,
            late: app.requests.overdue(tenant, at).await?,
            by_hand: open.iter().filter(|r| waits_for_people(r)).cloned().collect(),
            near: open.into_iter().filter(|r| r.alarm_at(at) == Alarm::PromiseNear).collect(),
            jobs: troubled(app, tenant).await?,
            unheard: app.webhooks.stopped(tenant).await?,
            promises: app.audit.promises(tenant).await?,
        })
    }

    /// How many requests are open.
    pub(super) fn open(&self) -> u64 {
        sum(&self.counts, |c| c.state.is_open())
    }
}

pub(super) fn sum(counts: &[Counted], which: impl Fn(&Counted) -> bool) -> u64 {
    counts.iter().filter(|c| which(c)).map(|c| u64::try_from(c.n).unwrap_or(0)).sum()
}

/// The first of the queue: what is near its promise is among them.
async fn open(app: &App, tenant: &TenantId) -> Result<Vec<Request>, Fault> {
    let size = PageSize::new(MOST_LOOKED_AT).unwrap_or_default();
    Ok(app.requests.queue(tenant, QueueFilter::Open, None, size).await?.items)
}

/// Whether the next step of a request is somebody's and not the program's: a correction that only words describe, or one
/// that was taken up again.
pub(super) fn waits_for_people(request: &Request) -> bool {
    request.state == State::Working
        && request.next_at.is_none()
        && (request.right == Right::Rectification || request.reopened_at.is_some())
}

/// Jobs of this tenant, or of the house, that need a look.
async fn troubled(app: &App, tenant: &TenantId) -> Result<Vec<Troubled>, Fault> {
    let mut tx = app.db.read().await?;
    let all = jobs::troubled(&mut tx, 200).await?;
    Ok(all.into_iter().filter(|j| j.tenant.as_deref().is_none_or(|t| t == tenant.as_str())).collect())
}
