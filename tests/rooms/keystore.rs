//! Keys: made, destroyed, moved to a new epoch, and not to be found again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::Poll;

use vouchsafe::base::{Clock, Entropy, ManualClock, Secret, SubjectId, TenantId, Timestamp};
use vouchsafe::crypto::{self, Key, Place};
use vouchsafe::keystore::{Again, Class, Epochs, Error, Keystore, NewItem, Owner, SealFault, SealKey};
use vouchsafe::on;
use vouchsafe::store::Db;

use crate::each_database;

/// A keystore over a test's own database, its epochs in the test's own folder.
pub(super) struct House {
    pub(super) keys: Keystore,
    pub(super) db: Db,
    pub(super) epochs: PathBuf,
    pub(super) clock: Clock,
    pub(super) hand: ManualClock,
    pub(super) tenant: TenantId,
}

const SEAL: &str = "5ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea1";

pub(super) fn seal() -> SealKey {
    SealKey::from_hex(&Secret::new(SEAL.to_owned())).unwrap()
}

impl House {
    pub(super) fn new(db: &Db, folder: &Path) -> Self {
        let (clock, hand) = Clock::manual(Timestamp::parse_rfc3339("2026-05-05T12:00:00Z").unwrap());
        let epochs = folder.join("epochs");
        let open = Epochs::open(&epochs, seal(), clock.now(), &Entropy::system()).unwrap();
        let keys = Keystore::new(db.clone(), open, clock.clone(), Entropy::system());
        Self { keys, db: db.clone(), epochs, clock, hand, tenant: "flux-kontext".parse().unwrap() }
    }

    /// What a process that starts now finds.
    pub(super) fn restarted(&self) -> Keystore {
        let open = Epochs::open(&self.epochs, seal(), self.clock.now(), &Entropy::system()).unwrap();
        Keystore::new(self.db.clone(), open, self.clock.clone(), Entropy::system())
    }

    pub(super) fn owner(&self, subject: SubjectId) -> Owner<'_> {
        Owner { tenant: &self.tenant, subject }
    }

    pub(super) async fn person(&self) -> SubjectId {
        let subject = SubjectId::new(&self.clock, &Entropy::system());
        self.keys.create_subject(self.owner(subject)).await.unwrap();
        subject
    }

    /// A person with so many items, and the item keys as they were given out.
    pub(super) async fn person_with(&self, items: usize) -> (SubjectId, BTreeMap<String, [u8; 32]>) {
        let subject = self.person().await;
        let names: Vec<String> = (0..items).map(|i| format!("obj_{subject}_{i}")).collect();
        let new = names.iter().map(|item| NewItem { item, kind: "output-image", key: None }).collect();
        let made = self.keys.mint(self.owner(subject), new).await.unwrap();
        (subject, names.into_iter().zip(made.iter().map(|m| *m.key.expose())).collect())
    }
}

/// The keys of these items, as a keystore gives them now.
pub(super) async fn read(
    keys: &Keystore,
    owner: Owner<'_>,
    items: &BTreeMap<String, [u8; 32]>,
) -> Result<BTreeMap<String, [u8; 32]>, Error> {
    let names: Vec<&str> = items.keys().map(String::as_str).collect();
    let found = keys.items(owner, &names).await?;
    Ok(found.into_iter().map(|(item, key)| (item, *key.key.expose())).collect())
}

/// Every wrapped key in the database.
pub(super) async fn wrapped(db: &Db) -> Vec<Vec<u8>> {
    let mut tx = db.read().await.unwrap();
    let rows: Vec<(Vec<u8>,)> =
        on!(tx, |c| sqlx::query_as("SELECT wrapped FROM subject_key UNION ALL SELECT wrapped FROM item_key")
            .fetch_all(c)
            .await)
        .unwrap();
    rows.into_iter().map(|(w,)| w).collect()
}

pub(super) async fn write(db: &Db, statement: &'static str) -> u64 {
    let mut tx = db.begin().await.unwrap();
    let changed = on!(tx, |c| sqlx::query(statement).execute(c).await.map(|r| r.rows_affected())).unwrap();
    tx.commit().await.unwrap();
    changed
}

