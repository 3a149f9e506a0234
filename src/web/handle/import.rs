//! Bringing in an archive that was taken home from elsewhere.

use axum::extract::Multipart;
use axum::extract::multipart::MultipartError;

use crate::base::Kind;
use crate::edge::Fault;
use crate::imports::{Brought, Error, Spool, Tally};
use crate::speech::{Tongue, key};
use crate::web::form::stale;
use crate::web::page::{Answer, Person, html, html_as, token_holds};
use crate::web::shape::account::mistake;
use crate::web::view::{Count, Import, ImportFound, ImportRow, Mistakes, Size};

/// `GET /privacy/import`
pub(crate) async fn ask(person: Person) -> Answer {
    html(&page(&person, None, Mistakes::default()).await?)
}

async fn page(person: &Person, found: Option<ImportFound>, mistakes: Mistakes) -> Result<Import, Fault> {
    Ok(Import {
        shell: person.shell().await?,
        most: Size(person.edge.app.imports.settings().most_bytes),
        input_at_most: super::edit::at_most(person.tongue(), &person.policy),
        found,
        mistakes,
    })
}

/// `POST /privacy/import`: the same file is sent to look at and to take, and is kept between the two by its owner alone.
pub(crate) async fn send(person: Person, mut sent: Multipart) -> Answer {
    let imports = &person.edge.app.imports;
    let (spool, takes) = match read(&person, &mut sent).await {
        Ok((Some(spool), takes)) => (spool, takes),
        Ok((None, _)) => return refused(&person, None).await,
        Err(Unread::Archive(e)) => return refused(&person, Some(e)).await,
        Err(Unread::Form(fault)) => return Err(fault),
    };
    let actor = person.actor();
    let brought = if takes {
        imports.take(&person.owner, &actor, &spool).await
    } else {
        imports.preview(&person.owner, &actor, &spool).await
    };
    match brought {
        Ok(brought) => {
            html(&page(&person, Some(told(person.tongue(), brought, takes)), Mistakes::default()).await?)
        }
        Err(e) => refused(&person, Some(e)).await,
    }
}

/// The page again, with what is wrong where that is for its sender to mend.
async fn refused(person: &Person, error: Option<Error>) -> Answer {
    let (says, status) = match error {
        None => (
            person.tongue().say("Choose the archive that you took home.").to_owned(),
            Fault::new(Kind::Invalid).status(),
        ),
        Some(e) => match Fault::from(e) {
            Fault { kind, detail: Some(says), .. } => (says, Fault::new(kind).status()),
            fault => return Err(fault),
        },
    };
    html_as(status, &page(person, None, mistake("archive", says)).await?)
}

enum Unread {
    Form(Fault),
    Archive(Error),
}

impl From<MultipartError> for Unread {
    fn from(_: MultipartError) -> Self {
        Self::Archive(Error::BrokenOff)
    }
}

/// Reads the fields; the token comes first, so that a stranger's page cannot make us hold anything. Gives the archive,
/// and whether it is to be taken.
async fn read(person: &Person, sent: &mut Multipart) -> Result<(Option<Spool>, bool), Unread> {
    let (mut ours, mut spool, mut takes) = (false, None, false);
    while let Some(field) = sent.next_field().await? {
        match field.name().unwrap_or_default() {
            "csrf" => {
                let token = field.text().await?;
                ours = token_holds(&person.edge, Some(&person.session), &token);
            }
            _ if !ours => return Err(Unread::Form(stale())),
            "archive" if field.file_name().is_some_and(|name| !name.is_empty()) => {
                let received = person.edge.app.imports.receive(field).await;
                spool = Some(received.map_err(Unread::Archive)?);
            }
            "act" => takes = field.text().await? == "take",
            _ => {}
        }
    }
    if ours { Ok((spool, takes)) } else { Err(Unread::Form(stale())) }
}

fn told(tongue: Tongue, brought: Brought, taken: bool) -> ImportFound {
    let already = brought.is_here_already();
    let row = |what: &'static str, t: Tally| ImportRow {
        what: tongue.say(what).to_owned(),
        new: Count(t.new),
        here: Count(t.here),
        refused: Count(t.refused),
    };
    let named = |category: &str| if category == "prompt" { key("Prompts") } else { key("Edits, as history") };
    let mut rows = vec![row(key("Pictures"), brought.images)];
    rows.extend(brought.records.into_iter().map(|(category, t)| row(named(category), t)));
    let signer = brought.from.signed_by.to_string();
    ImportFound {
        taken,
        already,
        service: brought.from.controller,
        made: brought.from.made_at.into(),
        reference: brought.from.reference,
        signer: signer.split('+').next().unwrap_or_default().to_owned(),
        signed_here: brought.from.signed_here,
        rows,
        left: brought.left.join(", "),
        entry: brought.entry.map(|e| e.to_string()),
    }
}
