//! The API's page for people, made from the OpenAPI document: nothing of it is written twice.

use askama::Template;
use serde_json::{Map, Value};

use crate::edge::{DESK_COOKIE, SESSION_COOKIE};

/// The page.
#[derive(Template)]
#[template(path = "api.html", config = "src/http/askama.toml")]
struct Page {
    version: String,
    about: Vec<Part>,
    groups: Vec<Group>,
    shapes: Vec<Shape>,
}

/// A paragraph, with the words it begins with when they stand out.
struct Part {
    lead: String,
    rest: String,
}

struct Group {
    name: String,
    about: String,
    calls: Vec<Call>,
}

struct Call {
    anchor: String,
    method: String,
    path: String,
    title: String,
    says: String,
    who: Vec<String>,
    fields: Vec<Field>,
    body: String,
    shape: Option<String>,
    curl: String,
    answers: Vec<Answer>,
}

struct Field {
    name: String,
    place: String,
    kind: String,
    of: Option<String>,
    required: bool,
    says: String,
}

struct Answer {
    status: String,
    says: String,
    shape: Option<String>,
}

struct Shape {
    name: String,
    says: String,
    words: Vec<String>,
    fields: Vec<Field>,
}

/// The page of a document, for the service at `url`.
pub(super) fn of(document: &Value, url: &str) -> String {
    let reader = Reader { document, url: url.trim_end_matches('/') };
    let page = Page {
        version: text(at(document, "/info/version")),
        about: text(at(document, "/info/description")).split("\n\n").map(part).collect(),
        groups: reader.groups(),
        shapes: reader.shapes(),
    };
    page.render().unwrap_or_default()
}

fn part(paragraph: &str) -> Part {
    let plain = paragraph.replace(['`', '\n'], "");
    match plain.strip_prefix("**").and_then(|rest| rest.split_once("**")) {
        Some((lead, rest)) => Part { lead: lead.to_owned(), rest: rest.trim().to_owned() },
        None => Part { lead: String::new(), rest: plain },
    }
}

/// What stands at a JSON pointer (RFC 6901); null when nothing does.
fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn plain(value: &Value) -> String {
    text(value).replace('`', "").replace('\n', " ")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The shape that a schema refers to.
fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str().and_then(|path| path.rsplit('/').next())
}

/// What a schema is, in a word or two, and the shape it refers to.
fn kind(schema: &Value) -> (String, Option<String>) {
    if let Some(name) = referred(schema) {
        return (String::new(), Some(name.to_owned()));
    }
    for word in ["oneOf", "anyOf"] {
        if let Some(one) = list(&schema[word]).iter().find(|one| one["type"] != "null") {
            return kind(one);
        }
    }
    let types = list(&schema["type"]);
    let name = types.iter().find(|t| *t != "null").map_or_else(|| text(&schema["type"]), text);
    match (name.as_str(), schema["format"].as_str()) {
        ("array", _) => {
            let (of, shape) = kind(&schema["items"]);
            (format!("list of {of}").trim_end().to_owned(), shape)
        }
        (_, Some("date-time")) => ("time, RFC 3339".to_owned(), None),
        (_, Some("date")) => ("date".to_owned(), None),
        ("string", _) => ("text".to_owned(), None),
        ("integer", _) => ("whole number".to_owned(), None),
        ("boolean", _) => ("true or false".to_owned(), None),
        ("", _) => ("any".to_owned(), None),
        (other, _) => (other.to_owned(), None),
    }
}

struct Reader<'d> {
    document: &'d Value,
    url: &'d str,
}

