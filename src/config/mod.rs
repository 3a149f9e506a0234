//! The configuration: one struct a concern, read once, from a TOML file and `VOUCHSAFE_…` variables over it.
//!
//! Promises: an unknown key is an error; a secret may stand in a file of its own (`…_FILE`); what is missing has a
//! default that works on one machine with nothing set up. Must never: be read again after the start.

mod error;
mod load;
mod staff;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use error::Error;
pub use staff::{SecondFactor, Staff, StaffOidc};

use crate::base::{Period, Secret};

/// All of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Config {
    /// Where pages and API are served.
    pub server: Server,
    /// Where data lie.
    pub data: Data,
    /// The databases.
    pub store: Store,
    /// The blobs.
    pub blobs: Blobs,
    /// The keys.
    pub keys: Keys,
    /// The ledger.
    pub ledger: LedgerSection,
    /// Letters.
    pub mail: Mail,
    /// Letters that come in.
    pub intake: IntakeSection,
    /// Rights requests.
    pub rights: Rights,
    /// Who makes edits, besides the studio.
    pub providers: Providers,
    /// Who else holds accounts of a tenant's people.
    pub recipients: Recipients,
    /// How staff prove who they are.
    pub staff: Staff,
    /// Identity providers of apps.
    pub tokens: Vec<TokenIssuer>,
}

/// Where pages and API are served.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Server {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// How the service is reached from outside: the start of every link, and what requests must be for.
    pub public_url: String,
    /// Development: sign-in links are shown instead of mailed, cookies travel without TLS, every page says so. Refused
    /// for a public URL that is not on this machine.
    pub development: bool,
    /// Reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// TLS of the service's own; without it, a proxy in front has to speak it.
    pub tls: Option<Tls>,
}

/// A certificate and its key, PEM.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// The chain, the service's own certificate first.
    pub certificate: PathBuf,
    /// The private key, mode 0600.
    pub private_key: PathBuf,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            public_url: "http://127.0.0.1:8080".to_owned(),
            development: false,
            trusted_proxies: Vec::new(),
            tls: None,
        }
    }
}

/// Where data lie.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Data {
    /// The data folder, mode 0700.
    pub folder: PathBuf,
    /// The policy documents.
    pub policies: PathBuf,
}

impl Default for Data {
    fn default() -> Self {
        Self { folder: "data".into(), policies: "policies".into() }
    }
}

/// The databases: SQLite files in the data folder, unless PostgreSQL is named for both.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Store {
    /// `postgres://…` of the main database.
    pub postgres: Option<Secret<String>>,
    /// `postgres://…` of the keystore: another database, backed up apart.
    pub keystore_postgres: Option<Secret<String>>,
    /// Most connections to each.
    pub connections: Option<u32>,
}

/// The blobs: a folder in the data folder, unless a bucket is named.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Blobs {
    /// A bucket that speaks S3.
    pub s3: Option<S3>,
}

/// A bucket that speaks S3.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3 {
    /// `cloudflare-r2`, `supabase` or `generic`.
    pub vendor: String,
    /// Its endpoint.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The region; `auto` for R2.
    pub region: Option<String>,
    /// The access key id.
    pub access_key_id: Secret<String>,
    /// The secret access key.
    pub secret_access_key: Secret<String>,
}

/// The keys.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Keys {
    /// Where seal key, epoch keys and ledger key lie; `keys` in the data folder unless named. On another volume than the
    /// data, in production.
    pub folder: Option<PathBuf>,
    /// The seal key itself, 64 hexadecimal digits, when it does not come from a file.
    pub seal: Option<Secret<String>>,
    /// A key in AWS KMS as seal.
    pub aws_kms: Option<AwsKms>,
    /// A transit key of HashiCorp Vault or `OpenBao` as seal.
    pub vault: Option<Transit>,
}

/// A key in AWS KMS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AwsKms {
    /// Its ARN or id.
    pub key_id: String,
    /// Its region.
    pub region: String,
    /// Another endpoint than the region's.
    pub endpoint: Option<String>,
    /// The access key id.
    pub access_key_id: Secret<String>,
    /// The secret access key.
    pub secret_access_key: Secret<String>,
    /// The session token, with temporary credentials.
    pub session_token: Option<Secret<String>>,
}

