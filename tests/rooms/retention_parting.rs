//! Erasing somebody of whom a law keeps a part.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::base::{Secret, StaffId, SubjectId, Timestamp};
use vouchsafe::policy::{Channel, Role};
use vouchsafe::requests::{Ask, ErasureState, Filing, State};
use vouchsafe::vault::{Access, Actor, Error, Owner};

use super::retention::{invoice, sweep};
use crate::each_house;
use crate::support::house::{House, count_in, run_in, tenant};

fn erase(owner: &Owner) -> Filing {
    Filing {
        ask: Ask::Erasure { at_once: true },
        channel: Channel::Page,
        by: Actor::Subject(owner.subject),
        proved: true,
        words: Some(Secret::new("please".to_owned())),
    }
}

async fn customer(house: &House, name: &str) -> Owner {
    let owner = house.person(name).await;
    house.app.invoices.add(&owner, invoice(1, "2026-11-22")).await.unwrap();
    house.app.invoices.add(&owner, invoice(2, "2014-02-03")).await.unwrap();
    house.prompt(&owner, "a hat").await;
    house.object(&owner, b"a picture").await;
    owner
}

async fn holder(house: &House) -> Owner {
    let id = {
        let mut tx = house.app.db.read().await.unwrap();
        let (id,): (String,) =
            vouchsafe::on!(tx, |c| sqlx::query_as("SELECT id FROM holder").fetch_one(c).await).unwrap();
        id
    };
    Owner::new(&tenant(), id.parse::<SubjectId>().unwrap())
}

