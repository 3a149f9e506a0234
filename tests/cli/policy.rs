//! Questions that one can ask of a policy: what a change means, what would go, why a thing is here or went, and papers.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use serde_json::Value;

use super::call;
use crate::each_app;
use crate::support::TestApp;

const FLUX: &str = "policies/flux-kontext/2026-11-01.md";
const OPUS: &str = "policies/opusflair/2026-05-05.md";

/// A configuration file by which the command line finds a test's installation.
fn place(app: &TestApp) -> String {
    let mut text = format!(
        "[server]\npublic-url = \"https://vouchsafe.test\"\n[data]\nfolder = \"{}\"\n",
        app.data().display()
    );
    let store = &app.app.config.store;
    if let (Some(main), Some(keys)) = (&store.postgres, &store.keystore_postgres) {
        let (main, keys) = (main.expose(), keys.expose());
        text.push_str(&format!("[store]\npostgres = \"{main}\"\nkeystore-postgres = \"{keys}\"\n"));
    }
    let path = app.folder().join("vouchsafe.toml");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A version after the one that ships, in which uploads are gone after an hour.
fn stricter(folder: &Path) -> String {
    let text = fs::read_to_string(FLUX).unwrap();
    let text = text
        .replace("version = \"2026-11-01\"", "version = \"2026-12-01\"")
        .replace("effective = 2026-11-01", "effective = 2026-12-01")
        .replace("48 hours after uploaded", "1 hour after uploaded")
        .replace("longest-life = \"1 hour\"", "longest-life = \"30 minutes\"");
    let path = folder.join("stricter.md");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

async fn json(arguments: &[&str]) -> Value {
    let (_, said) = call(arguments).await;
    serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"))
}

fn row<'a>(plan: &'a Value, category: &str) -> &'a Value {
    let rows = plan["rows"].as_array().unwrap();
    rows.iter().find(|row| row["category"] == category).unwrap_or_else(|| panic!("{plan:#}"))
}

