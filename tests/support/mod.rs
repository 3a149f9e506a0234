//! What tests are written with.

pub(crate) mod app;
pub(crate) mod call;
pub(crate) mod chance;
pub(crate) mod chromium;
mod database;
pub(crate) mod dns;
pub(crate) mod elsewhere;
pub(crate) mod eyes;
pub(crate) mod house;
pub(crate) mod kms;
pub(crate) mod listening;
pub(crate) mod oidc;
pub(crate) mod render;
pub(crate) mod source;
pub(crate) mod transit;

pub(crate) use app::TestApp;
pub(crate) use database::{Backend, TestDb};

/// Writes a test once, over what is opened on each database, as two tests: `name::sqlite` and `name::postgres`. The macros
/// below say what that is.
///
/// Without a PostgreSQL server (`VOUCHSAFE_TEST_POSTGRES`, which `make test` sets) the second one says that it was left
/// out and passes.
#[macro_export]
macro_rules! each_backend {
    ($open:path as $what:ty; $($(#[$meta:meta])* async fn $name:ident($it:ident) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;
            use $crate::support::Backend;

            async fn body($it: $what) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                if let Some(it) = $open(Backend::Sqlite).await {
                    body(it).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                if let Some(it) = $open(Backend::Postgres).await {
                    body(it).await;
                }
            }
        }
    )+};
}

/// Over the bare databases.
///
/// ```ignore
/// each_database! {
///     async fn a_row_is_found_again(db: TestDb) { … }
/// }
/// ```
#[macro_export]
macro_rules! each_database {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: TestDb) $body:block)+) => {
        $crate::each_backend! {
            $crate::support::TestDb::open as $crate::support::TestDb; $($(#[$meta])* async fn $name($db) $body)+
        }
    };
}

/// Over the whole service: each body gets a [`TestApp`].
///
/// ```ignore
/// each_app! {
///     async fn an_upload_is_stripped(app: TestApp) { … }
/// }
/// ```
#[macro_export]
macro_rules! each_app {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp) $body:block)+) => {
        $crate::each_backend! { TestApp::open as TestApp; $($(#[$meta])* async fn $name($app) $body)+ }
    };
}

/// The same for a service in development, which may call this machine and takes cookies without TLS.
#[macro_export]
macro_rules! each_app_in_development {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp) $body:block)+) => {
        $crate::each_backend! { TestApp::open_in_development as TestApp; $($(#[$meta])* async fn $name($app) $body)+ }
    };
}
