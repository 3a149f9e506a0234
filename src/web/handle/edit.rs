//! Asking for an edit, and following it.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Multipart, Path, Query};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;

use super::gallery::picture;
use crate::base::{EditId, Kind, ObjectId};
use crate::edge::Fault;
use crate::editing::{self, Edit, EditState, ModelChoice, NewEdit, PURPOSE, Settings, Step};
use crate::imaging::{Format, Refused};
use crate::policy::Policy;
use crate::speech::{Case, Tongue, key};
use crate::vault::Access;
use crate::web::form::{Filled, stale};
use crate::web::page::{Answer, Person, html, html_as, id, see, token_holds};
use crate::web::shape::account::mistake;
use crate::web::shape::pictures::{
    called, is_running, model_name, models, shapes, stage, steps, steps_json, styles, tile,
};
use crate::web::view::{Count, EditForm, EditProgress, Mistakes, Size};

/// The picture that is to be edited again.
#[derive(Debug, Deserialize)]
pub(crate) struct Again {
    source: Option<String>,
}

/// `GET /edit`
pub(crate) async fn ask(person: Person, Query(again): Query<Again>) -> Answer {
    let asked = Asked { source: again.source.filter(|s| !s.is_empty()), ..Asked::default() };
    html(&form(&person, &asked, Mistakes::default()).await?)
}

/// What was filled in.
#[derive(Debug, Default)]
struct Asked {
    photograph: Option<Bytes>,
    source: Option<String>,
    prompt: String,
    model: ModelChoice,
    style: String,
    shape: String,
}

async fn form(person: &Person, asked: &Asked, mistakes: Mistakes) -> Result<EditForm, Fault> {
    let (app, tongue) = (&person.edge.app, person.tongue());
    let source = match &asked.source {
        Some(source) => {
            let (object, records) = picture(person, source).await?;
            Some(tile(tongue, &object, &called(tongue, &records), person.now))
        }
        None => None,
    };
    let limits = app.editing.limits();
    let balance = app.credits.balance(&person.owner).await?;
    let restricted = app.subjects.get(&person.owner).await?.restricted_at.is_some();
    Ok(EditForm {
        shell: person.shell().await?,
        source,
        prompt: asked.prompt.clone(),
        models: models(tongue, asked.model),
        styles: styles(tongue, &asked.style),
        shapes: shapes(tongue, &asked.shape),
        credits: Count(u64::try_from(balance).unwrap_or(0)),
        most_bytes: Size(limits.max_bytes as u64),
        most_pixels: tongue.put("{count} megapixels").with("count", limits.max_pixels / 1_000_000).text(),
        processor: tongue.say("our own studio, which is no AI").to_owned(),
        stays_here: true,
        input_at_most: at_most(tongue, &person.policy),
        blocked: blocked(restricted, balance).map(|says| tongue.say(says).to_owned()),
        mistakes,
    })
}

/// The longest an upload stays.
pub(super) fn at_most(tongue: Tongue, policy: &Policy) -> String {
    let rule = policy.retention_of("input-image").find_map(|r| r.at_most.first().copied());
    match rule {
        Some(after) => tongue.period(after.period, Case::Plain),
        None => tongue.say("a short time").to_owned(),
    }
}

fn blocked(restricted: bool, balance: i64) -> Option<&'static str> {
    if restricted {
        return Some(key("You paused all processing. Lift the pause, and you can edit again."));
    }
    (balance <= 0).then(|| key("You have no credits left."))
}

/// `POST /edit`: the picture is taken in, then the edit is asked for. When that is refused, the picture goes again.
pub(crate) async fn send(person: Person, mut sent: Multipart) -> Answer {
    let asked = match read(&person, &mut sent).await {
        Ok(asked) => asked,
        Err(Unread::Form(fault)) => return Err(fault),
        Err(Unread::TooLarge(asked)) => {
            let most = person.edge.app.editing.limits().max_bytes as u64;
            let tongue = person.tongue();
            let said = tongue.put("This file is larger than {most}. Choose a smaller one.");
            let wrong = mistake("photograph", said.with("most", tongue.size(most)).text());
            return html_as(StatusCode::PAYLOAD_TOO_LARGE, &form(&person, &asked, wrong).await?);
        }
    };
    match begin(&person, &asked).await {
        Ok(edit) => Ok(see(&format!("{}/edits/{}", person.root(), edit.id))),
        Err(error) => {
            let Some(wrong) = told(person.tongue(), &error) else { return Err(error.into()) };
            let status = Fault::from(error).status();
            html_as(status, &form(&person, &asked, wrong).await?)
        }
    }
}

