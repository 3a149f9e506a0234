//! Every table there is, from the database's own catalogue: a table that somebody adds tomorrow is looked through as
//! well.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;

use crate::dialect;
use crate::on;
use crate::store::{Error, Tx};
use crate::vault::Owner;

const COLUMNS_SQLITE: &str = "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c \
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> '_sqlx_migrations' AND c.type = 'TEXT' \
    ORDER BY m.name, c.cid";
const COLUMNS_POSTGRES: &str = "SELECT table_name::text, column_name::text FROM information_schema.columns \
    WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations' \
    AND data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'uuid') \
    ORDER BY table_name, ordinal_position";

/// The text columns of each table.
pub(in crate::requests) async fn tables(tx: &mut Tx) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let statement = dialect!(tx, sqlite: COLUMNS_SQLITE, postgres: COLUMNS_POSTGRES);
    let rows: Vec<(String, String)> = on!(tx, |c| sqlx::query_as(statement).fetch_all(c).await)?;
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in rows {
        tables.entry(table).or_default().push(column);
    }
    Ok(tables)
}

/// A name as both databases take it, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Rows of a table whose `subject` is `id`, of its tenant's where rows have one: then an index leads to them. Ids are
/// never given twice, so no other tenant has rows of it.
pub(in crate::requests) async fn rows_of(
    tx: &mut Tx,
    table: &str,
    columns: &[String],
    owner: &Owner,
) -> Result<i64, Error> {
    let id = owner.subject.to_string();
    let (table, subject, tenant) = (quoted(table), quoted("subject"), quoted("tenant"));
    if !columns.iter().any(|c| c == "tenant") {
        return count(tx, format!("SELECT COUNT(*) FROM {table} WHERE {subject} = $1"), &id).await;
    }
    let statement = format!("SELECT COUNT(*) FROM {table} WHERE {tenant} = $1 AND {subject} = $2");
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(AssertSqlSafe(statement))
        .bind(owner.tenant.as_str())
        .bind(&id)
        .fetch_one(c)
        .await)?;
    Ok(n)
}

/// Rows of a table in any of whose text columns `id` occurs.
pub(in crate::requests) async fn rows_with(
    tx: &mut Tx,
    table: &str,
    columns: &[String],
    id: &str,
) -> Result<i64, Error> {
    let any: Vec<String> = columns.iter().map(|c| format!("CAST({} AS TEXT) LIKE $1", quoted(c))).collect();
    let statement = format!("SELECT COUNT(*) FROM {} WHERE {}", quoted(table), any.join(" OR "));
    count(tx, statement, &format!("%{id}%")).await
}

async fn count(tx: &mut Tx, statement: String, value: &str) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(AssertSqlSafe(statement)).bind(value).fetch_one(c).await)?;
    Ok(n)
}
