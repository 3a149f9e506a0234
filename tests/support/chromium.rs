//! A real browser without a window: Chromium, driven through `chromedriver`.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, json};

/// A browser of this test alone. Dropped, it is gone with everything it started.
pub(crate) struct Chromium {
    /// The window.
    pub(crate) window: Client,
    driver: Child,
    // Last, so that it goes last: the browser's profile.
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// Starts one.
    pub(crate) async fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed by `make needs`");
        let mut wanted = Map::new();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", &folder];
        wanted.insert("goog:chromeOptions".to_owned(), json!({ "args": args }));
        let address = format!("http://127.0.0.1:{port}");
        let mut tries = 0;
        let window = loop {
            match ClientBuilder::new(HttpConnector::new())
                .capabilities(wanted.clone())
                .connect(&address)
                .await
            {
                Ok(window) => break window,
                Err(e) if tries == 100 => panic!("the browser does not start: {e}"),
                // The driver says nowhere else that it listens by now.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
            tries += 1;
        };
        Self { window, driver, _profile: profile }
    }

    /// Closes the window.
    pub(crate) async fn close(self) {
        self.window.clone().close().await.unwrap();
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
