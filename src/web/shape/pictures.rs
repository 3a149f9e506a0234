//! Pictures and edits as their owner sees them.

use crate::base::Timestamp;
use crate::editing::{self, Edit, EditState, ModelChoice as Model, ProviderChoice};
use crate::policy::{After, Fact as Happening, Policy, SubjectMay};
use crate::providers::studio::STYLES;
use crate::speech::{Case, Tongue, key};
use crate::vault::{Record, StoredObject};
use crate::web::view::{Age, Choice, Count, Fact, ModelChoice, Stage, Step, Tile};

/// The longer edge of a picture in the grid, in pixels.
pub(crate) const SMALL: u32 = 480;
/// The longer edge of a picture on its own page.
pub(crate) const LARGE: u32 = 1600;

/// A picture in the grid. `words` made it; empty for an upload.
pub(crate) fn tile(tongue: Tongue, object: &StoredObject, words: &str, now: Timestamp) -> Tile {
    let (width, height) = fit(object.meta.width.unwrap_or(4), object.meta.height.unwrap_or(3), SMALL);
    let upload = object.category == "input-image";
    let caption = match (upload, words.is_empty()) {
        (true, _) => tongue.say("A photograph you uploaded").to_owned(),
        (false, true) => tongue.say("Edited picture").to_owned(),
        (false, false) => words.to_owned(),
    };
    let alt = if upload || words.is_empty() {
        caption.clone()
    } else {
        tongue.put("Edited picture: {words}").with("words", words).text()
    };
    Tile {
        id: object.id.to_string(),
        alt,
        caption,
        made: object.item.created_at.into(),
        width,
        height,
        age: age(object.item.due_at, now),
    }
}

/// How long something stays that must go at `due`. A clock of years is no countdown.
fn age(due: Option<Timestamp>, now: Timestamp) -> Age {
    match due {
        Some(due) if due <= now => Age::Going,
        Some(due) if due.since(now) < chrono::TimeDelta::days(60) => Age::Goes(due.into()),
        _ => Age::UntilDeleted,
    }
}

/// Width and height scaled down so that the longer is at most `edge`.
pub(crate) fn fit(width: u32, height: u32, edge: u32) -> (u32, u32) {
    let longest = width.max(height).max(1);
    if longest <= edge {
        return (width.max(1), height.max(1));
    }
    let scale = |n: u32| u32::try_from(u64::from(n) * u64::from(edge) / u64::from(longest)).unwrap_or(edge);
    (scale(width).max(1), scale(height).max(1))
}

/// The words a person wrote for an edit, among what is kept of it.
pub(crate) fn prompt(records: &[Record]) -> String {
    text(records, "prompt", "text")
}

/// The style that was chosen for an edit.
pub(crate) fn style(tongue: Tongue, records: &[Record]) -> String {
    let id = text(records, "edit-parameters", "style");
    let known = STYLES.iter().find(|(known, _)| *known == id);
    known.map_or_else(String::new, |(_, name)| tongue.say(name).to_owned())
}

fn text(records: &[Record], category: &str, field: &str) -> String {
    let found = records.iter().find(|r| r.category == category);
    let value = found.and_then(|r| r.value.get(field)).and_then(serde_json::Value::as_str);
    value.unwrap_or_default().to_owned()
}

/// What an edit is called: its words, or its style.
pub(crate) fn called(tongue: Tongue, records: &[Record]) -> String {
    let words = prompt(records);
    if words.is_empty() { style(tongue, records) } else { words }
}

/// A model's name.
pub(crate) fn model_name(model: &str) -> String {
    if model == "max" { "Kontext Max" } else { "Kontext Pro" }.to_owned()
}

/// The models on offer.
pub(crate) fn models(tongue: Tongue, chosen: Model) -> Vec<ModelChoice> {
    let one = |model: Model, good_for: &'static str| ModelChoice {
        id: model.as_str().to_owned(),
        name: model_name(model.as_str()),
        good_for: tongue.say(good_for).to_owned(),
        credits: Count(u64::try_from(model.cost()).unwrap_or(0)),
        chosen: model == chosen,
    };
    vec![
        one(Model::Pro, key("Quick, and good for most edits.")),
        one(Model::Max, key("Slower, and more careful with fine detail.")),
    ]
}

/// The styles on offer.
pub(crate) fn styles(tongue: Tongue, chosen: &str) -> Vec<Choice> {
    let all = std::iter::once(("", key("As it is"))).chain(STYLES.iter().copied());
    all.map(|(value, says)| choice(tongue, value, says, chosen)).collect()
}

fn choice(tongue: Tongue, value: &str, says: &'static str, chosen: &str) -> Choice {
    Choice { value: value.to_owned(), says: tongue.say(says).to_owned(), chosen: value == chosen }
}

