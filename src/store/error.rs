use crate::base::Kind;

/// What can go wrong with a database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A row with this key is there already.
    #[error("a row with this key exists already")]
    Duplicate,
    /// A row that this one points at is missing, or still pointed at.
    #[error("a row points at one that is not there")]
    Dangling,
    /// Another transaction was in the way; the same call may succeed at once.
    #[error("the database was busy with another transaction")]
    Busy,
    /// The disk, or the database's quota, is full.
    #[error("the database's disk is full")]
    Full,
    /// The database cannot be reached, or gave no connection in time.
    #[error("the database cannot be reached")]
    Unavailable,
    /// A row that cannot be true: a fault of ours, or a tampered database.
    #[error("{table}.{column} holds a value that cannot be")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The database was migrated by a newer program, or a released migration was edited.
    #[error("the database's schema does not fit this program: {0}")]
    Schema(String),
    /// Anything else the driver says. Its text may name columns and never reaches a caller.
    #[error("the database refused a statement")]
    Driver(#[source] sqlx::Error),
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Duplicate | Self::Dangling => Kind::Conflict,
            Self::Busy | Self::Unavailable => Kind::Unavailable,
            Self::Full => Kind::Full,
            Self::Inconsistent { .. } | Self::Schema(_) | Self::Driver(_) => Kind::Internal,
        }
    }

    /// What those are told who shared a commit with the one that failed like this.
    pub(super) fn to_all(&self) -> Self {
        match self {
            Self::Busy => Self::Busy,
            Self::Full => Self::Full,
            _ => Self::Unavailable,
        }
    }

    /// For a column whose text did not parse.
    pub fn inconsistent(table: &'static str, column: &'static str) -> Self {
        Self::Inconsistent { table, column }
    }
}

impl From<sqlx::Error> for Error {
    fn from(e: sqlx::Error) -> Self {
        match &e {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => Self::Unavailable,
            sqlx::Error::Database(d) if d.is_unique_violation() => Self::Duplicate,
            sqlx::Error::Database(d) if d.is_foreign_key_violation() => Self::Dangling,
            // SQLite's primary result codes 5 BUSY, 6 LOCKED, 10 IOERR, 13 FULL, 14 CANTOPEN (extended codes keep them
            // in the low byte); of the tenth, 4874 is the shared memory beside the log that did not find room to grow.
            // PostgreSQL's 40001 serialization failure, 40P01 deadlock, 53100 disk full, 57P0x shutting down.
            sqlx::Error::Database(d) => match d.code().as_deref() {
                Some("40001" | "40P01") => Self::Busy,
                Some("53100") => Self::Full,
                Some("57P01" | "57P02" | "57P03" | "53300") => Self::Unavailable,
                Some(code) => match code.parse::<u32>().map(|c| c & 0xff) {
                    Ok(5 | 6) if code.len() <= 4 => Self::Busy,
                    Ok(13) if code.len() <= 4 => Self::Full,
                    Ok(10) if code == "4874" => Self::Full,
                    Ok(10 | 14) if code.len() <= 4 => Self::Unavailable,
                    _ => Self::Driver(e),
                },
                None => Self::Driver(e),
            },
            _ => Self::Driver(e),
        }
    }
}
