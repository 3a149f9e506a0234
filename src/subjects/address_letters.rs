//! The letters about a change of address: to the old mailbox, which can undo it, and then to the new one.

use chrono::TimeDelta;

use super::address::{DAY, MOST_A_DAY, OwedMove, hash};
use super::sql::address::{self as rows, Row};
use super::{Email, Error, Subjects};
use crate::base::{AddressId, Secret, TenantId};
use crate::crypto;
use crate::store::aside::{Unread, set_aside};
use crate::vault::Owner;

/// A letter of which it is not known whether it was taken is sent again after this.
const AGAIN: TimeDelta = TimeDelta::minutes(10);
/// An old mailbox that takes nothing in holds a move up for so long.
const OLD_FIRST: TimeDelta = TimeDelta::hours(1);
/// With so many letters that are owed, no others are looked for.
const AT_ONCE: usize = 100;

impl Subjects {
    /// The addresses that a person moved away from and can still come back to, by the change: letters about an erasure go
    /// there as well.
    pub async fn addresses_before(&self, owner: &Owner) -> Result<Vec<(AddressId, Email)>, Error> {
        let held = {
            let mut tx = self.db.read().await?;
            rows::held_of(&mut tx, owner, self.clock.now()).await?
        };
        let mut all = Vec::with_capacity(held.len());
        for row in held {
            all.extend(self.readable(&owner.tenant, &row).await?.map(|(from, _)| (row.id, from)));
        }
        Ok(all)
    }

    /// The moves of a tenant of which a letter is owed, some hundred at most. One that cannot be read keeps no other.
    pub async fn owed_moves(&self, tenant: &TenantId) -> Result<Vec<OwedMove>, Error> {
        let now = self.clock.now();
        let (mut owed, mut after) = (Vec::new(), String::new());
        while owed.len() < AT_ONCE {
            let found = {
                let mut tx = self.db.read().await?;
                rows::owed(&mut tx, tenant, (now, &after)).await?
            };
            let Some(last) = found.last() else { break };
            after = last.id.to_string();
            for row in found {
                let Some((from, to)) = self.readable(tenant, &row).await? else { continue };
                owed.push(OwedMove {
                    id: row.id,
                    owner: Owner::new(tenant, row.subject),
                    from,
                    to,
                    told: row.told,
                    wants_post: !row.posted && !row.moved,
                    old_is_dead: now.since(row.asked_at) >= OLD_FIRST,
                    ends_at: row.ends_at,
                });
            }
        }
        Ok(owed)
    }

    /// The two addresses of a move. `None` when it is over, or when they cannot be read, which is then said where people
    /// look.
    async fn readable(&self, tenant: &TenantId, row: &Row) -> Result<Option<(Email, Email)>, Error> {
        let read = async {
            let Some(both) = self.unseal_move(tenant, row).await? else { return Ok(None) };
            Ok::<_, Error>(Some((both.from.parse()?, both.to.parse()?)))
        };
        match read.await {
            Ok(both) => Ok(both),
            Err(e) if e.kind().is_of_a_store() => Err(e),
            Err(_) => {
                let why = "a change of address cannot be read: its letters do not go";
                let row = Unread { tenant, table: "address_move", id: &row.id.to_string(), why };
                set_aside(&self.db, &self.clock, &self.entropy, row).await?;
                Ok(None)
            }
        }
    }

    /// Whether the new address of a move is kept free for somebody who moved away from it and can still come back.
    pub async fn is_kept_free(&self, owed: &OwedMove) -> Result<bool, Error> {
        let index = self.vault.blind_index(&owed.owner.tenant, "email", owed.to.expose()).await?;
        self.is_kept_for_another(&owed.owner, &index).await
    }

    /// The token of the link that undoes a move, for the letter to the old address alone. `None` when it went, or somebody
    /// else sends it.
    pub async fn tell_old(&self, owed: &OwedMove) -> Result<Option<Secret<String>>, Error> {
        let token = self.move_token(owed, "undo").await?;
        let (hash, now) = (hash(&token), self.clock.now());
        let how = (hash.as_slice(), now, now.plus(-AGAIN));
        let mut tx = self.db.begin().await?;
        let first = rows::telling(&mut tx, &owed.owner.tenant, owed.id, how).await?;
        tx.commit().await?;
        Ok(first.then(|| token.into()))
    }

    /// Whether that letter was taken.
    pub async fn old_told(&self, owed: &OwedMove, taken: bool) -> Result<(), Error> {
        let tenant = &owed.owner.tenant;
        let mut tx = self.db.begin().await?;
        if taken {
            rows::told(&mut tx, tenant, owed.id, self.clock.now()).await?;
        } else {
            rows::not_told(&mut tx, tenant, owed.id).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The token of the link that confirms a move, for the letter to the new address alone. `None` when it went, or somebody
    /// else sends it, and while that address has had its letters for the day: whoever asked learns nothing of that, and it
    /// still gets this one before the link is over.
    pub async fn post_new(&self, owed: &OwedMove) -> Result<Option<Secret<String>>, Error> {
        let token = self.move_token(owed, "confirm").await?;
        let tenant = &owed.owner.tenant;
        let index = self.vault.blind_index(tenant, "email", owed.to.expose()).await?;
        let mut tx = self.db.begin().await?;
        tx.take_turn(&format!("address/{tenant}")).await?;
        let since = self.clock.now().plus(-DAY);
        if rows::posted_since(&mut tx, (tenant, owed.id), &index, since).await? >= MOST_A_DAY {
            return Ok(None);
        }
        let (hash, now) = (hash(&token), self.clock.now());
        let how = (hash.as_slice(), now, now.plus(-AGAIN));
        let first = rows::posting(&mut tx, &owed.owner.tenant, owed.id, how).await?;
        tx.commit().await?;
        Ok(first.then(|| token.into()))
    }

    /// Whether that letter was taken.
    pub async fn new_posted(&self, owed: &OwedMove, taken: bool) -> Result<(), Error> {
        let tenant = &owed.owner.tenant;
        let mut tx = self.db.begin().await?;
        if taken {
            rows::posted(&mut tx, tenant, owed.id, self.clock.now()).await?;
        } else {
            rows::not_posted(&mut tx, tenant, owed.id).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The token of a link of a move. The same each time: a letter that is sent again, for want of an answer, has the link of
    /// the one that went.
    async fn move_token(&self, owed: &OwedMove, what: &str) -> Result<String, Error> {
        let key = self.keys.system(&format!("address-link/{}", owed.owner.tenant)).await?;
        Ok(hex::encode(crypto::mac(&key, format!("{what}/{}", owed.id).as_bytes())))
    }
}
