//! Slips of the pen in a block of keys: curly quotes out of a word processor, a colon for an equals sign, a bracket that
//! nobody closed. Each is told once, in plain words, and put right in a copy, so that the reading goes on behind it and
//! one slip does not look like twenty.

mod letters;
mod lists;

use std::collections::BTreeMap;
use std::ops::Range;

use super::diagnostic::Sink;
use lists::{begins_anew, code_end, commas, depth, depth_from, end_of_text, quoted};

/// The way back from the copy to the document, line by line.
#[derive(Debug, Clone, Copy)]
struct Line {
    copy: usize,
    source: usize,
    len: usize,
}

/// A block that can be parsed, with the way back.
#[derive(Debug)]
pub(crate) struct Mended {
    pub(crate) text: String,
    lines: Vec<Line>,
    start: usize,
}

/// Translates places of the copy into places of the document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Base<'a>(&'a Mended);

impl Mended {
    pub(crate) fn base(&self) -> Base<'_> {
        Base(self)
    }

    fn place(&self, at: usize) -> usize {
        let n = self.lines.partition_point(|line| line.copy <= at);
        let line = n.checked_sub(1).and_then(|n| self.lines.get(n));
        line.map_or(self.start, |line| line.source + (at - line.copy).min(line.len))
    }
}

impl Base<'_> {
    /// A range of the copy as a range of the document.
    pub(crate) fn moved(self, span: &Range<usize>) -> Range<usize> {
        let start = self.0.place(span.start);
        start..self.0.place(span.end).max(start)
    }
}

/// Reads a block line by line, tells its slips, and makes the copy.
pub(crate) fn mend(source: &str, block: &Range<usize>, sink: &mut Sink) -> Mended {
    let text = source.get(block.clone()).unwrap_or("");
    let mut pen = Pen {
        sink,
        out: Mended { text: String::with_capacity(text.len() + 16), lines: Vec::new(), start: block.start },
        headers: BTreeMap::new(),
        list: None,
        list_end: 0,
        verbatim: None,
        skipping: false,
    };
    let mut at = block.start;
    for line in text.split_inclusive('\n') {
        pen.line(line, at);
        at += line.len();
    }
    pen.close_list();
    pen.out
}

struct Pen<'s> {
    sink: &'s mut Sink,
    out: Mended,
    /// The headers seen, with their places.
    headers: BTreeMap<String, Range<usize>>,
    /// Where a list began that is still open, and how deep it is.
    list: Option<(usize, usize)>,
    /// Where in the copy the open list would be closed: behind its last value, before any note.
    list_end: usize,
    /// Inside a text of several lines, which ends with these three quotes.
    verbatim: Option<&'static str>,
    /// Below a header that stood before: its keys would only be told as duplicates.
    skipping: bool,
}

