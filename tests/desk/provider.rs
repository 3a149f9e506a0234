//! Staff by the identity provider of the house: there, back, and everything that does not let anybody in.

use chrono::TimeDelta;
use serde_json::{Value, json};
use vouchsafe::config::SecondFactor;
use vouchsafe::policy::Role;

use super::{BROWSER, DESK, done, form_token, send_with, shown, with_desk};
use crate::support::call::{Answer, Sender};
use crate::support::oidc::{FakeProvider, Signs};
use crate::support::{Backend, TestApp};

pub(super) const EMAIL: &str = "compliance@flux-kontext.example";
const REFUSED: &str = "That did not let you in";

/// A service whose staff may sign in there, with one member.
pub(super) async fn with_provider(backend: Backend, signs: Signs) -> Option<(TestApp, FakeProvider)> {
    let provider = FakeProvider::start(signs).await;
    let app = TestApp::open_with(backend, |config| {
        config.staff.second_factor = Some(SecondFactor::Required);
        config.staff.oidc = Some(provider.settings());
    })
    .await?;
    let app = with_desk(app);
    app.staff(Role::Compliance).await;
    provider.set_time(app.now());
    Some((app, provider))
}

macro_rules! each_app_with_provider {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp, $provider:ident: FakeProvider) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn body($app: TestApp, $provider: FakeProvider) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                if let Some((app, provider)) = with_provider(Backend::Sqlite, FakeProvider::es256()).await {
                    body(app, provider).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                if let Some((app, provider)) = with_provider(Backend::Postgres, FakeProvider::es256()).await {
                    body(app, provider).await;
                }
            }
        }
    )+};
}

/// A cookie that an answer sets.
fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let lines = answer.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap());
    let line = lines.into_iter().find(|l| l.starts_with(&format!("{name}=")))?;
    Some(line.split_once('=').unwrap().1.split(';').next().unwrap().to_owned())
}

/// A browser that was sent there: where to, and what it keeps.
async fn sent_away(app: &TestApp, path: &str) -> (String, Sender) {
    let answer = app.get(&format!("{DESK}/sign-in/{path}")).header(BROWSER.0, BROWSER.1).send().await;
    let kept = cookie(&answer, "__Host-away").expect("it keeps what the way back must fit");
    (done(&answer), Sender::named_cookie("__Host-away", &kept))
}

/// The way back, as its browser goes it.
async fn come_back(app: &TestApp, by: &Sender, url: &url::Url) -> Answer {
    let path = url.as_str().strip_prefix("https://vouchsafe.test").unwrap();
    app.get(path).by(by).header(BROWSER.0, BROWSER.1).send().await
}

/// There and back again, as this address.
pub(super) async fn sign_in(app: &TestApp, provider: &FakeProvider, email: &str) -> Answer {
    let (url, by) = sent_away(app, "oidc").await;
    come_back(app, &by, &provider.let_go(&url, email)).await
}

/// The session of whoever was let in.
#[track_caller]
fn session(answer: &Answer) -> Sender {
    let html = shown(answer);
    assert!(html.contains("You are signed in") && html.contains("0;url=/flux-kontext/desk"), "{html}");
    assert_eq!(cookie(answer, "__Host-away").as_deref(), Some(""), "what was kept is taken back");
    Sender::named_cookie("__Host-desk", &cookie(answer, "__Host-desk").unwrap())
}

#[track_caller]
fn refused(answer: &Answer, what: &str) {
    let html = shown(answer);
    assert!(html.contains(REFUSED), "{what}: {html}");
    assert_eq!(cookie(answer, "__Host-desk"), None, "{what}");
}

async fn look(app: &TestApp, by: &Sender, path: &str) -> Answer {
    app.get(&format!("{DESK}{path}")).by(by).header(BROWSER.0, BROWSER.1).send().await
}

