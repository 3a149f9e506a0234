//! One-time sign-in links: 256 random bits, fifteen minutes, bound to the browser that asked, used up only by a button.

use chrono::TimeDelta;

use super::sessions::Begun;
use super::{Email, Error, Session, SignedIn, Subjects, sql};
use crate::base::{Secret, TenantId, Timestamp};
use crate::crypto;
use crate::vault::Owner;

/// How long a link works.
pub const LIFE: TimeDelta = TimeDelta::minutes(15);
pub(super) const MOST_IN_LIFE: i64 = 3;

/// Whom a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkFor {
    /// A person.
    Subject,
    /// A member of staff. Links are a development convenience for them, never a factor in production.
    Staff,
}

/// A link to be mailed. Nobody may be told whether there is one.
#[derive(Debug)]
pub struct Link {
    /// The token, for the mail alone.
    pub token: Secret<String>,
    /// Whose it is, when it is a person's: to read their address with.
    pub owner: Option<Owner>,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// A link that was used.
#[derive(Debug)]
pub struct Redeemed {
    /// The session's cookie value.
    pub cookie: Secret<String>,
    /// The session.
    pub session: Session,
}

pub(super) fn hash(text: &str) -> Vec<u8> {
    crypto::sha256(text.as_bytes()).to_vec()
}

impl Subjects {
    /// Makes a link for an address at once, if it is known: for demonstrations, where nobody outside waits for the answer
    /// and could measure it. A door takes a wish ([`Subjects::ask_link`]). `browser` is the
    /// nonce of the browser that asked.
    pub async fn link(
        &self,
        tenant: &TenantId,
        whom: LinkFor,
        email: &Email,
        browser: Option<&str>,
    ) -> Result<Option<Link>, Error> {
        let index = self.vault.blind_index(tenant, "email", email.expose()).await?;
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        // Counted and added in one turn, or many at once would each find that there is room for one more.
        tx.take_turn(&format!("links/{tenant}/{}", hex::encode(&index))).await?;
        if sql::links_since(&mut tx, tenant, &index, now.plus(-LIFE)).await? >= MOST_IN_LIFE {
            return Err(Error::TooMany);
        }
        let (subject, staff) = match whom {
            LinkFor::Subject => (sql::subject_by_email(&mut tx, tenant, &index).await?, None),
            LinkFor::Staff => (None, sql::staff_by_email(&mut tx, tenant, &index).await?),
        };
        let known = subject.is_some() || staff.is_some();
        let token = self.entropy.token();
        let expires_at = now.plus(LIFE);
        // A row is written for an unknown address as well: it counts against the limit, and costs the same time.
        let row = sql::NewLink {
            token_hash: hash(&token),
            email_index: index,
            subject,
            staff,
            browser_hash: browser.map(hash),
            created_at: now,
            expires_at,
        };
        sql::insert_link(&mut tx, tenant, &row).await?;
        tx.commit().await?;
        let owner = subject.map(|id| Owner::new(tenant, id));
        Ok(known.then(|| Link { token: token.into(), owner, expires_at }))
    }

    /// A link that needs no mail: for the first sign-in of a fresh installation and for demonstrations.
    pub async fn direct_link(&self, who: &SignedIn, life: TimeDelta) -> Result<Link, Error> {
        let now = self.clock.now();
        let token = self.entropy.token();
        let (subject, staff) = match who {
            SignedIn::Subject(owner) => (Some(owner.subject), None),
            SignedIn::Staff(staff) => (None, Some(staff.id)),
        };
        let row = sql::NewLink {
            token_hash: hash(&token),
            email_index: Vec::new(),
            subject,
            staff,
            browser_hash: None,
            created_at: now,
            expires_at: now.plus(life),
        };
        let mut tx = self.db.begin().await?;
        sql::insert_link(&mut tx, who.tenant(), &row).await?;
        tx.commit().await?;
        Ok(Link { token: token.into(), owner: None, expires_at: now.plus(life) })
    }

    /// Until when the link with this token works; `None` for one that is unknown, used or expired. Uses nothing up, and says
    /// the same of a link for an address that nobody has.
    pub async fn link_ends(&self, tenant: &TenantId, token: &str) -> Result<Option<Timestamp>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::asked::ends(&mut tx, tenant, &hash(token), self.clock.now()).await?)
    }

    /// Uses a link up and begins a session. [`Error::BadProof`] for one that is unknown, used, expired, or was asked
    /// for by another browser; which of these is not told.
    pub async fn redeem(
        &self,
        tenant: &TenantId,
        token: &str,
        browser: Option<&str>,
    ) -> Result<Redeemed, Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let used = sql::use_link(&mut tx, tenant, &hash(token), now).await?.ok_or(Error::BadProof)?;
        if let Some(expected) = &used.browser_hash {
            let got = hash(browser.unwrap_or_default());
            if !crypto::same(expected, &got) {
                return Err(Error::BadProof);
            }
        }
        let who = match (used.subject, used.staff) {
            (Some(id), None) => SignedIn::Subject(Owner::new(tenant, id)),
            (None, Some(id)) => {
                SignedIn::Staff(sql::staff(&mut tx, tenant, id).await?.ok_or(Error::BadProof)?)
            }
            _ => return Err(Error::BadProof),
        };
        let (cookie, session) =
            self.begin_session(&mut tx, who, Begun { created_at: now, factor_at: None }).await?;
        tx.commit().await?;
        Ok(Redeemed { cookie, session })
    }
}
