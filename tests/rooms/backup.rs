//! Erased stays erased, whichever of the stores a backup brings back.

use std::fs;
use std::path::Path;

use vouchsafe::app::Shut;
use vouchsafe::backup::{Error, bring_up_to_date};
use vouchsafe::base::Entropy;
use vouchsafe::edge::Edge;
use vouchsafe::keystore::Owner as KeyOwner;
use vouchsafe::policy::Role;
use vouchsafe::subjects::Scope;
use vouchsafe::vault::{Access, Actor, Owner, StoredObject};

use crate::support::Backend;
use crate::support::call::Call;
use crate::support::house::{House, count_in, documents, run_in, tenant};

/// The stores that a backup may bring back, each by itself.
const STORES: [&str; 3] = ["vouchsafe.db", "keystore.db", "blobs"];
const PURPOSE: &str = "training";

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

/// Puts one store back as the backup has it.
fn put_back(store: &str, backup: &Path, data: &Path) {
    for stale in ["", "-wal", "-shm"] {
        let path = data.join(format!("{store}{stale}"));
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        } else if path.exists() {
            fs::remove_file(&path).unwrap();
        }
    }
    copy(&backup.join(store), &data.join(store));
}

/// What leads to somebody outside: a picture that was at a provider, and an account elsewhere, whose name opens for nobody
/// here.
async fn has_been_outside(house: &House, owner: &Owner, name: &str) {
    let (subject, now) = (owner.subject, house.now().micros());
    let hook = hex::encode(name);
    house
        .run(&format!(
            "INSERT INTO errand (id, tenant, subject, provider, state, hook, made_at, tries, gone_at) VALUES \
             ('errand-of-{name}', 'flux-kontext', '{subject}', 'fal', 'gone', x'{hook}', {now}, 0, {now})"
        ))
        .await;
    house
        .run(&format!(
            "INSERT INTO elsewhere (id, tenant, subject, processor, name_index, sealed, linked_at) VALUES \
             ('account-of-{name}', 'flux-kontext', '{subject}', 'stripe', x'{hook}', x'{hook}', {now})"
        ))
        .await;
}

/// Somebody, and what they have.
struct Had {
    owner: Owner,
    pictures: Vec<(StoredObject, Vec<u8>)>,
    erased: bool,
}

struct Drill {
    house: House,
    people: Vec<Had>,
    /// Pictures of people who stay.
    gone: Vec<(Owner, StoredObject)>,
    withdrawn: Vec<Owner>,
    revoked: Option<String>,
}

impl Drill {
    async fn begin() -> Self {
        let house = House::open(Backend::Sqlite).await.unwrap();
        let mut people = Vec::new();
        for name in ["ada", "bert", "cleo", "dora"] {
            let owner = house.person(name).await;
            house.app.consents.set(&owner, PURPOSE, true, "sign-up").await.unwrap();
            house.prompt(&owner, name).await;
            has_been_outside(&house, &owner, name).await;
            let mut pictures = Vec::new();
            for n in 0..3 {
                let bytes = format!("{name} {n}").into_bytes();
                pictures.push((house.object(&owner, &bytes).await, bytes));
            }
            people.push(Had { owner, pictures, erased: false });
        }
        let minted = house.app.subjects.mint_api_key(&tenant(), "app", &Scope::ALL, None).await.unwrap();
        let revoked = Some(minted.text.expose().clone());
        house.app.ledger.sequence().await.unwrap();
        Self { house, people, gone: Vec::new(), withdrawn: Vec::new(), revoked }
    }

    async fn restarted(self) -> Self {
        Self { house: self.house.restarted(documents()).await.unwrap(), ..self }
    }

    /// The service stopped, each store copied, the service started.
    async fn backed_up(self, backup: &Path) -> Self {
        self.house.app.close().await;
        fs::create_dir_all(backup).unwrap();
        for store in STORES {
            copy(&self.house.data().join(store), &backup.join(store));
        }
        Box::pin(self.restarted()).await
    }

    /// What happens after the backup: somebody is erased, and by chance other things too.
    async fn live_on(&mut self, chance: &Entropy) {
        let app = self.house.app.clone();
        // Everybody's account elsewhere ended.
        self.house.run("DELETE FROM elsewhere").await;
        let [who, more, picture, rotate] = chance.bytes::<4>();
        self.people[usize::from(who % 4)].erased = true;
        self.people[usize::from(more % 4)].erased = true;
        for had in self.people.iter_mut().filter(|h| h.erased) {
            app.requests.erase(&had.owner, Role::Service).await.unwrap();
        }
        for (n, had) in self.people.iter_mut().filter(|h| !h.erased).enumerate() {
            if n == usize::from(picture % 2) {
                let (object, _) = had.pictures.remove(usize::from(picture % 3));
                app.vault.erase_object(&had.owner, object.id, Role::Service).await.unwrap();
                self.gone.push((had.owner.clone(), object));
                app.consents.set(&had.owner, PURPOSE, false, "privacy-centre").await.unwrap();
                self.withdrawn.push(had.owner.clone());
            }
        }
        let id = self.revoked.as_ref().unwrap().split('_').nth(1).unwrap().to_owned();
        app.subjects.revoke_api_key(&tenant(), &id).await.unwrap();
        self.house.person("late").await;
        if rotate % 2 == 0 {
            app.keys.rotate().await.unwrap();
        }
        app.ledger.sequence().await.unwrap();
    }

