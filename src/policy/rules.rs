//! Reads the rule blocks of the clauses: first as tables with places, then as the nine kinds.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::diagnostic::Sink;
use super::document::RawClause;
use super::reader::{Subject, closest, moved, read, short};
use super::shapes::is_slug;
use super::slips::{self, Base, Mended};
use super::spec::{KEPT_BY, RIGHT_NAMES, fields};
use super::values::Fields;
use super::words::RuleKind;

/// A document with more rules than this does not compile.
pub const MAX_RULES: usize = 2000;

/// A rule with the places of its values.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) kind: RuleKind,
    pub(crate) id: String,
    /// Where its name stands.
    pub(crate) span: Range<usize>,
    /// The number of its clause.
    pub(crate) clause: usize,
    pub(crate) fields: Fields,
    /// Whether every key could be read.
    pub(crate) whole: bool,
}

impl Rule {
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.kind, self.id)
    }

    /// Where a key's value stands, or else the rule's name.
    pub(crate) fn at(&self, field: &str) -> Range<usize> {
        self.fields.span(field).unwrap_or_else(|| self.span.clone())
    }
}

/// All rules of a document.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) list: Vec<Rule>,
    by_name: BTreeMap<(RuleKind, String), usize>,
    /// For each clause by number: the rules it points at by `kept-by`, with the places of the names.
    pub(crate) kept_by: Vec<(usize, String, Range<usize>)>,
}

impl Rules {
    pub(crate) fn get(&self, kind: RuleKind, id: &str) -> Option<&Rule> {
        self.by_name.get(&(kind, id.to_owned())).and_then(|&at| self.list.get(at))
    }

    pub(crate) fn of(&self, kind: RuleKind) -> impl Iterator<Item = &Rule> + Clone {
        self.list.iter().filter(move |rule| rule.kind == kind)
    }

    fn add(&mut self, rule: Rule, sink: &mut Sink) {
        let key = (rule.kind, rule.id.clone());
        if let Some(first) = self.by_name.get(&key).and_then(|&at| self.list.get(at)) {
            let label = sink.label(first.span.clone(), "the first");
            sink.error(
                "duplicate-rule",
                rule.span.clone(),
                format!("two rules are called `{}`", rule.name()),
            )
            .also(label)
            .help("keep one of them: two rules for one thing cannot both be kept");
            return;
        }
        self.by_name.insert(key, self.list.len());
        self.list.push(rule);
    }
}

/// Reads every rule block.
pub(crate) fn read_all(source: &str, clauses: &[RawClause<'_>], sink: &mut Sink) -> Rules {
    let mut rules = Rules::default();
    for (number, clause) in clauses.iter().enumerate() {
        for block in &clause.blocks {
            read_block(source, number, block, &mut rules, sink);
            if rules.list.len() > MAX_RULES {
                sink.error(
                    "too-large",
                    block.clone(),
                    format!("the document has more than {MAX_RULES} rules"),
                );
                return rules;
            }
        }
    }
    rules
}

/// Parses TOML and reports what it says is wrong, each with its place. What is a slip of the pen was told and put right
/// when the copy was made.
pub(crate) fn toml_table<'a>(copy: &'a Mended, sink: &mut Sink) -> DeTable<'a> {
    let (table, errors) = DeTable::parse_recoverable(&copy.text);
    let mut lines = Vec::new();
    for error in errors.iter().take(20) {
        let span = moved(error.span().unwrap_or(0..0), copy.base());
        let line = sink.place(span.start).0;
        // The first on a line is the cause; what follows on it is not.
        if lines.contains(&line) {
            continue;
        }
        lines.push(line);
        if error.message().contains("duplicate") {
            sink.error("duplicate-key", span, "this stands here twice").help("keep one of them");
        } else {
            let message = format!("this cannot be read: {}", error.message());
            sink.torn(span, message);
        }
    }
    table.into_inner()
}

/// A copy of a block with its slips told and put right.
pub(crate) fn mended(source: &str, block: &Range<usize>, sink: &mut Sink) -> Mended {
    let text = source.get(block.clone()).unwrap_or("");
    if let Some(at) = text.find('\t') {
        let at = block.start + at;
        sink.error("tab", at..at + 1, "a tab stands in a rule").help("use spaces");
    }
    slips::mend(source, block, sink)
}

