//! From the OpenAPI document to the client's types and its table of operations.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

const HEAD: &str =
    "// Printed from exports/openapi.json by `make docs`; a test holds it to that. Do not edit.\n";

/// Schemas whose names other files of the client use, or that the language has for itself, under another name.
fn renamed(name: &str) -> String {
    match name.split_once('_') {
        Some(("Listing", of)) => format!("Listing<{}>", renamed(of)),
        _ => name.to_owned(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A doc comment, indented by `indent`.
fn comment(says: &str, indent: &str) -> String {
    let says = says.trim().replace("*/", "*\\/");
    match says.lines().collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        [one] => format!("{indent}/** {one} */\n"),
        several => {
            let lines: String =
                several.iter().map(|l| format!("{indent} * {l}\n").replace(" * \n", " *\n")).collect();
            format!("{indent}/**\n{lines}{indent} */\n")
        }
    }
}

/// The type of a schema.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(path) = schema["$ref"].as_str() {
        return renamed(path.rsplit('/').next().unwrap_or_default());
    }
    for (word, between) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")] {
        if let Some(parts) = schema[word].as_array() {
            let parts: Vec<String> = parts.iter().map(kind).collect();
            return parts.join(between);
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
    }
    if let Some(several) = schema["type"].as_array() {
        let one = |name: &Value| {
            let mut alone = schema.clone();
            alone["type"] = name.clone();
            kind(&alone)
        };
        return several.iter().map(one).collect::<Vec<_>>().join(" | ");
    }
    match text(&schema["type"]) {
        "string" => "string".to_owned(),
        "integer" | "number" => "number".to_owned(),
        "boolean" => "boolean".to_owned(),
        "null" => "null".to_owned(),
        "array" => format!("Array<{}>", kind(&schema["items"])),
        "object" if schema["properties"].is_object() => format!("{{\n{}}}", fields(schema, "  ")),
        "object" if schema["additionalProperties"].is_object() => {
            format!("Record<string, {}>", kind(&schema["additionalProperties"]))
        }
        _ => "unknown".to_owned(),
    }
}

fn fields(schema: &Value, indent: &str) -> String {
    let required: BTreeSet<&str> = list(&schema["required"]).iter().map(text).collect();
    let mut out = String::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let mark = if required.contains(name.as_str()) { "" } else { "?" };
        let name = if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            name.clone()
        } else {
            format!("{name:?}")
        };
        let _ = writeln!(
            out,
            "{}{indent}{name}{mark}: {};",
            comment(text(&field["description"]), indent),
            kind(field)
        );
    }
    out
}

/// One operation as the client offers it.
pub(super) struct Operation<'d> {
    group: &'d str,
    name: &'d str,
    method: String,
    path: &'d str,
    call: &'d Value,
}

impl<'d> Operation<'d> {
    fn parameters(&self, place: &'static str) -> impl Iterator<Item = &'d Value> {
        list(&self.call["parameters"]).iter().filter(move |p| p["in"] == place)
    }

    /// What is sent: `json`, `bytes`, or nothing.
    fn sends(&self) -> Option<&'static str> {
        let content = self.call["requestBody"]["content"].as_object()?;
        Some(if content.contains_key("application/json") { "json" } else { "bytes" })
    }

    /// What comes back, the first of its good answers that has a body: how it is read, and its type.
    fn gives(&self) -> (&'static str, String) {
        let good =
            self.call["responses"].as_object().into_iter().flatten().filter(|(s, _)| s.starts_with('2'));
        let mut good = good;
        let first = good.find_map(|(_, answer)| answer["content"].as_object()?.iter().next());
        match first {
            None => ("nothing", "void".to_owned()),
            Some((media, of)) => match media.as_str() {
                "application/json" => ("json", kind(&of["schema"])),
                "text/plain" => ("text", "string".to_owned()),
                "text/event-stream" => {
                    ("events", format!("AsyncIterable<ServerEvent<{}>>", kind(&of["schema"])))
                }
                _ => ("stream", "globalThis.Response".to_owned()),
            },
        }
    }

    /// Headers that a caller may set, by the name of the option.
    fn headers(&self) -> BTreeMap<String, &'d str> {
        self.parameters("header").map(|p| (camel(text(&p["name"])), text(&p["name"]))).collect()
    }

    fn for_a_person(&self) -> bool {
        list(&self.call["security"]).iter().any(|way| way["subject"].is_array())
    }

    /// The types of its arguments.
    fn arguments(&self) -> String {
        let mut all: Vec<String> =
            self.parameters("path").map(|p| format!("{}: string", text(&p["name"]))).collect();
        let content = &self.call["requestBody"]["content"];
        match self.sends() {
            Some("json") => all.push(format!("body: {}", kind(&content["application/json"]["schema"]))),
            Some(_) => all.push("body: Upload".to_owned()),
            None => {}
        }
        let query: Vec<String> = self
            .parameters("query")
            .map(|p| {
                let mark = if p["required"] == true { "" } else { "?" };
                format!("{}{mark}: {}", text(&p["name"]), kind(&p["schema"]).replace(" | null", ""))
            })
            .collect();
        if !query.is_empty() {
            let required = query.iter().any(|q| !q.contains("?:"));
            all.push(format!("query{}: {{ {} }}", if required { "" } else { "?" }, query.join("; ")));
        }
        let mut own: Vec<String> = self.headers().keys().map(|name| format!("{name}?: string")).collect();
        if self.sends() == Some("bytes") {
            let types = content.as_object().into_iter().flatten().map(|(media, _)| format!("{media:?}"));
            own.push(format!("type?: {}", types.collect::<Vec<_>>().join(" | ")));
        }
        let own = if own.is_empty() { String::new() } else { format!(" & {{ {} }}", own.join("; ")) };
        all.push(format!("options?: Options{own}"));
        all.join(", ")
    }
}

