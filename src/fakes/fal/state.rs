//! What the FAL.AI stand-in remembers.

use chrono::TimeDelta;
use ed25519_dalek::Signer as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{FakeFal, Shared};
use crate::base::Timestamp;
use crate::fakes::script::Script;
use crate::fakes::{Delivery, Pace, Plan};

/// A result of 10 KB or more is kept for six minutes, a smaller one for an hour.
const LARGE: usize = 10 * 1024;

#[derive(Default)]
pub(super) struct Inner {
    pub(super) jobs: Vec<Job>,
    pub(super) files: Vec<File>,
    pub(super) fetched: usize,
    pub(super) outbox: Vec<Delivery>,
    pub(super) complaints: Vec<String>,
    pub(super) links: Vec<String>,
    pub(super) script: Script,
}

pub(super) struct Job {
    pub(super) id: String,
    pub(super) endpoint: String,
    pub(super) input: Value,
    pub(super) webhook: Option<String>,
    pub(super) stores: bool,
    pub(super) lifetime: Option<i64>,
    pub(super) plan: Plan,
    pub(super) put: Timestamp,
    pub(super) polls: u32,
    pub(super) phase: Phase,
    pub(super) cancelled: bool,
    pub(super) erased: bool,
    /// What will come of it: pictures, or the reason that there are none.
    pub(super) pictures: Result<Vec<Picture>, &'static str>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Queued,
    Running,
    Ended { at: Timestamp, status: u16, body: Value },
}

/// A picture made.
pub(super) struct Picture {
    pub(super) bytes: Vec<u8>,
    pub(super) width: u32,
    pub(super) height: u32,
}

pub(super) struct File {
    pub(super) name: String,
    pub(super) job: String,
    pub(super) kind: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) until: Option<Timestamp>,
}

impl Inner {
    pub(super) fn job(&mut self, id: &str) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|j| j.id == id)
    }

    /// Lets time do its work.
    pub(super) fn advance(&mut self, shared: &Shared) {
        let now = shared.options.clock.now();
        if let Pace::After(delay) = shared.options.pace {
            for n in 0..self.jobs.len() {
                if self.jobs.get(n).is_some_and(|j| now.since(j.put) >= delay) {
                    self.finish(n, shared);
                }
            }
        }
        self.files.retain(|f| f.until.is_none_or(|until| now < until));
    }

    pub(super) fn work(&mut self, shared: &Shared) {
        for n in 0..self.jobs.len() {
            self.finish(n, shared);
        }
    }

    pub(super) fn start(&mut self) {
        for job in self.jobs.iter_mut().filter(|j| j.phase == Phase::Queued) {
            job.phase = Phase::Running;
        }
    }

    /// One question for the state of a job.
    pub(super) fn polled(&mut self, id: &str, shared: &Shared) {
        let Pace::Polls(needed) = shared.options.pace else { return };
        let Some(n) = self.jobs.iter().position(|j| j.id == id) else { return };
        let Some(job) = self.jobs.get_mut(n) else { return };
        if job.polls >= needed {
            self.finish(n, shared);
        } else {
            job.polls += 1;
            if job.polls > 1 && job.phase == Phase::Queued {
                job.phase = Phase::Running;
            }
        }
    }

    fn finish(&mut self, n: usize, shared: &Shared) {
        let now = shared.options.clock.now();
        let Some(job) = self.jobs.get_mut(n) else { return };
        if matches!(job.phase, Phase::Ended { .. }) {
            return;
        }
        let until = job.lifetime.map(|s| now.plus(TimeDelta::seconds(s)));
        let (status, body, files) = outcome(job, &shared.base, until);
        job.phase = Phase::Ended { at: now, status, body: body.clone() };
        self.files.extend(files);
        if let Some(url) = job.webhook.clone().filter(|_| job.plan != Plan::NoWebhook) {
            let delivery = signed(shared, &job.id, &url, status, &body, now);
            self.outbox.push(delivery);
        }
    }

    pub(super) fn held(&mut self, now: Timestamp) -> Vec<String> {
        let mut held = Vec::new();
        for job in self.jobs.iter().filter(|j| !j.erased) {
            if !matches!(job.phase, Phase::Ended { .. }) {
                held.push(format!("job {} is not ended", job.id));
            } else if job.stores {
                held.push(format!("payload of {}", job.id));
            } else if job.result(now).is_some_and(|(status, _)| status == 200) {
                held.push(format!("result of {}", job.id));
            }
        }
        let alive = self.files.iter().filter(|f| f.until.is_none_or(|until| now < until));
        held.extend(alive.map(|f| format!("file {} of {}", f.name, f.job)));
        held
    }
}

