//! Tokens of an app's own identity provider: JWTs (RFC 7519) under a shared secret or a JWK set (RFC 7517).

use std::collections::BTreeSet;
use std::sync::Arc;

use jsonwebtoken::jwk::{AlgorithmParameters, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::published::Published;
use crate::base::{Clock, TenantId, Timestamp};
use crate::config::TokenIssuer;

/// The token is not one of a known issuer for a known audience, has run out, or its signature does not hold. Which, is
/// not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token does not hold")]
pub struct BadToken;

/// A user as their app's identity provider knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// The tenant whose app it is.
    pub tenant: TenantId,
    /// Who says so.
    pub issuer: String,
    /// Whom they say it is.
    pub subject: String,
    /// When they last proved who they are, as far as the token says: `auth_time`, else the newest of `amr`, else `iat`.
    pub proved_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    auth_time: Option<i64>,
    #[serde(default)]
    amr: serde_json::Value,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    is_anonymous: Option<bool>,
}

impl Claims {
    /// When the user last proved who they are. A token that is renewed by itself has a young `iat`, so what says more than
    /// that goes before it; a time that is still to come is none.
    fn proved_at(&self, now: Timestamp) -> Option<Timestamp> {
        let of_methods = || {
            let methods = self.amr.as_array()?.iter();
            methods.filter_map(|m| m.get("timestamp").and_then(serde_json::Value::as_i64)).max()
        };
        let seconds = self.auth_time.or_else(of_methods).or(self.iat)?;
        let latest = (now.micros() / 1_000_000).saturating_add(LEEWAY);
        (seconds <= latest).then(|| Timestamp::from_micros(seconds.saturating_mul(1_000_000)))
    }
}

struct Issuer {
    tenant: TenantId,
    name: String,
    audience: String,
    role: Option<String>,
    keys: Keys,
}

enum Keys {
    Shared(DecodingKey),
    Set(Arc<JwkSet>),
    Published(Published),
}

/// The issuers that are known. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Vec<Issuer>>);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokens({} issuers)", self.0.len())
    }
}

/// Clocks of two machines may differ by this many seconds.
const LEEWAY: i64 = 30;

impl Tokens {
    /// The issuers of the configuration. One whose key set cannot be read vouches for nobody, and says so in the log.
    pub fn of(issuers: &[TokenIssuer], clock: &Clock) -> Self {
        let known = issuers.iter().filter_map(|i| {
            let keys = match (&i.hs256_secret, &i.jwks_file, &i.jwks_url) {
                (Some(secret), ..) => Keys::Shared(DecodingKey::from_secret(secret.expose().as_bytes())),
                (None, Some(file), _) => {
                    let text = std::fs::read_to_string(file).ok()?;
                    Keys::Set(Arc::new(serde_json::from_str(&text).ok()?))
                }
                (None, None, Some(url)) => Keys::Published(Published::at(url, clock)?),
                (None, None, None) => return None,
            };
            Some(Issuer {
                tenant: i.tenant.clone(),
                name: i.issuer.clone(),
                audience: i.audience.clone(),
                role: i.role.clone(),
                keys,
            })
        });
        let known: Vec<_> = known.collect();
        if known.len() < issuers.len() {
            tracing::error!("a token issuer's keys cannot be read; it vouches for nobody");
        }
        Self(Arc::new(known))
    }

    /// Whom a token is of. The algorithm must fit the issuer's key: a public key never serves as a shared secret.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Vouched, BadToken> {
        if token.len() > 8192 {
            return Err(BadToken);
        }
        let header = decode_header(token).map_err(|_| BadToken)?;
        for issuer in self.0.iter() {
            let Some((key, algorithm)) = issuer.key(&header, now).await else { continue };
            if let Ok(claims) = check(token, &key, algorithm, issuer) {
                let seconds = now.micros() / 1_000_000;
                let late = claims.exp.saturating_add(LEEWAY) <= seconds;
                let early = claims.nbf.is_some_and(|nbf| nbf.saturating_sub(LEEWAY) > seconds);
                let named = !claims.sub.is_empty() && claims.sub.len() <= 255;
                // A service's own token is signed by the same keys, and is nobody's.
                let role = issuer.role.is_none() || issuer.role == claims.role;
                let somebody = role && claims.is_anonymous != Some(true);
                if !late && !early && named && somebody && claims.iss == issuer.name {
                    let (tenant, proved_at) = (issuer.tenant.clone(), claims.proved_at(now));
                    return Ok(Vouched { tenant, issuer: claims.iss, subject: claims.sub, proved_at });
                }
            }
        }
        Err(BadToken)
    }
}

fn check(token: &str, key: &DecodingKey, algorithm: Algorithm, issuer: &Issuer) -> Result<Claims, BadToken> {
    let mut rules = Validation::new(algorithm);
    rules.set_issuer(&[&issuer.name]);
    rules.set_audience(&[&issuer.audience]);
    // Times are checked against the clock that is a parameter, not the machine's.
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.required_spec_claims = ["exp", "iss", "aud", "sub"].map(ToOwned::to_owned).into();
    decode::<Claims>(token, key, &rules).map(|d| d.claims).map_err(|_| BadToken)
}

impl Issuer {
    async fn key(&self, header: &jsonwebtoken::Header, now: Timestamp) -> Option<(DecodingKey, Algorithm)> {
        let set = match &self.keys {
            Keys::Shared(key) => {
                return (header.alg == Algorithm::HS256).then(|| (key.clone(), Algorithm::HS256));
            }
            Keys::Set(set) => Arc::clone(set),
            Keys::Published(published) => published.set(header.kid.as_deref(), now).await?,
        };
        let jwk = match &header.kid {
            Some(kid) => set.find(kid)?,
            None => set.keys.first().filter(|_| set.keys.len() == 1)?,
        };
        let fits: BTreeSet<&str> = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => ["RS256", "PS256"].into(),
            AlgorithmParameters::EllipticCurve(_) => ["ES256"].into(),
            AlgorithmParameters::OctetKeyPair(_) => ["EdDSA"].into(),
            _ => return None,
        };
        let name = format!("{:?}", header.alg);
        let key = DecodingKey::from_jwk(jwk).ok()?;
        fits.contains(name.as_str()).then_some((key, header.alg))
    }
}
