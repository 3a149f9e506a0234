//! From a document to a policy, or to everything that is wrong with it.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, Tag, html};
use sha2::{Digest, Sha256};

use super::check::{self, Checked};
use super::diagnostic::{Diagnostic, Sink};
use super::document::{RawClause, cut};
use super::fill::{Filler, Piece, pieces};
use super::front::{Front, read_front};
use super::model::Clause;
use super::rules::{Rules, read_all};
use super::typed::typed;
use super::{Checkup, Policy};

/// Compiles `source`, and tells all that is wrong with it in one run.
pub(super) fn checkup(source: &str) -> Checkup {
    let mut sink = Sink::new(source);
    let policy = compile(source, &mut sink);
    let failed = sink.errors() > 0;
    let diagnostics = sink.into_sorted();
    let policy = policy.filter(|_| !failed).map(|policy| {
        let warnings = diagnostics.iter().filter(|d| !d.is_error()).cloned().collect();
        Policy { warnings, ..policy }
    });
    Checkup { policy, diagnostics }
}

/// As [`checkup`], for bytes that may not be text.
pub(super) fn checkup_bytes(bytes: &[u8]) -> Checkup {
    match std::str::from_utf8(bytes) {
        Ok(source) => checkup(source),
        Err(error) => {
            let good = error.valid_up_to();
            let readable = String::from_utf8_lossy(bytes.get(..good).unwrap_or(&[])).into_owned();
            let mut sink = Sink::new(&readable);
            sink.error("not-utf-8", good..good, "the document is not UTF-8 from here on")
                .help("save it as UTF-8");
            Checkup { policy: None, diagnostics: sink.into_sorted() }
        }
    }
}

fn compile(source: &str, sink: &mut Sink) -> Option<Policy> {
    let document = cut(source, sink)?;
    let front = document.front.as_ref().map(|block| read_front(source, block, sink)).unwrap_or_default();
    let rules = read_all(source, &document.clauses, sink);
    let law = front.law.first().cloned().unwrap_or_default();
    let typed = typed(&rules, &document.clauses, &law);
    check::rules(&Checked { front: &front, rules: &rules, typed: &typed }, sink);
    let clauses = clauses(source, &document.clauses, &front, &rules, sink);
    let head = front.head()?;
    Some(Policy {
        hash: Sha256::digest(source.as_bytes()).into(),
        source: source.to_owned(),
        law: front.law.clone(),
        head,
        rules: typed,
        clauses,
        warnings: Vec::<Diagnostic>::new(),
    })
}

fn clauses(
    source: &str,
    raw: &[RawClause<'_>],
    front: &Front,
    rules: &Rules,
    sink: &mut Sink,
) -> Vec<Clause> {
    let filler = Filler { front, rules };
    let mut all = Vec::with_capacity(raw.len());
    for (number, clause) in raw.iter().enumerate() {
        let mut named: Vec<String> =
            rules.list.iter().filter(|rule| rule.clause == number).map(super::rules::Rule::name).collect();
        named.extend(rules.kept_by.iter().filter(|(at, ..)| *at == number).map(|(_, name, _)| name.clone()));
        let title = filled(&clause.title, &filler, &mut named, raw, sink);
        let prose = filled(&clause.prose, &filler, &mut named, raw, sink);
        check::prose::clause(clause, number, !named.is_empty() || !clause.blocks.is_empty(), rules, sink);
        let empty_about =
            number == 0 && clause.title.is_empty() && clause.prose.is_empty() && clause.blocks.is_empty();
        if empty_about {
            continue;
        }
        let source = |block: &Range<usize>| source.get(block.clone()).unwrap_or("").trim_end().to_owned();
        all.push(Clause {
            id: clause.id.clone(),
            title: plain(&title),
            level: clause.level,
            text: plain(&prose),
            html: to_html(prose),
            rules: named,
            rule_source: clause.blocks.iter().map(source).collect::<Vec<_>>().join("\n\n"),
            information: clause.information,
        });
    }
    all
}

/// The events with every placeholder filled in; the rules they name are added to `named`.
fn filled<'a>(
    events: &[(Event<'a>, Range<usize>)],
    filler: &Filler<'_>,
    named: &mut Vec<String>,
    clauses: &[RawClause<'_>],
    sink: &mut Sink,
) -> Vec<Event<'a>> {
    let mut out = Vec::with_capacity(events.len());
    for (event, span) in events {
        out.push(match event {
            Event::Text(text) => match fill(text, span, filler, named, sink) {
                Some(text) => Event::Text(text.into()),
                None => Event::Text(text.clone()),
            },
            Event::Html(text) | Event::InlineHtml(text) => Event::Text(text.clone()),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                // A clause whose id is missing has its own error, and may be the one that is meant.
                if let Some(anchor) = dest_url
                    .strip_prefix('#')
                    .filter(|a| !clauses.iter().any(|c| c.id == *a || c.id.is_empty()))
                {
                    let message = format!("there is no clause `#{}`", super::reader::short(anchor));
                    sink.error("dangling-name", span.clone(), message);
                }
                let dest_url: CowStr<'_> = match fill(dest_url, span, filler, named, sink) {
                    Some(url) => url.into(),
                    None => dest_url.clone(),
                };
                Event::Start(Tag::Link {
                    link_type: *link_type,
                    dest_url,
                    title: title.clone(),
                    id: id.clone(),
                })
            }
            other => other.clone(),
        });
    }
    out
}

