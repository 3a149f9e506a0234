//! The pages say of a person's data what is so.

use vouchsafe::policy::Role;

use super::browser::{Browser, ROOT};
use super::with_pages;
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Person, photograph};

/// A page as a person sees it.
async fn page(app: &TestApp, person: &Person, path: &str) -> String {
    let answer = app.get(path).by(person).header("accept", "text/html").send().await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.text()
}

each_app! {
    async fn what_lies_beside_the_vault_is_held_too_and_counts_once(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        for seed in [1, 2] {
            let image = app.upload(&ada, seed).await;
            app.edit(&ada, &image).await;
        }
        app.settle().await;
        app.app.consents.set(&ada.owner, "analytics", true, "a test's").await.unwrap();
        app.question(&ada).await;
        let held = app.app.requests.holdings(&ada.owner).await.unwrap();
        let count = |category: &str| held.iter().find(|h| h.category == category).map_or(0, |h| h.records);
        assert_eq!(count("credits"), 3, "granted, and spent for each edit");
        assert_eq!(count("edit-history"), 2);
        assert_eq!((count("consent-record"), count("rights-request")), (1, 1));
        let html = page(&app, &ada, "/flux-kontext/privacy").await;
        let nothing = html.split_once("We hold nothing of yours under them:").map_or("", |(_, rest)| rest);
        let nothing = nothing.split("</p>").next().unwrap_or_default();
        for held in ["credits", "consents", "privacy requests", "edit history"] {
            assert!(!nothing.contains(held), "{held}: {nothing}");
        }
        assert!(nothing.contains("preferences"), "{nothing}");
        app.leave_the_queue();
    }

    async fn the_ledger_says_which_check_and_how_it_ended(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        app.staff(Role::Support).await;
        app.app.audit.run(&app.tenant(), "ledger-consistent").await.unwrap();
        app.app.ledger.sequence().await.unwrap();
        for path in ["/flux-kontext/ledger", "/ledger"] {
            let html = page(&app, &ada, path).await;
            assert!(html.contains("A check found one of its promises kept."), "{path}: {html}");
            assert!(html.contains("<code>ledger-consistent</code>"), "{path}: {html}");
            assert!(html.contains("It took somebody on as staff.") && !html.contains("The event "), "{path}: {html}");
            assert!(html.contains("<code>version 2026-11-01</code>"), "{path}: {html}");
            assert!(html.contains("Whole and unaltered"), "{path}: {html}");
        }
    }

    async fn who_read_what_claims_no_more_than_is_written_down(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        app.edit(&ada, &image).await;
        app.settle().await;
        page(&app, &ada, "/flux-kontext/images").await;
        let html = page(&app, &ada, "/flux-kontext/privacy/readers").await;
        assert!(html.contains("for you in this house is not written down"), "{html}");
        assert!(html.contains("Sent to others, for you") && html.contains("Nothing in the last 30 days."), "{html}");
        assert!(!app.ledger_kinds().await.iter().any(|kind| kind.starts_with("read.")), "as the page says");
    }

    async fn an_answer_is_among_the_notices(app: TestApp) {
        let app = with_pages(app);
        let mut ada = Browser::default();
        ada.open_account(&app, "ada@example.org", &[]).await;
        ada.go(&app, &format!("{ROOT}/notices")).await.says("Nothing yet.");
        let page = ada.go(&app, &format!("{ROOT}/privacy/details")).await;
        let fields = [("name", "Countess"), ("username", "ada"), ("email", "ada@example.org")];
        ada.send(&app, &page, "/privacy/details", &fields).await.says("Your details are corrected.");
        let page = ada.go(&app, &format!("{ROOT}/notices")).await;
        page.says("is answered");
        page.says("Correct my details");
        ada.go(&app, &page.link("/privacy/requests/PR-")).await.says("Correct my details");
    }

    async fn who_signs_out_leaves_no_cookie_behind(app: TestApp) {
        let app = with_pages(app);
        let mut ada = Browser::default();
        let page = ada.open_account(&app, "ada@example.org", &[]).await;
        let page = ada.send(&app, &page, "/sign-out", &[]).await;
        page.says("Nothing in this browser remembers you.");
        assert!(ada.cookies().is_empty(), "{:?}", ada.cookies());
    }

    async fn every_mistake_of_an_agent_is_told_at_once(app: TestApp) {
        let app = with_pages(app);
        let mut agent = Browser::default();
        let page = agent.go(&app, &format!("{ROOT}/agents")).await;
        let page = agent.send(&app, &page, "/agents", &[]).await;
        assert_eq!(page.status, 422);
        for says in [
            "Say who you are.",
            "Enter an address like name@example.org.",
            "Choose what your mandate is for.",
            "Enter a day like 2027-06-30.",
            "Choose one of these.",
        ] {
            page.says(says);
        }
    }

    async fn a_question_ends_with_one_mark(app: TestApp) {
        let app = with_pages(app);
        let mut ada = Browser::default();
        ada.open_account(&app, "ada@example.org", &[]).await;
        let whole = photograph(4);
        let page = ada.go(&app, &format!("{ROOT}/edit")).await;
        page.says("No photograph is used to train anything.");
        let page = ada.send_photograph(&app, &page, &whole[..whole.len() / 2], &[("prompt", "sepia")]).await;
        page.says("Was the upload complete?");
        assert!(!page.html().contains("complete?."), "{}", page.html());
    }
}
