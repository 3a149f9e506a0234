//! What the pages never do, and what they do when something is wrong.

use chrono::TimeDelta;

use super::browser::{Browser, ROOT, mailed_path};
use super::with_pages;
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::photograph;

const FORM: &str = "application/x-www-form-urlencoded";

each_app! {
    async fn a_known_address_and_an_unknown_one_get_the_same_answer(app: TestApp) {
        let app = with_pages(app);
        app.person("ada@example.org").await;
        let mut said = Vec::new();
        for email in ["ada@example.org", "eve@example.org"] {
            let mut browser = Browser::default();
            let page = browser.go(&app, &format!("{ROOT}/sign-in")).await;
            let page = browser.send(&app, &page, "/sign-in", &[("email", email)]).await;
            said.push(page.html().replace(email, "…"));
        }
        assert_eq!(said[0], said[1]);
        assert!(app.mails().is_empty(), "nothing is written while somebody waits for the answer");
        app.work().await;
        assert_eq!(app.mails().len(), 1);
    }

    async fn signing_up_makes_nothing_while_somebody_waits(app: TestApp) {
        let app = with_pages(app);
        app.person("ada@example.org").await;
        let keys = async || {
            let keys = &app.app.subjects;
            keys.find(&app.tenant(), &"eve@example.org".parse().unwrap()).await.unwrap()
        };
        let mut said = Vec::new();
        for email in ["ada@example.org", "eve@example.org"] {
            let mut browser = Browser::default();
            let page = browser.go(&app, &format!("{ROOT}/sign-up")).await;
            let page = browser.send(&app, &page, "/sign-up", &[("email", email), ("name", "Ada")]).await;
            said.push(page.html().replace(email, "…"));
        }
        assert_eq!(said[0], said[1]);
        assert_eq!((keys().await, app.mails().len()), (None, 0), "no account, no keys, no letter yet");
        app.work().await;
        assert!(keys().await.is_some());
        let sent: Vec<(String, String)> =
            app.mails().into_iter().map(|sent| (sent.to, sent.letter.subject)).collect();
        assert_eq!(sent.len(), 2);
        assert!(sent.contains(&("ada@example.org".to_owned(), "Your link to sign in to Flux Kontext".to_owned())));
        assert!(sent.contains(&("eve@example.org".to_owned(), "Confirm your address for Flux Kontext".to_owned())));
    }

    async fn an_address_is_changed_by_two_pages_and_undone_by_a_third(app: TestApp) {
        let app = with_pages(app);
        let mut ada = Browser::default();
        ada.open_account(&app, "ada@example.org", &[]).await;
        app.person("bob@example.org").await;
        let details = format!("{ROOT}/privacy/details");
        let mut said = Vec::new();
        for email in ["bob@example.org", "new@example.org"] {
            let page = ada.go(&app, &details).await;
            let fields = [("name", "Ada"), ("username", "Ada"), ("email", email)];
            let page = ada.send(&app, &page, "/privacy/details", &fields).await;
            page.says("We wrote to the new address.");
            said.push((page.status, page.path.clone()));
        }
        assert_eq!(said[0], said[1], "whether it is taken is not told");
        app.settle().await;
        let path = |to: &str, what: &str| {
            let token = app.mailed_token(to, &format!("/address/{what}")).unwrap();
            format!("{ROOT}/address/{what}?token={token}")
        };
        let (confirm, undo) = (path("new@example.org", "confirm"), path("ada@example.org", "undo"));
        let mut scanner = Browser::default();
        for link in [&confirm, &undo] {
            scanner.go(&app, link).await.says("One more press");
        }
        let page = ada.go(&app, &confirm).await;
        let page = ada.send(&app, &page, "/address/confirm", &[]).await;
        assert_eq!(page.heading(), "Your address is changed");
        ada.go(&app, &details).await.says("new@example.org");
        assert_eq!(ada.go(&app, &confirm).await.status, 404, "once");
        let page = scanner.go(&app, &undo).await;
        let page = scanner.send(&app, &page, "/address/undo", &[]).await;
        assert_eq!(page.heading(), "Your account keeps its address");
        let page = ada.go(&app, &details).await;
        assert!(page.path.contains("/sign-in"), "{}", page.path);
    }

    async fn a_scanner_that_follows_a_link_signs_nobody_in(app: TestApp) {
        let app = with_pages(app);
        let mut ada = Browser::default();
        let page = ada.go(&app, &format!("{ROOT}/sign-up")).await;
        ada.send(&app, &page, "/sign-up", &[("email", "ada@example.org")]).await;
        app.work().await;
        let link = mailed_path(&app);
        let mut scanner = Browser::default();
        for _ in 0..3 {
            let page = scanner.go(&app, &link).await;
            page.says("Code from the same mail");
        }
        assert!(scanner.cookies().is_empty());
        // Another browser needs the code; without it the link stays good for the one that asked.
        let page = scanner.go(&app, &link).await;
        let page = scanner.send(&app, &page, "/sign-in/confirm", &[("code", "AAAAA-AAAAA")]).await;
        assert_eq!(page.status, 422);
        assert_eq!(ada.open_mailed_link(&app).await.heading(), "My pictures");
        let page = ada.go(&app, &link).await;
        assert_eq!(ada.send(&app, &page, "/sign-in/confirm", &[]).await.status, 422);
    }

    async fn a_link_that_was_never_made_is_given_no_time(app: TestApp) {
        let app = with_pages(app);
        let mut ada = Browser::default();
        let page = ada.go(&app, &format!("{ROOT}/sign-up")).await;
        ada.send(&app, &page, "/sign-up", &[("email", "ada@example.org")]).await;
        app.work().await;
        let link = mailed_path(&app);
        ada.go(&app, &link).await.says("The link works until");
        // As it is copied from a letter whose text was encoded.
        let broken = ada.go(&app, &link.replacen("token=", "token=3D", 1)).await;
        assert_eq!(broken.heading(), "One more press");
        assert!(!broken.html().contains("The link works until"), "{}", broken.html());
        assert_eq!(ada.open_mailed_link(&app).await.heading(), "My pictures");
        let used = ada.go(&app, &link).await;
        assert!(!used.html().contains("The link works until"), "{}", used.html());
    }

    async fn whoever_signs_up_is_told_of_a_link_and_not_whether_there_is_an_account(app: TestApp) {
        let app = with_pages(app);
        app.person("bob@example.org").await;
        let mut told = Vec::new();
        for email in ["ada@example.org", "bob@example.org"] {
            let mut anyone = Browser::default();
            let page = anyone.go(&app, &format!("{ROOT}/sign-up")).await;
            let page = anyone.send(&app, &page, "/sign-up", &[("email", email)]).await;
            page.says(&format!("A link is on its way to <strong class=\"break\">{email}</strong>"));
            told.push(page.html().replace(email, "…"));
            let page = anyone.go(&app, &format!("{ROOT}/sign-in")).await;
            anyone.send(&app, &page, "/sign-in", &[("email", email)]).await.says("belongs to an account here");
            app.settle().await;
        }
        assert_eq!(told[0], told[1]);
    }

    async fn a_form_of_a_strangers_page_does_nothing(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let path = format!("{ROOT}/privacy/consents/training");
        let body = "allow=yes&csrf=AAAA";
        let forged = app.post(&path).by(&ada).header("accept", "text/html").body(FORM, body).send().await;
        assert_eq!(forged.status, 403);
        assert!(forged.text().contains("That is not allowed"), "{}", forged.text());
        let cookie = format!("__Host-sid={}", ada.cookie);
        let elsewhere = app.post(&path).header("cookie", &cookie).header("sec-fetch-site", "cross-site");
        assert_eq!(elsewhere.body(FORM, body).send().await.status, 403);
        let choices = app.app.consents.choices(&ada.owner).await.unwrap();
        assert!(!choices.iter().any(|c| c.purpose == "training" && c.on));
    }

    async fn what_is_anothers_and_what_is_not_there_are_one_page(app: TestApp) {
        let app = with_pages(app);
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        let hers = app.upload(&ada, 3).await;
        let never = "obj_00000000000000000000000000000000";
        for end in ["", "/small", "/large", "/file", "/delete"] {
            let mut said = Vec::new();
            for object in [hers.as_str(), never] {
                let path = format!("{ROOT}/images/{object}{end}");
                let answer = app.get(&path).by(&eve).header("accept", "text/html").send().await;
                assert_eq!(answer.status, 404, "{path}");
                said.push(answer.text().replace(answer.header("x-reference"), "…"));
            }
            assert_eq!(said[0], said[1], "{end}");
            let path = format!("{ROOT}/images/{hers}{end}");
            assert_eq!(app.get(&path).by(&ada).send().await.status, 200, "{path}");
        }
    }

    async fn a_session_of_one_tenant_is_none_of_another(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let answer = app.get("/opusflair/images").by(&ada).send().await;
        assert_eq!(answer.status, 303);
        assert!(answer.header("location").starts_with("/opusflair/sign-in"));
    }

    async fn who_is_signed_in_at_one_tenant_can_come_in_at_the_other(app: TestApp) {
        let app = with_pages(app);
        let (mut ada, mut stranger) = (Browser::default(), Browser::default());
        ada.open_account(&app, "ada@example.org", &[]).await;
        for form in ["/opusflair/sign-in", "/opusflair/sign-up"] {
            let page = ada.go(&app, form).await;
            let page = ada.send(&app, &page, form, &[("email", "ada@example.org"), ("name", "Ada")]).await;
            assert_eq!((page.status, page.heading().as_str()), (200, "Check your mail"), "{form}");
        }
        let page = ada.open_mailed_link(&app).await;
        assert!(page.path.starts_with("/opusflair/") && page.status == 200, "{}", page.path);
        // What anybody's page carries does nothing in the name of whoever is signed in, nor the other way round.
        let anybodys = stranger.go(&app, "/opusflair/sign-in").await;
        let fields = [("email", "ada@example.org")];
        assert_eq!(ada.send(&app, &anybodys, "/opusflair/sign-in", &fields).await.status, 403);
        let hers = ada.go(&app, "/opusflair/sign-in").await;
        assert_eq!(stranger.send(&app, &hers, "/opusflair/sign-in", &fields).await.status, 403);
    }

    async fn a_picture_that_cannot_be_used_is_told_and_leaves_nothing(app: TestApp) {
        let app = with_pages(app);
        let mut ada = Browser::default();
        ada.open_account(&app, "ada@example.org", &[]).await;
        let whole = photograph(4);
        let cut = &whole[..whole.len() / 2];
        for (bytes, prompt, says) in [
            (&b""[..], "sepia", "Choose a photograph."),
            (b"GIF89a and no more", "sepia", "We take JPEG, PNG and WebP."),
            (cut, "sepia", "This JPEG"),
            (&whole, "", "Write what should change, or choose a style."),
        ] {
            let page = ada.go(&app, &format!("{ROOT}/edit")).await;
            let page = ada.send_photograph(&app, &page, bytes, &[("prompt", prompt)]).await;
            assert!((400..500).contains(&page.status), "{}", page.status);
            page.says(says);
            page.says("Something needs another look");
        }
        app.settle().await;
        assert!(app.blobs().await.is_empty());
    }

    async fn every_page_is_locked_down_and_an_error_is_one_too(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        for (path, status) in [
            ("/", 200),
            ("/assets/vouchsafe.css", 200),
            ("/ledger", 200),
            ("/ledger/0", 200),
            ("/nowhere/at/all", 404),
            ("/flux-kontext/policy", 200),
            ("/flux-kontext/policy/2026-11-01", 200),
            ("/flux-kontext/policy/2026-11-01/source", 200),
            ("/flux-kontext/policy/1999-01-01", 404),
            ("/flux-kontext/policy/promises.json", 200),
            ("/flux-kontext/ledger", 200),
            ("/flux-kontext/ledger/999999", 404),
            ("/flux-kontext/receipts/rct_00000000000000000000000000000000", 404),
            ("/flux-kontext/images", 200),
            ("/flux-kontext/edit", 200),
            ("/flux-kontext/privacy", 200),
            ("/flux-kontext/privacy/details", 200),
            ("/flux-kontext/privacy/readers", 200),
            ("/flux-kontext/privacy/ask/access", 200),
            ("/flux-kontext/privacy/ask/erasure", 303),
            ("/flux-kontext/privacy/ask/nonsense", 404),
            ("/flux-kontext/privacy/requests/PR-AAAAA-AAAAA", 404),
            ("/flux-kontext/notices", 200),
            ("/nobody/policy", 404),
        ] {
            let answer = app.get(path).by(&ada).header("accept", "text/html").send().await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
            assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
            assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
            assert!(answer.header("strict-transport-security").contains("max-age"), "{path}");
            if status == 404 {
                assert!(answer.text().contains(answer.header("x-reference")), "{path}");
            }
        }
    }

    async fn data_leave_only_after_a_fresh_proof_of_who_asks(app: TestApp) {
        let app = with_pages(app);
        let mut ada = Browser::default();
        ada.open_account(&app, "ada@example.org", &[]).await;
        app.advance(TimeDelta::hours(2));
        let page = ada.go(&app, &format!("{ROOT}/privacy/ask/access")).await;
        let page = ada.send(&app, &page, "/check", &[("choice", "all")]).await;
        page.says("It has been a while since you signed in.");
        let page = ada.send(&app, &page, "/ask/access", &[]).await;
        assert_eq!(page.heading(), "Check your mail");
        let page = ada.open_mailed_link(&app).await;
        assert_eq!(page.path, "/flux-kontext/privacy/ask/access?done=signed-in");
    }

    async fn what_was_ticked_counts_only_with_the_button(app: TestApp) {
        let app = with_pages(app);
        let mut ada = Browser::default();
        let page = ada.go(&app, &format!("{ROOT}/sign-up")).await;
        let fields = [("email", "ada@example.org"), ("consent", "training"), ("consent", "no-such-thing")];
        ada.send(&app, &page, "/sign-up", &fields).await;
        app.work().await;
        let email = "ada@example.org".parse().unwrap();
        let owner = app.app.subjects.find(&app.tenant(), &email).await.unwrap().unwrap();
        let on = |choices: Vec<vouchsafe::consent::Choice>| {
            choices.into_iter().filter(|c| c.needs_consent && c.on).map(|c| c.purpose).collect::<Vec<_>>()
        };
        assert!(on(app.app.consents.choices(&owner).await.unwrap()).is_empty());
        ada.open_mailed_link(&app).await;
        assert_eq!(on(app.app.consents.choices(&owner).await.unwrap()), ["training"]);
    }
}
