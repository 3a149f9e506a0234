//! Every page of the person's side, and every public one, taken from the service and shown to Chromium with axe-core in it.

use sha2::{Digest as _, Sha256};
use vouchsafe::speech::Tongue;

use super::browser::{Browser, Page, ROOT};
use super::versions::publish;
use super::with_pages;
use crate::support::app::photograph;
use crate::support::eyes::{AXE, EVERY_LIGHT, Eyes, Light, OTHER_WORDS};
use crate::support::{Backend, TestApp, render};

/// Pages as they were, each by a name.
#[derive(Default)]
struct Album(Vec<(String, String)>);

impl Album {
    fn keep(&mut self, name: &str, page: &Page) {
        assert!(page.answer.header("content-type").starts_with("text/html"), "{name}: {}", page.path);
        self.0.push((name.to_owned(), page.html()));
    }

    async fn open(&mut self, app: &TestApp, who: &mut Browser, name: &str, path: &str) -> Page {
        let page = who.go(app, path).await;
        self.keep(name, &page);
        page
    }
}

/// Whoever has no account: the front doors, the policy, the ledger, the way in and its mistakes.
async fn strangers(app: &TestApp, tongue: Tongue, album: &mut Album) {
    let mut eve = Browser::that_speaks(tongue);
    for (name, path) in [
        ("home", "/"),
        ("house-ledger", "/ledger"),
        ("policy", "/flux-kontext/policy"),
        ("policy-version", "/flux-kontext/policy/2026-11-01"),
        ("policy-of-the-other", "/opusflair/policy"),
        ("ledger", "/flux-kontext/ledger"),
        ("ledger-entry", "/flux-kontext/ledger/0"),
        ("nowhere", "/flux-kontext/nowhere"),
    ] {
        album.open(app, &mut eve, name, path).await;
    }
    let door = album.open(app, &mut eve, "sign-in", &format!("{ROOT}/sign-in")).await;
    let wrong = eve.send(app, &door, "/sign-in", &[("email", "nobody")]).await;
    album.keep("sign-in-mistake", &wrong);
    let door = album.open(app, &mut eve, "sign-up", &format!("{ROOT}/sign-up")).await;
    let wrong = eve.send(app, &door, "/sign-up", &[("email", "nobody")]).await;
    album.keep("sign-up-mistake", &wrong);
    let sent = eve.send(app, &door, "/sign-up", &[("email", "ada@example.org"), ("name", "Ada")]).await;
    album.keep("mail-sent", &sent);
    app.work().await;
    let link = super::browser::mailed_path(app);
    let mut other = Browser::that_speaks(tongue);
    let page = album.open(app, &mut other, "sign-in-code", &link).await;
    let wrong = other.send(app, &page, "/sign-in/confirm", &[("code", "AAAAA-AAAAA")]).await;
    album.keep("sign-in-code-mistake", &wrong);
    album.open(app, &mut eve, "sign-in-confirm", &link).await;
}

/// Pictures: none, one that is being made, one that is made.
async fn pictures(app: &TestApp, ada: &mut Browser, album: &mut Album) {
    album.open(app, ada, "pictures-none", &format!("{ROOT}/images")).await;
    album.open(app, ada, "notices", &format!("{ROOT}/notices")).await;
    let form = album.open(app, ada, "edit", &format!("{ROOT}/edit")).await;
    let wrong = ada.send_photograph(app, &form, b"GIF89a and no more", &[("prompt", "")]).await;
    album.keep("edit-mistake", &wrong);
    let made =
        ada.send_photograph(app, &form, &photograph(1), &[("prompt", "warmer"), ("model", "pro")]).await;
    album.keep("edit-running", &made);
    album.open(app, ada, "pictures-running", &format!("{ROOT}/images")).await;
    app.settle().await;
    album.open(app, ada, "edit-done", &made.path).await;
    let all = album.open(app, ada, "pictures", &format!("{ROOT}/images")).await;
    let picture = all.link("/images/obj_");
    album.open(app, ada, "picture", &picture).await;
    album.open(app, ada, "picture-delete", &format!("{picture}/delete")).await;
    album
        .open(app, ada, "edit-again", &format!("{ROOT}/edit?source={}", picture.rsplit('/').next().unwrap()))
        .await;
}

