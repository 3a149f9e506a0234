//! Creating a prediction, and finding one again whose answer was lost.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::wire::{Listed, Prediction};
use super::{Replicate, refusal, unexpected};
use crate::egress::{CallLog, Method, Url};
use crate::providers::line::read;
use crate::providers::lost::Sighting;
use crate::providers::model::{data_url, first_broken, is_id, join};
use crate::providers::{
    Aspect, Format, Handle, Input, Intent, Job, Known, Params, ProviderError, Reconciled, Submitted,
};

/// How long after the deadline a prediction that no list shows is held to be none.
const SETTLE: TimeDelta = TimeDelta::minutes(5);
/// The most pages of the list that are searched.
const PAGES: usize = 30;

impl Replicate {
    /// Checks a job and plans it. The plan must be stored before [`Replicate::submit`].
    pub fn prepare(&self, job: &Job) -> Result<Intent, ProviderError> {
        job.check()?;
        Self::check(job.inputs.len(), &job.params)?;
        let model = self.endpoint(job.model, job.inputs.len());
        Ok(job.intent(model, self.clock.now(), &self.entropy))
    }

    /// Whether the models take this many pictures and these knobs.
    pub fn check(inputs: usize, params: &Params) -> Result<(), ProviderError> {
        params.check()?;
        first_broken(&[
            (params.guidance.is_some(), "Replicate has no guidance setting"),
            (params.images != 1, "Replicate makes one picture at a time"),
            (params.safety > 2, "Replicate allows safety 0 to 2 when a picture goes in"),
            (params.upsample && inputs > 1, "the two-picture models cannot rewrite the prompt"),
            (inputs > 2, "exactly two pictures can be combined at Replicate"),
        ])
    }

    /// Creates the prediction, once. [`ProviderError::Unknown`] must go to [`Replicate::reconcile`], never back here.
    pub async fn submit(
        &self,
        intent: &Intent,
        job: &Job,
        log: &CallLog,
    ) -> Result<Submitted, ProviderError> {
        let mut files = Vec::new();
        let outcome = match self.inputs(intent, job, &mut files, log).await {
            Ok(links) => self.create(intent, job, links, log).await,
            Err(e) => Err(e),
        };
        match outcome {
            Ok(prediction) => {
                let state = prediction.state();
                let handle = Self::handle(intent, prediction.id, files);
                Ok(Submitted { handle, state })
            }
            // If it may be running its files must stay; reconciling finds them by the pseudonym. So it does when there is
            // no prediction, but a picture of somebody's is left there: nothing may be called untaken while it is.
            Err(e) if e.not_taken() && !self.drop_files(&files, log).await => Err(ProviderError::Unknown),
            Err(e) => Err(e),
        }
    }

    /// Looks for a prediction whose answer was lost, by the seed and the prompt that it repeats; and for uploads under
    /// the job's pseudonym, which go along in the handle, or are deleted if there is no prediction.
    pub async fn reconcile(
        &self,
        intent: &Intent,
        known: &Known,
        log: &CallLog,
    ) -> Result<Reconciled, ProviderError> {
        let mut url = join(&self.config.api, &["predictions"]);
        // As far as an answer can be late: what was put long after is somebody else's.
        url.query_pairs_mut()
            .append_pair("created_after", &intent.at.plus(TimeDelta::minutes(-2)).rfc3339())
            .append_pair("created_before", &intent.at.plus(TimeDelta::minutes(10)).rfc3339());
        let (mut next, mut seen) = (Some(url), Sighting::default());
        for _ in 0..PAGES {
            let Some(url) = next.take() else { break };
            let reply = self.line.repeat(|| self.keyed(Method::GET, &url, "/predictions"), log).await?;
            if reply.status != 200 {
                return Err(unexpected(reply.status));
            }
            let page: Listed<Prediction> = read(&reply, "list")?;
            let open = |p: &&Prediction| is_id(&p.id) && !known.has(&p.id) && Self::is_model(intent, p);
            for p in page.results.iter().filter(open) {
                seen.note(&p.id, intent.likeness(p.seed(), p.prompt()));
            }
            next = self.own_page(page.next.as_deref())?;
            if let Some(id) = seen.found(intent, known, next.is_none()) {
                let files = self.uploads(intent, log).await?;
                return Ok(Reconciled::Found(Box::new(Self::handle(intent, id.to_owned(), files))));
            }
        }
        let deadline = TimeDelta::seconds(self.config.cancel_after.into());
        let age = self.clock.now().since(intent.at);
        if age < deadline + SETTLE {
            return Ok(Reconciled::Unclear);
        }
        // No prediction can need them by now, be there one or not.
        let gone = self.drop_files(&self.uploads(intent, log).await?, log).await;
        // After an hour even a prediction that ran would show no seed, so by then absence proves nothing.
        let settled = gone && next.is_none() && seen.nothing() && age <= TimeDelta::minutes(55);
        Ok(if settled { Reconciled::Absent } else { Reconciled::Unclear })
    }

