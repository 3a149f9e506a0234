//! Moving from one seal to another while the keystore is in use, and seals that fail in the middle of things.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use vouchsafe::base::{Clock, Entropy};
use vouchsafe::keystore::{
    Epochs, Error, Keystore, NewItem, Opening, Seal, SealFault, SealKind, Seals, Steps,
};
use vouchsafe::seals::{kms, vault};

use super::keystore::{House, read, seal};
use crate::each_database;
use crate::support::kms::FakeKms;
use crate::support::transit::{FakeVault, Trouble};

/// The three sorts of seal that a test moves between.
struct Three {
    kms: FakeKms,
    vault: FakeVault,
}

impl Three {
    async fn start() -> Self {
        Self { kms: FakeKms::start().await, vault: FakeVault::start().await }
    }

    fn of(&self, kinds: &[SealKind]) -> Seals {
        let one = |kind: &SealKind| match kind {
            SealKind::AwsKms => kms(&self.kms.settings()),
            SealKind::Vault => vault(self.vault.with_token(), &Clock::system(), &Entropy::system()).unwrap(),
            SealKind::File | SealKind::Given => Seal::key(SealKind::File, seal()),
        };
        Seals::new(kinds.iter().map(one).collect())
    }

    async fn open(&self, house: &House, kinds: &[SealKind]) -> Result<Keystore, Error> {
        let opening = Opening {
            db: house.db.clone(),
            folder: &house.epochs,
            seals: self.of(kinds),
            installation: "flux.example/ledger",
            clock: house.clock.clone(),
            entropy: Entropy::system(),
        };
        Keystore::open(opening).await
    }

    /// A process whose changes to the epoch store end at their `n`th step.
    async fn ending_at(&self, house: &House, kinds: &[SealKind], n: usize) -> Keystore {
        let seen = AtomicUsize::new(0);
        let steps: Steps = Arc::new(move |_| {
            if seen.fetch_add(1, Ordering::SeqCst) >= n {
                Err(io::Error::other("ended here"))
            } else {
                Ok(())
            }
        });
        let (now, entropy) = (house.clock.now(), Entropy::system());
        let installation = "flux.example/ledger";
        let epochs =
            Epochs::open_with(&house.epochs, self.of(kinds), installation, now, &entropy).await.unwrap();
        Keystore::new(house.db.clone(), epochs.watched(steps), house.clock.clone(), entropy)
    }
}

const ALL: &[SealKind] = &[SealKind::File, SealKind::AwsKms, SealKind::Vault];

/// Which seals the files name, each once.
fn named(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let seals = text.lines().filter_map(|l| l.strip_prefix("seal ")?.split(':').next());
        names.extend(seals.map(str::to_owned));
    }
    names.sort();
    names.dedup();
    names
}