/// The shapes on offer.
pub(crate) fn shapes(tongue: Tongue, chosen: &str) -> Vec<Choice> {
    [
        ("", key("Same as the photograph")),
        ("1:1", key("Square")),
        ("4:3", key("Landscape, 4:3")),
        ("3:4", key("Portrait, 3:4")),
        ("16:9", key("Wide, 16:9")),
        ("9:16", key("Tall, 9:16")),
    ]
    .into_iter()
    .map(|(value, says)| choice(tongue, value, says, chosen))
    .collect()
}

/// Where an edit stands.
pub(crate) fn stage(tongue: Tongue, edit: &Edit) -> Stage {
    match edit.state {
        EditState::Queued | EditState::Running => Stage::Running,
        EditState::Succeeded => Stage::Done,
        EditState::Cancelled => Stage::Cancelled,
        EditState::Failed => {
            let why = edit.error.as_deref().map(whole).and_then(|why| {
                if tongue == Tongue::English { Some(why) } else { tongue.known(&why).map(ToOwned::to_owned) }
            });
            let why = why.unwrap_or_else(|| tongue.say("It could not be made.").to_owned());
            Stage::Failed(tongue.put("{why} Your credits are back.").with("why", why).text())
        }
    }
}

/// A reason as a whole sentence.
fn whole(why: &str) -> String {
    let mut says: String =
        why.chars().take(1).flat_map(char::to_uppercase).chain(why.chars().skip(1)).collect();
    if !says.ends_with(['.', '?', '!']) {
        says.push('.');
    }
    says
}

/// The steps of an edit. A step that was reached has a time; where only the end is known, the end's.
pub(crate) fn steps(tongue: Tongue, edit: &Edit) -> Vec<Step> {
    let step = |says: &'static str, at: Option<Timestamp>, now: bool| Step {
        says: tongue.say(says).to_owned(),
        at: at.map(Into::into),
        now,
        note: String::new(),
    };
    let done = edit.ended_at.filter(|_| edit.state == EditState::Succeeded);
    let over = edit.state.is_over();
    let mut steps = vec![
        step(key("Photograph received, checked and sealed"), Some(edit.created_at), false),
        step(key("Waiting for its turn"), edit.started_at, edit.started_at.is_none() && !over),
        step(key("The edit is made"), done, edit.started_at.is_some() && !over),
        step(
            if is_ai(edit) {
                key("Result marked as edited with AI, and sealed under your key")
            } else {
                key("Result marked with how it was made, and sealed under your key")
            },
            done,
            false,
        ),
        step(key("Photograph erased"), done, false),
    ];
    if over && done.is_none() {
        steps.retain(|s| s.at.is_some());
        let says = if edit.state == EditState::Cancelled {
            key("You stopped it")
        } else {
            key("It ended without a picture")
        };
        steps.push(step(says, edit.ended_at, false));
    }
    steps
}

/// What the event stream says of an edit: the steps, as the script puts them into the page.
pub(crate) fn steps_json(tongue: Tongue, edit: &Edit) -> serde_json::Value {
    let steps = steps(tongue, edit);
    let one = |s: &Step| {
        let state = match (s.at, s.now) {
            (Some(_), _) => "done",
            (None, true) => "now",
            _ => "ahead",
        };
        serde_json::json!({ "state": state, "says": s.says })
    };
    serde_json::json!({ "steps": steps.iter().map(one).collect::<Vec<_>>() })
}

/// Whether an edit goes on.
pub(crate) fn is_running(edit: &editing::Edit) -> bool {
    !edit.state.is_over()
}

/// When things of a category go, as a sentence.
pub(crate) fn goes(tongue: Tongue, policy: &Policy, category: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    if policy.category(category).is_some_and(|c| c.subject_may(SubjectMay::Delete)) {
        parts.push(tongue.say("when you delete it").to_owned());
    }
    let mut latest: Vec<String> = Vec::new();
    for rule in policy.retention_of(category) {
        parts.extend(rule.erase_when.iter().map(|fact| tongue.say(when(*fact)).to_owned()));
        latest.extend(rule.at_most.iter().map(|after| at_latest(tongue, *after, None)));
        latest.extend(rule.keep.iter().map(|after| at_latest(tongue, *after, rule.under.as_deref())));
    }
    parts.dedup();
    let or = |one: String, other: String| {
        tongue.put("{one}, or {other}").with("one", one).with("other", other).text()
    };
    let parts = parts.into_iter().reduce(or);
    let latest = latest.into_iter().reduce(or);
    let said = match (parts, latest) {
        (None, None) => return tongue.say("It goes with your account.").to_owned(),
        (Some(when), None) => tongue.put("It goes {when}.").with("when", when),
        (None, Some(latest)) => tongue.put("It goes {latest}.").with("latest", latest),
        (Some(when), Some(latest)) => {
            tongue.put("It goes {when}; at the latest {latest}.").with("when", when).with("latest", latest)
        }
    };
    said.text()
}

