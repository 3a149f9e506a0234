//! Another address: asked for while signed in, told to the old mailbox, confirmed out of the new one, undone out of the old.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::account::{CATEGORY, NAME, damaged};
use super::sql::address::{self as rows, Row};
use super::{Email, Error, Profile, Session, SignedIn, Subjects};
use crate::base::{AddressId, RequestId, TenantId, Timestamp};
use crate::crypto::{self, Place};
use crate::ledger::{Entry, EntryKind};
use crate::store::{self, Tx};
use crate::vault::{Access, Actor, Owner, Record};

/// How long data stay where they are after the address was changed, and how long that can be undone.
pub const ADDRESS_HOLD: TimeDelta = TimeDelta::hours(72);
/// How long the link in the letter to a new address works.
pub const ADDRESS_LINK: TimeDelta = TimeDelta::hours(24);
/// Letters about moves that one person asks for within a day; and as many that one address gets.
pub(super) const MOST_A_DAY: i64 = 3;
/// Within which these letters are counted: no longer than a link works, so that one that waits its turn still goes.
pub(super) const DAY: TimeDelta = ADDRESS_LINK;
/// How long the row of a move stays once it says nothing any more.
const REMEMBERED: TimeDelta = TimeDelta::days(2);
/// Longer than it takes from the making of a key to the row that it is for.
const UNUSED: TimeDelta = TimeDelta::hours(1);
/// A correction is a right; a restriction does not keep it back.
pub(super) const PURPOSE: &str = "rights";

#[derive(Serialize, Deserialize)]
pub(super) struct Both {
    pub(super) from: String,
    pub(super) to: String,
}

/// A move of which a letter is owed.
#[derive(Debug)]
pub struct OwedMove {
    /// Its id.
    pub id: AddressId,
    /// Whose it is.
    pub owner: Owner,
    /// The old address.
    pub from: Email,
    /// The new one.
    pub to: Email,
    /// Whether the old mailbox was written to.
    pub told: bool,
    /// Whether the new mailbox is still to be written to.
    pub wants_post: bool,
    /// Whether that may be though the old one was not written to: it took nothing in for an hour.
    pub old_is_dead: bool,
    /// Until when the link works.
    pub ends_at: Timestamp,
}

/// A move as whoever opens its link is asked about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenMove {
    /// Whether it was done already.
    pub moved: bool,
    /// Until when the link works.
    pub until: Timestamp,
}

/// Where a request's change of address stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedMove {
    /// It waits for its link, which works until then.
    Waits(Timestamp),
    /// Its link was opened.
    Done,
    /// Its link was not opened in time.
    Over,
    /// It was ended before its time: another was asked for in its place, or somebody stopped it.
    Ended,
}

/// A move that was done, stopped or undone.
#[derive(Debug)]
pub struct Moved {
    /// Whose account it is.
    pub owner: Owner,
    /// The request it was asked in.
    pub request: Option<RequestId>,
    /// Whether the account has another address now than before.
    pub changed: bool,
    /// When the change was asked for.
    pub since: Timestamp,
}

/// A move that is about to be done, stopped or undone, and what had to be read for it.
pub struct Turn {
    /// What comes of it.
    pub moved: Moved,
    id: AddressId,
    undoes: bool,
    stays: String,
    entry: Entry,
    write: Option<Write>,
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("moved", &self.moved).finish_non_exhaustive()
    }
}

/// The address that an account is to have.
struct Write {
    record: Record,
    value: Value,
    index: Vec<u8>,
}

fn place(tenant: &TenantId, id: AddressId) -> Place {
    Place::new("address-move").with(tenant.as_str()).with(id.as_bytes())
}

/// Whose keys these are, in the keystore: each move has one, which goes with its addresses.
fn kind(tenant: &TenantId) -> String {
    format!("address/{tenant}")
}

pub(super) fn hash(token: &str) -> [u8; 32] {
    crypto::sha256(token.as_bytes())
}

