//! The small commands: statuses that say what was found.

use std::fs;
use std::path::Path;

use clap::Parser as _;
use vouchsafe::app::{App, Setup};
use vouchsafe::audit::{LogWatch, Verdict};
use vouchsafe::cli::Cli;
use vouchsafe::config::Config;
use vouchsafe::mail;
use vouchsafe::policy::Role;
use vouchsafe::subjects::{NewAccount, SignedIn};

use vouchsafe::app::load_documents;

use super::call;
use crate::support::house::files_below;

#[tokio::test]
async fn the_documents_that_ship_compile() {
    let (well, said) = call(&["policy", "check", "policies"]).await;
    assert!(well, "{said}");
    assert!(said.contains("2 documents, 0 errors"), "{said}");
}

#[tokio::test]
async fn a_broken_document_is_shown_with_its_lines_and_fails() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("broken.md");
    let text = fs::read_to_string("policies/opusflair/2026-05-05.md").unwrap();
    fs::write(&path, text.replace("at-most = \"48 hours after uploaded\"", "at-most = \"soon\"")).unwrap();
    let (well, said) = call(&["policy", "check", &path.display().to_string()]).await;
    assert!(!well);
    assert!(said.contains("at-most = \"soon\"") && said.contains("does not compile"), "{said}");
}

#[test]
fn a_service_that_cannot_start_names_the_error_and_not_a_warning_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("opusflair");
    fs::create_dir(&folder).unwrap();
    let text = fs::read_to_string("policies/opusflair/2026-05-05.md").unwrap();
    // Without a right, line 6 is warned of; the error stands further down.
    let text = text
        .replace("[right.objection]", "[right.portability-by-mail]")
        .replace("48 hours after uploaded", "soon");
    fs::write(folder.join("2026-05-05.md"), text).unwrap();
    let said = load_documents(dir.path()).unwrap_err().to_string();
    assert!(said.contains("error(s); the first: line") && !said.contains("line 6:"), "{said}");
}

#[tokio::test]
async fn an_editor_reads_what_is_wrong_as_json() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("broken.md");
    let text = fs::read_to_string("policies/opusflair/2026-05-05.md").unwrap();
    fs::write(&path, text.replace("at-most = \"48 hours after uploaded\"", "at-most = \"soon\"")).unwrap();
    let (well, said) = call(&["policy", "check", "--json", &path.display().to_string()]).await;
    assert!(!well);
    let found: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(found[0]["compiles"], false);
    let first = &found[0]["diagnostics"][0];
    assert_eq!((&first["code"], &first["severity"]), (&"vague-period".into(), &"error".into()));
    assert!(first["line"].as_u64() > Some(1) && first["help"].is_string(), "{first}");
    let (well, said) = call(&["policy", "check", "--json", "policies"]).await;
    assert!(well && said.contains("\"compiles\": true"), "{said}");
}

#[tokio::test]
async fn a_document_does_not_differ_from_itself() {
    let document = "policies/flux-kontext/2026-11-01.md";
    let (well, said) = call(&["policy", "diff", document, document]).await;
    assert!(well && said.contains("Nothing changes."), "{said}");
}

#[tokio::test]
async fn no_command_makes_an_installation_where_none_is() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("nothing-here").display().to_string();
    for command in [
        &["doctor"][..],
        &["keys", "status"],
        &["ledger", "checkpoint"],
        &["policy", "plan"],
        &["policy", "board"],
    ] {
        let (well, said) = call(&[command, &["--dev", "--data", &folder]].concat()).await;
        assert!(!well && said.contains("there is no installation"), "{said}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_looked_into_is_not_called_empty() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("data");
    // Nobody looks into a link to itself, not even root.
    std::os::unix::fs::symlink(&folder, &folder).unwrap();
    let (well, said) = call(&["doctor", "--dev", "--data", &folder.display().to_string()]).await;
    assert!(!well && said.contains("cannot be looked into"), "{said}");
    assert!(!said.contains("there is no installation"), "{said}");
}

#[tokio::test]
async fn a_command_called_from_elsewhere_says_which_folder_it_looked_for() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("vouchsafe.db"), "").unwrap();
    let out = tokio::process::Command::new(env!("CARGO_BIN_EXE_vouchsafe"))
        .args(["keys", "status", "--dev", "--data", "data"])
        .current_dir(dir.path())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    let wanted = fs::canonicalize(dir.path()).unwrap().join("policies");
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(
        said.contains(&wanted.display().to_string()) && said.contains("data.policies names their folder"),
        "{said}"
    );
}

#[tokio::test]
async fn only_what_dev_would_mend_is_told_to_add_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("vouchsafe.toml");
    let config = file.display().to_string();
    fs::write(&file, "[rights]\ngrace = \"soon\"\n").unwrap();
    for dev in [&["--dev"][..], &[]] {
        let (well, said) = call(&[&["doctor", "--config", &config], dev].concat()).await;
        assert!(!well && said.contains(&format!("{config}, line 2, rights.grace: ")), "{said}");
        assert!(!said.contains("add --dev"), "{said}");
    }
    let (well, said) = call(&["doctor"]).await;
    assert!(!well && said.contains("public-url") && said.contains("add --dev"), "{said}");
}

