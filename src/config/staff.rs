use serde::Deserialize;

use super::{Config, Error};
use crate::base::Secret;

/// How staff prove who they are.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Staff {
    /// Whether a second factor is asked for; `required` unless the service is in development.
    pub second_factor: Option<SecondFactor>,
    /// An identity provider of the house's own, by which its staff may sign in instead of by a link.
    pub oidc: Option<StaffOidc>,
}

/// Whether staff must have a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondFactor {
    /// Nobody gets to the desk without one.
    Required,
    /// The link, or the identity provider, suffices.
    Off,
}

/// An identity provider that speaks `OpenID` Connect.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StaffOidc {
    /// Its issuer, as it calls itself: `/.well-known/openid-configuration` is read below it.
    pub issuer: String,
    /// What we are called there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: Secret<String>,
    /// Other hosts where its endpoints and keys lie, with spaces between; the issuer's own needs no mention.
    #[serde(default)]
    pub hosts: String,
    /// Words of the `amr` claim (RFC 8176) that stand for a second factor, with spaces between: `mfa otp hwk`.
    #[serde(default)]
    pub second_factor_amr: String,
    /// Values of the `acr` claim that stand for a second factor, with spaces between.
    #[serde(default)]
    pub second_factor_acr: String,
    /// What the provider is called on the button.
    #[serde(default = "provider")]
    pub name: String,
}

fn provider() -> String {
    "your organisation".to_owned()
}

impl Config {
    /// Whether staff must prove themselves by a second factor.
    pub fn second_factor_required(&self) -> bool {
        match self.staff.second_factor {
            Some(SecondFactor::Required) => true,
            Some(SecondFactor::Off) => false,
            None => !self.server.development,
        }
    }

    pub(super) fn check_staff(&self) -> Result<(), Error> {
        let Some(oidc) = &self.staff.oidc else { return Ok(()) };
        let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        if !oidc.issuer.starts_with("https://") && !here.iter().any(|start| oidc.issuer.starts_with(start)) {
            return Err(Error::Contradiction(
                "staff.oidc.issuer must begin with https://, or be on this machine",
            ));
        }
        if oidc.client_id.is_empty() || oidc.client_secret.expose().is_empty() {
            return Err(Error::Contradiction("staff.oidc needs client-id and client-secret"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<Config, Error> {
        let all: BTreeMap<_, _> =
            pairs.iter().map(|(k, v)| (format!("VOUCHSAFE_{k}"), (*v).to_owned())).collect();
        Config::load(None, &all)
    }

    #[test]
    fn a_second_factor_is_required_but_in_development() {
        const URL: (&str, &str) = ("SERVER__PUBLIC_URL", "https://a.example");
        const DEV: (&str, &str) = ("SERVER__DEVELOPMENT", "true");
        assert!(load(&[URL]).unwrap().second_factor_required());
        assert!(!load(&[DEV]).unwrap().second_factor_required());
        assert!(!load(&[URL, ("STAFF__SECOND_FACTOR", "off")]).unwrap().second_factor_required());
        assert!(load(&[DEV, ("STAFF__SECOND_FACTOR", "required")]).unwrap().second_factor_required());
        assert!(load(&[DEV, ("STAFF__SECOND_FACTOR", "maybe")]).is_err());
    }

    #[test]
    fn an_identity_provider_is_named_whole_and_reached_safely() {
        const DEV: (&str, &str) = ("SERVER__DEVELOPMENT", "true");
        const ID: (&str, &str) = ("STAFF__OIDC__CLIENT_ID", "desk");
        const SECRET: (&str, &str) = ("STAFF__OIDC__CLIENT_SECRET", "not to be seen");
        const ISSUER: &str = "STAFF__OIDC__ISSUER";
        let config = load(&[DEV, ID, SECRET, (ISSUER, "https://login.example")]).unwrap();
        assert!(!format!("{config:?}").contains("not to be seen"));
        assert!(load(&[DEV, ID, SECRET, (ISSUER, "http://127.0.0.1:1")]).is_ok());
        for (issuer, id) in
            [("http://login.example", ID), ("https://login.example", ("STAFF__OIDC__CLIENT_ID", ""))]
        {
            assert!(load(&[DEV, id, SECRET, (ISSUER, issuer)]).is_err(), "{issuer}");
        }
        assert!(load(&[DEV, ID, (ISSUER, "https://login.example")]).is_err());
    }
}