fn at_latest(tongue: Tongue, after: After, law: Option<&str>) -> String {
    let (period, fact) = (tongue.period(after.period, Case::Plain), tongue.tell(since(after.fact)));
    let said = match law {
        None => tongue.put("{period} after {fact}"),
        Some(law) => tongue.put("{period} after {fact}, as {law} demands").with("law", law),
    };
    said.with("period", period).with("fact", fact).text()
}

fn when(fact: Happening) -> &'static str {
    match fact {
        Happening::EditSucceeded => key("as soon as its edit has succeeded"),
        Happening::EditEnded => key("as soon as its edit has ended"),
        Happening::AccountClosed => key("when you close your account"),
        Happening::Withdrawn => key("when you take your consent back"),
        Happening::RequestClosed => key("when the request is closed"),
        other => other.in_words(),
    }
}

fn since(fact: Happening) -> &'static str {
    match fact {
        Happening::AccountClosed => key("you close your account"),
        Happening::LastActive => key("you were last here"),
        other => other.in_words(),
    }
}

/// What is kept beside a picture.
pub(crate) fn metadata(
    tongue: Tongue,
    object: &StoredObject,
    edit: Option<&Edit>,
    records: &[Record],
) -> Vec<Fact> {
    let fact = |name: &'static str, value: String| Fact { name: tongue.say(name).to_owned(), value };
    let mut facts = Vec::new();
    if let Some(edit) = edit {
        facts.push(fact(key("Model"), model_name(&edit.model)));
        facts.push(fact(key("Made by"), made_by(tongue, &edit.provider)));
        let style = style(tongue, records);
        if !style.is_empty() {
            facts.push(fact(key("Style"), style));
        }
    }
    if let (Some(w), Some(h)) = (object.meta.width, object.meta.height) {
        let pixels = format!("{} × {}", tongue.number(w.into()), tongue.number(h.into()));
        facts.push(fact(key("Pixels"), pixels));
    }
    let format = crate::imaging::Format::parse(&object.meta.media_type);
    let format = format.map(|format| {
        let said = tongue.put(match edit {
            _ if object.category != "output-image" => "{format}",
            Some(edit) if is_ai(edit) => key("{format}, marked as edited with AI"),
            _ => key("{format}, marked with how it was made"),
        });
        said.with("format", format).text()
    });
    facts.push(fact(key("Format"), format.unwrap_or_default()));
    if let Some((from, to)) = edit.and_then(|e| e.started_at.zip(e.ended_at)) {
        facts.push(fact(key("Made in"), tongue.span(to.since(from), Case::Plain)));
    }
    facts
}

/// Whether a generative model made an edit. The studio has none; what it makes is marked as edited by a person, or as
/// what the photograph was marked as already.
fn is_ai(edit: &Edit) -> bool {
    edit.provider != ProviderChoice::Studio.as_str()
}

fn made_by(tongue: Tongue, provider: &str) -> String {
    match provider {
        "studio" => tongue.say("studio, in this house; it is no AI").to_owned(),
        other => other.to_owned(),
    }
}

/// The name of the file one downloads.
pub(crate) fn file_name(object: &StoredObject) -> String {
    let day = object.item.created_at.to_utc().format("%Y-%m-%d");
    let ending = crate::imaging::Format::parse(&object.meta.media_type).map_or("bin", |f| f.extension());
    let id = object.id.to_string();
    let tail = id.get(id.len().saturating_sub(6)..).unwrap_or_default();
    format!("picture-{day}-{tail}.{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_shape() {
        assert_eq!(fit(4000, 3000, 480), (480, 360));
        assert_eq!(fit(100, 50, 480), (100, 50));
        assert_eq!(fit(16_000, 1, 480), (480, 1));
    }

    #[test]
    fn the_document_says_when_a_thing_goes() {
        let text = include_str!("../../../policies/flux-kontext/2026-11-01.md");
        let policy = Policy::compile(text).unwrap();
        let says = goes(Tongue::English, &policy, "input-image");
        assert!(says.contains("as soon as its edit has succeeded"), "{says}");
        assert!(says.contains("48 hours after it was uploaded"), "{says}");
        assert!(
            goes(Tongue::English, &policy, "account")
                .starts_with("It goes 30 days after you close your account")
        );
    }
}
