//! The demonstration: that it holds, and that it fails when something does not.

use std::fs;
use std::path::Path;

use vouchsafe::imaging::{Format, sample};

use super::call;

/// A receipt as the story left it, and the key of its ledger.
fn kept(folder: &Path) -> (String, String) {
    let receipt = folder.join("outside/receipt-erasure.json").display().to_string();
    let key = fs::read_to_string(folder.join("outside/ledger-key.txt")).unwrap();
    (receipt, key.trim().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_of_the_story_holds_and_what_it_hands_out_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let (photos, keep) = (dir.path().join("photos"), dir.path().join("kept"));
    fs::create_dir(&photos).unwrap();
    let picture = sample::photograph(3, "by the harbour", Format::Jpeg).unwrap();
    fs::write(photos.join("whole.jpg"), &picture).unwrap();
    fs::write(photos.join("cut short.jpg"), &picture[..picture.len() / 2]).unwrap();
    fs::write(photos.join("no picture.png"), "hello").unwrap();
    let (photos, keep_text) = (photos.display().to_string(), keep.display().to_string());

    let (well, said) = call(&["demo", "--photos", &photos, "--keep", &keep_text]).await;

    assert!(well, "{said}");
    assert!(said.contains("Every step held"), "{said}");
    assert!(said.contains("1 edited, 2 refused, nothing left behind"), "{said}");
    assert!(!said.contains("DOES NOT HOLD"), "{said}");

    let (receipt, key) = kept(&keep);
    let (well, said) = call(&["verify", &receipt, "--key", &key]).await;
    assert!(well && said.contains("had erased the data"), "{said}");
    let ledger = keep.join("outside/ledger").display().to_string();
    let (well, said) = call(&["ledger", "verify", &ledger, "--key", &key]).await;
    assert!(well && said.contains("The ledger holds."), "{said}");
    let archive = keep.join("outside/take-home-A.zip").display().to_string();
    let (well, said) = call(&["verify", &archive]).await;
    assert!(
        well && said.contains("This archive is whole.") && said.contains("/ledger/archive-key"),
        "{said}"
    );
    let archive_key = keep.join("outside/archive-key.txt").display().to_string();
    let (well, said) = call(&["verify", &archive, "--key-file", &archive_key]).await;
    assert!(well && said.contains("signed by the key that you gave"), "{said}");
    // The key of the ledger is another one, and the archive is not altered for that.
    let (well, said) = call(&["verify", &archive, "--key", &key]).await;
    assert!(!well && said.contains("signed by another key than the one that you gave"), "{said}");
    assert!(said.contains("/ledger/archive-key") && !said.contains("not what was handed out"), "{said}");

    let forged = fs::read_to_string(&receipt).unwrap().replace("images", "imagez");
    fs::write(&receipt, forged).unwrap();
    let (well, said) = call(&["verify", &receipt, "--key", &key]).await;
    assert!(!well && said.contains("does not hold"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_holds_with_a_provider_that_takes_its_time() {
    for provider in ["fal", "replicate"] {
        // The program itself: what a provider sends is decoded by a child of it.
        let program = tokio::process::Command::new(env!("CARGO_BIN_EXE_vouchsafe"))
            .args(["demo", "--provider", provider])
            .output();
        let ran = program.await.unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success() && said.contains("Every step held: 21 steps"), "{provider}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_word_left_behind_fails_the_whole_story() {
    let (well, said) = call(&["demo", "--leave-a-trace"]).await;
    assert!(!well, "{said}");
    assert!(said.contains("forgotten-export.csv"), "{said}");
    assert!(said.contains("Not every step held."), "{said}");
    assert_eq!(said.matches("✗ DOES NOT HOLD").count(), 3, "two claims and one row of the table: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_into_a_folder_that_is_not_empty() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("mine.txt"), "mine").unwrap();
    let (well, said) = call(&["demo", "--keep", &dir.path().display().to_string()]).await;
    assert!(!well && said.contains("is not empty"), "{said}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn photographs_that_cannot_be_looked_at_are_no_step_that_fails() {
    let dir = tempfile::tempdir().unwrap();
    for (folder, why) in
        [(dir.path().join("nowhere"), "cannot be read"), (dir.path().to_owned(), "no file to try")]
    {
        let ran = tokio::process::Command::new(env!("CARGO_BIN_EXE_vouchsafe"))
            .args(["demo", "--photos"])
            .arg(&folder)
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!((ran.status.code(), ran.stdout.len()), (Some(2), 0), "{said}");
        assert!(said.contains(why), "{said}");
    }
}
