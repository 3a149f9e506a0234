//! Backups as files: what is in them, what opens them, and that nothing is changed by one that is not whole and ours.

use std::fs;
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use vouchsafe::app::{COPY, Standby};
use vouchsafe::archive::EncryptTo;
use vouchsafe::backup::{
    Error, How, Manifest, Order, PutBack, Unlock, What, bring_up_to_date, put_back, take,
};
use vouchsafe::base::{Clock, Entropy, Secret};
use vouchsafe::jobs::Task;
use vouchsafe::keystore::Owner as KeyOwner;
use vouchsafe::policy::Role;
use vouchsafe::vault::{Owner, StoredObject};

use crate::support::Backend;
use crate::support::house::{House, documents};

pub(super) const DATA: Order = Order { what: What::Data, to: None, without_blobs: false };
const KEYS: Order = Order { what: What::Keystore, to: None, without_blobs: false };

pub(super) struct Stage {
    pub(super) house: House,
    kept: tempfile::TempDir,
    pub(super) ada: (Owner, StoredObject),
    pub(super) bert: (Owner, StoredObject),
}

impl Stage {
    /// Ada and Bert, a picture each.
    pub(super) async fn open() -> Self {
        let house = House::open(Backend::Sqlite).await.unwrap();
        let (ada, bert) = (house.person("ada").await, house.person("bert").await);
        let (of_ada, of_bert) =
            (house.object(&ada, b"canary of ada").await, house.object(&bert, b"canary of bert").await);
        house.app.ledger.sequence().await.unwrap();
        let kept = tempfile::tempdir().unwrap();
        Self { house, kept, ada: (ada, of_ada), bert: (bert, of_bert) }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.kept.path().join(name)
    }

    pub(super) async fn take(&self, order: Order, name: &str) -> Manifest {
        take(&self.house.app, order, &self.file(name)).await.unwrap()
    }

    async fn standby(&self) -> Standby {
        let config = &self.house.app.config;
        Standby::of(config, self.house.app.clock.clone(), Entropy::system()).await.unwrap()
    }

    /// The service stopped, and a backup put back over what is there.
    pub(super) async fn put_back(&self, name: &str, keys: Vec<Unlock>) -> Result<PutBack, Error> {
        self.house.app.close().await;
        put_back(&self.standby().await, &self.file(name), How { keys, replace: true }).await
    }

    pub(super) async fn restarted(self) -> Self {
        Self { house: self.house.restarted(documents()).await.unwrap(), ..self }
    }

    /// A backup put back, and what happened since done again.
    pub(super) async fn brought_back(self, name: &str) -> Self {
        self.put_back(name, Vec::new()).await.unwrap();
        let stage = Box::pin(self.restarted()).await;
        bring_up_to_date(&stage.house.app).await.unwrap();
        stage
    }

    pub(super) async fn erase_ada(&self) {
        self.house.app.requests.erase(&self.ada.0, Role::Service).await.unwrap().unwrap();
        self.house.app.ledger.sequence().await.unwrap();
    }

    async fn opens(&self, (owner, object): &(Owner, StoredObject)) -> bool {
        self.house.bytes(owner, object).await.is_ok()
    }

    /// Every file of the data folder but logs of databases that are closed, with its bytes.
    fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut all = Vec::new();
        let mut folders = vec![self.house.data().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    all.push((path.clone(), fs::read(path).unwrap()));
                }
            }
        }
        all.sort();
        all
    }
}

pub(super) fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|w| w == needle)
}

fn identity() -> (EncryptTo, Unlock) {
    let identity = age::x25519::Identity::generate();
    let secret = identity.to_string().expose_secret().to_owned();
    let file = format!("# made for a test\n{secret}\n");
    (identity.to_public().to_string().parse().unwrap(), Unlock::Identities(Secret::new(file)))
}

fn passphrase(text: &str) -> (EncryptTo, Unlock) {
    let secret = Secret::new(text.to_owned());
    (EncryptTo::passphrase(secret.clone()).unwrap(), Unlock::Passphrase(secret))
}

