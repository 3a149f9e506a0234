//! Letters about an erasure to the addresses that its account was moved away from not long ago: whoever moved the account away
//! from them must not be the only one to hear of it. They go first, each by itself, and are tried until they are taken.

use super::answers::{AGAIN, FRESH, named};
use super::sql::{self, About, Before, Kind};
use super::{Error, Jobs};
use crate::base::TenantId;
use crate::subjects::ADDRESS_HOLD;
use crate::vault::Owner;

impl Jobs {
    /// Sends the letters of a kind that are owed to addresses before. Gives how many.
    pub(super) async fn to_addresses_before(&self, tenant: &TenantId, kind: Kind) -> Result<u64, Error> {
        let now = self.app.clock.now();
        let (since, tried) = (now.plus(-FRESH), now.plus(-AGAIN));
        let owed = {
            let mut tx = self.app.db.read().await?;
            sql::owed_before(&mut tx, (tenant, kind), (now, ADDRESS_HOLD), (since, tried)).await?
        };
        let mut n = 0;
        for before in owed {
            let about = About { tenant, request: before.request, kind, round: before.round };
            let mut tx = self.app.db.begin().await?;
            let first = sql::try_before(&mut tx, (about, before.moved), (now, tried)).await?;
            tx.commit().await?;
            if !first {
                continue;
            }
            match self.to_address_before(about, before).await {
                Ok(went) => n += u64::from(went),
                // One that cannot be written must not keep the others.
                Err(error) => tracing::warn!(%error, "a letter to the address before could not be written"),
            }
        }
        Ok(n)
    }

    async fn to_address_before(&self, about: About<'_>, before: Before) -> Result<bool, Error> {
        let owner = Owner::new(about.tenant, before.subject);
        let held = self.app.subjects.addresses_before(&owner).await?;
        let Some((_, address)) = held.iter().find(|(moved, _)| *moved == before.moved) else {
            return Ok(false);
        };
        let request = self.app.requests.get(&owner, about.request).await?;
        let letter = self.letter(&owner, &request, about.kind).await?;
        let (of, id) =
            (owner.subject.to_string(), format!("{}.before.{}", named(&request, about.kind), before.moved));
        if let Err(error) = self.app.post.send(address.expose(), Some(&of), &id, &letter).await {
            tracing::warn!(%error, "a letter to the address before was not taken");
            return Ok(false);
        }
        let mut tx = self.app.db.begin().await?;
        sql::sent_before(&mut tx, (about, before.moved), self.app.clock.now()).await?;
        tx.commit().await?;
        Ok(true)
    }
}
