//! The retention board says what it counts.

use vouchsafe::policy::Role;

use super::{open, shown, with_desk};
use crate::each_app;
use crate::support::TestApp;

each_app! {
    async fn the_board_counts_what_lies_beside_the_vault_and_claims_no_more_than_sweeps(app: TestApp) {
        let app = with_desk(app);
        let staff = app.staff(Role::Compliance).await;
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        app.edit(&ada, &image).await;
        app.settle().await;
        let rows = app.app.retention.board(&app.tenant()).await.unwrap();
        let live = |category: &str| rows.iter().filter(|r| r.category == category).map(|r| r.live).sum::<i64>();
        assert_eq!((live("credits"), live("edit-history"), live("input-image")), (2, 1, 0));
        let html = shown(&open(&app, &staff, "/retention").await);
        // The upload went with its edit, and no sweep had to come for it.
        assert!(html.contains("No sweep has had anything to erase yet.") && html.contains("Swept in 30 days"), "{html}");
        assert!(html.contains("needs no sweep and is not counted here"), "{html}");
        assert!(app.ledger_kinds().await.contains(&"object.erased".to_owned()));
    }
}
