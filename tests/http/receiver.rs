//! An app's server that is told what happened, and checks each signature by itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use chrono::TimeDelta;
use serde_json::{Value, json};
use vouchsafe::base::Timestamp;
use vouchsafe::vault::Owner;

use crate::support::TestApp;
use crate::support::app::photograph;
use crate::support::call::Sender;
use crate::support::listening::Listening;

/// A message as it came in.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) at: Instant,
}

impl Heard {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(super) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Makes sure that each of these secrets, and no other, signed it, by the reference library's own reckoning.
    #[track_caller]
    pub(super) fn is_signed_by(&self, secrets: &[&str]) {
        let seconds = self.header("webhook-timestamp").parse().unwrap();
        let sign = |secret: &&str| {
            standardwebhooks::Webhook::new(secret).unwrap().sign(self.id(), seconds, &self.body).unwrap()
        };
        let expected: Vec<String> = secrets.iter().map(sign).collect();
        assert_eq!(self.header("webhook-signature"), expected.join(" "));
    }
}

/// What a receiver answers.
#[derive(Debug, Clone)]
pub(super) enum Says {
    Status(u16),
    With(u16, &'static str, String),
    /// Nothing, for a minute.
    Nothing,
}

/// An app's server: it answers what it was told to, one after another, and then always the last.
pub(super) struct Receiver {
    pub(super) heard: Arc<Mutex<Vec<Heard>>>,
    pub(super) says: Arc<Mutex<VecDeque<Says>>>,
    pub(super) listening: Listening,
}

impl Receiver {
    pub(super) async fn start(says: &[Says]) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let says = Arc::new(Mutex::new(says.iter().cloned().collect::<VecDeque<_>>()));
        let (keep, script) = (heard.clone(), says.clone());
        let answer = async move |headers: HeaderMap, body: Bytes| -> Response {
            keep.lock().unwrap().push(Heard { headers, body, at: Instant::now() });
            let next = {
                let mut script: std::sync::MutexGuard<'_, VecDeque<Says>> = script.lock().unwrap();
                if script.len() > 1 { script.pop_front() } else { script.front().cloned() }
            };
            match next.unwrap_or(Says::Status(204)) {
                Says::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
                Says::With(status, name, value) => {
                    (StatusCode::from_u16(status).unwrap(), [(name, value)]).into_response()
                }
                Says::Nothing => std::future::pending().await,
            }
        };
        let router = axum::Router::new().fallback(answer);
        Self { heard, says, listening: Listening::start(router).await }
    }

    pub(super) fn url(&self) -> String {
        format!("{}/hooks?app=1", self.listening.url())
    }

    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    pub(super) fn kinds(&self) -> Vec<String> {
        self.heard().iter().map(|h| h.json()["type"].as_str().unwrap().to_owned()).collect()
    }

    pub(super) fn now_says(&self, says: Says) {
        *self.says.lock().unwrap() = [says].into();
    }
}

/// A webhook that was registered: its id and its secret.
pub(super) struct Hook {
    pub(super) id: String,
    pub(super) secret: String,
}

pub(super) async fn register(app: &TestApp, key: &Sender, body: &Value) -> Hook {
    let answer = app.post("/v1/webhooks").by(key).json(body).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let told = answer.json();
    Hook { id: text(&told["webhook"]["id"]), secret: text(&told["secret"]) }
}

pub(super) async fn state(app: &TestApp, key: &Sender, hook: &Hook) -> String {
    let told = app.get(&format!("/v1/webhooks/{}", hook.id)).by(key).send().await.json();
    told["state"].as_str().unwrap().to_owned()
}

pub(super) async fn log(app: &TestApp, key: &Sender, hook: &Hook) -> Vec<Value> {
    let answer = app.get(&format!("/v1/webhooks/{}/deliveries", hook.id)).by(key).send().await;
    answer.json()["items"].as_array().unwrap().clone()
}

pub(super) async fn somebody(app: &TestApp, name: &str) -> Owner {
    app.person(&format!("{name}@example.org")).await.owner
}

/// Has a person's photograph edited, up to where the edit waits for its turn. Gives the edit's id.
pub(super) async fn edit(app: &TestApp, key: &Sender, owner: &Owner, seed: u64) -> String {
    let by = key.on_behalf_of(owner.subject);
    let image = app.post("/v1/images").by(&by).body("image/jpeg", photograph(seed)).send().await.json();
    let asked = json!({ "inputs": [image["id"]], "prompt": "make it warmer" });
    app.post("/v1/edits").by(&by).json(&asked).send().await.json()["id"].as_str().unwrap().to_owned()
}

/// The time of a body, which tells whole seconds.
pub(super) fn moment(value: &Value) -> Timestamp {
    Timestamp::parse_rfc3339(value.as_str().unwrap()).unwrap()
}

/// How long it is until then, and into the second after.
pub(super) fn until(app: &TestApp, value: &Value) -> TimeDelta {
    moment(value).since(app.now()) + TimeDelta::seconds(1)
}
