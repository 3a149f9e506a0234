//! AWS KMS: JSON 1.1 over HTTPS, signed with SigV4, through the SDK. Set up by hand: nothing is taken from the
//! environment, files or metadata services of the machine.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_kms::Client;
use aws_sdk_kms::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_kms::config::timeout::TimeoutConfig;
use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{KeySpec, KeyState, KeyUsageType};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use zeroize::Zeroizing;

use super::Patience;
use crate::base::Secret;
use crate::crypto::Key;
use crate::keystore::{Binding, Seal, SealFault, SealKind, SealService};

/// Tokens that retries share; one costs 5 (10 after a time-out). While KMS is down, retries stop after about twenty.
const RETRY_BUDGET: usize = 100;

/// A key in KMS, and how to get at it.
#[derive(Debug, Clone)]
pub struct KmsSettings {
    /// The key: its ARN or id. An alias works until it is pointed elsewhere.
    pub key_id: String,
    /// The region.
    pub region: String,
    /// Another endpoint than the region's: a VPC's, a FIPS one.
    pub endpoint: Option<String>,
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret<String>,
    /// The session token, with temporary credentials.
    pub session_token: Option<Secret<String>>,
    /// How long it is waited for.
    pub patience: Patience,
}

/// A seal over a KMS key. Calls `Encrypt`, `Decrypt` and `DescribeKey`; the encryption context of the first two is
/// `vouchsafe:installation` and `vouchsafe:epoch`, which a key policy may insist on.
pub fn kms(settings: &KmsSettings) -> Seal {
    let id = format!("aws-kms:{}", settings.key_id);
    let kms = Kms { client: client(settings), key: settings.key_id.clone() };
    Seal::service(SealKind::AwsKms, &id, Arc::new(kms))
}

#[derive(Debug)]
struct Kms {
    client: Client,
    key: String,
}

fn client(settings: &KmsSettings) -> Client {
    let patience = settings.patience;
    let http =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let credentials = Credentials::new(
        settings.access_key_id.clone(),
        settings.secret_access_key.expose().clone(),
        settings.session_token.as_ref().map(|token| token.expose().clone()),
        None,
        "settings",
    );
    let retry = RetryConfig::standard()
        .with_max_attempts(patience.attempts.max(1))
        .with_initial_backoff(patience.backoff)
        .with_max_backoff(patience.backoff.saturating_mul(8));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(patience.attempt)
        .operation_attempt_timeout(patience.attempt)
        .operation_timeout(patience.total)
        .build();
    let budget = TokenBucket::builder().capacity(RETRY_BUDGET).success_reward(1.0).build();
    let mut config = aws_sdk_kms::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .region(Region::new(settings.region.clone()))
        .credentials_provider(credentials)
        .retry_config(retry)
        .retry_partition(RetryPartition::custom("seal").token_bucket(budget).build())
        .timeout_config(timeouts);
    if let Some(endpoint) = &settings.endpoint {
        config = config.endpoint_url(endpoint.trim_end_matches('/'));
    }
    Client::from_conf(config.build())
}

/// What KMS authenticates with the key, and writes into its own audit trail: no personal data.
fn context(binding: &Binding) -> HashMap<String, String> {
    HashMap::from([
        ("vouchsafe:installation".to_owned(), binding.installation.clone()),
        ("vouchsafe:epoch".to_owned(), binding.epoch.to_string()),
    ])
}

impl SealService for Kms {
    fn wrap<'a>(&'a self, key: &'a Key, binding: &'a Binding) -> BoxFuture<'a, Result<Vec<u8>, SealFault>> {
        async move {
            let asked =
                self.client.encrypt().key_id(&self.key).set_encryption_context(Some(context(binding)));
            let done = asked.plaintext(Blob::new(key.expose().as_slice())).send().await;
            let wrapped = done.map_err(|e| fault(&e))?.ciphertext_blob;
            wrapped.map(Blob::into_inner).filter(|w| !w.is_empty()).ok_or(SealFault::Answer)
        }
        .boxed()
    }

    fn unwrap<'a>(
        &'a self,
        wrapped: &'a [u8],
        binding: &'a Binding,
    ) -> BoxFuture<'a, Result<Key, SealFault>> {
        async move {
            let asked =
                self.client.decrypt().key_id(&self.key).set_encryption_context(Some(context(binding)));
            let done = asked.ciphertext_blob(Blob::new(wrapped)).send().await;
            let plain = done.map_err(|e| fault(&e))?.plaintext.ok_or(SealFault::Answer)?;
            Key::from_slice(&Zeroizing::new(plain.into_inner())).map_err(|_| SealFault::Answer)
        }
        .boxed()
    }

    fn rewrap<'a>(
        &'a self,
        wrapped: &'a [u8],
        binding: &'a Binding,
    ) -> BoxFuture<'a, Result<Vec<u8>, SealFault>> {
        // KMS's own `ReEncrypt` would need two more permissions for what happens once in years.
        async move { self.wrap(&self.unwrap(wrapped, binding).await?, binding).await }.boxed()
    }

    fn look(&self) -> BoxFuture<'_, Result<(), SealFault>> {
        async move {
            let done = self.client.describe_key().key_id(&self.key).send().await;
            let key = done.map_err(|e| fault(&e))?.key_metadata.ok_or(SealFault::Answer)?;
            let fit = key.key_usage == Some(KeyUsageType::EncryptDecrypt)
                && key.key_spec == Some(KeySpec::SymmetricDefault);
            match key.key_state {
                _ if !fit => Err(SealFault::Unfit),
                Some(KeyState::Enabled) => Ok(()),
                Some(KeyState::Creating | KeyState::Updating | KeyState::Unavailable) => {
                    Err(SealFault::Unreachable)
                }
                _ => Err(SealFault::KeyOff),
            }
        }
        .boxed()
    }
}

/// What went wrong, in our words: those of KMS may name the key's owner and policy.
fn fault<E: ProvideErrorMetadata>(error: &SdkError<E>) -> SealFault {
    let status = match error {
        SdkError::ServiceError(e) => e.raw().status().as_u16(),
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => return SealFault::Unreachable,
        SdkError::ResponseError(e) => e.raw().status().as_u16(),
        _ => return SealFault::Answer,
    };
    match error.code().unwrap_or_default() {
        "InvalidCiphertextException" | "IncorrectKeyException" => SealFault::Foreign,
        "NotFoundException" => SealFault::NoSuchKey,
        "DisabledException" | "KMSInvalidStateException" => SealFault::KeyOff,
        "InvalidKeyUsageException" => SealFault::Unfit,
        "ThrottlingException" | "Throttling" | "LimitExceededException" => SealFault::Throttled,
        "KeyUnavailableException" | "DependencyTimeoutException" | "KMSInternalException" => {
            SealFault::Unreachable
        }
        "AccessDeniedException"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => SealFault::Refused,
        _ => by_status(status),
    }
}

/// What a status says when the body does not.
pub(super) fn by_status(status: u16) -> SealFault {
    match status {
        429 => SealFault::Throttled,
        401 | 403 => SealFault::Refused,
        404 => SealFault::NoSuchKey,
        500..=599 => SealFault::Unreachable,
        _ => SealFault::Answer,
    }
}
