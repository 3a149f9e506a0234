//! The JSON Schemas (2020-12) of the archive's JSON files, computed from the very types that are written.

use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::{Answer, Consents, FromRecipient, Images, Manifest, Reads, Records};

/// Each schema with the file name it is published under in `exports/`.
pub fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        (
            "archive-manifest.schema.json",
            of::<Manifest>("archive-manifest", "manifest.json of a take-home archive"),
        ),
        (
            "archive-answer.schema.json",
            of::<Answer>("archive-answer", "answer.json: the answer of Article 15(1) GDPR"),
        ),
        (
            "archive-records.schema.json",
            of::<Records>("archive-records", "data/<category>.json: the records of a category"),
        ),
        (
            "archive-images.schema.json",
            of::<Images>("archive-images", "images.json: every image and where it lies"),
        ),
        (
            "archive-consents.schema.json",
            of::<Consents>("archive-consents", "consents.json: every word given about a purpose"),
        ),
        ("archive-reads.schema.json", of::<Reads>("archive-reads", "reads.json: who read the person's data")),
        (
            "archive-recipient.schema.json",
            of::<FromRecipient>("archive-recipient", "recipients/<name>.json: what a recipient holds"),
        ),
    ]
}

fn of<T: ToSchema + PartialSchema>(name: &str, title: &str) -> Value {
    let mut parts: Vec<(String, RefOr<Schema>)> = Vec::new();
    T::schemas(&mut parts);
    let mut root = serde_json::to_value(T::schema()).unwrap_or_default();
    let definitions: serde_json::Map<String, Value> = parts
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()))
        .collect();
    if let Value::Object(root) = &mut root {
        root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        root.insert("$id".to_owned(), json!(format!("urn:vouchsafe:{name}:1")));
        root.insert("title".to_owned(), json!(title));
        if !definitions.is_empty() {
            root.insert("$defs".to_owned(), Value::Object(definitions));
        }
        if let Some(Value::Object(schema)) = root.get_mut("properties").and_then(|p| p.get_mut("schema")) {
            schema.insert("const".to_owned(), json!(format!("vouchsafe/{name}/1")));
        }
    }
    point_at_definitions(&mut root);
    root
}

/// References of OpenAPI point into `components`; in a schema on its own, into `$defs`.
fn point_at_definitions(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(s) if key == "$ref" => *s = s.replace("#/components/schemas/", "#/$defs/"),
                    other => point_at_definitions(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(point_at_definitions),
        _ => {}
    }
}
