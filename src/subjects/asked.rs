//! Links asked for at a door: the same is done for every address while somebody waits for the answer, and whose it is, is
//! looked up when the letter is written, by the queue.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::account::With;
use super::links::{LIFE, MOST_IN_LIFE, hash};
use super::{Email, Error, LinkFor, NewAccount, Subjects, sql};
use crate::base::{Secret, SubjectId, TenantId, Timestamp};
use crate::crypto::Place;
use crate::speech::Tongue;
use crate::store::jobs::{self, NewJob};
use crate::vault::Owner;

/// The kind of the job that writes the letter.
pub const LETTER: &str = "sign-in-letter";
/// How long it waits before a letter that was not taken is worth a human's look.
const LATE: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// A link that somebody asks for at a door.
#[derive(Debug)]
pub struct LinkWish<'a> {
    /// Whom it is for.
    pub whom: LinkFor,
    /// The address that was typed.
    pub email: &'a Email,
    /// The nonce of the browser that asks.
    pub browser: &'a str,
    /// Whether the nonce stands in the letter, to be typed in another browser.
    pub tells_code: bool,
    /// What the account is to be called, when one is opened for an address that has none.
    pub opens: Option<&'a str>,
    /// The path of the link below the tenant's root, without its token: it holds a `?`.
    pub path: &'a str,
    /// The language of the page that asked.
    pub tongue: Tongue,
}

/// What is kept of it until the letter is written: sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    staff: bool,
    email: String,
    code: String,
    opens: Option<String>,
    path: String,
    tongue: String,
    token: String,
}

/// A link whose letter is to be written.
#[derive(Debug)]
pub struct AskedLink {
    /// Whose door it was asked for at.
    pub whom: LinkFor,
    /// The address.
    pub email: Email,
    /// The account to be opened, if the address has none.
    pub opens: Option<NewAccount>,
    /// Whether a try before this one opened it.
    pub opened: bool,
    /// The code that stands in the letter; empty when none does.
    pub code: String,
    /// The path of the link below the tenant's root, with its token.
    pub path: Secret<String>,
    /// The language of the page that asked.
    pub tongue: Tongue,
    /// Until when it works.
    pub expires_at: Timestamp,
    hash: Vec<u8>,
}

fn place(tenant: &TenantId, hash: &[u8]) -> Place {
    Place::new("sign-in").with(tenant.as_str()).with(hash)
}

/// The service's key under which a tenant's wishes for links lie.
fn key(tenant: &TenantId) -> String {
    format!("sign-in/{tenant}")
}

impl Subjects {
    /// Takes a wish for a link: a row and a job, whoever's the address is. Gives the link's path with its token, which is
    /// for the letter alone. [`Error::TooMany`] is for the caller's log, not for the one who asked.
    pub async fn ask_link(&self, tenant: &TenantId, wish: &LinkWish<'_>) -> Result<Secret<String>, Error> {
        let index = self.vault.blind_index(tenant, "email", wish.email.expose()).await?;
        let (now, token) = (self.clock.now(), self.entropy.token());
        let hash = hash(&token);
        let path = format!("{}&token={token}", wish.path);
        let kept = Kept {
            staff: wish.whom == LinkFor::Staff,
            email: wish.email.expose().to_owned(),
            code: if wish.tells_code { wish.browser.to_owned() } else { String::new() },
            opens: wish.opens.map(ToOwned::to_owned),
            path: wish.path.to_owned(),
            tongue: wish.tongue.tag().to_owned(),
            token,
        };
        let sealed = self.keys.seal_note(&key(tenant), &place(tenant, &hash), &kept).await?;
        let mut tx = self.db.begin().await?;
        // Counted and added in one turn, or many at once would each find that there is room for one more.
        tx.take_turn(&format!("links/{tenant}/{}", hex::encode(&index))).await?;
        if sql::links_since(&mut tx, tenant, &index, now.plus(-LIFE)).await? >= MOST_IN_LIFE {
            return Err(Error::TooMany);
        }
        let job = json!({ "link": hex::encode(&hash) });
        let row = sql::NewLink {
            token_hash: hash,
            email_index: index,
            subject: None,
            staff: None,
            browser_hash: Some(super::links::hash(wish.browser)),
            created_at: now,
            expires_at: now.plus(LIFE),
        };
        sql::insert_link(&mut tx, tenant, &row).await?;
        sql::asked::seal(&mut tx, tenant, &row.token_hash, &sealed).await?;
        let job = NewJob {
            kind: LETTER,
            payload: &job,
            tenant: Some(tenant),
            unique_key: None,
            run_at: now,
            deadline: Some(now.plus(LATE)),
        };
        jobs::enqueue(&mut tx, &self.clock, &self.entropy, &job).await?;
        tx.commit().await?;
        Ok(path.into())
    }

    /// The link of a job whose letter was not sent yet. `None` when it was, or when the link is over.
    pub async fn asked_link(&self, tenant: &TenantId, link: &str) -> Result<Option<AskedLink>, Error> {
        let Ok(hash) = hex::decode(link) else { return Ok(None) };
        let found = {
            let mut tx = self.db.read().await?;
            sql::asked::waiting(&mut tx, tenant, &hash, self.clock.now()).await?
        };
        let Some((sealed, expires_at, opened)) = found else { return Ok(None) };
        let kept: Kept = self.keys.open_note(&key(tenant), &place(tenant, &hash), &sealed).await?;
        let email: Email = kept.email.parse()?;
        let opens = kept.opens.map(|name| NewAccount { email: email.clone(), username: name.clone(), name });
        Ok(Some(AskedLink {
            whom: if kept.staff { LinkFor::Staff } else { LinkFor::Subject },
            email,
            opens,
            opened,
            code: kept.code,
            path: format!("{}&token={}", kept.path, kept.token).into(),
            tongue: Tongue::of_tag(&kept.tongue).unwrap_or_default(),
            expires_at,
            hash,
        }))
    }

    /// Opens the account that a link is to open, and notes with it that it did. [`Error::Taken`] when the address has one.
    pub async fn open_by_link(
        &self,
        tenant: &TenantId,
        link: &AskedLink,
        new: NewAccount,
    ) -> Result<Owner, Error> {
        self.open_with(tenant, new, With::Link(&link.hash)).await
    }

    /// Says whose a link is: whether somebody's at all, and which person's, if it is one's. One that is nobody's opens
    /// nothing, and no letter goes.
    pub async fn settle_link(
        &self,
        tenant: &TenantId,
        link: &AskedLink,
    ) -> Result<(bool, Option<SubjectId>), Error> {
        let index = self.vault.blind_index(tenant, "email", link.email.expose()).await?;
        let mut tx = self.db.begin().await?;
        let (subject, staff) = match link.whom {
            LinkFor::Subject => (sql::subject_by_email(&mut tx, tenant, &index).await?, None),
            LinkFor::Staff => (None, sql::staff_by_email(&mut tx, tenant, &index).await?),
        };
        sql::asked::settle(&mut tx, tenant, &link.hash, (subject, staff)).await?;
        tx.commit().await?;
        Ok((subject.is_some() || staff.is_some(), subject))
    }

    /// The letter went, or none goes: what it said is forgotten.
    pub async fn link_written(&self, tenant: &TenantId, link: &AskedLink) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        sql::asked::blank(&mut tx, tenant, &link.hash).await?;
        tx.commit().await?;
        Ok(())
    }
}
