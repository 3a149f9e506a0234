//! Epochs under several processes, crashes and thieves of backups.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use vouchsafe::base::{Entropy, Secret};
use vouchsafe::keystore::{
    Class, Epochs, Error, Keystore, NewItem, Opening, Seal, SealKey, SealKind, Seals, Steps,
};

use super::keystore::{Copy, House, cut_short, read, seal, write};
use crate::each_database;
use crate::support::house::run_in;

fn seals() -> Seals {
    Seals::new(vec![Seal::key(SealKind::Given, seal())])
}

impl House {
    /// Another process over the same database and folder.
    async fn replica(&self) -> Keystore {
        self.replica_of(&self.epochs).await.unwrap()
    }

    async fn replica_of(&self, folder: &Path) -> Result<Keystore, Error> {
        let (clock, entropy) = (self.clock.clone(), Entropy::system());
        let opening =
            Opening { db: self.db.clone(), folder, seals: seals(), installation: "i", clock, entropy };
        Keystore::open(opening).await
    }

    /// A process whose changes to the epoch store end at their `n`th step, and whether it got that far.
    fn ending_at(&self, n: usize) -> (Keystore, Arc<AtomicUsize>) {
        let seen = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&seen);
        let steps: Steps = Arc::new(move |step| {
            if counted.fetch_add(1, Ordering::SeqCst) >= n {
                return Err(io::Error::other(format!("ended before {step}")));
            }
            Ok(())
        });
        let epochs = Epochs::open(&self.epochs, seal(), self.clock.now(), &Entropy::system()).unwrap();
        let keys =
            Keystore::new(self.db.clone(), epochs.watched(steps), self.clock.clone(), Entropy::system());
        (keys, seen)
    }
}

