//! Replicate: predictions, files, webhooks, and seeing that things are gone there.
//!
//! Promises: a picture goes inside the request when it is small, as an upload under the job's pseudonym otherwise, and
//! uploads are deleted; the token goes to the API only, never to the hosts of results; erasure is believed when the
//! prediction itself says `data_removed`. Must never: send a create twice, or trust a result's link.

mod erase;
mod files;
mod hook;
mod submit;
mod wire;

use std::time::Duration;

use crate::base::{Clock, Entropy, Secret};
use crate::egress::{Call, CallLog, Egress, EgressError, Method, Recipient, Reply, Url};

use super::fal::Endpoints;
use super::line::{Line, Wanted, read};
use super::model::{is_id, join};
use super::{Cancelled, Failure, Handle, Model, Output, ProviderError, State};
use wire::Prediction;

/// Where Replicate is and how it is to be used.
#[derive(Debug, Clone)]
pub struct ReplicateConfig {
    /// The name under which it stands in the document's list of processors.
    pub recipient: String,
    /// The API token.
    pub token: Secret<String>,
    /// The API, with its version.
    pub api: Url,
    /// A further base URL for results, for a stand-in; the real ones come from `replicate.delivery` and below.
    pub media: Option<Url>,
    /// The models: `owner/name`, or `owner/name:version` to pin one. The combined ones take exactly two pictures.
    pub models: Endpoints,
    /// How many seconds a create may wait for its result, 1 to 60; 0 does not wait. Where a webhook tells of the end, it
    /// waits one second at most: the answer with the job's id is what may not be lost.
    pub wait: u8,
    /// Seconds after which a prediction is stopped there, at least 5.
    pub cancel_after: u32,
    /// The most bytes of a picture that is sent inside the request; a larger one is uploaded, and deleted afterwards.
    pub inline_input: usize,
    /// The most bytes of a result.
    pub at_most: u64,
    /// The webhook secrets (`whsec_…`): the present one, and the last one while they overlap.
    pub webhook_secrets: Vec<Secret<String>>,
    /// The wait before the first repetition of a read.
    pub pause: Duration,
}

impl ReplicateConfig {
    /// The real service, under the recipient name `replicate`.
    pub fn live(token: Secret<String>, webhook_secrets: Vec<Secret<String>>) -> Result<Self, EgressError> {
        Ok(Self {
            recipient: "replicate".to_owned(),
            token,
            api: Url::parse("https://api.replicate.com/v1").map_err(|_| EgressError::BadUrl)?,
            media: None,
            models: Endpoints {
                pro: "black-forest-labs/flux-kontext-pro".to_owned(),
                max: "black-forest-labs/flux-kontext-max".to_owned(),
                pro_multi: "flux-kontext-apps/multi-image-kontext-pro".to_owned(),
                max_multi: "flux-kontext-apps/multi-image-kontext-max".to_owned(),
            },
            wait: 5,
            cancel_after: 300,
            inline_input: 256 << 10,
            at_most: 32 << 20,
            webhook_secrets,
            pause: Duration::from_millis(200),
        })
    }

    /// A stand-in that serves everything under one base URL.
    pub fn stand_in(
        token: Secret<String>,
        webhook_secrets: Vec<Secret<String>>,
        base: &Url,
    ) -> Result<Self, EgressError> {
        let mut config = Self::live(token, webhook_secrets)?;
        config.api = join(base, &["v1"]);
        config.media = Some(base.clone());
        Ok(config)
    }

    /// The places that the egress client must allow.
    pub fn recipient(&self) -> Result<Recipient, EgressError> {
        let recipient = Recipient::named(&self.recipient)
            .host("replicate.delivery")
            .under("replicate.delivery")
            .base(&self.api)?;
        match &self.media {
            Some(media) => recipient.base(media),
            None => Ok(recipient),
        }
    }
}

/// Replicate.
#[derive(Debug)]
pub struct Replicate {
    config: ReplicateConfig,
    line: Line,
    clock: Clock,
    entropy: Entropy,
}

impl Replicate {
    /// A client over `egress`, which must allow [`ReplicateConfig::recipient`].
    pub fn new(config: ReplicateConfig, egress: Egress, clock: Clock, entropy: Entropy) -> Self {
        let line = Line::new(egress, clock.clone(), entropy.clone(), &config.recipient, config.pause);
        Self { config, line, clock, entropy }
    }

