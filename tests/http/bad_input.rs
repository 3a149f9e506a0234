//! Rows of the catalogue of bad inputs that are about the API: each a documented status, a stable word, nothing changed.

use chrono::TimeDelta;
use serde_json::{Value, json};
use vouchsafe::subjects::{Scope, SignedIn};

use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Person, TENANT, photograph};
use crate::support::call::{Answer, Sender};

/// What could have changed, in one line.
async fn state(app: &TestApp, person: &Person) -> String {
    let edits = app.get("/v1/edits").by(person).send().await.json();
    let images = app.get("/v1/images").by(person).send().await.json();
    let balance = app.app.credits.balance(&person.owner).await.unwrap();
    format!("{edits} {images} {balance} {:?} {:?}", app.queue().await, app.blobs().await.len())
}

async fn edits(app: &TestApp, by: impl Into<Sender>, body: &[u8]) -> Answer {
    app.post("/v1/edits").by(by).body("application/json", body.to_vec()).send().await
}

each_app! {
    async fn a04_one_foreign_image_fails_the_whole_request(app: TestApp) {
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        let (own, foreign) = (app.upload(&eve, 1).await, app.upload(&ada, 2).await);
        let before = state(&app, &eve).await;
        let asked = json!({ "inputs": [own, foreign], "prompt": "warmer" });
        let answer = app.post("/v1/edits").by(&eve).json(&asked).send().await;
        assert_eq!(answer.problem(404), "not-found");
        assert_eq!(state(&app, &eve).await, before);
    }

    async fn a05_to_a09_json_that_is_not_quite_right_changes_nothing(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        let before = state(&app, &ada).await;
        let with = |more: &str| format!("{{\"inputs\": [\"{image}\"], \"prompt\": \"warmer\"{more}}}").into_bytes();
        let deep = format!(", \"settings\": {}{}", "{\"style\":".repeat(5_000), "}".repeat(5_000));
        let malformed = [
            with(", \"prompt\": \"colder\""),
            with(&deep),
            with(", \"settings\": {\"seed\": NaN}"),
            with(", \"settings\": {\"style\": \"\\ud800\"}"),
            [b"\xef\xbb\xbf".to_vec(), with("")].concat(),
            [b"{\"prompt\": \"".to_vec(), b"\xc0\xaf\"}".to_vec()].concat(),
            b"".to_vec(),
            b"{".to_vec(),
        ];
        for body in &malformed {
            let said = edits(&app, &ada, body).await.problem(400);
            assert_eq!(said, "malformed", "{}", String::from_utf8_lossy(body));
        }
        let invalid = [
            with(", \"owner_id\": \"me\""),
            with(", \"role\": \"admin\""),
            with(", \"deadline\": 1"),
            with(", \"settings\": {\"seed\": 1e400}"),
            with(", \"settings\": {\"seed\": -0}"),
            with(", \"settings\": {\"seed\": 9223372036854775808}"),
            with(", \"settings\": {\"seed\": 9007199254740993}"),
            with(", \"settings\": {\"guidance\": 1e308}"),
            with(", \"settings\": {\"depth\": 1}"),
            with(", \"model\": \"ultra\""),
            b"{\"inputs\": [\"obj_nonsense\"], \"prompt\": \"x\"}".to_vec(),
            b"{\"inputs\": [], \"prompt\": \"x\"}".to_vec(),
            b"[]".to_vec(),
        ];
        for body in &invalid {
            let said = edits(&app, &ada, body).await.problem(422);
            assert_eq!(said, "invalid", "{}", String::from_utf8_lossy(body));
        }
        assert_eq!(state(&app, &ada).await, before);
    }

    async fn a10_names_with_direction_marks_are_refused(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        for name in ["", " ", "\u{202e}adA", "a\u{0}b", &"x".repeat(121)] {
            let answer = app.patch("/v1/account").by(&ada).json(&json!({ "name": name })).send().await;
            assert_eq!(answer.problem(422), "invalid", "{name:?}");
        }
        assert_eq!(app.get("/v1/account").by(&ada).send().await.json()["name"], format!("ada of {TENANT}"));
    }

    async fn a13_and_a14_only_the_types_that_are_taken_are_taken(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let before = state(&app, &ada).await;
        let asked = json!({ "inputs": [], "prompt": "x" }).to_string();
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "image/jpeg", ""] {
            let answer = app.post("/v1/edits").by(&ada).body(media_type, asked.clone()).send().await;
            assert_eq!(answer.problem(415), "unsupported-type", "{media_type}");
        }
        let zipped = app.post("/v1/edits").by(&ada).header("content-encoding", "gzip").json(&json!({})).send().await;
        assert_eq!(zipped.problem(415), "unsupported-type");
        for media_type in ["application/json", "text/html", "image/svg+xml", "multipart/form-data; boundary=x"] {
            let answer = app.post("/v1/images").by(&ada).body(media_type, photograph(1)).send().await;
            assert_eq!(answer.problem(415), "unsupported-type", "{media_type}");
        }
        let svg = app.post("/v1/images").by(&ada).body("image/png", "<svg onload='x'/>").send().await;
        assert_eq!(svg.problem(415), "unsupported-type");
        let cut = photograph(1)[..2000].to_vec();
        assert_eq!(app.post("/v1/images").by(&ada).body("image/jpeg", cut).send().await.problem(422), "invalid");
        assert_eq!(app.post("/v1/images").by(&ada).body("image/jpeg", "").send().await.status / 100, 4);
        assert_eq!(state(&app, &ada).await, before);
    }

    async fn a16_to_a18_queries_are_read_strictly(app: TestApp) {
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        for seed in 0..2 {
            app.upload(&eve, seed).await;
        }
        let page = app.get("/v1/images?limit=1").by(&eve).send().await.json();
        let cursor = page["next"].as_str().unwrap();
        let malformed = [
            "limit=1&limit=2".to_owned(),
            "cursor=AAAA".to_owned(),
            "cursor=".to_owned(),
            // Somebody else's cursor, and one of another list.
            format!("cursor={cursor}"),
            format!("category=input-image&cursor={cursor}"),
        ];
        for query in &malformed {
            let answer = app.get(&format!("/v1/images?{query}")).by(&ada).send().await;
            assert_eq!(answer.problem(400), "malformed", "{query}");
        }
        for query in
            ["limit=0", "limit=-1", "limit=1000000000", "limit=x", "sort=subject", "limit[]=1", "category=prompt"]
        {
            let answer = app.get(&format!("/v1/images?{query}")).by(&ada).send().await;
            assert_eq!(answer.problem(422), "invalid", "{query}");
        }
    }

    async fn a19_other_methods_have_no_effect(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        let path = format!("/v1/images/{image}");
        for method in ["PUT", "PATCH", "POST", "TRACE", "PROPFIND"] {
            let answer = app.call(method, &path).by(&ada).send().await;
            assert_eq!(answer.problem(405), "method-not-allowed", "{method}");
            assert!(answer.header("allow").contains("GET"), "{:?}", answer.headers);
        }
        let overridden = app.get(&path).by(&ada).header("x-http-method-override", "DELETE").send().await;
        assert_eq!(overridden.status, 200);
        assert_eq!(app.call("HEAD", "/v1/edits/edt_x/cancel").by(&ada).send().await.status, 405);
        assert_eq!(app.get(&path).by(&ada).send().await.status, 200);
    }

    async fn a20_a_call_with_a_key_has_its_effect_once(app: TestApp) {
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        let image = app.upload(&ada, 1).await;
        let asked = json!({ "inputs": [image], "prompt": "warmer" });
        let first = app.post("/v1/edits").by(&ada).once("k-1").json(&asked).send().await;
        let second = app.post("/v1/edits").by(&ada).once("k-1").json(&asked).send().await;
        assert_eq!((first.status, second.status, &first.body), (201, 201, &second.body));
        assert_eq!(app.app.credits.balance(&ada.owner).await.unwrap(), 99);
        let other = json!({ "inputs": [image], "prompt": "colder" });
        let differs = app.post("/v1/edits").by(&ada).once("k-1").json(&other).send().await;
        assert_eq!(differs.problem(422), "invalid");
        // Another's key of the same name is another key.
        let foreign = app.post("/v1/edits").by(&eve).once("k-1").json(&asked).send().await;
        assert_eq!(foreign.problem(404), "not-found");
        // And so is the same key of another route.
        let image = app.post("/v1/images").by(&ada).once("k-1").body("image/jpeg", photograph(2)).send().await;
        assert_eq!(image.status, 201);
        let same = app.post("/v1/images").by(&ada).once("k-1").body("image/jpeg", photograph(2)).send().await;
        assert_eq!(same.body, image.body);
        // What failed is not kept: the next try is a new one.
        let wrong = json!({ "inputs": [image.json()["id"]], "prompt": "" });
        assert_eq!(app.post("/v1/edits").by(&ada).once("k-2").json(&wrong).send().await.status, 422);
        let right = json!({ "inputs": [image.json()["id"]], "prompt": "x" });
        assert_eq!(app.post("/v1/edits").by(&ada).once("k-2").json(&right).send().await.status, 201);
        app.settle().await;
        app.advance(TimeDelta::hours(25));
        app.settle().await;
    }

    async fn a20_two_at_once_are_one(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        let asked = json!({ "inputs": [image], "prompt": "warmer" });
        let call = || app.post("/v1/edits").by(&ada).once("same").json(&asked).send();
        let answers = futures_util::future::join_all((0..8).map(|_| call())).await;
        for answer in &answers {
            assert!(answer.status == 201 || answer.problem(409) == "conflict", "{}", answer.text());
        }
        assert!(answers.iter().any(|a| a.status == 201));
        assert_eq!(app.app.credits.balance(&ada.owner).await.unwrap(), 99);
        app.settle().await;
    }

    async fn a21_a_key_is_short_and_printable(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        for key in ["", "with space", "schl\u{fc}ssel", &"k".repeat(256), &"k".repeat(10_000)] {
            let answer = app.post("/v1/edits").by(&ada).once(key).json(&json!({})).send().await;
            assert_eq!(answer.problem(422), "invalid", "{} long", key.len());
        }
        let twice = app.post("/v1/edits").by(&ada).once("a").once("b").json(&json!({})).send().await;
        assert_eq!(twice.problem(422), "invalid");
    }

    async fn a22_keys_that_do_not_hold_are_told_alike(app: TestApp) {
        let subjects = &app.app.subjects;
        let tenant = app.tenant();
        let soon = Some(app.now().plus(TimeDelta::minutes(1)));
        let expired = subjects.mint_api_key(&tenant, "x", &Scope::ALL, soon).await.unwrap();
        let revoked = subjects.mint_api_key(&tenant, "x", &Scope::ALL, None).await.unwrap();
        subjects.revoke_api_key(&tenant, &revoked.key.id).await.unwrap();
        app.advance(TimeDelta::minutes(2));
        let text = revoked.text.expose().clone();
        let forged = text.replace(&text[30..40], "0123456789");
        let keys =
            [expired.text.expose().clone(), text.clone(), text[..text.len() - 3].to_owned(), forged, "vsk_".to_owned()];
        let mut bodies = Vec::new();
        for key in keys {
            let answer = app.get(&format!("/v1/retention/{TENANT}")).by(&Sender::bearer(&key)).send().await;
            assert_eq!(answer.problem(401), "unauthenticated");
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
            bodies.push(answer.body);
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1);
    }

    async fn a23_a_key_in_an_address_is_refused(app: TestApp) {
        let minted = app.app.subjects.mint_api_key(&app.tenant(), "x", &Scope::ALL, None).await.unwrap();
        let path = format!("/v1/retention/{TENANT}?key={}", minted.text.expose());
        let answer = app.get(&path).by(&Sender::bearer(minted.text.expose())).send().await;
        assert_eq!(answer.problem(400), "malformed");
        assert!(!answer.text().contains(minted.text.expose()));
    }

    async fn a24_a_planted_cookie_is_no_session(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let again = app.sign_in(&SignedIn::Subject(ada.owner.clone())).await;
        assert_ne!(again, ada.cookie);
        let two = app.get("/v1/account").by(&ada).header("cookie", "__Host-sid=planted").send().await;
        assert_eq!(two.problem(401), "unauthenticated");
        let planted = app.get("/v1/account").by(&Sender::cookie("planted")).send().await;
        assert_eq!(planted.problem(401), "unauthenticated");
    }

    async fn a25_a_foreign_page_cannot_use_the_cookie(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        let before = state(&app, &ada).await;
        let cookie = format!("__Host-sid={}", ada.cookie);
        let foreign: [&[(&str, &str)]; 6] = [
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", "https://vouchsafe.test")],
            &[("origin", "https://vouchsafe.test.evil.example")],
            &[],
        ];
        for headers in foreign {
            let mut call = app.delete(&format!("/v1/images/{image}")).header("cookie", &cookie);
            for (name, value) in headers {
                call = call.header(name, value);
            }
            assert_eq!(call.send().await.problem(403), "forbidden", "{headers:?}");
        }
        assert_eq!(state(&app, &ada).await, before);
        let own = app.delete(&format!("/v1/images/{image}")).header("cookie", &cookie);
        assert_eq!(own.header("origin", "https://vouchsafe.test").send().await.status, 204);
    }

    async fn a26_forwarded_headers_change_nothing(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let spoofed = app
            .get("/v1/account")
            .by(&ada)
            .header("x-forwarded-for", "127.0.0.1")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "http")
            .header("forwarded", "for=127.0.0.1;host=evil.example")
            .send()
            .await;
        assert_eq!(spoofed.status, 200);
        assert!(!spoofed.text().contains("evil.example"));
        assert!(spoofed.headers.values().all(|v| !v.as_bytes().windows(12).any(|w| w == b"evil.example")));
    }

    async fn a28_erase_cancel_and_export_at_once_come_in_one_order(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        app.upload(&ada, 1).await;
        let ask = |asked: Value| app.post("/v1/requests").by(&ada).json(&asked).send();
        let filed = ask(json!({ "right": "erasure" })).await.json();
        let path = format!("/v1/requests/{}", filed["id"].as_str().unwrap());
        let (waived, taken_back, export) = tokio::join!(
            app.post(&format!("{path}/waive")).by(&ada).send(),
            app.post(&format!("{path}/cancel")).by(&ada).send(),
            ask(json!({ "right": "access" })),
        );
        // At most one of the two had its way, whatever became of the third.
        assert!(waived.status != 200 || taken_back.status != 200, "{} {}", waived.text(), taken_back.text());
        for answer in [&waived, &taken_back, &export] {
            assert!(answer.status < 500, "{}", answer.text());
        }
        app.settle().await;
        let alive = app.get("/v1/account").by(&ada).send().await.status == 200;
        let kinds = app.ledger_kinds().await;
        let erased = kinds.iter().filter(|k| *k == "erasure.completed").count();
        assert_eq!(alive, erased == 0, "{kinds:?}");
    }
}