/// What a backup is refused by where the volume is too small.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_takes_no_more_than_was_said() {
    let stage = Stage::open().await;
    for (said, name) in [
        (stage.house.app.db.copy_takes().await.unwrap(), "data"),
        (stage.house.app.keys.copy_takes().await.unwrap(), "keys"),
    ] {
        let copy = tempfile::NamedTempFile::new().unwrap();
        let path = copy.path().to_str().unwrap();
        let (app, is_data) = (&stage.house.app, name == "data");
        assert!(if is_data {
            app.db.copy_into(path).await.unwrap()
        } else {
            app.keys.copy_into(path).await.unwrap()
        });
        let (said, takes) = (said.unwrap(), fs::metadata(path).unwrap().len());
        assert!(takes <= said && said < 2 * takes + (1 << 20), "{name}: {takes} of {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_each_envelope_it_comes_back_and_the_erased_do_not() {
    let sorts = [None, Some(identity()), Some(passphrase("correct horse battery"))];
    for (n, sort) in sorts.into_iter().enumerate() {
        let stage = Stage::open().await;
        let (to, keys) = sort.unzip();
        let sealed = to.is_some();
        let taken = stage.take(Order { to, ..DATA }, "data").await;
        assert_eq!((taken.members, taken.what), (3, What::Data), "a database and two pictures");
        assert_eq!(stage.house.entries("backup.taken").await, 1);
        let bytes = fs::read(stage.file("data")).unwrap();
        assert_eq!(bytes.starts_with(b"age-encryption.org/v1\n"), sealed);
        stage.erase_ada().await;
        let late = (stage.bert.0.clone(), stage.house.object(&stage.bert.0, b"after the backup").await);
        stage.house.app.ledger.sequence().await.unwrap();
        let head = stage.house.app.ledger.checkpoint().await.unwrap();

        let put = stage.put_back("data", keys.into_iter().collect()).await.unwrap();
        assert_eq!(
            (put.manifest, put.blobs, put.known),
            (taken, 1, head.size()),
            "the picture of ada came back"
        );
        let stage = Box::pin(stage.restarted()).await;
        let app = &stage.house.app;
        let replaced = stage.house.data().join("vouchsafe.db.replaced");
        assert!(!app.gate.is_open() && replaced.exists());
        let done = bring_up_to_date(app).await.unwrap();
        assert_eq!((done.people, done.images, done.lost_items), (1, 1, 1), "round {n}");
        assert!(app.gate.is_open() && !stage.opens(&stage.ada).await && stage.opens(&stage.bert).await);
        assert!(!stage.opens(&late).await, "lost, and said to be");
        app.ledger.stands_by(head.note()).await.unwrap();
        assert!(app.ledger.fsck().await.unwrap().is_sound());
        assert!(!stage.everything().iter().any(|(path, _)| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.contains("replaced") || name.contains("incoming")
        }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_while_it_is_taken_leaves_it_whole() {
    let stage = Stage::open().await;
    let app = stage.house.app.clone();
    let writing = async {
        for n in 0..30 {
            stage.house.object(&stage.bert.0, format!("while it is taken {n}").as_bytes()).await;
            if n % 7 == 0 {
                app.ledger.sequence().await.unwrap();
            }
        }
    };
    let file = stage.file("data");
    let (taken, ()) = tokio::join!(take(&app, DATA, &file), writing);
    taken.unwrap();
    stage.erase_ada().await;
    stage.put_back("data", Vec::new()).await.unwrap();
    let stage = Box::pin(stage.restarted()).await;
    bring_up_to_date(&stage.house.app).await.unwrap();
    assert!(!stage.opens(&stage.ada).await && stage.opens(&stage.bert).await);
    assert!(stage.house.app.ledger.fsck().await.unwrap().is_sound());
}

/// Entries that waited when it was taken, and have a number by now, are not written twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_that_waited_when_it_was_taken_keep_their_place() {
    let stage = Stage::open().await;
    let carla = stage.house.person("carla").await;
    stage.take(DATA, "data").await;
    stage.erase_ada().await;
    let before = stage.house.count("SELECT COUNT(*) FROM ledger_entry").await;
    stage.put_back("data", Vec::new()).await.unwrap();
    let stage = Box::pin(stage.restarted()).await;
    assert_eq!(bring_up_to_date(&stage.house.app).await.unwrap().lost_people, 0);
    assert!(stage.house.app.subjects.get(&carla).await.is_ok());
    assert_eq!(stage.house.count("SELECT COUNT(*) FROM ledger_entry").await, before + 1, "restore.completed");
    assert!(stage.house.app.ledger.fsck().await.unwrap().is_sound());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_hold_no_key_and_keys_hold_no_data() {
    let stage = Stage::open().await;
    stage.take(DATA, "data").await;
    stage.take(KEYS, "keys").await;
    let owner = KeyOwner { tenant: &stage.ada.0.tenant, subject: stage.ada.0.subject };
    let wrapped = stage.house.app.keys.wrapped_of(owner).await.unwrap();
    let (data, keys) = (fs::read(stage.file("data")).unwrap(), fs::read(stage.file("keys")).unwrap());
    let keystore = stage.house.data().join("keystore.db");
    stage.house.app.close().await;
    let keystore = fs::read(keystore).unwrap();
    assert!(wrapped.len() >= 3);
    for key in &wrapped {
        assert!(holds(&keystore, key), "the control finds nothing");
        assert!(!holds(&data, key) && !holds(&keys, key), "a wrapped key lies in a backup");
    }
    let subject = stage.ada.0.subject.to_string();
    assert!(holds(&data, subject.as_bytes()), "the control finds nothing");
    assert!(!holds(&keys, subject.as_bytes()), "a copy of the keystore is encrypted as a whole");
    for clear in [&b"canary of ada"[..], b"ada@example.org"] {
        assert!(!holds(&data, clear) && !holds(&keys, clear));
    }
    let epochs: Vec<_> = fs::read_dir(stage.house.data().join("keys/epochs")).unwrap().collect();
    assert!(!epochs.is_empty());
    for epoch in epochs {
        let text = fs::read(epoch.unwrap().path()).unwrap();
        assert!(!holds(&data, &text[..40]) && !holds(&keys, &text[..40]), "an epoch lies in a backup");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_not_whole_changes_nothing() {
    let stage = Stage::open().await;
    let (to, key) = passphrase("correct horse battery");
    stage.take(DATA, "clear").await;
    stage.take(Order { to: Some(to), ..DATA }, "sealed").await;
    stage.erase_ada().await;
    stage.house.app.close().await;
    // A service that was stopped leaves no log behind, so nothing changes by opening it.
    let before = stage.everything();
    let chance = Entropy::seeded(11);
    for (name, keys) in [("clear", vec![]), ("sealed", vec![key])] {
        let whole = fs::read(stage.file(name)).unwrap();
        // Of the backup in clear, the database's first page: a tar has bytes of its own that mean nothing.
        let page = whole.windows(16).position(|w| w == b"SQLite format 3\0");
        let flipped = page.map_or(0..whole.len(), |at| at..at + 4096);
        for round in 0..12 {
            let mut other = whole.clone();
            let at = usize::try_from(u32::from_be_bytes(chance.bytes())).unwrap();
            if round % 2 == 0 {
                other.truncate(at % (whole.len() - 2048));
            } else {
                other[flipped.start + at % flipped.len()] ^= 1 << (at % 8);
            }
            fs::write(stage.file("damaged"), other).unwrap();
            let refused = stage.put_back("damaged", keys.clone()).await;
            assert!(matches!(refused, Err(Error::Unsound(_))), "{name}, round {round}: {refused:?}");
            assert!(stage.everything() == before, "{name}, round {round}: something was changed");
        }
    }
    let (_, other) = passphrase("wrong horse battery");
    for keys in [vec![], vec![other], vec![identity().1]] {
        let refused = stage.put_back("sealed", keys).await;
        assert!(matches!(refused, Err(Error::Unsound(_))), "{refused:?}");
    }
    assert!(stage.everything() == before, "something was changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_lose_something_is_refused() {
    let stage = Stage::open().await;
    stage.take(DATA, "data").await;
    let app = &stage.house.app;
    let refused = |result: Result<Manifest, Error>| match result {
        Err(Error::Refused(why)) => why,
        other => panic!("{other:?}"),
    };
    let said = refused(take(app, DATA, &stage.file("data")).await);
    assert!(said.contains("is there already"), "{said}");
    let said = refused(take(app, DATA, &stage.house.data().join("backup")).await);
    assert!(said.contains("inside the data folder"), "{said}");
    app.close().await;

    let by = stage.standby().await;
    let said = |how: How| {
        let by = &by;
        let file = stage.file("data");
        async move {
            match put_back(by, &file, how).await {
                Err(Error::Refused(why)) => why,
                other => panic!("{other:?}"),
            }
        }
    };
    let replace = || How { replace: true, ..How::default() };
    assert!(said(How::default()).await.contains("--replace"));
    let checkpoint = by.ledger.join("checkpoint");
    let aside = stage.file("checkpoint");
    fs::rename(&checkpoint, &aside).unwrap();
    assert!(said(replace()).await.contains("Bring the newest copy"), "without the published ledger");
    fs::rename(&aside, &checkpoint).unwrap();

    let other = Stage::open().await;
    other.take(DATA, "data").await;
    let foreign = put_back(&by, &other.file("data"), replace()).await;
    assert!(matches!(foreign, Err(Error::Unsound(_))), "another installation's: {foreign:?}");
    put_back(&by, &stage.file("data"), replace()).await.unwrap();
}

/// T10: keys in a copy die with the epoch of the copy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_the_keystore_opens_until_its_epoch_has_passed() {
    let stage = Stage::open().await;
    stage.take(KEYS, "keys").await;
    stage.erase_ada().await;
    stage.house.object(&stage.bert.0, b"younger than the copy").await;
    stage.put_back("keys", Vec::new()).await.unwrap();
    let stage = Box::pin(stage.restarted()).await;
    assert!(!stage.house.app.gate.is_open(), "the keys of the erased are there again");
    let done = bring_up_to_date(&stage.house.app).await.unwrap();
    assert_eq!(done.keyless, 1, "said to be lost");
    assert!(done.keys > 0 && !stage.opens(&stage.ada).await && stage.opens(&stage.bert).await);

    for _ in 0..2 {
        stage.house.app.keys.rotate().await.unwrap();
    }
    let refused = stage.put_back("keys", Vec::new()).await;
    assert!(matches!(refused, Err(Error::Unsound(_))), "{refused:?}");
    let stage = Box::pin(stage.restarted()).await;
    assert!(stage.house.app.gate.is_open() && stage.opens(&stage.bert).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_were_lost_or_damaged_come_back() {
    let stage = Stage::open().await;
    stage.take(DATA, "data").await;
    stage.house.app.close().await;
    let blobs: Vec<PathBuf> = stage
        .everything()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.starts_with(stage.house.data().join("blobs")))
        .collect();
    assert_eq!(blobs.len(), 2);
    let mut bytes = fs::read(&blobs[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&blobs[0], bytes).unwrap();
    fs::remove_file(&blobs[1]).unwrap();
    assert_eq!(stage.put_back("data", Vec::new()).await.unwrap().blobs, 2);
    let stage = Box::pin(stage.restarted()).await;
    bring_up_to_date(&stage.house.app).await.unwrap();
    assert!(stage.opens(&stage.ada).await && stage.opens(&stage.bert).await);
}

/// Neither is a keystore that was lost: everybody's data would be there, and open for nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_keystore_is_not_taken_for_one() {
    let stage = Stage::open().await;
    stage.take(KEYS, "keys").await;
    stage.house.app.close().await;
    for file in ["keystore.db", "keystore.db-wal", "keystore.db-shm"] {
        let path = stage.house.data().join(file);
        if path.exists() {
            fs::remove_file(path).unwrap();
        }
    }
    let stage = Box::pin(stage.restarted()).await;
    assert!(!stage.house.app.gate.is_open());
    let refused = bring_up_to_date(&stage.house.app).await;
    assert!(matches!(refused, Err(Error::Refused(_))) && !stage.house.app.gate.is_open(), "{refused:?}");
    stage.put_back("keys", Vec::new()).await.unwrap();
    let stage = Box::pin(stage.restarted()).await;
    bring_up_to_date(&stage.house.app).await.unwrap();
    assert!(stage.opens(&stage.ada).await && stage.opens(&stage.bert).await);
}

/// Keys from before Carla came, data from after, and then she was erased: nothing but her missing key tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_whom_the_keystore_never_knew_stays_erased() {
    let stage = Stage::open().await;
    stage.take(KEYS, "keys").await;
    let carla = stage.house.person("carla").await;
    let of_carla = stage.house.object(&carla, b"canary of carla").await;
    stage.take(DATA, "data").await;
    stage.house.app.requests.erase(&carla, Role::Service).await.unwrap().unwrap();
    stage.house.app.ledger.sequence().await.unwrap();
    stage.put_back("keys", Vec::new()).await.unwrap();
    stage.put_back("data", Vec::new()).await.unwrap();
    let stage = Box::pin(stage.restarted()).await;
    let app = &stage.house.app;
    assert!(
        app.subjects.get(&carla).await.is_ok() && !app.gate.is_open(),
        "the row is back, and nobody is served"
    );
    assert_eq!(bring_up_to_date(app).await.unwrap().people, 1);
    assert!(app.subjects.get(&carla).await.is_err() && !stage.opens(&(carla, of_carla)).await);
    assert!(stage.opens(&stage.ada).await && stage.opens(&stage.bert).await);
}

/// A disk that was lost leaves an empty database behind a known head: that is no backup, and must not be opened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_database_is_not_taken_for_a_backup() {
    let stage = Stage::open().await;
    stage.take(DATA, "data").await;
    stage.house.app.close().await;
    for file in ["vouchsafe.db", "vouchsafe.db-wal", "vouchsafe.db-shm"] {
        let path = stage.house.data().join(file);
        if path.exists() {
            fs::remove_file(path).unwrap();
        }
    }
    let stage = Box::pin(stage.restarted()).await;
    let refused = bring_up_to_date(&stage.house.app).await;
    assert!(matches!(refused, Err(Error::Refused(_))) && !stage.house.app.gate.is_open(), "{refused:?}");
    stage.put_back("data", Vec::new()).await.unwrap();
    let stage = Box::pin(stage.restarted()).await;
    bring_up_to_date(&stage.house.app).await.unwrap();
    assert!(stage.opens(&stage.ada).await);
}

#[tokio::test]
async fn without_the_installations_own_keys_nothing_is_believed() {
    let dir = tempfile::tempdir().unwrap();
    let config = vouchsafe::config::Config::throwaway(&dir.path().join("data"));
    let nobody = Standby::of(&config, Clock::system(), Entropy::system()).await;
    let said = nobody.unwrap_err().to_string();
    assert!(said.contains("ledger.key") && said.contains("out of the safe"), "{said}");
    assert!(!Path::new(&dir.path().join("data/keys/ledger.key")).exists(), "a key was made");
}

/// While a backup is made a copy of the database lies unencrypted beside the database itself, and nowhere else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_a_killed_backup_left_goes_at_the_next_start() {
    let stage = Stage::open().await;
    let left = stage.house.data().join(format!("{COPY}left"));
    let held = stage.house.data().join(format!("{COPY}held"));
    fs::write(&left, b"SQLite format 3").unwrap();
    let running = fs::File::create(&held).unwrap();
    running.lock().unwrap();
    let stage = Box::pin(stage.restarted()).await;
    assert!(!left.exists(), "whatever was erased since is in it");
    assert!(held.exists(), "another process is making it");
    stage.take(DATA, "data").await;
    let there: Vec<_> = fs::read_dir(stage.kept.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(there, ["data"], "nothing but the backup was made where it lies");
}

/// The published ledger is what a restore is brought up to date from: files of it that rot are written anew in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_published_ledger_is_mended_once_a_day() {
    let stage = Stage::open().await;
    for n in 0..300 {
        stage.house.app.consents.set(&stage.bert.0, "training", n % 2 == 0, "privacy-centre").await.unwrap();
    }
    stage.house.app.ledger.sequence().await.unwrap();
    let jobs = stage.house.jobs();
    let mend = async || jobs.reconcile(Task::Published, &|| false).await.unwrap().changed;
    assert_eq!(mend().await, 0);
    let folder = stage.house.data().join("ledger");
    let (bundle, tile) = (folder.join("tile/entries/000"), folder.join("tile/0/000"));
    let mut rotten = fs::read(&bundle).unwrap();
    rotten[40] ^= 1;
    fs::write(&bundle, &rotten).unwrap();
    fs::remove_file(&tile).unwrap();
    assert!(!stage.house.app.ledger.is_folder_sound(&folder).await.unwrap());
    assert_eq!(mend().await, 0, "not twice a day");
    stage.house.advance(chrono::TimeDelta::hours(24));
    assert_eq!(mend().await, 2);
    assert!(stage.house.app.ledger.is_folder_sound(&folder).await.unwrap());
    assert!(stage.house.leaves("ledger.mended").await[0].contains("\"files\":2"));
    // Two that publish at once keep out of each other's way.
    let both = tokio::join!(stage.house.app.ledger.sequence(), stage.house.app.ledger.checkpoint());
    assert!(both.0.is_ok() && both.1.is_ok());
    stage.house.advance(chrono::TimeDelta::hours(24));
    assert_eq!(mend().await, 0);
}
