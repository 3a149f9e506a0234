//! What an agent does under a mandate, and what they are told.

use super::model::{MandateState, Wanted};
use super::sql;
use crate::base::{MandateId, TenantId, Timestamp};
use crate::intake::{Error, Intake};
use crate::requests::Request;
use crate::vault::Owner;

/// What an agent is told of a mandate.
#[derive(Debug, Clone)]
pub struct Standing {
    /// `asked`, `not-confirmed`, `confirmed` or `ended`. A person who said no, one who did not answer and one whom nobody
    /// here knows look the same.
    pub state: &'static str,
    /// Until when it holds.
    pub until: Timestamp,
    /// The requests filed under it, if the person lets them be told.
    pub requests: Vec<Request>,
}

/// What an agent is told of a request that was filed.
#[derive(Debug, Clone)]
pub struct ByAgent {
    /// The request, if the person lets the agent be told.
    pub request: Option<Request>,
}

impl Intake {
    /// Files something more under a mandate that holds, for the key it was asked for with.
    pub async fn ask_under(
        &self,
        tenant: &TenantId,
        key: &str,
        id: MandateId,
        wanted: Wanted,
    ) -> Result<ByAgent, Error> {
        let row = self.of_key(tenant, key, id).await?;
        let now = self.0.clock.now();
        let subject = row.subject.filter(|_| row.holds(now)).ok_or(Error::NotGiven)?;
        self.covered(tenant, &row.rights, &wanted.ask, &wanted.words)?;
        let filed = self.file_under(&Owner::new(tenant, subject), (id, None), wanted).await?;
        let mut tx = self.0.db.begin().await?;
        sql::add_request(&mut tx, tenant, id, filed.id).await?;
        tx.commit().await?;
        Ok(ByAgent { request: row.tells.then_some(filed) })
    }

    /// How a mandate stands, for the key it was asked for with.
    pub async fn standing(&self, tenant: &TenantId, key: &str, id: MandateId) -> Result<Standing, Error> {
        let row = self.of_key(tenant, key, id).await?;
        let now = self.0.clock.now();
        let state = match row.state {
            MandateState::Confirmed if row.until > now => "confirmed",
            MandateState::Confirmed | MandateState::Ended => "ended",
            _ if row.answer_until > now => "asked",
            _ => "not-confirmed",
        };
        let mut requests = Vec::new();
        if row.tells && state == "confirmed" {
            for id in row.requests {
                requests.push(self.0.requests.find(tenant, id).await?);
            }
        }
        Ok(Standing { state, until: row.until, requests })
    }

    async fn of_key(&self, tenant: &TenantId, key: &str, id: MandateId) -> Result<super::model::Row, Error> {
        let found = {
            let mut tx = self.0.db.read().await?;
            sql::get(&mut tx, tenant, id).await?
        };
        found.filter(|row| row.key_id.as_deref() == Some(key)).ok_or(Error::NoMandate)
    }
}
