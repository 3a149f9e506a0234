//! The service as a process of its own, and calls of it over the wire.

use std::fs::File;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::home::Home;
use crate::support::source;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service that runs. Dropped, it is killed.
pub(super) struct Service {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    /// How it is called.
    pub(super) calls: Calls,
}

/// Calls of a port of this machine.
#[derive(Clone)]
pub(super) struct Calls {
    port: u16,
    client: reqwest::Client,
    changing: Arc<AtomicUsize>,
}

/// A call that changes something, counted from when it is begun until its whole answer is there, or none will come.
struct Changing(Arc<AtomicUsize>);

impl Changing {
    fn begun(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Changing {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// No whole answer came: what was asked may be done or not.
#[derive(Debug)]
pub(super) struct Lost;

/// A whole answer.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) body: Bytes,
}

impl Told {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.body))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The program, on the disk of this home.
pub(super) fn command(home: &Home) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
    command.current_dir(source::root()).env_clear().stdin(Stdio::null()).kill_on_drop(true);
    if home.felt {
        home.disk.under(&mut command);
    }
    command
}

impl Service {
    pub(super) async fn start(home: &Home) -> Result<Self, String> {
        let log = File::options().create(true).append(true).open(home.log_file()).unwrap();
        let mut child = command(home)
            .arg("serve")
            .arg("--dev")
            .arg("--config")
            .arg(home.config_file())
            .arg("--data")
            .arg(home.data())
            .args(["--log", "text", "--listen", &format!("127.0.0.1:{}", home.port)])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            match timeout(PATIENCE, said.next_line()).await.map_err(|_| "it does not start".to_owned())? {
                Ok(Some(line)) if line.contains("Ctrl-C stops") => break,
                // It will not open by itself: what happened since cannot be done again.
                Ok(Some(line)) if line.contains("Still shut") => return Err(line),
                Ok(Some(_)) => {}
                _ => {
                    let log = std::fs::read_to_string(home.log_file()).unwrap();
                    let last: Vec<_> = log.lines().rev().take(3).collect();
                    return Err(last.into_iter().rev().collect::<Vec<_>>().join("\n"));
                }
            }
        }
        Ok(Self { child, said, calls: Calls::to(home.port) })
    }

    /// `kill -9`.
    pub(super) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Waits until it has ended by itself.
    pub(super) async fn ended(&mut self) {
        timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
    }

    /// Asks it to stop, and waits until it has: in good order.
    pub(super) async fn stop(mut self) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        while let Ok(Some(_)) = timeout(PATIENCE, self.said.next_line()).await.unwrap() {}
        assert!(timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap().success());
    }
}

impl Calls {
    pub(super) fn to(port: u16) -> Self {
        Self { port, client: client(), changing: Arc::default() }
    }

    /// How many calls that change something have begun and are without an answer at this moment.
    pub(super) fn under_way(&self) -> usize {
        self.changing.load(Ordering::Relaxed)
    }

    pub(super) async fn get(&self, path: &str, token: &str) -> Result<Told, Lost> {
        self.call("GET", path, token, |call| call).await
    }

    /// A call by whoever has the token.
    pub(super) async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        fill: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder + Send,
    ) -> Result<Told, Lost> {
        let _counted = (method != "GET").then(|| Changing::begun(&self.changing));
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let call = self.client.request(method.parse().unwrap(), url).bearer_auth(token);
        let answer = fill(call).send().await.map_err(|_| Lost)?;
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type").map_or("", |v| v.to_str().unwrap()).to_owned();
        Ok(Told { status, kind, body: answer.bytes().await.map_err(|_| Lost)? })
    }
}

fn client() -> reqwest::Client {
    // The client wants to know its ciphers even where it needs none.
    let _there_already = rustls::crypto::ring::default_provider().install_default();
    #[expect(clippy::disallowed_methods, reason = "a test's own calls, of a server on this machine")]
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
    client.build().unwrap()
}
