//! Reads the PO format of GNU gettext (`info gettext`, "The Format of PO Files"), as far as rows of sentences need it.
//!
//! Promises: any text is read or refused with the line that is wrong; nothing is guessed, and nothing in a text can make
//! it panic.

use std::fmt;

/// One row: an English sentence and what stands for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// What tells it from a row of the same sentence (`msgctxt`); empty for none.
    pub context: String,
    /// The English sentence, for one thing where it counts things (`msgid`).
    pub id: String,
    /// The English sentence for several things (`msgid_plural`).
    pub plural: Option<String>,
    /// What stands for it, one text, or one for each form.
    pub says: Vec<String>,
    /// Marked as a guess that a person has to look at; it is not used.
    pub fuzzy: bool,
}

/// What is wrong with a file of rows, and on which line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A line that is no keyword with a quoted text, no quoted text and no comment.
    #[error("line {0} is not one of a PO file")]
    Unreadable(usize),
    /// A text in quotes with a backslash that means nothing.
    #[error("line {0} has an escape that is none")]
    Escape(usize),
    /// A row without its sentence or without what stands for it, or with a form left out.
    #[error("the row that ends before line {0} is not whole")]
    NotWhole(usize),
    /// A sentence that has a row already.
    #[error("the row that ends before line {0} is there twice")]
    Twice(usize),
}

/// The part of a row that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Context,
    Id,
    Plural,
    Says(usize),
}

/// More forms than any language has.
const MOST_FORMS: usize = 6;

/// Reads every row but the head of the file, which has an empty sentence.
pub fn read(text: &str) -> Result<Vec<Row>, Error> {
    let mut reader = Reader::default();
    let mut last = 0;
    for (at, line) in text.lines().enumerate() {
        last = at + 1;
        reader.line(last, line.trim())?;
    }
    reader.end(last + 1)?;
    Ok(reader.rows)
}

#[derive(Default)]
struct Reader {
    rows: Vec<Row>,
    seen: std::collections::HashSet<(String, String)>,
    row: Row,
    part: Option<Part>,
    has_id: bool,
}

impl Reader {
    fn line(&mut self, n: usize, line: &str) -> Result<(), Error> {
        if line.is_empty() {
            return self.end(n);
        }
        if let Some(comment) = line.strip_prefix('#') {
            // A comment stands before its row.
            if matches!(self.part, Some(Part::Says(_))) {
                self.end(n)?;
            }
            self.row.fuzzy |= comment.strip_prefix(',').is_some_and(|flags| flags.contains("fuzzy"));
            return Ok(());
        }
        if line.starts_with('"') {
            let part = self.part.ok_or(Error::Unreadable(n))?;
            let text = unquoted(n, line)?;
            return self.append(n, part, &text);
        }
        let (word, quoted) = line.split_once([' ', '\t']).ok_or(Error::Unreadable(n))?;
        let part = part_of(word).ok_or(Error::Unreadable(n))?;
        let text = unquoted(n, quoted.trim_start())?;
        self.begin(n, part)?;
        self.append(n, part, &text)
    }

    /// A keyword: one that cannot follow what was read begins the next row.
    fn begin(&mut self, n: usize, part: Part) -> Result<(), Error> {
        let starts = matches!(part, Part::Context | Part::Id);
        if starts && matches!(self.part, Some(Part::Says(_))) {
            self.end(n)?;
        }
        let follows = match (part, self.part) {
            (Part::Says(n), Some(Part::Says(before))) => self.row.plural.is_some() && n == before + 1,
            (part, before) => matches!(
                (part, before),
                (Part::Context, None)
                    | (Part::Id, None | Some(Part::Context))
                    | (Part::Plural, Some(Part::Id))
                    | (Part::Says(0), Some(Part::Id | Part::Plural))
            ),
        };
        if !follows {
            return Err(Error::NotWhole(n));
        }
        match part {
            Part::Id => self.has_id = true,
            Part::Plural => self.row.plural = Some(String::new()),
            Part::Says(_) => self.row.says.push(String::new()),
            Part::Context => {}
        }
        if self.part.is_none() {
            self.row.line = n;
        }
        self.part = Some(part);
        Ok(())
    }

    fn append(&mut self, n: usize, part: Part, text: &str) -> Result<(), Error> {
        let into = match part {
            Part::Context => Some(&mut self.row.context),
            Part::Id => Some(&mut self.row.id),
            Part::Plural => self.row.plural.as_mut(),
            Part::Says(_) => self.row.says.last_mut(),
        };
        into.ok_or(Error::NotWhole(n))?.push_str(text);
        Ok(())
    }

    fn end(&mut self, n: usize) -> Result<(), Error> {
        let row = std::mem::take(&mut self.row);
        let part = self.part.take();
        let has_id = std::mem::take(&mut self.has_id);
        if part.is_none() {
            // A comment that belongs to no row.
            return Ok(());
        }
        if !has_id || row.says.is_empty() {
            return Err(Error::NotWhole(n));
        }
        if row.id.is_empty() && row.context.is_empty() {
            return Ok(());
        }
        if !self.seen.insert((row.context.clone(), row.id.clone())) {
            return Err(Error::Twice(n));
        }
        self.rows.push(row);
        Ok(())
    }
}

fn part_of(word: &str) -> Option<Part> {
    match word {
        "msgctxt" => Some(Part::Context),
        "msgid" => Some(Part::Id),
        "msgid_plural" => Some(Part::Plural),
        "msgstr" => Some(Part::Says(0)),
        _ => {
            let form = word.strip_prefix("msgstr[")?.strip_suffix(']')?;
            form.parse().ok().filter(|n| *n < MOST_FORMS).map(Part::Says)
        }
    }
}

/// The text between the quotes of a line, its escapes resolved.
fn unquoted(n: usize, quoted: &str) -> Result<String, Error> {
    let inside =
        quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(Error::Unreadable(n))?;
    let mut text = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Err(Error::Unreadable(n)),
            '\\' => text.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(c @ ('"' | '\\')) => c,
                _ => return Err(Error::Escape(n)),
            }),
            c => text.push(c),
        }
    }
    Ok(text)
}

/// The row as it stands in a file.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fuzzy {
            writeln!(f, "#, fuzzy")?;
        }
        if !self.context.is_empty() {
            writeln!(f, "msgctxt {}", quoted(&self.context))?;
        }
        writeln!(f, "msgid {}", quoted(&self.id))?;
        match &self.plural {
            None => {
                for says in self.says.iter().take(1) {
                    writeln!(f, "msgstr {}", quoted(says))?;
                }
            }
            Some(plural) => {
                writeln!(f, "msgid_plural {}", quoted(plural))?;
                for (n, says) in self.says.iter().enumerate() {
                    writeln!(f, "msgstr[{n}] {}", quoted(says))?;
                }
            }
        }
        Ok(())
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
