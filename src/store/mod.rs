//! The databases: one portable SQL text over SQLite or PostgreSQL, transactions, migrations, the job queue.
//!
//! Promises: a writing transaction on SQLite takes the write lock at once, over the one connection that may write, so
//! that it cannot fail half-way for want of a lock; nothing is acknowledged before it is on the disk, though many may
//! share the wait for it; nothing here decides what may be written. Must never: build SQL from values.

pub mod aside;
mod db;
mod durable;
mod error;
pub mod idempotency;
pub mod jobs;
mod list;
mod migrations;
mod sql;
mod writer;

pub use db::{Alone, Conn, Db, PostgresSettings, SqliteSettings, Tx};
pub(crate) use durable::{make_folders, write_durably};
pub use error::Error;
pub use list::{MOST_IN, padding, with_list};
pub use migrations::{KEYSTORE, MAIN, Schema};
pub use writer::Writer;

/// Runs one body on whichever connection a [`Tx`] holds: `on!(tx, |c| sqlx::query(SQL).bind(id).execute(c).await)`.
/// The body is compiled once for each database; its type must be the same for both, so map a driver's own result
/// inside it.
#[macro_export]
macro_rules! on {
    ($tx:expr, |$c:ident| $body:expr) => {
        match $tx.conn() {
            $crate::store::Conn::Sqlite($c) => $body,
            $crate::store::Conn::Postgres($c) => $body,
        }
    };
}

/// Runs a statement with these values bound, and gives how many rows it changed.
#[macro_export]
macro_rules! change {
    ($tx:expr, $statement:expr $(, $bind:expr)* $(,)?) => {
        $crate::on!($tx, |c| sqlx::query($statement)$(.bind($bind))*.execute(c).await.map(|r| r.rows_affected()))
    };
}

/// Chooses between two statements where the dialects differ. The only fork, and easy to search for.
#[macro_export]
macro_rules! dialect {
    ($tx:expr, sqlite: $sqlite:expr, postgres: $postgres:expr) => {
        if $tx.is_sqlite() { $sqlite } else { $postgres }
    };
}