each_house! {
    async fn an_erasure_leaves_what_the_law_asks_for_and_says_so(house: House) {
        let ada = customer(&house, "ada").await;
        let told = house.app.vault.kept(&ada).await.unwrap();
        assert_eq!((told.len(), told[0].records), (1, 1), "the invoice of 2014 has no reason to stay: {told:?}");
        let done = house.app.requests.file(&ada, erase(&ada)).await.unwrap().request;
        let done = house.app.requests.find(&tenant(), done.id).await.unwrap();
        assert_eq!((done.state, done.outcome.as_deref()), (State::Closed, Some("partly-fulfilled")));
        let erasure = house.app.requests.erasures(&tenant(), 1).await.unwrap().remove(0);
        assert_eq!((erasure.state, erasure.subject, erasure.holder), (ErasureState::Closed, None, None));
        let stays = erasure.stays.clone().unwrap();
        let end = Timestamp::parse_rfc3339("2036-12-31T23:59:59Z").unwrap();
        assert_eq!((stays.records, stays.until), (1, end));
        assert!(stays.law.contains("282/2011") && stays.what.contains("invoices"), "{stays:?}");
        assert!(erasure.looked_through().iter().all(|(_, n)| *n == 0), "{:?}", erasure.findings);
        assert!(erasure.looked_through().iter().any(|(place, _)| *place == "kept beyond the law"));
        let entry = &house.leaves("erasure.completed").await[0];
        assert!(entry.contains("\"kept\":1") && entry.contains("\"kept-until\":\"2036-12-31\"") && entry.contains("\"kept-by\":\"billing\""), "{entry}");

        // Nobody is left but a holder who is nobody, and what the law asks for.
        assert!(house.app.subjects.get(&ada).await.is_err());
        assert_eq!(house.count("SELECT COUNT(*) FROM record").await, 1);
        assert_eq!(house.count("SELECT COUNT(*) FROM object").await, 0);
        let holder = holder(&house).await;
        assert_ne!(holder.subject, ada.subject);
        let id = ada.subject;
        assert_eq!(house.count(&format!("SELECT COUNT(*) FROM record WHERE subject = '{id}' OR parent IS NOT NULL")).await, 0);
        let keys = house.keystore().await;
        assert_eq!(count_in(&keys, &format!("SELECT COUNT(*) FROM item_key WHERE subject = '{id}'")).await, 0);
        assert_eq!(count_in(&keys, &format!("SELECT COUNT(*) FROM subject_key WHERE subject = '{id}'")).await, 0);

        // A restricted store: what a law demands may be done with it, and nothing else.
        let staff = StaffId::new(&house.app.clock, &vouchsafe::base::Entropy::system());
        let auditor = Actor::Staff(staff, Role::Compliance);
        let page = (None, vouchsafe::base::PageSize::default());
        let access = Access { actor: &auditor, purpose: "rights" };
        let found = house.app.vault.records(&holder, &access, "billing", page).await.unwrap().items;
        assert_eq!(found.len(), 1);
        assert!(found[0].value.get("email").is_none() && found[0].value["invoice-number"] == "FK-1");
        for (actor, purpose) in [(&auditor, "security"), (&Actor::Service, "billing"), (&Actor::Service, "support")] {
            let access = Access { actor, purpose };
            let refused = house.app.vault.records(&holder, &access, "billing", page).await;
            assert!(matches!(refused, Err(Error::Restricted | Error::Refused(_))), "{purpose}: {refused:?}");
        }
        assert!(house.app.invoices.add(&holder, invoice(3, "2026-11-23")).await.is_err(), "nothing new comes in");

        house.advance(end.since(house.now()) - TimeDelta::seconds(1));
        assert_eq!(sweep(&house).await, (0, 0));
        assert_eq!(house.entries("kept.ended").await, 0);
        house.advance(TimeDelta::seconds(1));
        assert_eq!(sweep(&house).await, (1, 0));
        assert_eq!(house.entries("kept.ended").await, 1);
        assert_eq!(house.count("SELECT COUNT(*) FROM holder").await, 0);
        for table in ["subject_key", "item_key"] {
            assert_eq!(count_in(&keys, &format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
    }

    async fn a_second_look_knows_the_exception_and_no_more(house: House) {
        for spoil in [
            "UPDATE record SET due_at = NULL WHERE category = 'billing'",
            "UPDATE record SET parent = 'edt_x' WHERE category = 'billing'",
            "UPDATE record SET category = 'prompt' WHERE category = 'billing'",
        ] {
            let ada = customer(&house, "ada").await;
            let mut erasure = house.app.requests.erasure_begin(&ada, None).await.unwrap();
            while erasure.state != ErasureState::Cleared {
                erasure = house.app.requests.erasure_step(&tenant(), &erasure.id).await.unwrap();
            }
            house.run(spoil).await;
            let looked = house.app.requests.erasure_step(&tenant(), &erasure.id).await.unwrap();
            assert_eq!(looked.state, ErasureState::Failed, "{spoil}");
            assert!(looked.looked_through().contains(&("kept beyond the law", 1)), "{spoil}: {:?}", looked.findings);
            house.run("DELETE FROM record WHERE category IN ('billing', 'prompt')").await;
            house.advance(TimeDelta::hours(1));
            house.app.requests.tick().await.unwrap();
        }
        assert_eq!(house.entries("erasure.completed").await, 3, "without what was spoilt it is done");
    }

    async fn a_parting_cut_short_goes_on_in_the_same_name(house: House) {
        let ada = customer(&house, "ada").await;
        house.app.invoices.add(&ada, invoice(3, "2026-11-21")).await.unwrap();
        let erasure = house.app.requests.erasure_begin(&ada, None).await.unwrap();
        house.run("ALTER TABLE ledger_entry RENAME TO away").await;
        assert!(house.app.requests.erasure_step(&tenant(), &erasure.id).await.is_err());
        house.run("ALTER TABLE away RENAME TO ledger_entry").await;
        let first = holder(&house).await;
        house.app.requests.tick().await.unwrap();
        let erasure = house.app.requests.erasures(&tenant(), 1).await.unwrap().remove(0);
        assert_eq!(erasure.state, ErasureState::Closed, "{erasure:?}");
        assert_eq!(erasure.stays.map(|s| s.records), Some(2));
        assert_eq!(holder(&house).await, first);
        assert_eq!(house.app.vault.kept_beyond_law(&first, 2).await.unwrap(), 0);
    }

    async fn an_invoice_without_its_clock_has_an_end_all_the_same(house: House) {
        let ada = house.person("ada").await;
        let record = crate::support::house::new_record("billing", json!({ "amount": "1", "email": "ada@example.org" }));
        house.app.vault.add_record(&ada, record).await.unwrap();
        let done = house.app.requests.erase(&ada, Role::Service).await.unwrap().unwrap();
        let end = Timestamp::parse_rfc3339("2036-12-31T23:59:59Z").unwrap();
        assert_eq!(done.stays.map(|s| s.until), Some(end));
    }

    async fn who_is_told_before_reads_the_law_and_the_day(house: House) {
        let ada = customer(&house, "ada").await;
        let filing = Filing { ask: Ask::Erasure { at_once: false }, ..erase(&ada) };
        house.app.requests.file(&ada, filing).await.unwrap();
        house.pass(vouchsafe::jobs::Task::Letters).await;
        let letters = house.app.post.sent();
        let set = letters.iter().find(|l| l.letter.subject.contains("will be erased")).expect("a letter");
        assert!(set.letter.text.contains("282/2011") && set.letter.text.contains("31 December 2036"), "{}", set.letter.text);
    }

    async fn a_record_that_nothing_opens_keeps_nobody_from_being_erased(house: House) {
        let ada = customer(&house, "ada").await;
        let lost = house.app.invoices.add(&ada, invoice(3, "2026-11-21")).await.unwrap();
        let damaged = house.app.invoices.add(&ada, invoice(4, "2026-11-20")).await.unwrap();
        run_in(&house.keystore().await, &format!("DELETE FROM item_key WHERE item = '{lost}#1'")).await;
        house.run(&format!("UPDATE record SET sealed = kfp WHERE id = '{damaged}'")).await;
        let filed = house.app.requests.file(&ada, erase(&ada)).await.unwrap().request;
        let done = house.app.requests.find(&tenant(), filed.id).await.unwrap();
        assert_eq!(done.state, State::Closed);
        let erasure = house.app.requests.erasures(&tenant(), 1).await.unwrap().remove(0);
        assert_eq!(erasure.stays.map(|s| s.records), Some(1), "the one that opens stays");
        assert_eq!(house.count("SELECT COUNT(*) FROM record").await, 1);
        assert_eq!(house.entries("erasure.completed").await, 1);
    }
}
