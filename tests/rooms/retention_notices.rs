//! Warnings before a rule fires: in time, once each, and never without one.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::jobs::Task;
use vouchsafe::vault::Owner;

use super::retention::{sweep, under};
use crate::each_house;
use crate::support::house::{House, new_record};

const RULE: &str = "at-most = \"2 years after created\"";

async fn warned(house: House) -> House {
    let warned = format!("{RULE}\nwarn = [\"30 days\", \"7 days\"]");
    under(house, &[(RULE, &warned)]).await
}

async fn use_it(house: &House, owner: &Owner) {
    let record = new_record("usage", json!({ "feature": "edit", "credits": 1 }));
    house.app.vault.add_record(owner, record).await.unwrap();
}

fn letters(house: &House) -> Vec<String> {
    let sent =
        house.app.post.sent().into_iter().filter(|s| s.letter.subject.starts_with("Some of your data"));
    sent.map(|s| s.letter.text).collect()
}

/// Keeps somebody from being away for too long, which is another rule's matter.
async fn days(house: &House, owner: &Owner, n: i64) {
    house.advance(TimeDelta::days(n));
    house.app.subjects.touch(owner).await.unwrap();
    house.pass(Task::Inactivity).await;
}

each_house! {
    async fn each_warning_is_one_letter_however_much_goes(house: House) {
        let house = warned(house).await;
        let ada = house.person("ada").await;
        for _ in 0..5 {
            use_it(&house, &ada).await;
            house.advance(TimeDelta::hours(20));
        }
        days(&house, &ada, 690).await;
        assert!(letters(&house).is_empty(), "not so early");
        days(&house, &ada, 8).await;
        let first = letters(&house);
        assert_eq!(first.len(), 1);
        assert!(first[0].contains("Records of use") && first[0].contains("2 years after it was made"), "{}", first[0]);
        assert!(first[0].contains("22 November 2028") && first[0].contains("We write once more"), "{}", first[0]);
        for _ in 0..3 {
            days(&house, &ada, 1).await;
        }
        assert_eq!(letters(&house).len(), 1, "one a warning");
        days(&house, &ada, 18).await;
        house.advance(TimeDelta::hours(20));
        house.pass(Task::Inactivity).await;
        assert_eq!(letters(&house).len(), 2);
        assert!(letters(&house)[1].contains("the last time"), "{}", letters(&house)[1]);
        days(&house, &ada, 4).await;
        assert_eq!(sweep(&house).await.0, 0);
        days(&house, &ada, 3).await;
        assert_eq!(sweep(&house).await.0, 1, "told in time, the first goes in time");
        days(&house, &ada, 4).await;
        sweep(&house).await;
        assert_eq!(house.count("SELECT COUNT(*) FROM record WHERE category = 'usage'").await, 0);
        assert_eq!(letters(&house).len(), 2);
    }

    async fn nothing_goes_unwarned_and_a_late_letter_puts_the_end_off(house: House) {
        let house = warned(house).await;
        let ada = house.person("ada").await;
        use_it(&house, &ada).await;
        // The service was down, or its mail was: the day comes and nobody was told.
        house.advance(TimeDelta::days(735));
        house.app.subjects.touch(&ada).await.unwrap();
        assert_eq!(sweep(&house).await.0, 0);
        house.pass(Task::Inactivity).await;
        let told = letters(&house);
        assert_eq!(told.len(), 1, "of two that are owed, the last");
        assert!(told[0].contains("3 December 2028") && told[0].contains("the last time"), "{}", told[0]);
        assert_eq!(sweep(&house).await.0, 0, "seven days are left, as promised");
        house.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
        assert_eq!(sweep(&house).await.0, 0);
        house.advance(TimeDelta::seconds(1));
        assert_eq!(sweep(&house).await.0, 1);
    }

    async fn another_months_records_have_a_letter_of_their_own(house: House) {
        let house = warned(house).await;
        let ada = house.person("ada").await;
        use_it(&house, &ada).await;
        days(&house, &ada, 60).await;
        use_it(&house, &ada).await;
        days(&house, &ada, 645).await;
        days(&house, &ada, 19).await;
        assert_eq!(letters(&house).len(), 2);
        days(&house, &ada, 7).await;
        assert_eq!(sweep(&house).await.0, 1);
        assert_eq!(letters(&house).len(), 2, "the later one is not near yet");
        days(&house, &ada, 31).await;
        assert_eq!(letters(&house).len(), 3);
    }

    async fn however_much_waits_for_its_people_to_be_told_the_rest_goes(house: House) {
        let house = warned(house).await;
        let ada = house.person("ada").await;
        for _ in 0..260 {
            use_it(&house, &ada).await;
        }
        house.advance(TimeDelta::days(700));
        house.app.vault.add_record(&ada, new_record("device", json!({ "device": "phone" }))).await.unwrap();
        house.advance(TimeDelta::days(100));
        assert_eq!(sweep(&house).await.0, 1, "behind 260 that are due and stay until she was told");
        assert_eq!(house.count("SELECT COUNT(*) FROM record WHERE category = 'device'").await, 0);
        assert_eq!(house.count("SELECT COUNT(*) FROM record WHERE category = 'usage'").await, 260);
    }
}
