//! API keys of apps: `vsk_<id>_<secret>_<check>`. The check digits let scanners of leaked secrets, and our own log
//! filter, tell a key from noise.

use std::fmt;
use std::str::FromStr;

use super::{Error, Subjects, sql};
use crate::base::{Secret, TenantId, Timestamp};
use crate::crypto;
use crate::ledger::{Entry, EntryKind};

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Edits, images and credits of people, with a token of theirs.
    Edits,
    /// Opening accounts for people.
    Accounts,
    /// Filing rights requests for people, with a token of theirs.
    Rights,
    /// Granting credits.
    Credits,
    /// Reading boards and figures; no personal data.
    Metrics,
    /// Saying where the app's server is told of events.
    Webhooks,
    /// Handing over letters that came in.
    Mail,
    /// Asking for people who let somebody act for them.
    Agents,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Edits,
        Self::Accounts,
        Self::Rights,
        Self::Credits,
        Self::Metrics,
        Self::Webhooks,
        Self::Mail,
        Self::Agents,
    ];

    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edits => "edits",
            Self::Accounts => "accounts",
            Self::Rights => "rights",
            Self::Credits => "credits",
            Self::Metrics => "metrics",
            Self::Webhooks => "webhooks",
            Self::Mail => "mail",
            Self::Agents => "agents",
        }
    }
}

impl FromStr for Scope {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == s).ok_or(Error::BadName {
            field: "scope",
            why: "is not one of edits, accounts, rights, credits, metrics, webhooks, mail, agents",
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A key that holds.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Its public id.
    pub id: String,
    /// Its tenant.
    pub tenant: TenantId,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// What its owner calls it.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it works.
    pub expires_at: Option<Timestamp>,
}

/// A fresh key. Its text is shown once.
#[derive(Debug)]
pub struct MintedKey {
    /// What to send as `Authorization: Bearer …`.
    pub text: Secret<String>,
    /// The key.
    pub key: ApiKey,
}

fn check(id: &str, secret: &str) -> String {
    format!("{:08x}", crc32fast::hash(format!("{id}_{secret}").as_bytes()))
}

fn parts(text: &str) -> Option<(&str, &str)> {
    let (id, rest) = text.strip_prefix("vsk_")?.split_once('_')?;
    let (secret, digits) = rest.rsplit_once('_')?;
    (id.len() == 16 && secret.len() == 64 && check(id, secret) == digits).then_some((id, secret))
}

impl Subjects {
    /// Makes a key.
    pub async fn mint_api_key(
        &self,
        tenant: &TenantId,
        label: &str,
        scopes: &[Scope],
        expires_at: Option<Timestamp>,
    ) -> Result<MintedKey, Error> {
        let id = hex::encode(self.entropy.bytes::<8>());
        let secret = hex::encode(self.entropy.bytes::<32>());
        let text = format!("vsk_{id}_{secret}_{}", check(&id, &secret));
        let key = ApiKey {
            id,
            tenant: tenant.clone(),
            scopes: scopes.to_vec(),
            label: label.chars().take(80).collect(),
            created_at: self.clock.now(),
            expires_at,
        };
        let entry = Entry::new(EntryKind::API_KEY_MADE, key.created_at, tenant, "admin")
            .fact("api-key", key.id.as_str());
        let mut tx = self.db.begin().await?;
        sql::insert_api_key(&mut tx, &key, &crypto::sha256(secret.as_bytes())).await?;
        self.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(MintedKey { text: text.into(), key })
    }

    /// The key of this text. [`Error::BadProof`] for one that is malformed, unknown, expired or revoked, in the same
    /// time for each.
    pub async fn api_key(&self, text: &str) -> Result<ApiKey, Error> {
        let (id, secret) = parts(text).unwrap_or(("0000000000000000", ""));
        let hash = crypto::sha256(secret.as_bytes());
        let found = {
            let mut tx = self.db.read().await?;
            sql::api_key(&mut tx, id).await?
        };
        let stored = found.as_ref().map_or([0; 32].as_slice(), |(_, hash, _)| hash.as_slice());
        let same = crypto::same(stored, &hash);
        let now = self.clock.now();
        match found {
            Some((key, _, None)) if same && key.expires_at.is_none_or(|t| now < t) => Ok(key),
            _ => Err(Error::BadProof),
        }
    }

    /// Revokes a key of a tenant, at once.
    pub async fn revoke_api_key(&self, tenant: &TenantId, id: &str) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if !sql::revoke_api_key(&mut tx, tenant, id, now).await? {
            return Err(Error::NotFound);
        }
        let entry = Entry::new(EntryKind::API_KEY_REVOKED, now, tenant, "admin").fact("api-key", id);
        self.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A tenant's keys that hold.
    pub async fn api_keys(&self, tenant: &TenantId) -> Result<Vec<ApiKey>, Error> {
        let mut tx = self.db.read().await?;
        let now = self.clock.now();
        let keys = sql::api_keys(&mut tx, tenant).await?;
        Ok(keys.into_iter().filter(|k| k.expires_at.is_none_or(|t| now < t)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_a_wrong_digit_is_told_from_noise() {
        let (id, secret) = ("00112233445566aa", "ab".repeat(32));
        let text = format!("vsk_{id}_{secret}_{}", check(id, &secret));
        assert_eq!(parts(&text), Some((id, secret.as_str())));
        assert_eq!(parts(&text.replace("aa_", "ab_")), None);
        assert_eq!(parts(&text[..text.len() - 1]), None);
        assert_eq!(parts("vsk__"), None);
    }
}
