//! The Data Rights Protocol 1.0, from the text of the protocol: an agent that signs by itself, with none of our code,
//! against every endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use vouchsafe::requests::State;

use super::receiver::{Receiver, Says};
use crate::support::TestApp;
use crate::support::app::{OTHER_TENANT, Person, TENANT};
use crate::support::call::{Answer, Sender};
use crate::{each_app, each_app_in_development};

pub(super) const BASE: &str = "/drp/flux-kontext/v1";

/// An authorised agent.
pub(super) struct Agent {
    id: String,
    key: SigningKey,
    pub(super) token: String,
}

impl Agent {
    /// One that the operator has entered, and that has not paired.
    async fn entered(app: &TestApp, id: &str, seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let public = STANDARD.encode(key.verifying_key().as_bytes());
        app.app
            .drp
            .add_agent(&app.tenant(), (id, "Permission Slip"), &public, "https://agent.example/app")
            .await
            .unwrap();
        Self { id: id.to_owned(), key, token: String::new() }
    }

    pub(super) async fn paired(app: &TestApp, id: &str, seed: u8) -> Self {
        let mut agent = Self::entered(app, id, seed).await;
        let answer = agent.pair(app, &agent.bounds(app)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["agent-id"], id);
        agent.token = answer.json()["token"].as_str().unwrap().to_owned();
        agent
    }

    /// What every message says.
    pub(super) fn bounds(&self, app: &TestApp) -> Value {
        json!({
            "agent-id": self.id, "business-id": TENANT, "issued-at": app.now().rfc3339(),
            "expires-at": app.now().plus(TimeDelta::minutes(10)).rfc3339(), "drp.version": "1.0",
        })
    }

    pub(super) fn sign(&self, json: &[u8]) -> String {
        STANDARD.encode([&self.key.sign(json).to_bytes(), json].concat())
    }

    pub(super) async fn pair(&self, app: &TestApp, message: &Value) -> Answer {
        self.pair_as(app, &self.id, self.sign(message.to_string().as_bytes())).await
    }

    async fn pair_as(&self, app: &TestApp, id: &str, body: String) -> Answer {
        app.post(&format!("{BASE}/agent/{id}")).body("text/plain", body).send().await
    }

    /// A message that asks for something in somebody's name.
    pub(super) fn wish(&self, app: &TestApp, exercise: &str, email: &str) -> Value {
        let mut wish = self.bounds(app);
        wish["exercise"] = json!(exercise);
        wish["email"] = json!(email);
        wish["email_verified"] = json!(true);
        wish["name"] = json!("Somebody");
        wish["regime"] = json!("voluntary");
        wish["agent-request-id"] = json!("of-ours-1");
        wish
    }

    pub(super) async fn ask(&self, app: &TestApp, message: &Value) -> Answer {
        self.ask_raw(app, self.sign(message.to_string().as_bytes())).await
    }

    async fn ask_raw(&self, app: &TestApp, body: String) -> Answer {
        let call = app.post(&format!("{BASE}/data-rights-request/")).by(Sender::bearer(&self.token));
        call.body("text/plain", body).send().await
    }

    pub(super) async fn status(&self, app: &TestApp, id: &str) -> Answer {
        app.get(&format!("{BASE}/data-rights-request/{id}")).by(Sender::bearer(&self.token)).send().await
    }

    pub(super) async fn revoke(&self, app: &TestApp, id: &str, body: String) -> Answer {
        let call = app.delete(&format!("{BASE}/data-rights-request/{id}")).by(Sender::bearer(&self.token));
        call.body("text/plain", body).send().await
    }
}

pub(super) fn changed(message: &Value, field: &str, to: Value) -> Value {
    let mut message = message.clone();
    message[field] = to;
    message
}

pub(super) fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field}: {value}")).to_owned()
}

/// An error as the protocol has it.
#[track_caller]
pub(super) fn refused(answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    let told = answer.json();
    assert_eq!((&told["code"], &told["fatal"]), (&json!(status.to_string()), &json!(true)), "{what}");
    assert!(told["message"].as_str().is_some_and(|m| !m.is_empty()), "{what}");
}

pub(super) fn with_pages(app: TestApp) -> TestApp {
    let router = vouchsafe::http::routes(&app.edge).merge(vouchsafe::web::router(app.edge.clone()));
    app.with_router(router)
}

