//! The program itself, killed in the middle of an edit that a provider does, and started again.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use vouchsafe::app::{App, Setup, load_documents};
use vouchsafe::base::{Clock, Entropy};
use vouchsafe::config::Config;
use vouchsafe::fakes::FakeFal;
use vouchsafe::imaging::{Format, sample};
use vouchsafe::mail;
use vouchsafe::subjects::{NewAccount, Scope};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A process that goes with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program, and waits until it says an address. What it says later is read and dropped.
fn start(arguments: &[&str], variables: &[(&str, String)]) -> (Running, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null());
    for (name, value) in variables {
        command.env(name, value);
    }
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let running = Running(child);
    let said = lines.by_ref().map_while(Result::ok).find(|line| line.contains("http://127.0.0.1:"));
    let said = said.expect("it says where it is");
    std::thread::spawn(move || lines.for_each(drop));
    let address = &said[said.find("http://").unwrap()..];
    (running, address.trim().trim_end_matches('/').to_owned())
}

/// An installation with one person and an app's key. Their id, and the key.
async fn installation(data: &Path) -> (String, String) {
    let config = Config::throwaway(data);
    let documents = load_documents(&crate::support::source::root().join("policies")).unwrap();
    let setup = Setup {
        config,
        clock: Clock::system(),
        entropy: Entropy::system(),
        documents,
        mail: Some(mail::Settings::Recorded),
        blobs: None,
        redrawer: None,
        logs: None,
    };
    let app = App::open(setup).await.unwrap();
    let tenant = "flux-kontext".parse().unwrap();
    let account = NewAccount {
        email: "ada@example.org".parse().unwrap(),
        name: "Ada".to_owned(),
        username: "ada".to_owned(),
    };
    let owner = app.subjects.open(&tenant, account).await.unwrap();
    app.credits.grant(&owner, 100, "granted").await.unwrap();
    let key = app.subjects.mint_api_key(&tenant, "a test's", &[Scope::Edits], None).await.unwrap();
    app.close().await;
    (owner.subject.to_string(), key.text.expose().clone())
}

/// What a caller of the API knows.
struct Caller {
    client: Client,
    base: String,
    key: String,
    subject: String,
}

impl Caller {
    #[expect(clippy::disallowed_methods, reason = "a caller of the service, not the service")]
    fn new(base: &str, key: &str, subject: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { client, base: base.to_owned(), key: key.to_owned(), subject: subject.to_owned() }
    }

    async fn call(&self, request: reqwest::RequestBuilder) -> Value {
        let request = request.bearer_auth(&self.key).header("vouchsafe-subject", &self.subject);
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        self.call(self.client.get(format!("{}{path}", self.base))).await
    }

    /// Uploads a picture and asks for an edit of it. Its id.
    async fn ask(&self, seed: u64) -> String {
        let photograph = sample::photograph(seed, "a test's", Format::Jpeg).unwrap();
        let upload = self.client.post(format!("{}/v1/images", self.base));
        let image = self.call(upload.header("content-type", "image/jpeg").body(photograph)).await;
        let asked = json!({ "inputs": [image["id"]], "prompt": "make it rain" }).to_string();
        let edit = self.client.post(format!("{}/v1/edits", self.base));
        let made = self.call(edit.header("content-type", "application/json").body(asked)).await;
        assert_eq!(made["provider"], "fal-ai");
        made["id"].as_str().unwrap().to_owned()
    }
}

/// Looks again and again until it is so.
async fn until(what: &str, look: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !look().await {
        assert!(begun.elapsed() < PATIENCE, "it never came about: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_survives_its_process_and_is_paid_for_once() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (subject, key) = installation(&data).await;
    let (_fake, there) = start(&["fake-provider", "fal", "--listen", "127.0.0.1:0"], &[]);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let variables = [
        ("VOUCHSAFE_PROVIDERS__FAL__KEY", FakeFal::KEY.to_owned()),
        ("VOUCHSAFE_PROVIDERS__FAL__ADMIN_KEY", FakeFal::ADMIN_KEY.to_owned()),
        ("VOUCHSAFE_PROVIDERS__FAL__BASE", there.clone()),
    ];
    let serve = || {
        let data = data.display().to_string();
        start(&["serve", "--dev", "--listen", &listen, "--data", &data], &variables)
    };
    let (mut serving, base) = serve();
    let caller = Caller::new(&base, &key, &subject);
    let look = async || caller.call(caller.client.get(format!("{there}/__fake/state"))).await;
    let charges = async || look().await["charges"].as_u64().unwrap();

    for (edits, moment) in [(1, "it was asked for"), (2, "the provider took it"), (3, "the result was there")]
    {
        let edit = caller.ask(edits).await;
        match edits {
            1 => {}
            2 => until(moment, async || charges().await == edits).await,
            _ => {
                until(moment, async || charges().await == edits).await;
                let path = format!("/v1/edits/{edit}");
                let over = async || caller.get(&path).await["state"] == "succeeded";
                until(moment, async || {
                    look().await["held"].to_string().contains("result of") || over().await
                })
                .await;
            }
        }
        serving.0.kill().unwrap();
        serving.0.wait().unwrap();
        drop(serving);
        serving = serve().0;
        let over = async || {
            let state = caller.get(&format!("/v1/edits/{edit}")).await["state"].clone();
            !matches!(state.as_str(), Some("queued" | "running"))
        };
        until("the edit ends", over).await;
        let ended = caller.get(&format!("/v1/edits/{edit}")).await;
        assert_eq!(ended["state"], "succeeded", "killed when {moment}: {ended}");
        assert_eq!(charges().await, edits, "killed when {moment}: one charge an edit");
    }
    until("nothing is left there", async || look().await["held"] == json!([])).await;
    assert_eq!(look().await["complaints"], json!([]));
    assert_eq!(caller.get("/v1/credits").await["balance"], 97);
    let results = caller.get("/v1/images?category=output-image").await;
    assert_eq!(results["items"].as_array().unwrap().len(), 3, "one result each");
}

/// A restore that was killed leaves what it had unpacked: keys in clear, or people who were erased since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_restore_unpacked_goes_when_the_service_starts() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    installation(&data).await;
    let left: Vec<_> = ["keystore.db", "vouchsafe.db"]
        .iter()
        .flat_map(|name| ["", "-wal", "-shm"].map(|file| data.join(format!("{name}.incoming{file}"))))
        .collect();
    for path in &left {
        std::fs::write(path, b"SQLite format 3").unwrap();
    }
    let serve = ["serve", "--dev", "--listen", "127.0.0.1:0", "--data", &data.display().to_string()];
    let (_serving, _base) = start(&serve, &[]);
    assert!(left.iter().all(|path| !path.exists()), "{left:?}");
    assert!(data.join("keystore.db").exists());
}
