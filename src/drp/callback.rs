//! Telling agents how it stands, at the address that their message named: on every change, until they answer 200.

use std::time::Duration;

use chrono::TimeDelta;

use super::model::{Asked, Status};
use super::{Drp, Error, RECIPIENT, sql};
use crate::egress::{Call, CallLog, Method, Url};

/// Requests looked at in one round.
const AT_MOST: i64 = 200;
/// How often it is looked whether something has changed.
const LOOK: TimeDelta = TimeDelta::minutes(1);
/// Most tries for one change: the protocol asks for best effort.
const MOST_TRIES: i64 = 8;
/// How long an agent may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

impl Drp {
    /// Files what agents asked for, and tells them what has changed. Gives how many were filed or told.
    pub async fn call_back(&self, stop: &(dyn Fn() -> bool + Sync)) -> Result<u64, Error> {
        let filed = self.file_all(stop).await?;
        let due = {
            let mut tx = self.db.read().await?;
            sql::due(&mut tx, self.clock.now(), AT_MOST).await?
        };
        let mut told = 0;
        for asked in due {
            if stop() {
                break;
            }
            told += u64::from(self.tell(&asked).await?);
        }
        Ok(filed + told)
    }

    /// Tells one agent of one change, if there is one.
    async fn tell(&self, asked: &Asked) -> Result<bool, Error> {
        let status = self.told(asked).await?;
        let (now, word) = (self.clock.now(), status.word());
        // What it was told in the answer to its own call needs no other.
        if word == asked.told {
            let next = (!status.is_final()).then(|| now.plus(LOOK));
            self.called(asked, (&word, 0), next).await?;
            return Ok(false);
        }
        if self.call(asked, &status).await? {
            let next = (!status.is_final()).then(|| now.plus(LOOK));
            self.called(asked, (&word, 0), next).await?;
            return Ok(true);
        }
        let tries = asked.tries + 1;
        let pause = TimeDelta::seconds(30_i64 << tries.clamp(0, 10));
        let given_up = tries >= MOST_TRIES;
        let kept = if given_up { word.as_str() } else { asked.told.as_str() };
        let next = (!given_up || !status.is_final()).then(|| now.plus(pause));
        self.called(asked, (kept, if given_up { 0 } else { tries }), next).await?;
        Ok(false)
    }

    async fn called(
        &self,
        asked: &Asked,
        told: (&str, i64),
        next: Option<crate::base::Timestamp>,
    ) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        sql::called(&mut tx, asked, told, next).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whether the agent took it.
    async fn call(&self, asked: &Asked, status: &Status) -> Result<bool, Error> {
        let Some(url) = asked.callback.as_deref().and_then(|url| Url::parse(url).ok()) else {
            return Ok(true);
        };
        let body = serde_json::to_vec(status).map_err(|_| Error::Malformed("status"))?;
        let call = Call::new(RECIPIENT, Method::POST, url, "/status-callback")
            .body("application/json", body)
            .within(PATIENCE)
            .at_most(u64::MAX);
        // The answer's head says all that counts; its body is not read.
        let answer = self.egress.open(call, &CallLog::new()).await;
        Ok(answer.is_ok_and(|answer| answer.status() == 200))
    }
}
