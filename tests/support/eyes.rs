//! Chromium as somebody's eyes: driven through `ChromeDriver`, with axe-core in it, in every light a page is read in.

use std::process::Stdio;

use fantoccini::error::CmdError;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::listening::Listening;

/// The release of axe-core that the tests run, as it was published.
pub(crate) const AXE: &str = include_str!("../pages/axe/axe.min.js");

/// What axe is asked for: WCAG 2.2 at level AA, and the practices it recommends besides.
const TAGS: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const RUN_AXE: &str = "
const [only, tags, done] = arguments;
const run = only ? { type: 'rule', values: [only] } : { type: 'tag', values: tags };
axe.run(document, { runOnly: run, resultTypes: ['violations'] }).then(
  r => done(r.violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary}`))),
  e => done(['axe did not run: ' + e]));";

/// What sticks out of the window to the right, if the page has to be scrolled sideways.
const STICKS_OUT: &str = "
const page = document.documentElement;
if (page.scrollWidth <= page.clientWidth) return [];
const inside = e => { for (let p = e.parentElement; p; p = p.parentElement)
  if (getComputedStyle(p).overflowX !== 'visible') return true; return false };
const out = [...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > page.clientWidth + 1 && !inside(e))
  .map(e => e.outerHTML.slice(0, 90));
return [`scrolls sideways by ${page.scrollWidth - page.clientWidth} px: ${out.slice(0, 3).join(' | ')}`];";

/// What can be reached by keyboard and does not show it.
const UNSEEN_FOCUS: &str = "
const shows = e => { const s = getComputedStyle(e); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 };
const found = [];
for (const e of document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex=\"0\"]')) {
  e.focus({ focusVisible: true });
  if (document.activeElement !== e) continue;
  const label = e.closest('label');
  if (!shows(e) && !(label && shows(label))) found.push('focus is not shown: ' + e.outerHTML.slice(0, 90));
}
return found;";

/// What moves although the reader asked for less motion, and what sets an order of its own for the keyboard.
const RESTLESS: &str = "
const moving = document.getAnimations().map(a => 'moves: ' + a.effect.target.outerHTML.slice(0, 90));
const order = [...document.querySelectorAll('[tabindex]')].filter(e => e.tabIndex > 0)
  .map(e => 'has a place of its own in the order: ' + e.outerHTML.slice(0, 90));
return [...moving, ...order];";

/// A browser that looks.
pub(crate) struct Eyes {
    client: Client,
    // Dropped, it ends, and the browser with it.
    _driver: Child,
}

/// A command of the browser's own protocol, which `ChromeDriver` hands on.
#[derive(Debug)]
struct Cdp(&'static str, Value);

impl WebDriverCompatibleCommand for Cdp {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _url: &url::Url) -> (reqwest::Method, Option<String>) {
        let body = json!({ "cmd": self.0, "params": self.1 });
        (reqwest::Method::POST, Some(body.to_string()))
    }
}

/// A page as somebody reads it.
pub(crate) struct Light {
    name: &'static str,
    width: u32,
    features: &'static [(&'static str, &'static str)],
    /// The one rule to look for; all of them without.
    only: Option<&'static str>,
}

const STILL: (&str, &str) = ("prefers-reduced-motion", "reduce");
const DARK: (&str, &str) = ("prefers-color-scheme", "dark");
const CONTRAST: Option<&str> = Some("color-contrast");

/// A window of 1,280 px, a telephone, the window at twice the size (which halves its width), and the same in the dark.
pub(crate) const EVERY_LIGHT: &[Light] = &[
    Light { name: "light", width: 1280, features: &[STILL], only: None },
    Light { name: "dark", width: 1280, features: &[STILL, DARK], only: CONTRAST },
    PHONE,
    Light { name: "phone, dark", width: 390, features: &[STILL, DARK], only: CONTRAST },
    Light { name: "200 %", width: 640, features: &[STILL], only: None },
];

/// For pages that were seen in every light and now say the same in other words: what words can break shows on a telephone.
pub(crate) const OTHER_WORDS: &[Light] = &[PHONE];

const PHONE: Light = Light { name: "phone", width: 390, features: &[STILL], only: None };

/// The narrowest window in which nothing may have to be scrolled sideways (WCAG 1.4.10).
const NARROWEST: u32 = 320;

impl Eyes {
    /// Starts a browser of its own.
    pub(crate) async fn open() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver is installed (tests/support/needs.sh)");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap().expect("chromedriver says where it listens");
            if let Some((_, rest)) = line.split_once("started successfully on port ") {
                break rest.trim_end_matches('.').parse::<u16>().unwrap();
            }
        };
        let options = json!({
            "goog:chromeOptions": { "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--window-size=1280,900",
            ]},
        });
        let Value::Object(capabilities) = options else { unreachable!() };
        let capabilities: Capabilities = capabilities;
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        let eyes = Self { client, _driver: driver };
        eyes.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": AXE })).await;
        eyes
    }

    /// The browser itself.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Ends the browser.
    pub(crate) async fn close(self) {
        self.client.clone().close().await.unwrap();
    }

    async fn cdp(&self, command: &'static str, params: Value) -> Value {
        self.client.issue_cmd(Cdp(command, params)).await.unwrap()
    }

    async fn window(&self, width: u32, features: &[(&str, &str)]) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", size).await;
        let features: Vec<Value> = features.iter().map(|(n, v)| json!({ "name": n, "value": v })).collect();
        self.cdp("Emulation.setEmulatedMedia", json!({ "media": "screen", "features": features })).await;
    }

    async fn ask(&self, script: &str) -> Vec<String> {
        strings(self.client.execute(script, vec![]).await)
    }

    /// Everything that is wrong with the page at an address, in each of these lights.
    async fn look(&self, address: &str, lights: &[Light]) -> Vec<String> {
        self.window(1280, &[STILL]).await;
        self.client.goto(address).await.unwrap();
        let mut found = self.ask(RESTLESS).await;
        for light in lights {
            self.window(light.width, light.features).await;
            let seen = self.client.execute_async(RUN_AXE, vec![json!(light.only), json!(TAGS)]).await;
            found.extend(strings(seen).into_iter().map(|says| format!("{}: {says}", light.name)));
        }
        self.window(NARROWEST, &[STILL]).await;
        found.extend(self.ask(STICKS_OUT).await);
        found.extend(self.ask(UNSEEN_FOCUS).await);
        found
    }

    /// Looks at pages that were taken from the service, each by its name and markup, and gives everything that is wrong.
    pub(crate) async fn look_over(&self, pages: &[(String, String)], lights: &[Light]) -> Vec<String> {
        let album = album(pages).await;
        let mut found = Vec::new();
        for (at, (name, _)) in pages.iter().enumerate() {
            let seen = self.look(&format!("{}/page/{at}", album.url()), lights).await;
            found.extend(seen.into_iter().map(|says| format!("{name}: {says}")));
        }
        found
    }
}

fn strings(said: Result<Value, CmdError>) -> Vec<String> {
    let said = said.unwrap();
    let list = said.as_array().unwrap_or_else(|| panic!("the browser says {said}"));
    list.iter().map(|v| v.as_str().unwrap().to_owned()).collect()
}

/// Serves pages as they were, with the stylesheet, under the policy that the service puts on them.
async fn album(pages: &[(String, String)]) -> Listening {
    use axum::extract::Path;
    use axum::response::{Html, IntoResponse as _};
    use vouchsafe::web::assets;

    let pages: Vec<String> = pages.iter().map(|(_, html)| html.clone()).collect();
    let csp = "default-src 'none'; style-src 'self'; img-src 'self' data:";
    let page = move |Path(at): Path<usize>| {
        let html = pages[at].clone();
        async move { ([("content-security-policy", csp)], Html(html)) }
    };
    let asset = async |Path(name): Path<String>| match assets::find(&name) {
        Some(asset) => ([("content-type", asset.media_type)], asset.body).into_response(),
        None => axum::http::StatusCode::NOT_FOUND.into_response(),
    };
    let router = axum::Router::new()
        .route("/page/{at}", axum::routing::get(page))
        .route("/assets/{name}", axum::routing::get(asset));
    Listening::start(router).await
}
