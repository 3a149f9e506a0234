//! Letters about another address: to the old mailbox first, then to the new one. At most one of each.

use super::{Error, Jobs};
use crate::base::{Secret, TenantId};
use crate::mail::letters::{AddressChanged, AddressTaken, ConfirmAddress, Letter as _, Letterhead, Written};
use crate::subjects::{Email, OwedMove};
use crate::vault::Owner;

/// What is known of the letter to an old mailbox.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Old {
    /// It was taken.
    Told,
    /// It was not taken when it was tried just now.
    Deaf,
    /// It is being sent, or whoever sent it was cut off.
    Unknown,
}

impl Jobs {
    /// Sends the letters that are owed about moves to another address. Gives how many.
    pub(super) async fn about_addresses(&self, tenant: &TenantId) -> Result<u64, Error> {
        let mut n = 0;
        for owed in self.app.subjects.owed_moves(tenant).await? {
            let old = if owed.told { Old::Told } else { self.tell_the_old(&owed).await? };
            n += u64::from(old == Old::Told && !owed.told);
            let next = match old {
                Old::Told => true,
                // Somebody whose old mailbox is no more must be able to move away from it.
                Old::Deaf => owed.old_is_dead,
                Old::Unknown => false,
            };
            if owed.wants_post && next {
                n += u64::from(self.ask_the_new(&owed).await?);
            }
        }
        Ok(n)
    }

    async fn tell_the_old(&self, owed: &OwedMove) -> Result<Old, Error> {
        let Some(token) = self.app.subjects.tell_old(owed).await? else { return Ok(Old::Unknown) };
        let head = self.head_for(&owed.owner).await?;
        let letter = AddressChanged { undo_link: self.address_link(owed, "undo", &token), head };
        let written = letter.write().map_err(|_| Error::Payload)?;
        let went = self.write_to((owed, &owed.owner), &owed.from, "old", &written).await;
        self.app.subjects.old_told(owed, went).await?;
        Ok(if went { Old::Told } else { Old::Deaf })
    }

    /// Writes to the new mailbox: the link, or, to whoever has an account with that address, that somebody wanted it.
    async fn ask_the_new(&self, owed: &OwedMove) -> Result<bool, Error> {
        let subjects = &self.app.subjects;
        let Some(token) = subjects.post_new(owed).await? else { return Ok(false) };
        let taken_by = subjects.find(&owed.owner.tenant, &owed.to).await?;
        let written = match &taken_by {
            Some(other) => self.taken(self.head_for(other).await?, &owed.owner.tenant)?,
            // Whoever moved away from it can still come back, and is asked nothing.
            None if subjects.is_kept_free(owed).await? => {
                subjects.new_posted(owed, true).await?;
                return Ok(false);
            }
            None => {
                let link = self.address_link(owed, "confirm", &token);
                let head = self.head_for(&owed.owner).await?;
                let letter = ConfirmAddress { head, until: owed.ends_at, link };
                letter.write().map_err(|_| Error::Payload)?
            }
        };
        let of = taken_by.as_ref().unwrap_or(&owed.owner);
        let went = self.write_to((owed, of), &owed.to, "new", &written).await;
        subjects.new_posted(owed, went).await?;
        Ok(went)
    }

    fn taken(&self, head: Letterhead, tenant: &TenantId) -> Result<Written, Error> {
        let sign_in_link = format!("{}/{tenant}/sign-in", self.root());
        AddressTaken { head, sign_in_link }.write().map_err(|_| Error::Payload)
    }

    fn root(&self) -> &str {
        self.app.config.server.public_url.as_str()
    }

    fn address_link(&self, owed: &OwedMove, what: &str, token: &Secret<String>) -> String {
        format!("{}/{}/address/{what}?token={}", self.root(), owed.owner.tenant, token.expose())
    }

    /// Sends a letter to an address of this person.
    async fn write_to(
        &self,
        (owed, of): (&OwedMove, &Owner),
        to: &Email,
        which: &str,
        letter: &Written,
    ) -> bool {
        let (of, id) = (of.subject.to_string(), format!("{}.{which}", owed.id));
        match self.app.post.send(to.expose(), Some(&of), &id, letter).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "a letter about an address was not taken");
                false
            }
        }
    }
}