/// The text with its placeholders filled in; `None` if it has none.
fn fill(
    text: &str,
    span: &Range<usize>,
    filler: &Filler<'_>,
    named: &mut Vec<String>,
    sink: &mut Sink,
) -> Option<String> {
    let pieces = pieces(text);
    if pieces.iter().all(|piece| matches!(piece, Piece::Plain(..))) {
        return None;
    }
    // Escapes make a text shorter than its source: then the whole run is pointed at.
    let place = |at: usize, len: usize| {
        if span.len() == text.len() { span.start + at..span.start + at + len } else { span.clone() }
    };
    let mut out = String::new();
    let mut told_to = 0;
    for piece in pieces {
        match piece {
            Piece::Plain(plain, _) => out.push_str(plain),
            // The second brace of one that was told already.
            Piece::Stray(at) if at < told_to => {}
            Piece::Stray(at) => {
                told_to = stray(text, at, &place, sink);
            }
            Piece::Placeholder(name, at) => {
                if let Some(rule) = filler.rule(name).filter(|rule| !named.contains(rule)) {
                    named.push(rule);
                }
                match filler.value(name) {
                    Ok(value) => out.push_str(&value),
                    Err(wrong) => {
                        sink.error("placeholder", place(at, name.len() + 2), wrong.why).help(wrong.help);
                    }
                }
            }
        }
    }
    Some(out)
}

/// Tells of a brace that opens no placeholder; with what stands up to its partner, if it has one. Returns where that ends.
fn stray(text: &str, at: usize, place: &dyn Fn(usize, usize) -> Range<usize>, sink: &mut Sink) -> usize {
    const FORM: &str = "a placeholder is `{kind.name.key}` in small letters and hyphens, without spaces";
    let rest = text.get(at..).unwrap_or("");
    let partner = rest.find('}').filter(|end| *end <= 120 && !rest.starts_with('}'));
    let Some(end) = partner else {
        sink.error("placeholder", place(at, 1), "this brace belongs to no placeholder").help(FORM);
        return at + 1;
    };
    let doubled = rest.get(end..).map_or(0, |tail| tail.len() - tail.trim_start_matches('}').len());
    let name = rest.get(..end).unwrap_or("").trim_matches(['{', ' ']).to_lowercase().replace(['_', ' '], "-");
    sink.error("placeholder", place(at, end + doubled), "this is no placeholder, for all its braces")
        .help(format!("write `{{{}}}`: {FORM}", super::reader::short(&name)));
    at + end + doubled
}

fn to_html(events: Vec<Event<'_>>) -> String {
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    ammonia::clean(&out)
}

fn plain(events: &[Event<'_>]) -> String {
    let mut out = String::new();
    for event in events {
        match event {
            Event::Text(text) | Event::Code(text) => out.push_str(text),
            Event::SoftBreak | Event::HardBreak => out.push(' '),
            Event::End(_)
                if !out.ends_with(['\n', ' ']) && matches!(event, Event::End(tag) if is_block(*tag)) =>
            {
                out.push('\n');
            }
            _ => {}
        }
    }
    out.trim().to_owned()
}

fn is_block(tag: pulldown_cmark::TagEnd) -> bool {
    use pulldown_cmark::TagEnd;
    matches!(
        tag,
        TagEnd::Paragraph
            | TagEnd::Item
            | TagEnd::TableRow
            | TagEnd::TableHead
            | TagEnd::TableCell
            | TagEnd::BlockQuote(_)
    )
}
