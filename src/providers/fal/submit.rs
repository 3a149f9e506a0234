//! Putting a job to the queue, and finding one again whose answer was lost.

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::wire::{Accepted, History, HistoryItem, Named};
use super::{Fal, ProviderError};
use crate::egress::{CallLog, Method, Url};
use crate::providers::line::read;
use crate::providers::lost::{Likeness, Sighting};
use crate::providers::model::{data_url, first_broken, is_id, join};
use crate::providers::{
    Aspect, Format, Handle, Input, Intent, Job, Known, Links, Params, Reconciled, State, Submitted,
};

/// How long after the latest possible start a job that no list shows is held to be none.
const SETTLE: TimeDelta = TimeDelta::minutes(5);
/// The most pages of history that are searched.
const PAGES: usize = 10;
/// The most pictures of a combined edit.
const SEVERAL: usize = 4;

impl Fal {
    /// Checks a job and plans it. The plan must be stored before [`Fal::submit`].
    pub fn prepare(&self, job: &Job) -> Result<Intent, ProviderError> {
        job.check()?;
        Self::check(job.inputs.len(), &job.params)?;
        let inline: usize =
            job.inputs.iter().map(|i| if let Input::Bytes { bytes, .. } = i { bytes.len() } else { 0 }).sum();
        // An upload to their CDN is covered neither by the lifetime header nor by payload deletion: never made.
        if inline > self.config.inline_input {
            return Err(ProviderError::Invalid("the picture is too large to be sent without leaving a copy"));
        }
        let endpoint = self.endpoint(job.model, job.inputs.len());
        Ok(job.intent(endpoint, self.clock.now(), &self.entropy))
    }

    /// Whether the models take this many pictures and these knobs.
    pub fn check(inputs: usize, params: &Params) -> Result<(), ProviderError> {
        params.check()?;
        first_broken(&[
            (
                Aspect::REPLICATE_ONLY.contains(&params.aspect.as_str()),
                "FAL.AI does not know this aspect ratio",
            ),
            (inputs > SEVERAL, "at most four pictures can be combined"),
        ])
    }

    /// Puts the job to the queue, once. [`ProviderError::Unknown`] must go to [`Fal::reconcile`], never back here.
    pub async fn submit(
        &self,
        intent: &Intent,
        job: &Job,
        log: &CallLog,
    ) -> Result<Submitted, ProviderError> {
        let mut url = join(&self.config.queue, &[&intent.endpoint]);
        if let Some(webhook) = &job.webhook {
            url.query_pairs_mut().append_pair("fal_webhook", webhook.as_str());
        }
        let lifetime = json!({ "expiration_duration_seconds": self.config.output_lifetime });
        let call = self
            .keyed(Method::POST, &url, "/{model}")
            .header("x-fal-store-io", "0")
            .header("x-fal-object-lifecycle-preference", &lifetime.to_string())
            .header("x-fal-no-retry", "1")
            .header("x-app-fal-disable-fallback", "true")
            .header("x-fal-request-timeout", &self.config.start_within.to_string())
            .json(&self.body(intent, job));
        job.still_goes().await?;
        let reply = self.line.once(call, log).await?;
        match reply.status {
            200..300 => {
                // A success that cannot be read is a job that may be running.
                let accepted: Accepted = read(&reply, "submit").map_err(|_| ProviderError::Unknown)?;
                if !is_id(&accepted.request_id) {
                    return Err(ProviderError::Unknown);
                }
                let state = State::Queued(accepted.queue_position);
                Ok(Submitted { handle: self.handle(intent, &accepted), state })
            }
            403 => Err(ProviderError::Unauthorised),
            400..500 => Err(ProviderError::Refused(super::wire::failure(&reply))),
            _ => Err(ProviderError::Unknown),
        }
    }