/// What is wrong with the form, where that is for its sender to mend.
fn told(tongue: Tongue, error: &editing::Error) -> Option<Mistakes> {
    let field = match error {
        editing::Error::Picture(_) => "photograph",
        editing::Error::BadValue(what) if what.starts_with("inputs (too") => "photograph",
        editing::Error::BadValue(what) if what.starts_with("inputs (1") => {
            return Some(mistake("photograph", tongue.say("Choose a photograph.")));
        }
        editing::Error::BadValue(what) if what.starts_with("prompt (write") => {
            return Some(mistake("prompt", tongue.say("Write what should change, or choose a style.")));
        }
        editing::Error::BadValue(_) | editing::Error::Credits(_) => "prompt",
        _ => return None,
    };
    Some(mistake(field, why(tongue, error)))
}

/// Why something cannot be used. The rooms say it in English; another language has a sentence for each sort of picture
/// that is not taken, and one for all else.
fn why(tongue: Tongue, error: &editing::Error) -> String {
    let says = error.to_string();
    let mut chars = says.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if says.ends_with(['.', '?', '!']) { "" } else { "." };
    let whole = format!("{first}{}{stop}", chars.as_str());
    match (tongue, error) {
        (Tongue::English, _) => whole,
        (_, editing::Error::Picture(refused)) => refusal(tongue, refused),
        _ => {
            let fallback = tongue.say("That cannot be used as it is. Look it over and send it again.");
            tongue.known(&whole).unwrap_or(fallback).to_owned()
        }
    }
}

fn refusal(tongue: Tongue, refused: &Refused) -> String {
    let of = |sentence: &'static str, format: Format| tongue.put(sentence).with("format", format).text();
    match refused {
        Refused::Empty => tongue.say("The file is empty.").to_owned(),
        Refused::Unsupported { .. } => tongue.say("We take JPEG, PNG and WebP.").to_owned(),
        Refused::TooManyBytes { limit } => {
            let said = tongue.put("This file is larger than {most}. Choose a smaller one.");
            said.with("most", tongue.size(*limit as u64)).text()
        }
        Refused::TooManyPixels { width, height, max_pixels, max_edge } => {
            let said = tongue.put("The picture is {width} × {height} pixels. We take up to {most} megapixels, {edge} on the longer edge.");
            let said = said.with("width", width).with("height", height);
            said.with("most", max_pixels / 1_000_000).with("edge", max_edge).text()
        }
        Refused::Animated { format } => {
            of(key("This {format} is animated. We take still pictures."), *format)
        }
        Refused::CutShort { format } => {
            let says = key(
                "This {format} is cut short: the end of the picture is missing. Was the upload complete?",
            );
            of(says, *format)
        }
        _ => tongue.say("This picture is damaged and cannot be read.").to_owned(),
    }
}

async fn begin(person: &Person, asked: &Asked) -> Result<Edit, editing::Error> {
    let (app, actor) = (&person.edge.app, person.actor());
    let uploaded = match (&asked.source, &asked.photograph) {
        (None, Some(bytes)) => Some(app.editing.upload(&person.owner, &actor, bytes.clone()).await?.id),
        _ => None,
    };
    let source = asked.source.as_deref().and_then(|s| s.parse::<ObjectId>().ok());
    let chosen = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    let new = NewEdit {
        inputs: uploaded.or(source).into_iter().collect(),
        prompt: asked.prompt.clone(),
        model: Some(asked.model),
        settings: Settings {
            style: chosen(&asked.style),
            aspect_ratio: chosen(&asked.shape),
            ..Settings::default()
        },
        ..NewEdit::default()
    };
    let made = app.editing.create(&person.owner, &actor, new).await;
    if let (Err(_), Some(id)) = (&made, uploaded) {
        app.vault.erase_belongings(&person.owner, &id.to_string(), actor.role()).await?;
        app.vault.erase_object(&person.owner, id, actor.role()).await?;
    }
    made
}

/// Why a form could not be read.
enum Unread {
    Form(Fault),
    TooLarge(Box<Asked>),
}

impl From<MultipartError> for Unread {
    fn from(error: MultipartError) -> Self {
        let kind =
            if error.status() == StatusCode::PAYLOAD_TOO_LARGE { Kind::TooLarge } else { Kind::Malformed };
        Self::Form(Fault::because(kind, key("The form did not arrive whole. Send it once more.")))
    }
}

