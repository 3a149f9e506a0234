//! What agents are answered: of a request only what its person said yes to, and at once where nothing can be done.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::drp::{Agent, confirm, text, with_pages};
use crate::each_app;
use crate::support::app::{OTHER_TENANT, TENANT};
use crate::support::{Backend, TestApp};

each_app! {
    async fn what_the_person_asks_for_themself_afterwards_the_agent_does_not_learn_of(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let agent = Agent::paired(&app, "slip", 1).await;
        let told = agent.ask(&app, &agent.wish(&app, "deletion", "ada@example.org")).await.json();
        let id = text(&told, "request_id");
        app.settle().await;
        let asked = app.post("/v1/requests").by(&ada).json(&json!({ "right": "erasure" })).send().await;
        assert_eq!(asked.json()["state"], "grace", "{}", asked.text());
        app.settle().await;
        assert_eq!(agent.status(&app, &id).await.json(), told, "she said nothing to the agent");
        confirm(&app, &ada, &told, "yes", "").await;
        let known = agent.status(&app, &id).await.json();
        assert_eq!((&known["status"], &known["reason"]), (&json!("in_progress"), &Value::Null), "{known}");
    }

    async fn a_yes_on_the_page_of_the_request_is_a_yes_to_its_agent(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let agent = Agent::paired(&app, "slip", 1).await;
        let told = agent.ask(&app, &agent.wish(&app, "deletion", "ada@example.org")).await.json();
        app.settle().await;
        let all = app.app.requests.list(&ada.owner, None, vouchsafe::base::PageSize::default()).await.unwrap();
        let path = format!("/flux-kontext/privacy/requests/{}", all.items[0].reference);
        let html = app.get(&path).by(&ada).header("accept", "text/html").send().await.text();
        let token = html.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
        let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("csrf", &token).finish();
        let call = app.post(&format!("{path}/confirm")).by(&ada).header("accept", "text/html");
        let done = call.body("application/x-www-form-urlencoded", form).send().await;
        assert_eq!(done.status, 303, "{}", done.text());
        let known = agent.status(&app, &text(&told, "request_id")).await.json();
        assert_eq!((&known["status"], &known["reason"]), (&json!("in_progress"), &Value::Null), "{known}");
    }

    async fn what_cannot_be_filed_keeps_nobody_elses_from_being_filed(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let agent = Agent::paired(&app, "slip", 1).await;
        let db = &app.app.db;
        for n in 0..201 {
            // In the name of somebody who is nowhere any more.
            let row = format!(
                "INSERT INTO drp_request (id, tenant, agent, exercise, subject, received_at, expires_at, told, tries) VALUES \
                ('0-{n:03}', '{OTHER_TENANT}', 'slip', 'deletion', 'sub_019aab12c00070008000000000000001', 0, {}, '', 0)",
                app.now().plus(TimeDelta::days(30)).micros(),
            );
            crate::support::house::run_in(db, &row).await;
        }
        agent.ask(&app, &agent.wish(&app, "deletion", "ada@example.org")).await;
        app.settle().await;
        let all = app.app.requests.list(&ada.owner, None, vouchsafe::base::PageSize::default()).await.unwrap();
        assert_eq!(all.items.len(), 1);
    }
}

/// The document of the first tenant without its rule for erasures.
fn without_erasure() -> vouchsafe::policy::Policy {
    let all = crate::support::app::documents();
    let source = all.iter().find(|p| p.tenant().as_str() == TENANT).unwrap().source().to_owned();
    let (before, rest) = source.split_once("[right.erasure]").unwrap();
    let (_, after) = rest.split_once("[right.restriction]").unwrap();
    let text = format!("{before}[right.restriction]{after}");
    vouchsafe::policy::Policy::compile(&text.replace("right.erasure", "right.access")).unwrap()
}

async fn is_told_at_once(backend: Backend) {
    let Some(app) = TestApp::open_under(backend, |_| {}, vec![without_erasure()]).await else { return };
    app.person("ada@example.org").await;
    let agent = Agent::paired(&app, "slip", 1).await;
    for email in ["ada@example.org", "nobody@example.org"] {
        let told = agent.ask(&app, &agent.wish(&app, "deletion", email)).await.json();
        assert_eq!(
            (&told["status"], &told["reason"]),
            (&json!("denied"), &json!("claim_not_covered")),
            "{told}"
        );
        assert_eq!(told["processing_details"], "The privacy policy does not name this right.");
    }
    let told = agent.ask(&app, &agent.wish(&app, "access", "ada@example.org")).await.json();
    assert_eq!(told["reason"], "need_user_verification");
    app.leave_the_queue();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_right_that_the_document_does_not_name_is_denied_at_once() {
    is_told_at_once(Backend::Sqlite).await;
    is_told_at_once(Backend::Postgres).await;
}
