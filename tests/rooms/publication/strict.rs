//! What was collected or held under a stricter version keeps the stricter rule; a yes covers what was said, and no more.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::base::{RecordId, Timestamp};
use vouchsafe::jobs::Task;
use vouchsafe::vault::{Access, Actor, Item, NewRecord, Owner};

use super::second::without_analytics;
use super::{day, go_to, published, version};
use crate::each_house;
use crate::support::house::{House, tenant};

/// Device data, whose one clock is ninety days after they were made.
async fn device(house: &House, owner: &Owner) -> RecordId {
    record(house, owner, "device").await
}

async fn record(house: &House, owner: &Owner, category: &str) -> RecordId {
    let facts = vouchsafe::policy::Facts::new();
    let new = NewRecord { category, name: "test", value: json!({}), parent: None, facts };
    house.app.vault.add_record(owner, new).await.unwrap()
}

async fn item(house: &House, owner: &Owner, id: RecordId) -> Option<Item> {
    let access = Access { actor: &Actor::Service, purpose: "rights" };
    house.app.vault.record(owner, &access, id).await.ok().map(|record| record.item)
}

async fn due(house: &House, owner: &Owner, id: RecordId) -> Timestamp {
    item(house, owner, id).await.unwrap().due_at.unwrap()
}

const DEVICE: &str = "at-most = \"90 days after created\"";

/// The document with another number of days for device data.
fn days(at: &str, days: u32) -> vouchsafe::policy::Policy {
    version(at, &[(DEVICE, &format!("at-most = \"{days} days after created\""))])
}

