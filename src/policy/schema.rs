//! The language described for other programs and for people, out of the same tables the compiler reads by.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::shapes::{example, expects};
use super::spec::{Count, FRONT, Field, RIGHT_NAMES, SECTIONS, Shape, about, fields};
use super::words::RuleKind;

/// The files of `exports/` that this room makes: name and content.
pub fn exports() -> Vec<(String, String)> {
    let kinds =
        RuleKind::ALL.iter().map(|kind| (format!("policy-{kind}.schema.json"), pretty(&of_kind(*kind))));
    kinds.chain([("policy-front.schema.json".to_owned(), pretty(&of_front()))]).collect()
}

fn pretty(schema: &Value) -> String {
    // A tree of strings, numbers and lists has no part that cannot be written.
    serde_json::to_string_pretty(schema).unwrap_or_default() + "\n"
}

/// The JSON Schema (2020-12) of the rules of a kind: an object from their names to their keys.
pub fn of_kind(kind: RuleKind) -> Value {
    let names = if kind == RuleKind::Right {
        json!({ "enum": RIGHT_NAMES })
    } else {
        json!({ "pattern": SLUG, "maxLength": 60 })
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("[{kind}.*]"),
        "description": format!("A rule of kind `{kind}`: {}.", about(kind)),
        "type": "object",
        "propertyNames": names,
        "additionalProperties": table(fields(kind)),
    })
}

/// The JSON Schema (2020-12) of the front matter.
pub fn of_front() -> Value {
    let mut schema = table(FRONT);
    for (name, required, fields) in SECTIONS {
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert((*name).to_owned(), table(fields));
        }
        if let Some(list) = schema.get_mut("required").and_then(Value::as_array_mut).filter(|_| *required) {
            list.push(json!(name));
        }
    }
    if let Some(object) = schema.as_object_mut() {
        object.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("title".to_owned(), json!("Front matter of a policy document"));
    }
    schema
}

const SLUG: &str = "^[a-z]([a-z0-9-]*[a-z0-9])?$";

fn table(fields: &[Field]) -> Value {
    let properties: serde_json::Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), property(field))).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn property(field: &Field) -> Value {
    let one = shape(field.shape);
    let mut schema = match field.count {
        Count::One => one,
        Count::Many => {
            json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1, "uniqueItems": true }] })
        }
    };
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), json!(field.doc));
    }
    schema
}

fn shape(shape: Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string", "minLength": 1, "maxLength": 1000 }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Period => json!({ "type": "string", "format": "vouchsafe-period", "maxLength": 64 }),
        Shape::After => json!({ "type": "string", "pattern": "^.+ after .+$" }),
        Shape::Life => {
            json!({ "anyOf": [{ "const": "as-ours" }, { "type": "string", "format": "vouchsafe-period" }] })
        }
        Shape::Date => json!({ "type": "string", "format": "date" }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Slug | Shape::Ref(_) | Shape::Pack | Shape::Statute | Shape::Probe => {
            json!({ "type": "string", "pattern": SLUG, "maxLength": 60 })
        }
        Shape::Country => json!({ "type": "string", "pattern": "^[A-Z]{2}$" }),
        Shape::Host => json!({ "type": "string", "format": "hostname" }),
        Shape::Url => json!({ "type": "string", "format": "uri", "pattern": "^https://" }),
        Shape::Email => json!({ "type": "string", "format": "email" }),
        Shape::RuleName => json!({ "type": "string", "pattern": "^[a-z-]+\\.[a-z0-9-]+$" }),
    }
}

/// The keys of a kind as a Markdown table, as `docs/POLICY-LANGUAGE.md` has it.
pub fn reference(fields: &[Field]) -> String {
    let mut out = "| key | takes | meaning |\n|---|---|---|\n".to_owned();
    for field in fields {
        let name = if field.required { format!("**`{}`**", field.name) } else { format!("`{}`", field.name) };
        let takes = match field.shape {
            Shape::Word(words) => {
                words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" · ")
            }
            Shape::Ref(kind) => format!("the name of a `{kind}`"),
            other => format!("{}: `{}`", expects(other), example(field)),
        };
        let many = if field.count == Count::Many { ", or a list" } else { "" };
        // Writing into a string cannot fail.
        let _infallible = writeln!(out, "| {name} | {takes}{many} | {} |", field.doc);
    }
    out
}
