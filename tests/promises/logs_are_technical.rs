//! No log line of a whole story holds a picture, a prompt, an address or a network address, at any level.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use vouchsafe::audit::Verdict;
use vouchsafe::subjects::SignedIn;

use super::{auditor, filed, sent, with_pages};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::photograph;
use crate::support::call::Call;

/// What must not be found.
const CANARIES: [&str; 8] = [
    "canary-mail-7c21",
    "canary-prompt-7c21",
    "canary-agent-7c21",
    "canary-bytes-7c21",
    "canary-id-7c21",
    "canary-path-7c21",
    "canary-words-7c21",
    "203.0.113.201",
];

/// Every line that anything in this process logs, from the first test here on.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Listens at the most talkative level that the program has.
fn listen() -> Lines {
    static LINES: OnceLock<Lines> = OnceLock::new();
    LINES
        .get_or_init(|| {
            let lines = Lines::default();
            let filter =
                tracing_subscriber::EnvFilter::new("info,vouchsafe=trace,tower_http=trace,sqlx=info");
            let listener =
                tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(lines.clone());
            tracing::subscriber::set_global_default(listener.finish()).unwrap();
            lines
        })
        .clone()
}

impl Lines {
    fn holding(&self, word: &[u8]) -> usize {
        let all = self.0.lock().unwrap();
        all.split(|b| *b == b'\n').filter(|line| line.windows(word.len()).any(|w| w == word)).count()
    }
}

each_app! {
    async fn a_whole_story_leaves_none_of_its_canaries_in_any_line(app: TestApp) {
        let lines = listen();
        tracing::info!("control-4f1d: a line is heard");
        assert!(lines.holding(b"control-4f1d") > 0, "nothing can be found by somebody who does not listen");
        let app = with_pages(app);
        let ada = app.person("canary-mail-7c21@example.org").await;
        let link = app.app.subjects.direct_link(&SignedIn::Subject(ada.owner.clone()), chrono::TimeDelta::minutes(5)).await.unwrap();
        let token = link.token.expose().clone();
        let page = format!("/flux-kontext/sign-in/confirm?token={token}");
        let dress = |call: Call| call.at_address("203.0.113.201").header("user-agent", "canary-agent-7c21");
        let entered = sent(&app, &page, "/flux-kontext/sign-in/confirm", &[("token", token.as_str())], dress).await;
        assert_eq!(entered.status, 303, "{}", entered.text());
        let image = app.upload(&ada, 77).await;
        let asked = json!({ "inputs": [image], "prompt": "canary-prompt-7c21 in a red hat" });
        assert_eq!(app.post("/v1/edits").by(&ada).json(&asked).send().await.status, 201);
        app.settle().await;
        // What goes wrong is where a log says too much.
        app.post("/v1/images").by(&ada).body("image/jpeg", b"canary-bytes-7c21".to_vec()).send().await;
        app.post("/v1/edits").by(&ada).json(&json!({ "inputs": ["canary-id-7c21"], "prompt": "canary-prompt-7c21" })).send().await;
        app.post("/v1/edits").by(&ada).body("application/json", "{\"prompt\": \"canary-prompt-7c21").send().await;
        app.get("/v1/images/canary-path-7c21?email=canary-mail-7c21@example.org").by(&ada).send().await;
        app.patch("/v1/account").by(&ada).json(&json!({ "email": "canary-mail-7c21@@" })).send().await;
        let ask = json!({ "right": "rectification", "text": "canary-words-7c21" });
        app.post("/v1/requests").by(&ada).json(&ask).send().await;
        filed(&app, &ada, json!({ "right": "access" })).await;
        for blob in crate::support::house::files_below(&app.data().join("blobs")) {
            std::fs::write(blob, b"broken").unwrap();
        }
        let result = app.get("/v1/images").by(&ada).send().await.json();
        let result = result["items"][0]["id"].as_str().unwrap().to_owned();
        app.get(&format!("/v1/images/{result}/small")).by(&ada).send().await;
        filed(&app, &ada, json!({ "right": "erasure", "at_once": true })).await;

        let cookie = ada.cookie.as_bytes();
        let picture = photograph(77);
        for canary in CANARIES {
            assert_eq!(lines.holding(canary.as_bytes()), 0, "{canary}");
        }
        for canary in [cookie, token.as_bytes(), &picture[200..216]] {
            assert_eq!(lines.holding(canary), 0, "{:?}", String::from_utf8_lossy(canary));
        }
        app.leave_the_queue();
    }

    async fn a_line_that_gives_somebody_away_turns_the_promise_red(app: TestApp) {
        let (audit, logs) = auditor(&app);
        let verdict = async || audit.run(&app.tenant(), "logs-clean").await.unwrap().check.outcome.verdict;
        assert_eq!(verdict().await, Verdict::Passed);
        for line in ["mail to ada@example.org", "from 8.8.8.8", "edit prompt=hat", "{\"prompt\":\"a hat\"}"] {
            let (audit, logs) = auditor(&app);
            logs.see(line.as_bytes());
            let found = audit.run(&app.tenant(), "logs-clean").await.unwrap().check.outcome.verdict;
            assert_eq!(found, Verdict::Failed, "{line}");
        }
        logs.see(b"job job_0193a2b4c5d67e8f90a1b2c3d4e5f607 claims=2");
        assert_eq!(verdict().await, Verdict::Passed, "what is technical is no harm");
    }
}
