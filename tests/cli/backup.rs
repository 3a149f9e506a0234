//! `backup` and `restore`, as an operator calls them.

use std::fs;
use std::path::Path;

use age::secrecy::ExposeSecret as _;
use vouchsafe::app::{App, Setup};
use vouchsafe::config::Config;
use vouchsafe::mail;
use vouchsafe::policy::Role;
use vouchsafe::subjects::NewAccount;
use vouchsafe::vault::Owner;

use super::call;

/// An installation as `serve --dev` makes one.
async fn open(folder: &Path) -> App {
    let setup =
        Setup { mail: Some(mail::Settings::Recorded), ..Setup::of(Config::throwaway(folder)).unwrap() };
    Box::pin(App::open(setup)).await.unwrap()
}

async fn ada(app: &App) -> Owner {
    let new =
        NewAccount { email: "ada@example.org".parse().unwrap(), name: "Ada".into(), username: "ada".into() };
    let owner = app.subjects.open(&"flux-kontext".parse().unwrap(), new).await.unwrap();
    app.ledger.sequence().await.unwrap();
    owner
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_to_a_recipient_is_put_back_and_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let folder = dir.path().join("data");
    let app = open(&folder).await;
    let owner = ada(&app).await;
    app.close().await;
    let identity = age::x25519::Identity::generate();
    fs::write(at("identity"), identity.to_string().expose_secret()).unwrap();
    let place = ["--dev", "--data", &at("data")].map(ToOwned::to_owned);
    let run = async |words: &[&str]| {
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        call(&[words, &place[..]].concat()).await
    };

    let (well, said) = run(&["backup", &at("data.age"), "--to", &identity.to_public().to_string()]).await;
    assert!(well && said.contains("Not in it: the keystore"), "{said}");
    let (well, said) = run(&["backup", &at("keys.age"), "--keystore"]).await;
    assert!(well && said.contains("two at most"), "{said}");

    let app = open(&folder).await;
    app.requests.erase(&owner, Role::Service).await.unwrap().unwrap();
    app.ledger.sequence().await.unwrap();
    app.close().await;

    let (well, said) = run(&["restore", &at("data.age"), "--identity", &at("identity")]).await;
    assert!(!well && said.contains("--replace"), "{said}");
    let (well, said) = run(&["restore", &at("data.age"), "--replace"]).await;
    assert!(!well && said.contains("nothing that was given opens it"), "{said}");
    assert!(said.contains("age identity") && !said.contains("epoch"), "{said}");
    let (well, said) = run(&["restore", &at("keys.age"), "--replace", "--later"]).await;
    assert!(well && said.contains("until what happened since has been done again"), "{said}");
    let (well, said) = run(&["ledger", "checkpoint"]).await;
    assert!(!well && said.contains("a backup was put back"), "a shut installation signs nothing: {said}");

    let identity = at("identity");
    let restore = ["restore", &at("data.age"), "--identity", &identity, "--replace"];
    let (well, said) = run(&restore).await;
    assert!(well && said.contains("erased again; the service may be started"), "{said}");
    assert!(said.lines().any(|l| l.trim().starts_with("people") && l.trim().ends_with('1')), "{said}");
    let app = open(&folder).await;
    assert!(app.gate.is_open() && app.subjects.get(&owner).await.is_err());
    assert!(app.ledger.fsck().await.unwrap().is_sound());
    app.close().await;

    let lock = fs::File::options().write(true).open(folder.join("vouchsafe.lock")).unwrap();
    lock.try_lock().unwrap();
    let (well, said) = run(&restore).await;
    assert!(!well && said.contains("a service is running"), "{said}");
    drop(lock);
    let (well, said) = run(&["ledger", "replay"]).await;
    assert!(well && said.contains("nothing to do again"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_keystore_whose_epoch_is_destroyed_is_called_that() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let app = open(&dir.path().join("data")).await;
    ada(&app).await;
    app.close().await;
    let data = at("data");
    let run = async |words: &[&str]| call(&[words, &["--dev", "--data", &data]].concat()).await;

    let (well, said) = run(&["backup", &at("keys.age"), "--keystore"]).await;
    assert!(well, "{said}");
    // Two epochs later, the one it was made in is gone.
    for _ in 0..2 {
        let (well, said) = run(&["keys", "rotate"]).await;
        assert!(well, "{said}");
    }
    let (well, said) = run(&["restore", &at("keys.age"), "--replace"]).await;
    assert!(!well && said.contains("no epoch that is alive here opens this one"), "{said}");
    assert!(said.contains("a newer copy is wanted"), "{said}");
}
