use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::OwnedMutexGuard;

use super::writer::{Turn, Writer};
use super::{Error, Schema};
use crate::base::Secret;

/// A database of either kind. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Db {
    /// One file: readers in parallel, one connection that writes.
    Sqlite {
        /// Readers.
        read: SqlitePool,
        /// The writer.
        write: Writer,
    },
    /// A server.
    Postgres(PgPool),
}

/// How to open a SQLite file.
#[derive(Debug, Clone, Copy)]
pub struct SqliteSettings<'a> {
    /// Where it lies. Created with its folder's permissions if missing.
    pub path: &'a Path,
    /// Connections that read.
    pub readers: u32,
}

/// How to reach a PostgreSQL server.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:port/database`.
    pub url: Secret<String>,
    /// Most connections held.
    pub connections: u32,
}

impl Db {
    /// Opens a SQLite file: write-ahead log, every commit synced to disk before it is acknowledged, freed pages
    /// overwritten with zeroes, nothing spilled into temporary files.
    pub async fn sqlite(settings: SqliteSettings<'_>, schema: &Schema) -> Result<Self, Error> {
        // What both kinds of connection have in common; a reader that set the others would be refused as a writer.
        let options = SqliteConnectOptions::new()
            .filename(settings.path)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("trusted_schema", "OFF");
        let writing = options
            .clone()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY");
        let write = Writer::open(writing, schema).await?;
        let read = SqlitePoolOptions::new()
            .max_connections(settings.readers.max(1))
            .acquire_timeout(Duration::from_secs(30))
            .test_before_acquire(false)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self::Sqlite { read, write })
    }

    /// Connects to a PostgreSQL server and brings its schema up to date.
    pub async fn postgres(settings: &PostgresSettings, schema: &Schema) -> Result<Self, Error> {
        let options = PgConnectOptions::from_str(settings.url.expose())?;
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections.max(2))
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options)
            .await?;
        schema.migrate_postgres(&pool).await?;
        Ok(Self::Postgres(pool))
    }

    /// Begins a transaction that writes. On SQLite it waits for the writer's turn and takes the lock at once. Whoever
    /// holds one must wait for nobody who may be about to begin or to commit another on the same database.
    pub async fn begin(&self) -> Result<Tx, Error> {
        Ok(Tx(match self {
            Self::Sqlite { write, .. } => Inner::Sqlite(write.begin().await?),
            Self::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        }))
    }

    /// A connection to read with, outside any transaction: each statement sees what is committed when it starts.
    pub async fn read(&self) -> Result<Tx, Error> {
        Ok(Tx(match self {
            Self::Sqlite { read, .. } => Inner::SqliteRead(read.acquire().await?),
            Self::Postgres(pool) => Inner::PostgresRead(pool.acquire().await?),
        }))
    }

    /// Waits until nobody else is alone with `what`, here or in another replica over this database, and keeps everybody else
    /// waiting until what is given back is dropped: for work that goes over several transactions. On SQLite, which one
    /// process has for itself, one at a time is alone with anything. On PostgreSQL a connection is kept for as long, by
    /// whoever waits as well: a caller bounds how many of its own can ask at once.
    pub async fn alone(&self, what: &str) -> Result<Alone, Error> {
        if let Self::Sqlite { write, .. } = self {
            return Ok(Alone { _here: Some(write.alone().await), _everywhere: None });
        }
        let mut tx = self.begin().await?;
        tx.take_turn(what).await?;
        Ok(Alone { _here: None, _everywhere: Some(tx) })
    }

    /// Whether this is SQLite.
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }

    /// Moves the write-ahead log into the file and cuts it to nothing, so that no deleted row lives on in it. On
    /// PostgreSQL there is no such call; what protects deleted rows there is that the key above them dies (the epoch).
    pub async fn truncate_log(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite { write, .. } if !write.truncate_log().await? => Err(Error::Busy),
            Self::Sqlite { .. } | Self::Postgres(_) => Ok(()),
        }
    }

    /// How many transactions may share one sync of the disk from now on (SQLite; 64 unless said); with 1, each has its
    /// own. No more than that changes: none is acknowledged before it is durable. PostgreSQL does this by itself.
    pub fn share_commits(&self, most: usize) {
        if let Self::Sqlite { write, .. } = self {
            write.share(most);
        }
    }

    /// Writes a copy of a SQLite database into an empty file, as it is at one moment, beside whoever writes. What was
    /// deleted is not in the copy. `false`, and nothing done, for a server: it has tools of its own.
    pub async fn copy_into(&self, file: &str) -> Result<bool, Error> {
        let Self::Sqlite { read, .. } = self else { return Ok(false) };
        sqlx::query(super::sql::COPY_SQLITE).bind(file).execute(read).await?;
        Ok(true)
    }

    /// How many bytes a copy of a SQLite file takes at most. `None` for a server.
    pub async fn copy_takes(&self) -> Result<Option<u64>, Error> {
        let Self::Sqlite { read, .. } = self else { return Ok(None) };
        let (bytes,): (i64,) = sqlx::query_as(super::sql::SIZE_SQLITE).fetch_one(read).await?;
        Ok(u64::try_from(bytes).ok())
    }

    /// Whether the pages of a SQLite file hang together. A server looks after its own.
    pub async fn is_sound(&self) -> Result<bool, Error> {
        let Self::Sqlite { read, .. } = self else { return Ok(true) };
        let (said,): (String,) = sqlx::query_as(super::sql::SOUND).fetch_one(read).await?;
        Ok(said == "ok")
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        let mut tx = self.read().await?;
        let (_,): (i64,) = crate::on!(tx, |c| sqlx::query_as(super::sql::PING).fetch_one(c).await)?;
        Ok(())
    }

    /// Closes every connection, after letting those at work finish.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Keeps others waiting for as long as it is there ([`Db::alone`]).
