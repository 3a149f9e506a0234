//! The one connection that writes a SQLite file, and commits that share a sync of the disk.
//!
//! A durable commit waits for the disk, much longer than its statements take. So while others wait for their turn, one
//! transaction stays open for all: each caller's is a savepoint in it, kept or undone by itself, and nobody is told
//! that theirs is kept before the whole is on the disk. A writer for whom nobody waits commits at once, by itself.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as Books, PoisonError};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard, oneshot};
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;

use super::{Error, Schema, sql};

const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";
const BEGIN_PART: &str = "SAVEPOINT part";
const KEEP_PART: &str = "RELEASE SAVEPOINT part";
const UNDO_PART: &str = "ROLLBACK TO SAVEPOINT part";

/// How long a caller waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most callers that share a commit.
const TOGETHER: usize = 64;
/// A commit that has waited this long for others waits no longer.
const LONGEST_WAIT: Duration = Duration::from_millis(25);
/// After a fault that several had to suffer for one, so many commits are made one by one: on a full disk, what deletes
/// must not go down with what adds.
const APART_AFTER_A_FAULT: u32 = 64;

/// Writes a SQLite file, one caller at a time. Cheap to clone.
#[derive(Clone)]
pub struct Writer(Arc<Shared>);

struct Shared {
    options: SqliteConnectOptions,
    /// Whoever holds it has the turn.
    line: Arc<Mutex<Option<SqliteConnection>>>,
    /// Whoever holds it is at work that goes over several transactions.
    alone: Arc<Mutex<()>>,
    /// Only whoever has the turn looks into it.
    standing: Books<Standing>,
    /// Callers who wait for their turn.
    waiting: AtomicUsize,
    together: AtomicUsize,
    /// What must be finished whether or not anybody still waits for it.
    tasks: TaskTracker,
}

type Line = OwnedMappedMutexGuard<Option<SqliteConnection>, SqliteConnection>;

#[derive(Debug)]
struct Standing {
    /// What has to be undone unless whoever has the turn keeps it.
    unfinished: Unfinished,
    /// Those whose part is kept and who wait for the shared commit.
    kept: Vec<oneshot::Sender<Result<(), Error>>>,
    /// When the first of them began to wait.
    since: Instant,
    /// Counts shared commits, so that one can be told from the next.
    number: u64,
    /// Commits that are still to be made one by one.
    apart: u32,
    /// The connection cannot be trusted any more.
    stale: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unfinished {
    Nothing,
    /// A savepoint within what others keep.
    Part,
    /// All that is open.
    Whole,
}

/// A turn: one caller's transaction. Dropped without [`Turn::commit`], it is undone.
pub(super) struct Turn {
    line: Line,
    writer: Writer,
}

/// Counts a caller for as long as it waits.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn among(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::SeqCst);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Writer {
    /// Connects, and brings the schema up to date.
    pub(super) async fn open(options: SqliteConnectOptions, schema: &Schema) -> Result<Self, Error> {
        let mut connection = options.connect().await?;
        schema.migrate_sqlite(&mut connection).await?;
        let standing = Standing {
            unfinished: Unfinished::Nothing,
            kept: Vec::new(),
            since: Instant::now(),
            number: 0,
            apart: 0,
            stale: false,
        };
        Ok(Self(Arc::new(Shared {
            options,
            line: Arc::new(Mutex::new(Some(connection))),
            alone: Arc::default(),
            standing: Books::new(standing),
            waiting: AtomicUsize::new(0),
            together: AtomicUsize::new(TOGETHER),
            tasks: TaskTracker::new(),
        })))
    }

    /// How many callers may share a commit from now on; with 1, each has its own.
    pub(super) fn share(&self, most: usize) {
        self.0.together.store(most.max(1), Ordering::SeqCst);
    }

