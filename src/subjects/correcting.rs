//! Putting right how somebody is called and, on their app's word alone, where they are reached: what has to be read is read
//! first, and then it is one change in the caller's transaction.

use serde_json::Value;

use super::account::name;
use super::address::PURPOSE;
use super::sql::address as rows;
use super::{Email, Error, Profile, Subjects};
use crate::ledger::{Entry, EntryKind};
use crate::store::Tx;
use crate::vault::{Access, Actor, Owner, Record};

/// A correction to be.
pub struct Correcting {
    record: Record,
    value: Value,
    actor: Actor,
    purpose: &'static str,
    moves: Option<(Vec<u8>, Entry)>,
}

impl std::fmt::Debug for Correcting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Correcting(…)")
    }
}

impl Subjects {
    /// Whatever has to be read before it is corrected how somebody is called (Art. 16 GDPR): name and username. `to` is
    /// another address on their app's word, which vouches for its own users: it counts at once, and is held by nothing.
    /// Everybody else's address moves by [`Subjects::ask_address`] alone.
    pub async fn to_correct(
        &self,
        owner: &Owner,
        actor: &Actor,
        called: (&str, &str),
        to: Option<&Email>,
    ) -> Result<Correcting, Error> {
        // An app corrects for its signed-in user as part of running the account; everybody else answers a request.
        let purpose = if matches!(actor, Actor::App(_)) { "account" } else { PURPOSE };
        let access = Access { actor, purpose };
        let (record, known) = self.kept_profile(owner, &access).await?;
        let (called, username) = called;
        let profile = Profile {
            email: to.map_or(known.email, |to| to.expose().to_owned()),
            name: name("name", called)?,
            username: name("username", username)?,
        };
        let value = profile.value()?;
        self.vault.may_amend(owner, &access, &record, &value).await?;
        let moves = match to {
            Some(to) => {
                let index = self.vault.blind_index(&owner.tenant, "email", to.expose()).await?;
                let entry = self.address_entry(EntryKind::ADDRESS_MOVED, owner, actor).await?;
                Some((index, entry.fact("by", "app")))
            }
            None => None,
        };
        Ok(Correcting { record, value, actor: actor.clone(), purpose, moves })
    }

    /// The correction itself, in the caller's transaction, which must then be committed and followed by
    /// [`Subjects::corrected`]. [`Error::Taken`] when another account has the address.
    pub async fn correct_in(&self, tx: &mut Tx, owner: &Owner, correcting: &Correcting) -> Result<(), Error> {
        if let Some((index, entry)) = &correcting.moves {
            let now = self.clock.now();
            if rows::is_reserved(tx, owner, index, now).await? {
                return Err(Error::Taken);
            }
            rows::supersede(tx, owner, now).await?;
            self.set_address(tx, owner, index, (None, false)).await?;
            rows::cut_off(tx, owner, "").await?;
            self.ledger.append(tx, entry.clone()).await?;
        }
        let access = Access { actor: &correcting.actor, purpose: correcting.purpose };
        Ok(self.vault.amend_in(tx, owner, &access, (&correcting.record, &correcting.value)).await?)
    }

    /// The transaction was committed: what was there before goes.
    pub async fn corrected(&self, owner: &Owner, correcting: &Correcting) -> Result<(), Error> {
        Ok(self.vault.amended(owner, &correcting.record).await?)
    }
}
