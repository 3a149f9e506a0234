//! All SQL is `const` in `sql.rs` files; here each statement is prepared on both databases, so that a column that is not
//! there, or a word that only one of them knows, is found before anybody runs it.

use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};
use vouchsafe::store::{Conn, Db};

use crate::each_database;
use crate::support::source::{self, Const};

/// Whether a file is one where SQL belongs: `sql.rs`, or in a folder `sql/`.
pub(super) fn is_for_sql(path: &str) -> bool {
    path.ends_with("/sql.rs") || path.contains("/sql/")
}

/// Whether a text is a statement.
pub(super) fn is_statement(text: &str) -> bool {
    let mut words = text.split_whitespace();
    match words.next() {
        Some("SELECT" | "PRAGMA" | "VACUUM") => words.next().is_some(),
        Some("INSERT") => words.next() == Some("INTO"),
        Some("DELETE") => words.next() == Some("FROM"),
        Some("UPDATE") => words.nth(1) == Some("SET"),
        Some("WITH") => words.nth(1) == Some("AS"),
        Some("CREATE" | "ALTER" | "DROP") => matches!(words.next(), Some("TABLE" | "INDEX" | "UNIQUE")),
        _ => false,
    }
}

struct Statement {
    place: String,
    keystore: bool,
    text: Const,
}

impl Statement {
    /// Whether it is written for one database alone, and which: `Some(true)` for SQLite.
    fn only_sqlite(&self) -> Option<bool> {
        let sqlite = self.text.name.ends_with("_SQLITE") || self.text.value.starts_with("PRAGMA");
        let postgres = self.text.name.ends_with("_POSTGRES");
        (sqlite || postgres).then_some(sqlite)
    }

    fn runs_on(&self, db: &Db) -> bool {
        self.only_sqlite().is_none_or(|sqlite| sqlite == db.is_sqlite())
    }

    /// The text with its `$list` of one value, as [`vouchsafe::store::with_list`] numbers it.
    fn filled(&self) -> String {
        let numbers = self.text.value.split('$').skip(1);
        let highest = numbers
            .filter_map(|s| s.split(|c: char| !c.is_ascii_digit()).next()?.parse::<usize>().ok())
            .max()
            .unwrap_or(0);
        self.text.value.replace("$list", &format!("${}", highest + 1))
    }
}

fn statements() -> Vec<Statement> {
    let files = source::files("src").into_iter().filter(|f| is_for_sql(&f.path));
    files
        .flat_map(|file| {
            let keystore = file.room == "keystore";
            let consts = file.consts().into_iter();
            consts.map(move |text| {
                let place = format!("{}:{} {}", file.path, text.line, text.name);
                Statement { place, keystore, text }
            })
        })
        .collect()
}

async fn prepare(db: &Db, statement: &str) -> sqlx::Result<()> {
    let mut tx = db.read().await.unwrap();
    let sql = AssertSqlSafe(statement.to_owned()).into_sql_str();
    match tx.conn() {
        Conn::Sqlite(c) => c.prepare(sql).await.map(|_| ()),
        Conn::Postgres(c) => c.prepare(sql).await.map(|_| ()),
    }
}

each_database! {
    async fn every_statement_can_be_prepared(db: TestDb) {
        let all = statements();
        let files = source::files("src").into_iter().filter(|f| is_for_sql(&f.path));
        let written: usize = files.map(|f| f.text.matches(": &str =").count()).sum();
        assert_eq!(all.len(), written, "a statement was overlooked");
        let mut faults = Vec::new();
        for statement in &all {
            let on = if statement.keystore { &db.keys } else { &db.main };
            if !statement.runs_on(on) {
                continue;
            }
            if let Err(e) = prepare(on, &statement.filled()).await {
                faults.push(format!("{}: {e}", statement.place));
            }
        }
        assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    }

    async fn a_statement_on_a_column_that_is_not_there_cannot(db: TestDb) {
        assert!(prepare(&db.main, "SELECT id FROM job WHERE tenant = $1").await.is_ok());
        assert!(prepare(&db.main, "SELECT colour FROM job WHERE tenant = $1").await.is_err());
        assert!(prepare(&db.main, "SELECT wrapped FROM item_key").await.is_err(), "keys in the main database");
    }
}

#[test]
fn every_text_for_sql_is_a_statement() {
    for statement in statements() {
        assert!(is_statement(&statement.text.value), "{} is not one", statement.place);
    }
}

/// Words that mean different things to the two, or only something to one.
#[test]
fn statements_keep_to_what_both_databases_understand() {
    let foreign = [
        "NOW()",
        "CURRENT_",
        "ILIKE",
        "ANY(",
        "ANY (",
        "GREATEST(",
        "LEAST(",
        "::",
        "INTERVAL",
        "RESTRICT",
        "?",
    ];
    for statement in statements().iter().filter(|s| s.only_sqlite().is_none()) {
        let text = &statement.text.value;
        for word in foreign {
            assert!(!text.contains(word), "{}: {word}", statement.place);
        }
        let sums = text.matches("SUM(").count();
        let cast = text.matches("CAST(SUM(").count() + text.matches("CAST(COALESCE(SUM(").count();
        assert_eq!(sums, cast, "{}: PostgreSQL gives a NUMERIC for an uncast SUM", statement.place);
        assert!(!text.contains("SELECT EXISTS"), "{}: no type of EXISTS is known to both", statement.place);
    }
}
