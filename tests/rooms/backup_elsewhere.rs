//! Accounts elsewhere of somebody who was erased and whom a backup brought back.

use vouchsafe::elsewhere::TaskKind;

use crate::each_app_with_recipients;
use crate::support::TestApp;
use crate::support::house::{count_in, run_in};

/// Accounts that say whose they are, or what they are called there.
const NAMED: &str = "SELECT COUNT(*) FROM elsewhere WHERE subject IS NOT NULL OR name_index IS NOT NULL \
    OR sealed IS NOT NULL OR gone_at IS NULL";

each_app_with_recipients! {
    async fn who_is_erased_again_lets_go_of_accounts_elsewhere(app: TestApp, there: There) {
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        let customer = there.customer(&app, &ada, "ada@example.org").await;
        let db = &app.app.db;
        assert_eq!(count_in(db, NAMED).await, 1, "the control finds nothing");
        app.app.requests.erase_again(&ada.owner).await.unwrap();
        assert_eq!(count_in(db, NAMED).await, 0);
        // Whether the recipient had let go is not in the backup, so it is asked; what it is called is known until then.
        let asked = app.app.elsewhere.not_done(&app.tenant()).await.unwrap();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].kind, TaskKind::Erase);
        assert_eq!(count_in(db, "SELECT COUNT(*) FROM elsewhere_task WHERE subject IS NULL").await, 1);
        app.app.requests.erase_again(&ada.owner).await.unwrap();
        app.settle().await;
        assert!(!there.stripe.holds("Ada of Stripe"), "{:?}", there.stripe.thing(&customer));
        assert!(app.app.elsewhere.not_done(&app.tenant()).await.unwrap().is_empty());
        assert_eq!(count_in(db, "SELECT COUNT(*) FROM elsewhere_task").await, 1, "twice is once");
        assert_eq!(count_in(db, "SELECT COUNT(*) FROM elsewhere_task WHERE sealed IS NOT NULL").await, 0);
        assert_eq!(count_in(db, "SELECT COUNT(*) FROM disclosure WHERE deleted_at IS NULL").await, 0);
        app.app.elsewhere.link(&eve.owner, "stripe", &customer).await.unwrap();
        there.is_content();
    }

    async fn an_account_that_does_not_open_keeps_nobody_from_being_erased_again(app: TestApp, there: There) {
        let ada = app.person("ada@example.org").await;
        there.customer(&app, &ada, "ada@example.org").await;
        let db = &app.app.db;
        run_in(db, "UPDATE elsewhere SET sealed = substr(sealed, 1, 30)").await;
        app.app.requests.erase_again(&ada.owner).await.unwrap();
        assert_eq!(count_in(db, NAMED).await, 0);
        assert_eq!(count_in(db, "SELECT COUNT(*) FROM elsewhere_task").await, 0);
        let said = "SELECT COUNT(*) FROM job WHERE kind = 'unread-row'";
        assert_eq!(count_in(db, said).await, 1, "somebody must look there by hand");
        app.leave_the_queue();
        there.is_content();
    }
}
