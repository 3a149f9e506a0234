//! Looking at people and at who looked at them.

use vouchsafe::policy::Role;
use vouchsafe::vault::{Access, Actor};

use super::{open, send, shown, with_desk};
use crate::each_app;
use crate::support::TestApp;

each_app! {
    async fn a_person_is_found_whole_and_nothing_of_theirs_is_shown(app: TestApp) {
        let app = with_desk(app);
        let staff = app.staff(Role::Support).await;
        let person = app.person("ada@example.org").await;
        let id = person.owner.subject.to_string();
        let found = shown(&send(&app, &staff, "/people", &[("query", " Ada@Example.org ")]).await);
        assert!(found.contains(&id) && !found.contains("ada of flux-kontext"));
        for nobody in ["ada@example.com", "sub_01920000000070008000000000000000", "PR-AAAAA-AAAAA"] {
            let html = shown(&send(&app, &staff, "/people", &[("query", nobody)]).await);
            assert!(html.contains("Nobody.") && !html.contains(&id), "{nobody}");
        }
        let wrong = shown(&send(&app, &staff, "/people", &[("query", "ada")]).await);
        assert!(wrong.contains("Give a whole e-mail address"));

        let searches: Vec<_> =
            app.ledger_entries().await.into_iter().filter(|e| e.leaf.kind.as_str() == "people.searched").collect();
        assert_eq!(searches.len(), 4);
        let text = searches.iter().map(|e| String::from_utf8_lossy(&e.bytes).into_owned()).collect::<String>();
        assert!(text.contains(&staff.member.id.to_string()) && !text.contains("example.org"), "{text}");
        assert!(searches.iter().any(|e| e.leaf.subject.is_some()), "the person can see that they were looked for");
    }

    async fn the_access_review_lists_reads_and_refusals_and_is_harmless_as_csv(app: TestApp) {
        let app = with_desk(app);
        let (support, staff) = (app.staff(Role::Support).await, app.staff(Role::Compliance).await);
        let person = app.person("ada@example.org").await;
        let actor = Actor::Staff(support.member.id, Role::Support);
        let profile = |purpose| {
            let access = Access { actor: &actor, purpose };
            let subjects = app.app.subjects.clone();
            let owner = person.owner.clone();
            async move { subjects.profile(&owner, &access).await.is_ok() }
        };
        app.question(&person).await;
        let access = Access { actor: &actor, purpose: "support" };
        crate::support::house::reason(&app.app.requests, &person.owner, &access).await;
        assert!(profile("support").await && !profile("training").await);
        app.app.ledger.sequence().await.unwrap();

        let html = shown(&open(&app, &staff, "/reads").await);
        assert!(html.contains("2 reads") && html.contains("1 refused"), "{html}");
        let only = shown(&open(&app, &staff, "/reads?refused=yes").await);
        assert!(only.contains("1 read,"), "{only}");
        let other = shown(&open(&app, &staff, "/reads?role=admin").await);
        assert!(other.contains("Nobody read anything under this filter"));
        let later = shown(&open(&app, &staff, "/reads?from=2026-11-23").await);
        assert!(later.contains("Nobody read anything under this filter"));

        let csv = open(&app, &staff, "/reads.csv?role=support&to=2026-11-22").await;
        assert!(csv.header("content-type").starts_with("text/csv"));
        assert!(csv.header("content-disposition").starts_with("attachment"));
        let mut reader = csv::Reader::from_reader(&*csv.body);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!((&rows[0][2], &rows[1][2]), ("refused", "allowed"));
        assert_eq!(&rows[1][4], support.member.id.to_string());
        assert!(rows.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '@', '\t'])));
    }

    async fn a_webhook_that_was_stopped_is_seen_on_the_first_page(app: TestApp) {
        let app = with_desk(app);
        let (staff, support) = (app.staff(Role::Compliance).await, app.staff(Role::Support).await);
        let url = Some("https://app.example/".to_owned());
        let change = vouchsafe::webhooks::Change { url, ..Default::default() };
        let made = app.app.webhooks.register(&app.tenant(), change).await.unwrap();
        assert!(!shown(&open(&app, &staff, "").await).contains("Webhooks stopped"));
        let mut tx = app.app.db.begin().await.unwrap();
        let stop = "UPDATE webhook SET state = 'stopped', why = 'gone' WHERE id = $1";
        let id = made.webhook.id.to_string();
        vouchsafe::on!(tx, |c| sqlx::query(stop).bind(&id).execute(c).await.map(|_| ())).unwrap();
        tx.commit().await.unwrap();
        assert!(shown(&open(&app, &staff, "").await).contains("Webhooks stopped"));
        assert!(!shown(&open(&app, &support, "").await).contains("Webhooks stopped"));
    }
}
