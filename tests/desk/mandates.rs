//! Who acts for whom: seen by those who look after requests, ended by compliance, told to the person.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::base::MandateId;
use vouchsafe::intake::{Proposal, Wanted};
use vouchsafe::policy::{Right, Role};
use vouchsafe::requests::Ask;
use vouchsafe::speech::Tongue;
use vouchsafe::subjects::Scope;

use super::{done, form_token, open, send, send_with, shown, with_desk};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{OTHER_TENANT, Person};
use crate::support::call::Sender;

/// What an agent calls itself; the desk must not show it.
const AGENT: &str = "Canary and Friends";

/// A mandate that holds.
pub(super) struct Given {
    pub(super) id: MandateId,
    person: Person,
    key: Sender,
}

/// Asks for a mandate, with a key or by the page, and gives its id.
async fn proposed(app: &TestApp, email: &str, key: Option<&str>) -> MandateId {
    let proposal = Proposal {
        person: email.parse().unwrap(),
        agent: AGENT.to_owned(),
        contact: "cases@agent.example".parse().unwrap(),
        rights: vec![Right::Access, Right::Rectification],
        until: app.now().plus(TimeDelta::days(200)),
        tells: true,
        wanted: Wanted { ask: Ask::Access, words: "for our member".to_owned() },
    };
    app.app.intake.propose(&app.tenant(), key, proposal).await.unwrap().id
}

/// The person says yes, by the link in the letter.
async fn confirmed(app: &TestApp, email: &str) {
    app.settle().await;
    let token = app.mailed_token(email, "/mandates/confirm").expect("a letter");
    app.app.intake.mandate_confirmed(&app.tenant(), &token, true).await.unwrap();
    app.settle().await;
}

/// Somebody who gave a mandate to an agent with a key.
pub(super) async fn given(app: &TestApp, email: &str) -> Given {
    let person = app.person(email).await;
    let key = app
        .app
        .subjects
        .mint_api_key(&app.tenant(), "Permission Slip", &[Scope::Agents], None)
        .await
        .unwrap();
    let id = proposed(app, email, Some(&key.key.id)).await;
    confirmed(app, email).await;
    Given { id, person, key: Sender::bearer(key.text.expose()) }
}