#[test]
fn a_word_that_is_none_is_told_with_those_that_are() {
    let refused = |arguments: &[&str]| Cli::try_parse_from(arguments).unwrap_err().to_string();
    let hire = ["vouchsafe", "staff", "add", "--tenant", "opusflair", "--email", "a@example.org", "--role"];
    for role in ["boss", "subject"] {
        let said = refused(&[&hire[..], &[role]].concat());
        assert!(said.contains("support, compliance, admin"), "{said}");
    }
    let said = refused(&["vouchsafe", "policy", "explain", "obj_nonsense"]);
    assert!(said.contains("not a valid obj id"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_signs_under_the_name_its_home_has() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (app, _) = installation(&dir.path().join("data")).await;
    app.ledger.sequence().await.unwrap();
    app.ledger.export(at("ledger").as_ref()).await.unwrap();
    let (key, ledger, home) = (app.ledger.verifier().to_string(), at("ledger"), at("home"));
    app.close().await;
    let follow = async |name: &str| {
        call(&["witness", "follow", &ledger, "--key", &key, "--name", name, "--home", &home]).await
    };
    let (well, said) = follow("witness.example").await;
    assert!(well && said.starts_with("\u{2014} witness.example ") && said.lines().count() == 1, "{said}");
    let (well, said) = follow("other.example").await;
    assert!(!well && said.contains("is called witness.example"), "{said}");
    assert!(follow("witness.example").await.0);
}

/// An installation as `serve --dev` makes one, whose log a test writes.
async fn installation(folder: &Path) -> (App, LogWatch) {
    let logs = LogWatch::new();
    let setup = Setup {
        mail: Some(mail::Settings::Recorded),
        logs: Some(logs.clone()),
        ..Setup::of(Config::throwaway(folder)).unwrap()
    };
    (Box::pin(App::open(setup)).await.unwrap(), logs)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_database_goes_on_with_the_ledger_it_had() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, exported) = (dir.path().join("data"), dir.path().join("ledger").display().to_string());
    let (app, _) = installation(&folder).await;
    app.ledger.sequence().await.unwrap();
    app.close().await;
    let (database, backup) = (folder.join("vouchsafe.db"), dir.path().join("backup.db"));
    fs::copy(&database, &backup).unwrap();
    let (app, _) = installation(&folder).await;
    let new =
        NewAccount { email: "ada@example.org".parse().unwrap(), name: "Ada".into(), username: "ada".into() };
    app.subjects.open(&"flux-kontext".parse().unwrap(), new).await.unwrap();
    app.ledger.sequence().await.unwrap();
    let head = app.ledger.export(exported.as_ref()).await.unwrap();
    app.close().await;
    fs::copy(&backup, &database).unwrap();
    let place = ["--dev", "--data", &folder.display().to_string()];
    let (well, said) = call(&[&["ledger", "replay", &exported], &place[..]].concat()).await;
    assert!(well && said.contains(&format!("entries 2 to {}", head.size())), "{said}");
    let (app, _) = installation(&folder).await;
    app.ledger.stands_by(head.note()).await.expect("the same tree goes on");
    app.close().await;
    let (well, said) = call(&[&["ledger", "verify"], &place[..]].concat()).await;
    assert!(well, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_second_factor_is_taken_away_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("data");
    let (app, _) = installation(&folder).await;
    let (tenant, email) = ("flux-kontext".parse().unwrap(), "admin@house.example".parse().unwrap());
    let staff = app.subjects.hire(&tenant, &email, Role::Admin).await.unwrap();
    let place = folder.display().to_string();
    let reset = |email: &'static str| {
        let place = place.clone();
        async move {
            let command = ["staff", "reset-factor", "--tenant", "flux-kontext", "--email", email];
            call(&[&command[..], &["--dev", "--data", &place]].concat()).await
        }
    };
    let (well, said) = reset("admin@house.example").await;
    assert!(!well && said.contains("no second factor"), "{said}");

    let who = SignedIn::Staff(staff.clone());
    let link = app.subjects.direct_link(&who, chrono::TimeDelta::minutes(1)).await.unwrap();
    let session = app.subjects.redeem(&tenant, link.token.expose(), None).await.unwrap().session;
    let given = app.subjects.begin_factor(&staff, "House").await.unwrap();
    let secret = totp_rs::Secret::try_from_base32(given.secret.expose()).unwrap();
    let telephone = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let seconds = u64::try_from(app.clock.now().micros() / 1_000_000).unwrap();
    app.subjects.confirm_factor(&session, &telephone.generate(seconds).to_string()).await.unwrap();
    app.close().await;

    let (well, said) = reset("nobody@house.example").await;
    assert!(!well && said.contains("nobody of the staff"), "{said}");
    let (well, said) = reset("admin@house.example").await;
    assert!(well && said.contains("is taken away") && said.contains("a letter is on its way"), "{said}");
    let letters = files_below(&dir.path().join("data-letters"));
    assert_eq!(letters.len(), 1);
    assert!(fs::read_to_string(&letters[0]).unwrap().contains("To: admin@house.example"));
    let (app, _) = installation(&folder).await;
    assert!(!app.subjects.factor(&staff).await.unwrap().enrolled);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_board_is_printed_and_fails_when_a_promise_is_broken() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("data");
    let (app, logs) = installation(&folder).await;
    let tenant = "flux-kontext".parse().unwrap();
    logs.see(b"INFO reconciled task=\"retention\" changed=3\n");
    app.audit.run(&tenant, "logs-clean").await.unwrap();
    let folder = folder.display().to_string();
    let board =
        async |more: &[&str]| call(&[&["policy", "board", "--dev", "--data", &folder], more].concat()).await;

    let (well, said) = board(&[]).await;
    assert!(
        well && said.contains("opusflair, version") && said.contains("0 of 1 line since the start"),
        "{said}"
    );
    assert!(said.contains("waiting") && said.contains("not checked yet"), "{said}");

    logs.see(b"INFO a letter to ada@example.org\n");
    app.audit.run(&tenant, "logs-clean").await.unwrap();
    let (well, said) = board(&["--tenant", "flux-kontext"]).await;
    assert!(!well && said.contains("1 of 2 lines since the start") && !said.contains("opusflair"), "{said}");
    let (well, said) = board(&["--json"]).await;
    let told: serde_json::Value = serde_json::from_str(&said).unwrap();
    let of = |n: usize| (told[n]["tenant"].as_str().unwrap(), told[n]["tally"]["broken"].as_u64().unwrap());
    assert!(!well, "{said}");
    assert_eq!((of(0), of(1)), (("flux-kontext", 1), ("opusflair", 0)));
    let (well, said) = board(&["--tenant", "opusflair"]).await;
    assert!(well, "{said}");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_makes_every_check_and_overrules_nothing_that_the_service_found() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("data");
    let (app, logs) = installation(&folder).await;
    let tenant = "flux-kontext".parse().unwrap();
    logs.see(b"INFO reconciled task=\"retention\" changed=3\n");
    app.audit.run(&tenant, "logs-clean").await.unwrap();
    let (_, said) = call(&["doctor", "--dev", "--data", &folder.display().to_string()]).await;
    assert!(
        said.contains("flux-kontext, retention-kept: 0 of 0 things stored are past their time"),
        "{said}"
    );
    assert!(said.contains("not looked at: flux-kontext, logs-clean"), "{said}");
    let in_one_line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(in_one_line.contains("nobody has vouched yet: flux-kontext, "), "{said}");
    assert!(!in_one_line.contains("vouched for in time"), "nobody has: {said}");
    let checks = app.audit.latest(&tenant).await.unwrap();
    assert_eq!(
        checks.iter().map(|c| (c.probe.as_str(), c.outcome.verdict)).collect::<Vec<_>>(),
        [("logs-clean", Verdict::Passed)]
    );
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_goes_on_where_the_store_of_blobs_is_silent() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, file) = (dir.path().join("data"), dir.path().join("vouchsafe.toml"));
    let (app, _) = installation(&folder).await;
    app.close().await;
    let store = "[blobs.s3]\nvendor = \"generic\"\nendpoint = \"http://127.0.0.1:1\"\nbucket = \"pictures\"\n\
        region = \"eu-central-1\"\naccess-key-id = \"id\"\nsecret-access-key = \"secret\"\n";
    fs::write(&file, store).unwrap();
    let (config, data) = (file.display().to_string(), folder.display().to_string());
    let (well, said) = call(&["doctor", "--dev", "--config", &config, "--data", &data]).await;
    assert!(!well && said.contains("the store of blobs answers:"), "{said}");
    for after in ["at most two key epochs", "Ledger", "Recipients", "Letters that come in", "Promises"] {
        assert!(said.contains(after), "{after}: {said}");
    }
    assert!(said.contains("flux-kontext, retention-kept"), "{said}");
    assert!(said.contains("Something is not as it must be."), "{said}");
}

#[tokio::test]
async fn what_is_neither_receipt_nor_archive_is_not_verified() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("text", b"hello"),
        ("cut.zip", b"PK\x03\x04cut"),
        ("half.json", b"{\"format\""),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let (well, said) = call(&["verify", &path.display().to_string(), "--key", key]).await;
        assert!(!well, "{name}: {said}");
    }
}

#[tokio::test]
async fn the_description_of_the_api_is_json() {
    let (well, said) = call(&["openapi"]).await;
    let document: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(well && document["openapi"].as_str().unwrap().starts_with("3.1"));
}
