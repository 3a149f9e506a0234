//! What tables beside the vault hold of a person is in their archive, and whatever is not says why.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};

use chrono::TimeDelta;
use serde_json::Value;
use vouchsafe::policy::filled::{Keeps, tables};
use vouchsafe::policy::{Channel, Role};
use vouchsafe::requests::{Ask, Filing, IN_ARCHIVES, Place};
use vouchsafe::retention::NewHold;
use vouchsafe::vault::Actor;

use crate::each_app;
use crate::support::TestApp;

#[test]
fn every_table_of_peoples_data_is_in_archives_or_says_why_not() {
    let of_people = tables().filter(|(_, keeps, _)| matches!(keeps, Keeps::Of(_))).map(|(table, ..)| table);
    let told: BTreeSet<&str> = IN_ARCHIVES.iter().map(|(table, _)| *table).collect();
    assert_eq!(of_people.collect::<BTreeSet<_>>(), told);
    for (table, place) in IN_ARCHIVES {
        let (Place::In(text) | Place::Out(text)) = place;
        assert!(text.len() > 10, "{table}");
    }
}

each_app! {
    async fn what_hangs_on_the_account_is_in_the_archive_and_stays_the_same_while_it_is_fetched(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        app.app.subjects.add_login(&ada.owner, "https://login.example", "ada-1").await.unwrap();
        let staff = app.staff(Role::Compliance).await.member.id;
        let hold = |matter: &str, untold: Option<&str>| NewHold {
            subject: Some(ada.owner.subject),
            category: Some("usage".to_owned()),
            matter: matter.to_owned(),
            reason: "A court ordered it.".to_owned(),
            review_at: app.now().plus(TimeDelta::days(60)),
            untold: untold.map(ToOwned::to_owned),
        };
        for (matter, untold) in [("Case 7", None), ("Case 8", Some("the court forbids it"))] {
            app.app.retention.hold(&app.tenant(), hold(matter, untold), staff, Role::Compliance).await.unwrap();
        }
        app.question(&ada).await;
        let by = Actor::Subject(ada.owner.subject);
        let filing = Filing { ask: Ask::Access, channel: Channel::Page, by, proved: true, words: None };
        let request = app.app.requests.file(&ada.owner, filing).await.unwrap().request;
        let path = format!("/v1/requests/{}/archive", request.id);
        let first = app.get(&path).by(&ada).send().await;
        let mut zip = zip::ZipArchive::new(Cursor::new(first.body.to_vec())).unwrap();
        let mut file = |name: &str| {
            let mut text = String::new();
            zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
            serde_json::from_str::<Value>(&text).unwrap()
        };
        let account = file("data/account.json").to_string();
        for part in ["last-active", "warnings", "\"session\"", "last-seen", "https://login.example", "Case 7", "A court ordered it."] {
            assert!(account.contains(part), "{part}: {account}");
        }
        assert!(!account.contains("Case 8"), "what they may not be told of");
        let requests = file("data/rights-request.json").to_string();
        assert!(requests.contains("\"acknowledged\"") && requests.contains("\"step\""), "{requests}");

        app.advance(TimeDelta::minutes(50));
        app.get("/v1/account").by(&ada).send().await;
        let again = app.get(&path).by(&ada).send().await;
        assert_eq!(again.header("etag"), first.header("etag"), "another visit changes nothing in it");
        app.advance(TimeDelta::days(31));
        app.settle().await;
        let kept = "SELECT COUNT(*) FROM record WHERE name = 'standing'";
        assert_eq!(crate::support::house::count_in(&app.app.db, kept).await, 0, "and it is not kept for longer");
        app.leave_the_queue();
    }
}