    async fn is_back(&self, had: &Had) -> bool {
        let app = &self.house.app;
        if app.subjects.get(&had.owner).await.is_ok() {
            return true;
        }
        for (object, _) in &had.pictures {
            if self.house.bytes(&had.owner, object).await.is_ok() {
                return true;
            }
        }
        let subject = had.owner.subject;
        for table in ["errand", "elsewhere"] {
            let hers = format!("SELECT COUNT(*) FROM {table} WHERE subject = '{subject}'");
            if self.house.count(&hers).await > 0 {
                return true;
            }
        }
        let owner = KeyOwner { tenant: &had.owner.tenant, subject };
        app.keys.fingerprint(owner).await.is_ok()
    }

    /// How many of those who were erased, and of the things that were, are back in any store.
    async fn back(&self) -> usize {
        let mut back = 0;
        for had in self.people.iter().filter(|h| h.erased) {
            back += usize::from(self.is_back(had).await);
        }
        for (owner, object) in &self.gone {
            back += usize::from(self.house.bytes(owner, object).await.is_ok());
        }
        back
    }

    async fn holds(&self, seed: u64, database: bool) {
        let app = &self.house.app;
        assert_eq!(self.back().await, 0, "seed {seed}");
        let named = "SELECT COUNT(*) FROM elsewhere WHERE subject IS NULL \
             AND (name_index IS NOT NULL OR sealed IS NOT NULL OR gone_at IS NULL)";
        assert_eq!(self.house.count(named).await, 0, "seed {seed}: what nobody's account is called is kept");
        for had in self.people.iter().filter(|h| !h.erased) {
            for (object, bytes) in &had.pictures {
                assert_eq!(self.house.bytes(&had.owner, object).await.unwrap(), *bytes, "seed {seed}");
            }
        }
        for owner in &self.withdrawn {
            let choices = app.consents.choices(owner).await.unwrap();
            assert!(!choices.iter().find(|c| c.purpose == PURPOSE).unwrap().on, "seed {seed}");
        }
        let refused = app.subjects.api_key(self.revoked.as_ref().unwrap()).await;
        assert!(refused.is_err(), "seed {seed}: a revoked key holds again");
        assert_eq!(app.ledger.fsck().await.unwrap().faults, [], "seed {seed}");
        assert!(!database || self.house.entries("restore.completed").await == 1, "seed {seed}");
    }
}

async fn schedule(seed: u64) {
    let chance = Entropy::seeded(seed);
    let dir = tempfile::tempdir().unwrap();
    let mut drill = Box::pin(Drill::begin().await.backed_up(dir.path())).await;
    drill.live_on(&chance).await;
    let head = drill.house.app.ledger.checkpoint().await.unwrap();
    let [which] = chance.bytes::<1>();
    let stores: Vec<&str> = STORES
        .into_iter()
        .enumerate()
        .filter(|(n, _)| (which % 7 + 1) >> n & 1 == 1)
        .map(|(_, s)| s)
        .collect();
    drill.house.app.close().await;
    for store in &stores {
        put_back(store, dir.path(), drill.house.data());
    }
    let drill = Box::pin(drill.restarted()).await;
    let app = drill.house.app.clone();
    let old = stores.contains(&"vouchsafe.db") || stores.contains(&"keystore.db");
    assert_eq!(app.gate.is_open(), !old, "seed {seed}: {stores:?}");
    if old {
        let router = vouchsafe::http::router(Edge::new(app.clone()).await.unwrap());
        let answer = Call::new(router.clone(), "GET", "/v1/policies").send().await;
        assert_eq!(answer.status, 503, "seed {seed}: {}", answer.text());
        assert_eq!(Call::new(router, "GET", "/healthz").send().await.status, 200);
    }
    bring_up_to_date(&app).await.unwrap_or_else(|e| panic!("seed {seed}, {stores:?}: {e}"));
    assert!(app.gate.is_open());
    drill.holds(seed, stores.contains(&"vouchsafe.db")).await;
    app.ledger.stands_by(head.note()).await.unwrap();
}