each_app! {
    async fn staff_see_who_acts_for_whom_and_nothing_that_the_agent_wrote(app: TestApp) {
        let app = with_desk(app);
        let (support, staff) = (app.staff(Role::Support).await, app.staff(Role::Compliance).await);
        let none = shown(&open(&app, &support, "/mandates").await);
        assert!(none.contains("Nobody acts for anybody.") && none.contains("None is entered."), "{none}");
        let ada = given(&app, "ada@example.org").await;
        app.person("bob@example.org").await;
        let by_page = proposed(&app, "bob@example.org", None).await;
        let waiting = shown(&open(&app, &support, "/mandates").await);
        assert!(!waiting.contains(&by_page.to_string()), "what nobody has agreed to is no mandate");
        confirmed(&app, "bob@example.org").await;
        for by in [&support, &staff] {
            let html = shown(&open(&app, by, "/mandates").await);
            for part in [
                &ada.person.owner.subject.to_string(), &ada.id.to_string(), &by_page.to_string(), "access, rectification",
                "the key “Permission Slip”", "the form for agents", "22 November 2026", "10 June 2027",
            ] {
                assert!(html.contains(part), "{part}: {html}");
            }
            for theirs in [AGENT, "agent.example", "ada@example.org", "for our member"] {
                assert!(!html.contains(theirs), "{theirs} is the person's: {html}");
            }
        }
        assert!(shown(&open(&app, &staff, "/mandates").await).contains("End it"));
        assert!(!shown(&open(&app, &support, "/mandates").await).contains("End it"));

        let agent = ("slip", "Permission Slip, the app");
        let key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        app.app.drp.add_agent(&app.tenant(), agent, key, "https://slip.example").await.unwrap();
        let html = shown(&open(&app, &support, "/mandates").await);
        assert!(html.contains("Permission Slip, the app") && html.contains("https://slip.example"), "{html}");
        // It ends by itself on its day.
        app.advance(TimeDelta::days(201));
        let (support, list) = (app.staff(Role::Admin).await, app.app.intake.mandates_of_tenant(&app.tenant()).await.unwrap());
        assert!(list.iter().all(|m| !m.holds && m.ended_at.is_some()), "{list:?}");
        assert_eq!(open(&app, &support, "/mandates").await.status, 403);
        app.leave_the_queue();
    }

    async fn compliance_ends_a_mandate_with_a_reason_that_the_person_is_told(app: TestApp) {
        let app = with_desk(app);
        let (support, staff) = (app.staff(Role::Support).await, app.staff(Role::Compliance).await);
        let other = app.staff_of(OTHER_TENANT, Role::Compliance).await;
        let Given { id, person: ada, key } = given(&app, "ada@example.org").await;
        app.app.subjects.reads_in(&ada.owner, Tongue::German).await.unwrap();
        let (letters, path) = (app.mails().len(), format!("/mandates/{id}/end"));
        let why = [("why", "The agent <told us> that it has closed.")];
        assert_eq!(send(&app, &support, &path, &why).await.status, 403);
        for (by, at) in [(&other, path.as_str()), (&staff, "/mandates/mnd_01920000000070008000000000000000/end"), (&staff, "/mandates/x/end")] {
            let token = form_token(&shown(&open(&app, &staff, "").await));
            let answer = send_with(&app, by, at, &why, &token).await;
            assert_eq!(answer.status, 404, "{at}: {}", answer.text());
        }
        for bad in [" ".to_owned(), "x".repeat(501)] {
            let html = shown(&send(&app, &staff, &path, &[("why", &bad)]).await);
            assert!(html.contains("Say why, in at most 500 characters") && html.contains(&format!("href=\"#why-{id}\"")), "{html}");
        }
        let stands = async || app.get(&format!("/v1/mandates/{id}")).by(&key).send().await.json()["state"].clone();
        assert_eq!((stands().await, app.mails().len()), (json!("confirmed"), letters), "nothing was changed yet");

        done(&send(&app, &staff, &path, &why).await);
        assert_eq!(stands().await, "ended");
        let more = json!({ "right": "access" });
        let more = app.post(&format!("/v1/mandates/{id}/requests")).by(&key).json(&more).send().await;
        assert_eq!(more.problem(409), "conflict");
        assert_eq!(send(&app, &staff, &path, &why).await.status, 409, "once");
        let html = shown(&open(&app, &staff, "/mandates").await);
        assert!(html.contains("Ended within thirty days") && html.contains("Nobody acts for anybody."), "{html}");
        let own = app.get("/v1/account/mandates").by(&ada).send().await.json();
        assert_eq!((&own["items"][0]["holds"], own["items"][0]["ended_at"].is_string()), (&json!(false), true));

        let mails = app.mails();
        let [mail] = &mails[letters..] else { panic!("{} letters", mails.len() - letters) };
        assert_eq!(mail.to, "ada@example.org");
        assert!(mail.letter.text.contains(AGENT) && mail.letter.text.contains("Warum: The agent <told us>"), "{}", mail.letter.text);
        assert!(mail.letter.html.contains("&lt;told us&gt;") || mail.letter.html.contains("&#60;told us&#62;"));
        let entries = app.ledger_entries().await;
        let ended: Vec<_> = entries.iter().filter(|e| e.leaf.kind.as_str() == "mandate.ended").collect();
        let [entry] = ended.as_slice() else { panic!("{} entries", ended.len()) };
        assert_eq!(entry.leaf.actor, "compliance");
        assert_eq!(entry.leaf.facts["staff"].to_string(), staff.member.id.to_string());
        assert!(entry.leaf.subject.is_some(), "the person sees in their own list who it was");
        assert!(entries.iter().all(|e| !String::from_utf8_lossy(&e.bytes).contains("told us")), "the reason is sealed");
        app.leave_the_queue();
    }
}
