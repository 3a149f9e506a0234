//! `index.html`: the archive as a page that opens from disk, without script and without us.

use askama::Template;

use super::documents::{Answer, Held, Picture};
use super::person::{Category, Record, TakeHome};
use super::table::cell;
use super::{Error, take_home};
use crate::base::Timestamp;

/// Rows of a table that the page itself shows; the files beside it have all.
const ROWS: usize = 100;
/// Images of a category that the page itself shows, the newest; a browser does not like many more.
const PICTURES: usize = 2000;
/// Readings that the page itself shows, the newest.
const READS: usize = 200;
/// Notes in the place of pictures that the head of the page leads to.
const GAPS: usize = 50;

#[derive(Template)]
#[template(path = "index.html", config = "src/archive/askama.toml")]
struct Index<'a> {
    home: &'a TakeHome,
    answer: &'a Answer,
    sections: Vec<Section<'a>>,
    files: &'a [(String, String)],
    /// How many pictures could not be read, in words.
    missing: String,
    /// The notes in their places, the first of them.
    gaps: Vec<&'a str>,
}

/// One category as the page shows it.
struct Section<'a> {
    held: &'a Held,
    pictures: Vec<Shown<'a>>,
    other_pictures: usize,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    more: usize,
    /// `data/account`, to which `.json` and `.csv` are added. Empty if there are no records.
    files: Vec<&'a str>,
}

/// One picture as the page shows it.
struct Shown<'a> {
    picture: &'a Picture,
    alt: &'a str,
    missing: bool,
}

impl Shown<'_> {
    /// Whether a note lies in its place.
    fn is_missing(&self) -> bool {
        self.missing
    }
}

/// The page.
pub(super) fn render(
    home: &TakeHome,
    answer: &Answer,
    pictures: &[Picture],
    files: &[(String, String)],
) -> Result<Vec<u8>, Error> {
    let mut left = pictures.iter();
    let (mut sections, mut gaps) = (Vec::new(), Vec::new());
    for category in &home.categories {
        // Pictures come in the order of the categories and of the images in them.
        let each = category.images.iter().zip(left.by_ref());
        let own: Vec<Shown<'_>> = each
            .map(|(image, picture)| Shown { picture, alt: image.alt.as_str(), missing: image.missing })
            .collect();
        gaps.extend(own.iter().filter(|shown| shown.missing).map(|shown| shown.picture.path.as_str()));
        if let Some(held) = answer.categories.iter().find(|h| h.id == category.id) {
            sections.push(Section::new(category, held, own, files));
        }
    }
    let missing = count(&(gaps.len() as u64), "picture", "pictures");
    gaps.truncate(GAPS);
    let page = Index { home, answer, sections, files, missing, gaps };
    page.render().map(String::into_bytes).map_err(|_| Error::Unwritable("index.html"))
}

impl<'a> Section<'a> {
    fn new(
        category: &'a Category,
        held: &'a Held,
        mut pictures: Vec<Shown<'a>>,
        files: &'a [(String, String)],
    ) -> Self {
        let (columns, rows) = table(category);
        let stem = format!("data/{}.", super::names::part(&category.id));
        let files = files.iter().map(|(p, _)| p.as_str()).filter(|p| p.starts_with(&stem)).collect();
        let other_pictures = pictures.len().saturating_sub(PICTURES);
        pictures.drain(..other_pictures);
        Self {
            held,
            pictures,
            other_pictures,
            columns,
            rows,
            more: category.records.len().saturating_sub(ROWS),
            files,
        }
    }
}

/// The first records as a table: a column for each field that any of them has a value in. Where most of its cells would be
/// empty, each record says in one cell what it holds.
fn table(category: &Category) -> (Vec<String>, Vec<Vec<String>>) {
    let records = || category.records.iter().take(ROWS);
    let fields: Vec<&str> = take_home::columns(category)
        .into_iter()
        .filter(|field| records().any(|record| !value(record, field).is_empty()))
        .collect();
    let filled = |record: &Record| fields.iter().filter(|field| !value(record, field).is_empty()).count();
    if records().map(filled).sum::<usize>() * 2 >= fields.len() * records().count() {
        let row = |record: &Record| {
            let values = fields.iter().map(|field| value(record, field));
            std::iter::once(record.at.in_words()).chain(values).collect::<Vec<String>>()
        };
        return (fields.iter().map(|field| in_words(field)).collect(), records().map(row).collect());
    }
    let row = |record: &Record| {
        let named = fields.iter().map(|field| (in_words(field), value(record, field)));
        let said: Vec<String> = named
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        vec![record.at.in_words(), said.join("; ")]
    };
    (vec!["What it says".to_owned()], records().map(row).collect())
}

/// A field for people to read.
fn value(record: &Record, field: &str) -> String {
    match record.values.get(field) {
        None => String::new(),
        Some(serde_json::Value::Bool(true)) => "yes".to_owned(),
        Some(serde_json::Value::Bool(false)) => "no".to_owned(),
        Some(other) => cell(other),
    }
}

/// The name of a field for people to read: `restricted-since` is `Restricted since`. The files have it as it is.
fn in_words(field: &str) -> String {
    let spaced = field.replace(['-', '_', '.'], " ");
    let mut letters = spaced.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
}

impl Index<'_> {
    fn images(&self) -> usize {
        self.sections.iter().map(|s| s.pictures.len() + s.other_pictures).sum()
    }

    fn records(&self) -> u64 {
        self.answer.categories.iter().map(|c| c.items).sum::<u64>().saturating_sub(self.images() as u64)
    }

    fn title_of<'a>(&'a self, category: &'a str) -> &'a str {
        self.answer.categories.iter().find(|c| c.id == category).map_or(category, |c| c.title.as_str())
    }

    fn reads(&self) -> impl Iterator<Item = &super::Access> {
        self.home.reads.iter().rev().take(READS)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the template hands over references")]
fn day(at: &Timestamp) -> String {
    at.to_utc().format("%-d %B %Y").to_string()
}

/// A length in words: `812 bytes`, `4.6 MB`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the template hands over references")]
fn size(bytes: &u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match *bytes {
        ..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", tenths(1_000)),
        1_000_000..1_000_000_000 => format!("{} MB", tenths(1_000_000)),
        _ => format!("{} GB", tenths(1_000_000_000)),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the template hands over references")]
fn count(n: &u64, one: &str, many: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    }
}
