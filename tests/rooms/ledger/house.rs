//! A ledger to test with.

use std::path::PathBuf;

use serde_json::json;
use vouchsafe::base::{Clock, Entropy, ManualClock, Secret, TenantId, Timestamp};
use vouchsafe::ledger::{Appended, Entry, EntryKind, Fact, Leaf, Ledger, SignerKey};
use vouchsafe::on;

use crate::support::TestDb;

pub(super) struct House {
    pub(super) db: TestDb,
    pub(super) ledger: Ledger,
    pub(super) clock: Clock,
    pub(super) hand: ManualClock,
}

pub(super) fn tenant() -> TenantId {
    "flux-kontext".parse().unwrap()
}

pub(super) fn key() -> SignerKey {
    SignerKey::ledger("example.org/ledger", &Secret::new([42; 32])).unwrap()
}

/// The number that [`House::entry`] put into an entry.
pub(super) fn number(leaf: &Leaf) -> i64 {
    match leaf.facts.get("n") {
        Some(Fact::Number(n)) => *n,
        other => panic!("{other:?}"),
    }
}

/// One value to bind to a statement.
#[derive(Debug, Clone)]
pub(super) enum Bind {
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl House {
    pub(super) async fn new(db: TestDb) -> Self {
        let (clock, hand) = Clock::manual(Timestamp::parse_rfc3339("2026-05-05T14:07:09Z").unwrap());
        let (main, entropy, head) = (db.main.clone(), Entropy::system(), db.folder().join("head"));
        let ledger = Ledger::open(main, key(), clock.clone(), entropy, head).await.unwrap();
        Self { db, ledger, clock, hand }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.db.folder().join(name)
    }

    /// The same ledger as another process would open it, with a state file of its own.
    pub(super) async fn ledger_of(&self, file: &str) -> Ledger {
        let (db, clock) = (self.db.again().await.unwrap(), self.clock.clone());
        Ledger::open(db, key(), clock, Entropy::system(), self.path(file)).await.unwrap()
    }

    pub(super) fn entry(&self, n: u64) -> Entry {
        let kind = if n.is_multiple_of(2) { EntryKind::OBJECT_STORED } else { EntryKind::ERASURE_COMPLETED };
        Entry::new(kind, self.clock.now(), &tenant(), "service")
            .about(format!("subject-{}", n % 3).parse().unwrap())
            .fact("n", n)
            .details(json!({"name": format!("canary {n}")}))
    }

    /// Writes entries in one transaction.
    pub(super) async fn write(&self, numbers: impl IntoIterator<Item = u64>) -> Vec<Appended> {
        let mut tx = self.db.main.begin().await.unwrap();
        let mut out = Vec::new();
        for n in numbers {
            out.push(self.ledger.append(&mut tx, self.entry(n)).await.unwrap());
        }
        tx.commit().await.unwrap();
        out
    }

    /// Behind the ledger's back: runs a statement, answers with the number of rows changed.
    pub(super) async fn sql(&self, sql: &'static str, values: &[Bind]) -> u64 {
        let mut tx = self.db.main.begin().await.unwrap();
        let rows = on!(tx, |c| {
            let mut query = sqlx::query(sql);
            for value in values {
                query = match value.clone() {
                    Bind::Number(n) => query.bind(n),
                    Bind::Text(t) => query.bind(t),
                    Bind::Bytes(b) => query.bind(b),
                };
            }
            query.execute(c).await.map(|r| r.rows_affected())
        });
        tx.commit().await.unwrap();
        rows.unwrap()
    }

    /// The bytes of one column.
    pub(super) async fn bytes(&self, sql: &'static str) -> Vec<u8> {
        let mut tx = self.db.main.read().await.unwrap();
        let (bytes,): (Vec<u8>,) = on!(tx, |c| sqlx::query_as(sql).fetch_one(c).await).unwrap();
        bytes
    }
}