    /// Looks for a job whose answer was lost, by the seed (and, if that was asked for, the prompt) that a result repeats.
    pub async fn reconcile(
        &self,
        intent: &Intent,
        known: &Known,
        log: &CallLog,
    ) -> Result<Reconciled, ProviderError> {
        let mut cursor = None;
        let mut seen = Sighting::default();
        for _ in 0..PAGES {
            let page = self.history(intent, cursor.as_deref(), log).await?;
            let open = |i: &&HistoryItem| is_id(&i.request_id) && !known.has(&i.request_id);
            for item in page.items.iter().filter(open) {
                let handle = Self::built(intent, &item.request_id);
                let named = self.named(&handle, log).await?;
                let likeness =
                    named.map_or(Likeness::Unread, |n| intent.likeness(n.seed, n.prompt.as_deref()));
                seen.note(&item.request_id, likeness);
                if seen.found(intent, known, false).is_some() {
                    return Ok(Reconciled::Found(Box::new(handle)));
                }
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        if let Some(id) = seen.found(intent, known, cursor.is_none()) {
            return Ok(Reconciled::Found(Box::new(Self::built(intent, id))));
        }
        let latest = intent.at.plus(TimeDelta::seconds(self.config.start_within.into())).plus(SETTLE);
        let settled = self.clock.now() >= latest && seen.nothing() && cursor.is_none();
        Ok(if settled { Reconciled::Absent } else { Reconciled::Unclear })
    }

    /// The job that a proven webhook to this job's own address names.
    pub fn adopt(&self, intent: &Intent, id: &str) -> Option<Handle> {
        is_id(id).then(|| Self::built(intent, id))
    }

    async fn history(
        &self,
        intent: &Intent,
        cursor: Option<&str>,
        log: &CallLog,
    ) -> Result<History, ProviderError> {
        let mut url = join(&self.config.api, &["models", "requests", "by-endpoint"]);
        url.query_pairs_mut()
            .append_pair("endpoint_id", &intent.endpoint)
            .append_pair("start", &intent.at.plus(TimeDelta::minutes(-2)).rfc3339())
            .append_pair("end", &intent.at.plus(TimeDelta::minutes(10)).rfc3339())
            .append_pair("limit", "100");
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let reply =
            self.line.repeat(|| self.keyed(Method::GET, &url, "/models/requests/by-endpoint"), log).await?;
        match reply.status {
            200 => read(&reply, "history"),
            403 => Err(ProviderError::Unauthorised),
            _ => Err(ProviderError::Unavailable),
        }
    }

    /// Seed and prompt of a listed job; `None` if it has no result that could tell. The text is looked at and dropped.
    async fn named(&self, handle: &Handle, log: &CallLog) -> Result<Option<Named>, ProviderError> {
        let url = self.links(handle).response;
        let at_most = self.config.at_most.saturating_mul(6);
        let get = || self.keyed(Method::GET, &url, "/{model}/requests/{id}").at_most(at_most);
        let reply = self.line.repeat(get, log).await?;
        Ok(if reply.status == 200 { read(&reply, "result").ok() } else { None })
    }

    fn body(&self, intent: &Intent, job: &Job) -> Value {
        let params = &job.params;
        let mut body = Map::new();
        let mut put = |key: &str, value: Value| body.insert(key.to_owned(), value);
        put("prompt", json!(job.prompt.expose()));
        let mut images = job.inputs.iter().map(|input| match input {
            Input::Bytes { format, bytes } => data_url(*format, bytes),
            Input::Link(url) => url.to_string(),
        });
        if job.inputs.len() == 1 {
            put("image_url", json!(images.next()));
        } else {
            put("image_urls", json!(images.collect::<Vec<_>>()));
        }
        put("seed", json!(intent.seed));
        put("num_images", json!(params.images));
        put("output_format", json!(if params.format == Format::Png { "png" } else { "jpeg" }));
        // A string here, an integer at Replicate; 1 is the strictest they know.
        put("safety_tolerance", json!(params.safety.clamp(1, 6).to_string()));
        put("enhance_prompt", json!(params.upsample));
        put("sync_mode", json!(self.config.inline_output));
        if let Some(guidance) = params.guidance {
            put("guidance_scale", json!(guidance));
        }
        if params.aspect != Aspect::MATCH {
            put("aspect_ratio", json!(params.aspect.as_str()));
        }
        Value::Object(body)
    }

    /// The handle of an accepted job. A returned link that does not lead back to the queue and to this job is not used;
    /// the documented form takes its place, so that the key cannot be drawn elsewhere.
    fn handle(&self, intent: &Intent, accepted: &Accepted) -> Handle {
        let mut handle = Self::built(intent, &accepted.request_id);
        let built = self.links(&handle);
        let checked = |given: &Option<String>, otherwise: Url| {
            given
                .as_deref()
                .and_then(|text| Url::parse(text).ok())
                .filter(|url| self.leads_back(url, &accepted.request_id))
                .unwrap_or(otherwise)
        };
        handle.links = Some(Links {
            status: checked(&accepted.status_url, built.status),
            response: checked(&accepted.response_url, built.response),
            cancel: checked(&accepted.cancel_url, built.cancel),
        });
        handle
    }

    fn built(intent: &Intent, id: &str) -> Handle {
        Handle {
            id: id.to_owned(),
            endpoint: intent.endpoint.clone(),
            links: None,
            files: vec![],
            outputs: vec![],
            at: Some(intent.at),
            seek: None,
        }
    }

    /// The links to use for a handle: its own if they (still) hold, else in the documented form, which drops the part
    /// of the model id behind `owner/app`.
    pub(super) fn links(&self, handle: &Handle) -> Links {
        if let Some(links) = &handle.links
            && [&links.status, &links.response, &links.cancel].iter().all(|u| self.leads_back(u, &handle.id))
        {
            return links.clone();
        }
        let app = handle.endpoint.split('/').take(2).collect::<Vec<_>>().join("/");
        let response = join(&self.config.queue, &[&app, "requests", &handle.id]);
        Links { status: join(&response, &["status"]), cancel: join(&response, &["cancel"]), response }
    }

    fn leads_back(&self, url: &Url, id: &str) -> bool {
        url.origin() == self.config.queue.origin()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path_segments().is_some_and(|mut s| s.any(|part| part == id))
    }
}
