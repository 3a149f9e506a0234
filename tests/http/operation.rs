//! For whoever keeps the service running.

use crate::each_app;
use crate::support::TestApp;

each_app! {
    async fn a_service_that_is_whole_says_so(app: TestApp) {
        assert_eq!(app.get("/healthz").send().await.text(), "ok\n");
        let ready = app.get("/readyz").send().await;
        assert_eq!(ready.status, 200, "{}", ready.text());
        assert_eq!(ready.json()["ready"], true);
        assert!(app.ledger_kinds().await.contains(&"policy.published".to_owned()));
        assert!(app.blobs().await.is_empty() && app.mails().is_empty());
    }

    async fn what_is_not_there_is_told_as_a_problem(app: TestApp) {
        for path in ["/v1", "/v1/", "/v1/nothing", "/nothing", "/v1/../etc", "//"] {
            assert_eq!(app.get(path).send().await.problem(404), "not-found", "{path}");
        }
        assert_eq!(app.post("/healthz").send().await.problem(405), "method-not-allowed");
    }
}
