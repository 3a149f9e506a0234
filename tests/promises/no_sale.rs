//! Nothing is sold: whoever received anything is named in the document and stands in the register, and there is no way
//! around either.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::base::{Secret, Timestamp};
use vouchsafe::disclosure::{Ground, Sending};
use vouchsafe::policy::Role;
use vouchsafe::requests::Handing;
use vouchsafe::vault::Actor;

use super::{TENANTS, broken, document, edited, entries, fact, filed, found, kept, taken_home, with_pages};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Person, TENANT};
use crate::support::house::run_in;

#[test]
fn every_recipient_works_for_us_under_a_contract_and_none_pays() {
    for tenant in TENANTS {
        let policy = document(tenant);
        for processor in policy.processors().filter(|p| p.is_recipient()) {
            assert_eq!(processor.role.as_str(), "processor", "{tenant}: {}", processor.id);
            assert!(
                !processor.hosts.is_empty() && !processor.deletion_proof.is_empty(),
                "{tenant}: {}",
                processor.id
            );
        }
        assert!(policy.attestations().any(|a| a.id == "agreements"), "{tenant}");
        let selling = policy.clauses().iter().any(|c| c.text.contains("do not sell"));
        assert!(selling, "{tenant} says so");
    }
}

#[test]
fn no_operation_of_the_api_gives_data_to_anybody_else() {
    let document = serde_json::to_value(vouchsafe::http::openapi()).unwrap();
    for path in document["paths"].as_object().unwrap().keys() {
        for word in ["disclos", "share", "sell", "recipient", "processor", "partner", "forward"] {
            assert!(!path.contains(word), "{path}");
        }
    }
}

each_app! {
    async fn an_edit_in_the_house_discloses_nothing_and_a_disclosure_is_told_to_its_owner(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        edited(&app, &ada, 1).await;
        assert!(app.app.disclosures.of(&ada.owner).await.unwrap().is_empty(), "the studio is the house itself");
        let sending = Sending {
            processor: "fal-ai", purpose: "provide-edits", categories: &["input-image", "prompt"], edit: None, bytes: 1000,
        };
        let mut tx = app.app.db.begin().await.unwrap();
        app.app.disclosures.record(&mut tx, &ada.owner, &sending).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let made = entries(&app, "disclosure.made").await;
        assert_eq!((made.len(), fact(&made[0], "recipient")), (1, "fal-ai".to_owned()));
        kept(&app, TENANT, "no-disclosure-unrecorded").await;
        kept(&app, TENANT, "egress-named-only").await;
        let home = taken_home(&app, &ada).await;
        let answer = String::from_utf8_lossy(&home["answer.json"]).into_owned();
        assert!(answer.contains("FAL.AI"), "{answer}");
        let compliance = app.staff(Role::Compliance).await;
        let page = app.get("/flux-kontext/desk/processors").by(&compliance).header("accept", "text/html").send().await;
        assert!(page.text().contains("FAL.AI") && page.text().contains("Stripe"), "{}", page.text());
    }

    async fn what_left_past_the_register_or_to_a_stranger_is_found(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let smuggle = |id: &str, processor: &str| {
            format!(
                "INSERT INTO disclosure (id, tenant, subject, processor, purpose, categories, bytes_out, sent_at) VALUES \
                 ('{id}', '{TENANT}', '{}', '{processor}', 'provide-edits', 'prompt', 1, {})",
                ada.owner.subject,
                app.now().micros()
            )
        };
        run_in(&app.app.db, &smuggle("one", "fal-ai")).await;
        broken(&app, TENANT, "no-disclosure-unrecorded").await;
        run_in(&app.app.db, &smuggle("two", "data-broker")).await;
        broken(&app, TENANT, "egress-named-only").await;
        let answer = app.post("/v1/edits").by(&ada).json(&json!({ "inputs": [], "prompt": "x", "share": true })).send().await;
        assert_eq!(answer.problem(422), "invalid");
    }

    async fn what_an_authority_got_is_told_to_its_owner_and_goes_with_them(app: TestApp) {
        let app = with_pages(app);
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        let by = Actor::Staff(app.staff(Role::Compliance).await.member.id, Role::Compliance);
        let hand = async |silent_until| {
            let handing = handing("canary: the court of Springfield", app.now(), silent_until);
            app.app.requests.hand_over(&ada.owner, &by, &handing).await.unwrap();
        };
        let told = async |person: &Person| {
            let page = app.get("/flux-kontext/privacy/readers").by(person).header("accept", "text/html").send().await;
            let home = taken_home(&app, person).await;
            let everything: Vec<u8> = home.into_values().flatten().collect();
            (page.text().contains("canary"), String::from_utf8_lossy(&everything).contains("canary"))
        };
        // An order forbids telling her for ten days: nothing that she can see or take home says so, nor does the ledger,
        // which is public and whose word for her she knows.
        hand(Some(app.now().plus(TimeDelta::days(10)))).await;
        assert_eq!(told(&ada).await, (false, false));
        let me = app.app.vault.subject_ref(&ada.owner).await.unwrap();
        assert!(app.ledger_entries().await.iter().all(|e| e.leaf.kind.as_str() != "disclosure.handed-over" || e.leaf.subject.as_ref() != Some(&me)));
        hand(None).await;
        assert_eq!(told(&ada).await, (true, true));
        assert_eq!(told(&eve).await, (false, false));
        assert_eq!(app.app.requests.handed(&ada.owner, app.now()).await.unwrap().len(), 1);
        app.advance(TimeDelta::days(10));
        assert_eq!(app.app.requests.handed(&ada.owner, app.now()).await.unwrap().len(), 2, "the order is over");
        kept(&app, TENANT, "no-disclosure-unrecorded").await;
        assert!(found(&app, &["canary: the court of Springfield"]).await.is_empty(), "it is sealed");

        // The row is the house's account of what it did; whose it was goes with the person.
        app.advance(TimeDelta::minutes(1));
        filed(&app, &ada, json!({ "right": "erasure", "at_once": true })).await;
        let rows = app.app.disclosures.handovers(&app.tenant(), 10).await.unwrap();
        assert_eq!((rows.len(), app.app.disclosures.handovers_of(&ada.owner).await.unwrap().len()), (2, 0));
        kept(&app, TENANT, "no-disclosure-unrecorded").await;
    }

    async fn what_was_handed_over_past_the_ledger_is_found(app: TestApp) {
        let smuggled = format!(
            "INSERT INTO handover (id, tenant, ground, categories, staff, handed_at, entered_at, words, entry) VALUES \
             ('one', '{TENANT}', 'authority', 'prompt', 'nobody', {now}, {now}, 'none', 'none')",
            now = app.now().micros()
        );
        kept(&app, TENANT, "no-disclosure-unrecorded").await;
        run_in(&app.app.db, &smuggled).await;
        broken(&app, TENANT, "no-disclosure-unrecorded").await;
    }
}

fn handing(to: &str, handed_at: Timestamp, silent_until: Option<Timestamp>) -> Handing {
    let words = |text: &str| Secret::new(text.to_owned());
    Handing {
        ground: Ground::Authority,
        categories: vec!["prompt".to_owned(), "account".to_owned()],
        to: words(to),
        law: words("file 12 O 44/26"),
        what: words("the address, after counsel had read the order"),
        handed_at,
        silent_until,
    }
}
