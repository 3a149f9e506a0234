//! Staff who sign in through an identity provider of the house's own: `OpenID` Connect 1.0, the code flow with PKCE
//! (RFC 7636), state and nonce. What the way back is checked against lies sealed with the browser that was sent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::TimeDelta;
use openidconnect::core::{
    CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims,
    CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AuthType, AuthenticationContextClass, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, SignatureVerificationError,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::oidc_call::Asking;
use crate::base::{Clock, Entropy, Secret, TenantId, Timestamp};
use crate::config::StaffOidc;
use crate::crypto::{self, Key, Place};
use crate::egress::{Egress, Names, Recipient, Url};
use crate::subjects::Email;

/// The name under which the provider is called.
pub(super) const RECIPIENT: &str = "staff-identity-provider";
/// How long somebody may be away at the provider.
pub const AWAY: TimeDelta = TimeDelta::minutes(10);
/// How old the provider's own sign-in may be.
const SIGNED_IN_WITHIN: Duration = Duration::from_mins(15);
/// What the provider publishes is taken for new for so long.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// The pause between two looks at it.
const PAUSE: TimeDelta = TimeDelta::seconds(10);
/// Clocks of two machines may differ by this much.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The provider did not vouch for anybody. Why, is for the log, and is one of a few fixed phrases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the identity provider vouched for nobody: {0}")]
pub struct NotVouched(pub &'static str);

/// Somebody whom the provider vouched for: an address that it has verified.
#[derive(Debug, Clone)]
pub struct VouchedStaff {
    /// The address.
    pub email: Email,
    /// When it saw a second factor of theirs, if it says so in a word that the configuration names.
    pub factor_at: Option<Timestamp>,
}

/// The way to the provider.
#[derive(Debug)]
pub struct WayThere {
    /// Where the browser is sent.
    pub url: Url,
    /// What it brings back, sealed.
    pub kept: Secret<String>,
}

/// What the way back must fit.
#[derive(Serialize, Deserialize)]
struct Kept {
    state: String,
    nonce: String,
    verifier: String,
    until: i64,
}

/// The staff's identity provider. Cheap to clone.
#[derive(Clone)]
pub struct StaffProvider(Arc<Inner>);

struct Inner {
    issuer: IssuerUrl,
    settings: StaffOidc,
    egress: Egress,
    clock: Clock,
    key: Key,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    metadata: Option<(Arc<CoreProviderMetadata>, Timestamp)>,
    tried: Option<Timestamp>,
}

impl std::fmt::Debug for StaffProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StaffProvider({})", self.0.settings.name)
    }
}

impl StaffProvider {
    /// Over its settings, if they can be used; `key` seals what a browser keeps.
    pub(super) fn of(settings: &StaffOidc, clock: &Clock, key: Key) -> Option<Self> {
        let issuer = Url::parse(&settings.issuer).ok()?;
        let recipient = Recipient::named(RECIPIENT).base(&issuer).ok()?;
        let recipient = settings.hosts.split_whitespace().fold(recipient, Recipient::host);
        let egress = Egress::new(vec![recipient], &Names::System, clock.clone()).ok()?;
        Some(Self(Arc::new(Inner {
            issuer: IssuerUrl::new(settings.issuer.clone()).ok()?,
            settings: settings.clone(),
            egress,
            clock: clock.clone(),
            key,
            known: Mutex::default(),
        })))
    }

    /// What it is called on the button.
    pub fn name(&self) -> &str {
        &self.0.settings.name
    }

    /// Sends a browser there, to come back at `back`. `again`: whoever is signed in there is asked once more.
    pub async fn send(
        &self,
        (tenant, back): (&TenantId, &str),
        again: bool,
        entropy: &Entropy,
    ) -> Result<WayThere, NotVouched> {
        let client = self.client(back, false).await?;
        let now = self.0.clock.now();
        let kept = Kept {
            state: entropy.token(),
            nonce: entropy.token(),
            verifier: entropy.token(),
            until: now.plus(AWAY).micros(),
        };
        let (state, nonce) = (CsrfToken::new(kept.state.clone()), Nonce::new(kept.nonce.clone()));
        let verifier = PkceCodeVerifier::new(kept.verifier.clone());
        let mut asked = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .set_max_age(SIGNED_IN_WITHIN);
        for acr in self.0.settings.second_factor_acr.split_whitespace() {
            asked = asked.add_auth_context_value(AuthenticationContextClass::new(acr.to_owned()));
        }
        if again {
            asked = asked.add_prompt(CoreAuthPrompt::Login);
        }
        let (url, ..) = asked.url();
        let plain = serde_json::to_vec(&kept).map_err(|_| NotVouched("the way there could not be kept"))?;
        let sealed = crypto::seal(&self.0.key, &place(tenant), &plain, entropy);
        Ok(WayThere { url, kept: Secret::new(BASE64.encode(sealed)) })
    }

