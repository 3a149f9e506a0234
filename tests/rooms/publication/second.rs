//! What would destroy much waits for a second person.

use serde_json::json;
use vouchsafe::policy::{Policy, Role};
use vouchsafe::publication::{Error, Outcome};
use vouchsafe::subjects::StaffMember;

use super::{day, go_to, published, version};
use crate::each_house;
use crate::support::house::{House, new_record, tenant};

/// A document under which what was counted for analytics goes after a month, not after thirteen.
fn harsh(at: &str) -> Policy {
    version(at, &[("at-most = \"13 months after created\"", "at-most = \"20 days after created\"")])
}

async fn staff(house: &House, name: &str, role: Role) -> StaffMember {
    let email = format!("{name}@staff.example").parse().unwrap();
    house.app.subjects.hire(&tenant(), &email, role).await.unwrap()
}

/// A person with as many things that the harsh document lets go at once as others.
async fn with_data(house: &House, count: usize) {
    let ada = house.person("ada").await;
    for _ in 0..count {
        house.app.vault.add_record(&ada, new_record("analytics", json!({}))).await.unwrap();
        house.prompt(&ada, "a word").await;
    }
}

each_house! {
    async fn one_person_cannot_destroy_much_and_two_can(house: House) {
        with_data(&house, 3).await;
        let (one, two) = (staff(&house, "one", Role::Admin).await, staff(&house, "two", Role::Compliance).await);
        let policy = harsh("2026-12-23");
        let unnamed = house.app.publications.publish(&policy, None).await;
        assert!(matches!(unnamed, Err(Error::Missing(_))), "{unnamed:?}");
        let outcome = house.app.publications.publish(&policy, Some(&one)).await.unwrap();
        let Outcome::Proposed(outlook, id) = outcome else { panic!("{outcome:?}") };
        assert_eq!((outlook.plan.going, outlook.plan.total), (3, 7), "3 counts, 3 prompts, 1 account");
        assert_eq!(house.entries("policy.proposed").await, 1);
        assert_eq!(house.app.library.versions(&tenant()).len(), 1, "it only waits");

        let own = house.app.publications.confirm(&tenant(), id, &one).await;
        assert!(matches!(own, Err(Error::NotYours(_))), "{own:?}");
        let support = staff(&house, "three", Role::Support).await;
        let other = house.app.publications.confirm(&tenant(), id, &support).await;
        assert!(matches!(other, Err(Error::NotYours(_))), "{other:?}");
        let done = house.app.publications.confirm(&tenant(), id, &two).await.unwrap();
        assert!(matches!(done, Outcome::Published(..)), "{done:?}");
        let leaf = house.leaves("policy.published").await.pop().unwrap();
        assert!(leaf.contains(&one.id.to_string()) && leaf.contains(&two.id.to_string()), "{leaf}");
        assert!(matches!(house.app.publications.confirm(&tenant(), id, &two).await, Err(Error::NotFound)));
    }

    async fn what_is_turned_down_changes_nothing_and_says_why(house: House) {
        with_data(&house, 2).await;
        let (one, two) = (staff(&house, "one", Role::Compliance).await, staff(&house, "two", Role::Compliance).await);
        let policy = harsh("2026-12-23");
        let Outcome::Proposed(_, id) = house.app.publications.publish(&policy, Some(&one)).await.unwrap() else { panic!() };
        let again = house.app.publications.publish(&policy, Some(&one)).await.unwrap();
        assert!(matches!(again, Outcome::Proposed(_, same) if same == id), "it waits once");
        let room = &house.app.publications;
        assert!(matches!(room.reject(&tenant(), id, &two, " ").await, Err(Error::Missing(_))));
        room.reject(&tenant(), id, &two, "people were promised a year").await.unwrap();
        let kept = room.proposal(&tenant(), id).await.unwrap();
        assert_eq!((kept.state.as_str(), kept.reason.as_deref()), ("refused", Some("people were promised a year")));
        assert_eq!(house.entries("policy.rejected").await, 1);
        assert_eq!(house.app.library.versions(&tenant()).len(), 1);
    }

    async fn a_late_yes_does_not_shorten_the_notice(house: House) {
        with_data(&house, 2).await;
        let (one, two) = (staff(&house, "one", Role::Admin).await, staff(&house, "two", Role::Compliance).await);
        let policy = harsh("2026-12-23");
        let Outcome::Proposed(_, id) = house.app.publications.publish(&policy, Some(&one)).await.unwrap() else { panic!() };
        go_to(&house, day("2026-12-01"));
        let late = house.app.publications.confirm(&tenant(), id, &two).await.unwrap();
        assert!(matches!(late, Outcome::Refused(_)), "{late:?}");
        assert_eq!(house.app.library.versions(&tenant()).len(), 1);
    }

    async fn what_goes_anyway_is_not_counted(house: House) {
        let ada = house.person("ada").await;
        house.try_object(&ada, "input-image", b"an upload").await.unwrap();
        // By the day on which it counts the upload is gone under the version in force.
        let policy = version("2026-12-23", &[("at-most = \"48 hours after uploaded\"", "at-most = \"1 hour after uploaded\"")]);
        published(&house, &policy).await;
    }

    async fn a_category_that_is_no_longer_declared_counts_as_destroyed(house: House) {
        let ada = house.person("ada").await;
        for _ in 0..3 {
            house.app.vault.add_record(&ada, new_record("analytics", json!({}))).await.unwrap();
        }
        let one = staff(&house, "one", Role::Admin).await;
        let policy = without_analytics("2026-12-23");
        let outcome = house.app.publications.publish(&policy, Some(&one)).await.unwrap();
        let Outcome::Proposed(outlook, _) = outcome else { panic!("{outcome:?}") };
        assert_eq!(outlook.plan.undeclared.keys().collect::<Vec<_>>(), ["analytics"]);
        assert_eq!(outlook.plan.going, 3);
    }
}

/// A document that no longer declares what is counted of visits: its clause is cut out, and its name elsewhere.
pub(super) fn without_analytics(at: &str) -> Policy {
    let mut text = crate::support::house::document()
        .replace("version = \"2026-11-01\"", &format!("version = \"{at}\""))
        .replace("effective = 2026-11-01", &format!("effective = {at}"));
    let from = text.find("### Cookies and analytics {#analytics}").unwrap();
    let end = from + text[from..].find("\n## ").unwrap();
    text.replace_range(from..end, "");
    let lines = text.lines().filter(|line| !line.contains("{category.analytics}"));
    let text = lines
        .collect::<Vec<_>>()
        .join("\n")
        .replace(" \"analytics\",", "")
        .replace("[below](#analytics)", "below");
    Policy::compile(&text).unwrap_or_else(|found| panic!("{found:?}"))
}
