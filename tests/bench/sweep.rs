//! The sweep: whether it notices how much is not due yet, and how many rows it takes away.

use std::time::Duration;

use vouchsafe::on;
use vouchsafe::store::{Db, KEYSTORE, SqliteSettings};

use super::ground::{Ground, Where};
use super::measure::{Board, By, Goal, Outcome, Pairs, cost, median};

const DUE: i64 = 1000;
const FEW: i64 = 100_000;
const MANY: i64 = 5_000_000;
/// Rows filled in by one statement.
const LOT: i64 = 250_000;

/// Images that are not due for years, their ids in the order of their due times. $1 tenant, $2 subject, $3 first number,
/// $4 last, $5 due time of number 0.
pub(crate) const FILL_OBJECTS: &str = "WITH RECURSIVE n(i) AS (SELECT $3 UNION ALL SELECT i + 1 FROM n WHERE i < $4) \
    INSERT INTO object (id, tenant, subject, category, state, blob_key, cipher_len, meta, facts, \
    policy_version, kfp, created_at, due_at) SELECT printf('obj_%032x', i), $1, $2, 'output-image', 'live', \
    lower(hex(randomblob(21))), 1000, zeroblob(200), '{}', '2026-05-05', randomblob(32), $5, $5 + i FROM n";
const FILL_RECORDS: &str = "WITH RECURSIVE n(i) AS (SELECT $3 UNION ALL SELECT i + 1 FROM n WHERE i < $4) \
    INSERT INTO record (id, tenant, subject, category, name, revision, sealed, facts, policy_version, kfp, created_at, \
    updated_at, due_at) SELECT printf('rec_%032x', i), $1, $2, 'usage', 'event', 1, zeroblob(120), '{}', '2026-05-05', \
    randomblob(32), $5, $5, $5 + i FROM n";
/// The keys of such items. $1 tenant, $2 subject, $3 first number, $4 last, $5 how an item's key is named.
pub(crate) const FILL_KEYS: &str = "WITH RECURSIVE n(i) AS (SELECT $3 UNION ALL SELECT i + 1 FROM n WHERE i < $4) \
    INSERT INTO item_key (item, tenant, subject, id, kind, epoch, wrapped, kfp, created_at) \
    SELECT printf($5, i), $1, $2, printf('key_%032x', i), 'output-image', 1, randomblob(72), randomblob(32), 0 FROM n";

pub(crate) fn run(board: &mut Board) -> Outcome {
    if board.wants(&["sweep-among-many"]) {
        among_many(board)?;
    }
    if board.wants(&["sweep-rows"]) {
        rows(board)?;
    }
    Ok(())
}

struct Filled {
    ground: Ground,
    keys: Db,
    next: i64,
}

impl Filled {
    fn new(not_due: i64) -> Outcome<Self> {
        let ground = Ground::new(Where::Memory)?;
        let path = ground.path().join("keystore.db");
        let keys = ground.run.block_on(Db::sqlite(SqliteSettings { path: &path, readers: 1 }, &KEYSTORE))?;
        let mut filled = Self { ground, keys, next: 0 };
        while filled.next < not_due {
            let lot = LOT.min(not_due - filled.next);
            filled.fill(FILL_OBJECTS, lot, 4_000_000_000_000_000)?;
        }
        Ok(filled)
    }

    fn fill(&mut self, statement: &'static str, n: i64, due: i64) -> Outcome {
        let (first, owner) = (self.next, &self.ground.owner);
        self.next += n;
        self.ground.run.block_on(async {
            let mut tx = self.ground.app.db.begin().await?;
            on!(tx, |c| sqlx::query(statement)
                .bind(owner.tenant.as_str())
                .bind(owner.subject.to_string())
                .bind(first)
                .bind(first + n - 1)
                .bind(due)
                .execute(c)
                .await
                .map(|_| ()))?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Makes `n` things due, keys and all.
    fn make_due(&mut self, statement: &'static str, name: &str, n: i64) -> Outcome {
        let (first, owner) = (self.next, self.ground.owner.clone());
        self.fill(statement, n, 1_000_000_000_000_000)?;
        self.ground.run.block_on(async {
            let mut tx = self.keys.begin().await?;
            on!(tx, |c| sqlx::query(FILL_KEYS)
                .bind(owner.tenant.as_str())
                .bind(owner.subject.to_string())
                .bind(first)
                .bind(first + n - 1)
                .bind(name)
                .execute(c)
                .await
                .map(|_| ()))?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// What one sweep of `n` due things costs.
    fn sweep(&mut self, by: By, n: i64) -> Outcome<Duration> {
        let app = &self.ground.app;
        cost(by, || {
            let swept = self.ground.run.block_on(app.retention.sweep(&|| false))?;
            let gone: u64 = swept.iter().map(|s| s.erased).sum();
            if i64::try_from(gone)? == n { Ok(()) } else { Err(format!("{gone} of {n} were swept").into()) }
        })
    }

    fn sweep_objects(&mut self) -> Outcome<Duration> {
        self.make_due(FILL_OBJECTS, "obj_%032x", DUE)?;
        self.sweep(By::Cpu, DUE)
    }
}

fn among_many(board: &mut Board) -> Outcome {
    let (mut few, mut many) = (Filled::new(FEW)?, Filled::new(MANY)?);
    few.sweep_objects()?;
    many.sweep_objects()?;
    let costs =
        (0..7).map(|_| Ok((few.sweep_objects()?, many.sweep_objects()?))).collect::<Outcome<Vec<_>>>()?;
    let both = Pairs::of(costs);
    let (small, large) = both.millis();
    let behind = format!("{DUE} due images: {large:.0} ms of CPU among {MANY}, {small:.0} ms among {FEW}");
    board.tell("sweep-among-many", both.cost(), Goal::AtMost(2.0), &behind);
    Ok(())
}

fn rows(board: &mut Board) -> Outcome {
    const N: i64 = 10_000;
    let mut filled = Filled::new(0)?;
    let mut rates = Vec::new();
    for _ in 0..3 {
        filled.make_due(FILL_RECORDS, "rec_%032x#1", N)?;
        let took = filled.sweep(By::Cpu, N)?;
        rates.push(10_000.0 / took.as_secs_f64());
    }
    let rate = median(rates.into_iter());
    let behind = format!(
        "{rate:.0} records a second of CPU, each with its key destroyed and an entry of its own on the ledger; the \
        goal is 100,000"
    );
    board.tell("sweep-rows", rate / 100_000.0, Goal::AtLeast(1.0), &behind);
    Ok(())
}