/// Every right, from its question to where it stands.
async fn rights(app: &TestApp, ada: &mut Browser, album: &mut Album) {
    for (right, answers) in [
        ("access", &[("choice", "all")][..]),
        ("rectification", &[("text", "The name on my invoice.")]),
        ("objection", &[("choice", "analytics")]),
        ("withdrawal", &[("choice", "improvement")]),
        ("restriction", &[]),
    ] {
        let question =
            album.open(app, ada, &format!("ask-{right}"), &format!("{ROOT}/privacy/ask/{right}")).await;
        let check = format!("/ask/{right}/check");
        if right != "restriction" {
            let wrong = ada.send(app, &question, &check, &[]).await;
            album.keep(&format!("ask-{right}-mistake"), &wrong);
        }
        let summary = ada.send(app, &question, &check, answers).await;
        assert_eq!(summary.status, 200, "{right}: {}", summary.html());
        album.keep(&format!("check-{right}"), &summary);
        let filed = ada.send(app, &summary, &format!("/ask/{right}"), &[]).await;
        album.keep(&format!("filed-{right}"), &filed);
        let path = filed.link("/privacy/requests/PR-");
        album.open(app, ada, &format!("status-{right}"), &path).await;
    }
}

async fn centre(app: &TestApp, ada: &mut Browser, album: &mut Album) {
    album.open(app, ada, "centre-new", &format!("{ROOT}/privacy")).await;
    rights(app, ada, album).await;
    album.open(app, ada, "edit-paused", &format!("{ROOT}/edit")).await;
    publish(app).await;
    app.settle().await;
    let page = album.open(app, ada, "centre", &format!("{ROOT}/privacy")).await;
    page.says(
        &ada.tongue.put("The policy changes on {effective}").with("effective", "<").text().replace('<', ""),
    );
    page.says(ada.tongue.say("Processing is restricted."));
    album.open(app, ada, "policy-news", &format!("{ROOT}/policy")).await;
    album.open(app, ada, "policies", &format!("{ROOT}/privacy/policies")).await;
    album.open(app, ada, "readers", &format!("{ROOT}/privacy/readers")).await;
    album.open(app, ada, "notices-new", &format!("{ROOT}/notices")).await;
    ada.send(app, &page, "/restriction/lift", &[]).await;
    let details = album.open(app, ada, "details", &format!("{ROOT}/privacy/details")).await;
    let wrong =
        ada.send(app, &details, "/privacy/details", &[("name", ""), ("email", "x"), ("username", "")]).await;
    album.keep("details-mistakes", &wrong);
    let receipts = ada.go(app, &format!("{ROOT}/privacy")).await;
    if let Some(receipt) = receipts.links("/consents/receipt/").first() {
        album.open(app, ada, "consent-receipt", receipt).await;
    }
}

async fn leaving(app: &TestApp, ada: &mut Browser, album: &mut Album) {
    let ask = album.open(app, ada, "erase", &format!("{ROOT}/privacy/erase")).await;
    let wrong = ada.send(app, &ask, "/privacy/erase", &[("when", "now")]).await;
    album.keep("erase-mistake", &wrong);
    let set = ada.send(app, &ask, "/privacy/erase", &[("when", "later"), ("sure", "yes")]).await;
    album.keep("erase-set", &set);
    let request = ada.go(app, &set.link("/privacy/requests/PR-")).await;
    album.keep("status-erasure", &request);
    ada.send(app, &request, "/withdraw", &[]).await;
    let ask = ada.go(app, &format!("{ROOT}/privacy/erase")).await;
    let gone = ada.send(app, &ask, "/privacy/erase", &[("when", "now"), ("sure", "yes")]).await;
    assert_eq!(gone.heading(), ada.tongue.say("We erased it."));
    album.keep("erased", &gone);
    let receipt = gone.link("/receipts/rct_");
    album.open(app, ada, "receipt", receipt.trim_end_matches("/file")).await;
}

