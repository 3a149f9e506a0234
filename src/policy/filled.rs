//! What the program itself puts into a database, and under which category of a document: every column of every table,
//! and the categories and purposes that its own features use. A migration with a column that is not here fails the build's
//! tests, and a document without a category that the program would fill is told so by `policy check`.

mod house;
mod people;

use super::Policy;

/// Every table: its name, what its columns keep, its columns.
pub fn tables() -> impl Iterator<Item = (&'static str, Keeps, &'static [&'static str])> {
    people::PEOPLE.iter().chain(house::HOUSE).copied()
}

/// What a column keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// Whatever category its row names; the vault stores nothing that the document does not declare.
    Vault,
    /// Data of this category.
    Of(&'static str),
    /// Proof of what was done (Art. 5(2) GDPR), and why it stays.
    Proof(&'static str),
    /// Nothing about anybody, and why not.
    Nobody(&'static str),
}

/// A category that a feature of the program fills by itself.
#[derive(Debug, Clone, Copy)]
pub struct Filled {
    /// Its name in documents.
    pub category: &'static str,
    /// What is put into it.
    pub what: &'static str,
    /// What happens with a document that does not declare it.
    pub without: &'static str,
}

const fn fills(category: &'static str, what: &'static str, without: &'static str) -> Filled {
    Filled { category, what, without }
}

/// The categories that the program fills by itself. All others are an app's own.
pub const FILLED: &[Filled] = &[
    fills("account", "name and e-mail address of everybody who signs up", "nobody can sign up"),
    fills("input-image", "the picture that somebody uploads for an edit", "no picture can be uploaded"),
    fills("image-metadata", "format and size of each picture", "no picture can be uploaded"),
    fills("prompt", "the words of an edit", "no edit can be asked for"),
    fills("edit-parameters", "the settings of an edit", "no edit can be asked for"),
    fills("output-image", "the picture that an edit made", "no edit can succeed"),
    fills("edit-history", "model, times and outcome of an edit", "no edit can succeed"),
    fills(
        "usage",
        "which feature was used, if the person agreed to `improvement`",
        "nothing of it is recorded",
    ),
    fills("preferences", "which model and provider a person prefers", "nobody can say what they prefer"),
    fills("credits", "credits bought, spent and given back", "the credits of an edit are kept unnamed"),
    fills("rights-request", "requests, their steps and their letters", "requests are kept unnamed"),
    fills("consent-record", "each consent, refusal, withdrawal and objection", "consents are kept unnamed"),
];

/// The purposes that the program's own features name when they use data.
pub const NAMED_PURPOSES: &[(&str, &str)] = &[
    ("account", "signing up and in, showing people what is theirs"),
    ("provide-edits", "uploads, edits and results"),
    ("rights", "requests, archives, erasures, receipts"),
    ("improvement", "records of use"),
    ("training", "collections to train models with"),
];

/// What the program fills and the document does not declare.
pub fn unfilled(policy: &Policy) -> impl Iterator<Item = &'static Filled> {
    FILLED.iter().filter(|filled| policy.category(filled.category).is_none())
}