/// A key of a transit engine. Exactly one way to sign in: `token`, `token-path`, or `role-id` with `secret-id`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Transit {
    /// Where Vault is, `https://…`; plain HTTP on this machine only.
    pub address: String,
    /// Where the engine is mounted.
    #[serde(default = "transit")]
    pub mount: String,
    /// The key's name; made with `derived=true`.
    pub key: String,
    /// The namespace.
    pub namespace: Option<String>,
    /// A token.
    pub token: Option<Secret<String>>,
    /// A file that holds a token and that something else renews.
    pub token_path: Option<PathBuf>,
    /// A role's id.
    pub role_id: Option<Secret<String>>,
    /// A role's secret.
    pub secret_id: Option<Secret<String>>,
    /// Where the `AppRole` method is mounted.
    #[serde(default = "approle")]
    pub role_mount: String,
}

fn transit() -> String {
    "transit".to_owned()
}

fn approle() -> String {
    "approle".to_owned()
}

/// The ledger.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct LedgerSection {
    /// What the ledger is called in its checkpoints: a host and path without scheme; the public URL's unless named.
    pub origin: Option<String>,
    /// Those who watch it and sign what they saw.
    pub witnesses: Vec<WitnessSection>,
    /// How many of them must have signed the newest head that any of them signed, for `doctor` to be content.
    pub witnesses_needed: usize,
    /// Where the ledger is published as files, as it grows; `ledger` in the data folder unless named. Away from the
    /// database, in production: a restore needs it, and must never put back an older one.
    pub folder: Option<PathBuf>,
    /// Files with a checkpoint each that somebody else keeps, a witness or an auditor: a database older than one of them
    /// is not served.
    pub kept: Vec<PathBuf>,
}

/// Somebody who watches the ledger (C2SP tlog-witness).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WitnessSection {
    /// Where they are asked; `add-checkpoint` is appended.
    pub url: String,
    /// What they sign with: `name+id+base64`.
    pub key: String,
}

/// Letters.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Mail {
    /// The sender.
    pub from: String,
    /// The mail server; without one, letters are files ([`Config::letters_folder`]).
    pub smtp_host: Option<String>,
    /// Its port.
    pub smtp_port: u16,
    /// The name to log in with.
    pub smtp_user: Option<String>,
    /// The password to log in with.
    pub smtp_password: Option<Secret<String>>,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            from: "privacy@localhost".to_owned(),
            smtp_host: None,
            smtp_port: 587,
            smtp_user: None,
            smtp_password: None,
        }
    }
}

/// Letters that come in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct IntakeSection {
    /// The name server that is asked where a letter came from (DKIM, SPF, DMARC): `system`, `off`, or an address and port.
    pub dns: String,
}

impl Default for IntakeSection {
    fn default() -> Self {
        Self { dns: "system".to_owned() }
    }
}

/// Rights requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Rights {
    /// How long an erasure can be taken back, unless its owner waives it.
    pub grace: Period,
}

impl Default for Rights {
    fn default() -> Self {
        Self { grace: Period::hours(72) }
    }
}

/// Who makes edits, besides the studio. One that is not named here is not asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Providers {
    /// FAL.AI.
    pub fal: Option<FalAi>,
    /// Replicate.
    pub replicate: Option<ReplicateCom>,
    /// Most edits of one tenant that are at one provider at a time.
    pub at_once: u32,
    /// Most edits of one tenant that go to one provider in 24 hours: what a bill there can come to. No bound unless named.
    pub a_day: Option<u32>,
    /// What our address begins with as providers reach it, for their webhooks and for pictures that are too large to be
    /// sent along; `server.public-url` unless named. `none`: they are asked how things stand, and get what can be sent.
    pub callback_url: Option<String>,
}

impl Default for Providers {
    fn default() -> Self {
        Self { fal: None, replicate: None, at_once: 8, a_day: None, callback_url: None }
    }
}

/// FAL.AI.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FalAi {
    /// The key for edits.
    pub key: Secret<String>,
    /// The admin key: it deletes, and is used for nothing else. Without it nothing can be shown to be gone there.
    pub admin_key: Secret<String>,
    /// The account id that webhooks must name.
    pub user_id: Option<String>,
    /// A stand-in on this machine, instead of the service itself.
    pub base: Option<String>,
}