impl Pen<'_> {
    fn push(&mut self, line: &str, source: usize, len: usize) {
        self.out.lines.push(Line { copy: self.out.text.len(), source, len });
        self.out.text.push_str(line);
    }

    fn slip(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.sink.slip(span, message, help);
    }

    fn line(&mut self, line: &str, at: usize) {
        let body = line.trim_end_matches(['\n', '\r']);
        let end = line.get(body.len()..).unwrap_or("");
        if let Some(quotes) = self.verbatim {
            if body.contains(quotes) {
                self.verbatim = None;
            }
            return self.push(line, at, body.len());
        }
        let plain = self.characters(body, at);
        let indent = plain.len() - plain.trim_start().len();
        let here = at + indent.min(body.len())..at + body.trim_end().len().max(indent.min(body.len()));
        let trimmed = plain.trim();
        let fresh = if trimmed.is_empty() || trimmed.starts_with('#') {
            plain.clone()
        } else if self.list.is_some() && !begins_anew(trimmed) {
            self.inside_list(&plain, &here)
        } else {
            self.close_list();
            self.statement(trimmed, indent, &here)
        };
        if self.list.is_some() {
            self.list_end = self.out.text.len() + code_end(&fresh);
        }
        self.push(&format!("{fresh}{end}"), at, body.len());
    }

    /// A list that is still open when a new statement begins was never closed.
    fn close_list(&mut self) {
        if let Some((at, depth)) = self.list.take() {
            self.slip(at..at + 1, "this list has no end", "close it with `]`");
            let kept = self.list_end;
            self.out.text.insert_str(kept, &"]".repeat(depth));
            // The lines behind it moved.
            for line in self.out.lines.iter_mut().rev().take_while(|line| line.copy > kept) {
                line.copy += depth;
            }
        }
    }

    /// Tells of curly quotes, long dashes and odd spaces outside texts, and puts them right.
    fn characters(&mut self, body: &str, at: usize) -> String {
        let (plain, odd) = letters::plain(body);
        if let Some((span, what, help)) = odd {
            self.slip(at + span.start..at + span.end, what, help);
        }
        plain
    }

    fn statement(&mut self, line: &str, indent: usize, here: &Range<usize>) -> String {
        let space = " ".repeat(indent);
        if line.starts_with('[') {
            return space + &self.header(line, here);
        }
        if self.skipping {
            return String::new();
        }
        let unlisted = line.strip_prefix(['-', '*', '•', '·']).map(str::trim_start);
        let line = match unlisted {
            Some(rest) if rest.contains(['=', ':']) => {
                self.slip(
                    here.clone(),
                    "a bullet stands before a key",
                    "remove the bullet: a key stands at the start of its line",
                );
                rest
            }
            _ => line,
        };
        let Some((key, value)) = self.key_and_value(line, here) else { return String::new() };
        let value = self.value(&key, value.trim(), here);
        format!("{space}{key} = {value}")
    }

    fn header(&mut self, line: &str, here: &Range<usize>) -> String {
        let (line, note) = line.split_once('#').map_or((line, ""), |(line, note)| (line.trim_end(), note));
        let inner = line.trim_matches(['[', ']']).trim();
        let name = inner
            .split([' ', '.', ':', '/', ','])
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(".");
        let sound = line == format!("[{inner}]");
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        if !sound || (inner != name && plain(&name)) {
            self.slip(
                here.clone(),
                "this line does not read as the name of a rule",
                format!("write `[{name}]`"),
            );
        }
        let name = if plain(&name) { name } else { inner.to_owned() };
        self.skipping = false;
        if let Some(first) = self.headers.get(&name).cloned() {
            let label = self.sink.label(first, "the first");
            self.sink
                .error("duplicate-rule", here.clone(), format!("two rules are called `{name}`"))
                .also(label)
                .help("keep one of them, or give the second another name: two rules for one thing cannot both be kept");
            self.skipping = true;
            return String::new();
        }
        self.headers.insert(name.clone(), here.clone());
        let note = if note.is_empty() { String::new() } else { format!(" #{note}") };
        format!("[{name}]{note}")
    }

    fn key_and_value<'l>(&mut self, line: &'l str, here: &Range<usize>) -> Option<(String, &'l str)> {
        let bare = |key: &str| {
            !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || " ._-".contains(c))
        };
        let (key, value) = match (line.split_once('='), line.split_once(':')) {
            (Some((key, value)), _) if bare(key.trim()) || key.trim_start().starts_with(['"', '\'']) => {
                (key, value)
            }
            (_, Some((key, value))) if bare(key.trim()) => {
                let key_name = key.trim();
                self.slip(
                    here.clone(),
                    "a colon stands where `=` belongs",
                    format!("write `{key_name} = …`"),
                );
                (key, value)
            }
            _ => {
                self.slip(
                    here.clone(),
                    "this line is neither `[kind.name]` nor `key = value`",
                    "prose stands outside the block, above its first fence; a note inside it begins with `#`",
                );
                return None;
            }
        };
        let key = key.trim();
        if key.contains(' ') && bare(key) {
            let joined = key.split_whitespace().collect::<Vec<_>>().join("-");
            self.slip(here.clone(), "the name of a key has no spaces", format!("write `{joined} = …`"));
            return Some((joined, value));
        }
        Some((key.to_owned(), value))
    }

    fn value(&mut self, key: &str, value: &str, here: &Range<usize>) -> String {
        if let Some(quotes) = ["\"\"\"", "'''"].into_iter().find(|quotes| value.starts_with(quotes)) {
            if !value.get(3..).is_some_and(|rest| rest.contains(quotes)) {
                self.verbatim = Some(quotes);
            }
            return value.to_owned();
        }
        match value.chars().next() {
            None | Some('#') => {
                self.slip(
                    here.clone(),
                    format!("nothing stands after `{key} =`"),
                    "write its value, or remove the line",
                );
                format!("\"\" {value}")
            }
            Some('"') => self.text(key, value, here),
            Some('[') => self.list(value, here),
            Some('\'' | '{') => value.to_owned(),
            Some(_) => self.bare(key, value, here),
        }
    }

    fn text(&mut self, key: &str, value: &str, here: &Range<usize>) -> String {
        let Some(end) = end_of_text(value) else {
            self.slip(here.clone(), "this text has no closing quote", "end it with `\"` on the same line");
            return format!("{}\"", value.trim_end_matches('\\'));
        };
        let (text, rest) = (value.get(..end).unwrap_or(value), value.get(end..).unwrap_or("").trim());
        if rest.is_empty() || rest.starts_with('#') {
            return value.to_owned();
        }
        if rest.trim_start_matches([',', ' ']).starts_with('"') {
            self.slip(
                here.clone(),
                "several values stand in brackets, with commas between them",
                format!("write `{key} = [\"…\", \"…\"]`"),
            );
            return format!("[{}]", commas(value.trim_end_matches([',', ';'])));
        }
        let (what, help) = if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with("--") {
            ("a note begins with `#`", "write `#` before the note")
        } else if rest.chars().all(|c| ",;. ".contains(c)) {
            ("a line of a rule ends with its value", "remove what stands behind it")
        } else {
            ("something stands behind the value", "put all of it between the quotes, or begin a new line")
        };
        self.slip(here.clone(), what, help);
        text.to_owned()
    }

    fn list(&mut self, value: &str, here: &Range<usize>) -> String {
        let bracket = here.start;
        let value = self.commas_in(value, here);
        match depth(&value) {
            Ok(0) => {
                let end = value.rfind(']').map_or(value.len(), |at| at + 1);
                let (list, rest) = value.split_at(end);
                if rest.trim().is_empty() || rest.trim().starts_with('#') {
                    return value;
                }
                self.slip(
                    here.clone(),
                    "a line of a rule ends with its value",
                    "remove what stands behind the `]`",
                );
                list.to_owned()
            }
            Ok(open) => {
                self.list = Some((bracket, open));
                value
            }
            Err(()) => value,
        }
    }

    /// A line of a list that began on an earlier one.
    fn inside_list(&mut self, line: &str, here: &Range<usize>) -> String {
        let line = self.commas_in(line, here);
        if let Some((at, open)) = self.list {
            let closes = depth_from(&line, open);
            self.list = closes.ok().filter(|open| *open > 0).map(|open| (at, open));
        }
        line
    }

    fn commas_in(&mut self, value: &str, here: &Range<usize>) -> String {
        let fresh = commas(value);
        if fresh.len() != value.len() {
            self.slip(
                here.clone(),
                "a comma is missing between two values of the list",
                "write `[\"one\", \"two\"]`",
            );
        }
        let words = quoted(&fresh);
        if words.len() != fresh.len() {
            self.slip(here.clone(), "texts stand in double quotes", "write `[\"one\", \"two\"]`");
        }
        words
    }

    /// A value that begins with none of TOML's brackets: a number, a date, a switch, or a text without its quotes.
    fn bare(&mut self, key: &str, value: &str, here: &Range<usize>) -> String {
        let (word, note) = value.split_once('#').map_or((value, ""), |(word, note)| (word, note));
        let word = word.trim().trim_end_matches([',', ';']).trim();
        let note = if note.is_empty() { String::new() } else { format!(" #{note}") };
        let number = word.chars().all(|c| c.is_ascii_digit() || "+-_.:TZeE".contains(c))
            && word.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c));
        if number {
            // `01.01.2027` is no number: as a text, its key says what it should be.
            let dotted = word.matches('.').count() > 1;
            return if dotted { format!("\"{word}\"{note}") } else { format!("{word}{note}") };
        }
        let odd = ["0x", "0o", "0b"].iter().any(|start| word.starts_with(start));
        if odd || matches!(word.trim_start_matches(['+', '-']), "true" | "false" | "nan" | "inf") {
            return format!("{word}{note}");
        }
        let switch = match word.to_ascii_lowercase().as_str() {
            "yes" | "true" => Some("true"),
            "no" | "false" => Some("false"),
            _ => None,
        };
        if let Some(switch) = switch {
            self.slip(
                here.clone(),
                format!("`{key} = {word}` stands without quotes"),
                format!("write `{key} = {switch}`"),
            );
            return format!("{switch}{note}");
        }
        let clean = word.trim_matches(['"', '\'']).replace(['"', '\\'], "");
        let shown: String = clean.chars().take(60).collect();
        self.slip(here.clone(), "texts stand in double quotes", format!("write `{key} = \"{shown}\"`"));
        format!("\"{clean}\"{note}")
    }
}
