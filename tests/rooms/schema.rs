//! The two schemas say the same, the migrations are whole, and of each table it is written down how what it holds goes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use vouchsafe::on;
use vouchsafe::policy::filled::{FILLED, Keeps, tables};
use vouchsafe::store::{Db, Error};

use crate::each_database;
use crate::support::house::{count_in, run_in};
use crate::support::{Backend, TestDb, source};

/// How the rows of each table go. A new table needs a line here before anything can be put into it.
const GOES: &[(&str, Goes)] = &[
    (
        "address_move",
        Goes::WithSubject(
            "the row; both addresses are blanked when the link, or the time to undo it, is over",
        ),
    ),
    ("anonymous_count", Goes::NotPersonal("counts over at least twenty people")),
    ("api_key", Goes::NotPersonal("an app's, not a person's")),
    ("attestation", Goes::NotPersonal("what staff vouched for, sealed; evidence that must outlive them")),
    ("attestation_file", Goes::NotPersonal("a file that staff showed, sealed; with its attestation")),
    ("blob_grave", Goes::ByTime("once a late write can no longer land")),
    (
        "consent_event",
        Goes::WithSubject(
            "the row; that it was given stays on the ledger, under a reference nobody can resolve",
        ),
    ),
    ("credit_entry", Goes::WithSubject("the row")),
    ("destruction", Goes::NotPersonal("one number")),
    ("disclosure", Goes::Unlinked("the subject is blanked; that a processor received something stays")),
    ("drp_agent", Goes::NotPersonal("agents as the operator entered them")),
    ("drp_request", Goes::Unlinked("the person is blanked; the row goes after 400 days")),
    ("drp_seen", Goes::ByTime("when the message runs out by itself; hashes")),
    ("edit", Goes::WithSubject("the row")),
    ("epoch", Goes::NotPersonal("numbers, times and fingerprints of epoch keys")),
    ("epoch_floor", Goes::NotPersonal("one number")),
    ("erasure", Goes::Unlinked("the last step blanks the subject; counts and a dead key's fingerprint stay")),
    (
        "elsewhere",
        Goes::Unlinked("the person is blanked, the name there when it is gone; the row goes two years later"),
    ),
    (
        "elsewhere_task",
        Goes::Unlinked(
            "the person is blanked; it goes on until it is proved, and is removed two years later",
        ),
    ),
    (
        "errand",
        Goes::Unlinked(
            "person and edit are blanked; it goes on until nothing is left there, and is removed after 90 days",
        ),
    ),
    ("fence", Goes::Unlinked("keeps a destroyed key from being made again; holds a fingerprint")),
    ("hold", Goes::WithSubject("the row, once released")),
    ("holder", Goes::ByTime("with the last record that a law keeps in its name; leads to nobody")),
    ("idempotency", Goes::WithSubject("the caller's rows; anybody's after a day")),
    ("item_key", Goes::WithSubject("dead with the subject's key; the row after it")),
    ("job", Goes::ByTime("when done; holds ids only")),
    ("lapsed_letter", Goes::ByTime("after three years; says that a letter came, and nothing else")),
    (
        "last_letter",
        Goes::ByTime(
            "when it is written that somebody is erased, and after 30 days; sealed, leads to nobody",
        ),
    ),
    ("lease", Goes::NotPersonal("who changes the epochs now")),
    ("ledger_checkpoint", Goes::NotPersonal("heads of the tree, never removed")),
    (
        "ledger_entry",
        Goes::Unlinked("never removed; the reference in it leads to nobody, its commitment opens for nobody"),
    ),
    ("ledger_head", Goes::NotPersonal("the newest head of the tree")),
    ("ledger_tile", Goes::NotPersonal("hashes of entries, never removed")),
    ("letter", Goes::ByTime("after 400 days; names a request, nobody's data")),
    ("letter_before", Goes::ByTime("after 400 days; names a request and a change of address, nobody's data")),
    (
        "handover",
        Goes::Unlinked("the subject is blanked; that data of some kind were handed over, and when, stays"),
    ),
    ("look", Goes::WithSubject("the row; anybody's a day after it is over")),
    (
        "mail",
        Goes::WithSubject("the row; anybody's when its link is over, without a word of it once it was used"),
    ),
    (
        "mandate",
        Goes::Unlinked(
            "person, address and words are blanked; the row goes 30 days after it was not given, or ended",
        ),
    ),
    ("notice", Goes::WithSubject("the row; anybody's once what it told of is gone")),
    ("object", Goes::WithSubject("by its rule, or with the person; its key first")),
    ("policy_notice", Goes::WithSubject("the row: when they were told, and by what")),
    ("policy_proposal", Goes::NotPersonal("documents that waited, and the ids of the staff who decided")),
    ("policy_reckoning", Goes::NotPersonal("counts")),
    ("policy_telling", Goes::NotPersonal("how far the telling has come: a moment, no id")),
    ("policy_version", Goes::NotPersonal("what was published stays published")),
    ("probe_run", Goes::NotPersonal("counts, and sentences about counts")),
    ("probe_state", Goes::NotPersonal("counts, and sentences about counts")),
    ("receipt", Goes::Unlinked("the subject is blanked; the sentence names nobody")),
    ("record", Goes::WithSubject("by its rule, or with the person; its key first")),
    (
        "request",
        Goes::Unlinked(
            "the subject is blanked; the row goes at purge_at; what the person wrote goes with them",
        ),
    ),
    ("request_event", Goes::ByTime("with its request")),
    ("request_task", Goes::ByTime("with its request")),
    ("restoration", Goes::NotPersonal("when a backup was put back, and counts")),
    ("session", Goes::WithSubject("the row; anybody's when it expires")),
    ("sign_in", Goes::WithSubject("the row; anybody's when it expires")),
    ("staff", Goes::NotPersonal("the house's own people, until they leave")),
    ("staff_factor", Goes::NotPersonal("a secret of the house's own people, sealed; blanked with its reset")),
    ("staff_recovery", Goes::NotPersonal("keyed hashes of codes; gone with the reset of their factor")),
    ("subject", Goes::WithSubject("the row")),
    ("subject_key", Goes::WithSubject("the one write that erases")),
    ("subject_login", Goes::WithSubject("the row")),
    ("sweep", Goes::NotPersonal("counts")),
    ("system_key", Goes::NotPersonal("the service's own")),
    ("told", Goes::ByTime("after thirty days; ids of messages, nobody's data")),
    (
        "training_member",
        Goes::ByTime(
            "two years after its person left; a pseudonym of the ledger, which leads to nobody once they are erased",
        ),
    ),
    ("training_run", Goes::NotPersonal("which collections for training were made, and counts")),
    ("webhook", Goes::NotPersonal("an app's address, not a person's; its secrets are sealed")),
    ("webhook_delivery", Goes::ByTime("with its message")),
    (
        "webhook_message",
        Goes::WithSubject(
            "the row; anybody's after 30 days. That somebody is erased is told once: sealed, blanked when it was told, \
             removed after 7 days in any case",
        ),
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goes {
    /// Erasing a person removes their rows.
    WithSubject(&'static str),
    /// Erasing a person leaves the row and cuts what leads from it to them.
    Unlinked(&'static str),
    /// The clock removes it.
    ByTime(&'static str),
    /// It is about nobody.
    NotPersonal(&'static str),
}

/// What a database says of its tables.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shape {
    /// (table, column) → type and whether it may be missing.
    columns: BTreeMap<(String, String), (String, bool)>,
    /// Keys, unique sets and indexes: table, columns in order, whether unique, whether over a part only.
    indexes: BTreeSet<(String, String, bool, bool)>,
}

impl Shape {
    fn tables(&self) -> BTreeSet<&str> {
        self.columns.keys().map(|(t, _)| t.as_str()).collect()
    }
}

const COLUMNS_SQLITE: &str = "SELECT m.name, c.name, lower(c.type), c.\"notnull\" FROM sqlite_schema m, pragma_table_info(m.name) c \
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> '_sqlx_migrations'";
const COLUMNS_POSTGRES: &str = "SELECT table_name::text, column_name::text, data_type::text, \
    (CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END)::bigint FROM information_schema.columns \
    WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'";
// An INTEGER PRIMARY KEY of SQLite is the table itself and has no index, so keys are also read from the columns.
const INDEXES_SQLITE: &str = "SELECT m.name, (SELECT group_concat(x.name) FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno) x), \
    i.\"unique\", i.partial FROM sqlite_schema m, pragma_index_list(m.name) i \
    WHERE m.type = 'table' AND m.name <> '_sqlx_migrations' \
    UNION SELECT m.name, (SELECT group_concat(x.name) FROM (SELECT name FROM pragma_table_info(m.name) WHERE pk > 0 ORDER BY pk) x), \
    1, 0 FROM sqlite_schema m WHERE m.type = 'table' AND m.name <> '_sqlx_migrations' AND m.name NOT LIKE 'sqlite_%' \
    AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE pk > 0)";
const INDEXES_POSTGRES: &str = "SELECT t.relname::text, string_agg(a.attname::text, ',' ORDER BY k.place), \
    (CASE WHEN i.indisunique THEN 1 ELSE 0 END)::bigint, (CASE WHEN i.indpred IS NULL THEN 0 ELSE 1 END)::bigint \
    FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace \
    CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k (number, place) \
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number \
    WHERE n.nspname = 'public' AND t.relname <> '_sqlx_migrations' GROUP BY i.indexrelid, t.relname, i.indisunique, i.indpred";

async fn shape(db: &Db) -> Shape {
    let mut tx = db.read().await.unwrap();
    let (columns, indexes) =
        if db.is_sqlite() { (COLUMNS_SQLITE, INDEXES_SQLITE) } else { (COLUMNS_POSTGRES, INDEXES_POSTGRES) };
    let columns: Vec<(String, String, String, i64)> =
        on!(tx, |c| sqlx::query_as(columns).fetch_all(c).await).unwrap();
    let indexes: Vec<(String, String, i64, i64)> =
        on!(tx, |c| sqlx::query_as(indexes).fetch_all(c).await).unwrap();
    let portable = |kind: String| match kind.as_str() {
        "integer" => "bigint".to_owned(),
        "blob" => "bytea".to_owned(),
        _ => kind,
    };
    Shape {
        columns: columns
            .into_iter()
            .map(|(t, c, kind, must)| ((t, c), (portable(kind), must == 0)))
            .collect(),
        indexes: indexes.into_iter().map(|(t, c, unique, part)| (t, c, unique == 1, part == 1)).collect(),
    }
}

/// What only one of the two has.
fn differing<T: Ord + Clone>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> Vec<T> {
    a.symmetric_difference(b).cloned().collect()
}

#[tokio::test]
async fn the_two_schemas_are_the_same() {
    let Some(postgres) = TestDb::open(Backend::Postgres).await else { return };
    let sqlite = TestDb::open(Backend::Sqlite).await.unwrap();
    for (found, expected) in [(&postgres.main, &sqlite.main), (&postgres.keys, &sqlite.keys)] {
        let (found, expected) = (&shape(found).await, &shape(expected).await);
        assert!(!expected.columns.is_empty() && !expected.indexes.is_empty());
        let columns = |s: &Shape| s.columns.clone().into_iter().collect::<BTreeSet<_>>();
        assert!(columns(found) == columns(expected), "{:#?}", differing(&columns(found), &columns(expected)));
        assert!(found.indexes == expected.indexes, "{:#?}", differing(&found.indexes, &expected.indexes));
    }
}

each_database! {
    async fn of_each_table_it_is_known_how_its_rows_go(db: TestDb) {
        let (main, keys) = (shape(&db.main).await, shape(&db.keys).await);
        let there: BTreeSet<&str> = main.tables().union(&keys.tables()).copied().collect();
        let declared: BTreeSet<&str> = GOES.iter().map(|(t, _)| *t).collect();
        assert!(there == declared, "without a word on how its rows go, or gone: {:?}", differing(&there, &declared));

        // The control: a table that somebody adds is noticed.
        let mut tx = db.main.begin().await.unwrap();
        on!(tx, |c| sqlx::query("CREATE TABLE surprise (subject TEXT)").execute(c).await.map(|_| ())).unwrap();
        tx.commit().await.unwrap();
        let with_one_more = shape(&db.main).await;
        assert!(with_one_more.tables().contains("surprise") && !declared.contains("surprise"));

        let names_a_person = |table: &str| {
            let named = |s: &Shape| s.columns.contains_key(&(table.to_owned(), "subject".to_owned()));
            named(&main) || named(&keys)
        };
        for (table, goes) in GOES {
            assert!(
                !names_a_person(table) || !matches!(goes, Goes::NotPersonal(_)),
                "{table} names a person and is said to be about nobody"
            );
        }
    }

    async fn of_each_column_it_is_known_whose_data_it_keeps(db: TestDb) {
        let (main, keys) = (shape(&db.main).await, shape(&db.keys).await);
        let there: BTreeSet<(&str, &str)> =
            main.columns.keys().chain(keys.columns.keys()).map(|(t, c)| (t.as_str(), c.as_str())).collect();
        let declared: BTreeSet<(&str, &str)> =
            tables().flat_map(|(t, _, columns)| columns.iter().map(move |c| (t, *c))).collect();
        assert!(
            there == declared,
            "in a database but not in src/policy/filled.rs, or the other way round: {:?}",
            differing(&there, &declared)
        );
        for (table, keeps, _) in tables() {
            match keeps {
                Keeps::Of(category) => {
                    assert!(FILLED.iter().any(|f| f.category == category), "{table}: {category} is not in FILLED");
                }
                Keeps::Proof(why) | Keeps::Nobody(why) => assert!(!why.is_empty(), "{table}"),
                Keeps::Vault => assert!(there.contains(&(table, "category")), "{table}"),
            }
            let about_nobody = GOES.iter().any(|(t, goes)| *t == table && matches!(goes, Goes::NotPersonal(_)));
            assert!(
                !about_nobody || matches!(keeps, Keeps::Nobody(_)),
                "{table} is about nobody and is said to keep data"
            );
        }
    }

    async fn every_migration_was_run(db: TestDb) {
        for (db, folder) in [(&db.main, ""), (&db.keys, "-keystore")] {
            let names = |dialect: &str| -> BTreeSet<String> {
                let folder = source::root().join(format!("migrations/{dialect}{folder}"));
                fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect()
            };
            assert_eq!(names("sqlite"), names("postgres"));
            let mut tx = db.read().await.unwrap();
            let run: Vec<(i64, String)> = on!(tx, |c| sqlx::query_as(
                "SELECT version, description FROM _sqlx_migrations ORDER BY version"
            )
            .fetch_all(c)
            .await)
            .unwrap();
            let expected = names("sqlite");
            assert_eq!(run.iter().map(|(_, name)| format!("{name}.sql")).collect::<BTreeSet<_>>(), expected);
            for (number, name) in run {
                assert!(name.starts_with(&format!("{number:04}_")), "{number} is not the number of {name}");
            }
        }
    }

    async fn a_database_of_a_newer_program_is_refused(db: TestDb) {
        let mut tx = db.main.begin().await.unwrap();
        on!(tx, |c| sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             SELECT 9999, 'from the future', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1"
        )
        .execute(c)
        .await
        .map(|_| ()))
        .unwrap();
        tx.commit().await.unwrap();
        assert!(matches!(db.again().await, Err(Error::Schema(_))));
    }

    async fn a_migration_that_was_edited_after_its_release_is_refused(db: TestDb) {
        let mut tx = db.main.begin().await.unwrap();
        let checksum = vec![0_u8; 48];
        on!(tx, |c| sqlx::query("UPDATE _sqlx_migrations SET checksum = $1 WHERE version = 1")
            .bind(&checksum)
            .execute(c)
            .await
            .map(|_| ()))
        .unwrap();
        tx.commit().await.unwrap();
        assert!(matches!(db.again().await, Err(Error::Schema(_))));
    }

    async fn every_text_is_ordered_by_its_bytes_whatever_the_servers_locale(db: TestDb) {
        for db in [&db.main, &db.keys] {
            if db.is_sqlite() {
                continue;
            }
            let mut tx = db.read().await.unwrap();
            let other: Vec<(String,)> = on!(tx, |c| sqlx::query_as(
                "SELECT t.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid \
                 JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_collation c ON c.oid = a.attcollation \
                 WHERE n.nspname = current_schema() AND t.relkind = 'r' AND a.attnum > 0 AND c.collname <> 'C' \
                 AND t.relname <> '_sqlx_migrations'"
            )
            .fetch_all(c)
            .await)
            .unwrap();
            assert_eq!(other, [], "ordered as the server's language orders words");
        }
    }

    async fn a_table_that_waits_to_be_ordered_keeps_no_other_from_anybody(db: TestDb) {
        if db.main.is_sqlite() {
            return; // ordered by bytes from the beginning
        }
        for column in ["blob_grave ALTER COLUMN blob_key", "sweep ALTER COLUMN rule"] {
            run_in(&db.main, &format!("ALTER TABLE {column} TYPE TEXT COLLATE \"POSIX\"")).await;
        }
        let mut reader = db.main.begin().await.unwrap();
        on!(reader, |c| sqlx::query("SELECT id FROM sweep").fetch_all(c).await.map(|_| ())).unwrap();
        let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
            AND wait_event_type = 'Lock'";
        let done = std::cell::Cell::new(false);
        let watched = async {
            while count_in(&db.main, waiting).await == 0 {
                assert!(!done.get(), "nobody was waited for");
            }
            let mut other = db.main.begin().await.unwrap();
            on!(other, |c| sqlx::query("SELECT set_config('lock_timeout', '500ms', true)").execute(c).await.map(|_| ()))
                .unwrap();
            on!(other, |c| sqlx::query("SELECT blob_key FROM blob_grave").fetch_all(c).await.map(|_| ()))
                .expect("one table at a time");
            other.commit().await.unwrap();
            reader.commit().await.unwrap();
        };
        let again = async {
            let opened = db.again().await.unwrap();
            done.set(true);
            opened
        };
        let _both = tokio::join!(again, watched);
        let left = "SELECT COUNT(*) FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid JOIN pg_collation c \
            ON c.oid = a.attcollation WHERE t.relname IN ('blob_grave', 'sweep') AND c.collname <> 'C'";
        assert_eq!(count_in(&db.main, left).await, 0);
    }
}
