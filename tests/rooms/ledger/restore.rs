//! A database that was restored from a backup.

use vouchsafe::ledger::{Error, Forgery, Ledger};
use vouchsafe::on;

use super::house::{Bind, House, number};
use crate::each_database;

/// What a backup of the ledger's tables holds.
struct Backup {
    size: i64,
    written: i64,
    tiles: Vec<(i64, i64, Vec<u8>)>,
    note: String,
}

impl Backup {
    async fn take(house: &House) -> Self {
        let mut tx = house.db.main.read().await.unwrap();
        let (size, note): (i64, String) =
            on!(tx, |c| sqlx::query_as("SELECT size, note FROM ledger_head").fetch_one(c).await).unwrap();
        let (written,): (i64,) =
            on!(tx, |c| sqlx::query_as("SELECT MAX(arrival) FROM ledger_entry").fetch_one(c).await).unwrap();
        let tiles =
            on!(tx, |c| sqlx::query_as("SELECT level, n, hashes FROM ledger_tile").fetch_all(c).await)
                .unwrap();
        Self { size, written, tiles, note }
    }

    async fn restore(self, house: &House) {
        let size = [Bind::Number(self.size)];
        house.sql("DELETE FROM ledger_entry WHERE arrival > $1", &[Bind::Number(self.written)]).await;
        house.sql("UPDATE ledger_entry SET seq = NULL WHERE seq >= $1", &size).await;
        house.sql("DELETE FROM ledger_checkpoint WHERE size > $1", &size).await;
        house.sql("DELETE FROM ledger_tile", &[]).await;
        for (level, n, hashes) in self.tiles {
            let row = [Bind::Number(level), Bind::Number(n), Bind::Bytes(hashes)];
            house.sql("INSERT INTO ledger_tile (level, n, hashes) VALUES ($1, $2, $3)", &row).await;
        }
        let head = [Bind::Number(self.size), Bind::Text(self.note)];
        house.sql("UPDATE ledger_head SET size = $1, note = $2", &head).await;
    }
}

each_database! {
    async fn a_restored_database_signs_nothing_until_it_is_replayed(db: TestDb) {
        let mut house = House::new(db).await;
        house.write(0..300).await;
        house.ledger.sequence().await.unwrap();
        house.write(300..305).await;
        let backup = Backup::take(&house).await;
        house.write(305..600).await;
        house.ledger.sequence().await.unwrap();
        let (old_log, log) = (house.path("old-log"), house.path("log"));
        house.ledger.export(&old_log).await.unwrap();
        house.write(600..610).await;
        let shown = house.ledger.sequence().await.unwrap().unwrap();
        house.ledger.export(&log).await.unwrap();

        backup.restore(&house).await;
        house.ledger = house.ledger_of("head").await;
        house.write(900..901).await;
        for refused in [
            house.ledger.sequence().await.map(|_| ()),
            house.ledger.checkpoint().await.map(|_| ()),
            house.ledger.standing().await,
        ] {
            assert!(matches!(refused, Err(Error::Behind { known: 610, held: 300 })), "{refused:?}");
        }
        let refused = house.ledger.replay(&old_log).await;
        assert!(matches!(refused, Err(Error::Behind { known: 610, held: 600 })), "{refused:?}");

        let missing = house.ledger.missing(&log).await.unwrap();
        assert!(missing.iter().map(|e| number(&e.leaf)).eq(300..610));
        assert_eq!(house.ledger.replay(&log).await.unwrap(), 310);
        assert_eq!(house.ledger.replay(&log).await.unwrap(), 0);
        house.ledger.standing().await.unwrap();
        assert_eq!(house.ledger.checkpoint().await.unwrap().note(), shown.note());
        let next = house.ledger.sequence().await.unwrap().unwrap();
        assert_eq!(next.size(), 611, "what was written since the restore comes after");
        house.ledger.consistency(610, 611).await.unwrap().verify(shown.root(), next.root()).unwrap();
        assert_eq!(house.ledger.fsck().await.unwrap().faults, []);
    }

    async fn a_history_begun_anew_is_found_by_whoever_saw_the_first(db: TestDb) {
        let house = House::new(db).await;
        house.write(0..5).await;
        let backup = Backup::take(&house).await;
        house.write(5..10).await;
        let shown = house.ledger.sequence().await.unwrap().unwrap();
        house.ledger.export(&house.path("log")).await.unwrap();
        backup.restore(&house).await;
        let forgetful = house.ledger_of("forgetful").await;
        house.write(50..52).await;
        forgetful.sequence().await.unwrap();
        let replayed = forgetful.replay(&house.path("log")).await;
        assert!(matches!(replayed, Err(Error::Forged(Forgery::NotConsistent { old: 7, new: 10 }))), "{replayed:?}");
        house.write(52..60).await;
        forgetful.sequence().await.unwrap();
        assert!(matches!(forgetful.stands_by(shown.note()).await, Err(Error::Forked { size: 10 })));
        assert!(matches!(house.ledger.standing().await, Err(Error::Forked { size: 10 })));
        house.write(60..61).await;
        assert!(matches!(house.ledger.sequence().await, Err(Error::Forked { size: 10 })));
    }

    async fn a_damaged_folder_is_not_replayed(db: TestDb) {
        let mut house = House::new(db).await;
        house.write(0..10).await;
        house.ledger.sequence().await.unwrap();
        let backup = Backup::take(&house).await;
        house.write(10..20).await;
        house.ledger.sequence().await.unwrap();
        let log = house.path("log");
        house.ledger.export(&log).await.unwrap();
        backup.restore(&house).await;
        house.ledger = house.ledger_of("head").await;
        let of_entries = log.join("tile/entries/000.p/20");
        let mut bundle = std::fs::read(&of_entries).unwrap();
        let at = bundle.windows(7).position(|w| w == b"\"n\":15}").unwrap();
        bundle[at + 5] = b'6';
        std::fs::write(&of_entries, bundle).unwrap();
        assert!(matches!(house.ledger.missing(&log).await, Err(Error::Forged(Forgery::NotConsistent { .. }))));
        assert!(matches!(house.ledger.replay(&log).await, Err(Error::Forged(Forgery::NotConsistent { .. }))));
        assert!(matches!(house.ledger.standing().await, Err(Error::Behind { known: 20, held: 10 })));
    }

    async fn without_the_state_file_a_head_kept_elsewhere_still_shows_the_restore(db: TestDb) {
        let house = House::new(db).await;
        house.write(0..10).await;
        let early = house.ledger.sequence().await.unwrap().unwrap();
        let backup = Backup::take(&house).await;
        house.write(10..20).await;
        let late = house.ledger.sequence().await.unwrap().unwrap();
        house.ledger.stands_by(early.note()).await.unwrap();
        backup.restore(&house).await;
        let forgetful: Ledger = house.ledger_of("another").await;
        forgetful.stands_by(early.note()).await.unwrap();
        let stands = forgetful.stands_by(late.note()).await;
        assert!(matches!(stands, Err(Error::Behind { known: 20, held: 10 })), "{stands:?}");
    }
}