/// Reads the fields. The token comes before the picture, so that a stranger's page cannot make us hold one.
async fn read(person: &Person, sent: &mut Multipart) -> Result<Asked, Unread> {
    let mut asked = Asked::default();
    let (mut ours, mut too_large) = (false, false);
    while let Some(field) = sent.next_field().await? {
        match field.name().unwrap_or_default() {
            "csrf" => {
                let token = field.text().await?;
                ours = token_holds(&person.edge, Some(&person.session), &token);
            }
            _ if !ours => return Err(Unread::Form(stale())),
            "photograph" => {
                let most = person.edge.app.editing.limits().max_bytes;
                match whole(field, most).await? {
                    Some(bytes) if bytes.is_empty() => {}
                    Some(bytes) => asked.photograph = Some(bytes),
                    None => too_large = true,
                }
            }
            "source" => asked.source = Some(field.text().await?).filter(|s| !s.is_empty()),
            "prompt" => asked.prompt = field.text().await?,
            "model" => {
                asked.model = if field.text().await? == "max" { ModelChoice::Max } else { ModelChoice::Pro }
            }
            "style" => asked.style = field.text().await?,
            "shape" => asked.shape = field.text().await?,
            _ => {}
        }
    }
    match (ours, too_large) {
        (false, _) => Err(Unread::Form(stale())),
        (true, true) => Err(Unread::TooLarge(Box::new(asked))),
        (true, false) => Ok(asked),
    }
}

/// The bytes of a file of at most `most`. A larger one is read to its end, so that its sender gets an answer, and not
/// kept.
async fn whole(mut field: Field<'_>, most: usize) -> Result<Option<Bytes>, MultipartError> {
    let mut bytes = BytesMut::new();
    let mut len = 0_usize;
    while let Some(piece) = field.chunk().await? {
        len = len.saturating_add(piece.len());
        if len > most {
            bytes.clear();
        } else {
            bytes.extend_from_slice(&piece);
        }
    }
    Ok((len <= most).then(|| bytes.freeze()))
}

/// `GET /edits/{id}`
pub(crate) async fn progress(person: Person, Path((_, edit)): Path<(String, String)>) -> Answer {
    let app = &person.edge.app;
    let edit = app.editing.get(&person.owner, id(&edit)?).await?;
    let actor = person.actor();
    let access = Access { actor: &actor, purpose: PURPOSE };
    let records = app.vault.records_of(&person.owner, &access, &edit.id.to_string()).await?;
    let tongue = person.tongue();
    let words = called(tongue, &records);
    let mut results = Vec::new();
    for output in edit.outputs() {
        // One that was deleted since is left out.
        if let Ok(object) = app.vault.object(&person.owner, &access, output).await {
            results.push(tile(tongue, &object, &words, person.now));
        }
    }
    html(&EditProgress {
        shell: person.shell().await?,
        id: edit.id.to_string(),
        model: model_name(&edit.model),
        since: edit.created_at.into(),
        stage: stage(tongue, &edit),
        steps: steps(tongue, &edit),
        results,
        input_gone: (edit.state == EditState::Succeeded).then(|| {
            tongue.say("The photograph you uploaded is erased, and its key is destroyed.").to_owned()
        }),
        prompt: words,
    })
}

/// `POST /edits/{id}/cancel`
pub(crate) async fn cancel(person: Person, Path((_, edit)): Path<(String, String)>, _form: Filled) -> Answer {
    let edit: EditId = id(&edit)?;
    match person.edge.app.editing.cancel(&person.owner, edit).await {
        // It was quicker than the button: the page says how it ended.
        Ok(_) | Err(editing::Error::Over(_)) => Ok(see(&format!("{}/edits/{edit}", person.root()))),
        Err(e) => Err(e.into()),
    }
}

/// A listener to one edit.
struct Listening {
    person: Person,
    edit: EditId,
    steps: Receiver<Step>,
    first: bool,
    over: bool,
}

/// How often the database is asked even when nothing was heard: another replica may be making the edit.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// `GET /edits/{id}/events`
pub(crate) async fn events(person: Person, Path((_, edit)): Path<(String, String)>) -> Answer {
    let edit: EditId = id(&edit)?;
    let steps = person.edge.app.editing.progress().listen();
    person.edge.app.editing.get(&person.owner, edit).await?;
    let listening = Listening { person, edit, steps, first: true, over: false };
    let told = stream::unfold(listening, |mut l| async move {
        let event = l.next().await?;
        Some((Ok::<_, Infallible>(event), l))
    });
    Ok(Sse::new(told).keep_alive(KeepAlive::default()).into_response())
}

impl Listening {
    /// The next thing to tell: how it stands now, after something was heard of it or some time has passed.
    async fn next(&mut self) -> Option<Event> {
        if self.over {
            return None;
        }
        if !self.first {
            self.hear().await;
        }
        self.first = false;
        let edit = self.person.edge.app.editing.get(&self.person.owner, self.edit).await.ok()?;
        if is_running(&edit) {
            return Event::default()
                .event("progress")
                .json_data(steps_json(self.person.tongue(), &edit))
                .ok();
        }
        self.over = true;
        Some(Event::default().event("ended").data("{}"))
    }

    async fn hear(&mut self) {
        let heard = async {
            while let Ok(step) = self.steps.recv().await {
                if step.edit == self.edit {
                    return;
                }
            }
        };
        // Heard, fallen behind or nothing said: in each case the database knows.
        let _ = tokio::time::timeout(ASK_AGAIN, heard).await;
    }
}