impl Subjects {
    /// Asks for another address: nothing changes before a link in the letter to it is opened. The answer is the same
    /// whether the address has an account or not. A request of theirs can be named that waits for it. Gives until when the
    /// link works. Not while the present address is new.
    pub async fn ask_address(
        &self,
        owner: &Owner,
        to: &Email,
        request: Option<RequestId>,
    ) -> Result<Timestamp, Error> {
        self.may_take_out(owner).await?;
        let actor = Actor::Subject(owner.subject);
        let access = Access { actor: &actor, purpose: PURPOSE };
        let (record, known) = self.kept_profile(owner, &access).await?;
        let value = Profile { email: to.expose().to_owned(), ..known.clone() }.value()?;
        self.vault.may_amend(owner, &access, &record, &value).await?;
        let (now, id) = (self.clock.now(), AddressId::new(&self.clock, &self.entropy));
        let from = self.vault.blind_index(&owner.tenant, "email", &known.email).await?;
        let index = self.vault.blind_index(&owner.tenant, "email", to.expose()).await?;
        let both = Both { from: known.email, to: to.expose().to_owned() };
        let place = place(&owner.tenant, id);
        let sealed = self.keys.seal_once(&kind(&owner.tenant), &id.to_string(), &place, &both).await?;
        let ends_at = now.plus(ADDRESS_LINK);
        let mut tx = self.db.begin().await?;
        tx.take_turn(&format!("address/{}", owner.tenant)).await?;
        if rows::asked_since(&mut tx, owner, now.plus(-DAY)).await? >= MOST_A_DAY {
            return Err(Error::TooMany);
        }
        let (from, to, sealed) = (from.as_slice(), index.as_slice(), sealed.as_slice());
        let new = rows::New { id, request, from, to, sealed, asked_at: now, ends_at };
        rows::ask(&mut tx, owner, &new).await?;
        tx.commit().await?;
        Ok(ends_at)
    }

    /// Where a request's change of address stands, and whether it is to this one. `None` when none was asked for in it
    /// since then.
    pub async fn address_asked(
        &self,
        owner: &Owner,
        (request, since): (RequestId, Option<Timestamp>),
        to: Option<&Email>,
    ) -> Result<Option<(AskedMove, bool)>, Error> {
        let now = self.clock.now();
        let index = match to {
            Some(to) => Some(self.vault.blind_index(&owner.tenant, "email", to.expose()).await?),
            None => None,
        };
        let mut tx = self.db.read().await?;
        let found = rows::of_request(&mut tx, owner, request).await?;
        Ok(found.filter(|asked| since.is_none_or(|since| asked.at >= since)).map(|asked| {
            let stands = match asked.state.as_str() {
                "asked" if asked.ends_at > now => AskedMove::Waits(asked.ends_at),
                "moved" => AskedMove::Done,
                "over" if asked.ends_at < asked.at.plus(ADDRESS_LINK) => AskedMove::Ended,
                _ => AskedMove::Over,
            };
            (stands, index.is_some() && index == asked.to)
        }))
    }

    /// The request in which another address was asked for is over: the link opens nothing any more. In the transaction in
    /// which it ends.
    pub async fn stop_asking(&self, tx: &mut Tx, owner: &Owner, request: RequestId) -> Result<(), Error> {
        Ok(rows::stop(tx, owner, (request, self.clock.now())).await?)
    }

    /// What the holder of a link in the new mailbox is asked about. Changes nothing.
    pub async fn address_opened(&self, tenant: &TenantId, token: &str) -> Result<OpenMove, Error> {
        let mut tx = self.db.read().await?;
        let row = rows::by_confirm(&mut tx, tenant, &hash(token), self.clock.now()).await?;
        row.map(|row| OpenMove { moved: false, until: row.ends_at }).ok_or(Error::BadProof)
    }

