//! The inventory of cryptography against the source, and the page that is printed from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use vouchsafe::crypto::INVENTORY;

use crate::support::source::{self, Source};

/// Crates of `Cargo.toml`, ours and those of the rooms that are packages, that do cryptography, or carry it.
const CRYPTOGRAPHY: &[&str] = &[
    "age",
    "age-core",
    "aws-sdk-kms",
    "aws-sdk-s3",
    "axum-server",
    "chacha20poly1305",
    "ed25519-dalek",
    "hkdf",
    "hmac",
    "jsonwebtoken",
    "lettre",
    "mail-auth",
    "openidconnect",
    "rand_chacha",
    "rand_core",
    "reqwest",
    "ring",
    "rustls",
    "sha2",
    "signed_note",
    "sqlx",
    "subtle",
    "tlog_tiles",
    "totp-rs",
    "zeroize",
];

/// Crates that do none.
const OTHERS: &[&str] = &[
    "ammonia",
    "annotate-snippets",
    "anyhow",
    "askama",
    "aws-credential-types",
    "aws-smithy-http-client",
    "axum",
    "axum-extra",
    "base64",
    "bytes",
    "chrono",
    "clap",
    "crc32fast",
    "csv",
    "futures-util",
    "hex",
    "http-body-util",
    "image",
    "jiff",
    "kamadak-exif",
    "mail-parser",
    "pulldown-cmark",
    "qrcode",
    "rustix",
    "serde",
    "serde_json",
    "strsim",
    "tar",
    "tempfile",
    "thiserror",
    "tokio",
    "tokio-cron-scheduler",
    "tokio-stream",
    "tokio-util",
    "toml",
    "tower",
    "tower-http",
    "tracing",
    "tracing-subscriber",
    "url",
    "utoipa",
    "utoipa-axum",
    "uuid",
    "woothee",
    "zip",
    "zune-jpeg",
];

/// Rooms whose derivations and places count: all but the page samples and the documents' own words.
fn is_label(text: &str) -> bool {
    text.starts_with("vouchsafe/v") || text == "vouchsafe.dev/ks"
}

/// The first argument of each `Place::new("…")`, outside tests.
fn places(file: &Source) -> Vec<String> {
    let code = file.text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let starts = code.match_indices("Place::new(\"").map(|(at, found)| at + found.len());
    starts.filter_map(|at| code[at..].split('"').next().map(str::to_owned)).collect()
}

/// Every label and place that the source uses, and where.
fn used(files: &[Source]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for file in files.iter().filter(|f| f.path != "src/crypto/inventory.rs") {
        for (text, line) in file.strings().into_iter().filter(|(text, _)| is_label(text)) {
            found.entry(text).or_insert(format!("{}:{line}", file.path));
        }
        for place in places(file) {
            found.entry(place).or_insert(file.path.clone());
        }
    }
    found
}

fn written() -> BTreeSet<&'static str> {
    INVENTORY.iter().flat_map(|i| i.labels.iter().copied()).collect()
}

#[test]
fn every_label_of_the_source_is_in_the_inventory() {
    let (used, written) = (used(&source::files("src")), written());
    let missing: Vec<_> = used.iter().filter(|(label, _)| !written.contains(label.as_str())).collect();
    assert!(missing.is_empty(), "not in src/crypto/inventory.rs: {missing:?}");
    assert!(used.len() > 12, "the search finds too little: {used:?}");
}

#[test]
fn every_label_of_the_inventory_is_in_the_source() {
    let files = source::files("src");
    let used = used(&files);
    for label in written() {
        let somewhere =
            used.contains_key(label) || files.iter().any(|f| f.room == "seals" && f.text.contains(label));
        assert!(somewhere, "{label} is nowhere in the source");
    }
}

/// The control: a label that nobody wrote down is found.
#[test]
fn a_new_label_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.rs");
    fs::write(&path, "fn f() { derive(k, \"vouchsafe/v1/new\"); Place::new(\"new_place\"); }").unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let tokens = text.parse::<proc_macro2::TokenStream>().unwrap().into_iter().collect();
    let file = Source { path: "src/x/mod.rs".to_owned(), room: "x".to_owned(), text, tokens };
    let found = used(&[file]);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["new_place", "vouchsafe/v1/new"]);
    assert!(found.keys().all(|label| !written().contains(label.as_str())));
}

/// What the packages of this repository depend on, each other left out.
fn dependencies() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["", "src/base", "src/imaging"] {
        let text = fs::read_to_string(source::root().join(folder).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = toml::from_str(&text).unwrap();
        found.extend(manifest["dependencies"].as_table().unwrap().keys().cloned());
    }
    found.retain(|name| !name.starts_with("vouchsafe-"));
    found
}

#[test]
fn every_library_is_one_that_does_cryptography_or_one_that_does_not() {
    let listed: BTreeSet<&str> = INVENTORY.iter().flat_map(|i| i.libraries.iter().copied()).collect();
    let crates = dependencies();
    let crates: BTreeSet<&str> = crates.iter().map(String::as_str).collect();
    for name in &crates {
        assert!(
            CRYPTOGRAPHY.contains(name) != OTHERS.contains(name),
            "{name}: say in tests/rooms/crypto_inventory.rs whether it does cryptography"
        );
    }
    for name in CRYPTOGRAPHY {
        assert!(crates.contains(*name), "{name} is no dependency any more");
        assert!(listed.contains(name), "{name} is not in the inventory");
    }
    for name in listed {
        assert!(CRYPTOGRAPHY.contains(&name), "{name} of the inventory is not known");
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Cryptography in use\n\n\
         Printed from `src/crypto/inventory.rs` by `make docs`. A test reads the source and fails for a label, a place or a \
         library\nthat is not here. Lengths are in bits.\n\n\
         | what | algorithm | owner | where it lies | replaced | destroyed | libraries | labels and places |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for i in INVENTORY {
        let code = |words: &[&str]| words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            i.name,
            i.algorithm,
            i.owner,
            i.stored,
            i.rotation,
            i.destroyed,
            code(i.libraries),
            code(i.labels)
        );
    }
    page.push_str(
        "\nKeys in memory are wiped when they are dropped. Of what passes through the libraries that speak to KMS and Vault (a \
         request or an\nanswer with an epoch key in it) that cannot be promised; it happens once an epoch and once a start. \
         Memory is not locked:\nuse no swap, or an encrypted one. The process leaves no core file, and nobody but root looks \
         into it.\n",
    );
    page
}

#[test]
fn the_page_says_what_the_table_says() {
    let path = source::root().join("docs/CRYPTO.md");
    #[expect(clippy::disallowed_methods, reason = "`make docs` says so by the environment")]
    let update = std::env::var("UPDATE").is_ok();
    if update {
        fs::write(&path, page()).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page(),
        "docs/CRYPTO.md is not what the table says: run `make docs`"
    );
}
