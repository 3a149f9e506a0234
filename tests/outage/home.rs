//! An installation on a disk: its configuration, its port, the key of its app.

use std::fs;
use std::path::PathBuf;

use chrono::TimeDelta;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;
use vouchsafe::base::{Clock, Secret};
use vouchsafe::config::{Config, TokenIssuer};

use super::disk::Disk;
use super::program::{Service, command};
use crate::support::source;

pub(super) const TENANT: &str = "flux-kontext";
pub(super) const ISSUER: &str = "https://login.example";
const SHARED: &str = "a secret that an app and this service share";

/// An installation.
pub(super) struct Home {
    pub(super) disk: Disk,
    /// Whether the service feels what the disk does. Without that it runs as anybody's does.
    pub(super) felt: bool,
    pub(super) port: u16,
}

impl Home {
    /// One that was never started.
    pub(super) fn new(disk: Disk, felt: bool) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let home = Self { disk, felt, port };
        let policies = source::root().join("policies");
        let text = format!(
            "[data]\npolicies = {policies:?}\n\n[[tokens]]\ntenant = {TENANT:?}\nissuer = {ISSUER:?}\n\
             audience = \"vouchsafe\"\nhs256-secret = {SHARED:?}\n",
        );
        fs::write(home.config_file(), text).unwrap();
        home
    }

    pub(super) fn data(&self) -> PathBuf {
        self.disk.root().join("data")
    }

    pub(super) fn config_file(&self) -> PathBuf {
        self.disk.root().with_file_name("vouchsafe.toml")
    }

    pub(super) fn log_file(&self) -> PathBuf {
        self.disk.root().with_file_name("log")
    }

    /// The configuration, for looking at what was left behind when no service runs.
    pub(super) fn config(&self) -> Config {
        let mut config = Config::throwaway(&self.data());
        config.data.policies = source::root().join("policies");
        config.ledger.origin = Some("127.0.0.1:8080/ledger".to_owned());
        config.tokens = vec![TokenIssuer {
            tenant: TENANT.parse().unwrap(),
            issuer: ISSUER.to_owned(),
            audience: "vouchsafe".to_owned(),
            hs256_secret: Some(Secret::new(SHARED.to_owned())),
            jwks_file: None,
            jwks_url: None,
            role: None,
        }];
        config
    }

    /// Starts the service; what it said last, if it did not start.
    pub(super) async fn start(&self) -> Result<Service, String> {
        Service::start(self).await
    }

    /// Calls the program for something else than serving, beside the service or without it.
    pub(super) async fn run(&self, arguments: &[&str]) -> (bool, String) {
        let done = command(self).args(arguments).output().await.unwrap();
        (done.status.success(), format!("{}{}", text(&done.stdout), text(&done.stderr)))
    }

    /// A key for the tenant's app.
    pub(super) async fn api_key(&self) -> String {
        let (config, data) = (self.config_file(), self.data());
        let place = ["--dev", "--config", config.to_str().unwrap(), "--data", data.to_str().unwrap()];
        let asked = ["api-key", "create", "--tenant", TENANT, "--scopes", "accounts,credits"];
        let (done, said) = self.run(&[&asked[..], &place].concat()).await;
        assert!(done, "{said}");
        said.split_whitespace().find(|word| word.starts_with("vsk_")).unwrap().to_owned()
    }
}

/// A token of the identity provider for the one it calls `login`.
pub(super) fn token(login: &str) -> String {
    let now = Clock::system().now().micros() / 1_000_000;
    let until = now + TimeDelta::hours(12).num_seconds();
    let claims = json!({ "iss": ISSUER, "aud": "vouchsafe", "sub": login, "iat": now, "exp": until });
    encode(&Header::default(), &claims, &EncodingKey::from_secret(SHARED.as_bytes())).unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