    /// Waits until nobody else is at work that goes over several transactions.
    pub(super) async fn alone(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.0.alone).lock_owned().await
    }

    /// Waits for the turn and begins a transaction, which takes SQLite's own lock at once.
    pub(super) async fn begin(&self) -> Result<Turn, Error> {
        let line = {
            let _waits = Waits::among(&self.0.waiting);
            timeout(PATIENCE, self.line()).await.map_err(|_| Error::Unavailable)??
        };
        let joins = self.with(|s| {
            let joins = !s.kept.is_empty();
            s.unfinished = if joins { Unfinished::Part } else { Unfinished::Whole };
            joins
        });
        // From here on, whatever is cut short is undone by the turn's drop.
        let mut turn = Turn { line, writer: self.clone() };
        run(&mut turn.line, if joins { BEGIN_PART } else { BEGIN }).await?;
        Ok(turn)
    }

    /// Moves the log into the file and cuts it; `false` when a reader was in the way.
    pub(super) async fn truncate_log(&self) -> Result<bool, Error> {
        let writer = self.clone();
        let cut = self.0.tasks.spawn(async move {
            let mut line = writer.line().await?;
            writer.settle(&mut line).await;
            let (busy, ..): (i64, i64, i64) = sqlx::query_as(sql::CHECKPOINT).fetch_one(&mut *line).await?;
            Ok(busy == 0)
        });
        cut.await.map_err(|_| Error::Unavailable)?
    }

    /// Lets those at work finish, and closes the file.
    pub(super) async fn close(&self) {
        let writer = self.clone();
        let closed = self.0.tasks.spawn(async move {
            let mut held = Arc::clone(&writer.0.line).lock_owned().await;
            if let Some(line) = held.as_mut() {
                writer.undo(line).await;
                writer.settle(line).await;
            }
            writer.0.tasks.close();
            if let Some(line) = held.take()
                && line.close().await.is_err()
            {
                tracing::warn!("a database was not closed in good order; its log is read at the next start");
            }
        });
        // Cut off only where the whole process is.
        let _ = closed.await;
    }

    /// The turn, after what the one before left has been undone.
    async fn line(&self) -> Result<Line, Error> {
        let mut held = Arc::clone(&self.0.line).lock_owned().await;
        if self.0.tasks.is_closed() {
            return Err(Error::Unavailable);
        }
        if self.with(|s| std::mem::take(&mut s.stale)) {
            *held = None;
        }
        if held.is_none() {
            *held = Some(self.0.options.connect().await?);
        }
        let mut line = OwnedMutexGuard::try_map(held, Option::as_mut).map_err(|_| Error::Unavailable)?;
        self.undo(&mut line).await;
        Ok(line)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Standing) -> T) -> T {
        look(&mut self.0.standing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Undoes what a turn left that did not keep it.
    async fn undo(&self, line: &mut SqliteConnection) {
        match self.with(|s| s.unfinished) {
            Unfinished::Nothing => return,
            Unfinished::Whole => self.roll_back(line).await,
            Unfinished::Part => {
                // SQLite ends the whole transaction by itself when there is no room; then all are lost together.
                if run(line, UNDO_PART).await.is_err() || run(line, KEEP_PART).await.is_err() {
                    self.lose(line, &Error::Busy).await;
                }
            }
        }
        self.with(|s| s.unfinished = Unfinished::Nothing);
    }

    /// Commits for all who wait for it, and tells them.
    async fn settle(&self, line: &mut SqliteConnection) {
        if self.with(|s| s.kept.is_empty()) {
            return;
        }
        if let Err(e) = run(line, COMMIT).await {
            return self.lose(line, &e).await;
        }
        let kept = self.with(|s| {
            s.number += 1;
            s.apart = s.apart.saturating_sub(1);
            std::mem::take(&mut s.kept)
        });
        for one in kept {
            // Whoever is no longer there to be told has it kept all the same.
            let _ = one.send(Ok(()));
        }
    }

    /// The shared transaction is lost: nobody's part of it is kept, and all are told so.
    async fn lose(&self, line: &mut SqliteConnection, why: &Error) {
        self.roll_back(line).await;
        let kept = self.with(|s| {
            s.number += 1;
            s.apart = APART_AFTER_A_FAULT;
            std::mem::take(&mut s.kept)
        });
        tracing::warn!(shared_by = kept.len(), "a commit failed: {why}");
        for one in kept {
            let _ = one.send(Err(why.to_all()));
        }
    }

    /// Undoes all that is open. A connection that cannot even do that is replaced.
    async fn roll_back(&self, line: &mut SqliteConnection) {
        match sqlx::query(ROLLBACK).execute(line).await {
            Ok(_) => {}
            // After some faults SQLite has done it by itself.
            Err(sqlx::Error::Database(d)) if d.message().contains("no transaction is active") => {}
            Err(_) => self.with(|s| s.stale = true),
        }
    }
}

impl Turn {
    /// The connection.
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.line
    }

    /// Keeps what was done; durable when this returns.
    pub(super) async fn commit(self) -> Result<(), Error> {
        let (tell, told) = oneshot::channel();
        // A task of its own: whoever asked may stop waiting for it, and those who share it must not suffer from that.
        self.writer.clone().0.tasks.spawn(self.keep(tell));
        told.await.unwrap_or(Err(Error::Unavailable))
    }

    async fn keep(mut self, tell: oneshot::Sender<Result<(), Error>>) {
        let writer = self.writer.clone();
        if writer.with(|s| s.unfinished) == Unfinished::Part
            && let Err(e) = run(&mut self.line, KEEP_PART).await
        {
            writer.lose(&mut self.line, &Error::Busy).await;
            writer.with(|s| s.unfinished = Unfinished::Nothing);
            let _ = tell.send(Err(e));
            return;
        }
        let nobody_waits = writer.0.waiting.load(Ordering::SeqCst) == 0;
        let together = writer.0.together.load(Ordering::SeqCst);
        let (now, first, number) = writer.with(|s| {
            s.unfinished = Unfinished::Nothing;
            let first = s.kept.is_empty();
            if first {
                s.since = Instant::now();
            }
            s.kept.push(tell);
            let enough = s.kept.len() >= together || s.apart > 0 || s.since.elapsed() >= LONGEST_WAIT;
            (nobody_waits || enough, first, s.number)
        });
        if now {
            return writer.settle(&mut self.line).await;
        }
        drop(self);
        if first {
            // Behind all who wait at this moment: they may join, and then it is committed, if it has not been.
            if let Ok(mut line) = writer.line().await
                && writer.with(|s| s.number) == number
            {
                writer.settle(&mut line).await;
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let left = self.writer.with(|s| s.unfinished);
        // Undone at once, so that no other process waits for SQLite's lock; without a runtime, by whoever comes next.
        if left != Unfinished::Nothing
            && let Ok(handle) = Handle::try_current()
        {
            let writer = self.writer.clone();
            let undone = async move { writer.line().await.map(drop) };
            self.writer.0.tasks.spawn_on(undone, &handle);
        }
    }
}

async fn run(line: &mut SqliteConnection, statement: &'static str) -> Result<(), Error> {
    sqlx::query(statement).execute(line).await?;
    Ok(())
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").finish_non_exhaustive()
    }
}
