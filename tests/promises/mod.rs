//! One file for each promise that the two shipped documents make, named after what is promised. Each tells a story
//! through the whole service and looks at what was left behind: blobs, letters, calls, entries, rows. `table` says which
//! promise ends where, and prints that as `docs/PROMISES.md`.

mod account_data;
mod analytics_objection;
mod answered_in_72_hours;
mod audits;
mod billing;
mod changes_are_told;
mod cookies_and_analytics;
mod declared_only;
mod device_data;
mod inactive_accounts;
mod inputs_within_48_hours;
mod logs_are_technical;
mod mail_becomes_a_request;
mod no_sale;
mod no_training;
mod object_storage;
mod outside_identity;
mod own_artwork;
mod own_edits_only;
mod provider_keeps_nothing;
mod restriction;
mod retention;
mod rights;
mod table;
mod temporary_files;
mod training_collections;
mod transport;
mod usage_and_credits;
mod who_may_read;

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use vouchsafe::audit::{Audit, LogWatch, Parts, Ran, Settings, Verdict};
use vouchsafe::base::PageSize;
use vouchsafe::ledger::Logged;
use vouchsafe::on;
use vouchsafe::policy::{Facts, Policy};
use vouchsafe::store::Db;
use vouchsafe::vault::{self, Access, Actor, NewRecord, Owner, Record};

use crate::support::TestApp;
use crate::support::app::{OTHER_TENANT, Person, TENANT};
use crate::support::call::{Answer, Call};
use crate::support::house::{count_in, files_below};

/// Both tenants that ship.
const TENANTS: [&str; 2] = [TENANT, OTHER_TENANT];

/// The document of a tenant.
fn document(tenant: &str) -> Policy {
    let all = crate::support::app::documents();
    all.into_iter().find(|d| d.tenant().as_str() == tenant).unwrap()
}

/// The service with API, pages and desk.
fn with_pages(app: TestApp) -> TestApp {
    let router = vouchsafe::http::routes(&app.edge).merge(vouchsafe::web::router(app.edge.clone()));
    app.with_router(router)
}

/// How much is held of somebody in a category.
async fn held(app: &TestApp, owner: &Owner, category: &str) -> i64 {
    let all = app.app.vault.holdings(owner).await.unwrap();
    all.iter().filter(|h| h.category == category).map(|h| h.images + h.records).sum()
}

/// What a statement without parameters counts.
async fn count(app: &TestApp, sql: &str) -> i64 {
    count_in(&app.app.db, sql).await
}

/// Entries of a kind, oldest first.
async fn entries(app: &TestApp, kind: &str) -> Vec<Logged> {
    app.ledger_entries().await.into_iter().filter(|e| e.leaf.kind.as_str() == kind).collect()
}

/// A fact of an entry, as text.
fn fact(entry: &Logged, name: &str) -> String {
    entry
        .leaf
        .facts
        .get(name)
        .map(|f| serde_json::to_value(f).unwrap())
        .map_or(String::new(), |v| v.as_str().map_or_else(|| v.to_string(), ToOwned::to_owned))
}

/// Stores a record that nothing of the service makes by itself.
async fn plant(app: &TestApp, owner: &Owner, category: &str, value: Value) {
    let new = NewRecord { category, name: "event", value, parent: None, facts: Facts::new() };
    app.app.vault.add_record(owner, new).await.unwrap();
}

/// The records of a category, as the program itself reads them for a purpose.
async fn records(
    app: &TestApp,
    owner: &Owner,
    category: &str,
    purpose: &str,
) -> Result<Vec<Record>, vault::Error> {
    let access = Access { actor: &Actor::Service, purpose };
    let size = PageSize::new(200).unwrap();
    Ok(app.app.vault.records(owner, &access, category, (None, size)).await?.items)
}

