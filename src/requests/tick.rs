//! The reconciler of this room: reads the whole state, does what is due. Called every minute, and after filing; a call
//! that was missed loses nothing, and two at once do no harm.

use super::model::{NEAR, pause};
use super::{Alarm, Error, Lapsed, Request, Requests, State, owner_of, sql};
use crate::base::Timestamp;
use crate::vault::Actor;

/// How many unanswered requests are read at a time.
const A_PAGE: i64 = 500;

/// What one run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticked {
    /// Requests that came a step further or to their end.
    pub moved: usize,
    /// Requests and erasures whose step failed.
    pub stuck: usize,
    /// Erasures that were taken up again.
    pub resumed: usize,
    /// Clocks that began to call, or called louder.
    pub alarms: usize,
    /// Requests whose rows had outlived their rule.
    pub purged: usize,
}

impl Requests {
    /// Does what is due by now: grace that is over, steps to be tried again, erasures cut off half-way, archives whose
    /// time is over, clocks that call, rows that must go.
    pub async fn tick(&self) -> Result<Ticked, Error> {
        let mut ticked = Ticked::default();
        let now = self.clock.now();
        let (requests, erasures) = {
            let mut tx = self.db.read().await?;
            (sql::request::due(&mut tx, now).await?, sql::erasure::due(&mut tx, now).await?)
        };
        for erasure in erasures {
            ticked.resumed += 1;
            if let Err(why) = self.resume(&erasure.tenant, &erasure.id).await {
                ticked.stuck += 1;
                tracing::warn!(erasure = %erasure.id, kind = ?why.kind(), "an erasure could not be finished yet");
            }
        }
        for request in requests {
            match self.take_up(&request).await {
                Ok(after) if after.problem.is_some() => ticked.stuck += 1,
                Ok(_) => ticked.moved += 1,
                Err(why) => {
                    ticked.stuck += 1;
                    tracing::warn!(request = %request.id, kind = ?why.kind(), "a request could not be taken up");
                    self.put_behind(&request).await?;
                }
            }
        }
        ticked.alarms = self.sound().await?;
        let mut tx = self.db.begin().await?;
        ticked.purged = sql::request::purge(&mut tx, now).await?;
        sql::last::expire(&mut tx, now.plus(-super::erase::last::AT_MOST)).await?;
        tx.commit().await?;
        Ok(ticked)
    }

    /// A request whose time has come, read again: something may have happened to it since.
    async fn take_up(&self, due: &Request) -> Result<Request, Error> {
        let request = self.find(&due.tenant, due.id).await?;
        if request.next_at.is_none_or(|t| t > self.clock.now()) {
            return Ok(request);
        }
        if request.state == State::IdentityPending {
            return self.lapse(request, Lapsed::Unconfirmed).await;
        }
        if request.state.is_over() {
            return self.archive_is_over(request).await;
        }
        // An archive that nobody fetched in its time.
        if request.state == State::Fulfilled {
            let owner = owner_of(&request)?;
            let shut = self.shut(&owner, request, &Actor::Service, None).await?;
            return self.archive_is_over(shut).await;
        }
        self.carry_out(request).await
    }

    /// One that could not be taken up waits: a hundred of its kind must not keep all others from their turn.
    async fn put_behind(&self, due: &Request) -> Result<(), Error> {
        let (request, now) = (self.find(&due.tenant, due.id).await?, self.clock.now());
        if request.next_at.is_none_or(|t| t > now) {
            return Ok(());
        }
        let (next_at, tries) = (Some(now.plus(pause(request.tries))), request.tries.saturating_add(1));
        let mut tx = self.db.begin().await?;
        match self.save(&mut tx, Request { tries, next_at, ..request }).await {
            Ok(_) => Ok(tx.commit().await?),
            Err(Error::Raced) => Ok(()),
            Err(e) => Err(e),
        }
    }

    async fn resume(&self, tenant: &crate::base::TenantId, id: &str) -> Result<(), Error> {
        let erasure = {
            let mut tx = self.db.read().await?;
            sql::erasure::get(&mut tx, tenant, id).await?.ok_or(Error::NotFound)?
        };
        let request = erasure.request;
        let why = match self.go_on(erasure).await {
            // Somebody else is at it, or was quicker.
            Ok(_) | Err(Error::Raced) => return Ok(()),
            Err(why) => why,
        };
        let mut tx = self.db.begin().await?;
        // As it stands now; a failed look has set its own next time.
        if let Some(mut now) = sql::erasure::get(&mut tx, tenant, id).await?
            && now.next_at.is_some_and(|t| t <= self.clock.now())
        {
            now.next_at = Some(self.clock.now().plus(pause(now.tries)));
            now.tries = now.tries.saturating_add(1);
            let state = now.state;
            sql::erasure::update(&mut tx, state, &now).await?;
        }
        tx.commit().await?;
        if let Some(request) = request {
            let request = self.find(tenant, request).await?;
            if request.state.is_open() {
                self.stuck(&request, &why).await?;
            }
        }
        Err(why)
    }

    /// Writes down the clocks that call louder than before.
    async fn sound(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let (mut sounded, mut after) = (0, (i64::MIN, String::new()));
        loop {
            let page = {
                let mut tx = self.db.read().await?;
                let after = (after.0, after.1.as_str());
                sql::request::unanswered(&mut tx, now.plus(NEAR), after, A_PAGE).await?
            };
            let Some(last) = page.last() else { return Ok(sounded) };
            after = (last.due.promise.micros(), last.id.to_string());
            for request in page {
                sounded += usize::from(self.sound_one(request, now).await?);
            }
        }
    }

    async fn sound_one(&self, request: Request, now: Timestamp) -> Result<bool, Error> {
        let alarm = request.alarm_at(now);
        if alarm <= request.alarm {
            return Ok(false);
        }
        if alarm >= Alarm::PromiseMissed {
            tracing::error!(request = %request.id, alarm = alarm.as_str(), "a request's clock has run out");
        }
        let mut tx = self.db.begin().await?;
        match self.save(&mut tx, Request { alarm, ..request }).await {
            Ok(saved) => {
                self.note(&mut tx, &saved, ("service", alarm.as_str()), None, None).await?;
                tx.commit().await?;
                Ok(true)
            }
            // It is being worked on at this moment; the next run looks again.
            Err(Error::Raced) => Ok(false),
            Err(e) => Err(e),
        }
    }
}