each_app! {
    async fn a_plan_says_what_the_sweep_then_does(app: TestApp) {
        let config = place(&app);
        let person = app.person("ada@example.com").await;
        for seed in 1..=3 {
            app.upload(&person, seed).await;
        }
        let at = ["--config", &config, "--tenant", "flux-kontext", "--at", "2026-11-24T13:00:00Z"];
        let said = json(&[&["policy", "plan", "--json", "--within", "2 days"][..], &at].concat()).await;
        let plan = &said[0]["plan"];
        let input = row(plan, "input-image");
        assert_eq!((&input["due"], &input["rule"], &input["action"]), (&3.into(), &"input-image".into(), &"erase".into()));
        assert_eq!(input["version"], "2026-11-01");
        assert_eq!(said[0]["late"], 0, "{said:#}");
        let beside = row(plan, "image-metadata");
        assert_eq!((&beside["due"], &beside["rule"]), (&3.into(), &"input-image".into()), "it goes with its picture");
        let gone: u64 = plan["days"].as_array().unwrap().iter().map(|day| day["count"].as_u64().unwrap()).sum();
        assert_eq!(gone, plan["going"].as_u64().unwrap());

        app.advance(TimeDelta::hours(49));
        app.settle().await;
        let after = json(&[&["policy", "plan", "--json"][..], &at].concat()).await;
        assert_eq!(after[0]["plan"]["going"], 0, "what was planned has gone: {after:#}");
        let rows = after[0]["plan"]["rows"].as_array().unwrap();
        assert!(rows.iter().all(|row| row["category"] != "input-image"), "{after:#}");
        let kept = |said: &Value| said[0]["plan"]["total"].as_u64().unwrap();
        assert_eq!(kept(&said) - kept(&after), gone);
    }

    async fn a_plan_is_a_table_and_a_sheet_without_formulas(app: TestApp) {
        let config = place(&app);
        let person = app.person("ada@example.com").await;
        app.upload(&person, 1).await;
        let (_, said) = call(&["policy", "plan", "--config", &config, "--at", "2026-11-30"]).await;
        assert!(said.contains("input-image") && said.contains("48 hours after it was uploaded"), "{said}");
        let (_, said) = call(&["policy", "plan", "--config", &config, "--at", "2026-11-30", "--csv"]).await;
        let mut sheet = csv::Reader::from_reader(said.as_bytes());
        assert_eq!(sheet.headers().unwrap().iter().take(3).collect::<Vec<_>>(), ["tenant", "category", "rule"]);
        let rows: Vec<_> = sheet.records().map(Result::unwrap).collect();
        assert!(rows.iter().any(|row| &row[0] == "flux-kontext" && &row[1] == "input-image" && &row[6] == "1"), "{said}");
    }

    async fn a_candidate_is_held_against_what_is_there(app: TestApp) {
        let (config, candidate) = (place(&app), stricter(app.folder()));
        let person = app.person("ada@example.com").await;
        app.upload(&person, 1).await;
        let at = ["--config", &config, "--document", &candidate, "--at", "2026-11-22T14:00:00Z"];
        let said = json(&[&["policy", "plan", "--json"][..], &at].concat()).await;
        let shift = said[0]["shifts"].as_array().unwrap().iter().find(|s| s["category"] == "input-image").unwrap();
        assert_eq!((&shift["sooner"], &shift["at_once"], &shift["later"]), (&1.into(), &1.into(), &0.into()));
        // The picture, and what is kept beside it.
        assert_eq!((&said[0]["at_once"], &said[0]["second_person"]), (&2.into(), &true.into()));
        assert_eq!(said[0]["conflicts"].as_array().unwrap().len(), 0, "{said:#}");
        let (well, said) = call(&[&["policy", "plan"][..], &at].concat()).await;
        assert!(well && said.contains("a second person must confirm"), "{said}");
    }

    async fn a_difference_says_how_many_it_touches(app: TestApp) {
        let (config, candidate) = (place(&app), stricter(app.folder()));
        for name in ["ada", "ben"] {
            let person = app.person(&format!("{name}@example.com")).await;
            app.upload(&person, 1).await;
        }
        let said = json(&["policy", "diff", FLUX, &candidate, "--json", "--config", &config]).await;
        let changes = said["changes"].as_array().unwrap();
        let moved = changes.iter().find(|c| c["rule"] == "retention.input-image").unwrap();
        assert_eq!((&moved["holds"]["things"], &moved["holds"]["people"]), (&2.into(), &2.into()));
        let fal = changes.iter().find(|c| c["rule"] == "processor.fal-ai").unwrap();
        assert_eq!((&fal["copies"], &fal["direction"]), (&0.into(), &"tightened".into()));
        assert!(said["at_once"].is_u64() && said["second_person"].is_boolean(), "{said:#}");
        let (well, said) = call(&["policy", "diff", FLUX, &candidate, "--config", &config]).await;
        assert!(well && said.contains("Touches 2 things of 2 people."), "{said}");
    }

    async fn an_explanation_needs_only_the_id_and_names_nobody(app: TestApp) {
        let config = place(&app);
        let person = app.person("ada@example.com").await;
        let image = app.upload(&person, 1).await;
        app.app.ledger.sequence().await.unwrap();
        let (well, said) = call(&["policy", "explain", &image, "--config", &config]).await;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(well, "{said}");
        for words in [
            "it is gone 48 hours after it arrived",
            "24 November 2026, 12:00 UTC",
            "retention.input-image of version 2026-11-01",
            "at most 48 hours after it was uploaded",
            "An upload is held only so that it can be edited",
            "stored",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert!(!said.contains("ada@"), "{said}");
        let said = json(&["policy", "explain", &image, "--config", &config, "--json"]).await;
        assert_eq!((&said["tenant"], &said["here"]["category"]), (&"flux-kontext".into(), &"input-image".into()));

        let other = ["policy", "explain", &image, "--config", &config, "--tenant", "opusflair"];
        assert!(!call(&other).await.0, "it is another tenant's");
    }

    async fn what_went_is_explained_and_can_be_checked(app: TestApp) {
        let config = place(&app);
        let person = app.person("ada@example.com").await;
        let image = app.upload(&person, 1).await;
        app.advance(TimeDelta::hours(49));
        app.settle().await;
        app.app.ledger.sequence().await.unwrap();
        let said = json(&["policy", "explain", &image, "--config", &config, "--json"]).await;
        assert_eq!(said["here"], Value::Null);
        let erased = said["events"].as_array().unwrap().iter().find(|e| e["what"] == "erased").unwrap();
        assert_eq!((&erased["rule"], &erased["actor"]), (&"input-image".into(), &"service".into()));

        let receipt = app.folder().join("receipt.json").display().to_string();
        let index = erased["index"].to_string();
        let (well, said) = call(&["ledger", "receipt", &index, "--out", &receipt, "--config", &config]).await;
        assert!(well, "{said}");
        let key = app.app.ledger.verifier().to_string();
        let (well, said) = call(&["verify", &receipt, "--key", &key]).await;
        assert!(well && said.contains("This receipt holds."), "{said}");
        let (_, said) = call(&["policy", "explain", &image, "--config", &config]).await;
        assert!(said.contains(&format!("vouchsafe verify receipt.json --key '{key}'\n")), "the very command: {said}");
    }
}

#[tokio::test]
async fn a_difference_is_told_rule_by_rule() {
    let dir = tempfile::tempdir().unwrap();
    let (well, said) = call(&["policy", "diff", FLUX, &stricter(dir.path())]).await;
    assert!(well);
    insta::assert_snapshot!(said, @r"
    flux-kontext: 2026-11-01 to 2026-12-01
        changed  #short         worded anew: The short version.
        changed  #input-images  worded anew: The pictures you upload.
        changed  #recipients    worded anew: Who else receives your data.
        changed  #retention     worded anew: When things go.
        tightened  processor.fal-ai
                                FAL.AI keeps data at most 30 minutes (before: at most 1 hour).
        tightened  retention.input-image
                                Uploaded pictures: gone 1 hour after it was uploaded (before: 48 hours
                                after it was uploaded).
    ");
    // The other way round a promise is given up, so people must be told; and it could not follow, being older.
    let (well, said) = call(&["policy", "diff", &stricter(dir.path()), FLUX]).await;
    assert!(!well && said.contains("loosened  retention.input-image"), "{said}");
    assert!(said.contains("People must be told before it is in force."), "{said}");
    assert!(said.contains("DOES NOT HOLD: the new one is in force from 2026-11-01"), "{said}");
}

#[tokio::test]
async fn folders_are_compared_by_the_newest_of_each_tenant() {
    let dir = tempfile::tempdir().unwrap();
    let folder = |name: &str| -> PathBuf {
        let path = dir.path().join(name).join("flux-kontext");
        fs::create_dir_all(&path).unwrap();
        path
    };
    let text = fs::read_to_string(FLUX).unwrap();
    fs::write(folder("old").join("2026-11-01.md"), &text).unwrap();
    let next = text
        .replace("version = \"2026-11-01\"", "version = \"2026-12-01\"")
        .replace("effective = 2026-11-01", "effective = 2026-12-01")
        .replace("We do not sell data.", "We never sell data.");
    fs::write(folder("new").join("2026-11-01.md"), &text).unwrap();
    fs::write(folder("new").join("2026-12-01.md"), next).unwrap();
    let (old, new) =
        (dir.path().join("old").display().to_string(), dir.path().join("new").display().to_string());
    let said = json(&["policy", "diff", &old, &new, "--json"]).await;
    assert_eq!((said.as_array().unwrap().len(), &said[0]["wording_only"]), (1, &true.into()), "{said:#}");
    fs::create_dir(dir.path().join("none")).unwrap();
    let (well, said) = call(&["policy", "diff", &old, &dir.path().join("none").display().to_string()]).await;
    assert!(!well && said.contains("there are no documents"), "{said}");
    let (well, said) = call(&["policy", "diff", &old, FLUX]).await;
    assert!(!well && said.contains("two documents, or two folders"), "{said}");
}

#[tokio::test]
async fn papers_stand_alone() {
    for document in [FLUX, OPUS] {
        for which in ["--page", "--notice", "--summary"] {
            let (well, html) = call(&["policy", "render", document, which]).await;
            assert!(well && html.starts_with("<!doctype html>"), "{document} {which}");
            for bad in ["<script", "<link", "src=", "@import", "url(", " on"] {
                let found = html
                    .match_indices(bad)
                    .find(|(at, _)| bad != " on" || html[*at..].starts_with(" onload"));
                assert!(found.is_none(), "{document} {which}: {bad}");
            }
            assert!(html.contains("@media print") && html.contains("default-src 'none'"));
            for format in ["text", "md"] {
                let (well, said) = call(&["policy", "render", document, which, "--format", format]).await;
                assert!(well && said.len() > 400, "{document} {which} {format}: {said}");
                assert!(!said.contains("```rule") && !said.contains("{retention."), "{said}");
            }
        }
        let (well, html) = call(&["policy", "ropa", document, "--format", "html"]).await;
        assert!(well && html.starts_with("<!doctype html>") && html.contains("Art. 30(1)"), "{html}");
    }
    assert!(vouchsafe_refuses(&["policy", "render", FLUX]), "which paper must be said");
    assert!(vouchsafe_refuses(&["policy", "render", FLUX, "--page", "--notice"]), "one at a time");
}

fn vouchsafe_refuses(arguments: &[&str]) -> bool {
    use clap::Parser as _;
    vouchsafe::cli::Cli::try_parse_from([&["vouchsafe"], arguments].concat()).is_err()
}

#[tokio::test]
async fn the_notice_names_what_the_document_does_not_say() {
    let (_, said) = call(&["policy", "render", FLUX, "--notice", "--format", "text"]).await;
    for words in ["the postal address of the controller (Art. 13(1)(a) GDPR)", "Art. 13(2)(d) GDPR"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read_to_string(FLUX).unwrap().replace(
        "website = \"https://flux1kontext.io\"",
        "website = \"https://flux1kontext.io\"\naddress = \"1 Example Street\"\ncountry = \"DE\"",
    );
    let path = dir.path().join("whole.md");
    fs::write(&path, whole).unwrap();
    let (well, said) =
        call(&["policy", "render", &path.display().to_string(), "--notice", "--format", "text"]).await;
    assert!(well && said.contains("1 Example Street") && !said.contains("the postal address of"), "{said}");
}

#[tokio::test]
async fn the_record_of_processing_is_a_sheet_and_linked_data() {
    let (well, said) = call(&["policy", "ropa", FLUX, "--format", "csv"]).await;
    let mut sheet = csv::Reader::from_reader(said.as_bytes());
    let rows: Vec<_> = sheet.records().map(Result::unwrap).collect();
    assert!(well && rows.len() > 20);
    assert!(rows.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t'])));
    let said = json(&["policy", "ropa", FLUX, "--format", "json"]).await;
    assert_eq!(
        (&said["@type"], &said["dct:conformsTo"]["@id"]),
        (&"dpv:ROPA".into(), &"https://w3id.org/dpv/2.3".into())
    );
}