each_database! {
    async fn the_epochs_move_from_seal_to_seal_under_a_running_service(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, mut items) = house.person_with(10).await;
        house.keys.rotate().await.unwrap();
        let three = Three::start().await;
        let serving = three.open(&house, ALL).await.unwrap();
        let operator = three.open(&house, ALL).await.unwrap();
        for (n, (to, name)) in
            [(SealKind::Vault, "vault"), (SealKind::AwsKms, "aws-kms"), (SealKind::File, "key")].into_iter().enumerate()
        {
            let moved = operator.move_seal(to).await.unwrap();
            assert_eq!((moved.epochs, moved.from.len()), (2, 1), "{moved:?}");
            assert_eq!(named(&house.epochs), [name], "another wrapping was left");
            // What runs goes on, reads, writes and begins the next epoch by the new seal.
            let made = format!("obj_moved_{n}");
            let new = NewItem { item: &made, kind: "output-image", key: None };
            let key = serving.mint(house.owner(subject), vec![new]).await.unwrap();
            items.insert(made, *key[0].key.expose());
            house.hand.advance(TimeDelta::days(7));
            serving.rotate().await.unwrap();
            assert_eq!(named(&house.epochs), [name]);
            assert_eq!(read(&serving, house.owner(subject), &items).await.unwrap(), items);
            // And the new seal alone is enough for a process that starts.
            let fresh = three.open(&house, &[to]).await.unwrap();
            assert_eq!(read(&fresh, house.owner(subject), &items).await.unwrap(), items);
        }
        let old = three.open(&house, &[SealKind::Vault]).await;
        assert!(matches!(old, Err(Error::Seal { fault: SealFault::NotConfigured, .. })), "{old:?}");
    }

    async fn a_move_cut_short_anywhere_leaves_every_epoch_openable(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, items) = house.person_with(3).await;
        house.keys.rotate().await.unwrap();
        let three = Three::start().await;
        let mut ended = 0;
        let (mut from, mut to) = (SealKind::File, SealKind::Vault);
        for n in 0.. {
            let done = three.ending_at(&house, ALL, n).await.move_seal(to).await;
            if done.is_ok() {
                break;
            }
            ended += 1;
            let both = three.open(&house, &[from, to]).await.unwrap();
            assert_eq!(read(&both, house.owner(subject), &items).await.unwrap(), items, "step {n}");
            // A process with the old configuration alone opens them until the old wrappings are taken away.
            let old = three.open(&house, &[from]).await;
            assert!(old.is_ok() || n >= 8, "step {n}: {old:?}");
            both.move_seal(to).await.unwrap();
            assert_eq!(named(&house.epochs).len(), 1, "step {n}");
            assert_eq!(fs::read_dir(&house.epochs).unwrap().count(), 2, "a draft was left at step {n}");
            let new = three.open(&house, &[to]).await.unwrap();
            assert_eq!(read(&new, house.owner(subject), &items).await.unwrap(), items, "step {n}, gone on");
            (from, to) = (to, from);
        }
        assert_eq!(ended, 12, "two epochs, each replaced twice in three steps");
    }

    async fn an_epoch_that_begins_in_the_middle_of_a_move_is_wrapped_by_both(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let three = Three::start().await;
        let cut = three.ending_at(&house, ALL, 3).await;
        assert!(cut.move_seal(SealKind::Vault).await.is_err());
        assert_eq!(named(&house.epochs), ["key", "vault"]);
        let serving = three.open(&house, ALL).await.unwrap();
        serving.rotate().await.unwrap();
        three.open(&house, &[SealKind::Vault]).await.unwrap();
        three.open(&house, &[SealKind::File]).await.unwrap();
        serving.move_seal(SealKind::Vault).await.unwrap();
        assert_eq!(named(&house.epochs), ["vault"]);
    }

    async fn a_seal_that_fails_leaves_everything_as_it_was(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, items) = house.person_with(3).await;
        let three = Three::start().await;
        let keys = three.open(&house, ALL).await.unwrap();
        let before = named(&house.epochs);
        let refused = [
            (Trouble::Says(403, "permission denied"), SealFault::Refused),
            (Trouble::Says(404, ""), SealFault::NoSuchKey),
        ];
        for (trouble, expected) in refused {
            three.vault.trouble(&[trouble]);
            let done = keys.move_seal(SealKind::Vault).await;
            assert!(matches!(done, Err(Error::Seal { fault, .. }) if fault == expected), "{done:?}");
            assert_eq!(named(&house.epochs), before);
        }
        three.kms.set_state("PendingDeletion");
        let done = keys.move_seal(SealKind::AwsKms).await;
        assert!(matches!(done, Err(Error::Seal { fault: SealFault::KeyOff, .. })), "{done:?}");
        assert_eq!(named(&house.epochs), before);
        assert_eq!(read(&keys, house.owner(subject), &items).await.unwrap(), items);
    }

    async fn a_rotation_waits_for_its_seal_and_reading_does_not(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, items) = house.person_with(3).await;
        let three = Three::start().await;
        let keys = three.open(&house, ALL).await.unwrap();
        keys.move_seal(SealKind::Vault).await.unwrap();
        for _ in 0..2 {
            house.hand.advance(TimeDelta::days(7));
            keys.rotate().await.unwrap();
        }
        three.vault.trouble(&[Trouble::Says(503, "Vault is sealed"); 3]);
        house.hand.advance(TimeDelta::days(7));
        let waits = keys.rotate().await;
        assert!(matches!(waits, Err(Error::Seal { fault: SealFault::Unreachable, .. })), "{waits:?}");
        assert_eq!(read(&keys, house.owner(subject), &items).await.unwrap(), items);
        let newest = keys.epochs().last().unwrap().number;
        assert_eq!(keys.rotate().await.unwrap().epoch, newest + 1, "it goes on when the seal is back");
        assert_eq!(read(&keys, house.owner(subject), &items).await.unwrap(), items);
        assert!(keys.epochs().len() <= 2);
    }

    async fn moving_to_where_one_is_takes_the_newest_version_of_the_key(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let three = Three::start().await;
        let keys = three.open(&house, ALL).await.unwrap();
        keys.move_seal(SealKind::Vault).await.unwrap();
        three.vault.rotate();
        let moved = keys.move_seal(SealKind::Vault).await.unwrap();
        assert!(moved.from.is_empty(), "{moved:?}");
        assert!(three.vault.calls().iter().any(|call| call == "rewrap"));
        three.vault.allow_from(2);
        three.open(&house, ALL).await.unwrap();
        // The control: what still lies under the first version does not open any more.
        three.vault.allow_from(3);
        let old = three.open(&house, ALL).await;
        assert!(matches!(old, Err(Error::Seal { fault: SealFault::KeyOff, .. })), "{old:?}");
    }
}
