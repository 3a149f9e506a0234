//! Each resource as its callers meet it when all is well.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::subjects::Scope;

use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{OTHER_TENANT, TENANT, photograph};
use crate::support::call::Sender;
use crate::support::house::{takes_again, takes_none};

each_app! {
    async fn an_app_opens_an_account_and_its_owner_corrects_it(app: TestApp) {
        let key = app.api_key(&[Scope::Accounts]).await;
        let asked = json!({
            "email": "ada@example.org", "name": "Ada L.", "username": "ada",
            "login": { "issuer": app.issuer(), "subject": "user-1815" },
        });
        let opened = app.post("/v1/accounts").by(&key).json(&asked).send().await;
        assert_eq!(opened.status, 201, "{}", opened.text());
        let subject = opened.json()["subject"].as_str().unwrap().to_owned();

        let ada = app.token("user-1815");
        let account = app.get("/v1/account").by(&ada).send().await.json();
        assert_eq!((&account["subject"], &account["name"]), (&json!(subject), &json!("Ada L.")));
        let corrected = app.patch("/v1/account").by(&ada).json(&json!({ "name": "Ada Lovelace" })).send().await;
        assert_eq!(corrected.json()["name"], "Ada Lovelace", "{}", corrected.text());
        assert_eq!(corrected.json()["email"], "ada@example.org");
        let again = app.post("/v1/accounts").by(&key).json(&asked).send().await;
        assert_eq!(again.problem(409), "conflict");
    }

    async fn an_account_is_opened_with_its_login_or_not_at_all(app: TestApp) {
        let key = app.api_key(&[Scope::Accounts]).await;
        let asked = json!({
            "email": "ada@example.org", "name": "Ada L.", "username": "ada",
            "login": { "issuer": app.issuer(), "subject": "user-1815" },
        });
        takes_none(&app.app.db, "subject_login", "NEW.issuer <> ''").await;
        let open = || app.post("/v1/accounts").by(&key).once("k1").json(&asked).send();
        assert_eq!(open().await.status, 500);
        takes_again(&app.app.db, "subject_login").await;
        let opened = open().await;
        assert_eq!(opened.status, 201, "{}", opened.text());
        let account = app.get("/v1/account").by(&app.token("user-1815")).send().await.json();
        assert_eq!(account["subject"], opened.json()["subject"]);
        assert_eq!(open().await.body, opened.body);
    }

    async fn a_picture_comes_in_stripped_and_goes_by_its_rule(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let answer = app.post("/v1/images").by(&ada).body("image/jpeg", photograph(1)).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let arrived = answer.json();
        assert_eq!((&arrived["format"], &arrived["width"].is_u64()), (&json!("jpeg"), &true));
        assert!(!arrived["removed"].as_array().unwrap().is_empty());
        assert_eq!(arrived["goes_at"], "2026-11-24T12:00:00Z");
        let id = arrived["id"].as_str().unwrap();

        let whole = app.get(&format!("/v1/images/{id}")).by(&ada).send().await;
        assert_eq!((whole.status, whole.header("content-type")), (200, "image/jpeg"));
        assert_eq!(whole.header("content-length"), whole.body.len().to_string());
        assert_eq!(whole.body.len() as u64, arrived["bytes"].as_u64().unwrap());
        assert!(whole.header("content-disposition").starts_with("attachment; filename=\"upload-"));
        assert_eq!(whole.header("x-content-type-options"), "nosniff");
        let small = app.get(&format!("/v1/images/{id}/small")).by(&ada).send().await;
        assert!(small.status == 200 && small.header("content-type").starts_with("image/"));
        let details = app.get(&format!("/v1/images/{id}/details")).by(&ada).send().await.json();
        assert!(details["rule"].is_string() && details["rules"][0]["clause"].is_string(), "{details}");

        app.advance(TimeDelta::hours(49));
        app.settle().await;
        assert_eq!(app.get(&format!("/v1/images/{id}")).by(&ada).send().await.problem(404), "not-found");
        assert!(app.blobs().await.is_empty());
    }

    async fn a_deleted_picture_is_gone_at_once(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let id = app.upload(&ada, 1).await;
        let path = format!("/v1/images/{id}");
        assert_eq!(app.delete(&path).by(&ada).send().await.status, 204);
        assert_eq!(app.get(&path).by(&ada).send().await.problem(404), "not-found");
        assert_eq!(app.delete(&path).by(&ada).send().await.problem(404), "not-found");
    }

    async fn lists_come_in_pages_that_leave_nothing_out(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let mut ids = Vec::new();
        for seed in 0..5 {
            app.advance(TimeDelta::seconds(1));
            ids.push(app.upload(&ada, seed).await);
        }
        // One of them becomes a result as well, so that two categories are merged.
        app.edit(&ada, &ids[4]).await;
        app.settle().await;
        ids.pop();
        let mut seen = Vec::new();
        let mut path = "/v1/images?limit=2".to_owned();
        loop {
            let page = app.get(&path).by(&ada).send().await.json();
            let rows = page["items"].as_array().unwrap();
            assert!(rows.len() <= 2);
            seen.extend(rows.iter().map(|r| (r["id"].as_str().unwrap().to_owned(), r["category"].clone())));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/v1/images?limit=2&cursor={next}");
        }
        assert_eq!(seen[0].1, "output-image");
        let uploads: Vec<_> = seen.iter().skip(1).map(|(id, _)| id).rev().collect();
        assert_eq!(uploads, ids.iter().collect::<Vec<_>>());
        let results = app.get("/v1/images?category=output-image").by(&ada).send().await.json();
        assert_eq!(results["items"].as_array().unwrap().len(), 1);
    }

    async fn an_edit_goes_from_words_to_a_result(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let key = app.api_key(&[Scope::Edits]).await.on_behalf_of(ada.owner.subject);
        let image = app.post("/v1/images").by(&key).body("image/jpeg", photograph(3)).send().await.json();
        let asked = json!({
            "inputs": [image["id"]], "prompt": "warmer", "model": "max", "settings": { "output_format": "png" },
        });
        let edit = app.post("/v1/edits").by(&key).json(&asked).send().await;
        assert_eq!((edit.status, &edit.json()["state"]), (201, &json!("queued")), "{}", edit.text());
        let path = format!("/v1/edits/{}", edit.json()["id"].as_str().unwrap());
        app.settle().await;
        let told = app.get(&path).by(&key).send().await.json();
        assert_eq!((&told["state"], &told["progress"], &told["cost"]), (&json!("succeeded"), &json!(100), &json!(2)));
        assert_eq!((&told["prompt"], &told["settings"]["output_format"]), (&json!("warmer"), &json!("png")), "{told}");
        let result = app.get(&format!("/v1/images/{}", told["output"].as_str().unwrap())).by(&key).send().await;
        assert_eq!(result.header("content-type"), "image/png");
        let credits = app.get("/v1/credits").by(&key).send().await.json();
        assert_eq!((&credits["balance"], &credits["history"]["items"][0]["amount"]), (&json!(98), &json!(-2)));
        let all = app.get("/v1/edits").by(&key).send().await.json();
        assert_eq!(all["items"].as_array().unwrap().len(), 1);
        assert_eq!(app.delete(&path).by(&key).send().await.status, 204);
        assert_eq!(app.get(&path).by(&key).send().await.problem(404), "not-found");
    }

    async fn an_edit_that_is_stopped_gives_its_credits_back(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        let path = format!("/v1/edits/{}", app.edit(&ada, &image).await);
        assert_eq!(app.delete(&path).by(&ada).send().await.problem(409), "conflict");
        let stopped = app.post(&format!("{path}/cancel")).by(&ada).send().await.json();
        assert_eq!(stopped["state"], "cancelled");
        assert_eq!(app.post(&format!("{path}/cancel")).by(&ada).send().await.problem(409), "conflict");
        assert_eq!(app.get("/v1/credits").by(&ada).send().await.json()["balance"], 100);
        app.settle().await;
    }

    async fn an_app_grants_credits(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let key = app.api_key(&[Scope::Credits]).await;
        let asked = json!({ "subject": ada.owner.subject.to_string(), "amount": 5, "reason": "gift" });
        let granted = app.post("/v1/credits").by(&key).json(&asked).send().await;
        assert_eq!((granted.status, &granted.json()["balance"]), (201, &json!(105)));
        for amount in [0, -1, 1_000_001] {
            let asked = json!({ "subject": ada.owner.subject.to_string(), "amount": amount, "reason": "gift" });
            assert_eq!(app.post("/v1/credits").by(&key).json(&asked).send().await.problem(422), "invalid");
        }
        let stranger = app.person_of(OTHER_TENANT, "ada@example.org").await;
        let asked = json!({ "subject": stranger.owner.subject.to_string(), "amount": 5, "reason": "gift" });
        assert_eq!(app.post("/v1/credits").by(&key).json(&asked).send().await.problem(404), "not-found");
    }

    async fn a_choice_is_taken_down_with_a_receipt_that_anybody_can_check(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let choices = app.get("/v1/consents").by(&ada).send().await.json();
        let analytics = choices["items"].as_array().unwrap().iter().find(|c| c["purpose"] == "analytics").unwrap();
        assert_eq!(analytics["on"], false);
        let taken = app.put("/v1/consents/analytics").by(&ada).json(&json!({ "on": true })).send().await;
        assert_eq!((taken.status, &taken.json()["on"]), (200, &json!(true)), "{}", taken.text());
        let path = format!("/v1/receipts/{}", taken.json()["receipt"].as_str().unwrap());
        let receipt = app.get(&path).send().await;
        assert_eq!(receipt.header("content-type"), "text/plain; charset=utf-8");
        let verified = vouchsafe::ledger::Receipt::parse(&receipt.text())
            .unwrap()
            .verify(app.app.ledger.verifier(), &[])
            .unwrap();
        assert_eq!(verified.kind.as_str(), "consent.given");
        let history = app.get("/v1/consents/history").by(&ada).send().await.json();
        assert_eq!((&history["items"][0]["state"], &history["items"][0]["method"]), (&json!("given"), &json!("api")));
        let wrong = app.put("/v1/consents/provide-edits").by(&ada).json(&json!({ "on": false })).send().await;
        assert_eq!(wrong.problem(409), "conflict");
    }

    async fn the_documents_and_their_promises_are_public(app: TestApp) {
        let document = app.get(&format!("/v1/policies/{TENANT}")).send().await.json();
        assert_eq!((&document["tenant"], &document["sha256"].as_str().unwrap().len()), (&json!(TENANT), &64));
        assert!(document["rules"]["retention"].as_array().unwrap().len() > 3);
        assert!(document["source"].as_str().unwrap().starts_with("+++"));
        let board = app.get(&format!("/v1/promises/{TENANT}")).send().await.json();
        assert_eq!((&board["version"], &board["tally"]["kept"]), (&document["version"], &json!(0)), "nothing was checked");
        app.settle().await;
        let board = app.get(&format!("/v1/promises/{TENANT}")).send().await.json();
        assert_eq!((&board["tally"]["broken"], &board["checked_at"]), (&json!(0), &json!("2026-11-22T12:00:00Z")));
        assert!(board["tally"]["kept"].as_u64().unwrap() > 20, "{}", board["tally"]);
        assert_eq!(board["clauses"].as_array().unwrap().len(), document["clauses"].as_array().unwrap().len());
        let key = app.api_key(&[Scope::Metrics]).await;
        let own = app.get(&format!("/v1/retention/{TENANT}")).by(&key).send().await;
        assert_eq!(own.status, 200, "{}", own.text());
        let others = app.get(&format!("/v1/retention/{OTHER_TENANT}")).by(&key).send().await;
        assert_eq!(others.problem(404), "not-found");
    }

    async fn the_ledger_is_served_as_strangers_fetch_it(app: TestApp) {
        let checkpoint = app.get("/ledger/checkpoint").send().await;
        assert_eq!(checkpoint.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(checkpoint.header("cache-control"), "no-cache");
        let size: u64 = checkpoint.text().lines().nth(1).unwrap().parse().unwrap();
        assert!(checkpoint.text().starts_with("vouchsafe.test/ledger\n") && size >= 2);
        let folder = app.folder().join("copy");
        for resource in vouchsafe::ledger::Resource::all(size) {
            let answer = app.get(&format!("/ledger/{resource}")).send().await;
            assert_eq!((answer.status, answer.header("content-type")), (200, resource.content_type()));
            let path = folder.join(resource.to_string());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &answer.body).unwrap();
        }
        let of_archives = app.get("/ledger/archive-key").send().await;
        assert_eq!((of_archives.status, of_archives.text()), (200, format!("{}\n", app.app.requests.archive_key())));
        let key = app.get("/ledger/key").send().await.text();
        assert_ne!(key, of_archives.text(), "each key for its own");
        let report = vouchsafe::ledger::verify_folder(&folder, &key.trim().parse().unwrap(), None).unwrap();
        assert!(report.faults.is_empty());
        let bundle = app.get(&format!("/ledger/tile/entries/000.p/{size}")).send().await;
        assert_eq!(bundle.header("cache-control"), "public, max-age=31536000, immutable");
        for path in ["tile/0/001", "tile/entries/000", "tile/entries/..", "tile/", "tile/0/000.p/0", "nothing"] {
            assert_eq!(app.get(&format!("/ledger/{path}")).send().await.problem(404), "not-found", "{path}");
        }
    }

    async fn nobody_is_asked_who_they_are_by_accident(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let staff = app.staff(vouchsafe::policy::Role::Support).await;
        let metrics = app.api_key(&[Scope::Metrics]).await;
        for sender in [Sender::nobody(), (&staff).into(), Sender::bearer("nonsense"), Sender::bearer("vsk_a_b_c")] {
            assert_eq!(app.get("/v1/account").by(&sender).send().await.problem(401), "unauthenticated");
        }
        assert_eq!(app.get("/v1/desk/queue").by(&ada).send().await.problem(401), "unauthenticated");
        let key = metrics.on_behalf_of(ada.owner.subject);
        assert_eq!(app.get("/v1/edits").by(&key).send().await.problem(403), "forbidden");
        assert_eq!(app.get("/v1/account").by(&metrics).send().await.problem(400), "malformed");
    }
}
