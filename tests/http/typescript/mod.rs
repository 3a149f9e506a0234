//! The TypeScript client: its types and table are printed from the OpenAPI document, its own code and what an app writes
//! with it are well typed, and it does what it says against a service that runs.

mod print;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::{Value, json};
use vouchsafe::subjects::Scope;

use crate::each_app_in_development;
use crate::support::app::photograph;
use crate::support::{TestApp, source};

fn folder() -> PathBuf {
    source::root().join("clients/typescript")
}

fn document() -> Value {
    serde_json::to_value(vouchsafe::http::openapi()).unwrap()
}

/// A program of this machine. `make test` sees to it that it is there; without it, its tests say so and are left out.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        crate::support::chance::tell(&format!("left out: there is no {name} here"));
    }
    found
}

#[test]
fn the_client_is_that_of_the_document() {
    let document = document();
    for (name, fresh) in [("api.d.ts", print::types(&document)), ("operations.js", print::table(&document))] {
        let path = folder().join(name);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &fresh).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == fresh,
            "clients/typescript/{name} does not show the source as it is: run `make docs`"
        );
    }
}

#[test]
fn every_form_of_schema_has_its_type() {
    let string = json!({ "type": "string" });
    for (schema, expected) in [
        (json!({ "$ref": "#/components/schemas/Edit" }), "Edit"),
        (json!({ "$ref": "#/components/schemas/Listing_Edit" }), "Listing<Edit>"),
        (json!({ "type": ["string", "null"] }), "string | null"),
        (json!({ "type": "string", "enum": ["a", "b"] }), "\"a\" | \"b\""),
        (json!({ "oneOf": [{ "type": "null" }, string] }), "null | string"),
        (json!({ "type": "array", "items": { "type": ["integer", "null"] } }), "Array<number | null>"),
        (json!({ "type": "object", "additionalProperties": string }), "Record<string, string>"),
        (json!({ "type": "object", "properties": { "a-b": string } }), "{\n  \"a-b\"?: string;\n}"),
        (json!({ "type": "object" }), "unknown"),
        (json!({}), "unknown"),
    ] {
        assert_eq!(print::kind(&schema), expected);
    }
}

/// What a person or an app can do is in the client, what needs a session of staff or is an agent's own protocol is not; no
/// name hides another.
#[test]
fn an_app_can_call_everything_but_the_desk_and_the_protocol_of_agents() {
    let document = document();
    let printed = print::operations(&document).len();
    let all =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let others = |call: &&Value| ["desk", "agents"].iter().any(|tag| call["tags"][0] == *tag);
    let (others, rest): (Vec<_>, Vec<_>) = all.partition(others);
    assert!(printed == rest.len() && !others.is_empty(), "{printed} of {}", rest.len());
}

#[test]
fn the_client_and_what_apps_write_with_it_are_well_typed() {
    let Some(tsc) = program("tsc") else { return };
    let out = Command::new(tsc).arg("--project").arg(folder()).output().unwrap();
    assert!(
        out.status.success(),
        "{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

/// Runs a script until it ends, while the service does what is due and its clock goes a second with each turn.
async fn run(app: &TestApp, script: PathBuf, variables: &[(&str, &OsStr)]) -> Option<String> {
    let mut command = tokio::process::Command::new(program("node")?);
    command.arg(script).envs(variables.iter().copied()).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (mut child, began) = (command.spawn().unwrap(), Instant::now());
    // The script has its turn, then the service: a turn of the service that was cut short would leave work half done.
    while tokio::time::timeout(Duration::from_millis(20), child.wait()).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(180), "the script did not come to an end");
        app.settle().await;
        app.advance(TimeDelta::seconds(1));
    }
    app.settle().await;
    let out = child.wait_with_output().await.unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{said}{}", String::from_utf8_lossy(&out.stderr));
    Some(said)
}

/// Runs a script against the service with a key that may do everything, and makes sure that it says that all held.
async fn all_holds(app: &TestApp, script: &str) {
    let (address, _stop) = app.listen().await;
    let key = app.app.subjects.mint_api_key(&app.tenant(), "a test's", &Scope::ALL, None).await.unwrap();
    let picture = app.folder().join("photograph.jpg");
    std::fs::write(&picture, photograph(7)).unwrap();
    let url = format!("http://{address}");
    let variables = [
        ("VOUCHSAFE_URL", OsStr::new(&url)),
        ("VOUCHSAFE_KEY", OsStr::new(key.text.expose())),
        ("PHOTOGRAPH", picture.as_os_str()),
        ("OTHER_CLOCK", OsStr::new("yes")),
    ];
    if let Some(said) = run(app, source::root().join(script), &variables).await {
        assert!(said.trim_end().ends_with("checks held"), "{said}");
    }
}

each_app_in_development! {
    async fn the_client_does_what_it_says(app: TestApp) {
        all_holds(&app, "clients/typescript/check/story.js").await;
    }

    async fn the_example_app_edits_a_photograph(app: TestApp) {
        all_holds(&app, "examples/photo-app/check.js").await;
    }
}
