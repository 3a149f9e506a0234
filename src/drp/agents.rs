//! Agents: entered by the operator, paired by themselves.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::VerifyingKey;

use super::message::{self, Bounds};
use super::{Drp, Error, hash, sql};
use crate::base::{Secret, TenantId, Timestamp};
use crate::egress::Url;

/// An agent that may ask in people's names.
#[derive(Debug, Clone)]
pub struct Agent {
    /// The business it may ask.
    pub tenant: TenantId,
    /// Its id in the directory.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// The key that its messages are signed with.
    pub key: VerifyingKey,
    /// Its own site, an origin: people who came from there are led back to it and to nowhere else.
    pub site: String,
    /// When it was entered.
    pub added_at: Timestamp,
    /// When it was last given a token.
    pub paired_at: Option<Timestamp>,
}

/// A key as the directory has it: base64 of its 32 bytes. One that would sign everything is refused.
fn key(text: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = STANDARD.decode(text).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak())
}

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

impl Drp {
    /// Enters an agent, as the directory has it. One that is there already gets the new name, key and site, and has to pair
    /// anew.
    pub async fn add_agent(
        &self,
        tenant: &TenantId,
        (id, name): (&str, &str),
        verify_key: &str,
        site: &str,
    ) -> Result<Agent, Error> {
        if !is_id(id) {
            return Err(Error::BadAgent("id"));
        }
        let name: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
        if name.trim().is_empty() {
            return Err(Error::BadAgent("name"));
        }
        let origin = Url::parse(site).ok().filter(|url| url.scheme() == "https").map(|url| url.origin());
        let agent = Agent {
            tenant: tenant.clone(),
            id: id.to_owned(),
            name: name.trim().to_owned(),
            key: key(verify_key).ok_or(Error::BadAgent("key"))?,
            site: origin.ok_or(Error::BadAgent("site"))?.ascii_serialization(),
            added_at: self.clock.now(),
            paired_at: None,
        };
        let mut tx = self.db.begin().await?;
        sql::put_agent(&mut tx, &agent).await?;
        tx.commit().await?;
        Ok(agent)
    }

    /// A tenant's agents, by id.
    pub async fn agents(&self, tenant: &TenantId) -> Result<Vec<Agent>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::agents(&mut tx, tenant).await?)
    }

    /// Takes an agent out: its token opens nothing from here on, it is told nothing more, and what waits for a person's word
    /// because of it ends. What a person has confirmed goes its way.
    pub async fn remove_agent(&self, tenant: &TenantId, id: &str) -> Result<(), Error> {
        let undecided = {
            let mut tx = self.db.read().await?;
            sql::undecided(&mut tx, tenant, id).await?
        };
        // First, so that a try that was cut short is taken up again: the agent is still there to be removed.
        self.end_undecided(&undecided).await?;
        let mut tx = self.db.begin().await?;
        if !sql::remove_agent(&mut tx, tenant, id).await? {
            return Err(Error::NotFound);
        }
        sql::silence(&mut tx, tenant, id).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn agent(&self, tenant: &TenantId, id: &str) -> Result<Agent, Error> {
        if !is_id(id) {
            return Err(Error::NotFound);
        }
        let mut tx = self.db.read().await?;
        sql::agent(&mut tx, tenant, id).await?.ok_or(Error::NotFound)
    }

    /// Pairs an agent: gives it a token, shown this once, for a message signed with its key. A token that it had before
    /// opens nothing any more.
    pub async fn pair(&self, tenant: &TenantId, id: &str, body: &[u8]) -> Result<Secret<String>, Error> {
        let agent = self.agent(tenant, id).await?;
        let signed = message::open(body, &agent.key)?;
        let digest = signed.digest("pair");
        let bounds: Bounds = message::read(&signed.json)?;
        bounds.hold(&agent.id, tenant, self.clock.now())?;
        self.once(&agent, &digest, bounds.until()?).await?;
        let token = Secret::new(URL_SAFE_NO_PAD.encode(self.entropy.bytes::<32>()));
        let mut tx = self.db.begin().await?;
        sql::pair(&mut tx, &agent, &hash(token.expose()), self.clock.now()).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// The agent that holds a token.
    pub async fn holder(&self, tenant: &TenantId, token: &str) -> Result<Agent, Error> {
        let mut tx = self.db.read().await?;
        sql::by_token(&mut tx, tenant, &hash(token)).await?.ok_or(Error::NotPaired)
    }
}
