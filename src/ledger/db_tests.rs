//! The ledger over a database: SQLite always, PostgreSQL when `TEST_POSTGRES_URL` names a server.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::base::{ManualClock, PageSize, Secret, TenantId, Timestamp};
use crate::store::{MAIN, PostgresSettings, SqliteSettings};

const SEED: [u8; 32] = [42; 32];

struct House {
    dir: TempDir,
    db: Db,
    ledger: Ledger,
    hand: ManualClock,
    clock: Clock,
}

fn tenant() -> TenantId {
    "flux-kontext".parse().unwrap()
}

fn key() -> SignerKey {
    SignerKey::ledger("example.org/ledger", &Secret::new(SEED)).unwrap()
}

async fn sqlite(path: &std::path::Path) -> Db {
    Db::sqlite(SqliteSettings { path, readers: 4 }, &MAIN).await.unwrap()
}

async fn open(db: &Db, clock: &Clock, file: PathBuf) -> Ledger {
    Ledger::open(db.clone(), key(), clock.clone(), Entropy::system(), file).await.unwrap()
}

async fn house_on(db: Db, dir: TempDir) -> House {
    let (clock, hand) = Clock::manual(Timestamp::parse_rfc3339("2026-05-05T14:07:09Z").unwrap());
    let ledger = open(&db, &clock, dir.path().join("head")).await;
    House { dir, db, ledger, hand, clock }
}

async fn house() -> House {
    let dir = tempfile::tempdir().unwrap();
    let db = sqlite(&dir.path().join("main.db")).await;
    house_on(db, dir).await
}

impl House {
    fn entry(&self, n: u64) -> Entry {
        let kind = if n.is_multiple_of(2) { EntryKind::OBJECT_STORED } else { EntryKind::ERASURE_COMPLETED };
        Entry::new(kind, self.clock.now(), &tenant(), "service")
            .about(format!("subject-{}", n % 3).parse().unwrap())
            .fact("n", n)
            .details(json!({"name": format!("canary {n}")}))
    }

    async fn write(&self, numbers: impl IntoIterator<Item = u64>) -> Vec<Appended> {
        let mut tx = self.db.begin().await.unwrap();
        let mut out = Vec::new();
        for n in numbers {
            out.push(self.ledger.append(&mut tx, self.entry(n)).await.unwrap());
        }
        tx.commit().await.unwrap();
        out
    }

    async fn sql(&self, sql: &'static str) -> u64 {
        let mut tx = self.db.begin().await.unwrap();
        let rows = crate::on!(tx, |c| sqlx::query(sql).execute(c).await.map(|r| r.rows_affected())).unwrap();
        tx.commit().await.unwrap();
        rows
    }
}

