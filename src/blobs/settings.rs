//! Where blobs live: plain structs, filled in by whoever reads the configuration.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::error::Error;
use crate::base::Secret;

/// The folder of uploads that are not whole yet, beside the shards.
pub(super) const INCOMING: &str = "incoming";

/// Bytes of a file system that stay free for the databases on it.
pub const KEEP_FREE: u64 = 64 << 20;

/// Which store, and its particulars.
#[derive(Debug, Clone)]
pub enum Settings {
    /// A folder of this machine.
    Folder(FolderSettings),
    /// A bucket that speaks S3.
    S3(Box<S3Settings>),
    /// The memory of this process: for tests. Nothing survives a stop.
    Memory,
}

/// A folder as a store.
#[derive(Debug, Clone)]
pub struct FolderSettings {
    /// The folder; made, with its shards, if it is not there. Nothing else may live in it.
    pub root: PathBuf,
    /// Bytes of the file system that uploads must leave free, so that a full disk never keeps the databases on it from
    /// recording an erasure.
    pub keep_free: u64,
    /// Whether a blob is on the disk before it is acknowledged. `false` only to measure what that costs.
    pub sync: bool,
}

impl FolderSettings {
    /// The folder `root`, synced, leaving 64 MiB free.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), keep_free: KEEP_FREE, sync: true }
    }

    /// Where uploads lie until they are whole. Nothing there grows old.
    pub fn incoming(&self) -> PathBuf {
        self.root.join(INCOMING)
    }
}

/// Whose S3 it is. Each does something differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    /// Cloudflare R2: region `auto`; parts of one size; no versioning; `DeleteObjects` avoided for its checksum header.
    CloudflareR2,
    /// Supabase Storage: its endpoint ends with `/storage/v1/s3`; `If-None-Match` on a write is not honoured.
    Supabase,
    /// Anything else that speaks S3.
    Generic,
}

impl Vendor {
    /// Whether a write can be made conditional on the key being free.
    pub(super) fn conditional_writes(self) -> bool {
        !matches!(self, Self::Supabase)
    }

    /// Whether many keys are better deleted with one `DeleteObjects`.
    pub(super) fn bulk_delete(self) -> bool {
        matches!(self, Self::Generic)
    }

    /// Whether the bucket can be asked for versioning, object lock and lifecycle at all.
    pub(super) fn has_bucket_settings(self) -> bool {
        matches!(self, Self::Generic)
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CloudflareR2 => "Cloudflare R2",
            Self::Supabase => "Supabase Storage",
            Self::Generic => "S3",
        })
    }
}

/// A bucket as a store.
#[derive(Debug, Clone)]
pub struct S3Settings {
    /// Whose S3 it is.
    pub vendor: Vendor,
    /// `https://…`; plain `http` only to this machine.
    pub endpoint: String,
    /// The region; may be left out for R2 (`auto`).
    pub region: Option<String>,
    /// The bucket.
    pub bucket: String,
    /// What every key begins with: empty, or `[a-z0-9-_/]` ending in `/`.
    pub prefix: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: Secret<String>,
    /// The token of temporary credentials.
    pub session_token: Option<Secret<String>>,
    /// A body up to this long is one request; longer ones go in parts of exactly this length, at most 10,000 of them.
    /// 5 MiB to 5 GiB. One upload holds this much memory.
    pub part_bytes: usize,
    /// How long to wait for what.
    pub patience: Patience,
}

/// Time-outs and retries of one request to S3.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the first byte of an answer.
    pub read: Duration,
    /// For one attempt.
    pub attempt: Duration,
    /// For all attempts together.
    pub operation: Duration,
    /// Attempts, the first included. A budget of tokens shared by all requests limits retries further.
    pub attempts: u32,
    /// The first pause between attempts; the next doubles, with jitter, up to ten times this.
    pub backoff: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_mins(1),
            attempt: Duration::from_mins(2),
            operation: Duration::from_mins(5),
            attempts: 4,
            backoff: Duration::from_millis(500),
        }
    }
}

/// The smallest part S3 takes, except as the last.
pub(super) const MIN_PART: usize = 5 << 20;

impl S3Settings {
    /// A bucket with the usual part size (8 MiB), time-outs and no prefix.
    pub fn new(vendor: Vendor, endpoint: &str, bucket: &str, id: &str, secret: Secret<String>) -> Self {
        Self {
            vendor,
            endpoint: endpoint.to_owned(),
            region: None,
            bucket: bucket.to_owned(),
            prefix: String::new(),
            access_key_id: id.to_owned(),
            secret_access_key: secret,
            session_token: None,
            part_bytes: 8 << 20,
            patience: Patience::default(),
        }
    }

