//! Legal holds: who answers for them, what they do to what they keep, and what they leave alone.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::base::PageSize;
use vouchsafe::jobs::Task;
use vouchsafe::policy::Role;
use vouchsafe::retention::{Error as Refused, NewHold};
use vouchsafe::vault::{Access, Actor, Error, NewRecord, Owner, Vault};

use super::retention::{sweep, under};
use crate::each_house;
use crate::support::house::{House, new_record, tenant};

fn on(house: &House, owner: &Owner, category: Option<&str>) -> NewHold {
    NewHold {
        subject: Some(owner.subject),
        category: category.map(ToOwned::to_owned),
        matter: "12 O 44/26".to_owned(),
        reason: "A court ordered us to keep them.".to_owned(),
        review_at: house.now().plus(TimeDelta::days(60)),
        untold: None,
    }
}

each_house! {
    async fn a_second_person_answers_and_somebody_looks_again(house: House) {
        let ada = house.person("ada").await;
        let (one, two) = (house.staff(Role::Compliance).await, house.staff(Role::Admin).await);
        let retention = &house.app.retention;
        let hold = retention.hold(&tenant(), on(&house, &ada, None), one, Role::Compliance).await.unwrap();
        assert_eq!(hold.wants(house.now()), Some("a second person"));
        let alone = retention.approve(&tenant(), hold.id, one, Role::Compliance).await;
        assert!(matches!(alone, Err(Refused::SamePerson)), "{alone:?}");
        retention.approve(&tenant(), hold.id, two, Role::Admin).await.unwrap();
        let now = || async { house.app.retention.holds(&tenant()).await.unwrap().remove(0) };
        assert_eq!((now().await.wants(house.now()), now().await.approved_by), (None, Some(two.to_string())));
        house.advance(TimeDelta::days(61));
        assert_eq!(now().await.wants(house.now()), Some("its review"));
        for days in [0, 91] {
            let next = house.now().plus(TimeDelta::days(days));
            assert!(retention.review(&tenant(), hold.id, Some(next), Role::Compliance).await.is_err(), "{days}");
        }
        let next = house.now().plus(TimeDelta::days(90));
        retention.review(&tenant(), hold.id, Some(next), Role::Compliance).await.unwrap();
        assert_eq!(now().await.wants(house.now()), None);
        assert_eq!(house.entries("hold.set").await, 3);
        retention.release(&tenant(), hold.id, one, Role::Compliance).await.unwrap();
        assert!(matches!(retention.approve(&tenant(), hold.id, two, Role::Admin).await, Err(Refused::NoHold)));
        assert!(retention.review(&tenant(), hold.id, Some(next), Role::Compliance).await.is_err());
    }

    async fn what_a_hold_keeps_beyond_its_time_is_used_for_nothing_else(house: House) {
        let ada = house.person("ada").await;
        let staff = house.staff(Role::Compliance).await;
        let usage = new_record("usage", json!({ "feature": "edit", "credits": 1 }));
        let id = house.app.vault.add_record(&ada, usage).await.unwrap();
        let hold = house.app.retention.hold(&tenant(), on(&house, &ada, Some("usage")), staff, Role::Compliance).await.unwrap();
        let read = |actor: Actor, purpose: &'static str| {
            let (house, ada) = (&house, &ada);
            async move { house.app.vault.record(ada, &Access { actor: &actor, purpose }, id).await }
        };
        let before = read(Actor::Service, "provide-edits").await.unwrap();
        house.advance(TimeDelta::days(731));
        assert_eq!(sweep(&house).await.0, 0, "kept");
        assert!(matches!(read(Actor::Service, "provide-edits").await, Err(Error::Restricted)));
        assert!(read(Actor::Subject(ada.subject), "provide-edits").await.is_ok(), "hers to see");
        let now = read(Actor::Service, "rights").await.unwrap();
        assert_eq!(now.item.facts, before.item.facts, "no clock was touched");
        let access = Access { actor: &Actor::Service, purpose: "provide-edits" };
        let page = house.app.vault.records(&ada, &access, "usage", (None, PageSize::default())).await.unwrap();
        assert!(page.items.is_empty(), "nor in a list");
        assert!(house.leaves("read.refused").await.iter().any(|l| l.contains("\"reason\":\"hold\"")));
        house.app.retention.release(&tenant(), hold.id, staff, Role::Compliance).await.unwrap();
        assert_eq!(sweep(&house).await.0, 1, "overdue, it goes at once");
    }

    async fn a_rule_that_no_hold_stops_is_stopped_by_none(house: House) {
        let rule = "at-most = \"90 days after created\"";
        let firm = format!("{rule}\nmay-be-held = false");
        let house = under(house, &[(rule, &firm)]).await;
        let ada = house.person("ada").await;
        let staff = house.staff(Role::Compliance).await;
        house.app.vault.add_record(&ada, new_record("device", json!({ "device": "phone" }))).await.unwrap();
        let usage = new_record("usage", json!({ "feature": "edit", "credits": 1 }));
        house.app.vault.add_record(&ada, usage).await.unwrap();
        house.app.retention.hold(&tenant(), on(&house, &ada, None), staff, Role::Compliance).await.unwrap();
        house.advance(TimeDelta::days(731));
        assert_eq!(sweep(&house).await.0, 1);
        assert_eq!(house.count("SELECT COUNT(*) FROM record WHERE category = 'device'").await, 0);
        assert_eq!(house.count("SELECT COUNT(*) FROM record WHERE category = 'usage'").await, 1);
    }

    async fn the_person_is_told_once_unless_a_reason_says_why_not(house: House) {
        let (ada, bob) = (house.person("ada").await, house.person("bob").await);
        let staff = house.staff(Role::Compliance).await;
        let retention = &house.app.retention;
        retention.hold(&tenant(), on(&house, &ada, Some("usage")), staff, Role::Compliance).await.unwrap();
        let quiet = NewHold { untold: Some("the court forbids it".to_owned()), ..on(&house, &bob, None) };
        retention.hold(&tenant(), quiet, staff, Role::Compliance).await.unwrap();
        let blank = NewHold { untold: Some(" ".to_owned()), ..on(&house, &bob, None) };
        assert!(retention.hold(&tenant(), blank, staff, Role::Compliance).await.is_err());
        house.pass(Task::Letters).await;
        house.pass(Task::Letters).await;
        let told: Vec<_> =
            house.app.post.sent().into_iter().filter(|s| s.letter.subject.contains("must keep")).collect();
        assert_eq!(told.len(), 1);
        assert!(told[0].to.starts_with("ada") && told[0].letter.text.contains("A court ordered us"));
        assert!(told[0].letter.text.contains("12 O 44/26") && told[0].letter.text.contains("Records of use"));
        assert_eq!(retention.holds_of(&ada).await.unwrap().len(), 1);
        assert!(retention.holds_of(&bob).await.unwrap().is_empty(), "not in the privacy centre either");
    }

    async fn an_erasure_that_a_hold_stops_restricts_meanwhile(house: House) {
        let ada = house.person("ada").await;
        let staff = house.staff(Role::Compliance).await;
        let hold = house.app.retention.hold(&tenant(), on(&house, &ada, None), staff, Role::Compliance).await.unwrap();
        assert!(house.app.requests.erasure_begin(&ada, None).await.is_err());
        assert!(house.app.subjects.get(&ada).await.unwrap().restricted_at.is_some());
        house.app.retention.release(&tenant(), hold.id, staff, Role::Compliance).await.unwrap();
        assert!(house.app.requests.erase(&ada, Role::Service).await.unwrap().is_some());
    }

    async fn a_hold_that_comes_between_the_list_and_the_erasure_keeps_what_it_concerns(house: House) {
        let (ada, bob) = (house.person("ada").await, house.person("bob").await);
        let staff = house.staff(Role::Compliance).await;
        let vault = &house.app.vault;
        let usage = || new_record("usage", json!({ "feature": "edit", "credits": 1 }));
        for owner in [&ada, &bob] {
            vault.add_record(owner, usage()).await.unwrap();
        }
        let invoice = house.app.invoices.add(&ada, crate::rooms::retention::invoice(1, "2026-11-22")).await.unwrap();
        house.app.subjects.close(&ada, &Actor::Subject(ada.subject)).await.unwrap();
        house.advance(TimeDelta::days(731));
        house.app.vault.account_closed(&ada, house.now().plus(TimeDelta::days(-731))).await.unwrap();
        let due = vault.due_items(&tenant(), house.now(), 100).await.unwrap();
        let of = |category: &str| due.iter().filter(|d| d.category == category).cloned().collect::<Vec<_>>();
        assert_eq!((of("usage").len(), of("billing").len()), (2, 1), "{due:?}");

        house.app.retention.hold(&tenant(), on(&house, &ada, None), staff, Role::Compliance).await.unwrap();
        let gone = vault.erase_each(&tenant(), &of("usage"), Role::Service).await.unwrap();
        assert_eq!(gone.iter().map(|d| d.subject).collect::<Vec<_>>(), [bob.subject], "only whom no hold concerns");
        let reduced = vault.reduce_each(&tenant(), &of("billing"), Role::Service).await.unwrap();
        assert!(reduced.reduced.is_empty() && reduced.unreadable.is_empty(), "{reduced:?}");
        let access = Access { actor: &Actor::Service, purpose: "rights" };
        let kept = vault.record(&ada, &access, invoice).await.unwrap();
        assert_eq!((kept.revision, kept.value["email"].as_str()), (1, Some("ada@example.org")), "whole");
        assert_eq!(vault.records(&ada, &access, "usage", (None, PageSize::default())).await.unwrap().items.len(), 1);
    }

    /// The newer version has a rule of that name too, for another category, and no hold stops that one.
    async fn what_an_older_versions_rule_makes_due_is_held_and_the_sweep_ends(house: House) {
        let rule = "category = [\"output-image\", \"image-metadata\"]\nerase-when = \"account.closed\"";
        let firm = "category = \"output-image\"\nerase-when = \"account.closed\"\nmay-be-held = false\n\n\
            [retention.image-facts]\ncategory = \"image-metadata\"\nerase-when = \"account.closed\"";
        let house = under(house, &[(rule, firm)]).await;
        let ada = house.person("ada").await;
        let staff = house.staff(Role::Compliance).await;
        let facts = new_record("image-metadata", json!({ "format": "jpeg" }));
        house.app.vault.add_record(&ada, facts).await.unwrap();
        let due = format!("due_at = {}, rule = 'output-image'", house.now().micros());
        house.run(&format!("UPDATE record SET {due} WHERE category = 'image-metadata'")).await;
        let hold = house.app.retention.hold(&tenant(), on(&house, &ada, None), staff, Role::Compliance).await.unwrap();
        house.advance(TimeDelta::seconds(1));
        let looks = AtomicUsize::new(0);
        let swept = house.app.retention.sweep(&|| looks.fetch_add(1, Ordering::Relaxed) > 20).await.unwrap();
        assert!(swept.is_empty() && looks.load(Ordering::Relaxed) < 20, "{swept:?} after {looks:?} looks");
        assert_eq!(house.count("SELECT COUNT(*) FROM record WHERE category = 'image-metadata'").await, 1);
        house.app.retention.release(&tenant(), hold.id, staff, Role::Compliance).await.unwrap();
        assert_eq!(sweep(&house).await.0, 1);
    }

    async fn what_is_kept_beside_a_picture_stays_when_a_hold_saves_the_picture(house: House) {
        let ada = house.person("ada").await;
        let staff = house.staff(Role::Compliance).await;
        let object = house.object(&ada, b"a picture").await;
        let facts = new_record("image-metadata", json!({ "format": "png" }));
        let facts = NewRecord { parent: Some(object.id.to_string()), ..facts };
        house.app.vault.add_record(&ada, facts).await.unwrap();
        let due = format!("due_at = {}, rule = 'output-image'", house.now().micros());
        house.run(&format!("UPDATE object SET {due} WHERE id = '{}'", object.id)).await;
        let due = house.app.vault.due_items(&tenant(), house.now(), 10).await.unwrap();
        assert_eq!(due.iter().map(|d| d.id.clone()).collect::<Vec<_>>(), [object.id.to_string()]);

        let held = on(&house, &ada, Some("output-image"));
        let hold = house.app.retention.hold(&tenant(), held, staff, Role::Compliance).await.unwrap();
        let gone = house.app.vault.erase_each(&tenant(), &due, Role::Service).await.unwrap();
        assert!(gone.is_empty(), "{gone:?}");
        let beside = "SELECT COUNT(*) FROM record WHERE category = 'image-metadata' AND due_at IS NULL";
        assert_eq!(house.count(beside).await, 1, "nor is it called due");
        house.app.retention.release(&tenant(), hold.id, staff, Role::Compliance).await.unwrap();
        let gone = house.app.vault.erase_each(&tenant(), &due, Role::Service).await.unwrap();
        assert_eq!(gone.len(), 2, "the control");
    }

    async fn somebody_whose_erasure_began_cannot_be_held_any_more(house: House) {
        let (ada, bob) = (house.person("ada").await, house.person("bob").await);
        let staff = house.staff(Role::Compliance).await;
        house.app.requests.erasure_begin(&ada, None).await.unwrap();
        let refused = house.app.retention.hold(&tenant(), on(&house, &ada, None), staff, Role::Compliance).await;
        assert!(matches!(refused, Err(Refused::Leaving)), "{refused:?}");
        assert_eq!(house.entries("hold.set").await, 0);
        assert_eq!(house.count("SELECT COUNT(*) FROM hold").await, 0);
        house.app.retention.hold(&tenant(), on(&house, &bob, None), staff, Role::Compliance).await.unwrap();
        assert!(house.app.requests.erasure_begin(&bob, None).await.is_err(), "and the other way round");
        assert!(house.app.subjects.get(&bob).await.is_ok());
    }

    async fn a_hold_waits_for_whoever_is_erasing_and_they_for_it(house: House) {
        if house.app.db.is_sqlite() {
            return; // writers take turns at everything
        }
        let ada = house.person("ada").await;
        let staff = house.staff(Role::Compliance).await;
        let mut erasing = house.app.db.begin().await.unwrap();
        Vault::letting_go(&mut erasing, &tenant()).await.unwrap();
        let tenant = tenant();
        let placed = house.app.retention.hold(&tenant, on(&house, &ada, None), staff, Role::Compliance);
        let ended = async {
            let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND wait_event_type = 'Lock'";
            while house.count(waiting).await == 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(house.count("SELECT COUNT(*) FROM hold").await, 0, "in the middle of it");
            erasing.commit().await.unwrap();
        };
        let (placed, ()) = tokio::join!(placed, ended);
        placed.unwrap();
    }
}
