//! How the program speaks on a terminal: calm, aligned, never by colour alone.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};

use super::Variables;

/// Columns of a label before its value.
const LABEL: usize = 24;
/// Columns of a line.
const WIDTH: usize = 100;

/// Where a command speaks to. What cannot be written, because nobody listens any more, is dropped.
pub struct Say {
    out: Box<dyn Write + Send>,
    colour: bool,
}

impl fmt::Debug for Say {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Say(colour: {})", self.colour)
    }
}

#[derive(Clone, Copy)]
enum Ink {
    Green,
    Red,
    Bold,
    Faint,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Self::Green => "32",
            Self::Red => "31",
            Self::Bold => "1",
            Self::Faint => "2",
        }
    }
}

fn wants_colour(variables: &Variables, terminal: bool) -> bool {
    terminal && !variables.contains_key("NO_COLOR") && variables.get("TERM").is_none_or(|t| t != "dumb")
}

impl Say {
    /// To the standard output.
    pub fn stdout(variables: &Variables) -> Self {
        let colour = wants_colour(variables, io::stdout().is_terminal());
        Self { out: Box::new(io::stdout()), colour }
    }

    /// To the standard error.
    pub fn stderr(variables: &Variables) -> Self {
        let colour = wants_colour(variables, io::stderr().is_terminal());
        Self { out: Box::new(io::stderr()), colour }
    }

    /// To somewhere else, without colour.
    pub fn to(out: impl Write + Send + 'static) -> Self {
        Self { out: Box::new(out), colour: false }
    }

    pub(super) fn has_colour(&self) -> bool {
        self.colour
    }

    fn ink(&self, ink: Ink, text: &str) -> String {
        if self.colour { format!("\u{1b}[{}m{text}\u{1b}[0m", ink.code()) } else { text.to_owned() }
    }

    /// A line as it is.
    pub fn line(&mut self, text: impl AsRef<str>) {
        let _nobody_listens = writeln!(self.out, "{}", text.as_ref());
    }

    /// Text as it is, with its own line ends.
    pub(super) fn text(&mut self, text: impl AsRef<str>) {
        let _nobody_listens = self.out.write_all(text.as_ref().as_bytes());
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.line("");
    }

    /// A heading.
    pub(super) fn title(&mut self, text: &str) {
        let text = self.ink(Ink::Bold, text);
        self.line(text);
    }

    /// A label and its value, aligned; a label that is too long for its column stands on a line of its own.
    pub(super) fn row(&mut self, label: &str, value: impl AsRef<str>) {
        let lines = wrapped(value.as_ref(), WIDTH - LABEL - 4);
        let fits = label.chars().count() < LABEL;
        if !fits {
            let label = self.ink(Ink::Faint, label);
            self.line(format!("    {label}"));
        }
        for (i, value) in lines.iter().enumerate() {
            let label = if i == 0 && fits { label } else { "" };
            let padded = format!("{label:LABEL$}");
            let label = self.ink(Ink::Faint, &padded);
            self.line(format!("    {label}{value}"));
        }
    }

    /// Something that was checked: with a mark and, where it does not hold, the word.
    pub(super) fn check(&mut self, holds: bool, claim: &str) {
        let (mark, ink, text) = if holds {
            ("✓", Ink::Green, claim.to_owned())
        } else {
            ("✗", Ink::Red, format!("DOES NOT HOLD: {claim}"))
        };
        self.marked(mark, ink, &text);
    }

    /// Something that works, and that someone should look at.
    pub(super) fn warning(&mut self, text: &str) {
        self.marked("!", Ink::Bold, &format!("look at this: {text}"));
    }

    fn marked(&mut self, mark: &str, ink: Ink, text: &str) {
        for (i, line) in wrapped(text, WIDTH - 6).iter().enumerate() {
            let mark = if i == 0 { self.ink(ink, mark) } else { " ".to_owned() };
            self.line(format!("    {mark} {line}"));
        }
    }

    /// Something to know, as running text.
    pub(super) fn note(&mut self, text: &str) {
        for line in wrapped(text, WIDTH - 4) {
            let line = self.ink(Ink::Faint, &line);
            self.line(format!("    {line}"));
        }
    }

    /// Running text from the edge of the page.
    pub(super) fn prose(&mut self, text: &str) {
        for line in wrapped(text, WIDTH) {
            self.line(line);
        }
    }

    /// Columns, each as wide as its widest cell.
    pub(super) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let width = |n: usize| {
            let cells = rows.iter().filter_map(|r| r.get(n)).map(|c| c.chars().count());
            cells.chain(head.get(n).map(|h| h.chars().count())).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let set = |cells: &[String]| {
            let padded = cells.iter().zip(&widths).map(|(c, w)| format!("{c:w$}"));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let head: Vec<String> = head.iter().map(|h| (*h).to_owned()).collect();
        let head = self.ink(Ink::Faint, &set(&head));
        self.line(format!("    {head}"));
        for row in rows {
            self.line(format!("    {}", set(row)));
        }
    }

    /// Why a command could not do its work, with the causes behind it.
    pub fn error(&mut self, e: &anyhow::Error) {
        let word = self.ink(Ink::Red, "error:");
        let mut said = e.to_string();
        self.line(format!("{word} {said}"));
        for cause in e.chain().skip(1) {
            let cause = cause.to_string();
            // An error that only passes on what is behind it has said it already.
            if !said.contains(&cause) {
                self.line(format!("  because {cause}"));
            }
            said = cause;
        }
    }
}

/// Breaks text at spaces. A word longer than a line stands alone.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// A count with its noun: `1 file`, `2,400 files`.
pub(super) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// A number with its thousands apart.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes for people.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{} bytes", number(bytes)),
        10_000..10_000_000 => format!("{} kB", number(bytes / 1_000)),
        _ => format!("{} MB", number(bytes / 1_000_000)),
    }
}

/// The first digits of a hash.
pub(super) fn short(hash: &[u8]) -> String {
    let mut text = hex::encode(hash.get(..6).unwrap_or(hash));
    text.push('…');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        assert_eq!(
            [0, 999, 1_000, 48_210, 1_234_567].map(number),
            ["0", "999", "1,000", "48,210", "1,234,567"]
        );
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable", 3), ["unbreakable"]);
        assert_eq!(wrapped("", 3), [""]);
    }
}
