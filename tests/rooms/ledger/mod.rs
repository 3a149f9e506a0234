//! The ledger over a database: one history, whatever happens.

mod house;
mod restore;
mod tamper;
mod witnesses;

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use serde_json::json;
use vouchsafe::base::{Entropy, PageSize, Secret};
use vouchsafe::ledger::{
    Checkpoint, EntryKind, Error, Fault, Filter, Forgery, Ledger, Receipt, SignerKey, TileId,
    consistency_of_folder, verify_folder,
};

use self::house::{House, key, number, tenant};
use crate::each_database;
use crate::support::chance::soaking;

each_database! {
    async fn an_entry_is_there_when_its_transaction_is_and_not_otherwise(db: TestDb) {
        let house = House::new(db).await;
        let mut tx = house.db.main.begin().await.unwrap();
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

    async fn entries_stand_in_the_order_in_which_they_were_written(db: TestDb) {
        let house = House::new(db).await;
        house.write(0..700).await;
        assert_eq!(house.ledger.sequence().await.unwrap().unwrap().size(), 700);
        let (mut seen, mut after) = (VecDeque::new(), None);
        loop {
            let page = house.ledger.tail(PageSize::new(200).unwrap(), after.as_deref()).await.unwrap();
            page.items.iter().for_each(|e| seen.push_front(number(&e.leaf)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert!(seen.into_iter().eq(0..700));
    }

    async fn a_board_shows_a_tenants_entries_by_kind_and_person(db: TestDb) {
        let house = House::new(db).await;
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
        let page = PageSize::default();
        assert!(matches!(house.ledger.tail(page, Some("-1")).await, Err(Error::Malformed(_))));
        let next = house.ledger.list(&tenant(), &Filter::default(), page, Some("3")).await.unwrap();
        assert_eq!(next.items.len(), 3);
    }

    async fn every_entry_gets_a_receipt_that_verifies_offline(db: TestDb) {
        let house = House::new(db).await;
        let mut all = house.write(0..3).await;
        let first = house.ledger.receipt(all[0].id, all[0].opening.clone()).await.unwrap();
        all.extend(house.write(3..300).await);
        house.ledger.sequence().await.unwrap();
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

    async fn private_details_are_nowhere_in_the_exported_ledger(db: TestDb) {
        let house = House::new(db).await;
        house.write(0..50).await;
        house.ledger.sequence().await.unwrap();
        house.ledger.export(&house.path("log")).await.unwrap();
        house.db.main.close().await;
        let (mut files, mut folders) = (0, vec![house.path("")]);
        while let Some(folder) = folders.pop() {
            for item in fs::read_dir(folder).unwrap() {
                let path = item.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files += 1;
                    let bytes = fs::read(&path).unwrap();
                    assert!(!bytes.windows(6).any(|w| w == b"canary"), "{}", path.display());
                }
            }
        }
        assert!(files >= 4);
    }

    /// T29, two of them at once; the soak goes on for 2,500 rounds.
    async fn sequencers_at_once_sign_one_history(db: TestDb) {
        let house = House::new(db).await;
        let other = house.ledger_of("other-head").await;
        let rounds: u64 = if soaking() { 2_500 } else { 40 };
        let mut heads = BTreeMap::new();
        for round in 0..rounds {
            house.write(round * 10..round * 10 + 7).await;
            let (a, b) = tokio::join!(house.ledger.sequence(), other.sequence());
            for head in [a.unwrap(), b.unwrap()].into_iter().flatten() {
                assert!(heads.insert(head.size(), head).is_none(), "two heads of one size");
            }
        }
        assert_eq!(heads.len() as u64, rounds);
        assert_eq!(house.ledger.checkpoint().await.unwrap().size(), rounds * 7);
        for (old, new) in heads.values().zip(heads.values().skip(1)) {
            let proof = house.ledger.consistency(old.size(), new.size()).await.unwrap();
            proof.verify(old.root(), new.root()).unwrap();
        }
        let report = house.ledger.fsck().await.unwrap();
        assert_eq!((report.faults.as_slice(), report.entries, report.checkpoints), (&[][..], rounds * 7, rounds));
    }

    /// T29, killed in the middle; the soak goes on for 2,500 rounds.
    async fn a_sequencer_cut_off_anywhere_leaves_one_history(db: TestDb) {
        let house = House::new(db).await;
        let other = house.ledger_of("other-head").await;
        let (mut heads, mut cut_off) = (BTreeMap::<u64, Checkpoint>::new(), 0);
        let rounds: u64 = if soaking() { 2_500 } else { 60 };
        for round in 0..rounds {
            house.write(round * 9..round * 9 + 9).await;
            for (ledger, polls) in [(&house.ledger, round % 30), (&other, 1000)] {
                let mut work = pin!(ledger.sequence());
                let mut left = polls;
                let done = poll_fn(|cx| {
                    left = match left.checked_sub(1) {
                        Some(left) => left,
                        None => return Poll::Ready(None),
                    };
                    work.as_mut().poll(cx).map(Some)
                })
                .await;
                match done {
                    None => cut_off += 1,
                    Some(head) => {
                        if let Some(head) = head.unwrap() {
                            let known = heads.entry(head.size()).or_insert_with(|| head.clone());
                            assert_eq!(known.root(), head.root());
                        }
                    }
                }
            }
        }
        assert!(cut_off > 5, "{cut_off}");
        let newest = house.ledger.checkpoint().await.unwrap();
        assert_eq!(newest.size(), rounds * 9, "nothing is lost and nothing twice");
        for head in heads.values() {
            let proof = house.ledger.consistency(head.size(), rounds * 9).await.unwrap();
            proof.verify(head.root(), newest.root()).unwrap();
        }
        assert_eq!(house.ledger.fsck().await.unwrap().faults, []);
    }

    async fn time_moves_on_between_two_signatures_though_the_clock_does_not(db: TestDb) {
        let house = House::new(db).await;
        house.write(0..1).await;
        house.ledger.sequence().await.unwrap();
        house.hand.advance(chrono::TimeDelta::seconds(-60));
        house.write(1..2).await;
        assert!(house.ledger.sequence().await.unwrap().is_some());
        house.hand.advance(chrono::TimeDelta::minutes(-10));
        house.write(2..3).await;
        assert!(matches!(house.ledger.sequence().await, Err(Error::ClockBehind)));
    }

    async fn an_exported_ledger_verifies_with_nothing_but_a_key(db: TestDb) {
        let house = House::new(db).await;
        house.write(0..257).await;
        let early = house.ledger.sequence().await.unwrap().unwrap();
        house.write(257..600).await;
        house.ledger.sequence().await.unwrap();
        let log = house.path("log");
        let head = house.ledger.export(&log).await.unwrap();
        let report = verify_folder(&log, key().verifier(), Some(&early)).unwrap();
        assert_eq!((report.faults.as_slice(), report.entries, report.root), (&[][..], 600, head.root()));
        let proof = consistency_of_folder(&log, 257, 600).unwrap();
        proof.verify(early.root(), head.root()).unwrap();

        let of_entries = log.join("tile/entries/001");
        let bundle = fs::read(&of_entries).unwrap();
        for i in (0..bundle.len()).step_by(bundle.len() / 200) {
            let mut altered = bundle.clone();
            altered[i] ^= 1;
            fs::write(&of_entries, altered).unwrap();
            let found = verify_folder(&log, key().verifier(), None);
            assert!(found.is_err() || !found.unwrap().is_sound(), "{i}");
        }
        fs::write(&of_entries, bundle).unwrap();
        fs::remove_file(log.join("tile/1/000.p/2")).unwrap();
        let report = verify_folder(&log, key().verifier(), None).unwrap();
        assert_eq!(report.faults, [Fault::TileWrong { tile: TileId { level: 1, n: 0 } }]);
    }

    async fn resources_are_those_of_the_signed_tree_and_no_more(db: TestDb) {
        let house = House::new(db).await;
        house.write(0..300).await;
        house.ledger.sequence().await.unwrap();
        house.write(300..310).await;
        let get = async |path: &str| house.ledger.resource(path.parse().unwrap()).await;
        assert_eq!(get("tile/0/000").await.unwrap().len(), 8192);
        assert_eq!(get("tile/0/001.p/44").await.unwrap().len(), 44 * 32);
        assert_eq!(get("tile/0/001.p/7").await.unwrap(), get("tile/0/001.p/44").await.unwrap()[..7 * 32]);
        assert_eq!(get("tile/1/000.p/1").await.unwrap().len(), 32);
        let bundle = get("tile/entries/001.p/44").await.unwrap();
        assert_eq!(bundle.windows(7).filter(|w| w == b"{\"v\":1,").count(), 44);
        for none in
            ["tile/0/001", "tile/0/001.p/45", "tile/1/000.p/2", "tile/2/000.p/1", "tile/entries/002.p/1", "tile/63/000"]
        {
            assert!(matches!(get(none).await, Err(Error::NotFound)), "{none}");
        }
    }

    async fn a_state_file_of_another_key_stops_the_house(db: TestDb) {
        let house = House::new(db).await;
        house.write(0..1).await;
        house.ledger.sequence().await.unwrap();
        let thief = SignerKey::ledger("example.org/ledger", &Secret::new([1; 32])).unwrap();
        let (db, clock) = (house.db.main.clone(), house.clock.clone());
        let opened = Ledger::open(db, thief, clock, Entropy::seeded(1), house.path("head")).await;
        assert!(matches!(opened, Err(Error::Forged(Forgery::NotSigned))));
    }
}
