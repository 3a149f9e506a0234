//! What the desk looks at on every page: how requests, promises and jobs stand now.

use std::sync::Arc;

use super::seat::Seat;
use crate::app::App;
use crate::audit::Board;
use crate::base::{PageSize, TenantId, Timestamp};
use crate::edge::Fault;
use crate::policy::Policy;
use crate::requests::{Alarm, Counted, QueueFilter, Request};
use crate::store::jobs::{self, Troubled};

/// Most requests that are looked at one by one for a nearing promise.
const MOST_NEAR: u32 = 200;

/// A finding.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) at: Timestamp,
    pub(super) policy: Arc<Policy>,
    pub(super) counts: Vec<Counted>,
    pub(super) late: Vec<Request>,
    pub(super) near: Vec<Request>,
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
        Ok(Self {
            at,
            policy: app.vault.policy(tenant)?,
            counts: app.requests.counts(tenant).await?,
            late: app.requests.overdue(tenant, at).await?,
            near: near(app, tenant, at).await?,
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

/// Open requests whose promise is near but not past: they are the first of the queue.
async fn near(app: &App, tenant: &TenantId, now: Timestamp) -> Result<Vec<Request>, Fault> {
    let size = PageSize::new(MOST_NEAR).unwrap_or_default();
    let page = app.requests.queue(tenant, QueueFilter::Open, None, size).await?;
    Ok(page.items.into_iter().filter(|r| r.alarm_at(now) == Alarm::PromiseNear).collect())
}

/// Jobs of this tenant, or of the house, that need a look.
async fn troubled(app: &App, tenant: &TenantId) -> Result<Vec<Troubled>, Fault> {
    let mut tx = app.db.read().await?;
    let all = jobs::troubled(&mut tx, 200).await?;
    Ok(all.into_iter().filter(|j| j.tenant.as_deref().is_none_or(|t| t == tenant.as_str())).collect())
}
