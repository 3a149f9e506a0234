//! The whole way of a letter: from the mail system to the archive that a person takes home, or to nothing.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::intake::{A_DAY, AN_ADDRESS, Confirmed, Error, Intake, Outcome, Parts};
use vouchsafe::mail::{Post, Settings};
use vouchsafe::policy::Role;
use vouchsafe::requests::Ask;
use vouchsafe::subjects::{Scope, SignedIn};

use super::{confirm, count, hand_over, letter, link, page, send, take, token_of, with_pages};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::TENANT;

const CANARY: &str = "canary of a letter, deep in a mine";

each_app! {
    async fn from_a_letter_to_what_is_taken_home(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let key = app.api_key(&[Scope::Mail]).await;
        let words = format!("Please send me a copy of my data. {CANARY}");
        let answer = hand_over(&app, &key, "", letter("Ada@Example.org", "1", &words)).await;
        assert_eq!((answer.status, answer.json()), (202, json!({ "outcome": "taken" })));
        let (arrived, link) = (app.now(), link(&app, "ada@example.org"));
        app.advance(TimeDelta::hours(30));

        // Whoever follows links finds a page and changes nothing.
        for _ in 0..3 {
            let shown = page(&app, &link).await;
            assert_eq!(shown.status, 200);
            let shown = shown.text();
            assert!(shown.contains("value=\"access\" checked") && shown.contains(CANARY), "{shown}");
        }
        assert_eq!(count(&app, "SELECT COUNT(*) FROM request").await, 0, "nothing happens without the button");

        let done = confirm(&app, &link, "access", &words).await;
        assert_eq!(done.status, 200, "{}", done.text());
        let listed = app.get("/v1/requests").by(&ada).send().await.json();
        let request = &listed["items"][0];
        assert!(done.text().contains(request["reference"].as_str().unwrap()));
        assert_eq!(request["channel"], "email");
        assert_eq!(request["received_at"], arrived.rfc3339(), "as old as the letter");
        assert_eq!(request["promised_by"], arrived.plus(TimeDelta::hours(72)).rfc3339());
        for _ in 0..2 {
            assert_eq!(confirm(&app, &link, "erasure", "").await.status, 404, "a link works once");
            assert_eq!(page(&app, &link).await.status, 404);
        }

        app.settle().await;
        let told = app.mails().pop().unwrap();
        assert_eq!(told.to, "ada@example.org");
        assert!(!told.letter.text.contains(CANARY), "a letter says no more than it must");
        let path = format!("/v1/requests/{}", request["id"].as_str().unwrap());
        let whole = app.get(&path).by(&ada).send().await.json();
        assert_eq!(whole["text"], words);
        let ways: Vec<_> = whole["timeline"].as_array().unwrap().iter().map(|e| &e["what"]).collect();
        assert!(ways.contains(&&json!("arrived")) && ways.contains(&&json!("identity-shown")), "{whole}");
        let status = format!("/{TENANT}/privacy/requests/{}", request["reference"].as_str().unwrap());
        let status = app.get(&status).by(&ada).header("accept", "text/html").send().await.text();
        let (letter, filed) = (status.find("Your letter reached us; both clocks"), status.find("You filed it"));
        assert!(letter.is_some() && letter < filed, "{status}");
        assert!(!status.contains("DKIM"), "where it came from is for staff");
        let fresh = app.again(&ada).await;
        let archive = app.get(&format!("{path}/archive")).by(&fresh).send().await;
        assert_eq!(archive.status, 200, "{}", archive.text());
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(archive.body.to_vec())).unwrap();
        let mut found = false;
        for i in 0..zip.len() {
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut zip.by_index(i).unwrap(), &mut text).unwrap();
            found |= String::from_utf8_lossy(&text).contains(CANARY);
        }
        assert!(found, "what they wrote to us is theirs");

        let logged = app.ledger_entries().await;
        assert!(logged.iter().all(|e| !String::from_utf8_lossy(&e.bytes).contains("canary")));
    }

    async fn nobody_can_tell_from_our_answer_who_has_an_account(app: TestApp) {
        let app = with_pages(app);
        app.person("ada@example.org").await;
        let key = app.api_key(&[Scope::Mail]).await;
        let mut told = Vec::new();
        for from in ["ada@example.org", "stranger@example.org"] {
            let answer = hand_over(&app, &key, "", letter(from, from, "Please delete my account.")).await;
            let (link, letter) = (link(&app, from), app.mails().pop().unwrap().letter);
            let shown = page(&app, &link).await.text().replace(&token_of(&link), "");
            let hide = |text: &str| text.replace(&token_of(&link), "");
            told.push((answer.status, answer.text(), letter.subject, hide(&letter.text), hide(&letter.html), shown));
        }
        assert_eq!(told[0], told[1]);

        let nothing = confirm(&app, &link(&app, "stranger@example.org"), "erasure", "").await;
        assert!(nothing.text().contains("We hold nothing under this address"), "{}", nothing.text());
        assert_eq!(count(&app, "SELECT COUNT(*) FROM request").await, 0);
        let kept = "SELECT COUNT(*) FROM mail WHERE state = 'nobody' AND sealed IS NULL AND token_hash IS NULL";
        assert_eq!(count(&app, kept).await, 1, "and what they wrote is gone");
    }

    async fn an_erasure_by_letter_leaves_nothing_of_the_letter(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        take(&app, letter("ada@example.org", "1", &format!("Please erase everything. {CANARY}"))).await;
        take(&app, letter("ada@example.org", "2", "And a second letter, which nobody confirms.")).await;
        let first = app.mails().first().unwrap().letter.text.clone();
        let start = first.find("token=").unwrap() + 6;
        let token = first[start..].split_whitespace().next().unwrap();
        let by_letter = (Ask::Erasure { at_once: false }, CANARY);
        let filed = app.app.intake.confirm(&app.tenant(), token, by_letter).await.unwrap();
        let Confirmed::Filed(request) = filed else { panic!("nobody") };
        assert!(request.grace_until.is_some_and(|t| t < request.due.promise), "done within what is promised");
        app.advance(TimeDelta::hours(72));
        app.settle().await;
        assert!(app.app.subjects.get(&ada.owner).await.is_err());
        assert_eq!(count(&app, "SELECT COUNT(*) FROM mail").await, 0);
        for file in crate::support::house::files_below(&app.data()) {
            let bytes = std::fs::read(&file).unwrap();
            assert!(!bytes.windows(CANARY.len()).any(|w| w == CANARY.as_bytes()), "{}", file.display());
        }
    }

    async fn a_forged_letter_does_nothing_and_its_victim_can_say_so(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        app.upload(&ada, 1).await;
        take(&app, letter("ada@example.org", "1", "Delete everything at once!")).await;
        app.advance(TimeDelta::hours(20));
        app.settle().await;
        assert_eq!(app.get("/v1/images").by(&ada).send().await.json()["items"].as_array().unwrap().len(), 1);
        assert_eq!(app.get("/v1/requests").by(&ada).send().await.json()["items"], json!([]));

        // Staff see it, without a name, and what is known of where it came from.
        let staff = app.staff(Role::Support).await;
        let desk = app.get(&format!("/{TENANT}/desk/requests")).by(&staff).header("accept", "text/html").send().await;
        let desk = desk.text();
        assert!(desk.contains("Letters that wait for their writer") && desk.contains("DKIM unknown"), "{desk}");
        assert!(!desk.contains("ada@example.org"));

        let link = link(&app, "ada@example.org");
        let said = send(&app, &format!("/{TENANT}/letters/decline"), &[("token", &token_of(&link))]).await;
        assert!(said.text().contains("We did nothing"), "{}", said.text());
        assert_eq!(count(&app, "SELECT COUNT(*) FROM mail WHERE sealed IS NOT NULL").await, 0);
        assert_eq!(page(&app, &link).await.status, 404);
    }

    async fn what_nobody_confirms_is_gone_after_two_days(app: TestApp) {
        take(&app, letter("ada@example.org", "1", CANARY)).await;
        let token = token_of(&link(&app, "ada@example.org"));
        app.advance(TimeDelta::hours(48) - TimeDelta::seconds(1));
        app.settle().await;
        assert!(app.app.intake.opened(&app.tenant(), &token).await.is_ok());
        app.advance(TimeDelta::seconds(1));
        assert!(matches!(app.app.intake.opened(&app.tenant(), &token).await, Err(Error::BadLink)));
        app.settle().await;
        assert_eq!(count(&app, "SELECT COUNT(*) FROM mail").await, 0);
    }

    async fn a_letter_that_comes_twice_is_one(app: TestApp) {
        let raw = letter("ada@example.org", "1", "Please delete my account.");
        assert_eq!(take(&app, &raw).await, Outcome::Taken);
        for _ in 0..3 {
            assert_eq!(take(&app, &raw).await, Outcome::Again);
        }
        assert_eq!(app.mails().len(), 1);
        let waiting = app.app.intake.waiting(&app.tenant()).await.unwrap();
        assert_eq!((waiting.len(), waiting[0].again), (1, 3));
    }

    async fn a_hundred_letters_of_one_writer_are_answered_three_times(app: TestApp) {
        for n in 0..100 {
            let told = take(&app, letter("ada@example.org", &n.to_string(), "hello")).await;
            let expected = if n < AN_ADDRESS { Outcome::Taken } else { Outcome::Again };
            assert_eq!(told, expected, "{n}");
        }
        assert_eq!(app.mails().len(), 3);
        assert_eq!(take(&app, letter("bob@example.org", "b", "hello")).await, Outcome::Taken, "others are not held up");
        app.advance(TimeDelta::hours(24));
        assert_eq!(take(&app, letter("ada@example.org", "new", "hello")).await, Outcome::Taken);
    }

    async fn more_letters_than_a_day_has_are_put_off_and_not_lost(app: TestApp) {
        let row = "INSERT INTO mail (id, tenant, message_index, address_index, dkim, dmarc, spf, state, again, received_at, \
            expires_at) SELECT 'eml_' || n, 'flux-kontext', ";
        let as_bytes = if app.app.db.is_sqlite() { "CAST(n AS BLOB)" } else { "CAST(CAST(n AS TEXT) AS BYTEA)" };
        let (now, far) = (app.now().micros(), app.now().plus(TimeDelta::days(2)).micros());
        let rest = format!(
            "{as_bytes}, {as_bytes}, 'absent', 'none', 'none', 'waiting', 0, {now}, {far} FROM \
             (WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {A_DAY}) SELECT n FROM n) AS all_of_them"
        );
        crate::support::house::run_in(&app.app.db, &format!("{row}{rest}")).await;
        let raw = letter("ada@example.org", "1", "hello");
        let key = app.api_key(&[Scope::Mail]).await;
        assert_eq!(hand_over(&app, &key, "", raw.clone()).await.problem(429), "too-many");
        app.advance(TimeDelta::hours(24));
        assert_eq!(take(&app, raw).await, Outcome::Taken);
    }

    async fn a_letter_of_ours_that_does_not_go_is_asked_for_again(app: TestApp) {
        let nowhere = Settings::Smtp { host: "127.0.0.1".to_owned(), port: 1, login: None };
        let rooms = &app.app;
        let intake = Intake::new(Parts {
            db: rooms.db.clone(),
            keys: rooms.keys.clone(),
            vault: rooms.vault.clone(),
            subjects: rooms.subjects.clone(),
            requests: rooms.requests.clone(),
            ledger: rooms.ledger.clone(),
            post: Post::new(&nowhere, "privacy@localhost").unwrap(),
            verifier: vouchsafe::intake::Verifier::new(vouchsafe::intake::Dns::Off),
            house: vouchsafe::intake::House {
                public_url: "https://vouchsafe.test".to_owned(),
                from: "privacy@localhost".to_owned(),
                development: false,
            },
            clock: rooms.clock.clone(),
            entropy: rooms.entropy.clone(),
        });
        let raw = letter("ada@example.org", "1", "hello");
        let failed = intake.take(&app.tenant(), raw.as_bytes(), &vouchsafe::intake::Envelope::default()).await;
        assert_eq!(failed.unwrap_err().kind(), vouchsafe::base::Kind::Unavailable);
        assert_eq!(take(&app, &raw).await, Outcome::Taken, "the mail system hands it over again");
        assert_eq!(take(&app, &raw).await, Outcome::Again);
        let token = token_of(&link(&app, "ada@example.org"));
        assert!(app.app.intake.opened(&app.tenant(), &token).await.is_ok());
    }

    async fn what_cannot_be_filed_leaves_the_link_as_it_was(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        take(&app, letter("ada@example.org", "1", "My name is spelt wrongly.")).await;
        let link = link(&app, "ada@example.org");
        for (choice, text) in [("rectification", ""), ("objection:nothing-of-the-kind", ""), ("", ""), ("access:x", "")] {
            assert_eq!(confirm(&app, &link, choice, text).await.status, 422, "{choice}");
        }
        assert_eq!(confirm(&app, &link, "rectification", "It is Ada, not Adda.").await.status, 200);
        let requests = app.get("/v1/requests").by(&ada).send().await.json();
        assert_eq!(requests["items"][0]["right"], "rectification");
        // A link in a letter is no way in.
        assert_eq!(app.sign_in(&SignedIn::Subject(ada.owner.clone())).await.len(), 43);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM session").await, 2, "the two that were signed in by hand");
    }
}
