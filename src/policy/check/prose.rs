//! What the prose says by hand: lengths of time that belong into rules, words that no clock can keep, promises that
//! nothing keeps.

use std::ops::Range;

use pulldown_cmark::{Event, TagEnd};

use super::phrases::{BETWEEN, NUMBERS, PROMISES, UNITS, VAGUE};
use crate::base::Period;
use crate::policy::diagnostic::Sink;
use crate::policy::document::RawClause;
use crate::policy::fill::{Piece, pieces};
use crate::policy::rules::Rules;
use crate::policy::values::Scalar;

/// One paragraph, item, cell or heading as plain text, with the way back into the source. Placeholders stand as a
/// single character that is no letter, so that what they say is not taken for written by hand.
#[derive(Default)]
struct Paragraph {
    text: String,
    /// Where in `text` a run of source begins, and the run.
    runs: Vec<(usize, Range<usize>)>,
}

const FILLED: char = '\u{fffc}';

impl Paragraph {
    fn push(&mut self, text: &str, span: &Range<usize>) {
        for piece in pieces(text) {
            match piece {
                Piece::Plain(plain, at) => {
                    // Escapes and entities make the text shorter than its source; then the whole run is shown.
                    let run = if span.len() == text.len() {
                        span.start + at..span.start + at + plain.len()
                    } else {
                        span.clone()
                    };
                    self.runs.push((self.text.len(), run));
                    self.text.push_str(plain);
                }
                Piece::Placeholder(..) | Piece::Stray(_) => self.text.push(FILLED),
            }
        }
    }

    fn source(&self, found: Range<usize>) -> Range<usize> {
        let place = |at: usize| {
            let n = self.runs.partition_point(|(start, _)| *start <= at).checked_sub(1)?;
            let (start, run) = self.runs.get(n)?;
            Some((run.start + (at - start)).min(run.end))
        };
        let start = place(found.start).unwrap_or(0);
        start..place(found.end.saturating_sub(1)).map_or(start, |end| end + 1)
    }
}

fn paragraphs(events: &[(Event<'_>, Range<usize>)]) -> Vec<Paragraph> {
    let mut all = vec![Paragraph::default()];
    for (event, span) in events {
        let Some(last) = all.last_mut() else { continue };
        match event {
            Event::Text(text) => last.push(text, span),
            Event::Code(_) => last.text.push(FILLED),
            Event::SoftBreak | Event::HardBreak => last.text.push(' '),
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::TableCell | TagEnd::BlockQuote(_)) => {
                all.push(Paragraph::default());
            }
            _ => {}
        }
    }
    all.retain(|paragraph| !paragraph.text.trim().is_empty());
    all
}

/// Checks the prose of one clause. `bound`: whether any rule stands below it, or it points at one.
pub(in crate::policy) fn clause(
    clause: &RawClause<'_>,
    number: usize,
    bound: bool,
    rules: &Rules,
    sink: &mut Sink,
) {
    let prose = paragraphs(&clause.prose);
    if !prose.is_empty() && !bound && !clause.information {
        sink.error("promise-without-rule", clause.span.clone(), format!("nothing keeps the clause `{}`", clause.id)).help(
            "put a ```rule block below it, name the rules that keep it by `kept-by = [\"kind.name\"]`, or, if it promises \
             nothing, mark its heading `.information`: `## Title {#name .information}`",
        );
    }
    for paragraph in paragraphs(&clause.title).iter().chain(&prose) {
        let lower = paragraph.text.to_ascii_lowercase();
        for found in durations(&lower) {
            let words = lower.get(found.clone()).unwrap_or("").to_owned();
            let span = paragraph.source(found);
            let message = format!("`{}` is written by hand", super::super::reader::short(&words));
            let help = if sink.crowded() { String::new() } else { by_rule(&words, number, rules) };
            if clause.information {
                sink.warn("duration-by-hand", span, message).help(help);
            } else {
                sink.error("duration-by-hand", span, message).help(help);
            }
        }
        for found in vague(&lower) {
            let words = lower.get(found.clone()).unwrap_or("").to_owned();
            sink.error(
                "vague-period",
                paragraph.source(found),
                format!("`{words}` is no time that a clock could keep"),
            )
            .help("give the length in a rule and let a placeholder say it here");
        }
        if clause.information && !bound {
            for found in promises(&lower).into_iter().take(1) {
                let words = lower.get(found.clone()).unwrap_or("").to_owned();
                sink.warn(
                    "promise-in-information",
                    paragraph.source(found),
                    format!("`{words}` sounds like a promise, in a clause that says it only informs"),
                )
                .help("if it is one, remove `.information` and bind it to a rule");
            }
        }
    }
}

/// How to let a rule say a length: the placeholder of the rule that has it, best one of the same clause; else where to
/// put it.
fn by_rule(words: &str, clause: usize, rules: &Rules) -> String {
    let meant = crate::policy::meant::length(words);
    let wanted = meant.as_deref().and_then(|text| Period::parse(text).ok());
    let mut lengths: Vec<(bool, String, bool)> = Vec::new();
    for rule in &rules.list {
        for (key, items) in rule.fields.iter().filter(|(_, items)| items.len() == 1) {
            let length = items.iter().find_map(|item| match item.value {
                Scalar::Period(period) | Scalar::After(period, _) => Some(period),
                _ => None,
            });
            if let Some(length) = length {
                let same = wanted.is_some_and(|wanted| wanted.rough_seconds() == length.rough_seconds());
                lengths.push((same, format!("{{{}.{key}}}", rule.name()), rule.clause == clause));
            }
        }
    }
    let pick = |same: bool, here: bool| lengths.iter().find(|l| l.0 == same && (l.2 || !here));
    if let Some((_, name, _)) = pick(true, true).or_else(|| pick(true, false)) {
        return format!("write `{name}` in its place, if this rule is what is meant: it has this length");
    }
    let example = pick(false, true)
        .or_else(|| pick(false, false))
        .map_or("{retention.photo.at-most}", |l| l.1.as_str());
    format!(
        "give the length to a rule, then let a placeholder such as `{example}` say it here: what is written twice drifts apart"
    )
}

/// Numbers with a unit of time: `48 hours`, `24-48 hours`, `thirty days`, `30-day`, `within a month`.
fn durations(text: &str) -> Vec<Range<usize>> {
    let words = words(text);
    let mut found = Vec::new();
    for (n, (word, span)) in words.iter().enumerate() {
        let back = |k: usize| n.checked_sub(k).and_then(|at| words.get(at));
        if let Some(number) = glued(word) {
            if number && !of_age(&words, n) {
                found.push(span.clone());
            }
            continue;
        }
        if !UNITS.contains(word) || of_age(&words, n) {
            continue;
        }
        let skip = if back(1).is_some_and(|(w, _)| BETWEEN.contains(w)) { 2 } else { 1 };
        let Some((number, start)) = back(skip) else { continue };
        let alone = matches!(*word, "fortnight" | "decade");
        let article = matches!(*number, "a" | "an")
            && (alone
                || back(skip + 1).is_some_and(|(w, _)| {
                    matches!(*w, "within" | "for" | "after" | "least" | "than" | "most")
                }));
        if is_number(number) || article {
            found.push(start.start..span.end);
        }
    }
    found
}

fn is_number(word: &str) -> bool {
    let digits = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_digit());
    let number = |w: &str| NUMBERS.contains(&w) || digits(w);
    number(word) || word.split(['-', '–']).all(number)
}