    /// The link in the new mailbox was opened and its button pressed: what [`Subjects::turn_in`] does then. The account
    /// moves, and every session ends but `here`, if it is one of theirs. What was sent to the old mailbox opens nothing any
    /// more, except what undoes this.
    pub async fn to_confirm(
        &self,
        tenant: &TenantId,
        token: &str,
        here: Option<&Session>,
    ) -> Result<Turn, Error> {
        let row = {
            let mut tx = self.db.read().await?;
            rows::by_confirm(&mut tx, tenant, &hash(token), self.clock.now()).await?.ok_or(Error::BadProof)?
        };
        let owner = Owner::new(tenant, row.subject);
        let both = self.unseal_move(tenant, &row).await?.ok_or(Error::BadProof)?;
        let mine = |session: &&Session| matches!(&session.who, SignedIn::Subject(me) if *me == owner);
        let stays = here.filter(mine).map(|session| session.id.to_string()).unwrap_or_default();
        let actor = Actor::Subject(owner.subject);
        let entry = self.address_entry(EntryKind::ADDRESS_MOVED, &owner, &actor).await?.fact("by", "link");
        let write = Some(self.to_write(&owner, &both.to).await?);
        let moved = Moved { owner, request: row.request, changed: true, since: row.asked_at };
        Ok(Turn { moved, id: row.id, undoes: false, stays, entry, write })
    }

    /// What the holder of a link in the old mailbox is asked about. Changes nothing.
    pub async fn undo_opened(&self, tenant: &TenantId, token: &str) -> Result<OpenMove, Error> {
        let mut tx = self.db.read().await?;
        let row = rows::by_undo(&mut tx, tenant, &hash(token), self.clock.now()).await?;
        row.map(|row| OpenMove { moved: row.moved, until: row.ends_at }).ok_or(Error::BadProof)
    }

    /// The owner of the old mailbox says that the change was not theirs: what [`Subjects::turn_in`] does then. It is
    /// stopped, or undone, every session ends, and every mandate that was given since. The time in which nothing leaves
    /// goes on.
    pub async fn to_undo(&self, tenant: &TenantId, token: &str) -> Result<Turn, Error> {
        let row = {
            let mut tx = self.db.read().await?;
            rows::by_undo(&mut tx, tenant, &hash(token), self.clock.now()).await?.ok_or(Error::BadProof)?
        };
        let owner = Owner::new(tenant, row.subject);
        let actor = Actor::Subject(owner.subject);
        let entry = self.address_entry(EntryKind::ADDRESS_UNDONE, &owner, &actor).await?;
        let write = if row.moved {
            let both = self.unseal_move(tenant, &row).await?.ok_or(Error::BadProof)?;
            Some(self.to_write(&owner, &both.from).await?)
        } else {
            None
        };
        let moved = Moved { owner, request: row.request, changed: row.moved, since: row.asked_at };
        let entry = entry.fact("moved", row.moved);
        Ok(Turn { moved, id: row.id, undoes: true, stays: String::new(), entry, write })
    }

    /// Address, index, sessions, links and the row of the move change together, or none does: in the caller's transaction,
    /// which must then be committed and followed by [`Subjects::turned`].
    pub async fn turn_in(&self, tx: &mut Tx, turn: &Turn) -> Result<(), Error> {
        let (owner, now) = (&turn.moved.owner, self.clock.now());
        let first = if turn.undoes {
            if turn.moved.changed {
                rows::supersede(tx, owner, now).await?;
            }
            rows::undone(tx, (&owner.tenant, turn.id), turn.moved.changed, now).await?
        } else {
            rows::moved(tx, &owner.tenant, turn.id, (now.plus(ADDRESS_HOLD), now)).await?
        };
        if !first {
            return Err(Error::BadProof);
        }
        // An erasure began before this, and cannot be stopped any more, or it waits and then finds what is done here.
        self.vault.standing_to_write(tx, owner).await?;
        if let Some(Write { record, value, index }) = &turn.write {
            if rows::is_reserved(tx, owner, index, now).await? {
                return Err(Error::BadProof);
            }
            match self.set_address(tx, owner, index, ((!turn.undoes).then_some(now), true)).await {
                // Taken since the letter went: which is not told.
                Err(Error::Taken) => return Err(Error::BadProof),
                other => other?,
            }
            let access = Access { actor: &Actor::Subject(owner.subject), purpose: PURPOSE };
            self.vault.amend_in(tx, owner, &access, (record, value)).await?;
        }
        if turn.undoes {
            rows::end_mandates(tx, owner, (turn.moved.since, now)).await?;
        }
        rows::cut_off(tx, owner, &turn.stays).await?;
        self.ledger.append(tx, turn.entry.clone()).await?;
        Ok(())
    }

