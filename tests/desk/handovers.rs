//! What was handed to an authority: entered by compliance, sealed, told to its owner as soon as that may be.

use vouchsafe::policy::Role;

use super::{done, open, send, shown, with_desk};
use crate::each_app;
use crate::support::TestApp;

each_app! {
    async fn compliance_enters_what_was_handed_over_and_is_told_what_is_missing(app: TestApp) {
        let app = with_desk(app);
        let (staff, admin) = (app.staff(Role::Compliance).await, app.staff(Role::Admin).await);
        let ada = app.person("ada@example.org").await;
        let whom = ada.owner.subject.to_string();
        let good = [
            ("whom", whom.as_str()), ("ground", "authority"), ("category", "account"), ("category", "device"),
            ("to", "canary: the court of Springfield"), ("law", "canary: file 12 O 44/26"),
            ("what", "canary: the address, after counsel had read the order"), ("day", "2026-11-20"), ("silent", ""),
        ];
        let but = |field: &'static str, value: &'static str| {
            good.iter().map(|(n, v)| if *n == field { (*n, value) } else { (*n, *v) }).collect::<Vec<_>>()
        };
        for (field, value, at) in [
            ("whom", "sub_nobody", "whom"), ("whom", "", "whom"), ("ground", "curiosity", "ground"),
            ("category", "no-such", "categories"), ("to", " ", "to"), ("law", "", "law"), ("what", "", "what"),
            ("day", "", "day"), ("day", "2031-01-01", "day"), ("silent", "soon", "silent"),
            ("silent", "2026-01-01", "silent"), ("silent", "2033-01-01", "silent"),
        ] {
            let html = shown(&send(&app, &staff, "/processors/handovers", &but(field, value)).await);
            assert!(html.contains(&format!("href=\"#{at}\"")), "{field}={value}: {html}");
        }
        assert_eq!(send(&app, &admin, "/processors/handovers", &good).await.status, 403);
        assert!(app.app.disclosures.handovers_of(&ada.owner).await.unwrap().is_empty());
        assert!(!shown(&open(&app, &admin, "/processors").await).contains("Enter one"));

        done(&send(&app, &staff, "/processors/handovers", &good).await);
        let page = shown(&open(&app, &staff, "/processors").await);
        assert!(page.contains("account, device") && page.contains(&staff.member.id.to_string()), "{page}");
        assert!(!page.contains("canary"), "the words are the person's: {page}");
        let entry = app.ledger_entries().await.into_iter().find(|e| e.leaf.kind.as_str() == "disclosure.handed-over");
        let entry = entry.expect("it is on the ledger");
        assert!(entry.leaf.subject.is_some() && !String::from_utf8_lossy(&entry.bytes).contains("canary"));
    }
}