each_app_with_provider! {
    async fn a_member_comes_in_by_it_and_still_gives_a_code(app: TestApp, provider: FakeProvider) {
        let door = shown(&look(&app, &Sender::nobody(), "/sign-in").await);
        assert!(door.contains("Sign in with Example Works"));
        let by = session(&sign_in(&app, &provider, "Compliance@Flux-Kontext.example").await);
        assert!(done(&look(&app, &by, "").await).starts_with(&format!("{DESK}/factor?next=")));
        assert!(shown(&look(&app, &by, "/factor").await).contains("Set up your second factor"));
        let asked = provider.asked();
        assert_eq!(asked["max_age"], "900");
        assert_eq!(asked["redirect_uri"], "https://vouchsafe.test/flux-kontext/desk/sign-in/oidc/back");
        assert_eq!((provider.calls("discovery"), provider.calls("keys")), (1, 1), "read once, kept for a while");
    }

    async fn a_second_factor_that_it_saw_counts_if_it_says_when(app: TestApp, provider: FakeProvider) {
        for (word, change) in [
            ("amr", json!({ "amr": ["pwd", "otp"] })),
            ("acr", json!({ "acr": "urn:two" })),
        ] {
            let more = change.clone();
            provider.change(move |claims| add(claims, &more));
            let by = session(&sign_in(&app, &provider, EMAIL).await);
            assert_eq!(look(&app, &by, "").await.status, 200, "{word}");
            let hold = [("category", "device"), ("reason", "a claim"), ("law", word), ("review", "2026-12-24")];
            let token = form_token(&shown(&look(&app, &by, "/holds").await));
            assert_eq!(send_with(&app, &by, "/holds", &hold, &token).await.status, 303, "{word}");
            // Stale, it can be renewed there.
            app.advance(TimeDelta::minutes(16));
            provider.set_time(app.now());
            let asked = shown(&send_with(&app, &by, "/holds", &hold, &token).await);
            assert!(asked.contains("oidc?again=yes") && !asked.contains("factor-code"), "{asked}");
            let (url, by) = sent_away(&app, "oidc?again=yes").await;
            assert_eq!(provider_prompt(&url).as_deref(), Some("login"));
            session(&come_back(&app, &by, &provider.let_go(&url, EMAIL)).await);
        }
        for change in [
            json!({ "amr": ["pwd"] }),
            json!({ "acr": "urn:one" }),
            json!({ "amr": ["otp"], "auth_time": null }),
        ] {
            let more = change.clone();
            provider.change(move |claims| add(claims, &more));
            let by = session(&sign_in(&app, &provider, EMAIL).await);
            assert_eq!(look(&app, &by, "").await.status, 303, "{change}");
        }
        let kinds = app.ledger_kinds().await;
        assert_eq!(kinds.iter().filter(|k| *k == "staff.factor-passed").count(), 4);
    }

    async fn a_token_that_does_not_hold_lets_nobody_in(app: TestApp, provider: FakeProvider) {
        let seconds = app.now().micros() / 1_000_000;
        for (what, change) in [
            ("another's nonce", json!({ "nonce": "another" })),
            ("no nonce", json!({ "nonce": null })),
            ("for somebody else", json!({ "aud": "another-client" })),
            ("for others too", json!({ "aud": ["the-desk", "another-client"] })),
            ("from somebody else", json!({ "iss": "https://evil.example" })),
            ("run out", json!({ "exp": seconds - 1 })),
            ("of long ago", json!({ "iat": seconds - 3600 })),
            ("of the future", json!({ "iat": seconds + 600 })),
            ("an address that is not verified", json!({ "email_verified": false })),
            ("an address of which that is not said", json!({ "email_verified": null })),
            ("no address", json!({ "email": null })),
            ("an address that is none", json!({ "email": "a\r\nb@example.org" })),
        ] {
            let more = change.clone();
            provider.change(move |claims| add(claims, &more));
            refused(&sign_in(&app, &provider, EMAIL).await, what);
        }
        provider.change(|_| {});
        refused(&sign_in(&app, &provider, "nobody@flux-kontext.example").await, "somebody who is not of the staff");
        provider.sign("key-1", Signs::Nothing);
        refused(&sign_in(&app, &provider, EMAIL).await, "algorithm none");
        app.person(EMAIL).await;
        provider.sign("key-1", FakeProvider::es256());
        refused(&sign_in(&app, &provider, EMAIL).await, "another's key under the same name");
    }

    async fn the_way_back_is_its_own_browsers_once_and_soon(app: TestApp, provider: FakeProvider) {
        let (url, by) = sent_away(&app, "oidc").await;
        let back = provider.let_go(&url, EMAIL);
        refused(&come_back(&app, &Sender::nobody(), &back).await, "a browser that nobody sent");
        let (_, other) = sent_away(&app, "oidc").await;
        refused(&come_back(&app, &other, &back).await, "another browser");
        assert_eq!(provider.calls("token"), 0, "a code that came astray is not used");
        let mut forged = back.clone();
        forged.query_pairs_mut().clear().append_pair("code", "code-0").append_pair("state", "made-up");
        refused(&come_back(&app, &by, &forged).await, "another state");
        let mut elsewhere = back.clone();
        elsewhere.set_path("/opusflair/desk/sign-in/oidc/back");
        assert!(shown(&come_back(&app, &by, &elsewhere).await).contains(REFUSED), "another tenant");
        session(&come_back(&app, &by, &back).await);
        refused(&come_back(&app, &by, &back).await, "a code that was used");

        let (url, by) = sent_away(&app, "oidc").await;
        let back = provider.let_go(&url, EMAIL);
        app.advance(TimeDelta::minutes(10));
        provider.set_time(app.now());
        refused(&come_back(&app, &by, &back).await, "too late");
    }

    async fn keys_that_change_are_read_anew(app: TestApp, provider: FakeProvider) {
        session(&sign_in(&app, &provider, EMAIL).await);
        app.advance(TimeDelta::seconds(20));
        provider.set_time(app.now());
        provider.sign("key-2", FakeProvider::es256());
        session(&sign_in(&app, &provider, EMAIL).await);
        assert_eq!(provider.calls("keys"), 2);
        // A key that is not published is none, and nobody is asked about it again and again.
        provider.publish_only_these_keys();
        provider.sign("key-3", FakeProvider::es256());
        for _ in 0..3 {
            refused(&sign_in(&app, &provider, EMAIL).await, "a key that is not published");
        }
        assert_eq!(provider.calls("keys"), 2, "not within ten seconds");
        app.advance(TimeDelta::seconds(20));
        provider.set_time(app.now());
        refused(&sign_in(&app, &provider, EMAIL).await, "a key that is not published");
        assert_eq!(provider.calls("keys"), 3);
    }
}

