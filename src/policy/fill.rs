//! Placeholders: prose takes its numbers and names from the rules.

use crate::policy::front::Front;
use crate::policy::law;
use crate::policy::rules::Rules;
use crate::policy::spec::{Shape, fields};
use crate::policy::tongue;
use crate::policy::typed::title;
use crate::policy::values::{Item, Scalar};
use crate::policy::words::{Basis, RuleKind};

/// A piece of prose.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text as it stands, and where in the whole.
    Plain(&'a str, usize),
    /// The name between braces, and where in the whole the opening brace stands.
    Placeholder(&'a str, usize),
    /// A brace that belongs to no placeholder.
    Stray(usize),
}

/// Cuts prose at its placeholders: `{` a name of small letters, digits, dots and hyphens `}`.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut all = Vec::new();
    let mut plain = 0;
    let mut at = 0;
    let flush = |all: &mut Vec<_>, from: usize, to: usize| {
        if let Some(piece) = text.get(from..to).filter(|piece| !piece.is_empty()) {
            all.push(Piece::Plain(piece, from));
        }
    };
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(['{', '}'])) {
        let brace = at + found;
        flush(&mut all, plain, brace);
        let name = text.get(brace + 1..).and_then(|rest| rest.split_once('}')).map(|(name, _)| name);
        let opens = text.get(brace..).is_some_and(|rest| rest.starts_with('{'));
        at = if let Some(name) = name.filter(|name| opens && is_name(name)) {
            all.push(Piece::Placeholder(name, brace));
            brace + name.len() + 2
        } else {
            all.push(Piece::Stray(brace));
            brace + 1
        };
        plain = at;
    }
    flush(&mut all, plain, text.len());
    all
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
}

/// What placeholders are filled from.
pub(super) struct Filler<'a> {
    pub(super) front: &'a Front,
    pub(super) rules: &'a Rules,
}

/// Why a placeholder has no value.
pub(super) struct Unfilled {
    pub(super) why: String,
    pub(super) help: String,
}