    /// Takes somebody who comes back with `code` and `state`, in the browser that holds `kept`.
    pub async fn take(
        &self,
        (tenant, back): (&TenantId, &str),
        kept: &str,
        (code, state): (&str, &str),
    ) -> Result<VouchedStaff, NotVouched> {
        let kept = self.kept(tenant, kept).ok_or(NotVouched("nobody was sent there from this browser"))?;
        if self.0.clock.now().micros() >= kept.until {
            return Err(NotVouched("they were away for too long"));
        }
        if code.is_empty() || !crypto::same(kept.state.as_bytes(), state.as_bytes()) {
            return Err(NotVouched("the state is another"));
        }
        let token = self.exchange(back, code, kept.verifier).await?;
        let nonce = Nonce::new(kept.nonce);
        let client = self.client(back, false).await?;
        let claims = match self.verified(&client, &token, &nonce) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                // Its keys may have changed since they were read.
                let client = self.client(back, true).await?;
                self.verified(&client, &token, &nonce).map_err(|e| why(&e))?
            }
            other => other.map_err(|e| why(&e))?,
        };
        self.vouched(&claims)
    }

    fn kept(&self, tenant: &TenantId, text: &str) -> Option<Kept> {
        let sealed = BASE64.decode(text).ok()?;
        let plain = crypto::open(&self.0.key, &place(tenant), &sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    async fn exchange(&self, back: &str, code: &str, verifier: String) -> Result<CoreIdToken, NotVouched> {
        let client = self.client(back, false).await?;
        let asking = Asking(self.0.egress.clone());
        let asked = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| NotVouched("it names no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier));
        let answer = asked.request_async(&asking).await.map_err(|_| NotVouched("the code was not taken"))?;
        answer.extra_fields().id_token().cloned().ok_or(NotVouched("there is no ID token"))
    }

    fn verified(
        &self,
        client: &Client,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let (clock, now) = (self.0.clock.clone(), self.0.clock.now());
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs([
                CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
                CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            ])
            .set_other_audience_verifier_fn(|_| false)
            .set_time_fn(move || clock.now().to_utc())
            .set_issue_time_verifier_fn(move |at| {
                let age = now.to_utc().signed_duration_since(at);
                if (-LEEWAY..=AWAY).contains(&age) {
                    Ok(())
                } else {
                    Err("issued at another time".to_owned())
                }
            });
        token.claims(&verifier, nonce).cloned()
    }

    fn vouched(&self, claims: &CoreIdTokenClaims) -> Result<VouchedStaff, NotVouched> {
        if claims.email_verified() != Some(true) {
            return Err(NotVouched("the address is not verified"));
        }
        let email = claims.email().and_then(|e| e.as_str().parse().ok());
        let email = email.ok_or(NotVouched("there is no address that can be used"))?;
        // Without a time it could be of days ago.
        let seen = claims.auth_time().filter(|_| self.saw_second_factor(claims));
        Ok(VouchedStaff { email, factor_at: seen.map(Timestamp::from_utc) })
    }

    fn saw_second_factor(&self, claims: &CoreIdTokenClaims) -> bool {
        let settings = &self.0.settings;
        let words: BTreeSet<&str> = settings.second_factor_amr.split_whitespace().collect();
        let methods = claims.auth_method_refs().map(Vec::as_slice).unwrap_or_default();
        let class = claims.auth_context_ref().map(|acr| acr.as_str());
        methods.iter().any(|method| words.contains(method.as_str()))
            || class
                .is_some_and(|class| settings.second_factor_acr.split_whitespace().any(|acr| acr == class))
    }

    async fn client(&self, back: &str, anew: bool) -> Result<Client, NotVouched> {
        let metadata = self.metadata(anew).await.ok_or(NotVouched("what it publishes cannot be read"))?;
        let settings = &self.0.settings;
        let back = RedirectUrl::new(back.to_owned()).map_err(|_| NotVouched("there is no way back"))?;
        let posts = metadata.token_endpoint_auth_methods_supported().is_some_and(|all| {
            !all.contains(&CoreClientAuthMethod::ClientSecretBasic)
                && all.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        let secret = ClientSecret::new(settings.client_secret.expose().clone());
        let id = ClientId::new(settings.client_id.clone());
        Ok(CoreClient::from_provider_metadata(CoreProviderMetadata::clone(&metadata), id, Some(secret))
            .set_auth_type(if posts { AuthType::RequestBody } else { AuthType::BasicAuth })
            .set_redirect_uri(back))
    }

    /// What the provider publishes of itself, its keys included. `anew`: what is known does not do.
    async fn metadata(&self, anew: bool) -> Option<Arc<CoreProviderMetadata>> {
        let now = self.0.clock.now();
        let mut known = self.0.known.lock().await;
        let fresh = known.metadata.as_ref().is_some_and(|(_, at)| now.since(*at) < FRESH);
        let may = known.tried.is_none_or(|at| now.since(at) >= PAUSE);
        if (anew || !fresh) && may {
            known.tried = Some(now);
            let asking = Asking(self.0.egress.clone());
            let found = CoreProviderMetadata::discover_async(self.0.issuer.clone(), &asking).await;
            if let Ok(found) = found {
                known.metadata = Some((Arc::new(found), now));
            } else {
                tracing::warn!("what the staff's identity provider publishes could not be read");
            }
        }
        known.metadata.as_ref().filter(|(_, at)| now.since(*at) < FRESH).map(|(found, _)| Arc::clone(found))
    }
}

fn place(tenant: &TenantId) -> Place {
    Place::new("oidc").with(tenant.as_str())
}

/// The fixed phrase for a token that does not hold.
fn why(error: &ClaimsVerificationError) -> NotVouched {
    NotVouched(match error {
        ClaimsVerificationError::Expired(_) => "the ID token has run out, or is not of now",
        ClaimsVerificationError::InvalidAudience(_) => "the ID token is for somebody else",
        ClaimsVerificationError::InvalidIssuer(_) => "the ID token is another issuer's",
        ClaimsVerificationError::InvalidNonce(_) => "the nonce is another",
        ClaimsVerificationError::SignatureVerification(_) => "the signature does not hold",
        _ => "the ID token does not hold",
    })
}
