//! The providers that the configuration names, behind the one guarded way out.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use super::Error;
use crate::base::{Clock, Entropy, Secret};
use crate::config::{self, Config, FalAi, ReplicateCom};
use crate::editing::Outside;
use crate::egress::{Egress, Names};
use crate::providers::{ErasureKey, Fal, FalConfig, Provider, Replicate, ReplicateConfig};

const NOT_A_PLACE: config::Error =
    config::Error::Contradiction("providers: base is an address of a stand-in on this machine");

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
    let fal = fal.map(|settings| {
        let fal = Fal::new(settings, egress.clone(), clock.clone(), entropy.clone());
        let key = config.providers.fal.as_ref().map(|c| ErasureKey::new(c.admin_key.clone()));
        (Arc::new(Provider::Fal(Box::new(fal))), key)
    });
    let replicate = replicate.map(|settings| {
        let replicate = Replicate::new(settings, egress.clone(), clock.clone(), entropy.clone());
        Arc::new(Provider::Replicate(Box::new(replicate)))
    });
    Ok(Outside {
        fal,
        replicate,
        hooks: Url::parse(&config.server.public_url).ok(),
        at_once: config.providers.at_once.max(1).into(),
        redrawer,
    })
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

/// A stand-in's address. Only on this machine: pictures are not sent somewhere else by a slip of the configuration.
fn base(text: Option<&str>) -> Result<Option<Url>, Error> {
    let Some(text) = text else { return Ok(None) };
    let url = Url::parse(text).map_err(|_| NOT_A_PLACE)?;
    let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if here { Ok(Some(url)) } else { Err(NOT_A_PLACE.into()) }
}
