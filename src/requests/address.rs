//! Another address, with a request or without one: what follows in the other rooms.

use super::{Error, Requests, State, sql};
use crate::base::TenantId;
use crate::subjects::{ADDRESS_HOLD, Email, Moved, Profile, Session};
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
        let another = old.email != to.expose();
        let moves = another && address == AddressBy::App;
        if another && !moves {
            self.subjects.ask_address(owner, &to, None).await?;
        }
        if !renamed && !moves {
            return Ok(());
        }
        let called = (new.name.as_str(), new.username.as_str());
        let correcting = self.subjects.to_correct(owner, by, called, Some(&to).filter(|_| moves)).await?;
        let tasks = self.elsewhere.to_be_corrected(owner, None).await?;
        let mut tx = self.db.begin().await?;
        self.subjects.correct_in(&mut tx, owner, &correcting).await?;
        self.elsewhere.ask_correction(&mut tx, &tasks).await?;
        tx.commit().await?;
        Ok(self.subjects.corrected(owner, &correcting).await?)
    }

    /// The link in the new mailbox was opened: the account moves, whoever else holds the address is to be told once the
    /// old mailbox can no longer undo it, and the request it was asked in is answered. `here` is the session that stays,
    /// if it is theirs.
    pub async fn confirm_address(
        &self,
        tenant: &TenantId,
        token: &str,
        here: Option<&Session>,
    ) -> Result<Moved, Error> {
        let turn = self.subjects.to_confirm(tenant, token, here).await?;
        let mut tasks = self.elsewhere.to_be_corrected(&turn.moved.owner, turn.moved.request).await?;
        // Nothing can be late that may not be sent yet.
        for task in &mut tasks {
            task.due_at = task.due_at.plus(ADDRESS_HOLD);
        }
        let mut tx = self.db.begin().await?;
        self.subjects.turn_in(&mut tx, &turn).await?;
        self.elsewhere.ask_correction(&mut tx, &tasks).await?;
        tx.commit().await?;
        self.subjects.turned(&turn).await?;
        let moved = turn.moved;
        if let Some(id) = moved.request {
            let request = self.get(&moved.owner, id).await?;
            if request.state == State::Working {
                self.carry_out(request).await?;
            }
        }
        Ok(moved)
    }

    /// The owner of the old mailbox stops or undoes a change. Whoever else was told of it is told of the old address, and
    /// what was asked for since by whoever had the account is taken back: erasures, and corrections.
    pub async fn undo_address(&self, tenant: &TenantId, token: &str) -> Result<Moved, Error> {
        let turn = self.subjects.to_undo(tenant, token).await?;
        let owner = &turn.moved.owner;
        let tasks =
            if turn.moved.changed { self.elsewhere.to_be_corrected(owner, None).await? } else { Vec::new() };
        let mut tx = self.db.begin().await?;
        self.subjects.turn_in(&mut tx, &turn).await?;
        self.elsewhere.ask_correction(&mut tx, &tasks).await?;
        let asked = sql::request::asked_since(&mut tx, owner, (turn.moved.since, turn.moved.request)).await?;
        for request in asked {
            let purge_at = self.purge_at(tenant, request.received_at)?;
            let undone = request.undo(self.clock.now(), purge_at)?;
            self.shut_in(&mut tx, owner, undone, &Actor::Service, None).await?;
        }
        tx.commit().await?;
        self.subjects.turned(&turn).await?;
        Ok(turn.moved)
    }
}
