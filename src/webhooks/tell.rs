//! What happened, put down for those who want to hear of it in the transaction of the change itself.

use super::model::{Event, Message};
use super::{KEY, Webhooks, message_place, sql};
use crate::base::{DeliveryId, EditId, MessageId, RequestId, SubjectId, TenantId};
use crate::crypto;
use crate::keystore;
use crate::store::{Error, Tx};
use crate::vault::Owner;

/// The last that an app is told of a person, made before the transaction in which they are gone. Whom it is about is
/// sealed in it: no row of the database says so.
#[derive(Debug)]
pub struct LastWord {
    message: Message,
    sealed: Vec<u8>,
}

impl Webhooks {
    /// An edit is over.
    pub async fn edit_ended(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        (edit, event): (EditId, Event),
    ) -> Result<(), Error> {
        let message = self.message(&owner.tenant, event, (Some(owner.subject), Some(edit.to_string())));
        self.put(tx, &message, None).await
    }

    /// A request of a person was answered.
    pub async fn request_answered(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        request: RequestId,
    ) -> Result<(), Error> {
        let about = (Some(owner.subject), Some(request.to_string()));
        self.put(tx, &self.message(&owner.tenant, Event::RequestAnswered, about), None).await
    }

    /// Makes the last word about a person.
    pub async fn last_word(
        &self,
        owner: &Owner,
        request: Option<RequestId>,
    ) -> Result<LastWord, keystore::Error> {
        let key = self.keys.system(KEY).await?;
        let message =
            self.message(&owner.tenant, Event::AccountErased, (None, request.map(|id| id.to_string())));
        let place = message_place(&owner.tenant, message.id);
        let sealed = crypto::seal(&key, &place, owner.subject.to_string().as_bytes(), &self.entropy);
        Ok(LastWord { message, sealed })
    }

    /// A person is erased.
    pub async fn account_erased(&self, tx: &mut Tx, word: &LastWord) -> Result<(), Error> {
        self.put(tx, &word.message, Some(&word.sealed)).await
    }

    /// Removes everything that is told of a person, on its way or in the log: part of erasing them.
    pub async fn forget(&self, tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
        sql::delivery::forget(tx, owner).await
    }

    pub(super) fn message(
        &self,
        tenant: &TenantId,
        event: Event,
        (subject, about): (Option<SubjectId>, Option<String>),
    ) -> Message {
        let id = MessageId::new(&self.clock, &self.entropy);
        Message { id, tenant: tenant.clone(), event, subject, about, at: self.clock.now() }
    }

    /// The message, and a delivery for each webhook that wants it; nothing at all when there is none.
    async fn put(&self, tx: &mut Tx, message: &Message, sealed: Option<&[u8]>) -> Result<(), Error> {
        let all = sql::webhook::list(tx, &message.tenant).await?;
        let takers = all.iter().filter(|w| w.state == super::State::On && w.takes(message.event));
        let takers: Vec<_> = takers.map(|w| w.id).collect();
        if takers.is_empty() {
            return Ok(());
        }
        sql::delivery::insert_message(tx, message, sealed).await?;
        for webhook in takers {
            let id = DeliveryId::new(&self.clock, &self.entropy);
            sql::delivery::insert_delivery(tx, id, webhook, message).await?;
        }
        Ok(())
    }
}