    /// The transaction was committed: the address before goes.
    pub async fn turned(&self, turn: &Turn) -> Result<(), Error> {
        if let Some(write) = &turn.write {
            self.vault.amended(&turn.moved.owner, &write.record).await?;
        }
        Ok(())
    }

    async fn to_write(&self, owner: &Owner, to: &str) -> Result<Write, Error> {
        let access = Access { actor: &Actor::Subject(owner.subject), purpose: PURPOSE };
        let (record, known) = self.kept_profile(owner, &access).await?;
        let index = self.vault.blind_index(&owner.tenant, "email", to).await?;
        let value = Profile { email: to.to_owned(), ..known }.value()?;
        self.vault.may_amend(owner, &access, &record, &value).await?;
        Ok(Write { record, value, index })
    }

    pub(super) async fn set_address(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        index: &[u8],
        how: (Option<Timestamp>, bool),
    ) -> Result<(), Error> {
        let moved = rows::set_email(tx, owner, index, how).await.map_err(|e| match e {
            store::Error::Duplicate => Error::Taken,
            other => other.into(),
        })?;
        if moved { Ok(()) } else { Err(Error::NotFound) }
    }

    /// The same for whoever wants it.
    pub(super) async fn is_kept_for_another(&self, owner: &Owner, index: &[u8]) -> Result<bool, Error> {
        let mut tx = self.db.read().await?;
        Ok(rows::is_reserved(&mut tx, owner, index, self.clock.now()).await?)
    }

    /// Blanks the addresses of moves that are over. Gives how many.
    pub async fn expire_moves(&self) -> Result<u64, Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let n = rows::expire(&mut tx, (now, now.plus(-REMEMBERED)), now.plus(-DAY)).await?;
        tx.commit().await?;
        Ok(n)
    }

    /// Destroys the keys of moves whose addresses are no longer there, however they went. Gives how many.
    pub async fn end_move_keys(&self, tenant: &TenantId) -> Result<u64, Error> {
        let before = self.clock.now().plus(-UNUSED);
        let there = rows::sealed(&mut self.db.read().await?, tenant).await?;
        Ok(self.keys.end_once_but(&kind(tenant), &there, before).await?)
    }

    pub(super) async fn kept_profile(
        &self,
        owner: &Owner,
        access: &Access<'_>,
    ) -> Result<(Record, Profile), Error> {
        let record = self.vault.record_named(owner, access, CATEGORY, NAME).await?.ok_or(Error::NotFound)?;
        let profile = serde_json::from_value(record.value.clone()).map_err(|_| damaged("profile"))?;
        Ok((record, profile))
    }

    pub(super) async fn address_entry(
        &self,
        kind: EntryKind,
        owner: &Owner,
        by: &Actor,
    ) -> Result<Entry, Error> {
        let entry = Entry::new(kind, self.clock.now(), &owner.tenant, by.role().as_str());
        Ok(entry.about(self.vault.subject_ref(owner).await?))
    }

    /// `None` when its key was destroyed: it was over, and a backup brought its row back.
    pub(super) async fn unseal_move(&self, tenant: &TenantId, row: &Row) -> Result<Option<Both>, Error> {
        let place = place(tenant, row.id);
        Ok(self.keys.open_once(&kind(tenant), &row.id.to_string(), &place, &row.sealed).await?)
    }
}
