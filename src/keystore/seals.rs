//! What wraps epoch keys: a key we hold, or a service that holds one for us and never gives it out.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Error, SealKey};
use crate::base::{Entropy, Timestamp};
use crate::crypto::{self, Fingerprint, Key, Place};

/// What a wrapped epoch key is bound to: unwrapping it for anything else fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The installation: its ledger's name. A key held here binds it by being this installation's alone.
    pub installation: String,
    /// The epoch's number.
    pub epoch: i64,
    /// When it began.
    pub since: Timestamp,
}

impl Binding {
    fn place(&self) -> Place {
        Place::new("epoch").number(self.epoch).number(self.since.micros())
    }
}

/// Why a seal did not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    /// No answer in time, or an answer that says "not now" (5xx, a sealed vault). Passes by itself.
    #[error("cannot be reached, or does not answer in time")]
    Unreachable,
    /// Too many calls. Passes by itself.
    #[error("answers that there are too many calls")]
    Throttled,
    /// The credentials are wrong, have run out, or may not do this.
    #[error("refuses access: look at its credentials and its policy")]
    Refused,
    /// There is no such key.
    #[error("has no such key")]
    NoSuchKey,
    /// The key is disabled, or waits for its deletion.
    #[error("has the key, but it is disabled or waits for its deletion")]
    KeyOff,
    /// The key is there, and is of a sort that would not do what is asked: signing, or no derivation.
    #[error(
        "has a key of that name, but not one that is fit for this: symmetric, for encryption, in Vault derived=true"
    )]
    Unfit,
    /// Not wrapped by this key, or for another installation or epoch, or altered.
    #[error("did not wrap this, or wrapped it for another installation or another epoch")]
    Foreign,
    /// What it answered is no answer to what was asked.
    #[error("answered what is no answer")]
    Answer,
    /// It is not in the configuration.
    #[error("is not in the configuration")]
    NotConfigured,
}

impl SealFault {
    /// Whether it may pass without anybody doing anything.
    pub fn passes(self) -> bool {
        matches!(self, Self::Unreachable | Self::Throttled)
    }
}

/// A service that wraps 256-bit keys under one that never leaves it. Tries again by itself, within a budget.
pub trait SealService: fmt::Debug + Send + Sync {
    /// Wraps a key. What it gives is text or bytes that only [`SealService::unwrap`] has to understand.
    fn wrap<'a>(&'a self, key: &'a Key, binding: &'a Binding) -> BoxFuture<'a, Result<Vec<u8>, SealFault>>;

    /// Unwraps one.
    fn unwrap<'a>(&'a self, wrapped: &'a [u8], binding: &'a Binding)
    -> BoxFuture<'a, Result<Key, SealFault>>;

    /// Wraps anew what it wrapped before, under the newest version of its key.
    fn rewrap<'a>(
        &'a self,
        wrapped: &'a [u8],
        binding: &'a Binding,
    ) -> BoxFuture<'a, Result<Vec<u8>, SealFault>>;

    /// Whether it can be reached and its key can be used.
    fn look(&self) -> BoxFuture<'_, Result<(), SealFault>>;
}

/// Which sort of seal: what an operator calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealKind {
    /// A key in a file that its owner alone can read.
    File,
    /// A key handed over at the start, by an environment or a secret store.
    Given,
    /// A key in AWS KMS.
    AwsKms,
    /// A key of a transit engine of HashiCorp Vault or `OpenBao`.
    Vault,
}

impl SealKind {
    /// Its name on the command line and in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Given => "environment",
            Self::AwsKms => "aws-kms",
            Self::Vault => "vault",
        }
    }
}

#[derive(Debug, Clone)]
enum By {
    Key(SealKey),
    Service(Arc<dyn SealService>),
}

/// One seal. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Seal {
    kind: SealKind,
    id: String,
    by: By,
}

impl Seal {
    /// A key that we hold. It is known by its fingerprint, wherever it came from.
    pub fn key(kind: SealKind, key: SealKey) -> Self {
        let known_by = Fingerprint::of(key.key().expose(), b"vouchsafe-seal-k").to_string();
        let id = format!("key:{}", known_by.get(..16).unwrap_or_default());
        Self { kind, id, by: By::Key(key) }
    }

    /// A service. `id` names the service and the key in it, without a space: it stands in the epoch files.
    pub fn service(kind: SealKind, id: &str, service: Arc<dyn SealService>) -> Self {
        Self { kind, id: id.split_whitespace().collect(), by: By::Service(service) }
    }

    /// Which sort.
    pub fn kind(&self) -> SealKind {
        self.kind
    }

    /// What it is called in the epoch files: `key:…`, `aws-kms:…`, `vault:…`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether it can be reached and used.
    pub async fn look(&self) -> Result<(), SealFault> {
        match &self.by {
            By::Key(_) => Ok(()),
            By::Service(service) => service.look().await,
        }
    }

    pub(super) async fn wrap(
        &self,
        key: &Key,
        binding: &Binding,
        entropy: &Entropy,
    ) -> Result<Vec<u8>, Error> {
        match &self.by {
            By::Key(seal) => Ok(crypto::seal(seal.key(), &binding.place(), key.expose(), entropy)),
            By::Service(service) => service.wrap(key, binding).await.map_err(|e| self.fault(e)),
        }
    }

    pub(super) async fn unwrap(&self, wrapped: &[u8], binding: &Binding) -> Result<Key, Error> {
        match &self.by {
            By::Key(seal) => Ok(Key::from_slice(&crypto::open(seal.key(), &binding.place(), wrapped)?)?),
            By::Service(service) => service.unwrap(wrapped, binding).await.map_err(|e| self.fault(e)),
        }
    }

    pub(super) async fn rewrap(
        &self,
        wrapped: &[u8],
        binding: &Binding,
        entropy: &Entropy,
    ) -> Result<Vec<u8>, Error> {
        match &self.by {
            By::Key(_) => self.wrap(&self.unwrap(wrapped, binding).await?, binding, entropy).await,
            By::Service(service) => service.rewrap(wrapped, binding).await.map_err(|e| self.fault(e)),
        }
    }

    fn fault(&self, fault: SealFault) -> Error {
        Error::Seal { seal: self.id.clone(), fault }
    }
}

/// The seals at hand. Any of them opens what it wrapped; which one wraps new epochs, the newest epoch says, and only
/// the very first asks here.
#[derive(Debug, Clone)]
pub struct Seals(Vec<Seal>);

impl Seals {
    /// These, the one for the very first epoch first.
    pub fn new(seals: Vec<Seal>) -> Self {
        Self(seals)
    }

    /// All of them.
    pub fn all(&self) -> &[Seal] {
        &self.0
    }

    /// The one of this name.
    pub fn by_id(&self, id: &str) -> Result<&Seal, Error> {
        self.0
            .iter()
            .find(|s| s.id == id)
            .ok_or_else(|| Error::Seal { seal: id.to_owned(), fault: SealFault::NotConfigured })
    }

    /// The one of this sort.
    pub fn of_kind(&self, kind: SealKind) -> Result<&Seal, Error> {
        self.0
            .iter()
            .find(|s| s.kind == kind)
            .ok_or_else(|| Error::Seal { seal: kind.name().to_owned(), fault: SealFault::NotConfigured })
    }

    pub(super) fn first(&self) -> Result<&Seal, Error> {
        self.0
            .first()
            .ok_or_else(|| Error::Seal { seal: "a seal".to_owned(), fault: SealFault::NotConfigured })
    }
}
