//! A page made by the program: headings, paragraphs, lists and tables of plain text, as HTML or as text.

use pulldown_cmark::{Alignment, Event, HeadingLevel, Tag, TagEnd, html};
use serde::Serialize;

use super::markdown::escaped;

/// A piece of a page. All texts are plain: whatever stands in them is shown, never interpreted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Block {
    /// A heading below the page's own.
    Heading(String),
    /// A paragraph.
    Paragraph(String),
    /// A list.
    List(Vec<String>),
    /// A table: its head and its rows, all of one length.
    Table(Vec<String>, Vec<Vec<String>>),
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outline {
    /// Its title.
    pub title: String,
    /// Its pieces in order.
    pub blocks: Vec<Block>,
}

impl Outline {
    pub(crate) fn new(title: String) -> Self {
        Self { title, blocks: Vec::new() }
    }

    pub(crate) fn heading(&mut self, text: &str) -> &mut Self {
        self.blocks.push(Block::Heading(text.to_owned()));
        self
    }

    pub(crate) fn say(&mut self, text: String) -> &mut Self {
        self.blocks.push(Block::Paragraph(text));
        self
    }

    pub(crate) fn list(&mut self, items: Vec<String>) -> &mut Self {
        self.blocks.push(Block::List(items));
        self
    }

    pub(crate) fn table(&mut self, head: &[&str], rows: Vec<Vec<String>>) -> &mut Self {
        self.blocks.push(Block::Table(head.iter().map(|&cell| cell.to_owned()).collect(), rows));
        self
    }

    /// As HTML, without the title; every text escaped.
    pub fn html(&self) -> String {
        let mut events = Vec::new();
        for block in &self.blocks {
            block.events(&mut events);
        }
        let mut out = String::new();
        html::push_html(&mut out, events.into_iter());
        out
    }

    /// As Markdown, title first; every text escaped.
    pub fn markdown(&self) -> String {
        let mut out = format!("# {}\n", escaped(&self.title));
        for block in &self.blocks {
            out.push('\n');
            match block {
                Block::Heading(text) => out.push_str(&format!("## {}\n", escaped(text))),
                Block::Paragraph(text) => out.push_str(&format!("{}\n", escaped(text))),
                Block::List(items) => {
                    out.extend(items.iter().map(|item| format!("- {}\n", escaped(item))));
                }
                Block::Table(head, rows) => {
                    let line = |cells: &[String]| {
                        let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
                        format!("| {} |\n", cells.join(" | "))
                    };
                    out.push_str(&line(head));
                    out.push_str(&format!("|{}\n", " --- |".repeat(head.len())));
                    out.extend(rows.iter().map(|row| line(row)));
                }
            }
        }
        out
    }

    /// As plain text, title first; fit for an e-mail.
    pub fn text(&self) -> String {
        let mut lines = vec![self.title.clone()];
        for block in &self.blocks {
            lines.push(String::new());
            match block {
                Block::Heading(text) => lines.push(text.to_uppercase()),
                Block::Paragraph(text) => lines.push(text.clone()),
                Block::List(items) => lines.extend(items.iter().map(|item| format!("- {item}"))),
                Block::Table(head, rows) => lines.extend(rows.iter().map(|row| {
                    let cells = head.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
                    let cells: Vec<String> = cells.map(|(head, cell)| format!("{head}: {cell}")).collect();
                    format!("- {}", cells.join("; "))
                })),
            }
        }
        lines.join("\n") + "\n"
    }
}

impl Block {
    fn events<'a>(&'a self, out: &mut Vec<Event<'a>>) {
        let wrapped = |tag: Tag<'a>, text: &'a str, out: &mut Vec<Event<'a>>| {
            let end = tag.to_end();
            out.extend([Event::Start(tag), Event::Text(text.into()), Event::End(end)]);
        };
        match self {
            Self::Heading(text) => {
                let tag = Tag::Heading {
                    level: HeadingLevel::H2,
                    id: None,
                    classes: Vec::new(),
                    attrs: Vec::new(),
                };
                wrapped(tag, text, out);
            }
            Self::Paragraph(text) => wrapped(Tag::Paragraph, text, out),
            Self::List(items) => {
                out.push(Event::Start(Tag::List(None)));
                for item in items {
                    wrapped(Tag::Item, item, out);
                }
                out.push(Event::End(TagEnd::List(false)));
            }
            Self::Table(head, rows) => {
                out.push(Event::Start(Tag::Table(vec![Alignment::None; head.len()])));
                out.push(Event::Start(Tag::TableHead));
                for cell in head {
                    wrapped(Tag::TableCell, cell, out);
                }
                out.push(Event::End(TagEnd::TableHead));
                for row in rows {
                    out.push(Event::Start(Tag::TableRow));
                    for cell in row {
                        wrapped(Tag::TableCell, cell, out);
                    }
                    out.push(Event::End(TagEnd::TableRow));
                }
                out.push(Event::End(TagEnd::Table));
            }
        }
    }
}
