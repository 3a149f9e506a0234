//! The page of an archive: readable from disk, without script, with nothing of anyone else in it.

use std::io::{Cursor, Read as _};

use serde_json::Value;
use vouchsafe::archive::{Layout, TakeHome};
use zip::ZipArchive;

use super::archive_fixture::{Shelf, person, signer, whole};

async fn file(home: TakeHome, shelf: Shelf, path: &str) -> String {
    let layout = Layout::new(home.contents().unwrap(), &signer()).unwrap();
    let bytes = whole(&layout, &std::sync::Arc::new(shelf)).await;
    let mut text = String::new();
    ZipArchive::new(Cursor::new(bytes)).unwrap().by_name(path).unwrap().read_to_string(&mut text).unwrap();
    text
}

async fn of_the_person(path: &str) -> String {
    let mut shelf = Shelf::new(1000);
    let home = person(&mut shelf);
    file(home, shelf, path).await
}

#[tokio::test]
async fn the_page_needs_nothing_but_itself_and_the_files_beside_it() {
    let page = of_the_person("index.html").await;
    for forbidden in
        ["<script", "<link", "@import", "url(", "http://", "https://", "<iframe", "<form", "javascript:"]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("<img src=\"images/input-image/2026-05-05-rome.png\""));
    assert!(page.contains("<img src=\"images/input-image/2026-05-05-rome-2.png\""));
    assert!(page.contains("<img src=\"images/output-image/2026-05-05-image.png\""));
}

#[tokio::test]
async fn every_link_of_the_page_leads_to_a_file_of_the_archive() {
    let mut shelf = Shelf::new(1000);
    let home = person(&mut shelf);
    let layout = Layout::new(home.contents().unwrap(), &signer()).unwrap();
    let bytes = whole(&layout, &std::sync::Arc::new(shelf)).await;
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut page = String::new();
    zip.by_name("index.html").unwrap().read_to_string(&mut page).unwrap();
    let mut links = 0;
    for target in
        page.split(" href=\"").chain(page.split(" src=\"")).skip(1).filter_map(|s| s.split_once('"'))
    {
        let target = target.0;
        if target.starts_with('<') {
            continue;
        }
        links += 1;
        match target.strip_prefix('#') {
            Some(id) => assert!(page.contains(&format!(" id=\"{id}\"")), "#{id}"),
            None => assert!(zip.by_name(target).is_ok(), "{target}"),
        }
    }
    assert!(links > 15);
}

#[tokio::test]
async fn what_people_wrote_stays_text() {
    let page = of_the_person("index.html").await;
    assert!(!page.contains("<b>sky</b>"));
    assert!(page.contains("sky") && !page.contains('\u{202e}'));
}

#[tokio::test]
async fn the_answer_names_every_letter_of_the_article() {
    let page = of_the_person("index.html").await;
    for letter in ["(a)", "(b)", "(c)", "(d)", "(e)", "(f)", "(g)", "(h)"] {
        assert!(page.contains(&format!("<h3>{letter} ")), "{letter}");
    }
    let answer: Value = serde_json::from_str(&of_the_person("answer.json").await).unwrap();
    let ids: Vec<&str> =
        answer["categories"].as_array().unwrap().iter().filter_map(|c| c["id"].as_str()).collect();
    assert_eq!(ids, ["account", "credits", "input-image", "output-image"], "no category that holds nothing");
    assert_eq!(answer["categories"][2]["items"], 2);
    assert_eq!(answer["categories"][2]["retention"]["ends"], "2026-05-07T14:07:09Z");
    assert_eq!(answer["categories"][0]["retention"]["ends"], Value::Null);
}

#[tokio::test]
async fn the_page_names_where_the_key_is_and_what_the_receipt_fixes() {
    let page = of_the_person("index.html").await;
    assert!(page.contains("publishes at <code>photos.example/ledger/archive-key</code>"));
    assert!(page.contains("sha256sum manifest.json") && page.contains("not that of the ZIP"));
}