each_house! {
    async fn a_shorter_period_counts_for_what_is_held_from_its_day_on(house: House) {
        let ada = house.person("ada").await;
        let (old, start) = (device(&house, &ada).await, house.now());
        house.advance(TimeDelta::days(5));
        published(&house, &days("2026-12-28", 50)).await;
        go_to(&house, day("2026-12-28").plus(TimeDelta::seconds(-1)));
        let young = device(&house, &ada).await;
        house.pass(Task::Reckoning).await;
        assert_eq!(due(&house, &ada, old).await, start.plus(TimeDelta::days(90)), "not a second before its day");
        go_to(&house, day("2026-12-28"));
        assert!(house.pass(Task::Reckoning).await >= 2);
        assert_eq!(due(&house, &ada, old).await, start.plus(TimeDelta::days(50)));
        assert_eq!(due(&house, &ada, young).await, day("2026-12-28").plus(TimeDelta::seconds(-1)).plus(TimeDelta::days(50)));
        let said = house.app.vault.governing(&tenant(), "device", &item(&house, &ada, old).await.unwrap());
        assert_eq!((said.version.as_str(), said.due.rule()), ("2026-12-28", Some("device")));
        assert_eq!(house.entries("policy.applied").await, 1);
        assert_eq!(house.pass(Task::Reckoning).await, 0, "there is nothing left to do");
        go_to(&house, start.plus(TimeDelta::days(50)));
        house.pass(Task::Retention).await;
        assert!(item(&house, &ada, old).await.is_none());
        assert!(item(&house, &ada, young).await.is_some());
    }

    async fn a_longer_period_never_lengthens_what_is_held_and_never_revives(house: House) {
        let ada = house.person("ada").await;
        let (old, start) = (device(&house, &ada).await, house.now());
        published(&house, &days("2026-12-23", 400)).await;
        go_to(&house, day("2026-12-23"));
        house.pass(Task::Reckoning).await;
        assert_eq!(due(&house, &ada, old).await, start.plus(TimeDelta::days(90)));
        let said = house.app.vault.governing(&tenant(), "device", &item(&house, &ada, old).await.unwrap());
        assert_eq!(said.version, "2026-11-01");
        let new = device(&house, &ada).await;
        assert_eq!(due(&house, &ada, new).await, day("2026-12-23").plus(TimeDelta::days(400)), "it is only for what comes");
        // A fact that comes later is computed under the stricter version as well.
        let mut tx = house.app.db.begin().await.unwrap();
        let fact = [(vouchsafe::policy::Fact::LastActive, house.now())];
        house.app.vault.happened_to_category(&mut tx, &ada, "device", &fact).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(due(&house, &ada, old).await, start.plus(TimeDelta::days(90)));
        go_to(&house, start.plus(TimeDelta::days(90)));
        house.pass(Task::Retention).await;
        house.pass(Task::Reckoning).await;
        assert!(item(&house, &ada, old).await.is_none(), "gone is gone");
        assert!(item(&house, &ada, new).await.is_some());
    }

    async fn a_strict_version_in_between_is_not_forgotten(house: House) {
        let ada = house.person("ada").await;
        let (old, start) = (device(&house, &ada).await, house.now());
        published(&house, &days("2026-12-23", 60)).await;
        go_to(&house, day("2026-12-23"));
        house.pass(Task::Reckoning).await;
        published(&house, &days("2027-01-22", 400)).await;
        // Not applied in time, as after an outage of the whole second version.
        house.run("UPDATE record SET due_at = NULL WHERE category = 'device'").await;
        house.run("DELETE FROM policy_reckoning").await;
        go_to(&house, day("2027-01-22"));
        house.pass(Task::Reckoning).await;
        let item = item(&house, &ada, old).await.unwrap();
        assert_eq!(item.due_at, Some(start.plus(TimeDelta::days(60))));
        assert_eq!(house.app.vault.governing(&tenant(), "device", &item).version, "2026-12-23");
    }

    async fn reckoning_goes_on_where_it_was_stopped_and_looks_once_more_later(house: House) {
        let ada = house.person("ada").await;
        for _ in 0..3 {
            device(&house, &ada).await;
        }
        published(&house, &days("2026-12-23", 60)).await;
        go_to(&house, day("2026-12-23"));
        let asked = AtomicUsize::new(0);
        // One page, which is that of images: there are none, and the records are still to come.
        let once = || asked.fetch_add(1, Ordering::SeqCst) >= 1;
        assert_eq!(house.jobs().reconcile(Task::Reckoning, &once).await.unwrap().changed, 0);
        let open = "SELECT COUNT(*) FROM policy_reckoning WHERE finished_at IS NULL AND kind = 'record'";
        assert_eq!(house.count(open).await, 1);
        assert_eq!(house.pass(Task::Reckoning).await, 3);
        // Somebody who did not know of the version writes once more by the old one.
        let late = device(&house, &ada).await;
        let stale = house.now().plus(TimeDelta::days(90)).micros();
        house.run(&format!("UPDATE record SET due_at = {stale}, policy_version = '2026-11-01' WHERE id = '{late}'")).await;
        assert_eq!(house.pass(Task::Reckoning).await, 0);
        house.advance(TimeDelta::hours(1));
        assert_eq!(house.pass(Task::Reckoning).await, 1);
        assert_eq!(house.count("SELECT COUNT(*) FROM policy_reckoning WHERE finished_at IS NULL").await, 0);
    }

    async fn a_sweep_ends_by_the_version_it_began_with(house: House) {
        let ada = house.person("ada").await;
        let due_now = device(&house, &ada).await;
        let counted = record(&house, &ada, "analytics").await;
        // Under the next version what was counted goes after a month: it is due on that version's first day.
        let harsh = version("2027-02-20", &[("at-most = \"13 months after created\"", "at-most = \"30 days after created\"")]);
        let staff = |name: &str| format!("{name}@staff.example").parse().unwrap();
        let (one, two) = (
            house.app.subjects.hire(&tenant(), &staff("one"), vouchsafe::policy::Role::Admin).await.unwrap(),
            house.app.subjects.hire(&tenant(), &staff("two"), vouchsafe::policy::Role::Compliance).await.unwrap(),
        );
        let room = &house.app.publications;
        let vouchsafe::publication::Outcome::Proposed(_, id) = room.publish(&harsh, Some(&one)).await.unwrap() else { panic!() };
        room.confirm(&tenant(), id, &two).await.unwrap();
        house.run(&format!("UPDATE record SET due_at = {} WHERE id = '{due_now}'", day("2027-02-19").micros())).await;
        go_to(&house, day("2027-02-20").plus(TimeDelta::seconds(-1)));
        let swapped = AtomicUsize::new(0);
        let stop = || {
            if swapped.fetch_add(1, Ordering::SeqCst) == 0 {
                house.advance(TimeDelta::hours(1));
                tokio::task::block_in_place(|| {
                    tokio::runtime::Handle::current().block_on(async { house.app.retention.reckon(&|| false).await.unwrap() })
                });
            }
            false
        };
        let swept = house.app.retention.sweep(&stop).await.unwrap();
        assert!(swapped.load(Ordering::SeqCst) > 0);
        assert_eq!(swept.iter().map(|s| s.category.as_str()).collect::<Vec<_>>(), ["device"]);
        assert_eq!(due(&house, &ada, counted).await, day("2027-02-20"), "due since its day, not since last month");
        let next = house.app.retention.sweep(&|| false).await.unwrap();
        assert_eq!(next.iter().map(|s| s.category.as_str()).collect::<Vec<_>>(), ["analytics"]);
    }

    async fn what_is_no_longer_declared_goes_on_that_day(house: House) {
        let ada = house.person("ada").await;
        let counted = record(&house, &ada, "analytics").await;
        for n in 0..200 {
            house.prompt(&ada, &format!("a word {n}")).await;
        }
        published(&house, &without_analytics("2026-12-23")).await;
        go_to(&house, day("2026-12-23"));
        house.pass(Task::Reckoning).await;
        assert_eq!(house.count(&format!("SELECT COUNT(*) FROM record WHERE id = '{counted}'")).await, 1);
        house.pass(Task::Retention).await;
        assert_eq!(house.count(&format!("SELECT COUNT(*) FROM record WHERE id = '{counted}'")).await, 0);
        let leaf = house.leaves("object.erased").await.pop().unwrap();
        assert!(leaf.contains("category.gone"), "{leaf}");
    }

    async fn a_yes_does_not_cover_what_is_described_anew(house: House) {
        let ada = house.person("ada").await;
        for purpose in ["analytics", "training"] {
            house.app.consents.set(&ada, purpose, true, "api").await.unwrap();
        }
        let means = "We count visits and measure speed to see what works and what is slow.";
        published(&house, &version("2026-12-23", &[(means, "We count visits, and show what you looked at to partners.")])).await;
        let on = async || -> Vec<String> {
            let choices = house.app.consents.choices(&ada).await.unwrap();
            choices.into_iter().filter(|c| c.on && c.needs_consent).map(|c| c.purpose).collect()
        };
        assert_eq!(on().await, ["analytics", "training"], "until its day nothing changes");
        go_to(&house, day("2026-12-23"));
        assert_eq!(on().await, ["training"], "the new one was never agreed to");
        assert!(!house.app.consents.was_on(&ada, "analytics", house.now()).await.unwrap());
        house.app.consents.set(&ada, "analytics", true, "api").await.unwrap();
        assert_eq!(on().await, ["analytics", "training"]);
    }

    async fn a_new_purpose_that_needs_a_yes_is_off_until_it_is_given(house: House) {
        let ada = house.person("ada").await;
        house.app.consents.set(&ada, "analytics", true, "api").await.unwrap();
        let new = version("2026-12-23", &[("[purpose.analytics]\n", "[purpose.contests]\ntitle = \"Contests\"\nmeans = \"We enter what \
            you counted into contests.\"\nbasis = \"consent\"\non-withdrawal = \"stop\"\n\n[purpose.analytics]\n"),
            ("purposes = [\"analytics\"]\nfields", "purposes = [\"analytics\", \"contests\"]\nfields")]);
        published(&house, &new).await;
        house.pass(Task::Notices).await;
        let letter = house.app.post.sent().pop().unwrap().letter;
        assert!(letter.text.contains("needs your consent"), "{}", letter.text);
        go_to(&house, day("2026-12-23"));
        let choices = house.app.consents.choices(&ada).await.unwrap();
        let contests = choices.iter().find(|c| c.purpose == "contests").unwrap();
        assert!(!contests.on && contests.last.is_none(), "{contests:?}");
    }

    async fn an_account_keeps_the_shorter_time_without_use_that_it_was_promised(house: House) {
        let start = house.now();
        house.person("ada").await;
        let longer = ("at-most = \"3 years after last-active\"", "at-most = \"6 years after last-active\"");
        published(&house, &version("2026-12-23", &[longer])).await;
        go_to(&house, day("2026-12-23"));
        let eve = house.person("eve").await;
        // Eve came later and was here last, and is promised more time: she must not hide ada.
        house.run(&format!("UPDATE subject SET last_active_at = {} WHERE id = '{}'", start.micros() - 1, eve.subject)).await;
        go_to(&house, start.plus(TimeDelta::days(3 * 365 - 20)));
        let warned = house.app.retention.warnings(&tenant()).await.unwrap();
        assert_eq!(warned.len(), 1);
        assert_ne!(warned[0].owner, eve);
        house.app.retention.warned(&warned[0]).await.unwrap();
        go_to(&house, start.plus(TimeDelta::days(3 * 365 + 2)));
        let last = house.app.retention.warnings(&tenant()).await.unwrap();
        house.app.retention.warned(&last[0]).await.unwrap();
        house.advance(TimeDelta::days(8));
        let gone = house.app.retention.inactive(&tenant()).await.unwrap();
        assert_eq!(gone.iter().map(|g| &g.owner).collect::<Vec<_>>(), [&warned[0].owner]);
    }
}
