//! What `exports/` publishes of the archive is what the program writes. `UPDATE=1` writes it anew.

use std::fs;
use std::io::{Cursor, Read as _};
use std::path::Path;

use serde_json::Value;
use vouchsafe::archive::schemas;
use zip::ZipArchive;

use super::archive_fixture::{laid_out, whole};

fn holds(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("exports").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
    }
    let there = fs::read(&path).unwrap_or_default();
    assert!(there == bytes, "exports/{name} is not what the program writes; run the test with UPDATE=1");
}

#[test]
fn the_schemas_are_those_of_the_program() {
    for (name, schema) in schemas() {
        holds(name, format!("{schema:#}\n").as_bytes());
    }
}

#[tokio::test]
async fn the_sample_is_what_the_program_makes() {
    let (layout, shelf) = laid_out(1024);
    holds("archive-sample.zip", &whole(&layout, &shelf).await);
}

/// Follows `$ref` and checks what a schema of ours can say: type, required, additionalProperties, enum, const.
fn fits(value: &Value, schema: &Value, root: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} leads nowhere"));
        return fits(value, target, root, at);
    }
    if let Some(either) = schema["oneOf"].as_array() {
        let null = either.iter().any(|s| s["type"] == "null");
        if !(null && value.is_null()) {
            let other = either.iter().find(|s| s["type"] != "null").unwrap();
            fits(value, other, root, at);
        }
        return;
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(s) => vec![s],
        Value::Array(a) => a.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(kinds.is_empty() || kinds.contains(&kind), "{at} is {kind}, not {kinds:?}");
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(value.get(required.as_str().unwrap()).is_some(), "{at} has no {required}");
    }
    if let Some(constant) = schema.get("const") {
        assert_eq!(value, constant, "{at}");
    }
    if let Some(of) = schema["enum"].as_array() {
        assert!(of.contains(value), "{at}: {value} is none of {of:?}");
    }
    for item in value.as_array().into_iter().flatten() {
        fits(item, &schema["items"], root, &format!("{at}[]"));
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(key) {
            Some(property) => fits(value, property, root, &format!("{at}.{key}")),
            None => assert!(schema["additionalProperties"] != false, "{at}.{key} is not in the schema"),
        }
    }
}

#[tokio::test]
async fn every_json_file_fits_its_schema() {
    let (layout, shelf) = laid_out(1024);
    let mut zip = ZipArchive::new(Cursor::new(whole(&layout, &shelf).await)).unwrap();
    for (path, schema) in [
        ("manifest.json", "archive-manifest"),
        ("answer.json", "archive-answer"),
        ("data/account.json", "archive-records"),
        ("data/credits.json", "archive-records"),
        ("images.json", "archive-images"),
        ("consents.json", "archive-consents"),
        ("reads.json", "archive-reads"),
    ] {
        let mut text = String::new();
        zip.by_name(path).unwrap().read_to_string(&mut text).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let schemas = schemas();
        let (_, schema) = schemas.iter().find(|(n, _)| *n == format!("{schema}.schema.json")).unwrap();
        fits(&value, schema, schema, path);
    }
}
