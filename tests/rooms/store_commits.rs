//! Commits that share a sync of the disk: what each caller may rely on, and what a full disk does to them.

use std::collections::BTreeSet;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::task::{JoinSet, yield_now};
use vouchsafe::base::Kind;
use vouchsafe::on;
use vouchsafe::store::{Db, Error, Tx};

use crate::each_database;
use crate::support::{Backend, TestDb};

const WRITE: &str = "INSERT INTO idempotency (tenant, caller, route, key_hash, request_hash, state, created_at, body) \
    VALUES ('t', $1, $2, $3, $3, 'done', 0, $4)";

/// A row under a name; a second one of a name is refused.
async fn write(tx: &mut Tx, name: &str, route: &str, bytes: usize) -> Result<(), Error> {
    let done = on!(tx, |c| sqlx::query(WRITE)
        .bind(name)
        .bind(route)
        .bind(&b"key"[..])
        .bind(vec![7_u8; bytes])
        .execute(c)
        .await
        .map(|_| ()));
    Ok(done?)
}

async fn names(db: &Db) -> Vec<String> {
    let mut tx = db.read().await.unwrap();
    let rows: Vec<(String,)> =
        on!(tx, |c| sqlx::query_as("SELECT caller FROM idempotency ORDER BY caller").fetch_all(c).await)
            .unwrap();
    rows.into_iter().map(|(name,)| name).collect()
}

/// Lets every task of this one thread run as far as it can without its turn.
async fn let_them_queue() {
    for _ in 0..20 {
        yield_now().await;
    }
}

/// Commits in a write-ahead log: frames that end one, of the log's present round (<https://sqlite.org/fileformat2.html#walformat>).
fn commits_in(log: &Path) -> usize {
    let bytes = std::fs::read(log).unwrap();
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let (page, salts) = (number(8) as usize, &bytes[16..24]);
    let starts = (32..).step_by(24 + page).take_while(|at| at + 24 + page <= bytes.len());
    starts.take_while(|at| &bytes[at + 8..at + 16] == salts).filter(|at| number(at + 4) != 0).count()
}

/// How many commits the disk saw when 64 writers wanted one each, at most `most` of them together.
async fn syncs_of_64_writers(most: usize) -> usize {
    let db = TestDb::open(Backend::Sqlite).await.unwrap();
    let log = db.folder().join("main.db-wal");
    db.main.share_commits(most);
    let mut first = db.main.begin().await.unwrap();
    let before = commits_in(&log);
    write(&mut first, "00", "a", 10).await.unwrap();
    let mut others = JoinSet::new();
    for n in 1..64 {
        let main = db.main.clone();
        others.spawn(async move {
            let mut tx = main.begin().await.unwrap();
            write(&mut tx, &format!("{n:02}"), "a", 10).await.unwrap();
            tx.commit().await.unwrap();
        });
    }
    let_them_queue().await;
    first.commit().await.unwrap();
    others.join_all().await;
    assert_eq!(names(&db.main).await.len(), 64);
    commits_in(&log) - before
}

#[tokio::test]
async fn writers_who_wait_for_their_turn_share_a_sync() {
    let shared = syncs_of_64_writers(64).await;
    assert!((1..=32).contains(&shared), "{shared} syncs for 64 writers");
    // The control: told not to share, each has its own.
    assert_eq!(syncs_of_64_writers(1).await, 64);
}

#[tokio::test]
async fn a_writer_for_whom_nobody_waits_has_its_own() {
    let db = TestDb::open(Backend::Sqlite).await.unwrap();
    let log = db.folder().join("main.db-wal");
    let before = commits_in(&log);
    for n in 0..10 {
        let mut tx = db.main.begin().await.unwrap();
        write(&mut tx, &n.to_string(), "a", 10).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(commits_in(&log) - before, 10);
}

each_database! {
    async fn what_one_undoes_the_others_keep(db: TestDb) {
        let mut writers = JoinSet::new();
        for n in 0..60 {
            let main = db.main.clone();
            writers.spawn(async move {
                let name = format!("{n:02}");
                let mut tx = main.begin().await.unwrap();
                write(&mut tx, &name, "a", 10).await.unwrap();
                match n % 4 {
                    0 => {}
                    1 => assert!(matches!(write(&mut tx, &name, "a", 10).await, Err(Error::Duplicate))),
                    _ => {
                        write(&mut tx, &name, "b", 10).await.unwrap();
                        tx.commit().await.unwrap();
                    }
                }
            });
        }
        writers.join_all().await;
        let kept: Vec<_> = (0..60).filter(|n| n % 4 > 1).flat_map(|n| [format!("{n:02}"), format!("{n:02}")]).collect();
        assert_eq!(names(&db.main).await, kept);
    }
}

#[tokio::test]
async fn nobody_is_told_before_it_is_on_the_disk() {
    for keeps in [true, false] {
        let db = TestDb::open(Backend::Sqlite).await.unwrap();
        let mut first = db.main.begin().await.unwrap();
        write(&mut first, "first", "a", 10).await.unwrap();
        let main = db.main.clone();
        let (has_turn, turn) = tokio::sync::oneshot::channel();
        let (go_on, told_to) = tokio::sync::oneshot::channel::<()>();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut second = main.begin().await.unwrap();
            write(&mut second, "second", "a", 10).await.unwrap();
            has_turn.send(()).unwrap();
            told_to.await.unwrap();
            if keeps {
                second.commit().await.unwrap();
            }
        });
        let_them_queue().await;
        tasks.spawn(async move { first.commit().await.unwrap() });
        turn.await.unwrap();
        let_them_queue().await;
        assert_eq!(tasks.len(), 2);
        assert!(tasks.try_join_next().is_none(), "told while the second was still at work");
        assert!(names(&db.main).await.is_empty(), "seen before it was kept");
        go_on.send(()).unwrap();
        tasks.join_all().await;
        let kept: &[&str] = if keeps { &["first", "second"] } else { &["first"] };
        assert_eq!(names(&db.main).await, kept);
    }
}

