//! The document as Markdown for readers: front matter and rules left out, every placeholder filled in.

use std::ops::Range;

use pulldown_cmark::Event;

use super::Policy;
use super::diagnostic::Sink;
use super::document::{RawClause, cut};
use super::fill::{Filler, Piece, pieces};
use super::front::read_front;
use super::rules::read_all;

impl Policy {
    /// The document as Markdown: what people read, without the rules.
    pub fn markdown(&self) -> String {
        let source = self.source();
        // It compiled before, so nothing is found now.
        let mut sink = Sink::new(source);
        let Some(document) = cut(source, &mut sink) else { return String::new() };
        let front =
            document.front.as_ref().map(|block| read_front(source, block, &mut sink)).unwrap_or_default();
        let rules = read_all(source, &document.clauses, &mut sink);
        let filler = Filler { front: &front, rules: &rules };
        let mut out = String::new();
        for (raw, clause) in document.clauses.iter().filter_map(|raw| Some((raw, self.clause(&raw.id)?))) {
            if !clause.title.is_empty() {
                let hashes = "#".repeat(clause.level.into());
                out.push_str(&format!("{hashes} {} {{#{}}}\n\n", escaped(&clause.title), clause.id));
            }
            let prose = prose(source, raw, &filler);
            if !prose.is_empty() {
                out.push_str(&prose);
                out.push_str("\n\n");
            }
        }
        out.truncate(out.trim_end().len());
        out + "\n"
    }
}

/// The source of a clause's prose, without its rule blocks, each placeholder replaced.
fn prose(source: &str, clause: &RawClause<'_>, filler: &Filler<'_>) -> String {
    let Some(start) = clause.prose.iter().map(|(_, span)| span.start).min() else { return String::new() };
    let end = clause.prose.iter().map(|(_, span)| span.end).max().unwrap_or(start);
    let mut out = String::new();
    let mut at = start;
    let fences: Vec<_> = clause.blocks.iter().map(|block| fenced(source, block)).collect();
    let copy = |out: &mut String, from: usize, to: usize| {
        let mut at = from;
        for fence in fences.iter().filter(|fence| fence.start < to && fence.end > from) {
            out.push_str(source.get(at..fence.start.max(at)).unwrap_or(""));
            at = fence.end.clamp(at, to);
        }
        out.push_str(source.get(at..to).unwrap_or(""));
    };
    for (event, span) in &clause.prose {
        if span.start < at
            || !matches!(event, Event::Text(_) | Event::Start(pulldown_cmark::Tag::Link { .. }))
        {
            continue;
        }
        let text = source.get(span.clone()).unwrap_or("");
        let pieces = pieces(text);
        if pieces.iter().all(|piece| matches!(piece, Piece::Plain(..))) {
            continue;
        }
        copy(&mut out, at, span.start);
        for piece in pieces {
            match piece {
                Piece::Plain(plain, _) => out.push_str(plain),
                Piece::Placeholder(name, _) => {
                    out.push_str(&escaped(&filler.value(name).unwrap_or_default()));
                }
                Piece::Stray(_) => {}
            }
        }
        at = span.end;
    }
    copy(&mut out, at, end);
    out.trim().to_owned()
}

/// A rule block with the fences around it.
fn fenced(source: &str, block: &Range<usize>) -> Range<usize> {
    let start = source.get(..block.start).and_then(|before| before.rfind("```")).unwrap_or(block.start);
    let end = source.get(block.end..).and_then(|after| after.find("```"));
    start..end.map_or(block.end, |n| block.end + n + 3)
}

/// Text that stands for itself in Markdown.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '&' | '~') {
            out.push('\\');
        }
        out.push(if letter == '\n' { ' ' } else { letter });
    }
    out
}
