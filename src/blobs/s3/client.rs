//! The S3 client, set up by hand: nothing is taken from the environment, files or metadata services of the machine.

use aws_sdk_s3::config::interceptors::InterceptorContext;
use aws_sdk_s3::config::retry::{ClassifyRetry, RetryAction, RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::blobs::error::Error;
use crate::blobs::settings::S3Settings;

/// Tokens that retries of all requests share; one costs 5 (10 after a time-out), a success gives one back. While a
/// store is down, retries stop after about fifty.
const RETRY_BUDGET: usize = 250;

/// Has the SDK wait and try again after 429. R2 answers so beyond one write a second to a key, Supabase when its database
/// is out of connections; the SDK knows throttling by codes that neither of them uses.
#[derive(Debug)]
struct Throttled;

impl ClassifyRetry for Throttled {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().map(|answer| answer.status().as_u16()) {
            Some(429) => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "too many requests"
    }
}

/// Builds the client of one bucket.
pub(super) fn client(settings: &S3Settings) -> Result<aws_sdk_s3::Client, Error> {
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
        .with_max_backoff(patience.backoff.saturating_mul(10));
    let budget = TokenBucket::builder().capacity(RETRY_BUDGET).success_reward(1.0).build();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(patience.connect)
        .read_timeout(patience.read)
        .operation_attempt_timeout(patience.attempt)
        .operation_timeout(patience.operation)
        .build();
    let stalled =
        StalledStreamProtectionConfig::enabled().upload_enabled(true).grace_period(patience.read).build();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .endpoint_url(settings.endpoint.trim_end_matches('/'))
        .region(Region::new(settings.signing_region()?))
        .credentials_provider(credentials)
        .force_path_style(true)
        // The SDK's own default adds checksum headers and trailers that R2 and Supabase refuse or ignore. Every body is
        // in memory and signed with its SHA-256, which the store verifies.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_config(retry)
        .retry_classifier(Throttled)
        .retry_partition(RetryPartition::custom("blobs").token_bucket(budget).build())
        .timeout_config(timeouts)
        .stalled_stream_protection(stalled)
        .build();
    Ok(aws_sdk_s3::Client::from_conf(config))
}
