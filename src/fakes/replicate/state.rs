//! What the Replicate stand-in remembers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Shared;
use crate::base::Timestamp;
use crate::fakes::script::Script;
use crate::fakes::{Delivery, Pace, Plan};

/// Input, output and logs of an API prediction are kept this long after it ended; uploads after they came.
const KEPT: TimeDelta = TimeDelta::hours(1);

#[derive(Default)]
pub(super) struct Inner {
    pub(super) predictions: Vec<Prediction>,
    pub(super) files: Vec<File>,
    /// Files that are not listed yet.
    pub(super) landing: Vec<File>,
    pub(super) uploaded: usize,
    pub(super) outputs: Vec<(String, &'static str, Vec<u8>)>,
    pub(super) outbox: Vec<Delivery>,
    pub(super) complaints: Vec<String>,
    pub(super) waits: Vec<u64>,
    pub(super) script: Script,
}

pub(super) struct Prediction {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) input: Value,
    pub(super) output: Value,
    pub(super) error: Value,
    pub(super) status: &'static str,
    pub(super) webhook: Option<String>,
    pub(super) plan: Plan,
    pub(super) created: Timestamp,
    pub(super) completed: Option<Timestamp>,
    pub(super) deadline: Option<Timestamp>,
    pub(super) removed: bool,
    pub(super) polls: u32,
    /// What will come of it.
    pub(super) picture: Option<(Vec<u8>, &'static str)>,
}

pub(super) struct File {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) bytes: Vec<u8>,
    pub(super) at: Timestamp,
}

impl Prediction {
    pub(super) fn is_ended(&self) -> bool {
        self.completed.is_some()
    }

    pub(super) fn json(&self, base: &str) -> Value {
        let input = if self.plan == Plan::Forget { &Value::Null } else { &self.input };
        json!({
            "id": self.id, "model": self.model, "version": "hidden", "input": input, "output": self.output,
            "error": self.error, "logs": "", "data_removed": self.removed, "status": self.status,
            "created_at": self.created.rfc3339(), "started_at": null,
            "completed_at": self.completed.map(Timestamp::rfc3339), "source": "api", "metrics": {},
            "urls": {
                "web": format!("https://replicate.com/p/{}", self.id),
                "get": format!("{base}/v1/predictions/{}", self.id),
                "cancel": format!("{base}/v1/predictions/{}/cancel", self.id),
            },
        })
    }
}

impl Inner {
    pub(super) fn prediction(&mut self, id: &str) -> Option<&mut Prediction> {
        self.predictions.iter_mut().find(|p| p.id == id)
    }

    /// Lets time do its work.
    pub(super) fn advance(&mut self, shared: &Shared) {
        let now = shared.options.clock.now();
        for n in 0..self.predictions.len() {
            let Some(p) = self.predictions.get(n) else { continue };
            let late = p.deadline.is_some_and(|d| now >= d);
            let ready = matches!(shared.options.pace, Pace::After(delay) if now.since(p.created) >= delay);
            if late && !p.is_ended() {
                let word = if p.status == "starting" { "aborted" } else { "canceled" };
                self.end(n, word, Value::Null, Value::Null, shared);
            } else if ready {
                self.finish(n, shared);
            }
        }
        for p in &mut self.predictions {
            if !p.removed && p.completed.is_some_and(|t| now.since(t) >= KEPT) {
                (p.removed, p.input, p.output) = (true, json!({}), Value::Null);
                self.outputs.retain(|(name, ..)| !name.starts_with(&p.id));
            }
        }
        self.files.retain(|f| now.since(f.at) < KEPT * 24);
    }

    pub(super) fn work(&mut self, shared: &Shared) {
        for n in 0..self.predictions.len() {
            self.finish(n, shared);
        }
    }

    /// One question for the state of a prediction.
    pub(super) fn polled(&mut self, id: &str, shared: &Shared) {
        let Pace::Polls(needed) = shared.options.pace else { return };
        let Some(n) = self.predictions.iter().position(|p| p.id == id) else { return };
        let Some(p) = self.predictions.get_mut(n) else { return };
        if p.polls >= needed {
            self.finish(n, shared);
        } else {
            p.polls += 1;
            if p.polls > 1 && p.status == "starting" {
                p.status = "processing";
            }
        }
    }

    pub(super) fn finish(&mut self, n: usize, shared: &Shared) {
        let Some(p) = self.predictions.get_mut(n) else { return };
        if p.is_ended() {
            return;
        }
        let failed = match p.plan {
            Plan::Refuse => Some("The input or output was flagged as sensitive. (E005)"),
            Plan::Break => Some("Prediction interrupted; please retry (code: PA)"),
            _ if p.picture.is_none() => Some("cannot identify image file"),
            _ => None,
        };
        match (failed, p.picture.take()) {
            (None, Some((bytes, kind))) => {
                let ending = if kind == "image/png" { "png" } else { "jpg" };
                let name = format!("{}-out.{ending}", p.id);
                let link = match p.plan {
                    Plan::Astray => "https://elsewhere.example/a.png".to_owned(),
                    Plan::Inline => format!("data:{kind};base64,{}", STANDARD.encode(&bytes)),
                    _ => format!("{}/delivery/{name}", shared.base),
                };
                self.outputs.push((name, kind, bytes));
                self.end(n, "succeeded", Value::String(link), Value::Null, shared);
            }
            (why, _) => self.end(n, "failed", Value::Null, json!(why), shared),
        }
    }

    pub(super) fn end(&mut self, n: usize, word: &'static str, output: Value, error: Value, shared: &Shared) {
        let now = shared.options.clock.now();
        let tag: [u8; 8] = shared.options.entropy.bytes();
        let Some(p) = self.predictions.get_mut(n) else { return };
        (p.status, p.output, p.error, p.completed) = (word, output, error, Some(now));
        if let Some(url) = p.webhook.clone().filter(|_| p.plan != Plan::NoWebhook) {
            let body = p.json(&shared.base).to_string().into_bytes();
            self.outbox.push(signed(shared, &format!("msg_{}", hex::encode(tag)), &url, body, now));
        }
    }

    pub(super) fn held(&self) -> Vec<String> {
        let mut held: Vec<String> = Vec::new();
        held.extend(self.predictions.iter().filter(|p| !p.removed).map(|p| format!("data of {}", p.id)));
        held.extend(self.files.iter().map(|f| format!("upload {} ({}, {})", f.id, f.name, f.kind)));
        held.extend(self.outputs.iter().map(|(name, ..)| format!("result {name}")));
        held
    }
}

/// A webhook as Replicate signs it (Standard Webhooks).
fn signed(shared: &Shared, id: &str, url: &str, body: Vec<u8>, now: Timestamp) -> Delivery {
    let time = (now.micros() / 1_000_000).to_string();
    // HMAC takes a key of any length; an error cannot come.
    let tag = Hmac::<Sha256>::new_from_slice(&shared.key).map(|mac| {
        mac.chain_update(format!("{id}.{time}.")).chain_update(&body).finalize().into_bytes().to_vec()
    });
    let signature = format!("v1,{}", STANDARD.encode(tag.unwrap_or_default()));
    let headers =
        vec![("webhook-id", id.to_owned()), ("webhook-timestamp", time), ("webhook-signature", signature)];
    Delivery { url: url.to_owned(), headers, body }
}
