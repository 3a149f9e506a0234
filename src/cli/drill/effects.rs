//! What must be so before a right is used and after it, each looked at from outside of the workflow that did it.

use std::io::Cursor;

use anyhow::Context as _;

use super::between::CONTACT;
use super::case::{Case, OBJECTABLE};
use super::claims::Claims;
use super::town::{Person, TENANT, TRAINING, Town};
use crate::archive;
use crate::base::ReceiptId;
use crate::cli::needles;
use crate::ledger::Receipt;
use crate::policy::Right;
use crate::requests::{Request, State};
use crate::vault::{self, Access, Actor};

pub(super) const CLOSED: &str = "every request is closed as fulfilled, within the promised time";
pub(super) const RECEIPT: &str =
    "every request ends with a receipt that verifies offline; changed, it does not";
pub(super) const LETTERS: &str =
    "whoever a request is for has the answer by letter, once, and nobody else has";
pub(super) const ARCHIVE: &str =
    "an archive is whole and has its person's words and pictures; with a bit changed, it is refused";
pub(super) const CORRECTED: &str = "what was corrected reads corrected";
pub(super) const ERASED: &str = "whoever was erased is unknown, and nothing of theirs opens";
pub(super) const PAUSED: &str = "what is restricted is read for no purpose, and by its owner all the same";
pub(super) const OBJECTED: &str = "what was objected to was on, and is off";
pub(super) const WITHDRAWN: &str = "what was taken back was allowed, and is refused in the same second";

fn as_service(purpose: &str) -> Access<'_> {
    Access { actor: &Actor::Service, purpose }
}

/// What must be so before a right is used, for its effect to be one.
pub(super) async fn before(case: &Case<'_>, claims: &mut Claims) -> anyhow::Result<()> {
    let (app, who) = (case.app(), case.who);
    let picture = who.pictures.first().context("no picture")?;
    match case.right {
        Right::Withdrawal => {
            let allowed = app.vault.object(&who.owner, &as_service(TRAINING), picture.id).await.is_ok();
            claims.look(WITHDRAWN, allowed, || "it was refused before".to_owned());
        }
        Right::Objection => {
            let on = is_on(case.town, who, OBJECTABLE).await?;
            claims.look(OBJECTED, on, || "it was off before".to_owned());
        }
        Right::Restriction => {
            let read = app.vault.object(&who.owner, &as_service("provide-edits"), picture.id).await.is_ok();
            claims.look(PAUSED, read, || "it could not be read before".to_owned());
        }
        _ => {}
    }
    Ok(())
}

async fn is_on(town: &Town, who: &Person, purpose: &str) -> anyhow::Result<bool> {
    let choices = town.app.consents.choices(&who.owner).await?;
    Ok(choices.iter().any(|c| c.purpose == purpose && c.on))
}

/// What must be so after. `way` says by which way, for the case that it is not.
pub(super) async fn after(
    case: &Case<'_>,
    way: &str,
    archive: Option<Vec<u8>>,
    claims: &mut Claims,
) -> anyhow::Result<()> {
    let (app, town, who) = (case.app(), case.town, case.who);
    let picture = who.pictures.first().context("no picture")?;
    let what = || format!("{}, {way}", case.right);
    match case.right {
        Right::Access | Right::Portability => {
            let bytes = archive.unwrap_or_default();
            claims.look(ARCHIVE, home_is_whole(town, who, &bytes)?, what);
        }
        Right::Rectification => {
            let actor = Actor::Subject(who.owner.subject);
            let access = Access { actor: &actor, purpose: "account" };
            let profile = app.subjects.profile(&who.owner, &access).await?;
            claims.look(CORRECTED, profile.name == case.new_name(), what);
        }
        Right::Erasure => {
            let unknown = app.subjects.get(&who.owner).await.is_err();
            let opens = town.read(&who.owner, picture.id).await.is_ok();
            claims.look(ERASED, unknown && !opens, what);
        }
        Right::Restriction => {
            let read = app.vault.object(&who.owner, &as_service("provide-edits"), picture.id).await;
            let own = town.read(&who.owner, picture.id).await.is_ok();
            claims.look(PAUSED, matches!(read, Err(vault::Error::Restricted)) && own, what);
        }
        Right::Objection => claims.look(OBJECTED, !is_on(town, who, OBJECTABLE).await?, what),
        Right::Withdrawal => {
            let read = app.vault.object(&who.owner, &as_service(TRAINING), picture.id).await;
            claims.look(WITHDRAWN, matches!(read, Err(vault::Error::NoConsent { .. })), what);
        }
    }
    Ok(())
}

