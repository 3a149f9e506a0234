//! Databases to test on, each fresh and a test's own, gone when it is dropped.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest as _, Sha256};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tempfile::TempDir;
use vouchsafe::base::{Entropy, Secret};
use vouchsafe::store::{Db, Error, KEYSTORE, MAIN, PostgresSettings, Schema, SqliteSettings};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// The two databases that a deployment has, empty and migrated, and a folder for everything else.
pub(crate) struct TestDb {
    /// The main database.
    pub(crate) main: Db,
    /// The keystore's own.
    pub(crate) keys: Db,
    folder: TempDir,
    server: Option<Server>,
}

struct Server {
    admin: PgConnectOptions,
    main: String,
    keys: String,
}

impl TestDb {
    /// Fresh databases; `None`, and a word about it, when there is no such server to test on.
    pub(crate) async fn open(backend: Backend) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        match backend {
            Backend::Sqlite => {
                let main = sqlite(&folder.path().join("main.db"), &MAIN).await.unwrap();
                let keys = sqlite(&folder.path().join("keys.db"), &KEYSTORE).await.unwrap();
                Some(Self { main, keys, folder, server: None })
            }
            Backend::Postgres => {
                let server = Server::with_databases(&server_address()?).await;
                let main = postgres(&server.url(&server.main), &MAIN).await.unwrap();
                let keys = postgres(&server.url(&server.keys), &KEYSTORE).await.unwrap();
                Some(Self { main, keys, folder, server: Some(server) })
            }
        }
    }

    /// A folder of this test's own.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where both databases are reached, main and keys, when they are on a server.
    pub(crate) fn addresses(&self) -> Option<(String, String)> {
        let server = self.server.as_ref()?;
        Some((server.url(&server.main), server.url(&server.keys)))
    }

    /// Opens the main database once more, as a second process would.
    pub(crate) async fn again(&self) -> Result<Db, Error> {
        match &self.server {
            None => sqlite(&self.folder().join("main.db"), &MAIN).await,
            Some(server) => postgres(&server.url(&server.main), &MAIN).await,
        }
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let Some(server) = self.server.take() else { return };
        // A drop cannot wait for the runtime it stands on, so it brings its own. Whatever still holds a connection is
        // thrown out. Failing to tidy up must not hide what the test had to say.
        let tidied = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(server.drop_databases())
        });
        if let Ok(Err(e)) = tidied.join() {
            let _ = writeln!(std::io::stderr(), "a test database was left behind: {e}");
        }
    }
}

async fn sqlite(path: &Path, schema: &Schema) -> Result<Db, Error> {
    Db::sqlite(SqliteSettings { path, readers: 4 }, schema).await
}

async fn postgres(url: &str, schema: &Schema) -> Result<Db, Error> {
    let settings = PostgresSettings { url: Secret::new(url.to_owned()), connections: 8 };
    Db::postgres(&settings, schema).await
}

/// The server that `tests/support/postgres.sh` started, or another one whose databases may be made and dropped at will.
fn server_address() -> Option<String> {
    static SAID: Once = Once::new();
    #[expect(clippy::disallowed_methods, reason = "tests are told by the environment what they may use")]
    let address = std::env::var("VOUCHSAFE_TEST_POSTGRES").ok().filter(|a| !a.is_empty());
    if address.is_none() {
        // Straight to the terminal: what a passing test prints is swallowed, and this must be seen.
        SAID.call_once(|| {
            let _ = writeln!(
                std::io::stderr(),
                "VOUCHSAFE_TEST_POSTGRES is not set: tests named ::postgres do nothing (make test sets it)"
            );
        });
    }
    address
}

impl Server {
    async fn with_databases(address: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let admin = PgConnectOptions::from_str(address).unwrap();
        let mut connection = PgConnection::connect_with(&admin).await.unwrap();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let unique = hex::encode(Entropy::system().bytes::<4>());
        let mut server = Self { admin, main: String::new(), keys: String::new() };
        server.main = format!("t{number}_{unique}_main");
        server.keys = format!("t{number}_{unique}_keys");
        for (name, kind, schema) in [(&server.main, "", &MAIN), (&server.keys, "-keystore", &KEYSTORE)] {
            let template = server.template(&mut connection, kind, schema).await;
            run(&mut connection, format!("CREATE DATABASE {name} TEMPLATE {template}")).await.unwrap();
        }
        connection.close().await.unwrap();
        server
    }

    /// A database migrated once a server, to copy from: a copy is made in a tenth of the time. Its name says which
    /// migrations it has, so that a server which outlives an edit of theirs does no harm.
    async fn template(&self, connection: &mut PgConnection, kind: &str, schema: &Schema) -> String {
        let name = format!("template{}_{}", kind.replace('-', "_"), migrations_hash(kind));
        connection.execute("SELECT pg_advisory_lock(8675309)").await.unwrap();
        let (there,): (bool,) =
            sqlx::query_as("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)")
                .bind(&name)
                .fetch_one(&mut *connection)
                .await
                .unwrap();
        if !there {
            let unfinished = format!("{name}_unfinished");
            run(connection, format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")).await.unwrap();
            run(connection, format!("CREATE DATABASE {unfinished}")).await.unwrap();
            postgres(&self.url(&unfinished), schema).await.unwrap().close().await;
            run(connection, format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await.unwrap();
        }
        connection.execute("SELECT pg_advisory_unlock(8675309)").await.unwrap();
        name
    }

    fn url(&self, database: &str) -> String {
        self.admin.clone().database(database).to_url_lossy().to_string()
    }

    async fn drop_databases(&self) -> std::io::Result<()> {
        let mut connection = PgConnection::connect_with(&self.admin).await.map_err(std::io::Error::other)?;
        for name in [&self.main, &self.keys] {
            run(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                .await
                .map_err(std::io::Error::other)?;
        }
        Ok(())
    }
}

async fn run(connection: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    connection.execute(AssertSqlSafe(statement)).await.map(|_| ())
}

fn migrations_hash(kind: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("migrations/postgres{kind}"));
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(fs::read(file).unwrap());
    }
    hex::encode(&hash.finalize()[..6])
}
