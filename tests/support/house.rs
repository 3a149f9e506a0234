//! The rooms put together, below every route: for tests of what the rooms do together. The clock stands still until the
//! test moves it; keys and ids are as random as ever.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chrono::TimeDelta;
use sqlx::AssertSqlSafe;
use vouchsafe::app::{App, Error, Setup, load_documents};
use vouchsafe::base::{Clock, Entropy, ManualClock, RecordId, Secret, StaffId, TenantId, Timestamp};
use vouchsafe::config::Config;
use vouchsafe::imaging::{Format, sample};
use vouchsafe::jobs::{Jobs, Task};
use vouchsafe::mail;
use vouchsafe::on;
use vouchsafe::policy::{Channel, Facts, Policy, Role};
use vouchsafe::requests::{Ask, Filing, Requests};
use vouchsafe::store::{self, Db, PostgresSettings, SqliteSettings};
use vouchsafe::subjects::NewAccount;
use vouchsafe::vault::{self, Access, Actor, NewObject, NewRecord, Owner, StoredObject};

use super::{Backend, TestDb};

/// Writes a test once and runs it over each database, with a [`House`] of its own.
#[macro_export]
macro_rules! each_house {
    ($($(#[$meta:meta])* async fn $name:ident($house:ident: House) $body:block)+) => {
        $crate::each_backend! { House::open as House; $($(#[$meta])* async fn $name($house) $body)+ }
    };
}

/// Every room, over databases and a folder of this test's own.
pub(crate) struct House {
    pub(crate) app: App,
    clock: Clock,
    hand: ManualClock,
    pub(crate) config: Config,
    // Last, so that it goes last.
    ground: TestDb,
}

/// The documents that ship.
pub(crate) fn documents() -> Vec<Policy> {
    load_documents(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")).unwrap()
}

/// The text of the document of the tenant that tests live under.
pub(crate) fn document() -> String {
    documents().iter().find(|d| *d.tenant() == tenant()).unwrap().source().to_owned()
}

/// The tenant of whoever is not said to be another's.
pub(crate) fn tenant() -> TenantId {
    "flux-kontext".parse().unwrap()
}

/// The other one.
pub(crate) fn other_tenant() -> TenantId {
    "opusflair".parse().unwrap()
}

/// As the program itself, for the purpose of all edits.
pub(crate) const SERVICE: Access<'_> = Access { actor: &Actor::Service, purpose: "provide-edits" };

impl House {
    /// Noon on a day that both documents are in force; `None` when there is no such database to test on.
    pub(crate) async fn open(backend: Backend) -> Option<Self> {
        let ground = TestDb::open(backend).await?;
        let mut config = Config::throwaway(&ground.folder().join("data"));
        if let Some((main, keys)) = ground.addresses() {
            config.store.postgres = Some(Secret::new(main));
            config.store.keystore_postgres = Some(Secret::new(keys));
        }
        let (clock, hand) = Clock::manual(Timestamp::parse_rfc3339("2026-11-22T12:00:00Z").unwrap());
        let app = App::open(setup(&config, &clock, documents())).await.unwrap();
        Some(Self { app, clock, hand, config, ground })
    }

    /// The service stopped and started again, with these documents.
    pub(crate) async fn restarted(self, documents: Vec<Policy>) -> Result<Self, Error> {
        self.app.close().await;
        let app = App::open(setup(&self.config, &self.clock, documents)).await?;
        Ok(Self { app, ..self })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.hand.advance(by);
    }

    /// A folder of this test's own, beside the data.
    pub(crate) fn folder(&self) -> &Path {
        self.ground.folder()
    }

    /// The data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.config.data.folder
    }

    pub(crate) fn jobs(&self) -> Jobs {
        Jobs::new(self.app.clone())
    }

    /// One pass of a reconciler; gives how much it changed.
    pub(crate) async fn pass(&self, task: Task) -> u64 {
        self.jobs().reconcile(task, &|| false).await.unwrap().changed
    }

    /// A new person of the first tenant.
    pub(crate) async fn person(&self, name: &str) -> Owner {
        self.person_of(&tenant(), name).await
    }

    pub(crate) async fn person_of(&self, tenant: &TenantId, name: &str) -> Owner {
        let email = format!("{name}@example.org").parse().unwrap();
        let new = NewAccount { email, name: name.to_owned(), username: name.to_owned() };
        self.app.subjects.open(tenant, new).await.unwrap()
    }

    pub(crate) async fn staff(&self, role: Role) -> StaffId {
        let email = format!("{}@staff.example", role.as_str()).parse().unwrap();
        self.app.subjects.hire(&tenant(), &email, role).await.unwrap().id
    }

    /// Stores bytes as a result.
    pub(crate) async fn object(&self, owner: &Owner, bytes: &[u8]) -> StoredObject {
        self.try_object(owner, "output-image", bytes).await.unwrap()
    }

    pub(crate) async fn try_object(
        &self,
        owner: &Owner,
        category: &str,
        bytes: &[u8],
    ) -> Result<StoredObject, vault::Error> {
        let body = futures_util::stream::iter([Ok::<_, vault::Error>(Bytes::copy_from_slice(bytes))]);
        self.app.vault.put_object(owner, new_object(category), body).await
    }

    /// Stores a prompt.
    pub(crate) async fn prompt(&self, owner: &Owner, text: &str) -> RecordId {
        self.app
            .vault
            .add_record(owner, new_record("prompt", serde_json::json!({ "text": text })))
            .await
            .unwrap()
    }

    /// A question that waits for an answer by people.
    pub(crate) async fn question(&self, owner: &Owner) {
        self.app.requests.file(owner, question(owner)).await.unwrap();
    }

    /// The whole of an image, as its owner sees it.
    pub(crate) async fn bytes(&self, owner: &Owner, object: &StoredObject) -> Result<Vec<u8>, vault::Error> {
        let actor = Actor::Subject(owner.subject);
        let access = Access { actor: &actor, purpose: "provide-edits" };
        let open = self.app.vault.open_object(owner, &access, object.id, None).await?;
        Ok(open.read(1 << 30).await?.expose().clone())
    }

    /// What a statement without parameters counts, in the main database.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        count_in(&self.app.db, sql).await
    }

    /// Runs a statement without parameters on the main database, behind the rooms' backs.
    pub(crate) async fn run(&self, sql: &str) {
        run_in(&self.app.db, sql).await;
    }

    /// Entries of a kind on the ledger, in the tree or waiting.
    pub(crate) async fn entries(&self, kind: &str) -> i64 {
        self.count(&format!("SELECT COUNT(*) FROM ledger_entry WHERE kind = '{kind}'")).await
    }

    /// The entries of a kind as they were written, oldest first.
    pub(crate) async fn leaves(&self, kind: &str) -> Vec<String> {
        let sql = format!("SELECT leaf FROM ledger_entry WHERE kind = '{kind}' ORDER BY arrival, id");
        let mut tx = self.app.db.read().await.unwrap();
        let rows: Vec<(Vec<u8>,)> =
            on!(tx, |c| sqlx::query_as(AssertSqlSafe(sql)).fetch_all(c).await).unwrap();
        rows.into_iter().map(|(leaf,)| String::from_utf8(leaf).unwrap()).collect()
    }

    /// The keystore's database, as somebody who stole it would open it.
    pub(crate) async fn keystore(&self) -> Db {
        match self.ground.addresses() {
            Some((_, keys)) => {
                let settings = PostgresSettings { url: Secret::new(keys), connections: 2 };
                Db::postgres(&settings, &store::KEYSTORE).await.unwrap()
            }
            None => {
                let path = self.data().join("keystore.db");
                Db::sqlite(SqliteSettings { path: &path, readers: 1 }, &store::KEYSTORE).await.unwrap()
            }
        }
    }

    /// The files that hold ciphertext of images.
    pub(crate) fn blob_files(&self) -> Vec<PathBuf> {
        files_below(&self.data().join("blobs"))
    }
}

fn setup(config: &Config, clock: &Clock, documents: Vec<Policy>) -> Setup {
    Setup {
        config: config.clone(),
        clock: clock.clone(),
        entropy: Entropy::system(),
        documents,
        mail: Some(mail::Settings::Recorded),
        blobs: None,
        redrawer: None,
        logs: None,
    }
}

/// A correction that nobody but people can judge: it stays open until somebody answers.
/// A member of staff writes down why they look.
pub(crate) async fn reason(requests: &Requests, owner: &Owner, access: &Access<'_>) {
    let words = Secret::new("they asked me to look at what we have".to_owned());
    requests.state_reason(owner, access, &words).await.unwrap();
}

pub(crate) fn question(owner: &Owner) -> Filing {
    Filing {
        ask: Ask::Rectification(None),
        channel: Channel::Page,
        by: Actor::Subject(owner.subject),
        proved: true,
        words: Some(Secret::new("my name is spelt with an accent".to_owned())),
    }
}

pub(crate) fn new_object(category: &str) -> NewObject<'_> {
    let facts = Facts::new();
    NewObject { category, media_type: "image/png", parent: None, facts, size: None, most_bytes: 1 << 30 }
}

pub(crate) fn new_record(category: &str, value: serde_json::Value) -> NewRecord<'_> {
    NewRecord { category, name: "test", value, parent: None, facts: Facts::new() }
}

/// A small photograph, different for each seed.
pub(crate) fn photograph(seed: u64) -> Bytes {
    let shot = sample::Shot { seed, width: 96, height: 64, format: Format::Jpeg, ..sample::Shot::default() };
    sample::shoot(&shot).unwrap().into()
}

pub(crate) async fn count_in(db: &Db, sql: &str) -> i64 {
    let mut tx = db.read().await.unwrap();
    let sql = AssertSqlSafe(sql.to_owned());
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(sql).fetch_one(c).await).unwrap();
    n
}

/// The one word that a statement without parameters finds.
pub(crate) async fn word_in(db: &Db, sql: &str) -> String {
    let mut tx = db.read().await.unwrap();
    let sql = AssertSqlSafe(sql.to_owned());
    let (word,): (String,) = on!(tx, |c| sqlx::query_as(sql).fetch_one(c).await).unwrap();
    word
}

pub(crate) async fn run_in(db: &Db, sql: &str) {
    let mut tx = db.begin().await.unwrap();
    let sql = AssertSqlSafe(sql.to_owned());
    on!(tx, |c| sqlx::query(sql).execute(c).await.map(|_| ())).unwrap();
    tx.commit().await.unwrap();
}

/// From here on no row that `when` says (`NEW.…`) goes into a table, until it [`takes_again`].
pub(crate) async fn takes_none(db: &Db, table: &str, when: &str) {
    if db.is_sqlite() {
        let broken = format!(
            "CREATE TRIGGER broken BEFORE INSERT ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, 'no'); END"
        );
        return run_in(db, &broken).await;
    }
    run_in(
        db,
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'",
    )
    .await;
    let broken = format!(
        "CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION broken()"
    );
    run_in(db, &broken).await;
}

pub(crate) async fn takes_again(db: &Db, table: &str) {
    let of = if db.is_sqlite() { String::new() } else { format!(" ON {table}") };
    run_in(db, &format!("DROP TRIGGER broken{of}")).await;
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.map(|e| e.unwrap().path()) {
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}
