//! A letter confirmed: whoever holds its link has the mailbox it says it is from, which is what the document asks for.

use super::model::{Confirmed, Opened, Waiting};
use super::take::Kept;
use super::{Error, Intake, sql};
use crate::base::{RequestId, Secret, TenantId};
use crate::crypto;
use crate::policy::Channel;
use crate::requests::{Arrived, Ask, Filing, Way};
use crate::speech::key;
use crate::subjects::Email;
use crate::vault::Actor;

impl Intake {
    /// What the holder of a link is asked about. Changes nothing, so a scanner that follows links confirms nothing.
    pub async fn opened(&self, tenant: &TenantId, token: &str) -> Result<Opened, Error> {
        let (mail, kept) = self.waiting_for(tenant, token).await?;
        Ok(Opened {
            right: mail.right,
            words: kept.words,
            received_at: mail.received_at,
            expires_at: mail.expires_at,
        })
    }

    /// Files what its writer asks for, as of the moment the letter came. The link works once; it works again only if what
    /// was asked for could not be filed.
    pub async fn confirm(
        &self,
        tenant: &TenantId,
        token: &str,
        (ask, words): (Ask, &str),
    ) -> Result<Confirmed, Error> {
        let (mail, kept) = self.waiting_for(tenant, token).await?;
        let fresh = (RequestId::new(&self.0.clock, &self.0.entropy), self.0.clock.now());
        let mut tx = self.0.db.begin().await?;
        let id = sql::begin(&mut tx, tenant, mail.id, fresh).await?.ok_or(Error::BadLink)?;
        tx.commit().await?;
        let filed = self.file(tenant, &mail, (&kept, id), (ask, words)).await;
        let (mut tx, now) = (self.0.db.begin().await?, self.0.clock.now());
        let noted = match &filed {
            Ok(Confirmed::Filed(request)) => {
                let request = Some(request.id.to_string());
                sql::finish(&mut tx, tenant, mail.id, ("filed", request, now)).await?
            }
            Ok(Confirmed::Nobody) => sql::finish(&mut tx, tenant, mail.id, ("nobody", None, now)).await?,
            Err(_) => {
                sql::step(&mut tx, tenant, mail.id, ("filing", "waiting")).await?;
                true
            }
        };
        // Not noted, it waits for its writer again, and the link finds what was filed.
        if !noted {
            return Err(Error::BadLink);
        }
        tx.commit().await?;
        filed
    }

    async fn file(
        &self,
        tenant: &TenantId,
        mail: &sql::Mail,
        (kept, id): (&Kept, RequestId),
        (ask, words): (Ask, &str),
    ) -> Result<Confirmed, Error> {
        let email: Email = kept.address.parse()?;
        let Some(owner) = self.0.subjects.find(tenant, &email).await? else { return Ok(Confirmed::Nobody) };
        let filing = Filing {
            ask,
            channel: Channel::Email,
            by: Actor::Subject(owner.subject),
            proved: true,
            words: Some(words.trim()).filter(|w| !w.is_empty()).map(|w| Secret::new(w.to_owned())),
        };
        let arrived = Arrived {
            id: Some(id),
            at: mail.received_at,
            way: Way::Letter,
            proved: key("by the link in a letter to their address").to_owned(),
            how: mail.proof.in_words(),
        };
        let filed = self.0.requests.file_arrived(&owner, filing, &arrived).await?;
        Ok(Confirmed::Filed(Box::new(filed.request)))
    }

    /// The writer says that the letter is not theirs: what is kept of it goes at once.
    pub async fn decline(&self, tenant: &TenantId, token: &str) -> Result<(), Error> {
        let (mail, _) = self.waiting_for(tenant, token).await?;
        let mut tx = self.0.db.begin().await?;
        if !sql::step(&mut tx, tenant, mail.id, ("waiting", "filing")).await? {
            return Err(Error::BadLink);
        }
        if !sql::finish(&mut tx, tenant, mail.id, ("declined", None, self.0.clock.now())).await? {
            return Err(Error::BadLink);
        }
        tx.commit().await?;
        Ok(())
    }

    async fn waiting_for(&self, tenant: &TenantId, token: &str) -> Result<(sql::Mail, Kept), Error> {
        let hash = crypto::sha256(token.as_bytes());
        let found = {
            let mut tx = self.0.db.read().await?;
            sql::by_token(&mut tx, tenant, &hash, self.0.clock.now()).await?.ok_or(Error::BadLink)?
        };
        let sealed = found.sealed.as_deref().ok_or(Error::BadLink)?;
        let kept = self.unseal(tenant, found.id, sealed).await?;
        Ok((found, kept))
    }

    /// Letters that wait for their writer, oldest first: for staff, who see no name.
    pub async fn waiting(&self, tenant: &TenantId) -> Result<Vec<Waiting>, Error> {
        let mut tx = self.0.db.read().await?;
        let found = sql::waiting(&mut tx, tenant, self.0.clock.now()).await?;
        let shown = |m: sql::Mail| Waiting {
            id: m.id,
            right: m.right,
            proof: m.proof,
            received_at: m.received_at,
            expires_at: m.expires_at,
            again: m.again,
        };
        Ok(found.into_iter().map(shown).collect())
    }
}