/// Lays these claims over others; `null` takes one away.
fn add(claims: &mut Value, more: &Value) {
    let all = claims.as_object_mut().unwrap();
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(all.remove(name)),
            value => drop(all.insert(name.clone(), value.clone())),
        }
    }
}

fn provider_prompt(url: &str) -> Option<String> {
    let url: url::Url = url.parse().unwrap();
    url.query_pairs().find(|(name, _)| name == "prompt").map(|(_, value)| value.into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_provider_may_sign_with_rsa() {
    let (app, provider) = with_provider(Backend::Sqlite, Signs::Rs256).await.unwrap();
    session(&sign_in(&app, &provider, EMAIL).await);
    provider.publish_only_these_keys();
    provider.sign("key-1", FakeProvider::es256());
    refused(&sign_in(&app, &provider, EMAIL).await, "another algorithm under the name of the key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_provider_there_is_no_such_way() {
    let app = with_desk(TestApp::open(Backend::Sqlite).await.unwrap());
    for path in ["/sign-in/oidc", "/sign-in/oidc/back?code=a&state=b", "/factor"] {
        let answer = look(&app, &Sender::nobody(), path).await;
        assert!(answer.status == 404 || answer.header("location").ends_with("/desk/sign-in"), "{path}");
    }
    assert!(!shown(&look(&app, &Sender::nobody(), "/sign-in").await).contains("oidc"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_provider_that_cannot_be_reached_lets_nobody_in() {
    let (app, provider) = with_provider(Backend::Sqlite, FakeProvider::es256()).await.unwrap();
    provider.stop().await;
    let answer = look(&app, &Sender::nobody(), "/sign-in/oidc").await;
    assert!(shown(&answer).contains(REFUSED));
}
