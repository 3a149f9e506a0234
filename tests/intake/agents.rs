//! Agents: somebody asks for somebody else, who decides.

use chrono::TimeDelta;
use serde_json::{Value, json};
use vouchsafe::subjects::Scope;
use vouchsafe::vault::Actor;

use super::{count, form_token, page, send, token_of, with_pages};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Person, TENANT};
use crate::support::call::{Answer, Sender};

const AGENT: &str = "Canary & Friends, agents";

fn proposal(email: &str) -> Value {
    json!({
        "email": email, "agent": AGENT, "contact": "cases@agent.example", "rights": ["access", "rectification"],
        "until": "2027-06-30T00:00:00Z", "tell_status": true, "first": { "right": "access", "text": "for our member" },
    })
}

async fn propose(app: &TestApp, key: &Sender, email: &str) -> Value {
    let answer = app.post("/v1/mandates").by(key).json(&proposal(email)).send().await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()
}

/// The link of the newest letter about a mandate, below the house's own.
fn link(app: &TestApp, to: &str) -> String {
    let mut letters = app.mails().into_iter().rev();
    let letter =
        letters.find(|m| m.to == to && m.letter.text.contains("/mandates/confirm")).expect("a letter");
    let text = letter.letter.text;
    let start = text.find("https://vouchsafe.test/").unwrap() + "https://vouchsafe.test".len();
    text[start..].split_whitespace().next().unwrap().to_owned()
}

async fn answer(app: &TestApp, link: &str, how: &str, tells: &str) -> Answer {
    let fields = [("token", &*token_of(link)), ("tells", tells)];
    send(app, &format!("/{TENANT}/mandates/{how}"), &fields).await
}

async fn stands(app: &TestApp, key: &Sender, id: &str) -> Value {
    app.get(&format!("/v1/mandates/{id}")).by(key).send().await.json()
}

async fn requests(app: &TestApp, person: &Person) -> Vec<Value> {
    app.get("/v1/requests").by(person).send().await.json()["items"].as_array().unwrap().clone()
}

