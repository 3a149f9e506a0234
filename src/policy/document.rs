//! Cuts a document into front matter, clauses and rule blocks. A document comes from outside: its size, depth and
//! characters are bounded here, before anything reads its meaning.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeWithOffset};

use super::diagnostic::Sink;
use super::shapes::is_slug;

/// A document larger than this does not compile.
pub const MAX_BYTES: usize = 256 * 1024;
/// Nor one with more clauses,
pub const MAX_CLAUSES: usize = 500;
/// nor one whose lists and quotes are nested deeper.
const MAX_DEPTH: usize = 24;

/// A clause as it stands in the source.
pub(crate) struct RawClause<'a> {
    pub(crate) id: String,
    pub(crate) span: Range<usize>,
    pub(crate) level: u8,
    /// Marked `.information`: it says so itself that it promises nothing.
    pub(crate) information: bool,
    pub(crate) title: Vec<(Event<'a>, Range<usize>)>,
    pub(crate) prose: Vec<(Event<'a>, Range<usize>)>,
    pub(crate) blocks: Vec<Range<usize>>,
}

/// A document cut apart.
pub(crate) struct Document<'a> {
    pub(crate) front: Option<Range<usize>>,
    pub(crate) clauses: Vec<RawClause<'a>>,
}

/// Cuts `source`. `None` if it is so broken that no further reading makes sense.
pub(crate) fn cut<'a>(source: &'a str, sink: &mut Sink) -> Option<Document<'a>> {
    if source.len() > MAX_BYTES {
        let kib = MAX_BYTES / 1024;
        sink.error("too-large", 0..0, format!("the document is larger than {kib} KiB"))
            .help("split it, or shorten it");
        return None;
    }
    if !clean_characters(source, sink) {
        return None;
    }
    let front = front_matter(source, sink);
    let body = front.as_ref().map_or(0, |span| {
        let ends_by_heading = source.get(span.end..).is_some_and(|rest| rest.starts_with('#'));
        if ends_by_heading { span.end } else { next_line(source, span.end) }
    });
    let clauses = Cutter::new(source, body, sink).run()?;
    Some(Document { front, clauses })
}

fn next_line(source: &str, at: usize) -> usize {
    source.get(at..).and_then(|rest| rest.find('\n')).map_or(source.len(), |n| at + n + 1)
}

/// Characters that make a document read differently from what it says, or that no editor of prose writes.
fn clean_characters(source: &str, sink: &mut Sink) -> bool {
    let before = sink.errors();
    let windows = source.matches("\r\n").count();
    if windows > 0 && source.matches('\n').count() > windows {
        let at = source.find("\r\n").unwrap_or(0);
        sink.error("mixed-line-ends", at..at + 2, "some lines end with CR LF and some with LF alone")
            .help("save the document with one kind of line end");
    }
    let mut previous = '\0';
    for (at, c) in source.char_indices() {
        let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}' | '\u{fffc}');
        let control = c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if previous == '\r' && c != '\n' {
            sink.error("stray-character", at - 1..at, "a carriage return that ends no line");
        }
        if hidden || control {
            let what = if c == '\u{feff}' { "a byte order mark" } else { "an invisible character" };
            sink.error("stray-character", at..at + c.len_utf8(), format!("{what} (U+{:04X})", u32::from(c)))
                .help("remove it: what people read and what the program reads must be the same");
        }
        previous = c;
    }
    sink.errors() == before
}

fn front_matter(source: &str, sink: &mut Sink) -> Option<Range<usize>> {
    // Read as meant, so that one wrong fence is one error.
    let fence = |line: &str| matches!(line.trim_end(), "+++" | "---" | "```" | "***");
    let begin = source.find(|c: char| !c.is_whitespace()).unwrap_or(0);
    let begin = source.get(..begin).and_then(|blank| blank.rfind('\n')).map_or(0, |at| at + 1);
    let start = next_line(source, begin);
    let missing = |sink: &mut Sink, message: &str| {
        sink.error("front-matter", 0..source.find('\n').unwrap_or(0), message)
            .help("begin with a line `+++`, then tenant, version, effective, title, law, [controller] and [contact], then a line `+++`");
    };
    let first = source.get(begin..start).unwrap_or("");
    if begin > 0 && fence(first) {
        missing(sink, "the document begins with an empty line: `+++` stands on its first");
    } else if !fence(first) {
        missing(sink, "the document does not begin with front matter");
        return None;
    } else if first.trim_end() != "+++" {
        missing(sink, "front matter stands between two lines of `+++`");
    }
    let mut at = start;
    while at < source.len() {
        let end = next_line(source, at);
        let line = source.get(at..end).unwrap_or("");
        if fence(line) {
            if line.trim_end() != first.trim_end() {
                let message = "the front matter ends with a line `+++`, as it begins";
                sink.error("front-matter", at..at + line.trim_end().len(), message);
            }
            return Some(start..at);
        }
        // A heading cannot stand in it: its end was forgotten.
        if line.starts_with('#') && line.trim_start_matches('#').starts_with(' ') {
            break;
        }
        at = end;
    }
    sink.error("front-matter", begin..start.max(begin + 1).min(source.len()), "the front matter has no end")
        .help("write a line `+++` behind its last key, before the first heading");
    (at < source.len()).then_some(start..at)
}

