//! The public policy page and its JSON move with what the audit finds.

use chrono::TimeDelta;
use serde_json::Value;
use vouchsafe::jobs::{Jobs, Task};
use vouchsafe::web;

use super::browser::{Browser, ROOT};
use super::with_pages;
use crate::each_app;
use crate::support::{TestApp, render};

/// A rule of a board told as JSON.
fn rule<'a>(board: &'a Value, name: &str) -> &'a Value {
    let clauses = board["clauses"].as_array().unwrap().iter();
    clauses.flat_map(|c| c["rules"].as_array().unwrap()).find(|r| r["rule"] == name).unwrap()
}

/// The board as the page's JSON tells it, which the API tells alike.
async fn board(app: &TestApp) -> Value {
    let page = app.get(&format!("{ROOT}/policy/promises.json")).send().await.json();
    assert_eq!(page, app.get("/v1/promises/flux-kontext").send().await.json());
    page
}

/// The part of the policy page that is one clause.
async fn clause(app: &TestApp, id: &str) -> String {
    let page = Browser::default().go(app, &format!("{ROOT}/policy")).await.html();
    let (_, rest) = page.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no clause {id}"));
    rest.split("<section class=\"clause").next().unwrap().to_owned()
}

async fn audited(app: &TestApp) {
    let jobs = Jobs::new(app.app.clone());
    for task in [Task::Audit, Task::Ledger] {
        jobs.reconcile(task, &|| false).await.unwrap();
    }
}

each_app! {
    async fn nothing_is_green_before_it_was_checked(app: TestApp) {
        let app = with_pages(app);
        let told = board(&app).await;
        assert!(told["checked_at"].is_null() && told["tally"]["kept"] == 0, "{told}");
        assert_eq!(rule(&told, "retention.input-image")["state"], "waiting");
        let clause = clause(&app, "input-images").await;
        assert!(clause.contains("not checked yet") && !clause.contains("class=\"note kept\""), "{clause}");
        let page = Browser::default().go(&app, &format!("{ROOT}/policy")).await;
        page.says("Not checked yet. Nothing is claimed until it is.");
    }

    async fn a_picture_past_its_time_breaks_its_clause_and_the_sweep_mends_it(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        app.upload(&ada, 1).await;
        audited(&app).await;
        let told = board(&app).await;
        let kept = rule(&told, "retention.input-image");
        assert_eq!((&kept["state"], &kept["figure"]), (&"kept".into(), &"0 of 1 past their time".into()));
        assert!(clause(&app, "input-images").await.contains("0 of 1 past their time"));

        // Nobody sweeps for two days and an hour.
        app.advance(TimeDelta::hours(49));
        audited(&app).await;
        let told = board(&app).await;
        let broken = rule(&told, "retention.input-image");
        assert_eq!((&broken["state"], &broken["check"]), (&"broken".into(), &"retention-kept".into()));
        assert!(told["tally"]["broken"].as_u64().unwrap() >= 1);
        let margin = clause(&app, "input-images").await;
        assert!(margin.contains("Broken") && margin.contains("1 of 1 past their time, the latest by"), "{margin}");
        let proof = Browser::default().go(&app, broken["proof"].as_str().unwrap()).await;
        assert_eq!(proof.status, 200);
        proof.says("a check of one of its promises");
        proof.says("failed");

        app.settle().await;
        app.advance(TimeDelta::minutes(11));
        audited(&app).await;
        let told = board(&app).await;
        assert_eq!(rule(&told, "retention.input-image")["state"], "kept");
        assert!(!clause(&app, "input-images").await.contains("Broken"));
        assert_ne!(rule(&told, "retention.input-image")["proof"], broken["proof"], "another verdict, another entry");
        app.leave_the_queue();
    }

    async fn the_pages_are_looked_at_for_as_long_as_they_are_served(app: TestApp) {
        let app = with_pages(app);
        let served = web::let_the_audit_see(&app.edge, vouchsafe::http::routes(&app.edge));
        for probe in ["https-only", "no-tracking"] {
            let ran = app.app.audit.run(&app.tenant(), probe).await.unwrap();
            assert_eq!(ran.check.outcome.verdict.as_str(), "passed", "{}", ran.check.outcome.figure);
            assert!(ran.check.outcome.checked >= 5, "{}", ran.check.outcome.figure);
        }
        let told = board(&app).await;
        assert_eq!(rule(&told, "safeguard.no-tracking")["state"], "kept");
        drop(served);
        for probe in ["https-only", "no-tracking"] {
            let ran = app.app.audit.run(&app.tenant(), probe).await.unwrap();
            assert_eq!(ran.check.outcome.verdict.as_str(), "cannot-run");
        }
        let told = board(&app).await;
        assert_eq!(rule(&told, "safeguard.no-tracking")["state"], "waiting");
    }

    /// Also what the picture in the README shows, when somebody has the pages written: see `support::render`.
    async fn after_a_week_of_work_the_page_shows_a_figure_and_a_proof_beside_its_clauses(app: TestApp) {
        let app = with_pages(app);
        let served = web::let_the_audit_see(&app.edge, vouchsafe::http::routes(&app.edge));
        app.logs.see(b"INFO vouchsafe::jobs: reconciled task=\"retention\" changed=3\n");
        for n in 0..5 {
            let person = app.person(&format!("p{n}@example.org")).await;
            let image = app.upload(&person, n).await;
            app.edit(&person, &image).await;
            app.settle().await;
            if n == 0 {
                let asked = app.post("/v1/requests").by(&person).json(&serde_json::json!({ "right": "access" }));
                assert_eq!(asked.send().await.status, 201);
            }
            app.advance(TimeDelta::hours(31));
        }
        app.settle().await;
        app.advance(TimeDelta::minutes(2));
        audited(&app).await;
        let told = board(&app).await;
        assert_eq!((&told["tally"]["broken"], &told["tally"]["at-risk"]), (&0.into(), &0.into()), "{told}");
        let page = Browser::default().go(&app, &format!("{ROOT}/policy")).await;
        page.says("0 of 5 past their time");
        let json = app.get(&page.link("/policy/promises.json")).send().await.json();
        assert_eq!(json, told);
        for proof in page.links("/ledger/") {
            assert_eq!(Browser::default().go(&app, &proof).await.status, 200, "{proof}");
        }
        render::write(&[("policy", page.html())]);
        drop(served);
        app.leave_the_queue();
    }

    async fn letters_about_a_request_are_held_against_what_had_to_be_told(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        app.settle().await;
        let told = board(&app).await;
        let notice = rule(&told, "notice.request-step");
        assert_eq!(notice["state"], "waiting");
        assert_eq!(notice["figure"], "nothing to tell yet: nobody has asked for anything");

        // Whoever restricts everything still has to be told that it was done.
        for ask in [serde_json::json!({ "right": "restriction", "on": true }), serde_json::json!({ "right": "access" })] {
            let asked = app.post("/v1/requests").by(&ada).json(&ask).send().await;
            assert_eq!(asked.status, 201, "{}", asked.text());
            app.settle().await;
        }
        app.advance(TimeDelta::minutes(31));
        audited(&app).await;
        let told = board(&app).await;
        assert_eq!(rule(&told, "notice.request-step")["state"], "kept", "{}", rule(&told, "notice.request-step"));
        assert!(!app.mails().is_empty());
        app.leave_the_queue();
    }
}
