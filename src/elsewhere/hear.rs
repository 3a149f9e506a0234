//! What recipients tell us unasked: Stripe's webhooks.

use super::{Elsewhere, Error, sql};
use crate::base::{SubjectId, TenantId};
use crate::recipients::{Event, Recipient};
use crate::store::Tx;
use crate::vault::Owner;

/// What came of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// An invoice came in with it.
    Taken,
    /// It was taken before, or says nothing that is kept.
    Nothing,
}

impl Elsewhere {
    /// Takes a webhook of Stripe's for a tenant, once. [`Error::Forged`] when it is not Stripe's or not fresh.
    pub async fn heard_stripe(
        &self,
        tenant: &TenantId,
        signature: &str,
        body: &[u8],
    ) -> Result<Heard, Error> {
        let Some(Recipient::Stripe(stripe)) = self.recipient(tenant, crate::recipients::Stripe::NAME) else {
            return Err(Error::NotSetUp);
        };
        let event = stripe.verify(signature, body).map_err(|_| Error::Forged)?;
        let Some(owner) = self.whose(tenant, &event).await? else { return Ok(Heard::Nothing) };
        let taken = match &event.invoice {
            Some(invoice) => self.keep_invoice(&owner, invoice, Some(&event.id)).await?,
            // Whose customer it is was all there was to learn.
            None => false,
        };
        Ok(if taken { Heard::Taken } else { Heard::Nothing })
    }

    /// Whose customer an event is about. A customer that the app's server marked with an account of ours becomes known by
    /// it: only who holds the key to Stripe can write such a mark.
    async fn whose(&self, tenant: &TenantId, event: &Event) -> Result<Option<Owner>, Error> {
        let Some(customer) = &event.customer else { return Ok(None) };
        let stripe = crate::recipients::Stripe::NAME;
        if let Some(known) = self.by_name(tenant, stripe, customer).await? {
            return Ok(Some(known));
        }
        let marked = event.account.as_deref().filter(|_| event.kind.starts_with("customer."));
        let Some(subject) = marked.and_then(|m| m.parse::<SubjectId>().ok()) else { return Ok(None) };
        let owner = Owner::new(tenant, subject);
        match self.link(&owner, stripe, customer).await {
            Ok(()) => Ok(Some(owner)),
            // Nobody of ours, or somebody who is leaving.
            Err(
                Error::Taken | Error::Vault(crate::vault::Error::NotFound | crate::vault::Error::Erasing),
            ) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Notes a message in the caller's transaction. `false` when it was noted before.
    pub(super) async fn first_time(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        message: &str,
    ) -> Result<bool, Error> {
        let from = (tenant, crate::recipients::Stripe::NAME);
        Ok(sql::told(tx, from, message, self.clock.now()).await?)
    }
}
