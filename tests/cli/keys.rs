//! Looking after the keys from the command line, and what the process owes to them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::call;

/// The program itself, as a process of its own.
fn program(data: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
    command.args(arguments).arg("--dev").arg("--data").arg(data);
    for (name, value) in variables {
        command.env(name, value);
    }
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// An installation, made by opening it once.
async fn installation(data: &Path) {
    fs::create_dir_all(data).unwrap();
    fs::write(data.join("vouchsafe.db"), "").unwrap();
    let (_, said) = call(&["keys", "status", "--dev", "--data", data.to_str().unwrap()]).await;
    assert!(said.contains("at most two epochs are alive"), "{said}");
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(output)))
}

#[tokio::test]
async fn status_rotate_and_move_say_what_they_did() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    installation(&data).await;
    let status = program(&data, &["keys", "status", "--json"], &[]);
    let told = json(&status);
    assert!(status.status.success() && told["well"] == true, "{told}");
    assert_eq!((&told["epochs"][0]["number"], &told["seals"][0]["kind"]), (&1.into(), &"file".into()));
    assert_eq!(told["seals"][0]["in_use"], true);
    assert!(told["next_rotation"].is_string());

    let rotated = json(&program(&data, &["keys", "rotate", "--json"], &[]));
    assert_eq!((&rotated["epoch"], &rotated["destroyed"]), (&2.into(), &Value::Null));
    let rotated = json(&program(&data, &["keys", "rotate", "--json"], &[]));
    assert_eq!((&rotated["epoch"], &rotated["destroyed"]), (&3.into(), &1.into()));

    // To a key that is handed over, and the file is needed no more.
    let given =
        [("VOUCHSAFE_KEYS__SEAL", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")];
    let moved = program(&data, &["keys", "move", "--to", "environment"], &given);
    assert!(moved.status.success(), "{}", said(&moved));
    let told = json(&program(&data, &["keys", "status", "--json"], &given));
    let remarks = told["remarks"].to_string();
    assert!(remarks.contains("seals no epoch any more"), "{told}");
    fs::remove_file(data.join("keys/seal.key")).unwrap();
    assert!(program(&data, &["keys", "status"], &given).status.success());

    // Without either, nothing starts, no fresh key is made over the old epochs, and it is said what is missing.
    let without = program(&data, &["keys", "status"], &[]);
    assert_eq!(without.status.code(), Some(2));
    assert!(said(&without).contains("is not in the configuration"), "{}", said(&without));
    assert!(!data.join("keys/seal.key").exists(), "a key was made that opens nothing");

    // Back to a file, which is made.
    let back = program(&data, &["keys", "move", "--to", "file"], &given);
    assert!(back.status.success(), "{}", said(&back));
    assert!(program(&data, &["keys", "status"], &[]).status.success());
}

#[tokio::test]
async fn a_seal_that_is_not_configured_or_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    installation(&data).await;
    let nowhere = program(&data, &["keys", "move", "--to", "vault"], &[]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(said(&nowhere).contains("vault is not in the configuration"), "{}", said(&nowhere));
    let dead = [
        ("VOUCHSAFE_KEYS__VAULT__ADDRESS", "http://127.0.0.1:9"),
        ("VOUCHSAFE_KEYS__VAULT__KEY", "vouchsafe"),
        ("VOUCHSAFE_KEYS__VAULT__TOKEN", "hvs.canary"),
    ];
    let status = program(&data, &["keys", "status", "--json"], &dead);
    let told = json(&status);
    assert!(status.status.success(), "a seal that is not in use need not answer: {told}");
    assert!(told["remarks"].to_string().contains("cannot be reached"), "{told}");
    assert!(!said(&status).contains("hvs.canary"));
}

#[tokio::test]
async fn a_seal_file_that_others_can_read_stops_everything() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    installation(&data).await;
    let file = data.join("keys/seal.key");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    for command in [&["doctor"][..], &["keys", "status"]] {
        let refused = program(&data, command, &[]);
        assert!(!refused.status.success());
        assert!(said(&refused).contains("others can read it"), "{}", said(&refused));
    }
}

#[tokio::test]
async fn in_production_a_seal_file_beside_the_data_is_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    installation(&data).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
    command.args(["doctor", "--data"]).arg(&data).env("VOUCHSAFE_SERVER__PUBLIC_URL", "https://flux.example");
    command.env("VOUCHSAFE_LEDGER__ORIGIN", "127.0.0.1:8080/ledger");
    let found = command.output().unwrap();
    assert_eq!(found.status.code(), Some(1), "{}", said(&found));
    assert!(said(&found).contains("same volume as the data"), "{}", said(&found));
}

#[tokio::test]
async fn the_process_leaves_no_core_and_lets_nobody_look_in() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    installation(&data).await;
    let found = said(&program(&data, &["doctor"], &[]));
    assert!(found.contains("✓ a crash leaves no core file"), "{found}");
    assert!(found.contains("✓ no other process of the same user can look"), "{found}");

    // From outside, as the system sees it: a service that runs.
    let mut serving = Command::new(env!("CARGO_BIN_EXE_vouchsafe"))
        .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut heard = [0; 1];
    std::io::Read::read_exact(serving.stdout.as_mut().unwrap(), &mut heard).unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", serving.id())).unwrap();
    let core = limits.lines().find(|l| l.starts_with("Max core file size")).unwrap_or_default().to_owned();
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
}

/// The control: this process, which did not close itself up, is seen as open by the same look.
#[tokio::test]
async fn a_process_that_did_not_close_up_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    installation(&data).await;
    let (_, said) = call(&["doctor", "--dev", "--data", data.to_str().unwrap()]).await;
    assert!(said.contains("DOES NOT HOLD: no other process of the same user can look"), "{said}");
}
