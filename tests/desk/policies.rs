//! A version that would destroy much: seen and decided at the desk.

use serde_json::json;
use vouchsafe::policy::{Facts, Policy, Role};
use vouchsafe::publication::Outcome;
use vouchsafe::subjects::SignedIn;
use vouchsafe::vault::NewRecord;

use super::{done, open, send, shown, with_desk};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{OTHER_TENANT, Staff};
use crate::support::house::document;

fn harsh() -> Policy {
    let text = document()
        .replace("version = \"2026-11-01\"", "version = \"2027-01-01\"")
        .replace("effective = 2026-11-01", "effective = 2027-01-01")
        .replace("at-most = \"13 months after created\"", "at-most = \"20 days after created\"");
    Policy::compile(&text).unwrap()
}

/// A proposal by the first member of compliance, and its path.
pub(super) async fn proposed(app: &TestApp, by: &Staff) -> String {
    let ada = app.person("ada@example.org").await;
    let new = NewRecord {
        category: "analytics",
        name: "visit",
        value: json!({}),
        parent: None,
        facts: Facts::new(),
    };
    app.app.vault.add_record(&ada.owner, new).await.unwrap();
    let outcome = app.app.publications.publish(&harsh(), Some(&by.member)).await.unwrap();
    let Outcome::Proposed(_, id) = outcome else { panic!("{outcome:?}") };
    format!("/policies/{id}")
}

pub(super) async fn colleague(app: &TestApp) -> Staff {
    let email = "second@flux-kontext.example".parse().unwrap();
    let member = app.app.subjects.hire(&app.tenant(), &email, Role::Compliance).await.unwrap();
    let cookie = app.sign_in(&SignedIn::Staff(member.clone())).await;
    Staff { member, cookie }
}

each_app! {
    async fn one_proposes_and_another_publishes(app: TestApp) {
        let app = with_desk(app);
        let (first, second) = (app.staff(Role::Compliance).await, colleague(&app).await);
        let path = proposed(&app, &first).await;
        let today = shown(&open(&app, &second, "").await);
        assert!(today.contains("1 policy version waits for a second person"), "{today}");
        let list = shown(&open(&app, &second, "/policies").await);
        assert!(list.contains(&path) && list.contains("2027-01-01"));
        let own = shown(&open(&app, &first, &path).await);
        assert!(own.contains("You proposed it") && !own.contains("Publish version"), "{own}");
        assert_eq!(send(&app, &first, &format!("{path}/confirm"), &[]).await.status, 403);
        let page = shown(&open(&app, &second, &path).await);
        assert!(page.contains("Publish version 2027-01-01 and erase 1 thing"), "{page}");
        assert!(page.contains("20 days after it was made"), "{page}");
        assert!(done(&send(&app, &second, &format!("{path}/confirm"), &[]).await).contains("done=published"));
        assert!(app.app.library.version(&app.tenant(), "2027-01-01").is_some());
        assert_eq!(send(&app, &second, &format!("{path}/confirm"), &[]).await.status, 404);
        app.settle().await;
        let list = shown(&open(&app, &second, "/policies").await);
        assert!(list.contains("announced") && list.contains("agreed, and it was published"), "{list}");
    }

    async fn who_turns_it_down_says_why(app: TestApp) {
        let app = with_desk(app);
        let (first, second) = (app.staff(Role::Compliance).await, colleague(&app).await);
        let path = proposed(&app, &first).await;
        let empty = send(&app, &second, &format!("{path}/refuse"), &[("reason", " ")]).await;
        assert!(shown(&empty).contains("Say why"));
        done(&send(&app, &second, &format!("{path}/refuse"), &[("reason", "We promised thirteen months.")]).await);
        assert!(app.app.library.version(&app.tenant(), "2027-01-01").is_none());
        assert!(shown(&open(&app, &first, &path).await).contains("We promised thirteen months."));
    }

    async fn nobody_else_decides(app: TestApp) {
        let app = with_desk(app);
        let first = app.staff(Role::Compliance).await;
        let path = proposed(&app, &first).await;
        for role in [Role::Support, Role::Admin] {
            let staff = app.staff(role).await;
            assert_eq!(open(&app, &staff, &path).await.status, 403, "{role}");
            assert_eq!(send(&app, &staff, &format!("{path}/confirm"), &[]).await.status, 403, "{role}");
        }
        let theirs = app.staff_of(OTHER_TENANT, Role::Compliance).await;
        assert_eq!(open(&app, &theirs, &path).await.status, 404);
        for bad in ["/policies/x", "/policies/ppl_00000000000000000000000000000000"] {
            assert_eq!(open(&app, &first, bad).await.status, 404, "{bad}");
        }
        assert!(app.app.library.version(&app.tenant(), "2027-01-01").is_none());
    }
}