/// How to write a heading with an id made of its own words.
fn with_id(heading: &str) -> String {
    let plain = heading.lines().next().unwrap_or("").split('{').next().unwrap_or("").trim();
    let words = plain.trim_start_matches('#').to_lowercase();
    let words: Vec<&str> =
        words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let mut id = words.into_iter().skip_while(|w| !is_slug(w)).take(4).collect::<Vec<_>>().join("-");
    id.truncate(40);
    let id = if is_slug(&id) { id } else { "a-short-name".to_owned() };
    format!(
        "write `{} {{#{id}}}`; if the clause only informs, `{{#{id} .information}}`",
        super::reader::short(plain)
    )
}

/// Where a heading with an id stands inside a rule block, which can only mean that the block was never closed.
fn heading_inside(source: &str, block: &Range<usize>) -> Option<usize> {
    let mut at = block.start;
    for line in source.get(block.clone())?.split_inclusive('\n') {
        let heading = line.trim_start_matches('#');
        if heading.len() < line.len()
            && heading.starts_with(' ')
            && line.trim_end().ends_with('}')
            && line.contains("{#")
        {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// One walk over the Markdown.
struct Cutter<'a, 's> {
    source: &'a str,
    body: usize,
    sink: &'s mut Sink,
    clauses: Vec<RawClause<'a>>,
    depth: usize,
    place: Place,
}

enum Place {
    Prose,
    Heading,
    Rule { outer: Range<usize>, inner: Option<Range<usize>> },
    Strange,
}

impl<'a, 's> Cutter<'a, 's> {
    fn new(source: &'a str, body: usize, sink: &'s mut Sink) -> Self {
        let about = RawClause {
            id: "about".to_owned(),
            span: body..body,
            level: 1,
            information: true,
            title: Vec::new(),
            prose: Vec::new(),
            blocks: Vec::new(),
        };
        Self { source, body, sink, clauses: vec![about], depth: 0, place: Place::Prose }
    }

    fn run(mut self) -> Option<Vec<RawClause<'a>>> {
        let options =
            Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES | Options::ENABLE_STRIKETHROUGH;
        let text = self.source.get(self.body..)?;
        for (event, span) in TextMergeWithOffset::new(Parser::new_ext(text, options).into_offset_iter()) {
            let span = span.start + self.body..span.end + self.body;
            self.depth = match &event {
                Event::Start(_) => self.depth + 1,
                Event::End(_) => self.depth.saturating_sub(1),
                _ => self.depth,
            };
            if self.depth > MAX_DEPTH {
                self.sink.error(
                    "too-deep",
                    span,
                    format!("lists and quotes are nested deeper than {MAX_DEPTH}"),
                );
                return None;
            }
            self.event(event, span);
            if self.clauses.len() > MAX_CLAUSES {
                self.sink.error(
                    "too-large",
                    0..0,
                    format!("the document has more than {MAX_CLAUSES} clauses"),
                );
                return None;
            }
        }
        Some(self.clauses)
    }

    fn event(&mut self, event: Event<'a>, span: Range<usize>) {
        match (&mut self.place, event) {
            (_, Event::Start(Tag::Heading { level, id, classes, .. })) => {
                let classes: Vec<String> = classes.iter().map(ToString::to_string).collect();
                self.heading(level, id.as_deref(), &classes, span);
            }
            (_, Event::End(TagEnd::Heading(_))) | (Place::Strange, Event::End(TagEnd::CodeBlock)) => {
                self.place = Place::Prose;
            }
            (_, Event::Start(Tag::CodeBlock(kind))) => self.block(&kind, span),
            (Place::Rule { inner, .. }, Event::Text(_)) => {
                let start = inner.as_ref().map_or(span.start, |inner| inner.start);
                *inner = Some(start..span.end);
            }
            (Place::Rule { outer, inner }, Event::End(TagEnd::CodeBlock)) => {
                let mut block = inner.clone().unwrap_or(outer.end..outer.end);
                if let Some(at) = heading_inside(self.source, &block) {
                    self.sink
                        .error(
                            "unknown-block",
                            outer.start..outer.end.max(outer.start),
                            "this rule block has no end",
                        )
                        .help("close it with a line of three backticks before the next heading");
                    self.sink.tear();
                    block.end = at;
                }
                if let Some(clause) = self.clauses.last_mut() {
                    clause.blocks.push(block);
                }
                self.place = Place::Prose;
            }
            (Place::Rule { .. } | Place::Strange, _) => {}
            (Place::Heading, event) => {
                if let Some(clause) = self.clauses.last_mut() {
                    clause.title.push((event, span));
                }
            }
            (Place::Prose, event) => {
                self.forbidden(&event, &span);
                if let Some(clause) = self.clauses.last_mut() {
                    clause.prose.push((event, span));
                }
            }
        }
    }

    fn heading(&mut self, level: HeadingLevel, id: Option<&str>, classes: &[String], span: Range<usize>) {
        self.place = Place::Heading;
        let first =
            self.clauses.len() == 1 && self.clauses.iter().all(|c| c.title.is_empty() && c.prose.is_empty());
        let id = match id {
            Some(id) => id,
            // The document's own title needs no id: it becomes the clause "about".
            None if level == HeadingLevel::H1 && first => {
                if let Some(about) = self.clauses.first_mut() {
                    about.span = span;
                }
                return;
            }
            None => {
                self.sink
                    .error(
                        "heading-without-id",
                        span.clone(),
                        "this heading has no id, so nothing can be bound to it",
                    )
                    .help(with_id(self.source.get(span.clone()).unwrap_or("")));
                ""
            }
        };
        if !id.is_empty() && !is_slug(id) {
            self.sink.error(
                "wrong-value",
                span.clone(),
                "the id of a clause is small letters, digits and hyphens",
            );
        }
        if let Some(strange) = classes.iter().find(|class| *class != "information") {
            let message = format!(
                "a clause may be marked `.information` and nothing else; this says `.{}`",
                super::reader::short(strange)
            );
            self.sink.error("unknown-word", span.clone(), message);
        }
        if let Some(other) = self.clauses.iter().find(|clause| clause.id == id && !clause.id.is_empty()) {
            let label = self.sink.label(other.span.clone(), "the first");
            self.sink
                .error(
                    "duplicate-clause",
                    span.clone(),
                    format!("two clauses are called `{}`", super::reader::short(id)),
                )
                .also(label);
        }
        self.clauses.push(RawClause {
            id: id.to_owned(),
            span,
            level: level as u8,
            information: classes.iter().any(|class| class == "information"),
            title: Vec::new(),
            prose: Vec::new(),
            blocks: Vec::new(),
        });
    }

    fn block(&mut self, kind: &CodeBlockKind<'_>, span: Range<usize>) {
        let info = match kind {
            CodeBlockKind::Fenced(info) => info.trim(),
            CodeBlockKind::Indented => "",
        };
        if info == "rule" && self.depth == 1 {
            let end = next_line(self.source, span.start).min(span.end);
            self.place = Place::Rule { outer: span.start..end, inner: None };
            return;
        }
        if self.looks_like_rules(kind, &span) {
            let marked = super::reader::short(info);
            let message = if marked.is_empty() {
                "this block has no mark, but holds rules".to_owned()
            } else {
                format!("this block is marked `{marked}`, but holds rules")
            };
            self.sink
                .error("unknown-block", span.start..span.start, message)
                .help("write its first line as three backticks and the word rule, in small letters: ```rule");
            let end = next_line(self.source, span.start).min(span.end);
            self.place = Place::Rule { outer: span.start..end, inner: None };
            return;
        }
        self.place = Place::Strange;
        // What stands in it may be rules that others lean on.
        self.sink.tear();
        let (message, help) = if info == "rule" {
            (
                "a rule block stands inside a list or a quote",
                "begin its fence at the start of a line, with an empty line before it",
            )
        } else if matches!(kind, CodeBlockKind::Indented) {
            (
                "text indented by four spaces is a code block, which a policy does not show",
                "remove the indent",
            )
        } else {
            (
                "only blocks marked `rule` may stand in a policy",
                "write the fence as three backticks and the word rule",
            )
        };
        self.sink.error("unknown-block", span, message).help(help);
    }

    /// Whether a block without its proper mark holds rules all the same.
    fn looks_like_rules(&self, kind: &CodeBlockKind<'_>, span: &Range<usize>) -> bool {
        let text = self.source.get(span.clone()).unwrap_or("");
        let header = |line: &str| {
            line.strip_prefix('[')
                .and_then(|rest| rest.split(['.', ']']).next())
                .is_some_and(|kind| super::words::RuleKind::NAMES.contains(&kind))
        };
        self.depth == 1 && matches!(kind, CodeBlockKind::Fenced(_)) && text.lines().skip(1).any(header)
    }

    fn forbidden(&mut self, event: &Event<'_>, span: &Range<usize>) {
        match event {
            Event::Start(Tag::HtmlBlock) | Event::InlineHtml(_) => {
                self.sink
                    .error("raw-html", span.clone(), "HTML in a policy is not shown")
                    .help("write it in Markdown; a bare `<` is written `\\<`");
            }
            Event::Start(Tag::Image { .. }) => {
                self.sink.error(
                    "image",
                    span.clone(),
                    "a policy shows no images: they would call other hosts",
                );
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                let fine = ["https://", "mailto:", "#", "/"].iter().any(|start| dest_url.starts_with(start))
                    && !dest_url.starts_with("//");
                if !fine && !dest_url.contains('@') {
                    self.sink.error("link", span.clone(), "a link leads to an https address, an e-mail address, a path of this site or a clause");
                }
            }
            _ => {}
        }
    }
}