/// T09: whichever stores come back, in whatever order things happened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erased_stays_erased_in_twenty_schedules() {
    for seed in 0..20 {
        Box::pin(schedule(seed)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "for the soak: takes minutes"]
async fn erased_stays_erased_in_two_hundred_schedules() {
    for seed in 1_000..1_200 {
        Box::pin(schedule(seed)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_replay_the_erased_are_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut drill = Box::pin(Drill::begin().await.backed_up(dir.path())).await;
    drill.live_on(&Entropy::seeded(7)).await;
    drill.house.app.close().await;
    for store in STORES {
        put_back(store, dir.path(), drill.house.data());
    }
    let drill = Box::pin(drill.restarted()).await;
    assert!(drill.back().await > 0, "the control found nothing, so finding nothing proves nothing");
}

/// What is left of somebody is found by every try, and by the one that finds nothing the service is opened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_first_try_left_keeps_the_service_shut_at_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let mut drill = Box::pin(Drill::begin().await.backed_up(dir.path())).await;
    drill.live_on(&Entropy::seeded(3)).await;
    drill.house.app.close().await;
    put_back("vouchsafe.db", dir.path(), drill.house.data());
    let drill = Box::pin(drill.restarted()).await;
    let app = &drill.house.app;
    let erased = drill.people.iter().find(|h| h.erased).unwrap().owner.subject;
    drill.house.run("CREATE TABLE surprise (subject TEXT)").await;
    drill.house.run(&format!("INSERT INTO surprise (subject) VALUES ('{erased}')")).await;
    for attempt in 1..=3 {
        assert!(bring_up_to_date(app).await.is_err() && !app.gate.is_open(), "attempt {attempt}");
    }
    drill.house.run("DROP TABLE surprise").await;
    bring_up_to_date(app).await.unwrap();
    assert!(app.gate.is_open());
    drill.holds(3, true).await;
}

/// Which of them were used since the backup is not on the ledger, so none may work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_recovery_code_out_of_a_backup_works_again() {
    let dir = tempfile::tempdir().unwrap();
    let drill = Drill::begin().await;
    let code =
        "INSERT INTO staff_recovery (tenant, staff, code_hash) VALUES ('flux-kontext', 'stf_1', x'00')";
    run_in(&drill.house.app.db, code).await;
    let mut drill = Box::pin(drill.backed_up(dir.path())).await;
    drill.live_on(&Entropy::seeded(3)).await;
    drill.house.app.close().await;
    put_back("vouchsafe.db", dir.path(), drill.house.data());
    let drill = Box::pin(drill.restarted()).await;
    let app = &drill.house.app;
    let kept = "SELECT COUNT(*) FROM staff_recovery";
    assert_eq!(count_in(&app.db, kept).await, 1, "the backup brought it back");
    let done = bring_up_to_date(app).await.unwrap();
    assert_eq!((done.codes, count_in(&app.db, kept).await), (1, 0));
    assert!(done.facts().contains(&("recovery-codes-void", 1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_that_is_not_all_there_keeps_the_service_shut() {
    let dir = tempfile::tempdir().unwrap();
    let mut drill = Box::pin(Drill::begin().await.backed_up(dir.path())).await;
    drill.live_on(&Entropy::seeded(3)).await;
    drill.house.app.close().await;
    put_back("vouchsafe.db", dir.path(), drill.house.data());
    let entries = drill.house.data().join("ledger/tile/entries");
    let aside = dir.path().join("entries");
    fs::rename(&entries, &aside).unwrap();
    let drill = Box::pin(drill.restarted()).await;
    let app = &drill.house.app;
    let refused = bring_up_to_date(app).await;
    assert!(matches!(refused, Err(Error::Missing { .. })), "{refused:?}");
    assert!(!app.gate.is_open() && app.ledger.sequence().await.is_err());
    fs::rename(&aside, &entries).unwrap();
    bring_up_to_date(app).await.unwrap();
    drill.holds(3, true).await;
}

fn own(pair: (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)) -> (String, String) {
    (pair.0.into_owned(), pair.1.into_owned())
}

/// One of PostgreSQL's own tools, as `docs/OPERATING.md` says to use it.
fn tool(name: &str, arguments: &[&str]) {
    let mut found: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.map(|v| v.unwrap().path().join("bin").join(name)).collect())
        .unwrap_or_default();
    found.retain(|path: &std::path::PathBuf| path.exists());
    found.sort();
    let path = found.pop().unwrap_or_else(|| name.into());
    let ran = std::process::Command::new(path).args(arguments).output().unwrap();
    assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_postgres_that_is_put_back_is_shut_until_it_is_up_to_date() {
    let Some(house) = House::open(Backend::Postgres).await else { return };
    let mut url = url::Url::parse(house.app.config.store.postgres.as_ref().unwrap().expose()).unwrap();
    // What only our driver knows is nothing to PostgreSQL's tools.
    let socket: Vec<(String, String)> = url.query_pairs().filter(|(k, _)| k == "host").map(own).collect();
    url.query_pairs_mut().clear().extend_pairs(socket);
    let url = url.to_string();
    let dump = house.folder().join("main.dump").display().to_string();
    let (ada, bert) = (house.person("ada").await, house.person("bert").await);
    let (of_ada, of_bert) = (house.object(&ada, b"of ada").await, house.object(&bert, b"of bert").await);
    house.app.ledger.sequence().await.unwrap();
    tool("pg_dump", &["--format=custom", "--file", &dump, &url]);
    house.app.requests.erase(&ada, Role::Service).await.unwrap().unwrap();
    house.app.ledger.sequence().await.unwrap();
    let head = house.app.ledger.checkpoint().await.unwrap();
    house.app.close().await;
    tool("pg_restore", &["--clean", "--if-exists", "--single-transaction", "--dbname", &url, &dump]);

    let house = house.restarted(documents()).await.unwrap();
    let app = house.app.clone();
    assert!(
        app.subjects.get(&ada).await.is_ok() && !app.gate.is_open(),
        "the row is back, and the service is shut"
    );
    let done = bring_up_to_date(&app).await.unwrap();
    assert_eq!((done.people, done.images), (1, 1));
    assert!(app.subjects.get(&ada).await.is_err() && house.bytes(&ada, &of_ada).await.is_err());
    assert_eq!(house.bytes(&bert, &of_bert).await.unwrap(), b"of bert");
    app.ledger.stands_by(head.note()).await.unwrap();
}

/// A keystore from before something was erased shows, however much was erased since that it never knew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_keystore_is_noticed_behind_any_number_of_erasures() {
    let dir = tempfile::tempdir().unwrap();
    let drill = Box::pin(Drill::begin().await.backed_up(dir.path())).await;
    let (house, had) = (&drill.house, &drill.people[0]);
    let (object, _) = &had.pictures[0];
    house.app.vault.erase_object(&had.owner, object.id, Role::Service).await.unwrap();
    for n in 0..60 {
        let young = house.object(&had.owner, &[n]).await;
        house.app.vault.erase_object(&had.owner, young.id, Role::Service).await.unwrap();
    }
    house.app.ledger.sequence().await.unwrap();
    house.app.close().await;
    put_back("keystore.db", dir.path(), house.data());
    let drill = Box::pin(drill.restarted()).await;
    let app = drill.house.app.clone();
    assert!(matches!(app.gate.why(), Some(Shut::OlderKeys { .. })), "{:?}", app.gate.why());
    assert_eq!(bring_up_to_date(&app).await.unwrap().keys, 1);
    assert!(app.gate.is_open() && app.look().await.unwrap().is_none());
    let drill = Box::pin(drill.restarted()).await;
    assert!(drill.house.app.gate.is_open(), "once is enough");
    let (object, _) = &drill.people[0].pictures[0];
    assert!(drill.house.bytes(&drill.people[0].owner, object).await.is_err());
}

/// What was put right or reduced has a key that died; a keystore from before brings it back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keys_of_what_was_corrected_do_not_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let drill = Box::pin(Drill::begin().await.backed_up(dir.path())).await;
    let app = drill.house.app.clone();
    let owner = drill.people[0].owner.clone();
    let access = Access { actor: &Actor::Service, purpose: "rights" };
    let record = app.vault.record_named(&owner, &access, "account", "profile").await.unwrap().unwrap();
    let new = serde_json::json!({ "email": "ada@example.org", "name": "Ada", "username": "countess" });
    app.vault.amend_record(&owner, &access, &record, &new).await.unwrap();
    let old = [format!("{}#1", record.id)];
    assert_eq!(app.keys.keyed_among(&old).await.unwrap(), 0);
    app.ledger.sequence().await.unwrap();
    app.close().await;
    put_back("keystore.db", dir.path(), drill.house.data());
    let drill = Box::pin(drill.restarted()).await;
    let app = drill.house.app.clone();
    assert_eq!(app.keys.keyed_among(&old).await.unwrap(), 1, "the control: it is back");
    assert!(!app.gate.is_open());
    bring_up_to_date(&app).await.unwrap();
    assert_eq!(app.keys.keyed_among(&old).await.unwrap(), 0, "what she corrected could be read again");

    // With the data of that day as well, the old value is all there is, and keeps its key.
    app.close().await;
    for store in ["keystore.db", "vouchsafe.db"] {
        put_back(store, dir.path(), drill.house.data());
    }
    let drill = Box::pin(drill.restarted()).await;
    let app = drill.house.app.clone();
    assert_eq!(bring_up_to_date(&app).await.unwrap().corrections, 1);
    let access = Access { actor: &Actor::Service, purpose: "rights" };
    assert_eq!(app.vault.record(&owner, &access, record.id).await.unwrap().revision, 1);
}
