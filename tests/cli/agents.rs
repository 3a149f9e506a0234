//! `training-export` and `drp agents`, as an operator calls them.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use vouchsafe::app::{App, Setup};
use vouchsafe::config::Config;
use vouchsafe::mail;

use super::call;

/// An installation as `serve --dev` makes one.
async fn installed(folder: &Path) {
    let setup =
        Setup { mail: Some(mail::Settings::Recorded), ..Setup::of(Config::throwaway(folder)).unwrap() };
    let app = Box::pin(App::open(setup)).await.unwrap();
    app.ledger.sequence().await.unwrap();
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_is_made_once_and_says_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    installed(&data).await;
    let (data, folder) = (data.display().to_string(), out.display().to_string());
    let run = async |more: &[&str]| {
        call(
            &[
                &["training-export", "--tenant", "flux-kontext", "--dev", "--data", &data, "--out", &folder],
                more,
            ]
            .concat(),
        )
        .await
    };
    let (well, said) = run(&["--purpose", "analytics"]).await;
    assert!(!well && said.contains("is not one for which models learn") && !out.exists(), "{said}");
    let (well, said) = run(&[]).await;
    assert!(well && said.contains("0 people") && out.join("manifest.json").is_file(), "{said}");
    let (well, said) = run(&[]).await;
    assert!(!well && said.contains("is not empty"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_entered_listed_and_taken_out() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    installed(&data).await;
    let data = data.display().to_string();
    let run = async |words: &[&str]| {
        call(&[&["drp", "agents"], words, &["--tenant", "flux-kontext", "--dev", "--data", &data]].concat())
            .await
    };
    let key = STANDARD.encode(SigningKey::from_bytes(&[5; 32]).verifying_key().as_bytes());
    let entry =
        ["add", "--id", "slip", "--name", "Permission Slip", "--site", "https://agent.example", "--key"];
    let (well, said) = run(&[&entry[..], &["AAAA"]].concat()).await;
    assert!(!well && said.contains("key cannot be used"), "{said}");
    let (well, said) = run(&[&entry[..], &[&key]].concat()).await;
    assert!(well && said.contains("/drp/flux-kontext"), "{said}");
    let (well, said) = run(&["list"]).await;
    assert!(well && said.contains("Permission Slip") && said.contains("not yet"), "{said}");
    assert!(run(&["remove", "slip"]).await.0);
    assert!(!run(&["remove", "slip"]).await.0, "it is gone already");
}