impl Job {
    /// The stored result, while it lasts.
    pub(super) fn result(&self, now: Timestamp) -> Option<(u16, &Value)> {
        let Phase::Ended { at, status, body } = &self.phase else { return None };
        let minutes = if body.to_string().len() >= LARGE { 6 } else { 60 };
        let kept = self.stores || now.since(*at) < TimeDelta::minutes(minutes);
        (kept && !self.erased).then_some((*status, body))
    }
}

fn outcome(job: &Job, base: &str, until: Option<Timestamp>) -> (u16, Value, Vec<File>) {
    let model = |status, kind: &str| {
        let detail =
            json!([{ "loc": ["body"], "msg": "refused", "type": kind, "input": job.input["prompt"] }]);
        (status, json!({ "detail": detail }), vec![])
    };
    if job.cancelled && job.plan != Plan::IgnoreCancel {
        return (499, json!({ "detail": "cancelled", "error_type": "client_cancelled" }), vec![]);
    }
    let pictures = match (&job.pictures, job.plan) {
        (_, Plan::Refuse) => return model(422, "content_policy_violation"),
        (_, Plan::Break) => return model(500, "internal_server_error"),
        (Err(why), _) => return model(422, why),
        (Ok(pictures), _) => pictures,
    };
    let png = job.input["output_format"] == "png";
    let (kind, ending) = if png { ("image/png", "png") } else { ("image/jpeg", "jpeg") };
    let (mut images, mut files) = (Vec::new(), Vec::new());
    for (n, Picture { bytes, width, height }) in pictures.iter().enumerate() {
        let url = if job.input["sync_mode"] == true {
            use base64::Engine as _;
            format!("data:{kind};base64,{}", base64::engine::general_purpose::STANDARD.encode(bytes))
        } else {
            let name = format!("{}-{n}.{ending}", job.id);
            let astray = n == 0 && job.plan == Plan::Astray;
            files.push(File { name: name.clone(), job: job.id.clone(), kind, bytes: bytes.clone(), until });
            if astray { "https://elsewhere.example/a.png".to_owned() } else { format!("{base}/files/{name}") }
        };
        images.push(json!({ "url": url, "width": width, "height": height, "content_type": kind }));
    }
    let flags: Vec<bool> = (0..pictures.len()).map(|n| n == 0 && job.plan == Plan::Flag).collect();
    let forgotten = json!("");
    let body = json!({
        "images": images, "seed": job.input["seed"], "has_nsfw_concepts": flags,
        "timings": {}, "prompt": if job.plan == Plan::Forget { &forgotten } else { &job.input["prompt"] },
    });
    (200, body, files)
}

/// A webhook as FAL.AI signs it.
fn signed(shared: &Shared, id: &str, url: &str, status: u16, payload: &Value, now: Timestamp) -> Delivery {
    let word = if status == 200 { "OK" } else { "ERROR" };
    let body = json!({
        "request_id": id, "gateway_request_id": id, "status": word, "payload": payload,
    });
    let body = body.to_string().into_bytes();
    let time = (now.micros() / 1_000_000).to_string();
    let digest = hex::encode(Sha256::digest(&body));
    let message = format!("{id}\n{}\n{time}\n{digest}", FakeFal::USER);
    let signature = hex::encode(shared.signer().sign(message.as_bytes()).to_bytes());
    let headers = vec![
        ("x-fal-webhook-request-id", id.to_owned()),
        ("x-fal-webhook-user-id", FakeFal::USER.to_owned()),
        ("x-fal-webhook-timestamp", time),
        ("x-fal-webhook-signature", signature),
    ];
    Delivery { url: url.to_owned(), headers, body }
}