/// How a request ended, and when.
pub(super) fn closed(request: &Request, way: &str, claims: &mut Claims) {
    let fulfilled = request.state == State::Closed && request.outcome.as_deref() == Some("fulfilled");
    let in_time = request.answered_at.or(request.closed_at).is_some_and(|at| at <= request.due.promise);
    let what = || format!("{}, {way}: {}", request.right, request.state.as_str());
    claims.look(CLOSED, fulfilled && in_time, what);
}

/// The letters about a request, those that were sent since there were `before`: one has the answer, and all went to its
/// person.
pub(super) fn letters(case: &Case<'_>, request: &Request, (before, way): (usize, &str), claims: &mut Claims) {
    let (reference, email) = (request.reference.as_str(), case.email());
    let answer = match case.right {
        Right::Erasure => format!("We erased it: {reference}"),
        _ => format!("Our answer to your request {reference}"),
    };
    let sent = case.app().post.sent();
    let since = sent.get(before..).unwrap_or_default();
    let about =
        |l: &&crate::mail::Sent| [&l.letter.subject, &l.letter.text].iter().any(|t| t.contains(reference));
    let theirs = since.iter().filter(about).all(|l| l.to == email) && since.iter().all(|l| l.to != CONTACT);
    let answers = since.iter().filter(|l| l.letter.subject == answer).count();
    let what = || format!("{}, {way}: {answers} answers", case.right);
    claims.look(LETTERS, theirs && answers == 1, what);
}

/// Whether an archive is whole by the published key, has what its person handed in, and is refused once it is changed.
fn home_is_whole(town: &Town, who: &Person, bytes: &[u8]) -> anyhow::Result<bool> {
    let key = town.app.requests.archive_key();
    let report = archive::verify(Cursor::new(bytes), Some(&key));
    if !report.is_whole() || report.images == 0 {
        return Ok(false);
    }
    let mut archive = archive::Archive::open(Cursor::new(bytes), Some(&key))?;
    let paths: Vec<String> = archive.manifest().files.iter().map(|f| f.path.clone()).collect();
    let mut everything = Vec::new();
    for path in paths {
        archive.copy(&path, &mut everything)?;
    }
    let mut changed = bytes.to_vec();
    let middle = changed.len() / 2;
    if let Some(byte) = changed.get_mut(middle) {
        *byte ^= 1;
    }
    let refused = !archive::verify(Cursor::new(changed), Some(&key)).is_whole();
    Ok(needles::holds(&everything, &who.word) && refused)
}

/// The receipt of a request, checked from its text and the published key alone. Gives the words of it for the table.
pub(super) async fn receipt(town: &Town, request: &Request, claims: &mut Claims) -> anyhow::Result<String> {
    let Some(id) = request.receipt else {
        claims.look(RECEIPT, false, || format!("{} has none", request.right));
        return Ok("none".to_owned());
    };
    let (text, index) = verified(town, id).await?;
    let forged = text.replace(TENANT, "flux-kontexx");
    let key = town.app.ledger.verifier();
    let refused = forged != text && Receipt::parse(&forged).and_then(|r| r.verify(key, &[])).is_err();
    claims.look(RECEIPT, index.is_some() && refused, || format!("the receipt of {}", request.right));
    Ok(index.map_or_else(|| "not good".to_owned(), |n| format!("ledger entry {n}")))
}

async fn verified(town: &Town, id: ReceiptId) -> anyhow::Result<(String, Option<u64>)> {
    let (_, receipt) = town.app.requests.receipt(id).await?;
    let text = receipt.to_text()?;
    let found = Receipt::parse(&text).and_then(|r| r.verify(town.app.ledger.verifier(), &[]));
    Ok((text, found.ok().map(|v| v.index)))
}