impl Reader<'_> {
    fn schema(&self, name: &str) -> &Value {
        at(self.document, "/components/schemas").get(name).unwrap_or(&Value::Null)
    }

    fn groups(&self) -> Vec<Group> {
        let group = |tag: &Value| {
            let name = text(&tag["name"]);
            let mut calls = Vec::new();
            for (path, item) in object(&self.document["paths"]) {
                let of_tag = |call: &Value| list(&call["tags"]).iter().any(|t| *t == name.as_str());
                let of_path = object(item).filter(|(_, call)| of_tag(call));
                calls.extend(of_path.map(|(method, call)| self.call(path, method, call)));
            }
            Group { about: plain(&tag["description"]), name, calls }
        };
        list(&self.document["tags"]).iter().map(group).collect()
    }

    fn call(&self, path: &str, method: &str, call: &Value) -> Call {
        let content = at(call, "/requestBody/content");
        let media: Vec<&String> = object(content).map(|(name, _)| name).collect();
        let body = match media.as_slice() {
            [] => String::new(),
            [one] if *one == "application/json" => "JSON".to_owned(),
            several => several.iter().map(|m| m.as_str()).collect::<Vec<_>>().join(", "),
        };
        let schema = at(content, "/application~1json/schema");
        let answer = |(status, answer): (&String, &Value)| Answer {
            status: status.clone(),
            says: plain(&answer["description"]),
            shape: kind(at(answer, "/content/application~1json/schema")).1,
        };
        Call {
            anchor: format!("{method}{}", path.replace(['/', '{', '}', '.'], "-")),
            method: method.to_uppercase(),
            path: path.to_owned(),
            title: plain(&call["summary"]),
            says: plain(&call["description"]),
            who: list(&call["security"]).iter().map(who).collect(),
            fields: list(&call["parameters"]).iter().map(parameter).collect(),
            shape: kind(schema).1,
            curl: self.curl(path, method, call, &media),
            answers: object(&call["responses"]).map(answer).collect(),
            body,
        }
    }

    /// The call as one types it.
    fn curl(&self, path: &str, method: &str, call: &Value, media: &[&String]) -> String {
        let mut line = "curl".to_owned();
        if method != "get" {
            line += &format!(" -X {}", method.to_uppercase());
        }
        let ways: Vec<String> = list(&call["security"]).iter().map(who).collect();
        let has = |what: &str| call["security"].to_string().contains(what);
        if has("app-key") {
            line += " -H \"Authorization: Bearer $KEY\"";
        } else if has("token") {
            line += " -H \"Authorization: Bearer $TOKEN\"";
        } else if !ways.is_empty() {
            let cookie = if has("staff-session") { DESK_COOKIE } else { SESSION_COOKIE };
            line += &format!(" -b \"{cookie}=$SESSION\" -H 'Sec-Fetch-Site: same-origin'");
        }
        if has("subject") {
            line += " -H \"Vouchsafe-Subject: $PERSON\"";
        }
        match media {
            [] => {}
            [one] if *one == "application/json" => {
                let sample = self.sample(at(call, "/requestBody/content/application~1json/schema"), 0);
                line += &format!(" \\\n  -H 'Content-Type: application/json' \\\n  -d '{sample}'");
            }
            [one, ..] => {
                let file = match one.split('/').next() {
                    Some("message") => "letter.eml",
                    Some("text") => "signed.b64",
                    _ => "photograph.jpg",
                };
                line += &format!(" \\\n  -H 'Content-Type: {one}' \\\n  --data-binary @{file}");
            }
        }
        let mut at = path.to_owned();
        for parameter in list(&call["parameters"]).iter().filter(|p| p["in"] == "path") {
            let name = text(&parameter["name"]);
            let example = parameter["example"]
                .as_str()
                .map_or_else(|| format!("${}", name.to_uppercase()), ToOwned::to_owned);
            at = at.replace(&format!("{{{name}}}"), &example);
        }
        format!("{line} \\\n  \"{}{at}\"", self.url)
    }

    /// A value that fits a schema: the required fields, and those that show an example.
    fn sample(&self, schema: &Value, depth: usize) -> Value {
        if depth > 4 {
            return Value::Null;
        }
        if !schema["example"].is_null() {
            return schema["example"].clone();
        }
        if let Some(name) = referred(schema) {
            return self.sample(self.schema(name), depth + 1);
        }
        if let Some(first) = list(&schema["enum"]).first() {
            return first.clone();
        }
        if schema["properties"].is_object() {
            let required = |name: &str| list(&schema["required"]).iter().any(|r| r == name);
            let shown = object(&schema["properties"])
                .filter(|(name, field)| required(name) || !field["example"].is_null())
                .map(|(name, field)| (name.clone(), self.sample(field, depth + 1)));
            return Value::Object(shown.collect::<Map<_, _>>());
        }
        match kind(schema).0.as_str() {
            "true or false" => true.into(),
            "whole number" => 1.into(),
            "time, RFC 3339" => "2026-12-24T12:00:00Z".into(),
            list if list.starts_with("list") => Value::Array(vec!["…".into()]),
            _ => "…".into(),
        }
    }

    fn shapes(&self) -> Vec<Shape> {
        let shape = |(name, schema): (&String, &Value)| {
            let mut fields = Vec::new();
            let parts = list(&schema["allOf"]);
            for part in parts.iter().chain(std::iter::once(schema)) {
                let part = match referred(part) {
                    Some(name) => self.schema(name),
                    None => part,
                };
                fields.extend(object(&part["properties"]).map(|(name, field)| {
                    let (kind, of) = kind(field);
                    let required = list(&part["required"]).iter().any(|r| r == name.as_str());
                    let (name, says) = (name.clone(), plain(&field["description"]));
                    Field { name, place: String::new(), kind, of, required, says }
                }));
            }
            let words = list(&schema["enum"]).iter().map(text).collect();
            Shape { name: name.clone(), says: plain(&schema["description"]), words, fields }
        };
        object(at(self.document, "/components/schemas")).map(shape).collect()
    }
}

fn parameter(parameter: &Value) -> Field {
    let (kind, of) = kind(&parameter["schema"]);
    Field {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        kind,
        of,
        required: parameter["required"] == true,
        says: plain(&parameter["description"]),
    }
}

/// A way to call, in words.
fn who(way: &Value) -> String {
    let scope = way["app-key"].as_array().and_then(|s| s.first()).map(text).unwrap_or_default();
    let with = |name: &str| way.get(name).is_some();
    if with("agent-token") {
        return "an agent's token".to_owned();
    }
    match (with("app-key"), with("subject"), with("token"), with("staff-session")) {
        (true, true, ..) => format!("an app's key (scope {scope}) for a person"),
        (true, ..) => format!("an app's key (scope {scope})"),
        (_, _, true, _) => "a person's token".to_owned(),
        (.., true) => "a staff session".to_owned(),
        _ => "a person's session".to_owned(),
    }
}