#[derive(Debug)]
pub struct Alone {
    _here: Option<OwnedMutexGuard<()>>,
    _everywhere: Option<Tx>,
}

/// A connection in use: a transaction that writes, or a reader. Dropped without [`Tx::commit`], a transaction is undone.
#[derive(Debug)]
pub struct Tx(Inner);

#[derive(Debug)]
enum Inner {
    Sqlite(Turn),
    SqliteRead(PoolConnection<Sqlite>),
    Postgres(Transaction<'static, Postgres>),
    PostgresRead(PoolConnection<Postgres>),
}

/// The driver's own connection, for the [`crate::on!`] macro.
#[derive(Debug)]
pub enum Conn<'c> {
    /// SQLite.
    Sqlite(&'c mut SqliteConnection),
    /// PostgreSQL.
    Postgres(&'c mut PgConnection),
}

impl Tx {
    /// The connection.
    pub fn conn(&mut self) -> Conn<'_> {
        match &mut self.0 {
            Inner::Sqlite(t) => Conn::Sqlite(t.connection()),
            Inner::SqliteRead(c) => Conn::Sqlite(c),
            Inner::Postgres(t) => Conn::Postgres(t),
            Inner::PostgresRead(c) => Conn::Postgres(c),
        }
    }

    /// Whether this is SQLite.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.0, Inner::Sqlite(_) | Inner::SqliteRead(_))
    }

    /// Waits until no other transaction that writes has its turn at `what`, and takes it until the end of this one: for
    /// counting before adding, where no row stands for the count. On SQLite writers take turns at everything already.
    pub async fn take_turn(&mut self, what: &str) -> Result<(), Error> {
        let turn = turn(what);
        if let Inner::Postgres(t) = &mut self.0 {
            sqlx::query(super::sql::TURN_POSTGRES).bind(turn).execute(&mut **t).await?;
        }
        Ok(())
    }

    /// Keeps [`Tx::take_turn`] at `what` from being taken until the end of this transaction, and waits while it is; any
    /// number may do so at once. On SQLite writers take turns at everything already.
    pub async fn share_turn(&mut self, what: &str) -> Result<(), Error> {
        let turn = turn(what);
        if let Inner::Postgres(t) = &mut self.0 {
            sqlx::query(super::sql::SHARED_TURN_POSTGRES).bind(turn).execute(&mut **t).await?;
        }
        Ok(())
    }

    /// Makes the writes durable. A reader has nothing to commit. On SQLite, writers who wait for their turn meanwhile may
    /// share the sync of the disk; each answers for its own part, and only a fault of the disk itself fails them all.
    pub async fn commit(self) -> Result<(), Error> {
        match self.0 {
            Inner::Sqlite(t) => t.commit().await?,
            Inner::Postgres(t) => t.commit().await?,
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => {}
        }
        Ok(())
    }
}

/// The number by which PostgreSQL knows a turn.
fn turn(what: &str) -> i64 {
    let hash = crate::crypto::sha256(what.as_bytes());
    i64::from_be_bytes(hash.first_chunk::<8>().copied().unwrap_or_default())
}
