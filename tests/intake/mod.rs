//! Requests that come from outside: letters, from the bytes of a mail system to what a person takes home.

mod agents;
mod bytes;
mod cut_off;
mod doors;
mod kinds;
mod origin;
mod path;

use vouchsafe::base::TenantId;
use vouchsafe::intake::{Envelope, Outcome};

use crate::support::TestApp;
use crate::support::app::TENANT;
use crate::support::call::{Answer, Sender};

/// The service with API, pages and desk.
fn with_pages(app: TestApp) -> TestApp {
    let router = vouchsafe::http::routes(&app.edge).merge(vouchsafe::web::router(app.edge.clone()));
    app.with_router(router)
}

/// The address of the first tenant's document.
fn privacy() -> String {
    let all = crate::support::app::documents();
    all.into_iter().find(|d| d.tenant().as_str() == TENANT).unwrap().contact().privacy.clone()
}

/// A plain letter of somebody's that is a request.
fn letter(from: &str, id: &str, words: &str) -> String {
    let to = privacy();
    format!(
        "Received: from mail.example.org by mx.flux.example; Sun, 22 Nov 2026 12:00:00 +0000\r\n\
         From: Somebody <{from}>\r\nTo: {to}\r\nSubject: Privacy Request - AI Data\r\n\
         Date: Sun, 22 Nov 2026 11:59:58 +0000\r\nMessage-ID: <{id}@example.org>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n"
    )
}

/// Hands a letter over, as a mail system would.
async fn take(app: &TestApp, raw: impl AsRef<[u8]>) -> Outcome {
    let tenant: TenantId = TENANT.parse().unwrap();
    app.app.intake.take(&tenant, raw.as_ref(), &Envelope::default()).await.unwrap()
}

/// The link of the newest letter to an address, below the house's own.
fn link(app: &TestApp, to: &str) -> String {
    let letter =
        app.mails().into_iter().rev().find(|m| m.to == to && m.letter.text.contains("/letters/confirm"));
    let text = letter.unwrap_or_else(|| panic!("no letter to {to}")).letter.text;
    let start = text.find("https://vouchsafe.test/").unwrap() + "https://vouchsafe.test".len();
    text[start..].split_whitespace().next().unwrap().to_owned()
}

fn token_of(link: &str) -> String {
    link.split_once("token=").unwrap().1.to_owned()
}

/// A page, as a browser without a session gets it.
async fn page(app: &TestApp, path: &str) -> Answer {
    app.get(path).header("accept", "text/html").send().await
}

/// The token that the forms of a page carry.
fn form_token(html: &str) -> String {
    let (_, rest) = html.split_once("name=\"csrf\" value=\"").expect("a page has a form");
    rest.split('"').next().unwrap().to_owned()
}

/// Sends a form of a page.
async fn send(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> Answer {
    let token = form_token(&page(app, &format!("/{TENANT}/sign-in")).await.text());
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.append_pair("csrf", &token).extend_pairs(fields);
    let call = app.post(path).header("accept", "text/html").header("sec-fetch-site", "same-origin");
    call.body("application/x-www-form-urlencoded", body.finish()).send().await
}

/// Confirms a letter by its link.
async fn confirm(app: &TestApp, link: &str, choice: &str, text: &str) -> Answer {
    let fields = [("token", &*token_of(link)), ("choice", choice), ("text", text)];
    send(app, &format!("/{TENANT}/letters/confirm"), &fields).await
}

/// Hands a letter over by HTTP.
async fn hand_over(app: &TestApp, by: &Sender, query: &str, raw: impl Into<Vec<u8>>) -> Answer {
    let call = app.post(&format!("/v1/intake/mail{query}")).by(by);
    call.body("message/rfc822", raw.into()).send().await
}

/// What a statement counts.
async fn count(app: &TestApp, sql: &str) -> i64 {
    crate::support::house::count_in(&app.app.db, sql).await
}