#[tokio::test]
async fn who_stops_waiting_takes_nobody_along() {
    let db = TestDb::open(Backend::Sqlite).await.unwrap();
    let mut first = db.main.begin().await.unwrap();
    write(&mut first, "00", "a", 10).await.unwrap();
    let (mut leaving, mut staying) = (Vec::new(), JoinSet::new());
    for n in 1..30 {
        let main = db.main.clone();
        let work = async move {
            let mut tx = main.begin().await.unwrap();
            write(&mut tx, &format!("{n:02}"), "a", 10).await.unwrap();
            tx.commit().await.unwrap();
        };
        let handle = staying.spawn(work);
        if n % 3 == 0 {
            leaving.push(handle);
        }
    }
    let_them_queue().await;
    let gone = tokio::join!(first.commit(), async {
        for handle in &leaving {
            yield_now().await;
            handle.abort();
        }
    });
    gone.0.unwrap();
    while let Some(ended) = staying.join_next().await {
        assert!(ended.is_ok() || ended.unwrap_err().is_cancelled());
    }
    // Whoever stayed is kept; whoever left may or may not be, and nobody waits for ever.
    let kept: BTreeSet<_> = names(&db.main).await.into_iter().collect();
    assert!((0..30).filter(|n| n % 3 != 0 || *n == 0).all(|n| kept.contains(&format!("{n:02}"))), "{kept:?}");
    let mut after = db.main.begin().await.unwrap();
    write(&mut after, "after", "a", 10).await.unwrap();
    after.commit().await.unwrap();
}

/// Room for so many pages more than there are, or for all.
async fn limit(db: &Db, more: Option<i64>) {
    let mut tx = db.begin().await.unwrap();
    let pages: (i64,) = on_sqlite(&mut tx, "PRAGMA page_count").await;
    let most = more.map_or(1_000_000, |more| pages.0 + more);
    let _: (i64,) = on_sqlite(&mut tx, &format!("PRAGMA max_page_count = {most}")).await;
    tx.commit().await.unwrap();
}

async fn on_sqlite(tx: &mut Tx, statement: &str) -> (i64,) {
    let statement = statement.to_owned();
    match tx.conn() {
        vouchsafe::store::Conn::Sqlite(c) => {
            sqlx::query_as(AssertSqlSafe(statement)).fetch_one(c).await.unwrap()
        }
        vouchsafe::store::Conn::Postgres(_) => panic!("not SQLite"),
    }
}

/// T18 in small: room for 0 to 39 pages, twelve writers of two rows each at once, of which some delete.
#[tokio::test]
async fn a_full_disk_keeps_all_of_a_write_or_nothing() {
    let db = TestDb::open(Backend::Sqlite).await.unwrap();
    let (mut kept, mut refused) = (0, 0);
    for room in 0..40 {
        limit(&db.main, Some(room)).await;
        let mut writers = JoinSet::new();
        for n in 0..12 {
            let main = db.main.clone();
            writers.spawn(async move {
                let name = format!("{room:02}-{n:02}");
                let done = async {
                    let mut tx = main.begin().await?;
                    write(&mut tx, &name, "a", 3000).await?;
                    write(&mut tx, &name, "b", 6000).await?;
                    tx.commit().await
                };
                (name.clone(), done.await)
            });
        }
        let told = writers.join_all().await;
        let rows = names(&db.main).await;
        for (name, told) in told {
            let there = rows.iter().filter(|row| **row == name).count();
            match told {
                Ok(()) => assert_eq!(there, 2, "{name} was acknowledged"),
                Err(e) => {
                    assert_eq!(there, 0, "{name} was refused: {e}");
                    assert!(matches!(e.kind(), Kind::Full | Kind::Unavailable), "{name}: {e:?}");
                    refused += 1;
                    continue;
                }
            }
            kept += 1;
        }
        limit(&db.main, None).await;
        let mut tx = db.main.begin().await.unwrap();
        write(&mut tx, &format!("{room:02}-after"), "a", 60_000).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = db.main.begin().await.unwrap();
        on!(tx, |c| sqlx::query("DELETE FROM idempotency").execute(c).await.map(|_| ())).unwrap();
        on!(tx, |c| sqlx::query("PRAGMA incremental_vacuum").execute(c).await.map(|_| ())).unwrap();
        tx.commit().await.unwrap();
    }
    assert!(
        kept > 50 && refused > 50,
        "{kept} kept and {refused} refused: the room was never short, or always"
    );
}

/// The control: a transaction as the driver has them does not survive a full disk. SQLite undoes it by itself, the driver
/// believes it open for ever, and the one connection that may write refuses everything until the process is started anew.
#[tokio::test]
async fn a_transaction_of_the_drivers_own_is_stuck_after_a_full_disk() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(dir.path().join("a.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("max_page_count", "8");
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .unwrap();
    pool.execute("CREATE TABLE t (bytes BLOB)").await.unwrap();
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let full = tx.execute("INSERT INTO t VALUES (zeroblob(100000))").await.unwrap_err();
    assert!(matches!(Error::from(full), Error::Full));
    drop(tx);
    assert!(pool.begin_with("BEGIN IMMEDIATE").await.is_err());
}
