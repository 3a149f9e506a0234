//! FAL.AI: the queue, its results, its webhooks, and having things erased there.
//!
//! Promises: nothing is stored there that a header can prevent; the queue neither retries nor reroutes; the key goes to
//! the queue and the platform API only, the admin key only with a deletion; links in answers are used only when they
//! lead back to the queue and to the same job. Must never: build on `COMPLETED` meaning success, or send a submit twice.

mod erase;
mod hook;
mod submit;
mod wire;

use std::time::Duration;

use crate::base::{Clock, Entropy, Secret};
use crate::egress::{Call, CallLog, Egress, EgressError, Method, Recipient, Reply, Url};

use super::line::{Line, Wanted, read};
use super::model::join;
use super::{Cancelled, Failure, Handle, Model, Output, ProviderError, State};
use hook::Keys;

/// Where FAL.AI is and how it is to be used.
#[derive(Debug, Clone)]
pub struct FalConfig {
    /// The name under which it stands in the document's list of processors.
    pub recipient: String,
    /// The inference key (`id:secret`).
    pub key: Secret<String>,
    /// The queue.
    pub queue: Url,
    /// Where its webhook keys are published.
    pub rest: Url,
    /// The platform API, with its version.
    pub api: Url,
    /// A further base URL for results, for a stand-in; the real ones come from `fal.media` and below.
    pub media: Option<Url>,
    /// The model ids.
    pub endpoints: Endpoints,
    /// Seconds that a result's file may live there: the safety net for when we fail to delete it.
    pub output_lifetime: u32,
    /// Seconds that a job may wait there before work starts.
    pub start_within: u32,
    /// True to have results sent inside the answer, so that no file of them is made at all. They then can be fetched
    /// for six minutes only.
    pub inline_output: bool,
    /// The most bytes of a picture that is sent inside the request.
    pub inline_input: usize,
    /// The most bytes of a result.
    pub at_most: u64,
    /// The account id that webhooks must name, if it is to be pinned.
    pub user_id: Option<String>,
    /// The wait before the first repetition of a read.
    pub pause: Duration,
}

/// The four model ids, kept as data because providers rename them.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// Pro, one picture.
    pub pro: String,
    /// Max, one picture.
    pub max: String,
    /// Pro, several pictures.
    pub pro_multi: String,
    /// Max, several pictures.
    pub max_multi: String,
}

impl Endpoints {
    pub(super) fn of(&self, model: Model, several: bool) -> &str {
        match (model, several) {
            (Model::Pro, false) => &self.pro,
            (Model::Max, false) => &self.max,
            (Model::Pro, true) => &self.pro_multi,
            (Model::Max, true) => &self.max_multi,
        }
    }
}

impl FalConfig {
    /// The real service, under the recipient name `fal-ai`.
    pub fn live(key: Secret<String>) -> Result<Self, EgressError> {
        let url = |text: &str| Url::parse(text).map_err(|_| EgressError::BadUrl);
        Ok(Self {
            recipient: "fal-ai".to_owned(),
            key,
            queue: url("https://queue.fal.run")?,
            rest: url("https://rest.fal.ai")?,
            api: url("https://api.fal.ai/v1")?,
            media: None,
            endpoints: Endpoints {
                pro: "fal-ai/flux-pro/kontext".to_owned(),
                max: "fal-ai/flux-pro/kontext/max".to_owned(),
                pro_multi: "fal-ai/flux-pro/kontext/multi".to_owned(),
                max_multi: "fal-ai/flux-pro/kontext/max/multi".to_owned(),
            },
            output_lifetime: 600,
            start_within: 120,
            inline_output: false,
            inline_input: 7 << 20,
            at_most: 32 << 20,
            user_id: None,
            pause: Duration::from_millis(200),
        })
    }

    /// A stand-in that serves everything under one base URL.
    pub fn stand_in(key: Secret<String>, base: &Url) -> Result<Self, EgressError> {
        let mut config = Self::live(key)?;
        config.queue = base.clone();
        config.rest = base.clone();
        config.api = join(base, &["v1"]);
        config.media = Some(base.clone());
        Ok(config)
    }

    /// The places that the egress client must allow.
    pub fn recipient(&self) -> Result<Recipient, EgressError> {
        let mut recipient = Recipient::named(&self.recipient).host("fal.media").under("fal.media");
        for base in
            [Some(&self.queue), Some(&self.rest), Some(&self.api), self.media.as_ref()].into_iter().flatten()
        {
            recipient = recipient.base(base)?;
        }
        Ok(recipient)
    }
}