#[tokio::test]
async fn tables_of_the_page_are_for_people_and_have_no_column_without_a_value() {
    let mut shelf = Shelf::new(1000);
    let mut home = person(&mut shelf);
    let record = &mut home.categories[0].records[0];
    for (name, value) in
        [("warned", Value::Null), ("restricted-since", "2026-05-02".into()), ("new", true.into())]
    {
        record.values.insert(name.to_owned(), value);
    }
    let one = record.clone();
    // Credits: five records with a field each are told by their fields.
    let scattered = (0..5).map(|n| {
        let values = serde_json::json!({ format!("field_{n}"): n }).as_object().unwrap().clone();
        vouchsafe::archive::Record { values, ..one.clone() }
    });
    home.categories[1].records = scattered.collect();
    let page = file(home, shelf, "index.html").await;
    assert!(page.contains("<th scope=\"col\">Restricted since</th>") && page.contains("<bdi>yes</bdi>"));
    assert!(!page.contains("restricted-since") && !page.to_lowercase().contains(">warned<"));
    assert!(page.contains("<th scope=\"col\">What it says</th>") && page.contains("<bdi>Field 3: 3</bdi>"));
    // A cell that may break anywhere makes its column narrower than a word.
    assert!(page.contains("max-width:26rem;overflow-wrap:break-word}"));
}

/// Two people with different data get different answers (b), (c), (d), (g).
#[tokio::test]
async fn another_person_gets_another_answer() {
    let mut shelf = Shelf::new(1000);
    let mut other = person(&mut shelf);
    other.categories.retain(|c| c.id == "account");
    other.recipients.clear();
    let page = file(other, shelf, "index.html").await;
    assert!(page.contains("Nobody outside Flux Kontext"));
    assert!(!page.contains("Images you uploaded") && !page.contains("FAL.AI"));
}

#[tokio::test]
async fn a_person_of_whom_nothing_is_held_is_told_so() {
    let mut shelf = Shelf::new(1000);
    let mut nobody = person(&mut shelf);
    nobody.categories.clear();
    nobody.purposes.clear();
    let page = file(nobody, shelf, "index.html").await;
    assert!(page.contains("We hold nothing about you."));
}

#[tokio::test]
async fn tables_are_safe_and_json_is_exact() {
    let csv = of_the_person("data/account.csv").await;
    assert_eq!(
        csv,
        "id,at,ends,email,name\r\nrec_1,2026-05-01T08:00:00Z,,kim@photos.example,'=cmd|' /C calc'!A0\r\n"
    );
    let json: Value = serde_json::from_str(&of_the_person("data/account.json").await).unwrap();
    assert_eq!(json["records"][0]["values"]["name"], "=cmd|' /C calc'!A0");
    let credits = of_the_person("data/credits.csv").await;
    assert!(credits.contains("rec_2,2026-05-01T08:00:00Z,,-2,\r\n"), "{credits}");
    assert!(credits.contains("10,\"a, \"\"b\"\"\nc\"\r\n"), "{credits}");
}

#[tokio::test]
async fn a_picture_that_could_not_be_read_has_a_note_in_its_place() {
    let mut shelf = Shelf::new(1000);
    let mut home = person(&mut shelf);
    let category = home.categories.iter_mut().find(|c| c.images.len() == 2).unwrap();
    category.images[0].missing = true;
    let hash = hex::encode(category.images[0].stored.sha256);
    let layout = Layout::new(home.contents().unwrap(), &signer()).unwrap();
    let bytes = whole(&layout, &std::sync::Arc::new(shelf)).await;
    let path = "images/input-image/2026-05-05-missing-rome.txt";
    let report = vouchsafe::archive::verify(Cursor::new(&bytes), Some(&signer().verifying()));
    assert!(report.is_whole(), "{:?}", report.flaws);
    assert_eq!((report.gaps, report.images), (vec![path.to_owned()], 2), "two of three pictures are there");

    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = |path: &str| {
        let mut text = String::new();
        zip.by_name(path).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let note = text(path);
    for part in ["Image", &hash, "We know of it", "privacy@photos.example", "7KX2M-9QWMT"] {
        assert!(note.contains(part), "{part}: {note}");
    }
    let page = text("index.html");
    assert!(page.contains("<b>1 picture could not be read</b>"), "{page}");
    assert!(page.contains(&format!("<a href=\"{path}\">")) && !page.contains(&format!("src=\"{path}\"")));
    let images: Value = serde_json::from_str(&text("images.json")).unwrap();
    assert_eq!(images["images"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&images["missing"][0]["path"], &images["missing"][0]["sha256"]),
        (&path.into(), &hash.into())
    );
    assert!(text("manifest.json").matches("\"missing\": ").count() == 1);

    // The control: nothing is missing, and nothing says so.
    let page = of_the_person("index.html").await;
    assert!(!page.contains("could not be read"));
    assert!(!of_the_person("manifest.json").await.contains("\"missing\""));
}
