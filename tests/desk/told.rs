//! What a request's page says, to the desk and to its person: no more than is known, and no word of the house's own.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::base::Secret;
use vouchsafe::policy::Role;
use vouchsafe::requests::{RefusalReason, RefusalText};
use vouchsafe::subjects::Scope;
use vouchsafe::vault::Actor;

use super::{BROWSER, open, shown};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::Person;
use crate::support::house::run_in;

/// The service with every page beside the API.
fn with_pages(app: TestApp) -> TestApp {
    let router = vouchsafe::http::routes(&app.edge).merge(vouchsafe::web::router(app.edge.clone()));
    app.with_router(router)
}

/// A page of a person's own, as their browser that reads German gets it.
async fn in_german(app: &TestApp, person: &Person, path: &str) -> String {
    let call = app.get(path).by(person).header(BROWSER.0, BROWSER.1).header("accept-language", "de");
    shown(&call.send().await)
}

each_app! {
    async fn the_desk_does_not_call_proved_what_an_app_alone_asked_for(app: TestApp) {
        let app = with_pages(app);
        let (staff, ada) = (app.staff(Role::Compliance).await, app.person("ada@example.org").await);
        let key = app.api_key(&[Scope::Rights]).await.on_behalf_of(ada.owner.subject);
        let filed = app.post("/v1/requests").by(&key).json(&json!({ "right": "erasure" })).send().await.json();
        assert_eq!(filed["state"], "identity-pending", "{filed}");
        let page = format!("/requests/{}", filed["reference"].as_str().unwrap());
        let html = shown(&open(&app, &staff, &page).await);
        assert!(html.contains("Not proved yet") && !html.contains("signed in when it was filed"), "{html}");
        let asked = app.post("/v1/requests").by(&ada).json(&json!({ "right": "access" })).send().await.json();
        let page = format!("/requests/{}", asked["reference"].as_str().unwrap());
        let html = shown(&open(&app, &staff, &page).await);
        assert!(html.contains("signed in when it was filed") && !html.contains("Not proved yet"), "{html}");
        app.leave_the_queue();
    }

    async fn the_page_of_an_erasure_finds_it_however_many_came_after(app: TestApp) {
        let app = with_pages(app);
        let (staff, ada) = (app.staff(Role::Compliance).await, app.person("ada@example.org").await);
        let wish = json!({ "right": "erasure", "at_once": true });
        let filed = app.post("/v1/requests").by(&ada).json(&wish).send().await.json();
        for _ in 0..2 {
            app.settle().await;
            app.advance(TimeDelta::minutes(1));
        }
        let rows: Vec<String> = (0..1001)
            .map(|n| format!("('z-{n:04}', 'flux-kontext', 'service', 'closed', '', 0, 0, 0, 0)"))
            .collect();
        let columns = "id, tenant, actor, state, manifest, images, records, started_at, tries";
        run_in(&app.app.db, &format!("INSERT INTO erasure ({columns}) VALUES {}", rows.join(", "))).await;
        let page = app.get(&format!("/flux-kontext/erased/{}", filed["id"].as_str().unwrap()));
        let html = shown(&page.header(BROWSER.0, BROWSER.1).send().await);
        assert!(html.contains("Where we looked afterwards"), "{html}");
        let html = shown(&open(&app, &staff, &format!("/requests/{}", filed["reference"].as_str().unwrap())).await);
        assert!(html.contains("Second look"), "{html}");
    }

    async fn a_person_is_told_neither_notes_of_staff_nor_a_refusal_that_is_only_proposed(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        let id = app.question(&ada).await;
        let by = Actor::Staff(app.staff(Role::Compliance).await.member.id, Role::Compliance);
        let text = RefusalText {
            reason: RefusalReason::Accurate,
            law: "Art. 16 GDPR".to_owned(),
            words: Secret::new("The passport shows it so.".to_owned()),
        };
        app.app.requests.propose_refusal(&app.tenant(), id, &by, &text).await.unwrap();
        let note = "INSERT INTO request_event (id, tenant, request, seq, at, role, kind, note) \
            VALUES ('z', 'flux-kontext', '{id}', 99, 0, 'service', 'problem', 'Stripe: something it needs cannot be reached')";
        run_in(&app.app.db, &note.replace("{id}", &id.to_string())).await;
        let reference = app.app.requests.find(&app.tenant(), id).await.unwrap().reference;
        let html = in_german(&app, &ada, &format!("/flux-kontext/privacy/requests/{reference}")).await;
        assert!(html.contains("Stripe: etwas, das dafür nötig ist, ist nicht erreichbar"), "{html}");
        for words in ["refusal", "noted", "cannot be reached", "passport"] {
            assert!(!html.contains(words), "{words}: {html}");
        }
    }
}