/// Runs `future` until it has waited `times` times, then drops it where it stands, as a crash would.
pub(crate) async fn cut_short<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = times;
    std::future::poll_fn(move |cx| match future.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

each_database! {
    async fn a_note_opens_at_its_place_alone_and_lies_as_notes_always_did(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (place, entropy) = (|of: &str| Place::new("address-move").with("flux-kontext").with(of), Entropy::system());
        let note = BTreeMap::from([("from".to_owned(), "ada@example.org".to_owned())]);
        let sealed = house.keys.seal_note("address/a", &place("1"), &note).await.unwrap();
        let opened: BTreeMap<String, String> = house.keys.open_note("address/a", &place("1"), &sealed).await.unwrap();
        assert_eq!(opened, note);
        // As such rows were sealed by hand, and would be opened by hand.
        let key = house.keys.system("address/a").await.unwrap();
        let plain = serde_json::to_vec(&note).unwrap();
        assert_eq!(crypto::open(&key, &place("1"), &sealed).unwrap().as_slice(), plain.as_slice());
        let by_hand = crypto::seal(&key, &place("2"), &plain, &entropy);
        let opened: BTreeMap<String, String> = house.keys.open_note("address/a", &place("2"), &by_hand).await.unwrap();
        assert_eq!(opened, note);
        let damaged: Vec<u8> = sealed.iter().enumerate().map(|(n, b)| if n == 30 { b ^ 1 } else { *b }).collect();
        for (of, at, bytes) in [
            ("address/a", "2", sealed.as_slice()),
            ("address/b", "1", sealed.as_slice()),
            ("address/a", "1", damaged.as_slice()),
            ("address/a", "1", &sealed[..20]),
        ] {
            let opened = house.keys.open_note::<BTreeMap<String, String>>(of, &place(at), bytes).await;
            assert!(matches!(opened, Err(Error::Note)), "{of} {at}");
        }
        let other = house.keys.open_note::<Vec<i64>>("address/a", &place("1"), &sealed).await;
        assert!(matches!(other, Err(Error::Note)), "it is not of this type");
    }

    async fn a_key_that_was_made_is_given_again(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, items) = house.person_with(600).await;
        assert_eq!(read(&house.keys, house.owner(subject), &items).await.unwrap(), items);
        assert_eq!(read(&house.restarted(), house.owner(subject), &items).await.unwrap(), items);

        let chosen = Key::from_bytes([7; 32]);
        let item = NewItem { item: "obj_chosen", kind: "input-image", key: Some(chosen.clone()) };
        house.keys.mint(house.owner(subject), vec![item]).await.unwrap();
        let found = house.keys.item(house.owner(subject), "obj_chosen").await.unwrap();
        assert_eq!(found.key.expose(), chosen.expose());
    }

    async fn an_item_key_is_its_owners_alone(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (_, items) = house.person_with(3).await;
        let stranger = house.person().await;
        assert!(read(&house.keys, house.owner(stranger), &items).await.unwrap().is_empty());
    }

    async fn destroying_one_item_leaves_the_others(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, mut items) = house.person_with(3).await;
        let (gone, _) = items.pop_first().unwrap();
        let known = house.keys.item(house.owner(subject), &gone).await.unwrap().fingerprint;
        let other_tenant: TenantId = "opusflair".parse().unwrap();
        assert!(house.keys.destroy_items(&other_tenant, &[&gone]).await.unwrap().is_empty());
        assert_eq!(house.keys.destroy_items(&house.tenant, &[&gone]).await.unwrap(), [(gone.clone(), known)]);
        assert!(matches!(house.keys.item(house.owner(subject), &gone).await, Err(Error::NoKey)));
        assert_eq!(read(&house.keys, house.owner(subject), &items).await.unwrap(), items);
    }

    async fn one_write_makes_everything_of_a_person_unreadable(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (erased, items) = house.person_with(50).await;
        let (other, others_items) = house.person_with(50).await;
        let owner = house.owner(erased);

        let first = house.keys.destroy_subject(owner, Class::Data).await.unwrap();
        assert_eq!(house.keys.count_items(owner).await.unwrap(), 50, "it was more than the one write");
        assert!(matches!(read(&house.keys, owner, &items).await, Err(Error::NoKey)));
        assert!(matches!(read(&house.restarted(), owner, &items).await, Err(Error::NoKey)));
        assert!(matches!(house.keys.derived(owner, Class::Data, "x").await, Err(Error::NoKey)));
        house.keys.subject_ref(owner).await.expect("the proof key outlives the data key");
        assert_eq!(read(&house.keys, house.owner(other), &others_items).await.unwrap(), others_items);

        house.hand.advance(chrono::TimeDelta::days(1));
        assert_eq!(house.keys.destroy_subject(owner, Class::Data).await.unwrap(), first, "again is harmless");
        house.keys.destroy_subject(owner, Class::Proof).await.unwrap();
        assert!(matches!(house.keys.subject_ref(owner).await, Err(Error::NoKey)));
        assert_eq!(house.keys.clear_items(owner).await.unwrap(), 50);
        assert_eq!(house.keys.count_items(owner).await.unwrap(), 0);
    }

    async fn a_person_whose_keys_were_destroyed_never_gets_another(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let subject = house.person().await;
        let owner = house.owner(subject);
        assert!(!house.keys.is_fenced(owner).await.unwrap());
        house.keys.destroy_subject(owner, Class::Data).await.unwrap();
        assert!(house.keys.is_fenced(owner).await.unwrap());
        assert!(matches!(house.keys.create_subject(owner).await, Err(Error::Fenced)));
        let item = NewItem { item: "obj_late", kind: "output-image", key: None };
        assert!(matches!(house.keys.mint(owner, vec![item]).await, Err(Error::NoKey)));
        assert_eq!(house.keys.count_items(owner).await.unwrap(), 0, "a refused key left a row");
    }

    async fn another_seal_key_opens_nothing(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        house.person().await;
        let other = SealKey::from_hex(&Secret::new("00".repeat(32))).unwrap();
        let opened = Epochs::open(&house.epochs, other, house.clock.now(), &Entropy::system());
        assert!(matches!(opened, Err(Error::Seal { fault: SealFault::NotConfigured, .. })));
    }

    async fn a_row_moved_or_altered_does_not_open(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, items) = house.person_with(2).await;
        let owner = house.owner(subject);
        let (a, b) = (items.keys().next().unwrap(), items.keys().nth(1).unwrap());
        // The wrapped key of one item put into the row of another: both were sealed under the same keys.
        write(&db.keys, "UPDATE item_key SET wrapped = (SELECT o.wrapped FROM item_key o WHERE o.item <> item_key.item) \
            WHERE item = (SELECT MIN(item) FROM item_key)").await;
        assert!(matches!(house.keys.item(owner, a).await, Err(Error::Damaged)));
        assert!(house.keys.item(owner, b).await.is_ok());
        assert_eq!(write(&db.keys, "UPDATE item_key SET kind = 'input-image'").await, 2);
        assert!(matches!(house.keys.item(owner, b).await, Err(Error::Damaged)));

        write(&db.keys, "UPDATE subject_key SET epoch = epoch + 1").await;
        assert!(matches!(house.keys.subject_ref(owner).await, Err(Error::EpochAway)), "an epoch that nobody wrote down as destroyed");
        write(&db.keys, "UPDATE subject_key SET epoch = epoch - 1").await;
        house.keys.subject_ref(owner).await.unwrap();
        write(&db.keys, "DELETE FROM subject_key WHERE class = 'proof'").await;
        write(&db.keys, "UPDATE subject_key SET class = 'proof'").await;
        assert!(matches!(house.keys.subject_ref(owner).await, Err(Error::Damaged)), "one key passed for the other");
    }

    async fn a_key_of_the_service_is_made_once_and_kept(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let first = house.keys.system("cursor").await.unwrap();
        assert_ne!(first.expose(), house.keys.system("answers").await.unwrap().expose());
        house.keys.rotate().await.unwrap();
        assert_eq!(first.expose(), house.restarted().system("cursor").await.unwrap().expose());
    }

    async fn a_new_epoch_wraps_every_key_anew_and_loses_none(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, items) = house.person_with(1_200).await;
        let (erased, _) = house.person_with(10).await;
        house.keys.destroy_subject(house.owner(erased), Class::Data).await.unwrap();
        let before = wrapped(&db.keys).await;
        for round in 1..=3 {
            house.hand.advance(chrono::TimeDelta::days(30));
            let rotation = house.keys.rotate().await.unwrap();
            assert_eq!(rotation.epoch, round + 1);
            assert_eq!(rotation.destroyed, (round > 1).then(|| round - 1));
            assert_eq!(read(&house.restarted(), house.owner(subject), &items).await.unwrap(), items);
        }
        let after = wrapped(&db.keys).await;
        assert!(before.iter().all(|w| !after.contains(w)));
        assert_eq!(house.keys.count_items(house.owner(erased)).await.unwrap(), 0, "dead rows were carried over");
        let numbers: Vec<i64> = house.restarted().status().await.unwrap().epochs.iter().map(|e| e.number).collect();
        assert_eq!(numbers, [3, 4]);
    }

    /// The whole point of epochs: somebody kept a copy of the keystore from before an erasure.
    async fn an_old_copy_of_the_keystore_is_dead_once_its_epoch_is(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, items) = house.person_with(20).await;
        let owner = house.owner(subject);
        let copy = Copy::of(&db.keys).await;
        house.keys.destroy_subject(owner, Class::Data).await.unwrap();
        house.keys.clear_items(owner).await.unwrap();
        house.keys.rotate().await.unwrap();

        // The control: until then the copy opens, with the seal key and the epochs in hand.
        copy.put_back(&db.keys).await;
        assert_eq!(read(&house.restarted(), owner, &items).await.unwrap(), items, "the copy never was any good");
        Copy::default().put_back(&db.keys).await;

        let rotation = house.keys.rotate().await.unwrap();
        assert_eq!(rotation.destroyed, Some(1));
        copy.put_back(&db.keys).await;
        assert!(matches!(read(&house.restarted(), owner, &items).await, Err(Error::NoKey)));
    }

    async fn a_rotation_cut_short_anywhere_loses_no_key(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (subject, items) = house.person_with(1_100).await;
        let mut cut = 0;
        for times in (0..40).chain([100, 400, 1_000]) {
            cut += usize::from(cut_short(house.keys.rotate(), times).await.is_none());
            // Whoever was cut short still has the turn, for a minute.
            house.hand.advance(chrono::TimeDelta::minutes(2));
            let found = read(&house.restarted(), house.owner(subject), &items).await.unwrap();
            assert_eq!(found, items, "keys lost when cut after {times} waits");
        }
        assert!(cut > 10, "only {cut} were cut");
        let keys = house.restarted();
        keys.rewrap().await.unwrap();
        let current = keys.status().await.unwrap().epochs.last().unwrap().number;
        let mut tx = db.keys.read().await.unwrap();
        let (stale,): (i64,) = on!(tx, |c| sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM item_key WHERE epoch < $1) + (SELECT COUNT(*) FROM subject_key WHERE epoch < $1)"
        ).bind(current).fetch_one(c).await).unwrap();
        assert_eq!(stale, 0);
        assert!(keys.status().await.unwrap().epochs.len() <= 2, "more than two epochs are alive");
    }

    async fn destroying_again_takes_up_what_was_cut_short(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (ada, items) = house.person_with(3).await;
        let (bob, of_bob) = house.person_with(2).await;
        let owner = house.owner(ada);
        // As a call left it that died after the first of its steps.
        let known = house.keys.destroy_subject(owner, Class::Data).await.unwrap().fingerprint;
        assert!(house.keys.subject_ref(owner).await.is_ok());
        let again = house.keys.destroy_again(&[known]).await.unwrap();
        assert_eq!(again.subjects, 1);
        assert!(matches!(house.keys.subject_ref(owner).await, Err(Error::NoKey)), "it would still tell whose it was");
        assert_eq!(house.keys.count_items(owner).await.unwrap(), 0);
        assert_eq!(house.keys.destroy_again(&[known]).await.unwrap(), Again::default(), "and again is harmless");
        assert!(read(&house.keys, owner, &items).await.is_err());
        assert_eq!(read(&house.keys, house.owner(bob), &of_bob).await.unwrap(), of_bob);
    }

    async fn each_destroyed_key_counts_once(db: TestDb) {
        let house = House::new(&db.keys, db.folder());
        let (ada, items) = house.person_with(3).await;
        assert_eq!(house.keys.destroyed().await.unwrap(), 0);
        let names: Vec<&str> = items.keys().map(String::as_str).take(2).collect();
        for _ in 0..2 {
            house.keys.destroy_items(&house.tenant, &names).await.unwrap();
            assert_eq!(house.keys.destroyed().await.unwrap(), 2);
        }
        for _ in 0..2 {
            house.keys.destroy_subject(house.owner(ada), Class::Data).await.unwrap();
            assert_eq!(house.keys.destroyed().await.unwrap(), 3);
        }
        house.keys.raise_destroyed(7).await.unwrap();
        house.keys.raise_destroyed(5).await.unwrap();
        assert_eq!(house.keys.destroyed().await.unwrap(), 7, "it never shrinks");
    }
}

