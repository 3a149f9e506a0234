//! Reads one table of TOML by a table of fields: every unknown key, missing key and ill-shaped value is found in one
//! run, each with its place in the document.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::NaiveDate;
use toml::de::{DeTable, DeValue};

use crate::base::{BadPeriod, Period};

use super::diagnostic::Sink;
use super::spec::{Count, Field, Shape};
use super::words::Fact;

/// A value that has its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// A sentence, a word, an id, a name, an address.
    Text(String),
    /// A switch.
    Flag(bool),
    /// A length of time.
    Period(Period),
    /// A length of time after a fact.
    After(Period, Fact),
    /// A calendar date.
    Date(NaiveDate),
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// Byte range in the document.
    pub(crate) span: Range<usize>,
    /// The value.
    pub(crate) value: Scalar,
}

/// The values of a table by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fields(BTreeMap<&'static str, Vec<Item>>);

impl Fields {
    /// All values of a key; none if it is not there.
    pub(crate) fn items(&self, name: &str) -> &[Item] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether the key is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Where the key's first value stands.
    pub(crate) fn span(&self, name: &str) -> Option<Range<usize>> {
        self.items(name).first().map(|item| item.span.clone())
    }

    /// Every key that is there with its values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &[Item])> {
        self.0.iter().map(|(name, items)| (*name, items.as_slice()))
    }

    /// The text of a key.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.texts(name).into_iter().next()
    }

    /// All texts of a key.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let text = |item: &Item| match &item.value {
            Scalar::Text(text) => Some(text.clone()),
            _ => None,
        };
        self.items(name).iter().filter_map(text).collect()
    }

    /// The word of a key.
    pub(crate) fn word<W: std::str::FromStr>(&self, name: &str) -> Option<W> {
        self.words(name).into_iter().next()
    }

    /// All words of a key.
    pub(crate) fn words<W: std::str::FromStr>(&self, name: &str) -> Vec<W> {
        self.texts(name).iter().filter_map(|text| text.parse().ok()).collect()
    }

    /// The switch of a key, `false` without it.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.maybe_flag(name).unwrap_or(false)
    }

    /// The switch of a key, if it is there.
    pub(crate) fn maybe_flag(&self, name: &str) -> Option<bool> {
        self.items(name).iter().find_map(|item| match item.value {
            Scalar::Flag(flag) => Some(flag),
            _ => None,
        })
    }

    /// The length of time of a key.
    pub(crate) fn period(&self, name: &str) -> Option<Period> {
        self.periods(name).into_iter().next()
    }

    /// All lengths of time of a key.
    pub(crate) fn periods(&self, name: &str) -> Vec<Period> {
        let period = |item: &Item| match item.value {
            Scalar::Period(period) => Some(period),
            _ => None,
        };
        self.items(name).iter().filter_map(period).collect()
    }

    /// All lengths of time after a fact of a key.
    pub(crate) fn afters(&self, name: &str) -> Vec<(Period, Fact)> {
        let after = |item: &Item| match item.value {
            Scalar::After(period, fact) => Some((period, fact)),
            _ => None,
        };
        self.items(name).iter().filter_map(after).collect()
    }

    /// The date of a key.
    pub(crate) fn date(&self, name: &str) -> Option<NaiveDate> {
        self.items(name).iter().find_map(|item| match item.value {
            Scalar::Date(date) => Some(date),
            _ => None,
        })
    }
}

/// The table to read: what people call it, where its name stands, and by how much the spans of the TOML text must be
/// moved to become spans of the document.
pub(crate) struct Subject<'a> {
    pub(crate) name: &'a str,
    pub(crate) span: Range<usize>,
    pub(crate) base: usize,
}

/// Reads `table` by `fields`. `None` if anything was wrong; what was wrong is in `sink`.
pub(crate) fn read(
    table: &DeTable<'_>,
    fields: &'static [Field],
    sections: &[&str],
    subject: &Subject<'_>,
    sink: &mut Sink,
) -> (Fields, bool) {
    let mut out = Fields::default();
    let mut whole = true;
    for (key, value) in table {
        let name: &str = key.get_ref();
        if sections.contains(&name) {
            continue;
        }
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            unknown_key(name, moved(key.span(), subject.base), fields, sections, subject, sink);
            whole = false;
            continue;
        };
        let span = moved(value.span(), subject.base);
        match values(field, value.get_ref(), span, subject.base, sink) {
            Some(items) => drop(out.0.insert(field.name, items)),
            None => whole = false,
        }
    }
    for field in fields.iter().filter(|field| field.required) {
        if !table.keys().any(|key| key.get_ref() == field.name) {
            let code = if field.name == "basis" { "purpose-without-basis" } else { "missing-key" };
            sink.error(code, subject.span.clone(), format!("{} needs `{}`", subject.name, field.name))
                .help(format!("{} For example: `{} = {}`", field.doc, field.name, example(field)));
            whole = false;
        }
    }
    (out, whole)
}

