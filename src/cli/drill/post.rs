//! A letter to the address of the document, from the bytes that a mail system hands over to the button behind its link.

use anyhow::Context as _;
use axum::body::Body;
use axum::http::{Method, StatusCode};

use super::between::ALONE;
use super::case::Case;
use super::claims::Claims;
use super::town::TENANT;
use super::visitor::Visitor;
use crate::requests::Request;
use crate::subjects::Scope;

/// What a mail system knows besides the letter.
const ENVELOPE: &str = "client=192.0.2.7&helo=mail.example.org";

/// Writes to the address of the document, and confirms it in a browser that nobody is signed in with.
pub(super) async fn by_mail(
    case: &Case<'_>,
    browser: &mut Visitor,
    claims: &mut Claims,
) -> anyhow::Result<Request> {
    let subjects = &case.app().subjects;
    let key = subjects.mint_api_key(case.tenant(), "mail system", &[Scope::Mail], None).await?;
    let key = format!("Bearer {}", key.text.expose());
    let dress = [("authorization", key.as_str()), ("content-type", "message/rfc822")];
    let door = format!("/v1/intake/mail?{ENVELOPE}&sender={}", case.email());
    let letter = Body::from(written(case)?);
    let taken = Visitor::new(case.routes).call(Method::POST, &door, &dress, letter).await?;
    let outcome = taken.json()?;
    let outcome = outcome.get("outcome").and_then(|o| o.as_str()).unwrap_or_default();
    anyhow::ensure!(
        taken.status == StatusCode::ACCEPTED && outcome == "taken",
        "the letter is not taken: {}",
        taken.text()
    );
    claims.look(ALONE, case.untouched().await?, || format!("{}, by a letter", case.right));
    let link = case.link("/letters/confirm?")?;
    let page = browser.get(&link).await?;
    let token = page.between("name=\"token\" value=\"", "\"").context("the link opens no form")?;
    let (choice, words) = (case.choice(), case.words());
    let offered = page.text().contains(&format!("name=\"choice\" value=\"{choice}\""));
    anyhow::ensure!(offered, "the page behind the link does not offer {choice}");
    let fields = [("token", token.as_str()), ("choice", choice.as_str()), ("text", words.as_str())];
    let done = browser.send(&link, &format!("/{TENANT}/letters/confirm"), &fields).await?;
    let request = case.newest().await?;
    let told = done.status.is_success() && done.text().contains(&request.reference);
    anyhow::ensure!(told, "the letter is not confirmed: {}", done.status);
    Ok(request)
}

/// The letter as a mail program writes it: the same in two forms.
fn written(case: &Case<'_>) -> anyhow::Result<String> {
    let policy = case.app().vault.policy(case.tenant())?;
    let contact = policy.contact();
    let subject = contact.subject_line.as_deref().context("the document has no subject line for letters")?;
    let (to, from, name, words) = (&contact.privacy, case.email(), &case.who.word, case.words());
    let at = case.app().clock.now().to_utc().to_rfc2822();
    let right = case.right;
    Ok(format!(
        "Received: from mail.example.org (mail.example.org [192.0.2.7]) by mx.example.net; {at}\r\n\
         From: {name} <{from}>\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {at}\r\n\
         Message-ID: <{right}.{name}@mail.example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/alternative; boundary=\"=_two-forms\"\r\n\r\n\
         --=_two-forms\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
         {words}\r\n\r\n--=_two-forms\r\nContent-Type: text/html; charset=utf-8\r\n\
         Content-Transfer-Encoding: 7bit\r\n\r\n<p>{words}</p>\r\n\r\n--=_two-forms--\r\n"
    ))
}