    /// The region to sign for.
    pub(super) fn signing_region(&self) -> Result<String, Error> {
        match (&self.region, self.vendor) {
            (Some(region), _) if !region.is_empty() => Ok(region.clone()),
            (_, Vendor::CloudflareR2) => Ok("auto".to_owned()),
            (_, Vendor::Supabase | Vendor::Generic) => Err(bad("region is missing")),
        }
    }

    /// The host of the endpoint, for people.
    pub(super) fn host(&self) -> &str {
        let rest = self.endpoint.split_once("://").map_or(self.endpoint.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// Says what cannot work before anything is tried.
    pub fn validate(&self) -> Result<(), Error> {
        let (scheme, rest) = self.endpoint.split_once("://").ok_or_else(|| bad("endpoint is not a URL"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.is_empty() || authority.contains(['@', '?', '#']) || path.contains(['?', '#']) {
            return Err(bad("endpoint must be scheme, host and path, nothing more"));
        }
        let name = authority.rsplit_once(':').map_or(authority, |(name, _)| name);
        let local = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
        if scheme != "https" && !(scheme == "http" && local) {
            return Err(bad("endpoint must be https (http only to this machine)"));
        }
        let path = path.trim_end_matches('/');
        match self.vendor {
            Vendor::CloudflareR2 if !local && !name.ends_with(".r2.cloudflarestorage.com") => {
                return Err(bad("the endpoint of R2 is https://<account>.r2.cloudflarestorage.com"));
            }
            Vendor::CloudflareR2 if !path.is_empty() => {
                return Err(bad("the bucket of R2 belongs into bucket, not into endpoint"));
            }
            Vendor::Supabase if !local && !path.ends_with("storage/v1/s3") => {
                return Err(bad("the endpoint of Supabase Storage ends with /storage/v1/s3"));
            }
            _ => {}
        }
        let word = |s: &str| s.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'));
        if self.bucket.is_empty() || !word(&self.bucket) {
            return Err(bad("bucket is missing or not [a-z0-9._-]"));
        }
        let segments_fine = self.prefix.split('/').all(|s| word(s) && s != "." && s != "..");
        let shape = self.prefix.is_empty() || (self.prefix.ends_with('/') && !self.prefix.starts_with('/'));
        if !shape || !segments_fine || self.prefix.len() > 200 || self.prefix.contains("//") {
            return Err(bad("prefix must be empty, or [a-z0-9._-/] ending in /"));
        }
        if self.access_key_id.is_empty() || self.secret_access_key.expose().is_empty() {
            return Err(bad("credentials are missing"));
        }
        if !(MIN_PART..=5 << 30).contains(&self.part_bytes) {
            return Err(bad("part_bytes must be 5 MiB to 5 GiB"));
        }
        self.signing_region().map(drop)
    }
}

fn bad(text: &str) -> Error {
    Error::Settings(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn r2() -> S3Settings {
        let endpoint = "https://0123.eu.r2.cloudflarestorage.com";
        S3Settings::new(Vendor::CloudflareR2, endpoint, "images", "id", "secret".to_owned().into())
    }

    #[test]
    fn each_vendor_is_held_to_its_own_rules() {
        r2().validate().unwrap();
        assert_eq!(r2().signing_region().unwrap(), "auto");
        let supabase = "https://abc.storage.supabase.co/storage/v1/s3".to_owned();
        let mut s = S3Settings { vendor: Vendor::Supabase, endpoint: supabase, ..r2() };
        assert!(s.validate().is_err(), "no region");
        s.region = Some("eu-central-1".to_owned());
        s.validate().unwrap();
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        type Change = fn(&mut S3Settings);
        let changes: [(&str, Change); 10] = [
            ("plain http", |s| s.endpoint = "http://0123.r2.cloudflarestorage.com".to_owned()),
            ("not a URL", |s| s.endpoint = "images".to_owned()),
            ("password in it", |s| s.endpoint = "https://a:b@x.r2.cloudflarestorage.com".to_owned()),
            ("someone else", |s| s.endpoint = "https://example.com".to_owned()),
            ("bucket in path", |s| s.endpoint.push_str("/images")),
            ("no bucket", |s| s.bucket.clear()),
            ("climbing prefix", |s| s.prefix = "../".to_owned()),
            ("prefix without slash", |s| s.prefix = "a".to_owned()),
            ("small parts", |s| s.part_bytes = 1 << 20),
            ("no secret", |s| s.secret_access_key = String::new().into()),
        ];
        for (what, change) in changes {
            let mut s = r2();
            change(&mut s);
            assert!(matches!(s.validate(), Err(Error::Settings(_))), "{what}");
        }
        let mut local = r2();
        local.endpoint = "http://127.0.0.1:9000".to_owned();
        local.validate().unwrap();
    }
}