pub(crate) fn moved(span: Range<usize>, base: usize) -> Range<usize> {
    span.start + base..span.end + base
}

fn unknown_key(
    name: &str,
    span: Range<usize>,
    fields: &[Field],
    sections: &[&str],
    subject: &Subject<'_>,
    sink: &mut Sink,
) {
    let known = fields.iter().map(|field| field.name).chain(sections.iter().copied());
    let help = closest(name, known.clone()).map_or_else(
        || format!("the keys here are {}", known.collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    sink.error("unknown-key", span, format!("{} has no key `{}`", subject.name, short(name))).help(help);
}

/// The known name that was probably meant.
pub(crate) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = short(name);
    known
        .map(|candidate| (strsim::jaro_winkler(&name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// At most sixty characters of somebody else's text, without control characters.
pub(crate) fn short(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut out: String = text.chars().take(60).map(clean).collect();
    if text.chars().nth(60).is_some() {
        out.push('…');
    }
    out
}

/// Reads one value or a list by a field; empty if anything was wrong.
pub(crate) fn list(
    field: &Field,
    value: &DeValue<'_>,
    span: Range<usize>,
    base: usize,
    sink: &mut Sink,
) -> Vec<Item> {
    values(field, value, span, base, sink).unwrap_or_default()
}

fn values(
    field: &Field,
    value: &DeValue<'_>,
    span: Range<usize>,
    base: usize,
    sink: &mut Sink,
) -> Option<Vec<Item>> {
    let DeValue::Array(array) = value else {
        return scalar(field, value, &span, sink).map(|value| vec![Item { span, value }]);
    };
    if field.count == Count::One {
        sink.error("wrong-type", span, format!("`{}` takes one value, not a list", field.name))
            .help(format!("for example: `{} = {}`", field.name, example(field)));
        return None;
    }
    if array.is_empty() {
        sink.error("wrong-type", span, format!("`{}` is an empty list", field.name))
            .help("name at least one, or leave the key out");
        return None;
    }
    let mut items: Vec<Item> = Vec::new();
    let mut whole = true;
    for element in array {
        let span = moved(element.span(), base);
        match scalar(field, element.get_ref(), &span, sink) {
            Some(value) if items.iter().any(|item| item.value == value) => {
                sink.error("repeated-value", span, format!("`{}` names this twice", field.name))
                    .help("leave one of them out");
                whole = false;
            }
            Some(value) => items.push(Item { span, value }),
            None => whole = false,
        }
    }
    whole.then_some(items)
}

fn scalar(field: &Field, value: &DeValue<'_>, span: &Range<usize>, sink: &mut Sink) -> Option<Scalar> {
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
        Shape::Country => text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()),
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
    .help(format!("for example: `{} = {}`", field.name, example(field)));
    None
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

/// A length of time, or the diagnostic that tells a vague one from a misspelt one.
fn period(text: &str, span: &Range<usize>, sink: &mut Sink) -> Option<Period> {
    let why = match Period::parse(text) {
        Ok(period) => return Some(period),
        Err(why) => why,
    };
    let vague = why == BadPeriod::Unreadable && !text.bytes().any(|b| b.is_ascii_digit());
    let code = if vague { "vague-period" } else { "bad-period" };
    let message = if vague {
        format!("`{}` is no length of time that a clock could keep", short(text))
    } else {
        format!("`{}`: {why}", short(text))
    };
    sink.error(code, span.clone(), message)
        .help("write a whole number and a unit: `48 hours`, `30 days`, `18 months`, `2 years`; anything from 1 second to 100 years");
    None
}

fn after(field: &Field, text: &str, span: &Range<usize>, sink: &mut Sink) -> Option<Scalar> {
    let Some((length, fact)) = text.split_once(" after ") else {
        let vague = !text.bytes().any(|b| b.is_ascii_digit());
        let code = if vague { "vague-period" } else { "bad-period" };
        sink.error(
            code,
            span.clone(),
            format!("`{}` takes a length of time after a fact; `{}` is not", field.name, short(text)),
        )
        .help(format!("for example `48 hours after uploaded`; the facts are {}", Fact::NAMES.join(", ")));
        return None;
    };
    let period = period(length, span, sink)?;
    let Ok(fact) = fact.trim().parse::<Fact>() else {
        let near = closest(fact.trim(), Fact::NAMES.iter().copied())
            .map_or(String::new(), |near| format!("did you mean `{near}`? "));
        sink.error("unknown-fact", span.clone(), format!("no clock starts at `{}`", short(fact.trim())))
            .help(format!("{near}The facts are {}", Fact::NAMES.join(", ")));
        return None;
    };
    Some(Scalar::After(period, fact))
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
