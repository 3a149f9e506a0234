//! Who is told of a version: everybody once, in time, by what the document promises.

use chrono::TimeDelta;
use vouchsafe::jobs::Task;
use vouchsafe::policy::Role;

use super::{day, go_to, published, version};
use crate::each_house;
use crate::support::house::{House, tenant};

const NEXT: &str = "2026-12-23";

fn shorter() -> vouchsafe::policy::Policy {
    version(NEXT, &[("at-most = \"90 days after created\"", "at-most = \"60 days after created\"")])
}

fn letters(house: &House) -> Vec<String> {
    house.app.post.sent().into_iter().map(|sent| sent.to).collect()
}

each_house! {
    async fn everybody_gets_one_letter_and_one_notice(house: House) {
        let (ada, eve) = (house.person("ada").await, house.person("eve").await);
        published(&house, &shorter()).await;
        assert_eq!(letters(&house).len(), 0, "publishing waits for no mail server");
        for _ in 0..3 {
            house.pass(Task::Notices).await;
        }
        let mut to = letters(&house);
        to.sort();
        assert_eq!(to, ["ada@example.org", "eve@example.org"]);
        let letter = house.app.post.sent().pop().unwrap().letter;
        assert_eq!(letter.subject, "The privacy policy of Flux Kontext changes on 23 December 2026");
        assert!(letter.text.contains("gone 60 days after it was made (before: 90 days after it was made)"), "{}", letter.text);
        assert!(letter.text.contains("/flux-kontext/policy/2026-12-23"), "{}", letter.text);
        for owner in [&ada, &eve] {
            let news = house.app.publications.unread(owner).await.unwrap();
            assert_eq!(news.len(), 1);
            assert!(news[0].changes.iter().any(|c| c.says.contains("60 days")), "{news:?}");
        }
        let leaf = house.leaves("notice.announced").await;
        assert_eq!(leaf.len(), 1, "once");
        assert!(leaf[0].contains("\"people\":2") && leaf[0].contains("\"letters\":2"), "{}", leaf[0]);
        assert_eq!(house.count("SELECT COUNT(*) FROM policy_notice WHERE subject LIKE '%@%'").await, 0);
    }

    async fn who_comes_before_its_day_is_told_and_who_comes_after_is_not(house: House) {
        house.person("ada").await;
        published(&house, &shorter()).await;
        house.pass(Task::Notices).await;
        house.advance(TimeDelta::days(3));
        house.person("eve").await;
        house.pass(Task::Notices).await;
        assert_eq!(letters(&house), ["ada@example.org", "eve@example.org"]);
        go_to(&house, day(NEXT));
        house.person("late").await;
        house.pass(Task::Notices).await;
        assert_eq!(letters(&house).len(), 2);
        assert_eq!(house.count("SELECT COUNT(*) FROM policy_telling WHERE closed_at IS NULL").await, 0);
        assert_eq!(house.entries("notice.announced").await, 1);
    }

    async fn a_letter_under_way_when_its_sender_died_is_not_sent_twice(house: House) {
        let (ada, _) = (house.person("ada").await, house.person("eve").await);
        published(&house, &shorter()).await;
        let room = &house.app.publications;
        let telling = room.tellings().await.unwrap().remove(0);
        room.enter(&telling, &|| false).await.unwrap();
        let (_, told) = room.news(&telling).unwrap();
        assert!(room.claim(&ada, NEXT, &told).await.unwrap(), "and here the process ends");
        assert!(!room.claim(&ada, NEXT, &told).await.unwrap(), "nobody else takes it");
        house.pass(Task::Notices).await;
        assert_eq!(letters(&house), ["eve@example.org"]);
        assert_eq!(house.entries("notice.announced").await, 0, "one is still under way, as far as anybody knows");
        house.advance(TimeDelta::hours(1));
        house.pass(Task::Notices).await;
        let tally = room.tally(&tenant(), NEXT).await.unwrap();
        assert_eq!((tally.sent, tally.unsure, tally.owed), (1, 1, 0));
        assert_eq!(letters(&house), ["eve@example.org"]);
        assert_eq!(room.unread(&ada).await.unwrap().len(), 1, "the privacy centre says it all the same");
    }

    async fn a_stop_loses_nobody_and_tells_nobody_twice(house: House) {
        for n in 0..5 {
            house.person(&format!("person{n}")).await;
        }
        published(&house, &shorter()).await;
        house.jobs().reconcile(Task::Notices, &|| true).await.unwrap();
        assert_eq!(letters(&house).len(), 0);
        house.pass(Task::Notices).await;
        house.pass(Task::Notices).await;
        assert_eq!(letters(&house).len(), 5);
    }

    async fn who_is_erased_is_not_written_to_and_leaves_no_trace(house: House) {
        let (_, ada) = (house.person("eve").await, house.person("ada").await);
        published(&house, &shorter()).await;
        house.advance(TimeDelta::minutes(5));
        let room = &house.app.publications;
        let telling = room.tellings().await.unwrap().remove(0);
        room.enter(&telling, &|| false).await.unwrap();
        assert_eq!(house.count("SELECT COUNT(*) FROM policy_telling WHERE reached <> ''").await, 1);
        house.app.requests.erase(&ada, Role::Service).await.unwrap();
        house.pass(Task::Requests).await;
        house.pass(Task::Notices).await;
        assert_eq!(letters(&house), ["eve@example.org"]);
        let traces = format!("SELECT COUNT(*) FROM policy_notice WHERE subject = '{}'", ada.subject);
        assert_eq!(house.count(&traces).await, 0);
        let open = "SELECT COUNT(*) FROM erasure WHERE state NOT IN ('verified', 'closed')";
        assert_eq!(house.count(open).await, 0, "the look through every table finds them nowhere");
    }

    async fn who_has_restricted_their_data_is_told_all_the_same(house: House) {
        let ada = house.person("ada").await;
        let actor = vouchsafe::vault::Actor::Subject(ada.subject);
        house.app.subjects.restrict(&ada, true, &actor).await.unwrap();
        published(&house, &shorter()).await;
        house.pass(Task::Notices).await;
        assert_eq!(letters(&house), ["ada@example.org"], "a law wants it told");
    }

    async fn only_those_whom_it_touches_where_the_document_says_so(house: House) {
        let first = version("2026-11-20", &[("by = [\"email\", \"privacy-centre\", \"policy-page\"]\nto = \"everyone\"",
            "by = [\"email\", \"privacy-centre\", \"policy-page\"]\nto = \"affected\"")]);
        published(&house, &first).await;
        let (ada, eve) = (house.person("ada").await, house.person("eve").await);
        house.prompt(&ada, "warmer").await;
        let text = first.source().replace("2026-11-20", NEXT)
            .replace("category = [\"prompt\", \"edit-parameters\"]\nerase-when = \"account.closed\"",
                "category = [\"prompt\", \"edit-parameters\"]\nerase-when = \"account.closed\"\nat-most = \"2 years after created\"");
        published(&house, &vouchsafe::policy::Policy::compile(&text).unwrap()).await;
        house.pass(Task::Notices).await;
        assert_eq!(letters(&house), ["ada@example.org"]);
        assert!(house.app.publications.unread(&eve).await.unwrap().is_empty());
    }

    async fn what_each_person_had_in_force_when(house: House) {
        let ada = house.person("ada").await;
        house.app.consents.set(&ada, "analytics", true, "api").await.unwrap();
        published(&house, &shorter()).await;
        house.pass(Task::Notices).await;
        let told = house.now();
        house.advance(TimeDelta::days(1));
        let read = house.app.publications.acknowledge(&ada, NEXT).await.unwrap();
        house.advance(TimeDelta::days(1));
        assert_eq!(house.app.publications.acknowledge(&ada, NEXT).await.unwrap(), read, "the first time counts");
        assert!(house.app.publications.acknowledge(&ada, "2026-11-01").await.is_err(), "nobody told her of that one");
        assert!(house.app.publications.unread(&ada).await.unwrap().is_empty());
        go_to(&house, day(NEXT));
        let eve = house.person("eve").await;

        let eras = house.app.publications.timeline(&ada).await.unwrap();
        let versions: Vec<_> = eras.iter().map(|e| (e.version.as_str(), e.until)).collect();
        assert_eq!(versions, [("2026-11-01", Some(day(NEXT))), (NEXT, None)]);
        assert_eq!(eras[0].words.iter().map(|(p, _)| p.as_str()).collect::<Vec<_>>(), ["analytics"]);
        assert_eq!((eras[1].from, eras[1].posted_at), (day(NEXT), Some(told)));
        assert_eq!((eras[1].mailed_at, eras[1].acknowledged_at), (Some(told), Some(read)));
        let eras = house.app.publications.timeline(&eve).await.unwrap();
        assert_eq!(eras.iter().map(|e| e.version.as_str()).collect::<Vec<_>>(), [NEXT], "she never had the first");
        assert_eq!(house.entries("notice.acknowledged").await, 1);
    }
}