each_app! {
    async fn a_link_in_the_old_mailbox_gives_no_mandate_after_a_move(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let key = app.api_key(&[Scope::Agents]).await;
        propose(&app, &key, "ada@example.org").await;
        app.settle().await;
        let link = link(&app, "ada@example.org");
        assert_eq!(page(&app, &link).await.status, 200);
        app.move_to(&ada, "ada@example.net").await;
        assert_eq!(page(&app, &link).await.status, 404);
        assert_eq!(answer(&app, &link, "confirm", "yes").await.status, 404);
        let ada = app.again(&ada).await;
        assert!(requests(&app, &ada).await.is_empty());
    }

    async fn a_mandate_given_since_a_move_ends_when_the_old_mailbox_undoes_it(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let key = app.api_key(&[Scope::Agents]).await;
        let given = async |to: &str| {
            let asked = propose(&app, &key, to).await;
            app.settle().await;
            assert_eq!(answer(&app, &link(&app, to), "confirm", "yes").await.status, 200);
            format!("/v1/mandates/{}", asked["id"].as_str().unwrap())
        };
        let before = given("ada@example.org").await;
        app.advance(TimeDelta::minutes(10));
        app.move_to(&ada, "eve@example.net").await;
        app.advance(TimeDelta::minutes(10));
        let since = given("eve@example.net").await;
        let undo = app.mailed_token("ada@example.org", "/address/undo").unwrap();
        app.app.requests.undo_address(&app.tenant(), &undo).await.unwrap();
        let more = json!({ "right": "access" });
        assert_eq!(app.post(&format!("{since}/requests")).by(&key).json(&more).send().await.problem(409), "conflict");
        app.settle().await;
        let stands = async |path: &str| app.get(path).by(&key).send().await.json()["state"].clone();
        assert_eq!((stands(&since).await, stands(&before).await), (json!("ended"), json!("confirmed")));
        assert!(app.ledger_kinds().await.contains(&"mandate.ended".to_owned()), "and it is on the record");
    }

    async fn an_agent_asks_the_person_decides_and_the_answer_is_theirs(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let key = app.api_key(&[Scope::Agents]).await;
        let asked = propose(&app, &key, "ada@example.org").await;
        let id = asked["id"].as_str().unwrap();
        app.settle().await;
        let link = link(&app, "ada@example.org");
        for _ in 0..3 {
            let shown = page(&app, &link).await.text();
            assert!(shown.contains("Canary &amp;") || shown.contains("Canary &#38;"), "{shown}");
            assert!(shown.contains("for our member") && shown.contains("30 June 2027"), "{shown}");
        }
        assert!(requests(&app, &ada).await.is_empty(), "nothing happens without the button");
        assert_eq!(stands(&app, &key, id).await["state"], "asked");

        let done = answer(&app, &link, "confirm", "yes").await;
        assert_eq!(done.status, 200, "{}", done.text());
        assert_eq!(answer(&app, &link, "confirm", "yes").await.status, 404, "a link works once");
        let filed = requests(&app, &ada).await;
        assert_eq!((filed.len(), &filed[0]["right"]), (1, &json!("access")));
        let whole = app.get(&format!("/v1/requests/{}", filed[0]["id"].as_str().unwrap())).by(&ada).send().await.json();
        let way = whole["timeline"].to_string();
        assert!(way.contains(id) && way.contains("by an agent"), "the agent is on the record: {way}");

        app.settle().await;
        let (reference, texts) = (filed[0]["reference"].as_str().unwrap(), app.mails().into_iter().map(|m| m.letter.text));
        let heard: Vec<String> = texts.filter(|text| text.contains("We have your request") && text.contains(reference)).collect();
        assert_eq!(heard.len(), 1, "{heard:?}");
        assert!(heard[0].contains(&format!("{AGENT} asked for it in your name")), "{}", heard[0]);
        assert!(!heard[0].contains("You were signed in"), "{}", heard[0]);

        // The agent is told how it stands, and never what it brings to light.
        let told = stands(&app, &key, id).await;
        assert_eq!((&told["state"], &told["requests"][0]["reference"]), (&json!("confirmed"), &filed[0]["reference"]));
        let archive = format!("/v1/requests/{}/archive", filed[0]["id"].as_str().unwrap());
        assert_eq!(app.get(&archive).by(&key.on_behalf_of(ada.owner.subject)).send().await.status, 403);
        assert!(app.mails().iter().all(|m| m.to == "ada@example.org"), "no letter went to the agent");

        // Under the mandate they ask again, for what it covers.
        let path = format!("/v1/mandates/{id}/requests");
        let more = json!({ "right": "rectification", "text": "the name is spelt wrongly" });
        let more = app.post(&path).by(&key).json(&more).send().await;
        assert_eq!((more.status, more.json()["request"]["right"].as_str()), (202, Some("rectification")));
        assert_eq!(app.post(&path).by(&key).json(&json!({ "right": "erasure" })).send().await.problem(422), "invalid");
        let other = app.api_key(&[Scope::Agents]).await;
        assert_eq!(app.post(&path).by(&other).json(&json!({ "right": "access" })).send().await.problem(404), "not-found");
        assert_eq!(requests(&app, &ada).await.len(), 2);

        // The person sees the mandate, in the centre and at home, and ends it.
        let centre = app.get(&format!("/{TENANT}/privacy")).by(&ada).header("accept", "text/html").send().await.text();
        assert!(centre.contains("Who acts for me") && centre.contains("cases@agent.example"), "{centre}");
        let end = format!("/{TENANT}/privacy/mandates/{id}/end");
        let token = form_token(&centre);
        let form = format!("csrf={token}");
        let ended = app.post(&end).by(&ada).body("application/x-www-form-urlencoded", form).send().await;
        assert_eq!(ended.status, 303, "{}", ended.text());
        assert_eq!(app.post(&path).by(&key).json(&json!({ "right": "access" })).send().await.problem(409), "conflict");
        assert_eq!(stands(&app, &key, id).await["state"], "ended");
        let own = app.get("/v1/account/mandates").by(&ada).send().await.json();
        assert_eq!((&own["items"][0]["agent"], &own["items"][0]["holds"]), (&json!(AGENT), &json!(false)));
        let kinds = app.ledger_kinds().await;
        assert!(kinds.contains(&"mandate.given".to_owned()) && kinds.contains(&"mandate.ended".to_owned()));
        let logged = app.ledger_entries().await;
        assert!(logged.iter().all(|e| !String::from_utf8_lossy(&e.bytes).contains("Canary")));
        app.settle().await;

        // It is at home in what they take home later, too.
        let later = app.post("/v1/requests").by(&ada).json(&json!({ "right": "access" })).send().await.json();
        let archive = format!("/v1/requests/{}/archive", later["id"].as_str().unwrap());
        let archive = app.get(&archive).by(&ada).send().await;
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(archive.body.to_vec())).unwrap();
        let mut found = false;
        for i in 0..zip.len() {
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut zip.by_index(i).unwrap(), &mut text).unwrap();
            found |= String::from_utf8_lossy(&text).contains(AGENT);
        }
        assert!(found, "whom they let act for them is theirs to know");
    }

    async fn nobody_can_tell_from_our_answer_whom_we_know(app: TestApp) {
        let app = with_pages(app);
        let key = app.api_key(&[Scope::Agents]).await;
        for known in ["no@example.org", "silent@example.org"] {
            app.person(known).await;
        }
        let mut ids = Vec::new();
        for email in ["no@example.org", "silent@example.org", "stranger@example.org"] {
            ids.push(propose(&app, &key, email).await["id"].as_str().unwrap().to_owned());
        }
        app.settle().await;
        assert!(app.mails().iter().all(|m| m.to != "stranger@example.org"), "nobody is written to whom we do not know");
        let said = answer(&app, &link(&app, "no@example.org"), "decline", "").await;
        assert!(said.text().contains("We did nothing"), "{}", said.text());
        let mut all = Vec::new();
        for days in [0, 6, 1, 20] {
            app.advance(TimeDelta::days(days));
            app.settle().await;
            let mut told = Vec::new();
            for id in &ids {
                told.push(stands(&app, &key, id).await);
            }
            assert!(told.iter().all(|t| *t == told[0]), "{told:?}");
            all.push(told[0]["state"].as_str().unwrap().to_owned());
        }
        assert_eq!(all, ["asked", "asked", "not-confirmed", "not-confirmed"]);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM mandate WHERE sealed IS NOT NULL").await, 0);
        app.advance(TimeDelta::days(20));
        app.settle().await;
        assert_eq!(count(&app, "SELECT COUNT(*) FROM mandate").await, 0);
    }

    async fn a_mandate_goes_with_the_person_and_ends_with_its_day(app: TestApp) {
        let app = with_pages(app);
        let key = app.api_key(&[Scope::Agents]).await;
        let mut ids = Vec::new();
        for email in ["ada@example.org", "bob@example.org"] {
            let person = app.person(email).await;
            let id = propose(&app, &key, email).await["id"].as_str().unwrap().to_owned();
            app.settle().await;
            assert_eq!(answer(&app, &link(&app, email), "confirm", "").await.status, 200);
            ids.push((id, person));
        }
        app.settle().await;
        let (ada, bob) = (&ids[0], &ids[1]);
        assert_eq!(stands(&app, &key, &ada.0).await["requests"], json!([]), "they did not let the agent be told");

        let request = json!({ "right": "erasure", "at_once": true });
        app.post("/v1/requests").by(&ada.1).json(&request).send().await;
        app.settle().await;
        assert!(app.app.subjects.get(&ada.1.owner).await.is_err());
        let left = "SELECT COUNT(*) FROM mandate WHERE subject IS NOT NULL OR address_index IS NULL";
        assert_eq!(count(&app, left).await, 2, "one is blanked, one is another's");
        assert_eq!(stands(&app, &key, &ada.0).await["state"], "ended");

        app.advance(TimeDelta::days(230));
        app.settle().await;
        assert_eq!(stands(&app, &key, &bob.0).await["state"], "ended");
        let path = format!("/v1/mandates/{}/requests", bob.0);
        assert_eq!(app.post(&path).by(&key).json(&json!({ "right": "access" })).send().await.problem(409), "conflict");
        let actor = Actor::Subject(bob.1.owner.subject);
        let own = app.app.intake.mandates(&bob.1.owner, &actor).await.unwrap();
        assert!(own.len() == 1 && !own[0].holds && own[0].agent == AGENT);
        for file in crate::support::house::files_below(&app.data()) {
            let bytes = std::fs::read(&file).unwrap();
            assert!(!bytes.windows(AGENT.len()).any(|w| w == AGENT.as_bytes()), "{}", file.display());
        }
    }

    async fn what_cannot_be_a_mandate_is_refused(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let key = app.api_key(&[Scope::Agents]).await;
        for (field, value) in [
            ("email", json!("nobody")),
            ("agent", json!(" ")),
            ("agent", json!("a\u{202e}b")),
            ("contact", json!("x")),
            ("rights", json!([])),
            ("until", json!("2026-11-01T00:00:00Z")),
            ("until", json!("2029-11-01T00:00:00Z")),
            ("until", json!("soon")),
            ("first", json!({ "right": "erasure" })),
            ("first", json!({ "right": "rectification" })),
            ("first", json!({ "right": "access", "purpose": "training" })),
        ] {
            let mut asked = proposal("ada@example.org");
            asked[field] = value;
            assert_eq!(app.post("/v1/mandates").by(&key).json(&asked).send().await.problem(422), "invalid", "{asked}");
        }
        let others: Vec<Scope> = Scope::ALL.into_iter().filter(|s| *s != Scope::Agents).collect();
        let weak = app.api_key(&others).await;
        assert_eq!(app.post("/v1/mandates").by(&weak).json(&proposal("a@b.example")).send().await.problem(403), "forbidden");
        for _ in 0..vouchsafe::intake::A_PERSON {
            propose(&app, &key, "ada@example.org").await;
        }
        let more = app.post("/v1/mandates").by(&key).json(&proposal("ada@example.org")).send().await;
        assert_eq!(more.problem(429), "too-many");
        let not_theirs = format!("/v1/account/mandates/{}/end", propose(&app, &key, "x@example.org").await["id"].as_str().unwrap());
        assert_eq!(app.post(&not_theirs).by(&ada).send().await.problem(404), "not-found");
    }

    async fn an_agent_without_a_key_asks_by_the_page(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let path = format!("/{TENANT}/agents");
        assert!(page(&app, &path).await.text().contains("Ask for somebody else"));
        let mut fields = vec![
            ("agent", AGENT), ("contact", "cases@agent.example"), ("person", "ada@example.org"), ("rights", "access"),
            ("until", "2027-06-30"), ("choice", "access"), ("text", ""),
        ];
        let known = send(&app, &path, &fields).await;
        fields[2].1 = "stranger@example.org";
        let stranger = send(&app, &path, &fields).await;
        assert_eq!((known.status, known.text()), (202, stranger.text()));
        for (n, wrong) in [(0, ""), (1, "x"), (2, "x"), (4, "soon"), (4, "2031-01-01"), (5, "erasure"), (5, "")] {
            let mut fields = fields.clone();
            fields[n].1 = wrong;
            assert_eq!(send(&app, &path, &fields).await.status, 422, "{n}");
        }
        fields[4].1 = "2031-01-01";
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("csrf", &form_token(&page(&app, &path).await.text())).extend_pairs(&fields);
        let call = app.post(&path).header("accept", "text/html").header("accept-language", "de");
        let call = call.header("sec-fetch-site", "same-origin");
        let german = call.body("application/x-www-form-urlencoded", body.finish()).send().await.text();
        assert!(german.contains("eine Vollmacht endet in der Zukunft") && !german.contains("cannot be asked"), "{german}");
        fields[4].1 = "2027-06-30";
        app.settle().await;
        answer(&app, &link(&app, "ada@example.org"), "confirm", "").await;
        assert_eq!(requests(&app, &ada).await.len(), 1);
    }
}
