//! The page inside the archive a person takes home: opens from disk, without script, without us.

use askama::Template;

use super::{ConsentEvent, Count, Fact, Mark, Moment, Read, Size, State};

/// `index.html` of the archive. Its stylesheet is inside it; its pictures lie beside it.
#[derive(Template, Debug, Clone)]
#[template(path = "archive.html", config = "src/web/askama.toml")]
pub struct ArchiveIndex {
    /// Whose service this comes from.
    pub brand: String,
    /// Who answers for the data: name and address.
    pub controller: String,
    /// How to reach them.
    pub contact: String,
    /// Whose data these are: a name or an address.
    pub person: String,
    /// The request this answers.
    pub reference: String,
    /// When the archive was made.
    pub made: Moment,
    /// The version of the policy in force then.
    pub policy_version: String,
    /// The pictures, newest first.
    pub images: Vec<ArchiveImage>,
    /// The data, one table a category.
    pub categories: Vec<ArchiveCategory>,
    /// What the law wants said, for this person: Article 15(1)(a) to (h).
    pub answer: Article15,
    /// What one allowed and took back.
    pub consents: Vec<ArchiveConsent>,
    /// Who read the data.
    pub reads: Vec<Read>,
    /// Every other file and what it is: path and words.
    pub files: Vec<Fact>,
    /// The key the manifest is signed with, in C2SP form.
    pub verifier_key: String,
}

/// A picture in the archive.
#[derive(Debug, Clone)]
pub struct ArchiveImage {
    /// Where it lies, relative to the page.
    pub path: String,
    /// What is on it, as far as we know.
    pub alt: String,
    /// The words that made it.
    pub caption: String,
    /// When it was made.
    pub made: Moment,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Its size.
    pub size: Size,
    /// Its SHA-256, shortened.
    pub hash: String,
}

/// The data of one category.
#[derive(Debug, Clone)]
pub struct ArchiveCategory {
    /// Its id in the document, used as the anchor.
    pub id: String,
    /// Its name in people's words.
    pub name: String,
    /// How many items there are.
    pub count: Count,
    /// Where the data come from: `You gave them to us`.
    pub source: String,
    /// When they go.
    pub goes: String,
    /// The columns shown here.
    pub columns: Vec<String>,
    /// The first rows; the files have all of them.
    pub rows: Vec<Vec<String>>,
    /// The files with everything: `data/account.json`.
    pub files: Vec<String>,
}

impl ArchiveCategory {
    /// How many rows are only in the files.
    pub fn more(&self) -> Count {
        let shown = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
        Count(self.count.0.saturating_sub(shown))
    }
}

/// The answer that Article 15(1) of the GDPR gives a right to, computed for one person.
#[derive(Debug, Clone)]
pub struct Article15 {
    /// (a) For what, and on what ground: purpose and basis.
    pub purposes: Vec<Fact>,
    /// (b) Which categories.
    pub categories: Vec<String>,
    /// (c) Who received them: name, and what and where.
    pub recipients: Vec<Fact>,
    /// (d) For how long, category by category.
    pub periods: Vec<Fact>,
    /// (e) Which rights one has, each a sentence.
    pub rights: Vec<String>,
    /// (f) Where to complain.
    pub authority: String,
    /// (g) Where the data come from, as far as not from the person.
    pub sources: Vec<Fact>,
    /// (h) Whether a machine decides about the person, and how.
    pub automated: String,
    /// Article 15(2): what protects data that go to other countries.
    pub transfers: Vec<Fact>,
}

/// A consent and what happened to it.
#[derive(Debug, Clone)]
pub struct ArchiveConsent {
    /// What one allows.
    pub title: String,
    /// Whether it was allowed when the archive was made.
    pub on: bool,
    /// What happened to it, newest first.
    pub history: Vec<ConsentEvent>,
}

impl ArchiveIndex {
    /// How many pictures there are.
    pub fn image_count(&self) -> Count {
        Count(u64::try_from(self.images.len()).unwrap_or(u64::MAX))
    }
}