    /// How the prediction stands.
    pub async fn poll(&self, handle: &Handle, log: &CallLog) -> Result<State, ProviderError> {
        Ok(self.prediction(&handle.id, log).await?.map_or(State::Gone, |p| p.state()))
    }

    /// Fetches the result, up to `most` pictures, and notes in `handle` where it lies. It can be had for an hour.
    pub async fn result(
        &self,
        handle: &mut Handle,
        most: usize,
        log: &CallLog,
    ) -> Result<Output, ProviderError> {
        let prediction = self.prediction(&handle.id, log).await?.ok_or(ProviderError::Gone)?;
        match prediction.state() {
            State::Done => {}
            State::Failed(failure) => return Err(ProviderError::Refused(failure)),
            State::Gone => return Err(ProviderError::Gone),
            State::Queued(_) | State::Running => {
                return Err(ProviderError::Garbled("result before its time"));
            }
        }
        let outputs = prediction.outputs().ok_or(ProviderError::Garbled("result"))?;
        let outputs: Vec<_> = outputs.into_iter().map(|url| (url, false)).collect();
        let wanted = Wanted { most, at_most: self.config.at_most };
        let (pictures, missing) = self.line.pictures(&outputs, handle, wanted, log).await?;
        Ok(Output { pictures, seed: prediction.seed(), missing })
    }

    /// Asks for the prediction to be stopped.
    pub async fn cancel(&self, handle: &Handle, log: &CallLog) -> Result<Cancelled, ProviderError> {
        let url = join(&self.config.api, &["predictions", id(handle)?, "cancel"]);
        let post = || self.keyed(Method::POST, &url, "/predictions/{id}/cancel");
        let reply = self.line.repeat(post, log).await?;
        match reply.status {
            200..300 => {
                let state = read::<Prediction>(&reply, "cancel")?.state();
                Ok(match state {
                    State::Done | State::Failed(Failure::Fault) => Cancelled::TooLate,
                    _ => Cancelled::Requested,
                })
            }
            404 => Ok(Cancelled::NotThere),
            403 => Err(ProviderError::Unauthorised),
            400..500 => Ok(Cancelled::TooLate),
            _ => Err(ProviderError::Unavailable),
        }
    }

    /// The prediction; `None` if Replicate does not know it.
    async fn prediction(&self, name: &str, log: &CallLog) -> Result<Option<Prediction>, ProviderError> {
        if !is_id(name) {
            return Err(ProviderError::Invalid("not a prediction id"));
        }
        let url = join(&self.config.api, &["predictions", name]);
        let reply = self.line.repeat(|| self.keyed(Method::GET, &url, "/predictions/{id}"), log).await?;
        match reply.status {
            200 => {
                let prediction: Prediction = read(&reply, "prediction")?;
                if prediction.id == name {
                    Ok(Some(prediction))
                } else {
                    Err(ProviderError::Garbled("prediction"))
                }
            }
            404 => Ok(None),
            status => Err(unexpected(status)),
        }
    }

    /// The model's id.
    pub fn endpoint(&self, model: Model, inputs: usize) -> &str {
        self.config.models.of(model, inputs > 1)
    }

    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// The most bytes of a picture that goes inside a request.
    pub fn inline_input(&self) -> usize {
        self.config.inline_input
    }

    fn keyed(&self, method: Method, url: &Url, path: &'static str) -> Call {
        // A prediction repeats its input, and that may be a picture.
        let at_most = self.config.at_most.saturating_mul(2);
        self.line.call(method, url.clone(), path).authorization("Bearer", &self.config.token).at_most(at_most)
    }
}

fn id(handle: &Handle) -> Result<&str, ProviderError> {
    if is_id(&handle.id) { Ok(&handle.id) } else { Err(ProviderError::Invalid("not a prediction id")) }
}

/// What a status that fits nothing means for a call that changes nothing.
fn unexpected(status: u16) -> ProviderError {
    match status {
        403 => ProviderError::Unauthorised,
        500.. => ProviderError::Unavailable,
        _ => ProviderError::Garbled("status"),
    }
}

/// Which failure a refused create means.
fn refusal(reply: &Reply) -> Failure {
    match reply.status {
        402 => Failure::NoCredit,
        413 => Failure::InputTooLarge,
        _ => Failure::BadInput,
    }
}
