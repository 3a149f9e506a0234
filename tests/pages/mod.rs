//! The pages as people meet them: by a browser that has no script. The page that checks receipts, by one that has.

mod board;
mod browser;
mod german;
mod hands;
mod manners;
mod offline;
mod sight;
mod story;
mod truth;
mod versions;

use crate::support::TestApp;

/// The service with its pages beside the API.
fn with_pages(app: TestApp) -> TestApp {
    let router = vouchsafe::http::routes(&app.edge).merge(vouchsafe::web::router(app.edge.clone()));
    app.with_router(router)
}
