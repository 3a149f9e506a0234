//! Reads one table of TOML by a table of fields: every unknown key, missing key and ill-shaped value is found in one
//! run, each with its place in the document.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::diagnostic::Sink;
use super::shapes::{example, scalar};
use super::slips::Base;
use super::spec::{Count, Field};
use super::values::{Fields, Item};

/// The table to read: what people call it, where its name stands, and how places of the TOML text become places of the
/// document.
pub(crate) struct Subject<'a> {
    pub(crate) name: &'a str,
    pub(crate) span: Range<usize>,
    pub(crate) base: Base<'a>,
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
    let mut misspelt: Vec<&str> = Vec::new();
    for (key, value) in table {
        let name: &str = key.get_ref();
        if sections.contains(&name) {
            continue;
        }
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            unknown_key(name, moved(key.span(), subject.base), fields, sections, subject, sink);
            whole = false;
            // What was probably meant is not missing as well.
            misspelt.extend(closest(name, fields.iter().map(|field| field.name)));
            continue;
        };
        let span = moved(value.span(), subject.base);
        match values(field, value.get_ref(), span, subject.base, sink) {
            Some(items) => out.insert(field.name, items),
            None => whole = false,
        }
    }
    for field in fields.iter().filter(|field| field.required) {
        if !misspelt.contains(&field.name) && !table.keys().any(|key| key.get_ref() == field.name) {
            let code = if field.name == "basis" { "purpose-without-basis" } else { "missing-key" };
            sink.error(code, subject.span.clone(), format!("{} needs `{}`", subject.name, field.name))
                .help(format!("{} For example: `{} = {}`", field.doc, field.name, example(field)));
            whole = false;
        }
    }
    (out, whole)
}

pub(crate) fn moved(span: Range<usize>, base: Base<'_>) -> Range<usize> {
    base.moved(&span)
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
    let name = short(name).to_lowercase().replace(['_', ' '], "-");
    known
        .map(|candidate| (strsim::jaro_winkler(&name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.77)
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
    base: Base<'_>,
    sink: &mut Sink,
) -> Vec<Item> {
    values(field, value, span, base, sink).unwrap_or_default()
}

fn values(
    field: &Field,
    value: &DeValue<'_>,
    span: Range<usize>,
    base: Base<'_>,
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
