//! Letters with a link to sign in by, for people and for staff. Whether an address is known is looked up here, where nobody
//! waits for the answer.

use super::{Error, Jobs};
use crate::base::TenantId;
use crate::editing::Turn;
use crate::mail::letters::{Letter as _, SignInLink};
use crate::subjects::{AskedLink, Error as Refused};

impl Jobs {
    /// Writes the letter of a link that was asked for: opens the account first, if it is to open one. Again is harmless;
    /// a letter that was not taken is tried again while its link works.
    pub(super) async fn sign_in_letter(&self, tenant: &TenantId, link: &str) -> Result<Turn, Error> {
        let subjects = &self.app.subjects;
        let Some(asked) = subjects.asked_link(tenant, link).await? else { return Ok(Turn::Done) };
        let opened = self.opened(tenant, &asked).await?;
        let (known, of) = subjects.settle_link(tenant, &asked).await?;
        if known {
            let root = self.app.config.server.public_url.as_str();
            let letter = SignInLink {
                head: self.head(tenant, asked.tongue)?,
                link: format!("{root}/{tenant}{}", asked.path.expose()),
                code: asked.code.clone(),
                until: asked.expires_at,
                opens_account: opened,
            };
            let written = letter.write().map_err(|_| Error::Payload)?;
            let of = of.map(|of| of.to_string());
            let id = link.get(..32).unwrap_or(link);
            self.app.post.send(asked.email.expose(), of.as_deref(), id, &written).await?;
        }
        subjects.link_written(tenant, &asked).await?;
        Ok(Turn::Done)
    }

    /// Whether an account was opened for the link, now or by a try that was cut off since. One that was there already is left
    /// as it is.
    async fn opened(&self, tenant: &TenantId, asked: &AskedLink) -> Result<bool, Error> {
        let Some(new) = asked.opens.clone() else { return Ok(false) };
        let subjects = &self.app.subjects;
        let owner = if asked.opened {
            subjects.find(tenant, &asked.email).await?
        } else {
            match subjects.open_by_link(tenant, asked, new).await {
                Ok(owner) => Some(owner),
                Err(Refused::Taken) => None,
                Err(e) => return Err(e.into()),
            }
        };
        let Some(owner) = owner else { return Ok(false) };
        self.app.credits.welcome(&owner).await?;
        Ok(true)
    }
}
