//! The pages say of a person's data what is so.

use super::with_pages;
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::Person;

/// A page as a person sees it.
async fn page(app: &TestApp, person: &Person, path: &str) -> String {
    let answer =
        app.get(&format!("/flux-kontext{path}")).by(person).header("accept", "text/html").send().await;
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
        let html = page(&app, &ada, "/privacy").await;
        let nothing = html.split_once("We hold nothing of yours under them:").map_or("", |(_, rest)| rest);
        let nothing = nothing.split("</p>").next().unwrap_or_default();
        for held in ["credits", "consents", "privacy requests", "edit history"] {
            assert!(!nothing.contains(held), "{held}: {nothing}");
        }
        assert!(nothing.contains("preferences"), "{nothing}");
        app.leave_the_queue();
    }
}