/// Opens the page where a person confirms, and answers it.
pub(super) async fn confirm(
    app: &TestApp,
    person: &Person,
    status: &Value,
    sure: &str,
    back: &str,
) -> Answer {
    let url = text(status, "user_verification_url");
    let path = url.strip_prefix("https://vouchsafe.test").unwrap();
    let page = app.get(&format!("{path}?request_id={}", text(status, "request_id"))).by(person).send().await;
    assert_eq!(page.status, 200, "{}", page.text());
    let html = page.text();
    let token = html.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("csrf", &token).append_pair("sure", sure).append_pair("redirect_to", back);
    let call = app.post(path).by(person).header("accept", "text/html");
    call.body("application/x-www-form-urlencoded", form.finish()).send().await
}

each_app! {
    async fn pairing_takes_a_signed_message_of_this_agent_for_this_business_now(app: TestApp) {
        let mut agent = Agent::entered(&app, "slip", 1).await;
        let eve = Agent::entered(&app, "eve", 2).await;
        let good = agent.bounds(&app);
        let later = |minutes: i64| json!(app.now().plus(TimeDelta::minutes(minutes)).rfc3339());
        let sign = |message: &Value| agent.sign(message.to_string().as_bytes());
        let twice = good.to_string().replacen('{', "{\"agent-id\":\"slip\",", 1);
        let mut flipped = STANDARD.decode(sign(&good)).unwrap();
        flipped[70] ^= 1;
        for (what, id, body) in [
            ("another's key", "slip", eve.sign(good.to_string().as_bytes())),
            ("another's path", "eve", sign(&good)),
            ("nobody's path", "nobody", sign(&good)),
            ("another agent's id", "slip", sign(&changed(&good, "agent-id", json!("eve")))),
            ("another business", "slip", sign(&changed(&good, "business-id", json!(OTHER_TENANT)))),
            ("another version", "slip", sign(&changed(&good, "drp.version", json!("0.9")))),
            ("too early", "slip", sign(&changed(&good, "issued-at", later(1)))),
            ("too late", "slip", sign(&changed(&good, "expires-at", later(0)))),
            ("good for too long", "slip", sign(&changed(&good, "expires-at", later(24 * 60 + 1)))),
            ("no time", "slip", sign(&changed(&good, "expires-at", json!("soon")))),
            ("a field twice", "slip", agent.sign(twice.as_bytes())),
            ("a field missing", "slip", agent.sign(b"{\"agent-id\":\"slip\"}")),
            ("not JSON", "slip", agent.sign(b"hello")),
            ("no signature", "slip", good.to_string()),
            ("a bit changed", "slip", STANDARD.encode(flipped)),
            ("a line end behind it", "slip", format!("{}\n", sign(&good))),
            ("nothing", "slip", String::new()),
        ] {
            let answer = agent.pair_as(&app, id, body).await;
            assert_eq!((answer.status, answer.body.len()), (403, 0), "{what}: {}", answer.text());
        }
        let long = agent.sign(changed(&good, "more", json!("x".repeat(70_000))).to_string().as_bytes());
        assert!(matches!(agent.pair_as(&app, "slip", long).await.status, 403 | 413), "too long");
        let elsewhere = app.post("/drp/nowhere/v1/agent/slip").body("text/plain", sign(&good)).send().await;
        assert_eq!((elsewhere.status, elsewhere.body.len()), (403, 0));
        let other = app.post(&format!("/drp/{OTHER_TENANT}/v1/agent/slip")).body("text/plain", sign(&good)).send().await;
        assert_eq!((other.status, other.body.len()), (403, 0), "an agent of one business is none of another's");

        let first = agent.pair(&app, &good).await;
        assert_eq!(first.status, 200, "{}", first.text());
        assert_eq!(agent.pair(&app, &good).await.status, 403, "the same message once more");
        agent.token = text(&first.json(), "token");
        let holds = async |id: &str, token: &str| {
            let answer = app.get(&format!("{BASE}/agent/{id}")).by(Sender::bearer(token)).send().await;
            (answer.status, answer.text())
        };
        assert_eq!(holds("slip", &agent.token).await, (200, "{}".to_owned()));
        assert_eq!(holds("eve", &agent.token).await.0, 403);
        assert_eq!(holds("slip", "another").await.0, 403);
        let again = agent.pair(&app, &changed(&good, "expires-at", later(9))).await;
        assert_eq!(again.status, 200);
        assert_eq!(holds("slip", &agent.token).await.0, 403, "pairing anew ends the token before");
        assert_eq!(holds("slip", &text(&again.json(), "token")).await.0, 200);
        app.app.drp.remove_agent(&app.tenant(), "slip").await.unwrap();
        assert_eq!(holds("slip", &text(&again.json(), "token")).await.0, 403);
    }

    async fn a_request_is_signed_fresh_and_taken_once(app: TestApp) {
        let agent = Agent::paired(&app, "slip", 1).await;
        let eve = Agent::paired(&app, "eve", 2).await;
        let good = agent.wish(&app, "access", "nobody@example.org");
        let later = |minutes: i64| json!(app.now().plus(TimeDelta::minutes(minutes)).rfc3339());
        for (what, status, message) in [
            ("another agent's id", 403, changed(&good, "agent-id", json!("eve"))),
            ("another business", 403, changed(&good, "business-id", json!(OTHER_TENANT))),
            ("another version", 403, changed(&good, "drp.version", json!("0.5"))),
            ("too early", 403, changed(&good, "issued-at", later(1))),
            ("too late", 403, changed(&good, "expires-at", later(-1))),
            ("good for too long", 403, changed(&good, "expires-at", later(2_000))),
            ("many rights at once", 400, changed(&good, "exercise", json!(["access", "deletion"]))),
            ("a right that is none", 400, changed(&good, "exercise", json!("delete-everybody"))),
            ("a callback that is none", 400, changed(&good, "status_callback", json!("call me"))),
            ("an endless callback", 400, changed(&good, "status_callback", json!(format!("https://a.example/{}", "x".repeat(3_000))))),
        ] {
            refused(&agent.ask(&app, &message).await, status, what);
        }
        refused(&agent.ask_raw(&app, eve.sign(good.to_string().as_bytes())).await, 403, "another's signature");
        refused(&agent.ask_raw(&app, good.to_string()).await, 400, "no signature");
        let no_token = app.post(&format!("{BASE}/data-rights-request")).body("text/plain", agent.sign(good.to_string().as_bytes()));
        refused(&no_token.send().await, 401, "no token");

        let told = agent.ask(&app, &good).await;
        assert_eq!(told.status, 200, "{}", told.text());
        let told = told.json();
        assert_eq!((&told["status"], &told["reason"]), (&json!("in_progress"), &json!("need_user_verification")));
        assert_eq!(told["agent_request_id"], "of-ours-1");
        assert!(told["received_at"].is_string() && told["expires_at"].is_string(), "{told}");
        refused(&agent.ask(&app, &good).await, 409, "the same message once more");
        let id = text(&told, "request_id");
        assert_eq!(agent.status(&app, &id).await.json(), told);
        refused(&eve.status(&app, &id).await, 403, "another agent's request");
        refused(&eve.revoke(&app, &id, eve.sign(b"{}")).await, 403, "another agent's request");
        refused(&agent.status(&app, "019aab12-c000-7000-8000-00000000000a").await, 403, "nobody's request");

        for exercise in ["sale:opt-out", "sale:opt-in"] {
            let told = agent.ask(&app, &agent.wish(&app, exercise, "nobody@example.org")).await.json();
            assert_eq!((&told["status"], &told["reason"]), (&json!("denied"), &json!("claim_not_covered")));
        }
        let mut bare = agent.wish(&app, "deletion", "");
        bare.as_object_mut().unwrap().remove("email");
        let told = agent.ask(&app, &bare).await.json();
        assert_eq!((&told["status"], &told["reason"]), (&json!("denied"), &json!("insuf_verification")));
    }

    async fn an_agent_learns_nothing_and_gets_nothing_by_its_word_alone(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        app.upload(&ada, 1).await;
        let agent = Agent::paired(&app, "slip", 1).await;
        let same = |mut told: Value| {
            let id = text(&told, "request_id");
            for field in ["request_id", "user_verification_url"] {
                told[field] = json!(text(&told, field).replace(&id, "ID"));
            }
            told
        };
        for exercise in ["access", "deletion"] {
            let known = agent.ask(&app, &agent.wish(&app, exercise, "ada@example.org")).await.json();
            let unknown = agent.ask(&app, &agent.wish(&app, exercise, "nobody@example.org")).await.json();
            assert_eq!(same(known.clone()), same(unknown.clone()), "the same, known or not");
            app.settle().await;
            app.advance(TimeDelta::days(3));
            app.settle().await;
            for told in [&known, &unknown] {
                assert_eq!(agent.status(&app, &text(told, "request_id")).await.json(), *told, "nothing happens by itself");
            }
            let eve = app.person(&format!("eve-{exercise}@example.org")).await;
            for told in [&known, &unknown] {
                let path = text(told, "user_verification_url").replace("https://vouchsafe.test", "");
                assert_eq!(app.get(&path).by(&eve).header("accept", "text/html").send().await.status, 404, "not hers");
            }
        }
        assert_eq!(app.get("/v1/account").by(&ada).send().await.status, 200);
        app.advance(TimeDelta::days(31));
        let asked = agent.ask(&app, &agent.wish(&app, "access", "nobody@example.org")).await.json();
        app.advance(TimeDelta::days(31));
        assert_eq!(agent.status(&app, &text(&asked, "request_id")).await.json()["status"], "expired");
    }

    async fn what_the_person_confirms_is_done_and_handed_to_them_alone(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let agent = Agent::paired(&app, "slip", 1).await;
        let told = agent.ask(&app, &agent.wish(&app, "access:specific", "ada@example.org")).await.json();
        let path = text(&told, "user_verification_url").replace("https://vouchsafe.test", "");
        let stranger = app.get(&path).header("accept", "text/html").send().await;
        assert!(stranger.header("location").starts_with("/flux-kontext/sign-in?"), "first the letter, then the page");
        let other = format!("{path}?request_id=019aab12-c000-7000-8000-00000000000a");
        assert_eq!(app.get(&other).by(&ada).header("accept", "text/html").send().await.status, 404);

        let done = confirm(&app, &ada, &told, "yes", "https://agent.example/done").await;
        assert_eq!((done.status, done.header("location")), (303, "https://agent.example/done"), "{}", done.text());
        app.settle().await;
        let told = agent.status(&app, &text(&told, "request_id")).await.json();
        assert_eq!(told["status"], "fulfilled", "{told}");
        let results = text(&told, "results_url").replace("https://vouchsafe.test", "");
        let by_agent = app.get(&results).by(Sender::bearer(&agent.token)).header("accept", "text/html").send().await;
        assert!(by_agent.header("location").contains("/sign-in"), "not for the agent: {}", by_agent.status);
        assert_eq!(app.get(&results).by(&ada).header("accept", "text/html").send().await.status, 200);
        refused(&agent.revoke(&app, &text(&told, "request_id"), agent.sign(b"{}")).await, 409, "too late");

        let told = agent.ask(&app, &agent.wish(&app, "deletion", "ada@example.org")).await.json();
        let no = confirm(&app, &ada, &told, "no", "https://evil.example/").await;
        assert!(no.header("location").starts_with("/flux-kontext/privacy/requests/"), "{}", no.header("location"));
        assert_eq!(agent.status(&app, &text(&told, "request_id")).await.json()["reason"], "need_user_verification", "a no is as good as silence");

        app.advance(TimeDelta::minutes(1));
        let told = agent.ask(&app, &agent.wish(&app, "deletion", "ada@example.org")).await.json();
        confirm(&app, &ada, &told, "yes", "").await;
        let id = text(&told, "request_id");
        let told = agent.status(&app, &id).await.json();
        assert_eq!((&told["status"], &told["reason"]), (&json!("in_progress"), &Value::Null));
        assert_eq!(told["agent_request_id"], "of-ours-1");
        assert!(told["expected_by"].is_string(), "{told}");
        app.advance(TimeDelta::hours(72));
        app.settle().await;
        let told = agent.status(&app, &id).await.json();
        assert_eq!((&told["status"], &told["agent_request_id"]), (&json!("fulfilled"), &Value::Null), "what it was called may say whose");
        assert_eq!(app.get("/v1/account").by(&ada).send().await.status, 401, "and gone");
    }

    async fn what_was_asked_can_be_taken_back_by_the_agent_that_asked(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let agent = Agent::paired(&app, "slip", 1).await;
        let eve = Agent::paired(&app, "eve", 2).await;
        let known = agent.ask(&app, &agent.wish(&app, "deletion", "ada@example.org")).await.json();
        let unknown = agent.ask(&app, &agent.wish(&app, "deletion", "nobody@example.org")).await.json();
        for told in [known, unknown] {
            let id = text(&told, "request_id");
            refused(&agent.revoke(&app, &id, eve.sign(b"{}")).await, 403, "another's signature");
            refused(&agent.revoke(&app, &id, agent.sign(br#"{"agent-id":"eve"}"#)).await, 403, "for another");
            refused(&agent.revoke(&app, &id, agent.sign(br#"{"expires-at":"2020-01-01T00:00:00Z"}"#)).await, 403, "of another time");
            refused(&agent.revoke(&app, &id, String::new()).await, 400, "unsigned");
            let gone = agent.revoke(&app, &id, agent.sign(br#"{"reason":"a slip"}"#)).await;
            assert_eq!((gone.status, &gone.json()["status"]), (200, &json!("revoked")), "{}", gone.text());
            refused(&agent.revoke(&app, &id, agent.sign(br#"{"reason":"a slip"}"#)).await, 409, "once more");
            assert_eq!(agent.status(&app, &id).await.json()["status"], "revoked");
        }
        assert_eq!(app.get("/v1/account").by(&ada).send().await.status, 200);
    }

    async fn what_a_person_asked_for_themself_no_agent_sees_or_ends(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let agent = Agent::paired(&app, "slip", 1).await;
        let own = vouchsafe::requests::Filing {
            ask: vouchsafe::requests::Ask::Erasure { at_once: false },
            channel: vouchsafe::policy::Channel::Page,
            by: vouchsafe::vault::Actor::Subject(ada.owner.subject),
            proved: true,
            words: None,
        };
        let own = app.app.requests.file(&ada.owner, own).await.unwrap().request;
        let state = async || app.app.requests.find(&app.tenant(), own.id).await.unwrap().state;
        let told = agent.ask(&app, &agent.wish(&app, "deletion", "ada@example.org")).await.json();
        app.settle().await;
        let id = text(&told, "request_id");
        assert_eq!(agent.status(&app, &id).await.json(), told, "as for an address that nobody has");
        assert_eq!(told["reason"], "need_user_verification");
        let gone = agent.revoke(&app, &id, agent.sign(br#"{"reason":"a slip"}"#)).await;
        assert_eq!((gone.status, &gone.json()["status"]), (200, &json!("revoked")), "{}", gone.text());
        assert_eq!(state().await, State::Grace, "hers goes its way");

        app.advance(TimeDelta::minutes(1));
        let told = agent.ask(&app, &agent.wish(&app, "deletion", "ada@example.org")).await.json();
        let id = text(&told, "request_id");
        confirm(&app, &ada, &told, "yes", "").await;
        let known = agent.status(&app, &id).await.json();
        assert_eq!((&known["status"], &known["reason"]), (&json!("in_progress"), &Value::Null), "{known}");
        let all = app.app.requests.list(&ada.owner, None, vouchsafe::base::PageSize::default()).await.unwrap();
        assert_eq!(all.items.len(), 1, "the same wish is one request");
        let gone = agent.revoke(&app, &id, agent.sign(br#"{"reason":"a slip"}"#)).await;
        assert_eq!((gone.status, &gone.json()["status"]), (200, &json!("revoked")), "{}", gone.text());
        assert_eq!(state().await, State::Grace, "what it did not begin it cannot end");
    }

    async fn what_the_person_has_asked_for_as_well_stays_when_the_agent_takes_it_back(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let agent = Agent::paired(&app, "slip", 1).await;
        let told = agent.ask(&app, &agent.wish(&app, "deletion", "ada@example.org")).await.json();
        app.settle().await;
        let asked = app.post("/v1/requests").by(&ada).json(&json!({ "right": "erasure" })).send().await;
        assert!(asked.status < 300, "{}", asked.text());
        agent.revoke(&app, &text(&told, "request_id"), agent.sign(br#"{"reason":"a slip"}"#)).await;
        let all = app.app.requests.list(&ada.owner, None, vouchsafe::base::PageSize::default()).await.unwrap();
        assert_eq!((all.items.len(), all.items[0].state), (1, State::Grace));
    }

    async fn of_an_agent_that_is_no_more_nothing_waits_and_nobody_is_told(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let agent = Agent::paired(&app, "slip", 1).await;
        let back = json!("https://agent.example/back");
        let wish = changed(&agent.wish(&app, "deletion", "ada@example.org"), "status_callback", back);
        agent.ask(&app, &wish).await;
        app.app.drp.call_back(&|| false).await.unwrap();
        let all = app.app.requests.list(&ada.owner, None, vouchsafe::base::PageSize::default()).await.unwrap();
        assert_eq!((all.items.len(), all.items[0].state), (1, State::IdentityPending));
        app.app.drp.remove_agent(&app.tenant(), "slip").await.unwrap();
        let over = app.app.requests.find(&app.tenant(), all.items[0].id).await.unwrap();
        assert_eq!((over.state, over.outcome.as_deref()), (State::Withdrawn, Some("agent-removed")));
        let told = "SELECT COUNT(*) FROM drp_request WHERE callback IS NOT NULL OR next_at IS NOT NULL OR verdict IS NULL";
        assert_eq!(crate::support::house::count_in(&app.app.db, told).await, 0);
        let page = format!("/flux-kontext/privacy/requests/{}", over.reference);
        let html = app.get(&page).by(&ada).header("accept", "text/html").send().await.text();
        assert!(html.contains("can no longer ask us for anything"), "{html}");
        for wrong in ["Nobody confirmed in time", "nobody confirmed it in time", "You took it back"] {
            assert!(!html.contains(wrong), "{wrong}: {html}");
        }
        app.settle().await;
        let told = app.mails().into_iter().rfind(|m| m.letter.subject.contains(&over.reference)).unwrap();
        let text = told.letter.text;
        assert!(text.contains("That agent can no longer ask us") && !text.contains("nobody confirmed"), "{text}");
    }

    async fn a_key_that_signs_everything_and_a_site_without_tls_are_not_entered(app: TestApp) {
        let good = STANDARD.encode(SigningKey::from_bytes(&[1; 32]).verifying_key().as_bytes());
        let weak = STANDARD.encode([[1_u8].as_slice(), &[0; 31]].concat());
        let tenant = app.tenant();
        for (id, key, site) in [
            ("slip", weak.as_str(), "https://agent.example"),
            ("slip", "AAAA", "https://agent.example"),
            ("slip", good.as_str(), "http://agent.example"),
            ("../slip", good.as_str(), "https://agent.example"),
            ("", good.as_str(), "https://agent.example"),
        ] {
            let entered = app.app.drp.add_agent(&tenant, (id, "Slip"), key, site).await;
            assert!(matches!(entered, Err(vouchsafe::drp::Error::BadAgent(_))), "{id} {key} {site}");
        }
    }
}

each_app_in_development! {
    async fn an_agent_is_called_back_on_every_change_until_it_says_200(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let agent = Agent::paired(&app, "slip", 1).await;
        let receiver = Receiver::start(&[Says::Status(500), Says::Status(204), Says::Status(200)]).await;
        let wish = changed(&agent.wish(&app, "access", "ada@example.org"), "status_callback", json!(receiver.url()));
        let told = agent.ask(&app, &wish).await.json();
        app.settle().await;
        assert!(receiver.heard().is_empty(), "what the answer said is not said again");
        app.app.drp.confirmed(&ada.owner, &text(&told, "request_id")).await.unwrap();
        for _ in 0..6 {
            app.advance(TimeDelta::minutes(5));
            app.settle().await;
        }
        let heard = receiver.heard();
        assert_eq!(heard.len(), 3, "tried until 200, and then no more");
        for message in &heard {
            let said = message.json();
            assert_eq!((&said["request_id"], &said["status"]), (&told["request_id"], &json!("fulfilled")));
            assert_eq!(message.header("content-type"), "application/json");
            assert!(!said.to_string().contains("ada@example.org"));
        }
    }
}
