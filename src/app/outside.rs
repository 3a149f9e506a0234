//! The providers that the configuration names, behind the one guarded way out.

use std::path::PathBuf;
use std::sync::Arc;

use url::{Host, Url};

use super::Error;
use crate::base::{Clock, Entropy, Secret, TenantId};
use crate::config::{self, Config, FalAi, ReplicateCom, StripeCom, SupabaseCom};
use crate::editing::{Outside, Way};
use crate::egress::{Egress, Names, is_public};
use crate::ledger::{Watching, Witnesses};
use crate::providers::{ErasureKey, Fal, FalConfig, Provider, Replicate, ReplicateConfig};
use crate::recipients::{Recipient, Stripe, StripeConfig, Supabase, SupabaseConfig};

const NOT_A_PLACE: config::Error =
    config::Error::Contradiction("providers: base is an address of a stand-in on this machine");

const NOT_A_WITNESS: config::Error = config::Error::Contradiction(
    "ledger.witnesses: url is https://… (or on this machine), key is what the witness handed out (name+id+base64)",
);
const NOT_A_WAY_BACK: config::Error =
    config::Error::Contradiction("providers: callback-url is an HTTPS address on the internet, or none");

/// Sets up what is named. Each provider can be called at its own hosts and nowhere else.
pub(super) fn providers(
    config: &Config,
    redrawer: Option<PathBuf>,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<Outside, Error> {
    let fal = config.providers.fal.as_ref().map(fal_config).transpose()?;
    let replicate = config.providers.replicate.as_ref().map(replicate_config).transpose()?;
    let mut recipients = Vec::new();
    if let Some(fal) = &fal {
        recipients.push(fal.recipient().map_err(|_| NOT_A_PLACE)?);
    }
    if let Some(replicate) = &replicate {
        recipients.push(replicate.recipient().map_err(|_| NOT_A_PLACE)?);
    }
    let egress = Egress::new(recipients, &Names::System, clock.clone()).map_err(|_| NOT_A_PLACE)?;
    let fal = match (fal, &config.providers.fal) {
        (Some(settings), Some(named)) => {
            let fal = Fal::new(settings, egress.clone(), clock.clone(), entropy.clone());
            Some(Way {
                provider: Arc::new(Provider::Fal(Box::new(fal))),
                erasure: Some(ErasureKey::new(named.admin_key.clone())),
                back: way_back(config, named.base.is_some())?,
            })
        }
        _ => None,
    };
    let replicate = match (replicate, &config.providers.replicate) {
        (Some(settings), Some(named)) => {
            let replicate = Replicate::new(settings, egress.clone(), clock.clone(), entropy.clone());
            Some(Way {
                provider: Arc::new(Provider::Replicate(Box::new(replicate))),
                erasure: None,
                back: way_back(config, named.base.is_some())?,
            })
        }
        _ => None,
    };
    Ok(Outside {
        fal,
        replicate,
        at_once: config.providers.at_once.max(1).into(),
        a_day: config.providers.a_day.map(Into::into),
        redrawer,
    })
}

/// Those who watch the ledger. Each can be asked at the address that the operator gave and nowhere else.
pub(super) fn witnesses(config: &Config, clock: &Clock) -> Result<Witnesses, Error> {
    let mut all = Vec::new();
    for one in &config.ledger.witnesses {
        let url = Url::parse(&one.url).map_err(|_| NOT_A_WITNESS)?;
        let key = one.key.trim().parse().map_err(|_| NOT_A_WITNESS)?;
        all.push(Watching { url, key });
    }
    Ok(Witnesses::new(all, clock.clone()).map_err(|_| NOT_A_WITNESS)?)
}

const NOT_A_TENANT: config::Error = config::Error::Contradiction("recipients: a tenant's name is not one");
const NOT_A_PROJECT: config::Error =
    config::Error::Contradiction("recipients.supabase: url is https://<ref>.supabase.co");

/// Sets up who else holds accounts of a tenant's people. Each can be called at its own host and nowhere else.
pub(super) fn recipients(config: &Config, clock: &Clock) -> Result<Vec<(TenantId, Recipient)>, Error> {
    let mut all = Vec::new();
    for (tenant, named) in &config.recipients.stripe {
        let tenant: TenantId = tenant.parse().map_err(|_| NOT_A_TENANT)?;
        let settings = stripe_config(named)?;
        let allowed = settings.recipient().map_err(|_| NOT_A_PLACE)?;
        let egress = Egress::new(vec![allowed], &Names::System, clock.clone()).map_err(|_| NOT_A_PLACE)?;
        let stripe = Stripe::new(settings, egress, clock.clone());
        all.push((tenant, Recipient::Stripe(Box::new(stripe))));
    }
    for (tenant, named) in &config.recipients.supabase {
        let tenant: TenantId = tenant.parse().map_err(|_| NOT_A_TENANT)?;
        let settings = supabase_config(named)?;
        let allowed = settings.recipient().map_err(|_| NOT_A_PROJECT)?;
        let egress = Egress::new(vec![allowed], &Names::System, clock.clone()).map_err(|_| NOT_A_PROJECT)?;
        let supabase = Supabase::new(settings, egress, clock.clone());
        all.push((tenant, Recipient::Supabase(Box::new(supabase))));
    }
    Ok(all)
}

fn stripe_config(named: &StripeCom) -> Result<StripeConfig, Error> {
    let secrets = named.webhook_secrets.as_ref().map(|s| s.expose().clone()).unwrap_or_default();
    let secrets = secrets.split_whitespace().map(|s| Secret::new(s.to_owned())).collect();
    let mut settings = StripeConfig::live(named.key.clone(), secrets).map_err(|_| NOT_A_PLACE)?;
    settings.redaction = named.redaction;
    if let Some(base) = base(named.base.as_deref())? {
        settings.api = base;
    }
    Ok(settings)
}

fn supabase_config(named: &SupabaseCom) -> Result<SupabaseConfig, Error> {
    let project = Url::parse(&named.url).map_err(|_| NOT_A_PROJECT)?;
    let mut settings = SupabaseConfig::new(project, named.secret_key.clone());
    settings.buckets = named.buckets.split_whitespace().map(ToOwned::to_owned).collect();
    settings.log_cleaner.clone_from(&named.log_cleaner);
    Ok(settings)
}

fn fal_config(named: &FalAi) -> Result<FalConfig, Error> {
    let key = named.key.clone();
    let mut settings = match base(named.base.as_deref())? {
        Some(base) => FalConfig::stand_in(key, &base),
        None => FalConfig::live(key),
    }
    .map_err(|_| NOT_A_PLACE)?;
    settings.user_id.clone_from(&named.user_id);
    Ok(settings)
}

fn replicate_config(named: &ReplicateCom) -> Result<ReplicateConfig, Error> {
    let secrets = named.webhook_secrets.expose().split_whitespace();
    let secrets: Vec<_> = secrets.map(|s| Secret::new(s.to_owned())).collect();
    let token = named.token.clone();
    Ok(match base(named.base.as_deref())? {
        Some(base) => ReplicateConfig::stand_in(token, secrets, &base),
        None => ReplicateConfig::live(token, secrets),
    }
    .map_err(|_| NOT_A_PLACE)?)
}

/// What our addresses begin with as a provider reaches them. The real ones call HTTPS on the internet and nothing else;
/// an address that they cannot reach is not given to them.
fn way_back(config: &Config, is_stand_in: bool) -> Result<Option<Url>, Error> {
    let named = config.providers.callback_url.as_deref();
    let text = match named {
        Some("none") => return Ok(None),
        Some(named) => named,
        None => &config.server.public_url,
    };
    let Ok(url) = Url::parse(text) else {
        return if named.is_some() { Err(NOT_A_WAY_BACK.into()) } else { Ok(None) };
    };
    let reached = is_stand_in || (url.scheme() == "https" && is_outside(&url));
    match (reached, named) {
        (true, _) => Ok(Some(url)),
        (false, Some(_)) => Err(NOT_A_WAY_BACK.into()),
        (false, None) => Ok(None),
    }
}

fn is_outside(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name.contains('.') && !name.ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => is_public(ip.into()),
        Some(Host::Ipv6(ip)) => is_public(ip.into()),
        None => false,
    }
}

/// A stand-in's address. Only on this machine: pictures are not sent somewhere else by a slip of the configuration.
fn base(text: Option<&str>) -> Result<Option<Url>, Error> {
    let Some(text) = text else { return Ok(None) };
    let url = Url::parse(text).map_err(|_| NOT_A_PLACE)?;
    let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if here { Ok(Some(url)) } else { Err(NOT_A_PLACE.into()) }
}
