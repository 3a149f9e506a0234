//! Another address, with a request or without one: what follows in the other rooms.

use super::{Error, Requests, State};
use crate::base::TenantId;
use crate::subjects::{Email, Moved, Profile, Session};
use crate::vault::{Access, Actor, Owner};

/// Whose word a new address rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressBy {
    /// The person's: it counts once the link in the letter to it was opened.
    Link,
    /// Their app's, which vouches for its own users: it counts at once.
    App,
}

impl Requests {
    /// Corrects what a person told us without a request, and has it corrected wherever else it is held. A new address moves
    /// when whose word it rests on lets it.
    pub async fn correct(
        &self,
        owner: &Owner,
        by: &Actor,
        new: &Profile,
        address: AddressBy,
    ) -> Result<(), Error> {
        let purpose = if matches!(by, Actor::App(_)) { "account" } else { super::PURPOSE };
        let old = self.subjects.profile(owner, &Access { actor: by, purpose }).await?;
        let to: Email = new.email.parse()?;
        let renamed = (&old.name, &old.username) != (&new.name, &new.username);
        let mut changed = renamed;
        if old.email != to.expose() {
            match address {
                AddressBy::App => {
                    self.subjects.move_address(owner, by, &to).await?;
                    changed = true;
                }
                AddressBy::Link => {
                    self.subjects.ask_address(owner, &to, None).await?;
                }
            }
        }
        if renamed {
            self.subjects.correct(owner, by, (&new.name, &new.username)).await?;
        }
        if changed {
            self.elsewhere.ask_correction(owner, None).await?;
        }
        Ok(())
    }

    /// The link in the new mailbox was opened: the account moves, whoever else holds the address is told, and the request
    /// it was asked in is answered. `here` is the session that stays, if it is theirs.
    pub async fn confirm_address(
        &self,
        tenant: &TenantId,
        token: &str,
        here: Option<&Session>,
    ) -> Result<Moved, Error> {
        let moved = self.subjects.confirm_address(tenant, token, here).await?;
        match moved.request {
            Some(id) => {
                let request = self.get(&moved.owner, id).await?;
                if request.state == State::Working {
                    self.carry_out(request).await?;
                }
            }
            None => self.elsewhere.ask_correction(&moved.owner, None).await?,
        }
        Ok(moved)
    }

    /// The owner of the old mailbox stops or undoes a change.
    pub async fn undo_address(&self, tenant: &TenantId, token: &str) -> Result<Moved, Error> {
        let moved = self.subjects.undo_address(tenant, token).await?;
        if moved.changed {
            self.elsewhere.ask_correction(&moved.owner, None).await?;
        }
        Ok(moved)
    }
}
