//! What can be published, and what a start does with a folder.

use chrono::TimeDelta;
use vouchsafe::app::{App, Error};
use vouchsafe::jobs::Task;
use vouchsafe::policy::Policy;
use vouchsafe::publication::{Obstacle, Outcome};

use super::{day, go_to, obstacles, publish, published, version};
use crate::each_house;
use crate::support::house::{House, document, documents, tenant};

fn in_force(app: &App) -> String {
    app.vault.policy(&tenant()).unwrap().version().to_owned()
}

each_house! {
    async fn a_first_version_is_published_at_the_start_and_a_later_one_is_not(house: House) {
        assert_eq!(house.entries("policy.published").await, 2, "one for each tenant");
        let mut folder = documents();
        folder.push(version("2026-11-20", &[("90 days after created", "60 days after created")]));
        let house = house.restarted(folder).await.unwrap();
        assert_eq!(in_force(&house.app), "2026-11-01", "nobody published it");
        assert_eq!(house.entries("policy.published").await, 2);
        let left = house.app.unpublished.get().unwrap();
        assert_eq!(left.iter().map(|u| u.version.as_str()).collect::<Vec<_>>(), ["2026-11-20"]);
    }

    async fn a_published_version_outlives_its_file(house: House) {
        let new = version("2026-11-20", &[("90 days after created", "60 days after created")]);
        published(&house, &new).await;
        assert_eq!(in_force(&house.app), "2026-11-20", "nobody has to be told");
        let house = house.restarted(documents()).await.unwrap();
        assert_eq!(in_force(&house.app), "2026-11-20", "its source is in the database");
        assert_eq!(house.app.library.versions(&tenant()).len(), 2);
    }

    async fn a_folder_with_another_text_stops_the_start(house: House) {
        let text = document().replace("90 days after created", "95 days after created");
        let changed = vec![Policy::compile(&text).unwrap()];
        assert!(matches!(house.restarted(changed).await, Err(Error::Changed(_))));
    }

    async fn a_past_version_cannot_be_another_text_and_what_was_stays(house: House) {
        let text = document().replace("90 days after created", "95 days after created");
        let changed = Policy::compile(&text).unwrap();
        let [Obstacle::OtherText { version }] = &obstacles(publish(&house, &changed).await)[..] else { panic!() };
        assert_eq!(version, "2026-11-01");
        assert_eq!(house.entries("policy.published").await, 2);
        let policy = house.app.vault.policy(&tenant()).unwrap();
        assert!(policy.source().contains("90 days after created"));
    }

    async fn the_same_text_again_is_no_second_publication(house: House) {
        let same = Policy::compile(&document()).unwrap();
        assert!(matches!(publish(&house, &same).await, Outcome::Known(_)));
        assert_eq!(house.entries("policy.published").await, 2);
    }

    async fn an_older_version_than_the_last_is_refused(house: House) {
        let found = obstacles(publish(&house, &version("2026-10-01", &[])).await);
        assert!(matches!(&found[..], [Obstacle::NotNewer { last, .. }] if last == "2026-11-01"), "{found:?}");
    }

    async fn people_are_told_before_it_counts_or_nothing_is_published(house: House) {
        house.person("ada").await;
        let soon = version("2026-12-22", &[]);
        let found = obstacles(publish(&house, &soon).await);
        let [Obstacle::TooSoon { ahead, earliest, .. }] = &found[..] else { panic!("{found:?}") };
        assert_eq!((ahead.to_string().as_str(), earliest.as_str()), ("30 days", "2026-12-23"));
        assert_eq!(house.entries("policy.published").await, 2);
        published(&house, &version("2026-12-23", &[])).await;
        assert_eq!(in_force(&house.app), "2026-11-01", "it is announced, not in force");
    }

    async fn the_notice_period_is_the_one_of_the_version_in_force(house: House) {
        house.person("ada").await;
        let shorter = version("2026-12-23", &[("ahead = \"30 days\"", "ahead = \"1 day\"")]);
        let Outcome::Published(outlook, _) = publish(&house, &shorter).await else { panic!() };
        let change = outlook.difference.unwrap().changes.into_iter().find(|c| c.rule == "notice.new-version");
        assert!(change.is_some_and(|c| c.must_tell), "less time ahead is worse for people");
        house.advance(TimeDelta::days(2));
        let found = obstacles(publish(&house, &version("2026-12-24", &[])).await);
        assert!(matches!(&found[..], [Obstacle::TooSoon { .. }]), "thirty days are still promised: {found:?}");
        go_to(&house, day("2026-12-23"));
        let soon = version("2026-12-24", &[("ahead = \"30 days\"", "ahead = \"1 day\"")]);
        published(&house, &soon).await;
    }

    async fn another_process_learns_of_a_version_without_a_restart(house: House) {
        let new = version("2026-11-20", &[("90 days after created", "60 days after created")]);
        // Behind this process' back, as another replica would.
        let (hash, source) = (hex::encode(new.hash()), new.source().replace('\'', "''"));
        let blob = if house.app.db.is_sqlite() { format!("x'{hash}'") } else { format!("'\\x{hash}'::bytea") };
        let at = new.starts().micros();
        house.run(&format!("INSERT INTO policy_version (tenant, version, effective_at, hash, source, published_at, entry) \
            VALUES ('{}', '2026-11-20', {at}, {blob}, '{source}', {at}, 'elsewhere')", tenant())).await;
        assert_eq!(in_force(&house.app), "2026-11-01");
        assert_eq!(house.pass(Task::Versions).await, 1);
        assert_eq!(in_force(&house.app), "2026-11-20");
        assert_eq!(house.pass(Task::Versions).await, 0);
    }

    async fn a_version_that_was_changed_in_the_database_is_not_taken_up(house: House) {
        house.run("UPDATE policy_version SET source = replace(source, '90 days', '95 days')").await;
        assert!(matches!(house.restarted(documents()).await, Err(Error::Publication(_))));
    }
}
