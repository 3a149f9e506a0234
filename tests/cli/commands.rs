//! The small commands: statuses that say what was found.

use std::fs;

use super::call;

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
    for command in [&["doctor"][..], &["keys", "status"], &["ledger", "checkpoint"], &["policy", "plan"]] {
        let (well, said) = call(&[command, &["--dev", "--data", &folder]].concat()).await;
        assert!(!well && said.contains("there is no installation"), "{said}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
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
