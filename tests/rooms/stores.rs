//! Of each place where the service puts something, it is written down how that goes: tables are in `schema`, here is the
//! rest. A new file, folder or recipient without a line here fails.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::TimeDelta;
use vouchsafe::policy::{Channel, Role};
use vouchsafe::requests::{Ask, Filing};
use vouchsafe::vault::Actor;

use crate::each_app;
use crate::support::TestApp;
use crate::support::source::{self, walk};

/// Files and folders of the data folder, and how what they hold of a person goes.
const ON_DISK: &[(&str, &str)] = &[
    ("vouchsafe.db", "table by table, see `schema`; deleted rows are overwritten, the log is cut"),
    ("keystore.db", "the one write that erases; deleted rows are overwritten, the log is cut"),
    ("blobs", "keys first, then the bytes, seen to be gone and deleted again an hour and a day later"),
    ("keys", "nothing of a person: the house's own keys, which die by epoch"),
    ("ledger", "no personal data in clear: the ledger once more, as files"),
    ("outbox", "letters, when there is no mail server: with the person, at the next pass"),
];

/// Handles of the service that lead out of its tables, and how what went there goes. The names are those of `app::Rooms`.
const HANDLES: &[(&str, &str)] = &[
    ("config", "nothing of a person"),
    ("clock", "nothing of a person"),
    ("entropy", "nothing of a person"),
    ("db", "the main database: see `schema`"),
    ("keys", "the keystore: see `schema`"),
    ("blobs", "see above"),
    ("ledger", "no personal data in clear; the reference in it leads to nobody once the proof key is gone"),
    ("witnesses", "signed hashes"),
    ("library", "published texts"),
    ("vault", "rows, keys and bytes: see `schema` and above"),
    ("subjects", "accounts and sessions: see `schema`"),
    ("consents", "see `schema`"),
    ("credits", "see `schema`"),
    ("invoices", "kept by law in a holder's name, then by time"),
    ("disclosures", "the person is blanked; what went to a processor is recalled there, see `errand`"),
    ("editing", "copies at providers are deleted to proof before an erasure may say done"),
    ("retention", "see `schema`"),
    ("publications", "see `schema`"),
    ("unpublished", "documents of a folder"),
    ("requests", "archives are made while they are fetched and never rest; the rest: see `schema`"),
    (
        "intake",
        "letters wait sealed until their link is used or over, mandates go with their person: see `schema`",
    ),
    ("drp", "what agents ask is a request; the rest: see `schema`"),
    (
        "imports",
        "an archive lies sealed in a file without a name while it is looked at; what is taken goes into the vault",
    ),
    ("training", "a folder that is handed out, of what is agreed to then; see `schema`"),
    ("audit", "counts"),
    ("webhooks", "what an app was told holds ids; see `schema`"),
    ("elsewhere", "accounts at other services are erased there to proof before an erasure may say done"),
    ("documents", "texts of the folder of policies"),
    ("gate", "nothing of a person: whether the service is open"),
    ("post", "letters that left are the receiver's; an outbox: see above"),
];

/// The first part of a file's path, without what SQLite hangs on.
fn top(data: &Path, file: &Path) -> String {
    let first = file.strip_prefix(data).unwrap().components().next().unwrap();
    let name = first.as_os_str().to_string_lossy().into_owned();
    name.trim_end_matches("-wal").trim_end_matches("-shm").trim_end_matches("-journal").to_owned()
}

fn undeclared(data: &Path) -> BTreeSet<String> {
    let mut files = Vec::new();
    walk(data, &mut files);
    files
        .iter()
        .map(|f| top(data, f))
        .filter(|name| !ON_DISK.iter().any(|(known, _)| known == name))
        .collect()
}

/// The files in which any of these words occurs.
fn files_with(data: &Path, words: &[&str]) -> BTreeSet<String> {
    let mut files = Vec::new();
    walk(data, &mut files);
    let holds = |bytes: &[u8]| words.iter().any(|w| bytes.windows(w.len()).any(|b| b == w.as_bytes()));
    files.iter().filter(|f| f.is_file() && holds(&std::fs::read(f).unwrap())).map(|f| top(data, f)).collect()
}

#[test]
fn of_each_handle_it_is_known_how_what_went_there_goes() {
    let text = std::fs::read_to_string(source::root().join("src/app/mod.rs")).unwrap();
    let body = text.split_once("pub struct Rooms {").unwrap().1.split_once("\n}").unwrap().0;
    let there: BTreeSet<&str> = body
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'))
        .map(|(name, _)| name)
        .collect();
    let declared: BTreeSet<&str> = HANDLES.iter().map(|(name, _)| *name).collect();
    assert_eq!(there, declared, "a store without a word on how what it holds goes, or gone");
}

each_app! {
    async fn of_each_file_it_is_known_how_what_it_holds_goes(app: TestApp) {
        let ada = app.person("adacanary@example.org").await;
        let image = app.upload(&ada, 5).await;
        app.edit(&ada, &image).await;
        app.settle().await;
        app.app.consents.set(&ada.owner, "analytics", true, "page").await.unwrap();
        let filing = Filing {
            ask: Ask::Access,
            channel: Channel::Page,
            by: Actor::Subject(ada.owner.subject),
            proved: true,
            words: None,
        };
        app.app.requests.file(&ada.owner, filing).await.unwrap();
        app.settle().await;
        let data = app.data();
        assert_eq!(undeclared(&data), BTreeSet::new(), "files without a word on how what they hold goes");
        // The control: a file that somebody adds is noticed.
        std::fs::write(data.join("thumbnails.cache"), b"x").unwrap();
        assert_eq!(undeclared(&data).len(), 1);
        std::fs::remove_file(data.join("thumbnails.cache")).unwrap();

        let id = ada.owner.subject.to_string();
        let before = files_with(&data, &[&id]);
        assert!(files_with(&data, &["adacanary"]).is_empty(), "something is in clear");
        app.app.requests.erase(&ada.owner, Role::Service).await.unwrap();
        app.advance(TimeDelta::hours(1));
        app.settle().await;
        app.app.db.truncate_log().await.unwrap();
        app.app.keys.truncate_log().await.unwrap();
        let after = files_with(&data, &[&id, "adacanary"]);
        assert!(after.iter().all(|f| f == "keystore.db"), "but for the fence they are in {after:?}");
        if app.app.db.is_sqlite() {
            assert!(before.contains("vouchsafe.db"), "the search must be able to find: {before:?}");
        }
    }
}
