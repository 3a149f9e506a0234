//! `index.html`: the archive as a page that opens from disk, without script and without us.

use askama::Template;

use super::documents::{Answer, Held, Picture};
use super::person::{Category, TakeHome};
use super::table::cell;
use super::{Error, take_home};
use crate::base::Timestamp;

/// Rows of a table that the page itself shows; the files beside it have all.
const ROWS: usize = 100;
/// Images of a category that the page itself shows, the newest; a browser does not like many more.
const PICTURES: usize = 2000;
/// Readings that the page itself shows, the newest.
const READS: usize = 200;

#[derive(Template)]
#[template(path = "index.html", config = "src/archive/askama.toml")]
struct Index<'a> {
    home: &'a TakeHome,
    answer: &'a Answer,
    sections: Vec<Section<'a>>,
    files: &'a [(String, String)],
}

/// One category as the page shows it.
struct Section<'a> {
    held: &'a Held,
    pictures: Vec<(&'a Picture, &'a str)>,
    other_pictures: usize,
    columns: Vec<&'a str>,
    rows: Vec<Vec<String>>,
    more: usize,
    /// `data/account`, to which `.json` and `.csv` are added. Empty if there are no records.
    files: Vec<&'a str>,
}

/// The page.
pub(super) fn render(
    home: &TakeHome,
    answer: &Answer,
    pictures: &[Picture],
    files: &[(String, String)],
) -> Result<Vec<u8>, Error> {
    let mut left = pictures.iter();
    let mut sections = Vec::new();
    for category in &home.categories {
        // Pictures come in the order of the categories and of the images in them.
        let own =
            category.images.iter().zip(left.by_ref()).map(|(image, p)| (p, image.alt.as_str())).collect();
        if let Some(held) = answer.categories.iter().find(|h| h.id == category.id) {
            sections.push(Section::new(category, held, own, files));
        }
    }
    let page = Index { home, answer, sections, files };
    page.render().map(String::into_bytes).map_err(|_| Error::Unwritable("index.html"))
}

impl<'a> Section<'a> {
    fn new(
        category: &'a Category,
        held: &'a Held,
        mut pictures: Vec<(&'a Picture, &'a str)>,
        files: &'a [(String, String)],
    ) -> Self {
        let columns = take_home::columns(category);
        let rows = category
            .records
            .iter()
            .take(ROWS)
            .map(|r| {
                let values = columns.iter().map(|c| r.values.get(*c).map(cell).unwrap_or_default());
                std::iter::once(r.at.in_words()).chain(values).collect()
            })
            .collect();
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