/// Whether a word is a number and a unit in one: `48h`, `30-day`.
fn glued(word: &str) -> Option<bool> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let unit = word.get(digits..)?.trim_start_matches(['-', '–']);
    let short = ["h", "hr", "hrs", "min", "mins", "d", "mo", "yr", "yrs"];
    if digits > 0 && (short.contains(&unit) || UNITS.contains(&unit)) {
        return Some(true);
    }
    let (number, unit) = word.rsplit_once('-')?;
    (NUMBERS.contains(&number) && UNITS.contains(&unit)).then_some(true)
}

/// Whether a length is somebody's age, which no rule keeps.
fn of_age(words: &[(&str, Range<usize>)], n: usize) -> bool {
    let next = |k: usize| words.get(n + k).map(|(word, _)| *word);
    matches!((next(1), next(2)), (Some("old"), _) | (Some("of"), Some("age")))
}

fn words(text: &str) -> Vec<(&str, Range<usize>)> {
    let mut all = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let inside = c.is_alphanumeric() || c == '-' || c == '–' || c == FILLED;
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                all.push((text.get(from..at).unwrap_or(""), from..at));
                start = None;
            }
            _ => {}
        }
    }
    all
}

fn vague(text: &str) -> Vec<Range<usize>> {
    phrases(text, VAGUE)
}

fn promises(text: &str) -> Vec<Range<usize>> {
    phrases(text, PROMISES)
}

fn phrases(text: &str, list: &[&str]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> =
        list.iter().flat_map(|phrase| text.match_indices(phrase).map(|(at, m)| at..at + m.len())).collect();
    found.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut kept: Vec<Range<usize>> = Vec::new();
    for span in found {
        if kept.last().is_none_or(|last| span.start >= last.end) {
            kept.push(span);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        durations(text).into_iter().map(|span| &text[span]).collect()
    }

    #[test]
    fn a_length_of_time_written_by_hand_is_found() {
        for (text, by_hand) in [
            ("gone after 48 hours.", "48 hours"),
            ("typically 24-48 hours", "24-48 hours"),
            ("within thirty days", "thirty days"),
            ("a 30-day window", "30-day"),
            ("after 48h at most", "48h"),
            ("within a month", "a month"),
            ("ten working days", "ten working days"),
            ("after twenty-one days", "twenty-one days"),
            ("for two (2) years", "2) years"),
            ("up to 2 years", "2 years"),
            ("a forty-eight-hour limit", "forty-eight-hour"),
            ("deleted after a fortnight", "a fortnight"),
            ("nach sechs monaten", "sechs monaten"),
            ("pendant 30 jours", "30 jours"),
        ] {
            assert_eq!(found(text), [by_hand], "{text}");
        }
    }

    #[test]
    fn what_is_no_length_of_time_is_left_alone() {
        for text in [
            "\u{fffc} after it arrived",
            "once a year",
            "at least 16 years old",
            "16 years of age",
            "24/7",
            "5 may 2026",
            "these days",
            "a day",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