/// `Idempotency-Key` as JavaScript writes it.
fn camel(header: &str) -> String {
    let mut words = header.split('-').map(str::to_ascii_lowercase);
    let first = words.next().unwrap_or_default();
    words.fold(first, |name, word| {
        let (head, rest) = word.split_at(1.min(word.len()));
        name + &head.to_ascii_uppercase() + rest
    })
}

/// What an app can call: with its key, with a person's token, or without any proof. What agents of people call by a protocol
/// of their own, signing each message, is not for apps.
pub(super) fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, call) in item.as_object().into_iter().flatten() {
            let ways = list(&call["security"]);
            let an_apps = |way: &Value| way["app-key"].is_array() || way["token"].is_array();
            if !ways.is_empty() && !ways.iter().any(an_apps) {
                continue;
            }
            if let Some((group, name)) = text(&call["operationId"]).split_once('.')
                && group != "agents"
            {
                all.push(Operation { group, name, method: method.to_uppercase(), path, call });
            }
        }
    }
    all.sort_by_key(|o| (o.group, o.name));
    all
}

fn grouped<'o, 'd>(all: &'o [Operation<'d>]) -> BTreeMap<&'d str, Vec<&'o Operation<'d>>> {
    let mut groups: BTreeMap<&str, Vec<&Operation<'_>>> = BTreeMap::new();
    for operation in all {
        groups.entry(operation.group).or_default().push(operation);
    }
    groups
}

/// Every shape by its name. Pages of a list are one generic type; what only such a page holds is described within it.
fn schemas(document: &Value) -> BTreeMap<&str, &Value> {
    let all = document["components"]["schemas"].as_object();
    let mut named: BTreeMap<&str, &Value> = BTreeMap::new();
    for (name, schema) in all.into_iter().flatten() {
        if let Some(row) = name.strip_prefix("Listing_") {
            named.entry(row).or_insert(&schema["properties"]["items"]["items"]);
        } else {
            named.insert(name, schema);
        }
    }
    named
}

/// `api.d.ts`: every shape, and a method for each operation.
pub(super) fn types(document: &Value) -> String {
    let mut out =
        format!("{HEAD}\nimport type {{ Listing, Options, ServerEvent, Upload }} from \"./index.js\";\n");
    for (name, schema) in schemas(document) {
        let says = comment(text(&schema["description"]), "");
        let plain = schema["properties"].is_object() && schema["allOf"].is_null();
        if plain {
            let _ = writeln!(out, "\n{says}export interface {name} {{\n{}}}", fields(schema, "  "));
        } else {
            let _ = writeln!(out, "\n{says}export type {name} = {};", kind(schema));
        }
    }
    let all = operations(document);
    out.push_str("\n/** What an app can call. */\nexport interface Api {\n");
    for (group, operations) in grouped(&all) {
        let tag = list(&document["tags"]).iter().find(|t| t["name"] == group);
        let _ = writeln!(out, "{}  {group}: {{", comment(tag.map_or("", |t| text(&t["description"])), "  "));
        for o in operations {
            let says = format!("{}\n\n{}", text(&o.call["summary"]), text(&o.call["description"]));
            let says = format!("{}\n\n`{} {}`", says.trim(), o.method, o.path);
            let _ = write!(out, "{}    {}({}): ", comment(&says, "    "), o.name, o.arguments());
            let (how, kind) = o.gives();
            let _ =
                if how == "events" { writeln!(out, "{kind};") } else { writeln!(out, "Promise<{kind}>;") };
        }
        out.push_str("  };\n");
    }
    out.push_str("}\n");
    out
}

/// `operations.js`: how each method calls.
pub(super) fn table(document: &Value) -> String {
    let all = operations(document);
    let mut out = format!("{HEAD}\nexport const operations = {{\n");
    for (group, operations) in grouped(&all) {
        let _ = writeln!(out, "  {group}: {{");
        for o in operations {
            let mut parts = vec![format!("method: \"{}\"", o.method), format!("path: \"{}\"", o.path)];
            parts.extend(o.sends().map(|sends| format!("sends: \"{sends}\"")));
            parts.push(format!("gives: \"{}\"", o.gives().0));
            if o.parameters("query").next().is_some() {
                parts.push("query: true".to_owned());
            }
            if o.for_a_person() {
                parts.push("person: true".to_owned());
            }
            let headers: Vec<String> =
                o.headers().iter().map(|(name, h)| format!("{name}: \"{h}\"")).collect();
            if !headers.is_empty() {
                parts.push(format!("headers: {{ {} }}", headers.join(", ")));
            }
            let _ = writeln!(out, "    {}: {{ {} }},", o.name, parts.join(", "));
        }
        out.push_str("  },\n");
    }
    out.push_str("};\n");
    out
}