fn read_block(source: &str, clause: usize, block: &Range<usize>, rules: &mut Rules, sink: &mut Sink) {
    let before = sink.errors();
    let copy = mended(source, block, sink);
    let base = copy.base();
    let mut tables: Vec<_> = toml_table(&copy, sink).into_iter().collect();
    if tables.is_empty() && sink.errors() == before {
        sink.error("empty-block", block.clone(), "a rule block without a rule")
            .help("write `[kind.name]` and its keys, or remove the block");
    }
    tables.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in tables {
        let span = moved(key.span(), base);
        let name: &str = key.get_ref();
        if name == KEPT_BY.name {
            read_kept_by(clause, value.get_ref(), moved(value.span(), base), base, rules, sink);
            continue;
        }
        let Some(kind) = kind_of(name, span.clone(), sink) else { continue };
        let DeValue::Table(members) = value.get_ref() else {
            sink.error("wrong-type", span, format!("a rule of kind `{kind}` is a table"))
                .help(format!("write it as `[{kind}.a-name]` with its keys below"));
            continue;
        };
        let mut members: Vec<_> = members.iter().collect();
        members.sort_by_key(|(key, _)| key.span().start);
        for (id, value) in members {
            let span = moved(id.span(), base);
            read_rule(kind, id.get_ref(), span, clause, value.get_ref(), base, rules, sink);
        }
    }
}

/// The kind of a rule. One that is misspelt is told, and then read as the kind that was meant.
fn kind_of(name: &str, span: Range<usize>, sink: &mut Sink) -> Option<RuleKind> {
    if let Ok(kind) = name.parse::<RuleKind>() {
        return Some(kind);
    }
    let near = closest(name, RuleKind::NAMES.iter().copied());
    let help = near.map_or_else(
        || format!("the name of a rule begins with its kind, such as `[category.{}]`. ", short(name)),
        |near| format!("did you mean `{near}`? "),
    );
    sink.error("unknown-kind", span, format!("there is no kind of rule called `{}`", short(name)))
        .help(format!("{help}The kinds are {}", RuleKind::NAMES.join(", ")));
    if near.is_none() {
        sink.tear();
    }
    near.and_then(|near| near.parse().ok())
}

fn read_kept_by(
    clause: usize,
    value: &DeValue<'_>,
    span: Range<usize>,
    base: Base<'_>,
    rules: &mut Rules,
    sink: &mut Sink,
) {
    for item in super::reader::list(&KEPT_BY, value, span, base, sink) {
        if let super::values::Scalar::Text(name) = item.value {
            rules.kept_by.push((clause, name, item.span));
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "one call, and a struct for it would only be unpacked again")]
fn read_rule(
    kind: RuleKind,
    id: &str,
    span: Range<usize>,
    clause: usize,
    value: &DeValue<'_>,
    base: Base<'_>,
    rules: &mut Rules,
    sink: &mut Sink,
) {
    if kind == RuleKind::Right && !RIGHT_NAMES.contains(&id) {
        let near = closest(id, RIGHT_NAMES.iter().copied())
            .map_or(String::new(), |near| format!("did you mean `{near}`? "));
        sink.error("unknown-right", span, format!("there is no right called `{}`", short(id)))
            .help(format!("{near}The rights are {}", RIGHT_NAMES.join(", ")));
        return;
    }
    if !is_slug(id) {
        sink.error(
            "wrong-value",
            span,
            "the name of a rule is small letters, digits and hyphens, and begins with a letter",
        )
        .help("for example `[category.input-image]`");
        sink.tear();
        return;
    }
    let DeValue::Table(table) = value else {
        sink.error("wrong-type", span, format!("`{kind}.{id}` is a table of keys"))
            .help(format!("write `[{kind}.{id}]` on a line of its own"));
        return;
    };
    let name = format!("{kind}.{id}");
    let (fields, whole) =
        read(table, fields(kind), &[], &Subject { name: &name, span: span.clone(), base }, sink);
    rules.add(Rule { kind, id: id.to_owned(), span, clause, fields, whole }, sink);
}