    /// The prediction that a proven webhook to this job's own address names.
    pub fn adopt(&self, intent: &Intent, id: &str) -> Option<Handle> {
        let seek = Some(intent.pseudonym.clone());
        is_id(id).then(|| Handle { seek, ..Self::handle(intent, id.to_owned(), vec![]) })
    }

    /// The next page of a list, if there is one. It must be one of the API's own; a list that goes on elsewhere has no end
    /// that could be seen.
    pub(super) fn own_page(&self, link: Option<&str>) -> Result<Option<Url>, ProviderError> {
        let Some(link) = link else { return Ok(None) };
        let api = &self.config.api;
        let url = Url::parse(link).ok();
        let own = url.filter(|url| url.origin() == api.origin() && url.path().starts_with(api.path()));
        own.map(Some).ok_or(ProviderError::Garbled("next page"))
    }

    fn is_model(intent: &Intent, p: &Prediction) -> bool {
        let name = |text: &str| text.split(':').next().map(str::to_owned);
        p.model.as_deref().is_none_or(|model| name(model) == name(&intent.endpoint))
    }

    fn handle(intent: &Intent, id: String, files: Vec<String>) -> Handle {
        let (endpoint, at) = (intent.endpoint.clone(), Some(intent.at));
        Handle { id, endpoint, links: None, files, outputs: vec![], at, seek: None }
    }

    async fn inputs(
        &self,
        intent: &Intent,
        job: &Job,
        files: &mut Vec<String>,
        log: &CallLog,
    ) -> Result<Vec<String>, ProviderError> {
        let mut links = Vec::new();
        for (n, input) in job.inputs.iter().enumerate() {
            links.push(match input {
                Input::Link(url) => url.to_string(),
                Input::Bytes { format, bytes } if bytes.len() <= self.config.inline_input => {
                    data_url(*format, bytes)
                }
                Input::Bytes { format, bytes } => {
                    let file = self.upload(intent, n, *format, bytes, log).await?;
                    files.push(file.id);
                    file.urls.get
                }
            });
        }
        Ok(links)
    }

    async fn create(
        &self,
        intent: &Intent,
        job: &Job,
        links: Vec<String>,
        log: &CallLog,
    ) -> Result<Prediction, ProviderError> {
        let mut body = Map::new();
        body.insert("input".to_owned(), input(intent, job, links));
        if let Some(webhook) = &job.webhook {
            body.insert("webhook".to_owned(), json!(webhook.as_str()));
            body.insert("webhook_events_filter".to_owned(), json!(["completed"]));
        }
        let (url, path) = if let Some((_, version)) = intent.endpoint.split_once(':') {
            body.insert("version".to_owned(), json!(version));
            (join(&self.config.api, &["predictions"]), "/predictions")
        } else {
            let url = join(&self.config.api, &["models", &intent.endpoint, "predictions"]);
            (url, "/models/{owner}/{name}/predictions")
        };
        let wait = self.config.wait.min(if job.webhook.is_some() { 1 } else { 60 });
        let mut call = self
            .keyed(Method::POST, &url, path)
            .header("cancel-after", &format!("{}s", self.config.cancel_after.max(5)))
            .within(Duration::from_secs(30 + u64::from(wait)))
            .json(&body);
        if wait > 0 {
            call = call.header("prefer", &format!("wait={wait}"));
        }
        // Uploads take their time, in which a person may have changed their mind.
        job.still_goes().await?;
        let reply = self.line.once(call, log).await?;
        match reply.status {
            // 202 says only that waiting came to its end first.
            200..300 => {
                let prediction: Prediction = read(&reply, "create").map_err(|_| ProviderError::Unknown)?;
                if is_id(&prediction.id) { Ok(prediction) } else { Err(ProviderError::Unknown) }
            }
            403 => Err(ProviderError::Unauthorised),
            400..500 => Err(ProviderError::Refused(refusal(&reply))),
            _ => Err(ProviderError::Unknown),
        }
    }
}

fn input(intent: &Intent, job: &Job, links: Vec<String>) -> Value {
    let params = &job.params;
    let mut input = Map::new();
    let mut put = |key: &str, value: Value| input.insert(key.to_owned(), value);
    let several = links.len() > 1;
    for (n, link) in links.into_iter().enumerate() {
        let key = if several { format!("input_image_{}", n + 1) } else { "input_image".to_owned() };
        put(&key, Value::String(link));
    }
    put("prompt", json!(job.prompt.expose()));
    put("seed", json!(intent.seed));
    put("output_format", json!(if params.format == Format::Png { "png" } else { "jpg" }));
    put("safety_tolerance", json!(params.safety));
    let aspect = if params.aspect == Aspect::MATCH { "match_input_image" } else { params.aspect.as_str() };
    put("aspect_ratio", json!(aspect));
    if !several {
        // The two-picture models do not have it, and an unknown field is refused.
        put("prompt_upsampling", json!(params.upsample));
    }
    Value::Object(input)
}
