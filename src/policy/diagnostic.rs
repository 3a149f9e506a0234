//! What is wrong with a document, where, and how to mend it; and the report with the source shown.

use std::collections::BTreeSet;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The document does not compile.
    Error,
    /// It compiles, but somebody should look.
    Warning,
}

/// A second place that belongs to a diagnostic, such as the first of two rules for one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// Byte range in the source.
    pub span: Range<usize>,
    /// 1-based line.
    pub line: usize,
    /// What stands there.
    pub text: String,
}

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// A stable name, listed in `docs/POLICY-LANGUAGE.md`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// 1-based line of the span's start.
    pub line: usize,
    /// 1-based column of the span's start, in characters.
    pub column: usize,
    /// Byte range in the source.
    pub span: Range<usize>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// Other places that belong to it.
    pub also: Vec<Label>,
}

/// Collects diagnostics; keeps at most [`Sink::MOST`] of each severity, so that a hostile document cannot fill the memory,
/// and counts them all, so that a flood of warnings cannot hide an error.
#[derive(Debug)]
pub(crate) struct Sink {
    line_starts: Vec<usize>,
    found: Vec<Diagnostic>,
    /// Where one goes that is too many.
    spare: Option<Diagnostic>,
    errors: usize,
    warnings: usize,
    source: String,
    /// Lines on which a slip of the pen was told: what else is wrong there follows from it.
    slipped: BTreeSet<usize>,
    /// Whether a part of the document could not be read: names that seem to lead nowhere may stand in it.
    torn: bool,
    /// Kind and name of rules that were meant by a name that leads nowhere.
    misnamed: BTreeSet<(String, String)>,
}

/// What is not told while a part of the document could not be read, since that part may hold what seems to be missing.
const FOLLOWS: &[&str] = &[
    "category-without-retention",
    "dangling-name",
    "no-clock",
    "notice-missing",
    "placeholder",
    "promise-without-rule",
    "right-missing",
    "unfilled",
    "unused",
];

impl Sink {
    /// How many of each severity are kept.
    pub(crate) const MOST: usize = 200;

    pub(crate) fn new(source: &str) -> Self {
        let line_starts =
            std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self {
            line_starts,
            found: Vec::new(),
            spare: None,
            errors: 0,
            warnings: 0,
            source: source.to_owned(),
            slipped: BTreeSet::new(),
            torn: false,
            misnamed: BTreeSet::new(),
        }
    }

    /// 1-based line and column (in characters) of a byte offset.
    pub(crate) fn place(&self, at: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|&start| start <= at).max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        let column = self.source.get(start..at).map_or(1, |s| s.chars().count() + 1);
        (line, column)
    }

    pub(crate) fn error(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(Severity::Error, code, span, message.into())
    }

    pub(crate) fn warn(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(Severity::Warning, code, span, message.into())
    }

    /// A slip of the pen that was put right for the reading. One a line: the first is the cause of the others.
    pub(crate) fn slip(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        if self.slipped.insert(self.place(span.start).0) {
            self.error("toml", span, message).help(help);
        }
    }

    /// A part of the document that could not be read.
    pub(crate) fn torn(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.slip(
            span,
            message,
            "a rule is written `[kind.name]`, then lines of `key = value`, texts in double quotes, lists in `[ ]`",
        );
        self.torn = true;
    }

    /// Notes that a part of the document could not be read; its error was told already.
    pub(crate) fn tear(&mut self) {
        self.torn = true;
    }

    /// Notes that a name which leads nowhere probably meant this rule.
    pub(crate) fn misnamed(&mut self, kind: &str, name: &str) {
        self.misnamed.insert((kind.to_owned(), name.to_owned()));
    }

    /// Whether a name which leads nowhere probably meant this rule: then it is not unused as well.
    pub(crate) fn is_misnamed(&self, kind: &str, name: &str) -> bool {
        self.misnamed.contains(&(kind.to_owned(), name.to_owned()))
    }

    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: Range<usize>,
        message: String,
    ) -> &mut Diagnostic {
        let (line, column) = self.place(span.start);
        let diagnostic =
            Diagnostic { code, severity, line, column, span, message, help: None, also: Vec::new() };
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        // What ends the reading is always told, however much was found before it.
        let fatal = matches!(code, "too-large" | "too-deep");
        if *count > Self::MOST && !fatal {
            self.spare.insert(diagnostic)
        } else {
            self.found.push_mut(diagnostic)
        }
    }

    /// How many errors were found so far.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// Whether so much was found that advice is no longer kept.
    pub(crate) fn crowded(&self) -> bool {
        self.errors > Self::MOST || self.warnings > Self::MOST
    }

    pub(crate) fn label(&self, span: Range<usize>, text: impl Into<String>) -> Label {
        Label { line: self.place(span.start).0, span, text: text.into() }
    }

    /// Everything found, in the order of the document, errors of one place before warnings.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by(|a, b| {
            (a.span.start, a.severity, a.code, &a.message).cmp(&(
                b.span.start,
                b.severity,
                b.code,
                &b.message,
            ))
        });
        self.found.dedup();
        let (slipped, torn) = (&self.slipped, self.torn);
        self.found.retain(|d| {
            (d.code == "toml" || !slipped.contains(&d.line)) && !(torn && FOLLOWS.contains(&d.code))
        });
        self.found
    }
}

impl Diagnostic {
    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn also(&mut self, label: Label) -> &mut Self {
        self.also.push(label);
        self
    }

    /// Whether it keeps the document from compiling.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The diagnostics as a report for people, each with its lines of the source shown, in the manner of rustc. `path` is
/// what the report calls the document. Colour escapes only if `colour`.
pub fn report(path: &str, source: &str, diagnostics: &[Diagnostic], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for d in diagnostics {
        let level = match d.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut snippet = Snippet::source(source)
            .path(path)
            .annotation(AnnotationKind::Primary.span(clamp(source, &d.span)));
        for label in &d.also {
            snippet = snippet.annotation(
                AnnotationKind::Context.span(clamp(source, &label.span)).label(label.text.as_str()),
            );
        }
        let mut groups: Vec<Group<'_>> =
            vec![level.primary_title(d.message.as_str()).id(d.code).element(snippet)];
        if let Some(help) = &d.help {
            groups.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
        }
        out.push_str(&renderer.render(&groups));
        out.push_str("\n\n");
    }
    out
}

/// A span that stands inside the source, on the borders of characters, and on its first line only: a report that shows
/// forty lines of a rule is read by nobody.
fn clamp(source: &str, span: &Range<usize>) -> Range<usize> {
    let start = floor(source, span.start);
    let end = floor(source, span.end).max(start);
    let text = source.get(start..end).unwrap_or("");
    let first_line = text.find('\n').map_or(end, |at| start + at);
    start..first_line
}

fn floor(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}