/// Mints a key and gives what was given out.
async fn mint(keys: &Keystore, house: &House, subject: vouchsafe::base::SubjectId, item: &str) -> [u8; 32] {
    let new = NewItem { item, kind: "output-image", key: None };
    *keys.mint(house.owner(subject), vec![new]).await.unwrap()[0].key.expose()
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

each_database! {
    async fn replicas_see_each_others_epochs_at_once(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, mut items) = house.person_with(20).await;
        let (a, b) = (house.replica().await, house.replica().await);
        for round in 0..4 {
            a.rotate().await.unwrap();
            // No time has passed: B's view is as old as can be, and A has just destroyed what it would write under.
            let name = format!("obj_b_{round}");
            items.insert(name.clone(), mint(&b, &house, subject, &name).await);
            assert_eq!(read(&b, house.owner(subject), &items).await.unwrap(), items, "B, round {round}");
            assert_eq!(read(&a, house.owner(subject), &items).await.unwrap(), items, "A, round {round}");
        }
        assert_eq!(house.replica().await.soundness().await.unwrap().outside, 0);
    }

    async fn what_is_written_while_epochs_change_is_never_lost(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let subject = house.person().await;
        let (a, b, c) = (house.replica().await, house.replica().await, house.replica().await);
        let writing = |keys: Keystore, who: &'static str| {
            let house = &house;
            async move {
                let mut made = BTreeMap::new();
                for n in 0..60 {
                    let name = format!("obj_{who}_{n}");
                    made.insert(name.clone(), mint(&keys, house, subject, &name).await);
                }
                made
            }
        };
        let rotating = async {
            for _ in 0..6 {
                a.rotate().await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let (mut made, of_c, ()) = tokio::join!(writing(b, "b"), writing(c, "c"), rotating);
        made.extend(of_c);
        assert_eq!(made.len(), 120);
        assert_eq!(read(&house.replica().await, house.owner(subject), &made).await.unwrap(), made);
        house.replica().await.finish().await.unwrap();
        assert_eq!(house.replica().await.status().await.unwrap().stale, 0);
        assert_eq!(house.replica().await.soundness().await.unwrap().outside, 0);
    }

    async fn one_process_at_a_time_changes_the_epochs(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        house.person_with(200).await;
        let (a, b) = (house.replica().await, house.replica().await);
        assert!(cut_short(a.rotate(), 12).await.is_none(), "it was done before it could be cut");
        assert!(matches!(b.rotate().await, Err(Error::Taken)));
        assert_eq!(b.finish().await.unwrap(), 0, "the one that has the turn is not disturbed");
        house.hand.advance(TimeDelta::seconds(61));
        b.rotate().await.unwrap();
        assert!(b.epochs().len() <= 2);
    }

    /// T10: every row of every copy, once two more epochs have begun.
    async fn no_row_of_an_older_copy_opens(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let mut people = Vec::new();
        for _ in 0..8 {
            people.push(house.person_with(10).await);
        }
        let mut copies = Vec::new();
        for _ in 0..3 {
            copies.push(Copy::of(&db.keys).await);
            house.hand.advance(TimeDelta::days(7));
            house.keys.rotate().await.unwrap();
        }
        let newest = Copy::of(&db.keys).await;
        let mut tried = 0;
        for copy in &copies[..2] {
            copy.put_back(&db.keys).await;
            let keys = house.restarted();
            for (subject, items) in &people {
                for class in [Class::Data, Class::Proof] {
                    assert!(matches!(keys.derived(house.owner(*subject), class, "x").await, Err(Error::NoKey)));
                    tried += 1;
                }
                // Nor does an item row when the subject row of today stands above it.
                assert!(matches!(read(&keys, house.owner(*subject), items).await, Err(Error::NoKey)));
                tried += items.len();
            }
            let mixed = Copy { subjects: newest.subjects.clone(), items: copy.items.clone() };
            mixed.put_back(&db.keys).await;
            for (subject, items) in &people {
                for item in items.keys() {
                    let found = house.restarted().item(house.owner(*subject), item).await;
                    assert!(matches!(found, Err(Error::NoKey)), "{item}");
                }
            }
        }
        assert_eq!(tried, 2 * 8 * 12);
        // The control: the copy of the epoch before and that of now open whole.
        for copy in [&copies[2], &newest] {
            copy.put_back(&db.keys).await;
            for (subject, items) in &people {
                assert_eq!(&read(&house.restarted(), house.owner(*subject), items).await.unwrap(), items);
            }
        }
    }

    /// T11: a crash before every single step on the disk, the ones in the database are cut in `keystore`.
    async fn a_crash_at_any_step_of_the_epoch_store_loses_no_key_and_leaves_none(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, items) = house.person_with(30).await;
        house.keys.rotate().await.unwrap();
        let mut ended = 0;
        for n in 0.. {
            let (keys, seen) = house.ending_at(n);
            let before = house.restarted().epochs();
            let done = keys.rotate().await;
            house.hand.advance(TimeDelta::minutes(2));
            if done.is_ok() {
                assert!(seen.load(Ordering::SeqCst) <= n);
                break;
            }
            ended += 1;
            let after = house.replica().await;
            assert_eq!(read(&after, house.owner(subject), &items).await.unwrap(), items, "ended at step {n}");
            // It goes on, and what the dead process left half destroyed goes.
            after.finish().await.unwrap();
            after.rotate().await.unwrap();
            assert_eq!(read(&after, house.owner(subject), &items).await.unwrap(), items, "went on after step {n}");
            let alive = after.epochs();
            assert!(alive.len() <= 2 && alive.iter().all(|e| e.number > before[0].number), "step {n}: {alive:?}");
            let names: Vec<String> = alive.iter().map(|e| format!("{:08}.epoch", e.number)).collect();
            assert_eq!(files(&house.epochs), names, "something was left after step {n}");
            let sound = after.soundness().await.unwrap();
            assert_eq!((sound.outside, after.status().await.unwrap().stale), (0, 0), "step {n}");
        }
        assert!(ended >= 6, "only {ended} steps were ended at");
    }

    async fn an_erasure_beside_a_rotation_stays_one(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (erased, items) = house.person_with(50).await;
        let (other, others) = house.person_with(50).await;
        let (a, b) = (house.replica().await, house.replica().await);
        let erasing = async {
            tokio::task::yield_now().await;
            b.destroy_subject(house.owner(erased), Class::Data).await.unwrap();
        };
        let (rotated, ()) = tokio::join!(a.rotate(), erasing);
        rotated.unwrap();
        a.rotate().await.unwrap();
        assert!(matches!(read(&a, house.owner(erased), &items).await, Err(Error::NoKey)));
        assert_eq!(read(&a, house.owner(other), &others).await.unwrap(), others);
        assert_eq!(a.soundness().await.unwrap().undone, 0);
    }

    /// T13: three processes. A person's key is gone everywhere with the one write, for nobody keeps one; an epoch's key,
    /// which is kept, within thirty seconds, though a thief puts the rows back that it opened.
    async fn no_process_decrypts_later_than_thirty_seconds_after_a_destruction(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, items) = house.person_with(5).await;
        let (other, others) = house.person_with(5).await;
        let replicas = [house.replica().await, house.replica().await, house.replica().await];
        for keys in &replicas {
            assert_eq!(read(keys, house.owner(subject), &items).await.unwrap(), items);
        }
        let stolen = Copy::of(&db.keys).await;
        replicas[0].destroy_subject(house.owner(subject), Class::Data).await.unwrap();
        for keys in &replicas {
            assert!(matches!(read(keys, house.owner(subject), &items).await, Err(Error::NoKey)));
        }

        replicas[0].rotate().await.unwrap();
        replicas[0].rotate().await.unwrap();
        let living = Copy::of(&db.keys).await;
        stolen.put_back(&db.keys).await;
        let mut opened = 0;
        for keys in &replicas[1..] {
            opened += usize::from(read(keys, house.owner(subject), &items).await.is_ok());
        }
        assert!(opened > 0, "the control: within the first moment the epoch is still held");
        house.hand.advance(TimeDelta::seconds(30));
        for keys in &replicas {
            assert!(matches!(read(keys, house.owner(subject), &items).await, Err(Error::NoKey)), "decrypted too late");
        }
        living.put_back(&db.keys).await;
        for keys in &replicas {
            assert_eq!(read(keys, house.owner(other), &others).await.unwrap(), others);
        }
    }

    async fn a_folder_that_is_another_ones_is_refused(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        house.replica().await;
        house.person().await;
        let elsewhere = db.folder().join("not-shared");
        assert!(matches!(house.replica_of(&elsewhere).await, Err(Error::OtherEpochs(_))), "an empty folder");
        assert!(!elsewhere.join("00000001.epoch").exists(), "an epoch was begun in it");
        Epochs::open(&elsewhere, seal(), house.clock.now(), &Entropy::system()).unwrap();
        assert!(matches!(house.replica_of(&elsewhere).await, Err(Error::OtherEpochs(_))), "another epoch 1");
        house.replica_of(&house.epochs).await.unwrap();
    }

    /// A volume that is unmounted under a running service: its keys are not taken for destroyed.
    async fn a_folder_that_vanishes_is_not_an_erasure(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, items) = house.person_with(3).await;
        let keys = house.replica().await;
        let away = db.folder().join("away");
        fs::rename(&house.epochs, &away).unwrap();
        fs::create_dir(&house.epochs).unwrap();
        house.hand.advance(TimeDelta::seconds(15));
        assert_eq!(read(&keys, house.owner(subject), &items).await.unwrap(), items, "what was seen serves a moment");
        house.hand.advance(TimeDelta::seconds(30));
        let refused = read(&keys, house.owner(subject), &items).await;
        assert!(matches!(refused, Err(Error::OtherEpochs(_) | Error::Epochs(_))), "{refused:?}");
        assert!(keys.ready().await.is_err());
        fs::remove_dir(&house.epochs).unwrap();
        fs::rename(&away, &house.epochs).unwrap();
        assert_eq!(read(&keys, house.owner(subject), &items).await.unwrap(), items);
    }

    /// A folder on a network that does not show yet what another replica put into it: no key is taken for destroyed.
    async fn an_epoch_that_is_not_to_be_seen_is_not_a_destroyed_one(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, items) = house.person_with(3).await;
        let keys = house.replica().await;
        keys.rotate().await.unwrap();
        let (file, away) = (house.epochs.join("00000002.epoch"), db.folder().join("away"));
        fs::rename(&file, &away).unwrap();
        house.hand.advance(TimeDelta::seconds(15));
        let refused = read(&keys, house.owner(subject), &items).await;
        assert!(matches!(refused, Err(Error::EpochAway)), "{refused:?}");
        assert!(keys.rewrap().await.is_ok(), "and no row goes for want of it");
        fs::rename(&away, &file).unwrap();
        assert_eq!(read(&keys, house.owner(subject), &items).await.unwrap(), items);
    }

    /// The file of the older epoch was moved: nobody destroyed it.
    async fn an_older_epoch_that_is_not_to_be_seen_is_not_called_destroyed(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, items) = house.person_with(3).await;
        let keys = house.replica().await;
        let before = Copy::of(&db.keys).await;
        keys.rotate().await.unwrap();
        // As a replica leaves them that has not seen the new epoch.
        before.put_back(&db.keys).await;
        let (file, away) = (house.epochs.join("00000001.epoch"), db.folder().join("away"));
        fs::rename(&file, &away).unwrap();
        house.hand.advance(TimeDelta::seconds(15));
        for _ in 0..2 {
            let finished = keys.finish().await;
            assert!(matches!(finished, Err(Error::EpochAway)), "{finished:?}");
            let rotated = keys.rotate().await;
            assert!(matches!(rotated, Err(Error::EpochAway)), "{rotated:?}");
        }
        assert!(keys.untold().await.unwrap().is_empty(), "it is told that it was destroyed");
        let refused = read(&keys, house.owner(subject), &items).await;
        assert!(matches!(refused, Err(Error::EpochAway)), "{refused:?}");
        fs::rename(&away, &file).unwrap();
        assert_eq!(read(&keys, house.owner(subject), &items).await.unwrap(), items);
        keys.finish().await.unwrap();
        assert_eq!(keys.rotate().await.unwrap().destroyed, Some(1));
        assert_eq!(keys.untold().await.unwrap().iter().map(|d| d.epoch).collect::<Vec<_>>(), [1]);
        assert_eq!(read(&keys, house.owner(subject), &items).await.unwrap(), items);
    }

    /// A keystore from a backup does not know which epochs ended since: the folder shows it, or the ledger says it.
    async fn what_ended_after_a_copy_was_made_is_known_to_be_destroyed(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        house.person().await;
        let keys = house.replica().await;
        keys.rotate().await.unwrap();
        keys.rotate().await.unwrap();
        keys.told(1).await.unwrap();
        write(&db.keys, "UPDATE epoch SET ending_at = NULL, destroyed_at = NULL, noted_at = NULL").await;
        keys.finish().await.unwrap();
        let untold = |all: Vec<vouchsafe::keystore::Destroyed>| all.iter().map(|d| d.epoch).collect::<Vec<_>>();
        assert_eq!(untold(keys.untold().await.unwrap()), [1], "the third began after its end");
        fs::remove_file(house.epochs.join("00000002.epoch")).unwrap();
        assert!(matches!(keys.finish().await, Err(Error::EpochAway)), "nothing says that the second has ended");
        assert!(keys.leave_epochs(2).await.unwrap().is_empty());
        keys.finish().await.unwrap();
        assert_eq!(untold(keys.untold().await.unwrap()), [1, 2]);
    }

    /// Of one person a picture's key does not open, of another their own.
    async fn a_key_that_does_not_open_is_set_aside_and_keeps_no_epoch_alive(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (ada, mut of_ada) = house.person_with(5).await;
        let (bob, of_bob) = house.person_with(15).await;
        let (eve, of_eve) = house.person_with(5).await;
        let keys = house.replica().await;
        let (spoilt, _) = of_ada.pop_first().unwrap();
        run_in(&db.keys, &format!("UPDATE item_key SET wrapped = kfp WHERE item = '{spoilt}'")).await;
        let his = format!("subject = '{bob}' AND class = 'data'");
        run_in(&db.keys, &format!("UPDATE subject_key SET wrapped = kfp WHERE {his}")).await;
        for round in 1..=3 {
            assert_eq!(keys.rotate().await.unwrap().destroyed, (round > 1).then(|| round - 1));
            assert_eq!(keys.finish().await.unwrap(), 0);
        }
        let status = keys.status().await.unwrap();
        assert_eq!((status.aside, status.stale, keys.soundness().await.unwrap().outside), (2, 0, 0));
        let found: BTreeMap<String, &str> =
            keys.aside().await.unwrap().into_iter().map(|aside| (aside.id, aside.table)).collect();
        let expected = [(spoilt.clone(), "item_key"), (format!("{bob}/data"), "subject_key")];
        assert_eq!(found, BTreeMap::from(expected));
        // Damaged is what they are, and never destroyed.
        assert!(matches!(keys.item(house.owner(ada), &spoilt).await, Err(Error::Damaged)));
        assert!(matches!(read(&keys, house.owner(bob), &of_bob).await, Err(Error::Damaged)));
        assert_eq!(read(&keys, house.owner(ada), &of_ada).await.unwrap(), of_ada);
        assert_eq!(read(&keys, house.owner(eve), &of_eve).await.unwrap(), of_eve);
        keys.destroy_subject(house.owner(bob), Class::Data).await.unwrap();
        keys.clear_items(house.owner(bob)).await.unwrap();
        assert!(matches!(read(&keys, house.owner(bob), &of_bob).await, Err(Error::NoKey)));
        assert_eq!(keys.status().await.unwrap().aside, 1);
    }

    /// Then it is not the rows, and an epoch that is destroyed now would take all of them with it.
    async fn many_keys_that_do_not_open_are_not_set_aside(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        house.person_with(11).await;
        let keys = house.replica().await;
        keys.rotate().await.unwrap();
        assert_eq!(write(&db.keys, "UPDATE item_key SET wrapped = kfp").await, 11);
        for _ in 0..3 {
            assert!(matches!(keys.rotate().await, Err(Error::Damaged)));
            assert!(matches!(keys.finish().await, Err(Error::Damaged)));
        }
        assert_eq!((keys.status().await.unwrap().aside, keys.untold().await.unwrap().len()), (0, 1));
    }

    async fn a_destroyed_epoch_is_told_once_whoever_destroyed_it(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (a, b) = (house.replica().await, house.replica().await);
        a.rotate().await.unwrap();
        assert!(b.untold().await.unwrap().is_empty());
        house.hand.advance(TimeDelta::days(7));
        a.rotate().await.unwrap();
        let untold = b.untold().await.unwrap();
        assert_eq!(untold.iter().map(|d| (d.epoch, d.at)).collect::<Vec<_>>(), [(1, house.clock.now())]);
        b.told(1).await.unwrap();
        assert!(a.untold().await.unwrap().is_empty());
    }

    async fn rows_under_a_dead_epoch_do_not_stop_a_rotation(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let subject = house.person().await;
        let lost = house.person().await;
        house.keys.rotate().await.unwrap();
        house.keys.rotate().await.unwrap();
        let statement = "UPDATE subject_key SET epoch = 1 WHERE subject = (SELECT MAX(subject) FROM subject_key)";
        assert_eq!(write(&db.keys, statement).await, 2);
        house.keys.rotate().await.unwrap();
        let (dead, alive) = if lost.to_string() > subject.to_string() { (lost, subject) } else { (subject, lost) };
        assert!(matches!(house.keys.subject_ref(house.owner(dead)).await, Err(Error::NoKey)));
        house.keys.subject_ref(house.owner(alive)).await.unwrap();
        assert_eq!(house.keys.soundness().await.unwrap().outside, 2, "the auditor sees them");
    }
}

#[tokio::test]
async fn epochs_of_the_first_form_are_still_opened_and_named_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let (clock, _hand) =
        vouchsafe::base::Clock::manual(vouchsafe::base::Timestamp::from_micros(1_790_000_000_000_000));
    let entropy = Entropy::system();
    let place = vouchsafe::crypto::Place::new("epoch").number(1).number(clock.now().micros());
    let digits = "5ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea1";
    let key = vouchsafe::crypto::Key::from_slice(&hex::decode(digits).unwrap()).unwrap();
    let sealed = vouchsafe::crypto::seal(&key, &place, &[9; 32], &entropy);
    let text = format!("1\n{}\n{}\n", clock.now().micros(), hex::encode(sealed));
    fs::write(dir.path().join("00000001.epoch"), text).unwrap();
    let opened = Epochs::open(dir.path(), seal(), clock.now(), &entropy).unwrap();
    assert_eq!(opened.alive().len(), 1);
    let other = SealKey::from_hex(&Secret::new("00".repeat(32))).unwrap();
    assert!(matches!(Epochs::open(dir.path(), other, clock.now(), &entropy), Err(Error::Damaged)));
}
