//! The pages of staff, over the whole service.

mod actions;
mod board;
mod corrections;
mod doors;
mod factor;
mod handovers;
mod looks;
mod mandates;
mod pages;
mod policies;
mod promises;
mod provider;
mod sight;
mod told;
mod unread;

use vouchsafe::policy::Role;

use crate::support::TestApp;
use crate::support::app::Staff;
use crate::support::call::{Answer, Sender};

/// Where the first tenant's desk is.
const DESK: &str = "/flux-kontext/desk";
/// What a browser says it reads.
const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml");

/// The service with the desk beside the API.
fn with_desk(app: TestApp) -> TestApp {
    let router =
        vouchsafe::http::router(app.edge.clone()).merge(vouchsafe::web::desk::router(app.edge.clone()));
    app.with_router(router)
}

/// A page of the desk, as a browser of this member of staff gets it.
async fn open(app: &TestApp, staff: &Staff, path: &str) -> Answer {
    app.get(&format!("{DESK}{path}")).by(staff).header(BROWSER.0, BROWSER.1).send().await
}

/// The same, which must be there.
#[track_caller]
fn shown(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

/// The token that the forms of a page carry.
fn form_token(html: &str) -> String {
    let (_, rest) = html.split_once("name=\"csrf\" value=\"").expect("a page has a form");
    rest.split('"').next().unwrap().to_owned()
}

/// Sends a form of the desk with its token.
async fn send(app: &TestApp, staff: &Staff, path: &str, fields: &[(&str, &str)]) -> Answer {
    let token = form_token(&shown(&open(app, staff, "").await));
    send_with(app, staff, path, fields, &token).await
}

async fn send_with(
    app: &TestApp,
    by: impl Into<Sender>,
    path: &str,
    fields: &[(&str, &str)],
    token: &str,
) -> Answer {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.append_pair("csrf", token);
    for (name, value) in fields {
        body.append_pair(name, value);
    }
    let call = app.post(&format!("{DESK}{path}")).by(by).header(BROWSER.0, BROWSER.1);
    call.body("application/x-www-form-urlencoded", body.finish()).send().await
}

/// Vouches for an attestation as the form of its page does, with a file if one is given.
async fn vouch(
    app: &TestApp,
    staff: &Staff,
    rule: &str,
    evidence: &str,
    file: Option<(&str, &[u8])>,
) -> Answer {
    let token = form_token(&shown(&open(app, staff, "").await));
    vouch_with(app, staff, rule, (evidence, file), &token).await
}

async fn vouch_with(
    app: &TestApp,
    by: impl Into<Sender>,
    rule: &str,
    (evidence, file): (&str, Option<(&str, &[u8])>),
    token: &str,
) -> Answer {
    const LINE: &str = "----------a-line-that-no-evidence-holds";
    let mut body = Vec::new();
    for (name, value) in [("csrf", token), ("evidence", evidence)] {
        let head = format!("--{LINE}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(head.as_bytes());
    }
    // A browser sends the field empty when no file was chosen.
    let (name, bytes) = file.unwrap_or_default();
    let head = format!(
        "--{LINE}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         content-type: application/octet-stream\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{LINE}--\r\n").as_bytes());
    let call = app.post(&format!("{DESK}/promises/{rule}/attest")).by(by).header(BROWSER.0, BROWSER.1);
    call.body(&format!("multipart/form-data; boundary={LINE}"), body).send().await
}

/// Makes sure that a form was done and led back to a page, and gives where.
#[track_caller]
fn done(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").to_owned()
}

/// The three roles.
const ROLES: [Role; 3] = [Role::Support, Role::Compliance, Role::Admin];