type SubjectKeyRow = (String, String, String, String, i64, Vec<u8>, Vec<u8>, i64);
type ItemKeyRow = (String, String, String, String, String, i64, Vec<u8>, Vec<u8>, i64);

/// A backup: the rows of the two tables of keys.
#[derive(Default)]
pub(super) struct Copy {
    pub(super) subjects: Vec<SubjectKeyRow>,
    pub(super) items: Vec<ItemKeyRow>,
}

impl Copy {
    pub(super) async fn of(db: &Db) -> Self {
        let mut tx = db.read().await.unwrap();
        let subjects = on!(tx, |c| sqlx::query_as("SELECT * FROM subject_key").fetch_all(c).await).unwrap();
        let items = on!(tx, |c| sqlx::query_as("SELECT * FROM item_key").fetch_all(c).await).unwrap();
        Self { subjects, items }
    }

    pub(super) async fn put_back(&self, db: &Db) {
        write(db, "DELETE FROM subject_key").await;
        write(db, "DELETE FROM item_key").await;
        let mut tx = db.begin().await.unwrap();
        for (tenant, subject, class, id, epoch, wrapped, kfp, at) in &self.subjects {
            on!(tx, |c| sqlx::query("INSERT INTO subject_key VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
                .bind(tenant)
                .bind(subject)
                .bind(class)
                .bind(id)
                .bind(epoch)
                .bind(wrapped)
                .bind(kfp)
                .bind(at)
                .execute(c)
                .await
                .map(|_| ()))
            .unwrap();
        }
        for (item, tenant, subject, id, kind, epoch, wrapped, kfp, at) in &self.items {
            on!(tx, |c| sqlx::query("INSERT INTO item_key VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
                .bind(item)
                .bind(tenant)
                .bind(subject)
                .bind(id)
                .bind(kind)
                .bind(epoch)
                .bind(wrapped)
                .bind(kfp)
                .bind(at)
                .execute(c)
                .await
                .map(|_| ()))
            .unwrap();
        }
        tx.commit().await.unwrap();
    }
}

/// How many of `needles` are found anywhere in the files of a folder.
pub(super) fn residue(folder: &Path, needles: &[Vec<u8>]) -> usize {
    let by_start: HashMap<&[u8], &[u8]> = needles.iter().map(|n| (&n[..8], n.as_slice())).collect();
    let mut found = BTreeSet::new();
    let mut files = Vec::new();
    crate::support::source::walk(folder, &mut files);
    for bytes in files.iter().filter(|f| f.is_file()).map(|f| fs::read(f).unwrap()) {
        for at in 0..bytes.len().saturating_sub(8) {
            if let Some(needle) = by_start.get(&bytes[at..at + 8])
                && bytes[at..].starts_with(needle)
            {
                found.insert(*needle);
            }
        }
    }
    found.len()
}

/// Erases one of two people who have a hundred keys each and gives how many of the erased one's wrapped keys, and of the
/// other one's, are still found in the files.
async fn erase_and_search(house: &House, folder: &Path) -> (usize, usize) {
    let (erased, _) = house.person_with(99).await;
    let before = wrapped(&house.db).await;
    house.person_with(98).await;
    let others: Vec<Vec<u8>> = wrapped(&house.db).await.into_iter().filter(|w| !before.contains(w)).collect();
    let owner = house.owner(erased);
    for class in [Class::Data, Class::Proof] {
        house.keys.destroy_subject(owner, class).await.unwrap();
    }
    house.keys.clear_items(owner).await.unwrap();
    house.keys.truncate_log().await.unwrap();
    (residue(folder, &before), residue(folder, &others))
}

#[tokio::test]
async fn no_byte_of_a_destroyed_key_is_left_in_a_file() {
    let db = crate::support::TestDb::open(crate::support::Backend::Sqlite).await.unwrap();
    let house = House::new(&db.keys, db.folder());
    assert_eq!(erase_and_search(&house, db.folder()).await, (0, 100));
}

/// Of every file that SQLite writes, so of a copy by `VACUUM INTO` as well, which knows no setting of a connection's. It is
/// built so by `.cargo/config.toml`.
#[tokio::test]
async fn sqlite_is_built_to_overwrite_what_it_frees() {
    let db = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
    let asked = sqlx::query_as("SELECT sqlite_compileoption_used('SECURE_DELETE')");
    let (built,): (i64,) = asked.fetch_one(&db).await.unwrap();
    assert_eq!(built, 1);
}

/// The control: the same search, with the database told to leave freed pages as they are, finds them.
#[tokio::test]
async fn without_secure_delete_the_same_search_finds_destroyed_keys() {
    let db = crate::support::TestDb::open(crate::support::Backend::Sqlite).await.unwrap();
    let mut tx = db.keys.begin().await.unwrap();
    vouchsafe::on!(tx, |c| sqlx::query("PRAGMA secure_delete = OFF").execute(c).await.map(|_| ())).unwrap();
    tx.commit().await.unwrap();
    let house = House::new(&db.keys, db.folder());
    let (left, others) = erase_and_search(&house, db.folder()).await;
    assert_eq!(others, 100);
    assert!(left > 50, "only {left} of 101 were found");
}