/// Turns a purpose on or off, as the person does by the API.
async fn switch(app: &TestApp, person: &Person, purpose: &str, on: bool) -> Value {
    let path = format!("/v1/consents/{purpose}");
    let answer = app.put(&path).by(person).json(&json!({ "on": on })).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Uploads, edits, and lets the work be done. Gives the edit as the API tells it.
async fn edited(app: &TestApp, person: &Person, seed: u64) -> Value {
    let image = app.upload(person, seed).await;
    let edit = app.edit(person, &image).await;
    app.settle().await;
    app.get(&format!("/v1/edits/{edit}")).by(person).send().await.json()
}

/// Opens a page of somebody who is not signed in, and sends its form as a browser in this dress does.
async fn sent(
    app: &TestApp,
    page: &str,
    action: &str,
    fields: &[(&str, &str)],
    dress: impl Fn(Call) -> Call,
) -> Answer {
    let html = dress(app.get(page).header("accept", "text/html")).send().await.text();
    let (_, rest) = html.split_once("name=\"csrf\" value=\"").unwrap_or_else(|| panic!("no form: {html}"));
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.append_pair("csrf", rest.split('"').next().unwrap()).extend_pairs(fields);
    let call = dress(app.post(action)).header("sec-fetch-site", "same-origin").header("accept", "text/html");
    call.body("application/x-www-form-urlencoded", body.finish()).send().await
}

/// Files a request by the API and gives it as it then stands.
async fn filed(app: &TestApp, person: &Person, asked: Value) -> Value {
    // What takes data away needs a proof that is not old.
    let person = &app.again(person).await;
    let answer = app.post("/v1/requests").by(person).json(&asked).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let path = format!("/v1/requests/{}", answer.json()["id"].as_str().unwrap());
    app.settle().await;
    let told = app.get(&path).by(person).send().await;
    if told.status == 200 { told.json() } else { answer.json() }
}

/// Everything that somebody takes home, by the name of the file.
async fn taken_home(app: &TestApp, person: &Person) -> BTreeMap<String, Vec<u8>> {
    let person = &app.again(person).await;
    let request = filed(app, person, json!({ "right": "access" })).await;
    let path = format!("/v1/requests/{}/archive", request["id"].as_str().unwrap());
    let zip = app.get(&path).by(person).send().await;
    assert_eq!(zip.status, 200, "{}", zip.text());
    let mut zip = zip::ZipArchive::new(Cursor::new(zip.body)).unwrap();
    (0..zip.len())
        .map(|n| {
            let mut file = zip.by_index(n).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

/// Every place in which any of these words lies, as it is or in hexadecimal: files of the data folder, and every row of
/// both databases.
async fn found(app: &TestApp, words: &[&str]) -> Vec<String> {
    let mut forms: Vec<Vec<u8>> = words.iter().map(|w| w.as_bytes().to_vec()).collect();
    forms.extend(words.iter().map(|w| hex::encode(w).into_bytes()));
    let holds = |bytes: &[u8]| forms.iter().any(|f| bytes.windows(f.len()).any(|b| b == f.as_slice()));
    let mut places: Vec<String> = files_below(&app.data())
        .iter()
        .filter(|path| std::fs::read(path).is_ok_and(|bytes| holds(&bytes)))
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    for (table, row) in rows(&app.app.db).await {
        if holds(row.as_bytes()) {
            places.push(format!("a row of {table}"));
        }
    }
    places
}

/// Every row of a PostgreSQL database as text; SQLite's lie in its file.
async fn rows(db: &Db) -> Vec<(String, String)> {
    if db.is_sqlite() {
        return Vec::new();
    }
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    let mut all = Vec::new();
    for table in column(db, tables).await {
        let sql = format!("SELECT t::text FROM \"{table}\" t");
        all.extend(column(db, &sql).await.into_iter().map(|row| (table.clone(), row)));
    }
    all
}

/// The first column of what a statement finds, as text.
async fn column(db: &Db, sql: &str) -> Vec<String> {
    let mut tx = db.read().await.unwrap();
    let sql = AssertSqlSafe(sql.to_owned());
    let found: Vec<(String,)> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await).unwrap();
    found.into_iter().map(|(text,)| text).collect()
}

/// An auditor of the whole service, with a log that it watches.
fn auditor(app: &TestApp) -> (Audit, LogWatch) {
    let logs = LogWatch::new();
    logs.see(b"INFO reconciled task=\"retention\" changed=3\n");
    let rooms = &app.app;
    let audit = Audit::new(Parts {
        db: rooms.db.clone(),
        vault: rooms.vault.clone(),
        keys: rooms.keys.clone(),
        blobs: rooms.blobs.clone(),
        ledger: rooms.ledger.clone(),
        library: rooms.library.clone(),
        disclosures: rooms.disclosures.clone(),
        config: rooms.config.clone(),
        settings: Settings { logs: Some(logs.clone()), ..Settings::default() },
        clock: rooms.clock.clone(),
        entropy: rooms.entropy.clone(),
    });
    (audit, logs)
}

/// Makes a check of a tenant's promises by its own way, past the rooms.
async fn probed(app: &TestApp, tenant: &str, probe: &str) -> Ran {
    app.app.ledger.sequence().await.unwrap();
    auditor(app).0.run(&tenant.parse().unwrap(), probe).await.unwrap()
}

/// The same, which must find the promise kept.
async fn kept(app: &TestApp, tenant: &str, probe: &str) {
    let ran = probed(app, tenant, probe).await;
    assert_eq!(ran.check.outcome.verdict, Verdict::Passed, "{probe}: {}", ran.check.outcome.figure);
}

/// The same, which must find it broken.
async fn broken(app: &TestApp, tenant: &str, probe: &str) {
    let ran = probed(app, tenant, probe).await;
    assert_eq!(ran.check.outcome.verdict, Verdict::Failed, "{probe}: {}", ran.check.outcome.figure);
}
