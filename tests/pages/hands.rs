//! The pages under a hand on the mouse and on the keyboard: Chromium on the running service.

use std::net::SocketAddr;

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::eyes::Eyes;
use crate::support::{Backend, TestApp};

/// How often the browser is asked whether the next page is there; each asking is a round trip of some milliseconds.
const TURNS: u32 = 10_000;

/// The service as somebody tries it out: over plain HTTP, with the links of letters on the screen.
async fn tried_out() -> (TestApp, SocketAddr, DropGuard) {
    let app = TestApp::open_with(Backend::Sqlite, |config| config.server.development = true).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let pages = vouchsafe::web::router(app.edge.clone());
    let served =
        vouchsafe::http::serve(app.edge.clone(), (listener, None), pages, stop.clone().cancelled_owned());
    #[expect(clippy::disallowed_methods, reason = "a test's server ends with the test")]
    tokio::spawn(served);
    (app, address, stop.drop_guard())
}

/// Signs a new person in, by the form, the link on the screen and the button.
async fn come_in(app: &TestApp, hand: &Client, root: &str) {
    hand.goto(&format!("{root}/sign-up")).await.unwrap();
    hand.find(Locator::Id("email")).await.unwrap().send_keys("ada@example.org").await.unwrap();
    press(hand, "main form .button").await;
    app.work().await;
    press(hand, "main .panel a.button").await;
    press(hand, "main form .button").await;
}

/// One click on what leads to another page, and that page.
async fn press(hand: &Client, what: &str) {
    leave(hand, what, async |it| it.click().await).await;
}

/// Does something to what leads to another page, and waits until that page is there: the browser answers a click while the
/// old one is still to be seen, and what is read then is the old one's.
async fn leave(hand: &Client, what: &str, how: impl AsyncFnOnce(&Element) -> Result<(), CmdError>) {
    let it = hand.wait().for_element(Locator::Css(what)).await;
    let it = it.unwrap_or_else(|e| panic!("{what} is not there: {e}"));
    hand.execute("window.left = true", vec![]).await.unwrap();
    how(&it).await.unwrap();
    for _ in 0..TURNS {
        // While one page gives way to the next there may be none that answers.
        let there = hand.execute("return !window.left && document.readyState === 'complete'", vec![]).await;
        if there.is_ok_and(|there| there == true) {
            return;
        }
    }
    panic!("{what} leads nowhere");
}

async fn says(hand: &Client, script: &str) -> String {
    let said = hand.execute(&format!("return String({script})"), vec![]).await.unwrap();
    said.as_str().unwrap().to_owned()
}

/// Clicks until the switch of a purpose stands so, and how many it took.
async fn clicks(hand: &Client, purpose: &str, on: &str) -> u32 {
    let switch = format!("#consent-{purpose} .switch");
    let state = format!("document.querySelector('{switch}').getAttribute('aria-checked')");
    for clicks in 0..4 {
        if says(hand, &state).await == on {
            return clicks;
        }
        press(hand, &switch).await;
    }
    panic!("the switch of {purpose} does not turn");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_right_is_two_clicks_away_and_taking_back_is_as_easy_as_giving() {
    let (app, address, _serving) = tried_out().await;
    let eyes = Eyes::open().await;
    let (hand, root) = (eyes.client(), format!("http://{address}/flux-kontext"));
    come_in(&app, hand, &root).await;

    for (right, link, form) in [
        ("access", ".rights a[href$='/ask/access']", "form[action$='/ask/access/check']"),
        ("portability", ".rights a[href$='/ask/access']", "#choice-portable"),
        ("rectification", ".rights a[href$='/privacy/details']", "form[action$='/privacy/details']"),
        ("objection", ".rights a[href$='/ask/objection']", "form[action$='/ask/objection/check']"),
        ("restriction", ".rights a[href$='/ask/restriction']", "form[action$='/ask/restriction/check']"),
        ("erasure", ".rights a[href$='/privacy/erase']", "form[action$='/privacy/erase']"),
        ("withdrawal", ".rights a[href='#consents']", "#consents form .switch"),
    ] {
        hand.goto(&format!("{root}/images")).await.unwrap();
        press(hand, "nav a[href$='/privacy']").await;
        hand.find(Locator::Css(link)).await.unwrap().click().await.unwrap();
        let there = hand.wait().for_element(Locator::Css(form)).await;
        assert!(there.is_ok(), "{right} is further away: {there:?}");
    }

    hand.goto(&format!("{root}/privacy")).await.unwrap();
    let given = clicks(hand, "training", "true").await;
    let taken_back = clicks(hand, "training", "false").await;
    assert_eq!((given, taken_back), (1, 1));
    eyes.close().await;
    app.leave_the_queue();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_keyboard_alone_goes_everywhere_in_the_order_of_the_page() {
    let (app, address, _serving) = tried_out().await;
    let eyes = Eyes::open().await;
    let (hand, root) = (eyes.client(), format!("http://{address}/flux-kontext"));
    come_in(&app, hand, &root).await;
    hand.goto(&format!("{root}/privacy")).await.unwrap();

    let tab = |hand: Client| async move {
        hand.active_element().await.unwrap().send_keys(&Key::Tab.to_string()).await.unwrap();
    };
    tab(hand.clone()).await;
    assert_eq!(says(hand, "document.activeElement.className").await, "skip");
    let seen = "document.activeElement.getBoundingClientRect().top >= 0";
    assert_eq!(says(hand, seen).await, "true", "the skip link shows itself");
    hand.active_element().await.unwrap().send_keys(&Key::Enter.to_string()).await.unwrap();
    assert_eq!(says(hand, "document.activeElement.id").await, "page-main");

    // From there on, each press leads to what comes next on the page, and nothing is left out.
    let stops = "a[href], button, input:not([type=hidden]), select, textarea, summary";
    let whole =
        format!("[...document.querySelectorAll('main :is({stops})')].filter(e => e.checkVisibility())");
    let count: usize = says(hand, &format!("{whole}.length")).await.parse().unwrap();
    assert!(count > 10, "{count}");
    for nth in 0..count {
        tab(hand.clone()).await;
        let here = says(hand, &format!("{whole}.indexOf(document.activeElement)")).await;
        assert_eq!(here, nth.to_string(), "{}", says(hand, "document.activeElement.outerHTML").await);
    }

    // A switch answers to the space bar, and the page comes back to where it was.
    leave(hand, "#consent-training .switch", async |switch| switch.send_keys(" ").await).await;
    let state = "document.querySelector('#consent-training .switch').getAttribute('aria-checked')";
    assert_eq!(says(hand, state).await, "true");
    assert_eq!(says(hand, "location.hash").await, "#consents");
    eyes.close().await;
    app.leave_the_queue();
}