/// Takes every page in a language, and what there is to say against them.
async fn look_over(tongue: Tongue, lights: &[Light]) -> Vec<String> {
    let app = with_pages(TestApp::open(Backend::Sqlite).await.unwrap());
    let mut album = Album::default();
    strangers(&app, tongue, &mut album).await;
    let mut ada = Browser::that_speaks(tongue);
    ada.open_account(&app, "ada@example.net", &["improvement"]).await;
    pictures(&app, &mut ada, &mut album).await;
    centre(&app, &mut ada, &mut album).await;
    leaving(&app, &mut ada, &mut album).await;
    app.settle().await;
    let spoken = format!("<html lang=\"{}\">", tongue.tag());
    for (name, html) in &album.0 {
        assert!(html.contains(&spoken), "{name} is in another language");
    }
    let name = |name: &str| {
        if tongue == Tongue::English { name.to_owned() } else { format!("{}-{name}", tongue.tag()) }
    };
    let named: Vec<(String, String)> = album.0.iter().map(|(n, html)| (name(n), html.clone())).collect();
    render::write(&named.iter().map(|(n, html)| (n.as_str(), html.clone())).collect::<Vec<_>>());
    let eyes = Eyes::open().await;
    let found = eyes.look_over(&named, lights).await;
    eyes.close().await;
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn axe_finds_nothing_on_any_page_of_a_person_or_in_public() {
    let found = look_over(Tongue::English, EVERY_LIGHT).await;
    assert!(found.is_empty(), "{} things:\n{}", found.len(), found.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn axe_finds_nothing_on_any_of_these_pages_in_german() {
    let found = look_over(Tongue::German, OTHER_WORDS).await;
    assert!(found.is_empty(), "{} things:\n{}", found.len(), found.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_eyes_see_what_they_are_there_for() {
    let page = |name: &str, body: &str| {
        let head = "<!doctype html><html lang=\"en\"><head><title>A page</title>\
                    <link rel=\"stylesheet\" href=\"/assets/vouchsafe.css\"></head>";
        (name.to_owned(), format!("{head}<body><main><h1>A page</h1>{body}</main></body></html>"))
    };
    let pages = [
        page("sound", "<p>Nothing is wrong here.</p>"),
        page("label", "<input type=\"text\">"),
        page("target", "<button class=\"plain small\">x</button> ".repeat(2).as_str()),
        page(
            "wide",
            "<p class=\"nowrap\">a line that is much too long for a small window and cannot be broken anywhere</p>",
        ),
        page("order", "<a href=\"#x\" id=\"x\" tabindex=\"3\">first</a>"),
    ];
    let eyes = Eyes::open().await;
    let found = eyes.look_over(&pages, EVERY_LIGHT).await;
    eyes.close().await;
    let of = |name: &str| {
        found.iter().filter(|f| f.starts_with(&format!("{name}: "))).cloned().collect::<String>()
    };
    assert_eq!(of("sound"), "");
    assert!(of("label").contains("phone: label: "), "{}", of("label"));
    assert!(of("wide").contains("scrolls sideways"), "{}", of("wide"));
    assert!(of("order").contains("a place of its own in the order"), "{}", of("order"));
}

#[test]
fn the_axe_that_is_run_is_the_one_that_was_published() {
    let readme = include_str!("axe/README.md");
    let hash = hex::encode(Sha256::digest(AXE));
    assert!(readme.contains(&hash), "{hash}");
    assert!(AXE.starts_with("/*! axe v4.14.1"));
}
