use std::borrow::Cow;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, PgPool, SqlSafeStr as _, SqliteConnection};

use super::{Error, sql};

/// The number by which PostgreSQL knows the turn at the order of texts.
const ORDERING: i64 = 0x6f72_6465_7269_6e67;

/// How often a table is asked for, and how long is waited in between.
const TRIES: usize = 15;
const PAUSE: Duration = Duration::from_secs(1);

/// The steps that build a database, once in each dialect, same numbers and names. A released step is never edited.
#[derive(Debug)]
pub struct Schema(&'static [Step]);

#[derive(Debug)]
struct Step {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! steps {
    ($folder:literal: $(($number:literal, $name:literal)),+ $(,)?) => {
        Schema(&[$(Step {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite", $folder, "/", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres", $folder, "/", $name, ".sql")),
        }),+])
    };
}

/// The main database.
pub const MAIN: Schema = steps!("": (1, "0001_store"), (2, "0002_ledger"), (3, "0003_vault"), (4, "0004_people"),
    (5, "0005_editing"), (6, "0006_rights"), (7, "0007_audit"), (8, "0008_letter"), (9, "0009_publication"),
    (10, "0010_actions"), (11, "0011_board"), (12, "0012_restoration"), (13, "0013_errand"),
    (15, "0015_variations"), (16, "0016_input_link"), (17, "0017_webhook"), (20, "0020_elsewhere"), (21, "0021_told"),
    (22, "0022_mail"), (23, "0023_mandate"), (24, "0024_drp"), (25, "0025_training"), (26, "0026_look"), (27, "0027_locale"),
    (28, "0028_handover"), (29, "0029_factor"), (30, "0030_failures"), (31, "0031_address"), (33, "0033_round"),
    (34, "0034_outside"), (35, "0035_woken"), (36, "0036_idempotency_owner"), (37, "0037_known_by"),
    (38, "0038_one_hash"), (41, "0041_letters"), (42, "0042_refused"), (43, "0043_idempotency_begun"), (44, "0044_due"));

/// The keystore: a database of its own, backed up apart.
pub const KEYSTORE: Schema = steps!("-keystore": (1, "0001_keys"), (2, "0002_epochs"),
    (3, "0003_destroyed"), (4, "0004_ending"));

impl Schema {
    fn migrator(&self, text: impl Fn(&Step) -> &'static str) -> Migrator {
        Migrator::with_migrations(
            self.0
                .iter()
                .map(|s| {
                    let sql = text(s).into_sql_str();
                    Migration::new(s.number, Cow::Borrowed(s.name), MigrationType::Simple, sql, false)
                })
                .collect(),
        )
    }

    pub(super) async fn migrate_sqlite(&self, connection: &mut SqliteConnection) -> Result<(), Error> {
        self.migrator(|s| s.sqlite).run(connection).await.map_err(|e| Error::Schema(e.to_string()))
    }

    pub(super) async fn migrate_postgres(&self, pool: &PgPool) -> Result<(), Error> {
        self.migrator(|s| s.postgres).run(pool).await.map_err(|e| Error::Schema(e.to_string()))?;
        order_by_bytes(pool).await
    }
}

/// Gives every text column of the schema the order of its bytes, which SQLite has by itself: pages of lists, and the
/// order of what is compared row by row, must not hang on the locale that a server was set up with. Done after the
/// steps, so that a column of tomorrow's has it as well; where all have it, only the catalogue is read.
async fn order_by_bytes(pool: &PgPool) -> Result<(), Error> {
    let orders = sqlx::query_as::<_, (String,)>(sql::UNORDERED_POSTGRES).fetch_all(pool).await?;
    if orders.is_empty() {
        return Ok(());
    }
    for (statement,) in orders {
        order_one(pool, &statement).await?;
    }
    Ok(())
}

/// One table, in a transaction of its own: nobody can use it until it is written anew, and nobody who waits for it keeps
/// the others waiting. Who is at work in it is waited for only so long at a time, for all who come after wait behind us.
async fn order_one(pool: &PgPool, statement: &str) -> Result<(), Error> {
    for _ in 0..TRIES {
        let mut tx = pool.begin().await?;
        // Replicas that start together do it once.
        sqlx::query(sql::TURN_POSTGRES).bind(ORDERING).execute(&mut *tx).await?;
        let left = sqlx::query_as::<_, (String,)>(sql::UNORDERED_POSTGRES).fetch_all(&mut *tx).await?;
        if !left.iter().any(|(other,)| other == statement) {
            return Ok(());
        }
        sqlx::query(sql::WAIT_POSTGRES).execute(&mut *tx).await?;
        // Names of tables and columns alone, quoted by the database itself.
        match sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut *tx).await {
            Ok(_) => return Ok(tx.commit().await?),
            Err(e) if is_in_use(&e) => {
                tx.rollback().await?;
                tokio::time::sleep(PAUSE).await;
            }
            Err(e) => return Err(e.into()),
        }
    }
    Err(Error::Schema(
        "a table must be written anew once, and others are at work in it: stop the other replicas and start again"
            .to_owned(),
    ))
}

/// Whether a table was not to be had in time, or only by waiting for each other.
fn is_in_use(e: &sqlx::Error) -> bool {
    let code = e.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| matches!(code.as_ref(), "55P03" | "40P01"))
}
