//! Whether a value has the shape its key asks for; if not, what it should be.

use std::ops::Range;

use chrono::NaiveDate;
use toml::de::DeValue;

use crate::base::{BadPeriod, Period};

use super::diagnostic::Sink;
use super::meant;
use super::reader::{closest, short};
use super::spec::{Field, Shape};
use super::values::Scalar;
use super::words::Fact;

pub(super) fn scalar(
    field: &Field,
    value: &DeValue<'_>,
    span: &Range<usize>,
    sink: &mut Sink,
) -> Option<Scalar> {
    match (field.shape, value) {
        (Shape::Flag, DeValue::Boolean(flag)) => Some(Scalar::Flag(*flag)),
        (Shape::Date, DeValue::Datetime(date)) => text_value(field, &date.to_string(), span, sink),
        (Shape::Flag, _) => wrong_type(field, value, span, sink),
        (_, DeValue::String(text)) => text_value(field, text, span, sink),
        _ => wrong_type(field, value, span, sink),
    }
}

fn wrong_type(field: &Field, value: &DeValue<'_>, span: &Range<usize>, sink: &mut Sink) -> Option<Scalar> {
    let message = format!("`{}` takes {}; this is {}", field.name, expects(field.shape), type_name(value));
    sink.error("wrong-type", span.clone(), message).help(format!(
        "for example: `{} = {}`",
        field.name,
        example(field)
    ));
    None
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn text_value(field: &Field, text: &str, span: &Range<usize>, sink: &mut Sink) -> Option<Scalar> {
    let plain = || Some(Scalar::Text(text.to_owned()));
    let fits = match field.shape {
        Shape::Text => return sentence(field, text, span, sink),
        Shape::Life if text == "as-ours" => return plain(),
        Shape::Period | Shape::Life => return period(text, span, sink).map(Scalar::Period),
        Shape::After => return after(field, text, span, sink),
        Shape::Word(words) => return word(field, text, words, span, sink),
        Shape::Date => return date(field, text, span, sink),
        // Whether such a thing exists is asked later, when every rule is known.
        Shape::Ref(_) | Shape::Slug | Shape::Pack | Shape::Statute | Shape::Probe => is_slug(text),
        Shape::RuleName => text.split_once('.').is_some_and(|(kind, id)| is_slug(kind) && is_slug(id)),
        Shape::Country => meant::is_country(text),
        Shape::Host => is_host(text.strip_prefix("*.").unwrap_or(text)),
        Shape::Url => text.strip_prefix("https://").is_some_and(|rest| {
            is_host(rest.split('/').next().unwrap_or(""))
                && text.len() <= 300
                && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>`\\".contains(&b))
        }),
        Shape::Email => is_email(text),
        Shape::Flag => false,
    };
    if fits {
        return plain();
    }
    sink.error(
        "wrong-value",
        span.clone(),
        format!("`{}` takes {}; this is not one", field.name, expects(field.shape)),
    )
    .help(advice(field, text));
    None
}

/// What to write instead of a text that does not have its form.
fn advice(field: &Field, text: &str) -> String {
    let name = field.name;
    let near = match field.shape {
        Shape::Country => meant::country(text),
        Shape::Host => text
            .split_once("://")
            .map(|(_, rest)| rest.split(['/', ':', '?']).next().unwrap_or(""))
            .filter(|host| is_host(host))
            .map(|host| format!("the name alone: `{name} = \"{host}\"`")),
        Shape::Url => Some(text.trim_start_matches("http://"))
            .filter(|rest| is_host(rest.split('/').next().unwrap_or("")))
            .map(|rest| format!("did you mean `https://{rest}`?")),
        Shape::Pack => {
            let lower = text.to_lowercase();
            let known = super::law::packs().iter().map(|pack| pack.id.as_str());
            let part =
                known.clone().find(|id| id.split('-').any(|part| lower.contains(part) && part.len() > 2));
            part.or_else(|| closest(text, known)).map(|id| format!("did you mean `{id}`?"))
        }
        _ => None,
    };
    near.unwrap_or_else(|| format!("for example: `{name} = {}`", example(field)))
}

fn sentence(field: &Field, text: &str, span: &Range<usize>, sink: &mut Sink) -> Option<Scalar> {
    let count = text.chars().count();
    if text.trim().is_empty() || count > 1000 {
        sink.error(
            "wrong-value",
            span.clone(),
            format!("`{}` takes 1 to 1000 characters; these are {count}", field.name),
        );
        return None;
    }
    Some(Scalar::Text(text.trim().to_owned()))
}

fn word(
    field: &Field,
    text: &str,
    words: &'static [&'static str],
    span: &Range<usize>,
    sink: &mut Sink,
) -> Option<Scalar> {
    if words.contains(&text) {
        return Some(Scalar::Text(text.to_owned()));
    }
    let list = words.join(", ");
    let help = closest(text, words.iter().copied()).map_or_else(
        || format!("the words are {list}"),
        |near| format!("did you mean `{near}`? The words are {list}"),
    );
    sink.error("unknown-word", span.clone(), format!("`{}` does not know `{}`", field.name, short(text)))
        .help(help);
    None
}

fn date(field: &Field, text: &str, span: &Range<usize>, sink: &mut Sink) -> Option<Scalar> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
    if date.is_none() {
        sink.error("wrong-value", span.clone(), format!("`{}` takes a calendar date", field.name))
            .help("write it as year-month-day, such as `2026-11-01`");
    }
    date.map(Scalar::Date)
}

const LENGTHS: &str = "write a whole number and a unit: `48 hours`, `30 days`, `18 months`, `2 years`; anything from 1 second to 100 years";