impl Filler<'_> {
    /// The words for a placeholder.
    pub(super) fn value(&self, name: &str) -> Result<String, Unfilled> {
        let and = tongue::and(&self.front.root.text("language").unwrap_or_default());
        if let Some(items) = self.front.field(name) {
            return Ok(list_in(and, items.iter().map(|item| self.scalar(item, None, ""))));
        }
        let mut parts = name.splitn(3, '.');
        let (kind, id, field) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next());
        if kind == "law" {
            return law_value(id, field.unwrap_or("name"));
        }
        let unknown = || {
            Unfilled {
            why: format!("`{{{}}}` names nothing", super::reader::short(name)),
            help: "a placeholder is `{kind.name.key}`, such as `{retention.input-image.at-most}`, or a key of the front matter, such as `{contact.privacy}`".to_owned(),
        }
        };
        let kind: RuleKind = kind.parse().map_err(|_| unknown())?;
        let rule = self.rules.get(kind, id).ok_or_else(|| Unfilled {
            why: format!("there is no rule `{kind}.{}`", super::reader::short(id)),
            help: super::reader::closest(id, self.rules.of(kind).map(|rule| rule.id.as_str())).map_or_else(
                || format!("the document declares no {kind} of that name"),
                |near| format!("did you mean `{kind}.{near}`?"),
            ),
        })?;
        let Some(field) = field else { return Ok(self.name_of(kind, id)) };
        let spec = fields(kind).iter().find(|spec| spec.name == field);
        let items = rule.fields.items(field);
        if items.is_empty() && !rule.whole {
            // The rule has an error of its own; to report this as well would only hide it.
            return Ok(String::new());
        }
        if items.is_empty() {
            let keys: Vec<&str> = rule.fields.iter().map(|(key, _)| key).collect();
            let near = super::reader::closest(field, keys.iter().copied())
                .map_or(String::new(), |near| format!("did you mean `{{{}.{near}}}`? ", rule.name()));
            return Err(Unfilled {
                why: format!("`{}` says nothing of `{}`", rule.name(), super::reader::short(field)),
                help: format!("{near}It has {}", keys.join(", ")),
            });
        }
        Ok(list_in(and, items.iter().map(|item| self.scalar(item, spec.map(|spec| spec.shape), field))))
    }

    /// The rule a placeholder names, if it names one.
    pub(super) fn rule(&self, name: &str) -> Option<String> {
        let (kind, rest) = name.split_once('.')?;
        let id = rest.split('.').next()?;
        self.rules.get(kind.parse().ok()?, id).map(super::rules::Rule::name)
    }

    /// What people call a rule.
    fn name_of(&self, kind: RuleKind, id: &str) -> String {
        let Some(rule) = self.rules.get(kind, id) else { return id.to_owned() };
        let own = match kind {
            RuleKind::Processor => "name",
            RuleKind::Safeguard => "promises",
            RuleKind::Attestation => "what",
            _ => "title",
        };
        rule.fields.text(own).unwrap_or_else(|| title(rule))
    }

    fn scalar(&self, item: &Item, shape: Option<Shape>, field: &str) -> String {
        let language = self.front.root.text("language").unwrap_or_default();
        match (&item.value, shape) {
            (Scalar::Text(id), Some(Shape::Ref(kind))) => self.name_of(kind, id),
            (Scalar::Text(word), Some(Shape::Word(_))) if field == "basis" => {
                word.parse::<Basis>().map_or_else(|_| word.clone(), |basis| basis.in_words().to_owned())
            }
            (Scalar::Text(word), Some(Shape::Word(_))) => word.replace(['-', '.'], " "),
            (Scalar::Text(text), Some(Shape::Life)) if text == "as-ours" => {
                "as long as our own rules say".to_owned()
            }
            (Scalar::Text(text), _) => text.clone(),
            (Scalar::Flag(flag), _) => if *flag { "yes" } else { "no" }.to_owned(),
            (Scalar::Period(period) | Scalar::After(period, _), _) => tongue::length(*period, &language),
            (Scalar::Date(date), _) => tongue::date(*date, &language),
        }
    }
}

fn law_value(id: &str, field: &str) -> Result<String, Unfilled> {
    let pack = law::pack(id);
    let length = |term: &Option<law::Term>| term.as_ref().map(|term| term.length.to_string());
    let value = pack.and_then(|pack| match field {
        "name" => Some(pack.name.clone()),
        "cites" => Some(pack.cites.clone()),
        "answer" => length(&pack.answer),
        "extension" => length(&pack.extension),
        "breach" => length(&pack.breach),
        _ => None,
    });
    value.ok_or_else(|| Unfilled {
        why: format!("`{{law.{}.{}}}` names nothing", super::reader::short(id), super::reader::short(field)),
        help: "a law pack has name, cites, answer, extension and breach".to_owned(),
    })
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(words: impl Iterator<Item = String>) -> String {
    list_in("and", words)
}

fn list_in(and: &str, words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.collect();
    match (words.pop(), words.is_empty()) {
        (None, _) => String::new(),
        (Some(last), true) => last,
        (Some(last), false) => format!("{} {and} {last}", words.join(", ")),
    }
}

/// A cell of a CSV file as a spreadsheet may have it: what begins like a formula is marked as text (OWASP, CSV injection).
pub(super) fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_cut_at_its_placeholders_and_a_stray_brace_is_seen() {
        use Piece::{Placeholder, Plain, Stray};
        assert_eq!(pieces("a {b.c-1} d"), [Plain("a ", 0), Placeholder("b.c-1", 2), Plain(" d", 9)]);
        assert_eq!(pieces("{x}{y}"), [Placeholder("x", 0), Placeholder("y", 3)]);
        assert_eq!(pieces("{ x }"), [Stray(0), Plain(" x ", 1), Stray(4)]);
        assert_eq!(pieces("é}"), [Plain("é", 0), Stray(2)]);
        assert_eq!(pieces("{"), [Stray(0)]);
        assert_eq!(pieces(""), []);
    }
}
