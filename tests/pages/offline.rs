//! The page that checks receipts without us, in Chromium, from a disk: it takes true receipts, refuses others, and judges
//! as the program does.

use std::path::Path;

use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use vouchsafe::base::{PageSize, Secret};
use vouchsafe::ledger::witness::{AddCheckpoint, Memory};
use vouchsafe::ledger::{Checkpoint, Entry, EntryKind, Receipt, SignerKey};

use super::with_pages;
use crate::each_app;
use crate::support::chance::{Chance, tell};
use crate::support::chromium::Chromium;
use crate::support::{Backend, TestApp};

/// The service's page, written to a disk, and the service gone from its address.
async fn saved(app: &TestApp, folder: &Path) -> String {
    let answer = app.get("/ledger/verify").header("accept", "text/html").send().await;
    assert_eq!(answer.status, 200);
    let file = folder.join("check-a-receipt.html");
    std::fs::write(&file, answer.text()).unwrap();
    format!("file://{}", file.display())
}

/// A receipt of every kind of entry there is, details and all.
async fn receipts(app: &TestApp) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    for kind in EntryKind::KNOWN.iter().cloned().chain(["some.thing".parse().unwrap()]) {
        let about = format!("person-{}", receipts.len());
        let entry = Entry::new(kind, app.now(), &app.tenant(), "service")
            .about(about.parse().unwrap())
            .fact("n", receipts.len() as u64)
            .fact("on", true)
            .fact("key", "kfp:9f86d081")
            .details(json!({ "€": [1, null, true], "name": "a \"person\"\n", "1": { "b": -7, "a": "ü\u{1f600}\u{fb33}" } }));
        let mut tx = app.app.db.begin().await.unwrap();
        let written = app.app.ledger.append(&mut tx, entry).await.unwrap();
        tx.commit().await.unwrap();
        receipts.push(app.app.ledger.receipt(written.id, written.opening).await.unwrap());
    }
    // One without details, of another tenant and none.
    let logged = app.app.ledger.tail(PageSize::new(1).unwrap(), Some("1")).await.unwrap();
    receipts.push(app.app.ledger.receipt(logged.items[0].leaf.id, None).await.unwrap());
    receipts
}

/// What the page says of a receipt, as its own script gives it.
async fn verdict(window: &Client, text: &str, key: &str, witnesses: &str, at_least: u32) -> Value {
    let script = "const [text, key, witnesses, n, done] = arguments; vouchsafeVerify(text, key, witnesses, n).then(done);";
    let args = vec![json!(text), json!(key), json!(witnesses), json!(at_least)];
    window.execute_async(script, args).await.unwrap()
}

fn key_of(app: &TestApp) -> String {
    app.app.ledger.verifier().to_string()
}

