//! Somebody writes to the ledger's tables behind its back.

use vouchsafe::ledger::{Error, Fault};

use super::house::{Bind, House};
use crate::each_database;

/// A ledger of 520 entries in two signed steps.
async fn grown(house: &House) {
    house.write(0..300).await;
    house.ledger.sequence().await.unwrap();
    house.write(300..520).await;
    house.ledger.sequence().await.unwrap();
    assert_eq!(house.ledger.fsck().await.unwrap().faults, []);
}

/// What the check says after a change; the change is then undone by `undo`, after which it says nothing.
async fn finds(house: &House, found: &str, change: (&'static str, &[Bind]), undo: (&'static str, &[Bind])) {
    assert!(house.sql(change.0, change.1).await > 0, "{}", change.0);
    let faults: Vec<_> = house.ledger.fsck().await.unwrap().faults.iter().map(ToString::to_string).collect();
    assert!(faults.iter().any(|f| f.starts_with(found)), "{}: {faults:?}", change.0);
    assert!(house.sql(undo.0, undo.1).await > 0, "{}", undo.0);
    assert_eq!(house.ledger.fsck().await.unwrap().faults, [], "{}", undo.0);
}

each_database! {
    async fn an_altered_entry_is_found_and_named(db: TestDb) {
        let house = House::new(db).await;
        grown(&house).await;
        let leaf = house.bytes("SELECT leaf FROM ledger_entry WHERE seq = 17").await;
        let other = String::from_utf8(leaf.clone()).unwrap().replace("\"n\":17}", "\"n\":18}").into_bytes();
        assert_ne!(leaf, other);
        let change = "UPDATE ledger_entry SET leaf = $1 WHERE seq = 17";
        finds(&house, "entry 17 was altered", (change, &[Bind::Bytes(other)]), (change, &[Bind::Bytes(leaf)])).await;
    }

    async fn a_row_that_says_other_than_its_entry_is_found(db: TestDb) {
        let house = House::new(db).await;
        grown(&house).await;
        for (change, undo) in [
            (
                "UPDATE ledger_entry SET kind = 'read.staff' WHERE seq = 298",
                "UPDATE ledger_entry SET kind = 'object.stored' WHERE seq = 298",
            ),
            (
                "UPDATE ledger_entry SET subject_ref = 'subject-9' WHERE seq = 298",
                "UPDATE ledger_entry SET subject_ref = 'subject-1' WHERE seq = 298",
            ),
            (
                "UPDATE ledger_entry SET tenant = NULL WHERE seq = 298",
                "UPDATE ledger_entry SET tenant = 'flux-kontext' WHERE seq = 298",
            ),
            (
                "UPDATE ledger_entry SET happened_at = happened_at + 1 WHERE seq = 298",
                "UPDATE ledger_entry SET happened_at = happened_at - 1 WHERE seq = 298",
            ),
        ] {
            finds(&house, "the row of entry 298 says other", (change, &[]), (undo, &[])).await;
        }
    }

    async fn a_missing_or_moved_entry_is_found(db: TestDb) {
        let house = House::new(db).await;
        grown(&house).await;
        for (change, undo, found) in [
            (
                "UPDATE ledger_entry SET seq = NULL WHERE seq = 255",
                "UPDATE ledger_entry SET seq = 255 WHERE seq IS NULL",
                "entry 255 is missing",
            ),
            (
                "UPDATE ledger_entry SET seq = NULL WHERE seq = 519",
                "UPDATE ledger_entry SET seq = 519 WHERE seq IS NULL",
                "entry 519 is missing",
            ),
            (
                "UPDATE ledger_entry SET seq = 1004 WHERE seq = 4",
                "UPDATE ledger_entry SET seq = 4 WHERE seq = 1004",
                "entry 4 is missing",
            ),
            (
                "INSERT INTO ledger_entry (id, arrival, seq, kind, happened_at, leaf) \
                 SELECT 'x', 0, 520, kind, happened_at, leaf FROM ledger_entry WHERE seq = 1",
                "DELETE FROM ledger_entry WHERE seq = 520",
                "there is something beyond the 520 entries",
            ),
        ] {
            finds(&house, found, (change, &[]), (undo, &[])).await;
        }
    }

    async fn swapped_entries_are_found(db: TestDb) {
        let house = House::new(db).await;
        house.write(0..10).await;
        house.ledger.sequence().await.unwrap();
        house.sql("UPDATE ledger_entry SET seq = -4 WHERE seq = 4", &[]).await;
        house.sql("UPDATE ledger_entry SET seq = 4 WHERE seq = 5", &[]).await;
        house.sql("UPDATE ledger_entry SET seq = 5 WHERE seq = -4", &[]).await;
        let faults = house.ledger.fsck().await.unwrap().faults;
        assert!(faults.contains(&Fault::EntryAltered { seq: 4 }), "{faults:?}");
        assert!(faults.contains(&Fault::EntryAltered { seq: 5 }), "{faults:?}");
    }

    async fn a_tampered_tile_is_found_and_no_entry_is_blamed(db: TestDb) {
        let house = House::new(db).await;
        grown(&house).await;
        let change = "UPDATE ledger_tile SET hashes = $1 WHERE level = 0 AND n = 1";
        let tile = house.bytes("SELECT hashes FROM ledger_tile WHERE level = 0 AND n = 1").await;
        let mut flipped = tile.clone();
        flipped[100] ^= 1;
        for bad in [flipped, tile[..32].to_vec()] {
            let (change, undo) = ((change, &[Bind::Bytes(bad)][..]), (change, &[Bind::Bytes(tile.clone())][..]));
            finds(&house, "tile 1 of level 0 is missing or wrong", change, undo).await;
        }
        let change = ("UPDATE ledger_tile SET n = 7 WHERE level = 1", &[][..]);
        let undo = ("UPDATE ledger_tile SET n = 0 WHERE level = 1", &[][..]);
        finds(&house, "tile 0 of level 1 is missing or wrong", change, undo).await;
    }

    async fn a_tampered_checkpoint_is_found(db: TestDb) {
        let house = House::new(db).await;
        grown(&house).await;
        finds(
            &house,
            "the checkpoint at 300 is missing or not ours",
            ("UPDATE ledger_checkpoint SET note = replace(note, 'example', 'ensample') WHERE size = 300", &[]),
            ("UPDATE ledger_checkpoint SET note = replace(note, 'ensample', 'example') WHERE size = 300", &[]),
        )
        .await;
        finds(
            &house,
            "the checkpoint at 520 is missing or not ours",
            ("UPDATE ledger_checkpoint SET size = 521 WHERE size = 520", &[]),
            ("UPDATE ledger_checkpoint SET size = 520 WHERE size = 521", &[]),
        )
        .await;
    }

    async fn a_tampered_tree_is_not_signed_over(db: TestDb) {
        let house = House::new(db).await;
        house.write(0..10).await;
        house.ledger.sequence().await.unwrap();
        house.write(10..20).await;
        house.sql("UPDATE ledger_tile SET hashes = $1", &[Bind::Bytes(vec![0; 320])]).await;
        let refused = house.ledger.sequence().await;
        assert!(matches!(refused, Err(Error::Forked { size: 10 })), "{refused:?}");
        assert_eq!(house.ledger.pending().await.unwrap(), 10, "nothing was taken in");
    }
}