/// FAL.AI.
#[derive(Debug)]
pub struct Fal {
    config: FalConfig,
    line: Line,
    clock: Clock,
    entropy: Entropy,
    keys: Keys,
}

impl Fal {
    /// A client over `egress`, which must allow [`FalConfig::recipient`].
    pub fn new(config: FalConfig, egress: Egress, clock: Clock, entropy: Entropy) -> Self {
        let line = Line::new(egress, clock.clone(), entropy.clone(), &config.recipient, config.pause);
        Self { config, line, clock, entropy, keys: Keys::default() }
    }

    /// How the job stands. `Done` says only that it ended: the result may still be a failure.
    pub async fn poll(&self, handle: &Handle, log: &CallLog) -> Result<State, ProviderError> {
        let mut url = self.links(handle).status;
        url.set_query(Some("logs=0"));
        let reply =
            self.line.repeat(|| self.keyed(Method::GET, &url, "/{model}/requests/{id}/status"), log).await?;
        match reply.status {
            200 | 202 => read::<wire::Status>(&reply, "status")?.state(&handle.id),
            404 => Ok(State::Gone),
            403 => Err(ProviderError::Unauthorised),
            500.. => Err(ProviderError::Unavailable),
            _ => Err(ProviderError::Garbled("status")),
        }
    }

    /// Fetches the result, up to `most` pictures, and notes in `handle` where it lies so that its erasure can be checked.
    /// A result can be had for an hour, and for six minutes if it is 10 KB or more: fetch at once.
    pub async fn result(
        &self,
        handle: &mut Handle,
        most: usize,
        log: &CallLog,
    ) -> Result<Output, ProviderError> {
        let url = self.links(handle).response;
        let at_most = if self.config.inline_output { self.config.at_most.saturating_mul(6) } else { 1 << 20 };
        let get = || {
            let call = self.keyed(Method::GET, &url, "/{model}/requests/{id}");
            call.at_most(at_most).within(Duration::from_secs(30))
        };
        let reply = self.line.repeat(get, log).await?;
        let result = Self::outcome(&reply)?;
        let images: Vec<_> =
            result.images.iter().enumerate().map(|(n, i)| (i.url(), result.flagged(n))).collect();
        let wanted = Wanted { most, at_most: self.config.at_most };
        let (pictures, missing) = self.line.pictures(&images, handle, wanted, log).await?;
        Ok(Output { pictures, seed: result.seed, missing })
    }

    /// Asks for the job to be stopped.
    pub async fn cancel(&self, handle: &Handle, log: &CallLog) -> Result<Cancelled, ProviderError> {
        let url = self.links(handle).cancel;
        let put = || self.keyed(Method::PUT, &url, "/{model}/requests/{id}/cancel");
        let reply = self.line.repeat(put, log).await?;
        match reply.status {
            200 | 202 => Ok(Cancelled::Requested),
            400 => Ok(Cancelled::TooLate),
            404 => Ok(Cancelled::NotThere),
            403 => Err(ProviderError::Unauthorised),
            500.. => Err(ProviderError::Unavailable),
            _ => Err(ProviderError::Garbled("cancel")),
        }
    }

    fn outcome(reply: &Reply) -> Result<wire::Done, ProviderError> {
        match reply.status {
            200 => {
                let done: wire::Done = read(reply, "result")?;
                if (1..=4).contains(&done.images.len()) {
                    Ok(done)
                } else {
                    Err(ProviderError::Garbled("result"))
                }
            }
            404 if !wire::is_model_error(reply) => Err(ProviderError::Gone),
            403 => Err(ProviderError::Unauthorised),
            500.. if !wire::is_model_error(reply) => Err(ProviderError::Unavailable),
            400.. => Err(ProviderError::Refused(wire::failure(reply))),
            _ => Err(ProviderError::Garbled("result")),
        }
    }

    /// The model's id.
    pub fn endpoint(&self, model: Model, inputs: usize) -> &str {
        self.config.endpoints.of(model, inputs > 1)
    }

    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// The most bytes of pictures that go inside a request.
    pub fn inline_input(&self) -> usize {
        self.config.inline_input
    }

    fn keyed(&self, method: Method, url: &Url, path: &'static str) -> Call {
        self.line.call(method, url.clone(), path).authorization("Key", &self.config.key)
    }
}