/// A name, and what is done to a receipt.
type Forgery = (&'static str, fn(&mut Value));

/// What somebody would change, each for a reason.
const FORGERIES: [Forgery; 6] = [
    ("the sentence", |r| replace(&mut r["sentence"], "recorded", "denied")),
    ("a fact", |r| replace(&mut r["entry"], "\"on\":true", "\"on\":false")),
    ("the number", |r| replace(&mut r["proof"], "index 7", "index 6")),
    ("a hash of the path", |r| {
        let proof = r["proof"].as_str().unwrap().to_owned();
        let mut lines: Vec<&str> = proof.split('\n').collect();
        lines.swap(2, 3);
        r["proof"] = json!(lines.join("\n"));
    }),
    ("the size of the ledger", |r| {
        let proof = r["proof"].as_str().unwrap().to_owned();
        let (path, head) = proof.split_once("\n\n").unwrap();
        let mut lines: Vec<String> = head.split('\n').map(ToOwned::to_owned).collect();
        lines[1] = (lines[1].parse::<u64>().unwrap() + 1).to_string();
        r["proof"] = json!(format!("{path}\n\n{}", lines.join("\n")));
    }),
    ("the private details", |r| r["opening"]["details"]["1"]["b"] = json!(-8)),
];

fn replace(value: &mut Value, from: &str, to: &str) {
    let text = value.as_str().unwrap();
    assert!(text.contains(from), "{text} has no {from}");
    *value = json!(text.replacen(from, to, 1));
}

/// Chooses a file and presses the button, as a person does; gives what is then on the page.
async fn by_hand(window: &Client, file: &Path) -> (String, String) {
    window.find(Locator::Id("file")).await.unwrap().send_keys(&file.display().to_string()).await.unwrap();
    window.find(Locator::Id("check")).await.unwrap().click().await.unwrap();
    let outcome = window.wait().for_element(Locator::Css("#outcome:not([hidden])")).await.unwrap();
    let state = outcome.attr("data-verdict").await.unwrap().unwrap();
    (state, outcome.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_is_checked_from_a_disk_as_a_person_does_it() {
    let app = with_pages(TestApp::open(Backend::Sqlite).await.unwrap());
    // The policies of the two tenants stand before what is written here.
    let before = app.app.ledger.checkpoint().await.unwrap().size();
    let all = receipts(&app).await;
    assert!(before <= 7);
    let receipt = &all[7 - usize::try_from(before).unwrap()];
    assert_eq!(receipt.proof().index, 7);
    let page = saved(&app, app.folder()).await;
    let browser = Chromium::start().await;
    let window = &browser.window;

    let good = app.folder().join("receipt-good.json");
    std::fs::write(&good, receipt.to_text().unwrap()).unwrap();
    window.goto(&page).await.unwrap();
    let (state, says) = by_hand(window, &good).await;
    assert_eq!(state, "holds", "{says}");
    assert!(says.contains("This receipt holds.") && says.contains(receipt.sentence()), "{says}");
    assert!(says.contains("What it does not prove"), "{says}");

    for (what, change) in FORGERIES {
        let mut forged: Value = serde_json::from_str(&receipt.to_text().unwrap()).unwrap();
        change(&mut forged);
        let file = app.folder().join("receipt-forged.json");
        std::fs::write(&file, forged.to_string()).unwrap();
        window.goto(&page).await.unwrap();
        let (state, says) = by_hand(window, &file).await;
        assert_eq!(state, "broken", "{what}: {says}");
        assert!(says.contains("This receipt does not hold."), "{says}");
    }

    // As the service hands it out, in a sandbox.
    let served = app.get("/ledger/verify").header("accept", "text/html").send().await;
    let policy = served.header("content-security-policy").to_owned();
    let html = served.text();
    let answer = move || async move { ([("content-security-policy", policy)], axum::response::Html(html)) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let mut running = tokio::task::JoinSet::new();
    let router = axum::Router::new().route("/", axum::routing::get(answer));
    running.spawn(async move { axum::serve(listener, router).await.unwrap() });
    window.goto(&address).await.unwrap();
    assert_eq!(by_hand(window, &good).await.0, "holds");
    let origin = window.execute("return self.origin;", Vec::new()).await.unwrap();
    assert_eq!(origin, "null", "it has no origin, so no cookie and no storage of this house");

    // A bare proof wants the entry beside it.
    let proof = app.folder().join("entry.tlog-proof");
    std::fs::write(&proof, receipt.proof().to_text()).unwrap();
    window.goto(&page).await.unwrap();
    assert!(by_hand(window, &proof).await.1.contains("Choose the file of the entry"));
    let entry = serde_json::from_str::<Value>(&receipt.to_text().unwrap()).unwrap()["entry"].clone();
    let beside = app.folder().join("entry.bin");
    std::fs::write(&beside, entry.as_str().unwrap()).unwrap();
    let both = format!("{}\n{}", proof.display(), beside.display());
    window.goto(&page).await.unwrap();
    assert_eq!(by_hand(window, Path::new(&both)).await.0, "holds");
    std::fs::write(&beside, format!("{} ", entry.as_str().unwrap())).unwrap();
    window.goto(&page).await.unwrap();
    assert_eq!(by_hand(window, Path::new(&both)).await.0, "broken");
    browser.close().await;
}

/// As the program does, which then ends with another status: a file that is none is no evidence of anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_receipt_is_not_called_a_bad_one() {
    let app = with_pages(TestApp::open(Backend::Sqlite).await.unwrap());
    let receipt = receipts(&app).await.remove(0);
    let page = saved(&app, app.folder()).await;
    assert!(
        std::fs::read_to_string(app.folder().join("check-a-receipt.html"))
            .unwrap()
            .contains("verify receipt.json --key")
    );
    let browser = Chromium::start().await;
    let window = &browser.window;
    window.goto(&page).await.unwrap();
    window.find(Locator::Id("check")).await.unwrap().click().await.unwrap();
    let outcome = window.wait().for_element(Locator::Css("#outcome:not([hidden])")).await.unwrap();
    assert_eq!(outcome.attr("data-verdict").await.unwrap().as_deref(), Some("unread"));
    let says = outcome.text().await.unwrap();
    assert!(says.contains("Choose the file") && !says.contains("Do not believe"), "{says}");

    let png = b"\x89PNG\r\n\x1a\n".as_slice();
    for (name, bytes, why) in [
        ("archive.zip", b"PK\x03\x04 and more \xff".as_slice(), "--key KEY"),
        ("letter.txt", b"Dear Ada".as_slice(), "This is not a receipt"),
        ("other.json", b"{\"a\": 1}".as_slice(), "This is not a receipt"),
        ("picture.png", png, "no text"),
    ] {
        let file = app.folder().join(name);
        std::fs::write(&file, bytes).unwrap();
        window.goto(&page).await.unwrap();
        let (state, says) = by_hand(window, &file).await;
        assert_eq!(state, "unread", "{name}: {says}");
        assert!(
            says.contains(why) && says.contains("Nothing was checked.") && !says.contains("does not hold"),
            "{says}"
        );
    }
    // A good one, and no key to check it with.
    let said = verdict(window, &receipt.to_text().unwrap(), "no key", "", 0).await;
    assert_eq!(said["verdict"], "unread", "{said}");
    browser.close().await;
}

/// The program and the page are two implementations of the same specifications, and must be of one mind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_and_the_program_judge_alike() {
    let chance = Chance::of("the_page_and_the_program_judge_alike");
    let app = with_pages(TestApp::open(Backend::Sqlite).await.unwrap());
    let key = key_of(&app);
    let all = receipts(&app).await;
    let page = saved(&app, app.folder()).await;
    let browser = Chromium::start().await;
    let window = &browser.window;
    window.goto(&page).await.unwrap();
    for receipt in &all {
        let said = verdict(window, &receipt.to_text().unwrap(), &key, "", 0).await;
        assert_eq!(said["verdict"], "holds", "{} {said}", receipt.sentence());
        assert_eq!(said["sentence"], receipt.sentence());
        let verified = receipt.verify(app.app.ledger.verifier(), &[]).unwrap();
        assert_eq!(said["not"][0], verified.not_proved[0].as_str());
    }
    let (mut refused, mut whole) = (0, 0);
    for n in 0..600 {
        let true_one = chance.one(&all);
        let bytes = chance.damaged(true_one.to_text().unwrap().as_bytes());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let ours = Receipt::parse(&text).is_ok_and(|r| r.verify(app.app.ledger.verifier(), &[]).is_ok());
        let theirs = verdict(window, &text, &key, "", 0).await;
        assert_eq!(theirs["verdict"] == "holds", ours, "{n}: {theirs}\n{text}");
        refused += usize::from(!ours);
        whole += usize::from(ours);
    }
    tell(&format!("{refused} altered receipts refused by both, {whole} unharmed ones taken by both"));
    assert!(refused > 500, "{refused}");
    let stranger = SignerKey::ledger(app.app.ledger.verifier().name(), &Secret::new([9; 32])).unwrap();
    let said = verdict(window, &all[0].to_text().unwrap(), &stranger.verifier().to_string(), "", 0).await;
    assert_eq!(said["verdict"], "broken", "another key of the same name: {said}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_witnesses_as_are_asked_for_must_have_seen_it() {
    let app = with_pages(TestApp::open(Backend::Sqlite).await.unwrap());
    let receipt = receipts(&app).await.remove(0);
    let head = app.app.ledger.checkpoint().await.unwrap();
    let witnesses: Vec<SignerKey> = [("one.example", 1), ("two.example", 2), ("three.example", 3)]
        .map(|(name, seed)| SignerKey::witness(name, &Secret::new([seed; 32])).unwrap())
        .into();
    let mut seen: Checkpoint = head.clone();
    for (n, witness) in witnesses.iter().take(2).enumerate() {
        let file = app.folder().join(format!("witness-{n}"));
        let request = AddCheckpoint { old: 0, hashes: Vec::new(), checkpoint: head.note().to_owned() };
        let mut memory = Memory::default();
        let line = memory.witness(&file, &request, app.app.ledger.verifier(), witness, app.now()).unwrap();
        seen = seen.with_cosignature(&line, witness.verifier()).unwrap();
    }
    // The receipt of an older head, with the newest put in its place by whoever collected the cosignatures.
    let id = receipt.verify(app.app.ledger.verifier(), &[]).unwrap().id;
    let fresh = app.app.ledger.receipt(id, None).await.unwrap();
    let mut file: Value = serde_json::from_str(&fresh.to_text().unwrap()).unwrap();
    let text = file["proof"].as_str().unwrap().replace(head.note(), seen.note());
    assert!(text.contains("two.example"));
    file["proof"] = json!(text);
    let text = file.to_string();

    let browser = Chromium::start().await;
    let window = &browser.window;
    window.goto(&saved(&app, app.folder()).await).await.unwrap();
    let keys: Vec<String> = witnesses.iter().map(|w| w.verifier().to_string()).collect();
    let (all, key) = (keys.join("\n"), key_of(&app));
    for (n, holds) in [(0, true), (1, true), (2, true), (3, false)] {
        let said = verdict(window, &text, &key, &all, n).await;
        assert_eq!(said["verdict"] == "holds", holds, "{n} asked for: {said}");
    }
    let said = verdict(window, &text, &key, &all, 2).await;
    assert!(said["proved"].to_string().contains("two.example saw this very ledger"), "{said}");
    let twice = format!("{}\n{}", keys[0], keys[0]);
    assert_eq!(
        verdict(window, &text, &key, &twice, 2).await["verdict"],
        "broken",
        "one witness is one witness"
    );
    let altered = text.replacen("two.example ", "two.example A", 1);
    assert_eq!(verdict(window, &altered, &key, &all, 0).await["verdict"], "broken");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_cannot_says_so_and_judges_nothing() {
    let app = with_pages(TestApp::open(Backend::Sqlite).await.unwrap());
    let receipt = receipts(&app).await.remove(0);
    let good = app.folder().join("receipt-good.json");
    std::fs::write(&good, receipt.to_text().unwrap()).unwrap();
    let browser = Chromium::start().await;
    let window = &browser.window;
    window.goto(&saved(&app, app.folder()).await).await.unwrap();
    let without =
        "crypto.subtle.importKey = () => Promise.reject(new DOMException('no', 'NotSupportedError'));";
    window.execute(without, Vec::new()).await.unwrap();
    let (state, says) = by_hand(window, &good).await;
    assert_eq!(state, "cannot", "{says}");
    assert!(
        says.contains("This browser cannot check Ed25519") && says.contains("vouchsafe verify"),
        "{says}"
    );
    // One that says yes to everything is no better.
    let easy = "crypto.subtle.importKey = () => Promise.resolve({}); crypto.subtle.verify = () => Promise.resolve(true);";
    window.execute(easy, Vec::new()).await.unwrap();
    assert_eq!(by_hand(window, &good).await.0, "cannot");
    browser.close().await;
}

each_app! {
    async fn the_page_asks_nobody_and_is_no_part_of_a_session(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let path = "/ledger/verify";
        let plain = app.get(path).header("accept", "text/html").send().await;
        let signed_in = app.get(path).by(&ada).header("accept", "text/html").send().await;
        assert_eq!(plain.text(), signed_in.text(), "it is the same for everybody");
        assert!(signed_in.headers.get("set-cookie").is_none());
        let policy = plain.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "sandbox allow-scripts", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        for hole in ["connect-src", "unsafe", "allow-same-origin", "'self'", "img-src"] {
            assert!(!policy.contains(hole), "{policy}");
        }
        assert!(plain.text().contains("http-equiv=\"Content-Security-Policy\""));
        assert!(plain.text().contains(&app.app.ledger.verifier().to_string()));
        // Another page of the house has no word of it in its policy.
        let ledger = app.get("/ledger").header("accept", "text/html").send().await;
        assert!(!ledger.header("content-security-policy").contains("sha256-"));
        assert!(ledger.text().contains("/ledger/verify"));
        assert!(ledger.text().contains("/ledger/archive-key"));
        assert!(ledger.text().contains(&app.app.requests.archive_key().to_string()), "the key of the archives, beside its own");
    }
}