fn number(leaf: &Leaf) -> i64 {
    match leaf.facts.get("n") {
        Some(Fact::Number(n)) => *n,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_entry_is_there_when_its_transaction_is_and_not_otherwise() {
    let house = house().await;
    let mut tx = house.db.begin().await.unwrap();
    let lost = house.ledger.append(&mut tx, house.entry(1)).await.unwrap();
    drop(tx);
    let kept = house.write([2]).await.remove(0);
    assert!(matches!(house.ledger.entry(kept.id).await, Err(Error::Pending)));
    assert!(matches!(house.ledger.proof(kept.id).await, Err(Error::Pending)));
    assert_eq!(house.ledger.sequence().await.unwrap().unwrap().size(), 1);
    assert!(matches!(house.ledger.entry(lost.id).await, Err(Error::NotFound)));
    assert_eq!(house.ledger.entry(kept.id).await.unwrap().index, 0);
    assert!(house.ledger.sequence().await.unwrap().is_none(), "nothing waits");
}

#[tokio::test]
async fn entries_stand_in_the_order_in_which_they_were_written() {
    let house = house().await;
    house.write(0..700).await;
    let head = house.ledger.sequence().await.unwrap().unwrap();
    assert_eq!(head.size(), 700);
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = house.ledger.tail(PageSize::new(200).unwrap(), after.as_deref()).await.unwrap();
        seen.extend(page.items.iter().map(|e| number(&e.leaf)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..700).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_board_shows_a_tenants_entries_by_kind_and_person() {
    let house = house().await;
    house.write(0..12).await;
    house.ledger.sequence().await.unwrap();
    let numbers = async |tenant: &str, kind: Option<EntryKind>, subject: Option<&str>| {
        let filter = Filter { kind, subject: subject.map(|s| s.parse().unwrap()) };
        let tenant = tenant.parse().unwrap();
        let page = house.ledger.list(&tenant, &filter, PageSize::new(5).unwrap(), None).await.unwrap();
        (page.items.iter().map(|e| number(&e.leaf)).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(numbers("flux-kontext", None, None).await, (vec![11, 10, 9, 8, 7], Some("7".to_owned())));
    let stored = Some(EntryKind::OBJECT_STORED);
    assert_eq!(numbers("flux-kontext", stored.clone(), None).await.0, [10, 8, 6, 4, 2]);
    assert_eq!(numbers("flux-kontext", None, Some("subject-1")).await, (vec![10, 7, 4, 1], None));
    assert_eq!(numbers("flux-kontext", stored, Some("subject-1")).await.0, [10, 4]);
    assert_eq!(numbers("opusflair", None, None).await.0, [0_i64; 0]);
    let bad = house.ledger.tail(PageSize::default(), Some("-1")).await;
    assert!(matches!(bad, Err(Error::Malformed(_))));
}

#[tokio::test]
async fn every_entry_gets_a_receipt_that_verifies_offline() {
    let house = house().await;
    let mut all = house.write(0..3).await;
    let first = house.ledger.receipt(all[0].id, all[0].opening.clone()).await.unwrap();
    all.extend(house.write(3..300).await);
    for (n, appended) in all.iter().enumerate().step_by(37) {
        let receipt = house.ledger.receipt(appended.id, appended.opening.clone()).await.unwrap();
        let read = Receipt::parse(&receipt.to_text().unwrap()).unwrap();
        let verified = read.verify(key().verifier(), &[]).unwrap();
        assert_eq!((verified.index, verified.size, verified.id), (n as u64, 300, appended.id));
        assert_eq!(verified.details, Some(json!({"name": format!("canary {n}")})));
    }
    let verified = first.verify(key().verifier(), &[]).unwrap();
    assert_eq!((verified.index, verified.size), (0, 3), "an old receipt stays good");
    let wrong = house.ledger.receipt(all[1].id, all[2].opening.clone()).await;
    assert!(matches!(wrong, Err(Error::Forged(Forgery::Opening))));
}

#[tokio::test]
async fn private_details_reach_no_file() {
    let house = house().await;
    house.write(0..50).await;
    house.ledger.sequence().await.unwrap();
    house.ledger.export(&house.dir.path().join("log")).await.unwrap();
    house.db.close().await;
    let mut files = 0;
    let mut folders = vec![house.dir.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(6).any(|w| w == b"canary"), "{}", path.display());
        }
    }
    assert!(files >= 5);
}

#[tokio::test]
async fn two_sequencers_at_once_sign_one_history() {
    let house = house().await;
    let other = open(&house.db, &house.clock, house.dir.path().join("other-head")).await;
    let mut heads = BTreeMap::new();
    for round in 0..40 {
        house.write(round * 10..round * 10 + 7).await;
        let (a, b) = tokio::join!(house.ledger.sequence(), other.sequence());
        for head in [a.unwrap(), b.unwrap()].into_iter().flatten() {
            let note = head.note().to_owned();
            assert!(heads.insert(head.size(), note).is_none(), "two heads of one size");
        }
    }
    assert_eq!(heads.len(), 40);
    assert_eq!(house.ledger.checkpoint().await.unwrap().size(), 280);
    let sizes: Vec<_> = heads.keys().copied().collect();
    for pair in sizes.windows(2) {
        let root = |n: u64| Checkpoint::open(&heads[&n], key().verifier()).unwrap().root();
        let proof = house.ledger.consistency(pair[0], pair[1]).await.unwrap();
        proof.verify(root(pair[0]), root(pair[1])).unwrap();
    }
    let report = house.ledger.fsck().await.unwrap();
    assert_eq!((report.faults.as_slice(), report.entries, report.checkpoints), (&[][..], 280, 40));
}

#[tokio::test]
async fn a_restored_database_refuses_to_sign_until_it_is_replayed() {
    let mut house = house().await;
    house.write(0..300).await;
    house.ledger.sequence().await.unwrap();
    house.write(300..305).await;
    let backup = house.dir.path().join("backup.db");
    let sql = format!("VACUUM INTO '{}'", backup.display());
    let Db::Sqlite { write, .. } = &house.db else { unreachable!() };
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(write).await.unwrap();
    house.write(305..600).await;
    house.ledger.sequence().await.unwrap();
    let log = house.dir.path().join("log");
    house.ledger.export(&log).await.unwrap();
    let shown = house.ledger.checkpoint().await.unwrap();

    house.db.close().await;
    house.db = sqlite(&backup).await;
    house.ledger = open(&house.db, &house.clock, house.dir.path().join("head")).await;
    house.write(900..901).await;
    for refused in [
        house.ledger.sequence().await.map(|_| ()),
        house.ledger.checkpoint().await.map(|_| ()),
        house.ledger.standing().await,
    ] {
        assert!(matches!(refused, Err(Error::Behind { known: 600, held: 300 })), "{refused:?}");
    }

    let missing = house.ledger.missing(&log).await.unwrap();
    assert_eq!(missing.iter().map(|e| number(&e.leaf)).collect::<Vec<_>>(), (300..600).collect::<Vec<_>>());
    assert_eq!(house.ledger.replay(&log).await.unwrap(), 300);
    assert_eq!(house.ledger.replay(&log).await.unwrap(), 0);
    house.ledger.standing().await.unwrap();
    assert_eq!(house.ledger.checkpoint().await.unwrap().note(), shown.note());
    let next = house.ledger.sequence().await.unwrap().unwrap();
    assert_eq!(next.size(), 601);
    house.ledger.consistency(600, 601).await.unwrap().verify(shown.root(), next.root()).unwrap();
    assert_eq!(house.ledger.fsck().await.unwrap().faults, []);
}

#[tokio::test]
async fn without_the_state_file_a_head_kept_elsewhere_still_shows_the_restore() {
    let house = house().await;
    house.write(0..10).await;
    let early = house.ledger.sequence().await.unwrap().unwrap();
    house.write(10..20).await;
    let late = house.ledger.sequence().await.unwrap().unwrap();
    house.ledger.stands_by(early.note()).await.unwrap();
    house
        .sql("UPDATE ledger_head SET size = 10, note = (SELECT note FROM ledger_checkpoint WHERE size = 10)")
        .await;
    let forgetful = open(&house.db, &house.clock, house.dir.path().join("another")).await;
    let stands = forgetful.stands_by(late.note()).await;
    assert!(matches!(stands, Err(Error::Behind { known: 20, held: 10 })), "{stands:?}");
}

#[tokio::test]
async fn a_rewritten_history_is_not_signed() {
    let house = house().await;
    house.write(0..10).await;
    house.ledger.sequence().await.unwrap();
    house.write(10..20).await;
    house.sql("UPDATE ledger_tile SET hashes = zeroblob(320)").await;
    let refused = house.ledger.sequence().await;
    assert!(matches!(refused, Err(Error::Forked { size: 10 })), "{refused:?}");
    assert_eq!(house.ledger.pending().await.unwrap(), 10, "nothing was taken in");
}

#[tokio::test]
async fn time_moves_on_between_two_signatures_though_the_clock_does_not() {
    let house = house().await;
    house.write(0..1).await;
    house.ledger.sequence().await.unwrap();
    house.hand.advance(chrono::TimeDelta::seconds(-60));
    house.write(1..2).await;
    assert!(house.ledger.sequence().await.unwrap().is_some());
    house.hand.advance(chrono::TimeDelta::minutes(-10));
    house.write(2..3).await;
    assert!(matches!(house.ledger.sequence().await, Err(Error::ClockBehind)));
}

async fn faults_after(change: &'static str) -> Vec<String> {
    let house = house().await;
    house.write(0..300).await;
    house.ledger.sequence().await.unwrap();
    house.write(300..520).await;
    house.ledger.sequence().await.unwrap();
    assert_eq!(house.ledger.fsck().await.unwrap().faults, []);
    assert!(house.sql(change).await > 0, "{change}");
    let report = house.ledger.fsck().await.unwrap();
    report.faults.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn every_tampered_row_is_found_and_named() {
    for (change, found) in [
        (
            "UPDATE ledger_entry SET leaf = CAST(replace(CAST(leaf AS TEXT), '\"n\":17}', '\"n\":18}') AS BLOB) WHERE seq = 17",
            "entry 17 was altered",
        ),
        ("UPDATE ledger_entry SET kind = 'read.staff' WHERE seq = 299", "the row of entry 299 says other"),
        ("UPDATE ledger_entry SET subject_ref = 'subject-9' WHERE seq = 1", "the row of entry 1 says other"),
        ("UPDATE ledger_entry SET tenant = NULL WHERE seq = 519", "the row of entry 519 says other"),
        ("UPDATE ledger_entry SET happened_at = 0 WHERE seq = 256", "the row of entry 256 says other"),
        ("DELETE FROM ledger_entry WHERE seq = 255", "entry 255 is missing"),
        ("DELETE FROM ledger_entry WHERE seq = 519", "entry 519 is missing"),
        ("UPDATE ledger_entry SET seq = seq + 1000 WHERE seq = 4", "entry 4 is missing"),
        (
            "UPDATE ledger_entry SET seq = CASE seq WHEN 4 THEN -5 ELSE -4 END WHERE seq IN (4, 5)",
            "entry 4 is missing",
        ),
        (
            "UPDATE ledger_tile SET hashes = CAST(x'00' || substr(hashes, 2) AS BLOB) WHERE level = 0 AND n = 1",
            "tile 1 of level 0 is missing or wrong",
        ),
        (
            "UPDATE ledger_tile SET hashes = substr(hashes, 1, 32) WHERE level = 0 AND n = 2",
            "tile 2 of level 0 is missing or wrong",
        ),
        ("DELETE FROM ledger_tile WHERE level = 1", "tile 0 of level 1 is missing or wrong"),
        (
            "UPDATE ledger_checkpoint SET note = replace(note, 'example', 'ensample') WHERE size = 300",
            "the checkpoint at 300 is missing or not ours",
        ),
        ("DELETE FROM ledger_checkpoint WHERE size = 520", "the checkpoint at 520 is missing or not ours"),
        (
            "INSERT INTO ledger_tile (level, n, hashes) VALUES (1, 7, zeroblob(32))",
            "there is something beyond the 520 entries",
        ),
    ] {
        let faults = faults_after(change).await;
        assert!(faults.iter().any(|f| f.starts_with(found)), "{change}: {faults:?}");
    }
}

#[tokio::test]
async fn swapped_entries_are_found() {
    let house = house().await;
    house.write(0..10).await;
    house.ledger.sequence().await.unwrap();
    house.sql("UPDATE ledger_entry SET seq = CASE seq WHEN 4 THEN -4 ELSE -5 END WHERE seq IN (4, 5)").await;
    house.sql("UPDATE ledger_entry SET seq = CASE seq WHEN -4 THEN 5 ELSE 4 END WHERE seq < 0").await;
    let faults = house.ledger.fsck().await.unwrap().faults;
    assert!(faults.contains(&Fault::EntryAltered { seq: 4 }), "{faults:?}");
    assert!(faults.contains(&Fault::EntryAltered { seq: 5 }), "{faults:?}");
}

#[tokio::test]
async fn an_exported_ledger_verifies_with_nothing_but_a_key() {
    let house = house().await;
    house.write(0..257).await;
    let early = house.ledger.sequence().await.unwrap().unwrap();
    house.write(257..600).await;
    house.ledger.sequence().await.unwrap();
    let log = house.dir.path().join("log");
    let head = house.ledger.export(&log).await.unwrap();
    let report = verify_folder(&log, key().verifier(), Some(&early)).unwrap();
    assert_eq!((report.faults.as_slice(), report.entries, report.root), (&[][..], 600, head.root()));
    let proof = consistency_of_folder(&log, 257, 600).unwrap();
    proof.verify(early.root(), head.root()).unwrap();

    let of_entries = log.join("tile/entries/001");
    let bundle = std::fs::read(&of_entries).unwrap();
    for i in (0..bundle.len()).step_by(bundle.len() / 200) {
        let mut altered = bundle.clone();
        altered[i] ^= 1;
        std::fs::write(&of_entries, altered).unwrap();
        let found = verify_folder(&log, key().verifier(), None);
        assert!(found.is_err() || !found.unwrap().is_sound(), "{i}");
    }
    std::fs::write(&of_entries, bundle).unwrap();
    std::fs::remove_file(log.join("tile/1/000.p/2")).unwrap();
    let report = verify_folder(&log, key().verifier(), None).unwrap();
    assert_eq!(report.faults, [Fault::TileWrong { tile: TileId { level: 1, n: 0 } }]);
}

#[tokio::test]
async fn resources_are_those_of_the_signed_tree_and_no_more() {
    let house = house().await;
    house.write(0..300).await;
    house.ledger.sequence().await.unwrap();
    house.write(300..310).await;
    let get = async |path: &str| house.ledger.resource(path.parse().unwrap()).await;
    assert_eq!(get("tile/0/000").await.unwrap().len(), 8192);
    assert_eq!(get("tile/0/001.p/44").await.unwrap().len(), 44 * 32);
    assert_eq!(get("tile/0/001.p/7").await.unwrap(), get("tile/0/001.p/44").await.unwrap()[..7 * 32]);
    assert_eq!(get("tile/1/000.p/1").await.unwrap().len(), 32);
    assert_eq!(bundle::read(&get("tile/entries/001.p/44").await.unwrap()).unwrap().len(), 44);
    for none in [
        "tile/0/001",
        "tile/0/001.p/45",
        "tile/1/000.p/2",
        "tile/2/000.p/1",
        "tile/entries/002.p/1",
        "tile/63/000",
    ] {
        assert!(matches!(get(none).await, Err(Error::NotFound)), "{none}");
    }
}

#[tokio::test]
async fn a_state_file_of_another_key_stops_the_house() {
    let house = house().await;
    house.write(0..1).await;
    house.ledger.sequence().await.unwrap();
    let thief = SignerKey::ledger("example.org/ledger", &Secret::new([1; 32])).unwrap();
    let opened = Ledger::open(
        house.db.clone(),
        thief,
        house.clock.clone(),
        Entropy::seeded(1),
        house.dir.path().join("head"),
    )
    .await;
    assert!(matches!(opened, Err(Error::Forged(Forgery::NotSigned))));
}

#[tokio::test]
async fn every_statement_prepares_and_the_story_holds_on_postgres() {
    #[expect(clippy::disallowed_methods, reason = "the test's own switch")]
    let Ok(url) = std::env::var("TEST_POSTGRES_URL") else { return };
    let settings = PostgresSettings { url: Secret::new(url), connections: 8 };
    let db = Db::postgres(&settings, &MAIN).await.unwrap();
    let house = house_on(db, tempfile::tempdir().unwrap()).await;
    for table in ["ledger_entry", "ledger_tile", "ledger_checkpoint", "ledger_head"] {
        let sql = format!("DELETE FROM {table}");
        let mut tx = house.db.begin().await.unwrap();
        crate::on!(tx, |c| sqlx::query(sqlx::AssertSqlSafe(sql.clone())).execute(c).await.map(|_| ()))
            .unwrap();
        tx.commit().await.unwrap();
    }
    prepare_all(&house.db).await;
    house.ledger.begin().await.unwrap();
    let other = open(&house.db, &house.clock, house.dir.path().join("other-head")).await;
    let mut all = Vec::new();
    for round in 0..20 {
        all.extend(house.write(round * 30..round * 30 + 30).await);
        let (a, b) = tokio::join!(house.ledger.sequence(), other.sequence());
        (a.unwrap(), b.unwrap());
    }
    assert_eq!(house.ledger.checkpoint().await.unwrap().size(), 600);
    let report = house.ledger.fsck().await.unwrap();
    assert_eq!((report.faults.as_slice(), report.entries), (&[][..], 600));
    for (n, appended) in all.iter().enumerate().step_by(97) {
        let receipt = house.ledger.receipt(appended.id, appended.opening.clone()).await.unwrap();
        assert_eq!(receipt.verify(key().verifier(), &[]).unwrap().index, n as u64);
    }
    let filter = Filter { kind: Some(EntryKind::OBJECT_STORED), subject: Some("subject-1".parse().unwrap()) };
    let page = house.ledger.list(&tenant(), &filter, PageSize::new(2).unwrap(), None).await.unwrap();
    assert_eq!(page.items.iter().map(|e| number(&e.leaf)).collect::<Vec<_>>(), [598, 592]);
    let log = house.dir.path().join("log");
    house.ledger.export(&log).await.unwrap();
    assert!(verify_folder(&log, key().verifier(), None).unwrap().is_sound());
    assert_eq!(house.ledger.replay(&log).await.unwrap(), 0);
}

async fn prepare_all(db: &Db) {
    use sqlx::Executor as _;
    for sql in sql::ALL {
        let mut tx = db.begin().await.unwrap();
        let prepared = crate::on!(tx, |c| c.prepare(sqlx::SqlStr::from_static(sql)).await.map(|_| ()));
        assert!(prepared.is_ok(), "{sql}: {prepared:?}");
    }
}

#[tokio::test]
async fn every_statement_prepares_on_sqlite() {
    prepare_all(&house().await.db).await;
}
