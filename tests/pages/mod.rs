//! The pages as people meet them: by a browser that has no script.

mod board;
mod browser;
mod manners;
mod story;
mod versions;

use crate::support::TestApp;

/// The service with its pages beside the API.
fn with_pages(app: TestApp) -> TestApp {
    let router = vouchsafe::http::routes(&app.edge).merge(vouchsafe::web::router(app.edge.clone()));
    app.with_router(router)
}