/// A length of time, or the diagnostic that tells a vague one from a misspelt one.
fn period(text: &str, span: &Range<usize>, sink: &mut Sink) -> Option<Period> {
    let why = match Period::parse(text) {
        Ok(period) => return Some(period),
        Err(why) => why,
    };
    let meant = meant::length(text).filter(|_| why == BadPeriod::Unreadable);
    let vague = why == BadPeriod::Unreadable && meant.is_none() && !text.bytes().any(|b| b.is_ascii_digit());
    let shown = short(text);
    let working = ["working", "business"].iter().any(|word| text.contains(word));
    let (code, message) = match (&meant, why) {
        _ if vague => ("vague-period", format!("`{shown}` is no length of time that a clock could keep")),
        (Some(_), _) if working => {
            ("bad-period", format!("`{shown}`: clocks here run through weekends and holidays"))
        }
        (Some(_), _) => ("bad-period", format!("`{shown}` is not written as a clock reads it")),
        (None, why) => ("bad-period", format!("`{shown}`: {why}")),
    };
    let help = match meant {
        Some(meant) if working => {
            format!("write calendar time that never exceeds what you mean, such as `{meant}`")
        }
        Some(meant) => format!("write `{meant}`"),
        None => LENGTHS.to_owned(),
    };
    sink.error(code, span.clone(), message).help(help);
    None
}

fn after(field: &Field, text: &str, span: &Range<usize>, sink: &mut Sink) -> Option<Scalar> {
    let facts = || format!("the facts are {}", Fact::NAMES.join(", "));
    let Some((length, fact)) = text.split_once(" after ") else {
        let vague = meant::length(text).is_none() && !text.bytes().any(|b| b.is_ascii_digit());
        let code = if vague { "vague-period" } else { "bad-period" };
        let help = meant::after(text).map_or_else(
            || {
                let length = meant::length(text).unwrap_or_else(|| "48 hours".to_owned());
                format!("say what it is counted from, such as `{length} after uploaded`; {}", facts())
            },
            |meant| format!("did you mean `{meant}`? Otherwise {}", facts()),
        );
        let message =
            format!("`{}` takes a length of time after a fact; `{}` is not", field.name, short(text));
        sink.error(code, span.clone(), message).help(help);
        return None;
    };
    let period = period(length, span, sink)?;
    fact_of(fact.trim(), span, sink).map(|fact| Scalar::After(period, fact))
}

/// The fact of this name, or the error that says which was meant.
fn fact_of(text: &str, span: &Range<usize>, sink: &mut Sink) -> Option<Fact> {
    if let Ok(fact) = text.parse::<Fact>() {
        return Some(fact);
    }
    let near = closest(text, Fact::NAMES.iter().copied())
        .or_else(|| meant::fact(text).map(Fact::as_str))
        .map_or(String::new(), |near| format!("did you mean `{near}`? "));
    sink.error("unknown-fact", span.clone(), format!("no clock starts at `{}`", short(text)))
        .help(format!("{near}The facts are {}", Fact::NAMES.join(", ")));
    None
}

/// `[a-z][a-z0-9-]*`, at most 60 characters, no hyphen at the end.
pub(crate) fn is_slug(text: &str) -> bool {
    let shape = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    shape
        && text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && text.len() <= 60
        && !text.ends_with('-')
}

fn is_host(text: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}

fn is_email(text: &str) -> bool {
    let local = |l: &str| {
        (1..=64).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b))
            && !l.starts_with('.')
            && !l.ends_with('.')
    };
    text.split_once('@').is_some_and(|(l, host)| local(l) && is_host(host))
}

/// What a shape takes, in words.
pub(crate) fn expects(shape: Shape) -> &'static str {
    match shape {
        Shape::Text => "text in quotes",
        Shape::Slug => "a name of small letters, digits and hyphens",
        Shape::Flag => "true or false",
        Shape::Period => "a length of time",
        Shape::After => "a length of time after a fact",
        Shape::Life => "a length of time, or `as-ours`",
        Shape::Date => "a calendar date",
        Shape::Word(_) => "one of its words",
        Shape::Ref(_) => "the id of a rule",
        Shape::Country => "a country of two capital letters (ISO 3166)",
        Shape::Host => "a host name",
        Shape::Url => "an https address",
        Shape::Email => "an e-mail address",
        Shape::Pack => "the id of a law pack",
        Shape::Statute => "the id of a statutory period of a law pack",
        Shape::Probe => "the name of a check",
        Shape::RuleName => "the full name of a rule",
    }
}

/// A value that would fit.
pub(crate) fn example(field: &Field) -> String {
    let one = match field.shape {
        Shape::Text => "\"in plain words\"",
        Shape::Slug => "\"a-name\"",
        Shape::Flag => "true",
        Shape::Period => "\"30 days\"",
        Shape::After => "\"48 hours after uploaded\"",
        Shape::Life => "\"1 hour\"",
        Shape::Date => "2026-11-01",
        Shape::Word(words) => return format!("\"{}\"", words.first().copied().unwrap_or("")),
        Shape::Ref(kind) => return format!("\"a-{kind}\""),
        Shape::Country => "\"DE\"",
        Shape::Host => "\"api.example.com\"",
        Shape::Url => "\"https://example.com/privacy\"",
        Shape::Email => "\"privacy@example.com\"",
        Shape::Pack => "\"eu-gdpr\"",
        Shape::Statute => "\"de-invoices\"",
        Shape::Probe => "\"retention-kept\"",
        Shape::RuleName => "\"retention.input-image\"",
    };
    one.to_owned()
}