/// Replicate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReplicateCom {
    /// The API token.
    pub token: Secret<String>,
    /// The webhook secret, `whsec_…`; while two overlap, both, with a space between.
    pub webhook_secrets: Secret<String>,
    /// A stand-in on this machine, instead of the service itself.
    pub base: Option<String>,
}

/// Who else holds accounts of a tenant's people, by tenant: `recipients.stripe.<tenant>`. What is not named here is not
/// asked, and its data are in no archive and no erasure.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Recipients {
    /// Stripe accounts.
    pub stripe: BTreeMap<String, StripeCom>,
    /// Supabase projects.
    pub supabase: BTreeMap<String, SupabaseCom>,
}

/// A Stripe account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StripeCom {
    /// The key, best a restricted one: it reads and changes customers and what belongs to them.
    pub key: Secret<String>,
    /// The webhook secret, `whsec_…`; while two overlap, both, with a space between. Without one no message is taken.
    pub webhook_secrets: Option<Secret<String>>,
    /// Whether the account has redaction jobs (a preview that Stripe switches on). Without them a customer is deleted, and
    /// the payments stay there as long as the books must be kept.
    #[serde(default = "yes")]
    pub redaction: bool,
    /// A stand-in on this machine, instead of the service itself.
    pub base: Option<String>,
}

/// A Supabase project.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SupabaseCom {
    /// The project, `https://<ref>.supabase.co`; a stand-in on this machine may be plain HTTP.
    pub url: String,
    /// The secret key, `sb_secret_…`.
    pub secret_key: Secret<String>,
    /// Buckets in which the app keeps a person's things in a folder that bears their user id, with spaces between.
    #[serde(default)]
    pub buckets: String,
    /// A database function `(user_id uuid, user_email text)` that removes what Auth's log says of a user.
    pub log_cleaner: Option<String>,
}

fn yes() -> bool {
    true
}

/// An identity provider whose tokens are taken for a tenant's users (RFC 7519, RFC 7517).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenIssuer {
    /// The tenant.
    pub tenant: crate::base::TenantId,
    /// The `iss` claim.
    pub issuer: String,
    /// The `aud` claim.
    pub audience: String,
    /// A shared secret for HS256, at least 32 bytes.
    pub hs256_secret: Option<Secret<String>>,
    /// A JWK set, as a file. Its keys are RS256, ES256 or `EdDSA`.
    pub jwks_file: Option<PathBuf>,
    /// A JWK set where its owner publishes it, `https://<ref>.supabase.co/auth/v1/.well-known/jwks.json`: read when it is
    /// needed and again when it is ten minutes old.
    pub jwks_url: Option<String>,
    /// What the `role` claim must be, where the provider gives tokens to others than its users; for Supabase
    /// `authenticated`.
    pub role: Option<String>,
}

impl Config {
    /// The folder of the keys.
    pub fn keys_folder(&self) -> PathBuf {
        self.keys.folder.clone().unwrap_or_else(|| self.data.folder.join("keys"))
    }

    /// The folder in which the ledger is published.
    pub fn ledger_folder(&self) -> PathBuf {
        self.ledger.folder.clone().unwrap_or_else(|| self.data.folder.join("ledger"))
    }

    /// The folder of letters that no mail server takes: `outbox` in the data folder; in development `<data>-letters` beside
    /// it, for a letter that was sent has left the house. One folder for the service and every command: an erasure clears
    /// the one that the service writes to, and no other.
    pub fn letters_folder(&self) -> PathBuf {
        let data = &self.data.folder;
        if !self.server.development {
            return data.join("outbox");
        }
        let mut name = data.file_name().unwrap_or_default().to_owned();
        name.push("-letters");
        data.with_file_name(name)
    }

    /// A configuration for a data folder of its own: for tests, drills and demonstrations.
    pub fn throwaway(folder: &Path) -> Self {
        let mut config = Self::default();
        folder.clone_into(&mut config.data.folder);
        config.server.development = true;
        "off".clone_into(&mut config.intake.dns);
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_lie_beside_the_data_in_development_alone() {
        let mut config = Config::throwaway(Path::new("/srv/data"));
        assert_eq!(config.letters_folder(), Path::new("/srv/data-letters"));
        config.server.development = false;
        assert_eq!(config.letters_folder(), Path::new("/srv/data/outbox"));
    }
}
